/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>
#include <zlib.h>

#include "stream.h"

#define OUT_SIZE (64u << 10)

#define VIOLATED "invalid compressed data--format violated"

int
stream_cut(const struct stream *s)
{
	complain_data(s->in.name, "unexpected end of file");
	return SPIMGZ_FAILED;
}

static int
corrupt(const struct stream *s, const char *what)
{
	complain_data(s->in.name, what);
	return SPIMGZ_FAILED;
}

/*
 * Whether data that ends too early is wrong, however it would go on: zlib sees only later than
 * other programs that a block has a code of code lengths without any code.
 */
static bool
hopeless(z_stream *z)
{
	uint8_t rest[1024], out[1];

	for (int bits = 0x00; bits <= 0xff; bits += 0xff) {
		z_stream copy;
		int ret;

		if (inflateCopy(&copy, z) != Z_OK)
			return false;
		memset(rest, bits, sizeof(rest));
		copy.next_in = rest;
		copy.avail_in = sizeof(rest);
		copy.next_out = out;
		copy.avail_out = sizeof(out);
		ret = inflate(&copy, Z_NO_FLUSH);
		ret = ret == Z_DATA_ERROR && copy.msg != NULL &&
			strstr(copy.msg, "missing end-of-block") != NULL;
		inflateEnd(&copy);
		if (!ret)
			return false;
	}
	return true;
}

/* Behind the data. */
static int
check_trailer(struct stream *s, uint32_t crc, uint64_t size)
{
	uint8_t trailer[GZIP_TRAILER];
	uint32_t want_crc, isize;
	ssize_t n = input_read(&s->in, trailer, sizeof(trailer));

	if (n < 0)
		return SPIMGZ_FAILED;
	if (n != (ssize_t)sizeof(trailer))
		return stream_cut(s);
	gzip_trailer_read(trailer, &want_crc, &isize);
	s->crc32 = crc;
	if (crc != want_crc)
		return corrupt(s, "invalid compressed data--crc error");
	if ((uint32_t)size != isize)
		return corrupt(s, "invalid compressed data--length error");
	return SPIMGZ_OK;
}

int
inflate_member(struct stream *s, uint64_t *size)
{
	uint8_t *buf = malloc(OUT_SIZE);
	struct input *in = &s->in;
	int ret = SPIMGZ_OK, zret = Z_OK;
	uint64_t plain = 0;
	z_stream z = { 0 };
	uint32_t crc = 0;

	*size = 0;
	if (buf == NULL || inflateInit2(&z, -15) != Z_OK) {
		complain("no memory");
		free(buf);
		return SPIMGZ_FAILED;
	}
	while (ret == SPIMGZ_OK && zret != Z_STREAM_END) {
		size_t n;

		if (input_ahead(in, 1) != 0) {
			ret = SPIMGZ_FAILED;
			break;
		}
		if (in->pos == in->end) {
			ret = hopeless(&z) ? corrupt(s, VIOLATED) : stream_cut(s);
			break;
		}
		z.next_in = in->buf + in->pos;
		z.avail_in = (uInt)(in->end - in->pos);
		z.next_out = buf;
		z.avail_out = OUT_SIZE;
		zret = inflate(&z, Z_NO_FLUSH);
		*size += in->end - z.avail_in - in->pos;
		in->pos = in->end - z.avail_in;
		if (zret != Z_OK && zret != Z_STREAM_END) {
			ret = corrupt(s, VIOLATED);
			break;
		}
		n = OUT_SIZE - z.avail_out;
		crc = libdeflate_crc32(crc, buf, n);
		plain += n;
		if (output_write(s->out, s->out_name, buf, n) != 0)
			ret = SPIMGZ_FAILED;
	}
	inflateEnd(&z);
	free(buf);
	s->plain += plain;
	return ret == SPIMGZ_OK ? check_trailer(s, crc, plain) : ret;
}
