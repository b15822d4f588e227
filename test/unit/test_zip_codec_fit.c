/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Outputs that just fit, and those that lack a byte: every destination from nothing to
 * more than enough, between two pages that may not be touched, and every place where a
 * stream can be taken up again.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "test_zip_codec_util.h"

#define LEN_MAX 3000
#define CAP_MAX 8192

/* A marker of a flush: an empty stored block, byte aligned. */
#define MARKER 5

/* The end of an output, of which zlib is not told, and what it may give for that. */
#define UNTOLD 16
#define GIVEN  512

static struct zip_codec *codec;
static uint8_t plain[LEN_MAX], whole[CAP_MAX], pieces[CAP_MAX], back[CAP_MAX];
static struct guarded after, before;

static int
setup(void **state)
{
	(void)state;
	codec = zip_codec_create(CAP_MAX);
	after = guarded_alloc(CAP_MAX, GUARD_AFTER);
	before = guarded_alloc(CAP_MAX, GUARD_BEFORE);
	return codec == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	zip_codec_destroy(codec);
	guarded_free(&after);
	guarded_free(&before);
	return 0;
}

/* len bytes, behind which, or before which, memory ends. */
static uint8_t *
edge(size_t len, unsigned int side)
{
	return side & 1 ? before.data : after.data + CAP_MAX - len;
}

static struct zip_codec_params
params_of(unsigned int level, unsigned int window, unsigned int huffman)
{
	return (struct zip_codec_params){ .level = (uint8_t)level, .window = (uint8_t)window,
		.huffman = (uint8_t)huffman, .checksum = ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32,
		.adler32 = 1 };
}

static const int zlib_flush[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH };

/* What zlib makes of plain, in one go and with room enough. */
static size_t
zlib_deflate(const struct zip_codec_params *params, size_t len, int flush, uint8_t *out)
{
	z_stream zlib = { 0 };
	int ret;

	assert_int_equal(deflateInit2(&zlib, params->level, Z_DEFLATED,
		params->window < 9 ? -9 : -params->window, 8,
		params->huffman == ZIP_CODEC_HUFFMAN_FIXED ? Z_FIXED : Z_DEFAULT_STRATEGY), Z_OK);
	zlib.next_in = plain;
	zlib.avail_in = (uInt)len;
	zlib.next_out = out;
	zlib.avail_out = CAP_MAX;
	ret = deflate(&zlib, flush);
	assert_int_equal(ret, flush == Z_FINISH ? Z_STREAM_END : Z_OK);
	deflateEnd(&zlib);
	return CAP_MAX - zlib.avail_out;
}

static int
run(struct zip_codec_stream *stream, enum zip_codec_flush flush, const uint8_t *src, size_t len,
		uint8_t *dst, size_t cap, struct zip_codec_result *r)
{
	struct iovec in = { .iov_base = (void *)(uintptr_t)src, .iov_len = len };
	struct iovec out = { .iov_base = dst, .iov_len = cap };

	return zip_codec_stream_run(stream, flush, &in, 1, &out, 1, r);
}

/*
 * Whether zlib is told of an output that ends in the marker or just behind it. rest: bytes still
 * to come; *given: those of them that zlib has given already, before and after.
 */
static bool
ends_in_marker(size_t *given, size_t rest, size_t cap, size_t marker)
{
	size_t left = rest - *given, told = 0;

	if (cap <= *given) {
		*given -= cap;
		return false;
	}
	cap -= *given;
	*given = 0;
	if (cap >= 2 * UNTOLD)
		told = cap - UNTOLD;
	if (left <= told)
		return left == told && told != 0 && marker != 0;
	left -= told;
	cap -= told;
	*given = left < GIVEN ? left : GIVEN;
	*given -= *given < cap ? *given : cap;
	return told != 0 && left < marker;
}

/*
 * A compression stream gives what zlib gives, whatever the room: in each call as much as
 * fits, and it says that there is more exactly if there is. The one thing that zlib cannot
 * do is to end a flush where it was told that its room ends, in its marker or just behind
 * it; then the marker comes twice. It is never told of the last 16 bytes, so that this costs no
 * further call. n: bytes in all, of which the marker takes some.
 */
static void
stream_fits(struct zip_codec_stream *stream, const struct zip_codec_params *params,
		enum zip_codec_flush flush, size_t len, size_t cap, size_t n, size_t marker)
{
	size_t at = 0, consumed = 0, given = 0;
	struct zip_codec_result r;
	unsigned int calls = 0;
	int ret;

