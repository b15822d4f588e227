/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zip_dev_internal.h"

static struct zip_dev_map_table *
table_alloc(size_t cnt)
{
	struct zip_dev_map_table *t = malloc(sizeof(*t) + cnt * sizeof(t->entry[0]));

	if (t == NULL)
		return NULL;
	t->next = NULL;
	t->cnt = cnt;
	return t;
}

int
zip_dev_map_init(struct zip_dev_map *map, const struct zip_dev_pool *pool)
{
	struct zip_dev_map_table *t = table_alloc(0);

	if (t == NULL)
		return -ENOMEM;
	pthread_mutex_init(&map->lock, NULL);
	atomic_init(&map->table, t);
	map->retired = NULL;
	map->views = NULL;
	map->pool = pool;
	return 0;
}

void
zip_dev_map_fini(struct zip_dev_map *map)
{
	struct zip_dev_map_table *t;

	while ((t = map->retired) != NULL) {
		map->retired = t->next;
		free(t);
	}
	free(atomic_load_explicit(&map->table, memory_order_relaxed));
	pthread_mutex_destroy(&map->lock);
}

void
zip_dev_view_add(struct zip_dev_map *map, struct zip_dev_view *view)
{
	atomic_init(&view->held, NULL);
	pthread_mutex_lock(&map->lock);
	view->next = map->views;
	map->views = view;
	pthread_mutex_unlock(&map->lock);
}

void
zip_dev_view_enter(struct zip_dev_map *map, struct zip_dev_view *view)
{
	struct zip_dev_map_table *t, *now = atomic_load_explicit(&map->table, memory_order_acquire);

	/*
	 * The table must be looked at again after the hold became visible: if
	 * it is still current, whoever replaces it later will see the hold.
	 */
	do {
		t = now;
		atomic_store_explicit(&view->held, t, memory_order_seq_cst);
		now = atomic_load_explicit(&map->table, memory_order_seq_cst);
	} while (t != now);

	if (view->table != t) {
		view->table = t;
		view->hint = 0;
	}
}

void
zip_dev_view_leave(struct zip_dev_view *view)
{
	atomic_store_explicit(&view->held, NULL, memory_order_release);
}

uint64_t
zip_dev_view_run(struct zip_dev_view *view, uint64_t iova, uint64_t len, unsigned int prot,
		void **va)
{
	const struct zip_dev_map_table *t = view->table;
	const struct zip_dev_map_entry *e;
	uint64_t left;

	if (view->hint < t->cnt) {
		e = &t->entry[view->hint];
		if (iova >= e->iova && iova <= e->last)
			goto found;
	}

	size_t lo = 0, hi = t->cnt; /* the entry is in [lo, hi) */

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->entry[mid].iova <= iova)
			lo = mid;
		else
			hi = mid;
	}
	if (hi == 0)
		return 0;
	e = &t->entry[lo];
	if (iova < e->iova || iova > e->last)
		return 0;
	view->hint = lo;

found:
	if ((e->prot & prot) != prot)
		return 0;
	*va = (void *)(e->va + (uintptr_t)(iova - e->iova));
	/* Bytes behind the first one, so that a map of 2^64 - 1 bytes does not overflow. */
	left = e->last - iova;
	return len == 0 || len - 1 <= left ? len : left + 1;
}

/* Free the retired tables that no view holds; lock is held. */
static void
reclaim(struct zip_dev_map *map)
{
	struct zip_dev_map_table **link = &map->retired;

	while (*link != NULL) {
		struct zip_dev_map_table *t = *link;
		const struct zip_dev_view *v = map->views;

		while (v != NULL && atomic_load_explicit(&v->held, memory_order_seq_cst) != t)
			v = v->next;
		if (v != NULL || (map->pool != NULL && zip_dev_pool_holds(map->pool, t))) {
			link = &t->next;
			continue;
		}
		*link = t->next;
		free(t);
	}
}

/* Put a new table in place of the current one; lock is held. */
static void
publish(struct zip_dev_map *map, struct zip_dev_map_table *t)
{
	struct zip_dev_map_table *old =
		atomic_exchange_explicit(&map->table, t, memory_order_seq_cst);

	old->next = map->retired;
	map->retired = old;
	reclaim(map);
}

int
zip_dev_dma_map(struct zip_dev *dev, uint64_t iova, uint64_t size, void *va, unsigned int prot)
{
	struct zip_dev_map *map = &dev->map;
	const struct zip_dev_map_table *old;
	struct zip_dev_map_table *t;
	size_t pos = 0;
	int rc = 0;

	if (size == 0 || size - 1 > UINT64_MAX - iova ||
			size - 1 > UINTPTR_MAX - (uintptr_t)va ||
			(iova - (uintptr_t)va) % HISI_ACC_SGL_ALIGN != 0 ||
			(prot & ~(ZIP_DEV_PROT_READ | ZIP_DEV_PROT_WRITE)) != 0)
		return -EINVAL;

	pthread_mutex_lock(&map->lock);
	old = atomic_load_explicit(&map->table, memory_order_relaxed);
	while (pos < old->cnt && old->entry[pos].last < iova)
		pos++;
	if (pos < old->cnt && old->entry[pos].iova <= iova + (size - 1)) {
		rc = -EEXIST;
		goto out;
	}
	t = table_alloc(old->cnt + 1);
	if (t == NULL) {
		rc = -ENOMEM;
		goto out;
	}
	memcpy(t->entry, old->entry, pos * sizeof(t->entry[0]));
	t->entry[pos] = (struct zip_dev_map_entry){
		.iova = iova, .last = iova + (size - 1), .va = (uintptr_t)va, .prot = prot,
	};
	memcpy(&t->entry[pos + 1], &old->entry[pos], (old->cnt - pos) * sizeof(t->entry[0]));
	publish(map, t);
out:
	pthread_mutex_unlock(&map->lock);
	return rc;
}

int
zip_dev_dma_unmap(struct zip_dev *dev, uint64_t iova, uint64_t size)
{
	struct zip_dev_map *map = &dev->map;
	const struct zip_dev_map_table *old;
	struct zip_dev_map_table *t;
	uint64_t last = iova + (size - 1);
	size_t out = 0;
	unsigned int turns = 0;
	int removed = 0;

	if (size == 0 || size - 1 > UINT64_MAX - iova)
		return -EINVAL;

	pthread_mutex_lock(&map->lock);
	old = atomic_load_explicit(&map->table, memory_order_relaxed);
	for (size_t i = 0; i < old->cnt; i++) {
		const struct zip_dev_map_entry *e = &old->entry[i];

		if (e->last < iova || e->iova > last)
			continue;
		if (e->iova < iova || e->last > last) {
			pthread_mutex_unlock(&map->lock);
			return -EINVAL;
		}
		removed++;
	}
	if (removed == 0) {
		pthread_mutex_unlock(&map->lock);
		return 0;
	}
	t = table_alloc(old->cnt - (size_t)removed);
	if (t == NULL) {
		pthread_mutex_unlock(&map->lock);
		return -ENOMEM;
	}
	for (size_t i = 0; i < old->cnt; i++)
		if (old->entry[i].last < iova || old->entry[i].iova > last)
			t->entry[out++] = old->entry[i];
	publish(map, t);
	/* Every table that was retired before may have the maps in it, too. */
	while (map->retired != NULL) {
		pthread_mutex_unlock(&map->lock);
		zip_dev_wait(&turns);
		pthread_mutex_lock(&map->lock);
		reclaim(map);
	}
	pthread_mutex_unlock(&map->lock);
	return removed;
}
