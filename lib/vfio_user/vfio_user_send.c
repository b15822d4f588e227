/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base_clock.h"
#include "vfio_user_conn.h"
#include "vfio_user_log.h"
#include "vfio_user_send.h"
#include "vfio_user_share.h"

/* Keep what of iov is behind the first skip bytes. */
static int
keep(struct vfio_user_conn *c, const struct iovec *iov, int cnt, size_t skip, int fd)
{
	size_t len = 0, at = 0;
	struct vu_out *o;

	for (int i = 0; i < cnt; i++)
		len += iov[i].iov_len;
	o = malloc(sizeof(*o) + len - skip);
	if (o == NULL)
		return -ENOMEM;
	*o = (struct vu_out){ .len = len - skip, .fd = -1 };
	for (int i = 0; i < cnt; i++) {
		size_t n = iov[i].iov_len, off = skip < n ? skip : n;

		if (n != off)
			memcpy(o->bytes + at, (const uint8_t *)iov[i].iov_base + off, n - off);
		at += n - off;
		skip -= off;
	}
	if (fd >= 0) {
		int rc = vu_fds_take(c, 1);

		if (rc == 0) {
			o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
			rc = o->fd < 0 ? -errno : 0;
			if (rc != 0)
				vu_fds_put(c, 1);
		}
		if (rc != 0) {
			free(o);
			return rc;
		}
	}
	if (STAILQ_EMPTY(&c->out))
		c->moved_ms = base_now_ms();
	STAILQ_INSERT_TAIL(&c->out, o, link);
	c->out_bytes += (uint32_t)o->len;
	return 0;
}

/* fd (-1: none) stays the caller's. Without memory the connection ends. */
static void
send_or_keep(struct vfio_user_conn *c, const struct iovec *iov, int cnt, int fd)
{
	size_t len = 0;
	ssize_t n = -EAGAIN;
	int rc;

	if (c->state >= VU_CLOSING)
		return;
	for (int i = 0; i < cnt; i++)
		len += iov[i].iov_len;
	if (STAILQ_EMPTY(&c->out))
		n = vfio_user_sock_send(c->fd, iov, cnt, &fd, fd >= 0 ? 1 : 0);
	if (n == (ssize_t)len)
		return;
	if (n < 0 && n != -EAGAIN) {
		if (n != -EPIPE && n != -ECONNRESET)
			vu_complain(c, "closed: sendmsg: %s", strerror((int)-n));
		vu_conn_stop(c);
		return;
	}
	rc = keep(c, iov, cnt, n < 0 ? 0 : (size_t)n, n < 0 ? fd : -1);
	if (rc != 0) {
		vu_complain(c, "closed: no memory or fd for a reply of %zu bytes", len);
		vu_conn_stop(c);
	}
}

void
vu_reply(struct vfio_user_conn *c, const struct vfio_user_hdr *req, const void *body,
		uint32_t len, int fd)
{
	struct vfio_user_hdr hdr = { .id = req->id, .cmd = req->cmd,
		.size = (uint32_t)sizeof(hdr) + len, .flags = VFIO_USER_F_REPLY };
	struct iovec iov[2] = { { &hdr, sizeof(hdr) }, { (void *)(uintptr_t)body, len } };

	if ((req->flags & VFIO_USER_F_NO_REPLY) == 0)
		send_or_keep(c, iov, len != 0 ? 2 : 1, fd);
}

void
vu_reply_error(struct vfio_user_conn *c, const struct vfio_user_hdr *req, int rc)
{
	struct vfio_user_hdr hdr = { .id = req->id, .cmd = req->cmd, .size = sizeof(hdr),
		.flags = VFIO_USER_F_REPLY | VFIO_USER_F_ERROR, .error = (uint32_t)-rc };
	struct iovec iov = { &hdr, sizeof(hdr) };

	c->errors++;
	if ((req->flags & VFIO_USER_F_NO_REPLY) == 0)
		send_or_keep(c, &iov, 1, -1);
}

void
vu_flush(struct vfio_user_conn *c)
{
	struct vu_out *o;

	while ((o = STAILQ_FIRST(&c->out)) != NULL) {
		struct iovec iov = { o->bytes + o->off, o->len - o->off };
		ssize_t n = vfio_user_sock_send(c->fd, &iov, 1, &o->fd, o->fd >= 0 ? 1 : 0);

		if (n == -EAGAIN)
			return;
		if (n < 0) {
			vu_conn_stop(c);
			return;
		}
		c->moved_ms = base_now_ms();
		c->out_bytes -= (uint32_t)n;
		o->off += (size_t)n;
		if (o->fd >= 0) {
			close(o->fd);
			o->fd = -1;
			vu_fds_put(c, 1);
		}
		if (o->off < o->len)
			return;
		STAILQ_REMOVE_HEAD(&c->out, link);
		free(o);
	}
}
