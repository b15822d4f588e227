/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The headers of gzip members: ours, and those of other programs. */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "gzip.h"
#include "io.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

#define LEN 300000u

static uint8_t to[LEN];

static void
test_our_header(void **state)
{
	static const struct {
		uint8_t level, xfl;
	} cases[] = { { 0, 0 }, { 1, 4 }, { 2, 0 }, { 8, 0 }, { 9, 2 } };
	uint8_t want[] = { 0x1f, 0x8b, 8, 4, 0x78, 0x56, 0x34, 0x12, 0, 3, 8, 0, 'S', 'Z', 4, 0,
		0x04, 0x03, 0x02, 0x81 };
	uint8_t head[GZIP_OUR_MAX], trailer[GZIP_TRAILER];
	char name[NAME_MAX + 2] = "";
	uint32_t crc, isize, size;

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		want[8] = cases[i].xfl;
		want[3] = 4;
		assert_int_equal(gzip_header(head, 0x12345678, 0x81020304, cases[i].level, NULL),
			sizeof(want));
		assert_memory_equal(head, want, sizeof(want));
	}
	/* Of each length that a name can have; a longer one is left out. */
	for (size_t n = 0; n <= NAME_MAX + 1; n++) {
		const size_t len = n <= NAME_MAX ? sizeof(want) + n + 1 : sizeof(want);

		memset(name, 'n', n);
		name[n] = '\0';
		want[3] = n <= NAME_MAX ? 12 : 4;
		assert_int_equal(gzip_header(head, 0x12345678, 0x81020304, 9, name), len);
		assert_memory_equal(head, want, sizeof(want));
		if (n <= NAME_MAX)
			assert_string_equal(head + sizeof(want), name);
		/* Complete with the last byte, and not before. */
		for (size_t have = 0; have <= len; have++) {
			uint8_t *exact = malloc(have + 1);

			memcpy(exact, head, have);
			size = 7;
			assert_int_equal(gzip_ours(exact, have, &size), have == len ? len : 0);
			if (have == len)
				assert_int_equal(size, 0x81020304);
			free(exact);
		}
	}
	gzip_trailer(trailer, 0x12345678, 0x81020304);
	assert_memory_equal(trailer, "\x78\x56\x34\x12\x04\x03\x02\x81", 8);
	gzip_trailer_read(trailer, &crc, &isize);
	assert_int_equal(crc, 0x12345678);
	assert_int_equal(isize, 0x81020304);
}

/* What differs from one of ours in any byte that is the same in all is none. */
static void
test_not_ours(void **state)
{
	static const uint8_t same[] = { 0, 1, 2, 3, 10, 11, 12, 13, 14, 15 };
	uint8_t head[GZIP_OUR_MAX];
	uint32_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(same); i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			gzip_header(head, 0, 12345, 6, NULL);
			head[same[i]] ^= 1u << bit;
			/* Another name follows, which may be there. */
			head[GZIP_OUR_SIZE] = '\0';
			if (same[i] == 3 && bit == 3)
				assert_int_equal(gzip_ours(head, sizeof(head), &size),
					GZIP_OUR_SIZE + 1);
			else
				assert_int_equal(gzip_ours(head, sizeof(head), &size), 0);
		}
	}
}

/* What is found in a file with these bytes. */
static enum gzip_found
find(const void *bytes, size_t len, struct gzip_header *h, size_t *left)
{
	int fd = memfd_create("header", MFD_CLOEXEC);
	enum gzip_found found;
	struct input in;

	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	assert_int_equal(input_open(&in, fd, "name", 0, false), 0);
	memset(h, 0xee, sizeof(*h));
	found = gzip_next(&in, h);
	*left = in.end - in.pos;
	input_close(&in);
	close(fd);
	return found;
}

/* With each of the optional fields: more is needed until the last byte is there. */
static void
test_their_headers(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *name;
	} cases[] = {
		{ "\x1f\x8b\x08\x00mtim\x00\x03", 10, "" },
		{ "\x1f\x8b\x08\x01mtim\x00\x03", 10, "" },
		{ "\x1f\x8b\x08\x04mtim\x00\x03\x00\x00", 12, "" },
		{ "\x1f\x8b\x08\x04mtim\x00\x03\x03\x00" "abc", 15, "" },
		{ "\x1f\x8b\x08\x08mtim\x00\x03" "name\0", 15, "name" },
		{ "\x1f\x8b\x08\x10mtim\x00\x03" "comment\0", 18, "" },
		{ "\x1f\x8b\x08\x18mtim\x00\x03" "name\0comment\0", 23, "name" },
		{ "\x1f\x8b\x08\x1dmtim\x00\x03\x01\x00" "xn\0c\0", 17, "n" },
		{ "\x1f\x8b\x08\x02mtim\x00\x03\xd6\xcd", 12, "" },
	};
	struct gzip_header h;
	uint8_t bad[10];
	size_t left;

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		for (size_t len = 0; len < cases[i].len; len++)
			assert_int_equal(find(cases[i].bytes, len, &h, &left),
				len == 0 ? GZIP_END : GZIP_CUT);
		for (size_t more = 0; more < 2; more++) {
			assert_int_equal(find(cases[i].bytes, cases[i].len + more, &h, &left),
				GZIP_MEMBER);
			assert_int_equal(h.size, cases[i].len);
			assert_int_equal(left, more);
			assert_string_equal(h.name, cases[i].name);
			assert_int_equal(h.mtime, 0x6d69746d);
			assert_false(h.long_name);
		}
	}
	/* One that is wrong in its CRC. */
	memcpy(to, cases[CNT(cases) - 1].bytes, 12);
	to[10] ^= 1;
	assert_int_equal(find(to, 12, &h, &left), GZIP_BAD);
	assert_string_equal(h.bad, "invalid compressed data--header crc error");
	/* What is none, or not supported. */
	for (size_t at = 0; at < 4; at++) {
		static const uint8_t wrong[] = { 0x1e, 0x8c, 9, 0x20 };

		memcpy(bad, cases[0].bytes, sizeof(bad));
		bad[at] = wrong[at];
		assert_int_equal(find(bad, sizeof(bad), &h, &left),
			at < 2 ? GZIP_OTHER : GZIP_BAD);
		assert_int_equal(left, at < 2 ? sizeof(bad) : 0);
	}
	/* Of any length. */
	for (size_t n = NAME_MAX - 1; n <= NAME_MAX + 1; n++) {
		memcpy(to, cases[4].bytes, 10);
		memset(to + 10, 'n', n);
		to[10 + n] = '\0';
		assert_int_equal(find(to, 11 + n, &h, &left), GZIP_MEMBER);
		assert_int_equal(h.size, 11 + n);
		assert_int_equal(strlen(h.name), n <= NAME_MAX ? n : 0);
		assert_int_equal(h.long_name, n > NAME_MAX);
	}
	memset(to, 'n', LEN);
	memcpy(to, cases[4].bytes, 10);
	to[LEN - 1] = '\0';
	assert_int_equal(find(to, LEN, &h, &left), GZIP_MEMBER);
	assert_int_equal(h.size, LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_header),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_their_headers),
	};

	return cmocka_run_group_tests_name("spimgz_gzip", tests, NULL, NULL);
}
