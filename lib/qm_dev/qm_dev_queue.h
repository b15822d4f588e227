/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_QUEUE_H
#define QM_DEV_QUEUE_H

/**
 * @file
 * A queue pair: qm_dev_queue.c claims, executes and completes its requests, qm_dev_context.c
 * starts, stops and shows it.
 */

#include <sys/queue.h>

#include "qm_dev_exec.h"
#include "qm_dev_func.h"
#include "qm_dev_ring.h"
#include "qm_dev_stats.h"

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
	QM_DEV_SCHED_FIRST,  /**< Has work, and its turn. */
	QM_DEV_SCHED_TURN,   /**< Has work, and waits for its turn. */
	QM_DEV_SCHED_TAKEN,  /**< A worker claims from it. */
	QM_DEV_SCHED_FENCED, /**< Has work, which begins when nothing of it is executing. */
};

/**
 * A live queue as the workers see it (qm_dev_sched.c). The pool's lock guards everything, but
 * deficit and rung_at belong to the worker that has TAKEN the queue. A function without workers
 * uses running only.
 */
struct qm_dev_sched {
	_Atomic bool running;        /**< In qm_dev.queues_live; workers know it. */
	_Atomic uint8_t state;       /**< enum qm_dev_sched_state. */
	bool can_sleep;              /**< Constant. */
	bool leaving;                /**< TAKEN, and to be OUT after that. */
	uint32_t weight;             /**< Quanta per round. Constant. */
	TAILQ_ENTRY(qm_dev_queue) link;
	uint64_t round;              /**< In which deficit was last filled up. */
	int64_t deficit;             /**< Bytes it may still claim in this round. */
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

/** The queue may have something to claim; no lock, no write. */
bool qm_dev_queue_peek(const struct qm_dev_queue *q);

/**
 * Claim up to max requests into ex->job. The caller's view holds the map, and it
 * must run each of them through qm_dev_queue_run().
 * @param fair
 *   Claim only as long as the queue's deficit is above 0, and leave idle workers their part.
 * @return Requests claimed.
 */
unsigned int qm_dev_queue_claim(struct qm_dev *dev, struct qm_dev_queue *q,
		struct qm_dev_exec *ex, unsigned int max, bool fair);

/** Execute and complete n claimed requests. */
void qm_dev_queue_run(struct qm_dev *dev, struct qm_dev_queue *q, struct qm_dev_exec *ex,
		unsigned int n);

/** A doorbell of the register path: validate, then store it where the queue polls. */
void qm_dev_queue_ring(struct qm_dev *dev, uint64_t value);

/** The same for page qn of BAR4: it must name that queue. */
void qm_dev_queue_ring_page(struct qm_dev *dev, uint64_t qn, uint64_t value);

/** HISI_QM_SHADOW_REG_WAKE. */
void qm_dev_queue_wake(struct qm_dev *dev, uint32_t qn);

/**
 * Change the state of a queue, and with it who takes its doorbells and whether workers know it. Its
 * lock is held, unless to is FAILED: then the queue claims and completes nothing from now on,
 * whatever else is done to it at the same time.
 */
void qm_dev_queue_move(struct qm_dev *dev, struct qm_dev_queue *q, enum qm_dev_queue_state to);

/**
 * Make the queue dead, and forget what waits. @return Whether nothing is being executed any more;
 * if not, to be called again.
 */
bool qm_dev_queue_aborted(struct qm_dev *dev, struct qm_dev_queue *q);

/** Forget the contexts of a dead queue. */
void qm_dev_queue_forget(struct qm_dev_queue *q);

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

/** Make the queue dead without waiting for what is being executed; mb_lock is held. */
void qm_dev_queue_abort(struct qm_dev *dev, struct qm_dev_queue *q);

/** A worker claims from the queue or executes a request of it; its lock is held. */
bool qm_dev_queue_busy(const struct qm_dev_queue *q);

/** Take over a new SQ tail, if the driver has rung. Lock is held. */
void qm_dev_queue_poll_sq(struct qm_dev *dev, struct qm_dev_queue *q);

/** Take over a new CQ head: CQEs that the driver acknowledges. Lock is held. */
void qm_dev_queue_poll_cq(struct qm_dev *dev, struct qm_dev_queue *q);

/** Execute up to budget requests in the caller (no workers). @return how many. */
unsigned int qm_dev_queue_execute(struct qm_dev *dev, struct qm_dev_queue *q,
		unsigned int budget);

#endif /* QM_DEV_QUEUE_H */
