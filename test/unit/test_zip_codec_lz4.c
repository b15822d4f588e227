/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* LZ4 frames, held against liblz4's own frame functions in both directions. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <lz4frame.h>
#include <lz4hc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

#include "test_zip_codec_lz4_util.h"

#define LEN_MAX ((size_t)300 << 10)
#define CAP_MAX LZ4_ROOM(LEN_MAX)

static int
setup(void **state)
{
	(void)state;
	return lz4_open(LEN_MAX);
}

/*
 * liblz4's verdict over one frame. Returns its bytes, or negative errno: a checksum that does
 * not match (by liblz4's name for it), or anything else, too little room too.
 */
static ssize_t
judge(const uint8_t *src, size_t len, uint8_t *dst, size_t cap, size_t *consumed)
{
	LZ4F_dctx *ctx;
	size_t in = 0, out = 0, hint = 1;

	assert_false(LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)));
	while (hint != 0) {
		size_t got = len - in, put = cap - out;

		hint = LZ4F_decompress(ctx, dst + out, &put, src + in, &got, NULL);
		in += got;
		out += put;
		if (LZ4F_isError(hint) || (hint != 0 && got == 0 && put == 0))
			break;
	}
	LZ4F_freeDecompressionContext(ctx);
	*consumed = in;
	if (hint == 0)
		return (ssize_t)out;
	return LZ4F_isError(hint) && strstr(LZ4F_getErrorName(hint), "hecksum") != NULL ?
		-EILSEQ : -EBADMSG;
}

static struct zip_codec_params
random_params(struct rng *rng)
{
	return (struct zip_codec_params){
		.level = (uint8_t)rng_below(rng, 10),
		.window = (uint8_t)(rng_below(rng, 2) ? 16 : 8 + rng_below(rng, 9)),
		.checksum = rng_below(rng, 2) ? ZIP_CODEC_XXH32 : 0,
		.lz4_flags = (uint8_t)(rng_next(rng) & ZIP_CODEC_LZ4_FLAGS),
	};
}

/* What we make liblz4 reads, with any parameters; and so do we, over chains. */
static void
test_compress(void **state)
{
	struct rng rng = { .state = 1 };
	size_t sizes = 0;

	(void)state;
	for (unsigned int i = 0; i < 400; i++) {
		struct zip_codec_params params = random_params(&rng);
		size_t len = rng_below(&rng, i % 8 == 0 ? LEN_MAX : 20000), consumed;
		struct iovec in[PIECES_MAX], out[PIECES_MAX];
		struct zip_codec_result r;
		unsigned int in_cnt, out_cnt;
		uint32_t sum;

		data_fill(plain, len, i % DATA_KINDS, i);
		sum = params.checksum ? XXH32(plain, len, 0) : 0;
		in_cnt = cut(&rng, plain, len, in);
		out_cnt = cut(&rng, packed, len + len / 8 + 64, out);
		assert_int_equal(zip_codec_lz4_compress(codec, &params, in, in_cnt, out, out_cnt,
			&r), 0);
		assert_int_equal(r.consumed, len);
		assert_int_equal(r.xxh32, sum);
		assert_int_equal(judge(packed, r.produced, back, CAP_MAX, &consumed), len);
		assert_int_equal(consumed, r.produced);
		assert_memory_equal(back, plain, len);
		sizes += r.produced;

		memset(back, 0, len);
		in_cnt = cut(&rng, packed, r.produced, in);
		out_cnt = cut(&rng, back, len, out);
		consumed = r.produced;
		assert_int_equal(zip_codec_lz4_decompress(codec, &params, in, in_cnt, out,
			out_cnt, &r), 0);
		assert_int_equal(r.consumed, consumed);
		assert_int_equal(r.produced, len);
		assert_int_equal(r.xxh32, sum);
		assert_true(r.end);
		assert_memory_equal(back, plain, len);
	}
	assert_true(sizes != 0);
}

