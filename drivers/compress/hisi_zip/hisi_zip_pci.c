/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <bus_pci_driver.h>
#include <rte_devargs.h>

#include "hisi_pci.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_sqe.h"

static int
hisi_zip_pci_probe(struct rte_pci_driver *drv, struct rte_pci_device *pdev)
{
	const char *name = pdev->device.name;
	struct hisi_zip_devargs args;
	struct hisi_qm_io *io;
	int ret;

	RTE_SET_USED(drv);
	ret = hisi_dev_probe_allowed(&hisi_zip_driver, name);
	if (ret == 0)
		ret = hisi_zip_devargs_parse(name, pdev->device.devargs != NULL ?
			pdev->device.devargs->args : NULL, HISI_BUS_PCI, &args);
	if (ret == 0)
		ret = hisi_pci_open(&hisi_zip_driver, pdev, &io);
	if (ret != 0)
		return ret;
	ret = hisi_zip_probe(name, &pdev->device, &args, io);
	if (ret != 0)
		hisi_pci_close(io);
	return ret;
}

static int
hisi_zip_pci_remove(struct rte_pci_device *pdev)
{
	struct hisi_qm_io *io;
	int ret = hisi_zip_remove(pdev->device.name, &io);

	if (ret == 0)
		hisi_pci_close(io);
	return ret;
}

static const struct rte_pci_id hisi_zip_pci_ids[] = {
	{ RTE_PCI_DEVICE(HISI_PCI_VENDOR, HISI_PCI_DEVICE_ZIP_VF) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver hisi_zip_pci_driver = {
	.id_table = hisi_zip_pci_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = hisi_zip_pci_probe,
	.remove = hisi_zip_pci_remove,
};

RTE_PMD_REGISTER_PCI(HISI_ZIP_PCI_DRIVER_NAME, hisi_zip_pci_driver);
RTE_PMD_REGISTER_PCI_TABLE(HISI_ZIP_PCI_DRIVER_NAME, hisi_zip_pci_ids);
RTE_PMD_REGISTER_KMOD_DEP(HISI_ZIP_PCI_DRIVER_NAME, "* vfio-pci");
RTE_PMD_REGISTER_PARAM_STRING(HISI_ZIP_PCI_DRIVER_NAME,
	"sw=on|off "
	HISI_PARAMS_DEVICE);
