/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "qm_dev_sched.h"
#include "qm_dev_state.h"

static inline uint64_t
db_key(uint16_t qn, enum hisi_qm_db_cmd cmd, uint16_t rand, uint16_t depth)
{
	return (uint32_t)hisi_qm_db(qn, cmd, rand, 0, 0) | (uint64_t)depth << 32;
}

static void
set_live(struct qm_dev *dev, struct qm_dev_queue *q, bool live)
{
	/* One step: a function that vanishes may end what begins here (qm_dev_vanish()). */
	if (q->shared ? !qm_dev_sched_set(q, live) : atomic_exchange_explicit(&q->sched.running,
			live, memory_order_acq_rel) == live)
		return;
	if (live)
		atomic_fetch_add_explicit(&dev->queues_live, 1, memory_order_relaxed);
	else
		atomic_fetch_sub_explicit(&dev->queues_live, 1, memory_order_relaxed);
}

void
qm_dev_queue_move(struct qm_dev *dev, struct qm_dev_queue *q, enum qm_dev_queue_state to)
{
	const struct qm_dev_ring *r = &q->ring;
	bool live = state_runs(to), was = queue_runs(q);
	uint64_t sq_key = live ? db_key(q->num, HISI_QM_DB_SQ, q->sqc.w8, r->sq_depth) : 0;
	uint64_t cq_key = live ? db_key(q->num, HISI_QM_DB_CQ, q->cqc.w8, r->cq_depth) : 0;

	atomic_store_explicit(&q->state, (uint8_t)to, memory_order_release);
	/* Whoever rings is let in when all is there, and workers come last. */
	if (!live || !was) {
		atomic_store_explicit(&q->ring.sq_key, sq_key, memory_order_release);
		atomic_store_explicit(&q->ring.cq_key, cq_key, memory_order_release);
		set_live(dev, q, live);
	}
	/* Whoever made the function vanish may have seen the queue before it was live. */
	if (live && atomic_load_explicit(&dev->gone, memory_order_acquire))
		qm_dev_queue_move(dev, q, QM_DEV_QUEUE_FAILED);
}

#ifdef QM_DEV_FAULTS

void
qm_dev_vanish(struct qm_dev *dev)
{
	atomic_store_explicit(&dev->gone, true, memory_order_release);
	qm_dev_log(dev, BASE_LOG_ERR, "the function vanished (injected fault)");
	/* No lock: this may be any thread, and nothing brings a queue back any more. */
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q != NULL)
			qm_dev_queue_move(dev, q, QM_DEV_QUEUE_FAILED);
	}
}

#endif
