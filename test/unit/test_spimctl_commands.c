/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Commands of spimctl, whatever fails: what they say, and that they give all back. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"
#include "fail_nth.h"
#include "holdings.h"
#include "spimctl.h"
#include "test_spimctl_util.h"

#define SERVICE "{'service':{'version':'1','pid':12,'uptime_ms':9999,'queues':6}}\n"
#define POINTS \
	"{'access_point':{'path':'/a','queues':1,'ops':1}}\n" \
	"{'access_point':{'path':'/b','queues':0}}\n"
#define CLIENTS \
	"{'client':{'id':1,'path':'/a','queues':1,'ops':5}}\n" \
	"{'client':{'id':2,'path':'/b','ops':1}}\n"
#define QUEUES "{'queue':{'number':0,'live':true}}\n{'queue':{'number':1}}\n"
#define ALL    SERVICE POINTS CLIENTS END

#define ASK_CLIENT "{'command':'client','id':1}"
#define ASK_DRAIN  "{'command':'drain','path':'/a'}"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct request ask_points = { .command = "access_points" };
static const struct request ask_clients = { .command = "clients" };

/* ---- The commands ---- */

static int
run_list(const struct options *opt)
{
	return list(opt);
}

static int
run_show(const struct options *opt)
{
	return show(opt, NULL);
}

static int
run_show_client(const struct options *opt)
{
	return show(opt, "1");
}

static int
run_show_point(const struct options *opt)
{
	return show(opt, "/a");
}

static int
run_top(const struct options *opt)
{
	return top(opt);
}

static int
run_drain(const struct options *opt)
{
	return drain(opt, "/a", true);
}

static const struct told whole[] = {
	{ ASK_CLIENTS, ALL }, { ASK_CLIENTS, ALL }, { ASK_CLIENTS, ALL },
};
static const struct told points[] = { { ASK_POINTS, ALL } };
static const struct told client[] = {
	{ ASK_CLIENT, SERVICE POINTS
		"{'client':{'id':1,'path':'/a','queues':2}}\n" QUEUES END },
};
static const struct told drained[] = {
	{ ASK_DRAIN, ALL }, { ASK_POINTS, ALL },
	{ ASK_POINTS, SERVICE "{'access_point':{'path':'/a'}}\n" END },
};

static const struct {
	const char *name;
	int (*run)(const struct options *opt);
	const struct told *told;
	size_t cnt;
	const char *struck;
} commands[] = {
	{ "list", run_list, whole, 1, "connect reallocarray setsockopt socket" },
	{ "show", run_show, points, 1, "connect reallocarray setsockopt socket" },
	{ "show 1", run_show_client, client, 1, "connect reallocarray setsockopt socket" },
	{ "show /a", run_show_point, whole, 1, "connect reallocarray setsockopt socket" },
	{ "top", run_top, whole, 3, "calloc connect reallocarray setsockopt socket" },
	{ "drain", run_drain, drained, 3, "connect reallocarray setsockopt socket" },
};

static struct options
options(bool json)
{
	return (struct options){ .control = util_control, .json = json, .count = 2, .delay = 1,
		.wait = 5 };
}

/* One run of a command, whose n-th call fails; 0: none. @return Its status. */
static int
run(size_t i, bool json, unsigned int n, const char **failed)
{
	const struct options opt = options(json);
	int status;

	util_clock(100, 0.25);
	util_print_begin();
	fail_nth(n);
	status = commands[i].run(&opt);
	*failed = fail_nth_end();
	util_print_end();
	util_clock_real();
	return status;
}

/* Whatever fails: it is said once, the status tells, and nothing is kept. */
static void
failures(size_t i, bool json)
{
	const long blocks = fail_nth_blocks();
	const struct holdings_now before = holdings_get();
	const char *failed = "";

	fail_nth_struck();
	for (unsigned int n = 1; failed != NULL; n++) {
		char want[256] = "";
		unsigned int asked;
		int status;

		util_service(commands[i].told, commands[i].cnt);
		status = run(i, json, n, &failed);
		asked = util_service_end();
		if (failed == NULL || strcmp(failed, "setsockopt") == 0) {
			assert_int_equal(status, STATUS_OK);
			assert_int_equal(asked, commands[i].cnt);
			assert_int_not_equal(util_out[0], '\0');
		} else {
			assert_int_equal(status, STATUS_FAILED);
			assert_in_range(asked, 0, commands[i].cnt);
			if (strcmp(failed, "socket") == 0)
				snprintf(want, sizeof(want), "spimctl: socket: %s\n",
					strerror(EMFILE));
			else if (strcmp(failed, "connect") == 0)
				snprintf(want, sizeof(want), "spimctl: %s: %s\n", util_control,
					strerror(EAGAIN));
			else
				snprintf(want, sizeof(want), "spimctl: out of memory\n");
			/* Only top has something to print before its end. */
			if (commands[i].run != run_top)
				assert_string_equal(util_out, "");
		}
		assert_string_equal(util_err, want);
		assert_int_equal(fail_nth_blocks(), blocks);
		holdings_same(&before);
	}
	assert_string_equal(fail_nth_struck(), commands[i].struck);
}

