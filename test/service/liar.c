/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * A lying service, see liar.h.
 *
 * usage: liar --listen PATH [--lie NAME[:COMMAND][@N]]... [--queues N] [--revision N] [--plain]
 *             [--late MS] [--fault SPEC] | liar --list
 *   --lie   Of the first connection, the next one of the second, and so on; the last one is
 *           also that of all others. In answers to that command only (a number, enum
 *           vfio_user_cmd). At the N-th chance only; without N at each. "none" is one.
 *   --plain Without the software extension.
 *   --fault What the function itself does wrong, see qm_dev_fault.h.
 * "listening" on standard output says that it does. SIGTERM ends it with "told N", the number
 * of lies told.
 */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "liar.h"

#define LIES_MAX 16

static volatile sig_atomic_t ends;

static void
on_term(int sig)
{
	(void)sig;
	ends = 1;
}

void
liar_nap_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

bool
liar_strikes(struct liar *l)
{
	bool now = ++l->chances == l->n || l->n == 0;

	if (now)
		atomic_fetch_add(l->told, 1);
	return now;
}

/* ---- Messages ---- */

/* Read len bytes; wait for them, as whoever begins a message ends it. */
static bool
recv_all(int sock, void *buf, size_t len, struct vfio_user_fds *fds)
{
	for (size_t at = 0; at < len;) {
		struct pollfd p = { .fd = sock, .events = POLLIN };
		ssize_t n = vfio_user_sock_recv(sock, (uint8_t *)buf + at, len - at, fds);

		if (n == -EAGAIN)
			poll(&p, 1, 1000);
		else if (n <= 0)
			return false;
		else
			at += (size_t)n;
	}
	return true;
}

static bool
recv_message(int sock, struct message *m)
{
	m->fds = (struct vfio_user_fds){ .cnt = 0 };
	if (!recv_all(sock, &m->hdr, sizeof(m->hdr), &m->fds))
		return false;
	m->len = m->hdr.size - sizeof(m->hdr);
	return m->len <= sizeof(m->body) && recv_all(sock, m->body, m->len, &m->fds);
}

static void
send_message(int sock, const struct message *m)
{
	struct iovec iov[2] = { { (void *)(uintptr_t)&m->hdr, sizeof(m->hdr) },
		{ (void *)(uintptr_t)m->body, m->len } };
	unsigned int nfds = m->fds.cnt;

	for (size_t left = sizeof(m->hdr) + m->len; left != 0;) {
		struct pollfd p = { .fd = sock, .events = POLLOUT };
		ssize_t n = vfio_user_sock_send(sock, iov, 2, m->fds.fd, nfds);

		if (n == -EAGAIN && poll(&p, 1, 10000) == 1)
			continue;
		if (n <= 0)
			return; /* it is gone: its end is seen when it is read from */
		nfds = 0;
		left -= (size_t)n;
		for (int i = 0; i < 2 && n != 0; i++) {
			size_t part = (size_t)n < iov[i].iov_len ? (size_t)n : iov[i].iov_len;

			iov[i].iov_base = (uint8_t *)iov[i].iov_base + part;
			iov[i].iov_len -= part;
			n -= (ssize_t)part;
		}
	}
}

void
liar_send(struct liar *l, const struct message *m)
{
	send_message(l->sock, m);
}

static enum after
tell(struct liar *l, struct message *m)
{
	const struct lie *lie = l->lie;

	if (lie == NULL || lie->answer == NULL || (lie->cmd != 0 && lie->cmd != m->hdr.cmd) ||
			(l->cmd != 0 && l->cmd != m->hdr.cmd) || !liar_strikes(l))
		return AFTER_SEND;
	return lie->answer(l, m);
}

static bool
readable(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Serve one connection to its end; other is the end of the server's socket. */
static void
serve(struct liar *l, struct vfio_user_server *server, int other)
{
	struct message *m = malloc(sizeof(*m));
	enum after after = AFTER_SEND;

	while (m != NULL && !ends && after != AFTER_CLOSE) {
		const struct timespec pause = { .tv_nsec = 100000 };
		struct pollfd p = { .fd = l->sock, .events = POLLIN };
		bool any = ring_work(l);

		/* Few at a time: who reads them is this thread, too. */
		for (int i = 0; i < 16 && readable(l->sock); i++) {
			if (!recv_message(l->sock, m)) {
				after = AFTER_CLOSE;
				break;
			}
			/* Answers are to our own requests, which the server knows nothing of. */
			if ((m->hdr.flags & VFIO_USER_F_TYPE) == VFIO_USER_F_REQUEST)
				send_message(other, m);
			vfio_user_fds_close(&m->fds);
			any = true;
		}
		while (vfio_user_server_run(server, 0) > 0)
			any = true;
		while (after != AFTER_CLOSE && readable(other) && recv_message(other, m)) {
			after = tell(l, m);
			if (after == AFTER_SEND)
				send_message(l->sock, m);
			vfio_user_fds_close(&m->fds);
			any = true;
		}
		if (!any)
			ppoll(&p, 1, &pause, NULL);
	}
	free(m);
}

/* Connect to the server, which nobody else may. @return The socket, or -1. */
static int
join(struct liar *l, struct vfio_user_server *server)
{
	char dir[] = "/tmp/liar-XXXXXX";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || mkdtemp(dir) == NULL)
		return -1;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	if (vfio_user_server_listen(server, addr.sun_path, 0600, l) == 0) {
		if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
				vfio_user_server_run(server, 0) != 1) {
			close(sock);
			sock = -1;
		}
		unlink(addr.sun_path);
	}
	rmdir(dir);
	return sock;
}

