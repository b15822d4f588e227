/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_REQUEST_H
#define ZIP_DEV_REQUEST_H

/**
 * @file
 * Requests of the class ZIP: zip_dev_request.c checks one, zip_dev_run.c executes it,
 * zip_dev_ext.c has what the extension adds.
 */

#include <errno.h>

#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "zip_codec.h"
#include "zip_dev.h"
#include "zip_dev_stream.h"

#define ZIP_DEV_TRAILER_ZLIB 4 /**< Adler-32, big endian. */
#define ZIP_DEV_TRAILER_GZIP 8 /**< CRC-32 and size, little endian. */

/** The class's state of a function. Constant but for streams and quirks. */
struct zip_dev_func {
	struct zip_dev_conf conf;
	_Atomic uint64_t quirks;       /**< conf.quirks, until a test changes them. */
	uint8_t revision;
	bool ext;                      /**< The extension is offered. */
	struct zip_dev_streams streams;
};

/** The class's state of an executor: one thread at a time. */
struct zip_dev_exec {
	struct zip_codec *codec;
	uint8_t *dict;                 /**< Room for a dictionary: HISI_ZIP_EXT_DICT_MAX bytes. */
};

/** A request, checked. */
struct zip_dev_req {
	uint8_t type;                  /**< enum hisi_zip_req or HISI_ZIP_REQ_EXT_*. */
	bool compress;
	bool sgl;
	bool ext;                      /**< dw10 to dw12 were given. */
	bool stream;
	bool first;                    /**< First request of a stream. */
	bool partial;
	bool copy;                     /**< Bytes pass through. */
	uint64_t quirks;               /**< Of the function; 0 for what is the extension's. */
	enum zip_codec_flush flush;
	struct zip_codec_params params;
	unsigned int trailer;          /**< Bytes behind the DEFLATE data. */
	uint32_t src_len;
	uint32_t dst_len;
};

/** What executes a request. */
struct zip_dev_run {
	struct zip_dev_func *func;
	struct zip_dev_exec *exec;
	struct qm_dev_bufs *bufs;
};

/** Turn the words of an SQE into a request. @return enum hisi_zip_status. */
uint32_t zip_dev_check(const struct zip_dev_func *func, uint8_t type,
		const struct hisi_zip_sqe *sqe, struct zip_dev_req *r);

/** Check and execute the request in sqe, and change its words to the results. */
void zip_dev_run(const struct zip_dev_run *x, uint8_t type, struct hisi_zip_sqe *sqe);

/** Whether the function has a quirk (ZIP_DEV_QUIRK_*) for a request. */
#define zip_dev_has(r, quirk) (((r)->quirks & ZIP_DEV_QUIRK_BIT(quirk)) != 0)

/** What quirks make of a checked request. @return enum hisi_zip_status. */
uint32_t zip_dev_quirk_check(const struct zip_dev_run *x, const struct hisi_zip_sqe *sqe,
		struct zip_dev_req *r);

/** What they make of its results. */
void zip_dev_quirk_result(const struct zip_dev_req *r, struct hisi_zip_sqe *sqe);

/** Whether quirks change how a request of a stream is decompressed. */
static inline bool
zip_dev_quirk_inflates(const struct zip_dev_req *r, const struct zip_dev_stream *s)
{
	return !r->compress && (s->head_len != 0 || zip_dev_has(r, HEAD_BITS) ||
			zip_dev_has(r, WINDOW_STRICT));
}

/**
 * Decompress it.
 * @param r
 *   src_len then counts also the bytes that were kept, as does res->consumed.
 * @return As zip_codec_stream_run().
 */
int zip_dev_quirk_inflate(const struct zip_dev_run *x, struct zip_dev_req *r,
		struct zip_dev_stream *s, struct zip_codec_result *res);

/** Afterwards: keep what has not begun, and change the results in sqe to what software sees. */
void zip_dev_quirk_head(const struct zip_dev_run *x, const struct zip_dev_req *r,
		struct zip_dev_stream *s, struct hisi_zip_sqe *sqe);

/** Decompress all of it with the window of the request. @return As zip_codec_inflate(). */
int zip_dev_window_inflate(const struct zip_dev_run *x, const struct zip_dev_req *r,
		struct zip_codec_result *res);

/** The order of bits of a CRC-32 that dw31 of gzip has, complemented (ZIP 5.7). */
static inline uint32_t
zip_dev_bit_reverse(uint32_t x)
{
	x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
	x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
	x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
	return __builtin_bswap32(x);
}

/** Change the words of sqe to those of a request that was not executed. */
void zip_dev_refuse(struct hisi_zip_sqe *sqe, uint32_t status);

/** @return enum hisi_zip_status of what qm_dev_buf_flat() or qm_dev_buf_sgl() returned. */
static inline uint32_t
zip_dev_buf_status(int rc)
{
	return rc == 0 ? HISI_ZIP_OK : rc == -EFAULT ? HISI_ZIP_BAD_ADDR : HISI_ZIP_BAD_SGL;
}

/** Check dw10 of an LZ4 request and turn it into params. @return enum hisi_zip_status. */
uint32_t zip_dev_lz4_check(uint32_t w, bool compress, struct zip_codec_params *params);

/** Run an LZ4 request whose buffers are found. @return As zip_codec_lz4_*(). */
int zip_dev_lz4_run(const struct zip_dev_run *x, bool compress,
		const struct zip_codec_params *params, struct zip_codec_result *res);

/**
 * Copy the dictionary of a request, params->dict_len bytes, and let params refer
 * to the copy. Before the buffers are found. @return enum hisi_zip_status.
 */
uint32_t zip_dev_dict_take(const struct zip_dev_run *x, const struct hisi_zip_sqe *sqe,
		struct zip_codec_params *params);

#endif /* ZIP_DEV_REQUEST_H */
