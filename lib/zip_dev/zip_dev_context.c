/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>

#include "zip_dev_queue.h"
#include "zip_dev_sched.h"

static inline uint64_t
db_key(uint16_t qn, enum hisi_qm_db_cmd cmd, uint16_t rand, uint16_t depth)
{
	return (uint32_t)hisi_qm_db(qn, cmd, rand, 0, 0) | (uint64_t)depth << 32;
}

void
zip_dev_queue_set_live(struct zip_dev *dev, struct zip_dev_queue *q, bool live)
{
	/* One step: a function that vanishes may end what begins here (zip_dev_vanish()). */
	if (q->shared ? !zip_dev_sched_set(q, live) :
			atomic_exchange_explicit(&q->running, live, memory_order_acq_rel) == live)
		return;
	if (live)
		atomic_fetch_add_explicit(&dev->queues_live, 1, memory_order_relaxed);
	else
		atomic_fetch_sub_explicit(&dev->queues_live, 1, memory_order_relaxed);
}

/* ---- Budgets; mb_lock is held ---- */

/* @return Whether the function may have one more live queue of this depth. */
static bool
budget_take(struct zip_dev *dev, struct zip_dev_queue *q)
{
	const struct zip_dev_limits *l = &dev->conf.limits;
	struct zip_dev_quota *quota = dev->conf.quota;

	if ((l->queues_live != 0 && dev->queues_taken >= l->queues_live) ||
			(l->slots != 0 && dev->slots_taken + q->sq_depth > l->slots))
		return false;
	if (!zip_dev_quota_take(quota, ZIP_DEV_QUEUES, 1))
		return false;
	if (!zip_dev_quota_take(quota, ZIP_DEV_SLOTS, q->sq_depth)) {
		zip_dev_quota_give(quota, ZIP_DEV_QUEUES, 1);
		return false;
	}
	if (dev->group != NULL && !zip_dev_group_take(dev->group)) {
		zip_dev_quota_give(quota, ZIP_DEV_QUEUES, 1);
		zip_dev_quota_give(quota, ZIP_DEV_SLOTS, q->sq_depth);
		return false;
	}
	q->counted = q->sq_depth;
	dev->queues_taken++;
	dev->slots_taken += q->counted;
	return true;
}

static void
budget_give(struct zip_dev *dev, struct zip_dev_queue *q)
{
	if (q->counted == 0)
		return;
	dev->queues_taken--;
	dev->slots_taken -= q->counted;
	zip_dev_quota_give(dev->conf.quota, ZIP_DEV_QUEUES, 1);
	zip_dev_quota_give(dev->conf.quota, ZIP_DEV_SLOTS, q->counted);
	q->counted = 0;
	if (dev->group != NULL)
		zip_dev_group_give(dev->group);
}

bool
zip_dev_queue_busy(const struct zip_dev_queue *q)
{
	return !zip_dev_sched_out(q) || counter_get(&q->inflight) != 0;
}

void
zip_dev_queue_kill(struct zip_dev *dev, struct zip_dev_queue *q)
{
	queue_set_state(q, ZIP_DEV_QUEUE_FAILED);
	atomic_store_explicit(&q->sq_key, 0, memory_order_release);
	atomic_store_explicit(&q->cq_key, 0, memory_order_release);
	zip_dev_queue_set_live(dev, q, false);
}

void
zip_dev_queue_shut(struct zip_dev *dev, struct zip_dev_queue *q)
{
	atomic_store_explicit(&q->sq_key, 0, memory_order_release);
	atomic_store_explicit(&q->cq_key, 0, memory_order_release);
	zip_dev_queue_set_live(dev, q, false);
	queue_lock(q);
	queue_set_state(q, ZIP_DEV_QUEUE_OFF);
	q->sqc_set = false;
	q->cqc_set = false;
	queue_unlock(q);
	budget_give(dev, q);
}

/* Shut, and clean up once nobody is at work on it. @return Whether that is done. */
static bool
queue_halted(struct zip_dev *dev, struct zip_dev_queue *q)
{
	bool busy;

	zip_dev_queue_shut(dev, q);
	queue_lock(q);
	busy = zip_dev_queue_busy(q);
	if (!busy) {
		q->tail = q->fetch;
		counter_set(&q->waiting, 0);
		free(q->done);
		q->done = NULL;
	}
	queue_unlock(q);
	return !busy;
}

