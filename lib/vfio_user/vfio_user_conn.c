/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vfio_user_internal.h"

/* ---- Life ---- */

static int
read_peer(int fd, struct vfio_user_peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return -errno;
	*peer = (struct vfio_user_peer){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	return 0;
}

/* Whether the owner describes a device that there can be. */
static int
check_conf(struct vfio_user_conn *c)
{
	const struct vfio_user_device *dev = c->conf.device;

	if (dev == NULL || (dev->spim != NULL &&
			dev->spim->doorbell_region != dev->num_regions - 1))
		return -EINVAL;
	for (uint32_t i = 0; i < dev->num_irqs; i++)
		if (dev->irqs[i].count > VFIO_USER_VECTORS_MAX)
			return -EINVAL;
	if (c->conf.maps_max == 0)
		c->conf.maps_max = VFIO_USER_DMA_MAPS_MAX;
	c->num_regions = dev->num_regions - (dev->spim != NULL);
	return 0;
}

void
vu_conn_create(struct vfio_user_server *s, int fd, void *listener_priv)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct vfio_user_peer peer = { .uid = (uid_t)-1 };
	struct vfio_user_conn *c;
	int rc = read_peer(fd, &peer);

	if (rc != 0)
		goto refuse;
	rc = -ENOMEM;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		goto refuse;
	c->kind = VU_KIND_CONN;
	c->fd = fd;
	c->server = s;
	c->id = ++s->next_id;
	c->out_tail = &c->out;
	c->held_tail = &c->held;
	c->peer = peer;
	c->fds.uid = peer.uid;
	rc = s->conf.ops->connected(c, listener_priv, &c->conf);
	if (rc != 0) {
		vu_complain(c, "refused: error %d", -rc);
		free(c);
		goto refuse;
	}
	rc = check_conf(c);
	pthread_mutex_init(&c->irq_lock, NULL);
	c->next = s->conns;
	if (c->next != NULL)
		c->next->prev = c;
	s->conns = c;
	s->nconns++;
	s->accepted++;

	c->events = EPOLLIN;
	ev.data.ptr = c;
	if (rc == 0 && epoll_ctl(s->epfd, EPOLL_CTL_ADD, fd, &ev) != 0)
		rc = -errno;
	if (rc != 0) {
		/* The owner knows it, so that it ends the way that all end. */
		vu_complain(c, "cannot be served: error %d", -rc);
		vu_conn_stop(c);
	}
	return;

refuse:
	s->refused++;
	vfio_user_sock_close(fd, peer.uid);
}

static void
free_out(struct vfio_user_conn *c)
{
	while (c->out != NULL) {
		struct vu_out *o = c->out;

		c->out = o->next;
		if (o->fd >= 0)
			close(o->fd);
		free(o);
	}
	c->out_tail = &c->out;
	c->out_bytes = 0;
}

static void
free_held(struct vfio_user_conn *c)
{
	while (c->held != NULL) {
		struct vu_held *h = c->held;

		c->held = h->next;
		vfio_user_fds_close(&h->fds);
		free(h);
	}
	c->held_tail = &c->held;
	c->held_cnt = 0;
	c->held_bytes = 0;
}

void
vu_conn_stop(struct vfio_user_conn *c)
{
	struct vfio_user_server *s = c->server;

	if (c->state >= VU_CLOSING)
		return;
	c->state = VU_CLOSING;
	/*
	 * The socket stays open until the connection is released: to the peer, its end
	 * means that nothing touches the shared memory any more.
	 */
	epoll_ctl(c->server->epfd, EPOLL_CTL_DEL, c->fd, NULL);
	free(c->body);
	c->body = NULL;
	vfio_user_fds_close(&c->fds);
	free_out(c);
	free_held(c);
	vu_server_wait(c, false);

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->prev = NULL;
	c->next = s->dying;
	s->dying = c;
}

void
vu_conn_finish(struct vfio_user_conn *c)
{
	vu_irq_close(c);
	free(c->defer.buf);
	c->defer.buf = NULL;
	c->server->nconns--;
	c->state = VU_CLOSED;
	c->server->conf.ops->closed(c, c->conf.priv);
}

void
vfio_user_conn_release(struct vfio_user_conn *conn)
{
	vfio_user_sock_close(conn->fd, conn->peer.uid);
	pthread_mutex_destroy(&conn->irq_lock);
	free(conn);
}

void
vfio_user_conn_close(struct vfio_user_conn *conn, const char *reason)
{
	if (reason != NULL && conn->state < VU_CLOSING)
		vu_complain(conn, "closed: %s", reason);
	vu_conn_stop(conn);
	/* The rest is done at the end of a turn, which must come. */
	vu_server_wake(conn->server);
}

