/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_RECOVER_H
#define HISI_ZIP_RECOVER_H

/** @file What becomes of ops whose hardware queue has failed (hisi_watch.h). */

#include "hisi_zip_qp.h"

/**
 * Called by the dequeuing thread every HISI_WATCH_POLLS times that the oldest
 * op, which is a request to the function, was not ready. Finds out whether its
 * queue has failed; if so, stops it, which may take seconds, and sets failed.
 */
void hisi_zip_watch(struct hisi_zip_qp *qp);

/**
 * Log the first answer that cannot be true, once per queue pair. Off the data path: called
 * by hisi_zip_watch() and when the queue pair stops.
 */
void hisi_zip_lie_log(struct hisi_zip_qp *qp);

/**
 * Bring back an op whose queue has failed: its slot becomes HISI_ZIP_SLOT_SW or,
 * with an error status, HISI_ZIP_SLOT_DONE. Dequeuing thread.
 */
void hisi_zip_slot_lost(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot);

/**
 * Put hardware queues that failed, or that are outdated, once all their ops are back; until then
 * nothing is submitted to them. Called by the enqueuing thread in state
 * HISI_ZIP_QP_FAILING, which it ends.
 */
void hisi_zip_renew(struct hisi_zip_qp *qp);

#endif /* HISI_ZIP_RECOVER_H */
