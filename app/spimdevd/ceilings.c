/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>

#include "ceilings.h"
#include "log.h"

/* The kernel's default of vm.max_map_count. */
#define MAPS_DEFAULT 65530

/* Blocks that malloc() maps each by itself; others lie in its heaps, which are few mappings. */
#define MALLOC_MAPS 1024

/* Bytes of addresses of a process: 47 bits everywhere. */
#define ADDRESSES (1ull << 47)

static uint64_t
maps(const char *file)
{
	FILE *f = fopen(file, "re");
	uint64_t n = 0;

	if (f != NULL) {
		if (fscanf(f, "%" SCNu64, &n) != 1)
			n = 0;
		fclose(f);
	}
	return n != 0 ? n : MAPS_DEFAULT;
}

static uint64_t
limit(int what, uint64_t most)
{
	struct rlimit lim;

	return getrlimit(what, &lim) == 0 && lim.rlim_cur < most ? lim.rlim_cur : most;
}

/* Never 0, which would be no bound. */
static uint64_t
share(uint64_t all)
{
	return all / 4 * 3 + 1;
}

void
ceilings_set(const char *maps_file, struct qm_dev_budget *budget)
{
	mallopt(M_MMAP_MAX, MALLOC_MAPS);
	budget->max[QM_DEV_VMAS] = share(maps(maps_file));
	budget->max[QM_DEV_FDS] = share(limit(RLIMIT_NOFILE, INT32_MAX));
	budget->max[QM_DEV_MEMORY] = share(limit(RLIMIT_AS, ADDRESSES));
	log_line(BASE_LOG_DEBUG, "clients may have %" PRIu64 " mappings, %" PRIu64
			" descriptors, %" PRIu64 " GiB of addresses",
			(uint64_t)budget->max[QM_DEV_VMAS], (uint64_t)budget->max[QM_DEV_FDS],
			(uint64_t)budget->max[QM_DEV_MEMORY] >> 30);
}
