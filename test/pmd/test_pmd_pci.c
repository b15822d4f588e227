/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The PCI bus's side of the driver with a device that is not there: the bus, the kernel and the
 * BARs are wrapped by the linker, and behind the registers is a software function. What a real
 * bus adds is tested in guests.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_memzone.h>

#include "hisi_ap.h"
#include "hisi_bar.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_probe.h"
#include "pmd_fake_pci.h"
#include "pmd_test.h"

/* ---- Cases --------------------------------------------------------------------------------- */

static void
registration(void)
{
	const struct rte_pci_id *ids = w.drv->id_table;

	PMD_CHECK(strcmp(w.drv->driver.name, "hisi_pci") == 0, "%s", w.drv->driver.name);
	PMD_CHECK(w.drv->drv_flags == RTE_PCI_DRV_NEED_MAPPING, "0x%x", w.drv->drv_flags);
	PMD_CHECK(ids[0].vendor_id == 0x19e5 && ids[0].device_id == 0xa251 &&
		ids[0].subsystem_vendor_id == RTE_PCI_ANY_ID &&
		ids[0].subsystem_device_id == RTE_PCI_ANY_ID && ids[1].vendor_id == 0,
		"0x%x 0x%x", ids[0].vendor_id, ids[0].device_id);
}

static void
goes_well(void)
{
	struct pmd_usage before;
	struct rte_compressdev_info info;
	struct hisi_zip_dev *dev;
	int ret;

	device_set("timeout=1234,sw=off", HISI_QM_REV_V3, true);
	works();
	before = pmd_usage_get();
	for (int i = 0; i < 2; i++) {
		ret = probe();
		PMD_CHECK(ret == 0, "%d", ret);
		PMD_CHECK(w.bar_revision == HISI_QM_REV_V3 && w.bar2 == pci_bar2 &&
			w.bar4 == pci_bar4 && w.bar2_len == sizeof(pci_bar2) &&
			w.bar4_len == sizeof(pci_bar4), "0x%x %p %p", w.bar_revision, w.bar2,
			w.bar4);
		dev = hisi_zip_find(NAME);
		PMD_CHECK(strcmp(dev->hisi.args.dev, "pci") == 0 &&
			dev->hisi.args.timeout_ms == 1234 && !dev->sw && dev->hisi.ap->io != NULL &&
			strcmp(dev->hisi.ap->io->name, NAME) == 0,
			"%s %u %d", dev->hisi.args.dev, dev->hisi.args.timeout_ms, dev->sw);
		rte_compressdev_info_get(dev->hisi.id, &info);
		PMD_CHECK(strcmp(info.driver_name, "compress_hisi_zip_pci") == 0 &&
			info.feature_flags == (RTE_COMPDEV_FF_HW_ACCELERATED |
			RTE_COMPDEV_FF_OP_DONE_IN_DEQUEUE) && info.max_nb_queue_pairs == 8,
			"%s 0x%" PRIx64 " %u", info.driver_name, info.feature_flags,
			info.max_nb_queue_pairs);
		run_ops(dev->hisi.id);
		/* With everything in use the first time. */
		if (i == 1)
			pmd_dev_stop(dev->hisi.id);
		ret = w.drv->remove(&pdev);
		PMD_CHECK(ret == 0, "%d", ret);
		PMD_CHECK(rte_memzone_lookup("rte_compressdev_data_0") == NULL, "its data is kept");
		pmd_usage_check("removal", &before);
		ret = w.drv->remove(&pdev);
		PMD_CHECK(ret == -ENODEV, "%d", ret);
	}
	device_unset();
}

static void
goes_wrong(void)
{
	static char line[256];
	static const int config_rets[] = { 0, -1, 2 };

	device_set("workers=1", HISI_QM_REV_V3, true);
	fails(-EINVAL, "HISI_ZIP: " NAME ": unknown device argument workers=1, expected one of "
		"class, sw, verify, timeout, socket_id\n");
	device_unset();

	device_set("", HISI_QM_REV_V3, true);
	works();
	w.secondary = true;
	fails(-ENOTSUP, "HISI: " NAME ": secondary process, expected the primary one\n");
	w.secondary = false;
	for (size_t i = 0; i < RTE_DIM(config_rets); i++) {
		w.config_ret = config_rets[i];
		fails(-EIO, "HISI: " NAME ": no revision in config space, expected a byte at "
			"0x8\n");
	}
	w.config_ret = 1;
	w.no_memory = true;
	pdev.device.numa_node = 3;
	snprintf(line, sizeof(line), "HISI: " NAME ": no memory for %zu bytes\n",
		sizeof(struct hisi_bar) + sizeof(void *));
	fails(-ENOMEM, line);
	PMD_CHECK(w.socket == 3, "%d", w.socket);
	pdev.device.numa_node = 0;
	w.no_memory = false;
	pdev.mem_resource[2].addr = NULL;
	pdev.mem_resource[2].len = 0;
	fails(-EINVAL, "HISI: " NAME ": BAR2 has 0x0 bytes, expected 0x4000 or more\n");
	pdev.mem_resource[2].addr = pci_bar2;
	pdev.mem_resource[2].len = sizeof(pci_bar2);
	memset(pci_bar2, 0xff, sizeof(pci_bar2));
	fails(-ENODEV, "HISI: " NAME ": registers read as all ones, expected a function that "
		"answers\n");
	memset(pci_bar2, 0, sizeof(pci_bar2));
	works();
	device_unset();

	/* A plain V2 function, whose paths will be tried when a queue can be had. */
	device_set("sw=off", HISI_QM_REV_V2, false);
	works();
	pci_args("");
	works();
	device_unset();
}

static void
reset(void)
{
	struct hisi_qm_io *io;
	int ret;

	device_set("", HISI_QM_REV_V3, true);
	PMD_CHECK(probe() == 0, "no device");
	io = hisi_zip_find(NAME)->hisi.ap->io;
	w.resets = 0;
	PMD_CHECK(io->ops->reset(io) == 0 && w.resets == 1, "%u", w.resets);
	w.ioctl_errno = EPERM;
	ret = io->ops->reset(io);
	PMD_CHECK(ret == -EPERM && w.resets == 2, "%d, %u", ret, w.resets);
	w.ioctl_errno = 0;
	/* The kernel is not asked to reset what is gone, or what is not its own. */
	w.revision = 0xff;
	ret = io->ops->reset(io);
	PMD_CHECK(ret == -ENODEV && w.resets == 2, "%d, %u", ret, w.resets);
	w.revision = HISI_QM_REV_V3;
	w.config_ret = -1;
	ret = io->ops->reset(io);
	PMD_CHECK(ret == -ENODEV && w.resets == 2, "%d, %u", ret, w.resets);
	w.config_ret = 1;
	pdev.kdrv = RTE_PCI_KDRV_IGB_UIO;
	ret = io->ops->reset(io);
	PMD_CHECK(ret == -ENOTSUP && w.resets == 2, "%d, %u", ret, w.resets);
	PMD_CHECK(w.drv->remove(&pdev) == 0, "not removed");
	device_unset();
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "registration", registration },
		{ "goes_well", goes_well },
		{ "goes_wrong", goes_wrong },
		{ "reset", reset },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_pci", .count = 1, .cases = cases, .vdevs = none,
	});
}
