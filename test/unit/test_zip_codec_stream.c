/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Streams, call by call beside zlib. Decompression must do in each call exactly
 * what zlib's inflate() does; compression must give what zlib inflates back.
 *
 * usage: test_zip_codec_stream [SEQUENCES]: random sequences in each direction.
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

#define LEN_MAX 200000
#define ROOM (LEN_MAX * 2 + 100000)

static unsigned int sequences; /* in each direction */
static unsigned int seed; /* of the sequence that is running */

static int
tell_seed(void **state)
{
	(void)state;
	print_message("last seed: %u\n", seed);
	return 0;
}

static struct zip_codec_params
random_params(struct rng *rng)
{
	return (struct zip_codec_params){
		.level = (uint8_t)rng_below(rng, 10),
		.window = (uint8_t)(8 + rng_below(rng, 8)),
		.huffman = (uint8_t)rng_below(rng, 3),
		.checksum = (uint8_t)rng_below(rng, 4),
		.adler32 = 1,
	};
}

/* Mostly small, sometimes all. */
static size_t
random_size(struct rng *rng, size_t max)
{
	size_t limits[] = { 0, 1, 40, 3000, max, SIZE_MAX };
	size_t limit = limits[rng_below(rng, sizeof(limits) / sizeof(limits[0]))];

	if (limit > max)
		return max;
	return limit < 2 ? limit : rng_below(rng, limit + 1);
}

/*
 * One random life of a compression stream: out gets the stream. Every flush
 * that has succeeded must have brought out all the input so far.
 */
static size_t
compress_life(struct zip_codec_stream *stream, const struct zip_codec_params *params,
		struct rng *rng, uint8_t *data, size_t len, uint8_t *out)
{
	static uint8_t back[LEN_MAX];
	size_t fed = 0, at = 0, checked_in = 0, checked_at = 0;
	unsigned int tiny = (unsigned int)rng_below(rng, 8), calls = 0;
	struct zip_codec_result result = { 0 };
	struct zip_codec_params running = *params;
	z_stream judge;

	memset(&judge, 0, sizeof(judge));
	assert_int_equal(inflateInit2(&judge, -15), Z_OK);

	while (!result.end) {
		size_t feed = random_size(rng, len - fed), cap, before = at;
		enum zip_codec_flush flush = rng_below(rng, 5);
		unsigned int again = 0;
		int ret;

		if (flush == ZIP_CODEC_FLUSH_FINISH && rng_below(rng, 3) != 0)
			flush = ZIP_CODEC_FLUSH_NONE;
		if (++calls > 40 || (flush == ZIP_CODEC_FLUSH_FINISH)) {
			flush = ZIP_CODEC_FLUSH_FINISH;
			feed = len - fed;
		}
		do {
			struct iovec in[PIECES_MAX], dst[PIECES_MAX];
			unsigned int in_cnt = cut(rng, data + fed, feed, in), dst_cnt;

			cap = tiny == 0 ? 1 : tiny == 1 ? rng_below(rng, 9) :
				random_size(rng, 70000);
			if (again > 3000)
				cap = 70000;
			assert_true(at + cap <= ROOM);
			dst_cnt = cut(rng, out + at, cap, dst);
			ret = zip_codec_stream_run(stream, flush, in, in_cnt, dst, dst_cnt,
					&result);
			assert_true(ret == 0 || ret == -ENOSPC);
			assert_true(result.consumed <= feed);
			assert_true(result.produced <= cap);
			assert_int_equal(result.pending, ret == -ENOSPC);
			if (ret == -ENOSPC)
				assert_int_equal(result.produced, cap);
			check_sums(&running, &result, data + fed, result.consumed);
			fed += result.consumed;
			feed -= result.consumed;
			at += result.produced;
			/* A flush of nothing must come to an end, however small dst is. */
			assert_true(++again < 500000);
		} while (ret == -ENOSPC);
		assert_int_equal(feed, 0);
		assert_int_equal(result.end, flush == ZIP_CODEC_FLUSH_FINISH);
		/* No more than a marker or two for nothing. */
		if (checked_in == fed && flush != ZIP_CODEC_FLUSH_FINISH)
			assert_true(at - before < 100 || fed != checked_in);

		/* The end of a block is not yet a byte's, or not all of it is there. */
		if (flush == ZIP_CODEC_FLUSH_NONE || flush == ZIP_CODEC_FLUSH_BLOCK)
			continue;
		judge.next_in = out + checked_at;
		judge.avail_in = (uInt)(at - checked_at);
		judge.next_out = back + checked_in;
		judge.avail_out = (uInt)(fed - checked_in);
		ret = inflate(&judge, Z_SYNC_FLUSH);
		assert_true(ret == (flush == ZIP_CODEC_FLUSH_FINISH ? Z_STREAM_END : Z_OK) ||
				(ret == Z_BUF_ERROR && at == checked_at));
		assert_int_equal(judge.avail_out, 0);
		if (flush == ZIP_CODEC_FLUSH_FINISH)
			assert_int_equal(judge.avail_in, 0);
		assert_memory_equal(back + checked_in, data + checked_in, fed - checked_in);
		checked_in = fed;
		checked_at = at - judge.avail_in;
	}
	assert_int_equal(fed, len);
	inflateEnd(&judge);

	assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_FINISH, NULL, 0, NULL, 0,
			&result), -EPIPE);
	return at;
}

static void
test_compress(void **state)
{
	uint8_t *data = malloc(LEN_MAX), *out = malloc(ROOM);
	struct zip_codec_stream *stream = NULL;
	struct zip_codec_params params = { 0 };

	(void)state;
	for (seed = 1; seed <= sequences; seed++) {
		struct rng rng = { .state = seed };
		size_t len = rng_below(&rng, 1 + (seed % 16 == 0 ? LEN_MAX : 20000));
		struct blocks blocks;
		size_t at;

		data_fill(data, len, rng_below(&rng, DATA_KINDS), seed);
		params = random_params(&rng);
		if (stream == NULL) {
			stream = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &params);
			assert_non_null(stream);
		} else {
			assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		}
		at = compress_life(stream, &params, &rng, data, len, out);
		assert_int_equal(blocks_parse(out, at, &blocks), 0);
		assert_int_equal(blocks.len, len);
		assert_int_equal(blocks.final, 1);
		assert_true(blocks.max_distance <= (size_t)1 << params.window);
		if (params.huffman == ZIP_CODEC_HUFFMAN_FIXED || params.level == 0)
			assert_int_equal(blocks.dynamic, 0);
		if (params.level == 0)
			assert_int_equal(blocks.fixed, 0);
		if (rng_below(&rng, 4) == 0) {
			zip_codec_stream_destroy(stream);
			stream = NULL;
		}
	}
	zip_codec_stream_destroy(stream);
	free(data);
	free(out);
}

/* A stream by zlib with all it can do; returns its length. */
static size_t
zlib_stream(struct rng *rng, const uint8_t *data, size_t len, uint8_t *out)
{
	static const int flushes[] = { Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH,
		Z_BLOCK };
	static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE,
		Z_FIXED };
	z_stream zlib;
	size_t fed = 0, at;
	int ret;

	memset(&zlib, 0, sizeof(zlib));
	assert_int_equal(deflateInit2(&zlib, (int)rng_below(rng, 10), Z_DEFLATED,
			-9 - (int)rng_below(rng, 7), 1 + (int)rng_below(rng, 9),
			strategies[rng_below(rng, 5)]), Z_OK);
	zlib.next_out = out;
	zlib.avail_out = ROOM;
	do {
		size_t feed = random_size(rng, len - fed);

		zlib.next_in = (uint8_t *)(uintptr_t)data + fed;
		zlib.avail_in = (uInt)feed;
		fed += feed;
		ret = deflate(&zlib, fed == len ? Z_FINISH : flushes[rng_below(rng, 5)]);
		assert_int_not_equal(ret, Z_STREAM_ERROR);
	} while (ret != Z_STREAM_END);
	at = ROOM - zlib.avail_out;
	deflateEnd(&zlib);
	return at;
}

/* Feed the same bytes in the same pieces to both; every call must do the same. */
static void
decompress_life(struct zip_codec_stream *stream, const struct zip_codec_params *params,
		struct rng *rng, uint8_t *src, size_t len, uint8_t *ours, uint8_t *theirs)
{
	unsigned int tiny = (unsigned int)rng_below(rng, 8), idle = 0;
	struct zip_codec_params running = *params;
	struct zip_codec_result result;
	size_t fed = 0, at = 0, feed = 0, feed_max;
	int at_block = 1;
	z_stream zlib;

