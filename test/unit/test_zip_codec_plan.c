/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Which library does what: the whole table, at the edges of each of its choices; and that
 * what comes out is just what that library makes of it.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <zlib.h>

#include "test_zip_codec_util.h"
#include "zip_codec_internal.h"
#include "zip_codec_iov.h"

#define LEN_MAX 70000
#define CAP_MAX (LEN_MAX * 2)

static uint8_t plain[LEN_MAX], ours[CAP_MAX], theirs[CAP_MAX];

static bool
isal3(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

/* As the documentation has it, without a table. */
static struct zip_codec_plan
expected(const struct zip_codec_params *p, bool whole, size_t len)
{
	/* [small or not][level]: i ISA-L, l libdeflate; its level */
	static const char *const choice[2][10] = {
		{ "s0", "i1", "i2", "l1", "l3", "l4", "l5", "l6", "l7", "l7" },
		{ "s0", "i1", "i2", "i3", "l4", "l5", "l6", "l7", "l7", "l8" },
	};
	const char *c = choice[len > 8192][p->level];
	struct zip_codec_plan zlib = {
		.backend = ZIP_CODEC_BACKEND_ZLIB, .level = p->level,
		.window = p->window < 9 ? 9 : p->window,
		.strategy = p->huffman == ZIP_CODEC_HUFFMAN_FIXED ? Z_FIXED : Z_DEFAULT_STRATEGY,
	};
	struct zip_codec_plan plan = { .window = p->window, .level = (uint8_t)(c[1] - '0') };

	if (p->level == 0) {
		plan.backend = ZIP_CODEC_BACKEND_STORED;
		return plan;
	}
	if (p->huffman == ZIP_CODEC_HUFFMAN_FIXED) {
		if (p->level > 3)
			return zlib;
		plan.backend = ZIP_CODEC_BACKEND_ISAL_FIXED;
		plan.level = 0;
		return plan;
	}
	plan.backend = c[0] == 'i' ? ZIP_CODEC_BACKEND_ISAL : ZIP_CODEC_BACKEND_LIBDEFLATE;
	if (c[0] == 'i' && c[1] == '3' && !isal3()) {
		plan = (struct zip_codec_plan){ .backend = ZIP_CODEC_BACKEND_LIBDEFLATE,
			.level = 1 };
	}
	if (plan.backend != ZIP_CODEC_BACKEND_LIBDEFLATE)
		return plan;
	if (whole && (p->window == 15 || len <= 1u << p->window)) {
		/* No more effort than this in a long call. */
		if (len > 65536 && plan.level > 6)
			plan.level = 6;
		return plan;
	}
	/* It can only end a stream, and has only the largest window. */
	if (p->level > 3)
		return zlib;
	return (struct zip_codec_plan){ .backend = ZIP_CODEC_BACKEND_ISAL,
		.level = isal3() ? 3 : 2, .window = p->window };
}

static void
check_plan(const struct zip_codec_plan *plan, const struct zip_codec_plan *must)
{
	assert_int_equal(plan->backend, must->backend);
	assert_int_equal(plan->level, must->level);
	assert_int_equal(plan->strategy, must->strategy);
	/* What libdeflate does not look at is not compared. */
	if (must->backend != ZIP_CODEC_BACKEND_LIBDEFLATE)
		assert_int_equal(plan->window, must->window);
}

/* libdeflate looks at its input twice; ISA-L on other machines than x86 looks behind it. */
static int
wants_copy(uint8_t backend)
{
#if defined(__x86_64__)
	return backend == ZIP_CODEC_BACKEND_LIBDEFLATE;
#else
	return backend != ZIP_CODEC_BACKEND_STORED && backend != ZIP_CODEC_BACKEND_ZLIB;
#endif
}

static void
test_plan(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10 * 8 * 3 * 2; i++) {
		struct zip_codec_params params = { .level = (uint8_t)(i % 10),
			.window = (uint8_t)(8 + i / 10 % 8), .huffman = (uint8_t)(i / 80 % 3) };
		bool whole = i / 240;
		size_t window = (size_t)1 << params.window;
		const size_t lens[] = { 1, window - 1, window, window + 1, 8191, 8192, 8193, 32767,
			32768, 32769, 65536, 65537, 1 << 20 };

		assert_int_equal(zip_codec_plan_check(&params), 0);
		for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
			struct zip_codec_plan plan =
				zip_codec_plan_oneshot(&params, whole, lens[l]);
			struct zip_codec_plan must = expected(&params, whole, lens[l]);

			check_plan(&plan, &must);
			assert_int_equal(zip_codec_plan_wants_copy(&plan),
					wants_copy(must.backend));
		}
		if (whole) {
			struct zip_codec_plan plan = zip_codec_plan_stream(&params);

			assert_int_equal(plan.backend, ZIP_CODEC_BACKEND_ZLIB);
			assert_int_equal(plan.level, params.level);
			assert_int_equal(plan.window, params.window < 9 ? 9 : params.window);
			assert_int_equal(plan.strategy,
				params.huffman == ZIP_CODEC_HUFFMAN_FIXED ? Z_FIXED :
				Z_DEFAULT_STRATEGY);
			assert_int_equal(zip_codec_plan_wants_copy(&plan), 0);
		}
	}
}

