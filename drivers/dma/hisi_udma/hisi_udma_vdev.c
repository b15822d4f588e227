/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <bus_vdev_driver.h>

#include "hisi_udma_dev.h"
#include "hisi_vdev.h"

static int
hisi_udma_vdev_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct hisi_devargs args;
	int ret;

	if (name == NULL)
		return -EINVAL;
	ret = hisi_dev_probe_allowed(&hisi_udma_driver, name);
	if (ret == 0)
		ret = hisi_devargs_parse(&hisi_udma_driver, name, rte_vdev_device_args(vdev),
			HISI_BUS_VDEV, &args);
	return ret != 0 ? ret : hisi_udma_probe(name, &vdev->device, &args, NULL);
}

static int
hisi_udma_vdev_remove(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);

	return name == NULL ? -EINVAL : hisi_udma_remove(name);
}

static int
hisi_udma_vdev_dma_map(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	RTE_SET_USED(iova);
	return hisi_vdev_dma_map(hisi_udma_find(rte_vdev_device_name(vdev)), addr, len);
}

static int
hisi_udma_vdev_dma_unmap(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	RTE_SET_USED(iova);
	return hisi_vdev_dma_unmap(hisi_udma_find(rte_vdev_device_name(vdev)), addr, len);
}

static struct rte_vdev_driver hisi_udma_vdev_driver = {
	.probe = hisi_udma_vdev_probe,
	.remove = hisi_udma_vdev_remove,
	.dma_map = hisi_udma_vdev_dma_map,
	.dma_unmap = hisi_udma_vdev_dma_unmap,
	/* Addresses are IOVAs in dmadev, and pointers in the function's requests. */
	.drv_flags = RTE_VDEV_DRV_NEED_IOVA_AS_VA,
};

RTE_PMD_REGISTER_VDEV(HISI_UDMA_DRIVER_NAME, hisi_udma_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(HISI_UDMA_DRIVER_NAME,
	HISI_PARAMS_FUNCTION
	HISI_PARAMS_DEVICE);