	memset(&zlib, 0, sizeof(zlib));
	assert_int_equal(inflateInit2(&zlib, -15), Z_OK);
	do {
		size_t cap = tiny == 0 ? 1 : tiny == 1 ? rng_below(rng, 9) :
			random_size(rng, 70000);
		struct iovec in[PIECES_MAX], dst[PIECES_MAX];
		unsigned int in_cnt, dst_cnt;
		int ret, expected;

		feed_max = len - fed;
		feed = tiny == 2 ? feed_max != 0 : random_size(rng, feed_max);
		in_cnt = cut(rng, src + fed, feed, in);
		dst_cnt = cut(rng, ours + at, cap, dst);
		ret = zip_codec_stream_run(stream, rng_below(rng, 4), in, in_cnt, dst, dst_cnt,
				&result);

		zlib.next_in = src + fed;
		zlib.avail_in = (uInt)feed;
		zlib.next_out = theirs + at;
		zlib.avail_out = (uInt)cap;
		expected = inflate(&zlib, Z_NO_FLUSH);

		assert_int_equal(result.consumed, feed - zlib.avail_in);
		assert_int_equal(result.produced, cap - zlib.avail_out);
		assert_memory_equal(ours + at, theirs + at, result.produced);
		assert_int_equal(result.end, expected == Z_STREAM_END);
		check_sums(&running, &result, theirs + at, result.produced);
		fed += result.consumed;
		at += result.produced;
		if ((zlib.data_type & 128) != 0)
			at_block = 1;
		else if (result.consumed != 0 || result.produced != 0)
			at_block = 0;
		if (expected == Z_STREAM_END) {
			assert_int_equal(ret, 0);
			break;
		}
		if (expected == Z_DATA_ERROR) {
			assert_int_equal(ret, -EBADMSG);
			break;
		}
		assert_true(ret == 0 || ret == -ENOSPC);
		assert_int_equal(result.pending, ret == -ENOSPC);
		if (ret == 0) {
			assert_int_equal(zlib.avail_in, 0);
			assert_int_equal(result.at_block, at_block);
			/* Nothing pending: without more input nothing may come. */
			zlib.next_out = theirs + at;
			zlib.avail_out = 100;
			inflate(&zlib, Z_NO_FLUSH);
			assert_int_equal(zlib.avail_out, 100);
		} else {
			assert_int_equal(result.produced, cap);
		}
		idle = result.consumed == 0 && result.produced == 0 ? idle + 1 : 0;
		assert_true(at < ROOM - 80000 || tiny < 2);
	} while ((fed != len || idle < 100) && at < ROOM - 80000);
	inflateEnd(&zlib);
}

static void
test_decompress(void **state)
{
	uint8_t *data = malloc(LEN_MAX), *packed = malloc(ROOM);
	uint8_t *ours = malloc(ROOM), *theirs = malloc(ROOM);
	struct zip_codec_stream *stream;
	struct zip_codec_params params = { .level = 99, .adler32 = 1 };
	unsigned int ends = 0;

	(void)state;
	stream = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &params);
	assert_non_null(stream);
	for (seed = 1; seed <= sequences; seed++) {
		struct rng rng = { .state = seed };
		size_t len = rng_below(&rng, 1 + (seed % 16 == 0 ? LEN_MAX : 20000)), at;

		data_fill(data, len, rng_below(&rng, DATA_KINDS), seed);
		at = zlib_stream(&rng, data, len, packed);
		switch (rng_below(&rng, 4)) {
		case 0: /* damaged */
			for (size_t n = 1 + rng_below(&rng, 3); n != 0; n--)
				packed[rng_below(&rng, at)] ^= (uint8_t)(1 << rng_below(&rng, 8));
			break;
		case 1: /* cut short, or more behind it */
			at = rng_below(&rng, 2) ? rng_below(&rng, at) : at + rng_below(&rng, 20);
			break;
		}
		params.checksum = (uint8_t)rng_below(&rng, 4);
		assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		decompress_life(stream, &params, &rng, packed, at, ours, theirs);
		ends++;
	}
	assert_int_equal(ends, sequences);
	zip_codec_stream_destroy(stream);
	free(data);
	free(packed);
	free(ours);
	free(theirs);
}

/* SYNC again and again with nothing new: no output, no loop. */
static void
test_idle_flushes(void **state)
{
	struct zip_codec_params params = { .level = 6, .window = 15, .adler32 = 1 };
	uint8_t data[100] = "some bytes", out[1000];
	struct iovec in = { .iov_base = data, .iov_len = sizeof(data) };
	struct iovec dst = { .iov_base = out, .iov_len = sizeof(out) };
	struct zip_codec_result result;

	(void)state;
	for (unsigned int level = 0; level <= 9; level++) {
		struct zip_codec_stream *stream;

		params.level = (uint8_t)level;
		stream = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &params);
		assert_non_null(stream);
		assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_SYNC, &in, 1, &dst,
				1, &result), 0);
		assert_true(result.produced > 5);
		for (int i = 0; i < 100; i++) {
			assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_SYNC, NULL,
					0, &dst, 1, &result), 0);
			assert_int_equal(result.produced, 0);
			assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_NONE, NULL,
					0, NULL, 0, &result), 0);
		}
		assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_FINISH, NULL, 0,
				&dst, 1, &result), 0);
		assert_int_equal(result.end, 1);
		zip_codec_stream_destroy(stream);
	}
}

