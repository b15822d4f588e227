/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Limits of one call: the longest that a codec was made for and a byte more, rooms that zlib
 * could not count, and stored blocks as long as they get.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include <cmocka.h>
#include <zlib.h>

#include "test_zip_codec_util.h"

#define MAX      5000 /* max_len of the codec */
#define BLOCK    65535 /* most bytes of a stored block */
#define LONG_MAX_LEN ((size_t)4 * BLOCK)

static struct zip_codec *codec, *longer;
static uint8_t plain[LONG_MAX_LEN], packed[LONG_MAX_LEN + 100], back[LONG_MAX_LEN];
static uint8_t dict[100];

static int
setup(void **state)
{
	(void)state;
	codec = zip_codec_create(MAX);
	longer = zip_codec_create(LONG_MAX_LEN);
	data_fill(plain, sizeof(plain), DATA_TEXT, 1);
	data_fill(dict, sizeof(dict), DATA_TEXT, 2);
	return codec == NULL || longer == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	zip_codec_destroy(codec);
	zip_codec_destroy(longer);
	return 0;
}

/* ---- The longest source and destination ---- */

static int
deflate_call(struct zip_codec *c, const struct zip_codec_params *params, const struct iovec *src,
		const struct iovec *dst, struct zip_codec_result *r)
{
	return zip_codec_deflate(c, params, ZIP_CODEC_FLUSH_FINISH, 0, src, 1, dst, 1, r);
}

static int
inflate_call(struct zip_codec *c, const struct zip_codec_params *params, const struct iovec *src,
		const struct iovec *dst, struct zip_codec_result *r)
{
	return zip_codec_inflate(c, params, src, 1, dst, 1, r);
}

static int
lz4_compress_call(struct zip_codec *c, const struct zip_codec_params *params,
		const struct iovec *src, const struct iovec *dst, struct zip_codec_result *r)
{
	return zip_codec_lz4_compress(c, params, src, 1, dst, 1, r);
}

static int
lz4_decompress_call(struct zip_codec *c, const struct zip_codec_params *params,
		const struct iovec *src, const struct iovec *dst, struct zip_codec_result *r)
{
	return zip_codec_lz4_decompress(c, params, src, 1, dst, 1, r);
}

typedef int call(struct zip_codec *c, const struct zip_codec_params *params,
		const struct iovec *src, const struct iovec *dst, struct zip_codec_result *r);

static const struct pair {
	call *pack;
	call *unpack;
	struct zip_codec_params params;
} pairs[] = {
	{ deflate_call, inflate_call,
		{ .level = 1, .window = 15, .crc32 = 7, .adler32 = 9 } },
	{ deflate_call, inflate_call,
		{ .level = 1, .window = 15, .crc32 = 7, .adler32 = 9, .dict = dict,
			.dict_len = sizeof(dict) } },
	{ lz4_compress_call, lz4_decompress_call, { .level = 1, .window = 15 } },
};

/* As long as the codec was made for, and not a byte more; more room it may have. */
static void
test_longest_source(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
		for (size_t len = MAX - 1; len <= MAX + 1; len++) {
			struct iovec in = { .iov_base = plain, .iov_len = len };
			struct iovec out = { .iov_base = packed, .iov_len = sizeof(packed) };
			struct zip_codec_result r;

			memset(&r, 0xff, sizeof(r));
			assert_int_equal(pairs[p].pack(codec, &pairs[p].params, &in, &out, &r),
				len <= MAX ? 0 : -E2BIG);
			assert_int_equal(r.consumed, len <= MAX ? len : 0);
			if (len > MAX)
				assert_int_equal(r.produced | r.end | r.pending, 0);
			/* The sums of before, as nothing was done. */
			assert_int_equal(r.crc32, pairs[p].params.crc32);
			assert_int_equal(r.adler32, pairs[p].params.adler32);
		}
	}
}

