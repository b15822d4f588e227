/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base_clock.h"
#include "vfio_user_conn.h"
#include "vfio_user_fd.h"
#include "vfio_user_log.h"
#include "vfio_user_msg.h"
#include "vfio_user_recv.h"
#include "vfio_user_send.h"
#include "vfio_user_share.h"
#include "vfio_user_wait.h"

/* What one connection is served at a time: so many messages, and none after so long. */
#define VU_TURN_MESSAGES   16
#define VU_TURN_NS         100000
#define VU_OUT_HIGH        65536u /* With so much unread, the peer's requests wait. */
#define VU_HELD_MESSAGES   256u   /* Most requests kept while an operation is deferred. */
#define VU_HELD_BYTES      65536u

/* Whether the peer's next message may be read now. */
static bool
may_read(const struct vfio_user_conn *c)
{
	return c->state < VU_CLOSING && c->out_bytes < VU_OUT_HIGH &&
		c->held_cnt < VU_HELD_MESSAGES && c->held_bytes < VU_HELD_BYTES && !c->choked;
}

void
vu_conn_update(struct vfio_user_conn *c)
{
	struct epoll_event ev = { .data.ptr = c };

	if (c->state >= VU_CLOSING)
		return;
	ev.events = (may_read(c) ? EPOLLIN : 0u) | (!STAILQ_EMPTY(&c->out) ? EPOLLOUT : 0u);
	if (ev.events != c->events && epoll_ctl(c->server->epfd, EPOLL_CTL_MOD, c->fd, &ev) == 0)
		c->events = ev.events;
	/*
	 * Who begins a message must end it: its fds may be what keeps the peer's
	 * socket open, even after the peer is dead.
	 */
	if (c->hdr_got != 0 && c->begun_ms == 0)
		c->begun_ms = base_now_ms();
	vu_server_wait(c, !STAILQ_EMPTY(&c->out) || c->begun_ms != 0 || c->choked);
}

/* The header is there: is it one that can be followed? */
static bool
header_ok(struct vfio_user_conn *c)
{
	const struct vfio_user_hdr *h = &c->hdr;
	uint32_t max = vu_msg_max(h);

	if ((h->flags & ~VFIO_USER_F_NO_REPLY) != VFIO_USER_F_REQUEST) {
		vu_complain(c, "closed: message with flags 0x%" PRIx32
				"; expected a request or a posted one", h->flags);
		return false;
	}
	if (h->size < sizeof(*h) || h->size > max) {
		vu_complain(c, "closed: message of %" PRIu32 " bytes, command %u; expected %zu to "
				"%" PRIu32, h->size, h->cmd, sizeof(*h), max);
		return false;
	}
	return true;
}

/* Keep a request for later. */
static bool
hold(struct vfio_user_conn *c, const uint8_t *body, uint32_t len)
{
	struct vu_held *h = malloc(sizeof(*h) + len);

	if (h == NULL)
		return false;
	h->hdr = c->hdr;
	h->fds = c->fds;
	c->fds.cnt = 0;
	c->fds.lost = false;
	c->fds.refused = false;
	if (len != 0)
		memcpy(h->body, body, len);
	STAILQ_INSERT_TAIL(&c->held, h, link);
	c->held_cnt++;
	c->held_bytes += len;
	return true;
}

/* A whole message is there. */
static void
dispatch(struct vfio_user_conn *c, uint8_t *body)
{
	uint32_t len = c->hdr.size - (uint32_t)sizeof(c->hdr);

	c->messages++;
	if (c->defer.active || !STAILQ_EMPTY(&c->held)) {
		if (!hold(c, body, len)) {
			vu_complain(c, "closed: no memory for a request of %" PRIu32 " bytes", len);
			vu_conn_stop(c);
		}
	} else {
		vu_msg_request(c, &c->hdr, body, &c->fds);
	}
	vu_fds_close(c, &c->fds);
}

/* Read into the message; what came beside it counts as its user's from now on. */
static ssize_t
receive_some(struct vfio_user_conn *c, void *at, size_t len)
{
	struct vfio_user_fds *fds = &c->fds;
	unsigned int had = fds->cnt;
	ssize_t n = vfio_user_sock_recv(c->fd, at, len, fds);

	c->choked = n == -EDQUOT;
	if (fds->cnt == had || vu_fds_take(c, fds->cnt - had) == 0)
		return n;
	while (fds->cnt != had)
		vfio_user_fd_close(fds->fd[--fds->cnt], fds->uid);
	fds->refused = true;
	return n;
}

