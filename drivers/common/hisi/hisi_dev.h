/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_DEV_H
#define HISI_DEV_H

/**
 * @file
 * What a device of any class is: a user of an open access point.
 *
 *   hisi_dev.c        opening and closing it; who may probe, and where
 *   hisi_ap.c         the access point, which devices may share
 *   hisi_driver.c     the drivers of the classes; their log lines
 *   hisi_register.c   how a driver becomes one of them
 *   hisi_devargs.c    device arguments
 *   hisi_hwq.c        a hardware queue: taken, stopped, put
 *   hisi_watch.c      a hardware queue that fails
 *   hisi_alloc.c      memory for rings
 *   hisi_mem.c        EAL's memory, registered with a function of the service
 *   hisi_extmem.c     memory of the application's own, registered when it says so
 *   hisi_vdev.c       what the vdev bus asks for
 *   hisi_pci.c        the driver on the PCI bus: which classes use a function
 *   hisi_pci_io.c     a function on the PCI bus, mapped
 *   hisi_bar.c        registers and doorbells of a function whose BARs are mapped
 *   hisi_telemetry.c  the devices of a driver, and what telemetry says of each
 *   hisi_compat.h     what differs between releases of DPDK
 *
 * Control path only; no function may be called for one device from two threads at a time,
 * except where it says so.
 */

#include <errno.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <rte_dev.h>

#include "hisi_devargs.h"
#include "hisi_driver.h"
#include "spim.h"

struct hisi_ap;

/** What a class's device begins with. */
struct hisi_dev {
	/* Constant while it is open. */
	struct hisi_driver *driver;
	uint16_t id;                   /**< Device id of the class's library. */
	char name[RTE_DEV_NAME_MAX_LEN];
	struct hisi_devargs args;
	struct hisi_ap *ap;            /**< Open access point to the function. */
	struct spim_info info;         /**< What the function is. */

	TAILQ_ENTRY(hisi_dev) next;    /**< In driver->devs, under its lock. */
};

/** @return 0, or -ENOTSUP in a secondary process, with a log line. */
int hisi_dev_probe_allowed(const struct hisi_driver *driver, const char *name);

/** The NUMA socket for a device: as its arguments say, else where it is, else the caller's. */
int hisi_dev_socket(const struct hisi_devargs *args, const struct rte_device *device);

/**
 * Open the access point, or share one that is open.
 *
 * @param dev
 *   Zeroed, except driver, id, name and args. If args.dev is "device:NAME", that device's access
 *   point is shared, and args.local becomes what it was made with.
 * @param ap
 *   The access point to share (PCI), or NULL: what args.dev says.
 * @return
 *   0; -ENODEV: there is no device of that name; -ENOTSUP: the function has no such class; or as
 *   hisi_ap_open(). After a log line; nothing is held then.
 */
int hisi_dev_open(struct hisi_dev *dev, struct hisi_ap *ap);

/** Close it; all its queues have been put. The last one closes the access point. */
void hisi_dev_close(struct hisi_dev *dev);

/** It is ready: log what it is, and have telemetry and "device:" know it. */
void hisi_dev_show(struct hisi_dev *dev);

/** Undo that. */
void hisi_dev_hide(struct hisi_dev *dev);

/**
 * The access point of a device that is shown, of whatever class, and not on a bus, where the
 * function goes with its device. For hisi_ap_get_of().
 * @return NULL if there is none.
 */
struct hisi_ap *hisi_dev_ap_of(const char *name);

/** Hugepage memory, as struct hisi_qm_mem_ops says. Any thread. @return 0 or -ENOMEM. */
int hisi_dev_alloc(struct hisi_dev *dev, size_t len, size_t align, int socket,
		struct hisi_qm_mem *mem);
void hisi_dev_free(struct hisi_dev *dev, struct hisi_qm_mem *mem);

/**
 * Whether the function may still write to memory of a queue and its requests. One without threads
 * writes only while its queues are polled.
 * @param ret
 *   What stopping or aborting the queue returned.
 */
static inline bool
hisi_dev_may_write(const struct hisi_dev *dev, int ret)
{
	return ret != 0 && ret != -ENODEV && !dev->info.polled;
}

/** Take a queue for the control path, as spim_queue_take(), without a log line. Any thread. */
int hisi_dev_queue_take(struct hisi_dev *dev, uint8_t type, uint16_t depth,
		struct spim_queue **queue);

/**
 * Stop such a queue and put it. May take seconds.
 * @param hung
 *   It owes an answer: it is aborted.
 * @return Whether the function touches no memory for it any more; else the queue is left to it.
 */
bool hisi_dev_queue_put(struct hisi_dev *dev, struct spim_queue *queue, bool hung);

/** Is the function of such a queue still there? As spim_queue_check(). Any thread. */
int hisi_dev_queue_check(struct hisi_dev *dev, const struct spim_queue *queue);

/** Which function it is: as spim_opened(). Any thread. */
uint32_t hisi_dev_opened(const struct hisi_dev *dev);

/** As spim_reg_write64(). Any thread. */
void hisi_dev_reg_write64(struct hisi_dev *dev, uint32_t off, uint64_t value);

#endif /* HISI_DEV_H */