/* The same for the way back, for either side by itself; behind the data may be anything. */
static void
test_longest_way_back(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
		struct iovec in = { .iov_base = plain, .iov_len = 100 };
		struct iovec out = { .iov_base = packed, .iov_len = sizeof(packed) };
		struct zip_codec_result r;
		size_t n;

		assert_int_equal(pairs[p].pack(codec, &pairs[p].params, &in, &out, &r), 0);
		n = r.produced;
		for (unsigned int i = 0; i < 9; i++) {
			size_t len = MAX - 1 + i % 3, cap = MAX - 1 + i / 3;
			int ret = len > MAX || cap > MAX ? -E2BIG : 0;

			in = (struct iovec){ .iov_base = packed, .iov_len = len };
			out = (struct iovec){ .iov_base = back, .iov_len = cap };
			memset(&r, 0xff, sizeof(r));
			assert_int_equal(pairs[p].unpack(codec, &pairs[p].params, &in, &out, &r),
				ret);
			assert_int_equal(r.consumed, ret == 0 ? n : 0);
			assert_int_equal(r.produced, ret == 0 ? 100 : 0);
			assert_int_equal(r.end, ret == 0);
			assert_int_equal(r.pending | r.at_block | r.last_block, 0);
			assert_int_equal(r.crc32, pairs[p].params.crc32);
			assert_int_equal(r.adler32, pairs[p].params.adler32);
		}
	}
}

/* Room of more than 32 bits: who counts it in 32 bits must not see the little that is left. */
static void
test_huge_room(void **state)
{
	const size_t cap = ((size_t)4 << 30) + 1;
	uint8_t *dst = mmap(NULL, cap, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		0);

	(void)state;
	assert_true(dst != MAP_FAILED);
	/* Addresses only, but for what is written: memory for all of it there may not be. */
	assert_int_equal(mprotect(dst, (size_t)1 << 20, PROT_READ | PROT_WRITE), 0);
	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
		for (uint8_t level = 0; level <= 9; level++) {
			struct zip_codec_params params = pairs[p].params;
			struct iovec in = { .iov_base = plain, .iov_len = MAX };
			struct iovec out = { .iov_base = dst, .iov_len = cap };
			struct zip_codec_result r;

			params.level = level;
			assert_int_equal(pairs[p].pack(codec, &params, &in, &out, &r), 0);
			assert_int_equal(r.consumed, MAX);
			if (level > 0)
				assert_true(r.produced < MAX / 4 * 3);
		}
	}
	munmap(dst, cap);
}

/* ---- Stored blocks and empty ones ---- */

/* Each length about a whole number of blocks: as few blocks as can be, to the byte. */
static void
test_stored(void **state)
{
	(void)state;
	for (size_t blocks = 1; blocks <= 3; blocks++) {
		for (size_t len = blocks * BLOCK - 3; len <= blocks * BLOCK + 3; len++) {
			size_t n = len + 5 * ((len + BLOCK - 1) / BLOCK), consumed, produced;

			for (int whole = 0; whole <= 1; whole++) {
				struct zip_codec_params params = { .window = 15 };
				struct guarded src = guarded_alloc(len, GUARD_AFTER);
				struct guarded dst = guarded_alloc(n, GUARD_AFTER);
				struct iovec in = { .iov_base = src.data, .iov_len = len };
				struct iovec out = { .iov_base = dst.data, .iov_len = n - 1 };
				enum zip_codec_flush flush = whole ? ZIP_CODEC_FLUSH_FINISH :
					ZIP_CODEC_FLUSH_FULL;
				struct zip_codec_result r;
				struct blocks made;

				memcpy(src.data, plain, len);
				assert_int_equal(zip_codec_deflate(longer, &params, flush, 0, &in,
					1, &out, 1, &r), -ENOSPC);
				assert_int_equal(r.consumed | r.produced, 0);
				out.iov_len = n;
				assert_int_equal(zip_codec_deflate(longer, &params, flush, 0, &in,
					1, &out, 1, &r), 0);
				assert_int_equal(r.consumed, len);
				assert_int_equal(r.produced, n);
				assert_int_equal(blocks_parse(dst.data, n, &made), 0);
				assert_int_equal(made.stored, (n - len) / 5);
				assert_int_equal(made.fixed + made.dynamic, 0);
				assert_int_equal(made.len, len);
				assert_int_equal(made.final, whole);
				assert_int_equal(judge_inflate(dst.data, n, back, len, &consumed,
					&produced), whole ? Z_STREAM_END : Z_BUF_ERROR);
				assert_int_equal(consumed, n);
				assert_int_equal(produced, len);
				assert_memory_equal(back, plain, len);
				guarded_free(&src);
				guarded_free(&dst);
			}
		}
	}
}

