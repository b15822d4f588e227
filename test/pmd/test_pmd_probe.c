/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Devices that cannot be made, each way that there is: the errno, the lines of the log, and that
 * nothing stays behind: no memory, no descriptor, no thread, no id, no name.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bus_vdev_driver.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_memzone.h>

#include "hisi_extmem.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_probe.h"
#include "pmd_test.h"

#define NAME "compress_hisi_zip_probe"

/* ---- Wrapped by the linker ----------------------------------------------------------------- */

static struct {
	struct rte_vdev_driver *drv;
	bool secondary, no_cdev, no_destroy;
	unsigned int created, destroyed;
	int socket;
	unsigned int here; /* the socket that the caller runs on */
	unsigned int maps, unmaps;
} w;

__typeof__(rte_socket_id) __wrap_rte_socket_id;
__typeof__(rte_socket_count) __wrap_rte_socket_count;
__typeof__(rte_socket_id_by_idx) __wrap_rte_socket_id_by_idx;
__typeof__(hisi_extmem_map) __wrap_hisi_extmem_map;
__typeof__(hisi_extmem_unmap) __wrap_hisi_extmem_unmap;

unsigned int
__wrap_rte_socket_id(void)
{
	return w.here;
}

/* Sockets 0, 1 and so on up to that one. */
unsigned int
__wrap_rte_socket_count(void)
{
	return w.here + 1;
}

int
__wrap_rte_socket_id_by_idx(unsigned int idx)
{
	return idx <= w.here ? (int)idx : -1;
}

int
__wrap_hisi_extmem_map(struct hisi_ap *ap, void *va, size_t len)
{
	PMD_CHECK(ap == hisi_zip_find(NAME)->hisi.ap && len == 64 && va != NULL, "%zu bytes", len);
	w.maps++;
	return w.maps == 2 ? -EEXIST : 0;
}

int
__wrap_hisi_extmem_unmap(struct hisi_ap *ap, void *va, size_t len)
{
	PMD_CHECK(ap == hisi_zip_find(NAME)->hisi.ap && len == 64 && va != NULL, "%zu bytes", len);
	w.unmaps++;
	return w.unmaps == 2 ? -ENOENT : 0;
}

void __real_rte_vdev_register(struct rte_vdev_driver *driver);
void __wrap_rte_vdev_register(struct rte_vdev_driver *driver);
enum rte_proc_type_t __wrap_rte_eal_process_type(void);
struct rte_compressdev *__real_rte_compressdev_pmd_create(const char *name,
	struct rte_device *device, size_t size, struct rte_compressdev_pmd_init_params *params);
struct rte_compressdev *__wrap_rte_compressdev_pmd_create(const char *name,
	struct rte_device *device, size_t size, struct rte_compressdev_pmd_init_params *params);
int __real_rte_compressdev_pmd_destroy(struct rte_compressdev *cdev);
int __wrap_rte_compressdev_pmd_destroy(struct rte_compressdev *cdev);

void
__wrap_rte_vdev_register(struct rte_vdev_driver *driver)
{
	w.drv = driver;
	__real_rte_vdev_register(driver);
}

enum rte_proc_type_t
__wrap_rte_eal_process_type(void)
{
	return w.secondary ? RTE_PROC_SECONDARY : RTE_PROC_PRIMARY;
}

struct rte_compressdev *
__wrap_rte_compressdev_pmd_create(const char *name, struct rte_device *device, size_t size,
		struct rte_compressdev_pmd_init_params *params)
{
	w.socket = params->socket_id;
	if (w.no_cdev)
		return NULL;
	w.created++;
	/* This machine has one socket only. */
	params->socket_id = 0;
	return __real_rte_compressdev_pmd_create(name, device, size, params);
}

int
__wrap_rte_compressdev_pmd_destroy(struct rte_compressdev *cdev)
{
	/* compressdev would close it again by its operations. */
	PMD_CHECK(cdev->dev_ops == NULL, "it still has operations");
	if (w.no_destroy)
		return -EIO;
	w.destroyed++;
	return __real_rte_compressdev_pmd_destroy(cdev);
}

/* ---- Failing ------------------------------------------------------------------------------- */

