/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_DRR_H
#define QM_DEV_DRR_H

/**
 * @file
 * Deficit round robin (Shreedhar and Varghese, 1995): who has work takes turns, and gets the same
 * cost per round, times a weight. One entry at a time is served; its cost is known only then, and
 * what it overdrew is paid back in later rounds.
 *
 * Nothing here locks: but for qm_dev_drr_charge(), the owner's lock is held.
 */

#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

/** What an entry of weight 1 may have per round: 64 KiB of plain work. */
#define QM_DEV_QUANTUM (64u << 10)

/** Where an entry is. */
enum qm_dev_drr_in {
	QM_DEV_DRR_OUT,   /**< It has no work, or is being served. */
	QM_DEV_DRR_FIRST, /**< Has something left of this round; served first. */
	QM_DEV_DRR_TURN,  /**< Waits for the next round. */
	QM_DEV_DRR_HELD,  /**< It is its turn, but it may not have it now. */
};

/** One that takes turns; zeros, and a weight, to begin with. */
struct qm_dev_drr_entry {
	TAILQ_ENTRY(qm_dev_drr_entry) link;
	uint8_t in;           /**< enum qm_dev_drr_in. */
	uint32_t weight;      /**< Quanta per round, at least 1. */
	uint64_t round;       /**< In which deficit was last filled up. */
	int64_t deficit;      /**< Cost that it may still have in this round. */
	_Atomic int64_t debt; /**< Cost that is still to be taken from deficit. */
};

struct qm_dev_drr_list {
	TAILQ_HEAD(, qm_dev_drr_entry) entries;
	uint32_t cnt;
};

/** Those that take turns with each other. */
struct qm_dev_drr {
	struct qm_dev_drr_list first;
	struct qm_dev_drr_list turn;
	struct qm_dev_drr_list held;
	uint64_t round; /**< 0: not initialized. */
};

void qm_dev_drr_init(struct qm_dev_drr *drr);

/**
 * An entry that was OUT got work: at once if it has something left to use in this round, so that
 * small requests do not wait for those who used theirs up. Idle time is not saved up.
 */
void qm_dev_drr_add(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e);

/** One that was just served goes on; before all others if its turn is not over. */
void qm_dev_drr_again(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e);

/** One that was just served goes on, behind all others that have something left of this round. */
void qm_dev_drr_pass(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e);

/** One whose turn it is does not have it, until qm_dev_drr_release(). */
void qm_dev_drr_hold(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e);

/** Those that are held wait for their turn as before. */
void qm_dev_drr_release(struct qm_dev_drr *drr);

/** Take out an entry that is not OUT. */
void qm_dev_drr_del(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e);

/** Whose turn it is, with a deficit above 0; it is OUT then. NULL: who has work is HELD. */
struct qm_dev_drr_entry *qm_dev_drr_next(struct qm_dev_drr *drr);

/** Charge cost that came out later. Any thread, without the lock. */
static inline void
qm_dev_drr_charge(struct qm_dev_drr_entry *e, int64_t cost)
{
	atomic_fetch_add_explicit(&e->debt, cost, memory_order_relaxed);
}

#endif /* QM_DEV_DRR_H */
