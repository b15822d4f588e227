/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The control socket: who gets a place, who may change something, and how long a session may
 * take. The clock, the peers' user ids and how much goes at a time are the test's.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin.h"
#include "fail_nth.h"
#include "in_process.h"
#include "log.h"
#include "qm_dev_guard.h"
#include "record.h"

#define OUR_UID 77

static uint64_t later_ms; /* that the service's clock is ahead */
static uid_t peer_uid;
static bool no_peer;
static size_t at_a_time;

uint64_t __real_service_now_ms(void);
uint64_t __wrap_service_now_ms(void);
uint64_t
__wrap_service_now_ms(void)
{
	/* Of a stopped clock: a busy machine is none of this test's. */
	return 1000000 + later_ms;
}

uid_t __wrap_geteuid(void);
uid_t
__wrap_geteuid(void)
{
	return OUR_UID;
}

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int rc = fail_nth_now("getsockopt", ENOBUFS) ? -1 :
		__real_getsockopt(fd, level, name, value, len);

	if (level != SOL_SOCKET || name != SO_PEERCRED)
		return rc;
	((struct ucred *)value)->uid = peer_uid;
	return no_peer ? -1 : rc;
}

ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t
__wrap_send(int fd, const void *buf, size_t len, int flags)
{
	return __real_send(fd, buf, at_a_time != 0 && len > at_a_time ? at_a_time : len, flags);
}

static unsigned int json_left; /* objects until the one that there is no memory for */

struct json_object *__real_json_object_new_object(void);
struct json_object *__wrap_json_object_new_object(void);
struct json_object *
__wrap_json_object_new_object(void)
{
	return json_left != 0 && --json_left == 0 ? NULL : __real_json_object_new_object();
}

static int
set_up_admin(void **state)
{
	later_ms = 0;
	peer_uid = OUR_UID;
	no_peer = false;
	at_a_time = 0;
	return set_up(state);
}

/* Connects, and is not noticed yet. */
static int
reach(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s%s", vt.path, OPTIONS_CONTROL_SUFFIX);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return sock;
}

/* Somebody of this user id connects. */
static int
connect_as(uid_t uid)
{
	int sock = reach();

	peer_uid = uid;
	admin_run(service.admin);
	return sock;
}

