/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A function on the PCI bus that drivers of two classes use: ours of compression, and one of the
 * class UDMA that is the test's own. Which of them have a device of it, in whichever order they
 * are registered.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_log.h>

#include "hisi_ap.h"
#include "hisi_pci.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_probe.h"
#include "pmd_fake_pci.h"
#include "pmd_test.h"

/* ---- A driver of another class ------------------------------------------------------------- */

static struct {
	struct hisi_dev dev;
	bool there;
	int result;           /* of its probe */
	unsigned int probes;
	const struct rte_device *device;
	int pattern;
} other;

static int
set_pattern(const char *value, struct hisi_devargs *a)
{
	long n;

	(void)a;
	if (hisi_devarg_number(value, 0, 9, &n) != 0)
		return -EINVAL;
	other.pattern = (int)n;
	return 0;
}

static const struct hisi_devarg other_keys[] = {
	{ "pattern", HISI_BUS_PCI, "0 to 9", set_pattern },
	{ .key = NULL },
};

static int other_probe(const char *name, struct rte_device *device, const char *text,
	struct hisi_ap *ap);
static int other_remove(const char *name);

static void
other_log(enum base_log_level level, const char *line, void *priv)
{
	(void)priv;
	if (level == BASE_LOG_ERR)
		RTE_LOG(ERR, USER1, "%s\n", line);
}

