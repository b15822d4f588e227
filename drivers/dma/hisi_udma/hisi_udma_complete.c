/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_branch_prediction.h>

#include "hisi_udma_burst.h"
#include "hisi_udma_dev.h"
#include "hisi_udma_recover.h"
#include "hisi_udma_sqe.h"
#include "hisi_udma_vchan.h"
#include "hisi_zip_sqe.h"

/* Ops that were submitted and have not been returned. */
static inline uint16_t
ops_waiting(const struct hisi_udma_vchan *v)
{
	/* Acquire: the queue, and the SQEs of these ops. */
	return (uint16_t)(rte_atomic_load_explicit(&v->rung, rte_memory_order_acquire) - v->head);
}

/* Of the oldest n ops, those that have a CQE; runs the function if nobody else does. */
static inline uint16_t
ops_ready(struct hisi_udma_vchan *v, uint16_t n)
{
	const struct hisi_qm_ring *ring;
	uint16_t found;

	/* A queue that was never taken, or has gone, has no op. */
	if (n == 0)
		return 0;
	ring = v->hwq.queue->ring;
	found = hisi_qm_cq_ready(ring, n);
	if (found == 0 && v->polled && !v->hwq.failed && spim_queue_poll(v->hwq.queue, n) > 0)
		found = hisi_qm_cq_ready(ring, n);
	if (unlikely(found == 0) && ++v->watch.polls % HISI_WATCH_POLLS == 0 && !v->hwq.failed)
		hisi_udma_watch(v);
	return found;
}

/* The op that the CQE at cq_head is for has not simply been done. */
static enum rte_dma_status_code __rte_noinline
other_status(struct hisi_udma_vchan *v, uint16_t cq_head, uint16_t sq_head, uint32_t wb)
{
	if (sq_head != cq_head || (wb & HISI_UDMA_WB_DONE_MASK) != HISI_UDMA_ERROR) {
		hisi_udma_lie(v, sq_head, cq_head, wb);
		return RTE_DMA_STATUS_ERROR_UNKNOWN;
	}
	/* As software functions number them (EXT 4); what silicon's are is not known (U32). */
	switch (wb >> HISI_UDMA_WB_ERR_SHIFT & UINT8_MAX) {
	case HISI_ZIP_BAD_ADDR:
	case HISI_ZIP_BAD_SQE: /* its fields are right: source and destination share bytes */
		return RTE_DMA_STATUS_INVALID_ADDR;
	default:
		return RTE_DMA_STATUS_ERROR_UNKNOWN;
	}
}

/* Status of the op that the CQE at cq_head is for. */
static inline enum rte_dma_status_code
status_at(struct hisi_udma_vchan *v, const struct hisi_qm_ring *ring, uint16_t cq_head)
{
	const struct hisi_udma_sqe *sqe = hisi_qm_sq_slot(ring, cq_head);
	const uint16_t *cq_sq_head = &ring->cq[cq_head].sq_head;
	/* Each is read once: a service may write to them at any time. */
	uint16_t sq_head = rte_atomic_load_explicit((const uint16_t __rte_atomic *)cq_sq_head,
		rte_memory_order_relaxed);
	uint32_t wb = rte_atomic_load_explicit((const uint32_t __rte_atomic *)&sqe->wb,
		rte_memory_order_relaxed);

	if (likely(wb == HISI_UDMA_WB_GOOD && sq_head == cq_head))
		return RTE_DMA_STATUS_SUCCESSFUL;
	return other_status(v, cq_head, sq_head, wb);
}

/* The oldest n ops go back to the application. */
static inline void
ops_return(struct hisi_udma_vchan *v, uint16_t n)
{
	HISI_UDMA_COUNT(v->deq.completed, n);
	/* Release: these slots may be filled again. */
	rte_atomic_store_explicit(&v->head, v->head + n, rte_memory_order_release);
}

/*
 * So do their CQEs, before: with the slots who enqueues gets the right to have as many new ones
 * written. There is room for those not returned yet, see cq_pace.
 */