static void
test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < CNT(commands); i++) {
		print_message("%s\n", commands[i].name);
		failures(i, false);
		failures(i, true);
	}
}

/* Answers that are none, or refuse: at the first request, or at a later one. */
static void
test_refusals(void **state)
{
	static const char ended[] = "spimctl: the answer is not complete: the service ended, or is "
		"none\n";
	static const struct {
		const char *command;
		struct told told[3];
		unsigned int cnt;
		const char *err;
	} cases[] = {
		{ "list", { { ASK_CLIENTS, SERVICE POINTS CLIENTS } }, 1, ended },
		{ "list", { { ASK_CLIENTS, SERVICE POINTS CLIENTS "{'error':'no\\u001b'}\n" } }, 1,
			"spimctl: the service refuses: no?\n" },
		{ "show", { { ASK_POINTS, "" } }, 1, ended },
		{ "show 1", { { ASK_CLIENT, SERVICE POINTS END } }, 1,
			"spimctl: connection 1 ended\n" },
		{ "show 1", { { ASK_CLIENT, ALL } }, 1, "spimctl: connection 1 ended\n" },
		{ "show /a", { { ASK_CLIENTS,
			SERVICE "{'access_point':{'path':'/aa'}}\n" CLIENTS END } },
			1, "spimctl: no access point has the path '/a'\n" },
		{ "top", { { ASK_CLIENTS, POINTS } }, 1, ended },
		{ "top", { { ASK_CLIENTS, ALL }, { ASK_CLIENTS, POINTS CLIENTS } }, 2, ended },
		{ "top", { { ASK_CLIENTS, ALL }, { ASK_CLIENTS, ALL },
			{ ASK_CLIENTS, "{'end':tru" } }, 3, ended },
		{ "list", { { ASK_CLIENTS, "{'end':false}\n" } }, 1, ended },
		{ "list", { { ASK_CLIENTS, "{'service':{'pid':'1'}}\n" END } }, 1, ended },
		{ "list", { { ASK_CLIENTS, "service pid=1\nend\n" END } }, 1, ended },
		{ "drain", { { ASK_DRAIN, "{'error':'no such'}\n" } }, 1,
			"spimctl: the service refuses: no such\n" },
		{ "drain", { { ASK_DRAIN, ALL }, { ASK_POINTS, POINTS } }, 2, ended },
	};
	const struct holdings_now before = holdings_get();
	const long blocks = fail_nth_blocks();
	const char *failed;

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		size_t c = 0;

		while (strcmp(commands[c].name, cases[i].command) != 0)
			c++;
		util_service(cases[i].told, cases[i].cnt);
		assert_int_equal(run(c, false, 0, &failed), STATUS_FAILED);
		assert_int_equal(util_service_end(), cases[i].cnt);
		assert_string_equal(util_err, cases[i].err);
		if (commands[c].run != run_top)
			assert_string_equal(util_out, "");
		assert_int_equal(fail_nth_blocks(), blocks);
		holdings_same(&before);
	}
}

/* Standard input may be closed: the first descriptor is one like others. */
static void
test_without_standard_input(void **state)
{
	const struct told told = { ASK_CLIENTS, ALL };
	int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10), ret;
	struct snapshot snap;
	bool left_open;

	(void)state;
	util_service(&told, 1);
	close(STDIN_FILENO);
	ret = ask(util_control, &ask_clients, &snap);
	left_open = fcntl(STDIN_FILENO, F_GETFD) >= 0;
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(util_service_end(), 1);
	assert_int_equal(ret, 0);
	assert_int_equal(snap.clients_cnt, 2);
	snapshot_free(&snap);
	assert_false(left_open);
}

