/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_LOCK_H
#define ZIP_DEV_LOCK_H

/**
 * @file
 * Small locks, for sections that are shorter than a system call.
 */

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Held for tens of instructions only; a waiter yields, as the holder may be preempted. */
struct zip_dev_lock {
	_Atomic uint32_t held;
};

static inline bool
zip_dev_trylock(struct zip_dev_lock *l)
{
	return atomic_load_explicit(&l->held, memory_order_relaxed) == 0 &&
		atomic_exchange_explicit(&l->held, 1, memory_order_acquire) == 0;
}

static inline void
zip_dev_lock(struct zip_dev_lock *l)
{
	for (unsigned int i = 1; !zip_dev_trylock(l); i++)
		if (i % 64 == 0)
			sched_yield();
}

static inline void
zip_dev_unlock(struct zip_dev_lock *l)
{
	atomic_store_explicit(&l->held, 0, memory_order_release);
}

#endif /* ZIP_DEV_LOCK_H */
