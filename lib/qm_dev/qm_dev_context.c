/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>

#include "qm_dev_context.h"
#include "qm_dev_doorbell.h"
#include "qm_dev_exec.h"
#include "qm_dev_group.h"
#include "qm_dev_run.h"
#include "qm_dev_sched.h"
#include "qm_dev_shared.h"
#include "qm_dev_state.h"

struct qm_dev_queue *
qm_dev_queue_make(struct qm_dev *dev, uint16_t qn)
{
	struct qm_dev_queue *q = qm_dev_queue_find(dev, qn), *old = NULL;

	if (q != NULL || qn >= dev->conf.queues)
		return q;
	q = aligned_alloc(64, sizeof(*q));
	if (q == NULL)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->num = qn;
	q->dev = dev;
	q->db = &dev->doorbells[qn];
	q->shared = dev->group != NULL;
	if (q->shared) {
		q->pool = dev->group->pool;
		q->sched.turn.weight = dev->group->weight;
		q->sched.flow = dev->conf.quota != NULL ? &dev->conf.quota->flow : &q->sched.own;
		q->sched.can_sleep = dev->conf.wake != 0;
	}
	if (atomic_compare_exchange_strong_explicit(&dev->queues[qn], &old, q,
			memory_order_acq_rel, memory_order_acquire))
		return q;
	free(q);
	return old;
}

/* ---- Budgets; mb_lock is held ---- */

/* @return Whether the function may have one more live queue of this depth. */
static bool
budget_take(struct qm_dev *dev, struct qm_dev_queue *q)
{
	const struct qm_dev_limits *l = &dev->conf.limits;
	struct qm_dev_quota *quota = dev->conf.quota;

	if ((l->queues_live != 0 && dev->queues_taken >= l->queues_live) ||
			(l->slots != 0 && dev->slots_taken + q->ring.sq_depth > l->slots))
		return false;
	if (qm_dev_quota_take(quota, QM_DEV_QUEUES, 1) != 0)
		return false;
	if (qm_dev_quota_take(quota, QM_DEV_SLOTS, q->ring.sq_depth) != 0) {
		qm_dev_quota_put(quota, QM_DEV_QUEUES, 1);
		return false;
	}
	if (dev->group != NULL && !qm_dev_group_take(dev->group, quota == NULL ? 0 :
			atomic_load_explicit(&quota->used[QM_DEV_QUEUES], memory_order_relaxed) -
			1)) {
		qm_dev_quota_put(quota, QM_DEV_QUEUES, 1);
		qm_dev_quota_put(quota, QM_DEV_SLOTS, q->ring.sq_depth);
		return false;
	}
	q->counted = q->ring.sq_depth;
	dev->queues_taken++;
	dev->slots_taken += q->counted;
	return true;
}

static void
budget_put(struct qm_dev *dev, struct qm_dev_queue *q)
{
	if (q->counted == 0)
		return;
	dev->queues_taken--;
	dev->slots_taken -= q->counted;
	qm_dev_quota_put(dev->conf.quota, QM_DEV_QUEUES, 1);
	qm_dev_quota_put(dev->conf.quota, QM_DEV_SLOTS, q->counted);
	q->counted = 0;
	if (dev->group != NULL)
		qm_dev_group_put(dev->group);
}

void
qm_dev_queue_abort(struct qm_dev *dev, struct qm_dev_queue *q)
{
	queue_lock(q);
	qm_dev_queue_move(dev, q, QM_DEV_QUEUE_OFF);
	queue_unlock(q);
	budget_put(dev, q);
}

bool
qm_dev_queue_aborted(struct qm_dev *dev, struct qm_dev_queue *q)
{
	bool busy;

	qm_dev_queue_abort(dev, q);
	queue_lock(q);
	busy = qm_dev_queue_busy(q);
	if (!busy) {
		q->ring.tail = q->ring.fetch;
		counter_set(&q->ring.waiting, 0);
		free(q->ring.done);
		q->ring.done = NULL;
	}
	queue_unlock(q);
	return !busy;
}

void
qm_dev_queue_forget(struct qm_dev_queue *q)
{
	queue_lock(q);
	q->sqc = (struct hisi_qm_sqc){ 0 };
	q->cqc = (struct hisi_qm_cqc){ 0 };
	queue_unlock(q);
}

