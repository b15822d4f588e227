/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * One-shot decompression beside zlib: what zlib finds valid must be the same
 * with us. The other way round libdeflate is more generous, see
 * test_zip_codec_mutate.c.
 *
 * Input: 2 bytes room for the output, little endian; the rest is the stream.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "fuzz_util.h"
#include "test_zip_codec_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM ((size_t)1 << 16)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t theirs[ROOM];
	static struct zip_codec *codec;
	struct zip_codec_params params = { .checksum = 3, .adler32 = 1 };
	struct zip_codec_result result;
	struct guarded src, dst;
	size_t consumed, produced;
	struct blocks blocks;
	struct iovec in, out;
	int ret, verdict;

	if (codec == NULL)
		codec = zip_codec_create(ROOM * 2);
	if (size < 2 || size - 2 > ROOM)
		return -1;
	dst = guarded_alloc((size_t)(data[0] | data[1] << 8), GUARD_AFTER);
	src = guarded_alloc(size - 2, GUARD_AFTER);
	if (size > 2)
		memcpy(src.data, data + 2, size - 2);
	in = (struct iovec){ .iov_base = src.data, .iov_len = src.len };
	out = (struct iovec){ .iov_base = dst.data, .iov_len = dst.len };

	ret = zip_codec_inflate(codec, &params, &in, 1, &out, 1, &result);
	verdict = judge_inflate(src.data, src.len, theirs, dst.len, &consumed, &produced);
	require(ret == 0 || ret == -ENOSPC || ret == -EBADMSG);
	require(result.produced <= dst.len && result.consumed <= src.len);
	/* The libraries are not instrumented: our parser leads the fuzzer through the format. */
	if (blocks_parse(src.data, src.len, &blocks) == 0 && blocks.final &&
			blocks.len <= dst.len)
		require(verdict == Z_STREAM_END && produced == blocks.len);
	if (verdict == Z_STREAM_END) {
		require(ret == 0 && result.consumed == consumed && result.produced == produced);
		require(memcmp(dst.data, theirs, produced) == 0);
		require(result.crc32 == crc32(0, theirs, (uInt)produced));
		require(result.adler32 == adler32(1, theirs, (uInt)produced));
	} else if (ret == 0) {
		/* Generous to broken codes, never to a stream that is cut off or does not fit. */
		require(verdict == Z_DATA_ERROR);
	}
	guarded_free(&src);
	guarded_free(&dst);
	return 0;
}