/* The frame has in its header what was asked for. */
static void
test_header(void **state)
{
	(void)state;
	data_fill(plain, 200000, DATA_TEXT, 3);
	for (unsigned int flags = 0; flags <= ZIP_CODEC_LZ4_FLAGS; flags += 4) {
		struct zip_codec_params params = { .level = 1, .window = 16,
			.lz4_flags = (uint8_t)flags };
		struct zip_codec_result r;
		LZ4F_frameInfo_t info;
		LZ4F_dctx *ctx;
		size_t n;

		assert_int_equal(lz4_compress(&params, 200000, CAP_MAX, &r), 0);
		n = r.produced;
		assert_false(LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)));
		assert_false(LZ4F_isError(LZ4F_getFrameInfo(ctx, &info, packed, &n)));
		LZ4F_freeDecompressionContext(ctx);
		assert_int_equal(info.blockMode == LZ4F_blockIndependent,
			!!(flags & ZIP_CODEC_LZ4_BLOCK_INDEPENDENCE));
		assert_int_equal(info.blockChecksumFlag,
			!!(flags & ZIP_CODEC_LZ4_BLOCK_CHECKSUM));
		assert_int_equal(info.contentChecksumFlag,
			!!(flags & ZIP_CODEC_LZ4_CONTENT_CHECKSUM));
		assert_int_equal(info.contentSize,
			flags & ZIP_CODEC_LZ4_CONTENT_SIZE ? 200000 : 0);
		assert_int_equal(info.dictID, 0);
	}
}

/* No match reaches farther than the window: what is farther apart does not compress. */
static void
test_window(void **state)
{
	struct zip_codec_result near, far;

	(void)state;
	data_fill(plain, 2048, DATA_NOISE8, 5);
	for (unsigned int i = 1; i < 32; i++)
		memcpy(plain + i * 2048, plain, 2048);
	for (uint8_t level = 1; level <= 9; level++) {
		struct zip_codec_params params = { .level = level, .window = 12 };

		assert_int_equal(lz4_compress(&params, 65536, CAP_MAX, &near), 0);
		params.window = 11;
		assert_int_equal(lz4_compress(&params, 65536, CAP_MAX, &far), 0);
		assert_true(near.produced < 40000);
		assert_true(far.produced > 65536);
	}
}

/* What liblz4 makes we read. */
static void
test_decompress(void **state)
{
	struct rng rng = { .state = 2 };

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		size_t len = rng_below(&rng, i % 8 == 0 ? LEN_MAX : 20000), n;
		struct zip_codec_params params = { .checksum = ZIP_CODEC_XXH32 };
		LZ4F_preferences_t prefs = {
			.frameInfo = {
				.blockSizeID = (LZ4F_blockSizeID_t)(4 + rng_below(&rng, 4)),
				.blockMode = (LZ4F_blockMode_t)rng_below(&rng, 2),
				.contentChecksumFlag =
					(LZ4F_contentChecksum_t)rng_below(&rng, 2),
				.blockChecksumFlag = (LZ4F_blockChecksum_t)rng_below(&rng, 2),
				.contentSize = rng_below(&rng, 2) ? len : 0,
				.dictID = (unsigned int)rng_below(&rng, 2),
			},
			.compressionLevel = (int)rng_below(&rng, 13) - 1,
		};
		struct zip_codec_result r;

		data_fill(plain, len, i % DATA_KINDS, i);
		n = LZ4F_compressFrame(packed, CAP_MAX, plain, len, &prefs);
		assert_false(LZ4F_isError(n));
		/* Bytes behind it are not its. */
		assert_int_equal(lz4_decompress(&params, packed, n + i % 3, back, len, &r), 0);
		assert_int_equal(r.consumed, n);
		assert_int_equal(r.produced, len);
		assert_int_equal(r.xxh32, XXH32(plain, len, 0));
		assert_memory_equal(back, plain, len);
		if (len > 0)
			assert_int_equal(lz4_decompress(&params, packed, n, back, len - 1, &r),
				-ENOSPC);
		if (n > 0)
			assert_int_equal(lz4_decompress(&params, packed, n - 1, back, len, &r),
				-EBADMSG);
		assert_int_equal(r.consumed | r.produced, 0);
	}
}

