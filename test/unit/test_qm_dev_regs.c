/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Registers, mailbox, contexts and doorbells: what a driver sees before any request. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <string.h>

#include "qm_dev_queue.h"
#include "zip_dev_request.h"

#define ARENA (8u << 20)

static const struct zip_dev_streams *
streams_of(const struct qm_dev *dev)
{
	return &((const struct zip_dev_func *)dev->cs[0].func)->streams;
}

static struct td td;

static int
setup(void **state)
{
	return td_setup(state, &td, ARENA);
}

static void
conf_is_checked(void **state)
{
	struct qm_dev *dev = NULL;
	struct qm_dev_conf bad;

	(void)state;
	bad = td_conf(0), bad.revision = 0x20;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), bad.queues = 0;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), bad.queues = HISI_QM_QUEUES_MAX + 1;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(QM_DEV_WORKERS_MAX + 1);
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), td_zip(&bad)->engine = 2;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), bad.ext = 2;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), td_zip(&bad)->streams_max = UINT32_MAX;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), td_zip(&bad)->streams_max = ZIP_DEV_STREAMS_LIMIT + 1;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), bad.isolation = 2;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	bad = td_conf(0), bad.isolation = 1, bad.revision = HISI_QM_REV_V2;
	assert_int_equal(qm_dev_create(&bad, &dev), -EINVAL);
	assert_null(dev);
}

/* The last values that are right, and what is taken where nothing is asked for. */
static void
conf_up_to_its_bounds(void **state)
{
	struct qm_dev_conf good;
	struct qm_dev *dev;

	(void)state;
	good = td_conf(0), td_zip(&good)->streams_max = ZIP_DEV_STREAMS_LIMIT;
	assert_int_equal(qm_dev_create(&good, &dev), 0);
	assert_int_equal(streams_of(dev)->max, ZIP_DEV_STREAMS_LIMIT);
	qm_dev_destroy(dev);
	good = td_conf(0), good.queues = HISI_QM_QUEUES_MAX;
	assert_int_equal(qm_dev_create(&good, &dev), 0);
	assert_non_null(qm_dev_doorbell(dev, HISI_QM_QUEUES_MAX - 1));
	assert_null(qm_dev_doorbell(dev, HISI_QM_QUEUES_MAX));
	qm_dev_destroy(dev);
	good = td_conf(0), good.queues = 1, td_zip(&good)->engine = ZIP_DEV_ENGINE_COPY;
	assert_int_equal(qm_dev_create(&good, &dev), 0);
	assert_int_equal(streams_of(dev)->max, ZIP_DEV_STREAMS_DEFAULT);
	assert_null(qm_dev_doorbell(dev, 1));
	qm_dev_destroy(dev);
	good = td_conf(0), good.revision = HISI_QM_REV_V2, good.ext = 0;
	assert_int_equal(qm_dev_create(&good, &dev), 0);
	qm_dev_destroy(dev);
	good = td_conf(0), good.isolation = 1;
	assert_int_equal(qm_dev_create(&good, &dev), 0);
	assert_int_equal(qm_dev_read(dev, HISI_QM_QUE_ISO_CFG, 4), 1);
	qm_dev_destroy(dev);
}

static int
spawn_second_fails(pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	int *calls = priv;

	return ++*calls == 2 ? EAGAIN : pthread_create(thread, NULL, run, arg);
}

static void
spawn_error_is_passed_on(void **state)
{
	struct qm_dev_conf conf = td_conf(3);
	struct qm_dev *dev = NULL;
	int calls = 0;

	(void)state;
	conf.spawn = spawn_second_fails;
	conf.priv = &calls;
	assert_int_equal(qm_dev_create(&conf, &dev), -EAGAIN);
	assert_int_equal(calls, 2);
	assert_null(dev);
}

