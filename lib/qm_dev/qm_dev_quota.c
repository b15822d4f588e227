/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What users may have, each and all together. */

#include <errno.h>
#include <stdbool.h>

#include "qm_dev.h"

/* What is wrong where nothing is left of the user's own, and of the budget of all. */
static const struct {
	const char *own;
	const char *all;
} why[QM_DEV_RESOURCES] = {
#define OWN(what) "too many " what " of its user"
#define ALL(what, where) "its user has its share of the " what " that " where " allows the service"
	[QM_DEV_QUEUES] = { OWN("queues"), OWN("queues") },
	[QM_DEV_SLOTS] = { OWN("requests"), OWN("requests") },
	[QM_DEV_CONTEXTS] = { OWN("streams"), OWN("streams") },
	[QM_DEV_MAPS] = { OWN("maps"), OWN("maps") },
	[QM_DEV_FILES] = { OWN("files"), OWN("files") },
	[QM_DEV_MEMORY] = { OWN("bytes of files"), ALL("addresses", "the kernel") },
	[QM_DEV_VMAS] = { OWN("mappings"), ALL("mappings", "vm.max_map_count") },
	[QM_DEV_FDS] = { OWN("descriptors"), ALL("descriptors", "RLIMIT_NOFILE") },
#undef OWN
#undef ALL
};

/* Add n to what is used, unless that is more than max then (0: no bound). */
static bool
count_in(_Atomic uint64_t *used, uint64_t max, uint64_t n, uint64_t *now)
{
	uint64_t v = atomic_load_explicit(used, memory_order_relaxed);

	do {
		if (max != 0 && (n > max || v > max - n))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(used, &v, v + n, memory_order_relaxed,
			memory_order_relaxed));
	*now = v + n;
	return true;
}

static void
count_out(_Atomic uint64_t *used, uint64_t n)
{
	atomic_fetch_sub_explicit(used, n, memory_order_relaxed);
}

int
qm_dev_quota_take(struct qm_dev_quota *quota, enum qm_dev_resource r, uint64_t n)
{
	struct qm_dev_budget *all;
	uint64_t own, sum;

	if (quota == NULL)
		return 0;
	if (!count_in(&quota->used[r], quota->max[r], n, &own))
		return -EDQUOT;
	all = quota->budget;
	if (all == NULL || all->max[r] == 0)
		return 0;
	if (count_in(&all->used[r], all->max[r], n, &sum)) {
		if ((own - 1) / QM_DEV_BUDGET_SHARE < all->max[r] - sum)
			return 0;
		count_out(&all->used[r], n);
	}
	count_out(&quota->used[r], n);
	return -ENFILE;
}

void
qm_dev_quota_put(struct qm_dev_quota *quota, enum qm_dev_resource r, uint64_t n)
{
	if (quota == NULL)
		return;
	count_out(&quota->used[r], n);
	if (quota->budget != NULL && quota->budget->max[r] != 0)
		count_out(&quota->budget->used[r], n);
}

const char *
qm_dev_quota_why(enum qm_dev_resource r, int rc)
{
	return rc == -ENFILE ? why[r].all : why[r].own;
}