static int
connection(struct liar *l)
{
	const struct vfio_user_server_conf conf = { .name = "liar", .ops = &ring_ops };
	struct vfio_user_server *server;
	int other;

	if (ring_open(l) != 0 || vfio_user_server_create(&conf, &server) != 0)
		return -1;
	other = join(l, server);
	if (other >= 0)
		serve(l, server, other);
	/* First the function, then the client's end: it reuses its memory as it sees that. */
	vfio_user_server_destroy(server);
	if (other >= 0)
		close(other);
	ring_close(l);
	close(l->sock);
	return other < 0 ? -1 : 0;
}

/* ---- Options ---- */

static const struct lie *
find(const char *name, size_t len)
{
	for (int i = 0; i < 2; i++)
		for (const struct lie *lie = i == 0 ? answer_lies : result_lies; lie->name != NULL;
				lie++)
			if (strlen(lie->name) == len && strncmp(lie->name, name, len) == 0)
				return lie;
	return NULL;
}

/* What is behind a sign in a lie's name; 0: nothing. */
static unsigned int
number(const char *lie, char sign)
{
	const char *at = strchr(lie, sign);

	return at != NULL ? (unsigned int)atoi(at + 1) : 0;
}

static void
list(void)
{
	for (const struct lie *lie = answer_lies; lie->name != NULL; lie++)
		printf("answer %-16s %s\n", lie->name, lie->what);
	for (const struct lie *lie = result_lies; lie->name != NULL; lie++)
		printf("result %-16s %s\n", lie->name, lie->what);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' }, { "lie", required_argument, NULL, 'i' },
		{ "queues", required_argument, NULL, 'q' }, { "plain", no_argument, NULL, 'p' },
		{ "revision", required_argument, NULL, 'r' },
		{ "late", required_argument, NULL, 'd' }, { "list", no_argument, NULL, 'L' },
		{ "fault", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	const struct sigaction term = { .sa_handler = on_term };
	struct liar l = { .queues = 16, .revision = HISI_QM_REV_V3 };
	const char *lies[LIES_MAX];
	unsigned int cnt = 0;
	int c, listener;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'l')
			l.path = optarg;
		else if (c == 'i' && cnt < LIES_MAX)
			lies[cnt++] = optarg;
		else if (c == 'q')
			l.queues = (uint16_t)atoi(optarg);
		else if (c == 'p')
			l.plain = true;
		else if (c == 'r')
			l.revision = (uint8_t)strtoul(optarg, NULL, 0);
		else if (c == 'd')
			l.late_ms = (unsigned int)atoi(optarg);
		else if (c == 'f')
			l.fault = optarg;
		else if (c == 'L')
			return list(), 0;
		else
			return 2;
	}
	for (unsigned int i = 0; i < cnt; i++)
		if (strcmp(lies[i], "none") != 0 && find(lies[i], strcspn(lies[i], ":@")) == NULL) {
			fprintf(stderr, "liar: %s: no such lie\n", lies[i]);
			return 2;
		}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	l.told = mmap(NULL, sizeof(*l.told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	sigaction(SIGTERM, &term, NULL);
	listener = l.path != NULL ? vfio_user_sock_listen(l.path, 0666) : -EINVAL;
	if (listener < 0) {
		fprintf(stderr, "liar: cannot listen (%d)\n", listener);
		return 2;
	}
	printf("listening\n");
	fflush(stdout);
	for (unsigned int n = 0; !ends;) {
		struct pollfd p = { .fd = listener, .events = POLLIN };
		const char *lie = cnt != 0 ? lies[n < cnt ? n : cnt - 1] : "none";

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (poll(&p, 1, 20) != 1)
			continue;
		l.sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (l.sock < 0)
			continue;
		l.lie = find(lie, strcspn(lie, ":@"));
		l.cmd = number(lie, ':');
		l.n = number(lie, '@');
		n++;
		/* A client that connects again may not have left yet. */
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(listener);
			_exit(connection(&l) != 0);
		}
		close(l.sock);
	}
	close(listener);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	printf("told %u\n", atomic_load(l.told));
	unlink(l.path);
	return 0;
}
