/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Memory of the application's own, which a service sees once it is mapped. */

#include "dma_test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "pmd_test.h"

#define LEN 4096u

static struct rte_device *
device(void)
{
	struct rte_device *found = NULL, *dev;
	struct rte_dev_iterator it;

	RTE_DEV_FOREACH(dev, "bus=vdev,name=" DMA_NAME, &it)
		found = dev;
	assert_non_null(found);
	return found;
}

static enum rte_dma_status_code
copy_status(int16_t dev, const void *src, void *dst)
{
	enum rte_dma_status_code status;
	int id = dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT);

	assert_true(id >= 0);
	dma_wait_status(dev, 0, 1, (uint16_t)id, &status);
	return status;
}

static void
test_extmem(void **state)
{
	const size_t len = 16 * LEN;
	uint8_t *src = dma_mem(LEN, 1), *own;
	int16_t dev = dma_make("", 64);
	int fd = memfd_create("dma_test", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	/* Nothing is behind it. */
	own = mmap(NULL, len + LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(own, MAP_FAILED);
	own = mmap(own, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	assert_ptr_not_equal(own, MAP_FAILED);
	assert_int_equal(rte_extmem_register(own, len, NULL, 0, LEN), 0);
	assert_int_equal(copy_status(dev, src, own), RTE_DMA_STATUS_INVALID_ADDR);
	assert_int_equal(rte_dev_dma_map(device(), own, (uintptr_t)own, len), 0);
	assert_int_equal(copy_status(dev, src, own), RTE_DMA_STATUS_SUCCESSFUL);
	assert_memory_equal(own, src, LEN);
	/* Both of its own, up to its end, and not beyond. */
	assert_int_equal(copy_status(dev, own, own + len - LEN), RTE_DMA_STATUS_SUCCESSFUL);
	assert_memory_equal(own + len - LEN, src, LEN);
	assert_int_equal(copy_status(dev, own, own + len - LEN + 1), RTE_DMA_STATUS_INVALID_ADDR);
	/* The next service knows of it, too. */
	pmd_service_end(SIGKILL);
	pmd_service_start(NULL);
	memset(own, 0, LEN);
	assert_int_equal(copy_status(dev, src, own), RTE_DMA_STATUS_SUCCESSFUL);
	assert_memory_equal(own, src, LEN);
	assert_int_equal(rte_dev_dma_unmap(device(), own, (uintptr_t)own, len), 0);
	assert_int_equal(copy_status(dev, src, own), RTE_DMA_STATUS_INVALID_ADDR);
	assert_int_equal(rte_dev_dma_unmap(device(), own, (uintptr_t)own, len), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_extmem_unregister(own, len), 0);
	munmap(own, len + LEN);
	close(fd);
	rte_free(src);
	dma_end(dev);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = { DMA_TEST(test_extmem) };

	return dma_test_main(argc, argv, "dma_extmem", tests, RTE_DIM(tests));
}
