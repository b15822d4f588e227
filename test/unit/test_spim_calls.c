/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What the transport over vfio-user asks of its client, and what it makes of the answers. The
 * client is the test's.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "hisi_qm_shadow.h"
#include "hisi_zip_ext.h"
#include "holdings.h"
#include "spim_internal.h"
#include "vfio_user_client.h"

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))
#define IDS  ((uint32_t)HISI_PCI_DEVICE_ZIP_VF << 16 | HISI_PCI_VENDOR)

/* ---- The client ---- */

struct vfio_user_client {
	int number;
};

/* What it is to answer, and what it was asked last. */
static struct {
	struct vfio_user_client clients[4];
	int connect, spim, read, post, alive, reset, map, unmap, irqs, info; /* an errno, or 0 */
	unsigned int connects, closes, reads, posts;
	uint32_t pci[3];
	uint8_t mailbox[16];
	size_t region_size;   /* of the doorbells, */
	off_t file_size;      /* in a file of so many bytes, */
	uint64_t region_offset; /* from there on; */
	int seals;
	bool no_file, no_seals;
	struct vfio_user_client *client;
	uint32_t region, count;
	uint64_t offset, iova, size;
	uint8_t sent[16];
	int fd;
} c;

static const struct vfio_user_spim spim = { .doorbell_region = 7,
	.wake_region = 5, .wake_offset = 0x123 };

static struct hisi_qm_io *io;
static unsigned int locks_held;

__typeof__(vfio_user_client_connect) __wrap_vfio_user_client_connect;
int
__wrap_vfio_user_client_connect(const char *path, const struct vfio_user_client_conf *conf,
		struct vfio_user_client **client)
{
	assert_string_equal(path, "the path");
	assert_int_equal(conf->timeout_ms, 30000);
	assert_int_equal(conf->spim, 1);
	if (c.connect != 0)
		return c.connect;
	*client = &c.clients[c.connects++];
	return 0;
}

__typeof__(vfio_user_client_close) __wrap_vfio_user_client_close;
void
__wrap_vfio_user_client_close(struct vfio_user_client *client)
{
	assert_int_equal(locks_held, 0);
	if (client == NULL)
		return;
	c.client = client;
	c.closes++;
}

__typeof__(vfio_user_client_spim) __wrap_vfio_user_client_spim;
const struct vfio_user_spim *
__wrap_vfio_user_client_spim(const struct vfio_user_client *client)
{
	assert_non_null(client);
	return c.spim != 0 ? NULL : &spim;
}

__typeof__(vfio_user_client_alive) __wrap_vfio_user_client_alive;
int
__wrap_vfio_user_client_alive(struct vfio_user_client *client)
{
	c.client = client;
	return c.alive;
}

__typeof__(vfio_user_client_fd) __wrap_vfio_user_client_fd;
int
__wrap_vfio_user_client_fd(const struct vfio_user_client *client)
{
	assert_non_null(client);
	return c.fd;
}

