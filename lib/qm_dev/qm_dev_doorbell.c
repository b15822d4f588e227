/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Doorbells of queues: checked, and taken over. */

#include "qm_dev_doorbell.h"
#include "qm_dev_event.h"
#include "qm_dev_sched.h"
#include "qm_dev_shared.h"

static inline uint16_t
db_index(uint64_t value)
{
	return (uint16_t)(value >> HISI_QM_DB_INDEX_SHIFT & HISI_QM_DB_INDEX_MASK);
}

static inline uint16_t
db_priority(uint64_t value)
{
	return (uint16_t)(value >> HISI_QM_DB_PRIORITY_SHIFT);
}

/* Queue, reserved bits, command, random data and index as the context says (QM 4.1). */
static inline bool
db_valid(uint64_t key, uint64_t value)
{
	return (uint32_t)key == (uint32_t)value && db_index(value) < key >> 32;
}

static void
count_dropped(struct qm_dev *dev)
{
	atomic_fetch_add_explicit(&dev->doorbells_dropped, 1, memory_order_relaxed);
}

void
qm_dev_queue_fire(struct qm_dev *dev, struct qm_dev_queue *q)
{
	atomic_store_explicit(&q->ring.armed, false, memory_order_relaxed);
	qm_dev_event_completion(dev, q->num);
}

/* A CQ doorbell: CQEs that the driver acknowledges, and whether it wants an event. Lock is held. */
static void
take_cq(struct qm_dev *dev, struct qm_dev_queue *q, uint64_t value)
{
	uint16_t head = db_index(value);
	uint16_t freed;
	bool arm = (db_priority(value) & 1) != 0;

	q->ring.cq_seen = value;
	if (!db_valid(atomic_load_explicit(&q->ring.cq_key, memory_order_relaxed), value)) {
		count_dropped(dev);
		return;
	}
	freed = ring_dist(q->ring.cq_head, head, q->ring.cq_depth);
	if (freed > q->ring.cq_used) {
		count_dropped(dev); /* acknowledges what it never got */
		return;
	}
	if (head < q->ring.cq_head)
		q->ring.cq_head_wrap = !q->ring.cq_head_wrap;
	q->ring.cq_head = head;
	q->ring.cq_used = (uint16_t)(q->ring.cq_used - freed);
	if (arm != atomic_load_explicit(&q->ring.armed, memory_order_relaxed))
		atomic_store_explicit(&q->ring.armed, arm, memory_order_relaxed);
	/* Linux's self-test hangs if what came before the arming is not told (U7). */
	if (arm && q->ring.cq_used != 0)
		qm_dev_queue_fire(dev, q);
}

void
qm_dev_queue_ring(struct qm_dev *dev, uint64_t value)
{
	uint16_t qn = (uint16_t)(value & HISI_QM_DB_QN_MASK);
	unsigned int cmd = (unsigned int)(value >> HISI_QM_DB_CMD_SHIFT & HISI_QM_DB_CMD_MASK);
	struct qm_dev_queue *q = qm_dev_queue_find(dev, qn);

	if (q != NULL && cmd == HISI_QM_DB_SQ && db_valid(atomic_load_explicit(&q->ring.sq_key,
			memory_order_acquire), value)) {
		/* Priority 1 is the kick after a migration: "poll again", no new tail (U10). */
		if (db_priority(value) == 0)
			qm_dev_db_set(&q->db->sq, value);
		if (q->shared)
			qm_dev_sched_wake(q);
	} else if (q != NULL && cmd == HISI_QM_DB_CQ && db_valid(atomic_load_explicit(
			&q->ring.cq_key, memory_order_acquire), value)) {
		qm_dev_db_set(&q->db->cq, value);
		/* Who wants events cannot wait until the queue polls by itself. */
		if (db_priority(value) != 0 ||
				atomic_load_explicit(&q->ring.armed, memory_order_relaxed)) {
			queue_lock(q);
			if (queue_runs(q))
				take_cq(dev, q, value);
			queue_unlock(q);
		}
	} else {
		count_dropped(dev);
	}
}

void
qm_dev_queue_wake(struct qm_dev *dev, uint32_t qn)
{
	struct qm_dev_queue *q = qm_dev_queue_find(dev, qn);

	if (q == NULL) {
		count_dropped(dev);
		return;
	}
	if (!q->shared)
		return;
	qm_dev_sched_wake(q);
	/* A CQ doorbell that arms an event, see hisi_qm_shadow.h. */
	if ((db_priority(qm_dev_db_get(&q->db->cq)) & 1) != 0) {
		queue_lock(q);
		if (queue_runs(q))
			qm_dev_queue_poll_cq(dev, q);
		queue_unlock(q);
	}
}

void
qm_dev_queue_ring_page(struct qm_dev *dev, uint64_t qn, uint64_t value)
{
	if (atomic_load_explicit(&dev->gone, memory_order_relaxed))
		return;
	if ((value & HISI_QM_DB_QN_MASK) == qn)
		qm_dev_queue_ring(dev, value);
	else
		count_dropped(dev);
}

void
qm_dev_queue_poll_sq(struct qm_dev *dev, struct qm_dev_queue *q)
{
	uint64_t value = qm_dev_db_get(&q->db->sq);
	uint16_t tail = db_index(value);

	if (value == atomic_load_explicit(&q->ring.sq_seen, memory_order_relaxed))
		return;
	atomic_store_explicit(&q->ring.sq_seen, value, memory_order_relaxed);
	if (!db_valid(atomic_load_explicit(&q->ring.sq_key, memory_order_relaxed), value)) {
		count_dropped(dev);
		return;
	}
	if (db_priority(value) != 0)
		return;
	if (tail < q->ring.tail)
		q->ring.sq_wrap = !q->ring.sq_wrap;
	q->ring.tail = tail;
	counter_set(&q->ring.waiting, ring_dist(q->ring.fetch, tail, q->ring.sq_depth));
}

void
qm_dev_queue_poll_cq(struct qm_dev *dev, struct qm_dev_queue *q)
{
	uint64_t value = qm_dev_db_get(&q->db->cq);

	if (value != q->ring.cq_seen)
		take_cq(dev, q, value);
}
