/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_debug.h>
#include <rte_devargs.h>
#include <rte_kvargs.h>
#include <rte_string_fns.h>

#include "hisi_ap.h"
#include "hisi_compat.h"
#include "hisi_dev.h"
#include "hisi_driver.h"
#include "hisi_pci.h"
#include "hisi_pci_io.h"

RTE_LOG_REGISTER_DEFAULT(hisi_logtype, INFO);
#define RTE_LOGTYPE_HISI hisi_logtype

static void
pci_log(enum base_log_level level, const char *line, void *priv)
{
	RTE_SET_USED(priv);
	if (level == BASE_LOG_ERR)
		RTE_LOG_LINE(ERR, HISI, "%s", line);
	else
		RTE_LOG_LINE(INFO, HISI, "%s", line);
}

/* What is said of a function is no class's; nobody finds this one in the list. */
static const struct hisi_driver of_function = { .name = "hisi", .log = { .line = pci_log } };

/* A driver's device of a function. */
struct user {
	struct hisi_driver *driver;
	struct rte_device device; /* that its library shows; of no bus, which has one of its own */
};

/* A function that was probed. */
struct function {
	LIST_ENTRY(function) next;
	struct rte_pci_device *pdev;
	struct hisi_qm_io *io;
	struct hisi_ap *ap;
	unsigned int nusers;
	struct user users[]; /* room for one of each driver */
};

/* EAL probes and removes one device at a time. */
static LIST_HEAD(, function) functions = LIST_HEAD_INITIALIZER(functions);

/* ---- Which classes ------------------------------------------------------------------------- */

/* Names of all classes that are loaded. */
static void
list_classes(char *list, size_t len)
{
	const struct hisi_driver *d = NULL;
	size_t used = 0;

	while ((d = hisi_driver_next(d)) != NULL && used < len)
		used += (size_t)snprintf(list + used, len - used, "%s%s", used > 0 ? ", " : "",
			d->class_name);
}

static bool
is_class(const char *name, size_t len)
{
	const struct hisi_driver *d = NULL;

	while ((d = hisi_driver_next(d)) != NULL) {
		if (strlen(d->class_name) == len && memcmp(d->class_name, name, len) == 0)
			return true;
	}
	return false;
}

/* Is a class in a list that was checked? */
static bool
listed(const char *classes, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = classes; p != NULL; p = strchr(p, ':')) {
		p += *p == ':';
		if (strncmp(p, name, len) == 0 && (p[len] == ':' || p[len] == '\0'))
			return true;
	}
	return false;
}

/* All names of a list are classes. */
static int
check_classes(const char *name, const char *classes)
{
	const char *p = classes;
	char list[128] = "none: no driver is loaded";

	for (;;) {
		size_t len = strcspn(p, ":");

		if (!is_class(p, len))
			break;
		if (p[len] == '\0')
			return 0;
		p += len + 1;
	}
	list_classes(list, sizeof(list));
	hisi_log_error(&of_function, "%s: class=%s, expected one or more of %s, with : between "
		"them", name, classes, list);
	return -EINVAL;
}

/* The value of class=, "" without one. Each driver refuses a second one. Other keys are theirs. */
static int
read_classes(const struct rte_pci_device *pdev, char *classes, size_t len)
{
	const char *name = pdev->device.name, *text = pdev->device.devargs != NULL ?
		pdev->device.devargs->args : NULL;
	struct rte_kvargs *kvlist;
	int ret = 0;

	classes[0] = '\0';
	if (text == NULL || text[0] == '\0')
		return 0;
	kvlist = rte_kvargs_parse(text, NULL);
	/* If there is no sense in it, each driver says so. */
	for (unsigned int i = 0; kvlist != NULL && i < kvlist->count && ret == 0; i++) {
		const char *value = kvlist->pairs[i].value;

		if (strcmp(kvlist->pairs[i].key, "class") != 0)
			continue;
		ret = check_classes(name, value != NULL ? value : "");
		if (ret == 0 && rte_strscpy(classes, value, len) < 0) {
			hisi_log_error(&of_function, "%s: class=%s, expected less than %zu "
				"characters", name, value, len);
			ret = -EINVAL;
		}
	}
	rte_kvargs_free(kvlist);
	return ret;
}

/* ---- Probe and removal --------------------------------------------------------------------- */

