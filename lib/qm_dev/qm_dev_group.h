/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_GROUP_H
#define QM_DEV_GROUP_H

/**
 * @file
 * Access points (qm_dev_pool.h) from the inside, and what a function needs of its own one and of
 * the pool behind it.
 */

#include "qm_dev_mem.h"
#include "qm_dev_pool.h"

struct qm_dev_group {
	struct qm_dev_pool *pool;
	uint32_t reserve;
	uint32_t weight;
	/* Guarded by the pool's lock. */
	uint32_t functions;
	uint32_t queues_live;
	uint32_t queues_peak;
	uint64_t refused;
	bool closed;
};

/** The last eighth of the queues that no group reserves is for those who have fewer than this. */
#define QM_DEV_QUEUES_FEW 16u

/**
 * Take a queue from the budget for the group.
 * @param has
 *   Live queues that the user has who asks.
 * @return Whether there was one.
 */
bool qm_dev_group_take(struct qm_dev_group *group, uint64_t has);
void qm_dev_group_put(struct qm_dev_group *group);

/** Count functions that come (1) and go (-1). */
void qm_dev_group_attach(struct qm_dev_group *group, int functions);

/** Whether a worker of the pool holds the table (qm_dev_worker.c); for qm_dev_map. */
bool qm_dev_pool_holds(const struct qm_dev_pool *pool, const struct qm_dev_map_table *table);

#endif /* QM_DEV_GROUP_H */
