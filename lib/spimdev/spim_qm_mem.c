/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "spim_mem.h"
#include "spim_qm.h"

int
spim_qm_mem_init(struct spim_qm *d)
{
	d->small = spim_mem_alloc(&d->dev, SPIM_QM_SMALL_PAGES * (size_t)sysconf(_SC_PAGESIZE));
	return d->small != NULL ? 0 : -errno;
}

/* So many neighbouring pages out of the small ones, or NULL. They are zeroed. */
static uint8_t *
small_alloc(struct spim_qm *d, size_t len)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), n = spim_mem_pages(len) / page;
	uint8_t *va = NULL;

	if (n == 0 || n > SPIM_QM_SMALL_PAGES / 2)
		return NULL;
	pthread_mutex_lock(&d->dev.mem_lock);
	for (size_t i = 0; i + n <= SPIM_QM_SMALL_PAGES && va == NULL; i++) {
		const uint32_t pages = ((1u << n) - 1) << i;

		if ((d->small_used & pages) == 0) {
			d->small_used |= pages;
			va = d->small + i * page;
		}
	}
	pthread_mutex_unlock(&d->dev.mem_lock);
	return va;
}

/* @return Whether they were some of the small ones. */
static bool
small_free(struct spim_qm *d, uint8_t *va, size_t len)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), n = spim_mem_pages(len) / page;

	if (va < d->small || va >= d->small + SPIM_QM_SMALL_PAGES * page)
		return false;
	memset(va, 0, len);
	pthread_mutex_lock(&d->dev.mem_lock);
	d->small_used &= ~(((1u << n) - 1) << ((size_t)(va - d->small) / page));
	pthread_mutex_unlock(&d->dev.mem_lock);
	return true;
}

int
spim_qm_mem_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	struct spim_qm *d = priv;

	(void)align; /* a page is more than any ring wants */
	(void)socket;
	mem->va = small_alloc(d, len);
	if (mem->va == NULL)
		mem->va = spim_mem_alloc(&d->dev, len);
	if (mem->va == NULL)
		return -errno;
	mem->iova = (uintptr_t)mem->va;
	mem->len = len;
	return 0;
}

void
spim_qm_mem_free(void *priv, struct hisi_qm_mem *mem)
{
	struct spim_qm *d = priv;

	if (!small_free(d, mem->va, mem->len))
		spim_mem_free(&d->dev, mem->va);
}
