/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * In which order the function stores. It is run one instruction at a time (x86's trap flag),
 * and what another thread could see is looked at behind each of them; or another thread's part
 * is done between any two. What the compiler or an arm64 CPU may reorder is test/litmus's.
 */

#include "test_qm_dev_turns.h"

#include "test_qm_dev_step.h"
#include "qm_dev_context.h"
#include "qm_dev_state.h"

#define ARENA (4u << 20)
#define EQ_N  8u

static struct td td;
static struct tq q;
static uint32_t *eq[2];
static uint64_t *data; /* 0: source, 1: destination */
static _Atomic unsigned int irqs[QM_DEV_IRQS];

static void
count_irq(unsigned int vector, void *priv)
{
	(void)priv;
	irqs[vector]++;
}

static int
setup(void **state)
{
	struct qm_dev_conf conf = td_conf(0);

	*state = &td;
	conf.irq = count_irq;
	td_open(&td, &conf, ARENA);
	memset(irqs, 0, sizeof(irqs));
	for (int i = 0; i < 2; i++) {
		eq[i] = td_alloc(&td, EQ_N * sizeof(uint32_t), 64);
		assert_int_equal(td_set_eq(&td, (enum qm_dev_irq)i, td_iova(&td, eq[i]), EQ_N), 0);
	}
	td_wr(&td, HISI_QM_EQ_INT_MASK, 0);
	td_wr(&td, HISI_QM_AEQ_INT_MASK, 0);
	data = td_alloc(&td, 4096, 64);
	tq_start(&q, &td, 2, HISI_ZIP_QC_COMPRESS, 8);
	return 0;
}

/* ---- Completion: data, result, CQE, EQE, source, message ---- */

static unsigned int done_cqes;

static void
watch_completion(void)
{
	const struct hisi_qm_cqe *cqe = &q.cq[0];
	const struct hisi_zip_sqe *sqe = &q.sq[0];
	bool phase = (cqe->w7 & HISI_QM_CQE_PHASE) != 0;
	bool event = eq[0][0] >> HISI_QM_EQE_PHASE_SHIFT != 0;
	bool source = qm_dev_read(td.dev, HISI_QM_EQ_INT_SOURCE, 4) != 0;

	if (step_bad != NULL)
		return;
	if (phase) {
		done_cqes++;
		if (sqe->dw3 != HISI_ZIP_OK || sqe->consumed != 8 || sqe->produced != 8 ||
				sqe->comp_data_length != 0 || sqe->ctx_dw0 != 0)
			step_bad = "the CQE is there before the result";
		else if (data[1] != data[0])
			step_bad = "the CQE is there before the data";
		else if (cqe->sq_num != q.qn || cqe->sq_head != 0 || cqe->cmd_id != 0 ||
				cqe->rsvd0 != 0 || cqe->rsvd1 != 0 || cqe->rsvd2 != 0)
			step_bad = "the phase is there before the rest of the CQE";
	}
	if (event && !phase)
		step_bad = "the event is there before the CQE";
	if (event && (eq[0][0] & 0xffff) != q.qn)
		step_bad = "the event's phase is there before its queue";
	if (source && !event)
		step_bad = "the source is set before the event is there";
	if (irqs[QM_DEV_IRQ_EQ] != 0 && !source)
		step_bad = "the message is sent before the source is set";
}

static void
completion(void **state)
{
	struct hisi_zip_sqe *sqe;

	(void)state;
	q.armed = true;
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	memset(&q.cq[0], 0xee, sizeof(q.cq[0]));
	q.cq[0].w7 = 0;
	sqe = tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);
	sqe->dw10 = HISI_ZIP_EXT_VALID;
	sqe->dw3 = sqe->consumed = sqe->produced = sqe->comp_data_length = 0xeeeeeeee;
	sqe->ctx_dw0 = 0xeeeeeeee;
	data[0] = 0x1122334455667788;
	hisi_zip_sqe_src(sqe, td_iova(&td, &data[0]), 8);
	hisi_zip_sqe_dst(sqe, td_iova(&td, &data[1]), 8);
	tq_push(&q);
	tq_ring(&q);
	done_cqes = 0;
	step_begin(watch_completion);
	qm_dev_poll(td.dev, q.qn, 1);
	step_end();
	/* All of it was seen. */
	assert_true(step_count > 100 && done_cqes > 10 && done_cqes < step_count);
	assert_int_equal(irqs[QM_DEV_IRQ_EQ], 1);
	assert_true(tq_ready(&q));
}

