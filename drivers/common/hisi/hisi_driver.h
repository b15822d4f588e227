/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_DRIVER_H
#define HISI_DRIVER_H

/**
 * @file
 * A driver of one accelerator class, as it registers itself. A function has queues of several
 * classes, and a bus binds one driver to a function: that one is in drivers/common, and hands the
 * function to the drivers that are registered (hisi_pci.h).
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <bus_pci_driver.h>
#include <dev_driver.h>
#include <rte_common.h>

#include "base_log.h"
#include "hisi_qm.h"

struct hisi_ap;
struct hisi_dev;
struct hisi_devarg;
struct hisi_telemetry_cmd;
struct spim_info;

/** A driver. It defines one of these, for all of its devices. */
struct hisi_driver {
	const char *name;       /**< Begins names of memory, e.g. "hisi_zip". */
	const char *class_name; /**< In class=, e.g. "compress". */
	const char *owner_name; /**< Who owns a hardware queue, in log lines, e.g. "queue pair". */
	struct base_log log;    /**< Lines of the libraries and of hisi_log_*(). */
	uint16_t device;        /**< PCI device id that a service's function must have. */
	/** Feature bits of the extension (EXT 1) that a function must have, or... */
	uint32_t features;
	uint8_t revision;       /**< ...the PCI revision from which on silicon has it; 0: none. */
	const char *feature_name; /**< What that is called, e.g. "UDMA"; NULL: all have it. */
	const struct hisi_devarg *keys; /**< Its own device arguments, ended by one without key. */
	const char *telemetry;  /**< Path of its commands, e.g. "/compress_hisi_zip"; NULL: none. */
	const struct hisi_telemetry_cmd *cmds; /**< Those about one device, if there are any. */

	/** What its devices on the PCI bus show as their driver. */
	struct rte_driver pci_driver;
	const struct rte_pci_id *pci_ids; /**< Functions that may have the class; ended by 0. */
	/**
	 * Make a device of a function on the PCI bus.
	 * @param device
	 *   What the class's library shows as device: it bears pci_driver.
	 * @param args
	 *   Device arguments, those of all classes; may be NULL.
	 * @param ap
	 *   The function, open; for hisi_dev_open().
	 */
	int (*probe)(const char *name, struct rte_device *device, const char *args,
			struct hisi_ap *ap);
	/** Remove it, in whatever state it is. */
	int (*remove)(const char *name);

	TAILQ_ENTRY(hisi_driver) next; /**< In the list of drivers. */
	/** Held by whoever uses devs or what is in them, see hisi_telemetry.h. */
	pthread_mutex_t lock;
	TAILQ_HEAD(, hisi_dev) devs; /**< Devices that are shown (hisi_dev_show()). */
};

/**
 * Register a driver (hisi_register.c). Before EAL probes buses, from a constructor: see
 * HISI_REGISTER_DRIVER().
 */
void hisi_driver_register(struct hisi_driver *driver);

/** Have a driver registered when its file is loaded. */
#define HISI_REGISTER_DRIVER(driver) \
	RTE_INIT(driver ## _register) \
	{ \
		hisi_driver_register(&(driver)); \
	}

/** The first driver that is registered, or the one after another; NULL: none. */
struct hisi_driver *hisi_driver_next(const struct hisi_driver *driver);

/** Put it at the end of the list that hisi_driver_next() goes through. */
void hisi_driver_add(struct hisi_driver *driver);

/** Has a function what the class needs? */
bool hisi_driver_fits(const struct hisi_driver *driver, const struct spim_info *info);

/** Log that it has not: what is missing, and what was expected. */
void hisi_driver_log_unfit(const struct hisi_driver *driver, const char *name,
		const struct spim_info *info);

/** Log a line about a device, of up to 1 KiB, as one of its driver's; control path only. */
void hisi_log_error(const struct hisi_driver *driver, const char *fmt, ...)
	__rte_format_printf(2, 3);
void hisi_log_info(const struct hisi_driver *driver, const char *fmt, ...)
	__rte_format_printf(2, 3);

#endif /* HISI_DRIVER_H */