static struct hisi_driver other_driver = {
	.name = "other",
	.class_name = "dma",
	.log = { .line = other_log },
	.features = HISI_ZIP_EXT_F_UDMA,
	.feature_name = "UDMA",
	.keys = other_keys,
	.pci_driver = { .name = "dma_other_pci" },
	.pci_ids = (const struct rte_pci_id[]){
		{ RTE_PCI_DEVICE(0x19e5, 0xa251) }, { RTE_PCI_DEVICE(0x19e5, 0xa2ff) },
		{ .vendor_id = 0 },
	},
	.probe = other_probe,
	.remove = other_remove,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

HISI_REGISTER_DRIVER(other_driver);

static int
other_probe(const char *name, struct rte_device *device, const char *text, struct hisi_ap *ap)
{
	int ret;

	other.probes++;
	other.device = device;
	memset(&other.dev, 0, sizeof(other.dev));
	other.dev.driver = &other_driver;
	snprintf(other.dev.name, sizeof(other.dev.name), "%s", name);
	ret = hisi_devargs_parse(&other_driver, name, text, HISI_BUS_PCI, &other.dev.args);
	if (ret == 0)
		ret = other.result;
	if (ret == 0)
		ret = hisi_dev_open(&other.dev, ap);
	if (ret == 0)
		hisi_dev_show(&other.dev);
	other.there = ret == 0;
	return ret;
}

static int
other_remove(const char *name)
{
	PMD_CHECK(other.there && strcmp(name, NAME) == 0, "%s", name);
	hisi_dev_hide(&other.dev);
	hisi_dev_close(&other.dev);
	other.there = false;
	return 0;
}

/* A probe that goes well, after which these classes have a device of one access point. */
static void
classes(const char *text, bool compress, bool dma)
{
	struct hisi_zip_dev *zip;
	int ret;

	pci_args(text);
	works();
	pmd_log_begin();
	ret = probe();
	pmd_log_end();
	zip = hisi_zip_find(NAME);
	PMD_CHECK(ret == 0 && (zip != NULL) == compress && other.there == dma, "%s: %d", text, ret);
	if (dma)
		PMD_CHECK(other.device != &pdev.device && strcmp(other.device->driver->name,
			"dma_other_pci") == 0 && strcmp(other.device->name, NAME) == 0 &&
			other.device->numa_node == 0, "%s: it shows another driver", text);
	if (dma && compress)
		PMD_CHECK(zip->hisi.ap == other.dev.ap, "%s: two access points", text);
	if (compress)
		run_ops(zip->hisi.id);
	/* It ends with its function, so no other device may have it. */
	pmd_log_begin();
	ret = rte_vdev_init("compress_hisi_zip_shares", "dev=device:" NAME);
	PMD_CHECK(ret == -ENODEV && strstr(pmd_log_end(), "no such device") != NULL, "%s: %d", text,
		ret);
	ret = w.drv->remove(&pdev);
	PMD_CHECK(ret == 0 && !other.there && hisi_zip_find(NAME) == NULL, "%s: %d", text, ret);
}

/* ---- Cases --------------------------------------------------------------------------------- */

static void
registration(void)
{
	const struct rte_pci_id *ids = w.drv->id_table;
	struct hisi_driver *first = hisi_driver_next(NULL), *second = hisi_driver_next(first);

	PMD_CHECK(first != NULL && second != NULL && hisi_driver_next(second) == NULL &&
		first != second, "not two drivers");
	/* Ids of both, each once. */
	PMD_CHECK((ids[0].device_id == 0xa251) != (ids[1].device_id == 0xa251) &&
		(ids[0].device_id == 0xa2ff) != (ids[1].device_id == 0xa2ff) &&
		ids[2].vendor_id == 0, "0x%x 0x%x 0x%x", ids[0].device_id, ids[1].device_id,
		ids[2].vendor_id);
}

/* Who uses a function that has both classes, and one that has one. */
static void
both_classes(void)
{
	static const char *const wrong[] = {
		"class=x", "class=", "class=compress:", "class=:dma", "class=compress:x:dma",
		"class=dma,class=Dma", "class=compress-dma",
	};
	char line[256];

	w.udma = true;
	device_set("", HISI_QM_REV_V3, true);
	classes("", true, true);
	classes("class=compress", true, false);
	classes("class=dma", false, true);
	classes("class=compress:dma", true, true);
	classes("class=dma:compress,sw=off", true, true);
	/* Each has its own keys, and leaves those of the other alone. */
	classes("pattern=7,sw=off", true, true);
	PMD_CHECK(other.pattern == 7, "%d", other.pattern);
	classes("class=compress,pattern=8", true, false);
	PMD_CHECK(other.pattern == 7, "%d", other.pattern);
	w.config_reads = 0;
	for (size_t i = 0; i < RTE_DIM(wrong); i++) {
		const struct hisi_driver *first = hisi_driver_next(NULL);

		pci_args(wrong[i]);
		snprintf(line, sizeof(line), "HISI: " NAME ": %s, expected one or more of %s, with "
			": between them\n", strrchr(wrong[i], ',') != NULL ?
			strrchr(wrong[i], ',') + 1 : wrong[i],
			strcmp(first->class_name, "dma") == 0 ? "dma, compress" : "compress, dma");
		fails(-EINVAL, line);
	}
	PMD_CHECK(w.config_reads == 0, "%u", w.config_reads);
	/* What one of them refuses, the other one has not either. */
	pci_args("pattern=x");
	fails(-EINVAL, NULL);
	pci_args("class=dma:compress,class=compress");
	fails(-EINVAL, "HISI_ZIP: " NAME ": class is given twice, expected once\n");
	pci_args("sw=x");
	fails(-EINVAL, NULL);
	pci_args("");
	other.result = -EIO;
	fails(-EIO, NULL);
	PMD_CHECK(!other.there, "half a function");
	other.result = 0;
	works();
	device_unset();

	w.udma = false;
	device_set("", HISI_QM_REV_V3, true);
	other.probes = 0;
	classes("", true, false);
	PMD_CHECK(other.probes == 0, "asked although the function has no UDMA");
	pci_args("class=dma");
	fails(-ENOTSUP, "USER1: " NAME ": the function has no UDMA: features 0x3ff of revision "
		"0x30, expected 0x10000 among them\n");
	PMD_CHECK(other.probes == 1, "%u", other.probes);
	device_unset();
}

static unsigned int many; /* devices of the drivers below */

static int
many_probe(const char *name, struct rte_device *device, const char *text, struct hisi_ap *ap)
{
	(void)text;
	PMD_CHECK(strcmp(name, NAME) == 0 && device->driver != NULL && ap != NULL, "%s", name);
	many++;
	return 0;
}

static int
many_remove(const char *name)
{
	PMD_CHECK(strcmp(name, NAME) == 0, "%s", name);
	many--;
	return 0;
}

/* As many classes as there are. It is the last case: a driver stays. */
static void
many_classes(void)
{
	static struct hisi_driver drivers[8];

	for (size_t i = 0; i < RTE_DIM(drivers); i++) {
		drivers[i] = (struct hisi_driver){ .class_name = "many", .log = other_driver.log,
			.pci_driver = { .name = "many" }, .probe = many_probe,
			.remove = many_remove, .lock = PTHREAD_MUTEX_INITIALIZER };
		hisi_driver_add(&drivers[i]);
	}
	w.udma = true;
	device_set("", HISI_QM_REV_V3, true);
	works();
	PMD_CHECK(probe() == 0, "no function");
	PMD_CHECK(many == RTE_DIM(drivers) && other.there && hisi_zip_find(NAME) != NULL, "%u",
		many);
	PMD_CHECK(w.drv->remove(&pdev) == 0 && many == 0 && !other.there, "%u", many);
	device_unset();
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "registration", registration },
		{ "both_classes", both_classes },
		{ "many_classes", many_classes },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_classes", .count = 1, .cases = cases, .vdevs = none,
	});
}
