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
	now_ns += 1000000000000; /* all may be written again */
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
many(unsigned int lines)
{
	for (unsigned int i = 0; i < lines; i++)
		log_line(BASE_LOG_INFO, "line");
}

static void
test_rate(void **state)
{
	unsigned int n;

	(void)state;
	begin();
	many(LOG_BURST + 30);
	end(&n);
	assert_int_equal(n, LOG_BURST);
	/* Not a line too early... */
	now_ns += 1000000000 / LOG_RATE - 1;
	begin();
	many(1);
	end(&n);
	assert_int_equal(n, 0);
	/* ...and then with the number of those that were not. */
	now_ns += 1;
	begin();
	many(2);
	assert_string_equal(end(&n), "spimdevd: warning: 31 lines were not logged: too many at a "
			"time\nspimdevd: line\n");
	/* Two seconds' worth; what was told of is not told of again. */
	now_ns += 2000000000;
	begin();
	many(100);
	end(&n);
	assert_int_equal(n, 2 * LOG_RATE + 1);
	assert_non_null(strstr(text, "warning: 1 lines were not logged"));
	/* Silence is saved up for a burst, and no more. */
	now_ns += 3600 * 1000000000ll;
	begin();
	many(2 * LOG_BURST);
	end(&n);
	assert_int_equal(n, LOG_BURST + 1);
	assert_non_null(strstr(text, "warning: 60 lines were not logged"));
}

/* What is not asked for takes nothing of what may be written. */
static void
test_debug_is_free(void **state)
{
	unsigned int n;

	(void)state;
	begin();
	for (unsigned int i = 0; i < 2 * LOG_BURST; i++)
		log_line(BASE_LOG_DEBUG, "line");
	many(LOG_BURST);
	end(&n);
	assert_int_equal(n, LOG_BURST + 1); /* and what the test before left */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_form, set_up),
		cmocka_unit_test_setup(test_terminal, set_up),
		cmocka_unit_test_setup(test_long, set_up),
		cmocka_unit_test_setup(test_rate, set_up),
		cmocka_unit_test_setup(test_debug_is_free, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
