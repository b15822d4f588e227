/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "liar.h"

/* ---- Of any answer ---- */

static enum after
reply_id(struct liar *l, struct message *m)
{
	(void)l;
	m->hdr.id++;
	return AFTER_SEND;
}

static enum after
reply_cmd(struct liar *l, struct message *m)
{
	(void)l;
	m->hdr.cmd++;
	return AFTER_SEND;
}

static enum after
reply_short(struct liar *l, struct message *m)
{
	(void)l;
	if (m->len != 0)
		m->len--;
	m->hdr.size = (uint32_t)(sizeof(m->hdr) + m->len);
	return AFTER_SEND;
}

static enum after
reply_long(struct liar *l, struct message *m)
{
	(void)l;
	memset(m->body + m->len, 0x42, 128);
	m->len += 128;
	m->hdr.size += 128;
	return AFTER_SEND;
}

static enum after
reply_tiny(struct liar *l, struct message *m)
{
	(void)l;
	m->hdr.size = sizeof(m->hdr) - 1;
	return AFTER_SEND;
}

static enum after
reply_huge(struct liar *l, struct message *m)
{
	(void)l;
	m->hdr.size = UINT32_MAX;
	return AFTER_SEND;
}

static enum after
reply_type(struct liar *l, struct message *m)
{
	(void)l;
	m->hdr.flags |= VFIO_USER_F_TYPE;
	return AFTER_SEND;
}

static enum after
failure(struct message *m, uint32_t error)
{
	m->hdr.flags |= VFIO_USER_F_ERROR;
	m->hdr.error = error;
	m->hdr.size = sizeof(m->hdr);
	m->len = 0;
	return AFTER_SEND;
}

static enum after
error_enospc(struct liar *l, struct message *m)
{
	(void)l;
	return failure(m, ENOSPC);
}

static enum after
error_0(struct liar *l, struct message *m)
{
	(void)l;
	return failure(m, 0);
}

static enum after
error_4096(struct liar *l, struct message *m)
{
	(void)l;
	return failure(m, 4096);
}

static enum after
error_negative(struct liar *l, struct message *m)
{
	(void)l;
	return failure(m, (uint32_t)-ENOSPC);
}

/* Header and body a few bytes at a time; all of it right. */
static enum after
dribble(struct liar *l, struct message *m)
{
	const uint8_t *at = (const uint8_t *)&m->hdr;
	size_t len = sizeof(m->hdr) + m->len;
	uint8_t whole[sizeof(m->hdr) + 64];

	if (len > sizeof(whole))
		return AFTER_SEND;
	memcpy(whole, at, sizeof(m->hdr));
	memcpy(whole + sizeof(m->hdr), m->body, m->len);
	for (size_t i = 0; i < len; i++) {
		struct iovec iov = { whole + i, 1 };

		vfio_user_sock_send(l->sock, &iov, 1, m->fds.fd, i == 0 ? m->fds.cnt : 0);
		if (i % 7 == 3)
			liar_nap_ms(1);
	}
	return AFTER_DROP;
}

static enum after
late(struct liar *l, struct message *m)
{
	(void)m;
	liar_nap_ms(l->late_ms);
	return AFTER_SEND;
}

static enum after
silent(struct liar *l, struct message *m)
{
	(void)l;
	(void)m;
	return AFTER_DROP;
}

static enum after
closes(struct liar *l, struct message *m)
{
	(void)l;
	(void)m;
	return AFTER_CLOSE;
}

static enum after
half(struct liar *l, struct message *m)
{
	struct iovec iov = { &m->hdr, sizeof(m->hdr) / 2 };

	vfio_user_sock_send(l->sock, &iov, 1, NULL, 0);
	return AFTER_CLOSE;
}

static enum after
half_silent(struct liar *l, struct message *m)
{
	struct iovec iov = { &m->hdr, sizeof(m->hdr) / 2 };

	vfio_user_sock_send(l->sock, &iov, 1, NULL, 0);
	return AFTER_DROP;
}

