/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Message DMA, and what the owner may ask about the map.
 *
 * The specification has 64 bits for the count of DMA_READ and DMA_WRITE, and data
 * behind them at byte 16 of the body. QEMU (as of 11.1) has 32 bits, data at byte
 * 12, four bytes of nothing at the end, and answers a DMA_WRITE with a header
 * only. Both accept the same size of message, so that neither notices; the first
 * operation therefore asks: a DMA_READ of 2^32 bytes is one of 0 bytes for the
 * one, and far too much for the other.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_user_internal.h"

#define COUNT32_DATA 12u /* where data begins if the count has 32 bits */

static struct vu_dma_op *
find_sent(const struct vfio_user_conn *c, uint16_t id)
{
	struct vu_dma_op *op = c->dma;

	while (op != NULL && !(op->sent && op->id == id))
		op = op->next;
	return op;
}

/* Send what an operation needs next. */
static void
send_next(struct vfio_user_conn *c, struct vu_dma_op *op)
{
	struct vfio_user_dma_rw rw = { .iova = op->iova + op->pos };
	struct vfio_user_hdr hdr = { .cmd = op->write ? VFIO_USER_DMA_WRITE : VFIO_USER_DMA_READ };
	static const uint8_t pad[sizeof(rw) - COUNT32_DATA];
	struct iovec iov[4] = { { &hdr, sizeof(hdr) }, { &rw, sizeof(rw) } };
	uint32_t most = c->caps.max_xfer < c->server->conf.xfer_max ? c->caps.max_xfer :
		c->server->conf.xfer_max;
	size_t left = op->len - op->pos;
	int cnt = 2;

	do
		hdr.id = ++c->dma_id;
	while (find_sent(c, hdr.id) != NULL);
	op->id = hdr.id;
	op->sent = true;
	if (c->dma_layout == VU_DMA_UNKNOWN) {
		c->dma_layout = VU_DMA_ASKED;
		hdr.cmd = VFIO_USER_DMA_READ;
		rw.count = 1ull << 32;
		op->chunk = 0;
	} else {
		op->chunk = left < most ? (uint32_t)left : most;
		rw.count = op->chunk;
		if (op->write) {
			iov[cnt++] = (struct iovec){ op->buf + op->pos, op->chunk };
			if (c->dma_layout == VU_DMA_COUNT32) {
				iov[1].iov_len = COUNT32_DATA;
				iov[cnt++] = (struct iovec){ (void *)(uintptr_t)pad, sizeof(pad) };
			}
		}
	}
	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(rw) +
			(op->write && op->chunk != 0 ? op->chunk : 0));
	vu_conn_send(c, iov, cnt, -1);
}

/* Start all that may start: the first one alone until the layout is known. */
static void
start(struct vfio_user_conn *c)
{
	if (c->dma_layout == VU_DMA_ASKED)
		return;
	for (struct vu_dma_op *op = c->dma; op != NULL && c->state == VU_OPEN; op = op->next) {
		if (!op->sent)
			send_next(c, op);
		if (c->dma_layout == VU_DMA_ASKED)
			return;
	}
}

static void
finish(struct vfio_user_conn *c, struct vu_dma_op *op, int rc)
{
	struct vu_dma_op **link = &c->dma;

	while (*link != op)
		link = &(*link)->next;
	*link = op->next;
	if (op->next == NULL)
		c->dma_tail = link;
	c->dma_cnt--;
	op->done(op->arg, rc);
	free(op);
}

uint32_t
vu_dma_reply_max(const struct vfio_user_conn *c, const struct vfio_user_hdr *hdr)
{
	const struct vu_dma_op *op = find_sent(c, hdr->id);

	if (op == NULL)
		return 0;
	return (uint32_t)(sizeof(*hdr) + sizeof(struct vfio_user_dma_rw) +
			(op->write ? 0 : op->chunk));
}