/* ---- Sending ---- */

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
		o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (o->fd < 0) {
			free(o);
			return -errno;
		}
	}
	if (c->out == NULL)
		c->moved_ms = base_now_ms();
	*c->out_tail = o;
	c->out_tail = &o->next;
	c->out_bytes += (uint32_t)o->len;
	return 0;
}

void
vu_conn_send(struct vfio_user_conn *c, const struct iovec *iov, int cnt, int fd)
{
	size_t len = 0;
	ssize_t n = -EAGAIN;
	int rc;

	if (c->state >= VU_CLOSING)
		return;
	for (int i = 0; i < cnt; i++)
		len += iov[i].iov_len;
	if (c->out == NULL)
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

/* The peer reads again. */
static void
flush(struct vfio_user_conn *c)
{
	while (c->out != NULL) {
		struct vu_out *o = c->out;
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
		}
		if (o->off < o->len)
			return;
		c->out = o->next;
		if (c->out == NULL)
			c->out_tail = &c->out;
		free(o);
	}
}

/* ---- Receiving ---- */

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
	ev.events = (may_read(c) ? EPOLLIN : 0u) | (c->out != NULL ? EPOLLOUT : 0u);
	if (ev.events != c->events && epoll_ctl(c->server->epfd, EPOLL_CTL_MOD, c->fd, &ev) == 0)
		c->events = ev.events;
	/*
	 * Who begins a message must end it: its fds may be what keeps the peer's
	 * socket open, even after the peer is dead.
	 */
	if (c->hdr_got != 0 && c->begun_ms == 0)
		c->begun_ms = base_now_ms();
	vu_server_wait(c, c->out != NULL || c->begun_ms != 0 || c->choked);
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
	h->next = NULL;
	h->hdr = c->hdr;
	h->fds = c->fds;
	c->fds.cnt = 0;
	c->fds.lost = false;
	if (len != 0)
		memcpy(h->body, body, len);
	*c->held_tail = h;
	c->held_tail = &h->next;
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
	if (c->defer.active || c->held != NULL) {
		if (!hold(c, body, len)) {
			vu_complain(c, "closed: no memory for a request of %" PRIu32 " bytes", len);
			vu_conn_stop(c);
		}
	} else {
		vu_msg_request(c, &c->hdr, body, &c->fds);
	}
	vfio_user_fds_close(&c->fds);
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
		n = vfio_user_sock_recv(c->fd, (uint8_t *)&c->hdr + c->hdr_got, want, &c->fds);
		c->choked = n == -EDQUOT;
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
		n = vfio_user_sock_recv(c->fd, at, len - c->body_got, &c->fds);
		c->choked = n == -EDQUOT;
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

void
vu_conn_serve(struct vfio_user_conn *c, uint32_t events)
{
	int rc = 0;

	if (c->state >= VU_CLOSING)
		return;
	if ((events & EPOLLOUT) != 0)
		flush(c);
	/* With EPOLLHUP there may still be messages to read, the last ones. */
	for (int i = 0; i < VU_TURN_MESSAGES && may_read(c); i++) {
		rc = receive(c);
		if (rc <= 0)
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
	vu_conn_update(c);
}

void
vu_conn_done(struct vfio_user_conn *c, int rc)
{
	vu_msg_done(c, rc);
	while (c->state < VU_CLOSING && c->held != NULL && !c->defer.active) {
		struct vu_held *h = c->held;

		c->held = h->next;
		if (c->held == NULL)
			c->held_tail = &c->held;
		c->held_cnt--;
		c->held_bytes -= h->hdr.size - (uint32_t)sizeof(h->hdr);
		vu_msg_request(c, &h->hdr, h->body, &h->fds);
		vfio_user_fds_close(&h->fds);
		free(h);
	}
	vu_conn_update(c);
}

/* ---- What the owner asks ---- */

const struct vfio_user_peer *
vfio_user_conn_peer(const struct vfio_user_conn *conn)
{
	return &conn->peer;
}

void *
vfio_user_conn_priv(const struct vfio_user_conn *conn)
{
	return conn->conf.priv;
}

uint64_t
vfio_user_conn_id(const struct vfio_user_conn *conn)
{
	return conn->id;
}

bool
vfio_user_conn_spim(const struct vfio_user_conn *conn)
{
	return conn->spim;
}

void
vfio_user_conn_stats_get(struct vfio_user_conn *conn, struct vfio_user_conn_stats *stats)
{
	pthread_mutex_lock(&conn->irq_lock);
	*stats = (struct vfio_user_conn_stats){ .messages = conn->messages,
		.errors = conn->errors, .irqs = conn->irqs,
		.eventfds = conn->eventfds, .out_bytes = conn->out_bytes };
	pthread_mutex_unlock(&conn->irq_lock);
}
