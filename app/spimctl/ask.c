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
		rc = snapshot_line(snap, line, (size_t)(newline - line));
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
	int rc = 0;

	while (rc == 0) {
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
		rc = take_lines(snap, buf, &len);
		if (len == sizeof(buf))
			break;
	}
	if (rc == -ENOMEM) {
		complain("out of memory");
		return -1;
	}
	if (snap->error[0] != '\0') {
		complain("the service refuses: %s", print_clean(snap->error, clean));
		return -1;
	}
	if (rc != 0 || !snap->complete) {
		complain("the answer is not complete: the service ended, or is none");
		return -1;
	}
	return 0;
}

/* @return 0, or -1: said why. */
static int
ask_send(int fd, const struct request *r)
{
	struct json_object *object = json_object_new_object();
	const char *line = NULL;
	char text[1024]; /* a path of which every byte takes six, and more */
	size_t len;

	if (record_add(object, "command", json_object_new_string(r->command)) &&
			(r->path == NULL || record_add(object, "path",
				json_object_new_string(r->path))) &&
			(r->id == NULL || record_add(object, "id",
				json_object_new_uint64(*r->id))))
		line = record_line(object, &len);
	if (line != NULL) {
		len = (size_t)snprintf(text, sizeof(text), "%s\n", line);
		/* If this fails, what is read tells why. */
		(void)!send(fd, text, len, MSG_NOSIGNAL);
	} else {
		complain("out of memory");
	}
	json_object_put(object);
	return line != NULL ? 0 : -1;
}

int
ask(const char *control, const struct request *request, struct snapshot *snap)
{
	int fd, rc;

	*snap = (struct snapshot){ 0 };
	if (request->path != NULL && strlen(request->path) >= RECORD_PATH_MAX) {
		complain("no access point has so long a path");
		return -1;
	}
	fd = dial(control);
	if (fd < 0)
		return -1;
	rc = ask_send(fd, request);
	if (rc == 0)
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
