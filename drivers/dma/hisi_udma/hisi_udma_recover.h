/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_UDMA_RECOVER_H
#define HISI_UDMA_RECOVER_H

/** @file Hardware queues that fail, and functions that lie. By who asks for completions. */

#include "hisi_udma_vchan.h"

/**
 * Called every HISI_WATCH_POLLS times that the oldest op was not ready. Finds out whether the
 * queue has failed; if so, stops it, which may take seconds, and sets failed: ops without a CQE
 * come back with an error.
 */
void hisi_udma_watch(struct hisi_udma_vchan *v);

/** The CQE at cq_head names sq_head, and its SQE has the result wb, which cannot be true. */
void hisi_udma_lie(struct hisi_udma_vchan *v, uint16_t sq_head, uint16_t cq_head, uint32_t wb);

/** Log the first one, once per channel. Off the data path: by hisi_udma_watch() and at stop. */
void hisi_udma_lie_log(struct hisi_udma_vchan *v);

#endif /* HISI_UDMA_RECOVER_H */
