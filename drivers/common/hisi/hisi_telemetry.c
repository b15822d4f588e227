/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_compat.h"
#include "hisi_telemetry.h"

#define LIST "list"
#define PATH_LEN 64 /* EAL takes no more than 56. */

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

static int
answer_list(struct hisi_driver *driver, struct rte_tel_data *d)
{
	struct hisi_dev *dev;

	rte_tel_data_start_array(d, RTE_TEL_INT_VAL);
	pthread_mutex_lock(&driver->lock);
	TAILQ_FOREACH(dev, &driver->devs, next)
		rte_tel_data_add_array_int(d, dev->id);
	pthread_mutex_unlock(&driver->lock);
	return 0;
}

static int
answer_cmd(struct hisi_driver *driver, const struct hisi_telemetry_cmd *cmd, const char *params,
		struct rte_tel_data *d)
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
			ret = cmd->show(dev, d);
			break;
		}
	}
	pthread_mutex_unlock(&driver->lock);
	return ret;
}

/* All commands of all drivers come here. */
static int
answer(const char *path, const char *params, struct rte_tel_data *d)
{
	const struct hisi_telemetry_cmd *cmd;
	struct hisi_driver *driver = NULL;

	while ((driver = hisi_driver_next(driver)) != NULL) {
		size_t len = driver->telemetry != NULL ? strlen(driver->telemetry) : 0;

		if (len == 0 || strncmp(path, driver->telemetry, len) != 0 || path[len] != '/')
			continue;
		if (strcmp(path + len + 1, LIST) == 0)
			return answer_list(driver, d);
		for (cmd = driver->cmds; cmd->name != NULL; cmd++) {
			if (strcmp(path + len + 1, cmd->name) == 0)
				return answer_cmd(driver, cmd, params, d);
		}
	}
	return -EINVAL;
}

static void
register_cmd(const struct hisi_driver *driver, const char *name, const char *help)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", driver->telemetry, name);
	rte_telemetry_register_cmd(path, answer, help);
}

void
hisi_telemetry_register(const struct hisi_driver *driver)
{
	if (driver->telemetry == NULL)
		return;
	register_cmd(driver, LIST, "Returns the ids of the driver's devices. Takes no parameters");
	for (const struct hisi_telemetry_cmd *cmd = driver->cmds; cmd->name != NULL; cmd++)
		register_cmd(driver, cmd->name, cmd->help);
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
