/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What the service manager is told, wherever it listens. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fail_nth.h"
#include "notify.h"

/* A manager at this path ('@': abstract); @return Its socket. */
static int
manager(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));

	memcpy(addr.sun_path, path, strlen(path));
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, len), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return sock;
}

static void
heard(int sock, const char *want)
{
	char text[100] = "";
	ssize_t n = recv(sock, text, sizeof(text), 0);

	assert_int_equal(n, strlen(want));
	assert_string_equal(text, want);
	assert_int_equal(recv(sock, text, sizeof(text), 0), -1);
}

static void
test_told(void **state)
{
	char path[110], folder[] = "/tmp/notify-XXXXXX";
	int sock, fd;

	(void)state;
	snprintf(path, sizeof(path), "@spimdevd-notify-%ld", (long)getpid());
	sock = manager(path);
	fd = dup(0);
	close(fd);
	assert_int_equal(notify_state("READY=1"), 0);
	heard(sock, "READY=1");
	assert_int_equal(dup(0), fd); /* nothing is left open */
	close(fd);
	close(sock);

	assert_non_null(mkdtemp(folder));
	/* As long as a path may be. */
	memset(path, 'x', sizeof(path));
	memcpy(path, folder, strlen(folder));
	path[strlen(folder)] = '/';
	path[107] = '\0';
	sock = manager(path);
	assert_int_equal(notify_state("STOPPING=1"), 0);
	heard(sock, "STOPPING=1");
	close(sock);
	unlink(path);
	/* Nobody there. */
	assert_int_equal(notify_state("READY=1"), -ENOENT);
	rmdir(folder);
}

static void
test_not_told(void **state)
{
	char path[109];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_state("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_state("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_state("READY=1"), -EINVAL);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify_state("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/tmp/x", 1);
	fail_nth(1);
	assert_int_equal(notify_state("READY=1"), -EMFILE);
	assert_string_equal(fail_nth_end(), "socket");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
