/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* EQ, AEQ and their messages: what arms, what raises, what a full or lost queue does. */

#include "fewer.h"
#include "test_qm_dev_util.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "qm_dev_event.h"
#include "qm_dev_queue.h"

#define ARENA    (8u << 20)
#define EQ_DEPTH 8u

static struct td td;
static uint32_t *eq[2];         /* EQ and AEQ, by vector */
static _Atomic unsigned int irqs[QM_DEV_IRQS];

static unsigned int errors_logged;

static void
count_errors(enum base_log_level level, const char *line, void *priv)
{
	(void)line;
	(void)priv;
	errors_logged += level == BASE_LOG_ERR;
}

static void
count_irq(unsigned int vector, void *priv)
{
	(void)priv;
	assert_true(vector < QM_DEV_IRQS);
	atomic_fetch_add(&irqs[vector], 1);
}

static void
ring_eq(enum qm_dev_irq which, uint16_t head)
{
	qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0,
			which == QM_DEV_IRQ_EQ ? HISI_QM_DB_EQ : HISI_QM_DB_AEQ, 0, head, 0));
}

static void
ring_cq(struct tq *q, bool arm)
{
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8,
			hisi_qm_db(q->qn, HISI_QM_DB_CQ, TD_RAND, q->head, arm));
}

static int
setup_workers(unsigned int workers)
{
	struct qm_dev_conf conf = td_conf(workers);

	conf.irq = count_irq;
	conf.log.line = count_errors;
	errors_logged = 0;
	td_open(&td, &conf, ARENA);
	for (unsigned int i = 0; i < QM_DEV_IRQS; i++)
		atomic_store(&irqs[i], 0);
	for (int i = 0; i < 2; i++) {
		eq[i] = td_alloc(&td, EQ_DEPTH * sizeof(uint32_t), 64);
		assert_int_equal(td_set_eq(&td, (enum qm_dev_irq)i, td_iova(&td, eq[i]),
				EQ_DEPTH), 0);
	}
	td_wr(&td, HISI_QM_EQ_INT_MASK, 0);
	td_wr(&td, HISI_QM_AEQ_INT_MASK, 0);
	return 0;
}

static int
setup(void **state)
{
	*state = &td;
	return setup_workers(0);
}

/* A queue whose CQ is armed from the start, as Linux does it. */
static void
start_armed(struct tq *q, uint16_t qn, uint16_t depth)
{
	tq_start(q, &td, qn, HISI_ZIP_QC_COMPRESS, depth);
	q->armed = true;
	assert_int_equal(tq_restart(q, HISI_ZIP_QC_COMPRESS), 0);
}

/* n requests, executed. */
static void
work(struct tq *q, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		tq_slot(q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
		tq_push(q);
	}
	tq_ring(q);
	assert_int_equal(qm_dev_poll(td.dev, q->qn, n), n);
}

/* A CQ doorbell that does not arm tells nothing, whatever is left; one that does, what is left. */
static void
who_does_not_arm_is_not_told(void **state)
{
	struct tq q;

	(void)state;
	tq_start(&q, &td, 1, HISI_ZIP_QC_COMPRESS, 16);
	work(&q, 3);
	q.head = 1;
	ring_cq(&q, false);
	/* A read of the context looks at it at once. */
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, td_iova(&td, td_alloc(&td, 32, 32)), true),
			0);
	assert_int_equal(td_stats(&td).eqes, 0);
	q.head = 2;
	ring_cq(&q, true);
	assert_int_equal(td_stats(&td).eqes, 1);
	q.head = 3;
	ring_cq(&q, true);
	assert_int_equal(td_stats(&td).eqes, 1);
	ring_cq(&q, false);
	work(&q, 1);
	assert_int_equal(td_stats(&td).eqes, 1);
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
}

/* Take the CQEs that are there, without a doorbell. */
static unsigned int
take(struct tq *q)
{
	unsigned int n = 0;

	while ((q->cq[q->head].w7 & HISI_QM_CQE_PHASE) == q->phase) {
		n++;
		if (++q->head == q->depth) {
			q->head = 0;
			q->phase ^= 1;
		}
	}
	return n;
}

