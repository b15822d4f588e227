/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_UDMA_VCHAN_H
#define HISI_UDMA_VCHAN_H

/** @file Virtual channels: each is one hardware queue, and the numbers of its ops. */

#include <stdalign.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_dmadev.h>

#include "hisi_hwq.h"
#include "hisi_udma_stats.h"
#include "hisi_watch.h"

struct hisi_udma_dev;

/** Fewest and most descriptors of a channel; one entry of a ring of 1024 is never used (QM 4.3). */
#define HISI_UDMA_DESC_MIN HISI_QM_RING_DEPTH_MIN
#define HISI_UDMA_DESC_MAX HISI_QM_RING_DEPTH_MAX

/** The first answer of a channel that cannot be true, until a line can be logged. */
struct hisi_udma_lie {
	uint16_t sq_head; /**< Slot that its CQE names. */
	uint16_t cq_head; /**< Slot that it lies in. */
	uint32_t wb;      /**< Result. */
	bool told;        /**< There was one. */
	bool logged;
};

/**
 * A channel.
 *
 * Positions are not wrapped; an op has the lower 16 bits of its position as its number. Ops go to
 * the hardware queue in their order, so that the next CQE is always for the op at head.
 *
 *             head                    rung            tail
 *              |                       |               |
 *    ..free....v##### the function's ##v## not rung ###v....free..
 *
 *  - [tail, head + limit) belongs to who enqueues, who fills SQEs. Storing rung with release, and
 *    ringing the doorbell, passes [rung, tail) on.
 *  - [head, rung) belongs to who asks for completions, who passes slots back by storing head with
 *    release, after everything in them (SQE, CQE) was used.
 *
 * One thread may enqueue while another one asks for completions.
 */
struct __rte_cache_aligned hisi_udma_vchan {
	/* Constant while started. */
	struct hisi_udma_dev *dev;
	uint16_t id;
	uint16_t depth;             /**< Entries of the rings; 0: not set up. */
	uint16_t limit;             /**< Most ops in flight. */
	/**
	 * CQEs that are acknowledged at once. Those, and as many as may be in flight, are less than
	 * the ring has, so that the device never finds it full (QM 4.3).
	 */
	uint16_t cq_pace;
	bool polled;                /**< Who asks for completions runs the function. */
	bool fence;                 /**< Requests have one (EXT 6); silicon's have none. */
	bool started;
	uint32_t dw7;               /**< Of every request. */
	struct hisi_hwq hwq;        /**< Who enqueues is the producer. */

	/* Who enqueues. */
	alignas(RTE_CACHE_LINE_SIZE) uint32_t tail; /**< Position of the next op. */
	uint32_t head_seen;         /**< head as last loaded. */
	RTE_ATOMIC(uint32_t) rung;  /**< Ops before it were submitted. */
	struct hisi_udma_enq_stats enq;

	/* Who asks for completions. */
	/** Position of the oldest op. */
	alignas(RTE_CACHE_LINE_SIZE) RTE_ATOMIC(uint32_t) head;
	uint16_t cq_due;            /**< CQEs stepped over since the CQ doorbell was rung. */
	/** Of the op at head, if it was seen to have failed; else RTE_DMA_STATUS_SUCCESSFUL. */
	enum rte_dma_status_code oldest;
	struct hisi_watch watch;
	struct hisi_udma_deq_stats deq;
	struct hisi_udma_lie lie;

	struct hisi_udma_base base; /**< Counters when they were reset; control path. */
};

/** Make a channel, which is not set up. @param v Zeroed. */
void hisi_udma_vchan_init(struct hisi_udma_vchan *v, struct hisi_udma_dev *dev, uint16_t id);

/** Set a channel up, again if it was. No hardware queue is taken yet. @return 0 or -EINVAL. */
int hisi_udma_vchan_setup(struct hisi_udma_vchan *v, uint16_t nb_desc);

/** Ops can be enqueued; their numbers begin at 0. */
void hisi_udma_vchan_start(struct hisi_udma_vchan *v);

/** Finish what was submitted and put the hardware queue; what did not come back is forgotten. */
void hisi_udma_vchan_stop(struct hisi_udma_vchan *v);

/**
 * Have a hardware queue: take one at the first op, and another one in place of one that has failed,
 * once all its ops are back. By who enqueues, off its common path.
 * @return
 *   0 and v->hwq.ring; -EPERM (not started), -ENOSPC (ops of a queue that failed are not back), or
 *   why there is none.
 */
int hisi_udma_vchan_renew(struct hisi_udma_vchan *v);

#endif /* HISI_UDMA_VCHAN_H */
