/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "hisi_extmem.h"

/*
 * Memory that the application brought, and tells of by rte_dev_dma_map(). A service needs the
 * file behind it, which EAL does not know: the kernel says which one it is, and the descriptor
 * that the application mapped it with is sought among those that are open.
 */

/** A range that was mapped; kept to be registered again with a service that was restarted. */
struct hisi_extmem {
	SLIST_ENTRY(hisi_extmem) next;
	char *va;
	size_t len;
	int fd; /* ours */
	uint64_t offset;
};

/* The file that is mapped somewhere. */
struct file_at {
	dev_t dev;
	uint64_t inode;
	uint64_t offset;
};

/* A line of /proc/self/maps. */
struct mapping {
	uintptr_t start, end;
	char rights[5];
	struct file_at file;
};

static bool
parse(const char *line, struct mapping *m)
{
	unsigned int major, minor;

	if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %x:%x %" SCNu64, &m->start,
			&m->end, m->rights, &m->file.offset, &major, &minor,
			&m->file.inode) != 7)
		return false;
	m->file.dev = makedev(major, minor);
	return true;
}

/*
 * What is mapped in [va, va + len): one file without gaps, shared, to be read and written. The
 * kernel may list it in parts. Returns -EFAULT if it is something else.
 */
static int
file_at(uintptr_t va, size_t len, struct file_at *file)
{
	uintptr_t at = va; /* what is before it is as it should be */
	char line[512];
	struct mapping m;
	FILE *f = fopen("/proc/self/maps", "re");

	if (f == NULL)
		return -errno;
	while (at < va + len && fgets(line, sizeof(line), f) != NULL) {
		/* The rest of a line with a long path begins with no address. */
		if (!parse(line, &m) || m.end <= at)
			continue;
		m.file.offset += at - m.start;
		if (m.start > at || m.rights[0] != 'r' || m.rights[1] != 'w' ||
				m.rights[3] != 's')
			break;
		if (at == va)
			*file = m.file;
		else if (m.file.dev != file->dev || m.file.inode != file->inode ||
				m.file.offset != file->offset + (at - va))
			break;
		at = m.end;
	}
	fclose(f);
	return at >= va + len ? 0 : -EFAULT;
}

/* A descriptor of our own for the file, or -EBADF: none is open for reading and writing. */
static int
open_file(const struct file_at *file)
{
	DIR *dir = opendir("/proc/self/fd");
	int found = -EBADF;
	struct dirent *e;

	if (dir == NULL)
		return -errno;
	while (found == -EBADF && (e = readdir(dir)) != NULL) {
		struct stat st;
		int fd = atoi(e->d_name);

		/* . and .. give 0, which is checked once more then. */
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_dev != file->dev ||
				st.st_ino != file->inode ||
				(fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR)
			continue;
		found = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (found < 0)
			found = -errno;
	}
	closedir(dir);
	return found;
}

static void
forget(struct hisi_extmem *e)
{
	close(e->fd);
	free(e);
}

/* Is part of it mapped? The lock is held. */
static bool
overlaps(const struct hisi_ap *ap, const char *va, size_t len)
{
	const struct hisi_extmem *e;

	SLIST_FOREACH(e, &ap->extmem, next)
		if (va < e->va + e->len && e->va < va + len)
			return true;
	return false;
}

static int
map(struct hisi_ap *ap, char *va, size_t len)
{
	struct hisi_extmem *e;
	struct file_at file;
	int ret;

	/* Nothing, or over the end of the address space. */
	if ((uintptr_t)va + len <= (uintptr_t)va)
		return -EINVAL;
	e = malloc(sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	ret = file_at((uintptr_t)va, len, &file);
	if (ret == 0)
		ret = open_file(&file);
	if (ret < 0) {
		free(e);
		return ret;
	}
	*e = (struct hisi_extmem){ .va = va, .len = len, .fd = ret, .offset = file.offset };
	pthread_mutex_lock(&ap->extmem_lock);
	ret = spim_mem_map(ap->spim, e->va, e->len, e->fd, e->offset);
	/* A function that is gone is told of it when it is opened again: we say what it would. */
	if (ret == -ENOTCONN)
		ret = overlaps(ap, va, len) ? -EEXIST : 0;
	if (ret == 0)
		SLIST_INSERT_HEAD(&ap->extmem, e, next);
	pthread_mutex_unlock(&ap->extmem_lock);
	if (ret != 0)
		forget(e);
	return ret;
}

int
hisi_extmem_map(struct hisi_ap *ap, void *va, size_t len)
{
	int ret;

	if (!ap->info.mem_register)
		return 0;
	ret = map(ap, va, len);
	if (ret != 0)
		hisi_log_error(ap->driver, "%s: %zu bytes at %p cannot be mapped (%d), expected "
			"whole pages of one file, mapped shared to read and write, with a "
			"descriptor that is still open", ap->name, len, va, ret);
	return ret;
}

int
hisi_extmem_unmap(struct hisi_ap *ap, void *va, size_t len)
{
	struct hisi_extmem *e;
	int ret;

	if (!ap->info.mem_register)
		return 0;
	pthread_mutex_lock(&ap->extmem_lock);
	SLIST_FOREACH(e, &ap->extmem, next)
		if (e->va == va && e->len == len)
			break;
	if (e != NULL) {
		SLIST_REMOVE(&ap->extmem, e, hisi_extmem, next);
		ret = spim_mem_unmap(ap->spim, e->va, e->len);
		/* A function that is gone touches it no more. */
		if (ret == -ENOTCONN)
			ret = 0;
		forget(e);
	} else {
		ret = -ENOENT;
	}
	pthread_mutex_unlock(&ap->extmem_lock);
	if (ret != 0)
		hisi_log_error(ap->driver, "%s: %zu bytes at %p cannot be unmapped (%d), expected "
			"what was mapped before", ap->name, len, va, ret);
	return ret;
}

int
hisi_extmem_register(struct hisi_ap *ap)
{
	const struct hisi_extmem *e;
	int ret = 0;

	pthread_mutex_lock(&ap->extmem_lock);
	SLIST_FOREACH(e, &ap->extmem, next) {
		ret = spim_mem_map(ap->spim, e->va, e->len, e->fd, e->offset);
		/* Mapped since the function was opened. */
		if (ret == -EEXIST)
			ret = 0;
		if (ret != 0)
			break;
	}
	pthread_mutex_unlock(&ap->extmem_lock);
	return ret;
}

void
hisi_extmem_fini(struct hisi_ap *ap)
{
	struct hisi_extmem *e;

	while ((e = SLIST_FIRST(&ap->extmem)) != NULL) {
		SLIST_REMOVE_HEAD(&ap->extmem, next);
		forget(e);
	}
	pthread_mutex_destroy(&ap->extmem_lock);
}
