/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_VDEV_H
#define HISI_VDEV_H

/** @file What the vdev bus asks for: rte_dev_dma_map(), which wants 0, or -1 and rte_errno. */

#include <stddef.h>

#include "hisi_dev.h"

/** As hisi_extmem_map(). @param dev NULL: there is none, ENODEV. */
int hisi_vdev_dma_map(struct hisi_dev *dev, void *va, size_t len);

/** As hisi_extmem_unmap(). @param dev NULL: there is none, ENODEV. */
int hisi_vdev_dma_unmap(struct hisi_dev *dev, void *va, size_t len);

#endif /* HISI_VDEV_H */