static void
armed_cq_raises_once(void **state)
{
	struct hisi_qm_cqc *cqc = td_alloc(&td, sizeof(*cqc), 32);
	struct tq q;

	(void)state;
	start_armed(&q, 2, 16);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 2, td_iova(&td, cqc), true), 0);
	assert_int_equal(cqc->dw6, HISI_QM_CQC_PHASE | HISI_QM_CQC_C_FLAG);
	work(&q, 3);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 2, td_iova(&td, cqc), true), 0);
	assert_int_equal(cqc->dw6, HISI_QM_CQC_PHASE);
	/* One event for three CQEs: c_flag is cleared by the first. */
	assert_int_equal(eq[0][0], 2 | 1u << HISI_QM_EQE_PHASE_SHIFT);
	assert_int_equal(eq[0][1], 0);
	assert_int_not_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 1);
	assert_int_equal(td_stats(&td).eqes, 1);
	assert_int_equal(td_stats(&td).irqs[QM_DEV_IRQ_EQ], 1);

	/* All taken: the doorbell clears the source, and nothing more comes. */
	ring_eq(QM_DEV_IRQ_EQ, 1);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	assert_int_equal(take(&q), 3);
	ring_cq(&q, false);
	work(&q, 1);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 1);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);

	/* Armed with a CQE that was not taken: at once. */
	ring_cq(&q, true);
	assert_int_equal(eq[0][1], 2 | 1u << HISI_QM_EQE_PHASE_SHIFT);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 2);
	ring_eq(QM_DEV_IRQ_EQ, 2);
	/* Armed with all taken: with the next CQE, also if the same value was rung before. */
	assert_int_equal(take(&q), 1);
	ring_cq(&q, true);
	ring_cq(&q, true);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 2);
	work(&q, 1);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 3);
	assert_int_equal(take(&q), 1);
	ring_eq(QM_DEV_IRQ_EQ, 3);
	/* Armed, then disarmed. */
	ring_cq(&q, true);
	ring_cq(&q, false);
	work(&q, 1);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 3);
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
}

static void
polled_queue_raises_nothing(void **state)
{
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 4);
	for (int i = 0; i < 20; i++) {
		tq_slot(&q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
		tq_do(&q);
	}
	assert_int_equal(td_stats(&td).eqes, 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 0);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
}

static void
message_only_when_the_source_rises(void **state)
{
	struct tq a, b;

	(void)state;
	start_armed(&a, 0, 8);
	start_armed(&b, 1, 8);
	work(&a, 1);
	work(&b, 1);
	assert_int_equal(td_stats(&td).eqes, 2);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 1);
	/* A driver that took one of two is called again. */
	ring_eq(QM_DEV_IRQ_EQ, 1);
	assert_int_not_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 2);
	/* The unchanged head of a spurious call, too. */
	ring_eq(QM_DEV_IRQ_EQ, 1);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 3);
	ring_eq(QM_DEV_IRQ_EQ, 2);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 3);
	/* Heads that take back or skip entries, of another command, of another queue. */
	ring_eq(QM_DEV_IRQ_EQ, 1);
	ring_eq(QM_DEV_IRQ_EQ, 3);
	ring_eq(QM_DEV_IRQ_EQ, EQ_DEPTH);
	qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, HISI_QM_DB_SQ, 0, 2, 0));
	qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(1, HISI_QM_DB_EQ, 0, 2, 0));
	assert_int_equal(td_stats(&td).doorbells_dropped, 5);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 3);
}

static void
mask_holds_the_message_back(void **state)
{
	struct tq q;

	(void)state;
	td_wr(&td, HISI_QM_EQ_INT_MASK, 1);
	start_armed(&q, 0, 8);
	work(&q, 1);
	assert_int_not_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 0);
	/* Masked once more, it stays so. Each queue has its own mask. */
	td_wr(&td, HISI_QM_EQ_INT_MASK, 1);
	td_wr(&td, HISI_QM_AEQ_INT_MASK, 1);
	td_wr(&td, HISI_QM_AEQ_INT_MASK, 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 0);
	td_wr(&td, HISI_QM_EQ_INT_MASK, 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 1);
	td_wr(&td, HISI_QM_EQ_INT_MASK, 0);
	td_wr(&td, HISI_QM_EQ_INT_MASK, 1);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 1);
	ring_eq(QM_DEV_IRQ_EQ, 1);
	td_wr(&td, HISI_QM_EQ_INT_MASK, 1);
	td_wr(&td, HISI_QM_EQ_INT_MASK, 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 1);
	assert_int_equal(irqs[QM_DEV_IRQ_AEQ], 0);
}

