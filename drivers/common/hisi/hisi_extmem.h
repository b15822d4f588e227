/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_EXTMEM_H
#define HISI_EXTMEM_H

/** @file Memory of the application's own, for functions that see registered memory only. */

#include <stddef.h>

#include "hisi_ap.h"

/**
 * rte_dev_dma_map(): let a function that sees registered memory only see that of the
 * application's own, too; for other functions that is nothing. Any thread.
 *
 * @param va, len
 *   Whole pages of the memory, which one file is behind (memfd, tmpfs, hugetlbfs), mapped
 *   shared, readable and writable; the descriptor may be closed afterwards. Addresses in
 *   requests are pointers into it: an IOVA has no meaning here.
 * @return 0; -EINVAL, -EFAULT (not so mapped), -EBADF (no descriptor of the file is open),
 *   -EEXIST (overlaps memory that is registered), limits of the service as spim_mem_map().
 */
int hisi_extmem_map(struct hisi_ap *ap, void *va, size_t len);

/**
 * Take it back, as it was mapped: on return the function touches it no more. Any thread.
 * @return 0 or -ENOENT.
 */
int hisi_extmem_unmap(struct hisi_ap *ap, void *va, size_t len);

/** Register all of it with a function that was opened again. @return 0 or a negative errno. */
int hisi_extmem_register(struct hisi_ap *ap);

/** Forget all of it; the function is closed. */
void hisi_extmem_fini(struct hisi_ap *ap);

#endif /* HISI_EXTMEM_H */
