/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zip_codec_checksum.h"
#include "zip_codec_internal.h"
#include "zip_codec_iov.h"

/*
 * zlib runs both directions. Decompressing it sets the standard for where a
 * call stops; compressing it is the one backend that is known to get every
 * flush right with any division of input and output.
 *
 * Between zlib and the caller's output lies a small stage. It is there for two
 * properties of zlib's interface:
 *
 * deflate() cannot tell "the flush is complete" from "the output is full" when
 * both happen at the same byte, and would then write another marker at the
 * next call; with output given byte by byte it would do so for ever. So it
 * never writes straight into the last bytes of an output: those come through the
 * stage, where it has room to finish. Bytes that stay in the stage are pending.
 *
 * inflate() cannot tell "all done" from "there is more to come" when input and
 * output are both used up. One byte more of room in the stage tells.
 */
#define STAGE_LEN 512
/*
 * Output of less than this goes through the stage, and deflate() is left in the
 * dark about the last half of it. A marker with all that may precede it in
 * zlib's bit buffer takes at most 7 bytes.
 */
#define DIRECT_MIN 32
/* zlib counts in 32 bits. */
#define SEGMENT_MAX ((size_t)1 << 30)

enum stream_state {
	STREAM_RUNNING,
	STREAM_DRAINING, /* deflate() has ended, the stage has not been taken yet */
	STREAM_ENDED,
	STREAM_DEAD,
};

struct zip_codec_stream {
	z_stream zlib;
	struct zip_codec_zmem mem;
	struct zip_codec_plan plan; /* compression */
	struct zip_codec_sum sum;
	uint8_t dir;
	uint8_t state;
	uint8_t at_block;   /* decompression: see struct zip_codec_result */
	uint8_t wants_room; /* decompression: nothing may happen before there is room */
	uint8_t settled;    /* compression: the last call was done to its end */
	uint16_t stage_pos; /* next byte of the stage to deliver */
	uint16_t stage_end;
	uint8_t stage[STAGE_LEN];
};

/* A place in a list of segments; never rests on an empty or finished one. */
struct cursor {
	const struct iovec *iov;
	unsigned int cnt;
	size_t off;
};

static void
cursor_settle(struct cursor *cur)
{
	while (cur->cnt != 0 && cur->off == cur->iov->iov_len) {
		cur->iov++;
		cur->cnt--;
		cur->off = 0;
	}
}

static struct cursor
cursor_start(const struct iovec *iov, unsigned int cnt)
{
	struct cursor cur = { .iov = iov, .cnt = cnt };

	cursor_settle(&cur);
	return cur;
}

static uint8_t *
cursor_ptr(const struct cursor *cur)
{
	static uint8_t nothing[1];

	return cur->cnt == 0 ? nothing : (uint8_t *)cur->iov->iov_base + cur->off;
}

/* Bytes in one segment at the cursor, as many as zlib can take. */
static size_t
cursor_len(const struct cursor *cur)
{
	size_t len = cur->cnt == 0 ? 0 : cur->iov->iov_len - cur->off;

	return len < SEGMENT_MAX ? len : SEGMENT_MAX;
}

static void
cursor_advance(struct cursor *cur, size_t n)
{
	cur->off += n;
	cursor_settle(cur);
}

/* True if n more bytes are all that is left. */
static int
cursor_ends_after(const struct cursor *cur, size_t n)
{
	struct cursor next = *cur;

	if (next.cnt != 0)
		cursor_advance(&next, n);
	return next.cnt == 0;
}

