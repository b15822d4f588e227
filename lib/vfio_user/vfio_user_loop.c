/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base_clock.h"
#include "vfio_user_conn.h"
#include "vfio_user_fd.h"
#include "vfio_user_log.h"
#include "vfio_user_recv.h"
#include "vfio_user_share.h"
#include "vfio_user_wait.h"

#define STALL_MS         10000u  /* Within which a peer has to go on. */
#define TURN_NS          1000000 /* After which a turn ends, whoever still waits. */
#define EVENTS_PER_TURN  512     /* So that who has many connections hides nobody else's. */
#define ACCEPTS_PER_TURN 16

static int
epoll_watch(struct vfio_user_server *s, int fd, enum vu_kind *kind)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = kind };

	return epoll_ctl(s->epfd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -errno;
}

/* ---- Time ---- */

static void
pause_accept(struct vfio_user_server *s, bool paused)
{
	struct vfio_user_listener *l;

	SLIST_FOREACH(l, &s->listeners, link) {
		struct epoll_event ev = { .events = paused ? 0 : EPOLLIN, .data.ptr = l };

		epoll_ctl(s->epfd, EPOLL_CTL_MOD, l->fd, &ev);
	}
	s->accept_paused = paused;
}

static void
tick(struct vfio_user_server *s)
{
	uint64_t now = base_now_ms(), expired;
	struct vfio_user_conn *c, *next;

	if (read(s->timer_fd, &expired, sizeof(expired)) < 0)
		return;
	for (c = LIST_FIRST(&s->waiting); c != NULL; c = next) {
		next = LIST_NEXT(c, wait_link);
		if (c->begun_ms != 0 && now - c->begun_ms >= STALL_MS)
			vu_complain(c, "closed: a message is not complete after %u ms", STALL_MS);
		else if (!STAILQ_EMPTY(&c->out) && now - c->moved_ms >= STALL_MS)
			vu_complain(c, "closed: nothing read for %u ms; %" PRIu32 " bytes wait",
					STALL_MS, c->out_bytes);
		else {
			/* Perhaps what its user's fds waited for has come to an end. */
			c->choked = false;
			vu_conn_update(c);
			continue;
		}
		vu_conn_stop(c);
	}
	if (s->accept_paused)
		pause_accept(s, false);
	vu_server_tick(s, !LIST_EMPTY(&s->waiting));
}

/* ---- Deferred operations ---- */

void
vfio_user_conn_complete(struct vfio_user_conn *conn, int rc)
{
	vu_conn_done(conn, rc);
	/* Who was closed by that is told at the end of a turn, which must come. */
	if (conn->state >= VU_CLOSING)
		vu_server_wake(conn->server);
}

/* ---- Turns ---- */

/* Tell the owner of those that were closed. */
static void
bury(struct vfio_user_server *s)
{
	struct vfio_user_conn *c;

	while ((c = LIST_FIRST(&s->dying)) != NULL) {
		LIST_REMOVE(c, link);
		vu_conn_finish(c);
	}
}

static void
accept_some(struct vfio_user_server *s, struct vfio_user_listener *l)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			vu_conn_create(s, fd, l->priv);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		/* No fd or memory to be had: the others go on, who waits waits a little. */
		vu_log(s, BASE_LOG_ERR, "accept: %s; %" PRIu32 " connections are open; "
				"trying again in a while", strerror(errno), s->nconns);
		pause_accept(s, true);
		vu_server_tick(s, true);
		return;
	}
}

int
vfio_user_server_run(struct vfio_user_server *s, int timeout_ms)
{
	struct epoll_event ev[EVENTS_PER_TURN];
	int64_t end;
	eventfd_t wakes;
	struct vfio_user_conn *c;
	int n = epoll_wait(s->epfd, ev, EVENTS_PER_TURN, TAILQ_EMPTY(&s->turns) ? timeout_ms : 0);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	end = base_now_ns() + TURN_NS;
	for (int i = 0; i < n; i++) {
		switch (*(enum vu_kind *)ev[i].data.ptr) {
		case VU_KIND_CONN:
			vu_ready_add(ev[i].data.ptr, ev[i].events);
			break;
		case VU_KIND_LISTENER:
			accept_some(s, ev[i].data.ptr);
			break;
		case VU_KIND_WAKE:
			(void)eventfd_read(s->wake_fd, &wakes);
			break;
		case VU_KIND_TIMER:
			tick(s);
			break;
		}
	}
	bury(s);
	while ((c = vu_ready_next(s)) != NULL) {
		vu_conn_serve(c, c->ready_events);
		/* Here, as the end of a connection takes its time, too. */
		bury(s);
		if (base_now_ns() >= end)
			break;
	}
	if (!TAILQ_EMPTY(&s->turns))
		vu_server_wake(s);
	return n;
}

