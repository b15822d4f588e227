/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_DRIVER_H
#define HISI_DRIVER_H

/**
 * @file
 * What a driver is to the files that it has in common with those of other classes.
 */

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_common.h>

#include "hisi_qm.h"

struct hisi_dev;

/** A driver of one class. It defines one, for all of its devices. */
struct hisi_driver {
	const char *name;       /**< Begins names of memory, e.g. "hisi_zip". */
	hisi_qm_log_t log_line; /**< Logs a line, of the libraries or of hisi_log_*(). */
	uint16_t device;        /**< PCI device id that a service's function must have. */
	/** Held by whoever uses devs or what is in them, see hisi_telemetry.h. */
	pthread_mutex_t lock;
	TAILQ_HEAD(, hisi_dev) devs; /**< Devices that telemetry shows. */
};

/** Log a line about a device, of up to 1 KiB, as one of its driver's; control path only. */
void hisi_log_error(const struct hisi_driver *driver, const char *fmt, ...)
	__rte_format_printf(2, 3);
void hisi_log_info(const struct hisi_driver *driver, const char *fmt, ...)
	__rte_format_printf(2, 3);

#endif /* HISI_DRIVER_H */
