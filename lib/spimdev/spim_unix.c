/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hisi_ext.h"
#include "hisi_qm_shadow.h"
#include "spim_qm.h"
#include "vfio_user_client.h"

/*
 * The "unix" transport: register level on a function of the service, over
 * vfio-user. Registers are messages; doorbells are words in memory that both
 * sides map, and so are rings and data, which the service sees at the addresses
 * where this process has them.
 */

/*
 * For an answer. A service that ends closes the connection, which tells at once; this is
 * for one that lives and has no time, as when thousands of processes want a queue at the
 * same moment, on a machine that is busy besides.
 */
#define TIMEOUT_MS 30000

#define MB_WORDS   (sizeof(struct hisi_qm_mailbox) / sizeof(uint32_t))

struct spim_unix {
	struct hisi_qm_io io;
	struct spim_conf conf;
	char *path;
	/** Reading: use of client. Writing: another client in its place. */
	pthread_rwlock_t lock;
	struct vfio_user_client *client;
	struct hisi_qm_shadow *db; /**< Stays at this address for good. */
	size_t db_len;             /**< Bytes mapped. */
	uint32_t db_cnt;           /**< Words that the function has now. */
	/**
	 * The mailbox as last read, good as long as it is idle: nobody but hisi_qm
	 * uses it, and each poll that is saved is a message and its answer. With a lock
	 * of its own, outside the other: hisi_qm_qp_check() polls at any time, and an
	 * answer that is older than a command must not stand for the command's.
	 */
	uint32_t mb[MB_WORDS];
	pthread_mutex_t mb_lock;
	/** HISI_EXT_REG_MAGIC and _FEATURES of this function, read at once. */
	uint32_t ext[2];
};

/* io is the first member. */
static struct spim_unix *
to_unix(struct hisi_qm_io *io)
{
	return (struct spim_unix *)io;
}

static int
reg_read(struct spim_unix *u, uint32_t off, void *buf, uint32_t len)
{
	int ret;

	pthread_rwlock_rdlock(&u->lock);
	ret = vfio_user_client_region_read(u->client, VFIO_USER_PCI_BAR2, off, buf, len);
	pthread_rwlock_unlock(&u->lock);
	return ret;
}

/*
 * No write needs an answer: a later read comes after it, and tells if the function is gone.
 * @return 0, or a negative errno: it was not sent, which few can do anything about.
 */
static int
reg_post(struct spim_unix *u, uint32_t off, const void *buf, uint32_t len)
{
	int ret;

	pthread_rwlock_rdlock(&u->lock);
	ret = vfio_user_client_region_post(u->client, VFIO_USER_PCI_BAR2, off, buf, len);
	pthread_rwlock_unlock(&u->lock);
	return ret;
}

static int
unix_alive(struct hisi_qm_io *io)
{
	struct spim_unix *u = to_unix(io);
	int ret;

	pthread_rwlock_rdlock(&u->lock);
	ret = vfio_user_client_alive(u->client);
	pthread_rwlock_unlock(&u->lock);
	return ret;
}

static uint32_t
mailbox_read(struct spim_unix *u, uint32_t off)
{
	uint32_t value;
	bool ask;

	pthread_mutex_lock(&u->mb_lock);
	ask = off == HISI_QM_MAILBOX && (u->mb[0] & HISI_QM_MB_BUSY) != 0;
	/* A service that does not answer is not gone yet, and may be at work: it is busy. */
	if (ask && reg_read(u, off, u->mb, sizeof(u->mb)) != 0 && unix_alive(&u->io) != 0)
		value = UINT32_MAX;
	else
		value = u->mb[(off - HISI_QM_MAILBOX) / sizeof(uint32_t)];
	pthread_mutex_unlock(&u->mb_lock);
	return value;
}