static void
reset_values(void **state)
{
	(void)state;
	for (uint32_t off = 0; off < HISI_QM_BAR2_SIZE; off += 4) {
		uint32_t want = 0;

		if (off == HISI_QM_AEQ_INT_MASK || off == HISI_QM_EQ_INT_MASK ||
				off == HISI_QM_IFC_INT_MASK)
			want = 1;
		else if (off == HISI_EXT_REG_MAGIC)
			want = HISI_EXT_MAGIC;
		else if (off == HISI_EXT_REG_FEATURES)
			want = HISI_ZIP_EXT_F_ALL;
		if (td_rd(&td, off) != want)
			fail_msg("register 0x%x is 0x%x, expected 0x%x", off, td_rd(&td, off),
					want);
	}
	/* Narrow, wide, odd and outside reads. */
	assert_int_equal(qm_dev_read(td.dev, HISI_EXT_REG_MAGIC + 1, 1), 'P');
	assert_int_equal(qm_dev_read(td.dev, HISI_EXT_REG_MAGIC + 2, 2), 'I' | 'M' << 8);
	assert_true(qm_dev_read(td.dev, HISI_EXT_REG_MAGIC, 8) ==
			(HISI_EXT_MAGIC | (uint64_t)HISI_ZIP_EXT_F_ALL << 32));
	assert_int_equal(qm_dev_read(td.dev, HISI_EXT_REG_MAGIC + 2, 4), 0);
	assert_int_equal(qm_dev_read(td.dev, HISI_EXT_REG_MAGIC, 3), 0);
	assert_int_equal(qm_dev_read(td.dev, UINT32_MAX - 3, 4), 0);
}

static void
plain_silicon_shows_no_extension(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev *dev;

	(void)state;
	conf.ext = 0;
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	assert_int_equal(qm_dev_read(dev, HISI_EXT_REG_MAGIC, 4), 0);
	assert_int_equal(qm_dev_read(dev, HISI_EXT_REG_FEATURES, 4), 0);
	qm_dev_destroy(dev);
}

static void
storage(void **state)
{
	(void)state;
	td_wr(&td, HISI_QM_AEQ_INT_MASK, 0);
	td_wr(&td, HISI_QM_EQ_INT_MASK, 0xfffffffe);
	td_wr(&td, HISI_QM_IFC_INT_MASK, 0);
	td_wr(&td, HISI_QM_PAGE_SIZE, 2);
	td_wr(&td, HISI_QM_VF_STATE, 1);
	assert_int_equal(td_rd(&td, HISI_QM_AEQ_INT_MASK), 0);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_MASK), 0);
	assert_int_equal(td_rd(&td, HISI_QM_IFC_INT_MASK), 0);
	assert_int_equal(td_rd(&td, HISI_QM_PAGE_SIZE), 2);
	assert_int_equal(td_rd(&td, HISI_QM_VF_STATE), 1);
	td_wr(&td, HISI_QM_EQ_INT_MASK, 3);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_MASK), 1);
	td_wr(&td, HISI_QM_AEQ_INT_MASK, 7);
	assert_int_equal(td_rd(&td, HISI_QM_AEQ_INT_MASK), 1);
	td_wr(&td, HISI_QM_IFC_INT_MASK, 5);
	assert_int_equal(td_rd(&td, HISI_QM_IFC_INT_MASK), 1);
	/* A message to the PF is acknowledged; write-1-to-clear and read-only stay 0. */
	td_wr(&td, HISI_QM_IFC_INT_SET, 1);
	assert_int_equal(td_rd(&td, HISI_QM_IFC_INT_SET), 0);
	td_wr(&td, HISI_QM_IFC_INT_SOURCE, 1);
	assert_int_equal(td_rd(&td, HISI_QM_IFC_INT_SOURCE), 0);
	td_wr(&td, HISI_QM_EQ_INT_SOURCE, 1);
	assert_int_equal(td_rd(&td, HISI_QM_EQ_INT_SOURCE), 0);
	td_wr(&td, HISI_EXT_REG_MAGIC, 0);
	assert_int_equal(td_rd(&td, HISI_EXT_REG_MAGIC), HISI_EXT_MAGIC);
	/* Not a dword, not aligned: no effect. */
	qm_dev_write(td.dev, HISI_QM_PAGE_SIZE, 1, 1);
	qm_dev_write(td.dev, HISI_QM_PAGE_SIZE, 2, 1);
	qm_dev_write(td.dev, HISI_QM_PAGE_SIZE - 2, 4, 0x10001);
	qm_dev_write(td.dev, HISI_QM_PAGE_SIZE, 3, 1);
	assert_int_equal(td_rd(&td, HISI_QM_PAGE_SIZE), 2);
	qm_dev_write(td.dev, HISI_QM_QUE_ISO_CFG, 8, 1ull << 32);
	assert_int_equal(td_rd(&td, HISI_QM_PAGE_SIZE), 1);
}

