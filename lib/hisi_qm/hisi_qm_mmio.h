/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_MMIO_H
#define HISI_QM_MMIO_H

/**
 * @file
 * The one register access that C has no word for: the mailbox of a function
 * whose BAR2 is mapped takes a command as one store of 128 bits (QM 2.3).
 */

#include "hisi_qm_ring.h"

/**
 * Store a mailbox command, after everything that was stored to memory before is
 * visible to the function.
 *
 * On arm64 it is one stp: the storage behind the mailbox is shared with the PF
 * and other VFs, so that a command in two pieces could be mixed up with one of
 * theirs. Other CPUs have no such silicon beside them; a function there takes
 * two stores of 64 bits, in the order of their addresses, and acts on the second.
 *
 * @param reg
 *   HISI_QM_MAILBOX in the mapped BAR2; aligned to 16.
 */
static inline void
hisi_qm_mailbox_store(volatile void *reg, const struct hisi_qm_mailbox *mb)
{
	uint64_t low = mb->w0 | (uint64_t)mb->queue_num << 16 | (uint64_t)mb->base_l << 32;
	uint64_t high = mb->base_h | (uint64_t)mb->rsvd << 32;

	hisi_qm_io_wmb();
#if defined(__aarch64__)
	__asm__ volatile("stp %x1, %x2, %0"
		: "=Q" (*(volatile struct hisi_qm_mailbox *)reg) : "r" (low), "r" (high));
#else
	((volatile uint64_t *)reg)[0] = low;
	hisi_qm_io_wmb();
	((volatile uint64_t *)reg)[1] = high;
#endif
}

#endif /* HISI_QM_MMIO_H */
