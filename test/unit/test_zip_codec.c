/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * One-shot calls. zlib judges every output; the block parser, which knows no
 * library, looks at block kinds and distances; guard pages catch every byte
 * read or written outside.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "test_zip_codec_util.h"

#define LEN_MAX ((size_t)1 << 20)
/* Fixed codes take up to 9 bits for a byte. */
#define BOUND(len) ((len) + (len) / 8 + 512)
#define MAX_LEN BOUND(LEN_MAX + 65536)

static struct zip_codec *codec;

static int
setup(void **state)
{
	(void)state;
	codec = zip_codec_create(MAX_LEN);
	return codec == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	zip_codec_destroy(codec);
	return 0;
}

static struct zip_codec_params
params_make(unsigned int level, unsigned int window, unsigned int huffman, unsigned int checksum)
{
	return (struct zip_codec_params){
		.level = (uint8_t)level,
		.window = (uint8_t)window,
		.huffman = (uint8_t)huffman,
		.checksum = (uint8_t)checksum,
		.adler32 = 1,
	};
}

static int
deflate_linear(const struct zip_codec_params *params, enum zip_codec_flush flush, int partial,
		uint8_t *src, size_t len, uint8_t *dst, size_t cap,
		struct zip_codec_result *result)
{
	struct iovec in = { .iov_base = src, .iov_len = len };
	struct iovec out = { .iov_base = dst, .iov_len = cap };

	return zip_codec_deflate(codec, params, flush, partial, &in, 1, &out, 1, result);
}

static int
inflate_linear(uint8_t *src, size_t len, uint8_t *dst, size_t cap,
		struct zip_codec_result *result)
{
	struct zip_codec_params params = params_make(0, 0, 0, 0);
	struct iovec in = { .iov_base = src, .iov_len = len };
	struct iovec out = { .iov_base = dst, .iov_len = cap };

	return zip_codec_inflate(codec, &params, &in, 1, &out, 1, result);
}

/* What every output must be, whoever made it. */
static void
check_blocks(const struct zip_codec_params *params, const uint8_t *out, size_t produced,
		size_t len, int final)
{
	struct blocks blocks;

	assert_int_equal(blocks_parse(out, produced, &blocks), 0);
	assert_int_equal(blocks.len, len);
	assert_int_equal(blocks.final, final);
	assert_true(blocks.max_distance <= (size_t)1 << params->window);
	if (params->level == 0) {
		assert_int_equal(blocks.fixed, 0);
		assert_int_equal(blocks.dynamic, 0);
	}
	if (params->huffman == ZIP_CODEC_HUFFMAN_FIXED)
		assert_int_equal(blocks.dynamic, 0);
}

static void
check_inflates(const uint8_t *out, size_t produced, const uint8_t *data, size_t len)
{
	uint8_t *back = malloc(len + 1);
	size_t got_in, got_out;

	assert_non_null(back);
	assert_int_equal(judge_inflate(out, produced, back, len + 1, &got_in, &got_out),
			Z_STREAM_END);
	assert_int_equal(got_in, produced);
	assert_int_equal(got_out, len);
	assert_memory_equal(back, data, len);
	free(back);
}

/* Round trip with all that can be checked of it. */
static void
round_trip(const struct zip_codec_params *params, uint8_t *src, size_t len, struct rng *rng)
{
	struct zip_codec_params running = *params, back_params = *params;
	struct guarded dst = guarded_alloc(BOUND(len), GUARD_AFTER);
	struct guarded back = guarded_alloc(len, GUARD_AFTER);
	struct iovec in[PIECES_MAX], out[PIECES_MAX];
	struct iovec whole_in = { .iov_base = src, .iov_len = len };
	struct iovec whole_out = { .iov_base = dst.data, .iov_len = dst.len };
	unsigned int in_cnt = cut(rng, src, len, in);
	unsigned int out_cnt = cut(rng, dst.data, dst.len, out);
	unsigned int shape = (unsigned int)rng_below(rng, 4);
	struct zip_codec_result result, got;

	assert_int_equal(zip_codec_deflate(codec, params, ZIP_CODEC_FLUSH_FINISH, 0,
			shape & 1 ? in : &whole_in, shape & 1 ? in_cnt : 1,
			shape & 2 ? out : &whole_out, shape & 2 ? out_cnt : 1, &result), 0);
	assert_int_equal(result.consumed, len);
	check_sums(&running, &result, src, len);
	check_blocks(params, dst.data, result.produced, len, 1);
	check_inflates(dst.data, result.produced, src, len);

	back_params.level = 255; /* compression only: ignored */
	back_params.window = 0;
	in_cnt = cut(rng, dst.data, result.produced + rng_below(rng, 4), in);
	out_cnt = cut(rng, back.data, len, out);
	whole_in = (struct iovec){ .iov_base = dst.data, .iov_len = result.produced };
	whole_out = (struct iovec){ .iov_base = back.data, .iov_len = len };
	assert_int_equal(zip_codec_inflate(codec, &back_params,
			shape & 1 ? in : &whole_in, shape & 1 ? in_cnt : 1,
			shape & 2 ? out : &whole_out, shape & 2 ? out_cnt : 1, &got), 0);
	assert_int_equal(got.consumed, result.produced);
	assert_int_equal(got.produced, len);
	assert_int_equal(got.end, 1);
	check_sums(&back_params, &got, src, len);
	assert_memory_equal(back.data, src, len);
	guarded_free(&dst);
	guarded_free(&back);
}

