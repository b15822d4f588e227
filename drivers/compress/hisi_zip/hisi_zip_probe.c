/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>

#include <dev_driver.h>
#include <rte_malloc.h>
#include <rte_memzone.h>
#include <rte_string_fns.h>

#include "hisi_zip_burst.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_log.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"

/*
 * Release a compressdev. compressdev would close it first, but does not find
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

int
hisi_zip_probe(const char *name, struct rte_device *device, const struct hisi_zip_devargs *args,
		struct hisi_ap *ap)
{
	struct rte_compressdev_pmd_init_params params = {
		.socket_id = hisi_dev_socket(&args->hisi, device),
	};
	struct rte_compressdev *cdev;
	struct hisi_zip_dev *dev;
	int ret;

	cdev = rte_compressdev_pmd_create(name, device, sizeof(*dev), &params);
	if (cdev == NULL) {
		HISI_ZIP_LOG(ERR, "%s: no compressdev could be created", name);
		return -ENOMEM;
	}
	dev = cdev->data->dev_private;
	dev->hisi.driver = &hisi_zip_driver;
	dev->hisi.id = cdev->data->dev_id;
	rte_strscpy(dev->hisi.name, name, sizeof(dev->hisi.name));
	dev->hisi.args = args->hisi;
	dev->sw = args->sw;
	dev->verify = args->verify;
	dev->untold = args->untold;
	ret = hisi_zip_dev_init(dev, ap);
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

struct hisi_zip_dev *
hisi_zip_find(const char *name)
{
	struct rte_compressdev *cdev = rte_compressdev_pmd_get_named_dev(name);

	return cdev != NULL ? cdev->data->dev_private : NULL;
}

int
hisi_zip_remove(const char *name)
{
	struct rte_compressdev *cdev = rte_compressdev_pmd_get_named_dev(name);
	struct hisi_zip_dev *dev;

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
