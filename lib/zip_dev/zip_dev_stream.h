/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_STREAM_H
#define ZIP_DEV_STREAM_H

/**
 * @file
 * The streams of a function (ZIP 5.6). All calls: any thread.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "zip_codec.h"
#include "qm_dev_class.h"
#include "qm_dev_lock.h"

/** A stream. The codec's state is kept when the stream ends, for the next one. */
struct zip_dev_stream {
	LIST_ENTRY(zip_dev_stream) link; /**< In a bucket or in a free list. */
	uint64_t key;                /**< Context address. */
	struct zip_codec_stream *codec;
	uint8_t dir;                 /**< enum zip_codec_dir of codec. */
	uint8_t req;                 /**< Request type of its requests. */
	bool busy;                   /**< A request is being executed. */
	bool released;               /**< To be freed when that request is done. */
	bool ended;                  /**< DEFLATE data is complete, the trailer is not. */
	bool finishing;              /**< The last input was consumed; output did not fit. */
	uint8_t trailer_done;        /**< Bytes of trailer written or read. */
	uint8_t trailer[8];
	bool at_block;               /**< Of "head-bits": no block has begun. */
	uint8_t block_bits;          /**< Bits of block_byte that belong to the next one. */
	uint8_t block_byte;          /**< Last byte that the codec has consumed. */
	uint8_t head_len;
	uint8_t head[5];             /**< Consumed, but not by the codec. */
	uint32_t isize;              /**< Uncompressed bytes so far, modulo 2^32. */
	uint32_t crc32;              /**< Of the uncompressed bytes, as are the others. */
	uint32_t adler32;
	uint8_t checksum;            /**< ZIP_CODEC_CRC32, ZIP_CODEC_ADLER32. */
};

LIST_HEAD(zip_dev_stream_list, zip_dev_stream);

struct zip_dev_streams {
	struct qm_dev_lock lock;
	struct qm_dev_quota *quota;     /**< Shared with other functions, or NULL. */
	uint32_t max;
	uint32_t made;                   /**< Streams in use or free. */
	_Atomic uint32_t used;
	unsigned int shift;              /**< 64 - log2(number of buckets). */
	struct zip_dev_stream_list *bucket; /**< NULL until there is a stream. */
	struct zip_dev_stream_list free[2]; /**< By enum zip_codec_dir. */
};

void zip_dev_streams_init(struct zip_dev_streams *streams, uint32_t max,
		struct qm_dev_quota *quota);
void zip_dev_streams_fini(struct zip_dev_streams *streams);

/**
 * Get a stream for one request.
 * @param first
 *   The stream begins: make it, or make it fresh if the address is known.
 * @return enum hisi_zip_status; HISI_ZIP_OK: *stream is the caller's until put.
 */
uint32_t zip_dev_stream_get(struct zip_dev_streams *streams, uint64_t key, bool first,
		enum zip_codec_dir dir, uint8_t req, const struct zip_codec_params *params,
		struct zip_dev_stream **stream);

/** End of the request. @param keep The stream goes on. */
void zip_dev_stream_put(struct zip_dev_streams *streams, struct zip_dev_stream *stream, bool keep);

/** Forget all streams; none is busy. */
void zip_dev_streams_reset(struct zip_dev_streams *streams);

/** HISI_ZIP_EXT_REG_STREAM_RELEASE. */
void zip_dev_stream_release(struct zip_dev_streams *streams, uint64_t key);

#endif /* ZIP_DEV_STREAM_H */
