/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Rings: wrap, phase, order, overflow, stop and start. */

#include "test_qm_dev_util.h"

#include <string.h>

#define ARENA (32u << 20)

static struct td td;

static int
setup(void **state)
{
	return td_setup(state, &td, ARENA);
}

/* A copy of 8 bytes that carries its number. */
static void
push_copy(struct tq *q, uint64_t *src, uint64_t *dst, uint32_t tag)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, HISI_ZIP_REQ_EXT_COPY);

	sqe->dw10 = HISI_ZIP_EXT_VALID;
	sqe->tag_l = tag;
	hisi_zip_sqe_src(sqe, td_iova(&td, src), sizeof(*src));
	hisi_zip_sqe_dst(sqe, td_iova(&td, dst), sizeof(*dst));
	*src = tag | 0xa500000000ull;
	*dst = 0;
	tq_push(q);
}

static void
many_wraps(void **state)
{
	static const uint16_t depths[] = { 2, 3, 7, 16, 1000, HISI_QM_DEPTH_MAX };

	(void)state;
	for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++) {
		uint16_t depth = depths[d];
		uint64_t *src, *dst;
		uint32_t sent = 0, got = 0, seed = depth, goal = depth * 7u + 100;
		struct tq q;

		td.used = 0;
		tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, depth);
		src = td_alloc(&td, depth * sizeof(*src), 64);
		dst = td_alloc(&td, depth * sizeof(*dst), 64);
		while (got < goal) {
			uint32_t room = depth - 1u - (sent - got), n = rnd(&seed) % (room + 1);

			for (; n != 0; n--, sent++)
				push_copy(&q, &src[sent % depth], &dst[sent % depth], sent);
			tq_ring(&q);
			qm_dev_poll(td.dev, 0, rnd(&seed) % (sent - got + 2));
			for (n = rnd(&seed) % (sent - got + 1); n != 0; n--, got++) {
				const struct hisi_zip_sqe *sqe = tq_pop(&q);

				assert_non_null(sqe);
				assert_int_equal(sqe->tag_l, got);
				assert_int_equal(sqe->dw3, HISI_ZIP_OK);
				assert_true(dst[got % depth] == (got | 0xa500000000ull));
			}
		}
		assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	}
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
	assert_int_equal(td_stats(&td).errors, 0);
}

static void
poll_keeps_to_its_budget(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 128);
	for (uint32_t i = 0; i < 100; i++)
		push_copy(&q, &mem[0], &mem[1], i);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 0), 0);
	assert_int_equal(qm_dev_poll(td.dev, 0, 1), 1);
	assert_int_equal(qm_dev_poll(td.dev, 0, 17), 17);
	assert_int_equal(qm_dev_poll(td.dev, 0, 1000), 82);
	assert_int_equal(qm_dev_poll(td.dev, 0, 1000), 0);
	assert_int_equal(td_stats(&td).requests, 100);
	assert_int_equal(td_stats(&td).bytes_in, 800);
	assert_int_equal(td_stats(&td).bytes_out, 800);
}

/* The second cache line of an SQE is left alone when none of its words change. */
static void
only_result_words_are_written(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct hisi_zip_sqe before, *sqe;
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 4);
	sqe = tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);
	memset(sqe, 0xee, sizeof(*sqe));
	sqe->dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT |
		HISI_ZIP_DW7_FINISH | HISI_ZIP_DW7_STREAM_NEW; /* ignored stateless */
	sqe->dw9 = HISI_ZIP_REQ_EXT_COPY;
	sqe->dw10 = HISI_ZIP_EXT_VALID;
	hisi_zip_sqe_src(sqe, td_iova(&td, mem), 8);
	hisi_zip_sqe_dst(sqe, td_iova(&td, mem + 1), 8);
	before = *sqe;
	tq_do(&q);
	before.consumed = before.produced = 8;
	before.comp_data_length = 0;
	before.dw3 = HISI_ZIP_OK;
	before.ctx_dw0 = 0;
	assert_memory_equal(sqe, &before, sizeof(before));
}

