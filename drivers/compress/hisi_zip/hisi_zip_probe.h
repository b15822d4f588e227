/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_PROBE_H
#define HISI_ZIP_PROBE_H

/** @file Making and removing a compressdev, on any bus. */

#include <bus_pci_driver.h>
#include <rte_dev.h>

#include "hisi_zip_devargs.h"

#define HISI_ZIP_DRIVER_NAME     compress_hisi_zip
/** Begins as the other one: stock programs look for drivers by the beginning of their names. */
#define HISI_ZIP_PCI_DRIVER_NAME compress_hisi_zip_pci

struct hisi_ap;
struct hisi_zip_dev;

/**
 * Make a compressdev.
 * @param ap
 *   As for hisi_zip_dev_init().
 */
int hisi_zip_probe(const char *name, struct rte_device *device,
		const struct hisi_zip_devargs *args, struct hisi_ap *ap);

/** The same on the PCI bus (hisi_driver.h): hisi_driver.probe. */
int hisi_zip_pci_probe(const char *name, struct rte_device *device, const char *text,
		struct hisi_ap *ap);
/** Ended by one of 0. */
extern const struct rte_pci_id hisi_zip_pci_ids[];

/**
 * Remove a compressdev, in whatever state it is.
 * @return
 *   0; -ENODEV (there is none of that name) or what compressdev failed with.
 */
int hisi_zip_remove(const char *name);

/** The device of that name, or NULL. */
struct hisi_zip_dev *hisi_zip_find(const char *name);

#endif /* HISI_ZIP_PROBE_H */
