/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_EXT_H
#define HISI_ZIP_EXT_H

/**
 * @file
 * Software extension of the ZIP function.
 *
 * The silicon has no selector for the compression level, the Huffman codes or
 * checksums of raw DEFLATE, knows no full flush and no dictionary, and returns
 * nothing when a stateless request runs out of output; nor does it know LZ4. A
 * software function offers these (EXT 1 to 4).
 *
 * It shows so by a magic value and a feature word in a part of BAR2 that the
 * silicon leaves unused, and it takes the choices from SQE dwords 10 to 13, 24
 * and 25, which are 0 for compression on silicon. A driver that does not check sees,
 * and gets, plain silicon: a request whose dw10 has HISI_ZIP_EXT_VALID clear is
 * served exactly as the reference says, and a function without the extension
 * ignores these dwords.
 */

#include <stdint.h>

#include "hisi_ext.h"

/* ---- Registers, BAR2: besides hisi_ext.h ------------------------------------------------ */

/**
 * WO, 64 bit: the stream context address as in SQE dw22/23. The function drops
 * what it keeps for that stream. Unknown addresses are ignored.
 */
#define HISI_ZIP_EXT_REG_STREAM_RELEASE 0x2810

#define HISI_ZIP_EXT_F_LEVEL    (1u << 0) /**< Levels 0 to 9 are obeyed. */
#define HISI_ZIP_EXT_F_HUFFMAN  (1u << 1) /**< Fixed or dynamic codes are obeyed. */
#define HISI_ZIP_EXT_F_WINDOW   (1u << 2) /**< Windows of 2^8 to 2^15 bytes are obeyed. */
#define HISI_ZIP_EXT_F_CHECKSUM (1u << 3) /**< CRC-32 and Adler-32 of raw DEFLATE, copies. */
#define HISI_ZIP_EXT_F_FLUSH    (1u << 4) /**< Flushes NONE and FULL. */
#define HISI_ZIP_EXT_F_PARTIAL  (1u << 5) /**< Partial result on stateless overflow. */
#define HISI_ZIP_EXT_F_COPY     (1u << 6) /**< Request HISI_ZIP_REQ_EXT_COPY. */
#define HISI_ZIP_EXT_F_RELEASE  (1u << 7) /**< HISI_ZIP_EXT_REG_STREAM_RELEASE. */
#define HISI_ZIP_EXT_F_LZ4      (1u << 8) /**< Request HISI_ZIP_REQ_EXT_LZ4. */
#define HISI_ZIP_EXT_F_DICT     (1u << 9) /**< Dictionaries; V3 only. */
#define HISI_ZIP_EXT_F_ALL      0x3ffu /**< All that are about ZIP. */
#define HISI_ZIP_EXT_F_UDMA     (1u << 16) /**< Queues of type 2 (UDMA 1), fences (EXT 6). */

/* ---- SQE dw9: more request types --------------------------------------------------------- */

/** Stateless: copy input to output (compressdev's NULL). Either queue type. */
#define HISI_ZIP_REQ_EXT_COPY 0xf0
/**
 * Stateless: one LZ4 frame. dw10 must be valid; of its fields the level, the
 * window and those marked LZ4 are obeyed, the others must be 0. Decompression
 * finds what it needs in the frame and obeys HISI_ZIP_EXT_XXH32 alone. A
 * checksum in the frame that does not match gives HISI_ZIP_CRC_ERR, and no output.
 */
#define HISI_ZIP_REQ_EXT_LZ4  0xf1

/* ---- SQE dw10: choices; reserved bits must be 0 ------------------------------------------ */

