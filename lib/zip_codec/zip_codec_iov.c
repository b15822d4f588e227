/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "zip_codec_iov.h"

size_t
zip_codec_iov_len(const struct iovec *iov, unsigned int cnt)
{
	size_t len = 0;

	for (unsigned int i = 0; i < cnt; i++) {
		if (iov[i].iov_len > SIZE_MAX - len)
			return SIZE_MAX;
		len += iov[i].iov_len;
	}
	return len;
}

uint8_t *
zip_codec_iov_linear(const struct iovec *iov, unsigned int cnt, size_t len)
{
	static uint8_t nothing[1];

	if (len == 0)
		return nothing;
	for (unsigned int i = 0; i < cnt; i++) {
		if (iov[i].iov_len == len)
			return iov[i].iov_base;
		if (iov[i].iov_len != 0)
			break;
	}
	return NULL;
}

void
zip_codec_iov_gather(const struct iovec *iov, unsigned int cnt, uint8_t *to,
		struct zip_codec_sum *sum)
{
	for (unsigned int i = 0; i < cnt; i++) {
		const uint8_t *from = iov[i].iov_base;
		size_t left = iov[i].iov_len;

		while (left != 0) {
			size_t n = left;

			if (sum != NULL && sum->wanted != 0 && n > ZIP_CODEC_HOT_BYTES)
				n = ZIP_CODEC_HOT_BYTES;
			memcpy(to, from, n);
			/* Over the copy: the original may have changed meanwhile. */
			if (sum != NULL)
				zip_codec_sum_update(sum, to, n);
			to += n;
			from += n;
			left -= n;
		}
	}
}

void
zip_codec_iov_scatter(const struct iovec *iov, unsigned int cnt, const uint8_t *from, size_t len)
{
	for (unsigned int i = 0; i < cnt && len != 0; i++) {
		size_t n = iov[i].iov_len < len ? iov[i].iov_len : len;

		if (n == 0)
			continue;
		memcpy(iov[i].iov_base, from, n);
		from += n;
		len -= n;
	}
}