static void
check_vft(uint16_t queues)
{
	uint64_t vft = td_rd(&td, HISI_QM_MAILBOX + 4) | (uint64_t)td_rd(&td,
			HISI_QM_MAILBOX + 8) << 32;

	assert_int_equal(td_rd(&td, HISI_QM_MAILBOX), HISI_QM_MB_SQC_VFT | HISI_QM_MB_OP_READ);
	assert_true((vft & HISI_QM_VFT_VALID) != 0);
	assert_int_equal(vft >> HISI_QM_VFT_NUM_SHIFT & HISI_QM_VFT_NUM_MASK, queues - 1u);
}

static void
mailbox_in_pieces(void **state)
{
	const uint32_t w0 = HISI_QM_MB_SQC_VFT | HISI_QM_MB_BUSY | HISI_QM_MB_OP_READ;

	(void)state;
	/* 4 x 4: fires on the last piece, not before. */
	td_wr(&td, HISI_QM_MAILBOX, w0);
	td_wr(&td, HISI_QM_MAILBOX + 4, 0);
	td_wr(&td, HISI_QM_MAILBOX + 8, 0);
	assert_int_equal(td_rd(&td, HISI_QM_MAILBOX), w0);
	td_wr(&td, HISI_QM_MAILBOX + 12, 0);
	check_vft(4);
	/* 2 x 8 */
	qm_dev_write(td.dev, HISI_QM_MAILBOX, 8, w0);
	assert_int_equal(td_rd(&td, HISI_QM_MAILBOX), w0);
	qm_dev_write(td.dev, HISI_QM_MAILBOX + 8, 8, 0);
	check_vft(4);
	/* 16 */
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC_VFT, 0, 0, true), 0);
	check_vft(4);
	/* Its last word is kept, whichever way it came. */
	{
		const struct hisi_qm_mailbox mb = { .w0 = (uint16_t)w0, .rsvd = 0x12345678 };

		qm_dev_mailbox(td.dev, &mb);
		assert_int_equal(td_rd(&td, HISI_QM_MAILBOX + 12), 0x12345678);
		td_wr(&td, HISI_QM_MAILBOX + 12, 0x9abc);
		assert_int_equal(td_rd(&td, HISI_QM_MAILBOX + 12), 0x9abc);
	}
	/* Without the busy bit it is no command. */
	td_wr(&td, HISI_QM_MAILBOX, 0x77);
	td_wr(&td, HISI_QM_MAILBOX + 12, 0);
	assert_int_equal(td_rd(&td, HISI_QM_MAILBOX), 0x77);
	assert_int_equal(td_stats(&td).mailbox_errors, 0);
}

static void
mailbox_refusals(void **state)
{
	uint64_t page = td_iova(&td, td_alloc(&td, 4096, 4096));
	unsigned int n = 0;

	(void)state;
	assert_int_equal(td_mb(&td, 0x7, 0, 0, false),
			QM_DEV_MB_BAD_CMD), n++;
	assert_int_equal(td_mb(&td, 0xff, 0, 0, false),
			QM_DEV_MB_BAD_CMD), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC_VFT, 0, 0, false),
			QM_DEV_MB_BAD_CMD), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 4, page, false),
			QM_DEV_MB_BAD_QUEUE), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0xffff, page, false),
			QM_DEV_MB_BAD_QUEUE), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 4, 0, false),
			QM_DEV_MB_BAD_QUEUE), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 0, 0, false),
			QM_DEV_MB_BAD_ADDR), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 0, page + 16, false),
			QM_DEV_MB_BAD_ADDR), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 0, TD_IOVA + ARENA, true),
			QM_DEV_MB_BAD_ADDR), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0, UINT64_MAX - 31, true),
			QM_DEV_MB_BAD_ADDR), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_EQC, 0, 64, false),
			QM_DEV_MB_BAD_ADDR), n++;
	/* A zeroed image has the wrong entry sizes. */
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 0, page, false),
			QM_DEV_MB_BAD_CTX), n++;
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0, page, false),
			QM_DEV_MB_BAD_CTX), n++;
	assert_int_equal(td_stats(&td).mailbox_errors, n);
	assert_int_equal(td_stats(&td).queues_live, 0);
	/* Messages and stops of queues that do not run are fine. */
	assert_int_equal(td_mb(&td, HISI_QM_MB_SRC, 0, 0x123, false), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_DST, 0, 0x123, false), 0);
	assert_int_equal(td_rd(&td, HISI_QM_MAILBOX + 4), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 3, 0, false), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_FLUSH_QM, 0, 0, false), 0);
	assert_int_equal(td_stats(&td).mailbox_errors, n);
}