/* What bounds the time of a call: at the edges of each bound. */
static void
test_effort(void **state)
{
	struct zip_codec_params params = { .window = 16 };

	(void)state;
	assert_true(zip_codec_plan_chain(0) >= 4096);
	assert_true(zip_codec_plan_chain(16384) >= 4096);
	assert_int_equal(zip_codec_plan_chain(16385), 512);
	assert_int_equal(zip_codec_plan_chain(65536), 512);
	assert_int_equal(zip_codec_plan_chain(65537), 128);
	assert_int_equal(zip_codec_plan_chain((size_t)1 << 30), 128);
	for (uint8_t level = 0; level <= 9; level++) {
		params.level = level;
		assert_int_equal(zip_codec_plan_lz4(&params, 65536), level);
		assert_int_equal(zip_codec_plan_lz4(&params, 65537), level < 6 ? level : 6);
	}
}

static void
test_plan_check(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < 256; v++) {
		struct zip_codec_params params = { .window = 15 };

		params.level = (uint8_t)v;
		assert_int_equal(zip_codec_plan_check(&params), v <= 9 ? 0 : -EINVAL);
		params.level = 0;
		params.window = (uint8_t)v;
		assert_int_equal(zip_codec_plan_check(&params), v >= 8 && v <= 15 ? 0 : -EINVAL);
		params.window = 8;
		params.huffman = (uint8_t)v;
		assert_int_equal(zip_codec_plan_check(&params), v <= 2 ? 0 : -EINVAL);
		params.huffman = 0;
		params.checksum = (uint8_t)v;
		assert_int_equal(zip_codec_plan_check(&params), v <= 3 ? 0 : -EINVAL);
	}
}

static size_t
by_isal(const struct zip_codec_plan *plan, bool whole, size_t len)
{
	static const uint32_t level_buf_size[] = { ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT,
		ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT };
	static struct isal_zstream isal;
	uint8_t *level_buf = calloc(1, ISAL_DEF_LVL3_DEFAULT);
	int ret;

	assert_non_null(level_buf);
	memset(&isal, 0, sizeof(isal));
	isal_deflate_init(&isal);
	isal.level = plan->level;
	isal.level_buf = level_buf;
	isal.level_buf_size = level_buf_size[plan->level];
	isal.hist_bits = plan->window;
	isal.flush = whole ? NO_FLUSH : FULL_FLUSH;
	isal.end_of_stream = whole;
	isal.next_in = plain;
	isal.avail_in = (uint32_t)len;
	isal.next_out = theirs;
	isal.avail_out = CAP_MAX;
	if (plan->backend == ZIP_CODEC_BACKEND_ISAL_FIXED) {
		isal_deflate_set_hufftables(&isal, NULL, IGZIP_HUFFTABLE_STATIC);
		ret = isal_deflate(&isal);
	} else {
		ret = isal_deflate_stateless(&isal);
	}
	assert_int_equal(ret, COMP_OK);
	free(level_buf);
	return isal.total_out;
}

