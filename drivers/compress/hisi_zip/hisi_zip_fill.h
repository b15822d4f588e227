/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_FILL_H
#define HISI_ZIP_FILL_H

/** @file What the files of enqueue share: how an op becomes a request. Enqueuing thread. */

#include <stdint.h>

#include <rte_comp.h>
#include <rte_mbuf.h>

#include "hisi_zip_dev.h"
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
	hisi_zip_op_fails(op, status, 0);
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

/** How an op of a compressing stream, whose flag is in range, ends its output. */
static inline enum hisi_zip_flush
hisi_zip_flush_of(const struct rte_comp_op *op)
{
	static const enum hisi_zip_flush flushes[] = {
		[RTE_COMP_FLUSH_NONE] = HISI_ZIP_FLUSH_NONE,
		[RTE_COMP_FLUSH_SYNC] = HISI_ZIP_FLUSH_SYNC,
		[RTE_COMP_FLUSH_FULL] = HISI_ZIP_FLUSH_FULL,
		[RTE_COMP_FLUSH_FINAL] = HISI_ZIP_FLUSH_FINISH,
	};

	return flushes[op->flush_flag];
}

/** Is a path used? */
static inline bool
hisi_zip_path_on(const struct hisi_zip_qp *qp, enum hisi_zip_path path)
{
	return rte_atomic_load_explicit(&qp->dev->paths_on, rte_memory_order_relaxed) &
		HISI_ZIP_PATH_BIT(path);
}

/** The path of an op is off. */
static inline enum hisi_zip_verdict
hisi_zip_path_off(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct rte_comp_op *op)
{
	if (!qp->dev->sw)
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	return hisi_zip_to_software(qp, slot, HISI_ZIP_WHY_PATH);
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

/**
 * Is there a hardware queue for this op, or else what is to be done with it?
 * HISI_ZIP_SUBMITTED: there is.
 */
enum hisi_zip_verdict hisi_zip_first_use(struct hisi_zip_qp *qp, const struct hisi_zip_xform *x,
		struct hisi_zip_slot *slot, struct rte_comp_op *op);

/** One side of an op: bytes of a chain of mbufs, or of memory of our own, or first these. */
struct hisi_zip_side {
	const struct rte_mbuf *first; /**< Segment in which it starts; NULL: it is our own. */
	uint64_t addr;                /**< Our own: address for the function. */
	uint64_t length;              /**< Bytes. */
	uint32_t tail;                /**< Behind them, bytes of our own. */
	uint32_t skip;                /**< Bytes before it in the first segment. */
	uint32_t segs;                /**< Segments with bytes that it covers. */
};

/**
 * Find where bytes [offset, offset + want) of a chain lie. Trusts nothing but the segments
 * themselves: pkt_len and nb_segs may lie. A chain that goes on for ever is cut at UINT16_MAX
 * segments, which is what nb_segs can count; those without bytes are passed over.
 *
 * @param want
 *   UINT64_MAX: all there is.
 * @return
 *   false: the chain ends before offset + want.
 */
bool hisi_zip_side_find(const struct rte_mbuf *m, uint32_t offset, uint64_t want,
		struct hisi_zip_side *side);

/** Cut a side down to what one request can carry. @return Whether something was cut. */
bool hisi_zip_side_cut(struct hisi_zip_side *side);

/** Copy bytes of a chain, from an offset on. @return Whether it has them. */
bool hisi_zip_chain_read(const struct rte_mbuf *m, uint64_t offset, uint8_t *to, uint32_t len);

/** Copy bytes to a chain, from an offset on, as far as it has them. */
void hisi_zip_chain_write(struct rte_mbuf *chain, uint64_t offset, const uint8_t *from,
		uint32_t len);

/**
 * Write both sides as SGLs, in the memory of the hardware queue, and into a request, whose words
 * do not say so yet. HISI_ZIP_FULL: there is no room now.
 */
enum hisi_zip_verdict hisi_zip_fill_lists(const struct hisi_zip_qp *qp, struct hisi_zip_hwq *hwq,
		struct hisi_zip_slot *slot, const struct hisi_zip_side *src,
		const struct hisi_zip_side *dst, struct hisi_zip_sqe *sqe);

/** The trailer that is the end of the source, or that takes that of the destination. */
static inline uint64_t
hisi_zip_trailer_iova(const struct hisi_zip_hwq *hwq)
{
	return hwq->q.mem.iova + (hwq->sgl_mask + 1) * HISI_ZIP_SGL_UNIT;
}

/**
 * Source and destination of an op, whose mbufs may be chained: both sides become SGLs.
 * @param trailer
 *   Bytes of hisi_zip_trailer_iova() behind the source of a decompression, or the destination of
 *   a compression.
 */
enum hisi_zip_verdict hisi_zip_fill_chained(struct hisi_zip_qp *qp,
		const struct hisi_zip_target *to, struct hisi_zip_slot *slot,
		struct rte_comp_op *op, struct hisi_zip_sqe *sqe, uint32_t trailer);

/** Run checksums over bytes of a chain, which is as long as that. Dequeuing thread, too. */
void hisi_zip_chain_sum(const struct rte_mbuf *m, uint64_t offset, uint32_t len,
		struct zip_codec_sum *sum);

#endif /* HISI_ZIP_FILL_H */
