/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Which CPUs an engine thread may use, on machines that we do not have. */

#include <errno.h>
#include <numa.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "placement.h"

/* The machine: CPUs of nodes, and those that this process may use; bits. */
static unsigned int node_cpus[4], nodes, allowed;
static bool no_numa, no_affinity, no_node, no_thread;
static unsigned int given; /* CPUs of the thread; 0: any */

int __wrap_numa_available(void);
int
__wrap_numa_available(void)
{
	return no_numa ? -1 : 0;
}

int __wrap_numa_max_node(void);
int
__wrap_numa_max_node(void)
{
	return (int)nodes - 1;
}

int __wrap_numa_node_to_cpus(int node, struct bitmask *mask);
int
__wrap_numa_node_to_cpus(int node, struct bitmask *mask)
{
	for (unsigned int i = 0; i < 32; i++)
		if ((node_cpus[node] >> i & 1) != 0)
			numa_bitmask_setbit(mask, i);
	return no_node && node == 1 ? -1 : 0;
}

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int
__wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	assert_int_equal(pid, 0);
	memset(set, 0, size);
	for (unsigned int i = 0; i < 32; i++)
		if ((allowed >> i & 1) != 0)
			CPU_SET(i, set);
	return no_affinity ? -1 : 0;
}

int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *),
		void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *),
		void *arg);
int
__wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	cpu_set_t set;

	given = 0;
	if (no_thread)
		return EAGAIN;
	if (attr != NULL && pthread_attr_getaffinity_np(attr, sizeof(set), &set) == 0 &&
			CPU_COUNT(&set) < 1000)
		for (unsigned int i = 0; i < 32; i++)
			given |= CPU_ISSET(i, &set) ? 1u << i : 0;
	/* Where it really runs is no matter here: this machine may not have those CPUs. */
	return __real_pthread_create(t, NULL, run, arg);
}

static sem_t go;

static void *
wait_for_go(void *arg)
{
	sem_wait(&go);
	return arg;
}

static void
placed(unsigned int worker, unsigned int cpus, const char *name)
{
	pthread_t thread;
	char got[16];
	void *arg;

	assert_int_equal(placement_spawn(worker, &thread, wait_for_go, &go, NULL), 0);
	assert_int_equal(pthread_getname_np(thread, got, sizeof(got)), 0);
	assert_string_equal(got, name);
	sem_post(&go);
	assert_int_equal(pthread_join(thread, &arg), 0);
	assert_ptr_equal(arg, &go);
	assert_int_equal(given, cpus);
}

static int
set_up(void **state)
{
	(void)state;
	no_numa = no_affinity = no_node = no_thread = false;
	nodes = 3;
	node_cpus[0] = 0x0f;
	node_cpus[1] = 0xf0;
	node_cpus[2] = 0xf00;
	allowed = 0xfff;
	return sem_init(&go, 0, 0);
}

static void
test_nodes_in_turn(void **state)
{
	(void)state;
	placed(0, 0x0f, "worker-0");
	placed(1, 0xf0, "worker-1");
	placed(2, 0xf00, "worker-2");
	placed(3, 0x0f, "worker-3");
	placed(64, 0xf0, "worker-64");
	placed(1001, 0xf00, "worker-1");
}

static void
test_only_cpus_that_may_be_used(void **state)
{
	(void)state;
	allowed = 0x3c6;
	placed(0, 0x06, "worker-0");
	placed(1, 0xc0, "worker-1");
	placed(2, 0x300, "worker-2");
	/* A node of which nothing may be used is none. */
	allowed = 0xf0f;
	placed(0, 0x0f, "worker-0");
	placed(1, 0xf00, "worker-1");
	placed(2, 0x0f, "worker-2");
}

static void
test_nothing_to_choose(void **state)
{
	(void)state;
	allowed = 0xf0;
	placed(1, 0, "worker-1");
	allowed = 0xfff;
	nodes = 1;
	placed(0, 0, "worker-0");
	nodes = 3;
	no_numa = true;
	placed(0, 0, "worker-0");
	no_numa = false;
	no_affinity = true;
	placed(0, 0, "worker-0");
	no_affinity = false;
	no_node = true;
	placed(1, 0xf00, "worker-1");
}

static void
test_no_thread(void **state)
{
	pthread_t thread;

	(void)state;
	no_thread = true;
	assert_int_equal(placement_spawn(0, &thread, wait_for_go, &go, NULL), EAGAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nodes_in_turn, set_up),
		cmocka_unit_test_setup(test_only_cpus_that_may_be_used, set_up),
		cmocka_unit_test_setup(test_nothing_to_choose, set_up),
		cmocka_unit_test_setup(test_no_thread, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
