/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_SHARED_H
#define QM_DEV_SHARED_H

/**
 * @file
 * Words that the driver and this side use at the same time. They are plain integers, as the
 * contract has them (hisi_qm_shadow.h, hisi_qm_regs.h); what is this side's own is _Atomic.
 */

#include <stdint.h>

/** @return What a doorbell was rung with; what was written before that is seen, too. */
static inline uint64_t
qm_dev_db_get(const volatile uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/** @return The same, to compare it only. */
static inline uint64_t
qm_dev_db_peek(const volatile uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/** Ring it, for a driver that rang a register. */
static inline void
qm_dev_db_set(volatile uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/** Write the word with the phase, behind all others of its entry, which is the driver's then. */
static inline void
qm_dev_cqe_publish(uint16_t *word, uint16_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void
qm_dev_eqe_publish(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

#endif /* QM_DEV_SHARED_H */