void
vu_dma_reply(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint8_t *body)
{
	struct vu_dma_op *op = find_sent(c, hdr->id);
	bool asked = c->dma_layout == VU_DMA_ASKED, error = (hdr->flags & VFIO_USER_F_ERROR) != 0;
	uint32_t len = hdr->size - (uint32_t)sizeof(*hdr);
	struct vfio_user_dma_rw rw = { 0 };
	uint32_t count32;
	int rc = 0;

	op->sent = false;
	memcpy(&rw, body, len < sizeof(rw) ? len : sizeof(rw));
	count32 = (uint32_t)rw.count;

	if (asked) {
		c->dma_layout = error ? VU_DMA_COUNT64 : VU_DMA_COUNT32;
	} else if (error) {
		rc = hdr->error != 0 && hdr->error < 4096 ? -(int)hdr->error : -EPROTO;
	} else if (hdr->cmd != (op->write ? VFIO_USER_DMA_WRITE : VFIO_USER_DMA_READ) ||
			(len != sizeof(rw) + (op->write ? 0 : op->chunk) &&
			!(op->write && len == 0)) ||
			(len != 0 && (rw.iova != op->iova + op->pos || (c->dma_layout ==
			VU_DMA_COUNT64 ? rw.count != op->chunk : count32 != op->chunk)))) {
		vu_complain(c, "reply to a DMA of %" PRIu32 " bytes at 0x%" PRIx64 ": command %u, "
				"%" PRIu32 " bytes, count %" PRIu64 " at 0x%" PRIx64, op->chunk,
				op->iova + op->pos, hdr->cmd, len, rw.count, rw.iova);
		rc = -EPROTO;
	} else {
		if (!op->write)
			memcpy(op->buf + op->pos, body + (c->dma_layout == VU_DMA_COUNT32 ?
					COUNT32_DATA : sizeof(rw)), op->chunk);
		op->pos += op->chunk;
		c->dma_bytes += op->chunk;
	}
	if (rc != 0 || op->pos == op->len)
		finish(c, op, rc);
	if (c->state == VU_OPEN)
		start(c);
	vu_conn_update(c);
}

void
vu_dma_fail(struct vfio_user_conn *c, int rc)
{
	while (c->dma != NULL)
		finish(c, c->dma, rc);
}

static int
submit(struct vfio_user_conn *c, bool write, uint64_t iova, void *buf, size_t len,
		vfio_user_dma_done_t done, void *arg)
{
	struct vu_dma_op *op;

	if (len == 0 || len - 1 > UINT64_MAX - iova)
		return -EINVAL;
	if (c->state != VU_OPEN)
		return -ENOTCONN;
	if (c->dma_cnt >= VFIO_USER_DMA_OPS_MAX)
		return -EBUSY;
	op = malloc(sizeof(*op));
	if (op == NULL)
		return -ENOMEM;
	*op = (struct vu_dma_op){ .write = write, .iova = iova, .buf = buf, .len = len,
		.done = done, .arg = arg };
	if (c->dma == NULL) {
		c->dma_tail = &c->dma;
		c->moved_ms = vu_now_ms();
	}
	*c->dma_tail = op;
	c->dma_tail = &op->next;
	c->dma_cnt++;
	start(c);
	vu_conn_update(c);
	return 0;
}

int
vfio_user_dma_read(struct vfio_user_conn *conn, uint64_t iova, void *buf, size_t len,
		vfio_user_dma_done_t done, void *arg)
{
	return submit(conn, false, iova, buf, len, done, arg);
}

int
vfio_user_dma_write(struct vfio_user_conn *conn, uint64_t iova, const void *buf, size_t len,
		vfio_user_dma_done_t done, void *arg)
{
	return submit(conn, true, iova, (void *)(uintptr_t)buf, len, done, arg);
}

int
vfio_user_dma_find(struct vfio_user_conn *conn, uint64_t iova, struct vfio_user_dma *dma)
{
	const struct vfio_user_map_node *n = vfio_user_map_find(&conn->map, iova);

	if (n == NULL)
		return -ENOENT;
	*dma = (struct vfio_user_dma){ .iova = n->iova, .size = n->last - n->iova + 1,
		.prot = n->prot, .va = n->va };
	if (n->file != NULL) {
		dma->file_va = n->file->va;
		dma->file_len = n->file->len;
	}
	return 0;
}

void
vfio_user_dma_each_file(struct vfio_user_conn *conn,
		void (*f)(void *va, uint64_t len, void *arg), void *arg)
{
	for (unsigned int i = 0; conn->map.files != NULL && i < VFIO_USER_FILE_BUCKETS; i++)
		for (struct vfio_user_file *file = conn->map.files[i]; file != NULL;
				file = file->next)
			f(file->va, file->len, arg);
}
