/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include "zip_codec_checksum.h"
#include "zip_codec_internal.h"
#include "zip_codec_iov.h"

/*
 * libdeflate keeps the decoding tables of the fixed codes from one call to the
 * next, until a block with dynamic codes overwrites them. To build them takes a
 * fifth as long as to inflate 4 KiB, so streams that start with a fixed block
 * have a decompressor of their own.
 */
static struct libdeflate_decompressor *
pick_decompressor(const struct zip_codec *codec, const uint8_t *src)
{
	const unsigned int btype_fixed = 1;

	return ((*src >> 1) & 3) == btype_fixed ? codec->inflate_fixed : codec->inflate_any;
}

/*
 * Input that changes meanwhile: libdeflate checks every write against the end
 * of dst and every distance against its start, by what it keeps in registers,
 * and masks every index into its tables; so bits that change make wrong output
 * and nothing else.
 */
int
zip_codec_inflate(struct zip_codec *codec, const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	struct zip_codec_sum sum = zip_codec_sum_start(params);
	size_t len, cap, consumed, produced;
	enum libdeflate_result done;
	const uint8_t *in;
	uint8_t *out;
	int ret;

	*result = (struct zip_codec_result){
		.crc32 = params->crc32,
		.adler32 = params->adler32,
	};
	if ((params->checksum & ~(ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32)) != 0)
		return -EINVAL;
	len = zip_codec_iov_len(src, src_cnt);
	cap = zip_codec_iov_len(dst, dst_cnt);
	ret = zip_codec_scratch_room(codec, len > cap ? len : cap);
	if (ret != 0)
		return ret;
	if (len == 0)
		return -EBADMSG;

	in = zip_codec_iov_linear(src, src_cnt, len);
	if (in == NULL) {
		zip_codec_iov_gather(src, src_cnt, codec->src_scratch, NULL);
		in = codec->src_scratch;
	}
	out = zip_codec_iov_linear(dst, dst_cnt, cap);
	if (out == NULL)
		out = codec->dst_scratch;

	if (params->dict_len != 0) {
		ret = zip_codec_dict_inflate(codec, params, in, len, out, cap, &consumed,
				&produced);
		if (ret != 0)
			return ret;
	} else {
		done = libdeflate_deflate_decompress_ex(pick_decompressor(codec, in), in, len, out,
				cap, &consumed, &produced);
		if (done == LIBDEFLATE_INSUFFICIENT_SPACE)
			return -ENOSPC;
		if (done != LIBDEFLATE_SUCCESS)
			return -EBADMSG;
	}

	/* Of the bytes just written, while they are in the cache. */
	zip_codec_sum_update(&sum, out, produced);
	zip_codec_sum_report(&sum, result);
	if (out == codec->dst_scratch)
		zip_codec_iov_scatter(dst, dst_cnt, out, produced);
	result->consumed = consumed;
	result->produced = produced;
	result->end = 1;
	return 0;
}