/* Every destination that is too small, in memory that ends there. */
static void
test_overflow(void **state)
{
	struct rng rng = { .state = 3 };

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		struct zip_codec_params params = random_params(&rng);
		size_t len = rng_below(&rng, 3000), full;
		struct zip_codec_result r;

		data_fill(plain, len, i % DATA_KINDS, i);
		assert_int_equal(lz4_compress(&params, len, CAP_MAX, &r), 0);
		full = r.produced;
		for (size_t cap = 0; cap < full; cap += 1 + rng_below(&rng, 40)) {
			struct guarded dst = guarded_alloc(cap, GUARD_AFTER);
			struct iovec in = { .iov_base = plain, .iov_len = len };
			struct iovec out = { .iov_base = dst.data, .iov_len = cap };

			assert_int_equal(zip_codec_lz4_compress(codec, &params, &in, 1, &out, 1,
				&r), -ENOSPC);
			assert_int_equal(r.consumed | r.produced, 0);
			guarded_free(&dst);
		}
	}
}

/* Bytes that are no frame: our verdict is liblz4's, and nothing is touched outside. */
static void
test_hostile(void **state)
{
	struct rng rng = { .state = 4 };
	unsigned int valid = 0, sums = 0, no_space = 0;

	(void)state;
	for (unsigned int i = 0; i < 8000 / test_fewer(); i++) {
		struct zip_codec_params params = random_params(&rng);
		size_t len = rng_below(&rng, 1500), n, consumed, cap;
		struct guarded src, dst;
		struct zip_codec_result r;
		struct iovec in, out;
		ssize_t want;
		int ret;

		data_fill(plain, len, i % DATA_KINDS, i);
		assert_int_equal(lz4_compress(&params, len, CAP_MAX, &r), 0);
		n = r.produced;
		for (size_t m = rng_below(&rng, 4); m > 0; m--)
			packed[rng_below(&rng, n)] ^= (uint8_t)(1 << rng_below(&rng, 8));
		if (i % 16 == 0)
			n = rng_below(&rng, n + 1);
		/* Whatever the length says, the frame's checksum shall not be what stops it. */
		if (i % 4 == 0 && n > 7 && !(packed[4] & 0x09))
			packed[6] = (uint8_t)(XXH32(packed + 4, 2, 0) >> 8);
		cap = i % 3 == 0 ? len : i % 16 == 1 ? rng_below(&rng, len + 1) :
			len + rng_below(&rng, 2000);
		src = guarded_alloc(n, GUARD_AFTER);
		dst = guarded_alloc(cap, i & 1 ? GUARD_AFTER : GUARD_BEFORE);
		if (n > 0)
			memcpy(src.data, packed, n);
		want = judge(src.data, n, back, cap, &consumed);
		in = (struct iovec){ .iov_base = src.data, .iov_len = n };
		out = (struct iovec){ .iov_base = dst.data, .iov_len = cap };
		ret = zip_codec_lz4_decompress(codec, &params, &in, 1, &out, 1, &r);
		if (want >= 0) {
			assert_int_equal(ret, 0);
			assert_int_equal(r.produced, want);
			assert_int_equal(r.consumed, consumed);
			assert_memory_equal(dst.data, back, (size_t)want);
			valid++;
		} else {
			ssize_t all = judge(src.data, n, back, CAP_MAX, &consumed);

			/* What is valid with more room lacks room, and nothing else does. */
			assert_int_equal(r.consumed | r.produced | r.xxh32 | r.end, 0);
			if (all >= 0 || ret == -ENOSPC)
				assert_int_equal(ret, -ENOSPC);
			else
				assert_int_equal(ret, all);
			out = (struct iovec){ .iov_base = back, .iov_len = CAP_MAX };
			ret = zip_codec_lz4_decompress(codec, &params, &in, 1, &out, 1, &r);
			assert_int_equal(ret, all >= 0 ? 0 : all);
			sums += ret == -EILSEQ;
			no_space += ret == 0;
		}
		guarded_free(&src);
		guarded_free(&dst);
	}
	assert_true(valid > 1600 / test_fewer() && valid < 6400 / test_fewer());
	assert_true(sums > 100 / test_fewer());
	assert_true(no_space > 100 / test_fewer());
}

