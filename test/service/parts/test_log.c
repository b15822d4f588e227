/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Log lines: their form, and how many of them there are. The clock and the terminal are ours. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "said.h"

static int64_t now_ns = 1000000000;
static int terminal;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (clock == CLOCK_REALTIME)
		*ts = (struct timespec){ .tv_sec = 1700000000, .tv_nsec = 45678901 };
	else
		*ts = (struct timespec){ .tv_sec = now_ns / 1000000000,
			.tv_nsec = now_ns % 1000000000 };
	return 0;
}

int __wrap_isatty(int fd);
int
__wrap_isatty(int fd)
{
	return fd == STDERR_FILENO && terminal;
}

static char text[200000];
static struct said said;

static void
begin(void)
{
	said_begin(&said, SAID_ERR);
}

/* @return What was written, its lines in *lines. */
static const char *
end(unsigned int *lines)
{
	said_end(&said, text, sizeof(text));
	*lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		++*lines;
	return text;
}

static int
set_up(void **state)
{
	(void)state;
	terminal = 0;
	log_init(false);
	/* Nobody has an allowance that was used, nor lines to be told of. */
	begin();
	for (uid_t uid = 0; uid < LOG_USERS; uid++) {
		now_ns++;
		log_user(50000 + uid, BASE_LOG_INFO, "line");
	}
	said_end(&said, text, sizeof(text));
	now_ns += 1000 * (int64_t)LOG_EVERY_NS; /* all may be written again */
	return 0;
}

static void
test_form(void **state)
{
	unsigned int n;

	(void)state;
	begin();
	log_line(BASE_LOG_ERR, "one %d", 1);
	log_line(BASE_LOG_WARNING, "two");
	log_line(BASE_LOG_INFO, "three");
	log_line(BASE_LOG_DEBUG, "not asked for");
	log_line(BASE_LOG_INFO, "a\nb\tc\x7f\x1b[2J\xc3\xa4~ ");
	assert_string_equal(end(&n), "spimdevd: error: one 1\nspimdevd: warning: two\n"
			"spimdevd: three\nspimdevd: a?b?c??[2J\xc3\xa4~ \n");
	log_init(true);
	begin();
	log_line(BASE_LOG_DEBUG, "asked for");
	assert_string_equal(end(&n), "spimdevd: debug: asked for\n");
}

static void
test_terminal(void **state)
{
	unsigned int n;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	terminal = 1;
	log_init(false);
	begin();
	log_line(BASE_LOG_INFO, "x");
	assert_string_equal(end(&n), "2023-11-14 22:13:20.045 spimdevd: x\n");
}

/* Whatever is in it, it is one line, and ends. */
static void
test_long(void **state)
{
	static char word[2000];
	unsigned int n;

	(void)state;
	memset(word, 'y', sizeof(word) - 1);
	begin();
	log_line(BASE_LOG_INFO, "%s", word);
	log_line(BASE_LOG_INFO, "next");
	end(&n);
	assert_int_equal(n, 2);
	assert_int_equal(strcspn(text, "\n"), strlen("spimdevd: ") + 511);
	assert_string_equal(text + strcspn(text, "\n"), "\nspimdevd: next\n");
}

static void
many(uid_t uid, unsigned int lines)
{
	for (unsigned int i = 0; i < lines; i++)
		log_user(uid, BASE_LOG_WARNING, "line");
}

static unsigned int
written(uid_t uid, unsigned int lines)
{
	unsigned int n;

	begin();
	many(uid, lines);
	end(&n);
	return n;
}

