/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_CONTEXT_H
#define QM_DEV_CONTEXT_H

/**
 * @file
 * The life of a queue: made, set up by its contexts, stopped, aborted (qm_dev_context.c).
 * qm_dev.mb_lock is held, unless said otherwise.
 */

#include "qm_dev_queue.h"

/**
 * Queue qn, made on first use and kept until the function ends: an idle function has none.
 * @return NULL: not a queue of the function, or out of memory.
 */
struct qm_dev_queue *qm_dev_queue_make(struct qm_dev *dev, uint16_t qn);

/** Take over a context; the queue goes live when it has both. @return Mailbox status. */
unsigned int qm_dev_queue_set_sqc(struct qm_dev *dev, struct qm_dev_queue *q,
		const struct hisi_qm_sqc *sqc);
unsigned int qm_dev_queue_set_cqc(struct qm_dev *dev, struct qm_dev_queue *q,
		const struct hisi_qm_cqc *cqc);

/** The contexts as they are now; zero if never set. */
void qm_dev_queue_get_sqc(struct qm_dev *dev, struct qm_dev_queue *q, struct hisi_qm_sqc *sqc);
void qm_dev_queue_get_cqc(struct qm_dev *dev, struct qm_dev_queue *q, struct hisi_qm_cqc *cqc);

/** Complete all that was rung for so far in queues that did not fail. @return Mailbox status. */
unsigned int qm_dev_queues_flush(struct qm_dev *dev);
/** The same for one queue, which then is no longer live. @return Mailbox status. */
unsigned int qm_dev_queue_stop(struct qm_dev *dev, struct qm_dev_queue *q);

/** Make the queue dead without waiting for what is being executed; mb_lock is held. */
void qm_dev_queue_abort(struct qm_dev *dev, struct qm_dev_queue *q);

/**
 * Make the queue dead, and forget what waits. @return Whether nothing is being executed any more;
 * if not, to be called again.
 */
bool qm_dev_queue_aborted(struct qm_dev *dev, struct qm_dev_queue *q);

/** Forget the contexts of a dead queue. */
void qm_dev_queue_forget(struct qm_dev_queue *q);

#endif /* QM_DEV_CONTEXT_H */
