/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "hisi_qm_regs.h"
#include "hisi_udma_sqe.h"
#include "hisi_zip_ext.h"
#include "udma_dev.h"

/* It keeps nothing, neither for a function nor for an executor. */
static char no_state;

static int
udma_func_create(struct qm_dev *dev, const void *conf, void **func)
{
	(void)dev;
	(void)conf;
	*func = &no_state;
	return 0;
}

static void
func_nothing(void *func)
{
	(void)func;
}

static void *
udma_exec_create(void)
{
	return &no_state;
}

static uint64_t
address(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

static struct qm_dev_preview
udma_preview(const void *in)
{
	const struct hisi_udma_sqe *sqe = in;

	return (struct qm_dev_preview){
		.len = sqe->len < HISI_UDMA_LEN_MAX ? sqe->len : HISI_UDMA_LEN_MAX,
		.fence = (sqe->ext & HISI_UDMA_EXT_FENCE) != 0,
		.source = address(sqe->src_l, sqe->src_h),
	};
}

static unsigned int
operation(const struct hisi_udma_sqe *sqe)
{
	return sqe->dw0 >> HISI_UDMA_DW0_EXT_SHIFT & HISI_UDMA_DW0_EXT_MASK;
}

/* Words and bits that no request uses: what they may mean one day is not ignored. */
static bool
rest_is_zero(const struct hisi_udma_sqe *sqe)
{
	const uint32_t dw0 = HISI_UDMA_DW0_BD_MASK |
		HISI_UDMA_DW0_TASK_MASK << HISI_UDMA_DW0_TASK_SHIFT |
		HISI_UDMA_DW0_EXT_MASK << HISI_UDMA_DW0_EXT_SHIFT;
	uint32_t rest = (sqe->dw0 & ~dw0) | (sqe->dw7 & ~HISI_UDMA_DW7_PREFETCH) |
		(sqe->ext & ~HISI_UDMA_EXT_FENCE) | sqe->rsvd1[0] | sqe->rsvd1[1] |
		sqe->rsvd24[0] | sqe->rsvd24[1];

	for (unsigned int i = 0; i < sizeof(sqe->rsvd10) / sizeof(sqe->rsvd10[0]); i++)
		rest |= sqe->rsvd10[i];
	return rest == 0;
}

static enum udma_dev_status
udma_check(const struct hisi_udma_sqe *sqe)
{
	unsigned int op = operation(sqe);

	if ((sqe->dw0 & HISI_UDMA_DW0_BD_MASK) != HISI_UDMA_BD ||
			(sqe->dw0 >> HISI_UDMA_DW0_TASK_SHIFT & HISI_UDMA_DW0_TASK_MASK) !=
			HISI_UDMA_TASK || (op != HISI_UDMA_COPY && op != HISI_UDMA_FILL) ||
			sqe->len > HISI_UDMA_LEN_MAX || !rest_is_zero(sqe))
		return UDMA_DEV_BAD_SQE;
	return UDMA_DEV_OK;
}

/* A segment may end inside the pattern: phase is where the next one goes on. */
static void
udma_fill(const struct qm_dev_buf *dst, uint64_t pattern)
{
	uint8_t bytes[2 * sizeof(pattern)];
	unsigned int phase = 0;

	memcpy(bytes, &pattern, sizeof(pattern));
	memcpy(bytes + sizeof(pattern), &pattern, sizeof(pattern));
	for (unsigned int i = 0; i < dst->cnt; i++) {
		uint8_t *at = dst->iov[i].iov_base;
		size_t left = dst->iov[i].iov_len;
		uint64_t word;

		memcpy(&word, bytes + phase, sizeof(word));
		for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word))
			memcpy(at, &word, sizeof(word));
		memcpy(at, &word, left);
		phase = (unsigned int)((phase + left) % sizeof(word));
	}
}

static enum udma_dev_status
udma_run(struct qm_dev_bufs *b, const struct hisi_udma_sqe *sqe)
{
	enum udma_dev_status st = udma_check(sqe);
	bool copy = operation(sqe) == HISI_UDMA_COPY;
	int ret;

	if (st != UDMA_DEV_OK)
		return st;
	ret = qm_dev_buf_flat(&b->view, address(sqe->dst_l, sqe->dst_h), sqe->len,
			QM_DEV_PROT_WRITE, &b->dst);
	if (ret == 0 && copy)
		ret = qm_dev_buf_flat(&b->view, address(sqe->src_l, sqe->src_h), sqe->len,
				QM_DEV_PROT_READ, &b->src);
	if (ret != 0)
		return ret == -EFAULT ? UDMA_DEV_BAD_ADDR : UDMA_DEV_BAD_SQE;
	if (!copy)
		udma_fill(&b->dst, sqe->pattern_l | (uint64_t)sqe->pattern_h << 32);
	else if (qm_dev_buf_overlap(&b->src, &b->dst, b->segments))
		return UDMA_DEV_BAD_SQE;
	else
		qm_dev_buf_copy(&b->src, &b->dst);
	return UDMA_DEV_OK;
}

/* The driver reads nothing but this word, once it has seen the CQE (U32). */
static struct qm_dev_result
udma_write_back(struct hisi_udma_sqe *ring, uint32_t len, uint8_t status)
{
	ring->wb = status == UDMA_DEV_OK ? HISI_UDMA_WB_GOOD :
		HISI_UDMA_ERROR | (uint32_t)status << HISI_UDMA_WB_ERR_SHIFT;
	if (status != UDMA_DEV_OK)
		len = 0;
	return (struct qm_dev_result){ .in = len, .out = len, .status = status,
		.error = status != UDMA_DEV_OK };
}

static struct qm_dev_result
udma_execute(const struct qm_dev_request *r)
{
	const struct hisi_udma_sqe *sqe = r->sqe;

	return udma_write_back(r->ring, sqe->len, (uint8_t)udma_run(r->bufs, sqe));
}

static struct qm_dev_result
udma_refuse(const struct qm_dev_request *r, uint8_t status)
{
	return udma_write_back(r->ring, 0, status);
}

const struct qm_dev_class udma_dev_class = {
	.name = "udma",
	.pci_device = HISI_PCI_DEVICE_ZIP_VF,
	.types = 1u << HISI_UDMA_QC,
	.ext_features = HISI_ZIP_EXT_F_UDMA,
	.create = udma_func_create,
	.destroy = func_nothing,
	.reset = func_nothing,
	.exec_create = udma_exec_create,
	.exec_destroy = func_nothing,
	.preview = udma_preview,
	.execute = udma_execute,
	.refuse = udma_refuse,
};