__typeof__(vfio_user_client_region_info) __wrap_vfio_user_client_region_info;
int
__wrap_vfio_user_client_region_info(struct vfio_user_client *client, uint32_t index,
		struct vfio_user_client_region *region)
{
	assert_non_null(client);
	assert_int_equal(index, spim.doorbell_region);
	if (c.info != 0)
		return c.info;
	*region = (struct vfio_user_client_region){ .size = c.region_size,
		.offset = c.region_offset, .fd = -1 };
	if (c.no_file)
		return 0;
	if (c.no_seals) { /* of a disk, say */
		region->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		assert_true(region->fd >= 0);
		return 0;
	}
	region->fd = memfd_create("doorbells", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(region->fd >= 0);
	assert_int_equal(ftruncate(region->fd, c.file_size), 0);
	assert_int_equal(fcntl(region->fd, F_ADD_SEALS, c.seals), 0);
	return 0;
}

__typeof__(vfio_user_client_region_read) __wrap_vfio_user_client_region_read;
int
__wrap_vfio_user_client_region_read(struct vfio_user_client *client, uint32_t region,
		uint64_t offset, void *buf, uint32_t count)
{
	c.client = client;
	c.region = region;
	c.offset = offset;
	c.count = count;
	c.reads++;
	if (c.read != 0)
		return c.read;
	if (region == VFIO_USER_PCI_CONFIG) {
		assert_int_equal(offset, 0);
		assert_int_equal(count, sizeof(c.pci));
		memcpy(buf, c.pci, count);
	} else {
		assert_true(count <= sizeof(c.mailbox));
		memcpy(buf, c.mailbox, count);
	}
	return 0;
}

__typeof__(vfio_user_client_region_post) __wrap_vfio_user_client_region_post;
int
__wrap_vfio_user_client_region_post(struct vfio_user_client *client, uint32_t region,
		uint64_t offset, const void *buf, uint32_t count)
{
	c.client = client;
	c.region = region;
	c.offset = offset;
	c.count = count;
	c.posts++;
	assert_true(count <= sizeof(c.sent));
	memcpy(c.sent, buf, count);
	return c.post;
}

__typeof__(vfio_user_client_dma_map) __wrap_vfio_user_client_dma_map;
int
__wrap_vfio_user_client_dma_map(struct vfio_user_client *client, uint64_t iova, uint64_t size,
		int fd, uint64_t offset, uint32_t prot)
{
	c.client = client;
	c.iova = iova;
	c.size = size;
	c.fd = fd;
	c.offset = offset;
	assert_int_equal(prot, VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
	return c.map;
}

__typeof__(vfio_user_client_dma_unmap) __wrap_vfio_user_client_dma_unmap;
int
__wrap_vfio_user_client_dma_unmap(struct vfio_user_client *client, uint64_t iova, uint64_t size)
{
	c.client = client;
	c.iova = iova;
	c.size = size;
	return c.unmap;
}

__typeof__(vfio_user_client_reset) __wrap_vfio_user_client_reset;
int
__wrap_vfio_user_client_reset(struct vfio_user_client *client)
{
	c.client = client;
	return c.reset;
}

__typeof__(vfio_user_client_set_irqs) __wrap_vfio_user_client_set_irqs;
int
__wrap_vfio_user_client_set_irqs(struct vfio_user_client *client, uint32_t index, uint32_t start,
		uint32_t count, const int *fds)
{
	c.client = client;
	assert_int_equal(index, VFIO_USER_PCI_MSI);
	assert_int_equal(start, 0);
	assert_int_equal(count, 1);
	c.iova = (uint64_t)*fds;
	return c.irqs;
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

/* ---- Its locks: each call gives back what it takes ---- */

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

/* ---- Tests ---- */

static struct holdings_now before;
static char line[256];

static void
take_line(int error, const char *text)
{
	(void)error;
	snprintf(line, sizeof(line), "%s", text);
}

static int
open_it(void)
{
	const struct spim_conf conf = { .owner = "unit", .log = take_line };

	line[0] = '\0';
	return spim_unix_open("the path", &conf, &io);
}

static int
begin(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	c.pci[0] = IDS;
	c.pci[2] = 0xffffff30;
	c.region_size = PAGE;
	c.file_size = (off_t)PAGE;
	c.seals = F_SEAL_SHRINK;
	locks_held = 0;
	before = holdings_get();
	assert_int_equal(open_it(), 0);
	assert_int_equal(io->revision, 0x30);
	assert_string_equal(io->name, "unit");
	return 0;
}

static int
end(void **state)
{
	const unsigned int closes = c.closes;

	(void)state;
	spim_unix_transport.close(io);
	assert_int_equal(c.closes, closes + 1);
	assert_int_equal(c.connects, c.closes);
	assert_int_equal(locks_held, 0);
	holdings_same(&before);
	return 0;
}

/* Fails, says that, and leaves nothing. */
static void
expect_no_function(int ret, const char *said)
{
	struct holdings_now then = holdings_get();
	struct hisi_qm_io *had = io;
	char last[256];

	assert_int_equal(spim_unix_transport.reopen(io), ret);
	assert_int_equal(c.connects, c.closes + 1);
	assert_ptr_equal(c.closes == 0 ? &c.clients[1] : c.client, &c.clients[1]);
	if (said != NULL && strstr(line, said) == NULL)
		fail_msg("it says \"%s\"", line);
	c.connects = 1;
	c.closes = 0;
	/* The same when it is opened for the first time, but for what was before. */
	if (said == NULL || strstr(said, "as before") == NULL) {
		assert_int_equal(open_it(), ret);
		assert_int_equal(c.connects, c.closes + 1);
		snprintf(last, sizeof(last), "unit: unix:the path: no function (%d), expected "
				"spimdevd to listen there", ret);
		assert_string_equal(line, last);
		c.connects = 1;
		c.closes = 0;
		io = had;
	}
	assert_int_equal(locks_held, 0);
	holdings_same(&then);
}

static void
test_no_function(void **state)
{
	const uint32_t revision = c.pci[2];

	(void)state;
	c.connect = -ECONNREFUSED;
	expect_no_function(-ECONNREFUSED, NULL);
	c.connect = 0;
	c.spim = 1;
	expect_no_function(-EPROTO, "a vfio-user server without shadow doorbells");
	c.spim = 0;
	c.read = -ETIMEDOUT;
	expect_no_function(-ETIMEDOUT, NULL);
	c.read = 0;
	c.pci[0] = 0x11112222;
	expect_no_function(-ENODEV, "device 2222:1111, expected 19e5:a251");
	c.pci[0] = IDS;
	c.pci[2] = 0x21;
	expect_no_function(-ENODEV, "revision 0x21, expected 0x30 as before");
	c.pci[2] = revision;
	c.info = -ENOSPC;
	expect_no_function(-ENOSPC, NULL);
	c.info = 0;
	/* Doorbells without a file, in one that can shrink, none, and some behind its end. */
	c.no_file = true;
	expect_no_function(-EPROTO, "file -1, expected at least");
	c.no_file = false;
	c.no_seals = true;
	expect_no_function(-EPROTO, "in a file that cannot shrink");
	c.no_seals = false;
	c.seals = F_SEAL_GROW;
	expect_no_function(-EPROTO, "in a file that cannot shrink");
	c.seals = F_SEAL_SHRINK;
	c.region_size = sizeof(struct hisi_qm_shadow) - 1;
	expect_no_function(-EPROTO, "doorbells: ");
	c.region_size = PAGE + 1;
	expect_no_function(-EPROTO, "doorbells: ");
	c.region_size = PAGE;
	c.region_offset = 1;
	expect_no_function(-EPROTO, "doorbells: ");
	c.region_offset = PAGE + 1;
	expect_no_function(-EPROTO, "doorbells: ");
	/* In a file, but at a place that cannot be mapped. */
	c.file_size = (off_t)(2 * PAGE);
	c.region_offset = 8;
	expect_no_function(-EINVAL, NULL);
}

/* A successor may have more doorbells, or fewer; they stay where they are. */
static void
test_doorbells(void **state)
{
	const uint16_t page_cnt = (uint16_t)(PAGE / sizeof(struct hisi_qm_shadow));
	volatile uint64_t *sq, *cq, *first;

	(void)state;
	assert_int_equal(io->ops->doorbells(io, 0, &first, &cq), 0);
	assert_int_equal((const volatile char *)cq - (const volatile char *)first,
			offsetof(struct hisi_qm_shadow, cq) - offsetof(struct hisi_qm_shadow, sq));
	assert_int_equal(io->ops->doorbells(io, (uint16_t)(page_cnt - 1), &sq, &cq), 0);
	assert_int_equal((const volatile char *)sq - (const volatile char *)first,
			PAGE - sizeof(struct hisi_qm_shadow));
	assert_int_equal(io->ops->doorbells(io, page_cnt, &sq, &cq), -EINVAL);
	*first = 77;
	c.region_size = sizeof(struct hisi_qm_shadow);
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	assert_ptr_equal(c.client, &c.clients[0]);
	assert_int_equal(io->ops->doorbells(io, 0, &sq, &cq), 0);
	assert_ptr_equal(sq, first);
	assert_int_equal(*sq, 0);
	assert_int_equal(io->ops->doorbells(io, 1, &sq, &cq), -EINVAL);
	c.file_size = (off_t)(3 * PAGE);
	c.region_offset = PAGE;
	c.region_size = 2 * PAGE;
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	assert_ptr_equal(c.client, &c.clients[1]);
	assert_int_equal(io->ops->doorbells(io, (uint16_t)(page_cnt - 1), &sq, &cq), 0);
	assert_int_equal(io->ops->doorbells(io, page_cnt, &sq, &cq), -EINVAL);
	assert_int_equal(spim_unix_transport.alive(io), 0);
	assert_ptr_equal(c.client, &c.clients[2]);
}

/* The lowest descriptor is one like another: it is looked at, and closed. */
static void
test_first_descriptor(void **state)
{
	int input = fcntl(0, F_DUPFD_CLOEXEC, 3);

	(void)state;
	close(0);
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	c.seals = F_SEAL_GROW;
	assert_int_equal(spim_unix_transport.reopen(io), -EPROTO);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	if (input >= 0) {
		assert_int_equal(dup2(input, 0), 0);
		close(input);
	}
}

/* Which message each access is; what is not answered is all ones. */
static void
test_registers(void **state)
{
	static const uint32_t words[4] = { 0x11, 0x22, 0x33, 0x44 };
	uint32_t sent;
	uint64_t sent64;

	(void)state;
	memcpy(c.mailbox, words, sizeof(words));
	c.reads = 0;
	assert_int_equal(io->ops->read32(io, HISI_QM_VF_STATE), 0x11);
	assert_int_equal(c.region, VFIO_USER_PCI_BAR2);
	assert_int_equal(c.offset, HISI_QM_VF_STATE);
	assert_int_equal(c.count, 4);
	assert_int_equal(io->ops->read32(io, HISI_ZIP_EXT_REG_MAGIC), 0x11);
	assert_int_equal(c.count, 8);
	assert_int_equal(io->ops->read32(io, HISI_ZIP_EXT_REG_FEATURES), 0x22);
	assert_int_equal(c.reads, 2);
	io->ops->write32(io, 0x40, 0xabcdef01);
	memcpy(&sent, c.sent, sizeof(sent));
	assert_int_equal(sent, 0xabcdef01);
	assert_int_equal(c.count, 4);
	assert_int_equal(c.offset, 0x40);
	assert_int_equal(c.region, VFIO_USER_PCI_BAR2);
	io->ops->write64(io, 0x48, 0x123456789abcdef0);
	memcpy(&sent64, c.sent, sizeof(sent64));
	assert_true(sent64 == 0x123456789abcdef0);
	assert_int_equal(c.count, 8);
	assert_int_equal(c.offset, 0x48);
	io->ops->wake(io, 9);
	memcpy(&sent, c.sent, sizeof(sent));
	assert_int_equal(sent, 9);
	assert_int_equal(c.count, 4);
	assert_int_equal(c.region, spim.wake_region);
	assert_int_equal(c.offset, spim.wake_offset);
	c.read = -ENOTCONN;
	assert_int_equal(io->ops->read32(io, HISI_QM_VF_STATE), UINT32_MAX);
	assert_int_equal(io->ops->read32(io, HISI_ZIP_EXT_REG_MAGIC), UINT32_MAX);
	assert_int_equal(locks_held, 0);
}

static int
mailbox(unsigned int w0)
{
	const struct hisi_qm_mailbox mb = { .w0 = (uint16_t)(w0 | HISI_QM_MB_BUSY), .queue_num = 2,
		.base_l = 3, .base_h = 4 };

	c.reads = c.posts = 0;
	return io->ops->mailbox(io, &mb);
}

/* One message to begin a command, one for each look while it is busy, and none for the rest. */
static void
test_mailbox(void **state)
{
	const uint32_t busy = HISI_QM_MB_BUSY;
	uint32_t words[4] = { 0 };

	(void)state;
	c.reads = 0;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0); /* nothing was asked yet */
	assert_int_equal(c.reads, 0);
	assert_int_equal(mailbox(1), 0);
	assert_int_equal(c.posts, 1);
	assert_int_equal(c.offset, HISI_QM_MAILBOX);
	assert_int_equal(c.count, 16);
	words[0] = busy | 1;
	memcpy(c.mailbox, words, sizeof(words));
	for (unsigned int i = 1; i <= 2; i++) {
		assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), busy | 1);
		assert_int_equal(c.reads, i);
		assert_int_equal(c.count, 16);
	}
	for (uint32_t i = 0; i < 4; i++)
		words[i] = 10 * i + 1;
	memcpy(c.mailbox, words, sizeof(words));
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX + 4), 0); /* not looked at yet */
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX + 4 * i), 10 * i + 1);
	assert_int_equal(c.reads, 3);
	/* Behind it is another register. */
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX + 16), 1);
	assert_int_equal(c.reads, 4);
	assert_int_equal(c.count, 4);
	assert_int_equal(locks_held, 0);
}