static void
test_rate(void **state)
{
	(void)state;
	assert_int_equal(written(7, LOG_BURST + 30), LOG_BURST);
	/* Others have lines of their own. */
	assert_int_equal(written(8, LOG_BURST + 1), LOG_BURST);
	assert_int_equal(written(LOG_NOBODY, 1), 1);
	/* Not a line too early... */
	now_ns += LOG_EVERY_NS - 1;
	assert_int_equal(written(7, 1), 0);
	/* ...and then with the number of those that were not. */
	now_ns += 1;
	assert_int_equal(written(7, 2), 2);
	assert_string_equal(text, "spimdevd: warning: user 7: 31 lines were not logged: too many "
			"at a time\nspimdevd: warning: line\n");
	/* What was told of is not told of again. */
	now_ns += 2 * LOG_EVERY_NS;
	assert_int_equal(written(7, 100), 2 + 1);
	assert_non_null(strstr(text, "user 7: 1 lines were not logged"));
	/* Silence is saved up for a burst, and no more. */
	now_ns += 1000 * LOG_EVERY_NS;
	assert_int_equal(written(7, 2 * LOG_BURST), LOG_BURST + 1);
	assert_non_null(strstr(text, "user 7: 98 lines were not logged"));
}

/* What the administrator does is always there, and takes nothing from others. */
static void
test_own_lines_are_always_there(void **state)
{
	unsigned int n;

	(void)state;
	begin();
	many(7, 1000);
	for (unsigned int i = 0; i < 400; i++)
		log_line(BASE_LOG_INFO, "drains");
	end(&n);
	assert_int_equal(n, LOG_BURST + 400);
}

/* A day of a user who never ends: so much, and no more. */
static void
test_a_day(void **state)
{
	size_t bytes = 0;
	unsigned int n;

	(void)state;
	for (unsigned int s = 0; s < 86400; s++) {
		begin();
		log_user(9, BASE_LOG_WARNING, "connection 123456 (pid 1234567, uid 1000): DMA_MAP: "
				"0x100000000 + 0x100000, offset 0x0 refused: too many files");
		bytes += strlen(end(&n));
		now_ns += 1000000000;
	}
	assert_in_range(bytes, 500000, 3 << 20);
}

/* More users than there is room for: who said nothing for longest gives way, and is told. */
static void
test_many_users(void **state)
{
	(void)state;
	assert_int_equal(written(10000, LOG_BURST + 5), LOG_BURST);
	for (uid_t uid = 1; uid < LOG_USERS; uid++) {
		now_ns++;
		assert_int_equal(written(10000 + uid, 1), 1);
	}
	now_ns++;
	assert_int_equal(written(20000, 1), 2);
	assert_non_null(strstr(text, "user 10000: 5 lines were not logged"));
}

/* What is not asked for takes nothing of what may be written. */
static void
test_debug_is_free(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * LOG_BURST; i++)
		log_user(11, BASE_LOG_DEBUG, "line");
	assert_int_equal(written(11, LOG_BURST + 1), LOG_BURST);
}

/* The journal has a level of its own for each line, and says itself who wrote it. */
static void
test_journal(void **state)
{
	char stream[64];
	struct stat st;
	unsigned int n;

	(void)state;
	begin();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init(true);
	log_line(BASE_LOG_ERR, "one");
	log_line(BASE_LOG_WARNING, "two\n<3>x");
	log_line(BASE_LOG_INFO, "three");
	log_line(BASE_LOG_DEBUG, "four");
	/* Of another program: what we write goes elsewhere. */
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_init(false);
	log_line(BASE_LOG_INFO, "five");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(end(&n), "<3>one\n<4>two?<3>x\n<6>three\n<7>four\nspimdevd: five\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_form, set_up),
		cmocka_unit_test_setup(test_terminal, set_up),
		cmocka_unit_test_setup(test_long, set_up),
		cmocka_unit_test_setup(test_rate, set_up),
		cmocka_unit_test_setup(test_own_lines_are_always_there, set_up),
		cmocka_unit_test_setup(test_a_day, set_up),
		cmocka_unit_test_setup(test_many_users, set_up),
		cmocka_unit_test_setup(test_debug_is_free, set_up),
		cmocka_unit_test_setup(test_journal, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
