/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ALLOC_H
#define HISI_ALLOC_H

/**
 * @file
 * Memory for rings, SGLs and contexts: hugepage memory, each part contiguous in the device's
 * address space, zeroed. Not for the data path.
 */

#include "hisi_dev.h"

/** Fill in dev->mem; dev->io is set. What it gives is freed by dev->mem.free() only. */
void hisi_alloc_init(struct hisi_dev *dev);

#endif /* HISI_ALLOC_H */
