/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_QUEUE_H
#define ZIP_DEV_QUEUE_H

/**
 * @file
 * What zip_dev_queue.c (requests) and zip_dev_context.c (start, stop, dumps)
 * share about a queue.
 */

#include "zip_dev_internal.h"

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

static inline void
queue_lock(struct zip_dev_queue *q)
{
	if (q->shared)
		zip_dev_lock(&q->lock);
}

static inline void
queue_unlock(struct zip_dev_queue *q)
{
	if (q->shared)
		zip_dev_unlock(&q->lock);
}

static inline uint8_t
queue_state(const struct zip_dev_queue *q)
{
	return atomic_load_explicit(&q->state, memory_order_relaxed);
}

static inline void
queue_set_state(struct zip_dev_queue *q, enum zip_dev_queue_state state)
{
	atomic_store_explicit(&q->state, (uint8_t)state, memory_order_release);
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

/** Make the queue dead without waiting for what is being executed; mb_lock is held. */
void zip_dev_queue_shut(struct zip_dev *dev, struct zip_dev_queue *q);

/** A worker claims from the queue or executes a request of it; its lock is held. */
bool zip_dev_queue_busy(const struct zip_dev_queue *q);

/** Take over a new SQ tail, if the driver has rung. Lock is held. */
void zip_dev_queue_look_sq(struct zip_dev *dev, struct zip_dev_queue *q);

/** Take over a new CQ head: CQEs that the driver gives back. Lock is held. */
void zip_dev_queue_look_cq(struct zip_dev *dev, struct zip_dev_queue *q);

/** Execute up to budget requests in the caller (no workers). @return how many. */
unsigned int zip_dev_queue_execute(struct zip_dev *dev, struct zip_dev_queue *q,
		unsigned int budget);

/** A live queue begins or ceases to be executed by workers, if the function has any. */
void zip_dev_queue_set_live(struct zip_dev *dev, struct zip_dev_queue *q, bool live);

#endif /* ZIP_DEV_QUEUE_H */
