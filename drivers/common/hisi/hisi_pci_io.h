/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_PCI_IO_H
#define HISI_PCI_IO_H

/** @file A function on the PCI bus, whose BARs EAL has mapped, at register level. */

#include <bus_pci_driver.h>

#include "hisi_driver.h"
#include "hisi_qm_io.h"

/**
 * Make the register level of a function.
 *
 * @param pdev
 *   Must outlive it, as must its name.
 * @return 0; -EIO (config space cannot be read), -ENOMEM, or see hisi_bar_init(). The log line
 *   says what was expected.
 */
int hisi_pci_io_open(const struct hisi_driver *driver, struct rte_pci_device *pdev,
		struct hisi_qm_io **io);

/** Close it; nobody uses the function any more. */
void hisi_pci_io_close(struct hisi_qm_io *io);

#endif /* HISI_PCI_IO_H */
