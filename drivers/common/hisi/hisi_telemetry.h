/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_TELEMETRY_H
#define HISI_TELEMETRY_H

/**
 * @file
 * The devices of a driver, for its telemetry commands. Telemetry runs in a thread of its own:
 * driver->lock is held while a command runs, so that nothing it reads goes away. Counters
 * are read while the data path writes them: a value may be a moment old.
 */

#include <rte_telemetry.h>

#include "hisi_dev.h"

/** A command about one device: "PATH/NAME,ID". */
struct hisi_telemetry_cmd {
	const char *name; /**< E.g. "stats"; NULL ends a list. */
	const char *help;
	/** Fill in the answer, with the lock held. @return 0 or a negative errno. */
	int (*show)(struct hisi_dev *dev, struct rte_tel_data *d);
};

/**
 * Register a driver's commands, and "PATH/list", which answers with the ids of its devices. EAL
 * answers null where there is no such device.
 */
void hisi_telemetry_register(const struct hisi_driver *driver);

/** Show a device, or stop showing it. */
void hisi_telemetry_add(struct hisi_dev *dev);
void hisi_telemetry_remove(struct hisi_dev *dev);

/** Begin the answer to ".../info": what devices of every class have. */
void hisi_telemetry_info(const struct hisi_dev *dev, struct rte_tel_data *d);

#endif /* HISI_TELEMETRY_H */
