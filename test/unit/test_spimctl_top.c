/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* "spimctl top" on a clock of the test's own: rates, order, pace and screen. And commands. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "fail_nth.h"
#include "holdings.h"
#include "process.h"
#include "spimctl.h"
#include "test_spimctl_util.h"

#define SERVICE "{'service':{'version':'1','pid':12,'uptime_ms':9999,'connections':8,'queues':6," \
	"'queues_max':1024,'workers':4,'workers_asleep':1}}\n"

#define BEFORE \
	SERVICE "{'access_point':{'path':'/a','ops':100,'bytes_in':1000,'bytes_out':500," \
	"'errors':3," \
	"'wait':[0,0,0,4]}}\n" \
	"{'client':{'id':1,'path':'/a','ops':10,'bytes_in':100,'bytes_out':50,'errors':1," \
	"'errors_by_cause':{'output_full':1},'wait':[0,1]}}\n" \
	"{'client':{'id':2,'path':'/a','ops':5}}\n" \
	"{'client':{'id':4,'path':'/a','ops':7,'bytes_in':70}}\n" \
	"{'client':{'id':6,'path':'/a','ops':3}}\n" \
	"{'client':{'id':7,'path':'/a'}}\n" \
	END

/* Differences: bytes 250 of 1, 3 and 5, of which 3 has more ops; 8 has more bytes. */
#define AFTER \
	SERVICE "{'access_point':{'path':'/a','connections':8,'queues':3,'ops':100," \
	"'bytes_in':1000," \
	"'bytes_out':500,'errors':3,'wait':[0,0,0,4]}}\n" \
	"{'access_point':{'path':'/new','draining':true}}\n" \
	"{'client':{'id':1,'path':'/a','pid':0,'uid':7,'queues':2,'ops':12,'bytes_in':300," \
	"'bytes_out':100,'errors':2,'errors_by_cause':{'output_full':1,'bad_data':1}," \
	"'wait':[0,1,0,0,0,0,0,0,0,0,100],'service':[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0," \
	"1]}}\n" \
	"{'client':{'id':2,'path':'/a','queues':1,'ops':5}}\n" \
	"{'client':{'id':3,'path':'/a','ops':4,'bytes_in':250}}\n" \
	"{'client':{'id':4,'path':'/a','ops':7,'bytes_in':70}}\n" \
	"{'client':{'id':5,'path':'/a','ops':2,'bytes_in':200,'bytes_out':50}}\n" \
	"{'client':{'id':6,'path':'/a','ops':4}}\n" \
	"{'client':{'id':7,'path':'/a'}}\n" \
	"{'client':{'id':8,'path':'/a','ops':1,'bytes_out':1000}}\n" \
	END

static int
run_top(const struct told *told, size_t cnt, bool json)
{
	const struct options opt = { .control = util_control, .json = json, .delay = 1.5,
		.count = cnt - 1 };
	const long blocks = fail_nth_blocks();
	int status;

	util_service(told, cnt);
	util_clock(100.25, 0.5);
	util_print_begin();
	status = top(&opt);
	util_print_end();
	util_clock_real();
	assert_int_equal(util_service_end(), cnt);
	assert_string_equal(util_err, "");
	assert_int_equal(fail_nth_blocks(), blocks);
	return status;
}

static const char no_times[] = "{ \"samples\": 0, \"p50_us\": null, \"p90_us\": null, "
	"\"p99_us\": null }";

