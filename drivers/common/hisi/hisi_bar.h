/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_BAR_H
#define HISI_BAR_H

/**
 * @file
 * Register level (hisi_qm_io.h) on a function whose BARs are mapped. Knows
 * nothing of the bus: what is mapped may as well be plain memory.
 */

#include "hisi_driver.h"
#include "hisi_qm_io.h"

/** Most of BAR2 that is accessed: registers up to the last capability (QM 2.1). */
#define HISI_BAR2_MIN 0x4000

/** A function with mapped BARs. */
struct hisi_bar {
	struct hisi_qm_io io;
	const struct hisi_driver *driver; /**< For log lines. */
	uint8_t *bar2;        /**< Registers. */
	uint8_t *db;          /**< Doorbell of queue 0. */
	uint32_t db_stride;   /**< Bytes to the doorbell of the next queue; 0: one for all. */
	uint32_t db_queues;   /**< Queues whose doorbells are mapped. */
	/** Resets the function, see hisi_qm_io.h; NULL: cannot. */
	int (*reset)(struct hisi_bar *bar);
};

/**
 * Fill in bar->io and the places of the doorbells, which the function tells.
 *
 * @param bar
 *   Zeroed, except io.name, driver and reset.
 * @param revision
 *   PCI revision id.
 * @param bar4
 *   NULL if it is not mapped; needed if the function isolates doorbells.
 * @return
 *   0; -ENODEV (registers read all ones, or isolated doorbells without BAR4),
 *   -EINVAL (BAR2 is too short or NULL). The log line says what was expected.
 */
int hisi_bar_init(struct hisi_bar *bar, uint8_t revision, void *bar2, uint64_t bar2_len,
		void *bar4, uint64_t bar4_len);

#endif /* HISI_BAR_H */
