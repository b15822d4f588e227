/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Damaged streams: zlib's verdict beside ours, one-shot and as a stream.
 *
 * usage: test_zip_codec_mutate [mutate [INPUTS]]
 *   Without arguments a short run; "mutate" makes it 100,000 inputs.
 *
 * A stream that zlib finds valid must give the same bytes and the same
 * consumed count with us, and a decompression stream must agree with zlib in
 * everything. One-shot calls use libdeflate, which reads RFC 1951 more
 * generously than zlib in the ways listed below, and in no other.
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

#define PLAIN_MAX 3000
#define ROOM 40000

/*
 * What zlib calls invalid and we may not. The text is zlib's. No compressor
 * that keeps to RFC 1951 makes such a stream, so the result of a valid stream
 * is never concerned. test_generosities has one stream of each kind.
 */
static const struct generosity {
	const char *zlib_says;
	const char *why;
} generous[] = {
	{ "too many length or distance symbols",
		"more than 286 literal/length or 30 distance code lengths" },
	{ "invalid bit length repeat",
		"a repeat that goes on past the last code length: the rest is ignored" },
	{ "invalid literal/length code",
		"286 or 287 is taken as 285; in a code of one symbol both bits mean it" },
	{ "invalid distance code",
		"30 or 31 is taken as 29; in a code of one symbol both bits mean it; "
		"in a code of no symbol they mean distance 1" },
};
#define GENEROUS (sizeof(generous) / sizeof(generous[0]))

enum agreement {
	BOTH_VALID,
	BOTH_INVALID,
	BOTH_NO_SPACE,
	INVALID_OR_NO_SPACE, /* both refuse, for different reasons */
	WE_ARE_GENEROUS,
	AGREEMENTS,
};

static const char * const agreement_names[] = {
	"both: valid, same bytes",
	"both: invalid",
	"both: dst too small",
	"both refuse: invalid, or dst too small",
	"zlib: invalid, one-shot: valid",
};

static unsigned int inputs = 3000;
static unsigned int input; /* number of the one that is looked at */
static struct zip_codec *codec;

static int
tell_input(void **state)
{
	(void)state;
	print_message("last input: %u\n", input);
	return 0;
}

/* Some stream, by zlib or by us. */
static size_t
some_stream(struct rng *rng, uint8_t *out)
{
	static uint8_t plain[PLAIN_MAX];
	size_t len = rng_below(rng, PLAIN_MAX + 1);
	z_stream zlib;

	data_fill(plain, len, rng_below(rng, DATA_KINDS), rng_next(rng));
	if (rng_below(rng, 2) == 0) {
		struct zip_codec_params params = {
			.level = (uint8_t)rng_below(rng, 10),
			.window = 15,
			.huffman = (uint8_t)rng_below(rng, 3),
		};
		struct iovec src = { .iov_base = plain, .iov_len = len };
		struct iovec dst = { .iov_base = out, .iov_len = ROOM };
		struct zip_codec_result result;

		assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0,
				&src, 1, &dst, 1, &result), 0);
		return result.produced;
	}
	memset(&zlib, 0, sizeof(zlib));
	assert_int_equal(deflateInit2(&zlib, 1 + (int)rng_below(rng, 9), Z_DEFLATED, -15,
			1 + (int)rng_below(rng, 9), (int)rng_below(rng, 5)), Z_OK);
	zlib.next_in = plain;
	zlib.avail_in = (uInt)len;
	zlib.next_out = out;
	zlib.avail_out = ROOM;
	assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
	deflateEnd(&zlib);
	return ROOM - zlib.avail_out;
}