/* ---- Mailbox: what the command returns, then "not busy" ---- */

static struct hisi_qm_sqc *image;
static uint64_t want_data;
static bool want_image;

static void
watch_mailbox(void)
{
	uint32_t w = (uint32_t)qm_dev_read(td.dev, HISI_QM_MAILBOX, 4);
	uint64_t d = qm_dev_read(td.dev, HISI_QM_MAILBOX + 4, 4) |
		qm_dev_read(td.dev, HISI_QM_MAILBOX + 8, 4) << 32;

	if (step_bad != NULL || (w & HISI_QM_MB_BUSY) != 0 || (w & HISI_QM_MB_OP_READ) == 0)
		return;
	done_cqes++;
	if (d != want_data)
		step_bad = "the mailbox is free before its data is there";
	if (want_image && (image->w8 != TD_RAND || image->w13 != HISI_QM_SQC_ORDER))
		step_bad = "the mailbox is free before the context is there";
}

static void
mailbox(void **state)
{
	struct hisi_qm_mailbox mb = {
		.w0 = HISI_QM_MB_SQC_VFT | HISI_QM_MB_BUSY | HISI_QM_MB_OP_READ };

	(void)state;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC_VFT, 0, 0, true), 0);
	want_data = qm_dev_read(td.dev, HISI_QM_MAILBOX + 4, 4) |
		qm_dev_read(td.dev, HISI_QM_MAILBOX + 8, 4) << 32;
	image = td_alloc(&td, sizeof(*image), 32);
	for (int i = 0; i < 2; i++) {
		want_image = i == 1;
		if (want_image) {
			mb.w0 = HISI_QM_MB_SQC | HISI_QM_MB_BUSY | HISI_QM_MB_OP_READ;
			mb.queue_num = q.qn;
			want_data = td_iova(&td, image);
			mb.base_l = (uint32_t)want_data;
			mb.base_h = (uint32_t)(want_data >> 32);
		}
		/* Another command before it: its answer is not this one's. */
		assert_int_equal(td_mb(&td, HISI_QM_MB_SRC, 0, 0xeeeeeeeeeeeeeeee, false), 0);
		done_cqes = 0;
		step_begin(watch_mailbox);
		qm_dev_mailbox(td.dev, &mb);
		step_end();
		assert_true(done_cqes > 3 && done_cqes < step_count);
	}
}

/* ---- A queue goes live: set up, then doorbells count ---- */

static void
watch_live(void)
{
	const struct qm_dev_queue *dq = qm_dev_queue_find(td.dev, q.qn);

	if (step_bad != NULL)
		return;
	if (dq->ring.sq_key != 0 || dq->ring.cq_key != 0) {
		done_cqes++;
		if (dq->state != QM_DEV_QUEUE_LIVE || dq->ring.sq_seen != UINT64_MAX ||
				dq->ring.cq_seen != UINT64_MAX || q.db->sq != UINT64_MAX ||
				q.db->cq != UINT64_MAX || q.db->asleep != 0 ||
				dq->ring.fetch != 0 || dq->ring.waiting != 0 || !dq->ring.phase)
			step_bad = "doorbells count before the queue is set up";
	}
	if (td.dev->queues_live != 0 && (dq->ring.sq_key == 0 || dq->ring.cq_key == 0))
		step_bad = "the queue is live before its doorbells count";
}

