/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_LOCK_H
#define QM_DEV_LOCK_H

/**
 * @file
 * Small locks, for sections that are shorter than a system call.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/**
 * Held for tens of instructions only; a waiter sleeps, as the holder may be preempted.
 * It does not yield: where more threads want to run than there are CPUs, that lets each
 * of them have its slice first, and often the holder last.
 */
struct qm_dev_lock {
	_Atomic uint32_t held;
};

/** Tries between two sleeps, some microseconds; and a sleep. */
#define QM_DEV_LOCK_SPINS  2048u
#define QM_DEV_LOCK_NAP_NS 20000

static inline bool
qm_dev_trylock(struct qm_dev_lock *l)
{
	return atomic_load_explicit(&l->held, memory_order_relaxed) == 0 &&
		atomic_exchange_explicit(&l->held, 1, memory_order_acquire) == 0;
}

static inline void
qm_dev_lock(struct qm_dev_lock *l)
{
	const struct timespec nap = { .tv_nsec = QM_DEV_LOCK_NAP_NS };

	for (unsigned int i = 1; !qm_dev_trylock(l); i++)
		if (i % QM_DEV_LOCK_SPINS == 0)
			nanosleep(&nap, NULL);
}

static inline void
qm_dev_unlock(struct qm_dev_lock *l)
{
	atomic_store_explicit(&l->held, 0, memory_order_release);
}

#endif /* QM_DEV_LOCK_H */
