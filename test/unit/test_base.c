/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What every part may use: the clock, log lines, sealed memory files, histograms. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base_clock.h"
#include "base_hist.h"
#include "base_log.h"
#include "base_memfd.h"
#include "base_text.h"
#include "fail_nth.h"
#include "holdings.h"

/* ---- Clock ---- */

static struct {
	clockid_t asked;
	struct timespec says;
} fake;

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	fake.asked = id;
	*ts = fake.says;
	return 0;
}

static void
the_time_is_in_one_number(void **state)
{
	(void)state;
	/* Days later a product of 32 bits would be too small, and so would the milliseconds. */
	fake.says = (struct timespec){ 5000000, 999999999 };
	assert_true(base_now_ns() == INT64_C(5000000999999999));
	assert_int_equal(fake.asked, CLOCK_MONOTONIC);
	assert_true(base_now_ms() == UINT64_C(5000000999));
	assert_int_equal(fake.asked, CLOCK_MONOTONIC);
	assert_true(base_clock_ns(CLOCK_BOOTTIME) == INT64_C(5000000999999999));
	assert_int_equal(fake.asked, CLOCK_BOOTTIME);
}

/* ---- Text ---- */

/* What nobody sees, or changes what is around it, is no character that is shown. */
static void
only_what_is_seen_is_a_character(void **state)
{
	static const char *const seen[] = { " ", "~", "\xc2\xa0", "\xc3\xa9", "\xe0\xa0\x80",
		"\xe2\x80\x8a", "\xe2\x80\x90", "\xe2\x80\xa7", "\xe2\x80\xaf", "\xe2\x81\x9f",
		"\xe2\x81\xb0", "\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xb7\x8f",
		"\xef\xb7\xb0", "\xef\xbf\xbc", "\xef\xbf\xbd", "\xf0\x90\x80\x80",
		"\xf0\x9f\x98\x80", "\xf3\xa1\x80\x80", "\xf4\x8f\xbf\xbd" };
	static const char *const others[] = { "", "\n", "\x1f", "\x7f", "\x80", "\xff",
		"\xc2\x80", "\xc2\x9b", "\xc2\x9f", /* control */
		"\xc2\xad", "\xcd\x8f", "\xd8\x9c", "\xe1\xa0\x8e", /* no width */
		"\xe2\x80\x8b", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xaa",
		"\xe2\x80\xae", "\xe2\x81\xa0", "\xe2\x81\xa6", "\xe2\x81\xaf", /* turn it */
		"\xe3\x85\xa4", "\xef\xb8\x8f", "\xef\xbb\xbf", "\xef\xbf\xb9",
		"\xf3\xa0\x80\x81", "\xf3\xa0\x81\xbf", /* tags */
		"\xef\xb7\x90", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf", /* none */
		"\xed\xa0\x80", "\xed\xbf\xbf", /* surrogates */
		"\xc0\x80", "\xc1\x81", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", /* two forms */
		"\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xc3", "\xc3x" };

	(void)state;
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		assert_int_equal(base_text_character(seen[i]), strlen(seen[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(base_text_character(others[i]), 0);
}

/* ---- Log lines ---- */

static struct {
	unsigned int lines;
	enum base_log_level level;
	char line[600];
} took;

static void
take_line(enum base_log_level level, const char *line, void *priv)
{
	assert_ptr_equal(priv, &took);
	took.lines++;
	took.level = level;
	strcpy(took.line, line);
}

static void
a_line_has_a_name_and_a_text(void **state)
{
	const struct base_log log = { take_line, &took }, nobody = { 0 };
	char name[300], text[600], want[600];

	(void)state;
	for (unsigned int l = BASE_LOG_ERR; l <= BASE_LOG_DEBUG; l++) {
		base_log(&log, l, "name", "%d and %s", 3, "four");
		assert_string_equal(took.line, "name: 3 and four");
		assert_int_equal(took.level, l);
	}
	/* Of a long name the begin, of a long text too. */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	base_log(&log, BASE_LOG_ERR, name, "%s", text);
	snprintf(want, sizeof(want), "%.100s: %.409s", name, text);
	assert_string_equal(took.line, want);
	assert_int_equal(took.lines, 5);
	/* Nobody need listen. */
	base_log(&nobody, BASE_LOG_ERR, "name", "text");
	assert_int_equal(took.lines, 5);
}

/* ---- Sealed memory files ---- */

static void
a_memory_file_keeps_its_size(void **state)
{
	const size_t len = 3 * (size_t)sysconf(_SC_PAGESIZE);
	struct stat st;
	uint8_t *va;
	int fd = base_memfd_create("some name", len);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, len);
	assert_int_equal(ftruncate(fd, (off_t)len - 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, (off_t)len + 1), -1);
	assert_int_equal(errno, EPERM);
	/* Nobody seals it against writing either. */
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(errno, EPERM);
	va = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(va != MAP_FAILED);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(va[i], 0);
	va[len - 1] = 1;
	munmap(va, len);
	close(fd);
}

static void
a_memory_file_that_fails_leaves_nothing(void **state)
{
	const char *what;
	int fd;

	(void)state;
	fail_nth_struck();
	for (unsigned int n = 1;; n++) {
		const struct holdings_now then = holdings_get();

		fail_nth(n);
		fd = base_memfd_create("some name", 4096);
		what = fail_nth_end();
		if (what == NULL)
			break;
		assert_int_equal(fd, -fail_nth_errno());
		holdings_same(&then);
	}
	assert_true(fd >= 0);
	close(fd);
	assert_string_equal(fail_nth_struck(), "fcntl ftruncate memfd_create");
	/* What no file can have. */
	assert_int_equal(base_memfd_create("some name", SIZE_MAX), -EINVAL);
}

/* ---- Histograms ---- */

/* Powers of two, and the ends: nothing, time that ran back, and more than there are buckets for. */
static void
buckets_are_powers_of_two(void **state)
{
	struct base_hist h;

	(void)state;
	for (unsigned int k = 0; k < 63; k++) {
		const int64_t from = (int64_t)1 << k;
		unsigned int want = k < BASE_HIST_BUCKETS ? k : BASE_HIST_BUCKETS - 1;

		memset(&h, 0, sizeof(h));
		base_hist_count(&h, from);
		base_hist_count(&h, from + (from - 1));
		for (unsigned int i = 0; i < BASE_HIST_BUCKETS; i++)
			assert_int_equal(h.bucket[i], i == want ? 2 : 0);
	}
	memset(&h, 0, sizeof(h));
	base_hist_count(&h, 0);
	base_hist_count(&h, -1);
	base_hist_count(&h, INT64_MIN);
	assert_int_equal(h.bucket[0], 3);
}

static void
every_bucket_is_added(void **state)
{
	struct base_hist sum, h;

	(void)state;
	for (unsigned int i = 0; i < BASE_HIST_BUCKETS; i++) {
		sum.bucket[i] = i;
		h.bucket[i] = 100 * (i + 1);
	}
	base_hist_add(&sum, &h);
	for (unsigned int i = 0; i < BASE_HIST_BUCKETS; i++) {
		assert_int_equal(sum.bucket[i], 101 * i + 100);
		assert_int_equal(h.bucket[i], 100 * (i + 1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_in_one_number),
		cmocka_unit_test(only_what_is_seen_is_a_character),
		cmocka_unit_test(a_line_has_a_name_and_a_text),
		cmocka_unit_test(a_memory_file_keeps_its_size),
		cmocka_unit_test(a_memory_file_that_fails_leaves_nothing),
		cmocka_unit_test(buckets_are_powers_of_two),
		cmocka_unit_test(every_bucket_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
