/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * LZ4 frames byte by byte: what is in those we make, and what is said to those that are made
 * here by hand, each with one thing wrong or with room for it to the byte.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <xxhash.h>

#include <cmocka.h>

#include "test_zip_codec_lz4_util.h"

#define MIB     ((size_t)1 << 20)
#define LEN_MAX (4 * MIB + 300000)
#define CAP_MAX LZ4_ROOM(LEN_MAX)

/* With the sum of what comes out. */
static const struct zip_codec_params summed = { .checksum = ZIP_CODEC_XXH32 };

static int
setup(void **state)
{
	(void)state;
	return lz4_open(LEN_MAX);
}

static uint32_t
get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- Frames that are made here ---- */

struct frame {
	uint8_t *at;
	size_t len;
};

static void
add(struct frame *f, const void *bytes, size_t n)
{
	if (n != 0)
		memcpy(f->at + f->len, bytes, n);
	f->len += n;
}

static void
add32(struct frame *f, uint32_t v)
{
	const uint8_t bytes[] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
		(uint8_t)(v >> 24) };

	add(f, bytes, 4);
}

/* Magic and descriptor with its checksum, which may be wrong. */
static struct frame
head(uint8_t flg, uint8_t bd, const void *more, size_t more_len, uint8_t damage)
{
	struct frame f = { .at = packed };
	uint8_t sum;

	add32(&f, 0x184d2204);
	add(&f, &flg, 1);
	add(&f, &bd, 1);
	add(&f, more, more_len);
	sum = (uint8_t)(XXH32(f.at + 4, f.len - 4, 0) >> 8) ^ damage;
	add(&f, &sum, 1);
	return f;
}

/* A frame of one block that is not linked, with no checksum. */
static struct frame
one_block(uint32_t word, const void *bytes, size_t n)
{
	struct frame f = head(0x60, 0x40, NULL, 0, 0);

	add32(&f, word);
	add(&f, bytes, n);
	add32(&f, 0);
	return f;
}

static void
expect(const struct frame *f, size_t cap, int ret, size_t produced)
{
	struct guarded src = guarded_alloc(f->len, GUARD_AFTER);
	struct guarded dst = guarded_alloc(cap, GUARD_AFTER);
	struct zip_codec_result r;

	memcpy(src.data, f->at, f->len);
	assert_int_equal(lz4_decompress(&summed, src.data, f->len, dst.data, cap, &r), ret);
	assert_int_equal(r.produced, ret == 0 ? produced : 0);
	assert_int_equal(r.consumed, ret == 0 ? f->len : 0);
	assert_int_equal(r.xxh32, ret == 0 ? XXH32(dst.data, produced, 0) : 0);
	assert_int_equal(r.end, ret == 0);
	guarded_free(&src);
	guarded_free(&dst);
}

static void
test_header(void **state)
{
	const uint8_t wrong_size[8] = { 0, 0, 0, 0, 1 };
	struct frame f;

	(void)state;
	/* Every value of both bytes: the version, what is reserved, the sizes there are. */
	for (unsigned int flg = 0; flg < 256; flg++) {
		bool good = (flg & 0xc2) == 0x40;
		size_t size = flg & 8 ? 8 : 0;
		uint8_t more[12] = { 0 };

		more[size] = 9; /* of a dictionary id, if there is one */
		f = head((uint8_t)flg, 0x40, more, size + (flg & 1 ? 4 : 0), 0);
		add32(&f, 0);
		if (flg & 4)
			add32(&f, XXH32(NULL, 0, 0));
		expect(&f, 10, good ? 0 : -EBADMSG, 0);
	}
	for (unsigned int bd = 0; bd < 256; bd++) {
		f = head(0x60, (uint8_t)bd, NULL, 0, 0);
		add32(&f, 0);
		expect(&f, 10, (bd & 0x8f) == 0 && bd >= 0x40 ? 0 : -EBADMSG, 0);
	}
	f = head(0x60, 0x40, NULL, 0, 1);
	add32(&f, 0);
	expect(&f, 10, -EILSEQ, 0);
	f = head(0x68, 0x40, wrong_size, 8, 0);
	add32(&f, 0);
	expect(&f, 10, -EBADMSG, 0);
	f = head(0x60, 0x40, NULL, 0, 0);
	add32(&f, 0);
	for (unsigned int i = 0; i < 4; i++) {
		packed[i] ^= 0x10;
		expect(&f, 10, -EBADMSG, 0);
		packed[i] ^= 0x10;
	}
	expect(&f, 0, 0, 0);
}

