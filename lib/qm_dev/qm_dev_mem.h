/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_MEM_H
#define QM_DEV_MEM_H

/**
 * @file
 * Client memory as a worker sees it: the DMA map, views of it that keep what they
 * found valid, and buffers in it.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include "hisi_acc_sgl.h"

struct qm_dev;
struct qm_dev_guard;
struct qm_dev_pool;

/* ---- Files of the client (qm_dev_file.c); the lock of the map is held ---- */

/** A file, or a part of it, in this process. */
struct qm_dev_file {
	LIST_ENTRY(qm_dev_file) link;  /**< In its hash bucket. */
	LIST_ENTRY(qm_dev_file) idle_link; /**< In qm_dev_files.idle or doomed. */
	bool idle;                     /**< It is there. */
	bool writable;
	uint64_t dev, ino;             /**< Which file. */
	uint64_t offset;               /**< First byte mapped. */
	uint64_t len;                  /**< Bytes mapped. */
	uint64_t freed;                /**< Of them, at the front, unmapped again. */
	uint8_t *va;
	struct qm_dev_guard *guard;    /**< Against a client that shrinks it. */
	uint64_t refs;                 /**< Maps in it that the current table has. */
	uint64_t last_gen;             /**< Generation of the last table that had one more. */
};

/** Lists of files to begin with; a function with many files gets more. */
#define QM_DEV_FILE_BUCKETS 64u

LIST_HEAD(qm_dev_file_list, qm_dev_file);

/**
 * Those of a function. Each is mapped once, however many maps lie in it: a mapping per map
 * would hit vm.max_map_count.
 */
struct qm_dev_files {
	struct qm_dev_file_list few[QM_DEV_FILE_BUCKETS]; /**< Hash by inode, unless there is */
	struct qm_dev_file_list *many; /**< another, */
	uint32_t buckets;              /**< with so many lists, a power of 2. */
	struct qm_dev_file_list idle; /**< Those that had no map when last checked. */
	struct qm_dev_file_list doomed; /**< To be unmapped; no longer in a bucket. */
	uint32_t cnt;             /**< Those to be unmapped, too. */
	uint64_t mapped;          /**< Bytes. The same. */
};

/**
 * Get the mapping that has bytes [offset, offset + size) of fd's file, with a
 * reference; makes one if there is none.
 * @param why
 *   Set to what is wrong, for a log line.
 * @return
 *   0, -EINVAL (not memory, or ends earlier), -EMFILE, -ENOSPC, -EDQUOT, -ENFILE, -ENOMEM or
 *   mmap()'s.
 */
int qm_dev_file_get(struct qm_dev *dev, int fd, uint64_t offset, uint64_t size, bool writable,
		struct qm_dev_file **file, const char **why);

/** Put a reference; gen: of the table whose map it was, 0: none. */
void qm_dev_file_put(struct qm_dev *dev, struct qm_dev_file *file, uint64_t gen);

/**
 * Doom files without a reference that no table from generation oldest on has a map in; and unmap
 * them, unless qm_dev_conf.free_later says that others do.
 */
void qm_dev_files_reclaim(struct qm_dev *dev, uint64_t oldest);

/** Unmap all without a reference, whatever conf says; none has one any more. */
void qm_dev_files_fini(struct qm_dev *dev);

/* ---- Memory of the client (qm_dev_map.c, qm_dev_sgl.c) ---- */

struct qm_dev_map_entry {
	uint64_t iova;
	uint64_t last; /**< Last address, inclusive: a map may end at 2^64 - 1. */
	uintptr_t va;
	unsigned int prot;
	struct qm_dev_file *file; /**< That it is in; NULL: none. */
};

/** Some of the maps, sorted by address; never changed once published. */
struct qm_dev_map_chunk;

/**
 * All maps, sorted by address, in chunks that tables share; never changed once published
 * (but for link and dropped, which readers do not read).
 */
struct qm_dev_map_table {
	TAILQ_ENTRY(qm_dev_map_table) link; /**< In the list of retired tables. */
	SLIST_HEAD(, qm_dev_map_chunk) dropped; /**< Chunks to be freed with it. */
	uint64_t gen;                      /**< No two tables have the same. */
	size_t cnt;
	struct {
		uint64_t iova; /**< Of the chunk's first entry. */
		struct qm_dev_map_chunk *chunk;
	} part[];
};

/**
 * One user of the current table. A table that a view holds is not freed, and
 * qm_dev_dma_unmap_done() is not true before the view lets it go.
 */