static void
test_every_combination(void **state)
{
	static const size_t lens[] = {
		0, 1, 2, 3, 7, 8, 9, 15, 63, 64, 255, 256, 257, 1000, 4095, 4096, 4097,
		8192, 8193, 32767, 32768, 32769, 65535, 65536, 65537,
	};
	struct rng rng = { .state = 7 };
	unsigned int n = 0;

	(void)state;
	for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
		struct guarded src[2] = {
			guarded_alloc(lens[l], GUARD_AFTER), guarded_alloc(lens[l], GUARD_BEFORE),
		};
		/* With much input every third window: each comes by at some size. */
		unsigned int step = (lens[l] > 5000 ? 3 : 1) * test_fewer();

		for (unsigned int i = 0; i < 10 * 3 * 8; i++) {
			struct zip_codec_params params = params_make(i % 10, 8 + i / 30, i / 10 % 3,
					n % 4);
			uint8_t *data = src[n % 2].data;

			if ((i / 30 + l) % step != 0)
				continue;
			/* All kinds come by, at each level and window. */
			data_fill(data, lens[l], n % DATA_KINDS, n);
			round_trip(&params, data, lens[l], &rng);
			n++;
		}
		guarded_free(&src[0]);
		guarded_free(&src[1]);
	}
}

static void
test_large(void **state)
{
	static const struct {
		uint8_t level, window, huffman, kind;
	} cases[] = {
		{ 0, 15, 0, DATA_TEXT }, { 1, 15, 0, DATA_FAR }, { 2, 12, 2, DATA_BINARY },
		{ 3, 15, 2, DATA_FAR }, { 4, 8, 0, DATA_TEXT }, { 6, 15, 0, DATA_FAR },
		{ 9, 15, 2, DATA_BINARY }, { 1, 15, 1, DATA_ZERO }, { 3, 10, 1, DATA_FAR },
		{ 6, 15, 1, DATA_TEXT }, { 9, 9, 1, DATA_NOISE8 }, { 1, 15, 1, DATA_NOISE8 },
		{ 6, 15, 0, DATA_NOISE8 },
	};
	struct guarded src = guarded_alloc(LEN_MAX, GUARD_BEFORE);
	struct rng rng = { .state = 11 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zip_codec_params params = params_make(cases[i].level, cases[i].window,
				cases[i].huffman, 3);

		data_fill(src.data, src.len, cases[i].kind, i);
		round_trip(&params, src.data, src.len, &rng);
	}
	guarded_free(&src);
}

/* Fixed codes must never slip: ISA-L has a dynamic block ready for runs of 00 and ff. */
static void
test_fixed_only(void **state)
{
	struct rng rng = { .state = 5 };
	size_t len = 20000;
	uint8_t *src = malloc(len);

	(void)state;
	for (unsigned int level = 1; level <= 9; level++) {
		struct zip_codec_params params = params_make(level, 15,
				ZIP_CODEC_HUFFMAN_FIXED, 0);

		for (unsigned int kind = 0; kind < DATA_KINDS; kind++) {
			data_fill(src, len, kind, level);
			round_trip(&params, src, len, &rng);
			memset(src, kind & 1 ? 0xff : 0, len / 2);
			round_trip(&params, src, len, &rng);
		}
	}
	free(src);
}