static void
sqc_fields_are_checked(void **state)
{
	struct hisi_qm_sqc good = {
		.base_l = (uint32_t)TD_IOVA, .base_h = (uint32_t)(TD_IOVA >> 32),
		.dw3 = 15 | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT, .cq_num = 1, .w13 = 0x10,
	};
	struct hisi_qm_sqc *sqc = td_alloc(&td, sizeof(*sqc), 32);
	uint64_t at = td_iova(&td, sqc);

	(void)state;
	*sqc = good;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), 0);
	*sqc = good, sqc->base_l += 64;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), QM_DEV_MB_BAD_CTX);
	*sqc = good, sqc->base_l = 0xffffff80, sqc->base_h = 0xffffffff;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), QM_DEV_MB_BAD_CTX);
	*sqc = good, sqc->dw3 = 15 | 6 << HISI_QM_CTX_ENTRY_SHIFT;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), QM_DEV_MB_BAD_CTX);
	*sqc = good, sqc->dw3 = HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), QM_DEV_MB_BAD_CTX);
	*sqc = good, sqc->cq_num = 0;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), QM_DEV_MB_BAD_CTX);
	*sqc = good, sqc->w13 = 0x210;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), QM_DEV_MB_BAD_CTX);
	*sqc = good, sqc->w13 |= HISI_QM_SQC_DISABLE;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, at, false), QM_DEV_MB_BAD_CTX);
	assert_int_equal(td_stats(&td).queues_live, 0);
}

