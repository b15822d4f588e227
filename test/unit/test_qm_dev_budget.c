/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What functions use together is given back on every way, and memory that runs out is survived. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test_qm_dev_left.h"
#include "qm_dev_guard.h"
#include "qm_dev_queue.h"
#include "qm_dev_pool.h"

#define ARENA (4u << 20)
#define DEPTH 16
#define RW    (QM_DEV_PROT_READ | QM_DEV_PROT_WRITE)
#define MORE  (TD_IOVA + (1ull << 40))

static struct qm_dev_quota quota;

static struct qm_dev_pool *
pool_open(uint32_t queues_max)
{
	struct qm_dev_pool_conf conf = { .name = "pool",
		.classes = { &zip_dev_class }, .workers = 1, .stats = 1,
		.queues_max = queues_max };
	struct qm_dev_pool *pool;

	assert_int_equal(qm_dev_pool_create(&conf, &pool), 0);
	return pool;
}

static struct qm_dev_conf
conf_of(struct qm_dev_group *group)
{
	struct qm_dev_conf conf = td_conf(0);

	conf.group = group;
	conf.quota = &quota;
	return conf;
}

static void
expect_used(uint64_t queues, uint64_t slots, uint64_t streams)
{
	assert_int_equal(quota.used[QM_DEV_QUEUES], queues);
	assert_int_equal(quota.used[QM_DEV_SLOTS], slots);
	assert_int_equal(quota.used[QM_DEV_CONTEXTS], streams);
}

/* Rings for queue qn, and both contexts. @return mailbox status. */
static unsigned int
start(struct td *td, struct tq *q, uint16_t qn, uint16_t depth)
{
	*q = (struct tq){ .td = td, .qn = qn, .depth = depth };
	q->sq = td_alloc(td, depth * sizeof(*q->sq), 4096);
	q->cq = td_alloc(td, depth * sizeof(*q->cq), 4096);
	q->db = qm_dev_doorbell(td->dev, qn);
	return tq_restart(q, HISI_ZIP_QC_COMPRESS);
}

static unsigned int
stop(struct td *td, uint16_t qn)
{
	return td_mb(td, HISI_QM_MB_STOP_QP, qn, 0, false);
}

/* Two functions of one user: what one has the other has not, and every end gives back. */
static void
queues_and_slots(void **state)
{
	const unsigned int no = HISI_QM_MB_STATUS_NO_QUEUE;
	struct qm_dev_conf conf = conf_of(NULL);
	struct td a, b;
	struct tq q[4];

	(void)state;
	quota = (struct qm_dev_quota){ .max = { 3, 60, 0 } };
	td_open(&a, &conf, ARENA);
	td_open(&b, &conf, ARENA);
	expect_used(0, 0, 0);
	assert_int_equal(start(&a, &q[0], 0, 20), 0);
	expect_used(1, 20, 0);
	assert_int_equal(start(&b, &q[1], 0, 40), 0);
	expect_used(2, 60, 0);
	/* No slot is left: the queue that was taken for it is given back. */
	assert_int_equal(start(&b, &q[2], 1, 2), no);
	expect_used(2, 60, 0);
	/* Set up anew, with another depth: the old one is given back first. */
	q[1].depth = 30;
	assert_int_equal(tq_restart(&q[1], HISI_ZIP_QC_COMPRESS), 0);
	expect_used(2, 50, 0);
	q[2].depth = 10;
	assert_int_equal(tq_restart(&q[2], HISI_ZIP_QC_COMPRESS), 0);
	expect_used(3, 60, 0);
	/* One context taken away is a stop. */
	assert_int_equal(start(&a, &q[3], 1, 2), no);
	expect_used(3, 60, 0);
	assert_int_equal(stop(&b, 1), 0);
	expect_used(2, 50, 0);
	assert_int_equal(stop(&b, 1), 0); /* twice is once */
	expect_used(2, 50, 0);
	assert_int_equal(start(&a, &q[3], 1, 2), 0);
	expect_used(3, 52, 0);
	assert_int_equal(start(&a, &q[2], 2, 2), no); /* of queues */
	expect_used(3, 52, 0);
	qm_dev_reset(a.dev);
	expect_used(1, 30, 0);
	assert_true(qm_dev_abort(b.dev));
	expect_used(0, 0, 0);
	assert_true(qm_dev_abort(b.dev));
	expect_used(0, 0, 0);
	assert_int_equal(tq_restart(&q[0], HISI_ZIP_QC_COMPRESS), 0);
	expect_used(1, 20, 0);
	td_close(&a); /* live: given back by its end */
	expect_used(0, 0, 0);
	td_close(&b);
}