static void
say(int sock, const char *text)
{
	assert_int_equal(__real_send(sock, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	admin_run(service.admin);
}

#define ASK(command) "{\"command\":\"" command "\"}\n"
#define ERROR(text)  "{\"error\":\"" text "\"}\n"
#define END          "\n{\"end\":true}\n"
#define SERVICE      "{\"service\":{"
#define CLIENT       "\n{\"client\":{\"id\":"

/* All that it is told, until the service closes. */
static const char *
hear(int sock)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;

	for (int i = 0; i < 100000; i++) {
		n = recv(sock, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		else
			admin_run(service.admin);
	}
	text[len] = '\0';
	close(sock);
	return text;
}

static bool
is_open(int sock)
{
	char byte;

	admin_run(service.admin);
	return recv(sock, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0;
}

/* ---- Who ---- */

static void
test_who_may_change(void **state)
{
	static const char *const requests[] = { ASK("drain-all"), ASK("undrain-all"),
		"{\"path\":\"/x\",\"command\":\"drain\"}\n" };
	static const uid_t uids[] = { 0, OUR_UID, OUR_UID + 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++) {
			int sock = connect_as(uids[i]);
			const char *text;

			say(sock, requests[k]);
			text = hear(sock);
			if (i == 2)
				assert_string_equal(text, ERROR("only root and the user of the "
						"service may do that"));
			else if (k == 2)
				assert_string_equal(text, ERROR("no access point has this path"));
			else
				assert_memory_equal(text, SERVICE, strlen(SERVICE));
			assert_int_equal(service.points[0].draining, i != 2 && k == 0);
		}
	/* To look is for all who can connect. */
	for (size_t i = 0; i < 3; i++) {
		int sock = connect_as(uids[i]);

		say(sock, ASK("clients"));
		assert_non_null(strstr(hear(sock), END));
	}
}

static void
test_places(void **state)
{
	static const char busy[] = ERROR("too many ask at the same time");
	int others[ADMIN_SESSIONS_OTHER], ours[ADMIN_SESSIONS_MAX], n = 0;
	unsigned int fds = vt_fds();

	(void)state;
	for (int i = 0; i < ADMIN_SESSIONS_OTHER; i++)
		others[i] = connect_as(1000);
	assert_string_equal(hear(connect_as(1001)), busy);
	/* The others' are not for them. */
	for (; n < ADMIN_SESSIONS_MAX - ADMIN_SESSIONS_OTHER; n++)
		ours[n] = connect_as(n % 2 == 0 ? 0 : OUR_UID);
	assert_string_equal(hear(connect_as(0)), busy);
	assert_string_equal(hear(connect_as(OUR_UID)), busy);
	for (int i = 0; i < ADMIN_SESSIONS_OTHER; i++)
		assert_true(is_open(others[i]));
	/* One place is free again, for anybody. */
	close(others[3]);
	admin_run(service.admin);
	others[3] = connect_as(1002);
	assert_true(is_open(others[3]));
	for (int i = 0; i < ADMIN_SESSIONS_OTHER; i++) {
		close(others[i]);
		admin_run(service.admin);
	}
	/* All of them may be ours, which are none of the strangers' share. */
	for (; n < ADMIN_SESSIONS_MAX; n++) {
		if (n == ADMIN_SESSIONS_OTHER + 1) {
			others[0] = connect_as(1000);
			assert_true(is_open(others[0]));
			close(others[0]);
			admin_run(service.admin);
		}
		ours[n] = connect_as(0);
	}
	assert_string_equal(hear(connect_as(0)), busy);
	assert_string_equal(hear(connect_as(1000)), busy);
	assert_int_equal(admin_timeout(service.admin), 1000);
	while (n > 0) {
		assert_true(is_open(ours[n - 1]));
		close(ours[--n]);
		admin_run(service.admin);
	}
	assert_int_equal(admin_timeout(service.admin), -1);
	assert_int_equal(vt_fds(), fds);
}

/* ---- How long ---- */

/* Who sends nothing, half of a request, or a byte now and then: that gains no time. */
static void
test_stall(void **state)
{
	int silent = connect_as(0), half = connect_as(0), slow = connect_as(0);

	(void)state;
	say(half, "{\"com");
	for (later_ms = 0; later_ms < ADMIN_STALL_MS; later_ms += ADMIN_STALL_MS / 10)
		say(slow, " ");
	later_ms = ADMIN_STALL_MS - 1;
	assert_true(is_open(silent));
	assert_true(is_open(half));
	assert_true(is_open(slow));
	later_ms = ADMIN_STALL_MS;
	assert_false(is_open(silent));
	assert_false(is_open(half));
	assert_false(is_open(slow));
	close(silent);
	close(half);
	close(slow);
	assert_int_equal(admin_timeout(service.admin), -1);
}

/* Who reads a byte now and then is not stalled, but ends at last. */
static void
test_slow_reader(void **state)
{
	int sock = connect_as(0);

	(void)state;
	at_a_time = 1;
	say(sock, ASK("access_points"));
	for (later_ms = 0; later_ms < ADMIN_SESSION_MS; later_ms += ADMIN_STALL_MS - 1) {
		assert_true(is_open(sock));
		assert_int_equal(recv(sock, (char[1]){ 0 }, 1, MSG_DONTWAIT), 1);
	}
	later_ms = ADMIN_SESSION_MS - 1;
	assert_true(is_open(sock));
	later_ms = ADMIN_SESSION_MS;
	admin_run(service.admin);
	while (recv(sock, (char[1]){ 0 }, 1, MSG_DONTWAIT) == 1)
		;
	assert_false(is_open(sock));
	close(sock);
}

/* Whatever is sent at a time, it is the same answer. */
static void
test_pieces(void **state)
{
	static char whole[65536];
	int client = open_client(), sock;

	(void)state;
	assert_int_equal(map_memory(client), 0);
	sock = connect_as(0);
	say(sock, ASK("clients"));
	snprintf(whole, sizeof(whole), "%s", hear(sock));
	assert_non_null(strstr(whole, CLIENT));
	at_a_time = 7;
	sock = connect_as(0);
	for (const char *at = ASK("clients"); *at != '\0'; at++)
		say(sock, (char[2]){ *at, '\0' });
	assert_string_equal(hear(sock), whole);
	close_client(client);
}

/* Clients that end while they are told of: no line of them is made any more. */
static void
test_clients_that_end(void **state)
{
	enum { CLIENTS = 60 };
	int client[CLIENTS], sock;
	unsigned int lines = 0;
	const char *text;

	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		client[i] = open_client();
	at_a_time = 1;
	sock = connect_as(0);
	say(sock, ASK("clients"));
	admin_run(service.admin); /* the first lines are made */
	for (int i = 0; i < CLIENTS; i++)
		close(client[i]);
	all_gone();
	at_a_time = 0;
	text = hear(sock);
	for (const char *at = text; (at = strstr(at, CLIENT)) != NULL; at++)
		lines++;
	assert_true(lines > 0 && lines < CLIENTS);
	assert_string_equal(text + strlen(text) - strlen(END), END);
	/* One that is told of alone, with its queues: not with those of the next one. */
	client[0] = open_client();
	client[1] = open_client();
	assert_int_equal(map_memory(client[1]), 0);
	assert_int_equal(take_queue(client[1]), 0x100);
	at_a_time = 1;
	sock = connect_as(0);
	say(sock, "{\"command\":\"client\",\"id\":61}\n");
	admin_run(service.admin);
	close(client[0]);
	left_with(1, 1, 1);
	at_a_time = 0;
	text = hear(sock);
	assert_non_null(strstr(text, CLIENT "61,"));
	assert_null(strstr(text, "\n{\"queue\":"));
	assert_string_equal(text + strlen(text) - strlen(END), END);
	sock = connect_as(0);
	say(sock, "{\"id\":62,\"command\":\"client\"}\n");
	assert_non_null(strstr(hear(sock), "\n{\"queue\":{\"number\":0,\"live\":true,"));
	close_client(client[1]);
}

/* ---- Requests ---- */

/* A request of all bytes that there may be, one without an end, and half a one. */
static void
test_length(void **state)
{
	static const char request[] = "{\"command\":\"access_points\"}";
	char text[ADMIN_REQUEST_MAX + 1];
	int sock;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, request, sizeof(request) - 1);
	text[ADMIN_REQUEST_MAX] = '\0';
	sock = connect_as(0);
	say(sock, text);
	assert_string_equal(hear(sock), ERROR("the request is too long"));
	text[ADMIN_REQUEST_MAX - 1] = '\n';
	sock = connect_as(0);
	say(sock, text);
	assert_memory_equal(hear(sock), SERVICE, strlen(SERVICE));
	text[ADMIN_REQUEST_MAX - 1] = '\0';
	sock = connect_as(0);
	say(sock, text);
	assert_true(is_open(sock));
	close(sock);
	admin_run(service.admin);
}

/* What is refused, and what it is told. ' stands for ". */
static void
test_refused(void **state)
{
	static const struct { const char *request, *answer; } wrong[] = {
		{ "", "no JSON object" }, { "access_points", "no JSON object" },
		{ "[]", "no JSON object" }, { "null", "no JSON object" },
		{ "{'command':'access_points'", "no JSON object" },
		{ "{'command':'access_points'}}", "no JSON object" },
		{ "{'command':'access_points',}", "no JSON object" },
		{ "{'command':[['access_points']]}", "no JSON object" },
		{ "{'command':'client','id':01}", "no JSON object" },
		{ "{}", "a command is expected" }, { "{'id':1}", "a command is expected" },
		{ "{'command':1}", "command: a text" }, { "{'command':null}", "command: a text" },
		{ "{'command':{}}", "command: a text" },
		{ "{'command':'access_points\\u0000'}", "command: a text" },
		{ "{'command':'access_points','x':1}", "unknown key" }, { "{'':1}", "unknown key" },
		{ "{'command':'client','id':'1'}", "id: the number" },
		{ "{'command':'client','id':-1}", "id: the number" },
		{ "{'command':'client','id':1.0}", "id: the number" },
		{ "{'command':'client','id':true}", "id: the number" },
		{ "{'command':'client','id':null}", "id: the number" },
		{ "{'command':'client','id':[]}", "id: the number" },
		{ "{'command':'client','id':4711}", "no connection has this number" },
		{ "{'command':'client','id':18446744073709551615}", "no connection has this" },
		{ "{'command':'client','id':18446744073709551616}", "no JSON object" },
		{ "{'command':'drain','path':1}", "path: a text" },
		{ "{'command':'drain','path':'/\\u0000'}", "path: a text" },
		{ "{'command':'drain','path':'/no'}", "no access point" },
		{ "{'command':'drain','path':'/no','id':1}", "one argument" },
		{ "{'command':'drain'}", "unknown command" },
		{ "{'command':'drain','id':1}", "unknown command" },
		{ "{'command':'drain-all','path':'/no'}", "unknown command" },
		{ "{'command':'undrain-all','id':1}", "unknown command" },
		{ "{'command':'access_points','id':1}", "unknown command" },
		{ "{'command':'clients','path':'/no'}", "unknown command" },
		{ "{'command':'client'}", "unknown command" },
		{ "{'command':'access_point'}", "unknown command" },
		{ "{'command':''}", "unknown command" },
	};
	const long blocks = fail_nth_blocks();

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[300];
		const char *answer;
		int sock;

		snprintf(text, sizeof(text), "%s\n", wrong[i].request);
		for (char *at = text; (at = strchr(at, '\'')) != NULL;)
			*at = '"';
		sock = connect_as(0);
		say(sock, text);
		answer = hear(sock);
		if (strncmp(answer, "{\"error\":\"", 10) != 0 ||
				strstr(answer, wrong[i].answer) == NULL)
			fail_msg("%s: %s", wrong[i].request, answer);
		assert_ptr_equal(strchr(answer, '\n'), answer + strlen(answer) - 1);
		assert_false(service.points[0].draining);
	}
	assert_int_equal(fail_nth_blocks(), blocks);
}

/* Every byte of the path escaped, in both cases; the last of two commands counts. */
static void
test_paths(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		char text[ADMIN_REQUEST_MAX];
		size_t n = (size_t)snprintf(text, sizeof(text),
				"{\"command\":\"access_points\",\"path\":\"");
		int sock;

		for (const char *at = vt.path; *at != '\0'; at++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, i == 0 ? "\\u%04x" :
					"\\u%04X", (unsigned char)*at);
		snprintf(text + n, sizeof(text) - n, "\",\"command\":\"%s\"}\n",
				i == 0 ? "drain" : "undrain");
		sock = connect_as(0);
		say(sock, text);
		assert_memory_equal(hear(sock), SERVICE, strlen(SERVICE));
		assert_int_equal(service.points[0].draining, i == 0);
	}
}

