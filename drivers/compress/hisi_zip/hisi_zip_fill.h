/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_FILL_H
#define HISI_ZIP_FILL_H

/** @file What the files of enqueue share: how an op becomes a request. Enqueuing thread. */

#include <stdint.h>

#include <rte_comp.h>
#include <rte_mbuf.h>

#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "hisi_zip_xform.h"

/**
 * How far ahead SQEs are fetched. The device had them last, so each of their two lines has to come
 * from another core, and stores alone keep only a few such transfers under way.
 */
#define HISI_ZIP_PREFETCH_SQES 16

/** What became of an op. */
enum hisi_zip_verdict {
	HISI_ZIP_SUBMITTED, /**< Its SQE is filled. */
	HISI_ZIP_FINISHED,  /**< Its status is final, the slot is HISI_ZIP_SLOT_DONE. */
	HISI_ZIP_SOFTWARE,  /**< The slot is HISI_ZIP_SLOT_SW. */
	HISI_ZIP_FULL,      /**< No room now; the op was not touched. */
};

/**
 * Where the requests of a transform go. Most ops of a burst have the transform of the one before,
 * whose checks need not be made again.
 */
struct hisi_zip_target {
	const struct hisi_zip_xform *x; /**< NULL: none yet. */
	struct hisi_zip_hwq *hwq;
	struct hisi_qm_ring *ring;
};

/**
 * Address of an mbuf's data for the device. Where the mbuf keeps the address that this device uses
 * is an offset, so that there is no branch on it.
 */
static inline uint64_t
hisi_zip_data_addr(const struct hisi_zip_qp *qp, const struct rte_mbuf *m)
{
	return *(const uint64_t *)((const char *)m + qp->addr_off) + m->data_off;
}

/** End an op at once. */
static inline enum hisi_zip_verdict
hisi_zip_finish(struct hisi_zip_slot *slot, struct rte_comp_op *op, uint8_t status)
{
	op->status = status;
	op->consumed = 0;
	op->produced = 0;
	op->output_chksum = 0;
	op->debug_status = 0;
	slot->kind = HISI_ZIP_SLOT_DONE;
	return HISI_ZIP_FINISHED;
}

/** Have software do an op, and count why. */
static inline enum hisi_zip_verdict
hisi_zip_to_software(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, enum hisi_zip_why why)
{
	HISI_ZIP_COUNT(qp->enq.software, 1);
	HISI_ZIP_COUNT(qp->enq.why[why], 1);
	slot->kind = HISI_ZIP_SLOT_SW;
	return HISI_ZIP_SOFTWARE;
}

static inline void
hisi_zip_target_set(struct hisi_zip_target *to, const struct hisi_zip_xform *x,
		struct hisi_zip_hwq *hwq)
{
	to->x = x;
	to->hwq = hwq;
	to->ring = hwq->q.ring;
}

/** Bring in the SQE that is filled some ops later. */
static inline void
hisi_zip_prefetch_sqe(const struct hisi_qm_ring *ring, unsigned int ahead)
{
	const char *sqe = hisi_qm_sq_slot(ring, (ring->sq_tail + ahead) & ring->mask);

	hisi_qm_prefetch_write(sqe);
	hisi_qm_prefetch_write(sqe + RTE_CACHE_LINE_MIN_SIZE);
}

/** The SQE to fill next. */
static inline struct hisi_zip_sqe *
hisi_zip_next_sqe(const struct hisi_qm_ring *ring)
{
	hisi_zip_prefetch_sqe(ring, HISI_ZIP_PREFETCH_SQES);
	return hisi_qm_sq_slot(ring, ring->sq_tail);
}

static inline void
hisi_zip_push_sqe(struct hisi_qm_ring *ring)
{
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
}

/** Source and destination of an op with chained mbufs: both sides become SGLs. */
enum hisi_zip_verdict hisi_zip_fill_chained(struct hisi_zip_qp *qp,
		const struct hisi_zip_target *to, struct hisi_zip_slot *slot,
		struct rte_comp_op *op, struct hisi_zip_sqe *sqe);

#endif /* HISI_ZIP_FILL_H */