/* 7-bit noise fits in its own length only if the dynamic codes are real ones. */
static void
test_noise_in_own_length(void **state)
{
	static const size_t lens[] = { 59600, 130814, 196221 };

	(void)state;
	for (size_t l = 0; l < 3; l++) {
		struct guarded src = guarded_alloc(lens[l], GUARD_AFTER);
		struct guarded dst = guarded_alloc(lens[l], GUARD_AFTER);

		data_fill(src.data, src.len, DATA_NOISE7, l);
		for (unsigned int level = 1; level <= 9; level++) {
			for (unsigned int window = 8; window <= 15; window += 7) {
				struct zip_codec_params params = params_make(level, window,
						ZIP_CODEC_HUFFMAN_DYNAMIC, 0);
				struct zip_codec_result result;
				struct blocks blocks;

				assert_int_equal(deflate_linear(&params,
						ZIP_CODEC_FLUSH_FINISH, 0, src.data, src.len,
						dst.data, dst.len, &result), 0);
				check_inflates(dst.data, result.produced, src.data, src.len);
				assert_int_equal(blocks_parse(dst.data, result.produced, &blocks),
						0);
				assert_true(blocks.dynamic > 0);
				assert_true(result.produced < src.len / 10 * 9);
			}
		}
		guarded_free(&src);
		guarded_free(&dst);
	}
}

static void
test_exact_room(void **state)
{
	struct guarded src = guarded_alloc(10000, GUARD_AFTER);
	uint8_t *big = malloc(BOUND(src.len));

	(void)state;
	for (unsigned int i = 0; i < 10 * 3 * 2 * DATA_KINDS; i += test_fewer()) {
		struct zip_codec_params params = params_make(i % 10, i / 30 % 2 ? 15 : 10,
				i / 10 % 3, 0);
		struct zip_codec_result result, exact;
		struct guarded dst;

		data_fill(src.data, src.len, i / 60, i);
		assert_int_equal(deflate_linear(&params, ZIP_CODEC_FLUSH_FINISH, 0, src.data,
				src.len, big, BOUND(src.len), &result), 0);
		dst = guarded_alloc(result.produced, GUARD_AFTER);
		assert_int_equal(deflate_linear(&params, ZIP_CODEC_FLUSH_FINISH, 0, src.data,
				src.len, dst.data, dst.len, &exact), 0);
		assert_true(exact.produced <= result.produced);
		check_inflates(dst.data, exact.produced, src.data, src.len);

		/* One byte less: either it is found to fit, or nothing is claimed. */
		switch (deflate_linear(&params, ZIP_CODEC_FLUSH_FINISH, 0, src.data, src.len,
				dst.data + 1, dst.len - 1, &exact)) {
		case 0:
			check_inflates(dst.data + 1, exact.produced, src.data, src.len);
			break;
		case -ENOSPC:
			assert_int_equal(exact.consumed, 0);
			assert_int_equal(exact.produced, 0);
			break;
		default:
			fail();
		}
		guarded_free(&dst);
	}
	free(big);
	guarded_free(&src);
}

/* Pieces from too small a destination, one after the other, are one stream. */
static void
partial_to_the_end(const struct zip_codec_params *params, uint8_t *src, size_t len, size_t cap,
		struct rng *rng)
{
	uint8_t *stream = malloc(BOUND(len) * 2 + 4096);
	struct zip_codec_params now = *params;
	struct zip_codec_result result;
	size_t done = 0, at = 0;
	int ret;

	do {
		struct guarded dst = guarded_alloc(cap, GUARD_AFTER);
		struct iovec in = { .iov_base = src + done, .iov_len = len - done };
		struct iovec out[PIECES_MAX];
		unsigned int cnt = cut(rng, dst.data, cap, out);
		struct blocks blocks;

		ret = zip_codec_deflate(codec, &now, ZIP_CODEC_FLUSH_FINISH, 1, &in, 1, out, cnt,
				&result);
		assert_true(ret == 0 || ret == -ENOSPC);
		assert_true(result.produced > 0);
		assert_true(result.produced <= cap);
		if (ret == -ENOSPC && cap >= 1024)
			assert_true(result.produced >= cap / 5 * 4);
		assert_int_equal(blocks_parse(dst.data, result.produced, &blocks), 0);
		assert_int_equal(blocks.final, ret == 0);
		assert_int_equal(blocks.len, result.consumed);
		check_sums(&now, &result, src + done, result.consumed);
		memcpy(stream + at, dst.data, result.produced);
		at += result.produced;
		done += result.consumed;
		guarded_free(&dst);
	} while (ret == -ENOSPC);
	assert_int_equal(done, len);
	check_blocks(params, stream, at, len, 1);
	check_inflates(stream, at, src, len);
	free(stream);
}