/* Deliver what is in the stage; returns true if it is empty afterwards. */
static int
stage_drain(struct zip_codec_stream *stream, struct cursor *dst, struct zip_codec_result *result)
{
	while (stream->stage_pos != stream->stage_end && dst->cnt != 0) {
		size_t n = (size_t)(stream->stage_end - stream->stage_pos);
		size_t room = cursor_len(dst);

		if (n > room)
			n = room;
		memcpy(cursor_ptr(dst), stream->stage + stream->stage_pos, n);
		if (stream->dir == ZIP_CODEC_DECOMPRESS)
			zip_codec_sum_update(&stream->sum, stream->stage + stream->stage_pos, n);
		stream->stage_pos = (uint16_t)(stream->stage_pos + n);
		result->produced += n;
		cursor_advance(dst, n);
	}
	return stream->stage_pos == stream->stage_end;
}

static int
compress_step(struct zip_codec_stream *stream, int flush, struct cursor *src, struct cursor *dst,
		struct zip_codec_result *result, int *done)
{
	z_stream *zlib = &stream->zlib;
	size_t in_len = cursor_len(src);
	int last = cursor_ends_after(src, in_len);
	uint8_t *in = cursor_ptr(src);
	size_t room = cursor_len(dst);
	int direct = room >= DIRECT_MIN;
	size_t out_len = direct ? room - DIRECT_MIN / 2 : STAGE_LEN;
	int ret;

	zlib->next_in = in;
	zlib->avail_in = (uInt)in_len;
	zlib->next_out = direct ? cursor_ptr(dst) : stream->stage;
	zlib->avail_out = (uInt)out_len;
	ret = deflate(zlib, last ? flush : Z_NO_FLUSH);
	if (ret == Z_STREAM_ERROR)
		return -EINVAL; /* another flush after an unfinished FINISH */

	in_len -= zlib->avail_in;
	out_len -= zlib->avail_out;
	zip_codec_sum_update(&stream->sum, in, in_len);
	result->consumed += in_len;
	cursor_advance(src, in_len);
	if (direct) {
		result->produced += out_len;
		cursor_advance(dst, out_len);
	} else {
		stream->stage_pos = 0;
		stream->stage_end = (uint16_t)out_len;
	}

	if (ret == Z_STREAM_END)
		stream->state = STREAM_DRAINING;
	/* Room left over: zlib has nothing more to say about this input. */
	*done = ret == Z_STREAM_END || (last && zlib->avail_in == 0 && zlib->avail_out != 0);
	return 0;
}

static int
compress_run(struct zip_codec_stream *stream, enum zip_codec_flush flush, struct cursor *src,
		struct cursor *dst, struct zip_codec_result *result)
{
	/* A sync flush ends with an empty stored block (U15). */
	static const int zlib_flush[] = {
		[ZIP_CODEC_FLUSH_NONE] = Z_NO_FLUSH,
		[ZIP_CODEC_FLUSH_SYNC] = Z_SYNC_FLUSH,
		[ZIP_CODEC_FLUSH_FULL] = Z_FULL_FLUSH,
		[ZIP_CODEC_FLUSH_FINISH] = Z_FINISH,
		[ZIP_CODEC_FLUSH_BLOCK] = Z_BLOCK,
	};
	int done = 0, empty;

	if (flush > ZIP_CODEC_FLUSH_BLOCK)
		return -EINVAL;

	/* Nothing to do; and zlib would forget that it has just written a marker. */
	if (stream->settled && flush == ZIP_CODEC_FLUSH_NONE && src->cnt == 0)
		return 0;

	empty = stage_drain(stream, dst, result);
	while (empty && !done && stream->state == STREAM_RUNNING) {
		int ret = compress_step(stream, zlib_flush[flush], src, dst, result, &done);

		if (ret != 0)
			return ret;
		empty = stage_drain(stream, dst, result);
	}
	stream->settled = (uint8_t)empty;
	if (!empty) {
		result->pending = 1;
		return -ENOSPC;
	}
	if (stream->state == STREAM_DRAINING) {
		stream->state = STREAM_ENDED;
		result->end = 1;
	}
	return 0;
}

/*
 * inflate() tells that it is between two blocks only in the call that brought it
 * there; as long as nothing moves after that, it is still there.
 */