#define HISI_ZIP_EXT_LEVEL_SHIFT   0 /**< [3:0] level 0 to 9. */
#define HISI_ZIP_EXT_LEVEL_MASK    0xfu
#define HISI_ZIP_EXT_HUFFMAN_SHIFT 4 /**< [5:4] enum hisi_zip_ext_huffman. */
#define HISI_ZIP_EXT_HUFFMAN_MASK  0x3u
#define HISI_ZIP_EXT_CRC32         (1u << 6) /**< CRC-32 from dw11, result in dw31. */
#define HISI_ZIP_EXT_ADLER32       (1u << 7) /**< Adler-32 from dw12, result in dw30. */
#define HISI_ZIP_EXT_FLUSH_SHIFT   8 /**< [9:8] enum hisi_zip_ext_flush. */
#define HISI_ZIP_EXT_FLUSH_MASK    0x3u
#define HISI_ZIP_EXT_PARTIAL       (1u << 10) /**< Stateless compression may return a prefix. */
/**
 * A dictionary is given in dw13, dw24 and dw25. Stateless HISI_ZIP_REQ_DEFLATE,
 * which it makes a whole stream: without HISI_ZIP_EXT_PARTIAL and full flush.
 */
#define HISI_ZIP_EXT_DICT          (1u << 11)
#define HISI_ZIP_EXT_WINDOW_SHIFT  12 /**< [15:12] log2 of the window, 8 to 15; LZ4: 0 is 16. */
#define HISI_ZIP_EXT_WINDOW_MASK   0xfu
#define HISI_ZIP_EXT_LZ4_SHIFT     18 /**< [21:18] LZ4: bits [5:2] of the frame's FLG byte. */
#define HISI_ZIP_EXT_LZ4_MASK      0xfu
#define HISI_ZIP_EXT_XXH32         (1u << 22) /**< LZ4: xxHash-32 of the data, result in dw31. */
#define HISI_ZIP_EXT_VALID         (1u << 31) /**< The extension's dwords are meant. */
#define HISI_ZIP_EXT_RSVD_MASK     0x7f830000u

enum hisi_zip_ext_huffman {
	HISI_ZIP_EXT_HUFFMAN_DEFAULT = 0,
	HISI_ZIP_EXT_HUFFMAN_FIXED = 1,
	HISI_ZIP_EXT_HUFFMAN_DYNAMIC = 2,
};

/** How the output of a compression request ends. */
enum hisi_zip_ext_flush {
	/** As on silicon: stateless FINISH; streams FINISH or SYNC by dw7 bit 25. */
	HISI_ZIP_EXT_FLUSH_DW7 = 0,
	/** Streams: output may stay in the stream. Not allowed stateless. */
	HISI_ZIP_EXT_FLUSH_NONE = 1,
	/** Byte aligned, history dropped. Stateless: as FINISH, but without BFINAL. */
	HISI_ZIP_EXT_FLUSH_FULL = 2,
};

/* ---- SQE dw11, dw12 (in): checksums to continue from; dw31, dw30 (out): results ---------- */
/*
 * dw11: CRC-32 so far (0 for a fresh start). dw12: Adler-32 so far (1 for a
 * fresh start). Streams: taken with the first request of a stream only. With a
 * checksum bit set, dw31 and dw30 of the answer hold the plain CRC-32 and
 * Adler-32; only for HISI_ZIP_REQ_DEFLATE and HISI_ZIP_REQ_EXT_COPY.
 */

/* ---- SQE dw13, dw24, dw25 (in): dictionary ----------------------------------------------- */
/*
 * With HISI_ZIP_EXT_DICT, dw24/25: its address, in the function's address space
 * like that of any flat buffer; dw13: its length, 1 to HISI_ZIP_EXT_DICT_MAX. It
 * is what matches may refer to as if it came before the data. Read before the input.
 */
#define HISI_ZIP_EXT_DICT_MAX 32768u

/* ---- SQE dw3 (out) ----------------------------------------------------------------------- */

/**
 * With status HISI_ZIP_DSTLEN_OUT: consumed and produced are valid and the work
 * can go on. Stateless (asked for by HISI_ZIP_EXT_PARTIAL): the output is a
 * byte-aligned piece without BFINAL. Streams: output is pending, the request
 * shall be sent again with the rest of the input and the same flush.
 */
#define HISI_ZIP_EXT_DW3_PARTIAL (1u << 16)

#endif /* HISI_ZIP_EXT_H */