static void
going_live(void **state)
{
	(void)state;
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, q.qn, 0, false), 0);
	q.db->sq = q.db->cq = 7;
	q.db->asleep = 1;
	done_cqes = 0;
	step_begin(watch_live);
	tq_restart(&q, HISI_ZIP_QC_COMPRESS);
	step_end();
	assert_true(done_cqes > 3 && done_cqes < step_count);
	assert_int_equal(td_stats(&td).queues_live, 1);
}

/* ---- The map is changed while somebody takes hold of it, at any instruction ---- */

static struct qm_dev_view view;
static unsigned long act_at;
static bool acted;
static uint64_t ticket;

#define EXTRA_IOVA (TD_IOVA + (1ull << 40))

static void
take_hold(void)
{
	if (step_count != act_at)
		return;
	qm_dev_view_get(&td.dev->map, &view);
	acted = true;
	stepping = 0;
}

static void
take_back(void)
{
	if (step_count != act_at)
		return;
	qm_dev_dma_unmap_start(td.dev, EXTRA_IOVA, 4096, &ticket, NULL);
	acted = true;
	stepping = 0;
}

/* Whether the page that is being taken back is seen, and rightly so. */
static bool
check_hold(bool unmapped)
{
	void *va = qm_dev_view_at(&view, EXTRA_IOVA, 4096, QM_DEV_PROT_READ);
	void *arena = qm_dev_view_at(&view, TD_IOVA, ARENA, QM_DEV_PROT_READ);

	assert_ptr_equal(arena, td.arena);
	assert_true(va == NULL || va == td.arena);
	if (unmapped)
		assert_int_equal(qm_dev_dma_unmap_done(td.dev, ticket), va == NULL);
	/* And still after that. */
	assert_ptr_equal(qm_dev_view_at(&view, EXTRA_IOVA, 4096, QM_DEV_PROT_READ), va);
	return va != NULL;
}

static void
held_while_it_changes(void **state)
{
	unsigned int saw = 0, missed = 0;
	bool over = false;

	(void)state;
	memset(&view, 0, sizeof(view));
	qm_dev_view_add(&td.dev->map, &view);
	/* Each run costs as many signals as it has steps. */
	for (act_at = 1; !over; act_at += 5) {
		assert_int_equal(qm_dev_dma_map(td.dev, EXTRA_IOVA, 4096, td.arena,
				QM_DEV_PROT_READ), 0);
		acted = false;
		step_begin(take_hold);
		qm_dev_dma_unmap_start(td.dev, EXTRA_IOVA, 4096, &ticket, NULL);
		step_end();
		over = !acted;
		if (!over) {
			if (check_hold(true))
				saw++;
			else
				missed++;
			qm_dev_view_put(&view);
		}
		assert_true(qm_dev_dma_unmap_done(td.dev, ticket));
	}
	assert_true(saw > 20 && missed > 4);
}

static void
changed_while_a_view_holds_it(void **state)
{
	unsigned int saw = 0, missed = 0;
	bool over = false;

	(void)state;
	memset(&view, 0, sizeof(view));
	qm_dev_view_add(&td.dev->map, &view);
	for (act_at = 1; !over; act_at++) {
		assert_int_equal(qm_dev_dma_map(td.dev, EXTRA_IOVA, 4096, td.arena,
				QM_DEV_PROT_READ), 0);
		ticket = 0;
		acted = false;
		step_begin(take_back);
		qm_dev_view_get(&td.dev->map, &view);
		step_end();
		over = !acted;
		if (check_hold(!over))
			saw++;
		else
			missed++;
		qm_dev_view_put(&view);
		if (over)
			assert_int_equal(qm_dev_dma_unmap_start(td.dev, EXTRA_IOVA, 4096,
					&ticket, NULL), 1);
		assert_true(qm_dev_dma_unmap_done(td.dev, ticket));
	}
	assert_true(saw > 2 && missed > 2);
}

