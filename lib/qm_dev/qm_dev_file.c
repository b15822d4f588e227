/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "qm_dev_func.h"
#include "qm_dev_guard.h"

static uint32_t
bucket_num(uint64_t ino, uint32_t buckets)
{
	return (uint32_t)((ino * 0x9e3779b97f4a7c15ull) >> 32) & (buckets - 1);
}

static uint32_t
bucket_cnt(const struct qm_dev_files *files)
{
	return files->many != NULL ? files->buckets : QM_DEV_FILE_BUCKETS;
}

static struct qm_dev_file_list *
bucket(struct qm_dev_files *files, uint64_t ino)
{
	return (files->many != NULL ? files->many : files->few) +
		bucket_num(ino, bucket_cnt(files));
}

/* More lists, if they are long: with pages of 2 MiB there may be a file for each. */
static void
make_room(struct qm_dev_files *files)
{
	uint32_t had = bucket_cnt(files), n = 4 * had;
	struct qm_dev_file_list *old = files->many != NULL ? files->many : files->few, *new;
	struct qm_dev_file *f;

	if (files->cnt < 2 * had)
		return;
	new = calloc(n, sizeof(*new));
	if (new == NULL)
		return; /* long lists serve as well */
	for (uint32_t i = 0; i < had; i++) {
		while ((f = LIST_FIRST(&old[i])) != NULL) {
			LIST_REMOVE(f, link);
			LIST_INSERT_HEAD(&new[bucket_num(f->ino, n)], f, link);
		}
	}
	free(files->many);
	files->many = new;
	files->buckets = n;
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

/*
 * Which part of a file to map, for the bytes [offset, offset + size) of it. left: bytes that may
 * be mapped yet.
 */
static int
choose_part(uint64_t left, const struct qm_dev_file *other, uint64_t page, uint64_t file_size,
		uint64_t offset, uint64_t size, uint64_t *from, uint64_t *len)
{
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

/* Map a part of a file, guarded. */
static int
file_map(struct qm_dev *dev, int fd, uint64_t from, uint64_t len, bool writable,
		struct qm_dev_file **file, const char **why)
{
	struct qm_dev_file *f = calloc(1, sizeof(*f));
	void *va;
	int rc;

	*why = "mmap()";
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
	*why = "no guard";
	rc = qm_dev_guard_add(dev, va, len, &f->guard);
	if (rc != 0) {
		munmap(va, len);
		free(f);
		return rc;
	}
	f->writable = writable;
	f->offset = from;
	f->len = len;
	f->va = va;
	*file = f;
	return 0;
}

/* What a mapping of a file takes. */
static const enum qm_dev_resource price[] = { QM_DEV_FILES, QM_DEV_VMAS, QM_DEV_MEMORY };
#define PRICES (sizeof(price) / sizeof(price[0]))

static uint64_t
price_of(size_t i, uint64_t len)
{
	return price[i] == QM_DEV_MEMORY ? len : 1;
}

static void
give_back(struct qm_dev *dev, size_t paid, uint64_t len)
{
	while (paid-- != 0)
		qm_dev_quota_put(dev->conf.quota, price[paid], price_of(paid, len));
}

/* The same, paid for. */
static int
file_map_paid(struct qm_dev *dev, int fd, uint64_t from, uint64_t len, bool writable,
		struct qm_dev_file **file, const char **why)
{
	size_t paid = 0;
	int rc = 0;

	while (paid < PRICES) {
		rc = qm_dev_quota_take(dev->conf.quota, price[paid], price_of(paid, len));
		if (rc != 0) {
			*why = qm_dev_quota_why(price[paid], rc);
			break;
		}
		paid++;
	}
	if (rc == 0)
		rc = file_map(dev, fd, from, len, writable, file, why);
	if (rc != 0)
		give_back(dev, paid, len);
	return rc;
}

int
qm_dev_file_get(struct qm_dev *dev, int fd, uint64_t offset, uint64_t size, bool writable,
		struct qm_dev_file **file, const char **why)
{
	const struct qm_dev_limits *limits = &dev->conf.limits;
	struct qm_dev_files *files = &dev->map.files;
	struct qm_dev_file *f, *other = NULL;
	uint64_t page = 1, from, len;
	struct stat st;
	int rc;

	/*
	 * Other file systems may have somebody behind them who never answers
	 * fstat() or a page fault (FUSE, a network). Files of these have seals, and no others.
	 */
	*why = "its fd is not a memfd or a file on tmpfs or hugetlbfs";
	if (fcntl(fd, F_GET_SEALS) < 0)
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

	LIST_FOREACH(f, bucket(files, st.st_ino), link) {
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
	if (limits->files != 0 && files->cnt >= limits->files)
		return -EMFILE;
	*why = "too many bytes of files";
	rc = choose_part(limits->memory != 0 ? limits->memory - files->mapped : UINT64_MAX, other,
			page, (uint64_t)st.st_size, offset, size, &from, &len);
	if (rc == 0)
		rc = file_map_paid(dev, fd, from, len, writable, &f, why);
	if (rc != 0)
		return rc;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->refs = 1;
	make_room(files);
	LIST_INSERT_HEAD(bucket(files, st.st_ino), f, link);
	files->cnt++;
	files->mapped += len;
	*file = f;
	return 0;
}

void
qm_dev_file_put(struct qm_dev *dev, struct qm_dev_file *file, uint64_t gen)
{
	struct qm_dev_files *files = &dev->map.files;

	if (gen > file->last_gen)
		file->last_gen = gen;
	if (--file->refs != 0 || file->idle)
		return;
	file->idle = true;
	LIST_INSERT_HEAD(&files->idle, file, idle_link);
}

/* ---- The end of a mapping ---- */

/* @return Whether there is more of the file. No lock is held, or any. */
static bool
unmap_some(struct qm_dev_file *f)
{
	uint64_t left = f->len - f->freed, n = left < QM_DEV_UNMAP_STEP ? left :
		QM_DEV_UNMAP_STEP;

	/* Who knows only a front that is no whole huge page wants all: then these are few. */
	if (munmap(f->va + f->freed, n) != 0 && n != left) {
		n = left;
		munmap(f->va + f->freed, n);
	}
	f->freed += n;
	return n != left;
}

/* It is unmapped; the lock is held. */
static void
file_forget(struct qm_dev *dev, struct qm_dev_file *f)
{
	struct qm_dev_files *files = &dev->map.files;

	LIST_REMOVE(f, idle_link);
	files->cnt--;
	files->mapped -= f->len;
	give_back(dev, PRICES, f->len);
	free(f);
}

bool
qm_dev_dma_free(struct qm_dev *dev)
{
	struct qm_dev_files *files = &dev->map.files;
	struct qm_dev_file *f;
	bool more;

	pthread_mutex_lock(&dev->map.lock);
	f = LIST_FIRST(&files->doomed);
	pthread_mutex_unlock(&dev->map.lock);
	if (f == NULL)
		return false;
	more = unmap_some(f);
	if (more)
		return true;
	pthread_mutex_lock(&dev->map.lock);
	file_forget(dev, f);
	more = !LIST_EMPTY(&files->doomed);
	pthread_mutex_unlock(&dev->map.lock);
	return more;
}

bool
qm_dev_dma_to_free(struct qm_dev *dev)
{
	bool some;

	pthread_mutex_lock(&dev->map.lock);
	some = !LIST_EMPTY(&dev->map.files.doomed);
	pthread_mutex_unlock(&dev->map.lock);
	return some;
}

static void
free_doomed(struct qm_dev *dev)
{
	struct qm_dev_file *f;

	while ((f = LIST_FIRST(&dev->map.files.doomed)) != NULL) {
		while (unmap_some(f))
			;
		file_forget(dev, f);
	}
}

void
qm_dev_files_reclaim(struct qm_dev *dev, uint64_t oldest)
{
	struct qm_dev_files *files = &dev->map.files;
	struct qm_dev_file *f, *next;

	for (f = LIST_FIRST(&files->idle); f != NULL; f = next) {
		next = LIST_NEXT(f, idle_link);
		if (f->refs == 0 && f->last_gen >= oldest)
			continue;
		LIST_REMOVE(f, idle_link);
		f->idle = false;
		if (f->refs != 0)
			continue;
		LIST_REMOVE(f, link);
		qm_dev_guard_del(f->guard);
		LIST_INSERT_HEAD(&files->doomed, f, idle_link);
	}
	if (!dev->conf.free_later)
		free_doomed(dev);
}

void
qm_dev_files_fini(struct qm_dev *dev)
{
	qm_dev_files_reclaim(dev, UINT64_MAX);
	free_doomed(dev);
	free(dev->map.files.many);
}
