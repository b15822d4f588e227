/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * One-shot compression: what comes out must be DEFLATE that keeps to what was
 * asked for (block kinds, distances), and zlib must give the input back.
 *
 * Input: 4 bytes of parameters, 2 bytes room for the output (little endian);
 * the rest is compressed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "fuzz_util.h"
#include "test_zip_codec_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 6
#define LEN_MAX ((size_t)1 << 17)

/* The pieces of a partial or unfinished compression end where another may begin. */
static void
check(const struct zip_codec_params *params, const struct zip_codec_result *result,
		const uint8_t *src, uint8_t *dst, int final)
{
	static uint8_t back[LEN_MAX];
	struct blocks blocks;
	z_stream zlib;

	require(blocks_parse(dst, result->produced, &blocks) == 0);
	require(blocks.final == final && blocks.len == result->consumed);
	require(blocks.max_distance <= (size_t)1 << params->window);
	require(params->level != 0 || (blocks.fixed == 0 && blocks.dynamic == 0));
	require(params->huffman != ZIP_CODEC_HUFFMAN_FIXED || blocks.dynamic == 0);

	memset(&zlib, 0, sizeof(zlib));
	require(inflateInit2(&zlib, -15) == Z_OK);
	zlib.next_in = dst;
	zlib.avail_in = (uInt)result->produced;
	zlib.next_out = back;
	zlib.avail_out = LEN_MAX;
	require(inflate(&zlib, Z_SYNC_FLUSH) == (final ? Z_STREAM_END : Z_OK));
	require(zlib.avail_in == 0 && LEN_MAX - zlib.avail_out == result->consumed);
	require(memcmp(back, src, result->consumed) == 0);
	inflateEnd(&zlib);
	require(result->crc32 == crc32(0, src, (uInt)result->consumed));
	require(result->adler32 == adler32(1, src, (uInt)result->consumed));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zip_codec *codec;
	struct zip_codec_params params = { .checksum = 3, .adler32 = 1 };
	struct zip_codec_result result;
	enum zip_codec_flush flush;
	struct guarded src, dst;
	struct iovec in[2], out;
	size_t split;
	int ret;

	if (codec == NULL)
		codec = zip_codec_create(LEN_MAX);
	if (size < HEAD || size - HEAD > LEN_MAX)
		return -1;
	params.level = data[0] % 10;
	params.huffman = data[1] % 3;
	params.window = 8 + data[2] % 8;
	flush = ZIP_CODEC_FLUSH_SYNC + data[3] % 3;
	dst = guarded_alloc((size_t)(data[4] | data[5] << 8), GUARD_AFTER);
	src = guarded_alloc(size - HEAD, GUARD_AFTER);
	if (src.len != 0)
		memcpy(src.data, data + HEAD, src.len);
	split = data[3] & 0x40 ? src.len / 3 : 0;
	in[0] = (struct iovec){ .iov_base = src.data, .iov_len = split };
	in[1] = (struct iovec){ .iov_base = src.data + split, .iov_len = src.len - split };
	out = (struct iovec){ .iov_base = dst.data, .iov_len = dst.len };

	ret = zip_codec_deflate(codec, &params, flush, data[3] & 0x80, in, 2, &out, 1, &result);
	require(result.produced <= dst.len && result.consumed <= src.len);
	if (ret == 0) {
		require(result.consumed == src.len);
		check(&params, &result, src.data, dst.data, flush == ZIP_CODEC_FLUSH_FINISH);
	} else {
		require(ret == -ENOSPC);
		if (result.produced != 0) {
			require((data[3] & 0x80) != 0 && result.consumed != 0);
			check(&params, &result, src.data, dst.data, 0);
		} else {
			require(result.consumed == 0);
		}
	}
	guarded_free(&src);
	guarded_free(&dst);
	return 0;
}
