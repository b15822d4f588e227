/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_driver.h"
#include "hisi_pci.h"
#include "hisi_telemetry.h"

void
hisi_driver_register(struct hisi_driver *driver)
{
	hisi_driver_add(driver);
	hisi_pci_add_ids(driver->pci_ids);
	hisi_telemetry_register(driver);
}