static void
test_partial(void **state)
{
	struct guarded src = guarded_alloc(50000, GUARD_AFTER);
	struct rng rng = { .state = 3 };

	(void)state;
	for (unsigned int i = 0; i < 10 * 3 * 2 * DATA_KINDS; i += test_fewer()) {
		struct zip_codec_params params = params_make(i % 10, i / 30 % 2 ? 15 : 9,
				i / 10 % 3, 3);
		/* Each piece costs as much as all that is left: much input in some turns only. */
		size_t len = i % 11 == 0 ? src.len : 9000;

		data_fill(src.data, len, i / 60, i);
		partial_to_the_end(&params, src.data, len, len / 5, &rng);
		partial_to_the_end(&params, src.data, len, 1024 + rng_below(&rng, 4096), &rng);
		partial_to_the_end(&params, src.data, 300, 6 + rng_below(&rng, 40), &rng);
	}
	guarded_free(&src);
}

static void
test_no_room(void **state)
{
	uint8_t src[100] = "hello hello hello", dst[2], zero[10];
	struct zip_codec_result result;

	(void)state;
	for (unsigned int level = 0; level <= 9; level++) {
		for (unsigned int huffman = 0; huffman <= 2; huffman++) {
			for (size_t cap = 0; cap <= 1; cap++) {
				struct zip_codec_params params = params_make(level, 15, huffman,
						3);

				for (int partial = 0; partial <= 1; partial++) {
					assert_int_equal(deflate_linear(&params,
							ZIP_CODEC_FLUSH_FINISH, partial, src,
							sizeof(src), cap == 0 ? NULL : dst, cap,
							&result), -ENOSPC);
					assert_int_equal(result.produced, 0);
					assert_int_equal(result.consumed, 0);
					assert_int_equal(result.adler32, 1);
					assert_int_equal(result.crc32, 0);
				}
				assert_int_equal(deflate_linear(&params, ZIP_CODEC_FLUSH_FINISH, 0,
						NULL, 0, dst, cap, &result), -ENOSPC);
			}
		}
	}
	/* The other direction. */
	assert_int_equal(inflate_linear((uint8_t *)"\x4b\xcc\x01\x00", 4, NULL, 0, &result),
			-ENOSPC);
	assert_int_equal(result.consumed, 0);
	assert_int_equal(result.produced, 0);
	assert_int_equal(inflate_linear((uint8_t *)"\x03\x00", 2, NULL, 0, &result), 0);
	assert_int_equal(result.consumed, 2);
	assert_int_equal(inflate_linear(NULL, 0, zero, sizeof(zero), &result), -EBADMSG);
}

/* A byte-aligned piece without BFINAL, then the rest. */
static void
test_pieces(void **state)
{
	size_t len = 30000, half = 11111;
	uint8_t *src = malloc(len), *out = malloc(2 * BOUND(len));

	(void)state;
	for (unsigned int i = 0; i < 10 * 3 * 4 * DATA_KINDS; i += test_fewer()) {
		struct zip_codec_params params = params_make(i % 10, 8 + i / 30 % 8, i / 10 % 3, 3);
		enum zip_codec_flush flush = i & 1 ? ZIP_CODEC_FLUSH_SYNC : ZIP_CODEC_FLUSH_FULL;
		struct zip_codec_result first, empty, rest;
		struct blocks blocks;
		size_t at;

		data_fill(src, len, i / 120, i);
		assert_int_equal(deflate_linear(&params, flush, 0, src, half, out,
				BOUND(len), &first), 0);
		assert_int_equal(first.consumed, half);
		assert_int_equal(blocks_parse(out, first.produced, &blocks), 0);
		assert_int_equal(blocks.final, 0);
		at = first.produced;
		assert_int_equal(deflate_linear(&params, flush, 0, NULL, 0, out + at,
				BOUND(len), &empty), 0);
		assert_int_equal(blocks_parse(out + at, empty.produced, &blocks), 0);
		assert_int_equal(blocks.final, 0);
		assert_int_equal(blocks.len, 0);
		at += empty.produced;
		check_sums(&params, &first, src, half);
		assert_int_equal(deflate_linear(&params, ZIP_CODEC_FLUSH_FINISH, 0, src + half,
				len - half, out + at, BOUND(len), &rest), 0);
		check_blocks(&params, out, at + rest.produced, len, 1);
		check_inflates(out, at + rest.produced, src, len);
		check_sums(&params, &rest, src + half, len - half);
	}
	free(src);
	free(out);
}