static void
eq_wraps_with_its_phase(void **state)
{
	struct hisi_qm_eqc *eqc = td_alloc(&td, sizeof(*eqc), 32);
	struct tq q;
	uint16_t head = 0;
	uint32_t phase = 1;

	(void)state;
	start_armed(&q, 3, 4);
	for (unsigned int i = 0; i < 3 * EQ_DEPTH + 3; i++) {
		work(&q, 1);
		assert_int_equal(eq[0][head], 3 | phase << HISI_QM_EQE_PHASE_SHIFT);
		assert_int_equal(take(&q), 1);
		if (++head == EQ_DEPTH) {
			head = 0;
			phase ^= 1;
		}
		ring_eq(QM_DEV_IRQ_EQ, head);
		ring_cq(&q, true);
	}
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 3 * EQ_DEPTH + 3);
	assert_int_equal(td_mb(&td, HISI_QM_MB_EQC, 0, td_iova(&td, eqc), true), 0);
	assert_int_equal(eqc->head, 3);
	assert_int_equal(eqc->tail, 3);
	assert_int_equal(eqc->dw6, EQ_DEPTH - 1); /* phase is 0 in the fourth pass */
}

/* Also the deepest one, whose depth has 17 bits. */
static void
deepest_wraps_with_its_phase(void **state)
{
	const uint32_t depth = 65536;
	uint32_t *entries = td_alloc(&td, depth * sizeof(*entries), 64);

	(void)state;
	assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_EQ, td_iova(&td, entries), depth), 0);
	for (uint32_t i = 0; i < 2 * depth + 1; i++) {
		qm_dev_event_completion(td.dev, 5);
		assert_int_equal(entries[i % depth], 5u |
				(uint32_t)(i / depth % 2 == 0) << HISI_QM_EQE_PHASE_SHIFT);
		ring_eq(QM_DEV_IRQ_EQ, (uint16_t)(i + 1));
	}
	assert_int_equal(td_stats(&td).eqes, 2 * depth + 1);
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
}

static void
full_eq_overflows(void **state)
{
	struct tq q;

	(void)state;
	start_armed(&q, 0, 16);
	/* Arming over and over with a CQE untaken fills it without any work. */
	work(&q, 1);
	for (unsigned int i = 1; i < EQ_DEPTH - 1; i++)
		ring_cq(&q, true);
	assert_int_equal(td_stats(&td).eqes, EQ_DEPTH - 1);
	assert_int_equal(td_stats(&td).aeqes, 0);
	ring_cq(&q, true);
	assert_int_equal(td_stats(&td).eqes, EQ_DEPTH - 1);
	assert_int_equal(eq[1][0], 1u << HISI_QM_EQE_PHASE_SHIFT |
			HISI_QM_AEQE_EQ_OVERFLOW << HISI_QM_AEQE_TYPE_SHIFT);
	assert_int_not_equal(td_rd(&td, HISI_QM_AEQ_INT_SOURCE), 0);
	assert_int_equal(irqs[QM_DEV_IRQ_AEQ], 1);
	/* Said once. Work goes on; only the events stay away. */
	ring_cq(&q, true);
	assert_int_equal(td_stats(&td).aeqes, 1);
	work(&q, 1);
	assert_int_equal(take(&q), 2);
	ring_eq(QM_DEV_IRQ_AEQ, 1);
	assert_int_equal(td_rd(&td, HISI_QM_AEQ_INT_SOURCE), 0);
	/* The whole START sequence heals it. */
	memset(eq[0], 0, EQ_DEPTH * sizeof(*eq[0]));
	assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_EQ, td_iova(&td, eq[0]), EQ_DEPTH), 0);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	ring_eq(QM_DEV_IRQ_EQ, 0);
	ring_cq(&q, true);
	work(&q, 1);
	assert_int_equal(eq[0][0], 1u << HISI_QM_EQE_PHASE_SHIFT);
}