/* Have a driver make its device. */
static int
add_user(struct function *f, struct hisi_driver *driver)
{
	const struct rte_device *bus = &f->pdev->device;
	struct user *user = &f->users[f->nusers];
	int ret;

	*user = (struct user){
		.driver = driver,
		.device = {
			.name = bus->name,
			.driver = &driver->pci_driver,
			.numa_node = bus->numa_node,
			.devargs = bus->devargs,
		},
	};
	ret = driver->probe(bus->name, &user->device,
		bus->devargs != NULL ? bus->devargs->args : NULL, f->ap);
	if (ret == 0)
		f->nusers++;
	return ret;
}

/* The drivers that are asked for, or else those that fit. */
static int
add_users(struct function *f, const char *classes)
{
	const struct spim_info *info = &f->ap->info;
	struct hisi_driver *d = NULL;
	char list[128] = "";
	int ret = 0;

	while (ret == 0 && (d = hisi_driver_next(d)) != NULL) {
		/* One that is asked for says itself what is missing. */
		if (classes[0] != '\0' ? listed(classes, d->class_name) :
				hisi_driver_fits(d, info))
			ret = add_user(f, d);
	}
	if (ret != 0 || f->nusers != 0)
		return ret;
	list_classes(list, sizeof(list));
	hisi_log_error(&of_function, "%s: features 0x%x, revision 0x%x, expected those of one of "
		"%s", f->pdev->device.name, info->ext_features, info->revision, list);
	return -ENOTSUP;
}

/* @return What the first of the drivers failed with; the function is closed in any case. */
static int
function_put(struct function *f)
{
	int ret = 0;

	while (f->nusers > 0) {
		int err = f->users[--f->nusers].driver->remove(f->pdev->device.name);

		ret = ret != 0 ? ret : err;
	}
	hisi_ap_put(f->ap);
	hisi_pci_io_close(f->io);
	free(f);
	return ret;
}

static int
open_function(struct rte_pci_device *pdev, struct function **out)
{
	const struct hisi_devargs args = { .dev = "pci" };
	const struct hisi_driver *d = NULL;
	size_t drivers = 0;
	struct function *f;
	int ret;

	while ((d = hisi_driver_next(d)) != NULL)
		drivers++;
	f = calloc(1, sizeof(*f) + drivers * sizeof(f->users[0]));
	if (f == NULL)
		return -ENOMEM;
	f->pdev = pdev;
	ret = hisi_pci_io_open(&of_function, pdev, &f->io);
	if (ret == 0) {
		ret = hisi_ap_open(&of_function, pdev->device.name, &args, f->io, &f->ap);
		if (ret != 0)
			hisi_pci_io_close(f->io);
	}
	if (ret != 0)
		free(f);
	*out = f;
	return ret;
}

static int
hisi_pci_probe(struct rte_pci_driver *drv, struct rte_pci_device *pdev)
{
	char classes[64];
	struct function *f;
	int ret;

	RTE_SET_USED(drv);
	ret = hisi_dev_probe_allowed(&of_function, pdev->device.name);
	if (ret == 0)
		ret = read_classes(pdev, classes, sizeof(classes));
	if (ret == 0)
		ret = open_function(pdev, &f);
	if (ret != 0)
		return ret;
	ret = add_users(f, classes);
	if (ret != 0) {
		function_put(f);
		return ret;
	}
	LIST_INSERT_HEAD(&functions, f, next);
	return 0;
}

static int
hisi_pci_remove(struct rte_pci_device *pdev)
{
	struct function *f;

	LIST_FOREACH(f, &functions, next)
		if (f->pdev == pdev)
			break;
	if (f == NULL)
		return -ENODEV;
	LIST_REMOVE(f, next);
	return function_put(f);
}

/* ---- Registration -------------------------------------------------------------------------- */

static struct rte_pci_id pci_ids[HISI_PCI_IDS_MAX + 1]; /* ended by one of 0 */

static struct rte_pci_driver hisi_pci_driver = {
	.driver = { .name = "hisi_pci" },
	.id_table = pci_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = hisi_pci_probe,
	.remove = hisi_pci_remove,
};

void
hisi_pci_add_ids(const struct rte_pci_id *ids)
{
	for (; ids->vendor_id != 0; ids++) {
		struct rte_pci_id *id = pci_ids;

		while (id->vendor_id != 0 && memcmp(id, ids, sizeof(*id)) != 0)
			id++;
		RTE_VERIFY(id < &pci_ids[HISI_PCI_IDS_MAX]);
		*id = *ids;
	}
}

/* What each driver offers on this bus, its own file tells dpdk-pmdinfo. */
RTE_INIT(hisi_pci_register)
{
	rte_pci_register(&hisi_pci_driver);
}
