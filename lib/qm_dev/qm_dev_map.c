/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qm_dev_func.h"

/** Entries of a chunk; a change of the map copies one or two chunks and the table. */
#define CHUNK_MAX 256

struct qm_dev_map_chunk {
	SLIST_ENTRY(qm_dev_map_chunk) link; /**< In qm_dev_map_table.dropped. */
	uint64_t birth;                 /**< Generation of the first table that has it. */
	size_t cnt;
	struct qm_dev_map_entry entry[];
};

/* Unique in the process: a worker goes from one function's map to another's. */
static _Atomic uint64_t generations;

static struct qm_dev_map_table *
table_alloc(size_t cnt)
{
	struct qm_dev_map_table *t = malloc(sizeof(*t) + cnt * sizeof(t->part[0]));

	if (t == NULL)
		return NULL;
	SLIST_INIT(&t->dropped);
	t->gen = 1 + atomic_fetch_add_explicit(&generations, 1, memory_order_relaxed);
	t->cnt = 0;
	return t;
}

static struct qm_dev_map_chunk *
chunk_alloc(const struct qm_dev_map_table *t, size_t cnt)
{
	struct qm_dev_map_chunk *c = malloc(sizeof(*c) + cnt * sizeof(c->entry[0]));

	if (c == NULL)
		return NULL;
	c->birth = t->gen;
	c->cnt = cnt;
	return c;
}

static void
table_add(struct qm_dev_map_table *t, struct qm_dev_map_chunk *c)
{
	t->part[t->cnt].iova = c->entry[0].iova;
	t->part[t->cnt++].chunk = c;
}

/* Free a table that was never published, and what was made for it. */
static void
table_discard(struct qm_dev_map_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->cnt; i++)
		if (t->part[i].chunk->birth == t->gen)
			free(t->part[i].chunk);
	free(t);
}

/* What is to be removed, and what that comes to. */
struct removal {
	uint64_t iova;
	uint64_t last;
	int cnt;
	uint64_t bytes;
};

static bool
is_out(const struct removal *r, const struct qm_dev_map_entry *e)
{
	return e->last < r->iova || e->iova > r->last;
}

/* Entries of a chunk that is dropped, as far as they are removed: their files may go with it. */
static void
put_entries(struct qm_dev *dev, const struct qm_dev_map_chunk *c, const struct removal *r,
		uint64_t gen)
{
	for (size_t k = 0; k < c->cnt; k++) {
		const struct qm_dev_map_entry *e = &c->entry[k];

		if (is_out(r, e))
			continue;
		qm_dev_quota_put(dev->conf.quota, QM_DEV_MAPS, 1);
		if (e->file != NULL)
			qm_dev_file_put(dev, e->file, gen);
	}
}

int
qm_dev_map_init(struct qm_dev_map *map)
{
	struct qm_dev_map_table *t = table_alloc(0);

	if (t == NULL)
		return -ENOMEM;
	pthread_mutex_init(&map->lock, NULL);
	atomic_init(&map->table, t);
	TAILQ_INIT(&map->retired);
	SLIST_INIT(&map->views);
	return 0;
}

void
qm_dev_map_fini(struct qm_dev *dev)
{
	const struct removal all = { .last = UINT64_MAX };
	struct qm_dev_map *map = &dev->map;
	struct qm_dev_map_table *t;
	struct qm_dev_map_chunk *dropped;

	while ((t = TAILQ_FIRST(&map->retired)) != NULL) {
		TAILQ_REMOVE(&map->retired, t, link);
		while ((dropped = SLIST_FIRST(&t->dropped)) != NULL) {
			SLIST_REMOVE_HEAD(&t->dropped, link);
			free(dropped);
		}
		free(t);
	}
	t = atomic_load_explicit(&map->table, memory_order_relaxed);
	for (size_t i = 0; i < t->cnt; i++) {
		struct qm_dev_map_chunk *c = t->part[i].chunk;

		put_entries(dev, c, &all, 0);
		free(c);
	}
	free(t);
	qm_dev_files_fini(dev);
	pthread_mutex_destroy(&map->lock);
}

/* ---- Views ---- */

void
qm_dev_view_add(struct qm_dev_map *map, struct qm_dev_view *view)
{
	atomic_init(&view->held, NULL);
	pthread_mutex_lock(&map->lock);
	SLIST_INSERT_HEAD(&map->views, view, link);
	pthread_mutex_unlock(&map->lock);
}

