/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>

#include <bus_pci_driver.h>
#include <rte_devargs.h>
#include <rte_interrupts.h>
#include <rte_malloc.h>
#include <rte_pci.h>

#include "hisi_zip_bar.h"
#include "hisi_zip_pmd.h"

/*
 * A VF of the accelerator, mapped by vfio-pci. Polled: no interrupt is asked for.
 * EAL maps its memory for the device in the container; what else an application
 * has, it maps with rte_dev_dma_map(), which is the PCI bus's business. Addresses
 * in requests are IOVAs, whichever mode EAL has chosen.
 */

#define PCI_REVISION_ID 0x08

struct hisi_zip_pci {
	struct hisi_zip_bar bar; /* first: the io that is handed on is in its beginning */
	struct rte_pci_device *pdev;
};

/* The revision in config space. @return 0 or -EIO. */
static int
read_revision(const struct rte_pci_device *pdev, uint8_t *revision)
{
	return rte_pci_read_config(pdev, revision, sizeof(*revision), PCI_REVISION_ID) ==
		sizeof(*revision) ? 0 : -EIO;
}

/* Function level reset, by way of the kernel, which saves and restores config space. */
static int
pci_reset(struct hisi_zip_bar *bar)
{
	struct rte_pci_device *pdev = ((struct hisi_zip_pci *)bar)->pdev;
	uint8_t revision;

	if (pdev->kdrv != RTE_PCI_KDRV_VFIO)
		return -ENOTSUP;
	/* For a function that is gone the kernel would wait a minute, and we with it. */
	if (read_revision(pdev, &revision) != 0 || revision == UINT8_MAX)
		return -ENODEV;
	return ioctl(rte_intr_dev_fd_get(pdev->intr_handle), VFIO_DEVICE_RESET) == 0 ? 0 : -errno;
}

static int
hisi_zip_pci_probe(struct rte_pci_driver *drv, struct rte_pci_device *pdev)
{
	const char *name = pdev->device.name;
	const struct rte_mem_resource *res = pdev->mem_resource;
	struct hisi_zip_devargs args;
	struct hisi_zip_pci *pci;
	uint8_t revision;
	int ret;

	RTE_SET_USED(drv);
	ret = hisi_zip_probe_allowed(name);
	if (ret == 0)
		ret = hisi_zip_devargs_parse(name, pdev->device.devargs != NULL ?
			pdev->device.devargs->args : NULL, HISI_ZIP_BUS_PCI, &args);
	if (ret != 0)
		return ret;
	if (read_revision(pdev, &revision) != 0) {
		HISI_ZIP_LOG(ERR, "%s: no revision in config space, expected a byte at 0x%x", name,
			PCI_REVISION_ID);
		return -EIO;
	}
	pci = rte_zmalloc_socket("hisi_zip_pci", sizeof(*pci), 0, pdev->device.numa_node);
	if (pci == NULL) {
		HISI_ZIP_LOG(ERR, "%s: no memory for %zu bytes", name, sizeof(*pci));
		return -ENOMEM;
	}
	pci->pdev = pdev;
	pci->bar.io.name = name;
	pci->bar.reset = pci_reset;
	ret = hisi_zip_bar_init(&pci->bar, revision, res[2].addr, res[2].len, res[4].addr,
		res[4].len);
	if (ret == 0)
		ret = hisi_zip_probe(name, &pdev->device, &args, &pci->bar.io);
	if (ret != 0)
		rte_free(pci);
	return ret;
}

static int
hisi_zip_pci_remove(struct rte_pci_device *pdev)
{
	struct hisi_qm_io *io;
	int ret = hisi_zip_remove(pdev->device.name, &io);

	if (ret == 0)
		rte_free(io);
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
	"timeout=<ms> "
	"socket_id=<int>");
