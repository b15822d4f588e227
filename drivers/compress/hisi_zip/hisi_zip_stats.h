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

/**
 * Why an op is done in software. The enqueuing thread finds the first ones, in the transform or
 * in the op; the dequeuing one those from HISI_ZIP_WHY_REPEATED on, when the function had it.
 */
enum hisi_zip_why {
	HISI_ZIP_WHY_NOT,      /**< It is not: the function does it. */
	HISI_ZIP_WHY_WISH,     /**< Level, Huffman codes or window, which the function lacks. */
	HISI_ZIP_WHY_CHECKSUM, /**< A checksum that the function lacks. */
	HISI_ZIP_WHY_FLUSH,    /**< A flush that it lacks. */
	HISI_ZIP_WHY_DICT,     /**< A dictionary. */
	HISI_ZIP_WHY_ALGO,     /**< An algorithm that the function lacks. */
	HISI_ZIP_WHY_TOO_LONG, /**< Longer, or in more segments, than one request can be. */
	HISI_ZIP_WHY_STREAM,   /**< The op of a stream that is in software. */
	HISI_ZIP_WHY_PATH,     /**< The function's path for it is off. */
	HISI_ZIP_WHY_NO_QUEUE, /**< No hardware queue could be taken. */
	HISI_ZIP_WHY_REPEATED, /**< The function gave no result, or none that can be used. */
	HISI_ZIP_WHY_LOST,     /**< Its hardware queue failed. */
	HISI_ZIP_WHY_VERIFY,   /**< Software had another result. */
	HISI_ZIP_WHYS,
};

/** Counters of one queue pair; each half has one writer. */
struct hisi_zip_enq_stats {
	RTE_ATOMIC(uint64_t) ops;      /**< Ops accepted. */
	RTE_ATOMIC(uint64_t) bytes;    /**< Their source bytes. */
	RTE_ATOMIC(uint64_t) rejected; /**< Accepted ops that got an error status at once. */
	RTE_ATOMIC(uint64_t) full;     /**< Bursts cut short because the queue pair was full. */
	RTE_ATOMIC(uint64_t) software; /**< Accepted ops that were not submitted to the function. */
	RTE_ATOMIC(uint64_t) no_queue; /**< Ops for which no hardware queue could be taken. */
	RTE_ATOMIC(uint64_t) why[HISI_ZIP_WHY_REPEATED]; /**< Those in software, by cause. */
};

#define HISI_ZIP_OP_STATUSES 16 /**< Room for every rte_comp_op_status. */

struct hisi_zip_deq_stats {
	RTE_ATOMIC(uint64_t) ops;      /**< Ops dequeued. */
	RTE_ATOMIC(uint64_t) bytes;    /**< Bytes produced. */
	RTE_ATOMIC(uint64_t) errors;   /**< Ops dequeued with a status that is an error. */
	RTE_ATOMIC(uint64_t) sw;       /**< Ops done in software. */
	RTE_ATOMIC(uint64_t) repeated; /**< Those of them that the function tried first. */
	RTE_ATOMIC(uint64_t) why[HISI_ZIP_WHYS]; /**< Those repeated, by cause. */
	RTE_ATOMIC(uint64_t) verified; /**< Ops of the function that software has done again. */
	RTE_ATOMIC(uint64_t) lost;     /**< Requests that a failed queue did not complete. */
	RTE_ATOMIC(uint64_t) restarts; /**< Queues started again after their service was killed. */
	RTE_ATOMIC(uint64_t) fails[HISI_WATCH_FAILS]; /**< Queues that failed, by cause. */
	RTE_ATOMIC(uint64_t) status[HISI_ZIP_OP_STATUSES]; /**< By op status. */
	RTE_ATOMIC(uint64_t) hw_status[64]; /**< Requests by SQE status (ZIP 5.4), 63: others. */
};

/** Why a request failed, for counting; see hw_status. */
#define HISI_ZIP_HW_STATUS_OTHER 63

#endif /* HISI_ZIP_STATS_H */