/* What nothing becomes is known to the byte, and so is the room for it. */
static void
test_nothing(void **state)
{
	static const struct {
		uint8_t level;
		enum zip_codec_flush flush;
		const char *bytes;
		size_t n;
	} cases[] = {
		{ 0, ZIP_CODEC_FLUSH_FINISH, "\x01\x00\x00\xff\xff", 5 },
		{ 1, ZIP_CODEC_FLUSH_FINISH, "\x03\x00", 2 },
		{ 9, ZIP_CODEC_FLUSH_FINISH, "\x03\x00", 2 },
		{ 0, ZIP_CODEC_FLUSH_SYNC, "\x00\x00\x00\xff\xff", 5 },
		{ 1, ZIP_CODEC_FLUSH_SYNC, "\x00\x00\x00\xff\xff", 5 },
		{ 6, ZIP_CODEC_FLUSH_FULL, "\x00\x00\x00\xff\xff", 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t cap = 0; cap <= cases[i].n + 1; cap++) {
			struct zip_codec_params params = { .level = cases[i].level, .window = 15,
				.checksum = ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32, .crc32 = 7,
				.adler32 = 9 };
			struct guarded dst = guarded_alloc(cap, GUARD_AFTER);
			struct iovec out = { .iov_base = dst.data, .iov_len = cap };
			struct zip_codec_result r;
			size_t n = cap < cases[i].n ? 0 : cases[i].n;

			assert_int_equal(zip_codec_deflate(codec, &params, cases[i].flush, 1, NULL,
				0, &out, 1, &r), n == 0 ? -ENOSPC : 0);
			assert_int_equal(r.produced, n);
			assert_int_equal(r.consumed, 0);
			assert_int_equal(r.crc32, 7);
			assert_int_equal(r.adler32, 9);
			assert_memory_equal(dst.data, cases[i].bytes, n);
			guarded_free(&dst);
		}
	}
}

/* Nothing is no stream, and no frame, whether there is room or not. */
static void
test_no_input(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct pair *p = &pairs[i / 2];
		struct iovec in = { .iov_base = packed, .iov_len = 0 };
		struct iovec out = { .iov_base = back, .iov_len = i % 2 ? MAX : 0 };
		struct zip_codec_result r;

		memset(&r, 0xff, sizeof(r));
		assert_int_equal(p->unpack(codec, &p->params, &in, &out, &r), -EBADMSG);
		assert_int_equal(r.consumed | r.produced | r.end, 0);
		assert_int_equal(r.crc32, p->params.crc32);
		assert_int_equal(r.adler32, p->params.adler32);
	}
}

/* ---- What no call takes ---- */

static void
test_longest_codec(void **state)
{
	struct zip_codec *most = zip_codec_create(ZIP_CODEC_LEN_MAX);

	(void)state;
	assert_non_null(most);
	zip_codec_destroy(most);
	errno = 0;
	assert_null(zip_codec_create(ZIP_CODEC_LEN_MAX + 1));
	assert_int_equal(errno, EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_source),
		cmocka_unit_test(test_longest_way_back),
		cmocka_unit_test(test_huge_room),
		cmocka_unit_test(test_stored),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_no_input),
		cmocka_unit_test(test_longest_codec),
	};

	return cmocka_run_group_tests_name("zip_codec_limits", tests, setup, teardown);
}
