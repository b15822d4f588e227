/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Clients that owe something: how long they may, to the millisecond, and what is said of them. The
 * clock is the test's; it stands still until the test moves it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test_vfio_user_clock.h"
#include "test_vfio_user_timer.h"
#include "test_vfio_user_util.h"

#define STALL_MS 10000u

static struct vfio_user_server *server;
static int sock;
static char line[600];

static void
keep_line(enum base_log_level level, const char *text, void *priv)
{
	(void)priv;
	assert_int_equal(level, BASE_LOG_WARNING);
	snprintf(line, sizeof(line), "%s", text);
}

static int
set_up(void **state)
{
	const struct vfio_user_server_conf conf = { .name = "test", .ops = &vt_plain_ops,
		.log = { .line = keep_line } };

	(void)state;
	vt_now_ms = 1000000;
	vt_timer_speed = 1000;
	line[0] = '\0';
	assert_int_equal(vfio_user_server_create(&conf, &server), 0);
	sock = vt_joined(server);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(sock);
	vfio_user_server_destroy(server);
	return 0;
}

static unsigned int
connections(void)
{
	struct vfio_user_server_stats stats;

	vfio_user_server_stats_get(server, &stats);
	return stats.conns;
}

/* What the client said is served, perhaps beside a check of who owes something. */
static void
turn(void)
{
	assert_true(vfio_user_server_run(server, 0) >= 1);
}

/* So much later the server checks who owes something. @return Whether the client is there yet. */
static bool
lives_after(uint64_t ms)
{
	vt_now_ms += ms;
	assert_int_equal(vfio_user_server_run(server, VT_TIMEOUT_MS), 1);
	return connections() == 1;
}

static void
said(const char *what)
{
	char want[300];

	snprintf(want, sizeof(want), "test: connection 1 (pid %ld, uid %ld): %s", (long)getpid(),
			(long)getuid(), what);
	assert_string_equal(line, want);
}

static void
keep_conn(struct vfio_user_conn *conn, void *arg)
{
	struct vfio_user_conn **to = arg;

	*to = conn;
}

static struct vfio_user_conn *
connection(void)
{
	struct vfio_user_conn *conn = NULL;

	vfio_user_server_each(server, keep_conn, &conn);
	assert_non_null(conn);
	return conn;
}

static void
test_message_without_an_end(void **state)
{
	struct vfio_user_hdr hdr = { 9, VFIO_USER_DEVICE_RESET, sizeof(hdr), 0, 0 };

	(void)state;
	/* Who owes nothing may wait for ever. */
	vt_now_ms += 1000 * STALL_MS;
	assert_int_equal(vfio_user_server_run(server, 0), 0);
	vt_raw(sock, &hdr, 5, NULL, 0);
	turn();
	assert_true(lives_after(0));
	assert_true(lives_after(STALL_MS - 1));
	/* A byte more is no end. */
	vt_raw(sock, (uint8_t *)&hdr + 5, 1, NULL, 0);
	turn();
	assert_false(lives_after(1));
	said("closed: a message is not complete after 10000 ms");
	vt_closed(sock);
}

/* One that ends in time leaves all the time to the next. */
static void
test_message_with_an_end(void **state)
{
	struct vfio_user_hdr hdr = { 9, VFIO_USER_DEVICE_RESET, sizeof(hdr), 0, 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		vt_raw(sock, &hdr, 5, NULL, 0);
		turn();
		assert_true(lives_after(STALL_MS - 1));
		vt_raw(sock, (uint8_t *)&hdr + 5, sizeof(hdr) - 5, NULL, 0);
		turn();
		vt_error(sock, 9, ENOTSUP);
	}
	assert_string_equal(strstr(line, "closed") != NULL ? line : "", "");
}

/* Ask until answers wait. @return How many. */
static unsigned int
fill(void)
{
	struct vfio_user_region_rw rw = { 0, 0, 4096 };
	struct vfio_user_conn_stats stats = { 0 };
	unsigned int n = 0;

	while (stats.out_bytes == 0) {
		assert_true(n < 1000);
		vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
		turn();
		vfio_user_conn_stats_get(connection(), &stats);
		n++;
	}
	return n;
}

