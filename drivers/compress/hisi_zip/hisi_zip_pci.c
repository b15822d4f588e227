/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <bus_pci_driver.h>

#include "hisi_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_sqe.h"

/* The driver of the bus is drivers/common's (hisi_pci.h): it has opened the function. */

int
hisi_zip_pci_probe(const char *name, struct rte_device *device, const char *text,
		struct hisi_ap *ap)
{
	struct hisi_zip_devargs args;
	int ret = hisi_zip_devargs_parse(name, text, HISI_BUS_PCI, &args);

	return ret != 0 ? ret : hisi_zip_probe(name, device, &args, ap);
}

const struct rte_pci_id hisi_zip_pci_ids[] = {
	{ RTE_PCI_DEVICE(HISI_PCI_VENDOR, HISI_PCI_DEVICE_ZIP_VF) },
	{ .vendor_id = 0 },
};

HISI_PMD_EXPORT_NAME(HISI_ZIP_PCI_DRIVER_NAME);
RTE_PMD_REGISTER_PCI_TABLE(HISI_ZIP_PCI_DRIVER_NAME, hisi_zip_pci_ids);
RTE_PMD_REGISTER_KMOD_DEP(HISI_ZIP_PCI_DRIVER_NAME, "* vfio-pci");
RTE_PMD_REGISTER_PARAM_STRING(HISI_ZIP_PCI_DRIVER_NAME,
	HISI_PARAMS_PCI
	"sw=auto|exact|off "
	"verify=<n> "
	HISI_PARAMS_DEVICE);
