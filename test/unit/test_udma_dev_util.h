/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_UDMA_DEV_UTIL_H
#define TEST_UDMA_DEV_UTIL_H

/** @file Requests of the class UDMA, in the queues of test_qm_dev_util.h. */

#include <string.h>

#include "hisi_udma_sqe.h"
#include "test_qm_dev_util.h"
#include "udma_dev.h"

/** As td_conf(), with both classes. */
static inline struct qm_dev_conf
td_conf_both(unsigned int workers)
{
	struct qm_dev_conf conf = td_conf(workers);

	conf.classes[1].class = &udma_dev_class;
	return conf;
}

/** The slot to fill next, as a request that is right if its addresses are. */
static inline struct hisi_udma_sqe *
udma_slot(struct tq *to, enum hisi_udma_op op, uint64_t from, uint64_t at, uint32_t len)
{
	struct hisi_udma_sqe *sqe = (struct hisi_udma_sqe *)tq_slot(to, 0);

	memset(sqe, 0, sizeof(*sqe));
	sqe->dw0 = HISI_UDMA_BD | HISI_UDMA_TASK << HISI_UDMA_DW0_TASK_SHIFT |
		(uint32_t)op << HISI_UDMA_DW0_EXT_SHIFT;
	sqe->tag_l = 0x11223344;
	sqe->tag_h = 0x55667788;
	sqe->len = len;
	sqe->dw7 = HISI_UDMA_DW7_PREFETCH;
	sqe->dst_l = (uint32_t)at;
	sqe->dst_h = (uint32_t)(at >> 32);
	sqe->src_l = (uint32_t)from;
	sqe->src_h = (uint32_t)(from >> 32);
	return sqe;
}

/** Push the slot, ring, wait. @return Its result. */
static inline uint32_t
udma_do(struct tq *on)
{
	return ((struct hisi_udma_sqe *)tq_do(on))->wb;
}

/** The result of a request that is refused for this. */
static inline uint32_t
udma_refused(enum udma_dev_status status)
{
	return HISI_UDMA_ERROR | (uint32_t)status << HISI_UDMA_WB_ERR_SHIFT;
}

#endif /* TEST_UDMA_DEV_UTIL_H */