/* A driver that goes on where another one was: rings that begin elsewhere. */
static void
heads_inside_the_ring(void **state)
{
	struct hisi_qm_sqc *sqc = td_alloc(&td, sizeof(*sqc), 32);
	struct hisi_qm_cqc *cqc = td_alloc(&td, sizeof(*cqc), 32);
	struct tq q = { .td = &td, .qn = 1, .depth = 8, .db = qm_dev_doorbell(td.dev, 1) };
	const uint64_t sqc_at = td_iova(&td, sqc), cqc_at = td_iova(&td, cqc);

	(void)state;
	q.sq = td_alloc(&td, 8 * sizeof(*q.sq), 128);
	q.cq = td_alloc(&td, 8 * sizeof(*q.cq), 32);
	*sqc = (struct hisi_qm_sqc){
		.base_l = (uint32_t)td_iova(&td, q.sq), .base_h = (uint32_t)(TD_IOVA >> 32),
		.dw3 = 7 | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT, .w8 = TD_RAND,
		.cq_num = 1, .w13 = HISI_QM_SQC_ORDER, .head = 8, .tail = 8,
	};
	*cqc = (struct hisi_qm_cqc){
		.base_l = (uint32_t)td_iova(&td, q.cq), .base_h = (uint32_t)(TD_IOVA >> 32),
		.dw3 = 7 | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT, .w8 = TD_RAND,
		.head = 8, .tail = 8,
	};
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, sqc_at, false), QM_DEV_MB_BAD_CTX);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, false), QM_DEV_MB_BAD_CTX);
	sqc->head = sqc->tail = cqc->head = cqc->tail = 6;
	sqc->tail = cqc->tail = 7;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, sqc_at, false), QM_DEV_MB_BAD_CTX);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, false), QM_DEV_MB_BAD_CTX);
	sqc->head = cqc->head = 7;
	/* Alignment and size of the CQ; entries of a wrong size; a depth of one. */
	cqc->base_l += 16;
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, false), QM_DEV_MB_BAD_CTX);
	cqc->base_l = 0xffffffe0, cqc->base_h = 0xffffffff;
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, false), QM_DEV_MB_BAD_CTX);
	cqc->base_l = (uint32_t)td_iova(&td, q.cq), cqc->base_h = (uint32_t)(TD_IOVA >> 32);
	cqc->dw3 = 7 | 5 << HISI_QM_CTX_ENTRY_SHIFT;
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, false), QM_DEV_MB_BAD_CTX);
	cqc->head = cqc->tail = 0;
	cqc->dw3 = HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT;
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, false), QM_DEV_MB_BAD_CTX);
	cqc->head = cqc->tail = 7;
	cqc->dw3 = 7 | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT;

	/* The last slot of both rings, in a pass whose phase is 0; then the first ones. */
	q.cq[7].w7 = HISI_QM_CQE_PHASE;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, sqc_at, false), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, false), 0);
	q.head = q.tail = 7;
	q.phase = 0;
	for (int i = 0; i < 3; i++) {
		tq_slot(&q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
		assert_int_equal(tq_do(&q)->dw3, HISI_ZIP_OK);
	}
	assert_int_equal(q.head, 2);
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, sqc_at, true), 0);
	assert_int_equal(sqc->head, 2);
	assert_int_equal(sqc->w11 & (HISI_QM_CTX_HEAD_SIG | HISI_QM_CTX_TAIL_SIG),
			HISI_QM_CTX_HEAD_SIG | HISI_QM_CTX_TAIL_SIG);
	/* Three slots that are rung wrap the tail again, the head not yet. */
	q.tail = 1;
	tq_ring(&q);
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, sqc_at, true), 0);
	assert_int_equal(sqc->head, 2);
	assert_int_equal(sqc->tail, 1);
	assert_int_equal(sqc->w11 & (HISI_QM_CTX_HEAD_SIG | HISI_QM_CTX_TAIL_SIG),
			HISI_QM_CTX_HEAD_SIG);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 1, cqc_at, true), 0);
	assert_int_equal(cqc->head, 2);
	assert_int_equal(cqc->tail, 2);
	assert_int_equal(cqc->w11 & (HISI_QM_CTX_HEAD_SIG | HISI_QM_CTX_TAIL_SIG),
			HISI_QM_CTX_HEAD_SIG | HISI_QM_CTX_TAIL_SIG);
}

