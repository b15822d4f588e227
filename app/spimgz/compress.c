/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <libdeflate.h>

#include "stream.h"

/* What results of a service are expanded with; made with the first of a stream. */
struct check {
	struct libdeflate_decompressor *d;
	uint8_t *plain;
};

/*
 * Whether a piece that a service compressed can be expanded again: its input is about to be
 * removed. It takes a small part of the time that compression took.
 */
static bool
expands_again(struct check *c, const struct slot *s)
{
	if (c->d == NULL)
		c->d = libdeflate_alloc_decompressor();
	if (c->plain == NULL)
		c->plain = malloc(SPIMGZ_CHUNK);
	return c->d != NULL && c->plain != NULL &&
		libdeflate_deflate_decompress(c->d, s->op.dst, s->op.produced, c->plain,
			s->op.src_len, NULL) == LIBDEFLATE_SUCCESS &&
		libdeflate_crc32(0, c->plain, s->op.src_len) == s->crc32;
}

/* Write the oldest piece as a member. Only the first one has the file's name. */
static int
put_member(struct engine *e, struct stream *st, struct check *c)
{
	uint8_t head[GZIP_OUR_MAX], trailer[GZIP_TRAILER];
	const struct slot *s = engine_result(e);
	size_t n;

	if (s == NULL)
		return SPIMGZ_FAILED;
	if (s->op.status != SPIM_ZIP_OK || s->op.consumed != s->op.src_len) {
		complain("%s: %s", e->name, spim_zip_status_text(s->op.status));
		return SPIMGZ_FAILED;
	}
	n = gzip_header(head, st->mtime, s->op.produced, s->op.level,
		st->packed == 0 ? st->name : NULL);
	/* The CRC in the trailer is ours; a service whose CRC differs is wrong. */
	if (s->op.crc32 != s->crc32) {
		complain("%s: CRC %08x, expected %08x", e->name, s->op.crc32, s->crc32);
		return SPIMGZ_FAILED;
	}
	if (!engine_is_local(e) && !expands_again(c, s)) {
		complain("%s: a wrong result, or no memory to check it", e->name);
		return SPIMGZ_FAILED;
	}
	gzip_trailer(trailer, s->crc32, s->op.src_len);
	if (output_write(st->out, st->out_name, head, n) != 0 ||
			output_write(st->out, st->out_name, s->op.dst, s->op.produced) != 0 ||
			output_write(st->out, st->out_name, trailer, sizeof(trailer)) != 0)
		return SPIMGZ_FAILED;
	st->framing += n + sizeof(trailer);
	st->packed += n + s->op.produced + sizeof(trailer);
	return SPIMGZ_OK;
}

static int
put_members(struct engine *e, struct stream *st, struct check *c)
{
	bool first = true, end = false;
	int ret = engine_begin(e, SPIM_ZIP_COMPRESS);

	while (!end && ret == SPIMGZ_OK) {
		struct slot *s = engine_next(e);
		ssize_t n;

		if (s == NULL) {
			ret = put_member(e, st, c);
			continue;
		}
		n = input_read(&st->in, s->in, SPIMGZ_CHUNK);
		if (n < 0)
			return SPIMGZ_FAILED;
		end = n < (ssize_t)SPIMGZ_CHUNK;
		/* Nothing at all is one empty member. */
		if (n == 0 && !first)
			break;
		first = false;
		s->op = (struct spim_zip_op){
			.src = s->in, .src_len = (uint32_t)n,
			.dst = s->out, .dst_len = SPIMGZ_OUT_MAX,
			.level = st->level, .last = 1,
		};
		s->crc32 = libdeflate_crc32(0, s->in, (size_t)n);
		ret = engine_submit(e);
	}
	while (ret == SPIMGZ_OK && !engine_idle(e))
		ret = put_member(e, st, c);
	st->plain = st->in.done;
	return ret;
}

int
compress_stream(struct engine *e, struct stream *st)
{
	struct check c = { 0 };
	int ret = put_members(e, st, &c);

	free(c.plain);
	libdeflate_free_decompressor(c.d);
	return ret;
}