void
zip_dev_queue_halt(struct zip_dev *dev, struct zip_dev_queue *q)
{
	unsigned int turns = 0;

	while (!queue_halted(dev, q))
		zip_dev_wait(&turns);
}

void
zip_dev_queue_reset(struct zip_dev *dev, struct zip_dev_queue *q)
{
	zip_dev_queue_halt(dev, q);
	queue_lock(q);
	q->sqc = (struct hisi_qm_sqc){ 0 };
	q->cqc = (struct hisi_qm_cqc){ 0 };
	queue_unlock(q);
}

/*
 * A context is about to be set: a queue that has both is set up from scratch, as is one
 * whose last requests a deferred command did not wait for. @return Mailbox status.
 */
static unsigned int
queue_before_set(struct zip_dev *dev, struct zip_dev_queue *q)
{
	if (q->sqc_set != q->cqc_set)
		return ZIP_DEV_MB_OK;
	if (!dev->conf.deferred)
		zip_dev_queue_halt(dev, q);
	else if (!queue_halted(dev, q))
		return ZIP_DEV_MB_AGAIN;
	return ZIP_DEV_MB_OK;
}

/* Reset the rings and go live, when both contexts are there. @return Mailbox status. */
static unsigned int
queue_after_set(struct zip_dev *dev, struct zip_dev_queue *q)
{
	unsigned int st = ZIP_DEV_MB_OK;

	if (!q->sqc_set || !q->cqc_set)
		return ZIP_DEV_MB_OK;
	if (q->shared && q->done == NULL)
		q->done = malloc(q->sq_depth);
	if (q->shared && q->pool->conf.stats && q->times == NULL)
		atomic_store_explicit(&q->times, calloc(1, sizeof(*q->times)),
				memory_order_release);
	if (q->shared && (q->done == NULL || (q->pool->conf.stats && q->times == NULL)))
		st = ZIP_DEV_MB_NO_MEM;
	else if (!budget_take(dev, q))
		st = ZIP_DEV_MB_NO_QUEUE;
	if (st != ZIP_DEV_MB_OK) {
		free(q->done);
		q->done = NULL;
		q->sqc_set = false;
		q->cqc_set = false;
		return st;
	}
	queue_lock(q);
	/*
	 * The words may still hold what was rung last before, and the driver
	 * may soon ring that very value again: only a change is noticed.
	 */
	__atomic_store_n(&q->db->sq, UINT64_MAX, __ATOMIC_RELAXED);
	__atomic_store_n(&q->db->cq, UINT64_MAX, __ATOMIC_RELAXED);
	hisi_qm_shadow_wake(q->db);
	atomic_store_explicit(&q->sq_seen, UINT64_MAX, memory_order_relaxed);
	q->cq_seen = UINT64_MAX;
	/* 0 at a start (U35); a driver that goes on after a function died begins elsewhere. */
	q->fetch = q->tail = q->retire = q->sqc.head;
	q->cq_head = q->cq_tail = q->cqc.head;
	q->cq_used = 0;
	q->sq_wrap = q->cq_wrap = q->cq_head_wrap = false;
	q->phase = (q->cqc.dw6 & HISI_QM_CQC_PHASE) != 0;
	atomic_store_explicit(&q->armed, (q->cqc.dw6 & HISI_QM_CQC_C_FLAG) != 0,
			memory_order_relaxed);
	q->debt = 0;
	if (q->times != NULL)
		q->times->sample_at = 0;
	counter_set(&q->waiting, 0);
	if (q->shared)
		memset(q->done, 0, q->sq_depth);
	queue_set_state(q, ZIP_DEV_QUEUE_LIVE);
	queue_unlock(q);
	atomic_store_explicit(&q->sq_key, db_key(q->num, HISI_QM_DB_SQ, q->sqc.w8, q->sq_depth),
			memory_order_release);
	atomic_store_explicit(&q->cq_key, db_key(q->num, HISI_QM_DB_CQ, q->cqc.w8, q->cq_depth),
			memory_order_release);
	zip_dev_queue_set_live(dev, q, true);
	/* Whoever made the function vanish may have looked at the queue before it was live. */
	if (atomic_load_explicit(&dev->gone, memory_order_acquire))
		zip_dev_queue_kill(dev, q);
	return ZIP_DEV_MB_OK;
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
 * Alignment is ours to choose (U37). Fields whose meaning is open (U8), and PASIDs (U23), are
 * kept for who reads the context, and have no effect.
 */
unsigned int
zip_dev_queue_set_sqc(struct zip_dev *dev, struct zip_dev_queue *q,
		const struct hisi_qm_sqc *sqc)
{
	uint64_t base = sqc->base_l | (uint64_t)sqc->base_h << 32;
	unsigned int type = sqc->w13 >> HISI_QM_SQC_TYPE_SHIFT & HISI_QM_SQC_TYPE_MASK;
	uint16_t depth = ctx_depth(sqc->dw3);
	unsigned int st;

	if (ctx_entry_log2(sqc->dw3) != HISI_QM_SQE_LOG2 || depth < 2 ||
			base % sizeof(struct hisi_zip_sqe) != 0 ||
			base > UINT64_MAX - depth * sizeof(struct hisi_zip_sqe) ||
			type > HISI_ZIP_QC_DECOMPRESS || sqc->cq_num != q->num ||
			(sqc->w13 & HISI_QM_SQC_DISABLE) != 0 || sqc->head != sqc->tail ||
			sqc->head >= depth) {
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "queue %u: SQC refused: base 0x%llx dw3 0x%x "
				"cq %u w13 0x%x, expected a base aligned to 128, entries of 2^7, "
				"a depth of 2 to 4096, cq %u, type 0 or 1, head %u and tail %u "
				"equal and inside", q->num, (unsigned long long)base, sqc->dw3,
				sqc->cq_num, sqc->w13, q->num, sqc->head, sqc->tail);
		return ZIP_DEV_MB_BAD_CTX;
	}
	/* Executors are made here and kept: nothing is allocated where requests run. */
	if (!q->shared && q->exec == NULL) {
		q->exec = zip_dev_exec_create();
		if (q->exec != NULL)
			zip_dev_view_add(&dev->map, &q->exec->view);
	}
	if (!q->shared && q->exec == NULL)
		return ZIP_DEV_MB_NO_MEM;

	st = queue_before_set(dev, q);
	if (st != ZIP_DEV_MB_OK)
		return st;
	queue_lock(q);
	q->sqc = *sqc;
	q->sqc_set = true;
	q->sq_base = base;
	q->sq_depth = depth;
	q->qc_type = (uint8_t)type;
	queue_unlock(q);
	return queue_after_set(dev, q);
}

