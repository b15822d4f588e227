/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Message DMA, and what the owner may ask about the map. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_user_internal.h"

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
	uint32_t most = c->caps.max_xfer < c->server->conf.xfer_max ? c->caps.max_xfer :
		c->server->conf.xfer_max;
	size_t left = op->len - op->pos;
	struct iovec iov[3] = { { &hdr, sizeof(hdr) }, { &rw, sizeof(rw) } };

	op->chunk = left < most ? (uint32_t)left : most;
	rw.count = op->chunk;
	iov[2] = (struct iovec){ op->buf + op->pos, op->chunk };
	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(rw) + (op->write ? op->chunk : 0));
	do
		hdr.id = ++c->dma_id;
	while (find_sent(c, hdr.id) != NULL);
	op->id = hdr.id;
	op->sent = true;
	vu_conn_send(c, iov, op->write ? 3 : 2, -1);
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
	uint32_t len = hdr->size - (uint32_t)sizeof(*hdr);
	struct vfio_user_dma_rw rw = { 0 };
	int rc = 0;

	op->sent = false;
	memcpy(&rw, body, len < sizeof(rw) ? len : sizeof(rw));
	if ((hdr->flags & VFIO_USER_F_ERROR) != 0) {
		rc = hdr->error != 0 && hdr->error < 4096 ? -(int)hdr->error : -EPROTO;
	} else if (hdr->cmd == VFIO_USER_DMA_WRITE && op->write && len == 0) {
		/* QEMU answers a write with a header only. */
	} else if (hdr->cmd != (op->write ? VFIO_USER_DMA_WRITE : VFIO_USER_DMA_READ) ||
			len != sizeof(rw) + (op->write ? 0 : op->chunk) ||
			rw.iova != op->iova + op->pos || rw.count != op->chunk) {
		vu_complain(c, "reply to a DMA of %" PRIu32 " bytes at 0x%" PRIx64 ": command %u, "
				"%" PRIu32 " bytes, count %" PRIu64 " at 0x%" PRIx64, op->chunk,
				op->iova + op->pos, hdr->cmd, len, rw.count, rw.iova);
		rc = -EPROTO;
	} else if (!op->write) {
		memcpy(op->buf + op->pos, body + sizeof(rw), op->chunk);
	}
	if (rc == 0) {
		op->pos += op->chunk;
		c->dma_bytes += op->chunk;
	}
	if (rc != 0 || op->pos == op->len)
		finish(c, op, rc);
	else
		send_next(c, op);
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
		c->moved_ms = base_now_ms();
	}
	*c->dma_tail = op;
	c->dma_tail = &op->next;
	c->dma_cnt++;
	send_next(c, op);
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