static void
failed_queues_are_told(void **state)
{
	struct tq a, b;

	(void)state;
	/* No CQ doorbell for a whole ring. */
	tq_start(&a, &td, 1, HISI_ZIP_QC_COMPRESS, 4);
	a.depth = 3; /* keeps one slot free */
	work(&a, 2);
	assert_int_equal(take(&a), 2);
	a.depth = 4, a.tail = 2;
	work(&a, 2);
	assert_int_equal(td_stats(&td).aeqes, 0);
	tq_slot(&a, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
	tq_push(&a);
	tq_ring(&a);
	qm_dev_poll(td.dev, 1, 1);
	assert_int_equal(eq[1][0], 1 | 1u << HISI_QM_EQE_PHASE_SHIFT |
			HISI_QM_AEQE_CQ_OVERFLOW << HISI_QM_AEQE_TYPE_SHIFT);
	assert_int_equal(irqs[QM_DEV_IRQ_AEQ], 1);

	/* A ring that is not mapped. */
	tq_start(&b, &td, 2, HISI_ZIP_QC_COMPRESS, 4);
	assert_int_equal(tq_set(&b, HISI_ZIP_QC_COMPRESS, 0x1000, td_iova(&td, b.cq)), 0);
	tq_push(&b);
	tq_ring(&b);
	assert_int_equal(qm_dev_poll(td.dev, 2, 1), 0);
	assert_int_equal(eq[1][1], 2 | 1u << HISI_QM_EQE_PHASE_SHIFT |
			HISI_QM_AEQE_CQE_ERROR << HISI_QM_AEQE_TYPE_SHIFT);
	/* The source has not been cleared: no second message. */
	assert_int_equal(irqs[QM_DEV_IRQ_AEQ], 1);
	ring_eq(QM_DEV_IRQ_AEQ, 2);
	assert_int_equal(td_rd(&td, HISI_QM_AEQ_INT_SOURCE), 0);
	/* What the driver does then. */
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 1, 0, false), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 2, 0, false), 0);
	assert_int_equal(td_stats(&td).queues_live, 0);
}

static void
contexts_are_checked(void **state)
{
	struct tq q;

	(void)state;
	assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_EQ, td_iova(&td, eq[0]), 1), QM_DEV_MB_BAD_CTX);
	assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_AEQ, td_iova(&td, eq[1]) + 2, EQ_DEPTH),
			QM_DEV_MB_BAD_CTX);
	assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_EQ, UINT64_MAX - 15, EQ_DEPTH),
			QM_DEV_MB_BAD_CTX);
	/* An EQ that is not mapped stops at its first entry; the queue goes on. */
	assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_EQ, 0x1000, 65536), 0);
	start_armed(&q, 0, 8);
	work(&q, 2);
	assert_int_equal(take(&q), 2);
	ring_cq(&q, true);
	work(&q, 1);
	assert_int_equal(td_stats(&td).eqes, 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 0);
	/* Three refusals, and the first entry: said once. */
	assert_int_equal(errors_logged, 4);
	/* It is mended by another context only. */
	assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_EQ, td_iova(&td, eq[0]), EQ_DEPTH), 0);
	assert_int_equal(take(&q), 1);
	ring_cq(&q, true);
	work(&q, 1);
	assert_int_equal(td_stats(&td).eqes, 1);
	assert_int_equal(errors_logged, 4);
}

/* A full AEQ takes no more, and loses nothing of what it has. */
static void
full_aeq_drops(void **state)
{
	struct tq q;

	(void)state;
	tq_start(&q, &td, 3, HISI_ZIP_QC_COMPRESS, 4);
	for (unsigned int i = 0; i < EQ_DEPTH + 2; i++) {
		assert_int_equal(tq_set(&q, HISI_ZIP_QC_COMPRESS, 0x1000, td_iova(&td, q.cq)), 0);
		tq_push(&q);
		tq_ring(&q);
		assert_int_equal(qm_dev_poll(td.dev, 3, 1), 0);
		assert_int_equal(td_stats(&td).aeqes, i < EQ_DEPTH - 1 ? i + 1 : EQ_DEPTH - 1);
	}
	for (unsigned int i = 0; i < EQ_DEPTH - 1; i++)
		assert_int_equal(eq[1][i], 3 | 1u << HISI_QM_EQE_PHASE_SHIFT |
				HISI_QM_AEQE_CQE_ERROR << HISI_QM_AEQE_TYPE_SHIFT);
	assert_int_equal(eq[1][EQ_DEPTH - 1], 0);
	assert_int_equal(irqs[QM_DEV_IRQ_AEQ], 1);
	/* All were taken: there is room again. */
	ring_eq(QM_DEV_IRQ_AEQ, EQ_DEPTH - 1);
	assert_int_equal(tq_set(&q, HISI_ZIP_QC_COMPRESS, 0x1000, td_iova(&td, q.cq)), 0);
	tq_push(&q);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 3, 1), 0);
	assert_int_equal(td_stats(&td).aeqes, EQ_DEPTH);
	assert_int_equal(irqs[QM_DEV_IRQ_AEQ], 2);
}

