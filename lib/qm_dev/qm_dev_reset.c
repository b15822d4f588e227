/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "qm_dev_context.h"
#include "qm_dev_exec.h"
#include "qm_dev_regs.h"

bool
qm_dev_abort(struct qm_dev *dev)
{
	bool busy = false;

	pthread_mutex_lock(&dev->mb_lock);
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q == NULL)
			continue;
		qm_dev_queue_abort(dev, q);
		queue_lock(q);
		busy = busy || qm_dev_queue_busy(q);
		queue_unlock(q);
	}
	pthread_mutex_unlock(&dev->mb_lock);
	return !busy;
}

/* mb_lock is held, so that no command brings up a queue behind our back. */
static bool
reset_step(struct qm_dev *dev)
{
	bool done = true;

	/* Requests end as U39 says. */
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		done = (q == NULL || qm_dev_queue_aborted(dev, q)) && done;
	}
	if (!done)
		return false;
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q != NULL)
			qm_dev_queue_forget(q);
	}
	qm_dev_classes_reset(dev);
	qm_dev_regs_reset(dev);
	atomic_fetch_add_explicit(&dev->resets, 1, memory_order_relaxed);
	return true;
}

void
qm_dev_reset(struct qm_dev *dev)
{
	unsigned int turns = 0;

	pthread_mutex_lock(&dev->mb_lock);
	while (!reset_step(dev))
		qm_dev_wait(&turns);
	pthread_mutex_unlock(&dev->mb_lock);
}

bool
qm_dev_reset_try(struct qm_dev *dev)
{
	bool done;

	pthread_mutex_lock(&dev->mb_lock);
	done = reset_step(dev);
	pthread_mutex_unlock(&dev->mb_lock);
	return done;
}