/* The access point is full, closed, or has the last queue: the user's quota is whole again. */
static void
full_access_point(void **state)
{
	struct qm_dev_pool *pool = pool_open(2);
	struct qm_dev_group_stats gs;
	struct qm_dev_group *group;
	struct qm_dev_conf conf;
	struct td a, b;
	struct tq q[3];

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	quota = (struct qm_dev_quota){ .max = { 10, 100, 10 } };
	conf = conf_of(group);
	td_open(&a, &conf, ARENA);
	td_open(&b, &conf, ARENA);
	assert_int_equal(start(&a, &q[0], 0, DEPTH), 0);
	assert_int_equal(start(&a, &q[1], 1, DEPTH), 0);
	expect_used(2, 2 * DEPTH, 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(i == 0 ? start(&b, &q[2], 0, DEPTH) :
				tq_restart(&q[2], HISI_ZIP_QC_COMPRESS),
				HISI_QM_MB_STATUS_NO_QUEUE);
	expect_used(2, 2 * DEPTH, 0);
	assert_int_equal(td_stats(&b).queues_live, 0);
	assert_int_equal(stop(&a, 0), 0);
	qm_dev_group_close(group, true);
	assert_int_equal(tq_restart(&q[2], HISI_ZIP_QC_COMPRESS), HISI_QM_MB_STATUS_NO_QUEUE);
	expect_used(1, DEPTH, 0);
	qm_dev_group_stats_get(group, &gs);
	assert_int_equal(gs.refused, 21);
	assert_int_equal(gs.queues_live, 1);
	assert_int_equal(gs.queues_peak, 2);
	assert_int_equal(gs.functions, 2);
	qm_dev_group_close(group, false);
	assert_int_equal(tq_restart(&q[2], HISI_ZIP_QC_COMPRESS), 0);
	expect_used(2, 2 * DEPTH, 0);
	td_close(&b);
	expect_used(1, DEPTH, 0);
	td_close(&a);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

static uint32_t
stream(struct tq *q, uint64_t name, bool first, bool finish)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, HISI_ZIP_REQ_DEFLATE);

	sqe->dw7 |= HISI_ZIP_DW7_STREAM | (first ? HISI_ZIP_DW7_STREAM_NEW : 0) |
		(finish ? HISI_ZIP_DW7_FINISH : 0);
	sqe->dw10 = ext_level(1);
	hisi_zip_sqe_ctx(sqe, name);
	hisi_zip_sqe_src(sqe, TD_IOVA, 10);
	hisi_zip_sqe_dst(sqe, TD_IOVA + ARENA / 2, 1000);
	return tq_do(q)->dw3;
}

