/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_DOORBELL_H
#define QM_DEV_DOORBELL_H

/**
 * @file
 * Doorbells of a queue (qm_dev_doorbell.c).
 */

#include "qm_dev_queue.h"

/** A doorbell of the register path: validate, then store it where the queue polls. */
void qm_dev_queue_ring(struct qm_dev *dev, uint64_t value);

/** The same for page qn of BAR4: it must name that queue. */
void qm_dev_queue_ring_page(struct qm_dev *dev, uint64_t qn, uint64_t value);

/** HISI_QM_SHADOW_REG_WAKE. */
void qm_dev_queue_wake(struct qm_dev *dev, uint32_t qn);

/** Take over a new SQ tail, if the driver has rung. Lock is held. */
void qm_dev_queue_poll_sq(struct qm_dev *dev, struct qm_dev_queue *q);

/** Take over a new CQ head: CQEs that the driver acknowledges. Lock is held. */
void qm_dev_queue_poll_cq(struct qm_dev *dev, struct qm_dev_queue *q);

/** The armed CQ has CQEs: tell, once. Rare; lock is held. */
void qm_dev_queue_fire(struct qm_dev *dev, struct qm_dev_queue *q) __attribute__((cold));

#endif /* QM_DEV_DOORBELL_H */
