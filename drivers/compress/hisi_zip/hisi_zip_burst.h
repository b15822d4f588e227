/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_BURST_H
#define HISI_ZIP_BURST_H

/** @file The data path. */

#include <rte_comp.h>

#include "hisi_zip_qp.h"

/** rte_compressdev_enqueue_burst(); beside one thread that dequeues. */
uint16_t hisi_zip_enqueue_burst(void *queue_pair, struct rte_comp_op **ops, uint16_t nb_ops);
/** rte_compressdev_dequeue_burst(); beside one thread that enqueues. */
uint16_t hisi_zip_dequeue_burst(void *queue_pair, struct rte_comp_op **ops, uint16_t nb_ops);

/** Results that wait in a queue, up to max; executes requests if no worker does. */
static inline uint16_t
hisi_zip_results_ready(const struct hisi_zip_qp *qp, const struct hisi_zip_hwq *hwq, uint16_t max)
{
	const struct hisi_qm_ring *ring = hwq->q.queue->ring;
	uint16_t n = hisi_qm_cq_ready(ring, max);

	if (n == 0 && qp->polled && !hwq->q.failed && spim_queue_poll(hwq->q.queue, max) > 0)
		n = hisi_qm_cq_ready(ring, max);
	return n;
}

/**
 * Move the result of the next request of the slot's queue into its op, which makes the slot
 * HISI_ZIP_SLOT_DONE; without one, hisi_zip_slot_lost(). The queue is stopped, or the result is
 * there and the queue is acknowledged one by one: the trailer queue.
 */
void hisi_zip_slot_complete(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot);

#endif /* HISI_ZIP_BURST_H */
