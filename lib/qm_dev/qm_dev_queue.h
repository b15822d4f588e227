/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_QUEUE_H
#define QM_DEV_QUEUE_H

/**
 * @file
 * A queue pair, as all see it that do something with it: qm_dev_doorbell.c takes its doorbells,
 * qm_dev_run.c claims, executes and completes its requests, qm_dev_context.c sets it up, stops and
 * shows it, qm_dev_state.c says what it is now.
 */

#include <sys/queue.h>

#include "qm_dev_counts.h"
#include "qm_dev_func.h"
#include "qm_dev_ring.h"
#include "qm_dev_shared.h"

/**
 * State of a queue; only qm_dev_queue_move() changes it.
 *
 * @code
 *   OFF -> SQC or CQC -> LIVE <-> DRAINING      by the driver's commands
 *    ^        |           |          |
 *    +--------+-----------+----------+          stopped, set up again, reset
 *                         +----------+-> FAILED by a fault; OFF as above
 *
 * A function that vanishes takes its queues to FAILED from any state.
 * @endcode
 */
enum qm_dev_queue_state {
	QM_DEV_QUEUE_OFF,      /**< Has no context. */
	QM_DEV_QUEUE_SQC,      /**< Has an SQC, and waits for the CQC. */
	QM_DEV_QUEUE_CQC,      /**< The other way round. */
	QM_DEV_QUEUE_LIVE,     /**< Has both, as those below. */
	QM_DEV_QUEUE_DRAINING, /**< Executes what it has; doorbells are not polled. */
	QM_DEV_QUEUE_FAILED,   /**< CQ overflow or ring fault; waits to be set up again. */
};

/** Where the workers have a live queue (qm_dev_sched.h). */
enum qm_dev_sched_state {
	QM_DEV_SCHED_OUT,    /**< Nowhere. */
	QM_DEV_SCHED_ASLEEP, /**< Nobody polls its doorbell: it must be woken. */
	QM_DEV_SCHED_QUIET,  /**< Its doorbell is polled. */
	QM_DEV_SCHED_READY,  /**< Has work, and waits for its turn. */
	QM_DEV_SCHED_TAKEN,  /**< A worker claims from it. */
	QM_DEV_SCHED_FENCED, /**< Has work, which begins when nothing of it is executing. */
};

/**
 * A live queue as the workers see it (qm_dev_sched.c). The pool's lock guards everything, but
 * turn.deficit and rung_at belong to the worker that has TAKEN the queue. A function without
 * workers uses running only.
 */
struct qm_dev_sched {
	_Atomic bool running;        /**< In qm_dev.queues_live; workers know it. */
	_Atomic uint8_t state;       /**< enum qm_dev_sched_state. */
	bool can_sleep;              /**< Constant. */
	bool leaving;                /**< TAKEN, and to be OUT after that. */
	bool slow;                   /**< TAKEN, and its turn counts in qm_dev_pool.slow. */
	TAILQ_ENTRY(qm_dev_queue) link; /**< While QUIET. */
	struct qm_dev_drr_entry turn; /**< Among the queues of its flow, by bytes. */
	struct qm_dev_flow *flow;    /**< Of the function's quota, or own. Constant. */
	struct qm_dev_flow own;
	int64_t quiet_since;         /**< 0: not yet seen quiet. */
	int64_t rung_at;             /**< When the doorbell was seen; 0: at the claim. */
};

/**
 * One queue pair. lock guards everything but sched and what is constant or atomic; without
 * workers there is one user at a time and it is not taken. Contexts are set with
 * qm_dev.mb_lock held, too.
 */
struct qm_dev_queue {
	_Alignas(64) struct qm_dev_lock lock;
	bool shared;                 /**< The function has workers; constant. */
	uint8_t type;                /**< Queue type, which the SQC names. */
	_Atomic uint8_t state;       /**< enum qm_dev_queue_state. */
	uint16_t num;                /**< Constant, as are the next three. */
	struct qm_dev *dev;
	struct qm_dev_pool *pool;
	struct hisi_qm_shadow *db;
	const struct qm_dev_class_state *cs; /**< Whose requests it has; NULL: no SQC yet. */
	struct qm_dev_ring ring;
	struct qm_dev_counts counts;
	struct qm_dev_exec *exec;    /**< Not shared: who executes. */
	struct qm_dev_sched sched;
	uint16_t counted;            /**< Slots taken from the function's budget; 0: none. */
	struct hisi_qm_sqc sqc;      /**< As the driver gave it. */
	struct hisi_qm_cqc cqc;
};

static inline void
queue_lock(struct qm_dev_queue *q)
{
	if (q->shared)
		qm_dev_lock(&q->lock);
}

static inline void
queue_unlock(struct qm_dev_queue *q)
{
	if (q->shared)
		qm_dev_unlock(&q->lock);
}

static inline uint8_t
queue_state(const struct qm_dev_queue *q)
{
	return atomic_load_explicit(&q->state, memory_order_relaxed);
}

static inline bool
state_runs(unsigned int state)
{
	return state == QM_DEV_QUEUE_LIVE || state == QM_DEV_QUEUE_DRAINING;
}

/** Does it complete requests? */
static inline bool
queue_runs(const struct qm_dev_queue *q)
{
	return state_runs(queue_state(q));
}

static inline bool
queue_has_sqc(const struct qm_dev_queue *q)
{
	return queue_state(q) == QM_DEV_QUEUE_SQC || queue_state(q) >= QM_DEV_QUEUE_LIVE;
}

static inline bool
queue_has_cqc(const struct qm_dev_queue *q)
{
	return queue_state(q) >= QM_DEV_QUEUE_CQC;
}

static inline bool
qm_dev_sched_out(const struct qm_dev_queue *q)
{
	return atomic_load_explicit(&q->sched.state, memory_order_acquire) == QM_DEV_SCHED_OUT;
}

/** A worker claims from the queue or executes a request of it; its lock is held. */
static inline bool
qm_dev_queue_busy(const struct qm_dev_queue *q)
{
	return !qm_dev_sched_out(q) || counter_get(&q->ring.inflight) != 0;
}

/** The queue may have something to claim; no lock, no write. */
static inline bool
qm_dev_queue_peek(const struct qm_dev_queue *q)
{
	return counter_get(&q->ring.waiting) != 0 ||
		qm_dev_db_peek(&q->db->sq) !=
		atomic_load_explicit(&q->ring.sq_seen, memory_order_relaxed);
}

#endif /* QM_DEV_QUEUE_H */
