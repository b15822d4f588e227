/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include <rte_mbuf.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_fill.h"

/*
 * Chained mbufs: both sides of an op become SGLs, in the memory of its hardware queue. Dequeue runs
 * checksums over their bytes.
 */

bool
hisi_zip_side_find(const struct rte_mbuf *m, uint32_t offset, uint64_t want,
		struct hisi_zip_side *side)
{
	uint32_t passed = 0;
	uint64_t have = 0;

	/* An offset at the very end of a chain leaves nothing, but is none too far. */
	for (; m != NULL && offset >= m->data_len && (offset > m->data_len || m->next != NULL);
			m = m->next) {
		offset -= m->data_len;
		if (++passed == UINT16_MAX)
			return false;
	}
	if (m == NULL)
		return false;
	*side = (struct hisi_zip_side){ .first = m, .skip = offset };
	for (passed = 0; m != NULL && have < want && passed < UINT16_MAX; m = m->next, passed++) {
		side->segs += m->data_len > offset;
		have += m->data_len - offset;
		offset = 0;
	}
	side->length = RTE_MIN(have, want);
	return want == UINT64_MAX || have >= want;
}

bool
hisi_zip_side_cut(struct hisi_zip_side *side)
{
	const struct rte_mbuf *m = side->first;
	uint32_t len_max = HISI_ZIP_REQ_LEN_MAX - side->tail;
	uint32_t segs_max = HISI_ACC_SGE_MAX - (side->tail != 0);
	uint64_t length = 0, limit = RTE_MIN(side->length, len_max);
	uint32_t skip = side->skip, segs = 0;

	if (side->length <= len_max && side->segs <= segs_max)
		return false;
	for (; length < limit && segs < segs_max; m = m->next) {
		segs += m->data_len > skip;
		length += m->data_len - skip;
		skip = 0;
	}
	side->segs = segs;
	side->length = RTE_MIN(length, limit);
	return true;
}

/*
 * Write a side as an SGL. Silicon may refuse entries without bytes (U20): segments that are empty
 * have none, and an empty side of our own has one byte, which the request's length does not count.
 * An op that is empty reaches a function with the extension only.
 */
static void
side_to_sgl(const struct hisi_zip_qp *qp, const struct hisi_zip_side *side,
		struct hisi_acc_sgl *sgl)
{
	const struct rte_mbuf *m = side->first;
	uint64_t left = side->length;
	uint32_t skip = side->skip;
	uint32_t segs = RTE_MAX(side->segs, 1u);
	struct hisi_acc_sge *sge = hisi_zip_sgl_begin(sgl, (uint16_t)(segs + (side->tail != 0)));

	if (m == NULL) {
		hisi_zip_sge_set(sge, side->addr, RTE_MAX((uint32_t)left, 1u));
		return;
	}
	if (left == 0)
		hisi_zip_sge_set(sge++, hisi_zip_data_addr(qp, m), 0);
	for (; left > 0; m = m->next) {
		uint32_t len = (uint32_t)RTE_MIN(left, (uint64_t)m->data_len - skip);

		if (len > 0)
			hisi_zip_sge_set(sge++, hisi_zip_data_addr(qp, m) + skip, len);
		left -= len;
		skip = 0;
	}
	if (side->tail != 0)
		hisi_zip_sge_set(sge, side->addr, side->tail);
}

/*
 * The next bytes of a chain that lie together, of len from an offset on; all three go on behind
 * them. @return Where they are, *n of them; NULL: there are no more.
 */
static inline uint8_t *
chain_next(const struct rte_mbuf **m, uint64_t *offset, uint32_t *len, uint32_t *n)
{
	for (; *len > 0 && *m != NULL; *m = (*m)->next) {
		uint8_t *at;

		if (*offset >= (*m)->data_len) {
			*offset -= (*m)->data_len;
			continue;
		}
		at = rte_pktmbuf_mtod_offset(*m, uint8_t *, *offset);
		*n = RTE_MIN(*len, (*m)->data_len - (uint32_t)*offset);
		*len -= *n;
		*offset = 0;
		*m = (*m)->next;
		return at;
	}
	return NULL;
}

bool
hisi_zip_chain_read(const struct rte_mbuf *m, uint64_t offset, uint8_t *to, uint32_t len)
{
	const uint8_t *at;
	uint32_t n;

	while ((at = chain_next(&m, &offset, &len, &n)) != NULL) {
		memcpy(to, at, n);
		to += n;
	}
	return len == 0;
}

void
hisi_zip_chain_write(struct rte_mbuf *chain, uint64_t offset, const uint8_t *from, uint32_t len)
{
	const struct rte_mbuf *m = chain;
	uint8_t *at;
	uint32_t n;

	while ((at = chain_next(&m, &offset, &len, &n)) != NULL) {
		memcpy(at, from, n);
		from += n;
	}
}

/*
 * Room for consecutive units in the SGL ring. Lists are freed in the order in
 * which they were taken, because requests of a queue complete in order.
 * Returns NULL if there is none now.
 */
