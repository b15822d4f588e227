/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Reset of the function: nothing is left, nothing is touched, and the next user works. */

#include "test_qm_dev_util.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ARENA    (72u << 20)
#define BIG      (256u << 10)
#define BURST    50u
#define EQ_DEPTH 16u

static struct td td;

static void
open_workers(unsigned int workers)
{
	struct qm_dev_conf conf = td_conf(workers);

	td_open(&td, &conf, ARENA);
}

static uint32_t
rd(uint32_t off)
{
	return (uint32_t)qm_dev_read(td.dev, off, 4);
}

static struct qm_dev_stats
stats(void)
{
	struct qm_dev_stats s;

	qm_dev_stats_get(td.dev, &s);
	return s;
}

static void
push_copy(struct tq *q, const void *src, void *dst, uint32_t len)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, HISI_ZIP_REQ_EXT_COPY);

	sqe->dw10 = HISI_ZIP_EXT_VALID;
	hisi_zip_sqe_src(sqe, td_iova(&td, src), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, dst), len);
	tq_push(q);
}

/* Every context reads 0 and every register as after power-on. */
static void
check_power_on(void)
{
	uint32_t *image = td_alloc(&td, 32, 32);
	struct qm_dev *fresh;
	struct qm_dev_conf conf = td_conf(0);

	assert_int_equal(qm_dev_create(&conf, &fresh), 0);
	for (uint32_t off = 0; off < HISI_QM_BAR2_SIZE; off += 4)
		if (rd(off) != (uint32_t)qm_dev_read(fresh, off, 4))
			fail_msg("register 0x%x is 0x%x after a reset", off, rd(off));
	qm_dev_destroy(fresh);
	for (uint16_t qn = 0; qn < 4; qn++)
		for (int cmd = HISI_QM_MB_SQC; cmd <= HISI_QM_MB_AEQC; cmd++) {
			memset(image, 0, 32);
			assert_int_equal(td_mb(&td, (enum hisi_qm_mb_cmd)cmd, qn,
					td_iova(&td, image), true), 0);
			for (int i = 0; i < 8; i++)
				assert_int_equal(image[i], 0);
		}
	for (int cmd = HISI_QM_MB_SQC_BT; cmd <= HISI_QM_MB_CQC_BT; cmd++) {
		assert_int_equal(td_mb(&td, (enum hisi_qm_mb_cmd)cmd, 0, 0, true), 0);
		assert_int_equal(rd(HISI_QM_MAILBOX + 4), 0);
		assert_int_equal(rd(HISI_QM_MAILBOX + 8), 0);
	}
	assert_int_equal(stats().queues_live, 0);
	assert_int_equal(stats().contexts, 0);
}

static void
all_state_is_gone(void **state)
{
	uint8_t *src, *dst;
	uint32_t *ring;
	struct hisi_zip_sqe *sqe;
	struct tq c, d;

	(void)state;
	open_workers(0);
	src = td_alloc(&td, 4096, 64);
	dst = td_alloc(&td, 8192, 64);
	ring = td_alloc(&td, 2 * EQ_DEPTH * sizeof(*ring), 64);
	fill_text(src, 4096, 1);
	for (int round = 0; round < 3; round++) {
		uint64_t at = td_iova(&td, ring);

		memset(ring, 0, 2 * EQ_DEPTH * sizeof(*ring));
		for (int i = 0; i < 2; i++) {
			assert_int_equal(td_set_eq(&td, (enum qm_dev_irq)i,
				at + (uint64_t)i * EQ_DEPTH * sizeof(*ring), EQ_DEPTH), 0);
		}
		td_mb(&td, HISI_QM_MB_SQC_BT, 0, at, false);
		td_mb(&td, HISI_QM_MB_CQC_BT, 0, at, false);
		qm_dev_write(td.dev, HISI_QM_EQ_INT_MASK, 4, 0);
		qm_dev_write(td.dev, HISI_QM_AEQ_INT_MASK, 4, 0);
		qm_dev_write(td.dev, HISI_QM_IFC_INT_MASK, 4, 0);
		qm_dev_write(td.dev, HISI_QM_PAGE_SIZE, 4, 2);
		qm_dev_write(td.dev, HISI_QM_VF_STATE, 4, 1);
		qm_dev_write(td.dev, HISI_QM_CACHE_WB_START, 4, 1);
		tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
		tq_start(&d, &td, 3, HISI_ZIP_QC_DECOMPRESS, 8);
		c.armed = true;
		assert_int_equal(tq_restart(&c, HISI_ZIP_QC_COMPRESS), 0);

		/* A stream in its midst, an event that nobody took, requests that wait. */
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
		sqe->dw7 |= HISI_ZIP_DW7_STREAM | HISI_ZIP_DW7_STREAM_NEW;
		hisi_zip_sqe_ctx(sqe, td_iova(&td, dst));
		hisi_zip_sqe_src(sqe, td_iova(&td, src), 4096);
		hisi_zip_sqe_dst(sqe, td_iova(&td, dst), 8192);
		assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_OK);
		assert_int_equal(stats().contexts, 1);
		assert_int_not_equal(rd(HISI_QM_EQ_INT_SOURCE), 0);
		push_copy(&d, src, dst, 16);
		push_copy(&d, src, dst, 16);
		tq_ring(&d);

		qm_dev_reset(td.dev);
		check_power_on();
		assert_int_equal(qm_dev_poll(td.dev, 3, 8), 0);
		assert_int_equal(d.cq[0].w7, 0);
		assert_int_equal(stats().resets, 2 * round + 1);

		/* The next user: the stream's name means nothing any more. */
		tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
		sqe->dw7 |= HISI_ZIP_DW7_STREAM | HISI_ZIP_DW7_FINISH;
		hisi_zip_sqe_ctx(sqe, td_iova(&td, dst));
		hisi_zip_sqe_src(sqe, td_iova(&td, src), 4096);
		hisi_zip_sqe_dst(sqe, td_iova(&td, dst), 8192);
		assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_STREAM);
		memset(dst, 0, 16);
		push_copy(&c, src, dst, 16);
		tq_ring(&c);
		assert_int_equal(tq_pop(&c)->dw3, HISI_ZIP_OK);
		assert_memory_equal(src, dst, 16);
		qm_dev_reset(td.dev);
	}
	td_close(&td);
}

