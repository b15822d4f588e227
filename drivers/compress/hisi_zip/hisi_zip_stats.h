/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_STATS_H
#define HISI_ZIP_STATS_H

/** @file Counters of a queue pair. */

#include <stdint.h>

#include "hisi_compat.h"
#include "hisi_watch.h"

/**
 * Add to a counter. Each has one writer; telemetry and stats read them from
 * other threads, which is all that the atomic store is for.
 */
#define HISI_ZIP_COUNT(counter, n) \
	rte_atomic_store_explicit(&(counter), (counter) + (n), rte_memory_order_relaxed)
#define HISI_ZIP_COUNTER(counter) rte_atomic_load_explicit(&(counter), rte_memory_order_relaxed)

/** Counters of one queue pair; each half has one writer. */
struct hisi_zip_enq_stats {
	RTE_ATOMIC(uint64_t) ops;      /**< Ops accepted. */
	RTE_ATOMIC(uint64_t) bytes;    /**< Their source bytes. */
	RTE_ATOMIC(uint64_t) rejected; /**< Accepted ops that got an error status at once. */
	RTE_ATOMIC(uint64_t) full;     /**< Bursts cut short because the queue pair was full. */
	RTE_ATOMIC(uint64_t) software; /**< Accepted ops that were not submitted to the function. */
	RTE_ATOMIC(uint64_t) no_queue; /**< Ops for which no hardware queue could be taken. */
};

#define HISI_ZIP_OP_STATUSES 16 /**< Room for every rte_comp_op_status. */

struct hisi_zip_deq_stats {
	RTE_ATOMIC(uint64_t) ops;      /**< Ops dequeued. */
	RTE_ATOMIC(uint64_t) bytes;    /**< Bytes produced. */
	RTE_ATOMIC(uint64_t) errors;   /**< Ops dequeued with a status that is an error. */
	RTE_ATOMIC(uint64_t) sw;       /**< Ops done in software. */
	RTE_ATOMIC(uint64_t) repeated; /**< Those of them that the function tried first. */
	RTE_ATOMIC(uint64_t) lost;     /**< Requests that a failed queue did not complete. */
	RTE_ATOMIC(uint64_t) restarts; /**< Queues started again after their service was killed. */
	RTE_ATOMIC(uint64_t) fails[HISI_WATCH_FAILS]; /**< Queues that failed, by cause. */
	RTE_ATOMIC(uint64_t) status[HISI_ZIP_OP_STATUSES]; /**< By op status. */
	RTE_ATOMIC(uint64_t) hw_status[64]; /**< Requests by SQE status (ZIP 5.4), 63: others. */
};

/** Why a request failed, for counting; see hw_status. */
#define HISI_ZIP_HW_STATUS_OTHER 63

#endif /* HISI_ZIP_STATS_H */