/* How long blocks may be, and what their words say. */
static void
test_block_words(void **state)
{
	struct frame f;

	(void)state;
	memset(plain, 'x', 4 * MIB + 1);
	for (unsigned int bd = 4; bd <= 7; bd++) {
		size_t max = (size_t)1 << (8 + 2 * bd);

		for (size_t n = max - 1; n <= max + 1; n++) {
			f = head(0x60, (uint8_t)(bd << 4), NULL, 0, 0);
			add32(&f, (uint32_t)n | 0x80000000);
			add(&f, plain, n);
			add32(&f, 0);
			expect(&f, max + 1, n <= max ? 0 : -EBADMSG, n);
			if (n <= max)
				expect(&f, n, 0, n);
			if (n <= max)
				expect(&f, n - 1, -ENOSPC, 0);
		}
	}
	/* An empty stored block is one. */
	f = one_block(0x80000000, NULL, 0);
	expect(&f, 0, 0, 0);
	/* A size of 31 bits that is not stored. */
	f = one_block(0x7fffffff, plain, 100);
	expect(&f, 1000, -EBADMSG, 0);
}

/* n bytes of 255 in a length. */
static size_t
put_match(uint8_t *to, size_t length)
{
	size_t n = 0;

	for (length -= 4 + 15; length >= 255; length -= 255)
		to[n++] = 255;
	to[n++] = (uint8_t)length;
	return n;
}

#define BROKEN SIZE_MAX /* in any room */

