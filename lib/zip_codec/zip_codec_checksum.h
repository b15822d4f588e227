/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_CODEC_CHECKSUM_H
#define ZIP_CODEC_CHECKSUM_H

/**
 * @file
 * Running CRC-32 and Adler-32 of uncompressed data.
 */

#include <stddef.h>
#include <stdint.h>

#include "zip_codec.h"

/**
 * Bytes that are worth handling in one go when memory is passed over twice
 * (copy and checksum, two checksums): they are still in the level 1 cache
 * when the second pass comes.
 */
#define ZIP_CODEC_HOT_BYTES ((size_t)16 << 10)

/** The checksums of one call or stream, and which of them are wanted. */
struct zip_codec_sum {
	uint32_t crc32;
	uint32_t adler32;
	unsigned int wanted; /**< ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32, or 0. */
};

/** Start from the values in params. */
static inline struct zip_codec_sum
zip_codec_sum_start(const struct zip_codec_params *params)
{
	return (struct zip_codec_sum){
		.crc32 = params->crc32,
		.adler32 = params->adler32,
		.wanted = params->checksum,
	};
}

/** Run the wanted checksums over len bytes. */
void zip_codec_sum_update(struct zip_codec_sum *sum, const uint8_t *data, size_t len);

/** Put the checksums where the caller finds them. */
static inline void
zip_codec_sum_report(const struct zip_codec_sum *sum, struct zip_codec_result *result)
{
	result->crc32 = sum->crc32;
	result->adler32 = sum->adler32;
}

#endif /* ZIP_CODEC_CHECKSUM_H */
