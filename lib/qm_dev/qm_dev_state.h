/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_STATE_H
#define QM_DEV_STATE_H

/**
 * @file
 * The state of a queue (qm_dev_state.c).
 */

#include "qm_dev_queue.h"

/**
 * Change the state of a queue, and with it who takes its doorbells and whether workers know it. Its
 * lock is held, unless to is FAILED: then the queue claims and completes nothing from now on,
 * whatever else is done to it at the same time.
 */
void qm_dev_queue_move(struct qm_dev *dev, struct qm_dev_queue *q, enum qm_dev_queue_state to);

#ifdef QM_DEV_FAULTS
/** QM_DEV_FAULT_VANISH: the function is gone, and with it what its queues do. Any thread. */
void qm_dev_vanish(struct qm_dev *dev);
#else
static inline void
qm_dev_vanish(struct qm_dev *dev)
{
	(void)dev;
}
#endif

#endif /* QM_DEV_STATE_H */