static void
contexts_read_back(void **state)
{
	struct hisi_qm_eqc *eqc = td_alloc(&td, sizeof(*eqc), 32), *eqc_out;
	uint64_t bt = td_iova(&td, td_alloc(&td, 2 * 32 * 4, 32));
	struct hisi_qm_sqc *sqc = td_alloc(&td, sizeof(*sqc), 32);
	struct hisi_qm_cqc *cqc = td_alloc(&td, sizeof(*cqc), 32);
	const struct hisi_qm_sqc *sqcs;
	struct tq q;

	(void)state;
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC_BT, 0, bt, false), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC_BT, 0, bt + 32 * 4, false), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC_BT, 0, 0, true), 0);
	assert_int_equal(td_rd(&td, HISI_QM_MAILBOX + 4), (uint32_t)bt);
	assert_int_equal(td_rd(&td, HISI_QM_MAILBOX + 8), (uint32_t)(bt >> 32));

	eqc->base_l = 0x1000;
	eqc->dw6 = 0x107ff;
	eqc->pad = 0xabcd;
	eqc_out = td_alloc(&td, sizeof(*eqc), 32);
	eqc_out->pad = 0x1234;
	assert_int_equal(td_mb(&td, HISI_QM_MB_EQC, 0, td_iova(&td, eqc), false), 0);
	qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, HISI_QM_DB_EQ, 0, 7, 0));
	qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, HISI_QM_DB_EQ, 0, 0x800, 0));
	qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, HISI_QM_DB_SQ, 0, 1, 0));
	qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, HISI_QM_DB_EQ, 0, 0, 0));
	assert_int_equal(td_stats(&td).doorbells_dropped, 3); /* 7: takes what was never there */
	assert_int_equal(td_mb(&td, HISI_QM_MB_EQC, 0, td_iova(&td, eqc_out), true), 0);
	assert_int_equal(eqc_out->head, 0);
	assert_int_equal(eqc_out->base_l, 0x1000);
	assert_int_equal(eqc_out->dw6, 0x107ff);
	assert_int_equal(eqc_out->pad, 0x1234); /* only 28 bytes are the context */

	tq_start(&q, &td, 2, HISI_ZIP_QC_COMPRESS, 4);
	for (int i = 0; i < 6; i++) {
		struct hisi_zip_sqe *sqe = tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);

		sqe->dw10 = HISI_ZIP_EXT_VALID;
		tq_do(&q);
	}
	tq_push(&q);
	tq_ring(&q);
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 2, td_iova(&td, sqc), true), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 2, td_iova(&td, cqc), true), 0);
	assert_int_equal(sqc->head, 2);
	assert_int_equal(sqc->tail, 3);
	assert_int_equal(sqc->w8, TD_RAND);
	assert_int_equal(cqc->tail, 2);
	assert_int_equal(cqc->head, 2);
	/* One wrap on each: as the drain of V2 compares them. */
	assert_int_equal(sqc->w11 & HISI_QM_CTX_TAIL_SIG, HISI_QM_CTX_TAIL_SIG);
	assert_int_equal(cqc->w11 & HISI_QM_CTX_TAIL_SIG, HISI_QM_CTX_TAIL_SIG);
	assert_int_equal(cqc->dw6 & HISI_QM_CQC_PHASE, 0);

	/* Write-back puts the same into the arrays, of queues that have a context. */
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, td_iova(&td, eqc), true), 0);
	memset(td.arena + (bt - TD_IOVA) + 32, 0x5a, 32);
	memset(td.arena + (bt - TD_IOVA) + 32 * 5, 0x5a, 32);
	assert_int_equal(td_rd(&td, HISI_QM_CACHE_WB_DONE), 0);
	td_wr(&td, HISI_QM_CACHE_WB_START, 2);
	assert_int_equal(td_rd(&td, HISI_QM_CACHE_WB_DONE), 0);
	td_wr(&td, HISI_QM_CACHE_WB_START, 1);
	assert_int_equal(td_rd(&td, HISI_QM_CACHE_WB_DONE), 1);
	sqcs = (const void *)(td.arena + (bt - TD_IOVA));
	assert_memory_equal(&sqcs[2], sqc, sizeof(*sqc));
	assert_memory_equal(&sqcs[4 + 2], cqc, sizeof(*cqc));
	assert_int_equal(sqcs[1].dw3, 0x5a5a5a5a);
	assert_int_equal(sqcs[5].dw3, 0x5a5a5a5a);
	assert_int_equal(sqcs[0].dw3, 0);
	assert_int_equal(sqcs[3].dw3, 0);
}

