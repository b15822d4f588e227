/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_STATS_H
#define QM_DEV_STATS_H

/**
 * @file
 * What a queue counts; qm_dev_stats.c adds it up.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "qm_dev.h"

/** struct qm_dev_times, with one writer at a time. */
struct qm_dev_hist_counters {
	_Atomic uint64_t bucket[QM_DEV_HIST_BUCKETS];
};

struct qm_dev_queue_times {
	struct qm_dev_hist_counters wait;
	struct qm_dev_hist_counters service;
	int64_t sample_at;    /**< When the request in sample_slot was seen; 0: no sample. */
	uint16_t sample_slot;
};

static inline void
qm_dev_hist_count(struct qm_dev_hist_counters *h, int64_t ns)
{
	unsigned int n = ns > 1 ? 63 - (unsigned int)__builtin_clzll((uint64_t)ns) : 0;
	_Atomic uint64_t *b = &h->bucket[n < QM_DEV_HIST_BUCKETS ? n : QM_DEV_HIST_BUCKETS - 1];

	atomic_store_explicit(b, atomic_load_explicit(b, memory_order_relaxed) + 1,
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

#endif /* QM_DEV_STATS_H */
