/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stuck_socket.h"

#define LINGER_S 30
#define ENDS_MAX 64

static int ends[ENDS_MAX];
static unsigned int nends;

int
stuck_socket_open(void)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = LINGER_S };
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int door, fd, end, rc = 0;
	char junk[65536];

	if (nends == ENDS_MAX)
		return -ENOBUFS;
	door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (door < 0 || fd < 0 || bind(door, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
			listen(door, 1) != 0 ||
			getsockname(door, (struct sockaddr *)&addr, &len) != 0 ||
			connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		rc = -errno;
	end = rc == 0 ? accept(door, NULL, NULL) : -1;
	if (rc == 0 && (end < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
			sizeof(linger)) != 0))
		rc = -errno;
	close(door);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	ends[nends++] = end;
	memset(junk, 0, sizeof(junk));
	while (send(fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	return fd;
}

void
stuck_socket_end(void)
{
	const struct linger now = { .l_onoff = 1 };

	while (nends > 0) {
		int end = ends[--nends];

		/* A reset: there is nothing to wait for. */
		setsockopt(end, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(end);
	}
}
