/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>

#include "hisi_compat.h"
#include "hisi_telemetry.h"

void
hisi_telemetry_add(struct hisi_dev *dev)
{
	pthread_mutex_lock(&dev->driver->lock);
	TAILQ_INSERT_TAIL(&dev->driver->devs, dev, next);
	pthread_mutex_unlock(&dev->driver->lock);
}

void
hisi_telemetry_remove(struct hisi_dev *dev)
{
	pthread_mutex_lock(&dev->driver->lock);
	TAILQ_REMOVE(&dev->driver->devs, dev, next);
	pthread_mutex_unlock(&dev->driver->lock);
}

int
hisi_telemetry_list(struct hisi_driver *driver, struct rte_tel_data *d)
{
	struct hisi_dev *dev;

	rte_tel_data_start_array(d, RTE_TEL_INT_VAL);
	pthread_mutex_lock(&driver->lock);
	TAILQ_FOREACH(dev, &driver->devs, next)
		rte_tel_data_add_array_int(d, dev->id);
	pthread_mutex_unlock(&driver->lock);
	return 0;
}

int
hisi_telemetry_show(struct hisi_driver *driver, const char *params, struct rte_tel_data *d,
		int (*show)(struct hisi_dev *dev, struct rte_tel_data *d))
{
	struct hisi_dev *dev;
	unsigned long id;
	char *end;
	int ret = -EINVAL;

	if (params == NULL || params[0] == '\0')
		return -EINVAL;
	id = strtoul(params, &end, 10);
	if (*end != '\0')
		return -EINVAL;
	pthread_mutex_lock(&driver->lock);
	TAILQ_FOREACH(dev, &driver->devs, next) {
		if (dev->id == id) {
			ret = show(dev, d);
			break;
		}
	}
	pthread_mutex_unlock(&driver->lock);
	return ret;
}

void
hisi_telemetry_info(const struct hisi_dev *dev, struct rte_tel_data *d)
{
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "name", dev->name);
	rte_tel_data_add_dict_string(d, "dev", dev->args.dev);
	rte_tel_data_add_dict_uint(d, "revision", dev->info.revision);
	rte_tel_data_add_dict_uint(d, "queues", dev->info.queues);
	rte_tel_data_add_dict_uint(d, "ext_features", dev->info.ext_features);
	rte_tel_data_add_dict_uint(d, "workers", dev->args.local.workers);
}
