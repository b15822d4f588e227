/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"
#include "print.h"
#include "process.h"

static int
dial(const char *control)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = ASK_TIMEOUT };
	int fd, rc;

	if (strlen(control) >= sizeof(addr.sun_path)) {
		complain("--control '%s': %zu bytes, expected %zu at most", control,
				strlen(control), sizeof(addr.sun_path) - 1);
		return -1;
	}
	memcpy(addr.sun_path, control, strlen(control) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		complain("socket: %s", strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	rc = errno;
	close(fd);
	complain("%s: %s", control, rc == ENOENT || rc == ECONNREFUSED ?
			"no service listens there" : strerror(rc));
	return -1;
}

/* The lines that are complete in buf; what follows is moved to its front. */
static int
take_lines(struct snapshot *snap, char *buf, size_t *len)
{
	char *line = buf, *newline;
	int rc = 0;

	while (rc == 0 && (newline = memchr(line, '\n', *len - (size_t)(line - buf))) != NULL) {
		*newline = '\0';
		rc = snapshot_line(snap, line);
		line = newline + 1;
	}
	*len -= (size_t)(line - buf);
	memmove(buf, line, *len);
	return rc;
}

static int
read_answer(int fd, struct snapshot *snap)
{
	static char buf[32768]; /* more than any line */
	char clean[RECORD_PATH_MAX];
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, buf + len, sizeof(buf) - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			complain("the service says nothing for %d seconds", ASK_TIMEOUT);
			return -1;
		}
		if (n <= 0)
			break;
		len += (size_t)n;
		if (take_lines(snap, buf, &len) != 0) {
			complain("out of memory");
			return -1;
		}
		if (len == sizeof(buf))
			break;
	}
	if (snap->error[0] != '\0') {
		complain("the service refuses: %s", print_clean(snap->error, clean));
		return -1;
	}
	if (!snap->complete) {
		complain("the answer is not complete: the service ended, or is none");
		return -1;
	}
	return 0;
}

int
ask(const char *control, const char *request, struct snapshot *snap)
{
	char line[ASK_REQUEST_MAX + 1];
	int fd = dial(control), n = snprintf(line, sizeof(line), "%s\n", request), rc;

	*snap = (struct snapshot){ 0 };
	if (fd < 0)
		return -1;
	/* If this fails, what is read tells why. */
	(void)!send(fd, line, (size_t)n, MSG_NOSIGNAL);
	rc = read_answer(fd, snap);
	close(fd);
	if (rc != 0) {
		snapshot_free(snap);
		return rc;
	}
	for (size_t i = 0; i < snap->clients_cnt; i++)
		process_command(&snap->clients[i]);
	snapshot_sum(snap);
	return 0;
}

int
ask_path(char request[ASK_REQUEST_MAX], const char *prefix, const char *path)
{
	size_t n = (size_t)snprintf(request, ASK_REQUEST_MAX, "%s ", prefix);

	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;

		if (n + 4 > ASK_REQUEST_MAX)
			return -1;
		n += (size_t)snprintf(request + n, ASK_REQUEST_MAX - n,
				c > ' ' && c < 0x7f && c != '%' ? "%c" : "%%%02x", c);
	}
	return 0;
}
