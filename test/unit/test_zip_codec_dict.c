/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* DEFLATE with a dictionary, held against zlib in both directions. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <cmocka.h>

#include "test_zip_codec_util.h"

#define LEN_MAX ((size_t)100 << 10)
#define CAP_MAX (LEN_MAX * 2)

static struct zip_codec *codec;
static uint8_t *plain, *packed, *back, *dict;

static int
setup(void **state)
{
	(void)state;
	codec = zip_codec_create(CAP_MAX);
	plain = malloc(LEN_MAX);
	packed = malloc(CAP_MAX);
	back = malloc(CAP_MAX);
	dict = malloc(ZIP_CODEC_DICT_MAX);
	return codec == NULL || plain == NULL || packed == NULL || back == NULL || dict == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	zip_codec_destroy(codec);
	free(plain);
	free(packed);
	free(back);
	free(dict);
	return 0;
}

/* zlib's way back. Returns the bytes, -ENOSPC or -EBADMSG. */
static ssize_t
their_inflate(const uint8_t *src, size_t len, uint32_t dict_len, uint8_t *dst, size_t cap,
		size_t *consumed)
{
	z_stream zs = { 0 };
	int ret;

	assert_int_equal(inflateInit2(&zs, -15), Z_OK);
	assert_int_equal(inflateSetDictionary(&zs, dict, dict_len), Z_OK);
	zs.next_in = (uint8_t *)(uintptr_t)src;
	zs.avail_in = (uInt)len;
	zs.next_out = dst;
	zs.avail_out = (uInt)cap;
	ret = inflate(&zs, Z_FINISH);
	*consumed = zs.total_in;
	inflateEnd(&zs);
	if (ret == Z_STREAM_END)
		return (ssize_t)zs.total_out;
	return ret == Z_BUF_ERROR && zs.avail_out == 0 ? -ENOSPC : -EBADMSG;
}

static size_t
their_deflate(int level, int window, uint32_t dict_len, size_t len)
{
	z_stream zs = { 0 };

	assert_int_equal(deflateInit2(&zs, level, Z_DEFLATED, -window, 8, Z_DEFAULT_STRATEGY),
		Z_OK);
	tune_as_codec(&zs, level, len);
	assert_int_equal(deflateSetDictionary(&zs, dict, dict_len), Z_OK);
	zs.next_in = plain;
	zs.avail_in = (uInt)len;
	zs.next_out = packed;
	zs.avail_out = (uInt)CAP_MAX;
	assert_int_equal(deflate(&zs, Z_FINISH), Z_STREAM_END);
	deflateEnd(&zs);
	return zs.total_out;
}

/* Dictionary and data of one kind, half of the data taken from the dictionary. */
static void
fill(struct rng *rng, unsigned int i, uint32_t dict_len, size_t len)
{
	data_fill(dict, ZIP_CODEC_DICT_MAX, i % DATA_KINDS, i);
	data_fill(plain, len, (i + i / 7) % DATA_KINDS, i + 1000);
	for (size_t at = 0; at + 300 < len && dict_len > 300; at += 600)
		memcpy(plain + at, dict + rng_below(rng, dict_len - 300), 300);
}

static void
test_both_ways(void **state)
{
	struct rng rng = { .state = 1 };

	(void)state;
	for (unsigned int i = 0; i < 600 / test_fewer(); i++) {
		uint32_t dict_len = (uint32_t)(i % 9 == 0 ? ZIP_CODEC_DICT_MAX :
			1 + rng_below(&rng, 3000));
		size_t len = 1 + rng_below(&rng, i % 8 == 0 ? LEN_MAX : 5000), consumed, n;
		struct zip_codec_params params = {
			.level = (uint8_t)(i % 10), .window = (uint8_t)(8 + rng_below(&rng, 8)),
			.huffman = (uint8_t)rng_below(&rng, 3), .checksum = (uint8_t)(i & 3),
			.crc32 = 0, .adler32 = 1, .dict = dict, .dict_len = dict_len,
		}, running = params;
		struct iovec in[PIECES_MAX], out[PIECES_MAX];
		unsigned int in_cnt, out_cnt;
		struct zip_codec_result r;

		fill(&rng, i, dict_len, len);
		in_cnt = cut(&rng, plain, len, in);
		out_cnt = cut(&rng, packed, len + len / 8 + 64, out);
		assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, i & 1,
			in, in_cnt, out, out_cnt, &r), 0);
		assert_int_equal(r.consumed, len);
		check_sums(&running, &r, plain, len);
		n = r.produced;
		assert_int_equal(their_inflate(packed, n, dict_len, back, CAP_MAX, &consumed),
			len);
		assert_int_equal(consumed, n);
		assert_memory_equal(back, plain, len);

		n = their_deflate(i % 10, 9 + (int)rng_below(&rng, 7), dict_len, len);
		running = params;
		memset(back, 0, len);
		in_cnt = cut(&rng, packed, n, in);
		out_cnt = cut(&rng, back, len, out);
		assert_int_equal(zip_codec_inflate(codec, &params, in, in_cnt, out, out_cnt, &r),
			0);
		assert_int_equal(r.consumed, n);
		assert_int_equal(r.produced, len);
		check_sums(&running, &r, plain, len);
		assert_memory_equal(back, plain, len);
	}
}

