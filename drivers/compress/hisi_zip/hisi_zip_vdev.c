/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <bus_vdev_driver.h>
#include <rte_errno.h>

#include "hisi_zip_pmd.h"

static int
hisi_zip_vdev_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct hisi_zip_devargs args;
	int ret;

	if (name == NULL)
		return -EINVAL;
	ret = hisi_zip_probe_allowed(name);
	if (ret == 0)
		ret = hisi_zip_devargs_parse(name, rte_vdev_device_args(vdev), HISI_ZIP_BUS_VDEV,
			&args);
	return ret != 0 ? ret : hisi_zip_probe(name, &vdev->device, &args, NULL);
}

static int
hisi_zip_vdev_remove(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);

	return name == NULL ? -EINVAL : hisi_zip_remove(name, NULL);
}

/* What rte_dev_dma_map() wants: 0, or -1 and rte_errno. */
static int
dma_ret(int ret)
{
	if (ret == 0)
		return 0;
	rte_errno = -ret;
	return -1;
}

static int
hisi_zip_vdev_dma_map(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	struct hisi_zip_dev *dev = hisi_zip_find(rte_vdev_device_name(vdev));

	RTE_SET_USED(iova);
	return dma_ret(dev == NULL ? -ENODEV : hisi_zip_extmem_map(dev, addr, len));
}

static int
hisi_zip_vdev_dma_unmap(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	struct hisi_zip_dev *dev = hisi_zip_find(rte_vdev_device_name(vdev));

	RTE_SET_USED(iova);
	return dma_ret(dev == NULL ? -ENODEV : hisi_zip_extmem_unmap(dev, addr, len));
}

static struct rte_vdev_driver hisi_zip_vdev_driver = {
	.probe = hisi_zip_vdev_probe,
	.remove = hisi_zip_vdev_remove,
	.dma_map = hisi_zip_vdev_dma_map,
	.dma_unmap = hisi_zip_vdev_dma_unmap,
};

RTE_PMD_REGISTER_VDEV(HISI_ZIP_DRIVER_NAME, hisi_zip_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(HISI_ZIP_DRIVER_NAME,
	"dev=local|unix:<path> "
	"workers=<0..64> "
	"rev=v2|v3 "
	"ext=on|off "
	"engine=deflate|copy "
	"sw=on|off "
	"timeout=<ms> "
	"socket_id=<int>");