/* A context is about to be set: a queue that has both is set up from scratch. @return Status. */
static unsigned int
queue_before_set(struct qm_dev *dev, struct qm_dev_queue *q)
{
	return queue_has_sqc(q) != queue_has_cqc(q) || qm_dev_queue_aborted(dev, q) ?
		QM_DEV_MB_OK : QM_DEV_MB_AGAIN;
}

/*
 * A context was set, in state has: go live if the other one is there, too. @return Mailbox status.
 */
static unsigned int
queue_after_set(struct qm_dev *dev, struct qm_dev_queue *q, enum qm_dev_queue_state has)
{
	unsigned int st = QM_DEV_MB_OK;

	if (queue_state(q) == QM_DEV_QUEUE_OFF || queue_state(q) == has) {
		queue_lock(q);
		qm_dev_queue_move(dev, q, has);
		queue_unlock(q);
		return QM_DEV_MB_OK;
	}
	if (q->shared && q->ring.done == NULL)
		q->ring.done = malloc(q->ring.sq_depth);
	if (q->shared && q->pool->conf.stats && q->counts.times == NULL)
		atomic_store_explicit(&q->counts.times, calloc(1, sizeof(*q->counts.times)),
				memory_order_release);
	if (q->shared && (q->ring.done == NULL || (q->pool->conf.stats && q->counts.times == NULL)))
		st = QM_DEV_MB_NO_MEM;
	else if (!budget_take(dev, q))
		st = QM_DEV_MB_NO_QUEUE;
	if (st != QM_DEV_MB_OK) {
		free(q->ring.done);
		q->ring.done = NULL;
		queue_lock(q);
		qm_dev_queue_move(dev, q, QM_DEV_QUEUE_OFF);
		queue_unlock(q);
		return st;
	}
	queue_lock(q);
	/*
	 * The words may still hold what was rung last before, and the driver
	 * may soon ring that very value again: only a change is noticed.
	 */
	qm_dev_db_set(&q->db->sq, UINT64_MAX);
	qm_dev_db_set(&q->db->cq, UINT64_MAX);
	hisi_qm_shadow_wake(q->db);
	atomic_store_explicit(&q->ring.sq_seen, UINT64_MAX, memory_order_relaxed);
	q->ring.cq_seen = UINT64_MAX;
	/* 0 at a start (U35); a driver that goes on after a function died begins elsewhere. */
	q->ring.fetch = q->ring.tail = q->ring.retire = q->sqc.head;
	q->ring.cq_head = q->ring.cq_tail = q->cqc.head;
	q->ring.cq_used = 0;
	q->ring.sq_wrap = q->ring.cq_wrap = q->ring.cq_head_wrap = false;
	q->ring.phase = (q->cqc.dw6 & HISI_QM_CQC_PHASE) != 0;
	atomic_store_explicit(&q->ring.armed, (q->cqc.dw6 & HISI_QM_CQC_C_FLAG) != 0,
			memory_order_relaxed);
	if (q->counts.times != NULL)
		q->counts.times->sample_at = 0;
	counter_set(&q->ring.waiting, 0);
	if (q->shared)
		memset(q->ring.done, 0, q->ring.sq_depth);
	qm_dev_queue_move(dev, q, QM_DEV_QUEUE_LIVE);
	queue_unlock(q);
	return QM_DEV_MB_OK;
}

static uint16_t
ctx_depth(uint32_t dw3)
{
	return (uint16_t)((dw3 & HISI_QM_CTX_DEPTH_MASK) + 1);
}

static unsigned int
ctx_entry_log2(uint32_t dw3)
{
	return dw3 >> HISI_QM_CTX_ENTRY_SHIFT & HISI_QM_CTX_ENTRY_MASK;
}

/*
 * The executor of a queue that no worker serves, with what it needs for a class. It is made here
 * and kept: nothing is allocated where requests run.
 */
static unsigned int
exec_have(struct qm_dev *dev, struct qm_dev_queue *q, const struct qm_dev_class_state *cs)
{
	if (q->exec == NULL) {
		q->exec = qm_dev_exec_create();
		if (q->exec == NULL)
			return QM_DEV_MB_NO_MEM;
		qm_dev_view_add(&dev->map, &q->exec->bufs.view);
	}
	return qm_dev_exec_add(q->exec, cs->slot, cs->class) == 0 ? QM_DEV_MB_OK :
		QM_DEV_MB_NO_MEM;
}

