/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_SLOT_H
#define HISI_ZIP_SLOT_H

/** @file An op in flight, in the order ring of a queue pair (hisi_zip_qp.h). */

#include <stdint.h>

#include <rte_comp.h>

#include "hisi_zip_request.h"

/** How an op in the order ring is brought to its end. */
enum hisi_zip_slot_kind {
	HISI_ZIP_SLOT_COMP = HISI_ZIP_COMP,     /**< Request on the compression queue. */
	HISI_ZIP_SLOT_DECOMP = HISI_ZIP_DECOMP, /**< Request on the decompression queue. */
	/** Request on the trailer queue: the rest of an op of a stream (hisi_zip_trailer.h). */
	HISI_ZIP_SLOT_TRAILER,
	HISI_ZIP_SLOT_SW,   /**< To be done in software when it is the oldest. */
	HISI_ZIP_SLOT_DONE, /**< Its fields are final. */
};

/** Hardware queues that a queue pair may own: those of the first kinds of slots. */
#define HISI_ZIP_HWQS HISI_ZIP_SLOT_SW

#define HISI_ZIP_SLOT_F_CHKSUM   0x1u /**< A checksum was asked for. */
#define HISI_ZIP_SLOT_F_STATEFUL 0x2u /**< The op is one of a stream. */
#define HISI_ZIP_SLOT_F_SGL      0x4u /**< sgl_end is valid. */
#define HISI_ZIP_SLOT_F_CUT      0x8u /**< Only a first part of the input was submitted. */
#define HISI_ZIP_SLOT_F_DICT     0x10u /**< The request has a dictionary. */
#define HISI_ZIP_SLOT_F_UDC      0x20u /**< The checksum is that of the dictionary. */
#define HISI_ZIP_SLOT_F_PLAIN    0x40u /**< hisi_zip_plain.h, of a stream hisi_zip_plain_stream.h */
#define HISI_ZIP_SLOT_F_VERIFY   0x80u /**< Software shall check the result. */
#define HISI_ZIP_SLOT_F_TRAILER  0x100u /**< There is a trailer queue that it may need. */

/** One op in flight, in the order ring. */
struct hisi_zip_slot {
	struct rte_comp_op *op;
	uint16_t kind;    /**< enum hisi_zip_slot_kind. */
	uint16_t flags;   /**< HISI_ZIP_SLOT_F_*, of what is in a hardware queue. */
	uint32_t sgl_end; /**< SGL ring position that this op's lists end at. */
	struct hisi_zip_asked asked; /**< What its result is checked against. */
};

/**
 * An op ends with a status that is no success: none of its numbers count.
 * @param debug
 *   Of the function's result, or 0.
 */
static inline void
hisi_zip_op_fails(struct rte_comp_op *op, uint8_t status, uint32_t debug)
{
	op->status = status;
	op->consumed = 0;
	op->produced = 0;
	op->output_chksum = 0;
	op->debug_status = debug;
}

#endif /* HISI_ZIP_SLOT_H */