static void
cq_overflow_stops_the_queue(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct qm_dev_queue_stats qs;
	struct tq q, other;
	uint32_t sent = 0;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	tq_start(&other, &td, 1, HISI_ZIP_QC_COMPRESS, 8);
	/* 8 CQEs fit; nobody gives one back. */
	for (; sent < 8; sent++) {
		push_copy(&q, &mem[0], &mem[1], sent);
		tq_ring(&q);
		assert_int_equal(qm_dev_poll(td.dev, 0, 10), 1);
	}
	assert_int_equal(td_stats(&td).queues_live, 2);
	for (uint32_t i = 0; i < 3; i++)
		push_copy(&q, &mem[0], &mem[1], sent);
	tq_ring(&q);
	qm_dev_poll(td.dev, 0, 1);
	assert_int_equal(td_stats(&td).queues_live, 1);
	/* What waited behind it is forgotten. */
	assert_int_equal(qm_dev_queue_stats_get(td.dev, 0, &qs), 0);
	assert_int_equal(qs.waiting, 0);
	assert_int_equal(qs.inflight, 0);
	assert_int_equal(qs.requests, 9);
	/* The last CQE was not overwritten: its phase is the first pass's. */
	for (int i = 0; i < 8; i++)
		assert_int_equal(q.cq[i].w7 & HISI_QM_CQE_PHASE, 1);
	push_copy(&q, &mem[0], &mem[1], sent + 1);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 10), 0);
	/* Neither the other queue nor a stop hangs; a restart heals. */
	push_copy(&other, &mem[2], &mem[3], 5);
	tq_ring(&other);
	assert_non_null(tq_pop(&other));
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	push_copy(&q, &mem[0], &mem[1], 1);
	tq_ring(&q);
	assert_non_null(tq_pop(&q));
}

/* Giving back CQEs that were never written is no way to make room. */
static void
cq_doorbell_cannot_overtake(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	for (uint32_t i = 0; i < 4; i++)
		push_copy(&q, &mem[0], &mem[1], i);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 4), 4);
	__atomic_store_n(&q.db->cq, hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 7, 0), __ATOMIC_RELEASE);
	push_copy(&q, &mem[0], &mem[1], 4);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 4), 1);
	assert_int_equal(td_stats(&td).doorbells_dropped, 1);
	/* Not even one; and what was dropped is not looked at twice. */
	__atomic_store_n(&q.db->cq, hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 6, 0), __ATOMIC_RELEASE);
	push_copy(&q, &mem[0], &mem[1], 5);
	push_copy(&q, &mem[0], &mem[1], 6);
	push_copy(&q, &mem[0], &mem[1], 7);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 4), 3);
	assert_int_equal(td_stats(&td).doorbells_dropped, 2);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(tq_pop(&q)->tag_l, i);
}

/* A CQ doorbell in memory that is none is counted, each once, and gives nothing back. */
static void
cq_doorbells_in_memory_are_validated(void **state)
{
	const uint64_t good = hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 1, 0);
	const uint64_t bad[] = {
		hisi_qm_db(1, HISI_QM_DB_CQ, TD_RAND, 1, 0),     /* another queue */
		hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, 1, 0),     /* command */
		hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND + 1, 1, 0), /* random data */
		hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 8, 0),     /* index is the depth */
		hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 4, 0),     /* more than it got */
		good | 1ull << 10,                               /* reserved bits */
	};
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct hisi_qm_cqc *cqc = td_alloc(&td, sizeof(*cqc), 32);
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	for (uint32_t i = 0; i < 3; i++)
		push_copy(&q, &mem[0], &mem[1], i);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 4), 3);
	for (unsigned int i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		bool is_bad = i < sizeof(bad) / sizeof(bad[0]);

		__atomic_store_n(&q.db->cq, is_bad ? bad[i] : good, __ATOMIC_RELEASE);
		/* A read of the context looks at the word; the second time it is no news. */
		for (int twice = 0; twice < 2; twice++)
			assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0, td_iova(&td, cqc), true),
					0);
		assert_int_equal(cqc->head, is_bad ? 0 : 1);
		assert_int_equal(cqc->tail, 3);
		assert_int_equal(td_stats(&td).doorbells_dropped, is_bad ? i + 1 : i);
	}
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(tq_pop(&q)->tag_l, i);
}

