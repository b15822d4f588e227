/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>

#include <bus_vdev_driver.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memzone.h>
#include <rte_string_fns.h>

#include "hisi_zip_pmd.h"

/*
 * Give a compressdev back. compressdev would close it first, but does not find
 * it when one with a lower id has gone before: the callers have closed it. And
 * compressdev leaves the memzone of its data, so that nothing else could ever
 * have the same id.
 */
static int
cdev_destroy(struct rte_compressdev *cdev)
{
	char name[RTE_MEMZONE_NAMESIZE];
	int ret;

	snprintf(name, sizeof(name), "rte_compressdev_data_%u", cdev->data->dev_id);
	cdev->dev_ops = NULL;
	ret = rte_compressdev_pmd_destroy(cdev);
	if (ret == 0)
		rte_memzone_free(rte_memzone_lookup(name));
	return ret;
}

static int
hisi_zip_vdev_probe(struct rte_vdev_device *vdev)
{
	struct rte_compressdev_pmd_init_params params = { .socket_id = (int)rte_socket_id() };
	const char *name = rte_vdev_device_name(vdev);
	struct hisi_zip_devargs args;
	struct rte_compressdev *cdev;
	struct hisi_zip_dev *dev;
	int ret;

	if (name == NULL)
		return -EINVAL;
	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		HISI_ZIP_LOG(ERR, "%s: secondary process, expected the primary one", name);
		return -ENOTSUP;
	}
	ret = hisi_zip_devargs_parse(name, rte_vdev_device_args(vdev), &args);
	if (ret != 0)
		return ret;
	if (args.socket_id != SOCKET_ID_ANY)
		params.socket_id = args.socket_id;

	cdev = rte_compressdev_pmd_create(name, &vdev->device, sizeof(*dev), &params);
	if (cdev == NULL) {
		HISI_ZIP_LOG(ERR, "%s: no compressdev could be created", name);
		return -ENOMEM;
	}
	dev = cdev->data->dev_private;
	dev->id = cdev->data->dev_id;
	rte_strscpy(dev->name, name, sizeof(dev->name));
	dev->args = args;
	ret = hisi_zip_dev_init(dev, NULL);
	if (ret != 0) {
		cdev_destroy(cdev);
		return ret;
	}
	cdev->dev_ops = &hisi_zip_ops;
	cdev->feature_flags = dev->feature_flags;
	cdev->enqueue_burst = hisi_zip_enqueue_burst;
	cdev->dequeue_burst = hisi_zip_dequeue_burst;
	return 0;
}

static int
hisi_zip_vdev_remove(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct rte_compressdev *cdev;
	struct hisi_zip_dev *dev;

	if (name == NULL)
		return -EINVAL;
	cdev = rte_compressdev_pmd_get_named_dev(name);
	if (cdev == NULL)
		return -ENODEV;
	/* The application may have left without stop and close. */
	for (uint16_t i = 0; i < cdev->data->nb_queue_pairs; i++)
		hisi_zip_qp_release(cdev, i);
	rte_free(cdev->data->queue_pairs);
	dev = cdev->data->dev_private;
	hisi_zip_dev_fini(dev);
	return cdev_destroy(cdev);
}

static struct rte_vdev_driver hisi_zip_vdev_driver = {
	.probe = hisi_zip_vdev_probe,
	.remove = hisi_zip_vdev_remove,
};

RTE_PMD_REGISTER_VDEV(HISI_ZIP_DRIVER_NAME, hisi_zip_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(HISI_ZIP_DRIVER_NAME,
	"dev=local "
	"workers=<0..64> "
	"rev=v2|v3 "
	"ext=on|off "
	"engine=deflate|copy "
	"sw=on|off "
	"socket_id=<int>");
RTE_LOG_REGISTER_DEFAULT(hisi_zip_logtype, INFO);
