/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_SHADOW_H
#define HISI_QM_SHADOW_H

/**
 * @file
 * Shadow doorbells: a software function's doorbells in memory that its driver
 * shares, with a protocol that lets the function sleep (EXT 5). Silicon has none; both
 * sides agree on them before use.
 *
 * The memory is an array of struct hisi_qm_shadow, element n for queue n. A
 * doorbell is a 64-bit store with the value of QM 4.1. The function polls the
 * words of queues that were busy lately. A queue that was quiet for a while it
 * puts to sleep: from then on nobody polls, and the driver has to say so after
 * it rang, by a write to HISI_QM_SHADOW_REG_WAKE.
 *
 * @code
 *   driver, to ring                 function, to put the queue to sleep
 *   ---------------                 ---------------------------------
 *   C1  sq = tail       (release)   D1  asleep = 1
 *   CF  full fence                  DF  full fence
 *   C2  if (asleep)                 D2  if (sq is not as last seen)
 *   C3      write REG_WAKE          D3      asleep = 0, stay awake
 *
 *                                   function, on a write to REG_WAKE
 *                                   ------------------------------
 *                                   W1  asleep = 0
 *                                   W2  poll sq from now on
 * @endcode
 *
 * Why no ring is lost. Take a ring C1, and the last D1 before which the function did not
 * see it: if there is none, the queue stays awake, the function goes on polling it, and
 * sees the ring. All full fences (sequentially consistent ones) have one total order.
 *
 * - CF before DF: D2 reads C1's value or a later one of the same word. That is not what
 *   the function last saw, so the queue stays awake (D3) and the function takes the tail.
 * - DF before CF: C2 reads what D1 stored or something later: 1, and C3 wakes the function,
 *   which then polls (W2); or the 0 of a later W1. After a W1 the queue is awake, and goes
 *   to sleep again only by another D1, before which the function saw the ring, as the D1
 *   polled was the last one of the other kind.
 *
 * Without a fence C2 may pass C1 on every machine that has a store buffer, x86 too, and the
 * ring is lost when D1 and D2 fall in between. Sequentially consistent accesses in place of
 * the fences would do on silicon, but not under emulators that run arm64's STLR and LDAR
 * with nothing between the two.
 *
 * A tail is a state, not an event: of several rings only the last needs to be
 * seen. A value equal to the one last seen passes nothing new to the function, but
 * for a ring that went round to the very same index; a driver never does that, as
 * it keeps one slot free (QM 4.3).
 *
 * The function trusts nothing here: it remembers on its own side who is asleep, never
 * reads asleep, and checks every doorbell value against the queue's context. A driver
 * that scribbles on the words stalls its own queues.
 *
 * The CQ word needs no wake, as the function polls it before it fills the CQ (see sq, cq),
 * but for one that arms an event (QM 3.2): after that the driver writes REG_WAKE, and the
 * function polls both words. A CQ doorbell for which there is a word is never written to
 * the register: it could arrive after a newer value of the word, and take that back.
 */

#include <stdint.h>

/** The words of one queue. Each doorbell has a cache line of its own. */
struct hisi_qm_shadow {
	_Alignas(64) volatile uint64_t sq; /**< The SQ doorbell. The driver writes. */
	/** 1: write REG_WAKE after ringing. The function writes; beside sq, read with it. */
	volatile uint32_t asleep;
	/** The CQ doorbell. The driver writes, at least once per half ring. */
	_Alignas(64) volatile uint64_t cq;
};

_Static_assert(sizeof(struct hisi_qm_shadow) == 128, "the layout is shared between programs");

/**
 * WO, BAR2, 32 bit: number of the queue to poll. It carries no tail: the value is
 * in the word, and one that travels beside it could arrive after a newer one.
 */
#define HISI_QM_SHADOW_REG_WAKE 0x2818

/** Ring (C1 to C2). @return Nonzero: write REG_WAKE now (C3). */
static inline uint32_t
hisi_qm_shadow_ring(struct hisi_qm_shadow *db, uint64_t value)
{
	__atomic_store_n(&db->sq, value, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&db->asleep, __ATOMIC_RELAXED);
}

/**
 * Device: put the queue to sleep (D1 to D3).
 * @param seen The SQ doorbell value last polled.
 * @return Nonzero: it sleeps. 0: it was rung and stays awake.
 */
static inline int
hisi_qm_shadow_sleep(struct hisi_qm_shadow *db, uint64_t seen)
{
	__atomic_store_n(&db->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&db->sq, __ATOMIC_RELAXED) == seen)
		return 1;
	__atomic_store_n(&db->asleep, 0, __ATOMIC_RELAXED);
	return 0;
}

/** Device: wake the queue up (W1). */
static inline void
hisi_qm_shadow_wake(struct hisi_qm_shadow *db)
{
	__atomic_store_n(&db->asleep, 0, __ATOMIC_RELAXED);
}

/**
 * Mailbox status of SQC or CQC of a function whose queues come out of a pool that it
 * shares: none is free now, or the function has as many as it may have. Nothing was
 * set; the driver may try both again later.
 */
#define HISI_QM_MB_STATUS_NO_QUEUE 7

#endif /* HISI_QM_SHADOW_H */