/* Many pieces are one input: one marker at the end, not one for each. */
static void
test_pieces(void **state)
{
	struct zip_codec_params params = { .level = 6, .window = 15, .adler32 = 1 };
	static uint8_t data[30000], out[40000];
	struct iovec in[300], dst = { .iov_base = out, .iov_len = sizeof(out) };
	struct zip_codec_stream *stream;
	struct zip_codec_result whole, pieces;

	(void)state;
	data_fill(data, sizeof(data), DATA_TEXT, 1);
	for (size_t i = 0; i < 300; i++)
		in[i] = (struct iovec){ .iov_base = data + i * 100, .iov_len = 100 };
	stream = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &params);
	assert_non_null(stream);
	for (int flush = ZIP_CODEC_FLUSH_SYNC; flush <= ZIP_CODEC_FLUSH_FINISH; flush++) {
		struct iovec one = { .iov_base = data, .iov_len = sizeof(data) };

		assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		assert_int_equal(zip_codec_stream_run(stream, flush, &one, 1, &dst, 1, &whole), 0);
		assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		assert_int_equal(zip_codec_stream_run(stream, flush, in, 300, &dst, 1, &pieces), 0);
		assert_int_equal(pieces.consumed, sizeof(data));
		assert_int_equal(pieces.produced, whole.produced);
	}
	zip_codec_stream_destroy(stream);
}

/* Decompression stops where a block ends, but for the last one, and says which bits are left. */
static void
test_blocks(void **state)
{
	uint8_t *data = malloc(LEN_MAX), *packed = malloc(ROOM), *out = malloc(LEN_MAX);
	const struct zip_codec_params params = { 0 };
	struct zip_codec_stream *stream = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &params);
	unsigned int stops = 0;

	(void)state;
	assert_non_null(stream);
	for (seed = 1; seed <= 200 / test_fewer(); seed++) {
		struct rng rng = { .state = seed };
		size_t len = 1 + rng_below(&rng, 20000), packed_len, in = 0, at = 0;
		struct zip_codec_result result = { 0 };
		z_stream zlib = { .next_out = out };

		data_fill(data, len, rng_below(&rng, DATA_KINDS), seed);
		packed_len = zlib_stream(&rng, data, len, packed);
		assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		assert_int_equal(inflateInit2(&zlib, -15), Z_OK);
		zlib.next_in = packed;
		zlib.avail_in = (uInt)packed_len;
		while (!result.end) {
			struct iovec src = { packed + in, packed_len - in };
			struct iovec dst = { out + at, LEN_MAX - at };

			memset(dst.iov_base, 0, 1);
			assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_BLOCK, &src,
					1, &dst, 1, &result), 0);
			in += result.consumed;
			at += result.produced;
			assert_memory_equal(out, data, at);
			do {
				uint8_t *back = data; /* the same once more */

				zlib.next_out = back + zlib.total_out;
				zlib.avail_out = (uInt)(LEN_MAX - zlib.total_out);
			} while (inflate(&zlib, Z_BLOCK) == Z_OK && (zlib.data_type & 64) != 0);
			assert_int_equal(zlib.total_in, in);
			assert_int_equal(zlib.total_out, at);
			if (!result.end) {
				assert_int_equal(result.at_block, 1);
				assert_int_equal(result.bits, zlib.data_type & 7);
				stops++;
			}
		}
		assert_int_equal(at, len);
		inflateEnd(&zlib);
	}
	assert_true(stops > 200 / test_fewer());
	zip_codec_stream_destroy(stream);
	free(data);
	free(packed);
	free(out);
}