static struct hisi_acc_sgl *
sgl_reserve(struct hisi_zip_hwq *hwq, uint32_t units)
{
	uint32_t start = hwq->sgl_tail;
	uint32_t size = hwq->sgl_mask + 1;
	uint32_t to_end = size - (start & hwq->sgl_mask);

	if (units > to_end)
		start += to_end; /* lists do not wrap */
	if (start + units - hwq->sgl_head_seen > size) {
		hwq->sgl_head_seen = rte_atomic_load_explicit(&hwq->sgl_head,
			rte_memory_order_acquire);
		if (start + units - hwq->sgl_head_seen > size)
			return NULL;
	}
	hwq->sgl_tail = start + units;
	return (struct hisi_acc_sgl *)((char *)hwq->q.mem.va +
		(start & hwq->sgl_mask) * HISI_ZIP_SGL_UNIT);
}

static uint32_t
sgl_units(const struct hisi_zip_side *side)
{
	return RTE_ALIGN((uint32_t)HISI_ZIP_SGL_HDR + RTE_MAX(side->segs, 1u) + (side->tail != 0),
		2);
}

enum hisi_zip_verdict
hisi_zip_fill_lists(const struct hisi_zip_qp *qp, struct hisi_zip_hwq *hwq,
		struct hisi_zip_slot *slot, const struct hisi_zip_side *src,
		const struct hisi_zip_side *dst, struct hisi_zip_sqe *sqe)
{
	struct hisi_acc_sgl *src_sgl = sgl_reserve(hwq, sgl_units(src) + sgl_units(dst));
	struct hisi_acc_sgl *dst_sgl;

	if (src_sgl == NULL)
		return HISI_ZIP_FULL;
	dst_sgl = (struct hisi_acc_sgl *)((char *)src_sgl + sgl_units(src) * HISI_ZIP_SGL_UNIT);
	side_to_sgl(qp, src, src_sgl);
	side_to_sgl(qp, dst, dst_sgl);
	slot->flags |= HISI_ZIP_SLOT_F_SGL;
	slot->sgl_end = hwq->sgl_tail;
	hisi_zip_req_buffers(sqe, &slot->asked,
		hwq->q.mem.iova + (uint64_t)((char *)src_sgl - (char *)hwq->q.mem.va),
		(uint32_t)src->length + src->tail,
		hwq->q.mem.iova + (uint64_t)((char *)dst_sgl - (char *)hwq->q.mem.va),
		(uint32_t)dst->length + dst->tail);
	return HISI_ZIP_SUBMITTED;
}

enum hisi_zip_verdict
hisi_zip_fill_chained(struct hisi_zip_qp *qp, const struct hisi_zip_target *to,
		struct hisi_zip_slot *slot, struct rte_comp_op *op, struct hisi_zip_sqe *sqe,
		uint32_t trailer)
{
	const struct hisi_zip_xform *x = to->x;
	bool stateful = slot->flags & HISI_ZIP_SLOT_F_STATEFUL;
	enum hisi_zip_verdict verdict;
	struct hisi_zip_side src, dst;

	if (!hisi_zip_side_find(op->m_src, op->src.offset, op->src.length, &src) ||
			!hisi_zip_side_find(op->m_dst, op->dst.offset, UINT64_MAX, &dst))
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	if (trailer != 0) {
		struct hisi_zip_side *side = x->dir == HISI_ZIP_DECOMP ? &src : &dst;

		side->tail = trailer;
		side->addr = hisi_zip_trailer_iova(to->hwq);
	}

	if (!stateful) {
		/*
		 * More than one request can carry. Room for output beyond the limit
		 * matters only if there can be such output.
		 */
		bool too_long = hisi_zip_side_cut(&src);

		if (!too_long && hisi_zip_side_cut(&dst))
			too_long = x->dir == HISI_ZIP_DECOMP ||
				dst.length < src.length + src.length / 8 + 64;
		if (too_long) {
			if (!qp->dev->sw)
				return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
			return hisi_zip_to_software(qp, slot, HISI_ZIP_WHY_TOO_LONG);
		}
	} else {
		hisi_zip_side_cut(&dst);
		if (hisi_zip_side_cut(&src))
			slot->flags |= HISI_ZIP_SLOT_F_CUT;
	}

	verdict = hisi_zip_fill_lists(qp, to->hwq, slot, &src, &dst, sqe);
	if (verdict != HISI_ZIP_SUBMITTED)
		return verdict;
	hisi_zip_req_words(sqe, &x->words);
	hisi_zip_req_lists(sqe);
	return HISI_ZIP_SUBMITTED;
}

void
hisi_zip_chain_sum(const struct rte_mbuf *m, uint64_t offset, uint32_t len,
		struct zip_codec_sum *sum)
{
	const uint8_t *at;
	uint32_t n;

	while ((at = chain_next(&m, &offset, &len, &n)) != NULL)
		zip_codec_sum_update(sum, at, n);
}
