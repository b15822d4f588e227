/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_RESULT_H
#define HISI_ZIP_RESULT_H

/**
 * @file
 * Driver side of ZIP: how the result of a request is read (ZIP 5.2, 5.4), which
 * hisi_zip_request.h built and whose CQE was seen.
 *
 * The function may write to a slot at any time, and need not tell the truth. So each word is read
 * once, what was checked is what is used, and it is checked against what the client kept
 * (struct hisi_zip_asked), never against other words of the slot.
 */

#include "hisi_zip_request.h"

/** What a function says of a request. */
struct hisi_zip_result {
	uint32_t consumed; /**< Bytes of input used. */
	uint32_t produced; /**< Bytes of output written. */
	uint32_t dw3;      /**< [7:0] status, HISI_ZIP_EXT_DW3_PARTIAL. */
};

/** How a request ended. */
enum hisi_zip_outcome {
	HISI_ZIP_DONE,      /**< All of it is done. */
	HISI_ZIP_DONE_END,  /**< Streams: it is, and the end of the stream was seen. */
	HISI_ZIP_DONE_PART, /**< The output is full; the rest can be asked for. */
	HISI_ZIP_NO_SPACE,  /**< The output does not fit; nothing is valid. */
	HISI_ZIP_CORRUPT,   /**< The input is no valid, complete stream. */
	HISI_ZIP_MISMATCH,  /**< A checksum in the input does not match; nothing is valid. */
	HISI_ZIP_FAILED,    /**< Anything else; nothing is valid. */
};

/** One word of a slot, read once. */
static inline uint32_t
hisi_zip_result_word(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/** Read the result in a slot. */
static inline struct hisi_zip_result
hisi_zip_result_read(const struct hisi_zip_sqe *sqe)
{
	return (struct hisi_zip_result){
		.consumed = hisi_zip_result_word(&sqe->consumed),
		.produced = hisi_zip_result_word(&sqe->produced),
		.dw3 = hisi_zip_result_word(&sqe->dw3),
	};
}

static inline uint8_t
hisi_zip_result_status(struct hisi_zip_result r)
{
	return r.dw3 & HISI_ZIP_STATUS_MASK;
}

/** CRC-32 or, of LZ4, xxHash-32 of a job that asks for it. */
static inline uint32_t
hisi_zip_result_crc32(const struct hisi_zip_sqe *sqe)
{
	return hisi_zip_result_word(&sqe->checksum);
}

/** Adler-32 of a job that asks for it. */
static inline uint32_t
hisi_zip_result_adler32(const struct hisi_zip_sqe *sqe)
{
	return hisi_zip_result_word(&sqe->isize);
}

/**
 * Are these the numbers of most requests: all input is consumed, and there is output, for which
 * there was room? If so, hisi_zip_result_possible() is true of any request.
 */
static inline bool
hisi_zip_result_usual(const struct hisi_zip_asked *asked, struct hisi_zip_result r)
{
	/* `produced - 1` wraps for 0. */
	return r.consumed == asked->src_len && r.produced - 1 < asked->dst_len;
}

/**
 * Can these be the numbers of this request?
 * @param whole
 *   It is a stateless compression: done, it has consumed all input and produced output. A
 *   function that counts otherwise (U16) is taken for one that lies.
 */
static inline bool
hisi_zip_result_possible(const struct hisi_zip_asked *asked, bool whole, struct hisi_zip_result r)
{
	const uint8_t status = hisi_zip_result_status(r);

	if (r.consumed > asked->src_len || r.produced > asked->dst_len)
		return false;
	if (whole && (status == HISI_ZIP_OK || status == HISI_ZIP_NEGACOMPRESS))
		return r.consumed == asked->src_len && r.produced != 0;
	return true;
}

/** How did a stateless request end? */
static inline enum hisi_zip_outcome
hisi_zip_result_outcome(enum hisi_zip_dir dir, struct hisi_zip_result r)
{
	switch (hisi_zip_result_status(r)) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGACOMPRESS:
		return HISI_ZIP_DONE;
	case HISI_ZIP_DECOMP_END:
		/* As of a stream, which some function may say of all that it decompresses (U12). */
		return dir == HISI_ZIP_DECOMP && (r.dw3 & HISI_ZIP_LSTBLK) ? HISI_ZIP_DONE :
			HISI_ZIP_FAILED;
	case HISI_ZIP_DSTLEN_OUT:
		return (r.dw3 & HISI_ZIP_EXT_DW3_PARTIAL) && r.consumed > 0 ? HISI_ZIP_DONE_PART :
			HISI_ZIP_NO_SPACE;
	case HISI_ZIP_BAD_DATA:
		return HISI_ZIP_CORRUPT;
	case HISI_ZIP_CRC_ERR:
		return HISI_ZIP_MISMATCH;
	default:
		return HISI_ZIP_FAILED;
	}
}