/* A distance that the window does not hold is refused where it leaves what one call has written. */
static void
test_window(void **state)
{
	static uint8_t data[3000], packed[6000], out[3000];
	const struct zip_codec_params deflate = { .level = 9, .window = 15 }, none = { 0 };
	struct zip_codec_stream *c = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &deflate);
	struct zip_codec_stream *d = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &none);
	struct iovec src = { data, sizeof(data) }, all = { packed, sizeof(packed) };
	struct zip_codec_result result;

	(void)state;
	assert_non_null(c);
	assert_non_null(d);
	data_fill(data, 2000, DATA_NOISE8, 5);
	memcpy(data + 2000, data, 1000);
	assert_int_equal(zip_codec_stream_run(c, ZIP_CODEC_FLUSH_FINISH, &src, 1, &all, 1,
			&result), 0);
	all.iov_len = result.produced;
	assert_true(all.iov_len < 2500);
	for (unsigned int bits = 10; bits <= 11; bits++) {
		struct iovec in = all;
		size_t at = 0;
		int ret;

		assert_int_equal(zip_codec_stream_reset(d, &none), 0);
		assert_int_equal(zip_codec_stream_window(d, bits), 0);
		do {
			struct iovec piece = { out + at, 100 };

			ret = zip_codec_stream_run(d, ZIP_CODEC_FLUSH_NONE, &in, 1, &piece, 1,
					&result);
			in.iov_base = (uint8_t *)in.iov_base + result.consumed;
			in.iov_len -= result.consumed;
			at += result.produced;
		} while (ret == -ENOSPC);
		assert_int_equal(ret, bits == 10 ? -EBADMSG : 0);
		assert_memory_equal(out, data, at);
	}
	assert_int_equal(zip_codec_stream_window(d, ZIP_CODEC_WINDOW_MIN - 1), -EINVAL);
	assert_int_equal(zip_codec_stream_window(d, ZIP_CODEC_WINDOW_MAX + 1), -EINVAL);
	assert_int_equal(zip_codec_stream_window(c, ZIP_CODEC_WINDOW_MAX), -EINVAL);
	zip_codec_stream_destroy(c);
	zip_codec_stream_destroy(d);
}

static void
test_bad_calls(void **state)
{
	struct zip_codec_params good = { .level = 1, .window = 15, .adler32 = 1 }, bad = good;
	uint8_t data[4000], out[64];
	struct iovec in = { .iov_base = data, .iov_len = sizeof(data) };
	struct iovec dst = { .iov_base = out, .iov_len = sizeof(out) };
	struct zip_codec_result result;
	struct zip_codec_stream *stream;

	(void)state;
	bad.window = 16;
	assert_null(zip_codec_stream_create(ZIP_CODEC_COMPRESS, &bad));
	assert_int_equal(errno, EINVAL);
	assert_null(zip_codec_stream_create((enum zip_codec_dir)2, &good));
	assert_int_equal(errno, EINVAL);
	zip_codec_stream_destroy(NULL);

	stream = zip_codec_stream_create(ZIP_CODEC_COMPRESS, &good);
	assert_non_null(stream);
	assert_int_equal(zip_codec_stream_run(stream,
			(enum zip_codec_flush)(ZIP_CODEC_FLUSH_BLOCK + 1), &in, 1, &dst, 1,
			&result), -EINVAL);
	/* Another flush before FINISH is done. */
	data_fill(data, sizeof(data), DATA_NOISE8, 1);
	assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_FINISH, &in, 1, &dst, 1,
			&result), -ENOSPC);
	assert_int_equal(zip_codec_stream_reset(stream, &bad), -EINVAL);
	assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_NONE, &in, 1, &dst, 1,
			&result), -EPIPE);
	assert_int_equal(zip_codec_stream_reset(stream, &good), 0);
	assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_NONE, &in, 0, &dst, 1,
			&result), 0);
	zip_codec_stream_destroy(stream);

	/* A damaged stream is dead, and well again after a reset. */
	stream = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &good);
	assert_non_null(stream);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(zip_codec_stream_run(stream, 0, &in, 1, &dst, 1, &result), -EBADMSG);
	assert_int_equal(zip_codec_stream_run(stream, 0, &in, 1, &dst, 1, &result), -EPIPE);
	assert_int_equal(zip_codec_stream_reset(stream, &good), 0);
	memcpy(data, "\x03\x00", 2);
	assert_int_equal(zip_codec_stream_run(stream, 0, &in, 1, &dst, 1, &result), 0);
	assert_int_equal(result.end, 1);
	assert_int_equal(result.consumed, 2);
	zip_codec_stream_destroy(stream);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_compress, tell_seed),
		cmocka_unit_test_teardown(test_decompress, tell_seed),
		cmocka_unit_test(test_idle_flushes),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test_teardown(test_blocks, tell_seed),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_bad_calls),
	};

	sequences = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 1000 / test_fewer();
	return cmocka_run_group_tests_name("zip_codec_stream", tests, NULL, NULL);
}
