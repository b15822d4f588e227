/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <numa.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

#include "placement.h"

/* CPUs of a node that this process may use. */
static int
cpus_of(int node, const cpu_set_t *allowed, cpu_set_t *cpus)
{
	struct bitmask *mask = numa_allocate_cpumask();

	CPU_ZERO(cpus);
	if (mask == NULL)
		return 0;
	if (numa_node_to_cpus(node, mask) == 0)
		for (unsigned int i = 0; i < mask->size && i < CPU_SETSIZE; i++)
			if (numa_bitmask_isbitset(mask, i) && CPU_ISSET(i, allowed))
				CPU_SET(i, cpus);
	numa_free_cpumask(mask);
	return CPU_COUNT(cpus);
}

/* @return Whether the worker has a node to be on. */
static bool
choose(unsigned int worker, cpu_set_t *cpus)
{
	cpu_set_t allowed, one;
	unsigned int nodes = 0, turn;

	if (numa_available() < 0 || sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return false;
	for (int node = 0; node <= numa_max_node(); node++)
		nodes += cpus_of(node, &allowed, &one) != 0;
	if (nodes < 2)
		return false;
	turn = worker % nodes;
	for (int node = 0; node <= numa_max_node(); node++)
		if (cpus_of(node, &allowed, cpus) != 0 && turn-- == 0)
			return true;
	return false;
}

int
placement_spawn(unsigned int worker, pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	pthread_attr_t attr;
	cpu_set_t cpus;
	char name[16];
	int rc;

	(void)priv;
	pthread_attr_init(&attr);
	if (choose(worker, &cpus))
		pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	rc = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	if (rc == 0) {
		snprintf(name, sizeof(name), "worker-%u", worker % 1000);
		pthread_setname_np(*thread, name); /* for top(1) */
	}
	return rc;
}