static void
note_block(struct zip_codec_stream *stream, size_t moved)
{
	if ((stream->zlib.data_type & 128) != 0)
		stream->at_block = 1;
	else if (moved != 0)
		stream->at_block = 0;
}

/* One call of inflate(); returns what it returned. */
static int
decompress_step(struct zip_codec_stream *stream, int flush, struct cursor *src, struct cursor *dst,
		struct zip_codec_result *result)
{
	z_stream *zlib = &stream->zlib;
	size_t in_len = cursor_len(src);
	size_t out_len = cursor_len(dst);
	uint8_t *out = cursor_ptr(dst);
	int ret;

	zlib->next_in = cursor_ptr(src);
	zlib->avail_in = (uInt)in_len;
	zlib->next_out = out;
	zlib->avail_out = (uInt)out_len;
	ret = inflate(zlib, flush);

	in_len -= zlib->avail_in;
	out_len -= zlib->avail_out;
	zip_codec_sum_update(&stream->sum, out, out_len);
	note_block(stream, in_len + out_len);
	result->consumed += in_len;
	result->produced += out_len;
	cursor_advance(src, in_len);
	cursor_advance(dst, out_len);
	return ret;
}

/*
 * Input and output are both used up. Returns true if there is more to come: a
 * byte of it is in the stage then, or inflate() has found that a match reaches
 * too far back, which without room for output it would not have checked yet.
 * That, and what it finds behind the byte, it says again when called for the rest.
 */
static int
decompress_probe(struct zip_codec_stream *stream)
{
	z_stream *zlib = &stream->zlib;
	int ret;

	zlib->next_in = NULL;
	zlib->avail_in = 0;
	zlib->next_out = stream->stage;
	zlib->avail_out = 1;
	ret = inflate(zlib, Z_NO_FLUSH);
	stream->stage_pos = 0;
	stream->stage_end = zlib->avail_out == 0;
	stream->wants_room = stream->stage_end != 0 || (ret != Z_OK && ret != Z_BUF_ERROR);
	note_block(stream, stream->stage_end);
	return stream->wants_room;
}

/* Decompress as far as input and room go; does not set result->last_block. */
static int
decompress_segments(struct zip_codec_stream *stream, int flush, struct cursor *src,
		struct cursor *dst, struct zip_codec_result *result)
{
	int more = stream->wants_room && dst->cnt == 0;

	if (!more) {
		stream->wants_room = 0;
		stage_drain(stream, dst, result);
	}
	while (!more) {
		size_t moved = result->consumed + result->produced;
		int ret = decompress_step(stream, flush, src, dst, result);

		if (ret == Z_STREAM_END) {
			stream->state = STREAM_ENDED;
			result->end = 1;
			return 0;
		}
		if (ret != Z_OK && ret != Z_BUF_ERROR) {
			stream->state = STREAM_DEAD;
			return -EBADMSG;
		}
		if (flush == Z_BLOCK && (stream->zlib.data_type & 128) != 0) {
			if ((stream->zlib.data_type & 64) == 0)
				break;
			continue; /* behind the last block: the end is still to be told */
		}
		if (src->cnt == 0) {
			if (stream->zlib.avail_out != 0)
				break; /* it waits for input */
			if (dst->cnt != 0)
				continue;
			if (!decompress_probe(stream))
				break;
			more = 1;
		} else if (dst->cnt == 0 && moved == result->consumed + result->produced) {
			/* Full, and inflate() has taken all the input it can without writing. */
			more = 1;
		}
	}
	if (more) {
		result->pending = 1;
		return -ENOSPC;
	}
	result->at_block = stream->at_block;
	return 0;
}

static int
decompress_run(struct zip_codec_stream *stream, enum zip_codec_flush flush, struct cursor *src,
		struct cursor *dst, struct zip_codec_result *result)
{
	int ret = decompress_segments(stream, flush == ZIP_CODEC_FLUSH_BLOCK ? Z_BLOCK :
			Z_NO_FLUSH, src, dst, result);

