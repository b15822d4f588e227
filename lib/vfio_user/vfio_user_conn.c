/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vfio_user_conn.h"
#include "vfio_user_irq.h"
#include "vfio_user_log.h"
#include "vfio_user_share.h"
#include "vfio_user_wait.h"

/* ---- Life ---- */

static int
read_peer(int fd, uid_t (*owner)(uid_t uid), struct vfio_user_peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return -errno;
	*peer = (struct vfio_user_peer){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid,
		.owner = owner != NULL ? owner(cred.uid) : cred.uid };
	return 0;
}

/* Whether the owner describes a device that there can be. */
static int
check_device(struct vfio_user_conn *c)
{
	const struct vfio_user_device *dev = c->conf.device;

	if (dev == NULL || dev->num_regions > VFIO_USER_REGIONS_MAX || (dev->spim != NULL &&
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
	struct vfio_user_peer peer = { .owner = (uid_t)-1 };
	struct vu_user *user = NULL;
	struct vfio_user_conn *c;
	int rc = read_peer(fd, s->conf.owner, &peer);

	if (rc != 0)
		goto refuse;
	user = vu_user_get(s, peer.owner);
	c = user != NULL ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL) {
		rc = -ENOMEM;
		goto refuse;
	}
	c->kind = VU_KIND_CONN;
	c->fd = fd;
	c->server = s;
	c->id = ++s->next_id;
	STAILQ_INIT(&c->out);
	STAILQ_INIT(&c->held);
	c->peer = peer;
	c->fds.uid = peer.owner;
	c->user = user;
	if (s->conf.ops->connected(c, listener_priv, &c->conf) != 0) {
		/* It has said why. */
		free(c);
		goto drop;
	}
	rc = check_device(c);
	pthread_mutex_init(&c->irq_lock, NULL);
	LIST_INSERT_HEAD(&s->conns, c, link);
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
	vu_log(s, BASE_LOG_WARNING, "connection refused: %s", strerror(-rc));
drop:
	if (user != NULL)
		vu_user_put(user);
	s->refused++;
	vfio_user_sock_close(fd, peer.owner);
}

static void
free_out(struct vfio_user_conn *c)
{
	struct vu_out *o;

	while ((o = STAILQ_FIRST(&c->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->out, link);
		if (o->fd >= 0) {
			close(o->fd);
			vu_fds_put(c, 1);
		}
		free(o);
	}
	c->out_bytes = 0;
}

static void
free_held(struct vfio_user_conn *c)
{
	struct vu_held *h;

	while ((h = STAILQ_FIRST(&c->held)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->held, link);
		vu_fds_close(c, &h->fds);
		free(h);
	}
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
	vu_ready_remove(c);
	free(c->body);
	c->body = NULL;
	vu_fds_close(c, &c->fds);
	free_out(c);
	free_held(c);
	vu_server_wait(c, false);

	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&s->dying, c, link);
}

void
vu_conn_finish(struct vfio_user_conn *c)
{
	vu_irq_close(c);
	free(c->defer.buf);
	c->defer.buf = NULL;
	c->server->nconns--;
	vu_user_put(c->user);
	c->user = NULL;
	c->state = VU_CLOSED;
	c->server->conf.ops->closed(c, c->conf.priv);
}

void
vfio_user_conn_hang_up(struct vfio_user_conn *conn)
{
	shutdown(conn->fd, SHUT_RDWR);
}

bool
vfio_user_conn_is_unread(const struct vfio_user_conn *conn)
{
	/* A kernel, or an emulator of one, may know less of it. */
	uint32_t mem[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(mem);

	/* What was sent is charged to our socket until the peer has read it, or closed its own. */
	return conn->fds_sent != 0 &&
		getsockopt(conn->fd, SOL_SOCKET, SO_MEMINFO, mem, &len) == 0 &&
		mem[SK_MEMINFO_WMEM_ALLOC] != 0;
}

void
vfio_user_conn_release(struct vfio_user_conn *conn)
{
	vfio_user_sock_close(conn->fd, conn->peer.owner);
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