static inline void
step_over(struct hisi_udma_vchan *v, uint16_t n)
{
	hisi_qm_cq_skip(v->hwq.queue->ring, n);
	v->cq_due += n;
	if (v->cq_due >= v->cq_pace) {
		v->cq_due = 0;
		hisi_qm_cq_ring(v->hwq.queue->ring);
	}
}

uint16_t
hisi_udma_completed(void *dev_private, uint16_t vchan, const uint16_t nb_cpls, uint16_t *last_idx,
		bool *has_error)
{
	struct hisi_udma_dev *dev = dev_private;
	struct hisi_udma_vchan *v = &dev->vchans[vchan];
	uint16_t n = (uint16_t)RTE_MIN(ops_waiting(v), nb_cpls), found, i = 0;

	if (unlikely(v->oldest != RTE_DMA_STATUS_SUCCESSFUL)) {
		*has_error = n != 0;
		n = 0;
	}
	found = ops_ready(v, n);
	if (likely(found != 0)) {
		const struct hisi_qm_ring *ring = v->hwq.queue->ring;
		uint16_t cq_head = ring->cq_head;

		for (; i < found; i++) {
			enum rte_dma_status_code status = status_at(v, ring, cq_head);

			if (unlikely(status != RTE_DMA_STATUS_SUCCESSFUL)) {
				v->oldest = status;
				*has_error = true;
				break;
			}
			cq_head = (cq_head + 1) & ring->mask;
		}
		if (likely(i != 0)) {
			step_over(v, i);
			ops_return(v, i);
		}
	} else if (n != 0 && unlikely(v->hwq.failed)) {
		*has_error = true;
	}
	*last_idx = (uint16_t)(v->head - 1);
	return i;
}

static void
count_error(struct hisi_udma_vchan *v, enum rte_dma_status_code status)
{
	enum hisi_udma_error why = HISI_UDMA_ERROR_OTHER;

	if (status == RTE_DMA_STATUS_INVALID_ADDR)
		why = HISI_UDMA_ERROR_ADDR;
	else if (status == RTE_DMA_STATUS_DEV_LINK_ERROR)
		why = HISI_UDMA_ERROR_LOST;
	HISI_UDMA_COUNT(v->deq.errors[why], 1);
}

uint16_t
hisi_udma_completed_status(void *dev_private, uint16_t vchan, const uint16_t nb_cpls,
		uint16_t *last_idx, enum rte_dma_status_code *status)
{
	struct hisi_udma_dev *dev = dev_private;
	struct hisi_udma_vchan *v = &dev->vchans[vchan];
	uint16_t n = (uint16_t)RTE_MIN(ops_waiting(v), nb_cpls), found = ops_ready(v, n), i;
	bool lost = found == 0 && n != 0 && v->hwq.failed;

	if (unlikely(lost)) {
		/* A result that came after all would be taken for that of another op. */
		hisi_qm_cq_close(v->hwq.queue->ring);
		v->oldest = RTE_DMA_STATUS_SUCCESSFUL;
		found = n;
	}
	for (i = 0; i < found; i++) {
		if (unlikely(lost)) {
			status[i] = RTE_DMA_STATUS_DEV_LINK_ERROR;
		} else if (unlikely(v->oldest != RTE_DMA_STATUS_SUCCESSFUL)) {
			status[i] = v->oldest;
			v->oldest = RTE_DMA_STATUS_SUCCESSFUL;
		} else {
			const struct hisi_qm_ring *ring = v->hwq.queue->ring;

			status[i] = status_at(v, ring, (ring->cq_head + i) & ring->mask);
		}
		if (unlikely(status[i] != RTE_DMA_STATUS_SUCCESSFUL))
			count_error(v, status[i]);
	}
	if (likely(found != 0)) {
		if (likely(!lost))
			step_over(v, found);
		ops_return(v, found);
	}
	*last_idx = (uint16_t)(v->head - 1);
	return found;
}

enum rte_dma_vchan_status
hisi_udma_status(struct hisi_udma_vchan *v)
{
	uint16_t n = ops_waiting(v), found;

	found = ops_ready(v, n);
	if (found == n)
		return RTE_DMA_VCHAN_IDLE;
	return v->hwq.failed ? RTE_DMA_VCHAN_HALTED_ERROR : RTE_DMA_VCHAN_ACTIVE;
}
