/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdbool.h>
#include <string.h>

#include <libdeflate.h>

#include "gzip.h"

/* RFC 1952. */
#define ID1       0x1f
#define ID2       0x8b
#define DEFLATE   8
#define F_HCRC    0x02
#define F_EXTRA   0x04
#define F_NAME    0x08
#define F_COMMENT 0x10
#define F_RSVD    0xe0
#define OS_UNIX   3

/* Second bytes of other formats that gzip expands, and that begin with ID1. */
#define ID2_PACK     0x1e
#define ID2_COMPRESS 0x9d
#define ID2_LZH      0xa0

#define FIXED_SIZE 10u

/* Our extra field: one subfield 'S' 'Z', its length 4, the size of the DEFLATE data. */
#define SUB_ID1 'S'
#define SUB_ID2 'Z'
#define SUB_LEN 4u

static uint32_t
get16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t
get32(const uint8_t *p)
{
	return get16(p) | get16(p + 2) << 16;
}

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

/* A header as it is read. */
struct reader {
	struct input *in;
	struct gzip_header *h;
	uint32_t crc;
	enum gzip_found stopped; /* GZIP_CUT or GZIP_UNREAD, once a byte was not to be had */
};

/* The next byte, 0 if there is none; it counts for the size and the CRC. */
static uint8_t
next(struct reader *r)
{
	uint8_t byte;

	if (r->stopped != GZIP_MEMBER)
		return 0;
	if (r->in->pos == r->in->end && input_ahead(r->in, 1) != 0) {
		r->stopped = GZIP_UNREAD;
		return 0;
	}
	if (r->in->pos == r->in->end) {
		r->stopped = GZIP_CUT;
		return 0;
	}
	byte = r->in->buf[r->in->pos++];
	r->crc = libdeflate_crc32(r->crc, &byte, 1);
	r->h->size++;
	return byte;
}

static void
next_bytes(struct reader *r, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = next(r);
}

/* Text up to a NUL, which is kept if there is room. @return Whether there was. */
static bool
text(struct reader *r, char *to, size_t room)
{
	size_t n = 0;

	for (;;) {
		char c = (char)next(r);

		if (n < room)
			to[n] = c;
		if (c == '\0')
			break;
		n++;
	}
	if (n < room)
		return true;
	if (room != 0)
		to[0] = '\0';
	return false;
}

enum gzip_found
gzip_next(struct input *in, struct gzip_header *h)
{
	struct reader r = { .in = in, .h = h, .stopped = GZIP_MEMBER };
	uint8_t fixed[FIXED_SIZE];
	uint32_t crc;
	uint8_t two[2];
	size_t have;

	memset(h, 0, sizeof(*h));
	if (input_ahead(in, 2) != 0)
		return GZIP_UNREAD;
	have = in->end - in->pos;
	if (have == 0)
		return GZIP_END;
	if (have < 2)
		return in->buf[in->pos] == ID1 ? GZIP_CUT : GZIP_OTHER;
	if (in->buf[in->pos] != ID1)
		return GZIP_OTHER;
	switch (in->buf[in->pos + 1]) {
	case ID2:
		break;
	case ID2_PACK:
	case ID2_COMPRESS:
	case ID2_LZH:
		h->bad = "a format that is not supported";
		return GZIP_BAD;
	default:
		return GZIP_OTHER;
	}
	next_bytes(&r, fixed, sizeof(fixed));
	if (fixed[2] != DEFLATE && r.stopped == GZIP_MEMBER)
		h->bad = "a compression method that is not supported";
	else if ((fixed[3] & F_RSVD) != 0)
		h->bad = "header flags that are not supported";
	if (h->bad != NULL)
		return GZIP_BAD;
	h->mtime = get32(fixed + 4);
	if (fixed[3] & F_EXTRA) {
		next_bytes(&r, two, sizeof(two));
		for (uint32_t n = get16(two); n != 0 && r.stopped == GZIP_MEMBER; n--)
			(void)next(&r);
	}
	if (fixed[3] & F_NAME)
		h->long_name = !text(&r, h->name, sizeof(h->name));
	if (fixed[3] & F_COMMENT)
		(void)text(&r, NULL, 0);
	crc = r.crc & 0xffff;
	if (fixed[3] & F_HCRC) {
		next_bytes(&r, two, sizeof(two));
		if (r.stopped == GZIP_MEMBER && get16(two) != crc)
			h->bad = "invalid compressed data--header crc error";
	}
	return h->bad != NULL ? GZIP_BAD : r.stopped;
}

size_t
gzip_ours(const uint8_t *data, size_t len, uint32_t *comp_size)
{
	const uint8_t *end;

	if (len < GZIP_OUR_SIZE || data[0] != ID1 || data[1] != ID2 || data[2] != DEFLATE ||
			(data[3] & ~F_NAME) != F_EXTRA || get16(data + 10) != 4 + SUB_LEN ||
			data[12] != SUB_ID1 || data[13] != SUB_ID2 || get16(data + 14) != SUB_LEN)
		return 0;
	*comp_size = get32(data + 16);
	if ((data[3] & F_NAME) == 0)
		return GZIP_OUR_SIZE;
	len = len < GZIP_OUR_MAX ? len : GZIP_OUR_MAX;
	end = memchr(data + GZIP_OUR_SIZE, 0, len - GZIP_OUR_SIZE);
	return end != NULL ? (size_t)(end - data) + 1 : 0;
}

size_t
gzip_header(uint8_t *to, uint32_t mtime, uint32_t comp_size, uint8_t level, const char *name)
{
	static const uint8_t start[] = { ID1, ID2, DEFLATE, F_EXTRA };
	size_t n = GZIP_OUR_SIZE;

	memcpy(to, start, sizeof(start));
	put32(to + 4, mtime);
	to[8] = level == 9 ? 2 : level == 1 ? 4 : 0;
	to[9] = OS_UNIX;
	put16(to + 10, 4 + SUB_LEN);
	to[12] = SUB_ID1;
	to[13] = SUB_ID2;
	put16(to + 14, SUB_LEN);
	put32(to + 16, comp_size);
	if (name != NULL && strlen(name) <= NAME_MAX) {
		to[3] |= F_NAME;
		memcpy(to + n, name, strlen(name) + 1);
		n += strlen(name) + 1;
	}
	return n;
}

void
gzip_trailer(uint8_t *to, uint32_t crc32, uint32_t isize)
{
	put32(to, crc32);
	put32(to + 4, isize);
}

void
gzip_trailer_read(const uint8_t *from, uint32_t *crc32, uint32_t *isize)
{
	*crc32 = get32(from);
	*isize = get32(from + 4);
}