	assert_int_equal(zip_codec_stream_reset(stream, params), 0);
	do {
		uint8_t *dst = edge(cap, calls);
		size_t rest = n - at;
		size_t spare = ends_in_marker(&given, rest, cap, marker) ? MARKER : 0;

		ret = run(stream, flush, plain + consumed, len - consumed, dst, cap, &r);
		consumed += r.consumed;
		assert_int_equal(ret, cap < rest ? -ENOSPC : 0);
		assert_int_equal(r.pending, ret == -ENOSPC);
		assert_int_equal(r.end, ret == 0 && flush == ZIP_CODEC_FLUSH_FINISH);
		assert_int_equal(r.produced, ret != 0 ? cap : rest + spare);
		memcpy(pieces + at, dst, r.produced);
		at += r.produced;
		calls++;
	} while (ret == -ENOSPC);
	assert_int_equal(consumed, len);
	assert_memory_equal(pieces, whole, n);
	assert_memory_equal(pieces + n, "\0\0\0\377\377", at - n);
	assert_int_equal(r.crc32, crc32_z(0, plain, len));
	assert_int_equal(r.adler32, adler32_z(1, plain, len));
	ret = run(stream, flush, NULL, 0, back, CAP_MAX, &r);
	assert_int_equal(ret, flush == ZIP_CODEC_FLUSH_FINISH ? -EPIPE : 0);
	assert_int_equal(r.consumed | r.produced, 0);
}

static void
test_stream_deflate(void **state)
{
	static const size_t lens[] = { 0, 1, 100, 900 };
	struct zip_codec_params params = params_of(1, 15, 0);
	struct zip_codec_stream *stream = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &params);

	(void)state;
	assert_non_null(stream);
	for (unsigned int i = 0; i < 4 * 3 * 9; i++) {
		enum zip_codec_flush flush = ZIP_CODEC_FLUSH_SYNC + i / 4 % 3;
		size_t len = lens[i % 4], n, marker = 0;

		params = params_of(1 + i / 12, 8 + i % 8, i % 3);
		data_fill(plain, len, i % 2 ? DATA_TEXT : DATA_NOISE8, i);
		n = zlib_deflate(&params, len, zlib_flush[flush], whole);
		if (flush != ZIP_CODEC_FLUSH_FINISH)
			marker = n - zlib_deflate(&params, len, Z_BLOCK, back);
		if (len == 0 && flush != ZIP_CODEC_FLUSH_FINISH)
			assert_int_equal(n, MARKER);
		for (size_t cap = 1; cap < n + 40; cap += 1 + (cap > 40 && cap + 60 < n ? 13 : 0))
			stream_fits(stream, &params, flush, len, cap, n, marker);
	}
	zip_codec_stream_destroy(stream);
}

/* Output without a flush: what zlib gives up by itself comes whole, however small the room. */
static void
test_stream_no_flush(void **state)
{
	static uint8_t data[40000], ours[60000], theirs[60000];
	static const size_t caps[] = { 1, 7, 31, 32, 33, 1000, 16384, 60000 };
	struct zip_codec_params params = params_of(6, 15, 0);
	struct zip_codec_stream *stream = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &params);
	z_stream zlib = { 0 };
	size_t n;

	(void)state;
	assert_non_null(stream);
	data_fill(data, sizeof(data), DATA_NOISE7, 1);
	assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	zlib.next_in = data;
	zlib.avail_in = sizeof(data);
	zlib.next_out = theirs;
	zlib.avail_out = sizeof(theirs);
	assert_int_equal(deflate(&zlib, Z_NO_FLUSH), Z_OK);
	n = sizeof(theirs) - zlib.avail_out;
	deflateEnd(&zlib);
	assert_true(n > 20000);
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		size_t at = 0, consumed = 0;
		struct zip_codec_result r;
		int ret;

		assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		do {
			ret = run(stream, ZIP_CODEC_FLUSH_NONE, data + consumed,
				sizeof(data) - consumed, ours + at, caps[i], &r);
			consumed += r.consumed;
			at += r.produced;
			assert_int_equal(ret, at < n ? -ENOSPC : 0);
			assert_int_equal(r.pending, ret == -ENOSPC);
			assert_int_equal(r.end, 0);
		} while (ret != 0);
		assert_int_equal(consumed, sizeof(data));
		assert_int_equal(at, n);
		assert_memory_equal(ours, theirs, n);
		assert_int_equal(r.crc32, crc32_z(0, data, sizeof(data)));
	}
	zip_codec_stream_destroy(stream);
}

