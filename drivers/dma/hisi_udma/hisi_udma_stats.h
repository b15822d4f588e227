/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_UDMA_STATS_H
#define HISI_UDMA_STATS_H

/** @file Counters of a channel. */

#include <stdint.h>

#include "hisi_compat.h"
#include "hisi_watch.h"

/**
 * Add to a counter. Each has one writer; telemetry and stats read them from other threads, which
 * is all that the atomic store is for.
 */
#define HISI_UDMA_COUNT(counter, n) \
	rte_atomic_store_explicit(&(counter), (counter) + (n), rte_memory_order_relaxed)
#define HISI_UDMA_COUNTER(counter) rte_atomic_load_explicit(&(counter), rte_memory_order_relaxed)

/** Written by who enqueues. */
struct hisi_udma_enq_stats {
	RTE_ATOMIC(uint64_t) submitted; /**< Ops submitted. */
	RTE_ATOMIC(uint64_t) full;      /**< Ops refused with -ENOSPC. */
	RTE_ATOMIC(uint64_t) rejected;  /**< Ops refused because they were too long. */
	RTE_ATOMIC(uint64_t) no_queue;  /**< Ops refused because no hardware queue could be had. */
};

/** Why an op failed. */
enum hisi_udma_error {
	HISI_UDMA_ERROR_ADDR,    /**< An address that the function may not use, or shared bytes. */
	HISI_UDMA_ERROR_LOST,    /**< Its queue failed. */
	HISI_UDMA_ERROR_OTHER,   /**< As many of them as lies have an answer that cannot be true. */
	HISI_UDMA_ERRORS,
};

/** Written by who asks for completions. */
struct hisi_udma_deq_stats {
	RTE_ATOMIC(uint64_t) completed; /**< Ops completed, with an error or without. */
	RTE_ATOMIC(uint64_t) lies;      /**< Answers that cannot be true. */
	RTE_ATOMIC(uint64_t) restarts;  /**< Queues started again after their service was killed. */
	RTE_ATOMIC(uint64_t) errors[HISI_UDMA_ERRORS]; /**< Ops completed with one, by cause. */
	RTE_ATOMIC(uint64_t) fails[HISI_WATCH_FAILS];   /**< Queues that failed, by cause. */
};

/** What dmadev's counters are counted from. */
struct hisi_udma_base {
	uint64_t submitted;
	uint64_t completed;
	uint64_t errors;
};

#endif /* HISI_UDMA_STATS_H */
