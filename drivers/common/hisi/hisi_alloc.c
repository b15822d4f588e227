/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

#include "hisi_alloc.h"
#include "hisi_compat.h"

/*
 * With pointers, or IOVAs that equal pointers, any heap memory is contiguous; else only a
 * memzone is. Every access point with a name uses pointers (spim_info.va).
 */
static int
mem_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	static RTE_ATOMIC(uint32_t) serial; /* memzone names must differ */
	const struct hisi_ap *ap = priv;
	const struct rte_memzone *mz;
	char name[RTE_MEMZONE_NAMESIZE];

	align = RTE_MAX(align, (size_t)RTE_CACHE_LINE_SIZE);
	mem->len = len;
	mem->handle = NULL;
	if (ap->io == NULL || rte_eal_iova_mode() == RTE_IOVA_VA) {
		mem->va = rte_zmalloc_socket(ap->driver->name, len, align, socket);
		mem->iova = (uintptr_t)mem->va;
		return mem->va != NULL ? 0 : -ENOMEM;
	}
	snprintf(name, sizeof(name), "%s_%" PRIu32, ap->driver->name,
		rte_atomic_fetch_add_explicit(&serial, 1, rte_memory_order_relaxed));
	mz = rte_memzone_reserve_aligned(name, len, socket, RTE_MEMZONE_IOVA_CONTIG, align);
	if (mz == NULL)
		return -ENOMEM;
	memset(mz->addr, 0, len);
	mem->va = mz->addr;
	mem->iova = mz->iova;
	mem->handle = (void *)(uintptr_t)mz;
	return 0;
}

static void
mem_free(void *priv, struct hisi_qm_mem *mem)
{
	RTE_SET_USED(priv);
	if (mem->handle != NULL)
		rte_memzone_free(mem->handle);
	else
		rte_free(mem->va);
	mem->va = NULL;
}

void
hisi_alloc_init(struct hisi_ap *ap)
{
	ap->mem = (struct hisi_qm_mem_ops){ .alloc = mem_alloc, .free = mem_free, .priv = ap };
}