/*
 * Alignment is ours to choose (U37). Fields whose meaning is open (U8), and PASIDs (U23), are
 * kept for who reads the context, and have no effect.
 */
unsigned int
qm_dev_queue_set_sqc(struct qm_dev *dev, struct qm_dev_queue *q,
		const struct hisi_qm_sqc *sqc)
{
	uint64_t base = sqc->base_l | (uint64_t)sqc->base_h << 32;
	unsigned int type = sqc->w13 >> HISI_QM_SQC_TYPE_SHIFT & HISI_QM_SQC_TYPE_MASK;
	const struct qm_dev_class_state *cs = qm_dev_class_of(dev, type);
	uint16_t depth = ctx_depth(sqc->dw3);
	unsigned int st;

	if (ctx_entry_log2(sqc->dw3) != HISI_QM_SQE_LOG2 || depth < 2 ||
			base % QM_DEV_SQE_SIZE != 0 ||
			base > UINT64_MAX - depth * QM_DEV_SQE_SIZE || cs == NULL ||
			sqc->cq_num != q->num ||
			(sqc->w13 & HISI_QM_SQC_DISABLE) != 0 || sqc->head != sqc->tail ||
			sqc->head >= depth) {
		qm_dev_log(dev, BASE_LOG_ERR, "queue %u: SQC refused: base 0x%llx dw3 0x%x "
				"cq %u w13 0x%x, expected a base aligned to 128, entries of 2^7, "
				"a depth of 2 to 4096, cq %u, a type of its classes, head %u and "
				"tail %u equal and inside", q->num, (unsigned long long)base,
				sqc->dw3, sqc->cq_num, sqc->w13, q->num, sqc->head, sqc->tail);
		return QM_DEV_MB_BAD_CTX;
	}
	st = q->shared ? QM_DEV_MB_OK : exec_have(dev, q, cs);
	if (st == QM_DEV_MB_OK)
		st = queue_before_set(dev, q);
	if (st != QM_DEV_MB_OK)
		return st;
	queue_lock(q);
	q->sqc = *sqc;
	q->ring.sq_base = base;
	q->ring.sq_depth = depth;
	q->type = (uint8_t)type;
	q->cs = cs;
	queue_unlock(q);
	return queue_after_set(dev, q, QM_DEV_QUEUE_SQC);
}

unsigned int
qm_dev_queue_set_cqc(struct qm_dev *dev, struct qm_dev_queue *q,
		const struct hisi_qm_cqc *cqc)
{
	uint64_t base = cqc->base_l | (uint64_t)cqc->base_h << 32;
	uint16_t depth = ctx_depth(cqc->dw3);
	unsigned int st;

	if (ctx_entry_log2(cqc->dw3) != HISI_QM_CQE_LOG2 || depth < 2 || base % 32 != 0 ||
			base > UINT64_MAX - depth * sizeof(struct hisi_qm_cqe) ||
			cqc->head != cqc->tail || cqc->head >= depth) {
		qm_dev_log(dev, BASE_LOG_ERR, "queue %u: CQC refused: base 0x%llx dw3 0x%x, "
				"expected a base aligned to 32, entries of 2^4, "
				"a depth of 2 to 4096, head %u and tail %u equal and inside",
				q->num, (unsigned long long)base, cqc->dw3, cqc->head, cqc->tail);
		return QM_DEV_MB_BAD_CTX;
	}
	st = queue_before_set(dev, q);
	if (st != QM_DEV_MB_OK)
		return st;
	queue_lock(q);
	q->cqc = *cqc;
	q->ring.cq_base = base;
	q->ring.cq_depth = depth;
	queue_unlock(q);
	return queue_after_set(dev, q, QM_DEV_QUEUE_CQC);
}

static uint16_t
sig_flags(bool head, bool tail)
{
	return (uint16_t)((head ? HISI_QM_CTX_HEAD_SIG : 0) | (tail ? HISI_QM_CTX_TAIL_SIG : 0));
}

