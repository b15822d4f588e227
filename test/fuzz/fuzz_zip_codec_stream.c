/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Streams. Decompression beside zlib, call by call; compression must give what
 * zlib inflates back.
 *
 * Input: a byte of direction, 3 bytes of parameters, a byte n, n calls of 3
 * bytes (flush, input, room for output; sizes squared), the rest is the data.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "fuzz_util.h"
#include "test_zip_codec_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 5
#define LEN_MAX ((size_t)1 << 16)
#define ROOM (LEN_MAX * 4)

struct call {
	uint8_t flush;
	uint8_t feed;
	uint8_t room;
};

static size_t
size_of(uint8_t byte, size_t max)
{
	size_t size = (size_t)byte * byte;

	return size < max ? size : max;
}

static void
stream_start(struct zip_codec_stream **stream, enum zip_codec_dir dir,
		const struct zip_codec_params *params)
{
	if (*stream == NULL)
		*stream = zip_codec_stream_create(dir, params);
	require(*stream != NULL && zip_codec_stream_reset(*stream, params) == 0);
}

static void
fuzz_compress(const struct zip_codec_params *params, const struct call *calls, unsigned int n,
		uint8_t *src, size_t len)
{
	static uint8_t packed[ROOM], back[LEN_MAX];
	static struct zip_codec_stream *stream;
	struct zip_codec_result result;
	size_t fed = 0, at = 0, consumed, produced;
	struct blocks blocks;
	int ret = 0;

	stream_start(&stream, ZIP_CODEC_COMPRESS, params);
	for (unsigned int i = 0; i <= n; i++) {
		enum zip_codec_flush flush = i == n ? ZIP_CODEC_FLUSH_FINISH : calls[i].flush % 3;
		size_t feed = i == n ? len - fed : size_of(calls[i].feed, len - fed);
		size_t room = i == n ? ROOM : size_of(calls[i].room, ROOM) + 1;
		unsigned int again = 0;

		do {
			struct iovec in = { .iov_base = src + fed, .iov_len = feed };
			struct iovec out = { .iov_base = packed + at, .iov_len = room };

			if (out.iov_len > ROOM - at)
				out.iov_len = ROOM - at;
			ret = zip_codec_stream_run(stream, flush, &in, 1, &out, 1, &result);
			require(ret == 0 || ret == -ENOSPC);
			require(result.consumed <= feed && result.produced <= out.iov_len);
			fed += result.consumed;
			feed -= result.consumed;
			at += result.produced;
			require(++again < 4 * LEN_MAX);
		} while (ret == -ENOSPC);
		require(feed == 0);
	}
	require(result.end && fed == len);

	require(blocks_parse(packed, at, &blocks) == 0 && blocks.final);
	require(blocks.max_distance <= (size_t)1 << params->window);
	require(judge_inflate(packed, at, back, LEN_MAX, &consumed, &produced) == Z_STREAM_END);
	require(produced == len && memcmp(back, src, len) == 0);
	require(result.crc32 == crc32(0, src, (uInt)len));
}

static void
fuzz_decompress(const struct zip_codec_params *params, const struct call *calls, unsigned int n,
		uint8_t *src, size_t len)
{
	static uint8_t ours[ROOM], theirs[ROOM];
	static struct zip_codec_stream *stream;
	size_t fed = 0, at = 0;
	z_stream zlib;

	stream_start(&stream, ZIP_CODEC_DECOMPRESS, params);
	memset(&zlib, 0, sizeof(zlib));
	require(inflateInit2(&zlib, -15) == Z_OK);
	for (unsigned int i = 0; i < n; i++) {
		size_t feed = size_of(calls[i].feed, len - fed);
		size_t room = size_of(calls[i].room, ROOM - at);
		struct iovec in[2] = {
			{ .iov_base = src + fed, .iov_len = feed / 3 },
			{ .iov_base = src + fed + feed / 3, .iov_len = feed - feed / 3 },
		};
		struct iovec out = { .iov_base = ours + at, .iov_len = room };
		struct zip_codec_result result;
		int ret = zip_codec_stream_run(stream, calls[i].flush % 4, in, 2, &out, 1, &result);
		int expected;

		zlib.next_in = src + fed;
		zlib.avail_in = (uInt)feed;
		zlib.next_out = theirs + at;
		zlib.avail_out = (uInt)room;
		expected = inflate(&zlib, Z_NO_FLUSH);
		require(result.consumed == feed - zlib.avail_in);
		require(result.produced == room - zlib.avail_out);
		require(memcmp(ours + at, theirs + at, result.produced) == 0);
		require(result.end == (expected == Z_STREAM_END));
		require((ret == -EBADMSG) == (expected == Z_DATA_ERROR));
		fed += result.consumed;
		at += result.produced;
		if (result.end || ret == -EBADMSG)
			break;
	}
	inflateEnd(&zlib);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zip_codec_params params = { .checksum = 3, .adler32 = 1 };
	const struct call *calls;
	struct guarded src;
	size_t head;

	if (size < HEAD || size > LEN_MAX)
		return -1;
	head = HEAD + sizeof(*calls) * data[4];
	if (size < head)
		return -1;
	params.level = data[1] % 10;
	params.huffman = data[2] % 3;
	params.window = 8 + data[3] % 8;
	calls = (const struct call *)(data + HEAD);
	src = guarded_alloc(size - head, GUARD_AFTER);
	if (src.len != 0)
		memcpy(src.data, data + head, src.len);
	if (data[0] & 1)
		fuzz_compress(&params, calls, data[4], src.data, src.len);
	else
		fuzz_decompress(&params, calls, data[4], src.data, src.len);
	guarded_free(&src);
	return 0;
}