static uint32_t
waits(void)
{
	struct vfio_user_conn_stats stats;

	vfio_user_conn_stats_get(connection(), &stats);
	return stats.out_bytes;
}

static void
test_answers_that_nobody_reads(void **state)
{
	char want[100];

	(void)state;
	fill();
	snprintf(want, sizeof(want), "closed: nothing read for 10000 ms; %u bytes wait", waits());
	assert_true(lives_after(0));
	assert_true(lives_after(STALL_MS - 1));
	assert_false(lives_after(1));
	said(want);
	vt_closed(sock);
}

static void
test_answers_that_are_read(void **state)
{
	static uint8_t body[8192];
	struct vfio_user_hdr hdr;

	(void)state;
	for (int i = 0; i < 3; i++) {
		unsigned int n = fill();

		assert_true(lives_after(STALL_MS - 1));
		while (n-- != 0) {
			vt_recv(sock, &hdr, body, sizeof(body), NULL);
			(void)vfio_user_server_run(server, 0);
		}
		assert_int_equal(waits(), 0);
	}
	assert_int_equal(connections(), 1);
	assert_string_equal(line, "");
}

/* ---- Several ---- */

static const struct vfio_user_hdr half = { 9, VFIO_USER_DEVICE_RESET, sizeof(half), 0, 0 };

static void
begin(int fd)
{
	vt_raw(fd, &half, 5, NULL, 0);
	turn();
}

static void
complete(int fd)
{
	vt_raw(fd, (const uint8_t *)&half + 5, sizeof(half) - 5, NULL, 0);
	turn();
	vt_error(fd, 9, ENOTSUP);
}

/* Of three that owe something two pay, in each order: those live, and may owe something again. */
static void
test_some_in_time(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		const int a = i / 3, b = i % 3, c = 3 - a - b;
		int client[3];

		if (a == b)
			continue;
		for (int k = 0; k < 3; k++)
			client[k] = vt_joined(server);
		for (int k = 0; k < 3; k++)
			begin(client[k]);
		complete(client[a]);
		complete(client[b]);
		(void)lives_after(STALL_MS - 1);
		assert_int_equal(connections(), 4);
		begin(client[b]);
		(void)lives_after(1);
		assert_int_equal(connections(), 3);
		vt_closed(client[c]);
		begin(client[a]);
		(void)lives_after(STALL_MS - 2);
		assert_int_equal(connections(), 3);
		(void)lives_after(1);
		assert_int_equal(connections(), 2);
		vt_closed(client[b]);
		complete(client[a]);
		/* Nobody is waited for any more, but for a last time. */
		vt_now_ms += STALL_MS;
		(void)vfio_user_server_run(server, 20);
		assert_int_equal(connections(), 2);
		close(client[a]);
		turn();
		assert_true(connections() == 1);
		for (int k = 0; k < 3; k++)
			if (k != a)
				close(client[k]);
	}
}

/* ---- How often the server checks ---- */

/* For the first time and all others; 0: no more. */
static void
is_armed(time_t s)
{
	assert_int_equal(vt_timer.it_value.tv_sec, s);
	assert_int_equal(vt_timer.it_value.tv_nsec, 0);
	assert_int_equal(vt_timer.it_interval.tv_sec, s);
	assert_int_equal(vt_timer.it_interval.tv_nsec, 0);
}

/* Once a second, as long as it waits for somebody: one timer for all. */
static void
test_ticks(void **state)
{
	int other;

	(void)state;
	vt_timers = 0;
	vt_raw(sock, &half, 4, NULL, 0); /* of a message */
	turn();
	assert_int_equal(vt_timers, 1);
	is_armed(1);
	other = vt_joined(server);
	vt_raw(other, &half, 4, NULL, 0);
	(void)vfio_user_server_run(server, 0);
	assert_int_equal(vt_timers, 1);
	close(other);
	vt_raw(sock, (const uint8_t *)&half + 4, sizeof(half) - 4, NULL, 0);
	for (int k = 0; vt_timers == 1; k++) {
		assert_true(k < 1000);
		(void)vfio_user_server_run(server, VT_TIMEOUT_MS);
	}
	is_armed(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_message_without_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_message_with_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers_that_nobody_reads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers_that_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_some_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ticks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