static uint32_t
unix_read32(struct hisi_qm_io *io, uint32_t off)
{
	struct spim_unix *u = to_unix(io);
	uint32_t value;

	if (off >= HISI_QM_MAILBOX && off < HISI_QM_MAILBOX + sizeof(u->mb))
		return mailbox_read(u, off);
	if (off == HISI_EXT_REG_MAGIC)
		return reg_read(u, off, u->ext, sizeof(u->ext)) == 0 ? u->ext[0] : UINT32_MAX;
	if (off == HISI_EXT_REG_FEATURES)
		return u->ext[1];
	return reg_read(u, off, &value, sizeof(value)) == 0 ? value : UINT32_MAX;
}

static void
unix_write32(struct hisi_qm_io *io, uint32_t off, uint32_t value)
{
	reg_post(to_unix(io), off, &value, sizeof(value));
}

static void
unix_write64(struct hisi_qm_io *io, uint32_t off, uint64_t value)
{
	reg_post(to_unix(io), off, &value, sizeof(value));
}

static int
unix_mailbox(struct hisi_qm_io *io, const struct hisi_qm_mailbox *mb)
{
	struct spim_unix *u = to_unix(io);
	int ret;

	pthread_mutex_lock(&u->mb_lock);
	ret = reg_post(u, HISI_QM_MAILBOX, mb, sizeof(*mb));
	/* Did it come through a connection that is lost, and is it gone? The next poll tells. */
	if (ret == -ENOTCONN)
		ret = 0;
	if (ret == 0)
		u->mb[0] |= HISI_QM_MB_BUSY; /* so that the next poll asks the function */
	pthread_mutex_unlock(&u->mb_lock);
	return ret;
}

static int
unix_doorbells(struct hisi_qm_io *io, uint16_t qn, volatile uint64_t **sq, volatile uint64_t **cq)
{
	struct spim_unix *u = to_unix(io);

	if (qn >= u->db_cnt)
		return -EINVAL;
	*sq = &u->db[qn].sq;
	*cq = &u->db[qn].cq;
	return 0;
}

static void
unix_wake(struct hisi_qm_io *io, uint16_t qn)
{
	struct spim_unix *u = to_unix(io);
	const struct vfio_user_spim *spim;
	uint32_t value = qn;

	pthread_rwlock_rdlock(&u->lock);
	spim = vfio_user_client_spim(u->client);
	vfio_user_client_region_post(u->client, spim->wake_region, spim->wake_offset, &value,
		sizeof(value));
	pthread_rwlock_unlock(&u->lock);
}

static int
unix_reset(struct hisi_qm_io *io)
{
	struct spim_unix *u = to_unix(io);
	int ret;

	pthread_mutex_lock(&u->mb_lock);
	pthread_rwlock_rdlock(&u->lock);
	ret = vfio_user_client_reset(u->client);
	pthread_rwlock_unlock(&u->lock);
	if (ret == 0)
		memset(u->mb, 0, sizeof(u->mb));
	pthread_mutex_unlock(&u->mb_lock);
	return ret;
}

static const struct hisi_qm_io_ops unix_ops = {
	.read32 = unix_read32,
	.write32 = unix_write32,
	.write64 = unix_write64,
	.mailbox = unix_mailbox,
	.doorbells = unix_doorbells,
	.wake = unix_wake,
	.reset = unix_reset,
};

/*
 * Is it a file that holds the words, and will not shrink, so that it cannot end this
 * process when it rings? A region's size is but what the service says.
 */
static bool
doorbells_held(const struct vfio_user_client_region *region)
{
	int seals = region->fd >= 0 ? fcntl(region->fd, F_GET_SEALS) : -1;
	struct stat st;

	return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(region->fd, &st) == 0 &&
		region->size >= sizeof(struct hisi_qm_shadow) &&
		region->offset <= (uint64_t)st.st_size &&
		region->size <= (uint64_t)st.st_size - region->offset;
}

/*
 * Map the doorbell words of a new function; over those of the old one, if there
 * was one: pointers into them are all over the place, and in use.
 */