unsigned int
zip_dev_queue_set_cqc(struct zip_dev *dev, struct zip_dev_queue *q,
		const struct hisi_qm_cqc *cqc)
{
	uint64_t base = cqc->base_l | (uint64_t)cqc->base_h << 32;
	uint16_t depth = ctx_depth(cqc->dw3);
	unsigned int st;

	if (ctx_entry_log2(cqc->dw3) != HISI_QM_CQE_LOG2 || depth < 2 || base % 32 != 0 ||
			base > UINT64_MAX - depth * sizeof(struct hisi_qm_cqe) ||
			cqc->head != cqc->tail || cqc->head >= depth) {
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "queue %u: CQC refused: base 0x%llx dw3 0x%x, "
				"expected a base aligned to 32, entries of 2^4, "
				"a depth of 2 to 4096, head %u and tail %u equal and inside",
				q->num, (unsigned long long)base, cqc->dw3, cqc->head, cqc->tail);
		return ZIP_DEV_MB_BAD_CTX;
	}
	st = queue_before_set(dev, q);
	if (st != ZIP_DEV_MB_OK)
		return st;
	queue_lock(q);
	q->cqc = *cqc;
	q->cqc_set = true;
	q->cq_base = base;
	q->cq_depth = depth;
	queue_unlock(q);
	return queue_after_set(dev, q);
}

static uint16_t
sig_flags(bool head, bool tail)
{
	return (uint16_t)((head ? HISI_QM_CTX_HEAD_SIG : 0) | (tail ? HISI_QM_CTX_TAIL_SIG : 0));
}