	result->bits = stream->zlib.data_type & 7;
	result->last_block = (stream->zlib.data_type & 64) != 0;
	return ret;
}

int
zip_codec_stream_run(struct zip_codec_stream *stream, enum zip_codec_flush flush,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	struct cursor from = cursor_start(src, src_cnt);
	struct cursor to = cursor_start(dst, dst_cnt);
	int ret;

	*result = (struct zip_codec_result){ 0 };
	if (stream->state == STREAM_ENDED || stream->state == STREAM_DEAD) {
		ret = -EPIPE;
	} else if (stream->dir == ZIP_CODEC_COMPRESS) {
		zip_codec_zlib_effort(&stream->zlib, stream->plan.level,
				zip_codec_iov_len(src, src_cnt));
		ret = compress_run(stream, flush, &from, &to, result);
	} else {
		ret = decompress_run(stream, flush, &from, &to, result);
	}
	zip_codec_sum_report(&stream->sum, result);
	return ret;
}

int
zip_codec_stream_reset(struct zip_codec_stream *stream, const struct zip_codec_params *params)
{
	int ret;

	stream->state = STREAM_DEAD;
	if (params->dict_len != 0)
		return -EINVAL;
	if (stream->dir == ZIP_CODEC_COMPRESS) {
		ret = zip_codec_plan_check(params);
		if (ret != 0)
			return ret;
		stream->plan = zip_codec_plan_stream(params);
		zip_codec_zmem_attach(&stream->mem, &stream->zlib);
		ret = deflateInit2(&stream->zlib, stream->plan.level, Z_DEFLATED,
				-stream->plan.window, ZIP_CODEC_ZLIB_MEM_LEVEL,
				stream->plan.strategy);
	} else {
		if ((params->checksum & ~(ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32)) != 0)
			return -EINVAL;
		zip_codec_zmem_attach(&stream->mem, &stream->zlib);
		ret = inflateInit2(&stream->zlib, -ZIP_CODEC_WINDOW_MAX);
	}
	if (ret != Z_OK)
		return -ENOMEM;
	stream->sum = zip_codec_sum_start(params);
	stream->stage_pos = 0;
	stream->stage_end = 0;
	stream->at_block = 1;
	stream->wants_room = 0;
	stream->settled = 1;
	stream->state = STREAM_RUNNING;
	return 0;
}

int
zip_codec_stream_window(struct zip_codec_stream *stream, unsigned int bits)
{
	if (stream->dir != ZIP_CODEC_DECOMPRESS || bits < ZIP_CODEC_WINDOW_MIN ||
			bits > ZIP_CODEC_WINDOW_MAX)
		return -EINVAL;
	return inflateReset2(&stream->zlib, -(int)bits) == Z_OK ? 0 : -EINVAL;
}

struct zip_codec_stream *
zip_codec_stream_create(enum zip_codec_dir dir, const struct zip_codec_params *params)
{
	struct zip_codec_stream *stream;
	int ret = -ENOMEM;

	if (dir != ZIP_CODEC_COMPRESS && dir != ZIP_CODEC_DECOMPRESS) {
		errno = EINVAL;
		return NULL;
	}
	stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		return NULL;
	stream->dir = (uint8_t)dir;
	stream->mem.size = dir == ZIP_CODEC_COMPRESS ?
		ZIP_CODEC_ZMEM_DEFLATE : ZIP_CODEC_ZMEM_INFLATE;
	stream->mem.base = aligned_alloc(64, stream->mem.size);
	if (stream->mem.base != NULL)
		ret = zip_codec_stream_reset(stream, params);
	if (ret != 0) {
		zip_codec_stream_destroy(stream);
		errno = -ret;
		return NULL;
	}
	return stream;
}

void
zip_codec_stream_destroy(struct zip_codec_stream *stream)
{
	if (stream == NULL)
		return;
	free(stream->mem.base);
	free(stream);
}
