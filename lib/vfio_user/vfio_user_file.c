/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "vfio_user_fd.h"
#include "vfio_user_map.h"

static struct vfio_user_file **
bucket(const struct vfio_user_map *map, uint64_t ino)
{
	return &map->files[(ino * 0x9e3779b97f4a7c15ull) >> 32 & (VFIO_USER_FILE_BUCKETS - 1)];
}

/* Size of the pages that a file in memory is made of. */
static int
page_size(int fd, uint64_t *page)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return -errno;
	*page = (uint64_t)fs.f_type == HUGETLBFS_MAGIC ? (uint64_t)fs.f_bsize :
		(uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* Which part of a file to map, for the bytes [offset, offset + size) of it. */
static int
choose_part(const struct vfio_user_map *map, const struct vfio_user_file *other, uint64_t page,
		uint64_t file_size, uint64_t offset, uint64_t size, uint64_t *from, uint64_t *len)
{
	uint64_t left = map->mapped_max - map->mapped;
	uint64_t end = (file_size + page - 1) / page * page;

	/*
	 * All of it, as more maps will follow; a file that has grown (there is
	 * another part already) from here on, so that the sum stays linear.
	 */
	*from = other == NULL ? 0 : offset / page * page;
	*len = end - *from;
	if (*len <= left)
		return 0;
	*from = offset / page * page;
	*len = (offset + size + page - 1) / page * page - *from;
	return *len <= left ? 0 : -ENOSPC;
}

int
vfio_user_file_get(struct vfio_user_map *map, int fd, uint64_t offset, uint64_t size,
		bool writable, struct vfio_user_file **file, const char **why)
{
	struct vfio_user_file *f, *other = NULL;
	uint64_t page = 1, from, len;
	void *va, *cookie = NULL;
	struct stat st;
	int rc;

	/*
	 * Other file systems may have somebody behind them who never answers
	 * fstat() or a page fault (FUSE, a network).
	 */
	*why = "its fd is not a memfd or a file on tmpfs or hugetlbfs";
	if (!vfio_user_fd_is_memory(fd))
		return -EINVAL;
	*why = "fstat() of its fd";
	if (fstat(fd, &st) != 0)
		return -errno;
	rc = page_size(fd, &page);
	if (rc != 0)
		return rc;
	*why = "the file ends before offset + size";
	if (offset > (uint64_t)st.st_size || size > (uint64_t)st.st_size - offset)
		return -EINVAL;

	*why = "no memory";
	if (map->files == NULL) {
		map->files = calloc(VFIO_USER_FILE_BUCKETS, sizeof(map->files[0]));
		if (map->files == NULL)
			return -ENOMEM;
	}
	for (f = *bucket(map, st.st_ino); f != NULL; f = f->next) {
		if (f->dev != st.st_dev || f->ino != st.st_ino || (writable && !f->writable))
			continue;
		if (offset >= f->offset && offset - f->offset <= f->len &&
				size <= f->len - (offset - f->offset)) {
			f->refs++;
			*file = f;
			return 0;
		}
		other = f;
	}

	*why = "too many files";
	if (map->nfiles >= map->nfiles_max)
		return -EMFILE;
	*why = "too many bytes of files";
	rc = choose_part(map, other, page, (uint64_t)st.st_size, offset, size, &from, &len);
	if (rc != 0)
		return rc;
	*why = "mmap()";
	f = malloc(sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	/* No reservation: huge pages that the client never asks for are not ours to take. */
	va = mmap(NULL, len, writable ? PROT_READ | PROT_WRITE : PROT_READ,
			MAP_SHARED | MAP_NORESERVE, fd, (off_t)from);
	if (va == MAP_FAILED) {
		rc = -errno;
		free(f);
		return rc;
	}
	/* A client's data has no place in a core dump of ours. */
	madvise(va, len, MADV_DONTDUMP);
	*why = "the device";
	rc = map->file_map != NULL ? map->file_map(map->arg, va, len, &cookie) : 0;
	if (rc != 0) {
		munmap(va, len);
		free(f);
		return rc;
	}
	*f = (struct vfio_user_file){ .next = *bucket(map, st.st_ino), .dev = st.st_dev,
		.ino = st.st_ino, .writable = writable, .offset = from, .len = len, .va = va,
		.cookie = cookie, .refs = 1 };
	*bucket(map, st.st_ino) = f;
	map->nfiles++;
	map->mapped += len;
	*file = f;
	return 0;
}

void
vfio_user_file_put(struct vfio_user_map *map, struct vfio_user_file *file)
{
	struct vfio_user_file **link = bucket(map, file->ino);

	if (--file->refs != 0)
		return;
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	map->nfiles--;
	map->mapped -= file->len;
	if (map->file_unmap != NULL)
		map->file_unmap(map->arg, file->cookie);
	munmap(file->va, file->len);
	free(file);
}
