/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Descriptors that come beside messages, and make wait whoever asks or drops them.
 */

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attacker.h"
#include "stuck_file.h"
#include "stuck_socket.h"

/* Descriptors of one user that may wait to be closed, those of a message, and some others. */
#define WAITING_MAX (64 + VFIO_USER_FDS_MAX + 16)
/* Enough to take all that a service has. */
#define COPIES 40000u
/* The kernel passes on no more at a time. */
#define AT_ONCE 64u

enum how {
	AS_MEMORY,
	AS_EVENTFD,
	WHERE_NONE_BELONGS,
	OF_HALF_A_MESSAGE,
	TOO_MANY,        /* the last of more than a message may have */
	BEHIND_NONSENSE, /* of a message that is not read any more */
	HOWS,
};

/* Much less than what it would have to wait for, and much more than a busy machine takes. */
#define ANSWER_S 15

static void
still_answers(const struct target *t)
{
	double start = now_s();
	int sock = raw_connect(t);

	raw_negotiate(sock);
	close(sock);
	if (now_s() - start > ANSWER_S)
		die("a connection waited for %.0f s", now_s() - start);
}

/* Send it in one of the ways, to a connection of its own. own: to be the sender's no more. */
static void
send_one(const struct target *t, int fd, bool own, enum how how)
{
	const struct vfio_user_dma_map map = { .argsz = sizeof(map), .flags = 1,
		.iova = ATTACKER_IOVA, .size = 4096 };
	const struct vfio_user_irq_set set = { .argsz = sizeof(set), .flags =
		VFIO_USER_SET_F_EVENTFD | VFIO_USER_SET_F_TRIGGER, .index = VFIO_USER_PCI_MSI,
		.count = 1 };
	int sock = raw_connect(t), fds[AT_ONCE], memory = attacker_memfd(4096);
	unsigned int n = 1;
	uint8_t msg[512];
	size_t len;

	raw_negotiate(sock);
	if (how == AS_MEMORY)
		len = raw_message(msg, 2, VFIO_USER_DMA_MAP, 0, &map, sizeof(map));
	else if (how == AS_EVENTFD)
		len = raw_message(msg, 2, VFIO_USER_DEVICE_SET_IRQS, 0, &set, sizeof(set));
	else
		len = raw_message(msg, 2, VFIO_USER_DEVICE_RESET, 0, NULL, 0);
	if (how == OF_HALF_A_MESSAGE)
		len--;
	if (how == TOO_MANY)
		n = AT_ONCE;
	for (unsigned int i = 0; i < n; i++)
		fds[i] = i == n - 1 ? fd : memory;
	if (how == BEHIND_NONSENSE) {
		uint8_t nonsense[64];

		memset(nonsense, 0xff, sizeof(nonsense));
		raw_send(sock, nonsense, sizeof(nonsense), NULL, 0, 0);
	}
	raw_send(sock, msg, len, fds, n, 0);
	close(memory);
	if (own)
		close(fd); /* the last one is the service's */
	nap_ms(50);
	close(sock);
	still_answers(t);
}

static void
files_that_never_answer(const struct target *t)
{
	int fd = stuck_file_open();

	if (fd < 0)
		die("a FUSE file: %s: needs /dev/fuse and the right to mount", strerror(-fd));
	for (unsigned int how = 0; how < HOWS; how++)
		send_one(t, fd, false, (enum how)how);
	stuck_file_end();
}

static void
sockets_that_linger(const struct target *t)
{
	for (unsigned int how = 0; how < HOWS; how++) {
		int fd = stuck_socket_open();

		if (fd < 0)
			die("a socket: %s", strerror(-fd));
		send_one(t, fd, true, (enum how)how);
	}
	stuck_socket_end();
}

/* ---- All of the service's descriptors ---- */

static unsigned int
descriptors_of(const struct target *t)
{
	unsigned int n = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)t->pid);
	dir = opendir(path);
	if (dir == NULL)
		die("%s cannot be read", path);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
many_files_that_never_answer(const struct target *t)
{
	unsigned int before, now, sent = 0, conns = 0, most;
	int fd = stuck_file_open(), fds[VFIO_USER_FDS_MAX], sock = -1;
	uint8_t msg[64];
	size_t len = raw_message(msg, 2, VFIO_USER_DEVICE_RESET, VFIO_USER_F_NO_REPLY, NULL, 0);

	if (fd < 0)
		die("a FUSE file: %s: needs /dev/fuse and the right to mount", strerror(-fd));
	for (unsigned int i = 0; i < VFIO_USER_FDS_MAX; i++)
		fds[i] = fd;
	before = descriptors_of(t);
	for (double until = now_s() + t->seconds; sent < COPIES && now_s() < until;
			sent += VFIO_USER_FDS_MAX) {
		/* A new connection now and then: that makes nobody another user. */
		if (sent % (64 * VFIO_USER_FDS_MAX) == 0) {
			if (sock >= 0)
				close(sock);
			sock = raw_connect(t);
			conns++;
			raw_negotiate(sock);
		}
		raw_send(sock, msg, len, fds, VFIO_USER_FDS_MAX, 0);
	}
	still_answers(t);
	now = descriptors_of(t);
	most = before + WAITING_MAX + conns; /* their unread messages have some beside them */
	if (now > most)
		die("%u descriptors sent, and the service holds %u; expected at most %u", sent, now,
			most);
	stuck_file_end();
}

const struct attack attacks_descriptor[] = {
	{ "files that never answer", files_that_never_answer },
	{ "many files that never answer", many_files_that_never_answer },
	{ "sockets that linger", sockets_that_linger },
	{ NULL, NULL },
};
