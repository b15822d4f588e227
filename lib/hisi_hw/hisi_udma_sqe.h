/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_UDMA_SQE_H
#define HISI_UDMA_SQE_H

/**
 * @file
 * A request of the class UDMA (UDMA 2): copy memory, or fill it with a pattern. Queue type 2 of a
 * ZIP function from V5 on. All fields are little endian.
 *
 * The driver owns an SQE until it rings the doorbell, and again from the CQE on. Of its words the
 * function writes only wb.
 */

#include <stdint.h>

#define HISI_UDMA_QC 2 /**< Queue type in the SQC (QM 3.1). */
#define HISI_UDMA_REVISION 0x51 /**< PCI revision id from which on silicon has it (QM 2.2). */

/** One request, 128 bytes. What is not named is 0. */
struct hisi_udma_sqe {
	uint32_t dw0;      /**< Kind of request, see HISI_UDMA_DW0_*. */
	uint32_t rsvd1[2];
	uint32_t tag_l;    /**< The driver's; returned unchanged, as tag_h. */
	uint32_t tag_h;
	uint32_t len;      /**< Bytes to copy or fill, at most HISI_UDMA_LEN_MAX. */
	uint32_t ext;      /**< Software functions, see HISI_UDMA_EXT_*; 0 on silicon. */
	uint32_t dw7;      /**< See HISI_UDMA_DW7_*. */
	uint32_t pattern_l; /**< Of a fill: repeated from the first byte on, low byte first. */
	uint32_t pattern_h;
	uint32_t rsvd10[12];
	uint32_t dst_l;
	uint32_t dst_h;
	uint32_t rsvd24[2];
	uint32_t src_l;    /**< Of a copy. */
	uint32_t src_h;
	uint32_t wb;       /**< Result, see HISI_UDMA_WB_*; the driver writes 0. */
	uint32_t rsvd29[3];
};

_Static_assert(sizeof(struct hisi_udma_sqe) == 128, "128 bytes");
_Static_assert(__builtin_offsetof(struct hisi_udma_sqe, dst_l) == 0x58, "dw22");
_Static_assert(__builtin_offsetof(struct hisi_udma_sqe, src_l) == 0x68, "dw26");
_Static_assert(__builtin_offsetof(struct hisi_udma_sqe, wb) == 0x70, "dw28");

#define HISI_UDMA_LEN_MAX ((1u << 24) - 1)

/* dw0 */
#define HISI_UDMA_DW0_BD_MASK    0x3fu
#define HISI_UDMA_DW0_TASK_SHIFT 8
#define HISI_UDMA_DW0_TASK_MASK  0x3fu
#define HISI_UDMA_DW0_EXT_SHIFT  16
#define HISI_UDMA_DW0_EXT_MASK   0x3fu
#define HISI_UDMA_DW0_INVALID    (1u << 31)
#define HISI_UDMA_BD             1u /**< In the BD field. */
#define HISI_UDMA_TASK           3u /**< In the TASK field. */

/** In the EXT field: what to do. */
enum hisi_udma_op {
	HISI_UDMA_COPY = 0,
	HISI_UDMA_FILL = 7,
};

/* ext: choices of the software extension (EXT 6) */
#define HISI_UDMA_EXT_FENCE (1u << 0) /**< Begin when all before it in the queue are done. */

/* dw7 */
#define HISI_UDMA_DW7_MULTI    (1u << 14) /**< Several addresses; no driver uses it (U32). */
#define HISI_UDMA_DW7_PREFETCH (1u << 15) /**< Prefetch translations (SVA). */

/* wb */
#define HISI_UDMA_WB_DONE_MASK   7u
#define HISI_UDMA_WB_EXT_SHIFT   4  /**< Error detail, 12 bits. */
#define HISI_UDMA_WB_ERR_SHIFT   16 /**< Kind of error, 8 bits (U32). */
#define HISI_UDMA_WB_WTYPE_SHIFT 24 /**< 8 bits; not 0 is an error, too. */
#define HISI_UDMA_WB_GOOD        1u /**< All of wb for a request that is done without an error. */

/** In the DONE field. */
enum hisi_udma_done {
	HISI_UDMA_DONE = 1,
	HISI_UDMA_ERROR = 2,
};

#endif /* HISI_UDMA_SQE_H */
