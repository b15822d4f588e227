/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "vfio_user_internal.h"

static int
check_range(struct vfio_user_conn *c, const char *name, uint64_t iova, uint64_t size)
{
	if (size == 0 || size - 1 > UINT64_MAX - iova || (iova | size) % VFIO_USER_PAGE != 0) {
		vu_complain(c, "%s: 0x%" PRIx64 " + 0x%" PRIx64 "; expected whole pages of %u "
				"bytes, not beyond 2^64", name, iova, size, VFIO_USER_PAGE);
		return -EINVAL;
	}
	return 0;
}

int
vu_file_map(void *arg, void *va, uint64_t len, void **cookie)
{
	struct vfio_user_conn *c = arg;
	const struct vfio_user_ops *ops = c->ops;

	return ops->file_map != NULL ? ops->file_map(c, c->conf.priv, va, len, cookie) : 0;
}

void
vu_file_unmap(void *arg, void *cookie)
{
	struct vfio_user_conn *c = arg;
	const struct vfio_user_ops *ops = c->ops;

	if (ops->file_unmap != NULL)
		ops->file_unmap(c, c->conf.priv, cookie);
}

int
vu_do_dma_map(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;
	struct vfio_user_dma dma = { 0 };
	struct vfio_user_file *file = NULL;
	struct vfio_user_dma_map m;
	const char *why = "its fd";
	int rc;

	memcpy(&m, r->body, sizeof(m));
	rc = check_range(c, "DMA_MAP", m.iova, m.size);
	if (rc != 0)
		return rc;
	if (m.argsz < sizeof(m) || m.flags == 0 ||
			(m.flags & ~(VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE)) != 0) {
		vu_complain(c, "DMA_MAP: argsz %" PRIu32 ", flags 0x%" PRIx32
				"; expected at least %zu, 1 to 3", m.argsz, m.flags, sizeof(m));
		return -EINVAL;
	}
	if (r->fds->cnt != 0) {
		if (m.offset % VFIO_USER_PAGE != 0 || m.offset > INT64_MAX ||
				m.size > INT64_MAX - m.offset) {
			vu_complain(c, "DMA_MAP: offset 0x%" PRIx64 ", size 0x%" PRIx64
					"; expected whole pages below 2^63", m.offset, m.size);
			return -EINVAL;
		}
		rc = vfio_user_file_get(&c->map, r->fds->fd[0], m.offset, m.size,
				(m.flags & VFIO_USER_DMA_F_WRITE) != 0, &file, &why);
		if (rc != 0) {
			vu_complain(c, "DMA_MAP: 0x%" PRIx64 " bytes at offset 0x%" PRIx64
					" refused: %s (error %d)", m.size, m.offset, why, -rc);
			return rc;
		}
		dma.file_va = file->va;
		dma.file_len = file->len;
		dma.va = file->va + (m.offset - file->offset);
	}
	dma.iova = m.iova;
	dma.size = m.size;
	dma.prot = m.flags;
	rc = vfio_user_map_add(&c->map, m.iova, m.iova + (m.size - 1), m.flags, file, dma.va);
	if (rc != 0) {
		if (file != NULL)
			vfio_user_file_put(&c->map, file);
		vu_complain(c, "DMA_MAP: 0x%" PRIx64 " + 0x%" PRIx64 " refused: error %d (%" PRIu32
				" maps, at most %" PRIu32 ")", m.iova, m.size, -rc, c->map.cnt,
				c->map.cnt_max);
		return rc;
	}
	if (ops->dma_map != NULL) {
		rc = ops->dma_map(c, c->conf.priv, &dma);
		if (rc != 0) {
			vfio_user_map_remove(&c->map, m.iova, m.iova + (m.size - 1));
			return rc;
		}
	}
	vu_reply(c, r->hdr, NULL, 0, -1);
	return 0;
}

/* The device has let go of the range. */
void
vu_unmap_done(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint64_t iova,
		uint64_t size)
{
	struct vfio_user_dma_unmap m = { .argsz = sizeof(m), .iova = iova };

	/* size 0: all, as 2^64 has no room in it */
	m.flags = size == 0 ? VFIO_USER_UNMAP_F_ALL : 0;
	m.size = vfio_user_map_remove(&c->map, iova, size == 0 ? UINT64_MAX : iova + (size - 1));
	vu_reply(c, hdr, &m, sizeof(m), -1);
}

int
vu_do_dma_unmap(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;
	struct vfio_user_dma_unmap m;
	bool all;
	int rc = 0, within;

	memcpy(&m, r->body, sizeof(m));
	all = m.flags == VFIO_USER_UNMAP_F_ALL;
	if (m.argsz < sizeof(m) || (m.flags != 0 && !all) || (all && (m.iova | m.size) != 0)) {
		vu_complain(c, "DMA_UNMAP: argsz %" PRIu32 ", flags 0x%" PRIx32 "; expected at "
				"least %zu, 0 (or 2 and no range)", m.argsz, m.flags, sizeof(m));
		return m.flags == VFIO_USER_UNMAP_F_BITMAP ? -ENOTSUP : -EINVAL;
	}
	if (!all)
		rc = check_range(c, "DMA_UNMAP", m.iova, m.size);
	if (rc != 0)
		return rc;
	within = vfio_user_map_within(&c->map, m.iova,
			all ? UINT64_MAX : m.iova + (m.size - 1));
	if (within < 0) {
		vu_complain(c, "DMA_UNMAP: 0x%" PRIx64 " + 0x%" PRIx64 " cuts a map in two; "
				"expected whole maps", m.iova, m.size);
		return within;
	}
	if (within > 0 && ops->dma_unmap != NULL) {
		rc = ops->dma_unmap(c, c->conf.priv, m.iova, m.size);
		if (rc == VFIO_USER_DEFERRED) {
			c->defer.iova = m.iova;
			c->defer.size = m.size;
			return rc;
		}
		if (rc != 0)
			return rc;
	}
	vu_unmap_done(c, r->hdr, m.iova, m.size);
	return 0;
}