/* A service that is lost, or gone: a command that may have come through is looked for. */
static void
test_mailbox_fails(void **state)
{
	(void)state;
	/* It did not get there: nothing is looked for. */
	c.post = -ETIMEDOUT;
	assert_int_equal(mailbox(1), -ETIMEDOUT);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0);
	assert_int_equal(c.reads, 0);
	/* Not even EINVAL, which says that the message was never sent. */
	c.post = -EINVAL;
	assert_int_equal(mailbox(1), -EINVAL);
	/* Perhaps it did. As long as the service is there, the function may be at work. */
	c.post = c.read = -ENOTCONN;
	assert_int_equal(mailbox(1), 0);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), HISI_QM_MB_BUSY);
	assert_int_equal(c.reads, 1);
	c.alive = -ENOTCONN;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), UINT32_MAX);
	/* What was answered counts, even if it was the last answer. */
	c.read = 0;
	c.mailbox[0] = HISI_QM_MB_STOP_QP;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), HISI_QM_MB_STOP_QP);
	assert_int_equal(spim_unix_transport.alive(io), -ENOTCONN);
	/* A new one is idle. */
	c.post = c.read = c.alive = 0;
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	c.reads = 0;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0);
	assert_int_equal(c.reads, 0);
	/* A reset makes it so, if it is done. */
	assert_int_equal(mailbox(1), 0);
	c.reset = -EIO;
	c.mailbox[0] = 5;
	assert_int_equal(io->ops->reset(io), -EIO);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 5);
	c.reset = 0;
	assert_int_equal(io->ops->reset(io), 0);
	assert_ptr_equal(c.client, &c.clients[1]);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0);
	assert_int_equal(locks_held, 0);
}

