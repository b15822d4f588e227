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

#define PER_CLIENT 5u     /* in a row, */
#define EVERY_MS   10000u /* then one in so long */
#define PER_SERVER 100u
#define SERVER_MS  20u

/* ---- A server whose lines are counted ---- */

static char last[600];
static enum base_log_level last_level;
static unsigned int lines;
static struct vfio_user_server *server;
static unsigned int told; /* how many were not written, as its last line about that says */

static void
keep_line(enum base_log_level level, const char *line, void *priv)
{
	assert_ptr_equal(priv, &server);
	lines++;
	last_level = level;
	snprintf(last, sizeof(last), "%s", line);
	if (strstr(line, "lines about clients not written") != NULL) {
		assert_int_equal(level, BASE_LOG_WARNING);
		assert_int_equal(sscanf(line, "test: %u lines", &told), 1);
	}
}

static void
start(const char *name)
{
	const struct vfio_user_server_conf conf = { .name = name, .ops = &vt_plain_ops,
		.log = { keep_line, &server } };

	lines = told = 0;
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

static uint64_t
suppressed(void)
{
	struct vfio_user_server_stats stats;

	vfio_user_server_stats_get(server, &stats);
	return stats.log_suppressed;
}

static int
set_up(void **state)
{
	(void)state;
	vt_now_ms = 1000000;
	return 0;
}

static void
test_one_client(void **state)
{
	int sock, other;

	(void)state;
	start("test");
	sock = vt_joined(server);
	assert_int_equal(wrong(sock, PER_CLIENT + 3), PER_CLIENT);
	assert_int_equal(suppressed(), 3);
	/* Another one has lines of its own; the first of them comes with what is to be told. */
	other = vt_joined(server);
	assert_int_equal(wrong(other, PER_CLIENT + 1), PER_CLIENT + 1);
	assert_int_equal(told, 3);
	close(other);
	vfio_user_server_run(server, 0);
	/* One more for each time that has gone by; before it, a line about those that were not. */
	vt_now_ms += EVERY_MS - 1;
	assert_int_equal(wrong(sock, 1), 0);
	vt_now_ms += 1;
	assert_int_equal(wrong(sock, 3), 2);
	assert_int_equal(told, 2);
	assert_int_equal(suppressed(), 7);
	assert_int_equal(last_level, BASE_LOG_WARNING);
	/* Part of such a time is not lost. */
	vt_now_ms += 2 * EVERY_MS + EVERY_MS / 2;
	assert_int_equal(wrong(sock, 4), 3);
	assert_int_equal(told, 2);
	vt_now_ms += EVERY_MS / 2;
	assert_int_equal(wrong(sock, 2), 2);
	assert_int_equal(told, 2);
	/* No more is saved up than at first. */
	vt_now_ms += PER_CLIENT * EVERY_MS - 1;
	assert_int_equal(wrong(sock, PER_CLIENT + 1), PER_CLIENT - 1 + 1);
	vt_now_ms += 1000 * EVERY_MS;
	assert_int_equal(wrong(sock, 2 * PER_CLIENT), PER_CLIENT + 1);
	/* From then on it is as before. */
	vt_now_ms += EVERY_MS - 1;
	assert_int_equal(wrong(sock, 1), 0);
	vt_now_ms += 1;
	assert_int_equal(wrong(sock, 1), 2);
	/* What was saved up in part is filled up, and not beyond. */
	vt_now_ms += PER_CLIENT * EVERY_MS;
	assert_int_equal(wrong(sock, 2), 2);
	vt_now_ms += 2 * EVERY_MS + EVERY_MS / 2;
	assert_int_equal(wrong(sock, PER_CLIENT + 1), PER_CLIENT);
	vt_now_ms += EVERY_MS / 2;
	assert_int_equal(wrong(sock, 1), 0);
	close(sock);
	vfio_user_server_destroy(server);
}

static void
test_all_clients(void **state)
{
	int sock[PER_SERVER / PER_CLIENT + 2];
	const unsigned int n = sizeof(sock) / sizeof(sock[0]);

	(void)state;
	start("test");
	for (unsigned int i = 0; i < n; i++)
		sock[i] = vt_joined(server);
	for (unsigned int i = 0; i < n - 2; i++)
		assert_int_equal(wrong(sock[i], PER_CLIENT), PER_CLIENT);
	assert_int_equal(suppressed(), 0);
	assert_int_equal(wrong(sock[n - 2], 1), 0);
	assert_int_equal(suppressed(), 1);
	vt_now_ms += SERVER_MS - 1;
	assert_int_equal(wrong(sock[n - 2], 1), 0);
	vt_now_ms += 1;
	assert_int_equal(wrong(sock[n - 2], 2), 2);
	assert_int_equal(told, 2);
	assert_int_equal(suppressed(), 3);
	vt_now_ms += 1;
	assert_int_equal(wrong(sock[n - 1], 1), 0);
	assert_int_equal(suppressed(), 4);
	for (unsigned int i = 0; i < n; i++)
		close(sock[i]);
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
		cmocka_unit_test_setup(test_one_client, set_up),
		cmocka_unit_test_setup(test_all_clients, set_up),
		cmocka_unit_test_setup(test_form, set_up),
		cmocka_unit_test_setup(test_long_names, set_up),
		cmocka_unit_test_setup(test_no_log, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