/* What the clients did in half a second, and their access points by that. */
static void
test_rates(void **state)
{
	static const struct told told[] = { { ASK_CLIENTS, BEFORE }, { ASK_CLIENTS, AFTER } };
	static const unsigned int order[] = { 8, 3, 1, 5, 6, 2 };
	const char *at;
	char want[2048];

	(void)state;
	assert_int_equal(run_top(told, 2, true), STATUS_OK);
	assert_memory_equal(util_out, "{ \"seconds\": 0.500, \"service\": {", 32);
	at = strstr(util_out, "\"clients\": [");
	assert_non_null(at);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		snprintf(want, sizeof(want), "{ \"id\": %u, ", order[i]);
		assert_ptr_equal(strstr(at, "{ \"id\": "), strstr(at, want));
		at = strstr(at, want) + 1;
	}
	assert_null(strstr(at, "{ \"id\": "));
	assert_non_null(strstr(at, " } ], \"idle\": 2 }\n"));
	snprintf(want, sizeof(want), "{ \"id\": 1, \"pid\": 0, \"uid\": 7, \"command\": \"-\", "
		"\"queues\": 2, \"path\": \"/a\", \"ops_per_s\": 4.0, \"bytes_in_per_s\": 400.0, "
		"\"bytes_out_per_s\": 100.0, \"errors_per_s\": 2.0, "
		"\"wait\": { \"samples\": 100, \"p50_us\": 1.536, \"p90_us\": 1.946, "
		"\"p99_us\": 2.038 }, \"service\": { \"samples\": 1, \"p50_us\": 1572.864, "
		"\"p90_us\": 1992.294, \"p99_us\": 2086.666 }, "
		"\"errors_by_cause\": { \"bad_data\": 1 } }, ");
	assert_non_null(strstr(util_out, want));
	/* Of all clients: 2 + 4 + 2 + 1 + 1 ops, and so on. */
	snprintf(want, sizeof(want), "\"access_points\": [ { \"connections\": 8, \"queues\": 3, "
		"\"path\": \"/a\", \"ops_per_s\": 20.0, \"bytes_in_per_s\": 1300.0, "
		"\"bytes_out_per_s\": 2200.0, \"errors_per_s\": 2.0, "
		"\"wait\": { \"samples\": 100, \"p50_us\": 1.536, \"p90_us\": 1.946, "
		"\"p99_us\": 2.038 }, \"service\": { \"samples\": 1, \"p50_us\": 1572.864, "
		"\"p90_us\": 1992.294, \"p99_us\": 2086.666 }, \"errors_by_cause\": "
		"{ \"bad_data\": 1 } }, { \"connections\": 0, \"queues\": 0, \"path\": \"/new\", "
		"\"ops_per_s\": 0.0, \"bytes_in_per_s\": 0.0, \"bytes_out_per_s\": 0.0, "
		"\"errors_per_s\": 0.0, \"wait\": %s, \"service\": %s, "
		"\"errors_by_cause\": { } } ], ",
		no_times, no_times);
	assert_non_null(strstr(util_out, want));
}

/* Each client is found again among the others, whatever its number is. */
static void
test_nothing_done(void **state)
{
	char answer[4096] = SERVICE;
	const struct told told[] = { { ASK_CLIENTS, answer }, { ASK_CLIENTS, answer } };

	(void)state;
	for (int n = 1; n <= 20; n++) {
		sprintf(answer + strlen(answer), "{'client':{'id':%d,'path':'/a','ops':9}}\n",
			n + n / 11);
		strcat(answer, END);
		assert_int_equal(run_top(told, 2, true), STATUS_OK);
		assert_non_null(strstr(util_out, "\"clients\": [ ], "));
		answer[strlen(answer) - strlen(END)] = '\0';
	}
}

/* It looks when it is time, also when it is interrupted, at what happened since the last look. */
static void
test_pace(void **state)
{
	static const struct told told[] = {
		{ ASK_CLIENTS, BEFORE }, { ASK_CLIENTS, AFTER }, { ASK_CLIENTS, AFTER },
	};
	const char *second;

	(void)state;
	util_interrupted = 2;
	assert_int_equal(run_top(told, 3, false), STATUS_OK);
	assert_int_equal(util_interrupted, 0);
	assert_int_equal(util_sleeps, 4);
	/* The last look before was at 100.75. */
	assert_true(util_slept_until > 102.249 && util_slept_until < 102.251);
	assert_memory_equal(util_out, "spimdevd pid 12, up 9s: 8 clients, 2 of them idle; "
		"6 of 1024 queues; 1 of 4 workers asleep; 0.5 s\n\n", 97);
	assert_non_null(strstr(util_out, "\n-                      0      7 /a              400"
		"    100      4      2        1      2 1.5us/1.9us/2.0us    1.6ms/2.0ms/2.1ms\n"));
	assert_non_null(strstr(util_out, "\n/new         draining       0      0      0      0"
		"      0      0 -                    -\n"));
	second = strstr(util_out, "\n\nspimdevd pid 12, up 9s: 8 clients, 6 of them idle; ");
	assert_non_null(second);
	assert_null(strstr(second + 3, "\nspimdevd"));
	/* Those with queues, by number. */
	assert_non_null(strstr(second, "SERVICE 50/90/99%\n"
		"-                      0      7 /a                0      0      0      2"
		"        1      0 -                    -\n"
		"-                      0      0 /a                0      0      0      1"
		"        2      0 -                    -\n"));
}

