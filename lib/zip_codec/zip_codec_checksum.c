/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <isa-l/crc.h>
#include <libdeflate.h>

#include "zip_codec_checksum.h"

/*
 * ISA-L has the faster CRC-32, libdeflate the faster Adler-32 (and ISA-L's
 * before 2.31 reads past the end of its input on arm64).
 */
static void
sum_chunk(struct zip_codec_sum *sum, const uint8_t *data, size_t len)
{
	if (sum->wanted & ZIP_CODEC_CRC32)
		sum->crc32 = crc32_gzip_refl(sum->crc32, data, len);
	if (sum->wanted & ZIP_CODEC_ADLER32)
		sum->adler32 = libdeflate_adler32(sum->adler32, data, len);
}

void
zip_codec_sum_update(struct zip_codec_sum *sum, const uint8_t *data, size_t len)
{
	if (sum->wanted == 0)
		return;
	while (len > ZIP_CODEC_HOT_BYTES) {
		sum_chunk(sum, data, ZIP_CODEC_HOT_BYTES);
		data += ZIP_CODEC_HOT_BYTES;
		len -= ZIP_CODEC_HOT_BYTES;
	}
	/* An empty chunk may come with a NULL pointer, which both libraries read as "start". */
	if (len != 0)
		sum_chunk(sum, data, len);
}