/* In the midst of a burst; afterwards a touch of the memory would be the end of the test. */
static void
memory_is_not_touched_afterwards(void **state)
{
	static const struct timespec moment = { .tv_nsec = 2000000 };
	uint8_t *src, *dst;
	struct tq q[4];

	(void)state;
	open_workers(2);
	src = td_alloc(&td, BIG, 64);
	dst = td_alloc(&td, 4 * BURST * BIG, 64); /* workers must not share it */
	fill_noise(src, BIG, 1);
	for (uint16_t i = 0; i < 4; i++)
		tq_start(&q[i], &td, i, i % 2 == 0 ? HISI_ZIP_QC_COMPRESS :
				HISI_ZIP_QC_DECOMPRESS, 64);
	for (int round = 0; round < 20; round++) {
		for (uint16_t i = 0; i < 4; i++) {
			for (uint32_t k = 0; k < BURST; k++)
				push_copy(&q[i], src, dst + (i * BURST + k) * BIG, BIG);
			tq_ring(&q[i]);
		}
		nanosleep(&moment, NULL);
		qm_dev_reset(td.dev);
		assert_int_equal(mprotect(td.arena, td.size, PROT_NONE), 0);
		nanosleep(&moment, NULL);
		assert_int_equal(mprotect(td.arena, td.size, PROT_READ | PROT_WRITE), 0);
		for (uint16_t i = 0; i < 4; i++) {
			uint64_t one = rnd(&(uint32_t){ (uint32_t)round * 4u + i + 1 });

			assert_int_equal(tq_restart(&q[i], HISI_ZIP_QC_COMPRESS), 0);
			memcpy(src, &one, sizeof(one));
			push_copy(&q[i], src, dst, sizeof(one));
			tq_ring(&q[i]);
			assert_int_equal(tq_pop(&q[i])->dw3, HISI_ZIP_OK);
			assert_memory_equal(src, dst, sizeof(one));
			assert_int_equal(tq_restart(&q[i], HISI_ZIP_QC_COMPRESS), 0);
		}
	}
	td_close(&td);
}

static _Atomic bool stop;

static void *
hammer(void *arg)
{
	struct hisi_qm_shadow *db = qm_dev_doorbell(td.dev, 0);
	uint32_t seed = 1;

	(void)arg;
	while (!atomic_load(&stop)) {
		uint16_t index = (uint16_t)(rnd(&seed) % 64);

		__atomic_store_n(&db->sq, hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, index, 0),
				__ATOMIC_RELEASE);
		qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(0, HISI_QM_DB_CQ,
				TD_RAND, index, rnd(&seed) % 2));
		qm_dev_write(td.dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, HISI_QM_DB_EQ,
				0, index % EQ_DEPTH, 0));
		qm_dev_read(td.dev, HISI_QM_EQ_INT_SOURCE, 4);
		/*
		 * Without a lock in hand: valgrind runs one thread at a time, and where its slices
		 * ended, the others found a lock taken for minutes.
		 */
		if (index == 0)
			sched_yield();
	}
	return NULL;
}

/* A driver that does not know of the reset and goes on ringing. */
static void
reset_under_doorbells(void **state)
{
	uint32_t *ring;
	pthread_t thread;
	struct tq q;

	(void)state;
	open_workers(2);
	ring = td_alloc(&td, EQ_DEPTH * sizeof(*ring), 64);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 64);
	q.armed = true;
	for (int i = 0; i < 64; i++)
		push_copy(&q, ring, ring, 0);
	/* Every round sets the queue up; until then nobody may be working on it. */
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, hammer, NULL), 0);
	for (int round = 0; round < 300; round++) {
		assert_int_equal(td_set_eq(&td, QM_DEV_IRQ_EQ, td_iova(&td, ring), EQ_DEPTH), 0);
		assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
		if (round % 3 == 0)
			assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
		qm_dev_reset(td.dev);
		assert_int_equal(stats().queues_live, 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(stats().resets, 300);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_state_is_gone),
		cmocka_unit_test(memory_is_not_touched_afterwards),
		cmocka_unit_test(reset_under_doorbells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
