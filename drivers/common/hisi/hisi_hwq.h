/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_HWQ_H
#define HISI_HWQ_H

/**
 * @file
 * A hardware queue that a queue pair of a class owns: taken at the first request for it, put when
 * the queue pair stops or when the queue has failed (hisi_watch.h).
 *
 * Two threads use it: the producer enqueues, the consumer dequeues. The data path reads ring,
 * queue and failed, and calls nothing of this file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hisi_compat.h"
#include "hisi_dev.h"

#define HISI_HWQ_NONE (-1) /**< hisi_hwq.qn: not taken. */

#define HISI_HWQ_BUSY_MS    10u  /**< Before the next try if no queue or no memory is free. */
#define HISI_HWQ_FAILURE_MS 100u /**< If the function is gone, or does not answer. */
/** Times as long as a try: one that waits for an answer takes a second, or longer. */
#define HISI_HWQ_PAUSE      32u
#define HISI_HWQ_PAUSE_MS   8000u /**< At most, however long the try took. */

struct hisi_hwq;

/** What a queue is to be, and how log lines call it. */
struct hisi_hwq_conf {
	struct hisi_dev *dev;
	uint8_t type;         /**< Queue type of the class (QM 3.1). */
	uint16_t depth;       /**< As for spim_queue_take(). */
	int socket;           /**< NUMA socket of rings and memory, or -1. */
	uint16_t owner_id;    /**< Whose queue it is (hisi_driver.owner_name). */
	uint32_t mem_len;     /**< Bytes of hisi_hwq.mem; 0: none. */
	const char *what;     /**< What it is for: "compression". */
	/**
	 * No queue is free. Put another one that the caller holds and does not need now, so that
	 * whoever has one and waits for the next does not keep all others waiting. Producer.
	 * NULL: there is no other one.
	 * @return Whether one went.
	 */
	bool (*make_room)(struct hisi_hwq *hwq);
};

/** A hardware queue, and memory for what its requests refer to. */
struct hisi_hwq {
	/*
	 * Set at first use, by the producer; constant until the owner stops or until all requests
	 * of a queue that failed are back.
	 */
	struct hisi_qm_ring *ring;  /**< The producer's; NULL: nothing can be submitted. */
	struct spim_queue *queue;   /**< NULL: not taken. The consumer's ring is queue->ring. */
	RTE_ATOMIC(int32_t) qn;     /**< Its number for telemetry, which must not follow queue. */
	/**
	 * The queue has failed: set by the consumer, reset by the producer once all its requests
	 * are back. Those without a result will not get one.
	 */
	RTE_ATOMIC(uint8_t) failed;
	/**
	 * It is one of another function than before: set by the consumer, if the owner wants to
	 * take such a queue anew, reset with failed. Its requests get their results.
	 */
	RTE_ATOMIC(uint8_t) outdated;
	uint8_t stuck;              /**< Stopped or failed, and may still write to memory. */
	bool warned;                /**< It was said that none could be had. */
	/** Of mem_len bytes, aligned to a cache line; not used again if stuck. */
	struct hisi_qm_mem mem;

	/*
	 * The next try comes that much later than the last one that failed. No point of the TSC:
	 * that goes back when a machine was suspended or moved.
	 */
	uint64_t failed_at;         /**< TSC at the end of the last try. */
	uint32_t pause_ms;          /**< 0: it did not fail. */
	int retry_error;            /**< What requests get to hear up to then. */
	uint32_t fail_end;          /**< Requests of a failed queue lie before this position. */
	struct hisi_hwq_conf conf;  /**< Constant. */
};

/** Begin without a queue. */
void hisi_hwq_init(struct hisi_hwq *hwq, const struct hisi_hwq_conf *conf);

/**
 * Take the queue, at the first request for it. Producer. After it could not be had, the calls of
 * the next HISI_HWQ_BUSY_MS or HISI_HWQ_FAILURE_MS return the same at once, or those of
 * HISI_HWQ_PAUSE times as long as the try took, if that is longer, but no more than those of
 * HISI_HWQ_PAUSE_MS. The log says it once.
 * @return 0; -EBUSY (none is free, or the one before has failed and some of its requests are not
 *   back yet), or what spim_queue_take() failed with.
 */
int hisi_hwq_take(struct hisi_hwq *hwq);

/**
 * Let the queue finish what was submitted, unless it has failed; sets stuck. The caller owns both
 * ends, or nothing is in flight. CQEs can still be consumed afterwards. May take seconds.
 */
void hisi_hwq_stop(struct hisi_hwq *hwq);

/** Put a queue that is stopped, and its memory, unless it is stuck: then both are left to it. */
void hisi_hwq_put(struct hisi_hwq *hwq);

/**
 * Leave a queue that was just taken to the caller, and be without one. Its memory, which no request
 * of it refers to, is freed. Producer.
 */
struct spim_queue *hisi_hwq_leave(struct hisi_hwq *hwq);

/** Whether hisi_hwq_take() fails at this TSC without another try. Producer. */
bool hisi_hwq_pauses(const struct hisi_hwq *hwq, uint64_t now);

/**
 * Have hisi_hwq_take() fail with this for a while, as if a try had that began at this TSC.
 * Producer.
 */
void hisi_hwq_later(struct hisi_hwq *hwq, int error, uint64_t begin);

#endif /* HISI_HWQ_H */