/* What is there when nothing is. */
static void
check_nothing(const char *what, const struct pmd_usage *before)
{
	PMD_CHECK(rte_compressdev_count() == 0, "%s: %u devices", what, rte_compressdev_count());
	PMD_CHECK(hisi_zip_find(NAME) == NULL, "%s: it is still there", what);
	PMD_CHECK(rte_compressdev_get_dev_id(NAME) < 0, "%s: it still has an id", what);
	PMD_CHECK(rte_memzone_lookup("rte_compressdev_data_0") == NULL, "%s: its data is kept",
		what);
	PMD_CHECK(w.created == w.destroyed, "%s: %u of %u given back", what, w.destroyed,
		w.created);
	pmd_usage_check(what, before);
}

/* The last line of the log is this one, and with only all others are the library's. */
static void
refused(const char *args, int err, const char *last)
{
	struct pmd_usage before = pmd_usage_get();
	char want[512];
	const char *log;
	int ret;

	snprintf(want, sizeof(want), "HISI_ZIP: %s: %s\n", NAME, last);
	pmd_log_begin();
	ret = rte_vdev_init(NAME, args);
	log = pmd_log_end();
	PMD_CHECK(ret == err, "%s: %d, expected %d: %s", args, ret, err, log);
	PMD_CHECK(strstr(log, want) != NULL, "%s: %s, expected %s", args, log, want);
	check_nothing(args, &before);
}

static void
cannot_be_made(void)
{
	static const struct {
		const char *args, *line;
		int err;
	} rows[] = {
		{ "workers=65", "workers=65, expected 0 to 64", -EINVAL },
		{ "dev=elsewhere", "dev=elsewhere could not be opened (-22)", -EINVAL },
		{ "dev=uacce:x", "dev=uacce:x could not be opened (-95)", -ENOTSUP },
		{ "dev=unix:/nowhere/at/all", "dev=unix:/nowhere/at/all could not be opened (-2)",
			-ENOENT },
		{ "fault=nonsense", "dev=local could not be opened (-22)", -EINVAL },
		/* Known answers show that all its paths are wrong. */
		{ "rev=v2,ext=off,engine=copy,sw=off", "a function of revision 0x21 has no "
			"algorithm of compressdev by itself, expected sw=auto", -ENOTSUP },
		{ "rev=v2,ext=off,engine=copy,sw=off,workers=2", "a function of revision 0x21 has "
			"no algorithm of compressdev by itself, expected sw=auto", -ENOTSUP },
	};
	uint8_t dev = pmd_dev_add(NAME, "");

	/* Libraries keep a little from the first time on. */
	pmd_dev_remove(NAME);
	rte_vdev_init(NAME, rows[3].args);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < RTE_DIM(rows); i++)
			refused(rows[i].args, rows[i].err, rows[i].line);
		/* The id and the name are free, and nothing of a failure is left in it. */
		PMD_CHECK(pmd_dev_add(NAME, "") == dev, "another id");
		PMD_CHECK(hisi_zip_find(NAME)->hisi.id == dev, "%u", hisi_zip_find(NAME)->hisi.id);
		pmd_dev_remove(NAME);
	}
	w.secondary = true;
	refused("", -ENOTSUP, "secondary process, expected the primary one");
	w.secondary = false;
	w.no_cdev = true;
	refused("", -ENOMEM, "no compressdev could be created");
	w.no_cdev = false;
}

/* As many devices as compressdev has room for, and one more. */
static void
too_many(void)
{
	struct pmd_usage before = pmd_usage_get(), full;
	char name[64], want[128];
	const char *log;
	unsigned int n;
	int ret;

	for (n = 0; n < RTE_COMPRESS_MAX_DEVS; n++) {
		snprintf(name, sizeof(name), NAME "_%u", n);
		PMD_CHECK(pmd_dev_add(name, "") == n && hisi_zip_find(name)->hisi.id == n, "%u", n);
	}
	full = pmd_usage_get();
	snprintf(want, sizeof(want), "HISI_ZIP: %s: no compressdev could be created\n", NAME);
	pmd_log_begin();
	ret = rte_vdev_init(NAME, "");
	log = pmd_log_end();
	PMD_CHECK(ret == -ENOMEM, "%d", ret);
	PMD_CHECK(strstr(log, want) != NULL, "%s", log);
	PMD_CHECK(rte_compressdev_count() == RTE_COMPRESS_MAX_DEVS, "%u", rte_compressdev_count());
	w.created--;
	pmd_usage_check("one device too many", &full);
	while (n-- > 0) {
		snprintf(name, sizeof(name), NAME "_%u", n);
		pmd_dev_remove(name);
	}
	check_nothing("all devices", &before);
}