/* A function keeps the memory of its streams, and gives it back at its end. */
static void
streams(void **state)
{
	struct qm_dev_conf conf = conf_of(NULL);
	struct td a, b;
	struct tq qa, qb;

	(void)state;
	quota = (struct qm_dev_quota){ .max = { 0, 0, 3 } };
	td_open(&a, &conf, ARENA);
	td_open(&b, &conf, ARENA);
	assert_int_equal(start(&a, &qa, 0, DEPTH), 0);
	assert_int_equal(start(&b, &qb, 0, DEPTH), 0);
	assert_int_equal(stream(&qa, 1, true, false), HISI_ZIP_OK);
	assert_int_equal(stream(&qa, 2, true, false), HISI_ZIP_OK);
	expect_used(2, 2 * DEPTH, 2);
	assert_int_equal(stream(&qb, 1, true, false), HISI_ZIP_OK);
	expect_used(2, 2 * DEPTH, 3);
	assert_int_equal(stream(&qb, 2, true, false), HISI_ZIP_NO_STREAM);
	assert_int_equal(td_stats(&b).contexts, 1);
	/* Its own that ended serve again, whatever the quota says. */
	assert_int_equal(stream(&qb, 1, false, true), HISI_ZIP_OK);
	assert_int_equal(td_stats(&b).contexts, 0);
	assert_int_equal(stream(&qb, 2, true, false), HISI_ZIP_OK);
	expect_used(2, 2 * DEPTH, 3);
	qm_dev_reset(a.dev);
	assert_int_equal(td_stats(&a).contexts, 0);
	expect_used(1, DEPTH, 3);
	td_close(&a);
	expect_used(1, DEPTH, 1);
	for (uint64_t i = 3; i < 5; i++)
		assert_int_equal(stream(&qb, i, true, false), HISI_ZIP_OK);
	assert_int_equal(stream(&qb, 5, true, false), HISI_ZIP_NO_STREAM);
	expect_used(1, DEPTH, 3);
	td_close(&b);
	expect_used(0, 0, 0);
}

/* ---- Memory runs out ---- */

static void
functions_fail_whole(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct left before;
	struct rlimit files, few;
	struct qm_dev *dev;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		unsigned int nth = 0;
		int rc;

		conf = td_conf(kind == 1 ? 3 : 0);
		conf.fault = kind == 2 ? "stall@1" : NULL;
		conf.doorbell_memfd = kind == 3;
		before = left_now();
		do {
			left_fail_alloc(++nth);
			dev = NULL;
			rc = qm_dev_create(&conf, &dev);
			assert_int_equal(rc, left_failed() ? -ENOMEM : 0);
			left_fail_alloc(0);
			if (rc == 0)
				qm_dev_destroy(dev);
			else
				assert_null(dev);
			left_check(&before);
		} while (rc != 0);
		assert_true(nth > 3);
	}
	/* No descriptor is left for the doorbells' file. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = (struct rlimit){ .rlim_cur = 0, .rlim_max = files.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(qm_dev_create(&conf, &dev), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	left_check(&before);
	qm_dev_destroy(NULL);
}

static void
pools_fail_whole(void **state)
{
	struct qm_dev_pool_conf conf = { .name = "pool",
		.classes = { &zip_dev_class }, .workers = 2 };
	struct left before = left_now();
	struct qm_dev_group *group;
	struct qm_dev_pool *pool = NULL;
	unsigned int nth = 0;
	int rc;

	(void)state;
	do {
		left_fail_alloc(++nth);
		rc = qm_dev_pool_create(&conf, &pool);
		assert_int_equal(rc, left_failed() ? -ENOMEM : 0);
		left_fail_alloc(0);
		if (rc != 0)
			left_check(&before);
	} while (rc != 0);
	assert_true(nth > 10);
	left_fail_alloc(1);
	assert_int_equal(qm_dev_group_create(pool, 5, 1, &group), -ENOMEM);
	left_fail_alloc(0);
	/* Nothing stays reserved by one that was not made. */
	assert_int_equal(qm_dev_group_create(pool, HISI_QM_QUEUES_MAX, 1, &group), 0);
	qm_dev_group_destroy(group);
	assert_int_equal(qm_dev_group_create(pool, HISI_QM_QUEUES_MAX + 1, 1, &group), -ENOSPC);
	assert_int_equal(qm_dev_group_create(pool, HISI_QM_QUEUES_MAX, 1, &group), 0);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
	left_check(&before);
}

