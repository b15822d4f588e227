/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "test_zip_codec_lz4_util.h"

#include <stdlib.h>

struct zip_codec *codec;
uint8_t *plain, *packed, *back;

int
lz4_open(size_t len_max)
{
	codec = zip_codec_create(LZ4_ROOM(len_max));
	plain = malloc(len_max);
	packed = malloc(LZ4_ROOM(len_max));
	back = malloc(LZ4_ROOM(len_max));
	return codec == NULL || plain == NULL || packed == NULL || back == NULL;
}

int
lz4_close(void **state)
{
	(void)state;
	zip_codec_destroy(codec);
	free(plain);
	free(packed);
	free(back);
	return 0;
}

int
lz4_compress(const struct zip_codec_params *params, size_t len, size_t cap,
		struct zip_codec_result *r)
{
	struct iovec in = { .iov_base = plain, .iov_len = len };
	struct iovec out = { .iov_base = packed, .iov_len = cap };

	return zip_codec_lz4_compress(codec, params, &in, 1, &out, 1, r);
}

int
lz4_decompress(const struct zip_codec_params *params, const uint8_t *src, size_t len,
		uint8_t *dst, size_t cap, struct zip_codec_result *r)
{
	/* As an iovec has it; the source is not written. */
	struct iovec in = { .iov_base = (void *)(uintptr_t)src, .iov_len = len };
	struct iovec out = { .iov_base = dst, .iov_len = cap };

	return zip_codec_lz4_decompress(codec, params, &in, 1, &out, 1, r);
}
