/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Log lines about clients: how many there may be of each, and of all, as time goes by; their
 * form; where they go. The clock is the test's.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "said.h"
#include "test_vfio_user_clock.h"
#include "test_vfio_user_util.h"

/* ---- A server whose lines are counted ---- */

static char last[600];
static enum base_log_level last_level;
static unsigned int lines;
static struct vfio_user_server *server;

static void
keep_line(enum base_log_level level, const char *line, void *priv)
{
	assert_ptr_equal(priv, &server);
	lines++;
	last_level = level;
	snprintf(last, sizeof(last), "%s", line);
}

static void
start(const char *name)
{
	const struct vfio_user_server_conf conf = { .name = name, .ops = &vt_plain_ops,
		.log = { keep_line, &server } };

	lines = 0;
	assert_int_equal(vfio_user_server_create(&conf, &server), 0);
}

/* A client does something wrong so many times. @return Lines that are written of it. */
static unsigned int
wrong(int sock, unsigned int times)
{
	unsigned int before = lines;

	for (unsigned int i = 0; i < times; i++) {
		vt_send(sock, VFIO_USER_DIRTY_PAGES, VFIO_USER_F_NO_REPLY, NULL, 0, NULL, 0);
		assert_int_equal(vfio_user_server_run(server, 0), 1);
	}
	return lines - before;
}

static int
set_up(void **state)
{
	(void)state;
	vt_now_ms = 1000000;
	return 0;
}

static uid_t complained_of;

static void
take_complaint(uid_t owner, const char *line, void *priv)
{
	assert_ptr_equal(priv, &server);
	complained_of = owner;
	lines++;
	snprintf(last, sizeof(last), "%s", line);
}

static uid_t
owned_by_nine(uid_t uid)
{
	return uid != 9 ? 9 : uid;
}

/* Who limits lines by user is told whose each is; every one, as only the owner knows how many. */
static void
test_complaints(void **state)
{
	const struct vfio_user_server_conf conf = { .name = "test", .ops = &vt_plain_ops,
		.log = { keep_line, &server }, .complain = take_complaint,
		.owner = owned_by_nine };
	char want[100];
	int sock;

	(void)state;
	lines = 0;
	assert_int_equal(vfio_user_server_create(&conf, &server), 0);
	sock = vt_joined(server);
	assert_int_equal(wrong(sock, 200), 200);
	assert_int_equal(complained_of, 9);
	snprintf(want, sizeof(want), "connection 1 (pid %d, uid %u): command ", (int)getpid(),
			(unsigned int)getuid());
	assert_memory_equal(last, want, strlen(want));
	close(sock);
	vfio_user_server_destroy(server);
}

/* ---- Form ---- */

static void
test_form(void **state)
{
	char want[200];
	int sock;

	(void)state;
	start("test");
	close(vt_joined(server));
	vfio_user_server_run(server, 0);
	sock = vt_joined(server);
	assert_int_equal(wrong(sock, 1), 1);
	snprintf(want, sizeof(want), "test: connection 2 (pid %ld, uid %ld): "
			"command 14 is not supported", (long)getpid(), (long)getuid());
	assert_string_equal(last, want);
	assert_int_equal(vfio_user_server_listen(server, "/nonexistent/s", 0600, NULL),
			-ENOENT);
	assert_string_equal(last, "test: /nonexistent/s: No such file or directory");
	assert_int_equal(last_level, BASE_LOG_ERR);
	close(sock);
	vfio_user_server_destroy(server);
}

/* A long name leaves room for what is said. */
static void
test_long_names(void **state)
{
	char name[600], want[600];
	int sock;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	start(name);
	sock = vt_joined(server);
	assert_int_equal(wrong(sock, 1), 1);
	snprintf(want, sizeof(want), "%.100s: connection 1 (pid %ld, uid %ld): "
			"command 14 is not supported", name, (long)getpid(), (long)getuid());
	assert_string_equal(last, want);
	close(sock);
	vfio_user_server_destroy(server);
}

/* An owner that takes no lines. */
static void
test_no_log(void **state)
{
	const struct vfio_user_server_conf conf = { .name = "test", .ops = &vt_plain_ops };
	struct said said;
	char text[200];

	(void)state;
	assert_int_equal(vfio_user_server_create(&conf, &server), 0);
	said_begin(&said, SAID_ERR);
	assert_int_equal(vfio_user_server_listen(server, "", 0600, NULL), -EINVAL);
	assert_string_equal(said_end(&said, text, sizeof(text)), "");
	vfio_user_server_destroy(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_complaints, set_up),
		cmocka_unit_test_setup(test_form, set_up),
		cmocka_unit_test_setup(test_long_names, set_up),
		cmocka_unit_test_setup(test_no_log, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