/* A request to the client, which has nothing to read from, and a stale answer, come before. */
static enum after
others_first(struct liar *l, struct message *m)
{
	struct message *other = calloc(1, sizeof(*other));

	other->hdr = (struct vfio_user_hdr){ .id = 7, .cmd = VFIO_USER_DMA_READ,
		.flags = VFIO_USER_F_REQUEST, .size = sizeof(other->hdr) + 16 };
	other->len = 16;
	liar_send(l, other);
	other->hdr = m->hdr;
	other->hdr.id--;
	other->hdr.size = (uint32_t)(sizeof(other->hdr) + 9000);
	other->len = 9000;
	liar_send(l, other);
	free(other);
	return AFTER_SEND;
}

/* Descriptors where none belong: as many as one message may have. */
static enum after
fds_unasked(struct liar *l, struct message *m)
{
	(void)l;
	while (m->fds.cnt < VFIO_USER_FDS_MAX)
		m->fds.fd[m->fds.cnt++] = eventfd(0, EFD_CLOEXEC);
	return AFTER_SEND;
}

/* ---- VERSION ---- */

static enum after
say(struct message *m, const char *json, size_t len)
{
	memcpy(m->body + sizeof(struct vfio_user_version), json, len);
	m->len = sizeof(struct vfio_user_version) + len;
	m->hdr.size = (uint32_t)(sizeof(m->hdr) + m->len);
	return AFTER_SEND;
}

#define SAY(name, text) \
	static enum after \
	name(struct liar *l, struct message *m) \
	{ \
		static const char json[] = text; \
		\
		(void)l; \
		return say(m, json, sizeof(json)); \
	}

SAY(version_json, "{\"capabilities\":")
SAY(version_no_spim, "{\"capabilities\":{\"max_msg_fds\":8}}")
SAY(version_no_xfer, "{\"capabilities\":{\"max_data_xfer_size\":0}}")
SAY(version_no_fds, "{\"capabilities\":{\"max_msg_fds\":0}}")
SAY(version_region, "{\"capabilities\":{\"spim\":{\"version\":1,\"doorbell_region\":77,"
	"\"wake_region\":2,\"wake_offset\":10264}}}")
SAY(version_wake, "{\"capabilities\":{\"spim\":{\"version\":1,\"doorbell_region\":9,"
	"\"wake_region\":77,\"wake_offset\":4096}}}")

static enum after
version_major(struct liar *l, struct message *m)
{
	(void)l;
	m->body[0] = 7;
	return AFTER_SEND;
}

static enum after
version_no_nul(struct liar *l, struct message *m)
{
	(void)l;
	m->body[m->len - 1] = ' ';
	return AFTER_SEND;
}

/* ---- What the device is ---- */

/* The region of doorbells as it is, to be changed; NULL: the answer is about another one. */
static struct vfio_user_region_info *
doorbells(struct message *m)
{
	struct vfio_user_region_info *info = (struct vfio_user_region_info *)m->body;

	return (info->flags & VFIO_USER_REGION_F_MMAP) != 0 ? info : NULL;
}

#define REGION(name, change) \
	static enum after \
	name(struct liar *l, struct message *m) \
	{ \
		struct vfio_user_region_info *info = doorbells(m); \
		\
		(void)l; \
		if (info != NULL) { \
			change; \
		} \
		return AFTER_SEND; \
	}

REGION(region_small, info->size = sizeof(struct hisi_qm_shadow) - 1)
REGION(region_one, info->size = sizeof(struct hisi_qm_shadow))
REGION(region_none, info->size = 0)
REGION(region_large, info->size += 4096)
REGION(region_byte, info->size += 1)
REGION(region_huge, info->size = UINT64_MAX)
REGION(region_beyond, info->offset = info->size)
REGION(region_far, info->offset = info->size + 4096)
REGION(region_wrap, info->offset = UINT64_MAX - 4095; info->size = 8192)
REGION(region_odd, info->offset = 64; info->size -= 64)
REGION(region_no_map, info->flags &= ~VFIO_USER_REGION_F_MMAP)