static void
flip(struct rng *rng, uint8_t *data, size_t bytes)
{
	size_t bit = rng_below(rng, bytes * 8);

	data[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static size_t
damage(struct rng *rng, uint8_t *data, size_t len)
{
	size_t head = len < 12 ? len : 12;
	size_t table = len < 90 ? len : 90;

	switch (rng_below(rng, 8)) {
	case 0:
		return len; /* none */
	case 1:
		return rng_below(rng, len + 1); /* cut off */
	case 2:
		flip(rng, data, len);
		break;
	case 3: /* where the sizes and the code length code are */
		flip(rng, data, head);
		break;
	case 4: /* where the code lengths are */
		flip(rng, data, table);
		flip(rng, data, table);
		break;
	case 5:
		data[rng_below(rng, len)] = (uint8_t)rng_next(rng);
		break;
	case 6: /* a dynamic block out of the blue */
		len = 20 + rng_below(rng, 200);
		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)(rng_next(rng) >> 32);
		data[0] = (uint8_t)((data[0] & 0xf8) | 5);
		break;
	default: /* a piece moved */
		memmove(data + rng_below(rng, len / 2 + 1), data + rng_below(rng, len / 2 + 1),
				len / 2);
		break;
	}
	return len;
}

struct verdict {
	int ret;
	const char *msg;
	size_t consumed;
	size_t produced;
};

static struct verdict
zlib_verdict(uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	struct verdict verdict;
	z_stream zlib;

	memset(&zlib, 0, sizeof(zlib));
	assert_int_equal(inflateInit2(&zlib, -15), Z_OK);
	zlib.next_in = src;
	zlib.avail_in = (uInt)len;
	zlib.next_out = dst;
	zlib.avail_out = (uInt)cap;
	verdict.ret = inflate(&zlib, Z_NO_FLUSH);
	verdict.msg = zlib.msg;
	verdict.consumed = len - zlib.avail_in;
	verdict.produced = cap - zlib.avail_out;
	inflateEnd(&zlib);
	return verdict;
}

static int
is_generosity(const char *msg, unsigned int counts[GENEROUS])
{
	for (size_t i = 0; i < GENEROUS; i++) {
		if (msg != NULL && strcmp(msg, generous[i].zlib_says) == 0) {
			counts[i]++;
			return 1;
		}
	}
	return 0;
}

/*
 * Why both refuse. More room is asked for if that is all that lacks; and never if there is
 * room for all that could be read into what zlib refuses, and into bytes behind the end.
 */
static void
check_reason(uint8_t *src, size_t len, size_t cap, const struct verdict *zlib, int got)
{
	unsigned int ignored[GENEROUS] = { 0 };
	static uint8_t ample[ROOM];
	struct verdict all = zlib_verdict(src, len, ample, ROOM);
	const size_t behind = 64 * 258; /* 8 bytes of the shortest codes */

	if (all.ret == Z_STREAM_END)
		assert_int_equal(got, -ENOSPC);
	else if (zlib->produced + behind < cap && !is_generosity(zlib->msg, ignored))
		assert_int_equal(got, -EBADMSG);
}

static enum agreement
judge_oneshot(uint8_t *src, size_t len, size_t cap, unsigned int counts[GENEROUS])
{
	static uint8_t theirs[ROOM];
	struct guarded ours = guarded_alloc(cap, GUARD_AFTER);
	struct zip_codec_params params = { .adler32 = 1 };
	struct iovec in = { .iov_base = src, .iov_len = len };
	struct iovec out = { .iov_base = ours.data, .iov_len = cap };
	struct verdict zlib = zlib_verdict(src, len, theirs, cap);
	struct zip_codec_result result;
	enum agreement ret;
	int got = zip_codec_inflate(codec, &params, &in, 1, &out, 1, &result);

	if (zlib.ret == Z_STREAM_END) {
		/* Never anything but the same result for a valid stream. */
		assert_int_equal(got, 0);
		assert_int_equal(result.consumed, zlib.consumed);
		assert_int_equal(result.produced, zlib.produced);
		assert_memory_equal(ours.data, theirs, zlib.produced);
		ret = BOTH_VALID;
	} else if (got == 0) {
		if (!is_generosity(zlib.msg, counts))
			fail_msg("zlib says \"%s\" (%d), one-shot says valid",
					zlib.msg != NULL ? zlib.msg : "", zlib.ret);
		ret = WE_ARE_GENEROUS;
	} else {
		int zlib_full = zlib.ret != Z_DATA_ERROR && zlib.produced == cap &&
			zlib.consumed != len;

		assert_true(got == -EBADMSG || got == -ENOSPC);
		assert_int_equal(result.consumed, 0);
		assert_int_equal(result.produced, 0);
		check_reason(src, len, cap, &zlib, got);
		if (zlib_full != (got == -ENOSPC))
			ret = INVALID_OR_NO_SPACE;
		else
			ret = zlib_full ? BOTH_NO_SPACE : BOTH_INVALID;
	}
	guarded_free(&ours);
	return ret;
}

static void
judge_stream(struct zip_codec_stream *stream, struct rng *rng, uint8_t *src, size_t len,
		size_t cap)
{
	static uint8_t ours[ROOM], theirs[ROOM];
	struct zip_codec_params params = { .adler32 = 1 };
	struct iovec in[PIECES_MAX], out[PIECES_MAX];
	unsigned int in_cnt = cut(rng, src, len, in);
	unsigned int out_cnt = cut(rng, ours, cap, out);
	struct verdict zlib = zlib_verdict(src, len, theirs, cap);
	struct zip_codec_result result;
	int got;

	assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
	got = zip_codec_stream_run(stream, 0, in, in_cnt, out, out_cnt, &result);
	assert_int_equal(result.consumed, zlib.consumed);
	assert_int_equal(result.produced, zlib.produced);
	assert_memory_equal(ours, theirs, zlib.produced);
	assert_int_equal(result.end, zlib.ret == Z_STREAM_END);
	assert_int_equal(got == -EBADMSG, zlib.ret == Z_DATA_ERROR);
}

static void
test_mutate(void **state)
{
	unsigned int agreements[AGREEMENTS] = { 0 }, counts[GENEROUS] = { 0 };
	struct zip_codec_params params = { .adler32 = 1 };
	uint8_t *packed = malloc(ROOM);
	struct zip_codec_stream *stream;

	(void)state;
	codec = zip_codec_create(ROOM);
	stream = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &params);
	assert_non_null(codec);
	assert_non_null(stream);
	for (input = 1; input <= inputs; input++) {
		struct rng rng = { .state = input * 0x9e3779b97f4a7c15u };
		size_t len = damage(&rng, packed, some_stream(&rng, packed));
		size_t cap = rng_below(&rng, 4) == 0 ? rng_below(&rng, PLAIN_MAX) : ROOM;
		struct guarded src = guarded_alloc(len, GUARD_AFTER);

		memcpy(src.data, packed, len);
		agreements[judge_oneshot(src.data, len, cap, counts)]++;
		judge_stream(stream, &rng, src.data, len, cap);
		guarded_free(&src);
	}
	for (size_t i = 0; i < AGREEMENTS; i++)
		print_message("%8u  %s\n", agreements[i], agreement_names[i]);
	for (size_t i = 0; i < GENEROUS; i++)
		print_message("%8u    \"%s\": %s\n", counts[i], generous[i].zlib_says,
				generous[i].why);
	/* Else the mutations are no test. */
	assert_true(agreements[BOTH_VALID] > inputs / 20);
	assert_true(agreements[BOTH_INVALID] > inputs / 20);
	zip_codec_stream_destroy(stream);
	zip_codec_destroy(codec);
	free(packed);
}

