/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_STREAM_H
#define SPIMGZ_STREAM_H

/**
 * @file
 * A file or pipe on its way from one format to the other.
 */

#include "engine.h"
#include "gzip.h"
#include "io.h"

struct stream {
	struct input in;
	int out;              /**< -1: nowhere. */
	const char *out_name; /**< In messages. */
	uint8_t level;        /**< Compression. */
	const char *name;     /**< Compression: for the header, or NULL. */
	uint32_t mtime;       /**< Compression: for the header; 0: none. */
	bool pass;            /**< Expansion: what is no gzip is passed on as it is. */
	bool begun;                /**< Expansion: the first header has been read, and no more. */
	struct gzip_header header; /**< Expansion: the first. */
	uint64_t plain;       /**< Result: bytes on this side. */
	uint64_t packed;      /**< Result: bytes on that side ... */
	uint64_t framing;     /**< ... of which so many are headers and trailers. */
	uint32_t crc32;       /**< Expansion: result, of the last member. */
};

/** @return SPIMGZ_OK or _FAILED, after a complaint. */
int compress_stream(struct engine *e, struct stream *s);

/**
 * Look at the beginning, before there is an output.
 * @return SPIMGZ_OK: it can be expanded; or _FAILED, after a complaint.
 */
int expand_first(struct stream *s);

/** The rest. @return SPIMGZ_OK, _WARNING or _FAILED, after a complaint. */
int expand_stream(struct engine *e, struct stream *s);

/**
 * Inflate a member by zlib, up to its trailer and with it; its header has been read.
 * @param size
 *   Filled with the bytes of DEFLATE data.
 * @return SPIMGZ_OK or _FAILED, after a complaint.
 */
int inflate_member(struct stream *s, uint64_t *size);

/** Say that it ends too early. @return SPIMGZ_FAILED. */
int stream_cut(const struct stream *s);

#endif /* SPIMGZ_STREAM_H */