/* ---- Failures ---- */

static void
test_failures(void **state)
{
	unsigned int fds = vt_fds(), n;
	long blocks = fail_nth_blocks();
	int sock;

	(void)state;
	no_peer = true;
	sock = connect_as(0);
	assert_false(is_open(sock));
	close(sock);
	no_peer = false;
	fail_nth_struck();
	for (n = 1;; n++) {
		const char *what;

		sock = connect_as(0);
		close(sock);
		admin_run(service.admin);
		assert_int_equal(vt_fds(), fds);
		assert_int_equal(fail_nth_blocks(), blocks);
		sock = reach();
		fail_nth(n);
		admin_run(service.admin);
		what = fail_nth_end();
		if (what == NULL)
			break;
		if (strcmp(what, "accept4") == 0) {
			/* It waits until there may be descriptors again. */
			later_ms += 1000;
			admin_run(service.admin);
			admin_run(service.admin);
			say(sock, ASK("access_points"));
			assert_memory_equal(hear(sock), SERVICE, strlen(SERVICE));
		} else {
			assert_false(is_open(sock));
		}
		close(sock);
		admin_run(service.admin);
	}
	assert_string_equal(fail_nth_struck(), "accept4 calloc epoll_ctl getsockopt");
	say(sock, ASK("access_points"));
	assert_memory_equal(hear(sock), SERVICE, strlen(SERVICE));
	assert_int_equal(vt_fds(), fds);
	assert_int_equal(fail_nth_blocks(), blocks);
}

/* Without memory for all of an answer it has no end; the next one has. */
static void
test_no_memory(void **state)
{
	unsigned int fds = vt_fds(), n;
	int client = open_client();
	long blocks = fail_nth_blocks();

	(void)state;
	for (n = 1; n < 100; n++) {
		int sock = connect_as(0);
		const char *text;

		json_left = n;
		say(sock, ASK("clients"));
		text = hear(sock);
		if (json_left != 0)
			break;
		assert_null(strstr(text, "\"end\""));
		assert_int_equal(fail_nth_blocks(), blocks);
	}
	json_left = 0;
	/* A line of each kind, its own object and what holds that; and causes. */
	assert_int_equal(n, 10);
	for (n = 1; n < 100; n++) {
		int sock = connect_as(0);
		const char *text;

		json_left = n;
		say(sock, "{}\n");
		text = hear(sock);
		if (json_left != 0)
			break;
		assert_string_equal(text, "");
	}
	json_left = 0;
	assert_int_equal(n, 2);
	close_client(client);
	assert_int_equal(vt_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_may_change, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_places, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_stall, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_reader, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_clients_that_end, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_length, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_paths, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_failures, set_up_admin, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up_admin, tear_down),
	};

	log_init(false);
	if (qm_dev_guard_install() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