void
zip_dev_queue_get_sqc(struct zip_dev *dev, struct zip_dev_queue *q, struct hisi_qm_sqc *sqc)
{
	queue_lock(q);
	if (queue_state(q) == ZIP_DEV_QUEUE_LIVE)
		zip_dev_queue_look_sq(dev, q); /* silicon takes a doorbell when it is rung */
	*sqc = q->sqc;
	if (q->sqc_set && q->cqc_set) {
		/* fetch trails tail: it wrapped as often, unless it is still in the pass before */
		bool head_wrap = q->fetch > q->tail ? !q->sq_wrap : q->sq_wrap;

		sqc->head = q->fetch;
		sqc->tail = q->tail;
		sqc->w11 = (uint16_t)((sqc->w11 & ~sig_flags(true, true)) |
				sig_flags(head_wrap, q->sq_wrap));
	}
	queue_unlock(q);
	if (q->shared)
		zip_dev_sched_wake(q); /* the doorbell is no news any more when a worker looks */
}

void
zip_dev_queue_get_cqc(struct zip_dev *dev, struct zip_dev_queue *q, struct hisi_qm_cqc *cqc)
{
	queue_lock(q);
	if (queue_state(q) == ZIP_DEV_QUEUE_LIVE)
		zip_dev_queue_look_cq(dev, q);
	*cqc = q->cqc;
	if (q->sqc_set && q->cqc_set) {
		cqc->head = q->cq_head;
		cqc->tail = q->cq_tail;
		cqc->w11 = (uint16_t)((cqc->w11 & ~sig_flags(true, true)) |
				sig_flags(q->cq_head_wrap, q->cq_wrap));
		cqc->dw6 &= ~(HISI_QM_CQC_PHASE | HISI_QM_CQC_C_FLAG);
		cqc->dw6 |= (q->phase ? HISI_QM_CQC_PHASE : 0) |
			(atomic_load_explicit(&q->armed, memory_order_relaxed) ?
			HISI_QM_CQC_C_FLAG : 0);
	}
	queue_unlock(q);
}

/* Begin to drain, if that has not begun. @return Whether nothing is left to do. */
static bool
queue_drained(struct zip_dev *dev, struct zip_dev_queue *q)
{
	bool done;

	queue_lock(q);
	if (queue_state(q) == ZIP_DEV_QUEUE_LIVE) {
		zip_dev_queue_look_sq(dev, q);
		/* From here on no doorbell counts: a driver that keeps ringing cannot hold us. */
		queue_set_state(q, ZIP_DEV_QUEUE_DRAINING);
	}
	queue_unlock(q);
	if (q->shared)
		zip_dev_sched_wake(q);
	else
		while (queue_state(q) == ZIP_DEV_QUEUE_DRAINING && counter_get(&q->waiting) != 0)
			zip_dev_queue_execute(dev, q, ZIP_DEV_BATCH);
	queue_lock(q);
	done = counter_get(&q->inflight) == 0 && (counter_get(&q->waiting) == 0 ||
			queue_state(q) != ZIP_DEV_QUEUE_DRAINING);
	queue_unlock(q);
	return done;
}

static void
drain_end(struct zip_dev_queue *q)
{
	queue_lock(q);
	if (queue_state(q) == ZIP_DEV_QUEUE_DRAINING)
		queue_set_state(q, ZIP_DEV_QUEUE_LIVE);
	queue_unlock(q);
}

unsigned int
zip_dev_queues_flush(struct zip_dev *dev)
{
	unsigned int turns = 0;
	bool done;

	for (;;) {
		done = true;
		for (unsigned int i = 0; i < dev->conf.queues; i++) {
			struct zip_dev_queue *q = zip_dev_queue_find(dev, i);

			if (q != NULL)
				done = queue_drained(dev, q) && done;
		}
		if (done)
			break;
		if (dev->conf.deferred)
			return ZIP_DEV_MB_AGAIN;
		zip_dev_wait(&turns);
	}
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct zip_dev_queue *q = zip_dev_queue_find(dev, i);

		if (q != NULL)
			drain_end(q);
	}
	return ZIP_DEV_MB_OK;
}

unsigned int
zip_dev_queue_stop(struct zip_dev *dev, struct zip_dev_queue *q)
{
	unsigned int turns = 0;

	while (!queue_drained(dev, q) || !queue_halted(dev, q)) {
		if (dev->conf.deferred)
			return ZIP_DEV_MB_AGAIN;
		zip_dev_wait(&turns);
	}
	return ZIP_DEV_MB_OK;
}