/* A head at the depth is none, even where as many entries are taken. */
static void
head_at_the_depth(void **state)
{
	struct hisi_qm_eqc *eqc = td_alloc(&td, sizeof(*eqc), 32);
	struct tq q;

	(void)state;
	start_armed(&q, 0, 16);
	work(&q, 1);
	ring_cq(&q, true);
	ring_eq(QM_DEV_IRQ_EQ, 2);
	for (unsigned int i = 0; i < EQ_DEPTH - 2; i++)
		ring_cq(&q, true);
	assert_int_equal(td_stats(&td).eqes, EQ_DEPTH);
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
	ring_eq(QM_DEV_IRQ_EQ, EQ_DEPTH);
	assert_int_equal(td_stats(&td).doorbells_dropped, 1);
	assert_int_equal(td_mb(&td, HISI_QM_MB_EQC, 0, td_iova(&td, eqc), true), 0);
	assert_int_equal(eqc->head, 2);
	assert_int_equal(eqc->tail, 0);
	ring_eq(QM_DEV_IRQ_EQ, 0);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
}

/* Full is full wherever it begins: the entries go on at the start of the ring. */
static void
full_behind_the_end(void **state)
{
	struct tq q;

	(void)state;
	start_armed(&q, 0, 16);
	work(&q, 1);
	for (unsigned int i = 0; i < 2 + EQ_DEPTH; i++) {
		ring_cq(&q, true);
		if (i == 1)
			ring_eq(QM_DEV_IRQ_EQ, 3);
	}
	assert_int_equal(td_stats(&td).eqes, 3 + EQ_DEPTH - 1);
	assert_int_equal(td_stats(&td).aeqes, 1);
}

/* After a reset there is no EQ and no AEQ, wherever they were. */
static void
no_event_after_a_reset(void **state)
{
	struct tq q;

	(void)state;
	start_armed(&q, 0, 4);
	qm_dev_reset(td.dev);
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	work(&q, 2);
	assert_int_equal(tq_set(&q, HISI_ZIP_QC_COMPRESS, 0x1000, td_iova(&td, q.cq)), 0);
	tq_push(&q);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 1), 0);
	assert_int_equal(td_stats(&td).eqes + td_stats(&td).aeqes, 0);
	assert_int_equal(eq[0][0] | eq[1][0], 0);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE) | td_rd(&td, HISI_QM_AEQ_INT_SOURCE), 0);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ] + irqs[QM_DEV_IRQ_AEQ], 0);
}

/* A doorbell arms once, however often the device looks at its word. */
static void
one_doorbell_arms_once(void **state)
{
	struct tq q;

	(void)state;
	tq_start(&q, &td, 1, HISI_ZIP_QC_COMPRESS, 8);
	work(&q, 1);
	assert_int_equal(take(&q), 1);
	ring_cq(&q, true);
	assert_int_equal(td_stats(&td).eqes, 0);
	work(&q, 6);
	assert_int_equal(take(&q), 6);
	assert_int_equal(td_stats(&td).eqes, 1);
	ring_cq(&q, false);
	work(&q, 6);
	assert_int_equal(td_stats(&td).eqes, 1);
}

#define WORKER_ROUNDS 3000u

/* With workers: no event is lost between arming and completing. */
static void
no_event_is_lost(void **state)
{
	const unsigned int rounds = WORKER_ROUNDS / test_fewer();
	uint16_t head = 0;
	struct tq q;

	(void)state;
	assert_int_equal(setup_workers(2), 0);
	start_armed(&q, 0, 16);
	for (unsigned int i = 0; i < rounds; i++) {
		time_t end = time(NULL) + 60;

		/* The next request may be done before or after the arming. */
		tq_slot(&q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
		tq_push(&q);
		qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8,
				hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, q.tail, 0));
		if (i != 0)
			ring_cq(&q, true);
		while (td_rd(&td, HISI_QM_EQ_INT_SOURCE) == 0)
			assert_true(time(NULL) < end);
		head = (uint16_t)((head + 1) % EQ_DEPTH);
		ring_eq(QM_DEV_IRQ_EQ, head);
		while (take(&q) == 0)
			assert_true(time(NULL) < end);
	}
	assert_int_equal(td_stats(&td).eqes, rounds);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], rounds);
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
	td_close(&td);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(armed_cq_raises_once), T(polled_queue_raises_nothing),
		T(message_only_when_the_source_rises), T(mask_holds_the_message_back),
		T(eq_wraps_with_its_phase), T(deepest_wraps_with_its_phase),
		T(full_eq_overflows), T(failed_queues_are_told),
		T(contexts_are_checked), T(full_aeq_drops), T(head_at_the_depth),
		T(no_event_after_a_reset), T(one_doorbell_arms_once),
		T(who_does_not_arm_is_not_told), T(full_behind_the_end),
		cmocka_unit_test(no_event_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