/* Another service: all that it did is since it began. */
static void
test_another_service(void **state)
{
	static const struct told told[] = {
		{ ASK_CLIENTS, "{'service':{'pid':11}}\n"
			"{'client':{'id':1,'path':'/a','ops':9}}\n" END },
		{ ASK_CLIENTS, "{'service':{'pid':12,'uptime_ms':1999}}\n"
			"{'client':{'id':1,'path':'/a','ops':10}}\n" END },
	};

	(void)state;
	assert_int_equal(run_top(told, 2, true), STATUS_OK);
	assert_memory_equal(util_out, "{ \"seconds\": 2.000, ", 20);
	assert_non_null(strstr(util_out, "\"ops_per_s\": 5.0, "));
}

/* ---- Screen ---- */

/* A command on a terminal of so many rows and columns; what it gets is in util_out. */
static void
command_on_terminal(int (*command)(const struct options *), const struct told *told, size_t cnt,
		unsigned short rows, unsigned short columns)
{
	const struct options opt = { .control = util_control, .count = 1 };
	const struct winsize ws = { .ws_row = rows, .ws_col = columns };
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), sub, saved, status;
	long blocks = fail_nth_blocks();
	struct termios raw;
	size_t len = 0;
	ssize_t n;

	assert_true(terminal >= 0);
	assert_int_equal(grantpt(terminal) + unlockpt(terminal), 0);
	sub = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(sub >= 0);
	assert_int_equal(tcgetattr(sub, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(sub, TCSANOW, &raw), 0);
	assert_int_equal(ioctl(terminal, TIOCSWINSZ, &ws), 0);
	util_service(told, cnt);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(sub, STDOUT_FILENO);
	util_clock(100, 0.5);
	status = command(&opt);
	fflush(stdout);
	util_clock_real();
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(sub);
	while ((n = read(terminal, util_out + len, sizeof(util_out) - 1 - len)) > 0)
		len += (size_t)n;
	util_out[len] = '\0';
	close(terminal);
	assert_int_equal(util_service_end(), cnt);
	assert_int_equal(status, STATUS_OK);
	/* The text itself is of the C library, which is not counted, and given back by us. */
	assert_int_equal(fail_nth_blocks(),
		blocks - (command == top && util_memstream == UTIL_STREAM));
}

static void
on_terminal(const struct told *told, unsigned short rows, unsigned short columns)
{
	command_on_terminal(top, told, 2, rows, columns);
}

/* How much of a line there is room for: of a table's whole columns, the first in any case. */
static size_t
room_for(const char *line, size_t columns)
{
	static const size_t points[] = { 12, 21, 29, 36, 43, 50, 57, 64, 85, 106 };
	static const size_t clients[] = {
		15, 24, 31, 44, 51, 58, 65, 72, 81, 88, 109, 130
	};
	const bool client = strncmp(line, "COMMAND", 7) == 0;
	size_t n = strcspn(line, "\n"), room = client ? clients[0] : points[0];

	if (strncmp(line, "spimdevd", 8) != 0 && n != 0) {
		for (size_t i = 0; i < (client ? 12 : 10); i++) {
			size_t end = client ? clients[i] : points[i];

			room = end <= columns ? end : room;
		}
		n = room < n ? room : n;
		while (n > 0 && line[n - 1] == ' ')
			n--;
	}
	return n < columns ? n : columns;
}

/* What of a text a screen shall show. */
static void
expect_screen(const char *text, int rows, size_t columns)
{
	char want[16384];
	size_t at = (size_t)snprintf(want, sizeof(want), "\033[H");

	for (; rows > 0 && *text != '\0'; rows--) {
		at += (size_t)snprintf(want + at, sizeof(want) - at, "%.*s\033[K\n",
			(int)room_for(text, columns), text);
		text += strcspn(text, "\n") + 1;
	}
	snprintf(want + at, sizeof(want) - at, "\033[J");
	assert_string_equal(util_out, want);
}

