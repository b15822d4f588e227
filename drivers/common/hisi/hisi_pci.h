/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_PCI_H
#define HISI_PCI_H

/**
 * @file
 * The driver on the PCI bus. It opens a function once, and each driver of a class that uses it
 * makes its device of the same access point.
 *
 * Device argument class=NAME[:NAME...] chooses the classes; without it, all that are loaded and
 * that the function has.
 */

#include <bus_pci_driver.h>

#define HISI_PCI_IDS_MAX 16 /**< Different ids of all drivers. */

/** Probe functions with these ids, too. Before EAL probes buses. */
void hisi_pci_add_ids(const struct rte_pci_id *ids);

#endif /* HISI_PCI_H */
