/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include "zip_codec_checksum.h"
#include "zip_codec_internal.h"
#include "zip_codec_iov.h"

/*
 * DEFLATE with a dictionary: zlib, as it is the one of the three that can be
 * given one in both directions, in one call and without an allocation. It
 * copies the dictionary, and its input, into its window before it reads them.
 */

static size_t
dict_deflate(struct zip_codec *codec, const struct zip_codec_params *params, const uint8_t *src,
		size_t len, uint8_t *dst, size_t cap)
{
	const struct zip_codec_plan plan = zip_codec_plan_stream(params);
	z_stream *zlib = &codec->zlib;
	uint8_t more;
	int ret;

	if (zip_codec_zlib_start(codec, &plan, len) != Z_OK ||
			deflateSetDictionary(zlib, params->dict, params->dict_len) != Z_OK)
		return 0;
	zlib->next_in = (uint8_t *)(uintptr_t)src;
	zlib->avail_in = (uInt)len;
	zlib->next_out = dst;
	zlib->avail_out = (uInt)cap;
	ret = deflate(zlib, Z_FINISH);
	if (ret == Z_STREAM_END)
		return cap - zlib->avail_out;
	/* When its end and that of its room come together, zlib sees only the room's. */
	zlib->next_out = &more;
	zlib->avail_out = 1;
	return deflate(zlib, Z_FINISH) == Z_STREAM_END && zlib->avail_out == 1 ? cap : 0;
}

int
zip_codec_dict_deflate(struct zip_codec *codec, const struct zip_codec_params *params,
		enum zip_codec_flush flush, const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt, struct zip_codec_result *result)
{
	const struct zip_codec_plan stored_plan = { .backend = ZIP_CODEC_BACKEND_STORED };
	struct zip_codec_sum sum = zip_codec_sum_start(params);
	size_t len = zip_codec_iov_len(src, src_cnt), cap = zip_codec_iov_len(dst, dst_cnt);
	size_t stored, n = 0;
	uint8_t *in, *out;
	int ret;

	/* What follows a piece would need the piece for its dictionary, not params->dict. */
	if (zip_codec_plan_check(params) != 0 || flush != ZIP_CODEC_FLUSH_FINISH ||
			params->dict_len > ZIP_CODEC_DICT_MAX)
		return -EINVAL;
	ret = zip_codec_scratch_room(codec, len);
	if (ret != 0)
		return ret;

	in = zip_codec_iov_linear(src, src_cnt, len);
	if (in == NULL) {
		in = codec->src_scratch;
		zip_codec_iov_gather(src, src_cnt, in, NULL);
	}
	out = zip_codec_iov_linear(dst, dst_cnt, cap);
	if (out == NULL)
		out = codec->dst_scratch;
	/* The scratch holds the output of any input; to offer more is of no use. */
	if (cap > codec->dst_scratch_len)
		cap = codec->dst_scratch_len;

	stored = zip_codec_stored_size(len);
	if (cap != 0 && params->level != 0)
		n = dict_deflate(codec, params, in, len, out, cap);
	if ((n == 0 || n > stored) && stored <= cap)
		n = zip_codec_backend_run(codec, &stored_plan, 1, in, len, out, cap);
	if (n == 0)
		return -ENOSPC;
	zip_codec_sum_update(&sum, in, len);
	zip_codec_sum_report(&sum, result);
	if (out == codec->dst_scratch)
		zip_codec_iov_scatter(dst, dst_cnt, out, n);
	result->consumed = len;
	result->produced = n;
	return 0;
}

int
zip_codec_dict_inflate(struct zip_codec *codec, const struct zip_codec_params *params,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap,
		size_t *consumed, size_t *produced)
{
	z_stream *zlib = &codec->zlib_inflate;
	int ret;

	if (params->dict_len > ZIP_CODEC_DICT_MAX)
		return -EINVAL;
	if (zlib->state == Z_NULL) {
		zip_codec_zmem_attach(&codec->zlib_inflate_mem, zlib);
		ret = inflateInit2(zlib, -ZIP_CODEC_WINDOW_MAX);
	} else {
		ret = inflateReset(zlib);
	}
	if (ret != Z_OK || inflateSetDictionary(zlib, params->dict, params->dict_len) != Z_OK)
		return -ENOMEM;
	zlib->next_in = (uint8_t *)(uintptr_t)src;
	zlib->avail_in = (uInt)len;
	zlib->next_out = dst;
	zlib->avail_out = (uInt)cap;
	ret = inflate(zlib, Z_FINISH);
	if (ret == Z_BUF_ERROR && zlib->avail_out == 0)
		return -ENOSPC;
	if (ret != Z_STREAM_END)
		return -EBADMSG;
	*consumed = len - zlib->avail_in;
	*produced = cap - zlib->avail_out;
	return 0;
}
