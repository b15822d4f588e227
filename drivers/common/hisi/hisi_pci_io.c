/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>

#include <rte_interrupts.h>
#include <rte_malloc.h>
#include <rte_pci.h>

#include "hisi_bar.h"
#include "hisi_pci_io.h"

/*
 * A VF of the accelerator, mapped by vfio-pci. Polled: no interrupt is asked for.
 * EAL maps its memory for the device in the container; what else an application
 * has, it maps with rte_dev_dma_map(), which is the PCI bus's business. Addresses
 * in requests are IOVAs, whichever mode EAL has chosen.
 */

#define PCI_REVISION_ID 0x08

struct hisi_pci_io {
	struct hisi_bar bar; /* first: the io that is handed on is in its beginning */
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
pci_reset(struct hisi_bar *bar)
{
	struct rte_pci_device *pdev = ((struct hisi_pci_io *)bar)->pdev;
	uint8_t revision;

	if (pdev->kdrv != RTE_PCI_KDRV_VFIO)
		return -ENOTSUP;
	/* For a function that is gone the kernel would wait a minute, and we with it. */
	if (read_revision(pdev, &revision) != 0 || revision == UINT8_MAX)
		return -ENODEV;
	return ioctl(rte_intr_dev_fd_get(pdev->intr_handle), VFIO_DEVICE_RESET) == 0 ? 0 : -errno;
}

int
hisi_pci_io_open(const struct hisi_driver *driver, struct rte_pci_device *pdev,
		struct hisi_qm_io **io)
{
	const struct rte_mem_resource *res = pdev->mem_resource;
	const char *name = pdev->device.name;
	struct hisi_pci_io *pci;
	uint8_t revision;
	int ret;

	if (read_revision(pdev, &revision) != 0) {
		hisi_log_error(driver, "%s: no revision in config space, expected a byte at 0x%x",
			name, PCI_REVISION_ID);
		return -EIO;
	}
	pci = rte_zmalloc_socket(driver->name, sizeof(*pci), 0, pdev->device.numa_node);
	if (pci == NULL) {
		hisi_log_error(driver, "%s: no memory for %zu bytes", name, sizeof(*pci));
		return -ENOMEM;
	}
	pci->pdev = pdev;
	pci->bar.io.name = name;
	pci->bar.driver = driver;
	pci->bar.reset = pci_reset;
	ret = hisi_bar_init(&pci->bar, revision, res[2].addr, res[2].len, res[4].addr, res[4].len);
	if (ret != 0) {
		rte_free(pci);
		return ret;
	}
	*io = &pci->bar.io;
	return 0;
}

void
hisi_pci_io_close(struct hisi_qm_io *io)
{
	rte_free(io);
}
