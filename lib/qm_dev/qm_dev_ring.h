/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_RING_H
#define QM_DEV_RING_H

/**
 * @file
 * The SQ and CQ of a queue pair, as the device side keeps them.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * The rings of a queue. Slots [retire, fetch) are claimed, [fetch, tail) wait, all modulo sq_depth.
 * qm_dev_queue.lock guards everything; what is atomic is peeked at without it.
 */
struct qm_dev_ring {
	/**
	 * What a valid doorbell has in its low half, and the depth above: lets
	 * the register path drop others without a lock. 0: drop all.
	 */
	_Atomic uint64_t sq_key;
	_Atomic uint64_t cq_key;
	uint64_t sq_base;
	uint64_t cq_base;
	uint64_t cq_seen;
	_Atomic uint64_t sq_seen;    /**< Last doorbell value polled. */
	uint16_t sq_depth;
	uint16_t cq_depth;
	uint16_t fetch;
	uint16_t tail;
	uint16_t retire;
	uint16_t cq_tail;
	uint16_t cq_head;
	uint16_t cq_used;            /**< CQEs that the driver has not acknowledged. */
	_Atomic uint16_t waiting;    /**< Size of [fetch, tail). */
	_Atomic uint16_t inflight;   /**< Claimed, not completed. */
	_Atomic bool armed;          /**< The next CQE raises an event (c_flag, QM 3.2). */
	bool phase;                  /**< Of the next CQE. */
	bool sq_wrap;                /**< Flips when tail wraps; as SQC w11 bit 6. */
	bool cq_wrap;
	bool cq_head_wrap;
	/** Shared: the last claim ended at a fence. Who claims reads it without the lock, too. */
	bool fenced;
	uint8_t *done;               /**< Shared: executed, not retired; one per slot. */
};

/*
 * Ring indices are below the depth, which need not be a power of two: they are
 * wrapped by a compare, never by a division.
 */
static inline uint16_t
ring_dist(uint16_t from, uint16_t to, uint16_t depth)
{
	return (uint16_t)(to >= from ? to - from : to + depth - from);
}

static inline uint16_t
ring_next(uint16_t idx, uint16_t depth)
{
	return (uint16_t)(idx + 1 == depth ? 0 : idx + 1);
}

/* The counters have one writer at a time (the lock's holder): no atomic addition. */
static inline void
counter_set(_Atomic uint16_t *counter, uint16_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline uint16_t
counter_get(const _Atomic uint16_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif /* QM_DEV_RING_H */
