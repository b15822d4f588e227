/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_UDMA_BURST_H
#define HISI_UDMA_BURST_H

/** @file The data path, as dmadev calls it (rte_dmadev.h). */

#include <stdbool.h>

#include <rte_dmadev.h>

struct hisi_udma_vchan;

/* By who enqueues; beside one thread that asks for completions. */
int hisi_udma_copy(void *dev_private, uint16_t vchan, rte_iova_t src, rte_iova_t dst,
		uint32_t length, uint64_t flags);
int hisi_udma_fill(void *dev_private, uint16_t vchan, uint64_t pattern, rte_iova_t dst,
		uint32_t length, uint64_t flags);
int hisi_udma_submit(void *dev_private, uint16_t vchan);
uint16_t hisi_udma_burst_capacity(const void *dev_private, uint16_t vchan);

/* By who asks for completions; beside one thread that enqueues. */
uint16_t hisi_udma_completed(void *dev_private, uint16_t vchan, const uint16_t nb_cpls,
		uint16_t *last_idx, bool *has_error);
uint16_t hisi_udma_completed_status(void *dev_private, uint16_t vchan, const uint16_t nb_cpls,
		uint16_t *last_idx, enum rte_dma_status_code *status);

/** Whether ops that were submitted are not done; runs the function if nobody else does. */
enum rte_dma_vchan_status hisi_udma_status(struct hisi_udma_vchan *v);

#endif /* HISI_UDMA_BURST_H */