static size_t
by_libdeflate(int level, size_t len)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
	size_t n;

	assert_non_null(c);
	n = libdeflate_deflate_compress(c, plain, len, theirs, CAP_MAX);
	libdeflate_free_compressor(c);
	return n;
}

static size_t
by_zlib(const struct zip_codec_plan *plan, bool whole, size_t len)
{
	z_stream zlib = { 0 };

	assert_int_equal(deflateInit2(&zlib, plan->level, Z_DEFLATED, -plan->window, 8,
		plan->strategy), Z_OK);
	tune_as_codec(&zlib, plan->level, len);
	zlib.next_in = plain;
	zlib.avail_in = (uInt)len;
	zlib.next_out = theirs;
	zlib.avail_out = CAP_MAX;
	assert_int_equal(deflate(&zlib, whole ? Z_FINISH : Z_FULL_FLUSH),
		whole ? Z_STREAM_END : Z_OK);
	deflateEnd(&zlib);
	return CAP_MAX - zlib.avail_out;
}

/* Blocks of 65,535 bytes, each behind five of its own; the last one may be the end. */
static size_t
by_hand(bool whole, size_t len)
{
	size_t at = 0, n;

	for (size_t done = 0; done < len; done += n, at += n) {
		n = len - done < 65535 ? len - done : 65535;
		theirs[at++] = whole && done + n == len;
		theirs[at++] = (uint8_t)n;
		theirs[at++] = (uint8_t)(n >> 8);
		theirs[at++] = (uint8_t)~n;
		theirs[at++] = (uint8_t)(~n >> 8);
		memcpy(theirs + at, plain + done, n);
	}
	return at;
}

/*
 * The output of a call is the backend's, with every parameter; stored blocks if they are fewer.
 * By a codec that has done nothing before: what ISA-L finds depends on what its memory holds.
 */
static void
test_backends(void **state)
{
	static const size_t lens[] = { 1, 300, 8192, 8193, 16384, 30000, 65536, 70000 };

	(void)state;
	for (unsigned int i = 0; i < 10 * 3 * 2 * 8; i++) {
		struct zip_codec_params params = { .level = (uint8_t)(i % 10),
			.window = (uint8_t)(15 - i / 10 % 8), .huffman = (uint8_t)(i / 10 % 3) };
		struct zip_codec *codec = zip_codec_create(LEN_MAX);
		bool whole = i / 30 % 2;
		size_t len = lens[i / 60], n, stored = len + 5 * (len <= 65535 ? 1 : 2);
		struct zip_codec_plan plan;
		struct iovec in = { .iov_base = plain, .iov_len = len };
		struct iovec out = { .iov_base = ours, .iov_len = CAP_MAX };
		struct zip_codec_result r;

		data_fill(plain, len, i % 5 == 0 ? DATA_NOISE8 : i % 2 ? DATA_TEXT : DATA_BINARY,
			i);
		plan = expected(&params, whole, len);
		assert_non_null(codec);
		assert_int_equal(zip_codec_deflate(codec, &params, whole ? ZIP_CODEC_FLUSH_FINISH :
			ZIP_CODEC_FLUSH_FULL, 0, &in, 1, &out, 1, &r), 0);
		zip_codec_destroy(codec);
		switch (plan.backend) {
		case ZIP_CODEC_BACKEND_STORED:
			n = by_hand(whole, len);
			break;
		case ZIP_CODEC_BACKEND_LIBDEFLATE:
			n = by_libdeflate(plan.level, len);
			break;
		case ZIP_CODEC_BACKEND_ZLIB:
			n = by_zlib(&plan, whole, len);
			break;
		default:
			n = by_isal(&plan, whole, len);
			break;
		}
		if (n > stored)
			n = by_hand(whole, len);
		assert_int_equal(r.produced, n);
		assert_int_equal(r.consumed, len);
		assert_memory_equal(ours, theirs, n);
	}
}

