/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * How much work a call is, counted: bytes that it has given to backends. However little room it
 * has, that is about as much as its input; and what comes out is still right.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_zip_codec_util.h"
#include "zip_codec_internal.h"

#define LEN_MAX ((size_t)600 << 10)
#define CAP_MAX (2 * LEN_MAX)
#define LONG    ((size_t)256 << 10) /* pieces, from there on */
#define SHORT   ((size_t)32 << 10)

static struct zip_codec *codec;
static uint8_t *plain, *packed, *back;
static size_t given;           /* to backends that do more than copy */
static unsigned int most_level; /* of these calls, but for the first */
static unsigned int calls;

size_t __real_zip_codec_backend_run(struct zip_codec *c, const struct zip_codec_plan *plan,
		int whole, const uint8_t *src, size_t len, uint8_t *dst, size_t cap);
size_t __wrap_zip_codec_backend_run(struct zip_codec *c, const struct zip_codec_plan *plan,
		int whole, const uint8_t *src, size_t len, uint8_t *dst, size_t cap);

size_t
__wrap_zip_codec_backend_run(struct zip_codec *c, const struct zip_codec_plan *plan, int whole,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	if (plan->backend != ZIP_CODEC_BACKEND_STORED) {
		given += len;
		if (calls++ != 0 && plan->level > most_level)
			most_level = plan->level;
	}
	return __real_zip_codec_backend_run(c, plan, whole, src, len, dst, cap);
}

static int
setup(void **state)
{
	(void)state;
	codec = zip_codec_create(LEN_MAX);
	plain = malloc(LEN_MAX);
	packed = malloc(CAP_MAX + LEN_MAX);
	back = malloc(LEN_MAX);
	return codec == NULL || plain == NULL || packed == NULL || back == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	zip_codec_destroy(codec);
	free(plain);
	free(packed);
	free(back);
	return 0;
}

static int
deflate_into(const struct zip_codec_params *params, int partial, size_t at, size_t len,
		uint8_t *to, size_t cap, struct zip_codec_result *r)
{
	struct iovec in = { plain + at, len };
	/* In two, as a chain may be. */
	struct iovec out[2] = { { to, cap / 3 }, { to + cap / 3, cap - cap / 3 } };

	given = calls = most_level = 0;
	return zip_codec_deflate(codec, params, ZIP_CODEC_FLUSH_FINISH, partial, &in, 1, out, 2, r);
}

/* All of it, in as many calls as it takes; each is bounded, uses its room, and is right. */
static void
in_parts(const struct zip_codec_params *params, size_t len, size_t cap)
{
	size_t done = 0, at = 0, consumed, produced;
	struct zip_codec_result r;
	int ret;

	do {
		size_t left = len - done;
		size_t most = left + (left > LONG ? LONG : left) +
			(left > SHORT ? 5 * SHORT : 5 * left);

		ret = deflate_into(params, 1, done, left, packed + at, cap, &r);
		assert_true(ret == 0 || ret == -ENOSPC);
		if (given > most)
			fail_msg("level %u, %zu bytes into %zu: %zu were compressed, expected at "
					"most %zu", params->level, left, cap, given, most);
		if (left > 16384)
			assert_true(most_level <= 6);
		assert_in_range(r.produced, 1, cap);
		if (ret == -ENOSPC)
			assert_true(r.produced >= cap / 5 * 4);
		done += r.consumed;
		at += r.produced;
		assert_true(at <= CAP_MAX);
	} while (ret == -ENOSPC);
	assert_int_equal(done, len);
	assert_int_equal(judge_inflate(packed, at, back, LEN_MAX, &consumed, &produced),
			Z_STREAM_END);
	assert_int_equal(consumed, at);
	assert_int_equal(produced, len);
	assert_memory_equal(plain, back, len);
}

static void
test_parts(void **state)
{
	static const size_t lens[] = { 20000, SHORT, SHORT + 1, 100000, LONG, LONG + 1, LEN_MAX };
	static const uint8_t levels[] = { 1, 3, 6, 9 };

	(void)state;
	for (unsigned int i = 0; i < 7 * 4 * 3; i++) {
		struct zip_codec_params params = { .level = levels[i / 7 % 4],
			.window = i % 2 ? 15 : 12, .huffman = i / 28 == 2 ?
			ZIP_CODEC_HUFFMAN_FIXED : ZIP_CODEC_HUFFMAN_DEFAULT };
		size_t len = lens[i % 7];
		struct zip_codec_result r;

		data_fill(plain, len, i / 28 == 0 ? DATA_TEXT : i / 28 == 1 ? DATA_BINARY :
				DATA_NOISE7, i);
		assert_int_equal(deflate_into(&params, 0, 0, len, packed, CAP_MAX, &r), 0);
		assert_int_equal(given, len);
		in_parts(&params, len, r.produced - 1);
		in_parts(&params, len, r.produced / 2 + 1);
		in_parts(&params, len, r.produced / 5 + 1);
	}
}

/* Stored bytes, where nothing else fits. */
static void
test_noise(void **state)
{
	struct zip_codec_params params = { .level = 9, .window = 15 };
	size_t len = LEN_MAX / 2;

	(void)state;
	data_fill(plain, len, DATA_NOISE8, 1);
	in_parts(&params, len, len);
	in_parts(&params, len, len / 2);
	in_parts(&params, len, 40000);
	params.level = 0;
	in_parts(&params, len, len / 2);
}

/* Who wants all or nothing pays for one compression, not for two. */
static void
test_all_or_nothing(void **state)
{
	static const size_t lens[] = { 100, 5000, 30000, 70000, 300000 };

	(void)state;
	for (unsigned int i = 0; i < 5 * 9; i++) {
		struct zip_codec_params params = { .level = (uint8_t)(1 + i / 5), .window = 15 };
		size_t len = lens[i % 5];
		struct zip_codec_result r;
		size_t full;

		data_fill(plain, len, DATA_TEXT, i);
		assert_int_equal(deflate_into(&params, 0, 0, len, packed, CAP_MAX, &r), 0);
		full = r.produced;
		assert_int_equal(deflate_into(&params, 0, 0, len, packed, full, &r), 0);
		assert_int_equal(r.produced, full);
		assert_int_equal(given, len);
		assert_int_equal(deflate_into(&params, 0, 0, len, packed, full - 1, &r), -ENOSPC);
		assert_int_equal(r.produced | r.consumed, 0);
		assert_int_equal(given, len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