/**
 * How did a stateless request of zlib or gzip end that carried raw DEFLATE? When compressing, the
 * last bytes of the output are the trailer's. When decompressing, the last bytes of the input were
 * a trailer of the driver's own, which did not match.
 *
 * @param asked
 *   Lengths with the trailer.
 * @param trailer
 *   Its bytes (hisi_zip_path_trailer()).
 * @param counted
 *   As in struct hisi_zip_path_info.
 * @param r
 *   Possible (hisi_zip_result_possible()); after HISI_ZIP_DONE its numbers are those of the
 *   DEFLATE data and the plain data.
 */
enum hisi_zip_outcome hisi_zip_result_carried(enum hisi_zip_dir dir,
		const struct hisi_zip_asked *asked, uint32_t trailer, uint32_t counted,
		struct hisi_zip_result *r);

/** The checksum of the plain data out of dw31, as it is in the trailer. */
static inline uint32_t
hisi_zip_sum_of(enum hisi_zip_sum sum, uint32_t dw31)
{
	if (sum != HISI_ZIP_SUM_REVERSED)
		return dw31;
	dw31 = (dw31 >> 1 & 0x55555555u) | (dw31 & 0x55555555u) << 1;
	dw31 = (dw31 >> 2 & 0x33333333u) | (dw31 & 0x33333333u) << 2;
	dw31 = (dw31 >> 4 & 0x0f0f0f0fu) | (dw31 & 0x0f0f0f0fu) << 4;
	return ~__builtin_bswap32(dw31);
}

/** Bytes of an empty stored block without its header, which is how a sync flush of zlib ends. */
#define HISI_ZIP_FLUSH_END_LEN 4u

/** Are these bytes such an end? */
static inline bool
hisi_zip_flush_end_is(const uint8_t *bytes)
{
	return bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0xff && bytes[3] == 0xff;
}

/** What a trailer is that of. */
struct hisi_zip_trailer_of {
	uint32_t sum; /**< Adler-32 or CRC-32 of the plain data. */
	uint32_t len; /**< Its bytes. */
	bool told;    /**< sum is known. */
};

/** Are these bytes the trailer of zlib or gzip (by its length), as far as it is known? */
bool hisi_zip_trailer_is(uint32_t trailer, const uint8_t *bytes,
		const struct hisi_zip_trailer_of *of);

/**
 * How did a request of a stream end, and where does the next one go on (ZIP 5.4, 5.6, 5.8)?
 * After any outcome but HISI_ZIP_DONE* the stream is of no use any more.
 *
 * @param state
 *   Of the stream, as the request had it; filled for the next one.
 * @param finish
 *   The request had HISI_ZIP_FLUSH_FINISH: if it is done, the next one begins a new stream.
 */
enum hisi_zip_outcome hisi_zip_result_stream(struct hisi_zip_state *state,
		const struct hisi_zip_sqe *sqe, enum hisi_zip_dir dir, bool finish,
		struct hisi_zip_result r);

#endif /* HISI_ZIP_RESULT_H */
