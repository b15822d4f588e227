/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_SQE_H
#define HISI_ZIP_SQE_H

/**
 * @file
 * The request of the ZIP accelerator (ZIP 5): 32 little-endian dwords.
 *
 * The driver writes all of it; the function writes back only consumed, produced,
 * comp_data_length, status, ctx_dw0, ctx_dw1, ctx_dw2, isize and checksum and
 * leaves every other dword as it was (ZIP 5.2).
 */

#include <stdint.h>

#define HISI_ZIP_REQ_LEN_MAX (8u << 20) /**< Bytes of input, and of output (ZIP 5.5). */

/** One request; slots of the SQ ring. Address aligned to 128. */
struct hisi_zip_sqe {
	uint32_t consumed;          /**< dw0, out: input bytes used. */
	uint32_t produced;          /**< dw1, out: output bytes written. */
	uint32_t comp_data_length;  /**< dw2, out: lz77 types only. */
	uint32_t dw3;               /**< out: [7:0] status, [8] last block seen. */
	uint32_t input_data_length; /**< dw4. */
	uint32_t lba_l;             /**< dw5: 0. */
	uint32_t lba_h;             /**< dw6: 0. */
	uint32_t dw7;               /**< HISI_ZIP_DW7_*. */
	uint32_t dw8;               /**< [23:0] bytes to skip in the destination SGL. */
	uint32_t dw9;               /**< HISI_ZIP_DW9_*. */
	uint32_t dw10;              /**< 0, or the extension word (hisi_zip_ext.h). */
	uint32_t dw11;              /**< 0, or extension. */
	uint32_t dw12;              /**< 0, or extension. */
	uint32_t dw13;              /**< Type 0: tag. Type 3: lz77 literals size. */
	uint32_t dest_avail_out;    /**< dw14: bytes that may be written. */
	uint32_t ctx_dw0;           /**< dw15, in and out: stream state, [3:0] ctx_st. */
	uint32_t comp_head_addr_l;  /**< dw16: 0. */
	uint32_t comp_head_addr_h;  /**< dw17: 0. */
	uint32_t source_addr_l;     /**< dw18: buffer, or SGL. */
	uint32_t source_addr_h;
	uint32_t dest_addr_l;       /**< dw20: buffer, or SGL. */
	uint32_t dest_addr_h;
	uint32_t stream_ctx_addr_l; /**< dw22: context buffer + 64; stateful only. */
	uint32_t stream_ctx_addr_h;
	uint32_t dw24;              /**< lz77 literals address, else 0. */
	uint32_t dw25;
	uint32_t tag_l;             /**< dw26, type 3: returned unchanged. */
	uint32_t tag_h;
	uint32_t ctx_dw1;           /**< dw28, in and out. */
	uint32_t ctx_dw2;           /**< dw29, in and out. */
	uint32_t isize;             /**< dw30, in and out: running uncompressed size. */
	uint32_t checksum;          /**< dw31, in and out (ZIP 5.7). */
};

/* dw3 (ZIP 5.4) */
#define HISI_ZIP_STATUS_MASK 0xffu
#define HISI_ZIP_LSTBLK      (1u << 8) /**< The last block was seen. */

/* dw7 (ZIP 5.3) */
#define HISI_ZIP_DW7_OFFSET_MASK  0xffffffu   /**< Bytes to skip in the source SGL. */
#define HISI_ZIP_DW7_FINISH       (1u << 25)  /**< Streams: last input; 0 = sync flush. */
#define HISI_ZIP_DW7_STREAM       (1u << 26)  /**< Stateful. */
#define HISI_ZIP_DW7_STREAM_NEW   (1u << 27)  /**< First request of a stream. */
#define HISI_ZIP_DW7_TYPE_SHIFT   28
#define HISI_ZIP_SQE_TYPE0        0u          /**< V2. */
#define HISI_ZIP_SQE_TYPE3        3u          /**< V3. */

/* dw9 (ZIP 5.3) */
#define HISI_ZIP_DW9_REQ_MASK     0xffu
#define HISI_ZIP_DW9_BUF_SHIFT    8
#define HISI_ZIP_DW9_BUF_MASK     0xfu
#define HISI_ZIP_BUF_FLAT         0u
#define HISI_ZIP_BUF_SGL          1u
#define HISI_ZIP_DW9_WINDOW_SHIFT 12
#define HISI_ZIP_DW9_WINDOW_MASK  0xfu

enum hisi_zip_req {
	HISI_ZIP_REQ_DEFLATE = 0x01, /**< Raw DEFLATE; V3. */
	HISI_ZIP_REQ_ZLIB = 0x02,    /**< DEFLATE and Adler-32 trailer. */
	HISI_ZIP_REQ_GZIP = 0x03,    /**< DEFLATE and CRC-32, ISIZE trailer. */
};

