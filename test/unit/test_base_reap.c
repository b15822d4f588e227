/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Ends that take their time: by whom they are done, how many at a time, and whose turn it is. */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base_reap.h"
#include "fail_nth.h"
#include "holdings.h"

#define TIMEOUT_MS 60000
#define JOBS       200
#define STEPS      5

struct job {
	struct base_reap_job job; /* first member */
	uint32_t owner;
	unsigned int steps;  /* to be done yet */
	bool running;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of this */
static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
static bool held;              /* steps wait */
static unsigned int running, done, steps, running_of[JOBS + 1], order[2 * JOBS];
static pthread_t tester;
static bool no_thread, by_caller;
static struct job jobs[2 * JOBS];

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*f)(void *),
		void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*f)(void *),
		void *arg);
int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
	return no_thread ? EAGAIN : __real_pthread_create(thread, attr, f, arg);
}

static bool
step(struct base_reap_job *base)
{
	struct job *j = (struct job *)base;
	bool more;

	pthread_mutex_lock(&lock);
	assert_false(j->running);
	j->running = true;
	running++;
	running_of[j->owner]++;
	by_caller = pthread_equal(pthread_self(), tester) != 0;
	while (held)
		pthread_cond_wait(&go, &lock);
	running--;
	running_of[j->owner]--;
	j->running = false;
	steps++;
	more = --j->steps != 0;
	if (!more)
		order[done++] = j->owner;
	pthread_mutex_unlock(&lock);
	return more;
}

static void
hand_over(struct job *j, enum base_reap_kind kind, uint32_t owner, unsigned int n)
{
	*j = (struct job){ .job.step = step, .owner = owner, .steps = n };
	base_reap(&j->job, kind, owner);
}

static void
hold(bool on)
{
	pthread_mutex_lock(&lock);
	held = on;
	pthread_cond_broadcast(&go);
	pthread_mutex_unlock(&lock);
}

static unsigned int
get(const unsigned int *value)
{
	unsigned int v;

	pthread_mutex_lock(&lock);
	v = *value;
	pthread_mutex_unlock(&lock);
	return v;
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

static void
wait_for(const unsigned int *value, unsigned int want)
{
	for (int i = 0; get(value) != want; i++) {
		if (i == TIMEOUT_MS)
			fail_msg("%u; expected %u", get(value), want);
		nap();
	}
}

static void
wait_until_done(enum base_reap_kind kind)
{
	for (int i = 0; !base_reap_is_done(kind); i++) {
		assert_int_not_equal(i, TIMEOUT_MS);
		nap();
	}
}

static int
set_up(void **state)
{
	(void)state;
	tester = pthread_self();
	done = steps = 0;
	return 0;
}

/* ---- Tests ---- */

static void
all_is_done_elsewhere(void **state)
{
	(void)state;
	for (int kind = 0; kind < BASE_REAP_KINDS; kind++) {
		set_up(NULL);
		for (unsigned int i = 0; i < JOBS; i++)
			hand_over(&jobs[i], kind, i % 7, STEPS);
		wait_until_done(kind);
		assert_int_equal(done, JOBS);
		assert_int_equal(steps, JOBS * STEPS);
		assert_false(by_caller);
	}
}

/* Threads are few, those of one owner fewer, and an owner who keeps theirs keeps no others. */
static void
shares(void **state)
{
	static const struct { unsigned int all, one; } max[BASE_REAP_KINDS] = {
		[BASE_REAP_FINITE] = { BASE_REAP_FINITE_THREADS, BASE_REAP_FINITE_SHARE },
		[BASE_REAP_DOUBTFUL] = { BASE_REAP_DOUBTFUL_THREADS, BASE_REAP_DOUBTFUL_SHARE },
	};

	(void)state;
	for (int kind = 0; kind < BASE_REAP_KINDS; kind++) {
		set_up(NULL);
		hold(true);
		for (unsigned int i = 0; i < JOBS; i++)
			hand_over(&jobs[i], kind, 0, 1);
		wait_for(&running, max[kind].one);
		hand_over(&jobs[JOBS], kind, 1, 1);
		wait_for(&running_of[1], 1);
		for (unsigned int i = 1; i < JOBS; i++)
			hand_over(&jobs[JOBS + i], kind, 1 + i, 1);
		wait_for(&running, max[kind].all);
		assert_int_equal(get(&running_of[0]), max[kind].one);
		for (int i = 0; i < 20; i++) {
			nap();
			assert_int_equal(get(&running), max[kind].all);
			assert_int_equal(get(&running_of[0]), max[kind].one);
		}
		hold(false);
		wait_until_done(kind);
		assert_int_equal(done, 2 * JOBS);
	}
}

/* Owners take turns, whatever they have; so do the jobs of one, by steps. */
static void
turns(void **state)
{
	unsigned int before = 0;

	(void)state;
	hold(true);
	/* Keep all threads that one owner may have, and let only those of others go on. */
	for (unsigned int i = 0; i < JOBS; i++)
		hand_over(&jobs[i], BASE_REAP_FINITE, 0, 1000);
	hand_over(&jobs[JOBS], BASE_REAP_FINITE, 1, STEPS);
	/* And one of the first's own that is short. */
	hand_over(&jobs[JOBS + 1], BASE_REAP_FINITE, 0, 1);
	hold(false);
	wait_for(&done, JOBS + 2);
	wait_until_done(BASE_REAP_FINITE);
	while (order[before] != 1)
		before++;
	assert_true(before <= 1);
}

static unsigned int threads_at_start;

/* Without a thread the caller does what comes to an end, and nothing else. */
static void
no_threads(void **state)
{
	(void)state;
	/* Those of the tests before end, as they have had nothing to do. */
	for (int ms = 0; holdings_threads() > threads_at_start; ms += 10) {
		assert_true(ms < 60000);
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	}
	no_thread = true;
	hand_over(&jobs[0], BASE_REAP_FINITE, 1, STEPS);
	assert_true(by_caller);
	assert_int_equal(done, 1);
	assert_true(base_reap_is_done(BASE_REAP_FINITE));
	hand_over(&jobs[1], BASE_REAP_DOUBTFUL, 1, STEPS);
	assert_int_equal(done, 1);
	assert_false(base_reap_is_done(BASE_REAP_DOUBTFUL));
	no_thread = false;
	hand_over(&jobs[2], BASE_REAP_DOUBTFUL, 1, STEPS);
	wait_until_done(BASE_REAP_DOUBTFUL);
	assert_int_equal(done, 3);
	assert_false(by_caller);
}

/* Without memory for an owner's line there is one for all who have none. */
static void
no_memory(void **state)
{
	(void)state;
	hold(true);
	for (unsigned int i = 0; i < 4; i++) {
		fail_nth_of("calloc", 1);
		hand_over(&jobs[i], BASE_REAP_FINITE, i, STEPS);
		assert_string_equal(fail_nth_end(), "calloc");
	}
	hold(false);
	wait_until_done(BASE_REAP_FINITE);
	assert_int_equal(done, 4);
	hand_over(&jobs[0], BASE_REAP_FINITE, 1, STEPS);
	wait_until_done(BASE_REAP_FINITE);
	assert_int_equal(done, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_is_done_elsewhere, set_up),
		cmocka_unit_test_setup(shares, set_up),
		cmocka_unit_test_setup(turns, set_up),
		cmocka_unit_test_setup(no_threads, set_up),
		cmocka_unit_test_setup(no_memory, set_up),
	};

	threads_at_start = holdings_threads();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
