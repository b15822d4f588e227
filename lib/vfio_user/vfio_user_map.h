/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_MAP_H
#define VFIO_USER_MAP_H

/**
 * @file
 * The memory of one client: which device addresses mean which bytes of which
 * file. Maps are a balanced tree by address (a VM with an IOMMU makes tens of
 * thousands, and takes back hundreds with one message). Files are mapped
 * once each, however many maps lie in them: a mapping per map would hit
 * vm.max_map_count.
 *
 * One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A file, or a part of it, in this process. */
struct vfio_user_file {
	struct vfio_user_file *next; /**< In its hash bucket. */
	uint64_t dev, ino;           /**< Which file. */
	bool writable;
	uint64_t offset;             /**< First byte mapped. */
	uint64_t len;                /**< Bytes mapped. */
	uint8_t *va;
	void *cookie;                /**< Of mapped() below. */
	uint64_t refs;               /**< Maps in it, and calls that look at it. */
};

/** A map. */
struct vfio_user_map_node {
	struct vfio_user_map_node *left, *right;
	uint32_t prio; /**< Random: that is what balances the tree. */
	uint32_t prot; /**< VFIO_USER_DMA_F_*. */
	uint64_t iova;
	uint64_t last; /**< Last address, so that 2^64 - 1 can be in it. */
	struct vfio_user_file *file; /**< NULL: no fd came. */
	uint8_t *va;
};

#define VFIO_USER_FILE_BUCKETS 64u

/** All maps of a client. Zeroed: empty. */
struct vfio_user_map {
	struct vfio_user_map_node *root;
	struct vfio_user_file **files; /**< Hash by inode; NULL: none yet. */
	uint64_t mapped;  /**< Bytes of files mapped. */
	uint64_t seed;
	uint32_t cnt;     /**< Maps. */
	uint32_t nfiles;
	uint32_t cnt_max; /**< Limits. */
	uint32_t nfiles_max;
	uint64_t mapped_max;
	/** Told of a file that was mapped, and before it is unmapped; NULL: nobody. */
	int (*file_map)(void *arg, void *va, uint64_t len, void **cookie);
	void (*file_unmap)(void *arg, void *cookie);
	void *arg;        /**< Passed to these. */
};

/**
 * Get the mapping that has bytes [offset, offset + size) of fd's file, with a
 * reference; makes one if there is none.
 * @param why
 *   Set to what is wrong, for a log line.
 * @return 0, -EINVAL (not memory, or ends earlier), -EMFILE, -ENOSPC, -ENOMEM or mmap()'s.
 */
int vfio_user_file_get(struct vfio_user_map *map, int fd, uint64_t offset, uint64_t size,
		bool writable, struct vfio_user_file **file, const char **why);
/** Give a reference back; the last one unmaps. */
void vfio_user_file_put(struct vfio_user_map *map, struct vfio_user_file *file);

/**
 * Add a map of [iova, last]; takes the reference to file over if it succeeds.
 * @return 0, -EEXIST (overlaps), -ENOSPC (too many) or -ENOMEM.
 */
int vfio_user_map_add(struct vfio_user_map *map, uint64_t iova, uint64_t last, uint32_t prot,
		struct vfio_user_file *file, uint8_t *va);
/** The map that iova lies in; NULL: none. */
const struct vfio_user_map_node *vfio_user_map_find(const struct vfio_user_map *map,
		uint64_t iova);
/** The map with the lowest addresses that does not end before iova; NULL: none. */
const struct vfio_user_map_node *vfio_user_map_from(const struct vfio_user_map *map,
		uint64_t iova);
/** Whether [iova, last] has maps in it: 1, none: 0, -EINVAL: one lies half inside. */
int vfio_user_map_within(const struct vfio_user_map *map, uint64_t iova, uint64_t last);
/** Remove what is in [iova, last], none half inside. @return Sum of the sizes, modulo 2^64. */
uint64_t vfio_user_map_remove(struct vfio_user_map *map, uint64_t iova, uint64_t last);
/** Remove all, free what belongs to it. */
void vfio_user_map_fini(struct vfio_user_map *map);

#endif /* VFIO_USER_MAP_H */
