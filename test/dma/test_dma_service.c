/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* A service that is killed. */

#include "dma_test.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "hisi_udma_vchan.h"
#include "pmd_test.h"

#define LEN 4096u
#define OPS 60

/* What is in flight is done by the next service, without the application's doing. */
static void
test_restart(void **state)
{
	uint8_t *src = dma_mem(OPS * LEN, 1), *dst = dma_mem(OPS * LEN, 2);
	int16_t dev = dma_make("", 64);
	uint16_t id = 0;

	(void)state;
	for (int round = 0; round < 4; round++) {
		memset(dst, 0, OPS * LEN);
		for (uint16_t i = 0; i < OPS; i++) {
			if (i == OPS / 2 && round % 2 == 0) {
				assert_int_equal(rte_dma_submit(dev, 0), 0);
				pmd_service_end(SIGKILL);
			}
			dma_copy_id(dev, 0, src + i * LEN, dst + i * LEN, LEN,
				i == OPS - 1 ? RTE_DMA_OP_FLAG_SUBMIT : 0, id++);
		}
		if (round % 2 == 1)
			pmd_service_end(SIGKILL);
		pmd_service_start(NULL);
		dma_wait(dev, 0, OPS, (uint16_t)(id - 1));
		assert_memory_equal(dst, src, OPS * LEN);
	}
	assert_true(dma_vchan(dev, 0)->deq.restarts >= 1);
	/* The first one comes after a service that nobody had an op for. */
	pmd_service_end(SIGKILL);
	pmd_service_start(NULL);
	dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, id);
	dma_wait(dev, 0, 1, id);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* Nobody comes in its place: stop and remove do not wait for one. */
static void
test_gone(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	int16_t dev = dma_make("", 64);
	bool error = false;
	uint16_t idx;

	(void)state;
	dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
	dma_wait(dev, 0, 1, 0);
	pmd_service_end(SIGKILL);
	dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 1);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(rte_dma_completed(dev, 0, 1, &idx, &error), 0);
		assert_false(error);
		usleep(20);
	}
	dma_end(dev);
	pmd_service_start(NULL);
	rte_free(src);
	rte_free(dst);
}

/* No queue was taken when the service went: after it is back ops are accepted, by time. */
static void
test_back(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	int16_t dev = dma_make("", 64);
	int ret;

	(void)state;
	pmd_service_end(SIGKILL);
	ret = rte_dma_copy(dev, 0, (uintptr_t)src, (uintptr_t)dst, LEN, RTE_DMA_OP_FLAG_SUBMIT);
	assert_true(ret < 0);
	pmd_service_start(NULL);
	for (int i = 0; ret < 0; i++) {
		assert_true(i < 100);
		usleep(100000);
		ret = rte_dma_copy(dev, 0, (uintptr_t)src, (uintptr_t)dst, LEN,
			RTE_DMA_OP_FLAG_SUBMIT);
	}
	dma_wait(dev, 0, 1, (uint16_t)ret);
	assert_memory_equal(dst, src, LEN);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		DMA_TEST(test_restart), DMA_TEST(test_gone), DMA_TEST(test_back),
	};

	return dma_test_main(argc, argv, "dma_service", tests, RTE_DIM(tests));
}
