/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdbool.h>

#include "hisi_zip_bits.h"

#define END_OF_BLOCK 256u
#define LEN_LAST     285u /* 286 and 287 have a code, but no meaning */
#define DIST_LAST    29u

struct bits {
	uint64_t bits;
	unsigned int n; /* left */
	bool out;       /* more were asked for than there are */
};

/* The next bits of a number. */
static unsigned int
number(struct bits *b, unsigned int n)
{
	unsigned int ret;

	if (b->n < n) {
		b->out = true;
		b->n = 0;
		return 0;
	}
	ret = (unsigned int)(b->bits & ((1ull << n) - 1));
	b->bits >>= n;
	b->n -= n;
	return ret;
}

/* The next bits of a Huffman code, which has its first bit on top, behind those in front. */
static unsigned int
code(struct bits *b, unsigned int front, unsigned int n)
{
	while (n-- > 0)
		front = front << 1 | number(b, 1);
	return front;
}

/* The next symbol of the fixed literal and length code (RFC 1951 3.2.6). */
static unsigned int
fixed_symbol(struct bits *b)
{
	unsigned int c = code(b, 0, 7);

	if (c <= 0x17)
		return END_OF_BLOCK + c;
	c = code(b, c, 1);
	if (c <= 0xbf)
		return c - 0x30;
	if (c <= 0xc7)
		return 280 + c - 0xc0;
	return 144 + code(b, c, 1) - 0x190;
}

/* Step over a block of fixed codes. */
static int
skip_fixed(struct bits *b)
{
	for (;;) {
		unsigned int sym = fixed_symbol(b), dist;

		if (b->out || sym == END_OF_BLOCK)
			return 0;
		if (sym < END_OF_BLOCK)
			continue;
		if (sym > LEN_LAST)
			return -EBADMSG;
		number(b, sym < 265 || sym == LEN_LAST ? 0 : (sym - 261) / 4);
		dist = code(b, 0, 5);
		if (dist > DIST_LAST && !b->out)
			return -EBADMSG;
		number(b, dist < 4 ? 0 : dist / 2 - 1);
	}
}

static int
skip_stored(struct bits *b)
{
	unsigned int len;

	number(b, b->n % 8); /* the last bit is the last of a byte */
	len = number(b, 16);
	if (number(b, 16) != (len ^ 0xffff) && !b->out)
		return -EBADMSG;
	for (; len > 0 && !b->out; len--)
		number(b, 8);
	return 0;
}

int
hisi_zip_bits_end(uint64_t bits, unsigned int n, unsigned int *blocks)
{
	struct bits b = { bits, n, false };

	*blocks = 0;
	while (!b.out) {
		bool last = number(&b, 1);
		unsigned int type = number(&b, 2);
		int ret = 0;

		if (b.out)
			break;
		if (type == 3)
			return -EBADMSG;
		/* What describes dynamic codes alone is longer than all of these. */
		if (type == 2)
			return 0;
		ret = type == 1 ? skip_fixed(&b) : skip_stored(&b);
		if (ret != 0)
			return ret;
		if (b.out)
			break;
		*blocks = n - b.n;
		if (last)
			return (int)*blocks;
	}
	return 0;
}
