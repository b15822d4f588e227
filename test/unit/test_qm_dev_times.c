/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What is counted of requests and of their times, with a clock of the test's own. */

#include "test_qm_dev_turns.h"
#include "qm_dev_doorbell.h"

#include <errno.h>
#include <time.h>

#define STEP_LOG2 10

/* What clock_gettime() says. */
enum clock_mode {
	CLOCK_REAL,
	CLOCK_STEPS,   /* Each look is a step later. */
	CLOCK_CLAIMED, /* It stands still, but for a step while a request is claimed. */
};
static _Atomic enum clock_mode clock_mode;
static struct qm_dev_queue *clock_queue;
static _Atomic unsigned int looks; /* that are over */

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	enum clock_mode mode = atomic_load(&clock_mode);

	if (mode == CLOCK_REAL) {
		atomic_fetch_add(&looks, 1);
		return __real_clock_gettime(clock, ts);
	}
	if (mode == CLOCK_STEPS)
		now += 1 << STEP_LOG2;
	*ts = (struct timespec){ .tv_nsec = now };
	if (mode == CLOCK_CLAIMED && atomic_load(&clock_queue->ring.inflight) != 0)
		ts->tv_nsec += 1 << STEP_LOG2;
	atomic_fetch_add(&looks, 1);
	return 0;
}

static int
setup(void **state)
{
	static const uint32_t weight[CLIENTS] = { 1, 1, 1 };

	(void)state;
	clock_mode = CLOCK_REAL;
	turns_times = true;
	turns_open(weight, false);
	return 0;
}

static int
teardown(void **state)
{
	clock_mode = CLOCK_REAL;
	return turns_close(state);
}

static uint64_t
sum(const struct base_hist *h)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < BASE_HIST_BUCKETS; i++)
		n += h->bucket[i];
	return n;
}

/* Each request of a turn is served from when the one before it was done on. */
static void
each_request_has_its_own_time(void **state)
{
	struct qm_dev_queue_stats s;
	struct qm_dev_times t;

	(void)state;
	clock_mode = CLOCK_STEPS;
	work(0, 9, 100);
	assert_true(turn(UINT32_MAX));
	expect_turns("0:9");
	qm_dev_times_get(client[0].td.dev, &t);
	assert_int_equal(t.service.bucket[STEP_LOG2], 9);
	assert_int_equal(sum(&t.service), 9);
	assert_int_equal(sum(&t.wait), 1);
	assert_int_equal(qm_dev_queue_stats_get(client[0].td.dev, 0, &s), 0);
	assert_memory_equal(&s.times, &t, sizeof(t));
	/* Of all queues of the function. */
	tq_start(&client[0].q, &client[0].td, 1, HISI_ZIP_QC_COMPRESS, 16);
	work(0, 2, 100);
	run_all();
	qm_dev_times_get(client[0].td.dev, &t);
	assert_int_equal(t.service.bucket[STEP_LOG2], 11);
	assert_int_equal(qm_dev_queue_stats_get(client[0].td.dev, 1, &s), 0);
	assert_int_equal(s.times.service.bucket[STEP_LOG2], 2);
}