static void
test_screen(void **state)
{
	static const struct {
		unsigned short rows, columns;
		int shown;
		size_t width;
	} cases[] = {
		{ 10, 60, 9, 60 }, { 2, 1, 1, 1 }, { 1, 60, 23, 60 }, { 0, 0, 23, 80 },
		{ 100, 200, 99, 200 }, { 41, 10, 40, 10 }, { 40, 10, 39, 10 },
		{ 100, 130, 99, 130 }, { 100, 129, 99, 129 }, { 100, 50, 99, 50 },
	};
	char answer[4096] = SERVICE, text[16384];
	const struct told told[] = { { ASK_CLIENTS, answer }, { ASK_CLIENTS, answer } };

	(void)state;
	/* 34 lines: 4 before the access points, 2 behind. */
	for (int i = 0; i < 28; i++)
		sprintf(answer + strlen(answer), "{'access_point':{'path':'/number%d'}}\n", i);
	strcat(answer, END);
	assert_int_equal(run_top(told, 2, false), STATUS_OK);
	strcpy(text, util_out);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		on_terminal(told, cases[i].rows, cases[i].columns);
		expect_screen(text, cases[i].shown, cases[i].width);
	}
}

/* Without memory for the text nothing is shown, and it goes on. */
static void
test_no_screen(void **state)
{
	static const struct told told[] = { { ASK_CLIENTS, BEFORE }, { ASK_CLIENTS, AFTER } };
	const long blocks = fail_nth_blocks();

	(void)state;
	for (int i = 0; i < 2; i++) {
		util_memstream = i == 0 ? UTIL_NO_STREAM : UTIL_NO_TEXT;
		on_terminal(told, 10, 60);
		util_memstream = UTIL_STREAM;
		assert_string_equal(util_out, "");
	}
	assert_int_equal(fail_nth_blocks(), blocks);
}

/* A character of several bytes that does not fit is left out, all of it. */
static void
test_screen_cuts_characters(void **state)
{
	static const char answer[] = SERVICE "{'access_point':{'path':'/x\xe2\x82\xacy'}}\n" END;
	static const struct told told[] = { { ASK_CLIENTS, answer }, { ASK_CLIENTS, answer } };

	(void)state;
	for (unsigned short more = 2; more <= 6; more++) {
		static const char *const shown[] = { "/x", "/x", "/x", "/x\xe2\x82\xac",
			"/x\xe2\x82\xacy" };
		char want[32];

		on_terminal(told, 10, more);
		snprintf(want, sizeof(want), "\n%s\033[K\n", shown[more - 2]);
		assert_non_null(strstr(util_out, want));
	}
}

/* The lines of a table that begin so, with what ends a line of a screen. */
static void
has_line(const char *line, bool screen)
{
	char want[256];

	snprintf(want, sizeof(want), "\n%s%s\n", line, screen ? "\033[K" : "");
	if (strstr(util_out, want) == NULL)
		fail_msg("no line '%s' in:\n%s", line, util_out);
}

/* Who and where, and then how much: what a terminal has no room for is left out from behind. */
static void
test_columns(void **state)
{
	static const char answer[] = SERVICE "{'access_point':{'path':'/run/spimdev/zip','ops':5,"
		"'connections':2}}\n"
		"{'access_point':{'path':'/a/path/that/is/longer\xe2\x82\xac/than-all-others'}}\n"
		"{'client':{'id':123,'path':'/run/spimdev/zip','pid':0,'uid':1000,'queues':2,"
		"'ops':77}}\n"
		"{'client':{'id':124,'path':"
		"'/a/path/that/is/longer\xe2\x82\xac/than-all-others'}}\n"
		END;
	static const struct told told[] = { { ASK_CLIENTS, answer }, { ASK_CLIENTS, answer } };

	(void)state;
	command_on_terminal(list, told, 1, 24, 80);
	has_line("ACCESS POINT             STATE    CLIENTS QUEUES        OPS     IN    OUT",
		false);
	has_line("/run/spimdev/zip         open           2      0         82      0      0",
		false);
	has_line("..ger\xe2\x82\xac/than-all-others open           0      0          0      0"
		"      0", false);
	has_line("COMMAND              PID    UID ACCESS POINT                   ID QUEUES", false);
	has_line("-                      0   1000 /run/spimdev/zip              123      2", false);
	command_on_terminal(list, told, 1, 24, 40);
	has_line("ACCESS POINT             STATE", false);
	has_line("COMMAND              PID    UID", false);
	command_on_terminal(list, told, 1, 24, 20);
	has_line("COMMAND", false);
	on_terminal(told, 24, 80);
	has_line("ACCESS POINT             STATE    CLIENTS QUEUES   IN/s  OUT/s  OPS/s  ERR/s",
		true);
	has_line("COMMAND              PID    UID ACCESS POINT               IN/s  OUT/s  OPS/s",
		true);
	has_line("-                      0   1000 /run/spimdev/zip              0      0      0",
		true);
	on_terminal(told, 24, 40);
	has_line("COMMAND              PID    UID", true);
}

