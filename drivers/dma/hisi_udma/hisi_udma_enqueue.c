/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_branch_prediction.h>

#include "hisi_udma_burst.h"
#include "hisi_udma_dev.h"
#include "hisi_udma_sqe.h"
#include "hisi_udma_vchan.h"

#define REQUEST(op) \
	(HISI_UDMA_BD | HISI_UDMA_TASK << HISI_UDMA_DW0_TASK_SHIFT | \
	(uint32_t)(op) << HISI_UDMA_DW0_EXT_SHIFT)

/* Pass what was enqueued to whom it is for. */
static inline void
ring(struct hisi_udma_vchan *v)
{
	uint32_t n = v->tail - v->rung;

	/* Release: who asks for completions may poll the queue, and wait for these ops. */
	rte_atomic_store_explicit(&v->rung, v->tail, rte_memory_order_release);
	hisi_qm_sq_ring(v->hwq.ring);
	HISI_UDMA_COUNT(v->enq.submitted, n);
}

/* Silicon's requests have no fence: such an op waits here until all before it are back. */
static int __rte_noinline
check_fence(struct hisi_udma_vchan *v)
{
	if (v->rung != v->tail)
		ring(v);
	v->head_seen = rte_atomic_load_explicit(&v->head, rte_memory_order_acquire);
	if (v->head_seen == v->tail)
		return 0;
	HISI_UDMA_COUNT(v->enq.full, 1);
	return -ENOSPC;
}

/* What stands in the way of an op, if anything does. */
static inline int
check_op(struct hisi_udma_vchan *v, uint32_t length, uint64_t flags)
{
	if (unlikely(v->hwq.ring == NULL ||
			rte_atomic_load_explicit(&v->hwq.failed, rte_memory_order_relaxed))) {
		int ret = hisi_udma_vchan_renew(v);

		if (ret != 0)
			return ret;
	}
	if (unlikely(length > HISI_UDMA_LEN_MAX)) {
		HISI_UDMA_COUNT(v->enq.rejected, 1);
		return -EINVAL;
	}
	if (unlikely((flags & RTE_DMA_OP_FLAG_FENCE) && !v->fence))
		return check_fence(v);
	if (likely(v->tail - v->head_seen < v->limit))
		return 0;
	/* Acquire: slots before head are ours again. */
	v->head_seen = rte_atomic_load_explicit(&v->head, rte_memory_order_acquire);
	if (v->tail - v->head_seen < v->limit)
		return 0;
	HISI_UDMA_COUNT(v->enq.full, 1);
	return -ENOSPC;
}

/* Words that are not set here are 0 since the queue was taken. */
static inline int
enqueue(struct hisi_udma_vchan *v, uint32_t dw0, uint64_t src, uint64_t pattern, uint64_t dst,
		uint32_t length, uint64_t flags)
{
	struct hisi_udma_sqe *sqe;
	struct hisi_qm_ring *r;
	int ret = check_op(v, length, flags);

	if (unlikely(ret != 0))
		return ret;
	r = v->hwq.ring;
	sqe = hisi_qm_sq_slot(r, r->sq_tail);
	sqe->dw0 = dw0;
	sqe->len = length;
	sqe->ext = (flags & RTE_DMA_OP_FLAG_FENCE) && v->fence ? HISI_UDMA_EXT_FENCE : 0;
	sqe->dw7 = v->dw7;
	sqe->pattern_l = (uint32_t)pattern;
	sqe->pattern_h = (uint32_t)(pattern >> 32);
	sqe->dst_l = (uint32_t)dst;
	sqe->dst_h = (uint32_t)(dst >> 32);
	sqe->src_l = (uint32_t)src;
	sqe->src_h = (uint32_t)(src >> 32);
	sqe->wb = 0;
	r->sq_tail = (r->sq_tail + 1) & r->mask;
	/* The next one is brought in while the application prepares it. */
	hisi_qm_prefetch_write(hisi_qm_sq_slot(r, r->sq_tail));
	ret = (uint16_t)v->tail++;
	if (flags & RTE_DMA_OP_FLAG_SUBMIT)
		ring(v);
	return ret;
}

int
hisi_udma_copy(void *dev_private, uint16_t vchan, rte_iova_t src, rte_iova_t dst, uint32_t length,
		uint64_t flags)
{
	struct hisi_udma_dev *dev = dev_private;

	return enqueue(&dev->vchans[vchan], REQUEST(HISI_UDMA_COPY), src, 0, dst, length, flags);
}

int
hisi_udma_fill(void *dev_private, uint16_t vchan, uint64_t pattern, rte_iova_t dst, uint32_t length,
		uint64_t flags)
{
	struct hisi_udma_dev *dev = dev_private;

	return enqueue(&dev->vchans[vchan], REQUEST(HISI_UDMA_FILL), 0, pattern, dst, length,
		flags);
}

int
hisi_udma_submit(void *dev_private, uint16_t vchan)
{
	struct hisi_udma_dev *dev = dev_private;
	struct hisi_udma_vchan *v = &dev->vchans[vchan];

	if (likely(v->rung != v->tail))
		ring(v);
	return 0;
}

uint16_t
hisi_udma_burst_capacity(const void *dev_private, uint16_t vchan)
{
	const struct hisi_udma_dev *dev = dev_private;
	const struct hisi_udma_vchan *v = &dev->vchans[vchan];
	uint32_t head = rte_atomic_load_explicit(&v->head, rte_memory_order_relaxed);

	/* None is taken before those of a queue that failed are back (hisi_udma_vchan_renew()). */
	if (unlikely(v->rung != head &&
			rte_atomic_load_explicit(&v->hwq.failed, rte_memory_order_relaxed)))
		return 0;
	return (uint16_t)(v->limit - (v->tail - head));
}