/* ---- A queue falls asleep while it is rung, at any instruction ---- */

static bool must_wake;

static void
watch_asleep(void)
{
	if (client[0].q.db->asleep != 0 && queue_of(0)->sched.state != QM_DEV_SCHED_ASLEEP)
		step_bad = "the driver is to wake it before a wake is heard";
	if (step_count != act_at)
		return;
	must_wake = hisi_qm_shadow_ring(client[0].q.db, hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND,
			client[0].q.tail, 0)) != 0;
}

static void
rung_while_it_falls_asleep(void **state)
{
	unsigned int woken = 0, seen = 0;
	bool over = false;

	(void)state;
	for (act_at = 1; !over; act_at += 2) {
		struct hisi_zip_sqe *sqe = tq_slot(&client[0].q, HISI_ZIP_REQ_EXT_COPY);

		sqe->dw10 = HISI_ZIP_EXT_VALID;
		run_all();
		now += QM_DEV_QUIET_NS + 1;
		tq_push(&client[0].q);
		must_wake = false;
		step_begin(watch_asleep);
		if (qm_dev_sched_get(pool, UINT32_MAX, now) != NULL)
			step_bad = step_bad != NULL ? step_bad : "taken";
		over = step_count < act_at;
		step_stop();
		/* The look that saw the doorbell gave the queue out. */
		if (step_bad != NULL && strcmp(step_bad, "taken") == 0) {
			assert_int_equal(serve(queue_of(0)), 1);
			step_bad = NULL;
			seen++;
		}
		if (step_bad != NULL)
			fail_msg("%s", step_bad);
		if (over)
			tq_ring(&client[0].q);
		else if (must_wake)
			td_wr(&client[0].td, HISI_QM_SHADOW_REG_WAKE, 0);
		woken += must_wake;
		run_all();
		assert_non_null(tq_pop(&client[0].q));
		assert_int_equal(queue_of(0)->ring.waiting, 0);
	}
	assert_true(woken > 2 && seen > 2);
}

/* ---- A function is shut while it executes a request ---- */

static bool break_it; /* and its memory vanishes */

static void
shut_when_copied(void)
{
	struct client *c = &client[0];

	if (c->dst[0] != c->src[0])
		return;
	acted = true;
	stepping = 0;
	assert_false(qm_dev_abort(c->td.dev));
	atomic_store(&c->td.dev->broken, break_it);
}

/* It is off then, whatever becomes of the request: nobody is told of it any more. */
static void
shut_while_it_executes(void **state)
{
	struct client *c = &client[0];
	struct qm_dev_queue *sq = queue_of(0);

	(void)state;
	for (int broken = 0; broken < 2; broken++) {
		assert_int_equal(tq_restart(&c->q, HISI_ZIP_QC_COMPRESS), 0);
		c->src[0] = 0x5a;
		c->dst[0] = 0;
		work(0, 1, 100);
		assert_ptr_equal(qm_dev_sched_get(pool, UINT32_MAX, now), sq);
		acted = false;
		break_it = broken != 0;
		step_begin(shut_when_copied);
		serve(sq);
		step_end();
		atomic_store(&c->td.dev->broken, false);
		assert_true(acted);
		assert_int_equal(sq->state, QM_DEV_QUEUE_OFF);
		assert_int_equal(sq->ring.inflight, 0);
		assert_int_equal(c->q.cq[0].w7, 0);
		assert_int_equal(pool->quiet.cnt, CLIENTS - 1);
		assert_true(qm_dev_abort(c->td.dev));
	}
}

/* ---- A function vanishes while one of its queues goes live, at any instruction ---- */

static void
vanish(void)
{
	/* Another thread would wait for this lock; it takes no queue's. */
	if (acted || step_count < act_at || pool->lock.held != 0)
		return;
	acted = true;
	stepping = 0;
	qm_dev_vanish(client[0].td.dev);
}

