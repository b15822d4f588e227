/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_RING_H
#define HISI_QM_RING_H

/**
 * @file
 * The rings of one queue pair, as the data path sees them. Inline, and the same
 * for every transport: a doorbell is one store through a pointer, and where the
 * function may sleep (hisi_qm_shadow.h), a check whether it has to be woken.
 *
 * Ownership. SQ slots are numbered modulo depth.
 *
 *            sq_head                 sq_tail
 *               |                       |
 *     ..free....v######function's#######v....producer's....
 *
 *  - [sq_tail, sq_head) belongs to the producer: it may fill these slots.
 *    Ringing the SQ doorbell with a new tail passes [old tail, new tail) to the
 *    function. At most depth - 1 slots are the function's (QM 4.3).
 *  - [sq_head, sq_tail) belongs to the function. It passes a slot to the consumer
 *    by writing the CQE that names it, with the phase of this pass.
 *  - A slot becomes the producer's again when the consumer is done with the SQE
 *    and says so to the producer. That hand-over is the owner's (the driver's)
 *    business, since only it knows whether they are two threads.
 *  - The CQ has as many entries as the SQ, and one CQE comes per SQE in order of
 *    submission, so that CQE n is for SQ slot n; a function that names another
 *    slot is broken.
 *
 * The producer's and the consumer's fields lie in different cache lines and
 * each is touched by one thread only.
 */

#include <stddef.h>
#include <stdint.h>

#include "hisi_qm_io.h"
#include "hisi_qm_regs.h"
#include "hisi_qm_shadow.h"

#define HISI_QM_RING_DEPTH_MIN 16   /**< Smallest depth of a queue pair. */
#define HISI_QM_RING_DEPTH_MAX 1024 /**< Largest; what the hardware is used with (QM 4.3). */

/**
 * Make earlier stores to memory visible to the function before later stores to
 * its registers, as QM 4.2 demands before an SQ doorbell.
 */
