/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_RUN_H
#define QM_DEV_RUN_H

/**
 * @file
 * Requests of a queue: claimed, executed, completed (qm_dev_run.c).
 */

#include "qm_dev_exec.h"
#include "qm_dev_queue.h"

/**
 * Claim up to max requests into ex->job. The caller's view holds the map, and it
 * must run each of them through qm_dev_queue_run().
 * @param fair
 *   Claim only as long as the queue's deficit is above 0, and leave idle workers their part.
 * @return Requests claimed.
 */
unsigned int qm_dev_queue_claim(struct qm_dev *dev, struct qm_dev_queue *q,
		struct qm_dev_exec *ex, unsigned int max, bool fair);

/** Times are kept: the first request of a turn begins. */
void qm_dev_exec_begin(struct qm_dev_exec *ex);

/** Execute and complete n claimed requests. */
void qm_dev_queue_run(struct qm_dev *dev, struct qm_dev_queue *q, struct qm_dev_exec *ex,
		unsigned int n);

/** Execute up to budget requests in the caller (no workers). @return how many. */
unsigned int qm_dev_queue_execute(struct qm_dev *dev, struct qm_dev_queue *q,
		unsigned int budget);

#endif /* QM_DEV_RUN_H */