/* Another file in place of the right one. */
static enum after
another_file(struct message *m, int fd)
{
	if (m->fds.cnt == 0) {
		close(fd);
		return AFTER_SEND;
	}
	close(m->fds.fd[0]);
	m->fds.fd[0] = fd;
	return AFTER_SEND;
}

static enum after
fd_missing(struct liar *l, struct message *m)
{
	(void)l;
	vfio_user_fds_close(&m->fds);
	return AFTER_SEND;
}

static enum after
fd_null(struct liar *l, struct message *m)
{
	(void)l;
	return another_file(m, open("/dev/null", O_RDWR | O_CLOEXEC));
}

static enum after
fd_event(struct liar *l, struct message *m)
{
	(void)l;
	return another_file(m, eventfd(0, EFD_CLOEXEC));
}

static int
words(const struct liar *l, unsigned int seals)
{
	int fd = memfd_create("words", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (ftruncate(fd, (off_t)l->db_len) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0)
		perror("memfd");
	return fd;
}

static enum after
fd_unsealed(struct liar *l, struct message *m)
{
	return another_file(m, words(l, 0));
}

static enum after
fd_grow_sealed(struct liar *l, struct message *m)
{
	return another_file(m, words(l, F_SEAL_GROW | F_SEAL_SEAL));
}

/* It cannot shrink, nor can it be written: it cannot be mapped as doorbells are. */
static enum after
fd_write_sealed(struct liar *l, struct message *m)
{
	return another_file(m, words(l, F_SEAL_SHRINK | F_SEAL_WRITE));
}

/* ---- Registers ---- */

/* The answer to a read of this offset of this region, with so many bytes; or NULL. */
static uint8_t *
data_of(struct message *m, uint32_t region, uint64_t offset, uint32_t count)
{
	struct vfio_user_region_rw *rw = (struct vfio_user_region_rw *)m->body;

	return rw->region == region && rw->offset == offset && rw->count >= count ?
		m->body + sizeof(*rw) : NULL;
}

#define REGISTER(name, region, offset, count, change) \
	static enum after \
	name(struct liar *l, struct message *m) \
	{ \
		uint8_t *data = data_of(m, region, offset, count); \
		\
		(void)l; \
		if (data != NULL) { \
			change; \
		} \
		return AFTER_SEND; \
	}

REGISTER(pci_vendor, VFIO_USER_PCI_CONFIG, 0, 12, data[0] ^= 1)
REGISTER(pci_device, VFIO_USER_PCI_CONFIG, 0, 12, data[2] ^= 1)
REGISTER(revision, VFIO_USER_PCI_CONFIG, 0, 12, data[8] = 0x40)
REGISTER(revision_old, VFIO_USER_PCI_CONFIG, 0, 12, data[8] = 0x20)
REGISTER(mailbox_busy, VFIO_USER_PCI_BAR2, HISI_QM_MAILBOX, 4, data[1] |= HISI_QM_MB_BUSY >> 8)
REGISTER(mailbox_status, VFIO_USER_PCI_BAR2, HISI_QM_MAILBOX, 4,
	data[1] |= 3u << HISI_QM_MB_STATUS_SHIFT >> 8)
REGISTER(mailbox_gone, VFIO_USER_PCI_BAR2, HISI_QM_MAILBOX, 16, memset(data, 0xff, 16))

const struct lie answer_lies[] = {
	{ "reply-id", "the answer to another message", 0, reply_id, NULL },
	{ "reply-cmd", "the answer to another command", 0, reply_cmd, NULL },
	{ "reply-short", "one byte too few", 0, reply_short, NULL },
	{ "reply-long", "128 bytes too many", 0, reply_long, NULL },
	{ "reply-tiny", "a message smaller than its header", 0, reply_tiny, NULL },
	{ "reply-huge", "a message of 4 GiB", 0, reply_huge, NULL },
	{ "reply-type", "neither request nor answer", 0, reply_type, NULL },
	{ "error-enospc", "refused: ENOSPC", 0, error_enospc, NULL },
	{ "error-0", "refused: 0", 0, error_0, NULL },
	{ "error-4096", "refused: 4096", 0, error_4096, NULL },
	{ "error-negative", "refused: a negative number", 0, error_negative, NULL },
	{ "dribble", "(no lie) the answer byte by byte", 0, dribble, NULL },
	{ "late", "the answer after --late milliseconds", 0, late, NULL },
	{ "silent", "no answer", 0, silent, NULL },
	{ "close", "the end of the connection", 0, closes, NULL },
	{ "half", "half an answer, and the end of the connection", 0, half, NULL },
	{ "half-silent", "half an answer", 0, half_silent, NULL },
	{ "others-first", "(no lie) a request and a stale answer before", 0, others_first, NULL },
	{ "fds-unasked", "descriptors beside the answer", 0, fds_unasked, NULL },

	{ "version-major", "version 7", VFIO_USER_VERSION, version_major, NULL },
	{ "version-json", "broken JSON", VFIO_USER_VERSION, version_json, NULL },
	{ "version-no-nul", "text without an end", VFIO_USER_VERSION, version_no_nul, NULL },
	{ "version-no-spim", "no doorbells", VFIO_USER_VERSION, version_no_spim, NULL },
	{ "version-no-xfer", "no data in messages", VFIO_USER_VERSION, version_no_xfer, NULL },
	{ "version-no-fds", "no descriptors", VFIO_USER_VERSION, version_no_fds, NULL },
	{ "version-region", "doorbells in region 77", VFIO_USER_VERSION, version_region, NULL },
	{ "version-wake", "wake-ups to region 77", VFIO_USER_VERSION, version_wake, NULL },

#define INFO VFIO_USER_DEVICE_GET_REGION_INFO
	{ "region-small", "doorbells: 127 bytes", INFO, region_small, NULL },
	{ "region-one", "doorbells of one queue", INFO, region_one, NULL },
	{ "region-none", "doorbells: 0 bytes", INFO, region_none, NULL },
	{ "region-large", "doorbells: one page more than the file has", INFO, region_large, NULL },
	{ "region-byte", "doorbells: one byte more than the file has", INFO, region_byte, NULL },
	{ "region-huge", "doorbells: 2^64 - 1 bytes", INFO, region_huge, NULL },
	{ "region-beyond", "doorbells begin where the file ends", INFO, region_beyond, NULL },
	{ "region-far", "doorbells begin behind the file's end", INFO, region_far, NULL },
	{ "region-wrap", "doorbells end beyond 2^64", INFO, region_wrap, NULL },
	{ "region-odd", "doorbells begin in the middle of a page", INFO, region_odd, NULL },
	{ "region-no-map", "doorbells cannot be mapped", INFO, region_no_map, NULL },
	{ "fd-missing", "doorbells without a file", INFO, fd_missing, NULL },
	{ "fd-null", "doorbells in /dev/null", INFO, fd_null, NULL },
	{ "fd-event", "doorbells in an eventfd", INFO, fd_event, NULL },
	{ "fd-unsealed", "doorbells in a file that can shrink", INFO, fd_unsealed, NULL },
	{ "fd-grow-sealed", "the same, sealed against growth", INFO, fd_grow_sealed, NULL },
	{ "fd-write-sealed", "doorbells that nobody may write", INFO, fd_write_sealed, NULL },

#define READ VFIO_USER_REGION_READ
	{ "pci-vendor", "another vendor", READ, pci_vendor, NULL },
	{ "pci-device", "another device", READ, pci_device, NULL },
	{ "revision", "a later revision", READ, revision, NULL },
	{ "revision-old", "a revision before the first", READ, revision_old, NULL },
	{ "mailbox-busy", "a mailbox that is busy for ever", READ, mailbox_busy, NULL },
	{ "mailbox-status", "a mailbox that failed", READ, mailbox_status, NULL },
	{ "mailbox-gone", "a mailbox of all ones", READ, mailbox_gone, NULL },
	{ NULL, NULL, 0, NULL, NULL },
};
