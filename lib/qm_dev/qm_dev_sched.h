/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_SCHED_H
#define QM_DEV_SCHED_H

/**
 * @file
 * What a pool is made of: its workers (qm_dev_worker.c) and the lists by
 * which they find the queue whose turn it is (qm_dev_sched.c).
 *
 * A live queue is in one of the states of enum qm_dev_sched_state. Workers move
 * it round:
 *
 * @code
 *          rung         its turn          nothing waits
 *   QUIET ------> READY ---------> TAKEN --------------------> QUIET
 *     | ^         ^   ^              |  |
 *     | | woken   |   +--------------+  | what waits is fenced
 *     v |         |   something waits   v
 *   ASLEEP        +------------------- FENCED
 *   (qm_dev_conf.wake)     nothing is executing
 * @endcode
 *
 * Whose turn it is, is decided twice: among the flows, which are the users of the service, and
 * among the queues of the flow (qm_dev_drr.h). So who has many queues gets no more than who has
 * one. A flow is charged what its queues cost, divided by their weight.
 *
 * A request that is being executed is not interrupted. So that small ones need not wait for long
 * ones, a flow that had one of more than QM_DEV_SLOW_NS lately is slow, and slow flows together
 * never have the last worker while a flow that is not slow has a live queue. Alone they have all.
 *
 * All lists and counters are guarded by qm_dev_pool.lock. It may be taken with any
 * other lock held, and none is taken with it held. Of client memory, nothing but the
 * doorbell words is touched under it.
 */

#include "qm_dev_pool.h"
#include "qm_dev_queue.h"

/** CPU time of a request that makes its flow slow, and for how long. */
#define QM_DEV_SLOW_NS     10000000
#define QM_DEV_SLOW_FOR_NS 10000000000

/** A list of queues, linked through qm_dev_queue.sched.link. */
struct qm_dev_sched_list {
	TAILQ_HEAD(, qm_dev_queue) queues;
	uint32_t cnt;
};

struct qm_dev_worker {
	struct qm_dev_pool *pool;
	struct qm_dev_exec *exec;
	pthread_t thread;
	/* Written by the worker only. */
	_Atomic uint64_t requests;
	_Atomic uint64_t bytes_in;
	_Atomic uint64_t bytes_out;
};

struct qm_dev_pool {
	struct qm_dev_pool_conf conf;
	char name[64];
	struct qm_dev_worker *worker;
	unsigned int workers_running;

	_Alignas(64) struct qm_dev_lock lock;
	_Atomic bool stop;
	/** A worker without work polls the quiet queues, without sleeping. */
	_Atomic bool polling;
	uint32_t asleep;        /**< Workers in futex_wait(). */
	uint32_t queues_asleep; /**< Queues in state ASLEEP. */
	struct qm_dev_drr flows; /**< Those with queues that have work. */
	TAILQ_HEAD(, qm_dev_flow) live; /**< Those with queues. */
	uint32_t slow;           /**< Workers that have a turn of a slow flow. */
	struct qm_dev_sched_list quiet;
	/* Read without the lock: */
	_Atomic uint32_t ready; /**< Flows that wait for their turn, and are not held. */
	_Atomic uint32_t calm;  /**< Queues in quiet. */
	_Atomic uint32_t idle;  /**< Workers without work. */
	_Atomic uint32_t futex; /**< Changes whenever sleeping workers have to poll. */

	/* Budget of queues. */
	uint32_t queues_live;
	uint32_t queues_peak;
	uint32_t reserved;    /**< Sum of the groups' reserves. */
	uint32_t shared_live; /**< Live queues that are not covered by a reserve. */
	uint64_t wakes;
	uint64_t sleeps;
};

/**
 * Make a live queue known to the workers, QUIET, or take it out, unless that is so already. A
 * worker that has TAKEN it lets go of it soon: until qm_dev_sched_out() it may still claim. Any
 * threads, also at the same time; q's lock may be held.
 * @return Whether anything changed.
 */
bool qm_dev_sched_set(struct qm_dev_queue *q, bool running);

/** Nothing of a queue with a fence is being executed any more. Workers; q's lock is held. */
void qm_dev_sched_unfence(struct qm_dev_queue *q);

/** The queue may have been rung: wake it if it sleeps. Any thread; q's lock may be held. */
void qm_dev_sched_wake(struct qm_dev_queue *q);

/**
 * The queue whose turn it is; its state is TAKEN, and only the caller claims from it
 * until qm_dev_sched_put().
 * @param polls
 *   Most quiet queues to poll first.
 * @return NULL: none has work.
 */
struct qm_dev_queue *qm_dev_sched_get(struct qm_dev_pool *pool, uint32_t polls, int64_t now);

/**
 * Put the queue after a claim, before the claimed requests are executed, so that
 * others may go on with it.
 * @param cost
 *   Of what was claimed: wakes another worker if that will take long.
 */
void qm_dev_sched_put(struct qm_dev_pool *pool, struct qm_dev_queue *q, int64_t cost);

/**
 * A turn is over, with the last of its requests.
 * @param slow
 *   qm_dev_sched.slow, as it was before qm_dev_sched_put().
 */
void qm_dev_sched_done(struct qm_dev_pool *pool, bool slow);

/** A request of the queue took so much CPU time, in nanoseconds. Any thread. */
static inline void
qm_dev_sched_took(struct qm_dev_queue *q, int64_t took, int64_t now)
{
	if (took > QM_DEV_SLOW_NS)
		atomic_store_explicit(&q->sched.flow->slow_until, now + QM_DEV_SLOW_FOR_NS,
				memory_order_relaxed);
}

/** Charge the queue for what a request turned out to cost. Any thread. */
void qm_dev_sched_charge(struct qm_dev_queue *q, int64_t cost);

/**
 * Sleep until there may be work, unless there is some now; the caller is idle.
 * @param timeout_ns
 *   Sleep no longer, as long as there are quiet queues to poll.
 */
void qm_dev_sched_sleep(struct qm_dev_pool *pool, int64_t timeout_ns);

/** End all workers. */
void qm_dev_sched_stop(struct qm_dev_pool *pool);

#endif /* QM_DEV_SCHED_H */