static void
test_empty(void **state)
{
	uint8_t out[16], back[16];

	(void)state;
	for (unsigned int level = 0; level <= 9; level++) {
		struct zip_codec_params params = params_make(level, 15, level % 3, 3);
		struct zip_codec_result result;

		assert_int_equal(deflate_linear(&params, ZIP_CODEC_FLUSH_FINISH, 0, NULL, 0,
				out, sizeof(out), &result), 0);
		check_blocks(&params, out, result.produced, 0, 1);
		check_inflates(out, result.produced, back, 0);
		assert_int_equal(result.crc32, 0);
		assert_int_equal(result.adler32, 1);
	}
}

static void
test_bad_params(void **state)
{
	struct zip_codec_params good = params_make(1, 15, 0, 0), bad;
	uint8_t src[8] = { 0 }, dst[64];
	struct iovec huge = { .iov_base = src, .iov_len = MAX_LEN + 1 };
	struct iovec wraps[2] = {
		{ .iov_base = src, .iov_len = SIZE_MAX }, { .iov_base = src, .iov_len = 2 },
	};
	struct iovec out = { .iov_base = dst, .iov_len = sizeof(dst) };
	struct zip_codec_result result;

	(void)state;
#define REFUSED(field, value) do { \
	bad = good; \
	bad.field = value; \
	assert_int_equal(deflate_linear(&bad, ZIP_CODEC_FLUSH_FINISH, 0, src, sizeof(src), dst, \
			sizeof(dst), &result), -EINVAL); \
	assert_int_equal(result.produced, 0); \
} while (0)
	REFUSED(level, 10);
	REFUSED(window, 7);
	REFUSED(window, 16);
	REFUSED(huffman, 3);
	REFUSED(checksum, 4);
#undef REFUSED
	assert_int_equal(deflate_linear(&good, ZIP_CODEC_FLUSH_NONE, 0, src, sizeof(src), dst,
			sizeof(dst), &result), -EINVAL);
	assert_int_equal(deflate_linear(&good, (enum zip_codec_flush)4, 0, src, sizeof(src), dst,
			sizeof(dst), &result), -EINVAL);
	assert_int_equal(zip_codec_deflate(codec, &good, ZIP_CODEC_FLUSH_FINISH, 0, &huge, 1,
			&out, 1, &result), -E2BIG);
	assert_int_equal(zip_codec_deflate(codec, &good, ZIP_CODEC_FLUSH_FINISH, 0, wraps, 2,
			&out, 1, &result), -E2BIG);
	assert_int_equal(zip_codec_inflate(codec, &good, wraps, 2, &out, 1, &result), -E2BIG);
	bad = good;
	bad.checksum = 8;
	assert_int_equal(zip_codec_inflate(codec, &bad, &out, 1, &out, 1, &result), -EINVAL);

	assert_null(zip_codec_create(ZIP_CODEC_LEN_MAX + 1));
	assert_int_equal(errno, EINVAL);
	zip_codec_destroy(NULL);
}

static void
test_truncated(void **state)
{
	size_t len = 5000;
	uint8_t *src = malloc(len), *out = malloc(BOUND(len));

	(void)state;
	for (unsigned int level = 0; level <= 9; level += 3) {
		struct zip_codec_params params = params_make(level, 15, level / 3 % 3, 0);
		struct zip_codec_result result, got;

		data_fill(src, len, DATA_TEXT, level);
		assert_int_equal(deflate_linear(&params, ZIP_CODEC_FLUSH_FINISH, 0, src, len,
				out, BOUND(len), &result), 0);
		for (size_t n = 0; n < result.produced; n += 1 + n / 50) {
			struct guarded cut_short = guarded_alloc(n, GUARD_AFTER);
			struct guarded back = guarded_alloc(len * 4, GUARD_AFTER);

			memcpy(cut_short.data, out, n);
			assert_int_equal(inflate_linear(cut_short.data, n, back.data, back.len,
					&got), -EBADMSG);
			assert_int_equal(got.consumed, 0);
			assert_int_equal(got.produced, 0);
			guarded_free(&cut_short);
			guarded_free(&back);
		}
		for (size_t cap = 0; cap < len; cap += 1 + cap / 50) {
			struct guarded back = guarded_alloc(cap, GUARD_AFTER);

			assert_int_equal(inflate_linear(out, result.produced, back.data, cap,
					&got), -ENOSPC);
			guarded_free(&back);
		}
	}
	free(src);
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_fixed_only),
		cmocka_unit_test(test_noise_in_own_length),
		cmocka_unit_test(test_exact_room),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_bad_params),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests_name("zip_codec", tests, setup, teardown);
}