/* A no-op request in the next slot. */
static void
push_noop(struct tq *q)
{
	tq_slot(q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
	tq_push(q);
}

static void
doorbells_are_validated(void **state)
{
	const uint64_t good = hisi_qm_db(1, HISI_QM_DB_SQ, TD_RAND, 1, 0);
	const uint64_t bad[] = {
		hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, 1, 0),     /* queue not started */
		hisi_qm_db(1, HISI_QM_DB_SQ, TD_RAND + 1, 1, 0), /* random data */
		hisi_qm_db(1, HISI_QM_DB_SQ, TD_RAND, 8, 0),     /* index is the depth */
		hisi_qm_db(1, HISI_QM_DB_SQ, TD_RAND, 0xffff, 0),
		hisi_qm_db(1, HISI_QM_DB_AEQ, TD_RAND, 1, 0),    /* command */
		hisi_qm_db(99, HISI_QM_DB_SQ, TD_RAND, 1, 0),    /* no such queue */
		good | 1ull << 10,                               /* reserved bits */
		good | 1ull << 11,
	};
	const size_t n_bad = sizeof(bad) / sizeof(bad[0]);
	struct hisi_qm_shadow *db;
	struct tq q;

	(void)state;
	tq_start(&q, &td, 1, HISI_ZIP_QC_COMPRESS, 8);
	db = qm_dev_doorbell(td.dev, 1);
	assert_null(qm_dev_doorbell(td.dev, 4));
	push_noop(&q);

	for (size_t i = 0; i < n_bad; i++) {
		qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, bad[i]);
		assert_int_equal(qm_dev_poll(td.dev, 1, 100), 0);
		assert_int_equal(td_stats(&td).doorbells_dropped, i + 1);
	}
	/* In memory; the queue not started and no such queue have other words. */
	for (size_t i = 0; i < n_bad; i++) {
		__atomic_store_n(&db->sq, bad[i], __ATOMIC_RELEASE);
		assert_int_equal(qm_dev_poll(td.dev, 1, 100), 0);
		assert_int_equal(qm_dev_poll(td.dev, 1, 100), 0);
		assert_int_equal(td_stats(&td).doorbells_dropped, n_bad + i + 1);
	}
	/* A kick in memory is no tail either. */
	__atomic_store_n(&db->sq, hisi_qm_db(1, HISI_QM_DB_SQ, TD_RAND, 1, 1), __ATOMIC_RELEASE);
	assert_int_equal(qm_dev_poll(td.dev, 1, 100), 0);
	/* A half doorbell is none; the migration's kick is valid and no tail. */
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 4, good);
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(1, HISI_QM_DB_SQ, TD_RAND, 0, 1));
	assert_int_equal(qm_dev_poll(td.dev, 1, 100), 0);
	assert_int_equal(td_stats(&td).doorbells_dropped, 2 * n_bad);

	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, good);
	assert_int_equal(qm_dev_poll(td.dev, 1, 100), 1);
	assert_non_null(tq_pop(&q));
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(1, HISI_QM_DB_CQ, TD_RAND, 1, 0));
	assert_int_equal(td_stats(&td).doorbells_dropped, 2 * n_bad);
	/* No such queue to poll. */
	assert_int_equal(qm_dev_poll(td.dev, 4, 100), 0);
	assert_int_equal(qm_dev_poll(td.dev, 0, 100), 0);
}

static void
stale_doorbell_after_restart(void **state)
{
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	for (int round = 0; round < 3; round++) {
		/* The very value that was rung last before the restart must count again. */
		for (int i = 0; i < 3; i++)
			push_noop(&q);
		tq_ring(&q);
		assert_int_equal(qm_dev_poll(td.dev, 0, 100), 3);
		assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
		assert_int_equal(td_stats(&td).queues_live, 0);
		assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
		assert_int_equal(td_stats(&td).queues_live, 1);
		assert_int_equal(qm_dev_poll(td.dev, 0, 100), 0);
	}
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
}

static void
v2_has_no_stop(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct td v2;

	(void)state;
	conf.revision = HISI_QM_REV_V2;
	td_open(&v2, &conf, ARENA);
	assert_int_equal(td_mb(&v2, HISI_QM_MB_SQC_VFT, 0, 0, true), 0);
	assert_int_equal(td_mb(&v2, HISI_QM_MB_STOP_QP, 0, 0, false), QM_DEV_MB_BAD_CMD);
	assert_int_equal(td_mb(&v2, HISI_QM_MB_FLUSH_QM, 0, 0, false), QM_DEV_MB_BAD_CMD);
	assert_int_equal(td_mb(&v2, HISI_QM_MB_SRC, 0, 0, false), QM_DEV_MB_BAD_CMD);
	assert_int_equal(td_mb(&v2, HISI_QM_MB_DST, 0, 0, true), QM_DEV_MB_BAD_CMD);
	assert_int_equal(td_mb(&v2, HISI_QM_MB_CQC_BT, 0, 0, true), 0);
	td_close(&v2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_is_checked), cmocka_unit_test(conf_up_to_its_bounds),
		cmocka_unit_test(spawn_error_is_passed_on),
		cmocka_unit_test(plain_silicon_shows_no_extension),
		T(reset_values), T(storage), T(mailbox_in_pieces), T(mailbox_refusals),
		T(sqc_fields_are_checked), T(heads_inside_the_ring),
		T(contexts_read_back), T(doorbells_are_validated),
		T(stale_doorbell_after_restart),
		cmocka_unit_test(v2_has_no_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
