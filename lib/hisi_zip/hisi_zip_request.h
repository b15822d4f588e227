/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_REQUEST_H
#define HISI_ZIP_REQUEST_H

/**
 * @file
 * Driver side of ZIP: how a request is built (ZIP 5). hisi_zip_result.h reads its result.
 *
 * What many requests have in common is made once, by hisi_zip_words_set(). A request then is, in
 * this order: buffers, words, and what few requests have: lists, a flush, checksums, a dictionary,
 * or a stream.
 *
 *   hisi_zip_req_buffers(sqe, &asked, src, src_len, dst, dst_len);
 *   hisi_zip_req_words(sqe, &words);
 *
 * All words that these do not set must be 0: those of a slot that was never used, or that
 * hisi_zip_req_clear() was called for after the request before.
 *
 * All inline functions are data path; whoever owns the slot calls them, from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hisi_acc_sgl.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_path.h"
#include "hisi_zip_sqe.h"

/** Directions; each is the type of the queues that its requests go to (QM 3.1). */
enum hisi_zip_dir {
	HISI_ZIP_COMP = HISI_ZIP_QC_COMPRESS,
	HISI_ZIP_DECOMP = HISI_ZIP_QC_DECOMPRESS,
	HISI_ZIP_DIRS,
};

/** What the compressed data is. */
enum hisi_zip_format {
	HISI_ZIP_FORMAT_DEFLATE, /**< Raw DEFLATE. */
	HISI_ZIP_FORMAT_LZ4,     /**< LZ4 frames; extension (EXT 2). */
	HISI_ZIP_FORMAT_COPY,    /**< As it is; extension (EXT 2). */
};

/** What a function can do. */
struct hisi_zip_function {
	uint8_t revision;  /**< PCI revision id, HISI_QM_REV_V2 or HISI_QM_REV_V3. */
	uint32_t features; /**< HISI_ZIP_EXT_F_*; 0: plain silicon, which has no extension. */
	uint32_t paths;    /**< Bits of the paths that are on, of DEFLATE without the extension. */
	uint32_t sums;     /**< Those of them that return the checksum of the plain data. */
};

/** What is wanted of many requests. Fields from level on are for a compression. */
struct hisi_zip_job {
	enum hisi_zip_dir dir;
	enum hisi_zip_format format;
	uint32_t checksums; /**< HISI_ZIP_EXT_CRC32, _ADLER32, _XXH32: of the plain data. */
	bool dict;          /**< Each has hisi_zip_req_dict(). */
	uint8_t level;      /**< 0 (stored) to 9. */
	uint8_t huffman;    /**< enum hisi_zip_ext_huffman. */
	uint8_t window;     /**< log2 of bytes; LZ4: 0 or 8 to 16. */
	uint8_t lz4_flags;  /**< LZ4: bits [5:2] of the frame's FLG byte, in place. */
	bool partial;       /**< A prefix is welcome where the output does not fit (EXT 3). */
};

/** Words of requests that have a job in common, as they lie in the SQE. */
struct hisi_zip_words {
	uint32_t dw7;  /**< Without offset. */
	uint32_t dw8;  /**< 0. */
	uint32_t dw9;  /**< Without buffer type. */
	uint32_t dw10; /**< Extension word, without flush; 0: plain silicon. */
};

/**
 * Lengths of a request, which its result is checked against (hisi_zip_result.h). Kept with the
 * op, in memory that no service sees: a function that lies could write to those in the SQE.
 */
struct hisi_zip_asked {
	uint32_t src_len; /**< Bytes of input. */
	uint32_t dst_len; /**< Bytes that may be written. */
};

/** What a stream carries from a request to the next (ZIP 5.6). Zeroes: a stream that is new. */
struct hisi_zip_state {
	uint32_t ctx_dw0, ctx_dw1, ctx_dw2, isize, checksum;
	bool started; /**< The next request continues. */
};

