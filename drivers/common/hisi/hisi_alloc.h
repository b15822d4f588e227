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

#include "hisi_ap.h"

/** Fill in ap->mem; ap->io is set. What it gives is freed by ap->mem.free() only. */
void hisi_alloc_init(struct hisi_ap *ap);

#endif /* HISI_ALLOC_H */