void
qm_dev_view_get(struct qm_dev_map *map, struct qm_dev_view *view)
{
	struct qm_dev_map_table *t, *now = atomic_load_explicit(&map->table, memory_order_acquire);

	/*
	 * The table must be read again after the hold became visible: if
	 * it is still current, whoever replaces it later will see the hold.
	 */
	do {
		t = now;
		atomic_store_explicit(&view->held, t, memory_order_relaxed);
		atomic_thread_fence(memory_order_seq_cst);
		now = atomic_load_explicit(&map->table, memory_order_acquire);
	} while (t != now);

	/* Not the address: another table may have got it since. */
	if (view->gen != t->gen) {
		view->gen = t->gen;
		view->table = t;
		view->hint = NULL;
	}
}

void
qm_dev_view_put(struct qm_dev_view *view)
{
	atomic_store_explicit(&view->held, NULL, memory_order_release);
}

/* The part that has the last entry that begins at or before iova, if any has; cnt is not 0. */
static size_t
find_part(const struct qm_dev_map_table *t, uint64_t iova)
{
	size_t lo = 0, hi = t->cnt; /* it is in [lo, hi) */

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->part[mid].iova <= iova)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Number of entries that end before iova. */
static size_t
find_entry(const struct qm_dev_map_chunk *c, uint64_t iova)
{
	size_t lo = 0, hi = c->cnt; /* the answer is in [lo, hi] */

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->entry[mid].last < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* @return The entry that iova is in, or NULL. */
static const struct qm_dev_map_entry *
find(const struct qm_dev_map_table *t, uint64_t iova)
{
	const struct qm_dev_map_chunk *c;
	size_t at;

	if (t->cnt == 0)
		return NULL;
	c = t->part[find_part(t, iova)].chunk;
	at = find_entry(c, iova);
	return at < c->cnt && c->entry[at].iova <= iova ? &c->entry[at] : NULL;
}

uint64_t
qm_dev_view_run(struct qm_dev_view *view, uint64_t iova, uint64_t len, unsigned int prot,
		void **va)
{
	const struct qm_dev_map_entry *e = view->hint;
	uint64_t left;

	if (e == NULL || iova < e->iova || iova > e->last) {
		e = find(view->table, iova);
		if (e == NULL)
			return 0;
		view->hint = e;
	}
	if ((e->prot & prot) != prot)
		return 0;
	*va = (void *)(e->va + (uintptr_t)(iova - e->iova));
	/* Bytes behind the first one, so that a map of 2^64 - 1 bytes does not overflow. */
	left = e->last - iova;
	return len == 0 || len - 1 <= left ? len : left + 1;
}

/* ---- Changes; the lock is held ---- */

static bool
is_held(const struct qm_dev_map *map, const struct qm_dev_map_table *t)
{
	const struct qm_dev_view *v;

	SLIST_FOREACH(v, &map->views, link)
		if (atomic_load_explicit(&v->held, memory_order_acquire) == t)
			return true;
	return map->pool != NULL && map->pool_holds(map->pool, t);
}

/*
 * Free what no view can reach. The retired tables are in the order of their
 * generations, and a chunk dropped with one of them is in all tables from its birth to
 * that one: so it can go unless one of these is held, and then it waits with the newest
 * of those.
 */
static void
reclaim(struct qm_dev *dev)
{
	struct qm_dev_map *map = &dev->map;
	struct qm_dev_map_table *t, *next, *held = NULL;

	for (t = TAILQ_FIRST(&map->retired); t != NULL; t = next) {
		struct qm_dev_map_chunk *c;

		next = TAILQ_NEXT(t, link);
		if (is_held(map, t)) {
			held = t;
			continue;
		}
		while ((c = SLIST_FIRST(&t->dropped)) != NULL) {
			SLIST_REMOVE_HEAD(&t->dropped, link);
			if (held != NULL && c->birth <= held->gen)
				SLIST_INSERT_HEAD(&held->dropped, c, link);
			else
				free(c);
		}
		TAILQ_REMOVE(&map->retired, t, link);
		free(t);
	}
	/* The same goes for files: those of whose maps a retired table knows wait for it. */
	t = TAILQ_FIRST(&map->retired);
	qm_dev_files_reclaim(dev, t != NULL ? t->gen : UINT64_MAX);
}

/* Put a new table in place of the current one. */
static void
publish(struct qm_dev *dev, struct qm_dev_map_table *t)
{
	struct qm_dev_map *map = &dev->map;
	struct qm_dev_map_table *old =
		atomic_load_explicit(&map->table, memory_order_relaxed);

	atomic_store_explicit(&map->table, t, memory_order_release);
	/* Whose hold is not seen from here on finds the new table, see qm_dev_view_get(). */
	atomic_thread_fence(memory_order_seq_cst);
	TAILQ_INSERT_TAIL(&map->retired, old, link);
	reclaim(dev);
}

/*
 * The table with entry e added in front of entry number at of part number p, whose
 * chunk is split if it is full. @return NULL: out of memory.
 */
static struct qm_dev_map_table *
table_insert(const struct qm_dev_map_table *old, size_t p, size_t at,
		const struct qm_dev_map_entry *e)
{
	static const struct qm_dev_map_chunk none;
	const struct qm_dev_map_chunk *c = old->cnt != 0 ? old->part[p].chunk : &none;
	struct qm_dev_map_table *t = table_alloc(old->cnt + 1);
	size_t n = c->cnt + 1, first = n <= CHUNK_MAX ? n : n / 2;

	if (t == NULL)
		return NULL;
	for (size_t i = 0; i < p; i++)
		table_add(t, old->part[i].chunk);
	for (size_t from = 0; from < n; from = first, first = n) {
		struct qm_dev_map_chunk *part = chunk_alloc(t, first - from);

		if (part == NULL) {
			table_discard(t);
			return NULL;
		}
		for (size_t i = from; i < first; i++)
			part->entry[i - from] = i < at ? c->entry[i] :
				i == at ? *e : c->entry[i - 1];
		table_add(t, part);
	}
	for (size_t i = p + 1; i < old->cnt; i++)
		table_add(t, old->part[i].chunk);
	return t;
}

/* Whether one more map may be made; pays for it, also if there is no file behind it. */
static int
pay(struct qm_dev *dev, const char **why)
{
	const struct qm_dev_limits *limits = &dev->conf.limits;
	int rc;

	*why = "too many maps";
	if (limits->maps != 0 && dev->map.cnt >= limits->maps)
		return -ENOSPC;
	rc = qm_dev_quota_take(dev->conf.quota, QM_DEV_MAPS, 1);
	if (rc != 0)
		*why = qm_dev_quota_why(QM_DEV_MAPS, rc);
	return rc;
}

static int
insert(struct qm_dev *dev, const struct qm_dev_map_entry *e, const char **why)
{
	struct qm_dev_map *map = &dev->map;
	struct qm_dev_map_table *old, *t;
	size_t p = 0, at = 0;
	int rc;

	old = atomic_load_explicit(&map->table, memory_order_relaxed);
	if (old->cnt != 0) {
		const struct qm_dev_map_chunk *c;

		p = find_part(old, e->iova);
		c = old->part[p].chunk;
		at = find_entry(c, e->iova);
		*why = "it overlaps another map";
		if (at < c->cnt ? c->entry[at].iova <= e->last :
				p + 1 < old->cnt && old->part[p + 1].iova <= e->last)
			return -EEXIST;
	}
	rc = pay(dev, why);
	if (rc != 0)
		return rc;
	*why = "no memory";
	t = table_insert(old, p, at, e);
	if (t == NULL) {
		qm_dev_quota_put(dev->conf.quota, QM_DEV_MAPS, 1);
		return -ENOMEM;
	}
	if (old->cnt != 0)
		SLIST_INSERT_HEAD(&old->dropped, old->part[p].chunk, link);
	map->cnt++;
	publish(dev, t);
	return 0;
}

static bool
is_map(uint64_t iova, uint64_t size, uintptr_t va, unsigned int prot)
{
	return size != 0 && size - 1 <= UINT64_MAX - iova && size - 1 <= UINTPTR_MAX - va &&
		(iova - va) % HISI_ACC_SGL_ALIGN == 0 &&
		(prot & ~(QM_DEV_PROT_READ | QM_DEV_PROT_WRITE)) == 0;
}

int
qm_dev_dma_map(struct qm_dev *dev, uint64_t iova, uint64_t size, void *va, unsigned int prot)
{
	const struct qm_dev_map_entry e = {
		.iova = iova, .last = iova + (size - 1), .va = (uintptr_t)va, .prot = prot,
	};
	const char *why;
	int rc;

	if (!is_map(iova, size, (uintptr_t)va, prot))
		return -EINVAL;
	pthread_mutex_lock(&dev->map.lock);
	rc = insert(dev, &e, &why);
	pthread_mutex_unlock(&dev->map.lock);
	return rc;
}

int
qm_dev_dma_map_file(struct qm_dev *dev, uint64_t iova, uint64_t size, int fd, uint64_t offset,
		unsigned int prot, const char **why)
{
	struct qm_dev_map_entry e = { .iova = iova, .last = iova + (size - 1), .prot = prot };
	int rc;

	/* Files are mapped to whole pages. */
	*why = "its range";
	if (!is_map(iova, size, (uintptr_t)(offset % HISI_ACC_SGL_ALIGN), prot))
		return -EINVAL;
	pthread_mutex_lock(&dev->map.lock);
	rc = qm_dev_file_get(dev, fd, offset, size, (prot & QM_DEV_PROT_WRITE) != 0, &e.file, why);
	if (rc == 0) {
		e.va = (uintptr_t)(e.file->va + (offset - e.file->offset));
		rc = insert(dev, &e, why);
		if (rc != 0) {
			qm_dev_file_put(dev, e.file, 0);
			reclaim(dev);
		}
	}
	pthread_mutex_unlock(&dev->map.lock);
	return rc;
}

/*
 * The table without the entries of r. Small chunks are merged, so that there are never
 * many. @return 0, -EINVAL: an entry lies half inside; -ENOMEM.
 */
static int
table_remove(const struct qm_dev_map_table *old, struct removal *r,
		struct qm_dev_map_table **out)
{
	struct qm_dev_map_table *t = table_alloc(old->cnt);

	if (t == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < old->cnt; i++) {
		struct qm_dev_map_chunk *c = old->part[i].chunk, *prev, *merged;
		size_t keep = 0, n;

		/* Chunks that r does not reach stay; most are such. */
		if (c->entry[c->cnt - 1].last < r->iova || c->entry[0].iova > r->last) {
			table_add(t, c);
			continue;
		}
		for (size_t k = 0; k < c->cnt; k++) {
			const struct qm_dev_map_entry *e = &c->entry[k];

			if (is_out(r, e)) {
				keep++;
			} else if (e->iova < r->iova || e->last > r->last) {
				table_discard(t);
				return -EINVAL;
			} else {
				r->cnt++;
				r->bytes += e->last - e->iova + 1;
			}
		}
		if (keep == c->cnt) {
			table_add(t, c);
			continue;
		}
		if (keep == 0)
			continue;
		prev = t->cnt != 0 ? t->part[t->cnt - 1].chunk : NULL;
		if (prev != NULL && prev->cnt + keep > CHUNK_MAX / 2)
			prev = NULL;
		n = prev != NULL ? prev->cnt : 0;
		merged = chunk_alloc(t, n + keep);
		if (merged == NULL) {
			table_discard(t);
			return -ENOMEM;
		}
		if (prev != NULL) {
			memcpy(merged->entry, prev->entry, n * sizeof(prev->entry[0]));
			if (prev->birth == t->gen)
				free(prev);
			t->cnt--;
		}
		for (size_t k = 0; k < c->cnt; k++)
			if (is_out(r, &c->entry[k]))
				merged->entry[n++] = c->entry[k];
		table_add(t, merged);
	}
	*out = t;
	return 0;
}

int
qm_dev_dma_unmap_start(struct qm_dev *dev, uint64_t iova, uint64_t size, uint64_t *ticket,
		uint64_t *bytes)
{
	struct qm_dev_map *map = &dev->map;
	struct removal r = { .iova = iova, .last = iova + (size - 1) };
	struct qm_dev_map_table *old, *t;
	int rc;

	if ((size == 0 && iova != 0) || size - 1 > UINT64_MAX - iova)
		return -EINVAL;
	pthread_mutex_lock(&map->lock);
	old = atomic_load_explicit(&map->table, memory_order_relaxed);
	*ticket = 0;
	rc = table_remove(old, &r, &t);
	if (rc == 0 && r.cnt == 0) {
		table_discard(t);
	} else if (rc == 0) {
		size_t kept = 0;

		/* Both are in the same order: what the new one does not have is dropped. */
		for (size_t i = 0; i < old->cnt; i++) {
			while (kept < t->cnt && t->part[kept].chunk->birth == t->gen)
				kept++;
			if (kept < t->cnt && t->part[kept].chunk == old->part[i].chunk) {
				kept++;
				continue;
			}
			put_entries(dev, old->part[i].chunk, &r, old->gen);
			SLIST_INSERT_HEAD(&old->dropped, old->part[i].chunk, link);
		}
		map->cnt -= (uint32_t)r.cnt;
		*ticket = old->gen;
		publish(dev, t);
		rc = r.cnt;
	}
	if (bytes != NULL)
		*bytes = r.bytes;
	pthread_mutex_unlock(&map->lock);
	return rc;
}

bool
qm_dev_dma_unmap_done(struct qm_dev *dev, uint64_t ticket)
{
	struct qm_dev_map *map = &dev->map;
	const struct qm_dev_map_table *oldest;
	bool done;

	pthread_mutex_lock(&map->lock);
	reclaim(dev);
	/* Every table that was retired before may have the maps in it, too. */
	oldest = TAILQ_FIRST(&map->retired);
	done = oldest == NULL || oldest->gen > ticket;
	pthread_mutex_unlock(&map->lock);
	return done;
}
