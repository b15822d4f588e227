/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_PLAIN_H
#define HISI_ZIP_PLAIN_H

/**
 * @file
 * Stateless DEFLATE on a function without the extension: what the driver adds to it. Ops with
 * HISI_ZIP_SLOT_F_PLAIN.
 *
 * Where there are no raw DEFLATE requests (V2), or where a checksum is asked for, requests are
 * zlib's or gzip's. Neither has a header, only a trailer. When compressing it is cut off; where
 * the destination may lack room for it, an entry of a list puts it into memory of the driver's.
 * When decompressing, the driver adds one of its own to the source, which does not match: that the
 * function says so is the proof that it has read all of the data.
 *
 * Checksums come from the request, or are made by the CPU over the plain data.
 */

#include "hisi_zip_fill.h"

/**
 * Source and destination of an op whose requests have a trailer, into the SQE. Enqueuing thread.
 */
enum hisi_zip_verdict hisi_zip_fill_carried(struct hisi_zip_qp *qp,
		const struct hisi_zip_target *to, struct hisi_zip_slot *slot,
		struct rte_comp_op *op, struct hisi_zip_sqe *sqe);

/**
 * How a request of such an op ended. Dequeuing thread. A function may count otherwise than when it
 * was asked: where the trailer of a compression can be read, it must be behind the data, else the
 * path is off; where it cannot, or where the end of a source may be another one, the outcome is
 * HISI_ZIP_FAILED, and software finds out.
 * @param r
 *   Possible; after HISI_ZIP_DONE its numbers are those of the op.
 */
enum hisi_zip_outcome hisi_zip_plain_outcome(const struct hisi_zip_qp *qp,
		const struct hisi_zip_slot *slot, const struct hisi_zip_sqe *sqe,
		struct hisi_zip_result *r);

/** The checksum of an op that is done, with these numbers. Dequeuing thread. */
uint64_t hisi_zip_plain_chksum(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe, struct hisi_zip_result r);

#endif /* HISI_ZIP_PLAIN_H */
