/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_CODEC_ZMEM_H
#define ZIP_CODEC_ZMEM_H

/**
 * @file
 * Memory for zlib that is reserved beforehand, so that zlib can be set up again
 * (other window, other level) and can grow a window without an allocation.
 */

#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

/*
 * zlib 1.2.13 takes 268 KB to compress and 40 KB to decompress, at most;
 * later versions and zlib-ng take somewhat more. What is not used is not touched.
 */
#define ZIP_CODEC_ZMEM_DEFLATE ((size_t)512 << 10)
#define ZIP_CODEC_ZMEM_INFLATE ((size_t)64 << 10)

/** What zlib takes as memLevel by default: 16 K symbols to a block. */
#define ZIP_CODEC_ZLIB_MEM_LEVEL 8

/** Memory that is allocated bit by bit and freed as a whole. */
struct zip_codec_zmem {
	uint8_t *base;
	size_t size; /**< Bytes at base. */
	size_t used; /**< Bytes of them that are taken. */
};

/** Free all of it and let strm take its memory from here. */
void zip_codec_zmem_attach(struct zip_codec_zmem *mem, z_stream *strm);

#endif /* ZIP_CODEC_ZMEM_H */
