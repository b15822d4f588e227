/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_COUNTS_H
#define QM_DEV_COUNTS_H

/**
 * @file
 * What a queue counts; qm_dev_stats.c adds it up.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "qm_dev.h"

struct qm_dev_queue_times {
	struct base_hist wait;
	struct base_hist service;
	int64_t sample_at;    /**< When the request in sample_slot was seen; 0: no sample. */
	uint16_t sample_slot;
};

/** Add to a counter that others only read. */
static inline void
qm_dev_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			memory_order_relaxed);
}

/** What a queue has done. Written with its lock held, read at any time. */
struct qm_dev_counts {
	_Atomic uint64_t requests;
	_Atomic uint64_t bytes_in;
	_Atomic uint64_t bytes_out;
	_Atomic uint64_t errors;
	_Atomic(struct qm_dev_queue_times *) times; /**< NULL: none are kept. */
};

#endif /* QM_DEV_COUNTS_H */