static void
stop_executes_what_was_rung(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 64);
	for (uint32_t i = 0; i < 50; i++)
		push_copy(&q, &mem[i], &mem[100 + i], i);
	tq_ring(&q);
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	for (uint32_t i = 0; i < 50; i++) {
		const struct hisi_qm_cqe *cqe = &q.cq[i];

		assert_int_equal(cqe->w7 & HISI_QM_CQE_PHASE, 1);
		assert_true(mem[100 + i] == (i | 0xa500000000ull));
	}
	/* Stopped: doorbells are dropped. */
	push_copy(&q, &mem[0], &mem[1], 50);
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 10), 0);
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, 1, 0));
	assert_int_equal(td_stats(&td).doorbells_dropped, 1);
	assert_int_equal(td_stats(&td).requests, 50);
}

static void
flush_drains_and_goes_on(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct tq q[2];

	(void)state;
	for (uint16_t i = 0; i < 2; i++) {
		tq_start(&q[i], &td, i, HISI_ZIP_QC_COMPRESS, 64);
		for (uint32_t k = 0; k < 20; k++)
			push_copy(&q[i], &mem[k], &mem[100 + k], k);
		tq_ring(&q[i]);
	}
	assert_int_equal(td_mb(&td, HISI_QM_MB_FLUSH_QM, 0, 0, false), 0);
	assert_int_equal(td_stats(&td).requests, 40);
	assert_int_equal(td_stats(&td).queues_live, 2);
	for (uint32_t k = 0; k < 20; k++)
		assert_int_equal(tq_pop(&q[0])->tag_l, k);
	push_copy(&q[0], &mem[0], &mem[1], 7);
	tq_ring(&q[0]);
	assert_int_equal(tq_pop(&q[0])->tag_l, 7);
}

static void
start_stop_3000_times(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct tq q;

	(void)state;
	tq_start(&q, &td, 3, HISI_ZIP_QC_COMPRESS, 16);
	for (uint32_t i = 0; i < 3000; i++) {
		push_copy(&q, &mem[0], &mem[1], i);
		tq_ring(&q);
		assert_int_equal(tq_pop(&q)->tag_l, i);
		/* Set up again with and without a stop before. */
		if (i % 2 == 0)
			assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 3, 0, false), 0);
		assert_int_equal(tq_restart(&q, i % 3 == 0 ? HISI_ZIP_QC_DECOMPRESS :
				HISI_ZIP_QC_COMPRESS), 0);
	}
	assert_int_equal(td_stats(&td).queues_live, 1);
}

