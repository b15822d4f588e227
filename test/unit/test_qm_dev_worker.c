/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Worker threads: order, fairness, stop and unmap under load. */

#include "test_qm_dev_util.h"

#include <pthread.h>
#include <string.h>

#define ARENA (64u << 20)
#define DEPTH 128

/* One queue under load by one thread, and what it has done. */
struct load {
	struct td *td;
	struct tq q;
	uint32_t len;       /* bytes of a request */
	uint32_t window;    /* requests in flight */
	uint32_t goal;      /* requests in all */
	uint32_t done;
	uint32_t bad;
	uint8_t *src, *dst;
};

static void
load_init(struct load *l, struct td *td, uint16_t qn, uint32_t len, uint32_t window, uint32_t goal)
{
	*l = (struct load){ .td = td, .len = len, .window = window, .goal = goal };
	tq_start(&l->q, td, qn, HISI_ZIP_QC_COMPRESS, DEPTH);
	l->src = td_alloc(td, (size_t)DEPTH * len, 64);
	l->dst = td_alloc(td, (size_t)DEPTH * len, 64);
	fill_text(l->src, (size_t)DEPTH * len, qn + 1u);
}

/* cmocka's asserts are for the main thread: threads count what is wrong instead. */
static void *
load_run(void *arg)
{
	struct load *l = arg;
	uint32_t sent = 0, got = 0;

	while (got < l->goal) {
		const struct hisi_zip_sqe *done;
		bool rung = false;

		while (sent - got < l->window && sent < l->goal) {
			uint16_t slot = l->q.tail;
			struct hisi_zip_sqe *sqe = tq_slot(&l->q, HISI_ZIP_REQ_EXT_COPY);

			sqe->dw10 = HISI_ZIP_EXT_VALID;
			sqe->tag_l = sent++;
			hisi_zip_sqe_src(sqe, td_iova(l->td, l->src + (size_t)slot * l->len),
					l->len);
			hisi_zip_sqe_dst(sqe, td_iova(l->td, l->dst + (size_t)slot * l->len),
					l->len);
			tq_push(&l->q);
			rung = true;
		}
		if (rung)
			tq_ring(&l->q);
		done = tq_pop(&l->q);
		if (done == NULL) {
			l->bad++;
			break;
		}
		/* In order, each once, and the right bytes in the right place. */
		if (done->tag_l != got || done->dw3 != HISI_ZIP_OK || done != &l->q.sq[got % DEPTH])
			l->bad++;
		if (memcmp(l->src + (size_t)(got % DEPTH) * l->len,
				l->dst + (size_t)(got % DEPTH) * l->len, l->len) != 0)
			l->bad++;
		l->done = ++got;
	}
	return NULL;
}

static void
order_with(unsigned int workers, unsigned int queues, uint32_t goal)
{
	struct qm_dev_conf conf = td_conf(workers);
	struct load *l = malloc(queues * sizeof(*l));
	pthread_t t[4];
	struct td td;
	struct qm_dev_stats s;

	td_open(&td, &conf, ARENA);
	for (unsigned int i = 0; i < queues; i++)
		load_init(&l[i], &td, (uint16_t)i, 64u << i, 100, goal);
	for (unsigned int i = 0; i < queues; i++)
		assert_int_equal(pthread_create(&t[i], NULL, load_run, &l[i]), 0);
	for (unsigned int i = 0; i < queues; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(l[i].bad, 0);
		assert_int_equal(l[i].done, goal);
	}
	qm_dev_stats_get(td.dev, &s);
	assert_int_equal(s.requests, queues * goal);
	assert_int_equal(s.errors, 0);
	assert_int_equal(s.doorbells_dropped, 0);
	assert_int_equal(qm_dev_poll(td.dev, 0, 10), 0);
	td_close(&td);
	free(l);
}

static void
order_1_worker(void **state)
{
	(void)state;
	order_with(1, 1, 30000 / TD_SLOW);
	order_with(1, 3, 10000 / TD_SLOW);
}

static void
order_2_workers(void **state)
{
	(void)state;
	order_with(2, 1, 30000 / TD_SLOW);
	order_with(2, 3, 10000 / TD_SLOW);
}

static void
order_4_workers(void **state)
{
	(void)state;
	order_with(4, 1, 30000 / TD_SLOW);
	order_with(4, 3, 10000 / TD_SLOW);
}

/*
 * One worker, two queues with work: they take turns by bytes. Nothing here
 * depends on time: the worker is kept busy by a long request while both queues
 * are filled, and then each request of the small queue copies the counter that
 * the big queue's requests leave behind.
 */
