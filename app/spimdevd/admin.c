/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin.h"
#include "client.h"
#include "log.h"
#include "owners.h"
#include "record.h"
#include "report.h"
#include "vfio_user_fd.h"
#include "vfio_user_sock.h"

#define TICK_MS       1000 /* how often deadlines are checked while there is a session */
#define REQUEST_DEPTH 2    /* levels of values in a request */

struct session {
	int fd;
	struct ucred peer;
	bool answering;     /* the request is complete */
	uint64_t begun_ms;
	uint64_t moved_ms;  /* when it connected, or last read some of the answer */
	struct report report;
	size_t in_len;
	char in[ADMIN_REQUEST_MAX];
	size_t out_len;
	size_t out_sent;
	char out[REPORT_ROOM];
};

struct admin {
	struct service *service;
	const char *path;
	uid_t uid;          /* ours */
	int listen_fd;
	int epfd;
	bool paused;        /* no descriptor to be had: try again after a tick */
	uint64_t paused_ms; /* since when */
	struct session *session[ADMIN_SESSIONS_MAX];
};

/* Who may change something. */
static bool
may_change(const struct admin *a, const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == a->uid;
}

/* What the peer sent may have descriptors beside it. */
static void
session_close(int fd, uid_t uid)
{
	vfio_user_sock_close(fd, owners_of(uid));
}

static void
end_session(struct admin *a, unsigned int i)
{
	/* It may be a while until it is closed. */
	epoll_ctl(a->epfd, EPOLL_CTL_DEL, a->session[i]->fd, NULL);
	session_close(a->session[i]->fd, a->session[i]->peer.uid);
	free(a->session[i]);
	a->session[i] = NULL;
}

/* ---- Requests ---- */

/* A line that says why. Without memory for it the session ends, which says enough. */
static void
refuse(struct session *s, const char *reason)
{
	struct json_object *object = json_object_new_object();
	const char *line = NULL;

	if (record_add(object, "error", json_object_new_string(reason)))
		line = record_line(object, NULL);
	s->report.stage = REPORT_DONE;
	s->out_len = line == NULL ? 0 : (size_t)snprintf(s->out, sizeof(s->out), "%s\n", line);
	json_object_put(object);
}

static void
set_draining(struct session *s, struct access_point *p, bool draining)
{
	if (p->draining == draining)
		return;
	p->draining = draining;
	qm_dev_group_close(p->group, draining);
	log_line(BASE_LOG_INFO, "%s: %s, by pid %d, user %u", p->conf->path,
			draining ? "drains" : "is open again", (int)s->peer.pid,
			(unsigned int)s->peer.uid);
}

/* @param path Of the access point; NULL: all. */
static void
drain(struct admin *a, struct session *s, const char *path, bool draining)
{
	struct service *service = a->service;
	bool found = false;

	if (!may_change(a, &s->peer)) {
		refuse(s, "only root and the user of the service may do that");
		return;
	}
	for (unsigned int i = 0; i < service->opt->listen_cnt; i++) {
		struct access_point *p = &service->points[i];

		if (path != NULL && strcmp(p->conf->path, path) != 0)
			continue;
		found = true;
		set_draining(s, p, draining);
	}
	if (found)
		report_begin(&s->report, service, false);
	else
		refuse(s, "no access point has this path");
}

enum argument { ARGUMENT_NONE, ARGUMENT_ID, ARGUMENT_PATH };

/* A request's members; a text is valid as long as the JSON that it is from. */
struct request {
	const char *command;
	const char *path;
	uint64_t id;
	enum argument argument;
};

/* @return NULL, or what is wrong with it. */
static const char *
take_member(struct request *r, const char *key, struct json_object *value)
{
	if (strcmp(key, "command") == 0) {
		r->command = record_text(value, ADMIN_REQUEST_MAX);
		return r->command == NULL ? "command: a text is expected" : NULL;
	}
	if (r->argument != ARGUMENT_NONE)
		return "a command has one argument at most";
	if (strcmp(key, "path") == 0) {
		r->argument = ARGUMENT_PATH;
		r->path = record_text(value, ADMIN_REQUEST_MAX);
		return r->path == NULL ? "path: a text without a byte 0 is expected" : NULL;
	}
	if (strcmp(key, "id") == 0) {
		r->argument = ARGUMENT_ID;
		return record_number(value, &r->id) ? NULL :
			"id: the number of a connection is expected";
	}
	return "unknown key; command, path and id are known";
}

