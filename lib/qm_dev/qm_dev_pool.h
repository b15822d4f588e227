/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_POOL_H
#define QM_DEV_POOL_H

/**
 * @file
 * Workers and a budget of queues, shared by any number of functions.
 *
 * A function is attached by qm_dev_conf.group. It costs a few KiB until one of
 * its queues goes live (both contexts set). A live queue takes one of the pool's
 * queues and puts it when it is stopped, set up anew, reset or destroyed.
 *
 * Live queues take turns by deficit round robin: every round a queue may claim
 * QM_DEV_QUANTUM bytes times the weight of its group. A queue that had been idle
 * has its turn at once, as long as it has not used up what it may claim in the
 * round: so a request waits for the requests being executed and for a quantum of
 * each other queue that was idle, too, never for the backlog of others.
 *
 * With conf.wake a queue that was quiet for QM_DEV_QUIET_NS is put to sleep as
 * hisi_qm_shadow.h says. With all queues asleep the threads sleep in the kernel.
 *
 * Order of ends: functions, then groups, then the pool.
 */

#include "qm_dev.h"

/** Quiet time in nanoseconds after which a queue is put to sleep. */
#define QM_DEV_QUIET_NS 200000

#define QM_DEV_WEIGHT_MAX 1000u

struct qm_dev_pool;

/** An access point: the functions that share a weight and reserved queues. */
struct qm_dev_group;

struct qm_dev_pool_conf {
	const char *name;    /**< Name in log lines; copied. */
	uint16_t workers;    /**< Engine threads, 1 to QM_DEV_WORKERS_MAX. */
	uint32_t queues_max; /**< Most live queues, 0: HISI_QM_QUEUES_MAX (1024, as silicon). */
	uint8_t stats;       /**< 1: times of requests, see struct qm_dev_times. */
	/** The classes of all functions that may be attached; NULL ends the list. */
	const struct qm_dev_class *classes[QM_DEV_CLASSES_MAX];
	/**
	 * Creates the thread of worker number worker, from 0, so that the owner chooses its
	 * CPUs, NUMA node and name: a worker's memory is touched first by its thread.
	 * NULL: pthread_create(). Returns 0 or a positive errno.
	 */
	int (*spawn)(unsigned int worker, pthread_t *thread, void *(*run)(void *), void *arg,
			void *priv);
	struct base_log log; /**< For lines of the pool itself. */
	void *priv;          /**< Passed to spawn. */
};

/**
 * Make a pool and start its threads.
 * @return 0, -EINVAL (logged), -ENOMEM, or the negative errno of spawn.
 */
int qm_dev_pool_create(const struct qm_dev_pool_conf *conf, struct qm_dev_pool **pool);

/** Stop the threads and free the pool; it must have no group. NULL is allowed. */
void qm_dev_pool_destroy(struct qm_dev_pool *pool);

/**
 * Make an access point. Any thread.
 * @param reserve
 *   Live queues that only its functions can have.
 * @param weight
 *   1 to QM_DEV_WEIGHT_MAX: share of each of its queues beside others.
 * @return
 *   0, -EINVAL (weight), -ENOSPC (reserves would exceed the pool's queues, or
 *   others use these queues now), -ENOMEM.
 */
int qm_dev_group_create(struct qm_dev_pool *pool, uint32_t reserve, uint32_t weight,
		struct qm_dev_group **group);

/** Free an access point; it must have no function. NULL is allowed. Any thread. */
void qm_dev_group_destroy(struct qm_dev_group *group);

/**
 * Hand out no more queues to its functions, or again. Queues that are live stay so until
 * they are put. Any thread.
 */
void qm_dev_group_close(struct qm_dev_group *group, bool closed);

struct qm_dev_group_stats {
	uint32_t functions;   /**< Attached now. */
	uint32_t queues_live; /**< Queues that its functions have now. */
	uint32_t queues_peak; /**< Most that they ever had. */
	uint32_t reserve;
	uint32_t weight;
	uint64_t refused;     /**< Times that no queue was free, or it was closed. */
};

void qm_dev_group_stats_get(struct qm_dev_group *group, struct qm_dev_group_stats *stats);

struct qm_dev_pool_stats {
	uint32_t workers;
	uint32_t workers_asleep; /**< Sleeping in the kernel now. */
	uint32_t queues_max;
	uint32_t queues_live;    /**< Of all groups. */
	uint32_t queues_peak;    /**< Most ever. */
	uint32_t queues_awake;   /**< Live, and polled. */
	uint64_t requests;       /**< Executed for all functions, ended ones too. */
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t wakes;          /**< Writes to HISI_QM_SHADOW_REG_WAKE that woke a queue. */
	uint64_t sleeps;         /**< Queues put to sleep. */
};

/** Read the counters; any thread. */
void qm_dev_pool_stats_get(struct qm_dev_pool *pool, struct qm_dev_pool_stats *stats);

#endif /* QM_DEV_POOL_H */