/* ---- Names --------------------------------------------------------------------------------- */

static void
same_name(void)
{
	struct hisi_zip_devargs args;
	struct rte_device device = { .name = NAME };
	struct pmd_usage before = pmd_usage_get(), with;
	struct hisi_zip_dev *dev;
	int ret;

	pmd_dev_add(NAME, "workers=1");
	dev = hisi_zip_find(NAME);
	PMD_CHECK(strcmp(dev->hisi.name, NAME) == 0 && dev->hisi.args.local.workers == 1, "%s",
		dev->hisi.name);
	with = pmd_usage_get();
	ret = rte_vdev_init(NAME, "");
	PMD_CHECK(ret == -EEXIST, "%d", ret);
	ret = hisi_zip_devargs_parse(NAME, NULL, HISI_BUS_VDEV, &args);
	PMD_CHECK(ret == 0, "%d", ret);
	pmd_log_begin();
	ret = hisi_zip_probe(NAME, &device, &args, NULL);
	pmd_log_end();
	w.created--;
	PMD_CHECK(ret == -ENOMEM, "%d", ret);
	PMD_CHECK(hisi_zip_find(NAME) == dev && rte_compressdev_count() == 1, "%u devices",
		rte_compressdev_count());
	pmd_usage_check("the same name", &with);
	pmd_dev_remove(NAME);
	check_nothing("removal", &before);
	/* Once is enough. */
	ret = rte_vdev_uninit(NAME);
	PMD_CHECK(ret == -ENOENT, "%d", ret);
	ret = hisi_zip_remove(NAME);
	PMD_CHECK(ret == -ENODEV, "%d", ret);
	check_nothing("removal again", &before);
}

/* Removal in whatever state the application left it. */
static void
in_use(void)
{
	static const char *const args[] = { "workers=0", "workers=2", "ext=off", "rev=v2" };
	struct rte_comp_op *ops[3];
	struct pmd_usage before = { 0 };

	for (size_t i = 0; i < 2 * RTE_DIM(args); i++) {
		uint8_t dev = pmd_dev_add(NAME, args[i % RTE_DIM(args)]);
		struct rte_vdev_device *vdev;
		struct rng rng;
		void *x;
		int ret;

		pmd_rng(&rng);
		pmd_dev_start(dev, 3, 16);
		x = pmd_xform(dev, &pmd_deflate_xform);
		for (int n = 0; n < 3; n++)
			ops[n] = pmd_op(x, pmd_chain(&rng, PMD_LINEAR, NULL, 0, 100, 0), 0, 100,
				pmd_chain(&rng, PMD_LINEAR, NULL, 0, 300, 0), 0);
		pmd_enqueue(dev, 1, ops, 3);
		pmd_xform_free(dev, x);
		if (i % 3 == 0)
			rte_compressdev_stop(dev);
		if (i % 2 == 0) {
			pmd_dev_remove(NAME);
		} else {
			/* By the driver itself, without its bus. */
			vdev = RTE_DEV_TO_VDEV(rte_compressdev_pmd_get_named_dev(NAME)->device);
			ret = w.drv->remove(vdev);
			PMD_CHECK(ret == 0 && rte_compressdev_count() == 0, "%d", ret);
			ret = w.drv->remove(vdev);
			PMD_CHECK(ret == -ENODEV, "%d", ret);
			ret = w.drv->probe(vdev);
			PMD_CHECK(ret == 0 && hisi_zip_find(NAME) != NULL, "%d", ret);
			pmd_dev_remove(NAME);
		}
		for (int n = 0; n < 3; n++)
			pmd_op_free(ops[n]);
		if (i >= RTE_DIM(args))
			check_nothing(args[i % RTE_DIM(args)], &before);
		else if (i == RTE_DIM(args) - 1)
			before = pmd_usage_get();
	}
}

