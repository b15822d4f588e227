/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIM_MEM_H
#define SPIM_MEM_H

/** @file Memory of spim_mem_alloc(). */

#include "spim_ops.h"

/** A chunk of it. */
struct spim_chunk {
	LIST_ENTRY(spim_chunk) link;
	void *va;
	size_t len;
	int fd; /**< Of the memory, or -1 if nobody else needs to see it. */
};

/** A length in whole pages; 0 if there are none so long. */
size_t spim_mem_pages(size_t len);

/** Register all chunks. @return 0 or a negative errno. */
int spim_mem_register(struct spim_dev *dev);

/** Free them. */
void spim_mem_fini(struct spim_dev *dev);

#endif /* SPIM_MEM_H */
