/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_DEV_H
#define HISI_DEV_H

/**
 * @file
 * What a device of any class is: an open access point, and the memory that goes with it.
 *
 *   hisi_dev.c        opening and closing it; who may probe, and where
 *   hisi_driver.c     what a class's driver is to these files; its log lines
 *   hisi_devargs.c    device arguments
 *   hisi_alloc.c      memory for rings
 *   hisi_mem.c        EAL's memory, registered with a function of the service
 *   hisi_extmem.c     memory of the application's own, registered when it says so
 *   hisi_vdev.c       what the vdev bus asks for
 *   hisi_pci.c        a function on the PCI bus, mapped
 *   hisi_bar.c        registers and doorbells of a function whose BARs are mapped
 *   hisi_telemetry.c  the devices of a driver, and what telemetry says of each
 *   hisi_compat.h     what differs between releases of DPDK
 *
 * Control path only; no function may be called for one device from two threads at a time,
 * except where it says so.
 */

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <rte_dev.h>

#include "hisi_devargs.h"
#include "hisi_driver.h"
#include "spim.h"

struct hisi_extmem;

/** What a class's device begins with. */
struct hisi_dev {
	/* Constant while it is open. */
	struct hisi_driver *driver;
	uint16_t id;                   /**< Device id of the class's library. */
	char name[RTE_DEV_NAME_MAX_LEN];
	struct hisi_devargs args;
	struct spim_dev *spim;         /**< Access point to the function. */
	struct hisi_qm_io *io;         /**< The function, if a bus has mapped it, or NULL. */
	struct spim_info info;         /**< What the function is. */
	struct hisi_qm_mem_ops mem;    /**< Hugepage memory (hisi_alloc.h); any thread. */
	bool mem_watched;              /**< Events of EAL's memory go to the function. */

	SLIST_HEAD(, hisi_extmem) extmem; /**< Memory of the application's own... */
	pthread_mutex_t extmem_lock;   /**< ...under this lock. */

	TAILQ_ENTRY(hisi_dev) next;    /**< In driver->devs, under its lock. */
};

/** @return 0, or -ENOTSUP in a secondary process, with a log line. */
int hisi_dev_probe_allowed(const struct hisi_driver *driver, const char *name);

/** The NUMA socket for a device: as its arguments say, else where it is, else the caller's. */
int hisi_dev_socket(const struct hisi_devargs *args, const struct rte_device *device);

/**
 * Open the access point.
 *
 * @param dev
 *   Zeroed, except driver, id, name and args.
 * @param io
 *   The function if the caller has mapped it (PCI), or NULL to open args.dev; must
 *   outlive the device.
 * @return 0, or what spim_open() failed with, after a log line; nothing is held then.
 */
int hisi_dev_open(struct hisi_dev *dev, struct hisi_qm_io *io);

/** Close it; all queues have been put. */
void hisi_dev_close(struct hisi_dev *dev);

/** It is ready: log what it is, and have telemetry show it. */
void hisi_dev_show(struct hisi_dev *dev);

#endif /* HISI_DEV_H */
