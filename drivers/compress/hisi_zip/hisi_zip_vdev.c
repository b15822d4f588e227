/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <bus_vdev_driver.h>

#include "hisi_vdev.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_probe.h"

static int
hisi_zip_vdev_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct hisi_zip_devargs args;
	int ret;

	if (name == NULL)
		return -EINVAL;
	ret = hisi_dev_probe_allowed(&hisi_zip_driver, name);
	if (ret == 0)
		ret = hisi_zip_devargs_parse(name, rte_vdev_device_args(vdev), HISI_BUS_VDEV,
			&args);
	return ret != 0 ? ret : hisi_zip_probe(name, &vdev->device, &args, NULL);
}

static int
hisi_zip_vdev_remove(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);

	return name == NULL ? -EINVAL : hisi_zip_remove(name);
}

static struct hisi_dev *
find_dev(const struct rte_vdev_device *vdev)
{
	struct hisi_zip_dev *dev = hisi_zip_find(rte_vdev_device_name(vdev));

	return dev != NULL ? &dev->hisi : NULL;
}

static int
hisi_zip_vdev_dma_map(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	RTE_SET_USED(iova);
	return hisi_vdev_dma_map(find_dev(vdev), addr, len);
}

static int
hisi_zip_vdev_dma_unmap(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	RTE_SET_USED(iova);
	return hisi_vdev_dma_unmap(find_dev(vdev), addr, len);
}

static struct rte_vdev_driver hisi_zip_vdev_driver = {
	.probe = hisi_zip_vdev_probe,
	.remove = hisi_zip_vdev_remove,
	.dma_map = hisi_zip_vdev_dma_map,
	.dma_unmap = hisi_zip_vdev_dma_unmap,
};

RTE_PMD_REGISTER_VDEV(HISI_ZIP_DRIVER_NAME, hisi_zip_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(HISI_ZIP_DRIVER_NAME,
	HISI_PARAMS_FUNCTION
	"engine=deflate|copy "
	"quirk=<name>[:<name>...] "
	"sw=auto|exact|off "
	"verify=<n> "
	HISI_PARAMS_DEVICE);