/* The same bytes in, split at every place; out, as zlib's inflate() does in each call. */
static void
test_stream_inflate(void **state)
{
	struct zip_codec_params params = params_of(0, 0, 0);
	struct zip_codec_stream *stream = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &params);

	(void)state;
	assert_non_null(stream);
	for (unsigned int i = 0; i < 9; i++) {
		struct zip_codec_params with = params_of(i % 10, 15, i % 3);
		size_t len = 80 + 40 * i, n;

		data_fill(plain, len, i % 3 == 0 ? DATA_NOISE8 : DATA_TEXT, i);
		n = zlib_deflate(&with, len, Z_FINISH, whole);
		for (size_t first = 0; first <= n; first++) {
			struct zip_codec_result a, b;
			uint8_t *src = edge(first, first), *dst;

			assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
			memcpy(src, whole, first);
			assert_int_equal(run(stream, 0, src, first, back, len, &a), 0);
			assert_int_equal(a.consumed, first);
			assert_int_equal(a.end, first == n);
			assert_int_equal(a.pending, 0);
			assert_int_equal(a.crc32, crc32_z(0, plain, a.produced));
			if (a.end) {
				assert_int_equal(a.produced, len);
				continue;
			}
			memcpy(pieces, back, a.produced);
			/* Just the room that is left, or a byte less. */
			if (a.produced < len) {
				size_t less = len - a.produced - 1;

				dst = edge(less, first);
				assert_int_equal(run(stream, 0, whole + first, n - first, dst,
					less, &b), -ENOSPC);
				assert_int_equal(b.produced, less);
				assert_int_equal(b.pending, 1);
				assert_int_equal(b.end, 0);
				memcpy(pieces + a.produced, dst, less);
				a.produced += less;
				first += b.consumed;
				dst = edge(1, 0);
				assert_int_equal(run(stream, 0, whole + first, n - first, dst, 1,
					&a), 0);
				assert_int_equal(a.produced, 1);
				pieces[len - 1] = *dst;
				assert_int_equal(a.consumed, n - first);
				first -= b.consumed;
			} else {
				assert_int_equal(run(stream, 0, whole + first, n - first, NULL, 0,
					&a), 0);
				assert_int_equal(a.produced, 0);
			}
			assert_int_equal(a.end, 1);
			assert_int_equal(a.last_block, 1);
			assert_int_equal(a.crc32, crc32_z(0, plain, len));
			assert_int_equal(a.adler32, adler32_z(1, plain, len));
			assert_memory_equal(pieces, plain, len);
			assert_int_equal(run(stream, 0, whole, n, back, len, &a), -EPIPE);
		}
	}
	zip_codec_stream_destroy(stream);
}

/* What a stream waited for is forgotten when it is made fresh. */
static void
test_stream_reset(void **state)
{
	struct zip_codec_params params = params_of(6, 15, 0);
	struct zip_codec_stream *in = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &params);
	struct zip_codec_stream *out = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &params);
	struct zip_codec_result r;
	size_t n;

	(void)state;
	assert_non_null(in);
	assert_non_null(out);
	data_fill(plain, 500, DATA_TEXT, 1);
	n = zlib_deflate(&params, 500, Z_FINISH, whole);
	for (size_t room = 0; room < 500; room++) {
		assert_int_equal(run(in, 0, whole, n, back, room, &r), -ENOSPC);
		assert_int_equal(r.at_block, 0);
		assert_int_equal(zip_codec_stream_reset(in, &params), 0);
		/* An empty stream wants no room. */
		assert_int_equal(run(in, 0, (const uint8_t *)"\x03", 2, NULL, 0, &r), 0);
		assert_int_equal(r.end, 1);
		assert_int_equal(r.crc32, 0);
		assert_int_equal(zip_codec_stream_reset(in, &params), 0);
		assert_int_equal(run(in, 0, NULL, 0, NULL, 0, &r), 0);
		assert_int_equal(r.at_block, 1);
		assert_int_equal(r.last_block, 0);
		/* Nor after a first part that is used up just when its room is. */
		assert_int_equal(zip_codec_stream_reset(in, &params), 0);
		run(in, 0, whole, 1 + room % (n - 1), back, room / 8, &r);
		assert_int_equal(zip_codec_stream_reset(in, &params), 0);
		assert_int_equal(run(in, 0, (const uint8_t *)"\x03", 2, NULL, 0, &r), 0);
		assert_int_equal(zip_codec_stream_reset(in, &params), 0);
		if (room >= n)
			continue;
		assert_int_equal(run(out, ZIP_CODEC_FLUSH_FINISH, plain, 500, back, room, &r),
			-ENOSPC);
		assert_int_equal(zip_codec_stream_reset(out, &params), 0);
		assert_int_equal(run(out, ZIP_CODEC_FLUSH_NONE, NULL, 0, back, CAP_MAX, &r), 0);
		assert_int_equal(r.produced, 0);
	}
	zip_codec_stream_destroy(in);
	zip_codec_stream_destroy(out);
}