/* What liblz4 takes with more room lacks room; what is broken is broken in any room. */
static void
test_blocks(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		size_t content;
		size_t room; /* the least that it is taken with */
	} cases[] = {
		{ "\x50" "abcde", 6, 5, 5 },
		{ "\x10" "a", 2, 1, 1 },
		{ "\xf0\x00" "abcdefghijklmno", 17, 15, 15 },
		/* A match of 4 and 8 literals, the least behind one; of 18, 19, 20 and 274. */
		{ "\x10" "a\x01\x00\x80" "bcdefghi", 13, 13, 13 },
		{ "\x1e" "a\x01\x00\x80" "bcdefghi", 13, 27, 27 },
		{ "\x1f" "a\x01\x00\x00\x80" "bcdefghi", 14, 28, 28 },
		{ "\x1f" "a\x01\x00\x01\x80" "bcdefghi", 14, 29, 29 },
		{ "\x1f" "a\x01\x00\xff\x00\x80" "bcdefghi", 15, 283, 283 },
		/* Too few behind the match for room of just what it is, but not for more. */
		{ "\x10" "a\x01\x00\x70" "bcdefgh", 12, 12, 13 },
		{ "\x10" "a\x01\x00\x50" "bcdef", 10, 10, 13 },
		{ "\x1f" "a\x01\x00\x00\x50" "bcdef", 11, 25, 25 },
		{ "\x1f" "a\x01\x00\x00\x40" "bcde", 10, 24, 25 },
		{ "\x10" "a\x01\x00\x40" "bcde", 9, 0, BROKEN },
		/* 14 literals and a match of at most 18: nothing need follow, far from the end. */
		{ "\xe0" "abcdefghijklmn\x08\x00\x00", 18, 18, 32 },
		{ "\xee" "abcdefghijklmn\x08\x00\x00", 18, 32, 32 },
		{ "\xee" "abcdefghijklmn\x0e\x00\x0f", 18, 32, 32 },
		{ "\xee" "abcdefghijklmn\x07\x00\x00", 18, 32, 37 },
		{ "\xe0" "abcdefghijklmn\x0f\x00\x00", 18, 0, BROKEN },
		{ "\xef" "abcdefghijklmn\x08\x00\x00\x00", 19, 0, BROKEN },
		{ "\xd0" "abcdefghijklm\x08\x00\x00", 17, 0, BROKEN },
		{ "\xd0" "abcdefghijklm\x08\x00\x10" "n", 18, 18, 32 },
		{ "\xaf" "abcdefghij\x08\x00\x00\x30" "klm", 18, 32, 34 },
		/* Nothing, which one byte stands for, and needs room if it is not 0. */
		{ "\x00", 1, 0, 0 },
		{ "\x05", 1, 0, 1 },
		/* Literals that are not there; lengths that do not end. */
		{ "\x50" "abcd", 5, 0, BROKEN },
		{ "\xf0", 1, 0, BROKEN },
		{ "\xf0\xff", 2, 0, BROKEN },
		{ "\xf0\xff\xff", 3, 0, BROKEN },
		{ "\xf0\x00" "abc", 5, 0, BROKEN },
		/* Half an offset; a length of a match that does not end; the end behind a match. */
		{ "\x10" "a\x01", 3, 0, BROKEN },
		{ "\x1f" "a\x01\x00", 4, 0, BROKEN },
		{ "\x1f" "a\x01\x00\xff", 5, 0, BROKEN },
		{ "\x10" "a\x01\x00", 4, 0, BROKEN },
		/* A last token without literals. */
		{ "\x10" "a\x01\x00\x00", 5, 0, BROKEN },
		{ "\x1f" "a\x01\x00\xff\xff\xff\xff\x00\x00", 10, 0, BROKEN },
		/* Farther back than there is anything. */
		{ "\x10" "a\x02\x00\x50" "bcdef", 10, 0, BROKEN },
		{ "\x10" "a\xff\xff\x50" "bcdef", 10, 0, BROKEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool broken = cases[i].room == BROKEN;
		struct frame f = one_block((uint32_t)cases[i].n, cases[i].bytes, cases[i].n);

		for (size_t cap = 0; cap < (broken ? 0 : cases[i].room) + 40; cap++)
			expect(&f, cap, broken ? -EBADMSG : cap < cases[i].room ? -ENOSPC : 0,
				cases[i].content);
		expect(&f, 70000, broken ? -EBADMSG : 0, cases[i].content);
	}
}

/* A block of random sequences, most of which could be one. */
static size_t
random_block(struct rng *rng, uint8_t *to)
{
	size_t n = 0, last = rng_below(rng, 3) == 0 ? rng_below(rng, 10) : 0;

	for (size_t i = rng_below(rng, 4); i > 0; i--) {
		size_t literals = 8 + rng_below(rng, 7), match = rng_below(rng, 16);

		to[n++] = (uint8_t)(literals << 4 | match);
		for (size_t l = 0; l < literals; l++)
			to[n++] = (uint8_t)rng_next(rng);
		to[n++] = (uint8_t)rng_below(rng, 16);
		to[n++] = rng_below(rng, 50) == 0;
		if (match == 15)
			to[n++] = (uint8_t)rng_below(rng, 30);
	}
	to[n++] = (uint8_t)(last << 4);
	for (size_t l = 0; l < last; l++)
		to[n++] = (uint8_t)rng_next(rng);
	return rng_below(rng, 20) == 0 ? n - rng_below(rng, n) : n;
}

