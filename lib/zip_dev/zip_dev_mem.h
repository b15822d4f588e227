/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_MEM_H
#define ZIP_DEV_MEM_H

/**
 * @file
 * Client memory as the engine sees it: the DMA map, views of it that keep what they
 * found valid, and buffers in it.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "hisi_acc_sgl.h"

struct zip_dev_pool;

/* ---- Memory of the client (zip_dev_map.c, zip_dev_sgl.c) ---- */

struct zip_dev_map_entry {
	uint64_t iova;
	uint64_t last; /**< Last address, inclusive: a map may end at 2^64 - 1. */
	uintptr_t va;
	unsigned int prot;
};

/** Some of the maps, sorted by address; never changed once published. */
struct zip_dev_map_chunk;

/**
 * All maps, sorted by address, in chunks that tables share; never changed once published
 * (but for next and dropped, which readers do not look at).
 */
struct zip_dev_map_table {
	struct zip_dev_map_table *next;    /**< In the list of retired tables. */
	struct zip_dev_map_chunk *dropped; /**< Chunks to be freed with it. */
	uint64_t gen;                      /**< No two tables have the same. */
	size_t cnt;
	struct {
		uint64_t iova; /**< Of the chunk's first entry. */
		struct zip_dev_map_chunk *chunk;
	} part[];
};

/**
 * One user of the current table. A table that a view holds is not freed, and
 * zip_dev_dma_unmap() does not return before the view lets it go.
 */
struct zip_dev_view {
	_Atomic(struct zip_dev_map_table *) held; /**< NULL between enter and leave. */
	const struct zip_dev_map_table *table;    /**< The same, for the owner. */
	const struct zip_dev_map_entry *hint;     /**< Of the last hit, in table. */
	uint64_t gen;                             /**< Of table. */
	struct zip_dev_view *next;
};

struct zip_dev_map {
	pthread_mutex_t lock; /**< Guards all but table. */
	_Atomic(struct zip_dev_map_table *) table;
	struct zip_dev_map_table *retired;       /**< Oldest first. */
	struct zip_dev_map_table **retired_tail; /**< Where the next one is linked. */
	struct zip_dev_view *views;
	const struct zip_dev_pool *pool; /**< Whose workers use the map, too; may be NULL. */
	uint32_t cnt;
	uint64_t bytes;
};

int zip_dev_map_init(struct zip_dev_map *map, const struct zip_dev_pool *pool);
void zip_dev_map_fini(struct zip_dev_map *map);

/** Whether a worker of the pool holds the table. */
bool zip_dev_pool_holds(const struct zip_dev_pool *pool, const struct zip_dev_map_table *table);

/** Make a view known; it stays known until zip_dev_map_fini(). Not for those of workers. */
void zip_dev_view_add(struct zip_dev_map *map, struct zip_dev_view *view);

/** Take hold of the current table; addresses got from it are good until leave. */
void zip_dev_view_enter(struct zip_dev_map *map, struct zip_dev_view *view);
void zip_dev_view_leave(struct zip_dev_view *view);

/**
 * Translate the start of [iova, iova + len).
 * @return Bytes at *va, at most len, that are inside one map which allows prot; 0: none.
 */
uint64_t zip_dev_view_run(struct zip_dev_view *view, uint64_t iova, uint64_t len,
		unsigned int prot, void **va);

/** Translate all of [iova, iova + len); NULL unless inside one map that allows prot. */
static inline void *
zip_dev_view_at(struct zip_dev_view *view, uint64_t iova, uint64_t len, unsigned int prot)
{
	void *va;

	return zip_dev_view_run(view, iova, len, prot, &va) == len ? va : NULL;
}

/** A buffer as pieces of this process's memory. */
struct zip_dev_buf {
	struct iovec *iov; /**< ZIP_DEV_IOV_MAX elements. */
	unsigned int cnt;
	uint64_t len;      /**< Sum of the pieces. */
};

/** Describe len bytes at iova. @return enum hisi_zip_status. */
uint32_t zip_dev_buf_flat(struct zip_dev_view *view, uint64_t iova, uint64_t len,
		unsigned int prot, struct zip_dev_buf *buf);

/**
 * Describe what the SGL at iova holds behind its first skip bytes, at most len
 * bytes; less than len if the list is shorter. @return enum hisi_zip_status.
 */
uint32_t zip_dev_buf_sgl(struct zip_dev_view *view, uint64_t iova, uint64_t skip, uint64_t len,
		unsigned int prot, struct zip_dev_buf *buf);

struct zip_dev_piece;

/** Room for zip_dev_buf_overlap() to sort in; NULL: out of memory. Freed with free(). */
struct zip_dev_piece *zip_dev_pieces_alloc(void);

/**
 * Do the buffers share a byte? No copy or codec in the engine is defined for
 * that, whatever the driver hopes for.
 */
bool zip_dev_buf_overlap(const struct zip_dev_buf *src, const struct zip_dev_buf *dst,
		struct zip_dev_piece *scratch);

/** Copy n bytes from or to a buffer at offset off; off + n <= buf->len. */
void zip_dev_buf_read(const struct zip_dev_buf *buf, uint64_t off, void *dst, size_t n);
void zip_dev_buf_write(const struct zip_dev_buf *buf, uint64_t off, const void *src, size_t n);

#endif /* ZIP_DEV_MEM_H */
