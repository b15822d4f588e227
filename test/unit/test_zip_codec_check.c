/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <zlib.h>

#include "test_zip_codec_util.h"

void
check_sums(struct zip_codec_params *running, const struct zip_codec_result *result,
		const uint8_t *data, size_t len)
{
	if (len != 0 && (running->checksum & ZIP_CODEC_CRC32) != 0)
		running->crc32 = (uint32_t)crc32_z(running->crc32, data, len);
	if (len != 0 && (running->checksum & ZIP_CODEC_ADLER32) != 0)
		running->adler32 = (uint32_t)adler32_z(running->adler32, data, len);
	assert_int_equal(result->crc32, running->crc32);
	assert_int_equal(result->adler32, running->adler32);
}
