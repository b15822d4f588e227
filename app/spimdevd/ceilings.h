/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_CEILINGS_H
#define SPIMDEVD_CEILINGS_H

/**
 * @file
 * What the kernel gives a process at most, and how much of that clients may take together.
 */

#include "qm_dev.h"

/** Holds vm.max_map_count. */
#define CEILINGS_MAPS_FILE "/proc/sys/vm/max_map_count"

/**
 * Set budget->max to three quarters of what the process may have of mappings, descriptors and
 * addresses; the rest is for what it does itself. For the mappings to hold, what malloc() gets
 * from the kernel is bounded, too. Once, before clients come, and when the limit of descriptors is
 * what it will be.
 * @param maps_file
 *   Such as CEILINGS_MAPS_FILE; without it the kernel's default counts.
 */
void ceilings_set(const char *maps_file, struct qm_dev_budget *budget);

#endif /* SPIMDEVD_CEILINGS_H */