struct qm_dev_view {
	_Atomic(struct qm_dev_map_table *) held; /**< NULL: the view holds none. */
	const struct qm_dev_map_table *table;    /**< The same, for the owner. */
	const struct qm_dev_map_entry *hint;     /**< Of the last hit, in table. */
	uint64_t gen;                             /**< Of table. */
	SLIST_ENTRY(qm_dev_view) link;
};

struct qm_dev_map {
	pthread_mutex_t lock; /**< Guards all but table. */
	_Atomic(struct qm_dev_map_table *) table;
	TAILQ_HEAD(, qm_dev_map_table) retired; /**< Oldest first. */
	SLIST_HEAD(, qm_dev_view) views;
	const struct qm_dev_pool *pool; /**< Whose workers use the map, too; may be NULL. */
	/** Whether a worker of the pool holds the table. */
	bool (*pool_holds)(const struct qm_dev_pool *pool, const struct qm_dev_map_table *table);
	uint32_t cnt;
	struct qm_dev_files files;
};

/** Of a zeroed map; pool and pool_holds are set if workers use it. */
int qm_dev_map_init(struct qm_dev_map *map);
/** Of dev->map; nobody uses it any more. */
void qm_dev_map_fini(struct qm_dev *dev);

/** Make a view known; it stays known until qm_dev_map_fini(). Not for those of workers. */
void qm_dev_view_add(struct qm_dev_map *map, struct qm_dev_view *view);

/** Get a reference to the current table; its addresses are good until the put. */
void qm_dev_view_get(struct qm_dev_map *map, struct qm_dev_view *view);
void qm_dev_view_put(struct qm_dev_view *view);

/**
 * Translate the start of [iova, iova + len).
 * @return Bytes at *va, at most len, that are inside one map which allows prot; 0: none.
 */
uint64_t qm_dev_view_run(struct qm_dev_view *view, uint64_t iova, uint64_t len,
		unsigned int prot, void **va);

/** Translate all of [iova, iova + len); NULL unless inside one map that allows prot. */
static inline void *
qm_dev_view_at(struct qm_dev_view *view, uint64_t iova, uint64_t len, unsigned int prot)
{
	void *va;

	return qm_dev_view_run(view, iova, len, prot, &va) == len ? va : NULL;
}

/** Most segments of a buffer. */
#define QM_DEV_IOV_MAX (HISI_ACC_SGE_MAX * HISI_ACC_SGL_MAX)

/** A buffer as segments of this process's memory. */
struct qm_dev_buf {
	struct iovec *iov; /**< QM_DEV_IOV_MAX elements. */
	unsigned int cnt;
	uint64_t len;      /**< Sum of the segments. */
	unsigned int walked; /**< Entries of the list that were looked at; 0: no list. */
};

/** Most entries without a byte that a list may have: none of our drivers makes any. */
#define QM_DEV_SGE_EMPTY_MAX (QM_DEV_IOV_MAX / 16)

/**
 * Describe len bytes at iova.
 * @return 0, -EFAULT (not all of them are memory it may use), -EINVAL (more segments than a buffer
 * has).
 */
int qm_dev_buf_flat(struct qm_dev_view *view, uint64_t iova, uint64_t len,
		unsigned int prot, struct qm_dev_buf *buf);

/**
 * Describe what the SGL at iova holds behind its first skip bytes, at most len
 * bytes; less than len if the list is shorter.
 * @return 0, -EFAULT (it, or a segment, is no memory that may be used), -EINVAL (the list).
 */
int qm_dev_buf_sgl(struct qm_dev_view *view, uint64_t iova, uint64_t skip, uint64_t len,
		unsigned int prot, struct qm_dev_buf *buf);

struct qm_dev_segment;

/** Room for qm_dev_buf_overlap() to sort in; NULL: out of memory. Freed with free(). */
struct qm_dev_segment *qm_dev_segments_alloc(void);

/**
 * Do the buffers share a byte? No copy and no codec is defined for
 * that, whatever the driver hopes for.
 */
bool qm_dev_buf_overlap(const struct qm_dev_buf *src, const struct qm_dev_buf *dst,
		struct qm_dev_segment *scratch);

/** Copy a buffer to another one of the same size; they do not share a byte. */
void qm_dev_buf_copy(const struct qm_dev_buf *src, const struct qm_dev_buf *dst);

/** Copy n bytes from or to a buffer at offset off; off + n <= buf->len. */
void qm_dev_buf_read(const struct qm_dev_buf *buf, uint64_t off, void *dst, size_t n);
void qm_dev_buf_write(const struct qm_dev_buf *buf, uint64_t off, const void *src, size_t n);

#endif /* QM_DEV_MEM_H */
