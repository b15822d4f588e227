/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_CODEC_IOV_H
#define ZIP_CODEC_IOV_H

/**
 * @file
 * Bytes that lie in several segments: measure, gather, scatter.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "zip_codec_checksum.h"

/** Sum of all lengths; SIZE_MAX if it does not fit in a size_t. */
size_t zip_codec_iov_len(const struct iovec *iov, unsigned int cnt);

/**
 * Where the bytes lie if all of them lie in one segment.
 *
 * @param len
 *   The sum of all lengths.
 * @return
 *   Their address, or NULL if they are spread over several segments. A valid
 *   address (of no byte) for len 0.
 */
uint8_t *zip_codec_iov_linear(const struct iovec *iov, unsigned int cnt, size_t len);

/**
 * Copy all the bytes to to.
 *
 * @param sum
 *   If not NULL, is run over the bytes as they were copied.
 */
void zip_codec_iov_gather(const struct iovec *iov, unsigned int cnt, uint8_t *to,
		struct zip_codec_sum *sum);

/** Fill the segments in order with len bytes; there must be room for them. */
void zip_codec_iov_scatter(const struct iovec *iov, unsigned int cnt, const uint8_t *from,
		size_t len);

#endif /* ZIP_CODEC_IOV_H */
