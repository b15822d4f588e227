/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_ZIP_CODEC_UTIL_H
#define TEST_ZIP_CODEC_UTIL_H

/**
 * @file
 * What the tests of zip_codec share: reproducible data, memory with guard
 * pages, ways to cut it into pieces, zlib as the judge, and a block parser that
 * knows DEFLATE from RFC 1951 and no library.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "fewer.h"
#include "zip_codec.h"

/** A small generator (xorshift), so that a failure can be had again from its seed. */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *rng);
/** A number below n; n is not 0. */
size_t rng_below(struct rng *rng, size_t n);

enum data_kind {
	DATA_TEXT,   /**< Words of a small vocabulary. */
	DATA_BINARY, /**< Records with a few changing fields. */
	DATA_NOISE7, /**< 128 different symbols, no matches: 7 bits to a byte. */
	DATA_NOISE8, /**< Incompressible. */
	DATA_ZERO,
	DATA_FF,     /**< ISA-L has a ready-made answer to 00 and ff. */
	DATA_FAR,    /**< Repeats at all distances up to 40,000. */
	DATA_KINDS,
};

void data_fill(uint8_t *data, size_t len, enum data_kind kind, uint64_t seed);

/** Memory whose first or last byte touches a page that may not be touched. */
struct guarded {
	uint8_t *data;
	size_t len;
	void *map;
	size_t map_len;
};

enum guard_side {
	GUARD_AFTER,
	GUARD_BEFORE,
};

struct guarded guarded_alloc(size_t len, enum guard_side side);
void guarded_free(struct guarded *mem);

#define PIECES_MAX 64

/** Cut len bytes into up to PIECES_MAX pieces, empty ones among them; returns how many. */
unsigned int cut(struct rng *rng, uint8_t *data, size_t len, struct iovec *iov);

/**
 * Assert (in a cmocka test) the checksums of a call: running holds those before it, data are the
 * uncompressed bytes it handled; running is moved on.
 */
void check_sums(struct zip_codec_params *running, const struct zip_codec_result *result,
		const uint8_t *data, size_t len);

/** zlib's verdict over a complete raw stream: Z_STREAM_END or what went wrong. */
int judge_inflate(const uint8_t *src, size_t len, uint8_t *dst, size_t cap,
		size_t *consumed, size_t *produced);

struct z_stream_s; /* zlib.h */

/** Let zlib try as many matches as the codec lets it in a call of len bytes, as documented. */
void tune_as_codec(struct z_stream_s *zlib, int level, size_t len);

/** What a piece of raw DEFLATE is made of. */
struct blocks {
	unsigned int stored;
	unsigned int fixed;
	unsigned int dynamic;
	size_t max_distance; /**< 0 if there is no match. */
	size_t len;          /**< Bytes it stands for. */
	int final;           /**< It ended with BFINAL. */
};

/**
 * Take a piece of raw DEFLATE apart, up to BFINAL or to the end of src at the
 * end of a block.
 *
 * @return 0, or -1 if it is not valid.
 */
int blocks_parse(const uint8_t *src, size_t len, struct blocks *blocks);

#endif /* TEST_ZIP_CODEC_UTIL_H */