/* It is used: what lies in it costs next to nothing, and without it is no stream. */
static void
test_used(void **state)
{
	struct zip_codec_params params = { .level = 6, .window = 15, .dict = dict,
		.dict_len = 4000 };
	struct iovec in = { .iov_base = plain, .iov_len = 3000 };
	struct iovec out = { .iov_base = packed, .iov_len = CAP_MAX };
	struct zip_codec_result r;

	(void)state;
	data_fill(dict, 4000, DATA_NOISE8, 1);
	memcpy(plain, dict + 500, 3000);
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), 0);
	assert_true(r.produced < 100);
	in = (struct iovec){ .iov_base = packed, .iov_len = r.produced };
	out = (struct iovec){ .iov_base = back, .iov_len = 3000 };
	assert_int_equal(zip_codec_inflate(codec, &params, &in, 1, &out, 1, &r), 0);
	assert_memory_equal(back, plain, 3000);
	params.dict_len = 0;
	assert_int_equal(zip_codec_inflate(codec, &params, &in, 1, &out, 1, &r), -EBADMSG);
	/* And the ones after it, without, are as if there had never been one. */
	in = (struct iovec){ .iov_base = plain, .iov_len = 3000 };
	out = (struct iovec){ .iov_base = packed, .iov_len = CAP_MAX };
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), 0);
	assert_true(r.produced > 3000);
}

static void
test_overflow(void **state)
{
	struct zip_codec_params params = { .level = 6, .window = 15, .dict = dict,
		.dict_len = 2000 };
	struct iovec in = { .iov_base = plain, .iov_len = 2500 };
	struct rng rng = { .state = 5 };
	struct zip_codec_result r;
	size_t full;

	(void)state;
	fill(&rng, DATA_TEXT, 2000, 2500);
	full = their_deflate(6, 15, 2000, 2500);
	for (size_t cap = 0; cap < full; cap++) {
		struct guarded dst = guarded_alloc(cap, GUARD_AFTER);
		struct iovec out = { .iov_base = dst.data, .iov_len = cap };

		assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 1, &in,
			1, &out, 1, &r), -ENOSPC);
		assert_int_equal(r.consumed | r.produced, 0);
		guarded_free(&dst);
	}
	in = (struct iovec){ .iov_base = packed, .iov_len = full };
	their_deflate(6, 15, 2000, 2500);
	for (size_t cap = 0; cap < 2500; cap++) {
		struct guarded dst = guarded_alloc(cap, GUARD_AFTER);
		struct iovec out = { .iov_base = dst.data, .iov_len = cap };

		assert_int_equal(zip_codec_inflate(codec, &params, &in, 1, &out, 1, &r), -ENOSPC);
		assert_int_equal(r.consumed | r.produced, 0);
		guarded_free(&dst);
	}
}

/* What just fits, does: as zlib's stream, as stored blocks, in one piece and in two. */
static void
test_fit(void **state)
{
	static const size_t lens[] = { 0, 1, 5, 1000, 65535, 65536 };

	(void)state;
	for (unsigned int i = 0; i < 10 * 6 * 2; i++) {
		struct zip_codec_params params = { .level = (uint8_t)(i % 10), .window = 15,
			.dict = dict, .dict_len = 700 };
		size_t len = lens[i / 10 % 6], zlibs, stored, n;
		struct iovec in = { .iov_base = plain, .iov_len = len };
		struct zip_codec_result r;

		data_fill(dict, 700, DATA_TEXT, i);
		data_fill(plain, len, i / 60 ? DATA_TEXT : DATA_NOISE8, i);
		zlibs = i % 10 == 0 ? SIZE_MAX : their_deflate(i % 10, 15, 700, len);
		stored = len + 5 * (len <= 65535 ? 1 : 2);
		n = zlibs < stored ? zlibs : stored;
		for (size_t cap = n - 1; cap <= n + 1; cap++) {
			struct guarded dst = guarded_alloc(cap, cap == n + 1 ? GUARD_BEFORE :
				GUARD_AFTER);
			struct iovec out[2] = {
				{ .iov_base = dst.data, .iov_len = cap / 2 },
				{ .iov_base = dst.data + cap / 2, .iov_len = cap - cap / 2 },
			};
			struct iovec one = { .iov_base = dst.data, .iov_len = cap };

			assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH,
				0, &in, 1, i & 1 ? out : &one, i & 1 ? 2 : 1, &r),
				cap < n ? -ENOSPC : 0);
			assert_int_equal(r.produced, cap < n ? 0 : n);
			assert_int_equal(r.consumed, cap < n ? 0 : len);
			if (cap >= n && n == zlibs)
				assert_memory_equal(dst.data, packed, n);
			guarded_free(&dst);
		}
	}
}