/* Every field of a queue's statistics, while requests wait and after them; others have none. */
static void
a_queue_has_its_own_counts(void **state)
{
	struct qm_dev *dev = client[1].td.dev;
	const struct qm_dev_queue_stats none = { 0 };
	struct qm_dev_queue_stats s;

	(void)state;
	work(1, 3, 100);
	work(1, 2, 40);
	assert_true(turn(UINT32_MAX));
	work(1, 2, 16);
	qm_dev_queue_poll_sq(dev, queue_of(1));
	assert_int_equal(qm_dev_queue_stats_get(dev, 0, &s), 0);
	assert_int_equal(s.requests, 5);
	assert_int_equal(s.bytes_in, 380);
	assert_int_equal(s.bytes_out, 380);
	assert_int_equal(s.errors, 0);
	assert_int_equal(s.waiting, 2);
	assert_int_equal(s.inflight, 0);
	assert_int_equal(s.live, 1);
	assert_int_equal(s.asleep, 0);
	run_all();
	/* In a queue that was never used all is 0, and behind the last one there is none. */
	memset(&s, 0xff, sizeof(s));
	assert_int_equal(qm_dev_queue_stats_get(dev, 3, &s), 0);
	assert_memory_equal(&s, &none, sizeof(s));
	assert_int_equal(qm_dev_queue_stats_get(dev, 4, &s), -EINVAL);
	assert_int_equal(td_mb(&client[1].td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	assert_int_equal(qm_dev_queue_stats_get(dev, 0, &s), 0);
	assert_int_equal(s.live, 0);
	assert_int_equal(s.requests, 7);
}

/* ---- With a worker ---- */

struct served {
	struct qm_dev_pool *pool;
	struct qm_dev_group *group;
	struct client c;
};

static void
served_open(struct served *s)
{
	struct qm_dev_pool_conf pool_conf = { .name = "one", .classes = { &zip_dev_class },
		.workers = 1, .stats = 1 };
	struct qm_dev_conf conf = td_conf(0);

	clock_mode = CLOCK_REAL;
	assert_int_equal(qm_dev_pool_create(&pool_conf, &s->pool), 0);
	assert_int_equal(qm_dev_group_create(s->pool, 0, 1, &s->group), 0);
	conf.group = s->group;
	td_open(&s->c.td, &conf, 1u << 20);
	s->c.src = td_alloc(&s->c.td, 4096, 64);
	s->c.dst = td_alloc(&s->c.td, 4096, 64);
	tq_start(&s->c.q, &s->c.td, 0, HISI_ZIP_QC_COMPRESS, 16);
}

static void
served_close(struct served *s)
{
	td_close(&s->c.td);
	qm_dev_group_destroy(s->group);
	qm_dev_pool_destroy(s->pool);
}

/* n copies of 100, 200, 300 ... bytes, rung for at once: one turn. */
static void
ask(struct served *s, unsigned int n)
{
	struct client *c = &s->c;

	for (unsigned int i = 1; i <= n; i++) {
		struct hisi_zip_sqe *sqe = tq_slot(&c->q, HISI_ZIP_REQ_EXT_COPY);

		sqe->dw10 = HISI_ZIP_EXT_VALID;
		hisi_zip_sqe_src(sqe, td_iova(&c->td, c->src), 100 * i);
		hisi_zip_sqe_dst(sqe, td_iova(&c->td, c->dst), 100 * i);
		tq_push(&c->q);
	}
	tq_ring(&c->q);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(tq_pop(&c->q)->dw3, HISI_ZIP_OK);
}

/* The worker counts all requests of a turn; just behind it, so that it takes a moment. */
static void
a_turn_counts_in_the_pool(void **state)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	struct qm_dev_pool_stats stats = { 0 };
	struct served s;

	(void)state;
	served_open(&s);
	ask(&s, 4);
	for (unsigned int i = 0; i < 5000 && stats.bytes_out != 1000; i++) {
		nanosleep(&moment, NULL);
		qm_dev_pool_stats_get(s.pool, &stats);
	}
	assert_int_equal(stats.requests, 4);
	assert_int_equal(stats.bytes_in, 1000);
	assert_int_equal(stats.bytes_out, 1000);
	assert_int_equal(stats.workers, 1);
	assert_int_equal(stats.queues_live, 1);
	assert_int_equal(stats.queues_peak, 1);
	assert_int_equal(stats.queues_awake, 1);
	served_close(&s);
}

/* What the worker did before it had the request is no time of service. */
static void
service_begins_behind_the_claim(void **state)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	struct qm_dev_times t;
	struct served s;

	(void)state;
	served_open(&s);
	clock_queue = qm_dev_queue_find(s.c.td.dev, 0);
	clock_mode = CLOCK_CLAIMED;
	ask(&s, 1);
	/* The worker looks at the queue no more, once it has seen the time again. */
	clock_mode = CLOCK_REAL;
	for (unsigned int i = 0, before = looks; looks == before; i++) {
		assert_true(i < 20000);
		nanosleep(&moment, NULL);
	}
	qm_dev_times_get(s.c.td.dev, &t);
	assert_int_equal(sum(&t.service), 1);
	assert_int_equal(t.service.bucket[0], 1);
	served_close(&s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_request_has_its_own_time),
		T(a_queue_has_its_own_counts),
		cmocka_unit_test(a_turn_counts_in_the_pool),
		cmocka_unit_test(service_begins_behind_the_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