/* All words of a context are kept for who reads it, but for those that the device keeps itself. */
static void
contexts_are_kept(void **state)
{
	const uint16_t sigs = HISI_QM_CTX_HEAD_SIG | HISI_QM_CTX_TAIL_SIG;
	struct hisi_qm_sqc *sqc = td_alloc(&td, sizeof(*sqc), 32), sqc_want;
	struct hisi_qm_cqc *cqc = td_alloc(&td, sizeof(*cqc), 32), cqc_want;
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct tq q;

	(void)state;
	tq_start(&q, &td, 2, HISI_ZIP_QC_DECOMPRESS, 8);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 2, 0, false), 0);
		*sqc = sqc_want = (struct hisi_qm_sqc){ .head = 3, .tail = 3,
			.base_l = (uint32_t)td_iova(&td, q.sq),
			.base_h = (uint32_t)(td_iova(&td, q.sq) >> 32),
			.dw3 = 7 | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT,
			.w8 = TD_RAND, .rsvd0 = 0x1111, .pasid = 0x2222,
			.w11 = i == 0 ? 0 : UINT16_MAX, .cq_num = 2,
			.w13 = HISI_QM_SQC_ORDER | 1 << HISI_QM_SQC_TYPE_SHIFT,
			.rsvd1 = 0x33333333,
		};
		*cqc = cqc_want = (struct hisi_qm_cqc){ .head = 3, .tail = 3,
			.base_l = (uint32_t)td_iova(&td, q.cq),
			.base_h = (uint32_t)(td_iova(&td, q.cq) >> 32),
			.dw3 = 7 | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT,
			.w8 = TD_RAND, .rsvd0 = 0x4444, .pasid = 0x5555,
			.w11 = i == 0 ? 0 : UINT16_MAX,
			.dw6 = i == 0 ? HISI_QM_CQC_PHASE : ~HISI_QM_CQC_C_FLAG,
			.rsvd1 = 0x66666666,
		};
		/* The one is as it was given until the other comes. */
		assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 2, td_iova(&td, sqc), false), 0);
		assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 2, td_iova(&td, sqc), true), 0);
		assert_memory_equal(sqc, &sqc_want, sizeof(*sqc));
		assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 2, td_iova(&td, cqc), false), 0);
		q.head = q.tail = 3;
		q.phase = 1;
		q.cq[3].w7 = 0;
		/* Before any request, and when both rings have wrapped. */
		for (uint32_t n = 0; n < 2; n++) {
			sqc_want.w11 = (uint16_t)((sqc_want.w11 & ~sigs) | (n == 0 ? 0 : sigs));
			cqc_want.w11 = (uint16_t)((cqc_want.w11 & ~sigs) | (n == 0 ? 0 : sigs));
			if (n != 0)
				cqc_want.dw6 &= ~HISI_QM_CQC_PHASE;
			assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 2, td_iova(&td, sqc), true), 0);
			assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 2, td_iova(&td, cqc), true), 0);
			assert_memory_equal(sqc, &sqc_want, sizeof(*sqc));
			assert_memory_equal(cqc, &cqc_want, sizeof(*cqc));
			for (uint32_t j = 0; n == 0 && j < 6; j++) {
				push_copy(&q, &mem[0], &mem[1], j);
				tq_ring(&q);
				assert_int_equal(tq_pop(&q)->tag_l, j);
			}
			sqc_want.head = sqc_want.tail = cqc_want.head = cqc_want.tail = 1;
		}
	}
}

/* Set up anew, a queue is as new: what it was in the midst of is forgotten. */
static void
a_restart_forgets(void **state)
{
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct hisi_qm_sqc *sqc = td_alloc(&td, sizeof(*sqc), 32);
	struct hisi_qm_cqc *cqc = td_alloc(&td, sizeof(*cqc), 32);
	const uint16_t sigs = HISI_QM_CTX_HEAD_SIG | HISI_QM_CTX_TAIL_SIG;
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 4);
	for (int round = 0; round < 2; round++) {
		/* Once round, then some CQEs that are not given back, and requests that wait. */
		for (uint32_t i = 0; i < 5; i++) {
			push_copy(&q, &mem[0], &mem[1], i);
			tq_ring(&q);
			assert_int_equal(tq_pop(&q)->tag_l, i);
		}
		for (uint32_t i = 0; i < 3; i++)
			push_copy(&q, &mem[0], &mem[1], i);
		tq_ring(&q);
		assert_int_equal(qm_dev_poll(td.dev, 0, 2), 2);
		assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 0, td_iova(&td, sqc), true), 0);
		assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0, td_iova(&td, cqc), true), 0);
		assert_int_equal(sqc->w11 & sigs, HISI_QM_CTX_HEAD_SIG);
		assert_int_equal(sqc->head, 3);
		assert_int_equal(sqc->tail, 0);
		assert_int_equal(cqc->w11 & sigs, sigs);
		assert_int_equal(cqc->head, 1);
		assert_int_equal(cqc->tail, 3);
		assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
		assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 0, td_iova(&td, sqc), true), 0);
		assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0, td_iova(&td, cqc), true), 0);
		assert_int_equal((sqc->w11 | cqc->w11) & sigs, 0);
		assert_int_equal(sqc->head | sqc->tail | cqc->head | cqc->tail, 0);
		assert_int_equal(cqc->dw6, HISI_QM_CQC_PHASE);
		assert_int_equal(qm_dev_poll(td.dev, 0, 10), 0);
	}
	/* All of its CQ is free. */
	for (uint32_t i = 0; i < 4; i++) {
		push_copy(&q, &mem[0], &mem[1], i);
		tq_ring(&q);
		assert_int_equal(qm_dev_poll(td.dev, 0, 1), 1);
	}
	assert_int_equal(td_stats(&td).queues_live, 1);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(tq_pop(&q)->tag_l, i);
	assert_int_equal(td_stats(&td).doorbells_dropped, 0);
}

