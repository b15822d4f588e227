/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <libdeflate.h>
#include <zlib.h>

#include "spimgz.h"

/* Longest header that is looked at: 64 KiB of extra field, and a name. */
#define HEADER_MAX (100u << 10)

#define ZLIB_OUT (64u << 10)

/* Write the oldest piece. */
static int
put_plain(struct engine *e, const struct input *in, int out, const char *out_name,
		uint64_t *written)
{
	const struct slot *s = engine_result(e);
	uint32_t crc;

	if (s == NULL)
		return SPIMGZ_FAILED;
	if (s->op.status == SPIM_ZIP_ERROR) {
		complain("%s: %s", e->name, spim_zip_status_text(s->op.status));
		return SPIMGZ_FAILED;
	}
	/* Of what is there, not of what the service says that there is. */
	crc = libdeflate_crc32(0, s->op.dst, s->op.produced);
	if (s->op.status != SPIM_ZIP_OK || s->op.produced != s->isize ||
			s->op.consumed != s->op.src_len || crc != s->crc32) {
		complain("%s: corrupt: %s, %u bytes of %u, CRC %08x, expected %08x", in->name,
			spim_zip_status_text(s->op.status), s->op.produced, s->isize,
			crc, s->crc32);
		return SPIMGZ_FAILED;
	}
	*written += s->op.produced;
	return output_write(out, out_name, s->op.dst, s->op.produced) == 0 ? SPIMGZ_OK :
		SPIMGZ_FAILED;
}

static int
truncated(const struct input *in)
{
	complain("%s: unexpected end of file", in->name);
	return SPIMGZ_FAILED;
}

/* Submit a member of ours; its header has been looked at. */
static int
submit_member(struct engine *e, struct input *in, const struct gzip_header *h, struct slot *s)
{
	uint8_t trailer[GZIP_TRAILER];
	ssize_t n;

	in->pos += h->size;
	n = input_read(in, s->in, h->comp_size);
	if (n == (ssize_t)h->comp_size)
		n = input_read(in, trailer, sizeof(trailer));
	else if (n >= 0)
		return truncated(in);
	if (n < 0)
		return SPIMGZ_FAILED; /* which was said */
	if (n != (ssize_t)sizeof(trailer))
		return truncated(in);
	gzip_trailer_read(trailer, &s->crc32, &s->isize);
	if (s->isize > SPIMGZ_CHUNK) {
		complain("%s: corrupt: a member of %u bytes, expected at most %u", in->name,
			s->isize, SPIMGZ_CHUNK);
		return SPIMGZ_FAILED;
	}
	s->op = (struct spim_zip_op){
		.src = s->in, .src_len = h->comp_size,
		.dst = s->out, .dst_len = SPIMGZ_OUT_MAX,
	};
	return engine_submit(e);
}

/* A member by another program: its size is known only when it has been inflated. */
static int
inflate_member(struct input *in, int out, const char *out_name, uint64_t *written)
{
	uint8_t *buf = malloc(ZLIB_OUT);
	z_stream z = { 0 };
	int ret, zret = Z_OK;

	if (buf == NULL || inflateInit2(&z, 15 + 16) != Z_OK) {
		complain("no memory");
		free(buf);
		return SPIMGZ_FAILED;
	}
	ret = SPIMGZ_OK;
	while (ret == SPIMGZ_OK && zret != Z_STREAM_END) {
		if (input_ahead(in, 1) != 0) {
			ret = SPIMGZ_FAILED;
			break;
		}
		if (in->pos == in->end) {
			ret = truncated(in);
			break;
		}
		z.next_in = in->buf + in->pos;
		z.avail_in = (uInt)(in->end - in->pos);
		z.next_out = buf;
		z.avail_out = ZLIB_OUT;
		zret = inflate(&z, Z_NO_FLUSH);
		in->pos = in->end - z.avail_in;
		if (zret != Z_OK && zret != Z_STREAM_END) {
			complain("%s: corrupt: %s", in->name, z.msg != NULL ? z.msg : zError(zret));
			ret = SPIMGZ_FAILED;
			break;
		}
		*written += ZLIB_OUT - z.avail_out;
		if (output_write(out, out_name, buf, ZLIB_OUT - z.avail_out) != 0)
			ret = SPIMGZ_FAILED;
	}
	inflateEnd(&z);
	free(buf);
	return ret;
}

/* Behind the last member there may be zeros (of a tape), and nothing else. */
static int
look_at_rest(struct input *in)
{
	for (;;) {
		if (input_ahead(in, 1) != 0)
			return SPIMGZ_FAILED;
		if (in->pos == in->end)
			return SPIMGZ_OK;
		if (in->buf[in->pos] != 0) {
			complain("%s: trailing garbage ignored", in->name);
			return SPIMGZ_WARNING;
		}
		in->pos++;
	}
}

int
expand_stream(struct engine *e, struct input *in, int out, const char *out_name,
		uint64_t *written)
{
	struct gzip_header h;
	bool any = false;
	int ret = SPIMGZ_OK, found;

	*written = 0;
	for (;;) {
		struct slot *s = engine_next(e);
		size_t have, want = 512;

		if (s == NULL) {
			ret = put_plain(e, in, out, out_name, written);
			if (ret != SPIMGZ_OK)
				return ret;
			continue;
		}
		for (;;) {
			if (input_ahead(in, want) != 0)
				return SPIMGZ_FAILED;
			have = in->end - in->pos;
			found = gzip_parse(in->buf + in->pos, have, &h);
			if (found != 0 || have < want || want == HEADER_MAX)
				break;
			want = want * 4 < HEADER_MAX ? want * 4 : HEADER_MAX;
		}
		if (found != 1 || have == 0)
			break;
		any = true;
		if (h.comp_size != 0 && h.comp_size <= SPIMGZ_OUT_MAX) {
			ret = submit_member(e, in, &h, s);
		} else {
			while (ret == SPIMGZ_OK && !engine_idle(e))
				ret = put_plain(e, in, out, out_name, written);
			if (ret == SPIMGZ_OK)
				ret = inflate_member(in, out, out_name, written);
		}
		if (ret != SPIMGZ_OK)
			return ret;
	}
	while (ret == SPIMGZ_OK && !engine_idle(e))
		ret = put_plain(e, in, out, out_name, written);
	if (ret != SPIMGZ_OK)
		return ret;
	if (!any) {
		complain("%s: not in gzip format", in->name);
		return SPIMGZ_FAILED;
	}
	return found == 0 && in->pos != in->end ? truncated(in) : look_at_rest(in);
}