static int
doorbells_map(struct spim_unix *u, struct vfio_user_client *client)
{
	const struct vfio_user_spim *spim = vfio_user_client_spim(client);
	struct vfio_user_client_region region;
	void *at;
	int ret;

	ret = vfio_user_client_region_info(client, spim->doorbell_region, &region);
	if (ret != 0)
		return ret;
	if (!doorbells_held(&region)) {
		spim_log(&u->conf, BASE_LOG_ERR,
			"unix:%s: doorbells: %llu bytes, file %d, expected at least "
			"%zu in a file that cannot shrink", u->path,
			(unsigned long long)region.size, region.fd, sizeof(*u->db));
		if (region.fd >= 0)
			close(region.fd);
		return -EPROTO;
	}
	/* What the old function had more is never read again, but must stay there. */
	at = mmap(u->db, u->db != NULL && region.size > u->db_len ? u->db_len : region.size,
		PROT_READ | PROT_WRITE, MAP_SHARED | (u->db != NULL ? MAP_FIXED : 0), region.fd,
		(off_t)region.offset);
	ret = at == MAP_FAILED ? -errno : 0;
	close(region.fd);
	if (ret != 0)
		return ret;
	if (u->db == NULL) {
		u->db = at;
		u->db_len = region.size;
	}
	u->db_cnt = (uint32_t)((region.size < u->db_len ? region.size : u->db_len) /
		sizeof(*u->db));
	return 0;
}

static void
unix_log(enum base_log_level level, const char *line, void *priv)
{
	const struct spim_unix *u = priv;

	spim_log(&u->conf, level, "unix:%s: %s", u->path, line);
}

/* Are these the ids, as in the first dword of config space, of what the caller can drive? */
static int
check_ids(const struct spim_unix *u, uint32_t ids)
{
	const uint16_t want = u->conf.device != 0 ? u->conf.device : (uint16_t)(ids >> 16);

	if (ids == ((uint32_t)want << 16 | HISI_PCI_VENDOR))
		return 0;
	spim_log(&u->conf, BASE_LOG_ERR, "unix:%s: device %04x:%04x, expected %04x:%04x", u->path,
		ids & 0xffff, ids >> 16, HISI_PCI_VENDOR, want);
	return -ENODEV;
}

/* Connect, and see whether it is what we know to drive. */
static int
connect_function(struct spim_unix *u, struct vfio_user_client **out)
{
	const struct vfio_user_client_conf conf = {
		.timeout_ms = TIMEOUT_MS, .spim = 1, .log = { unix_log, u },
	};
	struct vfio_user_client *client;
	uint32_t pci[3]; /* ids, command and status, revision and class */
	int ret;

	ret = vfio_user_client_connect(u->path, &conf, &client);
	if (ret != 0)
		return ret;
	if (vfio_user_client_spim(client) == NULL) {
		spim_log(&u->conf, BASE_LOG_ERR,
			"unix:%s: a vfio-user server without shadow doorbells, "
			"expected spimdevd", u->path);
		ret = -EPROTO;
	}
	if (ret == 0)
		ret = vfio_user_client_region_read(client, VFIO_USER_PCI_CONFIG, 0, pci,
			sizeof(pci));
	if (ret == 0)
		ret = check_ids(u, pci[0]);
	if (ret == 0 && u->client != NULL && (uint8_t)pci[2] != u->io.revision) {
		spim_log(&u->conf, BASE_LOG_ERR, "unix:%s: revision 0x%x, expected 0x%x as before",
			u->path, pci[2] & 0xff, u->io.revision);
		ret = -ENODEV;
	}
	if (ret == 0)
		ret = doorbells_map(u, client);
	if (ret != 0) {
		vfio_user_client_close(client);
		return ret;
	}
	if (u->client == NULL)
		u->io.revision = (uint8_t)pci[2];
	*out = client;
	return 0;
}