static void
rings_outside_the_map(void **state)
{
	const uint64_t end = TD_IOVA + ARENA;
	uint64_t *mem = td_alloc(&td, 4096, 64);
	struct tq q, good;

	(void)state;
	tq_start(&good, &td, 1, HISI_ZIP_QC_COMPRESS, 8);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	/* The map ends behind the second slot. */
	q.sq = (void *)(td.arena + ARENA - 2 * sizeof(struct hisi_zip_sqe));
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	push_copy(&q, &mem[0], &mem[1], 0);
	push_copy(&q, &mem[2], &mem[3], 1);
	q.tail = 4;
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 10), 2);
	assert_int_equal(td_stats(&td).queues_live, 1);
	/* A CQ whose second entry is behind the end. */
	q.sq = td_alloc(&td, 8 * sizeof(*q.sq), 128);
	assert_int_equal(tq_set(&q, HISI_ZIP_QC_COMPRESS, td_iova(&td, q.sq), end - 32), 0);
	assert_int_equal(td_stats(&td).queues_live, 2);
	for (uint32_t i = 0; i < 3; i++)
		push_copy(&q, &mem[0], &mem[1], i);
	tq_ring(&q);
	qm_dev_poll(td.dev, 0, 10);
	assert_int_equal(td_stats(&td).queues_live, 1);
	/* Wholly outside, and at the end of all addresses. */
	assert_int_equal(tq_set(&q, HISI_ZIP_QC_COMPRESS, 0, 0), 0);
	q.tail = 4;
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 10), 0);
	assert_int_equal(td_stats(&td).queues_live, 1);
	assert_int_equal(tq_set(&q, HISI_ZIP_QC_COMPRESS, UINT64_MAX - 8 * 128 - 127, end), 0);
	q.tail = 4;
	tq_ring(&q);
	assert_int_equal(qm_dev_poll(td.dev, 0, 10), 0);
	assert_int_equal(td_stats(&td).queues_live, 1);

	push_copy(&good, &mem[4], &mem[5], 9);
	tq_ring(&good);
	assert_int_equal(tq_pop(&good)->tag_l, 9);
}

/* A live queue that gets one new context waits for the other. */
static void
one_context_is_not_enough(void **state)
{
	struct hisi_qm_cqc *cqc = td_alloc(&td, sizeof(*cqc), 32);
	struct tq q;

	(void)state;
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	assert_int_equal(td_stats(&td).queues_live, 1);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0, td_iova(&td, cqc), true), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, 0, td_iova(&td, cqc), false), 0);
	assert_int_equal(td_stats(&td).queues_live, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(many_wraps), T(poll_keeps_to_its_budget), T(only_result_words_are_written),
		T(cq_overflow_stops_the_queue), T(cq_doorbell_cannot_overtake),
		T(cq_doorbells_in_memory_are_validated),
		T(stop_executes_what_was_rung), T(flush_drains_and_goes_on),
		T(start_stop_3000_times), T(contexts_are_kept), T(a_restart_forgets),
		T(rings_outside_the_map),
		T(one_context_is_not_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
