/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "spimgz.h"

/* RFC 1952. */
#define F_HCRC    0x02
#define F_EXTRA   0x04
#define F_NAME    0x08
#define F_COMMENT 0x10
#define F_RSVD    0xe0

#define FIXED_SIZE 10u
#define OS_UNIX    3

/* Our subfield of the extra field: 'S' 'Z', its length 4, the size of the DEFLATE data. */
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
put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* Bytes up to and with the NUL at or behind at; 0: it is not there. */
static size_t
behind_text(const uint8_t *data, size_t len, size_t at)
{
	const uint8_t *end = at < len ? memchr(data + at, 0, len - at) : NULL;

	return end != NULL ? (size_t)(end - data) + 1 : 0;
}

int
gzip_parse(const uint8_t *data, size_t len, struct gzip_header *h)
{
	size_t at = FIXED_SIZE;

	h->comp_size = 0;
	if ((len > 0 && data[0] != 0x1f) || (len > 1 && data[1] != 0x8b) ||
			(len > 2 && data[2] != 8) || (len > 3 && (data[3] & F_RSVD) != 0))
		return -1;
	if (len < FIXED_SIZE)
		return 0;
	if (data[3] & F_EXTRA) {
		size_t end;

		if (len < at + 2)
			return 0;
		end = at + 2 + get16(data + at);
		if (len < end)
			return 0;
		for (at += 2; end - at >= 4;) {
			size_t n = get16(data + at + 2);

			if (n > end - at - 4)
				break;
			if (data[at] == SUB_ID1 && data[at + 1] == SUB_ID2 && n == SUB_LEN)
				h->comp_size = get32(data + at + 4);
			at += 4 + n;
		}
		at = end;
	}
	for (int flag = F_NAME; flag <= F_COMMENT; flag *= 2) {
		if ((data[3] & flag) == 0)
			continue;
		at = behind_text(data, len, at);
		if (at == 0)
			return 0;
	}
	if (data[3] & F_HCRC)
		at += 2;
	if (len < at)
		return 0;
	h->size = (uint32_t)at;
	return 1;
}

void
gzip_header(uint8_t *to, uint32_t mtime, uint32_t comp_size, uint8_t level)
{
	static const uint8_t start[] = { 0x1f, 0x8b, 8, F_EXTRA };

	memcpy(to, start, sizeof(start));
	put32(to + 4, mtime);
	to[8] = level == 9 ? 2 : level == 1 ? 4 : 0;
	to[9] = OS_UNIX;
	to[10] = 4 + SUB_LEN;
	to[11] = 0;
	to[12] = SUB_ID1;
	to[13] = SUB_ID2;
	to[14] = SUB_LEN;
	to[15] = 0;
	put32(to + 16, comp_size);
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
