/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Memory of the application's own and rte_dev_dma_map(). A service sees such memory while it is
 * mapped, and only then; a function in this process sees all memory.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "hisi_extmem.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "pmd_test.h"

/* The function itself is to do it, or fail. */
#define DEVICE "compress_hisi_zip_sw_off"
#define PAGES  16u
#define LEN    5000u

static size_t page;
static uint8_t dev;
static struct rte_device *device;
static bool service; /* the function is one of a service */

static void
start(void)
{
	struct rte_dev_iterator it;
	struct rte_device *d;

	device = NULL;
	dev = pmd_dev_add(DEVICE, "sw=off");
	pmd_dev_start(dev, 1, 64);
	RTE_DEV_FOREACH(d, "bus=vdev,name=" DEVICE, &it)
		device = d;
	PMD_CHECK(device != NULL, "no device of the name " DEVICE);
	service = strstr(rte_dev_devargs(device)->args, "dev=unix:") != NULL;
	page = (size_t)sysconf(_SC_PAGESIZE);
}

static void
stop(void)
{
	pmd_dev_stop(dev);
	pmd_dev_remove(DEVICE);
}

/* Pages of a new file, known to EAL as rte_dev_dma_map() wants it. */
static char *
pages(int *fd, int protection, int flags)
{
	char *va;

	*fd = memfd_create("extmem", MFD_CLOEXEC);
	PMD_CHECK(*fd >= 0 && ftruncate(*fd, (off_t)(PAGES * page)) == 0, "no file");
	va = mmap(NULL, PAGES * page, protection, flags, *fd, 0);
	PMD_CHECK(va != MAP_FAILED, "no memory");
	PMD_CHECK(rte_extmem_register(va, PAGES * page, NULL, 0, page) == 0, "register: %d",
		rte_errno);
	return va;
}

static void
pages_free(char *va)
{
	PMD_CHECK(rte_extmem_unregister(va, PAGES * page) == 0, "unregister: %d", rte_errno);
	munmap(va, PAGES * page);
}

static void
map(char *va, size_t len, int error)
{
	int ret = rte_dev_dma_map(device, va, RTE_BAD_IOVA, len);

	if (!service)
		error = 0;
	PMD_CHECK(error == 0 ? ret == 0 : ret < 0 && rte_errno == error,
		"%zu bytes at %p: %d, errno %d, expected %d", len, va, ret, rte_errno, error);
}

static void
unmap(char *va, size_t len, int error)
{
	int ret = rte_dev_dma_unmap(device, va, RTE_BAD_IOVA, len);

	if (!service)
		error = 0;
	PMD_CHECK(error == 0 ? ret == 0 : ret < 0 && rte_errno == error,
		"%zu bytes at %p: %d, errno %d, expected %d", len, va, ret, rte_errno, error);
}

static void
map_and_unmap(void)
{
	const uint8_t hidden = service ? RTE_COMP_OP_STATUS_ERROR : RTE_COMP_OP_STATUS_SUCCESS;
	uint8_t status;
	char *va;
	int fd;

	va = pages(&fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	status = pmd_compress_at(dev, va, LEN, true);
	PMD_CHECK(status == hidden, "before: %s", pmd_status(status));
	map(va, PAGES * page, 0);
	close(fd);
	status = pmd_compress_at(dev, va, LEN, true);
	PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS, "mapped: %s", pmd_status(status));
	unmap(va, PAGES * page, 0);
	status = pmd_compress_at(dev, va, LEN, true);
	PMD_CHECK(status == hidden, "after: %s", pmd_status(status));
	pages_free(va);
}

static void
seen_while_mapped(void)
{
	struct pmd_usage before;
	struct rng rng;

	start();
	/* What is taken with the first op stays. */
	map_and_unmap();
	before = pmd_usage_get();
	while (pmd_next(&rng))
		map_and_unmap();
	pmd_usage_check("maps", &before);
	stop();
}

/* What is one file may be several mappings to the kernel. */
static void
in_parts(void)
{
	uint8_t status;
	char *va;
	int fd;

	start();
	va = pages(&fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	PMD_CHECK(madvise(va + page, page, MADV_DONTDUMP) == 0, "madvise");
	map(va, PAGES * page, 0);
	status = pmd_compress_at(dev, va, LEN, true);
	PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(status));
	unmap(va, PAGES * page, 0);
	/* Not from its beginning. */
	map(va + 2 * page, 4 * page, 0);
	status = pmd_compress_at(dev, va + 2 * page, LEN, true);
	PMD_CHECK(status == (4 * page >= 4 * LEN || !service ? RTE_COMP_OP_STATUS_SUCCESS :
		RTE_COMP_OP_STATUS_ERROR), "%s", pmd_status(status));
	unmap(va + 2 * page, 4 * page, 0);
	pages_free(va);
	close(fd);
	stop();
}

