/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_WRONG_H
#define HISI_ZIP_WRONG_H

/**
 * @file
 * Paths that a result has shown to be wrong. Dequeue turns them off at once, by two atomics;
 * what needs the lock of the known answers, and a line of the log, follows when nothing waits for
 * it: in hisi_zip_watch(), when the device stops, or when telemetry asks.
 */

#include "hisi_zip_dev.h"

/**
 * Paths are off from now on. Dequeuing thread.
 * @param paths
 *   Their bits.
 */
static inline void
hisi_zip_paths_wrong(struct hisi_zip_dev *dev, uint32_t paths, enum hisi_zip_wrong why)
{
	/* In this order: who publishes paths_on looks for these after it. */
	rte_atomic_fetch_or_explicit(&dev->paths_wrong[why], paths, rte_memory_order_seq_cst);
	rte_atomic_fetch_and_explicit(&dev->paths_on, ~paths, rte_memory_order_seq_cst);
}

/** Bits of all paths that were found wrong. Any thread. */
static inline uint32_t
hisi_zip_paths_found_wrong(const struct hisi_zip_dev *dev)
{
	uint32_t bits = 0;

	for (unsigned int why = 0; why < HISI_ZIP_WRONGS; why++)
		bits |= rte_atomic_load_explicit(&dev->paths_wrong[why],
			rte_memory_order_seq_cst);
	return bits;
}

/**
 * Log those that were not logged yet: a busy queue pair never does. Any thread, which does not hold
 * dev->known.lock.
 */
void hisi_zip_paths_tell(struct hisi_zip_dev *dev);

#endif /* HISI_ZIP_WRONG_H */