/* What liblz4 takes with more room lacks room, and nothing else does; behind a block or not. */
static void
test_blocks_as_liblz4(void **state)
{
	const char before[] = "0123456789";
	struct rng rng = { .state = 7 };
	char out[200] = "0123456789";

	(void)state;
	memcpy(plain, before, 10);
	for (unsigned int i = 0; i < 2000; i++) {
		const int linked = i % 2 != 0 ? 10 : 0;
		struct frame f = head(linked ? 0x40 : 0x60, 0x40, NULL, 0, 0);
		uint8_t block[100];
		size_t n = random_block(&rng, block);
		int most = LZ4_decompress_safe_usingDict((char *)block, (char *)plain + 10, (int)n,
			65536, (char *)plain + 10 - linked, linked);

		add32(&f, (uint32_t)linked | 0x80000000);
		add(&f, before, (size_t)linked);
		add32(&f, (uint32_t)n);
		add(&f, block, n);
		add32(&f, 0);
		for (int cap = 0; cap < 150; cap++) {
			int ret = LZ4_decompress_safe_usingDict((char *)block, out + 10, (int)n,
				cap, out + 10 - linked, linked);
			struct zip_codec_result r;

			assert_int_equal(lz4_decompress(&summed, f.at, f.len, back,
				(size_t)(linked + cap), &r),
				ret >= 0 ? 0 : most >= 0 ? -ENOSPC : -EBADMSG);
			assert_int_equal(r.produced, ret >= 0 ? linked + ret : 0);
		}
	}
}

/* Room is what the blocks before left of it, for stored blocks and others, linked or not. */
static void
test_room_of_later_blocks(void **state)
{
	static const char stored[] = "abcdefghij";
	static const char packed_block[] = "\x1f" "a\x01\x00\x01\x50" "vwxyz";
	const size_t len[2] = { sizeof(stored) - 1, 1 + 20 + 5 };

	(void)state;
	for (unsigned int i = 0; i < 2 * 2 * 2; i++) {
		struct frame f = head(i & 4 ? 0x40 : 0x60, 0x40, NULL, 0, 0);
		size_t all = 0;

		for (unsigned int b = 0; b < 3; b++) {
			/* Two of one kind, and between them one of either. */
			unsigned int kind = b == 1 ? i & 1 : i >> 1 & 1;
			const char *bytes = kind == 0 ? stored : packed_block;
			size_t n = kind == 0 ? sizeof(stored) - 1 : sizeof(packed_block) - 1;

			add32(&f, (uint32_t)n | (kind == 0 ? 0x80000000 : 0));
			add(&f, bytes, n);
			all += len[kind];
		}
		add32(&f, 0);
		for (size_t cap = 0; cap < all; cap++)
			expect(&f, cap, -ENOSPC, 0);
		expect(&f, all, 0, all);
		expect(&f, all + 1, 0, all);
	}
}

/* A block may not stand for more than blocks may have, whatever the room. */
static void
test_block_too_long(void **state)
{
	(void)state;
	for (size_t content = 65535; content <= 65537; content++) {
		uint8_t block[400] = { 0x1f, 'a', 1, 0 };
		size_t n = 4 + put_match(block + 4, content - 6);
		struct frame f;

		memcpy(block + n, "\x50" "bcdef", 6);
		n += 6;
		f = one_block((uint32_t)n, block, n);
		expect(&f, 70000, content <= 65536 ? 0 : -EBADMSG, content);
		expect(&f, content - 1, content <= 65536 ? -ENOSPC : -EBADMSG, 0);
		expect(&f, 10, content <= 65536 ? -ENOSPC : -EBADMSG, 0);
	}
}

/* Cut off anywhere it is broken; a bit changed in any checksum, it does not match. */
static void
test_cut_and_damaged(void **state)
{
	static const uint8_t flags[] = { 0, 0x04, 0x08, 0x10, 0x3c };

	(void)state;
	for (unsigned int i = 0; i < sizeof(flags) * 2; i++) {
		struct zip_codec_params params = { .level = 1, .window = 16,
			.lz4_flags = flags[i / 2] };
		struct zip_codec_result r;
		struct frame f = { .at = packed };
		size_t at = 7 + (flags[i / 2] & 8 ? 8 : 0), block;

		data_fill(plain, 300, i & 1 ? DATA_TEXT : DATA_NOISE8, i);
		assert_int_equal(lz4_compress(&params, 300, CAP_MAX, &r), 0);
		for (f.len = 0; f.len < r.produced; f.len++)
			expect(&f, 300, -EBADMSG, 0);
		expect(&f, 300, 0, 300);
		packed[at - 1] ^= 0x80;
		expect(&f, 300, -EILSEQ, 0);
		packed[at - 1] ^= 0x80;
		block = get32(packed + at) & 0x7fffffff;
		if (flags[i / 2] & 0x10) {
			packed[at + 4 + block] ^= 1;
			expect(&f, 300, -EILSEQ, 0);
			packed[at + 4 + block] ^= 1;
		}
		if (flags[i / 2] & 0x04) {
			packed[f.len - 1] ^= 1;
			expect(&f, 300, -EILSEQ, 0);
			packed[f.len - 1] ^= 1;
		}
		if (flags[i / 2] & 0x08) {
			struct frame other = head(packed[4], packed[5],
				"\x2d\x01\0\0\0\0\0\0", 8, 0);

			other.len = f.len;
			expect(&other, 400, -EBADMSG, 0);
		}
	}
}