/* ---- Commands of clients ---- */

/* What /proc says of this process; an emulator has its own idea of the name. */
static struct {
	char name[64];
	double start_s;  /* since the machine was started */
	size_t start_at; /* bytes that are before it */
} self_stat;

static void
look_at_self(void)
{
	FILE *f = fopen("/proc/self/stat", "re");
	char line[1024], *name, *at;

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	name = strchr(line, '(') + 1;
	at = strrchr(line, ')');
	snprintf(self_stat.name, sizeof(self_stat.name), "%.*s", (int)(at - name), name);
	for (int i = 0; i < 20; i++)
		at = strchr(at + 1, ' ');
	self_stat.start_at = (size_t)(at - line);
	self_stat.start_s = strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK);
}

static const char *
command_of(uint64_t pid, uint64_t age_ms)
{
	static struct record_client c;

	c = (struct record_client){ .pid = pid, .age_ms = age_ms, .command = "before" };
	process_command(&c);
	return c.command;
}

/* Leave on the stack what looks as if it was read: a name, and many fields behind it. */
static __attribute__((noinline)) void
dirty_stack(void)
{
	static const char told[] = "1 (stale) ";
	volatile char stack[8192];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = i % 500 < sizeof(told) - 1 ? told[i % 500] : "1 "[i % 2];
	(void)stack[0];
}

static void
test_commands(void **state)
{
	static const char *const names[] = { "plain", "a b", ") (", "x) R 1 2 3",
		"fifteen bytes!!" };
	const uint64_t self = (uint64_t)getpid();
	const struct holdings_now before = holdings_get();
	int saved;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		prctl(PR_SET_NAME, names[i]);
		look_at_self();
		assert_string_equal(command_of(self, 0), self_stat.name);
	}
	/* What ends before the start is said tells nothing. */
	for (size_t bytes = 1; bytes <= self_stat.start_at - 2; bytes++) {
		dirty_stack();
		fail_nth_short(bytes);
		assert_string_equal(command_of(self, 0), "-");
	}
	fail_nth_short(0);
	dirty_stack();
	assert_string_equal(command_of(0, 0), "-");
	dirty_stack();
	assert_string_equal(command_of(UINT64_MAX, 0), "-");
	for (int i = 0; i < 2; i++) {
		dirty_stack();
		fail_nth_of(i == 0 ? "open" : "read", 1);
		assert_string_equal(command_of(self, 0), "-");
		assert_non_null(fail_nth_end());
	}
	/* The connection may be half a second older than the process seems to be, and no more. */
	util_clock(self_stat.start_s + 10, 0);
	assert_string_equal(command_of(self, 10499), self_stat.name);
	assert_string_equal(command_of(self, 10502), "-");
	util_clock_real();
	/* Without standard input it is the first descriptor that the file gets. */
	saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
	close(STDIN_FILENO);
	assert_string_equal(command_of(self, 0), self_stat.name);
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
	dup2(saved, STDIN_FILENO);
	close(saved);
	holdings_same(&before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_nothing_done),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_another_service),
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_no_screen),
		cmocka_unit_test(test_screen_cuts_characters),
		cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests_name("spimctl_top", tests, util_setup, util_teardown);
}
