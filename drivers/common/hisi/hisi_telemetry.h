/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_TELEMETRY_H
#define HISI_TELEMETRY_H

/**
 * @file
 * The devices of a driver, for its telemetry commands. Telemetry runs in a thread of its own:
 * driver->lock is held while a command runs, so that nothing it looks at goes away. Counters
 * are read while the data path writes them: a value may be a moment old.
 */

#include <rte_telemetry.h>

#include "hisi_dev.h"

/** Show a device, or stop showing it. */
void hisi_telemetry_add(struct hisi_dev *dev);
void hisi_telemetry_remove(struct hisi_dev *dev);

/** The answer to ".../list": the ids of all devices. */
int hisi_telemetry_list(struct hisi_driver *driver, struct rte_tel_data *d);

/**
 * Answer a command about one device, with the lock held.
 * @param params
 *   Its id.
 * @param show
 *   Fills in the answer.
 * @return What show returns, or -EINVAL if there is no such device.
 */
int hisi_telemetry_show(struct hisi_driver *driver, const char *params, struct rte_tel_data *d,
		int (*show)(struct hisi_dev *dev, struct rte_tel_data *d));

/** Begin the answer to ".../info": what devices of every class have. */
void hisi_telemetry_info(const struct hisi_dev *dev, struct rte_tel_data *d);

#endif /* HISI_TELEMETRY_H */