static void
wrong(void)
{
	char *va, *other;
	int fd, fd2;

	start();
	pmd_log_begin();
	va = pages(&fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	map(va, SIZE_MAX - page + 1, EINVAL);
	map(va + 1, page, EINVAL);
	map(va, page + 1, EINVAL);
	map(va, PAGES * page, 0);
	map(va, PAGES * page, EEXIST);
	map(va + page, page, EEXIST);
	unmap(va, page, ENOENT);
	unmap(va + page, (PAGES - 1) * page, ENOENT);
	unmap(va, PAGES * page, 0);
	unmap(va, PAGES * page, ENOENT);

	/* A hole; another file; half of it only to be read. */
	munmap(va + 3 * page, page);
	map(va, PAGES * page, EFAULT);
	other = pages(&fd2, PROT_READ | PROT_WRITE, MAP_SHARED);
	PMD_CHECK(mmap(va + 3 * page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd2,
		(off_t)(3 * page)) != MAP_FAILED, "mmap");
	map(va, PAGES * page, EFAULT);
	map(va, 3 * page, 0);
	unmap(va, 3 * page, 0);
	PMD_CHECK(mprotect(other + page, page, PROT_READ) == 0, "mprotect");
	map(other, PAGES * page, EFAULT);
	pages_free(va);
	close(fd);

	/* Its descriptor is gone. */
	pages_free(other);
	close(fd2);
	va = pages(&fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	close(fd);
	map(va, PAGES * page, EBADF);
	pages_free(va);

	/* Nobody else can see private memory. */
	va = pages(&fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	map(va, PAGES * page, EFAULT);
	pages_free(va);
	close(fd);
	PMD_CHECK(!service || strstr(pmd_log_end(), DEVICE) != NULL, "no line names the device");
	stop();
}

/* What is mapped when the device is removed is let go. */
static void
left_behind(void)
{
	struct pmd_usage before = pmd_usage_get();
	char *va;
	int fd;

	start();
	va = pages(&fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	map(va, PAGES * page, 0);
	stop();
	pages_free(va);
	close(fd);
	pmd_usage_check("device with a map", &before);
}

/* A service that takes the place of one that was killed sees what is mapped, and no more. */
static void
successor(void)
{
	struct hisi_dev *d;
	char *kept, *gone;
	int fd, fd2, ret;
	uint8_t status;

	start();
	kept = pages(&fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	gone = pages(&fd2, PROT_READ | PROT_WRITE, MAP_SHARED);
	map(kept, PAGES * page, 0);
	map(gone, PAGES * page, 0);
	/* Told of it twice: when it was mapped, and with everything else. */
	d = &pmd_qp(dev, 0)->dev->hisi;
	ret = hisi_extmem_register(d->ap);
	PMD_CHECK(ret == 0, "told again: %d", ret);
	status = pmd_compress_at(dev, kept, LEN, true);
	PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS, "before: %s", pmd_status(status));
	pmd_log_begin();
	pmd_service_end(SIGKILL);
	unmap(gone, PAGES * page, 0);
	unmap(gone, PAGES * page, ENOENT);
	/* What is mapped meanwhile is seen later. */
	map(gone, PAGES * page, 0);
	pmd_service_start(NULL);
	status = pmd_compress_at(dev, kept, LEN, true);
	PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS, "after: %s", pmd_status(status));
	pmd_log_end();
	status = pmd_compress_at(dev, gone, LEN, true);
	PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS, "mapped meanwhile: %s",
		pmd_status(status));
	unmap(kept, PAGES * page, 0);
	status = pmd_compress_at(dev, kept, LEN, true);
	PMD_CHECK(status == RTE_COMP_OP_STATUS_ERROR, "unmapped: %s", pmd_status(status));
	unmap(gone, PAGES * page, 0);
	pages_free(kept);
	pages_free(gone);
	close(fd);
	close(fd2);
	stop();
}

static const struct pmd_case cases[] = {
	{ "seen_while_mapped", seen_while_mapped, PMD_BAD_OPS },
	{ "in_parts", in_parts, PMD_BAD_OPS },
	{ "wrong", wrong },
	{ "left_behind", left_behind },
	{ "successor", successor, PMD_FAULTS },
	{ NULL, NULL },
};

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_program program = {
		.name = "test_pmd_extmem", .count = 20, .cases = cases, .vdevs = none,
	};

	return pmd_main(argc, argv, &program);
}
