/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_PLACEMENT_H
#define SPIMDEVD_PLACEMENT_H

#include <pthread.h>

/**
 * Start the worker of this number (qm_dev_pool_conf.spawn). On a machine with
 * several NUMA nodes the threads are dealt out to the nodes that have CPUs for
 * this process, in turn, and bound to the CPUs of theirs, so that a worker's
 * memory, which its thread touches first, lies beside them. On others they run where
 * the scheduler puts them.
 */
int placement_spawn(unsigned int worker, pthread_t *thread, void *(*run)(void *), void *arg,
		void *priv);

#endif /* SPIMDEVD_PLACEMENT_H */