/* zlib is set up anew when anything of the plan is another: level, window, codes. */
static void
test_zlib_again(void **state)
{
	static const uint8_t cases[][3] = {
		{ 6, 15, 1 }, { 6, 10, 1 }, { 6, 10, 0 }, { 6, 15, 0 }, { 9, 15, 0 }, { 9, 15, 1 },
		{ 9, 15, 1 }, { 5, 15, 1 },
	};
	struct zip_codec *codec = zip_codec_create(LEN_MAX);

	(void)state;
	assert_non_null(codec);
	data_fill(plain, 30000, DATA_FAR, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zip_codec_params params = { .level = cases[i][0], .window = cases[i][1],
			.huffman = cases[i][2] };
		struct zip_codec_plan plan = expected(&params, false, 30000);
		struct iovec in = { .iov_base = plain, .iov_len = 30000 };
		struct iovec out = { .iov_base = ours, .iov_len = CAP_MAX };
		struct zip_codec_result r;

		assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FULL, 0, &in, 1,
			&out, 1, &r), 0);
		assert_int_equal(r.produced, by_zlib(&plan, false, 30000));
		assert_memory_equal(ours, theirs, r.produced);
	}
	zip_codec_destroy(codec);
}

/* ---- What the codec is made of ---- */

static void
test_pieces(void **state)
{
	uint8_t bytes[64], to[64];
	struct iovec iov[4] = {
		{ .iov_base = bytes, .iov_len = 0 }, { .iov_base = bytes, .iov_len = 10 },
		{ .iov_base = bytes + 20, .iov_len = 0 }, { .iov_base = bytes + 30, .iov_len = 20 },
	};
	struct iovec wraps[3] = {
		{ .iov_len = SIZE_MAX - 1 }, { .iov_len = 1 }, { .iov_len = 1 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(zip_codec_iov_len(iov, 0), 0);
	assert_int_equal(zip_codec_iov_len(iov, 2), 10);
	assert_int_equal(zip_codec_iov_len(iov, 4), 30);
	assert_true(zip_codec_iov_len(wraps, 1) == SIZE_MAX - 1);
	assert_true(zip_codec_iov_len(wraps, 2) == SIZE_MAX);
	assert_true(zip_codec_iov_len(wraps, 3) == SIZE_MAX);

	assert_non_null(zip_codec_iov_linear(iov, 0, 0));
	assert_non_null(zip_codec_iov_linear(iov, 1, 0));
	assert_ptr_equal(zip_codec_iov_linear(iov, 3, 10), bytes);
	assert_ptr_equal(zip_codec_iov_linear(iov + 2, 2, 20), bytes + 30);
	assert_null(zip_codec_iov_linear(iov, 4, 30));

	memset(to, 0xee, sizeof(to));
	zip_codec_iov_gather(iov, 4, to, NULL);
	for (unsigned int i = 0; i < 30; i++)
		assert_int_equal(to[i], i < 10 ? i : i + 20);
	assert_int_equal(to[30], 0xee);
	memset(bytes, 0xdd, sizeof(bytes));
	zip_codec_iov_scatter(iov, 4, to, 15);
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], i < 10 ? i : i >= 30 && i < 35 ? i : 0xdd);
	zip_codec_iov_scatter(iov, 4, to + 1, 30);
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], i < 9 ? i + 1 : i == 9 ? 30 : i >= 30 && i < 49 ?
			i + 1 : i == 49 ? 0xee : 0xdd);
}