static inline void
hisi_qm_io_wmb(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb oshst" : : : "memory");
#elif defined(__x86_64__)
	__asm__ volatile("" : : : "memory"); /* stores are not reordered with stores */
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/** Keep later loads of what a function wrote from passing the load of its flag (QM 4.2). */
static inline void
hisi_qm_io_rmb(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb oshld" : : : "memory");
#elif defined(__x86_64__)
	__asm__ volatile("" : : : "memory"); /* loads are not reordered with loads */
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/**
 * Start to bring in a cache line that is about to be written. The instruction is
 * named because compilers make it a fetch for reading unless told of newer CPUs,
 * and the store would then go to the other core a second time.
 */
static inline void
hisi_qm_prefetch_write(const void *line)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m" (*(const char *)line));
#else
	__builtin_prefetch(line, 1);
#endif
}

/** Rings of one queue pair. */
struct hisi_qm_ring {
	/* Constant while the queue is started. */
	_Alignas(64) uint8_t *sq;      /**< depth SQEs of 128 bytes. */
	struct hisi_qm_cqe *cq;        /**< depth CQEs. */
	volatile uint64_t *sq_db;      /**< SQ doorbell. */
	volatile uint64_t *cq_db;      /**< CQ doorbell. */
	uint64_t sq_db_base;           /**< SQ doorbell value with index 0. */
	uint64_t cq_db_base;           /**< CQ doorbell value with index 0. */
	struct hisi_qm_io *wake_io;    /**< The function may sleep: who wakes it; or NULL. */
	uint16_t mask;                 /**< depth - 1; depth is a power of two. */
	uint16_t qn;                   /**< Queue of the function. */

	/* The producer's. */
	_Alignas(64) uint16_t sq_tail; /**< Next slot to fill. */
	/**
	 * Slots before it were rung for. Others read it too: who restarts the queue
	 * on another function passes them on once more.
	 */
	uint16_t sq_rung;

	/* The consumer's. */
	_Alignas(64) uint16_t cq_head; /**< Next CQE to poll. */
	uint16_t cq_phase;             /**< Phase of a CQE that is new there. */
};

/**
 * Make the rings of a queue that was started empty. Memory of both is zeroed.
 * @param db
 *   Where its doorbells are, of the SQ and of the CQ; may be the same.
 * @param depth
 *   Entries of both: a power of two.
 */
static inline void
hisi_qm_ring_init(struct hisi_qm_ring *ring, uint16_t qn, uint16_t depth, void *sq, void *cq,
		volatile uint64_t *const db[2])
{
	*ring = (struct hisi_qm_ring){
		.sq = sq,
		.cq = cq,
		.sq_db = db[0],
		.cq_db = db[1],
		.sq_db_base = hisi_qm_db(qn, HISI_QM_DB_SQ, 0, 0, 0),
		.cq_db_base = hisi_qm_db(qn, HISI_QM_DB_CQ, 0, 0, 0),
		.mask = (uint16_t)(depth - 1),
		.qn = qn,
		.cq_phase = 1,
	};
}

/** The SQE in a slot. */
static inline void *
hisi_qm_sq_slot(const struct hisi_qm_ring *ring, uint16_t slot)
{
	return ring->sq + ((size_t)slot << HISI_QM_SQE_LOG2);
}

/** The SQ doorbell value that passes the slots before tail. */
static inline uint64_t
hisi_qm_sq_db_value(const struct hisi_qm_ring *ring, uint16_t tail)
{
	return ring->sq_db_base | (uint64_t)tail << HISI_QM_DB_INDEX_SHIFT;
}

/**
 * Pass all slots before ring->sq_tail to the function. Producer only.
 *
 * The release store is what a software function in another thread acquires; the
 * barrier before it is what a function behind a bus needs.
 */
static inline void
hisi_qm_sq_ring(struct hisi_qm_ring *ring)
{
	uint64_t value = hisi_qm_sq_db_value(ring, ring->sq_tail);

	__atomic_store_n(&ring->sq_rung, ring->sq_tail, __ATOMIC_RELEASE);
	hisi_qm_io_wmb();
	if (__builtin_expect(ring->wake_io == NULL, 1))
		__atomic_store_n(ring->sq_db, value, __ATOMIC_RELEASE);
	else if (hisi_qm_shadow_ring((struct hisi_qm_shadow *)(uintptr_t)ring->sq_db, value) != 0)
		ring->wake_io->ops->wake(ring->wake_io, ring->qn);
}

/**
 * Count the CQEs that the function has passed to the consumer, from cq_head on, up
 * to max. The SQEs that they name may be read afterwards, and are already being
 * fetched: the function wrote them in another core's cache or in memory, and only
 * all of them at once make that time short. Consumer only.
 */
static inline uint16_t
hisi_qm_cq_ready(const struct hisi_qm_ring *ring, uint16_t max)
{
	uint16_t head = ring->cq_head, phase = ring->cq_phase, n;

	for (n = 0; n < max; n++) {
		uint16_t w7 = __atomic_load_n(&ring->cq[head].w7, __ATOMIC_ACQUIRE);

		if ((w7 & HISI_QM_CQE_PHASE) != phase)
			break;
		__builtin_prefetch(hisi_qm_sq_slot(ring, head));
		head = (head + 1) & ring->mask;
		phase ^= head == 0;
	}
	hisi_qm_io_rmb();
	return n;
}

/** Step over n CQEs that were ready. Consumer only. */
static inline void
hisi_qm_cq_skip(struct hisi_qm_ring *ring, uint16_t n)
{
	uint16_t head = (ring->cq_head + n) & ring->mask;

	/* n is at most the depth less one, so that less means a new pass. */
	ring->cq_phase ^= head < ring->cq_head;
	ring->cq_head = head;
}

/** No CQE is ready any more, whatever the function writes. Consumer only; the queue failed. */
static inline void
hisi_qm_cq_close(struct hisi_qm_ring *ring)
{
	ring->cq_phase = HISI_QM_CQE_PHASE + 1; /* what no CQE can have */
}

/** Acknowledge all CQEs before ring->cq_head, with no event armed. Consumer only. */
static inline void
hisi_qm_cq_ring(const struct hisi_qm_ring *ring)
{
	hisi_qm_io_wmb();
	__atomic_store_n(ring->cq_db, ring->cq_db_base |
			(uint64_t)ring->cq_head << HISI_QM_DB_INDEX_SHIFT, __ATOMIC_RELEASE);
}

#endif /* HISI_QM_RING_H */
