/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Users with long requests never have the last worker while others have queues. The clock is the
 * test's; workers are as many as the pool says, and have a turn from qm_dev_sched_get() to serve().
 */

#include "test_qm_dev_clock.h"
#include "test_qm_dev_turns.h"

#define MS INT64_C(1000000)

static struct qm_dev_quota one, other;

static void
open_users(struct qm_dev_quota *second, const uint32_t weight[CLIENTS])
{
	clock_took = clock_cpu = 0;
	turns_times = true;
	memset(&one, 0, sizeof(one));
	memset(&other, 0, sizeof(other));
	turns_quota[0] = &one;
	turns_quota[1] = second;
	turns_quota[2] = NULL;
	turns_open(weight, false);
}

/* Clients 0 and 1 are one user. */
static int
setup(void **state)
{
	static const uint32_t weight[CLIENTS] = { 1, 1, 1 };

	(void)state;
	open_users(&one, weight);
	pool->conf.workers = 2;
	return 0;
}

/* All are users of their own. */
static int
setup_three(void **state)
{
	static const uint32_t weight[CLIENTS] = { 8, 1, 1 };

	(void)state;
	open_users(&other, weight);
	pool->conf.workers = 2;
	return 0;
}

static int
teardown(void **state)
{
	/* There is room for one. */
	pool->conf.workers = 1;
	memset(turns_quota, 0, sizeof(turns_quota));
	return turns_close(state);
}

static struct qm_dev_queue *
get(void)
{
	return qm_dev_sched_get(pool, UINT32_MAX, now);
}

/* A request that takes so much CPU time, or that other threads have it for so long. */
static void
long_one(unsigned int who, int64_t cpu, int64_t wall)
{
	struct qm_dev_queue *q;

	work(who, 1, 100);
	q = get();
	assert_ptr_equal(q, queue_of(who));
	now += 10 * MS;
	qm_dev_exec_begin(executor());
	clock_took = wall;
	clock_cpu += cpu;
	assert_int_equal(serve(q), 1);
	clock_took = 0;
	now += wall;
	/* Its debt is no matter here. */
	queue_of(who)->sched.flow->turn.debt = queue_of(who)->sched.turn.debt = 0;
}

/* The user of clients 0 and 1 has work for two workers. @return How many it gets. */
static unsigned int
gets_of_two(void)
{
	struct qm_dev_queue *q[2];
	unsigned int n = 0;

	work(0, 1, 100);
	work(1, 1, 100);
	while (n < 2 && (q[n] = get()) != NULL)
		n++;
	/* What may not be had now keeps nobody awake. */
	assert_int_equal(atomic_load(&pool->ready), 0);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(serve(q[i]), 1);
	run_all();
	assert_int_equal(pool->slow, 0);
	return n;
}

/* ---- Tests ---- */

static void
the_last_worker_is_for_others(void **state)
{
	struct qm_dev_queue *q;

	(void)state;
	assert_int_equal(gets_of_two(), 2);
	long_one(0, 20 * MS, 20 * MS);
	assert_int_equal(gets_of_two(), 1);

	work(0, 2, 100);
	work(1, 2, 100);
	q = get();
	assert_non_null(q);
	assert_null(get());
	/* Others have theirs at once, as often as they like. */
	for (int i = 0; i < 3; i++) {
		struct qm_dev_queue *quick;

		work(2, 1, 100);
		quick = get();
		assert_ptr_equal(quick, queue_of(2));
		assert_int_equal(serve(quick), 1);
		assert_null(get());
	}
	/* When the first of its turns is over it has the next. */
	serve(q);
	q = get();
	assert_non_null(q);
	assert_ptr_not_equal(q, queue_of(2));
	assert_null(get());
	serve(q);
	run_all();
	/* After a while without a long one it is as others are. */
	now += QM_DEV_SLOW_FOR_NS;
	assert_int_equal(gets_of_two(), 2);
}

static void
a_lone_user_has_all(void **state)
{
	(void)state;
	long_one(0, 20 * MS, 20 * MS);
	assert_int_equal(gets_of_two(), 1);
	assert_true(qm_dev_sched_set(queue_of(2), false));
	assert_int_equal(gets_of_two(), 2);
	assert_true(qm_dev_sched_set(queue_of(2), true));
	assert_int_equal(gets_of_two(), 1);
	/* With one worker there is nothing to keep. */
	pool->conf.workers = 1;
	assert_int_equal(gets_of_two(), 2);
	/* Of more than two, all but one. */
	pool->conf.workers = 3;
	assert_int_equal(gets_of_two(), 2);
}

static void
what_makes_it_slow(void **state)
{
	(void)state;
	long_one(0, 9 * MS, 9 * MS);
	assert_int_equal(gets_of_two(), 2);
	/* The CPU was another's. */
	long_one(0, 1 * MS, 1000 * MS);
	assert_int_equal(gets_of_two(), 2);
	long_one(1, 11 * MS, 11 * MS);
	assert_int_equal(gets_of_two(), 1);
	/* Short ones do not make up for it. */
	long_one(1, 0, 0);
	assert_int_equal(gets_of_two(), 1);
}

/* Slow ones have the others' places together, and all of them if nobody else is there. */
static void
several_slow_users(void **state)
{
	struct qm_dev_queue *q;

	(void)state;
	long_one(0, 20 * MS, 20 * MS);
	long_one(1, 20 * MS, 20 * MS);
	work(0, 1, 100);
	work(1, 1, 100);
	q = get();
	assert_non_null(q);
	assert_null(get());
	work(2, 1, 100);
	assert_int_equal(serve(get()), 1);
	serve(q);
	q = get();
	assert_non_null(q);
	serve(q);
	long_one(2, 20 * MS, 20 * MS);
	work(0, 1, 100);
	work(1, 1, 100);
	q = get();
	assert_non_null(q);
	serve(get());
	serve(q);
}

/* A queue that goes while its flow is held is not found any more. */
static void
one_that_is_held_goes(void **state)
{
	struct qm_dev_queue *q;

	(void)state;
	long_one(0, 20 * MS, 20 * MS);
	work(0, 1, 100);
	work(1, 1, 100);
	q = get();
	assert_non_null(q);
	assert_null(get());
	assert_true(qm_dev_sched_set(queue_of(q == queue_of(0)), false));
	assert_int_equal(pool->flows.held.cnt, 0);
	serve(q);
	assert_null(get());
	assert_true(qm_dev_sched_set(queue_of(q == queue_of(0)), true));
	run_all();
}

/* A turn is one quantum, however much weight a queue has: others come between. */
static void
one_quantum_a_turn(void **state)
{
	(void)state;
	work(0, 4 * PER, LEN);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(serve(get()), PER);
	assert_null(get());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_worker_is_for_others, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lone_user_has_all, setup, teardown),
		cmocka_unit_test_setup_teardown(what_makes_it_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(several_slow_users, setup_three, teardown),
		cmocka_unit_test_setup_teardown(one_that_is_held_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(one_quantum_a_turn, setup_three, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