/* Writes bits as DEFLATE packs them. */
struct writer {
	uint8_t data[512];
	size_t at; /* bits */
};

static void
put(struct writer *out, unsigned int value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++, out->at++)
		out->data[out->at / 8] |= (uint8_t)((value >> i & 1) << out->at % 8);
}

/* Huffman codes go the other way round. */
static void
put_code(struct writer *out, unsigned int code, unsigned int n)
{
	while (n-- != 0)
		put(out, code >> n & 1, 1);
}

/*
 * The head of a final dynamic block. The code length code has 0, 1, 2 and 18,
 * two bits each, in this order.
 */
static void
put_head(struct writer *out, unsigned int nlit, unsigned int ndist)
{
	put(out, 1, 1);
	put(out, 2, 2);
	put(out, nlit - 257, 5);
	put(out, ndist - 1, 5);
	put(out, 18 - 4, 4);
	/* 16 17 18 0, then 8 7 9 6 10 5 11 4 12 3 13 2 14 1 */
	put(out, 0, 3);
	put(out, 0, 3);
	put(out, 2, 3);
	put(out, 2, 3);
	for (int i = 0; i < 11; i++)
		put(out, 0, 3);
	put(out, 2, 3);
	put(out, 0, 3);
	put(out, 2, 3);
}

#define LEN_0 0
#define LEN_1 1
#define LEN_2 2

static void
put_len(struct writer *out, unsigned int code)
{
	put_code(out, code, 2);
}

static void
put_zeros(struct writer *out, unsigned int n)
{
	put_code(out, 3, 2);
	put(out, n - 11, 7);
}

static void
make_too_many(struct writer *out)
{
	put_head(out, 288, 1);
	put_zeros(out, 138);
	put_zeros(out, 118);
	put_len(out, LEN_1); /* 256 */
	put_zeros(out, 31);
	put_len(out, LEN_0);
	put_code(out, 0, 1);
}

static void
make_too_many_distances(struct writer *out)
{
	put_head(out, 257, 31);
	put_zeros(out, 138);
	put_zeros(out, 118);
	put_len(out, LEN_1);
	put_zeros(out, 31);
	put_code(out, 0, 1);
}

static void
make_repeat_past_end(struct writer *out)
{
	put_head(out, 257, 1);
	put_zeros(out, 138);
	put_zeros(out, 118);
	put_len(out, LEN_1);
	put_zeros(out, 11); /* room for one */
	put_code(out, 0, 1);
}