static void
test_memory(void **state)
{
	(void)state;
	assert_int_equal(spim_unix_transport.mem_map(io, (void *)0x7000, 0x3000, 55, 0x1000), 0);
	assert_int_equal(c.iova, 0x7000);
	assert_int_equal(c.size, 0x3000);
	assert_int_equal(c.fd, 55);
	assert_int_equal(c.offset, 0x1000);
	assert_int_equal(spim_unix_transport.mem_unmap(io, (void *)0x8000, 0x4000), 0);
	assert_int_equal(c.iova, 0x8000);
	assert_int_equal(c.size, 0x4000);
	c.map = -EEXIST;
	c.unmap = -EINVAL;
	assert_int_equal(spim_unix_transport.mem_map(io, NULL, 1, -1, 0), -EEXIST);
	assert_int_equal(spim_unix_transport.mem_unmap(io, NULL, 1), -EINVAL);
	assert_int_equal(locks_held, 0);
}

/* The event's descriptor goes to the service, and the connection into the set. */
static void
test_events(void **state)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_CLOEXEC);
	struct epoll_event ev;

	(void)state;
	c.fd = eventfd(1, EFD_CLOEXEC);
	c.irqs = -ENOSPC;
	assert_int_equal(spim_unix_transport.events(io, event, epfd), -ENOSPC);
	assert_int_equal(epoll_ctl(epfd, EPOLL_CTL_DEL, c.fd, &ev), -1);
	assert_int_equal(errno, ENOENT);
	c.irqs = 0;
	assert_int_equal(spim_unix_transport.events(io, event, epfd), 0);
	assert_int_equal(c.iova, event);
	/* Readable, which is not what is waited for. */
	assert_int_equal(epoll_wait(epfd, &ev, 1, 0), 0);
	assert_int_equal(spim_unix_transport.events(io, event, epfd), -EEXIST);
	assert_int_equal(epoll_ctl(epfd, EPOLL_CTL_DEL, c.fd, &ev), 0);
	assert_int_equal(locks_held, 0);
	close(c.fd);
	close(event);
	close(epfd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_function), T(test_doorbells), T(test_first_descriptor),
		T(test_registers), T(test_mailbox), T(test_mailbox_fails), T(test_memory),
		T(test_events),
	};

	return cmocka_run_group_tests_name("spim_calls", tests, NULL, NULL);
}