static void
carry_out(struct admin *a, struct session *s, const struct request *r)
{
	const char *c = r->command;

	if (r->argument == ARGUMENT_ID && strcmp(c, "client") == 0) {
		if (report_begin_client(&s->report, a->service, r->id) != 0)
			refuse(s, "no connection has this number");
	} else if (r->argument == ARGUMENT_PATH && strcmp(c, "drain") == 0) {
		drain(a, s, r->path, true);
	} else if (r->argument == ARGUMENT_PATH && strcmp(c, "undrain") == 0) {
		drain(a, s, r->path, false);
	} else if (r->argument == ARGUMENT_NONE && strcmp(c, "access_points") == 0) {
		report_begin(&s->report, a->service, false);
	} else if (r->argument == ARGUMENT_NONE && strcmp(c, "clients") == 0) {
		report_begin(&s->report, a->service, true);
	} else if (r->argument == ARGUMENT_NONE && strcmp(c, "drain-all") == 0) {
		drain(a, s, NULL, true);
	} else if (r->argument == ARGUMENT_NONE && strcmp(c, "undrain-all") == 0) {
		drain(a, s, NULL, false);
	} else {
		refuse(s, "unknown command, or not with this argument");
	}
}

static void
answer(struct admin *a, struct session *s, size_t len)
{
	struct json_object *object = record_parse(s->in, len, REQUEST_DEPTH);
	struct request r = { 0 };
	const char *wrong = object == NULL ? "the request is no JSON object of texts and numbers" :
		NULL;

	s->answering = true;
	if (object != NULL) {
		json_object_object_foreach(object, key, value)
			if (wrong == NULL)
				wrong = take_member(&r, key, value);
	}
	if (wrong == NULL && r.command == NULL)
		wrong = "a command is expected";
	if (wrong == NULL)
		carry_out(a, s, &r);
	else
		refuse(s, wrong);
	json_object_put(object);
}

/* ---- Sessions ---- */

/* @return Whether the session goes on. */
static bool
receive_request(struct admin *a, struct session *s)
{
	/* Taken, though nobody asked for any: the kernel would else drop them right here. */
	struct vfio_user_fds fds = { .uid = owners_of(s->peer.uid) };
	ssize_t n = vfio_user_sock_recv(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len, &fds);
	char *newline;

	vfio_user_fds_close(&fds);
	/* Who sends many of them is no inspector. */
	if (n <= 0)
		return n == -EAGAIN;
	s->in_len += (size_t)n;
	newline = memchr(s->in, '\n', s->in_len);
	if (newline != NULL) {
		answer(a, s, (size_t)(newline - s->in));
	} else if (s->in_len == sizeof(s->in)) {
		s->answering = true;
		refuse(s, "the request is too long");
	}
	return true;
}

