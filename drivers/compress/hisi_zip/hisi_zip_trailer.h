/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_TRAILER_H
#define HISI_ZIP_TRAILER_H

/**
 * @file
 * V2: what of its input a decompression has taken for a trailer (hisi_zip_stream.h), asked while
 * its op is dequeued. The hardware queues belong to the enqueuing thread, so a queue pair has one
 * more for this. Without it the op ends before the stream does, and the next one asks.
 */

#include "hisi_zip_qp.h"
#include "hisi_zip_xform.h"

/** Take the queue, if that was not tried. Enqueuing thread, before it submits such an op. */
void hisi_zip_trailer_take(struct hisi_zip_qp *qp);

/**
 * Ask, if that is what a stream needs next. Dequeuing thread, which waits for the answer.
 *
 * @param outcome
 *   Of the op so far, whose output has been delivered; changed, as is done.
 * @return
 *   -ETIMEDOUT: there was no answer, and what became of the stream is not known; else 0.
 */
int hisi_zip_trailer_ask(struct hisi_zip_qp *qp, struct hisi_zip_stream *s,
		enum hisi_zip_outcome *outcome, struct hisi_zip_stream_done *done);

/** Put the queue. No thread uses the queue pair. */
void hisi_zip_trailer_put(struct hisi_zip_qp *qp);

#endif /* HISI_ZIP_TRAILER_H */
