/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_CODEC_INTERNAL_H
#define ZIP_CODEC_INTERNAL_H

/**
 * @file
 * What the parts of the one-shot codec share: its backends and its scratch memory.
 */

#include <stddef.h>
#include <stdint.h>

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <lz4.h>
#include <lz4hc.h>
#include <zlib.h>

#include "zip_codec.h"
#include "zip_codec_plan.h"
#include "zip_codec_zmem.h"

/** Highest libdeflate level that a plan may ask for. */
#define ZIP_CODEC_LIBDEFLATE_LEVEL_MAX 9

struct zip_codec {
	size_t max_len;
	size_t scratch_len; /**< Longest call that the scratches can take without growing. */
	/** scratch_len bytes: chained input gathered, or a snapshot of input. */
	uint8_t *src_scratch;
	/** dst_scratch_len bytes: output that is still to be copied. */
	uint8_t *dst_scratch;
	size_t dst_scratch_len; /**< zip_codec_deflate_bound(scratch_len). */

	/** Inflates streams whose first block has fixed codes; see zip_codec_inflate.c. */
	struct libdeflate_decompressor *inflate_fixed;
	struct libdeflate_decompressor *inflate_any; /**< Inflates all others. */

	/** Indexed by level; [0] is not used. */
	struct libdeflate_compressor *libdeflate[ZIP_CODEC_LIBDEFLATE_LEVEL_MAX + 1];

	struct isal_zstream *isal;
	uint8_t *isal_level_buf; /**< ISAL_DEF_LVL3_DEFAULT bytes, enough for every level. */

	z_stream zlib;
	/** What zlib is set up for; only valid if zlib_ready. */
	struct zip_codec_plan zlib_plan;
	uint8_t zlib_ready;
	struct zip_codec_zmem zlib_mem;

	z_stream zlib_inflate; /**< For dictionaries; state Z_NULL until one came. */
	struct zip_codec_zmem zlib_inflate_mem;

	LZ4_stream_t *lz4;     /**< Fast levels. */
	LZ4_streamHC_t *lz4hc; /**< The others. */
	uint8_t lz4_ready;     /**< Set up, and its last call did not fail. */
	uint8_t lz4hc_ready;

	/** What scratch, ISA-L's and zlib's memory are cut from; starts as zeros. */
	void *memory;
	size_t memory_len;
};

/** Largest size of a stored piece: len bytes in stored blocks, at least one block. */
static inline size_t
zip_codec_stored_size(size_t len)
{
	const size_t block_max = 65535;
	size_t blocks = len == 0 ? 1 : (len + block_max - 1) / block_max;

	return len + 5 * blocks;
}

/**
 * Room in which every backend can finish, whatever the input: fixed codes take
 * up to 9 bits for a byte; the rest is block headers and the backends' own margins.
 */
static inline size_t
zip_codec_deflate_bound(size_t len)
{
	return len + len / 8 + len / 64 + 4096;
}

/** Let the scratches take a longer call. @return 0, -E2BIG or -ENOMEM. */
int zip_codec_scratch_grow(struct zip_codec *codec, size_t len);

/** Have room for a call with so many bytes on its longer side. @return 0, -E2BIG or -ENOMEM. */
static inline int
zip_codec_scratch_room(struct zip_codec *codec, size_t len)
{
	return len <= codec->scratch_len ? 0 : zip_codec_scratch_grow(codec, len);
}

/**
 * Compress src into dst with the backend of the plan, and nothing else: no
 * stored alternative, no second try.
 *
 * @param whole
 *   Not 0: a complete stream. 0: a byte-aligned piece without BFINAL.
 * @param len
 *   Bytes at src, at least 1.
 * @return
 *   Bytes written, or 0 if cap bytes are not enough. libdeflate and ISA-L
 *   already give up when the last 8 bytes are needed.
 */
size_t zip_codec_backend_run(struct zip_codec *codec, const struct zip_codec_plan *plan, int whole,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap);

/** Let deflate() try only as much at this level as a call with len bytes of input may take. */
void zip_codec_zlib_effort(z_stream *zlib, uint8_t level, size_t len);

/** Make codec->zlib ready for a call of len bytes by the plan. @return As zlib. */
int zip_codec_zlib_start(struct zip_codec *codec, const struct zip_codec_plan *plan, size_t len);

/** zip_codec_deflate() with a dictionary; result is as the caller left it on error. */
int zip_codec_dict_deflate(struct zip_codec *codec, const struct zip_codec_params *params,
		enum zip_codec_flush flush, const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt, struct zip_codec_result *result);

/** What zip_codec_inflate() does between its checks and its checksums, with a dictionary. */
int zip_codec_dict_inflate(struct zip_codec *codec, const struct zip_codec_params *params,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap,
		size_t *consumed, size_t *produced);

#endif /* ZIP_CODEC_INTERNAL_H */