/* Some of the answer. @return Whether the session goes on. */
static bool
send_some(struct session *s, uint64_t now)
{
	ssize_t n;

	if (s->out_sent == s->out_len) {
		s->out_sent = 0;
		s->out_len = report_more(&s->report, s->out);
		if (s->out_len == 0)
			return false; /* all is told; or nothing can be */
	}
	n = send(s->fd, s->out + s->out_sent, s->out_len - s->out_sent,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	s->out_sent += (size_t)n;
	s->moved_ms = now;
	return true;
}

static void
serve(struct admin *a, unsigned int i, uint64_t now)
{
	struct session *s = a->session[i];
	struct epoll_event ev = { .events = EPOLLOUT, .data.u32 = i };
	bool was = s->answering;

	if (!(was ? send_some(s, now) : receive_request(a, s))) {
		end_session(a, i);
		return;
	}
	/* What else the peer sends is of no interest, and must not wake us. */
	if (s->answering && !was && epoll_ctl(a->epfd, EPOLL_CTL_MOD, s->fd, &ev) != 0)
		end_session(a, i);
}

/* @return A free place for this peer, or ADMIN_SESSIONS_MAX. */
static unsigned int
find_place(const struct admin *a, const struct ucred *peer)
{
	unsigned int place = ADMIN_SESSIONS_MAX, others = 0;

	for (unsigned int i = 0; i < ADMIN_SESSIONS_MAX; i++) {
		if (a->session[i] == NULL)
			place = i;
		else if (!may_change(a, &a->session[i]->peer))
			others++;
	}
	return may_change(a, peer) || others < ADMIN_SESSIONS_OTHER ? place : ADMIN_SESSIONS_MAX;
}

static void
admin_pause(struct admin *a, bool paused, uint64_t now)
{
	struct epoll_event ev = {
		.events = paused ? 0 : EPOLLIN, .data.u32 = ADMIN_SESSIONS_MAX,
	};

	epoll_ctl(a->epfd, EPOLL_CTL_MOD, a->listen_fd, &ev);
	a->paused = paused;
	a->paused_ms = now;
}

static void
accept_one(struct admin *a, uint64_t now)
{
	static const char busy[] = "{\"error\":\"too many ask at the same time\"}\n";
	int fd = accept4(a->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct epoll_event ev = { .events = EPOLLIN };
	struct session *s;
	unsigned int i;

	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			admin_pause(a, true, now);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
		close(fd);
		return;
	}
	i = find_place(a, &peer);
	if (i == ADMIN_SESSIONS_MAX) {
		(void)!send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		session_close(fd, peer.uid);
		return;
	}
	s = calloc(1, sizeof(*s));
	ev.data.u32 = i;
	if (s == NULL || epoll_ctl(a->epfd, EPOLL_CTL_ADD, fd, &ev) != 0) {
		free(s);
		session_close(fd, peer.uid);
		return;
	}
	s->fd = fd;
	s->peer = peer;
	s->begun_ms = s->moved_ms = now;
	a->session[i] = s;
}

static void
expire(struct admin *a, uint64_t now)
{
	for (unsigned int i = 0; i < ADMIN_SESSIONS_MAX; i++) {
		const struct session *s = a->session[i];

		if (s == NULL || (now - s->moved_ms < ADMIN_STALL_MS &&
				now - s->begun_ms < ADMIN_SESSION_MS))
			continue;
		log_user(owners_of(s->peer.uid), BASE_LOG_WARNING,
				"control socket: pid %d, user %u: closed, it %s", (int)s->peer.pid,
				(unsigned int)s->peer.uid, s->answering ?
				"does not read its answer" : "does not end its request");
		end_session(a, i);
	}
	if (a->paused && now - a->paused_ms >= TICK_MS)
		admin_pause(a, false, now);
}

int
admin_run(struct admin *a)
{
	struct epoll_event ev[ADMIN_SESSIONS_MAX + 1];
	int n = epoll_wait(a->epfd, ev, ADMIN_SESSIONS_MAX + 1, 0);
	uint64_t now = service_now_ms();

	for (int i = 0; i < n; i++) {
		if (ev[i].data.u32 == ADMIN_SESSIONS_MAX)
			accept_one(a, now);
		else
			serve(a, ev[i].data.u32, now);
	}
	expire(a, now);
	return n;
}

int
admin_fd(const struct admin *a)
{
	return a->epfd;
}

int
admin_timeout(const struct admin *a)
{
	bool some = a->paused;

	for (unsigned int i = 0; i < ADMIN_SESSIONS_MAX; i++)
		some |= a->session[i] != NULL;
	return some ? TICK_MS : -1;
}

void
admin_forget(struct admin *a, const struct client *client)
{
	if (a == NULL)
		return;
	for (unsigned int i = 0; i < ADMIN_SESSIONS_MAX; i++)
		if (a->session[i] != NULL)
			report_forget(&a->session[i]->report, client);
}

/* ---- Life ---- */

int
admin_open(struct service *service, struct admin **admin)
{
	const struct listen_options *conf = &service->opt->control;
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = ADMIN_SESSIONS_MAX };
	struct admin *a;
	int rc;

	*admin = NULL;
	if (conf->path[0] == '\0')
		return 0;
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		log_line(BASE_LOG_ERR, "--control '%s': %s", conf->path, strerror(ENOMEM));
		return -ENOMEM;
	}
	a->service = service;
	a->path = conf->path;
	a->uid = geteuid();
	a->epfd = epoll_create1(EPOLL_CLOEXEC);
	a->listen_fd = a->epfd < 0 ? -errno : vfio_user_sock_listen(conf->path, conf->mode);
	if (a->listen_fd >= 0 && epoll_ctl(a->epfd, EPOLL_CTL_ADD, a->listen_fd, &ev) == 0) {
		*admin = a;
		return 0;
	}
	rc = a->listen_fd < 0 ? a->listen_fd : -errno;
	log_line(BASE_LOG_ERR, "--control '%s': %s", conf->path, rc == -EADDRINUSE ?
			"somebody listens there, or it is no socket" : strerror(-rc));
	admin_close(a);
	return rc;
}

void
admin_close(struct admin *a)
{
	if (a == NULL)
		return;
	for (unsigned int i = 0; i < ADMIN_SESSIONS_MAX; i++)
		if (a->session[i] != NULL)
			end_session(a, i);
	if (a->listen_fd >= 0) {
		unlink(a->path);
		vfio_user_fd_close(a->listen_fd, (uid_t)-1);
	}
	if (a->epfd >= 0)
		close(a->epfd);
	free(a);
}
