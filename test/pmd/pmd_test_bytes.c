/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "pmd_test.h"

struct bytes
bytes_alloc(size_t len)
{
	struct bytes b = { .data = malloc(len + 1), .len = len };

	PMD_CHECK(b.data != NULL, "no memory for %zu bytes", len);
	return b;
}

struct bytes
bytes_random(struct rng *rng, size_t len)
{
	struct bytes b = bytes_alloc(len);

	data_fill(b.data, len, (enum data_kind)rng_below(rng, DATA_KINDS), rng_next(rng) | 1);
	return b;
}

struct bytes
bytes_deflate(const uint8_t *data, size_t len, int level, int window)
{
	z_stream z = { 0 };
	struct bytes b;
	int ret;

	ret = deflateInit2(&z, level, Z_DEFLATED, window == 8 ? -9 : -window, 8,
		Z_DEFAULT_STRATEGY);
	PMD_CHECK(ret == Z_OK, "deflateInit2(level %d, window %d) returned %d", level, window, ret);
	/* deflateBound() of 1.2.13 is too small for some windows. */
	b = bytes_alloc(len + len / 4 + 1000);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = b.data;
	z.avail_out = (uInt)b.len;
	ret = deflate(&z, Z_FINISH);
	PMD_CHECK(ret == Z_STREAM_END, "deflate returned %d", ret);
	b.len = z.total_out;
	deflateEnd(&z);
	return b;
}

void
bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

void
bytes_append(struct bytes *b, const uint8_t *data, size_t len)
{
	b->data = realloc(b->data, b->len + len + 1);
	PMD_CHECK(b->data != NULL, "no memory for %zu bytes", b->len + len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

size_t
pmd_random_len(struct rng *rng, size_t max)
{
	switch (rng_below(rng, 10)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
	case 3:
	case 4:
		return rng_below(rng, RTE_MIN(max, (size_t)300) + 1);
	case 5:
	case 6:
	case 7:
	case 8:
		return rng_below(rng, RTE_MIN(max, (size_t)20000) + 1);
	default:
		return rng_below(rng, max + 1);
	}
}

uint64_t
pmd_chksum(enum rte_comp_checksum_type type, uint64_t prev, const uint8_t *data, size_t len)
{
	uint32_t adler_in = (uint32_t)(type == RTE_COMP_CHECKSUM_ADLER32 ? prev : prev >> 32);
	uint32_t crc = (uint32_t)crc32_z((uint32_t)prev, data, len);
	uint32_t adler = (uint32_t)adler32_z(adler_in != 0 ? adler_in : 1, data, len);

	switch (type) {
	case RTE_COMP_CHECKSUM_CRC32:
		return crc;
	case RTE_COMP_CHECKSUM_ADLER32:
		return adler;
	case RTE_COMP_CHECKSUM_CRC32_ADLER32:
		return (uint64_t)adler << 32 | crc;
	default:
		return 0;
	}
}