/** How a request of a stream ends its output. */
enum hisi_zip_flush {
	HISI_ZIP_FLUSH_NONE,   /**< Anyhow: more comes. */
	HISI_ZIP_FLUSH_SYNC,   /**< Byte aligned; all input is in the output. */
	HISI_ZIP_FLUSH_FULL,   /**< The same, and history dropped. Extension only. */
	HISI_ZIP_FLUSH_FINISH, /**< The stream ends. */
};

/**
 * The path of the requests of a job. V2 has no raw DEFLATE: the requests are zlib's or gzip's,
 * whose trailer is the caller's to deal with. These two return a checksum, and only one each.
 * @return HISI_ZIP_PATHS: no path that is on.
 */
enum hisi_zip_path hisi_zip_path_of(const struct hisi_zip_function *f,
		const struct hisi_zip_job *job);

/** Bytes of the trailer that requests of a path have; 0: none. */
static inline uint32_t
hisi_zip_path_trailer(enum hisi_zip_path path)
{
	switch (path) {
	case HISI_ZIP_PATH_COMP_ZLIB:
	case HISI_ZIP_PATH_DECOMP_ZLIB:
		return HISI_ZIP_TRAILER_ZLIB;
	case HISI_ZIP_PATH_COMP_GZIP:
	case HISI_ZIP_PATH_DECOMP_GZIP:
		return HISI_ZIP_TRAILER_GZIP;
	default:
		return 0;
	}
}

/**
 * Can the function give a correct result for the job? Of compressions, level, Huffman codes and
 * window are wishes, but for no compression at all, fixed codes, and windows below 4 KiB.
 *
 * @param wishes
 *   HISI_ZIP_EXT_F_* that it must have besides.
 */
bool hisi_zip_can(const struct hisi_zip_function *f, const struct hisi_zip_job *job,
		uint32_t wishes);

/** Make the words of a job, all of whose fields the caller has checked. Control path. */
void hisi_zip_words_set(struct hisi_zip_words *words, const struct hisi_zip_function *f,
		const struct hisi_zip_job *job);

/**
 * Input and output, flat or as lists (hisi_zip_req_lists()), by their addresses for the function.
 * @param asked
 *   Filled with the lengths, in bytes; the function is to refuse more than HISI_ZIP_REQ_LEN_MAX.
 */
static inline void
hisi_zip_req_buffers(struct hisi_zip_sqe *sqe, struct hisi_zip_asked *asked, uint64_t src,
		uint32_t src_len, uint64_t dst, uint32_t dst_len)
{
	asked->src_len = src_len;
	asked->dst_len = dst_len;
	hisi_zip_sqe_src(sqe, src, src_len);
	hisi_zip_sqe_dst(sqe, dst, dst_len);
}

/** The words of the job. Before all functions below, which change them. */
static inline void
hisi_zip_req_words(struct hisi_zip_sqe *sqe, const struct hisi_zip_words *words)
{
	_Static_assert(offsetof(struct hisi_zip_words, dw10) ==
		offsetof(struct hisi_zip_sqe, dw10) - offsetof(struct hisi_zip_sqe, dw7) &&
		sizeof(*words) == 4 * sizeof(uint32_t), "one layout, for one store");
	memcpy(&sqe->dw7, words, sizeof(*words));
}

/** Both buffers are lists. */
static inline void
hisi_zip_req_lists(struct hisi_zip_sqe *sqe)
{
	sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
}

/** Of a job with level 0: another level, on a function with HISI_ZIP_EXT_F_LEVEL. */
static inline void
hisi_zip_req_level(struct hisi_zip_sqe *sqe, uint8_t level)
{
	sqe->dw10 |= (uint32_t)level << HISI_ZIP_EXT_LEVEL_SHIFT;
}

/** Stateless compression: the stream goes on behind it (EXT 3). */
static inline void
hisi_zip_req_flush_full(struct hisi_zip_sqe *sqe)
{
	sqe->dw10 |= HISI_ZIP_EXT_FLUSH_FULL << HISI_ZIP_EXT_FLUSH_SHIFT;
}

/** Checksums of what came before, for those that the job asks for: 0 and 1 of nothing. */
static inline void
hisi_zip_req_checksums(struct hisi_zip_sqe *sqe, uint32_t crc32, uint32_t adler32)
{
	sqe->dw11 = crc32;
	sqe->dw12 = adler32;
}

