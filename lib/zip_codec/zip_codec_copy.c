/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include "zip_codec_checksum.h"

int
zip_codec_copy(const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	struct zip_codec_sum sum = zip_codec_sum_start(params);
	size_t src_off = 0, dst_off = 0, copied = 0;
	int ret = 0;

	for (;;) {
		const uint8_t *from;
		uint8_t *to;
		size_t n;

		while (src_cnt != 0 && src_off == src->iov_len) {
			src++;
			src_cnt--;
			src_off = 0;
		}
		while (dst_cnt != 0 && dst_off == dst->iov_len) {
			dst++;
			dst_cnt--;
			dst_off = 0;
		}
		if (src_cnt == 0)
			break;
		if (dst_cnt == 0) {
			ret = -ENOSPC;
			break;
		}
		n = src->iov_len - src_off;
		if (n > dst->iov_len - dst_off)
			n = dst->iov_len - dst_off;
		if (sum.wanted != 0 && n > ZIP_CODEC_HOT_BYTES)
			n = ZIP_CODEC_HOT_BYTES;
		from = (const uint8_t *)src->iov_base + src_off;
		to = (uint8_t *)dst->iov_base + dst_off;
		memcpy(to, from, n);
		zip_codec_sum_update(&sum, to, n);
		src_off += n;
		dst_off += n;
		copied += n;
	}

	*result = (struct zip_codec_result){ .consumed = copied, .produced = copied };
	zip_codec_sum_report(&sum, result);
	return ret;
}