/*
 * Read what is missing of a message. The header is read first and alone: then all
 * fds that come with a byte of the message are the message's.
 *
 * @return 1: one message was served, 0: more must come, -errno: the stream is over.
 */
static int
receive(struct vfio_user_conn *c)
{
	uint32_t want = (uint32_t)sizeof(c->hdr) - c->hdr_got, len;
	uint8_t *at;
	ssize_t n;

	if (want != 0) {
		n = receive_some(c, (uint8_t *)&c->hdr + c->hdr_got, want);
		if (n <= 0)
			return n == 0 ? -ENOTCONN : n == -EAGAIN || c->choked ? 0 : (int)n;
		c->hdr_got += (uint32_t)n;
		if (c->hdr_got < sizeof(c->hdr))
			return 0;
		if (!header_ok(c))
			return -EPROTO;
	}

	len = c->hdr.size - (uint32_t)sizeof(c->hdr);
	at = c->body != NULL ? c->body + c->body_got : c->server->scratch;
	n = 0;
	if (c->body_got < len) {
		n = receive_some(c, at, len - c->body_got);
		if (n == 0 || (n < 0 && n != -EAGAIN && !c->choked))
			return n == 0 ? -ENOTCONN : (int)n;
	}
	if (n > 0)
		c->body_got += (uint32_t)n;
	if (c->body_got < len) {
		if (c->body == NULL && n > 0) {
			/* The sender has not finished: now it needs memory of its own. */
			c->body = malloc(len);
			if (c->body == NULL)
				return -ENOMEM;
			memcpy(c->body, at, (size_t)n);
		}
		return 0;
	}

	at = c->body != NULL ? c->body : c->server->scratch;
	c->body = NULL;
	c->body_got = 0;
	c->hdr_got = 0;
	c->begun_ms = 0;
	dispatch(c, at);
	if (at != c->server->scratch)
		free(at);
	return 1;
}

/* The first of the requests that were held. */
static void
serve_held(struct vfio_user_conn *c)
{
	struct vu_held *h = STAILQ_FIRST(&c->held);

	STAILQ_REMOVE_HEAD(&c->held, link);
	c->held_cnt--;
	c->held_bytes -= h->hdr.size - (uint32_t)sizeof(h->hdr);
	vu_msg_request(c, &h->hdr, h->body, &h->fds);
	vu_fds_close(c, &h->fds);
	free(h);
}

/* What was held comes before what is in the socket. */
static bool
may_serve_held(const struct vfio_user_conn *c)
{
	/* Replies that nobody reads have the bound that they have for what is in the socket. */
	return c->state < VU_CLOSING && !c->defer.active && !STAILQ_EMPTY(&c->held) &&
		c->out_bytes < VU_OUT_HIGH;
}

void
vu_conn_serve(struct vfio_user_conn *c, uint32_t events)
{
	int64_t end = base_now_ns() + VU_TURN_NS;
	int rc = 0;

	if (c->state >= VU_CLOSING)
		return;
	if ((events & EPOLLOUT) != 0)
		vu_flush(c);
	for (int i = 0; i < VU_TURN_MESSAGES; i++) {
		if (may_serve_held(c)) {
			serve_held(c);
		} else {
			/* With EPOLLHUP there may still be messages to read, the last ones. */
			rc = may_read(c) ? receive(c) : 0;
			if (rc <= 0)
				break;
		}
		if (base_now_ns() >= end)
			break;
	}
	if (rc < 0) {
		if (rc != -ENOTCONN && rc != -EPROTO && rc != -ECONNRESET)
			vu_complain(c, "closed: %s", strerror(-rc));
		vu_conn_stop(c);
	} else if (c->state < VU_CLOSING && (events & EPOLLHUP) != 0 && !may_read(c)) {
		/* It is gone, and nobody will read what keeps us from reading. */
		vu_conn_stop(c);
	}
	/* What is in the socket, epoll tells of again; of this it knows nothing. */
	if (may_serve_held(c))
		vu_ready_add(c, 0);
	vu_conn_update(c);
}

void
vu_conn_done(struct vfio_user_conn *c, int rc)
{
	vu_msg_done(c, rc);
	if (may_serve_held(c)) {
		vu_ready_add(c, 0);
		vu_server_wake(c->server);
	}
	vu_conn_update(c);
}
