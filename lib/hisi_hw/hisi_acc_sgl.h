/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ACC_SGL_H
#define HISI_ACC_SGL_H

/**
 * @file
 * Scatter-gather lists of HiSilicon accelerators (ZIP 5.10).
 * A list is a chain of SGLs; each is a 64-byte header followed by entries.
 */

#include <stdint.h>

#define HISI_ACC_SGE_MAX     255          /**< Entries of one SGL. */
#define HISI_ACC_SGL_MAX     256          /**< SGLs of one chain. */
#define HISI_ACC_SGL_ALIGN   64           /**< Alignment of an SGL's address. */
#define HISI_ACC_SGE_LEN_MAX (8u << 20)   /**< Bytes of one entry. */

/** One entry of an SGL: a segment of memory. */
struct hisi_acc_sge {
	uint64_t buf;       /**< DMA address. */
	uint64_t page_ctrl; /**< Software only. */
	uint32_t len;       /**< Bytes. */
	uint32_t pad;
	uint64_t vbuff;     /**< Software only. */
};

/** Header of an SGL; struct hisi_acc_sge entries follow it. */
struct hisi_acc_sgl {
	uint64_t next_dma;             /**< Address of the next SGL, 0 = end. */
	uint16_t entry_sum_in_chain;   /**< Entries of the chain; capacity in practice. */
	uint16_t entry_sum_in_sgl;     /**< Valid entries here: the count to trust. */
	uint16_t entry_length_in_sgl;  /**< Capacity of this SGL. */
	uint16_t pad;
	uint8_t sw[48];                /**< Software only. */
};

_Static_assert(sizeof(struct hisi_acc_sge) == 32, "SGE");
_Static_assert(sizeof(struct hisi_acc_sgl) == 64, "SGL header");

#endif /* HISI_ACC_SGL_H */