/* compressdev cannot give it back: its memory stays, too. */
static void
not_destroyed(void)
{
	struct pmd_usage before = pmd_usage_get();
	struct rte_compressdev *cdev;
	int ret;

	pmd_dev_add(NAME, "");
	cdev = rte_compressdev_pmd_get_named_dev(NAME);
	w.no_destroy = true;
	ret = w.drv->remove(RTE_DEV_TO_VDEV(cdev->device));
	w.no_destroy = false;
	PMD_CHECK(ret == -EIO, "%d", ret);
	PMD_CHECK(rte_memzone_lookup("rte_compressdev_data_0") != NULL, "its data is gone");
	w.destroyed++;
	ret = __real_rte_compressdev_pmd_destroy(cdev);
	PMD_CHECK(ret == 0, "%d", ret);
	rte_memzone_free(rte_memzone_lookup("rte_compressdev_data_0"));
	/* The bus still has it, and removes what is there. */
	ret = rte_vdev_uninit(NAME);
	PMD_CHECK(ret == -ENODEV, "%d", ret);
	pmd_dev_add(NAME "_b", "");
	pmd_dev_remove(NAME "_b");
	check_nothing("in the end", &before);
}

/* ---- What the bus asks --------------------------------------------------------------------- */

static void
sockets(void)
{
	struct rte_devargs devargs = { .args = (char *)(uintptr_t)"socket_id=1" };
	struct rte_vdev_device vdev = { .device = { .name = NAME, .numa_node = 1 } };
	static const struct {
		int numa_node;
		const char *args;
		int socket;
	} rows[] = {
		{ 1, NULL, 1 }, { 0, NULL, 0 }, { -1, NULL, 5 }, { 0, "socket_id=1", 1 },
		{ 1, "socket_id=0", 0 }, { -1, "socket_id=1", 1 },
	};

	w.here = 5;
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		vdev.device.numa_node = rows[i].numa_node;
		vdev.device.devargs = rows[i].args != NULL ? &devargs : NULL;
		devargs.args = (char *)(uintptr_t)rows[i].args;
		PMD_CHECK(w.drv->probe(&vdev) == 0, "%zu", i);
		PMD_CHECK(w.socket == rows[i].socket, "%zu: %d", i, w.socket);
		PMD_CHECK(w.drv->remove(&vdev) == 0, "%zu", i);
	}
	w.here = 0;
}

static void
no_such_device(void)
{
	struct rte_vdev_device vdev = { 0 };
	char page[64];
	int ret;

	PMD_CHECK(w.drv->probe(&vdev) == -EINVAL, "no name");
	PMD_CHECK(w.drv->remove(&vdev) == -EINVAL, "no name");
	vdev.device.name = NAME;
	PMD_CHECK(w.drv->remove(&vdev) == -ENODEV, "never made");
	for (int unmap = 0; unmap < 2; unmap++) {
		rte_errno = 0;
		ret = (unmap ? w.drv->dma_unmap : w.drv->dma_map)(&vdev, page, 0, sizeof(page));
		PMD_CHECK(ret == -1 && rte_errno == ENODEV, "%d, %d", ret, rte_errno);
	}
	/* What the driver says, as the bus wants to hear it. */
	pmd_dev_add(NAME, "");
	for (int i = 0; i < 4; i++) {
		bool unmap = i % 2 == 1, fails = i >= 2;

		rte_errno = 0;
		ret = (unmap ? w.drv->dma_unmap : w.drv->dma_map)(&vdev, page, 0, sizeof(page));
		PMD_CHECK(w.maps == (unsigned int)i / 2 + 1 &&
			w.unmaps == (unsigned int)(i + 1) / 2, "%u, %u", w.maps, w.unmaps);
		PMD_CHECK(ret == (fails ? -1 : 0) && rte_errno == (!fails ? 0 : unmap ? ENOENT :
			EEXIST), "%d, %d", ret, rte_errno);
	}
	pmd_dev_remove(NAME);
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "cannot_be_made", cannot_be_made, PMD_LINES },
		{ "too_many", too_many },
		{ "same_name", same_name },
		{ "in_use", in_use },
		{ "sockets", sockets },
		{ "no_such_device", no_such_device },
		{ "not_destroyed", not_destroyed },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_probe", .count = 1, .cases = cases, .vdevs = none,
	});
}
