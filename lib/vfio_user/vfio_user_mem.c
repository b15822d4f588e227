/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "vfio_user_do.h"
#include "vfio_user_log.h"
#include "vfio_user_send.h"
#include "vfio_user_share.h"

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
vu_do_dma_map(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;
	struct vfio_user_dma dma;
	struct vfio_user_dma_map m;
	const char *why = "the device";
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
	if (r->fds->cnt != 0 && (m.offset % VFIO_USER_PAGE != 0 || m.offset > INT64_MAX ||
			m.size > INT64_MAX - m.offset)) {
		vu_complain(c, "DMA_MAP: offset 0x%" PRIx64 ", size 0x%" PRIx64
				"; expected whole pages below 2^63", m.offset, m.size);
		return -EINVAL;
	}
	dma = (struct vfio_user_dma){ .iova = m.iova, .size = m.size, .prot = m.flags,
		.fd = r->fds->cnt != 0 ? r->fds->fd[0] : -1, .offset = m.offset };
	rc = ops->dma_map != NULL ? ops->dma_map(c, c->conf.priv, &dma, &why) : 0;
	if (rc != 0) {
		vu_complain(c, "DMA_MAP: 0x%" PRIx64 " + 0x%" PRIx64 ", offset 0x%" PRIx64
				" refused: %s (error %d)", m.iova, m.size, m.offset, why, -rc);
		return rc;
	}
	if (dma.fd >= 0 && ops->dma_map != NULL) {
		/* Mapped, it is not the last that keeps the memory: this frees nothing. */
		close(dma.fd);
		r->fds->fd[0] = -1;
		vu_fds_put(c, 1);
	}
	vu_reply(c, r->hdr, NULL, 0, -1);
	return 0;
}

/* The device has let go of the range. */
void
vu_unmap_done(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint64_t iova,
		uint64_t size, uint64_t bytes)
{
	/* size 0: all, as 2^64 has no room in it */
	struct vfio_user_dma_unmap m = { .argsz = sizeof(m), .iova = iova, .size = bytes,
		.flags = size == 0 ? VFIO_USER_UNMAP_F_ALL : 0 };

	vu_reply(c, hdr, &m, sizeof(m), -1);
}

int
vu_do_dma_unmap(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;
	struct vfio_user_dma_unmap m;
	uint64_t bytes = 0;
	bool all;
	int rc = 0;

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
	if (ops->dma_unmap != NULL)
		rc = ops->dma_unmap(c, c->conf.priv, m.iova, m.size, &bytes);
	if (rc == VFIO_USER_DEFERRED) {
		c->defer.iova = m.iova;
		c->defer.size = m.size;
		c->defer.bytes = bytes;
	} else if (rc == 0) {
		vu_unmap_done(c, r->hdr, m.iova, m.size, bytes);
	} else {
		vu_complain(c, "DMA_UNMAP: 0x%" PRIx64 " + 0x%" PRIx64 " refused: error %d; "
				"expected whole maps", m.iova, m.size, -rc);
	}
	return rc;
}