static void
unix_close(struct hisi_qm_io *io)
{
	struct spim_unix *u = to_unix(io);

	vfio_user_client_close(u->client);
	if (u->db != NULL)
		munmap(u->db, u->db_len);
	pthread_rwlock_destroy(&u->lock);
	pthread_mutex_destroy(&u->mb_lock);
	free(u->path);
	free(u);
}

static int
unix_mem_map(struct hisi_qm_io *io, void *va, size_t len, int fd, uint64_t offset)
{
	struct spim_unix *u = to_unix(io);
	int ret;

	pthread_rwlock_rdlock(&u->lock);
	ret = vfio_user_client_dma_map(u->client, (uintptr_t)va, len, fd, offset,
		VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
	pthread_rwlock_unlock(&u->lock);
	return ret;
}

static int
unix_mem_unmap(struct hisi_qm_io *io, void *va, size_t len)
{
	struct spim_unix *u = to_unix(io);
	int ret;

	pthread_rwlock_rdlock(&u->lock);
	ret = vfio_user_client_dma_unmap(u->client, (uintptr_t)va, len);
	pthread_rwlock_unlock(&u->lock);
	return ret;
}

static int
unix_reopen(struct hisi_qm_io *io)
{
	struct spim_unix *u = to_unix(io);
	struct vfio_user_client *client, *old;
	int ret;

	ret = connect_function(u, &client);
	if (ret != 0)
		return ret;
	pthread_mutex_lock(&u->mb_lock);
	pthread_rwlock_wrlock(&u->lock);
	old = u->client;
	u->client = client;
	memset(u->mb, 0, sizeof(u->mb)); /* of a function that was just made */
	pthread_rwlock_unlock(&u->lock);
	pthread_mutex_unlock(&u->mb_lock);
	vfio_user_client_close(old);
	return 0;
}

static int
unix_events(struct hisi_qm_io *io, int eventfd, int epfd)
{
	struct epoll_event gone = { .events = EPOLLRDHUP };
	struct spim_unix *u = to_unix(io);
	int ret;

	pthread_rwlock_rdlock(&u->lock);
	ret = vfio_user_client_set_irqs(u->client, VFIO_USER_PCI_MSI, 0, 1, &eventfd);
	/* A socket that was closed has left the set by itself. */
	if (ret == 0 && epoll_ctl(epfd, EPOLL_CTL_ADD, vfio_user_client_fd(u->client), &gone) != 0)
		ret = -errno;
	pthread_rwlock_unlock(&u->lock);
	return ret;
}

const struct spim_qm_transport spim_unix_transport = {
	.close = unix_close,
	.mem_map = unix_mem_map,
	.mem_unmap = unix_mem_unmap,
	.alive = unix_alive,
	.reopen = unix_reopen,
	.events = unix_events,
};

int
spim_unix_open(const char *path, const struct spim_conf *conf, struct hisi_qm_io **io)
{
	struct spim_unix *u = calloc(1, sizeof(*u));
	int ret;

	if (u == NULL)
		return -ENOMEM;
	u->conf = *conf;
	u->path = strdup(path);
	if (u->path == NULL) {
		free(u);
		return -ENOMEM;
	}
	u->io.ops = &unix_ops;
	u->io.name = conf->owner;
	pthread_rwlock_init(&u->lock, NULL);
	pthread_mutex_init(&u->mb_lock, NULL);
	ret = connect_function(u, &u->client);
	if (ret != 0) {
		spim_log(conf, BASE_LOG_ERR,
			"unix:%s: no function (%d), expected spimdevd to listen there", path, ret);
		unix_close(&u->io);
		return ret;
	}
	*io = &u->io;
	return 0;
}

static int
unix_open(const char *rest, const struct spim_conf *conf, struct spim_dev **dev)
{
	struct hisi_qm_io *io;
	int ret = spim_unix_open(rest, conf, &io);

	return ret != 0 ? ret : spim_qm_open(io, &spim_unix_transport, 1, conf, dev);
}

const struct spim_transport spim_unix = { .name = "unix:", .open = unix_open };