/* Setting up a queue: exact statuses, and all that was taken is given back. */
static void
queues_fail_whole(void **state)
{
	struct qm_dev_pool *pool = pool_open(0);
	struct qm_dev_group *group;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	for (int kind = 0; kind < 2; kind++) {
		struct qm_dev_conf conf = conf_of(kind == 0 ? NULL : group);
		unsigned int nth = 0, st;
		struct td td;
		struct tq q;

		quota = (struct qm_dev_quota){ .max = { 10, 100, 10 } };
		td_open(&td, &conf, ARENA);
		q = (struct tq){ .td = &td, .qn = 1, .depth = DEPTH };
		q.sq = td_alloc(&td, DEPTH * sizeof(*q.sq), 4096);
		q.cq = td_alloc(&td, DEPTH * sizeof(*q.cq), 4096);
		q.db = qm_dev_doorbell(td.dev, 1);
		/* The queue itself; then what it works with. */
		left_fail_alloc(1);
		assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), QM_DEV_MB_BAD_QUEUE);
		left_fail_alloc(0);
		assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, td_iova(&td, q.sq), true), 0);
		do {
			/* The second one first: what is kept then does not fail again. */
			nth++;
			left_fail_alloc(nth <= 2 ? 3 - nth : nth);
			st = tq_restart(&q, HISI_ZIP_QC_COMPRESS);
			assert_int_equal(left_failed(), st != 0);
			left_fail_alloc(0);
			if (st != 0) {
				assert_int_equal(st, QM_DEV_MB_NO_MEM);
				expect_used(0, 0, 0);
				assert_int_equal(td_stats(&td).queues_live, 0);
			}
		} while (st != 0);
		assert_true(nth >= 3);
		expect_used(1, DEPTH, 0);
		tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);
		assert_int_equal(tq_do(&q)->dw3, HISI_ZIP_OK);
		td_close(&td);
	}
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* A stream that cannot be made leaves none. */
static void
streams_fail_whole(void **state)
{
	struct qm_dev_conf conf = conf_of(NULL);
	unsigned int nth = 0;
	uint32_t st;
	struct td td;
	struct tq q;

	(void)state;
	quota = (struct qm_dev_quota){ .max = { 0, 0, 1 } };
	td_open(&td, &conf, ARENA);
	assert_int_equal(start(&td, &q, 0, DEPTH), 0);
	do {
		left_fail_alloc(++nth);
		st = stream(&q, 7, true, false);
		assert_int_equal(left_failed(), st != HISI_ZIP_OK);
		left_fail_alloc(0);
		if (st != HISI_ZIP_OK) {
			/* Buckets and stream are the function's, the rest is the codec's. */
			assert_int_equal(st, nth <= 2 ? HISI_ZIP_NO_STREAM : HISI_ZIP_INTERNAL);
			assert_int_equal(td_stats(&td).contexts, 0);
			expect_used(1, DEPTH, nth <= 2 ? 0 : 1);
			assert_int_equal(stream(&q, 7, false, false), HISI_ZIP_BAD_STREAM);
		}
	} while (st != HISI_ZIP_OK);
	assert_true(nth > 3);
	assert_int_equal(td_stats(&td).contexts, 1);
	td_close(&td);
}

static void *
page(uint64_t i)
{
	return (void *)(uintptr_t)((i + 1) << 20);
}