/* Bytes of the trailers of the latter two (ZIP 5.7). */
#define HISI_ZIP_TRAILER_ZLIB 4u
#define HISI_ZIP_TRAILER_GZIP 8u

enum hisi_zip_window {
	HISI_ZIP_WINDOW_4K = 0,
	HISI_ZIP_WINDOW_8K = 1,
	HISI_ZIP_WINDOW_16K = 2,
	HISI_ZIP_WINDOW_24K = 3,
	HISI_ZIP_WINDOW_32K = 4,
};

/** Queue types, SQC w13 [11:8]: the direction belongs to the queue (QM 3.1). */
enum hisi_zip_qc_type {
	HISI_ZIP_QC_COMPRESS = 0,
	HISI_ZIP_QC_DECOMPRESS = 1,
};

enum hisi_zip_status {
	HISI_ZIP_OK = 0x00,
	HISI_ZIP_NEGACOMPRESS = 0x0d, /**< Output not smaller than input; valid. */
	HISI_ZIP_DSTLEN_OUT = 0x0e,   /**< dest_avail_out too small. */
	HISI_ZIP_CRC_ERR = 0x10,      /**< Trailer does not match. */
	HISI_ZIP_DECOMP_END = 0x13,   /**< Stateful decompression reached the end. */
	/*
	 * No source names values for the rest (U11); a driver treats any other value
	 * as an error. These are what the software function returns.
	 */
	HISI_ZIP_BAD_DATA = 0x20,     /**< Not a valid stream, or truncated. */
	HISI_ZIP_BAD_SQE = 0x21,      /**< A field is out of range or not supported. */
	HISI_ZIP_BAD_ADDR = 0x22,     /**< An address is outside the client's map. */
	HISI_ZIP_BAD_SGL = 0x23,      /**< SGL is misaligned, loops or lies about counts. */
	HISI_ZIP_BAD_STREAM = 0x24,   /**< Stream unknown, busy or ended. */
	HISI_ZIP_NO_STREAM = 0x25,    /**< No room for another stream. */
	HISI_ZIP_INTERNAL = 0x26,     /**< Out of memory in the function. */
};

/* ctx_dw0 [3:0]: state of a stateful decompression (ZIP 5.4). */
#define HISI_ZIP_CTX_ST_MASK 0xfu
enum hisi_zip_ctx_st {
	HISI_ZIP_CTX_NO_SPACE = 0x1,          /**< Last block, input taken, output left. */
	HISI_ZIP_CTX_DECOMPING_NO_SPACE = 0x2,/**< Output ran out inside a block. */
	HISI_ZIP_CTX_BLK_NOSTART = 0x3,       /**< Between two blocks. */
	HISI_ZIP_CTX_NO_CRC = 0x4,            /**< At the end, the trailer is still missing. */
};
#define HISI_ZIP_CTX_BFINAL (1u << 7) /**< ctx_dw0: BFINAL of the current block seen. */
#define HISI_ZIP_CTX_DW1_STORE_MASK 0x7ffffu /**< ctx_dw1: not 0 while data is pending. */
#define HISI_ZIP_CTX_DW2_WINDOW_MASK 0xffffu /**< ctx_dw2: bytes of history. */

/* Stream context buffer, in client memory (ZIP 5.6). */
#define HISI_ZIP_CTX_SIZE   0x10000 /**< Bytes per stream, zeroed at its start. */
#define HISI_ZIP_CTX_HW_OFF 64      /**< The address given to the function is buffer + 64. */
#define HISI_ZIP_CTX_HW_END 0x9800  /**< From here on the buffer is software's again. */

_Static_assert(sizeof(struct hisi_zip_sqe) == 128, "ZIP SQE");

/** Input: len bytes at iova, flat or as an SGL. */
static inline void
hisi_zip_sqe_src(struct hisi_zip_sqe *sqe, uint64_t iova, uint32_t len)
{
	sqe->source_addr_l = (uint32_t)iova;
	sqe->source_addr_h = (uint32_t)(iova >> 32);
	sqe->input_data_length = len;
}

/** Output: room for len bytes at iova, flat or as an SGL. */
static inline void
hisi_zip_sqe_dst(struct hisi_zip_sqe *sqe, uint64_t iova, uint32_t len)
{
	sqe->dest_addr_l = (uint32_t)iova;
	sqe->dest_addr_h = (uint32_t)(iova >> 32);
	sqe->dest_avail_out = len;
}

/** The stream's context: its buffer's address + HISI_ZIP_CTX_HW_OFF. */
static inline void
hisi_zip_sqe_ctx(struct hisi_zip_sqe *sqe, uint64_t iova)
{
	sqe->stream_ctx_addr_l = (uint32_t)iova;
	sqe->stream_ctx_addr_h = (uint32_t)(iova >> 32);
}

#endif /* HISI_ZIP_SQE_H */