/** The dictionary of a job that has one: 1 to HISI_ZIP_EXT_DICT_MAX bytes. */
static inline void
hisi_zip_req_dict(struct hisi_zip_sqe *sqe, uint64_t iova, uint32_t len)
{
	sqe->dw13 = len;
	sqe->dw24 = (uint32_t)iova;
	sqe->dw25 = (uint32_t)(iova >> 32);
}

/**
 * Make it the next request of a stream, of which no other one is under way.
 * @param ctx
 *   Address for the function of the context buffer of HISI_ZIP_CTX_SIZE bytes.
 * @param flush
 *   Of a compression; a decompression has none: HISI_ZIP_FLUSH_SYNC.
 */
static inline void
hisi_zip_req_stream(struct hisi_zip_sqe *sqe, const struct hisi_zip_words *words,
		const struct hisi_zip_state *state, uint64_t ctx, enum hisi_zip_flush flush)
{
	uint32_t dw7 = words->dw7 | HISI_ZIP_DW7_STREAM, dw10 = words->dw10;

	if (!state->started)
		dw7 |= HISI_ZIP_DW7_STREAM_NEW;
	if (flush == HISI_ZIP_FLUSH_FINISH)
		dw7 |= HISI_ZIP_DW7_FINISH;
	/* Without the extension a sync flush is all there is, which costs some size. */
	if (flush == HISI_ZIP_FLUSH_NONE && dw10 != 0)
		dw10 |= HISI_ZIP_EXT_FLUSH_NONE << HISI_ZIP_EXT_FLUSH_SHIFT;
	if (flush == HISI_ZIP_FLUSH_FULL)
		dw10 |= HISI_ZIP_EXT_FLUSH_FULL << HISI_ZIP_EXT_FLUSH_SHIFT;
	sqe->dw7 = dw7;
	sqe->dw10 = dw10 & ~HISI_ZIP_EXT_PARTIAL;
	hisi_zip_req_checksums(sqe, 0, 1);
	hisi_zip_sqe_ctx(sqe, ctx + HISI_ZIP_CTX_HW_OFF);
	sqe->ctx_dw0 = state->ctx_dw0;
	sqe->ctx_dw1 = state->ctx_dw1;
	sqe->ctx_dw2 = state->ctx_dw2;
	sqe->isize = state->isize;
	sqe->checksum = state->checksum;
}

/**
 * Set the words to 0 again that only checksums, dictionaries and streams use, in a slot whose
 * result was read: all other requests are spared these stores.
 */
static inline void
hisi_zip_req_clear(struct hisi_zip_sqe *sqe)
{
	hisi_zip_req_checksums(sqe, 0, 0);
	hisi_zip_req_dict(sqe, 0, 0);
	hisi_zip_sqe_ctx(sqe, 0);
	sqe->ctx_dw0 = 0;
	sqe->ctx_dw1 = 0;
	sqe->ctx_dw2 = 0;
	sqe->isize = 0;
	sqe->checksum = 0;
}

/**
 * Begin a list of one SGL (ZIP 5.10), aligned to HISI_ACC_SGL_ALIGN.
 * @param entries
 *   1 to HISI_ACC_SGE_MAX. hisi_zip_sge_set() fills them.
 * @return The first entry.
 */
static inline struct hisi_acc_sge *
hisi_zip_sgl_begin(struct hisi_acc_sgl *sgl, uint16_t entries)
{
	sgl->next_dma = 0;
	sgl->entry_sum_in_chain = entries;
	sgl->entry_sum_in_sgl = entries;
	sgl->entry_length_in_sgl = entries;
	return (struct hisi_acc_sge *)(sgl + 1);
}

/** One entry: bytes at an address for the function. */
static inline void
hisi_zip_sge_set(struct hisi_acc_sge *sge, uint64_t addr, uint32_t len)
{
	sge->buf = addr;
	sge->len = len;
}

#endif /* HISI_ZIP_REQUEST_H */