/* What is so many digits is the number of a client, what is more or else a path. */
static void
test_show_what(void **state)
{
	static const struct {
		const char *what;
		struct told told;
		const char *err;
	} cases[] = {
		{ "0", { "{'command':'client','id':0}", END }, "spimctl: connection 0 ended\n" },
		{ "18446744073709551615",
			{ "{'command':'client','id':18446744073709551615}", END },
			"spimctl: connection 18446744073709551615 ended\n" },
		{ "18446744073709551616", /* there is none of so big a number either */
			{ "{'command':'client','id':18446744073709551615}", END },
			"spimctl: connection 18446744073709551615 ended\n" },
		{ "184467440737095516150", { ASK_CLIENTS, END },
			"spimctl: no access point has the path '184467440737095516150'\n" },
		{ "1x", { ASK_CLIENTS, END },
			"spimctl: no access point has the path '1x'\n" },
		{ "", { ASK_CLIENTS, END }, "spimctl: no access point has the path ''\n" },
	};
	const struct options opt = options(false);

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		int status;

		util_service(&cases[i].told, 1);
		util_print_begin();
		status = show(&opt, cases[i].what);
		util_print_end();
		assert_int_equal(util_service_end(), 1);
		assert_int_equal(status, STATUS_FAILED);
		assert_string_equal(util_err, cases[i].err);
		assert_string_equal(util_out, "");
	}
}

/* ---- drain ---- */

/* It looks again until nothing is in use at what is meant, or the time is over. */
static void
test_drain_waits(void **state)
{
	static const struct told told[] = {
		{ ASK_DRAIN, ALL }, { ASK_POINTS, ALL }, { ASK_POINTS, ALL },
		{ ASK_POINTS, ALL }, { ASK_POINTS, ALL }, { ASK_POINTS, ALL },
	};
	struct options opt = options(false);
	int status;

	(void)state;
	/* A look at the clock each time: 0.5 s from 100.5 on, and the end is at 101.5. */
	opt.wait = 1.5;
	util_service(told, CNT(told));
	util_clock(100, 0.5);
	util_print_begin();
	status = drain(&opt, "/a", true);
	util_print_end();
	util_clock_real();
	assert_int_equal(util_service_end(), 3);
	assert_int_equal(util_sleeps, 2);
	assert_true(util_slept > 0.199 && util_slept < 0.201);
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(util_out, "/a: open, 0 clients, 1 queues in use\n");
	assert_string_equal(util_err,
		"spimctl: 1 queues are still in use after 1.5 seconds\n");
	/* What is wrong is said behind what was told, where both go to the same place. */
	util_service(told, 1);
	opt.wait = 0;
	util_print_begin();
	dup2(STDOUT_FILENO, STDERR_FILENO);
	status = drain(&opt, "/a", true);
	util_print_end();
	assert_int_equal(util_service_end(), 1);
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(util_out, "/a: open, 0 clients, 1 queues in use\n"
		"spimctl: 1 queues are still in use after 0 seconds\n");
	/* Nothing is in use there; or it was not asked to wait. */
	for (int i = 0; i < 2; i++) {
		const struct told once = { i == 0 ? "{'command':'drain','path':'/b'}" :
			"{'command':'undrain','path':'/a'}", ALL };

		opt.wait = i == 0 ? 10 : -1;
		util_service(&once, 1);
		util_clock(100, 0.5);
		util_print_begin();
		status = drain(&opt, i == 0 ? "/b" : "/a", i == 0);
		util_print_end();
		util_clock_real();
		assert_int_equal(util_service_end(), 1);
		assert_int_equal(util_sleeps, 0);
		assert_int_equal(status, STATUS_OK);
		assert_string_equal(util_err, "");
	}
}

/* ---- ask ---- */

static void
test_path_of_the_socket(void **state)
{
	struct snapshot snap;
	char path[200];
	int ret;

	(void)state;
	for (size_t len = 106; len <= 109; len++) {
		char want[256];

		memset(path, 'x', len);
		memcpy(path, "/nowhere/", 9);
		path[len] = '\0';
		util_print_begin();
		ret = ask(path, &ask_points, &snap);
		util_print_end();
		assert_int_equal(ret, -1);
		if (len <= 107)
			snprintf(want, sizeof(want), "spimctl: %s: no service listens there\n",
				path);
		else
			snprintf(want, sizeof(want), "spimctl: --control '%s': %zu bytes, "
				"expected 107 at most\n", path, len);
		assert_string_equal(util_err, want);
	}
}