static void
make_other_bit_of_end(struct writer *out)
{
	put_head(out, 257, 1);
	put_zeros(out, 138);
	put_zeros(out, 118);
	put_len(out, LEN_1);
	put_len(out, LEN_0);
	put_code(out, 1, 1);
}

static void
make_symbol_286(struct writer *out)
{
	put(out, 1, 1);
	put(out, 1, 2);
	put_code(out, 0x30 + 'a', 8);
	put_code(out, 0xc0 + 286 - 280, 8);
	put_code(out, 0, 5);
	put_code(out, 0, 7);
}

static void
make_distance_30(struct writer *out)
{
	put(out, 1, 1);
	put(out, 1, 2);
	put_code(out, 0x30 + 'a', 8);
	for (int i = 0; i < 130; i++) { /* so that there is something so far back */
		put_code(out, 0xc0 + 285 - 280, 8);
		put_code(out, 0, 5);
	}
	put_code(out, 0xc0 + 285 - 280, 8);
	put_code(out, 30, 5);
	put(out, 0, 13);
	put_code(out, 0, 7);
}

/* Symbols 0, 256 and 257 with 1, 2 and 2 bits: "0", "10", "11". */
static void
put_match_head(struct writer *out)
{
	put_head(out, 258, 1);
	put_len(out, LEN_1);
	put_zeros(out, 138);
	put_zeros(out, 117);
	put_len(out, LEN_2);
	put_len(out, LEN_2);
}

static void
make_other_bit_of_distance(struct writer *out)
{
	put_match_head(out);
	put_len(out, LEN_1);
	put_code(out, 0, 1);
	put_code(out, 3, 2);
	put_code(out, 1, 1);
	put_code(out, 2, 2);
}

static void
make_no_distance_code(struct writer *out)
{
	put_match_head(out);
	put_len(out, LEN_0);
	put_code(out, 0, 1);
	put_code(out, 3, 2);
	put_code(out, 0, 1);
	put_code(out, 2, 2);
}

static void
test_generosities(void **state)
{
	static const struct {
		void (*make)(struct writer *out);
		const char *zlib_says;
		size_t len; /* if it is taken as valid */
	} cases[] = {
		{ make_too_many, "too many length or distance symbols", 0 },
		{ make_too_many_distances, "too many length or distance symbols", 0 },
		{ make_repeat_past_end, "invalid bit length repeat", 0 },
		{ make_other_bit_of_end, "invalid literal/length code", 0 },
		{ make_symbol_286, "invalid literal/length code", 1 + 258 },
		{ make_distance_30, "invalid distance code", 1 + 131 * 258 },
		{ make_other_bit_of_distance, "invalid distance code", 1 + 3 },
		{ make_no_distance_code, "invalid distance code", 1 + 3 },
	};
	static uint8_t out[ROOM];
	struct zip_codec_params params = { .adler32 = 1 };

	(void)state;
	codec = zip_codec_create(ROOM);
	assert_non_null(codec);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct writer stream = { .at = 0 };
		struct iovec src = { .iov_base = stream.data };
		struct iovec dst = { .iov_base = out, .iov_len = sizeof(out) };
		struct zip_codec_result result;
		struct verdict zlib;
		int ret;

		cases[i].make(&stream);
		src.iov_len = (stream.at + 7) / 8;
		zlib = zlib_verdict(stream.data, src.iov_len, out, sizeof(out));
		assert_int_equal(zlib.ret, Z_DATA_ERROR);
		assert_string_equal(zlib.msg, cases[i].zlib_says);
		ret = zip_codec_inflate(codec, &params, &src, 1, &dst, 1, &result);
		print_message("%zu: zlib \"%s\", one-shot %s\n", i, zlib.msg,
				ret == 0 ? "valid" : "invalid");
		/* A later libdeflate may be stricter; another result it may not have. */
		if (ret == 0)
			assert_int_equal(result.produced, cases[i].len);
		else
			assert_int_equal(ret, -EBADMSG);
	}
	zip_codec_destroy(codec);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generosities),
		cmocka_unit_test_teardown(test_mutate, tell_input),
	};

	if (argc > 1 && strcmp(argv[1], "mutate") == 0)
		inputs = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : 100000;
	else if (argc > 1) {
		fprintf(stderr, "usage: %s [mutate [INPUTS]]\n", argv[0]);
		return 2;
	}
	return cmocka_run_group_tests_name("zip_codec_mutate", tests, NULL, NULL);
}
