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

/**
 * Move the result of the next request of a stopped queue into its op, which
 * makes the slot HISI_ZIP_SLOT_DONE; without one, hisi_zip_slot_lost().
 */
void hisi_zip_slot_complete(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot);

#endif /* HISI_ZIP_BURST_H */
