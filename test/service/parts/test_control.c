/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Threads for what takes time: none waits behind another, and they go when there is no work. */

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "control.h"
#include "fail_nth.h"
#include "holdings.h"

#define JOBS     20
#define PATIENCE 10000 /* ms */
#define IDLE_S   2     /* of a thread */

/* The idle time of threads passes in no time; with patient, as it does. */
static atomic_bool patient;

int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
		const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
		const struct timespec *until);
int
__wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	struct timespec soon = *until;

	if (!atomic_load(&patient)) {
		clock_gettime(CLOCK_MONOTONIC, &soon);
		assert_true(until->tv_sec > soon.tv_sec && until->tv_sec <= soon.tv_sec + IDLE_S);
		soon.tv_nsec += 5000000;
		if (soon.tv_nsec >= 1000000000) {
			soon.tv_sec++;
			soon.tv_nsec -= 1000000000;
		}
	}
	return __real_pthread_cond_timedwait(c, m, &soon);
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

static void
threads_become(unsigned int want)
{
	for (int ms = 0; holdings_threads() != want; ms++) {
		if (ms > PATIENCE)
			fail_msg("%u threads; expected %u", holdings_threads(), want);
		nap();
	}
}

/* ---- Jobs ---- */

static struct job {
	struct control_job job;
	atomic_bool started, done;
	unsigned int order;
} jobs[JOBS];
static sem_t go;
static atomic_uint orders;

static void
run(struct control_job *job)
{
	struct job *j = (struct job *)job;

	j->order = atomic_fetch_add(&orders, 1);
	atomic_store(&j->started, true);
	sem_wait(&go);
	atomic_store(&j->done, true);
}

static void
wait_for(atomic_bool *what)
{
	for (int ms = 0; !atomic_load(what); ms++) {
		assert_true(ms < PATIENCE);
		nap();
	}
}

static int
set_up(void **state)
{
	(void)state;
	for (int i = 0; i < JOBS; i++) {
		jobs[i].job.run = run;
		atomic_store(&jobs[i].started, false);
		atomic_store(&jobs[i].done, false);
	}
	atomic_store(&orders, 0);
	atomic_store(&patient, false);
	return sem_init(&go, 0, 0);
}

static void
test_none_waits(void **state)
{
	unsigned int before = holdings_threads();
	struct control *c;

	(void)state;
	atomic_store(&patient, true);
	assert_int_equal(control_create(&c), 0);
	threads_become(before + 1);
	for (int i = 0; i < JOBS; i++) {
		control_submit(c, &jobs[i].job);
		wait_for(&jobs[i].started); /* though none before it is done */
	}
	threads_become(before + JOBS);
	for (int i = 0; i < JOBS; i++)
		sem_post(&go);
	for (int i = 0; i < JOBS; i++)
		wait_for(&jobs[i].done);
	/* Those that are idle take the next ones. */
	nap();
	for (int i = 0; i < JOBS; i++)
		atomic_store(&jobs[i].done, false);
	sem_post(&go);
	control_submit(c, &jobs[0].job);
	wait_for(&jobs[0].done);
	assert_true(holdings_threads() <= before + JOBS);
	control_destroy(c);
	control_destroy(NULL);
	threads_become(before);
}

static void
test_idle_threads_go(void **state)
{
	unsigned int before = holdings_threads();
	struct control *c;

	(void)state;
	assert_int_equal(control_create(&c), 0);
	for (int i = 0; i < JOBS; i++) {
		control_submit(c, &jobs[i].job);
		wait_for(&jobs[i].started);
	}
	for (int i = 0; i < JOBS; i++)
		sem_post(&go);
	/* All but one, which stays and works. */
	threads_become(before + 1);
	for (int i = 0; i < 30; i++)
		nap();
	assert_int_equal(holdings_threads(), before + 1);
	atomic_store(&jobs[0].done, false);
	sem_post(&go);
	control_submit(c, &jobs[0].job);
	wait_for(&jobs[0].done);
	control_destroy(c);
	threads_become(before);
}

/* Without further threads jobs are done one after the other, in the order they came. */
static void
test_no_more_threads(void **state)
{
	unsigned int before = holdings_threads();
	struct control *c;

	(void)state;
	assert_int_equal(control_create(&c), 0);
	control_submit(c, &jobs[0].job);
	wait_for(&jobs[0].started);
	threads_become(before + 1); /* there may have been another one, if the first was slow */
	for (int i = 1; i < JOBS; i++) {
		fail_nth(1);
		control_submit(c, &jobs[i].job);
		assert_string_equal(fail_nth_end(), "pthread_create");
	}
	nap();
	assert_false(atomic_load(&jobs[1].started));
	for (int i = 0; i < JOBS; i++) {
		sem_post(&go);
		wait_for(&jobs[i].done);
		assert_int_equal(jobs[i].order, i);
	}
	control_destroy(c);
	threads_become(before);
}

static atomic_bool destroyed;

static void *
destroy(void *arg)
{
	control_destroy(arg);
	atomic_store(&destroyed, true);
	return NULL;
}

/* All that was submitted is done before the end, which waits for the last of it. */
static void
test_end_waits(void **state)
{
	unsigned int before = holdings_threads();
	struct control *c;
	pthread_t ender;

	(void)state;
	assert_int_equal(control_create(&c), 0);
	for (int i = 0; i < JOBS; i++)
		control_submit(c, &jobs[i].job);
	for (int i = 0; i < JOBS; i++)
		wait_for(&jobs[i].started);
	atomic_store(&destroyed, false);
	assert_int_equal(pthread_create(&ender, NULL, destroy, c), 0);
	for (int i = 0; i < JOBS - 1; i++)
		sem_post(&go);
	/* The one that still works, the one that ends it, and us. */
	threads_become(before + 2);
	for (int i = 0; i < 50; i++)
		nap();
	assert_false(atomic_load(&destroyed));
	sem_post(&go);
	wait_for(&destroyed);
	assert_int_equal(pthread_join(ender, NULL), 0);
	for (int i = 0; i < JOBS; i++)
		assert_true(atomic_load(&jobs[i].done));
	threads_become(before);
}

static void
test_no_start(void **state)
{
	long blocks = fail_nth_blocks();
	struct control *c;

	(void)state;
	fail_nth(1);
	assert_int_equal(control_create(&c), -ENOMEM);
	assert_string_equal(fail_nth_end(), "calloc");
	fail_nth(2);
	assert_int_equal(control_create(&c), -EAGAIN);
	assert_string_equal(fail_nth_end(), "pthread_create");
	assert_int_equal(fail_nth_blocks(), blocks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none_waits, set_up),
		cmocka_unit_test_setup(test_idle_threads_go, set_up),
		cmocka_unit_test_setup(test_no_more_threads, set_up),
		cmocka_unit_test_setup(test_end_waits, set_up),
		cmocka_unit_test_setup(test_no_start, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