/* ---- Frames that we make ---- */

/*
 * One block: liblz4's own bytes for that level, or stored if these are no fewer. By a codec
 * that has done nothing before, as what liblz4 finds depends on what it did.
 */
static void
test_bytes(void **state)
{
	struct zip_codec *used = codec;
	LZ4_stream_t *fast = LZ4_createStream();
	LZ4_streamHC_t *hc = LZ4_createStreamHC();

	(void)state;
	for (unsigned int i = 0; i < 10 * 4; i++) {
		static const size_t lens[] = { 1, 2, 60, 5000 };
		struct zip_codec_params params = { .level = (uint8_t)(i % 10), .window = 16 };
		size_t len = lens[i / 10];
		struct zip_codec_result r;
		int n = 0;

		data_fill(plain, len, len == 60 ? DATA_NOISE8 : DATA_TEXT, i);
		if (i % 10 >= 3) {
			LZ4_resetStreamHC(hc, (int)(i % 10));
			n = LZ4_compress_HC_continue(hc, (char *)plain, (char *)back, (int)len,
				(int)CAP_MAX);
		} else if (i % 10 >= 1) {
			LZ4_initStream(fast, sizeof(*fast));
			n = LZ4_compress_fast_continue(fast, (char *)plain, (char *)back, (int)len,
				(int)CAP_MAX, 1);
		}
		codec = zip_codec_create(8192);
		assert_non_null(codec);
		assert_int_equal(lz4_compress(&params, len, CAP_MAX, &r), 0);
		zip_codec_destroy(codec);
		assert_int_equal(r.consumed, len);
		assert_int_equal(r.xxh32, 0);
		assert_memory_equal(packed, "\x04\x22\x4d\x18\x40\x40", 6);
		if (n == 0 || (size_t)n >= len) {
			assert_int_equal(get32(packed + 7), len | 0x80000000);
			assert_memory_equal(packed + 11, plain, len);
			n = (int)len;
		} else {
			assert_int_equal(get32(packed + 7), n);
			assert_memory_equal(packed + 11, back, (size_t)n);
		}
		assert_int_equal(get32(packed + 11 + n), 0);
		assert_int_equal(r.produced, 7 + 4 + n + 4);
	}
	codec = used;
	LZ4_freeStream(fast);
	LZ4_freeStreamHC(hc);
}

/* Stored: each frame has just the bytes that its flags ask for, and fits in as many. */
static void
test_room(void **state)
{
	static const size_t lens[] = { 0, 1, 255, 256, 257, 1000, 65536 };

	(void)state;
	for (unsigned int flags = 0; flags <= 0x3c; flags += 4) {
		for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
			for (uint8_t window = 8; window <= 16; window += 8) {
				struct zip_codec_params params = { .window = window,
					.lz4_flags = (uint8_t)flags };
				size_t block = window == 8 ? 256 : 65536;
				size_t blocks = (lens[l] + block - 1) / block;
				size_t full = 7 + (flags & 8 ? 8 : 0) + lens[l] + 4 +
					blocks * (flags & 0x10 ? 8 : 4) + (flags & 4 ? 4 : 0);
				struct zip_codec_result r;

				data_fill(plain, lens[l], DATA_NOISE8, l);
				for (size_t cap = full - 1; cap <= full + 1; cap++) {
					int ret = lz4_compress(&params, lens[l], cap, &r);

					assert_int_equal(ret, cap < full ? -ENOSPC : 0);
					assert_int_equal(r.produced, cap < full ? 0 : full);
				}
				assert_int_equal(packed[4], 0x40 | flags |
					(window == 8 ? 0x20 : 0));
				assert_int_equal(lz4_decompress(&summed, packed, full, back,
					lens[l], &r), 0);
				assert_int_equal(r.produced, lens[l]);
				assert_memory_equal(back, plain, lens[l]);
				/* Each room that is too small, in the smaller ones. */
				for (size_t cap = 0; cap < full && lens[l] <= 257; cap++)
					assert_int_equal(lz4_compress(&params, lens[l], cap, &r),
						-ENOSPC);
			}
		}
	}
}