int
vfio_user_server_fd(const struct vfio_user_server *server)
{
	return server->epfd;
}

/* ---- Listening ---- */

static int
add_listener(struct vfio_user_server *s, int fd, const char *path, void *priv)
{
	struct vfio_user_listener *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return -ENOMEM;
	l->kind = VU_KIND_LISTENER;
	l->fd = fd;
	l->priv = priv;
	l->path = strdup(path);
	if (l->path == NULL) {
		free(l);
		return -ENOMEM;
	}
	rc = epoll_watch(s, fd, &l->kind);
	if (rc != 0) {
		free(l->path);
		free(l);
		return rc;
	}
	SLIST_INSERT_HEAD(&s->listeners, l, link);
	return 0;
}

int
vfio_user_server_listen(struct vfio_user_server *s, const char *path, mode_t mode, void *priv)
{
	int fd = vfio_user_sock_listen(path, mode), rc;

	if (fd < 0) {
		vu_log(s, BASE_LOG_ERR, "%s: %s", path, fd == -EADDRINUSE ?
				"somebody listens there already, or it is no socket" :
				strerror(-fd));
		return fd;
	}
	rc = add_listener(s, fd, path, priv);
	if (rc != 0) {
		vu_log(s, BASE_LOG_ERR, "%s: %s", path, strerror(-rc));
		unlink(path);
		close(fd);
	}
	return rc;
}

/* ---- Life ---- */

static int
check_ops(struct vfio_user_server *s)
{
	struct vfio_user_server_conf *f = &s->conf;

	if (f->name == NULL)
		f->name = "vfio-user";
	if (f->ops == NULL || f->ops->connected == NULL || f->ops->region_read == NULL ||
			f->ops->region_write == NULL || f->ops->closed == NULL) {
		vu_log(s, BASE_LOG_ERR, "an operation is missing; expected connected, "
				"region_read, region_write and closed");
		return -EINVAL;
	}
	return 0;
}

static int
open_fds(struct vfio_user_server *s)
{
	int rc;

	s->epfd = epoll_create1(EPOLL_CLOEXEC);
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->epfd < 0 || s->timer_fd < 0 || s->wake_fd < 0)
		return -errno;
	rc = epoll_watch(s, s->timer_fd, &s->timer_kind);
	return rc != 0 ? rc : epoll_watch(s, s->wake_fd, &s->wake_kind);
}

static void
free_server(struct vfio_user_server *s)
{
	if (s->epfd >= 0)
		close(s->epfd);
	if (s->timer_fd >= 0)
		close(s->timer_fd);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	free(s->scratch);
	free(s);
}

int
vfio_user_server_create(const struct vfio_user_server_conf *conf, struct vfio_user_server **server)
{
	struct vfio_user_server *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return -ENOMEM;
	s->conf = *conf;
	s->epfd = s->timer_fd = s->wake_fd = -1;
	s->timer_kind = VU_KIND_TIMER;
	s->wake_kind = VU_KIND_WAKE;
	TAILQ_INIT(&s->turns);
	rc = check_ops(s);
	if (rc == 0)
		rc = open_fds(s);
	if (rc == 0) {
		s->scratch = malloc(VU_SMALL_MAX + VU_XFER_MAX);
		rc = s->scratch != NULL ? vfio_user_notify_init(&s->notify) : -ENOMEM;
	}
	if (rc != 0) {
		free_server(s);
		return rc;
	}
	*server = s;
	return 0;
}

void
vfio_user_server_destroy(struct vfio_user_server *s)
{
	struct vfio_user_listener *l;
	struct vfio_user_conn *c;

	if (s == NULL)
		return;
	while ((l = SLIST_FIRST(&s->listeners)) != NULL) {
		SLIST_REMOVE_HEAD(&s->listeners, link);
		unlink(l->path);
		/* With it ends what nobody has accepted, and what was sent there. */
		vfio_user_fd_close(l->fd, (uid_t)-1);
		free(l->path);
		free(l);
	}
	while ((c = LIST_FIRST(&s->conns)) != NULL)
		vu_conn_stop(c);
	bury(s);
	vfio_user_notify_fini(&s->notify);
	free_server(s);
}

void
vfio_user_server_stats_get(const struct vfio_user_server *server,
		struct vfio_user_server_stats *stats)
{
	*stats = (struct vfio_user_server_stats){ .conns = server->nconns,
		.accepted = server->accepted, .refused = server->refused };
}

void
vfio_user_server_each(struct vfio_user_server *server,
		void (*f)(struct vfio_user_conn *conn, void *arg), void *arg)
{
	struct vfio_user_conn *c;

	LIST_FOREACH(c, &server->conns, link)
		f(c, arg);
}