/* A piece of output that lacks a byte is none. */
static void
test_oneshot_inflate(void **state)
{
	static const size_t lens[] = { 1, 2, 100, 255, 256, 257, 258, 259, 1000, 2999 };

	(void)state;
	for (unsigned int i = 0; i < 10 * 10; i++) {
		struct zip_codec_params params = params_of(i / 10, 15, i % 3);
		size_t len = lens[i % 10], n;

		data_fill(plain, len, i % DATA_KINDS, i);
		n = zlib_deflate(&params, len, Z_FINISH, whole);
		for (unsigned int side = 0; side < 2; side++) {
			for (size_t cap = len - 1; cap <= len + 1; cap++) {
				uint8_t *dst = edge(cap, side);
				struct iovec in = { .iov_base = whole, .iov_len = n };
				struct iovec out = { .iov_base = dst, .iov_len = cap };
				struct zip_codec_result r;

				assert_int_equal(zip_codec_inflate(codec, &params, &in, 1, &out, 1,
					&r), cap < len ? -ENOSPC : 0);
				assert_int_equal(r.produced, cap < len ? 0 : len);
				assert_int_equal(r.consumed, cap < len ? 0 : n);
				assert_int_equal(r.end, cap >= len);
				assert_int_equal(r.crc32, cap < len ? 0 : crc32_z(0, plain, len));
				assert_int_equal(r.adler32,
					cap < len ? 1 : adler32_z(1, plain, len));
				if (cap < len)
					continue;
				assert_memory_equal(dst, plain, len);
				/* A byte less of input, and there is no output at all. */
				in.iov_len--;
				out = (struct iovec){ .iov_base = back, .iov_len = CAP_MAX };
				assert_int_equal(zip_codec_inflate(codec, &params, &in, 1, &out, 1,
					&r), -EBADMSG);
				assert_int_equal(r.produced | r.consumed | r.end | r.crc32, 0);
			}
		}
	}
}

/* What is too much for a small room is compressed, too: text takes more than its own length. */
static void
test_partial_small_rooms(void **state)
{
	(void)state;
	data_fill(plain, LEN_MAX, DATA_TEXT, 1);
	for (size_t cap = 100; cap < 600; cap += 7) {
		for (unsigned int level = 1; level <= 9; level++) {
			struct zip_codec_params params = params_of(level, 15, 0);
			struct iovec in = { .iov_base = plain, .iov_len = LEN_MAX };
			struct iovec out = { .iov_base = edge(cap, level), .iov_len = cap };
			struct zip_codec_result r;

			assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH,
				1, &in, 1, &out, 1, &r), -ENOSPC);
			assert_in_range(r.produced, cap / 5 * 4, cap);
			assert_in_range(r.consumed, cap + cap / 3, LEN_MAX - 1);
			assert_int_equal(r.crc32, crc32_z(0, plain, r.consumed));
		}
	}
}

/* Copied is what fits, with the sums of that. */
static void
test_copy(void **state)
{
	struct rng rng = { .state = 9 };
	size_t len = 70000;
	struct guarded src = guarded_alloc(len, GUARD_AFTER);

	(void)state;
	data_fill(src.data, len, DATA_FAR, 1);
	for (unsigned int i = 0; i < 200; i++) {
		struct zip_codec_params params = { .checksum = (uint8_t)(i % 4), .adler32 = 1 };
		size_t n = rng_below(&rng, len + 1), cap = rng_below(&rng, len + 1);
		size_t fits = n < cap ? n : cap;
		struct guarded dst = guarded_alloc(cap, GUARD_AFTER);
		struct iovec in[PIECES_MAX], out[PIECES_MAX];
		unsigned int in_cnt = cut(&rng, src.data, n, in);
		unsigned int out_cnt = cut(&rng, dst.data, cap, out);
		struct zip_codec_result result;

		assert_int_equal(zip_codec_copy(&params, in, in_cnt, out, out_cnt, &result),
				n > cap ? -ENOSPC : 0);
		assert_int_equal(result.consumed, fits);
		assert_int_equal(result.produced, fits);
		assert_memory_equal(dst.data, src.data, fits);
		check_sums(&params, &result, src.data, fits);
		guarded_free(&dst);
	}
	guarded_free(&src);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_deflate),
		cmocka_unit_test(test_stream_no_flush),
		cmocka_unit_test(test_stream_inflate),
		cmocka_unit_test(test_stream_reset),
		cmocka_unit_test(test_oneshot_inflate),
		cmocka_unit_test(test_partial_small_rooms),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests_name("zip_codec_fit", tests, setup, teardown);
}