/* The smallest kind of block that takes all of it, up to the largest. */
static void
test_block_sizes(void **state)
{
	static const struct {
		size_t len;
		uint8_t bd;
	} cases[] = {
		{ 0, 4 }, { 65536, 4 }, { 65537, 5 }, { 262144, 5 }, { 262145, 6 },
		{ MIB, 6 }, { MIB + 1, 7 }, { 4 * MIB, 7 }, { 4 * MIB + 1, 7 },
	};

	(void)state;
	memset(plain, 0, 4 * MIB + 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zip_codec_params params = { .level = 1, .window = 16 };
		struct zip_codec_result r;

		assert_int_equal(lz4_compress(&params, cases[i].len, CAP_MAX, &r), 0);
		assert_int_equal(packed[5], cases[i].bd << 4);
		params.window = 15; /* blocks of their own, however much there is */
		assert_int_equal(lz4_compress(&params, cases[i].len, CAP_MAX, &r), 0);
		assert_int_equal(packed[5], 0x40);
		assert_int_equal(packed[4], 0x60);
	}
}

/*
 * The second block of a linked frame is a copy of what came 64 KiB less one before it: it costs
 * next to nothing, though the first block may not have been compressed at all. If the blocks
 * are on their own, it costs all.
 */
static void
test_linked(void **state)
{
	const size_t first = 4 * MIB, tail = 60000, reach = 65535;

	(void)state;
	for (unsigned int i = 0; i < 2 * 2 * 2; i++) {
		struct zip_codec_params params = { .level = i & 1 ? 3 : 1, .window = 16,
			.lz4_flags = i & 4 ? ZIP_CODEC_LZ4_BLOCK_INDEPENDENCE : 0 };
		struct zip_codec_result r;
		size_t second;

		data_fill(plain, first, DATA_NOISE8, i);
		if (i & 2)
			memset(plain, 0, first - reach); /* the first is compressed */
		memcpy(plain + first, plain + first - reach, tail);
		assert_int_equal(lz4_compress(&params, first + tail, CAP_MAX, &r), 0);
		assert_int_equal(get32(packed + 7) >> 31, !(i & 2));
		second = get32(packed + 11 + (get32(packed + 7) & 0x7fffffff)) & 0x7fffffff;
		if (i & 4)
			assert_int_equal(second, tail);
		else
			assert_true(second < 2000);
		assert_int_equal(lz4_decompress(&summed, packed, r.produced, back, first + tail,
			&r), 0);
		assert_int_equal(r.produced, first + tail);
		assert_memory_equal(back, plain, first + tail);
		/* What came before a call is not before its first block. */
		assert_int_equal(lz4_compress(&params, tail, CAP_MAX, &r), 0);
		assert_int_equal(lz4_decompress(&summed, packed, r.produced, back, tail, &r), 0);
		assert_memory_equal(back, plain, tail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_block_words),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_blocks_as_liblz4),
		cmocka_unit_test(test_room_of_later_blocks),
		cmocka_unit_test(test_block_too_long),
		cmocka_unit_test(test_cut_and_damaged),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_block_sizes),
		cmocka_unit_test(test_linked),
	};

	return cmocka_run_group_tests_name("zip_codec_frame", tests, setup, lz4_close);
}
