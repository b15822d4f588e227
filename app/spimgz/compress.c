/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>
#include <sys/types.h>

#include <libdeflate.h>

#include "spimgz.h"

/* Write the oldest piece as a member. */
static int
put_member(struct engine *e, int out, const char *out_name, uint32_t mtime, uint64_t *written)
{
	uint8_t head[GZIP_OUR_SIZE], trailer[GZIP_TRAILER];
	const struct slot *s = engine_result(e);

	if (s == NULL)
		return SPIMGZ_FAILED;
	if (s->op.status != SPIM_ZIP_OK || s->op.consumed != s->op.src_len) {
		complain("%s: %s", e->name, spim_zip_status_text(s->op.status));
		return SPIMGZ_FAILED;
	}
	gzip_header(head, mtime, s->op.produced, s->op.level);
	/* The CRC in the trailer is ours; a service whose CRC differs is wrong. */
	if (s->op.crc32 != s->crc32) {
		complain("%s: CRC %08x, expected %08x", e->name, s->op.crc32, s->crc32);
		return SPIMGZ_FAILED;
	}
	gzip_trailer(trailer, s->crc32, s->op.src_len);
	if (output_write(out, out_name, head, sizeof(head)) != 0 ||
			output_write(out, out_name, s->op.dst, s->op.produced) != 0 ||
			output_write(out, out_name, trailer, sizeof(trailer)) != 0)
		return SPIMGZ_FAILED;
	*written += sizeof(head) + s->op.produced + sizeof(trailer);
	return SPIMGZ_OK;
}

int
compress_stream(struct engine *e, struct input *in, int out, const char *out_name, uint8_t level,
		uint32_t mtime, uint64_t *written)
{
	bool first = true, end = false;
	int ret = SPIMGZ_OK;

	*written = 0;
	while (!end && ret == SPIMGZ_OK) {
		struct slot *s = engine_next(e);
		ssize_t n;

		if (s == NULL) {
			ret = put_member(e, out, out_name, mtime, written);
			continue;
		}
		n = input_read(in, s->in, SPIMGZ_CHUNK);
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
			.level = level, .last = 1,
		};
		s->crc32 = libdeflate_crc32(0, s->in, (size_t)n);
		ret = engine_submit(e);
	}
	while (ret == SPIMGZ_OK && !engine_idle(e))
		ret = put_member(e, out, out_name, mtime, written);
	return ret;
}
