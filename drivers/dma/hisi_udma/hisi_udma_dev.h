/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_UDMA_DEV_H
#define HISI_UDMA_DEV_H

/**
 * @file
 * The dmadev driver of the UDMA queues of a HiSilicon ZIP function: its device. What is no class's,
 * it has from drivers/common/hisi.
 *
 *   hisi_udma_vdev.c       probe and remove on the vdev bus
 *   hisi_udma_pci.c        probe on the PCI bus
 *   hisi_udma_driver.c     making and removing a device over an access point
 *   hisi_udma_ops.c        dmadev operations of the control path
 *   hisi_udma_vchan.c      channels: setup, taking a hardware queue, stop
 *   hisi_udma_enqueue.c    data path: from op to SQE
 *   hisi_udma_complete.c   data path: from SQE to status
 *   hisi_udma_recover.c    queues that fail, and answers that cannot be true
 *   hisi_udma_telemetry.c  telemetry commands
 */

#include <rte_dmadev_pmd.h>

#include "hisi_dev.h"
#include "hisi_telemetry.h"
#include "hisi_udma_vchan.h"

#define HISI_UDMA_DRIVER_NAME     dma_hisi_udma
#define HISI_UDMA_PCI_DRIVER_NAME dma_hisi_udma_pci

/** Private data of a device. */
struct hisi_udma_dev {
	struct hisi_dev hisi;            /**< First: hisi_udma_dev_of() relies on it. */
	const struct rte_dma_dev_data *data; /**< The dmadev's. */
	int socket;                      /**< NUMA socket of its memory. */
	/** Both are changed by configure under the driver's lock, which telemetry holds. */
	struct hisi_udma_vchan *vchans;  /**< NULL: not configured. */
	uint16_t nb_vchans;
};

extern struct hisi_driver hisi_udma_driver;

/** Telemetry commands about one device (hisi_telemetry.h). */
extern const struct hisi_telemetry_cmd hisi_udma_telemetry_cmds[];

/** dmadev operations. */
extern const struct rte_dma_dev_ops hisi_udma_ops;

/** The device that begins with it. */
static inline struct hisi_udma_dev *
hisi_udma_dev_of(struct hisi_dev *dev)
{
	return (struct hisi_udma_dev *)dev;
}

/**
 * Make a dmadev.
 * @param ap
 *   As for hisi_dev_open().
 * @return
 *   0; -ENOTSUP (IOVAs are not what the function understands), -ENOMEM, or what hisi_dev_open()
 *   failed with, after a log line.
 */
int hisi_udma_probe(const char *name, struct rte_device *device, const struct hisi_devargs *args,
		struct hisi_ap *ap);

/** struct hisi_driver.probe, and the functions that it is for. */
int hisi_udma_pci_probe(const char *name, struct rte_device *device, const char *text,
		struct hisi_ap *ap);
extern const struct rte_pci_id hisi_udma_pci_ids[];

/** Remove a dmadev, in whatever state it is. @return 0, also if rte_dma_close() has done it. */
int hisi_udma_remove(const char *name);

/** Release what hisi_udma_probe() took, except the dmadev. All channels are stopped. */
void hisi_udma_fini(struct hisi_udma_dev *dev);

/** The device of that name, or NULL. */
struct hisi_dev *hisi_udma_find(const char *name);

/** Free all channels and have as many new ones; 0: none. @return 0 or -ENOMEM. */
int hisi_udma_set_vchans(struct hisi_udma_dev *dev, uint16_t n);

#endif /* HISI_UDMA_DEV_H */
