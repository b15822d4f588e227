/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "test_spim_client.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct told_client told;
unsigned int locks_held;
const struct vfio_user_spim spim = { .doorbell_region = 7,
	.wake_region = 5, .wake_offset = 0x123 };

__typeof__(vfio_user_client_connect) __wrap_vfio_user_client_connect;
int
__wrap_vfio_user_client_connect(const char *path, const struct vfio_user_client_conf *conf,
		struct vfio_user_client **client)
{
	assert_string_equal(path, "the path");
	assert_int_equal(conf->timeout_ms, 30000);
	assert_int_equal(conf->spim, 1);
	if (told.connect != 0)
		return told.connect;
	*client = &told.clients[told.connects++];
	return 0;
}

__typeof__(vfio_user_client_close) __wrap_vfio_user_client_close;
void
__wrap_vfio_user_client_close(struct vfio_user_client *client)
{
	assert_int_equal(locks_held, 0);
	if (client == NULL)
		return;
	told.client = client;
	told.closes++;
}

__typeof__(vfio_user_client_spim) __wrap_vfio_user_client_spim;
const struct vfio_user_spim *
__wrap_vfio_user_client_spim(const struct vfio_user_client *client)
{
	assert_non_null(client);
	return told.spim != 0 ? NULL : &spim;
}

__typeof__(vfio_user_client_alive) __wrap_vfio_user_client_alive;
int
__wrap_vfio_user_client_alive(struct vfio_user_client *client)
{
	told.client = client;
	return told.alive;
}

__typeof__(vfio_user_client_fd) __wrap_vfio_user_client_fd;
int
__wrap_vfio_user_client_fd(const struct vfio_user_client *client)
{
	assert_non_null(client);
	return told.fd;
}

__typeof__(vfio_user_client_region_info) __wrap_vfio_user_client_region_info;
int
__wrap_vfio_user_client_region_info(struct vfio_user_client *client, uint32_t index,
		struct vfio_user_client_region *region)
{
	assert_non_null(client);
	assert_int_equal(index, spim.doorbell_region);
	if (told.info != 0)
		return told.info;
	*region = (struct vfio_user_client_region){ .size = told.region_size,
		.offset = told.region_offset, .fd = -1 };
	if (told.no_file)
		return 0;
	if (told.no_seals) { /* of a disk, say */
		region->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		assert_true(region->fd >= 0);
		return 0;
	}
	region->fd = memfd_create("doorbells", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(region->fd >= 0);
	assert_int_equal(ftruncate(region->fd, told.file_size), 0);
	assert_int_equal(fcntl(region->fd, F_ADD_SEALS, told.seals), 0);
	return 0;
}

__typeof__(vfio_user_client_region_read) __wrap_vfio_user_client_region_read;
int
__wrap_vfio_user_client_region_read(struct vfio_user_client *client, uint32_t region,
		uint64_t offset, void *buf, uint32_t count)
{
	told.client = client;
	told.region = region;
	told.offset = offset;
	told.count = count;
	told.reads++;
	if (told.read != 0)
		return told.read;
	if (region == VFIO_USER_PCI_CONFIG) {
		assert_int_equal(offset, 0);
		assert_int_equal(count, sizeof(told.pci));
		memcpy(buf, told.pci, count);
	} else {
		assert_true(count <= sizeof(told.mailbox));
		memcpy(buf, told.mailbox, count);
	}
	return 0;
}

__typeof__(vfio_user_client_region_post) __wrap_vfio_user_client_region_post;
int
__wrap_vfio_user_client_region_post(struct vfio_user_client *client, uint32_t region,
		uint64_t offset, const void *buf, uint32_t count)
{
	told.client = client;
	told.region = region;
	told.offset = offset;
	told.count = count;
	told.posts++;
	assert_true(count <= sizeof(told.sent));
	memcpy(told.sent, buf, count);
	return told.post;
}

__typeof__(vfio_user_client_dma_map) __wrap_vfio_user_client_dma_map;
int
__wrap_vfio_user_client_dma_map(struct vfio_user_client *client, uint64_t iova, uint64_t size,
		int fd, uint64_t offset, uint32_t prot)
{
	told.client = client;
	told.iova = iova;
	told.size = size;
	told.fd = fd;
	told.offset = offset;
	assert_int_equal(prot, VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
	return told.map;
}

__typeof__(vfio_user_client_dma_unmap) __wrap_vfio_user_client_dma_unmap;
int
__wrap_vfio_user_client_dma_unmap(struct vfio_user_client *client, uint64_t iova, uint64_t size)
{
	told.client = client;
	told.iova = iova;
	told.size = size;
	return told.unmap;
}

__typeof__(vfio_user_client_reset) __wrap_vfio_user_client_reset;
int
__wrap_vfio_user_client_reset(struct vfio_user_client *client)
{
	told.client = client;
	return told.reset;
}

__typeof__(vfio_user_client_set_irqs) __wrap_vfio_user_client_set_irqs;
int
__wrap_vfio_user_client_set_irqs(struct vfio_user_client *client, uint32_t index, uint32_t start,
		uint32_t count, const int *fds)
{
	told.client = client;
	assert_int_equal(index, VFIO_USER_PCI_MSI);
	assert_int_equal(start, 0);
	assert_int_equal(count, 1);
	told.iova = (uint64_t)*fds;
	return told.irqs;
}

/* What is mapped is read and written, also where the one does not imply the other. */
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *
__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	assert_int_equal(prot, PROT_READ | PROT_WRITE);
	return __real_mmap(at, len, prot, flags, fd, off);
}

/* Its name where files may be large. */
void *
__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return __wrap_mmap(at, len, prot, flags, fd, off);
}

/* ---- Locks ---- */

#define COUNT_LOCK(name, type, n) \
	__typeof__(name) __real_##name, __wrap_##name; \
	int \
	__wrap_##name(type *lock) \
	{ \
		locks_held += (unsigned int)(n); \
		assert_true(locks_held <= 2); /* it does not go below 0 */ \
		return __real_##name(lock); \
	}

COUNT_LOCK(pthread_mutex_lock, pthread_mutex_t, 1)
COUNT_LOCK(pthread_mutex_unlock, pthread_mutex_t, -1)
COUNT_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t, 1)
COUNT_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t, 1)
COUNT_LOCK(pthread_rwlock_unlock, pthread_rwlock_t, -1)