/* With room for both, what zlib makes larger than stored blocks are is stored. */
static void
test_stored_if_smaller(void **state)
{
	static const size_t lens[] = { 1, 500, 1000, 16384, 65535, 65536, LEN_MAX };

	(void)state;
	data_fill(dict, 700, DATA_TEXT, 1);
	for (unsigned int i = 0; i < 7 * 9; i++) {
		struct zip_codec_params params = { .level = (uint8_t)(1 + i % 9), .window = 15,
			.huffman = ZIP_CODEC_HUFFMAN_FIXED, .dict = dict, .dict_len = 700 };
		size_t len = lens[i / 9], stored = len + 5 * ((len + 65534) / 65535);
		struct iovec in = { .iov_base = plain, .iov_len = len };
		struct iovec out = { .iov_base = packed, .iov_len = CAP_MAX };
		struct zip_codec_result r;

		data_fill(plain, len, DATA_NOISE8, i);
		assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in,
			1, &out, 1, &r), 0);
		if (len == 1) {
			assert_true(r.produced < stored); /* a byte takes less than its block */
			continue;
		}
		assert_int_equal(r.produced, stored);
		for (size_t at = 0, left = len; left != 0; at += 5 + 65535) {
			size_t n = left < 65535 ? left : 65535;

			assert_int_equal(packed[at], n == left);
			assert_int_equal(packed[at + 1] | packed[at + 2] << 8, n);
			assert_memory_equal(packed + at + 5, plain + (len - left), n);
			left -= n;
		}
	}
}

/* Broken streams: zlib's verdict, and nothing outside. */
static void
test_hostile(void **state)
{
	struct rng rng = { .state = 6 };
	unsigned int valid = 0, no_space = 0;

	(void)state;
	for (unsigned int i = 0; i < 5000 / test_fewer(); i++) {
		uint32_t dict_len = 1 + (uint32_t)rng_below(&rng, 2000);
		size_t len = 1 + rng_below(&rng, 800), consumed, n;
		struct zip_codec_params params = { .dict = dict, .dict_len = dict_len };
		struct guarded src, dst;
		struct zip_codec_result r;
		struct iovec in, out;
		ssize_t want;
		int ret;

		fill(&rng, i, dict_len, len);
		n = their_deflate(i % 10, 15, dict_len, len);
		for (size_t m = rng_below(&rng, 4); m > 0; m--)
			packed[rng_below(&rng, n)] ^= (uint8_t)(1 << rng_below(&rng, 8));
		if (i % 8 == 0)
			n = 1 + rng_below(&rng, n);
		src = guarded_alloc(n, GUARD_AFTER);
		dst = guarded_alloc(len + i % 100, GUARD_AFTER);
		memcpy(src.data, packed, n);
		want = their_inflate(src.data, n, dict_len, back, dst.len, &consumed);
		in = (struct iovec){ .iov_base = src.data, .iov_len = n };
		out = (struct iovec){ .iov_base = dst.data, .iov_len = dst.len };
		ret = zip_codec_inflate(codec, &params, &in, 1, &out, 1, &r);
		if (want >= 0) {
			assert_int_equal(ret, 0);
			assert_int_equal(r.produced, want);
			assert_int_equal(r.consumed, consumed);
			assert_memory_equal(dst.data, back, (size_t)want);
			valid++;
		} else {
			assert_int_equal(ret, want);
			assert_int_equal(r.produced | r.consumed | r.end, 0);
			no_space += ret == -ENOSPC;
		}
		guarded_free(&src);
		guarded_free(&dst);
	}
	assert_true(valid > 1000 / test_fewer() && valid < 4000 / test_fewer());
	assert_true(no_space > 50 / test_fewer());
}

static void
test_params(void **state)
{
	struct zip_codec_params params = { .level = 1, .window = 15, .dict = dict,
		.dict_len = ZIP_CODEC_DICT_MAX + 1 };
	struct iovec in = { .iov_base = plain, .iov_len = 100 };
	struct iovec out = { .iov_base = packed, .iov_len = CAP_MAX };
	struct zip_codec_result r;

	(void)state;
	data_fill(plain, 100, DATA_TEXT, 1);
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), -EINVAL);
	assert_int_equal(zip_codec_inflate(codec, &params, &in, 1, &out, 1, &r), -EINVAL);
	assert_int_equal(r.consumed | r.produced, 0);
	params.dict_len = ZIP_CODEC_DICT_MAX;
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), 0);
	params.level = 10;
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), -EINVAL);
	params.level = 1;
	in.iov_len = CAP_MAX + 1;
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), -E2BIG);
	in.iov_len = 100;
	params.dict_len = 10;
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_SYNC, 0, &in, 1,
		&out, 1, &r), -EINVAL);
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FULL, 0, &in, 1,
		&out, 1, &r), -EINVAL);
	assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), 0);
	errno = 0;
	assert_null(zip_codec_stream_create(ZIP_CODEC_COMPRESS, &params));
	assert_int_equal(errno, EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_used),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_stored_if_smaller),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_params),
	};

	return cmocka_run_group_tests_name("zip_codec_dict", tests, setup, teardown);
}
