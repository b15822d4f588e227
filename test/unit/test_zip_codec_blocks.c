/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "test_zip_codec_util.h"

/*
 * Code by code and slow on purpose: an independent reading of RFC 1951, strict
 * where the RFC is, to check what the fast libraries produce.
 */

struct bits {
	const uint8_t *src;
	size_t len; /* bytes */
	size_t at;  /* bits */
	int bad;    /* ran past the end */
};

static unsigned int
get(struct bits *in, unsigned int n)
{
	const uint8_t *from = in->src + in->at / 8;
	unsigned int value = 0, shift = in->at % 8;

	if (in->at + n > in->len * 8) {
		in->bad = 1;
		return 0;
	}
	/* At most 16 bits: no more than three bytes. */
	for (unsigned int i = 0; i * 8 < shift + n; i++)
		value |= (unsigned int)from[i] << i * 8;
	in->at += n;
	return value >> shift & ((1u << n) - 1);
}

#define SYMBOLS_MAX 288
#define CODE_LEN_MAX 15

/* RFC 1951 3.2.2: codes of one length are consecutive, in symbol order. */
struct code {
	unsigned int count[CODE_LEN_MAX + 1]; /* codes of each length */
	unsigned int symbol[SYMBOLS_MAX];     /* sorted by code */
};

/*
 * -1 if the lengths ask for more codes than there are, or leave some unused;
 * but a tiny code may have one symbol of one bit, or none.
 */
static int
code_make(struct code *code, const uint8_t *lens, unsigned int n, int tiny)
{
	unsigned int at = 0;
	int room = 1;

	memset(code, 0, sizeof(*code));
	for (unsigned int len = 1; len <= CODE_LEN_MAX; len++) {
		for (unsigned int i = 0; i < n; i++) {
			if (lens[i] == len) {
				code->symbol[at++] = i;
				code->count[len]++;
			}
		}
		room = 2 * room - (int)code->count[len];
		if (room < 0)
			return -1;
	}
	if (room > 0 && !(tiny && at <= 1 && code->count[1] == at))
		return -1;
	return 0;
}

static int
code_get(const struct code *code, struct bits *in)
{
	unsigned int value = 0, first = 0, index = 0;

	for (unsigned int len = 1; len <= CODE_LEN_MAX; len++) {
		value = value << 1 | get(in, 1);
		if (in->bad)
			return -1;
		if (value - first < code->count[len])
			return (int)code->symbol[index + value - first];
		index += code->count[len];
		first = (first + code->count[len]) << 1;
	}
	return -1;
}

static int
parse_codes(struct bits *in, struct code *litlen, struct code *dist)
{
	static const uint8_t order[] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
	};
	uint8_t pre_lens[19] = { 0 }, lens[286 + 30];
	unsigned int nlit = 257 + get(in, 5);
	unsigned int ndist = 1 + get(in, 5);
	unsigned int npre = 4 + get(in, 4);
	unsigned int n = 0;
	struct code pre;

	if (in->bad || nlit > 286 || ndist > 30)
		return -1;
	for (unsigned int i = 0; i < npre; i++)
		pre_lens[order[i]] = (uint8_t)get(in, 3);
	if (in->bad || code_make(&pre, pre_lens, 19, 0) != 0)
		return -1;
	while (n < nlit + ndist) {
		int symbol = code_get(&pre, in);
		unsigned int repeat = 1;
		uint8_t value;

		if (symbol < 0 || (symbol == 16 && n == 0))
			return -1;
		value = symbol < 16 ? (uint8_t)symbol : 0;
		if (symbol == 16) {
			value = lens[n - 1];
			repeat = 3 + get(in, 2);
		} else if (symbol == 17) {
			repeat = 3 + get(in, 3);
		} else if (symbol == 18) {
			repeat = 11 + get(in, 7);
		}
		if (in->bad || repeat > nlit + ndist - n)
			return -1;
		memset(lens + n, value, repeat);
		n += repeat;
	}
	if (lens[256] == 0 || code_make(litlen, lens, nlit, 1) != 0 ||
			code_make(dist, lens + nlit, ndist, 1) != 0)
		return -1;
	return 0;
}

static void
fixed_codes(struct code *litlen, struct code *dist)
{
	uint8_t lens[288];

	memset(lens, 8, 144);
	memset(lens + 144, 9, 112);
	memset(lens + 256, 7, 24);
	memset(lens + 280, 8, 8);
	code_make(litlen, lens, 288, 0);
	memset(lens, 5, 32); /* 30 and 31 have codes that never occur */
	code_make(dist, lens, 32, 0);
}

static int
parse_symbols(struct bits *in, const struct code *litlen, const struct code *dist,
		struct blocks *blocks)
{
	for (;;) {
		int symbol = code_get(litlen, in);
		unsigned int extra, length;
		size_t distance;

		if (symbol < 0 || symbol > 285)
			return -1;
		if (symbol == 256)
			return 0;
		if (symbol < 256) {
			blocks->len++;
			continue;
		}
		/* 3.2.5: groups of four (distances: two) codes with one more extra bit each. */
		if (symbol < 265) {
			length = (unsigned int)symbol - 257 + 3;
		} else if (symbol == 285) {
			length = 258;
		} else {
			extra = ((unsigned int)symbol - 261) / 4;
			length = 3 + ((4 + ((unsigned int)symbol - 265) % 4) << extra) +
				get(in, extra);
		}
		symbol = code_get(dist, in);
		if (symbol < 0 || symbol > 29)
			return -1;
		if (symbol < 4) {
			distance = (size_t)symbol + 1;
		} else {
			extra = ((unsigned int)symbol - 2) / 2;
			distance = 1 + ((2 + (size_t)symbol % 2) << extra) + get(in, extra);
		}
		if (in->bad || distance > blocks->len)
			return -1;
		if (distance > blocks->max_distance)
			blocks->max_distance = distance;
		blocks->len += length;
	}
}

int
blocks_parse(const uint8_t *src, size_t len, struct blocks *blocks)
{
	struct bits in = { .src = src, .len = len };
	struct code litlen, dist, fixed_litlen, fixed_dist;

	fixed_codes(&fixed_litlen, &fixed_dist);
	memset(blocks, 0, sizeof(*blocks));
	while (!blocks->final && in.at < len * 8) {
		unsigned int type;

		blocks->final = (int)get(&in, 1);
		type = get(&in, 2);
		if (in.bad)
			return -1;
		if (type == 0) {
			unsigned int n, not_n;

			in.at = (in.at + 7) & ~(size_t)7;
			n = get(&in, 16);
			not_n = get(&in, 16);
			if (in.bad || n != (~not_n & 0xffff) || n > len - in.at / 8)
				return -1;
			in.at += (size_t)n * 8;
			blocks->len += n;
			blocks->stored++;
			continue;
		}
		if (type == 1) {
			blocks->fixed++;
			if (parse_symbols(&in, &fixed_litlen, &fixed_dist, blocks) != 0)
				return -1;
			continue;
		}
		blocks->dynamic++;
		if (type != 2 || parse_codes(&in, &litlen, &dist) != 0 ||
				parse_symbols(&in, &litlen, &dist, blocks) != 0)
			return -1;
	}
	/* All of it must be used, but for the padding of the last byte. */
	return (in.at + 7) / 8 == len ? 0 : -1;
}
