/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base_memfd.h"
#include "spim_mem.h"

size_t
spim_mem_pages(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return len > SIZE_MAX - page ? 0 : (len + page - 1) & ~(page - 1);
}

/* shared: memory that another process can be given. */
static int
chunk_map(struct spim_chunk *c, int shared)
{
	if (!shared) {
		c->fd = -1;
		c->va = mmap(NULL, c->len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return c->va != MAP_FAILED ? 0 : -errno;
	}
	c->fd = base_memfd_create("spimdev", c->len);
	if (c->fd < 0)
		return c->fd;
	c->va = mmap(NULL, c->len, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->va == MAP_FAILED) {
		int err = -errno;

		close(c->fd);
		return err;
	}
	/* A child would share the rings with its parent, and both would run them. */
	(void)madvise(c->va, c->len, MADV_DONTFORK);
	return 0;
}

static void
chunk_free(struct spim_chunk *c)
{
	munmap(c->va, c->len);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

void *
spim_mem_alloc(struct spim_dev *dev, size_t len)
{
	struct spim_chunk *c;
	int ret;

	c = malloc(sizeof(*c));
	if (c == NULL)
		return NULL;
	c->len = spim_mem_pages(len);
	ret = c->len == 0 ? -EINVAL : chunk_map(c, dev->info.mem_register);
	if (ret != 0) {
		free(c);
		errno = -ret;
		return NULL;
	}
	pthread_mutex_lock(&dev->mem_lock);
	ret = spim_mem_map(dev, c->va, c->len, c->fd, 0);
	/* A function that is gone is told when it is opened again. */
	if (ret == 0 || ret == -ENOTCONN) {
		LIST_INSERT_HEAD(&dev->chunks, c, link);
		ret = 0;
	}
	pthread_mutex_unlock(&dev->mem_lock);
	if (ret != 0) {
		chunk_free(c);
		errno = -ret;
		return NULL;
	}
	return c->va;
}

void
spim_mem_free(struct spim_dev *dev, void *va)
{
	struct spim_chunk *c;

	if (va == NULL)
		return;
	pthread_mutex_lock(&dev->mem_lock);
	LIST_FOREACH(c, &dev->chunks, link) {
		if (c->va == va) {
			LIST_REMOVE(c, link);
			spim_mem_unmap(dev, c->va, c->len);
			break;
		}
	}
	pthread_mutex_unlock(&dev->mem_lock);
	if (c != NULL)
		chunk_free(c);
}

int
spim_mem_register(struct spim_dev *dev)
{
	const struct spim_chunk *c;
	int ret = 0;

	pthread_mutex_lock(&dev->mem_lock);
	LIST_FOREACH(c, &dev->chunks, link) {
		ret = spim_mem_map(dev, c->va, c->len, c->fd, 0);
		if (ret == -EEXIST)
			ret = 0; /* new since the function was opened */
		if (ret != 0)
			break;
	}
	pthread_mutex_unlock(&dev->mem_lock);
	return ret;
}

void
spim_mem_fini(struct spim_dev *dev)
{
	while (!LIST_EMPTY(&dev->chunks))
		spim_mem_free(dev, LIST_FIRST(&dev->chunks)->va);
}
