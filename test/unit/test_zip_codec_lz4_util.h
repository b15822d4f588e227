/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_ZIP_CODEC_LZ4_UTIL_H
#define TEST_ZIP_CODEC_LZ4_UTIL_H

/** @file What the tests of LZ4 frames share: a codec, memory, and calls of one segment each. */

#include "test_zip_codec_util.h"

/** Room for the frame of any len bytes. */
#define LZ4_ROOM(len) ((len) + (len) / 8 + 4096)

extern struct zip_codec *codec;
extern uint8_t *plain;  /**< len_max bytes. */
extern uint8_t *packed; /**< LZ4_ROOM(len_max) bytes, as much as the codec takes. */
extern uint8_t *back;   /**< As many. */

/** @return 0, or what cmocka takes for a failed set-up. */
int lz4_open(size_t len_max);
/** cmocka's teardown. */
int lz4_close(void **state);

/** The first len bytes of plain to packed. */
int lz4_compress(const struct zip_codec_params *params, size_t len, size_t cap,
		struct zip_codec_result *r);
int lz4_decompress(const struct zip_codec_params *params, const uint8_t *src, size_t len,
		uint8_t *dst, size_t cap, struct zip_codec_result *r);

#endif /* TEST_ZIP_CODEC_LZ4_UTIL_H */
