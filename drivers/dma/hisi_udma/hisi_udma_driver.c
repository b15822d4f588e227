/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <dev_driver.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_string_fns.h>

#include "hisi_udma_burst.h"
#include "hisi_udma_dev.h"
#include "hisi_udma_log.h"
#include "hisi_udma_sqe.h"
#include "hisi_zip_ext.h"

static void
udma_log(enum base_log_level level, const char *line, void *priv)
{
	RTE_SET_USED(priv);
	if (level == BASE_LOG_ERR)
		HISI_UDMA_LOG(ERR, "%s", line);
	else
		HISI_UDMA_LOG(INFO, "%s", line);
}

/* None but those of every class. */
static const struct hisi_devarg keys[] = {
	{ .key = NULL },
};

struct hisi_driver hisi_udma_driver = {
	.name = "hisi_udma",
	.class_name = "dma",
	.owner_name = "channel",
	.log = { .line = udma_log },
	.device = HISI_PCI_DEVICE_ZIP_VF,
	.features = HISI_ZIP_EXT_F_UDMA,
	.revision = HISI_UDMA_REVISION,
	.feature_name = "UDMA",
	.keys = keys,
	.telemetry = "/dma_hisi_udma",
	.cmds = hisi_udma_telemetry_cmds,
	.pci_driver = { .name = RTE_STR(HISI_UDMA_PCI_DRIVER_NAME) },
	.pci_ids = hisi_udma_pci_ids,
	.probe = hisi_udma_pci_probe,
	.remove = hisi_udma_remove,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

HISI_REGISTER_DRIVER(hisi_udma_driver);

int
hisi_udma_set_vchans(struct hisi_udma_dev *dev, uint16_t n)
{
	struct hisi_udma_vchan *vchans = NULL, *old;

	if (n != 0) {
		vchans = rte_zmalloc_socket("hisi_udma_vchan", n * sizeof(*vchans),
			RTE_CACHE_LINE_SIZE, dev->socket);
		if (vchans == NULL) {
			HISI_UDMA_LOG(ERR, "%s: no memory for %u channels on socket %d",
				dev->hisi.name, n, dev->socket);
			return -ENOMEM;
		}
	}
	for (uint16_t i = 0; i < n; i++)
		hisi_udma_vchan_init(&vchans[i], dev, i);
	pthread_mutex_lock(&hisi_udma_driver.lock);
	old = dev->vchans;
	dev->vchans = vchans;
	dev->nb_vchans = n;
	pthread_mutex_unlock(&hisi_udma_driver.lock);
	rte_free(old);
	return 0;
}

/* Are IOVAs, which dmadev has for addresses, what the function understands? */
static int
check_addresses(const struct hisi_dev *dev)
{
	if (!dev->info.va || rte_eal_iova_mode() == RTE_IOVA_VA)
		return 0;
	HISI_UDMA_LOG(ERR, "%s: IOVAs are physical addresses, but dev=%s takes pointers, expected "
		"EAL's option --iova-mode=va", dev->name, dev->args.dev);
	return -ENOTSUP;
}

int
hisi_udma_probe(const char *name, struct rte_device *device, const struct hisi_devargs *args,
		struct hisi_ap *ap)
{
	int socket = hisi_dev_socket(args, device);
	struct rte_dma_dev *ddev = rte_dma_pmd_allocate(name, socket, sizeof(struct hisi_udma_dev));
	struct hisi_udma_dev *dev;
	int ret;

	if (ddev == NULL) {
		HISI_UDMA_LOG(ERR, "%s: no dmadev could be created", name);
		return -ENOMEM;
	}
	dev = ddev->data->dev_private;
	dev->data = ddev->data;
	dev->socket = socket;
	dev->hisi.driver = &hisi_udma_driver;
	dev->hisi.id = (uint16_t)ddev->data->dev_id;
	rte_strscpy(dev->hisi.name, name, sizeof(dev->hisi.name));
	dev->hisi.args = *args;
	ret = hisi_dev_open(&dev->hisi, ap);
	if (ret == 0) {
		ret = check_addresses(&dev->hisi);
		if (ret != 0)
			hisi_dev_close(&dev->hisi);
	}
	if (ret != 0) {
		rte_dma_pmd_release(name);
		return ret;
	}
	ddev->device = device;
	ddev->dev_ops = &hisi_udma_ops;
	ddev->fp_obj->dev_private = dev;
	ddev->fp_obj->copy = hisi_udma_copy;
	ddev->fp_obj->fill = hisi_udma_fill;
	ddev->fp_obj->submit = hisi_udma_submit;
	ddev->fp_obj->completed = hisi_udma_completed;
	ddev->fp_obj->completed_status = hisi_udma_completed_status;
	ddev->fp_obj->burst_capacity = hisi_udma_burst_capacity;
	ddev->state = RTE_DMA_DEV_READY;
	hisi_dev_show(&dev->hisi);
	return 0;
}

struct hisi_dev *
hisi_udma_find(const char *name)
{
	struct hisi_dev *dev;

	pthread_mutex_lock(&hisi_udma_driver.lock);
	TAILQ_FOREACH(dev, &hisi_udma_driver.devs, next) {
		if (strcmp(dev->name, name) == 0)
			break;
	}
	pthread_mutex_unlock(&hisi_udma_driver.lock);
	return dev;
}

void
hisi_udma_fini(struct hisi_udma_dev *dev)
{
	hisi_dev_hide(&dev->hisi);
	hisi_udma_set_vchans(dev, 0);
	hisi_dev_close(&dev->hisi);
}

int
hisi_udma_remove(const char *name)
{
	struct hisi_dev *dev = hisi_udma_find(name);

	if (dev == NULL)
		return 0;
	/* The application may have left without stop and close. */
	if (hisi_udma_dev_of(dev)->data->dev_started)
		rte_dma_stop((int16_t)dev->id);
	return rte_dma_pmd_release(name);
}

RTE_LOG_REGISTER_DEFAULT(hisi_udma_logtype, INFO);