void
qm_dev_queue_get_sqc(struct qm_dev *dev, struct qm_dev_queue *q, struct hisi_qm_sqc *sqc)
{
	queue_lock(q);
	if (queue_state(q) == QM_DEV_QUEUE_LIVE)
		qm_dev_queue_poll_sq(dev, q); /* silicon takes a doorbell when it is rung */
	*sqc = q->sqc;
	if (queue_has_sqc(q) && queue_has_cqc(q)) {
		/* fetch trails tail: it wrapped as often, unless it is still in the pass before */
		bool head_wrap = q->ring.fetch > q->ring.tail ? !q->ring.sq_wrap : q->ring.sq_wrap;

		sqc->head = q->ring.fetch;
		sqc->tail = q->ring.tail;
		sqc->w11 = (uint16_t)((sqc->w11 & ~sig_flags(true, true)) |
				sig_flags(head_wrap, q->ring.sq_wrap));
	}
	queue_unlock(q);
	if (q->shared)
		qm_dev_sched_wake(q); /* the doorbell is no news any more when a worker polls */
}

void
qm_dev_queue_get_cqc(struct qm_dev *dev, struct qm_dev_queue *q, struct hisi_qm_cqc *cqc)
{
	queue_lock(q);
	if (queue_state(q) == QM_DEV_QUEUE_LIVE)
		qm_dev_queue_poll_cq(dev, q);
	*cqc = q->cqc;
	if (queue_has_sqc(q) && queue_has_cqc(q)) {
		cqc->head = q->ring.cq_head;
		cqc->tail = q->ring.cq_tail;
		cqc->w11 = (uint16_t)((cqc->w11 & ~sig_flags(true, true)) |
				sig_flags(q->ring.cq_head_wrap, q->ring.cq_wrap));
		cqc->dw6 &= ~(HISI_QM_CQC_PHASE | HISI_QM_CQC_C_FLAG);
		cqc->dw6 |= (q->ring.phase ? HISI_QM_CQC_PHASE : 0) |
			(atomic_load_explicit(&q->ring.armed, memory_order_relaxed) ?
			HISI_QM_CQC_C_FLAG : 0);
	}
	queue_unlock(q);
}

/* Begin to drain, if that has not begun. @return Whether nothing is left to do. */
static bool
queue_drained(struct qm_dev *dev, struct qm_dev_queue *q)
{
	bool done;

	queue_lock(q);
	if (queue_state(q) == QM_DEV_QUEUE_LIVE) {
		qm_dev_queue_poll_sq(dev, q);
		/* From here on no doorbell counts: a driver that keeps ringing cannot hold us. */
		qm_dev_queue_move(dev, q, QM_DEV_QUEUE_DRAINING);
	}
	queue_unlock(q);
	if (q->shared)
		qm_dev_sched_wake(q);
	else
		while (queue_state(q) == QM_DEV_QUEUE_DRAINING &&
				counter_get(&q->ring.waiting) != 0)
			qm_dev_queue_execute(dev, q, QM_DEV_BATCH);
	queue_lock(q);
	done = counter_get(&q->ring.inflight) == 0 && (counter_get(&q->ring.waiting) == 0 ||
			queue_state(q) != QM_DEV_QUEUE_DRAINING);
	queue_unlock(q);
	return done;
}

static void
drain_end(struct qm_dev *dev, struct qm_dev_queue *q)
{
	queue_lock(q);
	if (queue_state(q) == QM_DEV_QUEUE_DRAINING)
		qm_dev_queue_move(dev, q, QM_DEV_QUEUE_LIVE);
	queue_unlock(q);
}

unsigned int
qm_dev_queues_flush(struct qm_dev *dev)
{
	bool done = true;

	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q != NULL)
			done = queue_drained(dev, q) && done;
	}
	if (!done)
		return QM_DEV_MB_AGAIN;
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q != NULL)
			drain_end(dev, q);
	}
	return QM_DEV_MB_OK;
}

unsigned int
qm_dev_queue_stop(struct qm_dev *dev, struct qm_dev_queue *q)
{
	return queue_drained(dev, q) && qm_dev_queue_aborted(dev, q) ? QM_DEV_MB_OK :
		QM_DEV_MB_AGAIN;
}