/* A socket that nobody listens at any more; a file; nothing at all. */
static void
test_nobody_listens(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char want[256];

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", util_control);
	snprintf(want, sizeof(want), "spimctl: %s: no service listens there\n", util_control);
	for (int i = 0; i < 3; i++) {
		struct snapshot snap;
		int fd, ret;

		if (i == 0) {
			fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
			assert_int_equal(listen(fd, 1), 0);
			close(fd);
		} else if (i == 1) {
			fd = open(util_control, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
			assert_true(fd >= 0);
			close(fd);
		}
		util_print_begin();
		ret = ask(util_control, &ask_points, &snap);
		util_print_end();
		assert_int_equal(unlink(util_control), i < 2 ? 0 : -1);
		assert_int_equal(ret, -1);
		assert_string_equal(util_err, want);
	}
}

static void
test_slow_service(void **state)
{
	const struct told told = { ASK_POINTS, SERVICE POINTS END };
	struct snapshot snap;

	(void)state;
	/* Interrupted: it goes on. */
	util_service(&told, 1);
	util_receive_s = util_send_s = 0;
	util_recv_fails(3, EINTR);
	assert_int_equal(ask(util_control, &ask_points, &snap), 0);
	assert_int_equal(util_service_end(), 1);
	assert_int_equal(snap.points_cnt, 2);
	snapshot_free(&snap);
	assert_int_equal(util_receive_s, ASK_TIMEOUT);
	assert_int_equal(util_send_s, ASK_TIMEOUT);
	/* Nothing for so long, or no more of it. */
	for (int i = 0; i < 2; i++) {
		int ret;

		util_service(&told, 1);
		util_recv_fails(1, i == 0 ? EAGAIN : ECONNRESET);
		util_print_begin();
		ret = ask(util_control, &ask_points, &snap);
		util_print_end();
		util_service_end();
		assert_int_equal(ret, -1);
		assert_string_equal(util_err, i == 0 ?
			"spimctl: the service says nothing for 10 seconds\n" :
			"spimctl: the answer is not complete: the service ended, or is none\n");
	}
}

/* The longest line that is taken, and one that is longer. */
static void
test_long_lines(void **state)
{
	static char answer[40000];
	const struct told told = { ASK_POINTS, answer };
	struct snapshot snap;

	(void)state;
	for (size_t len = 32767; len <= 32769; len++) {
		static const char begin[] = "{'access_point':{'path':'/a','weight':7,";
		static const char end[] = "'reserve':3}}\n";
		int ret;

		/* With its newline. */
		memset(answer, ' ', len);
		memcpy(answer, begin, sizeof(begin) - 1);
		strcpy(answer + len - (sizeof(end) - 1), end);
		strcat(answer, END);
		util_service(&told, 1);
		util_print_begin();
		ret = ask(util_control, &ask_points, &snap);
		util_print_end();
		assert_int_equal(util_service_end(), 1);
		assert_int_equal(ret, len <= 32768 ? 0 : -1);
		if (ret != 0)
			continue;
		assert_int_equal(snap.points_cnt, 1);
		assert_int_equal(snap.points[0].weight, 7);
		assert_int_equal(snap.points[0].reserve, 3);
		snapshot_free(&snap);
	}
}

/* The longest path, of bytes that take the most room; and one that is longer. */
static void
test_requests(void **state)
{
	struct request request = { .command = "undrain" };
	char path[RECORD_PATH_MAX + 1] = "", want[1024];
	struct told told = { want, END };
	struct snapshot snap;
	int n;

	(void)state;
	memset(path, 0x1f, RECORD_PATH_MAX - 1);
	n = snprintf(want, sizeof(want), "{'command':'undrain','path':'");
	for (int i = 0; i < RECORD_PATH_MAX - 1; i++)
		n += snprintf(want + n, sizeof(want) - (size_t)n, "\\u001f");
	snprintf(want + n, sizeof(want) - (size_t)n, "'}");
	for (int i = 0; i < 2; i++) {
		request.path = path;
		util_service(&told, 1);
		assert_int_equal(ask(util_control, &request, &snap), 0);
		assert_int_equal(util_service_end(), 1);
		snapshot_free(&snap);
		/* What is no UTF-8 goes as it is. */
		strcpy(path, "/a \\\xff\xc3%");
		strcpy(want, "{'command':'undrain','path':'/a \\\\\xff\xc3%'}");
	}
	memset(path, 'x', RECORD_PATH_MAX);
	util_print_begin();
	assert_int_equal(ask(util_control, &request, &snap), -1);
	util_print_end();
	assert_string_equal(util_err, "spimctl: no access point has so long a path\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_without_standard_input),
		cmocka_unit_test(test_show_what),
		cmocka_unit_test(test_drain_waits),
		cmocka_unit_test(test_path_of_the_socket),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_slow_service),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests_name("spimctl_commands", tests, util_setup, util_teardown);
}
