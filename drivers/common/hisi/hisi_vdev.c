/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_errno.h>

#include "hisi_extmem.h"
#include "hisi_vdev.h"

static int
dma_ret(int ret)
{
	if (ret == 0)
		return 0;
	rte_errno = -ret;
	return -1;
}

int
hisi_vdev_dma_map(struct hisi_dev *dev, void *va, size_t len)
{
	return dma_ret(dev == NULL ? -ENODEV : hisi_extmem_map(dev->ap, va, len));
}

int
hisi_vdev_dma_unmap(struct hisi_dev *dev, void *va, size_t len)
{
	return dma_ret(dev == NULL ? -ENODEV : hisi_extmem_unmap(dev->ap, va, len));
}
