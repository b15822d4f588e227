/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Access points, and the budget of queues. */

#include <errno.h>
#include <stdlib.h>

#include "qm_dev_group.h"
#include "qm_dev_sched.h"

int
qm_dev_group_create(struct qm_dev_pool *pool, uint32_t reserve, uint32_t weight,
		struct qm_dev_group **out)
{
	struct qm_dev_group *g;
	int rc = 0;

	if (weight == 0 || weight > QM_DEV_WEIGHT_MAX) {
		base_log(&pool->conf.log, BASE_LOG_ERR, pool->name, "weight %u, expected 1 to %u",
				weight, QM_DEV_WEIGHT_MAX);
		return -EINVAL;
	}
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return -ENOMEM;
	g->pool = pool;
	g->reserve = reserve;
	g->weight = weight;
	qm_dev_lock(&pool->lock);
	if (reserve > pool->conf.queues_max - pool->reserved - pool->shared_live)
		rc = -ENOSPC;
	else
		pool->reserved += reserve;
	qm_dev_unlock(&pool->lock);
	if (rc != 0) {
		base_log(&pool->conf.log, BASE_LOG_ERR, pool->name,
				"%u queues to reserve, expected at most what is free of %u",
				reserve, pool->conf.queues_max);
		free(g);
		return rc;
	}
	*out = g;
	return 0;
}

void
qm_dev_group_destroy(struct qm_dev_group *g)
{
	if (g == NULL)
		return;
	qm_dev_lock(&g->pool->lock);
	g->pool->reserved -= g->reserve;
	qm_dev_unlock(&g->pool->lock);
	free(g);
}

/* Queues that are left if one is taken that no group has reserved; negative: there is none. */
static int64_t
left(const struct qm_dev_pool *pool)
{
	return (int64_t)pool->conf.queues_max - pool->reserved - pool->shared_live - 1;
}

bool
qm_dev_group_take(struct qm_dev_group *g, uint64_t has)
{
	struct qm_dev_pool *pool = g->pool;
	bool reserved, ok;

	qm_dev_lock(&pool->lock);
	reserved = g->queues_live < g->reserve;
	ok = !g->closed && (reserved || left(pool) >= (has < QM_DEV_QUEUES_FEW ? 0 :
			(pool->conf.queues_max - pool->reserved) / 8));
	if (ok) {
		if (!reserved)
			pool->shared_live++;
		if (++g->queues_live > g->queues_peak)
			g->queues_peak = g->queues_live;
		if (++pool->queues_live > pool->queues_peak)
			pool->queues_peak = pool->queues_live;
	} else {
		g->refused++;
	}
	qm_dev_unlock(&pool->lock);
	return ok;
}

void
qm_dev_group_put(struct qm_dev_group *g)
{
	struct qm_dev_pool *pool = g->pool;

	qm_dev_lock(&pool->lock);
	if (g->queues_live > g->reserve)
		pool->shared_live--;
	g->queues_live--;
	pool->queues_live--;
	qm_dev_unlock(&pool->lock);
}

void
qm_dev_group_attach(struct qm_dev_group *g, int functions)
{
	qm_dev_lock(&g->pool->lock);
	g->functions += (uint32_t)functions;
	qm_dev_unlock(&g->pool->lock);
}

void
qm_dev_group_close(struct qm_dev_group *g, bool closed)
{
	qm_dev_lock(&g->pool->lock);
	g->closed = closed;
	qm_dev_unlock(&g->pool->lock);
}

void
qm_dev_group_stats_get(struct qm_dev_group *g, struct qm_dev_group_stats *stats)
{
	qm_dev_lock(&g->pool->lock);
	*stats = (struct qm_dev_group_stats){
		.functions = g->functions,
		.queues_live = g->queues_live,
		.queues_peak = g->queues_peak,
		.reserve = g->reserve,
		.weight = g->weight,
		.refused = g->refused,
	};
	qm_dev_unlock(&g->pool->lock);
}