/* Nothing of the queue is left to the workers, nor is it counted. */
static void
is_gone(const struct client *c, const struct qm_dev_queue *vq)
{
	assert_false(queue_runs(vq));
	assert_int_equal(vq->ring.sq_key | vq->ring.cq_key, 0);
	assert_int_equal(vq->sched.state, QM_DEV_SCHED_OUT);
	assert_false(vq->sched.running);
	assert_int_equal(pool->quiet.cnt, CLIENTS - 1);
	assert_int_equal(atomic_load(&c->td.dev->queues_live), 0);
}

static void
vanishes_while_a_queue_goes_live(void **state)
{
	struct client *c = &client[0];
	struct qm_dev_queue *vq = queue_of(0);
	unsigned int tried = 0;

	(void)state;
	for (act_at = 1, acted = true; acted; act_at += 3) {
		struct hisi_qm_sqc sqc;
		struct hisi_qm_cqc cqc;

		assert_int_equal(tq_restart(&c->q, HISI_ZIP_QC_COMPRESS), 0);
		sqc = vq->sqc;
		cqc = vq->cqc;
		/* Few slots, as each is a step to clear. */
		sqc.dw3 = (sqc.dw3 & ~HISI_QM_CTX_DEPTH_MASK) | 7;
		cqc.dw3 = (cqc.dw3 & ~HISI_QM_CTX_DEPTH_MASK) | 7;
		assert_true(qm_dev_queue_aborted(c->td.dev, vq));
		qm_dev_queue_forget(vq);
		assert_int_equal(qm_dev_queue_set_sqc(c->td.dev, vq, &sqc), QM_DEV_MB_OK);
		acted = false;
		step_begin(vanish);
		qm_dev_queue_set_cqc(c->td.dev, vq, &cqc);
		step_end();
		if (!acted)
			assert_int_equal(vq->state, QM_DEV_QUEUE_LIVE);
		if (acted) {
			is_gone(c, vq);
			tried++;
		}
		/* As an injected fault never lets it: it comes back. */
		qm_dev_reset(c->td.dev);
		atomic_store(&c->td.dev->gone, false);
	}
	assert_true(tried > 100);
}

/* The same while what it has is flushed. */
static void
vanishes_while_a_queue_drains(void **state)
{
	struct client *c = &client[0];
	struct qm_dev_queue *vq = queue_of(0);
	unsigned int tried = 0;

	(void)state;
	for (act_at = 1, acted = true; acted; act_at++) {
		assert_int_equal(tq_restart(&c->q, HISI_ZIP_QC_COMPRESS), 0);
		acted = false;
		step_begin(vanish);
		assert_int_equal(qm_dev_queues_flush(c->td.dev), QM_DEV_MB_OK);
		step_end();
		if (acted) {
			is_gone(c, vq);
			assert_int_equal(vq->state, QM_DEV_QUEUE_FAILED);
			tried++;
		} else {
			assert_int_equal(vq->state, QM_DEV_QUEUE_LIVE);
		}
		qm_dev_reset(c->td.dev);
		atomic_store(&c->td.dev->gone, false);
	}
	assert_true(tried > 30);
}

static int
setup_turns(void **state)
{
	static const uint32_t same[CLIENTS] = { 1, 1, 1 };

	(void)state;
	turns_open(same, true);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(completion), T(mailbox), T(going_live), T(held_while_it_changes),
		T(changed_while_a_view_holds_it),
		cmocka_unit_test_setup_teardown(rung_while_it_falls_asleep, setup_turns,
				turns_close),
		cmocka_unit_test_setup_teardown(shut_while_it_executes, setup_turns, turns_close),
		cmocka_unit_test_setup_teardown(vanishes_while_a_queue_drains, setup_turns,
				turns_close),
		cmocka_unit_test_setup_teardown(vanishes_while_a_queue_goes_live, setup_turns,
				turns_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