/* Without memory a change of the map is refused, and the map is as it was. */
static void
maps_fail_whole(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev_view view = { .hint = NULL };
	struct left before;
	struct td td;

	(void)state;
	td_open(&td, &conf, ARENA);
	qm_dev_view_add(&td.dev->map, &view);
	/* Chunks are full at 256: the next one splits. */
	for (uint64_t i = 0; i < 255; i++)
		assert_int_equal(qm_dev_dma_map(td.dev, MORE + (i << 20), 4096, page(i), RW), 0);
	before = left_now();
	for (unsigned int nth = 1;; nth++) {
		int rc;

		left_fail_alloc(nth);
		rc = qm_dev_dma_map(td.dev, MORE + (300ull << 20), 4096, page(300), RW);
		assert_int_equal(rc, left_failed() ? -ENOMEM : 0);
		left_fail_alloc(0);
		if (rc == 0) {
			assert_int_equal(nth, 4); /* a table and two chunks */
			break;
		}
		left_check(&before);
		assert_int_equal(td.dev->map.cnt, 256);
	}
	assert_int_equal(left_now().allocs, before.allocs + 1);
	before = left_now();
	for (unsigned int nth = 1;; nth++) {
		int rc;

		left_fail_alloc(nth);
		rc = td_unmap(td.dev, MORE + (100ull << 20), 100ull << 20);
		assert_int_equal(rc, left_failed() ? -ENOMEM : 100);
		left_fail_alloc(0);
		if (rc > 0)
			break;
		left_check(&before);
		assert_int_equal(td.dev->map.cnt, 257);
		qm_dev_view_get(&td.dev->map, &view);
		for (uint64_t i = 0; i < 255; i++)
			assert_ptr_equal(qm_dev_view_at(&view, MORE + (i << 20), 4096, RW),
					page(i));
		qm_dev_view_put(&view);
	}
	assert_int_equal(td.dev->map.cnt, 157);
	td_close(&td);
}

/* A guard that was given back is taken again before there are more of them. */
static void
guards_are_used_again(void **state)
{
	enum { N = 1500 };
	static struct qm_dev_guard *g[N];
	struct qm_dev_conf conf = td_conf(0);
	struct left before;
	struct td td;

	(void)state;
	for (uintptr_t i = 0; i < N; i++)
		assert_int_equal(qm_dev_guard_add(NULL, page(i), 4096, &g[i]), 0);
	for (int i = 0; i < N; i++)
		qm_dev_guard_del(g[i]);
	td_open(&td, &conf, ARENA);
	before = left_now();
	for (int round = 0; round < 3; round++) {
		for (uintptr_t i = 0; i < N; i++)
			assert_int_equal(qm_dev_guard_add(td.dev, page(i), 4096, &g[i]), 0);
		/* Each has one of its own. */
		for (int i = 0; i < N; i++)
			for (int k = 0; k < i && round == 0; k++)
				assert_true(g[i] != g[k]);
		for (int i = 0; i < N; i++)
			qm_dev_guard_del(g[i]);
		left_check(&before);
	}
	/* All that there are in use, and no memory for more. */
	for (uintptr_t i = 0; i < N; i++)
		assert_int_equal(qm_dev_guard_add(td.dev, page(i), 4096, &g[i]), 0);
	for (unsigned int i = 0;; i++) {
		struct qm_dev_guard *more;

		left_fail_alloc(1);
		if (qm_dev_guard_add(td.dev, page(N + i), 4096, &more) != 0)
			break;
		assert_true(i < 1024);
	}
	left_fail_alloc(0);
	for (int i = 0; i < N; i++)
		qm_dev_guard_del(g[i]);
	assert_int_equal(qm_dev_guard_add(td.dev, page(0), 4096, &g[0]), 0);
	qm_dev_guard_del(g[0]);
	assert_int_equal(qm_dev_guard_add(td.dev, page(0), UINTPTR_MAX, &g[0]), -EINVAL);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_and_slots), cmocka_unit_test(full_access_point),
		cmocka_unit_test(streams), cmocka_unit_test(functions_fail_whole),
		cmocka_unit_test(pools_fail_whole), cmocka_unit_test(queues_fail_whole),
		cmocka_unit_test(streams_fail_whole), cmocka_unit_test(maps_fail_whole),
		cmocka_unit_test(guards_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