static void
test_checksums(void **state)
{
	struct zip_codec_params params = { .level = 1, .window = 16,
		.lz4_flags = ZIP_CODEC_LZ4_CONTENT_CHECKSUM };
	struct zip_codec_result r;
	size_t n;

	(void)state;
	data_fill(plain, 5000, DATA_NOISE8, 1);
	assert_int_equal(lz4_compress(&params, 5000, CAP_MAX, &r), 0);
	n = r.produced;
	packed[n - 1] ^= 1;
	assert_int_equal(lz4_decompress(&params, packed, n, back, 5000, &r), -EILSEQ);
	packed[n - 1] ^= 1;
	packed[100] ^= 1; /* stored: only the checksum can tell */
	assert_int_equal(lz4_decompress(&params, packed, n, back, 5000, &r), -EILSEQ);
	packed[100] ^= 1;
	packed[6] ^= 1;
	assert_int_equal(lz4_decompress(&params, packed, n, back, 5000, &r), -EILSEQ);

	params.lz4_flags = ZIP_CODEC_LZ4_BLOCK_CHECKSUM;
	assert_int_equal(lz4_compress(&params, 5000, CAP_MAX, &r), 0);
	packed[100] ^= 1;
	assert_int_equal(lz4_decompress(&params, packed, r.produced, back, 5000, &r), -EILSEQ);
}

static void
test_params(void **state)
{
	const struct zip_codec_params good = { .level = 9, .window = 16, .lz4_flags = 0x3c };
	struct zip_codec_params bad = good;
	struct zip_codec_result r;

	(void)state;
	assert_int_equal(lz4_compress(&good, 10, CAP_MAX, &r), 0);
	bad.level = 10;
	assert_int_equal(lz4_compress(&bad, 10, CAP_MAX, &r), -EINVAL);
	bad = good;
	bad.window = 17;
	assert_int_equal(lz4_compress(&bad, 10, CAP_MAX, &r), -EINVAL);
	bad.window = 7;
	assert_int_equal(lz4_compress(&bad, 10, CAP_MAX, &r), -EINVAL);
	bad = good;
	bad.lz4_flags = 0x3d;
	assert_int_equal(lz4_compress(&bad, 10, CAP_MAX, &r), -EINVAL);
	bad = good;
	bad.checksum = ZIP_CODEC_CRC32;
	assert_int_equal(lz4_compress(&bad, 10, CAP_MAX, &r), -EINVAL);
	assert_int_equal(lz4_decompress(&bad, packed, 10, back, CAP_MAX, &r), -EINVAL);
	assert_int_equal(lz4_decompress(&good, packed, CAP_MAX + 1, back, 10, &r), -E2BIG);
}

/* Another process writes the input meanwhile: any result, but nothing outside. */
static void
test_race(void **state)
{
	const size_t len = 96 << 10;
	uint8_t *src = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct guarded dst = guarded_alloc(len * 2, GUARD_AFTER);
	struct zip_codec_result r;
	pid_t child;

	(void)state;
	assert_true(src != MAP_FAILED);
	data_fill(plain, len, DATA_TEXT, 9);
	child = fork();
	if (child == 0) {
		struct rng rng = { .state = 42 };

		/* Nobody else would end it if the test fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			src[64 + rng_below(&rng, len - 64)] = (uint8_t)rng_next(&rng);
	}
	assert_true(child > 0);
	for (unsigned int i = 0; i < 100 / test_fewer(); i++) {
		struct zip_codec_params params = { .level = (uint8_t)(i % 10), .window = 16 };
		struct iovec in = { .iov_base = src, .iov_len = len };
		struct iovec out = { .iov_base = dst.data, .iov_len = dst.len };
		int ret = zip_codec_lz4_compress(codec, &params, &in, 1, &out, 1, &r);

		assert_int_equal(ret, 0);
		/* A frame to be read while it changes. */
		assert_int_equal(lz4_compress(&params, len, CAP_MAX, &r), 0);
		memcpy(src, packed, r.produced < len ? r.produced : len);
		ret = zip_codec_lz4_decompress(codec, &params, &in, 1, &out, 1, &r);
		assert_true(ret == 0 || ret == -EBADMSG || ret == -ENOSPC || ret == -EILSEQ);
		assert_true(r.produced <= dst.len);
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	munmap(src, len);
	guarded_free(&dst);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compress),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_decompress),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests_name("zip_codec_lz4", tests, setup, lz4_close);
}