static void
bytes_are_shared(void **state)
{
	enum { BIG = 128u << 10, SMALL = 8u << 10, N_BIG = 60, N_SMALL = 120, LONG = 8u << 20 };
	struct qm_dev_conf conf = td_conf(1);
	struct tq block, big, small;
	struct hisi_zip_sqe *sqe;
	uint8_t *src, *shared, *seen, *text;
	uint32_t first, last;
	struct td td;

	(void)state;
	td_open(&td, &conf, ARENA);
	tq_start(&block, &td, 2, HISI_ZIP_QC_COMPRESS, DEPTH);
	tq_start(&big, &td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
	tq_start(&small, &td, 1, HISI_ZIP_QC_COMPRESS, DEPTH);
	text = td_alloc(&td, LONG, 64);
	src = td_alloc(&td, N_BIG * BIG, 64);
	shared = td_alloc(&td, BIG > LONG ? BIG : LONG, 64);
	seen = td_alloc(&td, N_SMALL * SMALL, 64);
	fill_text(text, LONG, 1);

	for (uint32_t i = 0; i < N_BIG; i++) {
		const uint32_t count = i + 1;

		memcpy(src + i * BIG, &count, sizeof(count));
		sqe = tq_slot(&big, HISI_ZIP_REQ_EXT_COPY);
		hisi_zip_sqe_src(sqe, td_iova(&td, src + i * BIG), BIG);
		hisi_zip_sqe_dst(sqe, td_iova(&td, shared), BIG);
		tq_push(&big);
	}
	for (uint32_t i = 0; i < N_SMALL; i++) {
		sqe = tq_slot(&small, HISI_ZIP_REQ_EXT_COPY);
		hisi_zip_sqe_src(sqe, td_iova(&td, shared), SMALL);
		hisi_zip_sqe_dst(sqe, td_iova(&td, seen + i * SMALL), SMALL);
		tq_push(&small);
	}
	sqe = tq_slot(&block, HISI_ZIP_REQ_DEFLATE);
	sqe->dw10 = ext_level(9);
	hisi_zip_sqe_src(sqe, td_iova(&td, text), LONG);
	hisi_zip_sqe_dst(sqe, td_iova(&td, shared), LONG);
	tq_push(&block);
	tq_ring(&block);
	tq_ring(&big);
	tq_ring(&small);
	assert_non_null(tq_pop(&block));
	for (uint32_t i = 0; i < N_BIG; i++)
		assert_non_null(tq_pop(&big));
	for (uint32_t i = 0; i < N_SMALL; i++)
		assert_non_null(tq_pop(&small));

	memcpy(&first, seen, sizeof(first));
	if (first > N_BIG)
		first = 0; /* still what the long request left there */
	memcpy(&last, seen + (N_SMALL - 1) * SMALL, sizeof(last));
	/* 120 times 8 KiB are 7.5 times 128 KiB; a turn more or less at each end. */
	if (first > 3 || last - first < 5 || last - first > 11)
		fail_msg("big queue's requests before the first small one %u, expected 0 to 3; "
				"until the last one %u, expected 5 to 11", first, last - first);
	td_close(&td);
}

/* STOP_QP while requests are in flight: all that was rung is completed, then silence. */
static void
stop_under_load(void **state)
{
	struct qm_dev_conf conf = td_conf(2);
	struct td td;
	struct tq q, other;
	uint8_t *src, *dst;
	uint32_t seed = 99;

	(void)state;
	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
	tq_start(&other, &td, 1, HISI_ZIP_QC_COMPRESS, DEPTH);
	src = td_alloc(&td, 64 << 10, 64);
	dst = td_alloc(&td, DEPTH * 8192, 64);
	for (uint32_t round = 0; round < 1000 / TD_SLOW; round++) {
		uint32_t n = 1 + rnd(&seed) % (DEPTH - 1), len = 1 + rnd(&seed) % 4096;

		for (uint32_t i = 0; i < n; i++) {
			struct hisi_zip_sqe *sqe = tq_slot(&q, HISI_ZIP_REQ_DEFLATE);

			sqe->dw10 = ext_level(1);
			hisi_zip_sqe_src(sqe, td_iova(&td, src), len);
			hisi_zip_sqe_dst(sqe, td_iova(&td, dst + i * 8192), 8192);
			tq_push(&q);
			if (i % 8 == 0)
				tq_ring(&q);
		}
		tq_ring(&q);
		assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(q.cq[i].w7 & HISI_QM_CQE_PHASE, 1);
		assert_int_equal(q.cq[n].w7 & HISI_QM_CQE_PHASE, 0);
		assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	}
	td_close(&td);
}

/* Set up again without a stop, and destroyed, with requests in flight. */
static void
restart_and_destroy_under_load(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 100 / TD_SLOW + 1; round++) {
		struct qm_dev_conf conf = td_conf(1 + round % 3);
		struct td td;
		struct tq q;
		uint8_t *mem;

		td_open(&td, &conf, ARENA);
		for (int again = 0; again < 5; again++) {
			/* Other rings each time: the device may write to the old ones till then. */
			tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
			mem = td_alloc(&td, (DEPTH + 1) * 8192, 64);
			for (uint32_t i = 0; i < DEPTH - 1; i++) {
				struct hisi_zip_sqe *sqe = tq_slot(&q, HISI_ZIP_REQ_DEFLATE);

				sqe->dw10 = ext_level(6);
				hisi_zip_sqe_src(sqe, td_iova(&td, mem), 2048);
				hisi_zip_sqe_dst(sqe, td_iova(&td, mem + (i + 1) * 8192), 8192);
				tq_push(&q);
			}
			tq_ring(&q);
		}
		td_close(&td); /* unmaps the arena: a late access would crash */
	}
}

/* CQ overflow in one queue leaves another one, and a stop, alone. */
static void
overflow_with_workers(void **state)
{
	struct qm_dev_conf conf = td_conf(2);
	struct qm_dev_stats s;
	static struct load l;
	struct td td;
	struct tq q;

	(void)state;
	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	load_init(&l, &td, 1, 64, 50, 2000);
	for (int i = 0; i < 8; i++) {
		tq_slot(&q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
		tq_push(&q);
	}
	do { /* the same requests again and again, never a CQ doorbell */
		q.tail = (uint16_t)((q.tail + 7) % 8);
		tq_ring(&q);
		sched_yield();
		qm_dev_stats_get(td.dev, &s);
	} while (s.queues_live == 2);
	load_run(&l);
	assert_int_equal(l.bad, 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_FLUSH_QM, 0, 0, false), 0);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_1_worker),
		cmocka_unit_test(order_2_workers),
		cmocka_unit_test(order_4_workers),
		cmocka_unit_test(bytes_are_shared),
		cmocka_unit_test(stop_under_load),
		cmocka_unit_test(restart_and_destroy_under_load),
		cmocka_unit_test(overflow_with_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
