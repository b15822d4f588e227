/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_TRAILER_H
#define HISI_ZIP_TRAILER_H

/**
 * @file
 * V2: what of its input a decompression has taken for a trailer (hisi_zip_stream.h), asked while
 * its op is dequeued. The enqueuing thread submits to the queues of both directions, so a queue
 * pair has one more for this, the trailer queue, on which the dequeuing thread does both.
 *
 * Dequeue does not wait: the slot becomes HISI_ZIP_SLOT_TRAILER, and stays the oldest one until
 * its result is there. So there is no more than one request on the queue. hisi_zip_watch() looks
 * after it as after the others. Without a queue the op ends before the stream does, and the
 * stream's next op asks.
 */

#include "hisi_zip_qp.h"
#include "hisi_zip_xform.h"

/** Do queue pairs of a device come to own such a queue? */
bool hisi_zip_trailer_used(const struct hisi_zip_dev *dev);

/** Begin without the queue. No thread uses the queue pair. */
void hisi_zip_trailer_init(struct hisi_zip_qp *qp);

/**
 * Take the queue, if there is none. Enqueuing thread, before it submits an op that may need it.
 * @return HISI_ZIP_SLOT_F_TRAILER, or 0: there is none.
 */
uint16_t hisi_zip_trailer_take(struct hisi_zip_qp *qp);

/**
 * Ask, if that is what the stream of the oldest slot needs next. Dequeuing thread.
 *
 * @param done
 *   Of the op, which ended with HISI_ZIP_DONE_PART; its output has been delivered.
 * @return
 *   Whether the slot is HISI_ZIP_SLOT_TRAILER now. If not, the op ends as it is.
 */
bool hisi_zip_trailer_ask(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		const struct hisi_zip_stream_done *done);

/**
 * Look for the result of a HISI_ZIP_SLOT_TRAILER; the slot is another kind then. Dequeuing thread.
 * @return Whether there was one, or will be none.
 */
bool hisi_zip_trailer_poll(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot);

#endif /* HISI_ZIP_TRAILER_H */
