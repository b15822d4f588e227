/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_PLAIN_STREAM_H
#define HISI_ZIP_PLAIN_STREAM_H

/**
 * @file
 * Ops of streams on a function without the extension (hisi_zip_stream.h): their requests and
 * results, and software that goes on where the function fails.
 */

#include "hisi_zip_fill.h"

/**
 * A stream begins, and its path was turned off after it was made; also one of the extension.
 * Enqueuing thread.
 */
enum hisi_zip_verdict hisi_zip_stream_path_off(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		struct rte_comp_op *op);

/** An op of a stream that is not in software. Enqueuing thread. */
enum hisi_zip_verdict hisi_zip_plain_stream_fill(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		struct rte_comp_op *op);

/**
 * The result of its request, which is possible: sets all fields of the op, after which the stream
 * is no longer busy, or the slot is HISI_ZIP_SLOT_TRAILER. Dequeuing thread.
 */
void hisi_zip_plain_stream_end(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe, struct hisi_zip_result r);

/** The same of an op whose slot was HISI_ZIP_SLOT_TRAILER: there is no result. */
void hisi_zip_plain_stream_part(struct rte_comp_op *op);

/** The same if its result cannot be true; the paths of such streams are off. */
void hisi_zip_plain_stream_lie(struct hisi_zip_qp *qp, struct rte_comp_op *op);

/**
 * Let software go on with a stream, from the op that is under way to the stream's end. It cannot
 * if the function has what the next output depends on, as with one of the extension that has begun.
 *
 * @param delivered
 *   Bytes of output that the op has already.
 * @return
 *   Whether it goes on.
 */
bool hisi_zip_plain_stream_replace(struct hisi_zip_stream *s, uint32_t delivered);

#endif /* HISI_ZIP_PLAIN_STREAM_H */
