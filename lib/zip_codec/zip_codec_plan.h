/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_CODEC_PLAN_H
#define ZIP_CODEC_PLAN_H

/**
 * @file
 * Which library does what: the only place that decides.
 */

#include <stddef.h>
#include <stdint.h>

#include "zip_codec.h"

/** Who compresses. */
enum zip_codec_backend {
	ZIP_CODEC_BACKEND_STORED,     /**< Stored blocks, our own writer. */
	ZIP_CODEC_BACKEND_ISAL,       /**< ISA-L, dynamic codes: levels 1 to 3. */
	ZIP_CODEC_BACKEND_ISAL_FIXED, /**< ISA-L level 0 with the fixed codes. */
	ZIP_CODEC_BACKEND_LIBDEFLATE, /**< libdeflate, levels 1 to 9; a whole stream only. */
	ZIP_CODEC_BACKEND_ZLIB,       /**< zlib, levels 0 to 9. */
};

/** How a compression is to be done. */
struct zip_codec_plan {
	uint8_t backend;  /**< enum zip_codec_backend. */
	uint8_t level;    /**< The level in the backend's own counting. */
	uint8_t window;   /**< Window bits, as the backend wants them. */
	uint8_t strategy; /**< zlib only: Z_DEFAULT_STRATEGY or Z_FIXED. */
};

/**
 * @return 0, or -EINVAL if a parameter is out of range for a compression.
 */
int zip_codec_plan_check(const struct zip_codec_params *params);

/**
 * The plan for one call that has all of its len bytes at hand.
 *
 * @param whole
 *   Not 0 if the result shall end with BFINAL (libdeflate can do no other).
 */
struct zip_codec_plan zip_codec_plan_oneshot(const struct zip_codec_params *params, int whole,
		size_t len);

/** The plan for a stream (the backend is zlib). */
struct zip_codec_plan zip_codec_plan_stream(const struct zip_codec_params *params);

/**
 * How many matches zlib may try at a place, at most, in a call with so many bytes of input: its
 * levels from 7 on would try more.
 */
unsigned int zip_codec_plan_chain(size_t len);

/** The level that LZ4 is done with, in a call of len bytes. */
uint8_t zip_codec_plan_lz4(const struct zip_codec_params *params, size_t len);

/**
 * The backend must only get a private copy of the input, in a buffer with
 * readable bytes behind it. Why: see the top of zip_codec_backend.c.
 */
static inline int
zip_codec_plan_wants_copy(const struct zip_codec_plan *plan)
{
	switch (plan->backend) {
	case ZIP_CODEC_BACKEND_LIBDEFLATE:
		return 1;
#if !defined(__x86_64__)
	case ZIP_CODEC_BACKEND_ISAL:
	case ZIP_CODEC_BACKEND_ISAL_FIXED:
		return 1;
#endif
	default:
		return 0;
	}
}

#endif /* ZIP_CODEC_PLAN_H */