/* Whatever is wanted, over lengths around those that are done in one go. */
static void
test_sums(void **state)
{
	const size_t lens[] = { 0, 1, ZIP_CODEC_HOT_BYTES - 1, ZIP_CODEC_HOT_BYTES,
		ZIP_CODEC_HOT_BYTES + 1, 2 * ZIP_CODEC_HOT_BYTES, 2 * ZIP_CODEC_HOT_BYTES + 1,
		LEN_MAX };

	(void)state;
	data_fill(plain, LEN_MAX, DATA_NOISE8, 1);
	for (unsigned int i = 0; i < 4 * 8; i++) {
		struct zip_codec_params params = { .checksum = (uint8_t)(i / 8), .crc32 = 0x1234,
			.adler32 = 0x5678 };
		size_t len = lens[i % 8];
		uint32_t crc = i / 8 & 1 && len != 0 ? (uint32_t)crc32_z(0x1234, plain, len) :
			0x1234;
		uint32_t adler = i / 8 & 2 && len != 0 ? (uint32_t)adler32_z(0x5678, plain, len) :
			0x5678;
		struct zip_codec_sum sum = zip_codec_sum_start(&params);
		struct iovec iov = { .iov_base = plain, .iov_len = len };
		struct zip_codec_result r;

		zip_codec_sum_update(&sum, len == 0 ? NULL : plain, len);
		zip_codec_sum_report(&sum, &r);
		assert_int_equal(r.crc32, crc);
		assert_int_equal(r.adler32, adler);
		/* On the way into another place, too. */
		sum = zip_codec_sum_start(&params);
		zip_codec_iov_gather(&iov, 1, ours, &sum);
		assert_int_equal(sum.crc32, crc);
		assert_int_equal(sum.adler32, adler);
		assert_memory_equal(ours, plain, len);
	}
}

static void
test_sizes(void **state)
{
	static const struct {
		size_t len, stored;
	} cases[] = {
		{ 0, 5 }, { 1, 6 }, { 65534, 65539 }, { 65535, 65540 }, { 65536, 65546 },
		{ 131070, 131080 }, { 131071, 131086 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(zip_codec_stored_size(cases[i].len), cases[i].stored);
		assert_int_equal(zip_codec_deflate_bound(cases[i].len),
			cases[i].len + cases[i].len / 8 + cases[i].len / 64 + 4096);
	}
}

/* zlib's memory: aligned, one piece behind the other, never more than there is. */
static void
test_zmem(void **state)
{
	_Alignas(64) static uint8_t base[1024];
	struct zip_codec_zmem mem = { .base = base, .size = sizeof(base), .used = 77 };
	z_stream zlib;

	(void)state;
	memset(&zlib, 0xa5, sizeof(zlib));
	zip_codec_zmem_attach(&mem, &zlib);
	assert_int_equal(mem.used, 0);
	assert_null(zlib.next_in);
	assert_null(zlib.state);
	assert_ptr_equal(zlib.zalloc(zlib.opaque, 3, 21), base);
	assert_int_equal(mem.used, 64);
	assert_ptr_equal(zlib.zalloc(zlib.opaque, 1, 64), base + 64);
	assert_ptr_equal(zlib.zalloc(zlib.opaque, 1, 65), base + 128);
	assert_int_equal(mem.used, 256);
	assert_null(zlib.zalloc(zlib.opaque, 1, 769));
	assert_null(zlib.zalloc(zlib.opaque, 0xffffffff, 0xffffffff));
	assert_int_equal(mem.used, 256);
	assert_ptr_equal(zlib.zalloc(zlib.opaque, 12, 64), base + 256);
	assert_null(zlib.zalloc(zlib.opaque, 1, 1));
	zlib.zfree(zlib.opaque, base); /* only all at once */
	assert_int_equal(mem.used, sizeof(base));
	zip_codec_zmem_attach(&mem, &zlib);
	assert_ptr_equal(zlib.zalloc(zlib.opaque, 1, 1), base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_effort),
		cmocka_unit_test(test_plan_check),
		cmocka_unit_test(test_backends),
		cmocka_unit_test(test_zlib_again),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_zmem),
	};

	return cmocka_run_group_tests_name("zip_codec_plan", tests, NULL, NULL);
}
