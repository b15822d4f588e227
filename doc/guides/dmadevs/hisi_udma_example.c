/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Fills a buffer and copies it to another one, with the first DMA device there is. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_debug.h>
#include <rte_dmadev.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#define DEV 0
#define VCHAN 0
#define LEN 65536
#define PATTERN 0x1122334455667788

static void
start_device(void)
{
	const struct rte_dma_conf conf = { .nb_vchans = 1 };
	const struct rte_dma_vchan_conf vchan = {
		.direction = RTE_DMA_DIR_MEM_TO_MEM,
		.nb_desc = 64,
	};

	if (rte_dma_count_avail() == 0 || rte_dma_configure(DEV, &conf) != 0 ||
			rte_dma_vchan_setup(DEV, VCHAN, &vchan) != 0 || rte_dma_start(DEV) != 0)
		rte_exit(1, "no DMA device could be started\n");
}

int
main(int argc, char **argv)
{
	uint64_t *a, *b;
	uint16_t last, done = 0;
	bool error = false;

	if (rte_eal_init(argc, argv) < 0)
		rte_exit(1, "EAL could not be started\n");
	start_device();
	a = rte_malloc(NULL, LEN, 0);
	b = rte_malloc(NULL, LEN, 0);
	if (a == NULL || b == NULL)
		rte_exit(1, "no memory\n");

	/* Without the fence the copy may begin before the fill is done. */
	if (rte_dma_fill(DEV, VCHAN, PATTERN, rte_malloc_virt2iova(a), LEN, 0) < 0 ||
			rte_dma_copy(DEV, VCHAN, rte_malloc_virt2iova(a), rte_malloc_virt2iova(b),
			LEN, RTE_DMA_OP_FLAG_FENCE | RTE_DMA_OP_FLAG_SUBMIT) < 0)
		rte_exit(1, "an op was refused\n");

	/* Ops complete in this order. One with an error is returned by completed_status() only. */
	while (done < 2 && !error)
		done += rte_dma_completed(DEV, VCHAN, 2, &last, &error);
	if (error)
		rte_exit(1, "op %u ended with an error\n", done);
	for (size_t i = 0; i < LEN / sizeof(b[0]); i++)
		if (b[i] != PATTERN)
			rte_exit(1, "word %zu is 0x%" PRIx64 "\n", i, b[i]);
	printf("%d bytes filled and copied\n", LEN);

	rte_free(a);
	rte_free(b);
	rte_dma_stop(DEV);
	rte_dma_close(DEV);
	return rte_eal_cleanup();
}
