/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include <dev_driver.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "hisi_ap.h"
#include "hisi_dev.h"
#include "hisi_driver.h"
#include "hisi_telemetry.h"

int
hisi_dev_probe_allowed(const struct hisi_driver *driver, const char *name)
{
	if (rte_eal_process_type() == RTE_PROC_PRIMARY)
		return 0;
	hisi_log_error(driver, "%s: secondary process, expected the primary one", name);
	return -ENOTSUP;
}

int
hisi_dev_socket(const struct hisi_devargs *args, const struct rte_device *device)
{
	return args->socket_id != SOCKET_ID_ANY ? args->socket_id :
		device->numa_node >= 0 ? device->numa_node : (int)rte_socket_id();
}

struct hisi_ap *
hisi_dev_ap_of(const char *name)
{
	struct hisi_ap *ap = NULL;
	struct hisi_driver *driver = NULL;
	struct hisi_dev *dev;

	while ((driver = hisi_driver_next(driver)) != NULL) {
		pthread_mutex_lock(&driver->lock);
		TAILQ_FOREACH(dev, &driver->devs, next) {
			/* One on a bus ends with the function there, whoever else uses it. */
			if (strcmp(dev->name, name) == 0 && dev->ap->io == NULL)
				ap = dev->ap;
		}
		pthread_mutex_unlock(&driver->lock);
	}
	return ap;
}

/* Share the access point of a device. */
static int
share(struct hisi_dev *dev, const char *name)
{
	dev->ap = hisi_ap_get_of(name, hisi_dev_ap_of);
	if (dev->ap != NULL)
		return 0;
	hisi_log_error(dev->driver, "%s: dev=%s: no such device, expected the name of an open "
		"--vdev of these drivers", dev->name, dev->args.dev);
	return -ENODEV;
}

int
hisi_dev_open(struct hisi_dev *dev, struct hisi_ap *ap)
{
	static const char other[] = "device:";
	int ret = 0;

	if (ap != NULL) {
		hisi_ap_get(ap);
		dev->ap = ap;
	} else if (strncmp(dev->args.dev, other, sizeof(other) - 1) == 0) {
		ret = share(dev, dev->args.dev + sizeof(other) - 1);
	} else {
		ret = hisi_ap_open(dev->driver, dev->name, &dev->args, NULL, &dev->ap);
	}
	if (ret != 0)
		return ret;
	dev->info = dev->ap->info;
	dev->args.local = dev->ap->args.local;
	if (hisi_driver_fits(dev->driver, &dev->info))
		return 0;
	hisi_driver_log_unfit(dev->driver, dev->name, &dev->info);
	hisi_ap_put(dev->ap);
	return -ENOTSUP;
}

void
hisi_dev_close(struct hisi_dev *dev)
{
	hisi_ap_put(dev->ap);
}

void
hisi_dev_show(struct hisi_dev *dev)
{
	hisi_log_info(dev->driver, "%s: dev=%s revision 0x%x, %u queues, features 0x%x",
		dev->name, dev->args.dev, dev->info.revision, dev->info.queues,
		dev->info.ext_features);
	hisi_telemetry_add(dev);
}

void
hisi_dev_hide(struct hisi_dev *dev)
{
	hisi_telemetry_remove(dev);
}

int
hisi_dev_alloc(struct hisi_dev *dev, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	return dev->ap->mem.alloc(dev->ap->mem.priv, len, align, socket, mem);
}

void
hisi_dev_free(struct hisi_dev *dev, struct hisi_qm_mem *mem)
{
	dev->ap->mem.free(dev->ap->mem.priv, mem);
}

int
hisi_dev_queue_take(struct hisi_dev *dev, uint8_t type, uint16_t depth, struct spim_queue **queue)
{
	return spim_queue_take(dev->ap->spim, type, depth, dev->args.socket_id, queue);
}

bool
hisi_dev_queue_put(struct hisi_dev *dev, struct spim_queue *queue, bool hung)
{
	int ret = hung ? spim_queue_abort(dev->ap->spim, queue) :
		spim_queue_stop(dev->ap->spim, queue);

	if (hisi_dev_may_write(dev, ret))
		return false;
	spim_queue_put(dev->ap->spim, queue);
	return true;
}

int
hisi_dev_queue_check(struct hisi_dev *dev, const struct spim_queue *queue)
{
	return spim_queue_check(dev->ap->spim, queue);
}

uint32_t
hisi_dev_opened(const struct hisi_dev *dev)
{
	return spim_opened(dev->ap->spim);
}

void
hisi_dev_reg_write64(struct hisi_dev *dev, uint32_t off, uint64_t value)
{
	spim_reg_write64(dev->ap->spim, off, value);
}
