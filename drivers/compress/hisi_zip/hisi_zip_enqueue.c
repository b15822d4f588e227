/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "hisi_zip_burst.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_xform.h"

/* How far ahead ops, and the mbufs of ops, are fetched into the cache. */
#define PREFETCH_OPS   6
#define PREFETCH_MBUFS 3

/*
 * How far ahead SQEs are. The device had them last, so each of their two lines
 * has to come from another core, and stores alone keep only a few such
 * transfers under way.
 */
#define PREFETCH_SQES 16

/* What became of an op. */
enum verdict {
	SUBMITTED, /* its SQE is filled */
	FINISHED,  /* its status is final, the slot is HISI_ZIP_SLOT_DONE */
	SOFTWARE,  /* the slot is HISI_ZIP_SLOT_SW */
	FULL,      /* no room now; the op was not touched */
};

/*
 * Address of an mbuf's data for the device. Where the mbuf keeps the address
 * that this device uses is an offset, so that there is no branch on it.
 */
static inline uint64_t
data_addr(const struct hisi_zip_qp *qp, const struct rte_mbuf *m)
{
	return *(const uint64_t *)((const char *)m + qp->addr_off) + m->data_off;
}

static inline enum verdict
finish(struct hisi_zip_slot *slot, struct rte_comp_op *op, uint8_t status)
{
	op->status = status;
	op->consumed = 0;
	op->produced = 0;
	op->output_chksum = 0;
	op->debug_status = 0;
	slot->kind = HISI_ZIP_SLOT_DONE;
	return FINISHED;
}

/* ---- Chained mbufs ------------------------------------------------------------------------- */

/* One side of a chained op: bytes [offset, offset + length) of a chain. */
struct side {
	const struct rte_mbuf *first; /* segment in which it starts */
	uint32_t skip;                /* bytes before it there */
	uint32_t segs;                /* segments that it covers */
	uint64_t length;              /* bytes */
};

/*
 * Find where bytes [offset, offset + want) of a chain lie. Trusts nothing but
 * the segments themselves: pkt_len and nb_segs may lie. A want of UINT64_MAX
 * takes all there is. A chain that goes on for ever is cut at UINT16_MAX segments,
 * which is what nb_segs can count. Returns false if the chain ends before offset + want.
 */
static bool
side_find(const struct rte_mbuf *m, uint32_t offset, uint64_t want, struct side *side)
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
	side->first = m;
	side->skip = offset;
	side->segs = 0;
	for (; m != NULL && have < want && side->segs < UINT16_MAX; m = m->next) {
		have += m->data_len - offset;
		offset = 0;
		side->segs++;
	}
	side->length = RTE_MIN(have, want);
	return want == UINT64_MAX || have >= want;
}

/* Cut a side down to what one request can carry. Returns true if something was cut. */
static bool
side_cut(struct side *side)
{
	const struct rte_mbuf *m = side->first;
	uint64_t length = 0, limit = RTE_MIN(side->length, HISI_ZIP_REQ_LEN_MAX);
	uint32_t skip = side->skip, segs = 0;

	if (side->length <= HISI_ZIP_REQ_LEN_MAX && side->segs <= HISI_ACC_SGE_MAX)
		return false;
	for (; length < limit && segs < HISI_ACC_SGE_MAX; m = m->next) {
		length += m->data_len - skip;
		skip = 0;
		segs++;
	}
	side->segs = segs;
	side->length = RTE_MIN(length, limit);
	return true;
}

/* Write a side as an SGL. Returns the first byte after it. */
static struct hisi_acc_sge *
side_to_sgl(const struct hisi_zip_qp *qp, const struct side *side, struct hisi_acc_sgl *sgl)
{
	const struct rte_mbuf *m = side->first;
	uint64_t left = side->length;
	uint32_t skip = side->skip;
	/* An empty side still has its one entry. */
	uint32_t segs = RTE_MAX(side->segs, 1u);
	struct hisi_acc_sge *sge = hisi_zip_sgl_begin(sgl, (uint16_t)segs);

	for (uint32_t i = 0; i < segs; i++, sge++, m = m->next) {
		uint32_t len = (uint32_t)RTE_MIN(left, (uint64_t)m->data_len - skip);

		hisi_zip_sge_set(sge, data_addr(qp, m) + skip, len);
		left -= len;
		skip = 0;
	}
	return sge;
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
sgl_units(const struct side *side)
{
	return RTE_ALIGN((uint32_t)HISI_ZIP_SGL_HDR + RTE_MAX(side->segs, 1u), 2);
}

/* ---- Building a request -------------------------------------------------------------------- */

/*
 * Where the requests of a transform go. Most ops of a burst have the transform
 * of the one before, whose checks need not be made again.
 */
struct target {
	const struct hisi_zip_xform *x; /* NULL: none yet */
	struct hisi_zip_hwq *hwq;
	struct hisi_qm_ring *ring;
};

static inline void
target_set(struct target *to, const struct hisi_zip_xform *x, struct hisi_zip_hwq *hwq)
{
	to->x = x;
	to->hwq = hwq;
	to->ring = hwq->q.ring;
}

/* Bring in the SQE that is filled some ops later. */
static inline void
prefetch_sqe(const struct hisi_qm_ring *ring, unsigned int ahead)
{
	const char *sqe = hisi_qm_sq_slot(ring, (ring->sq_tail + ahead) & ring->mask);

	hisi_qm_prefetch_write(sqe);
	hisi_qm_prefetch_write(sqe + RTE_CACHE_LINE_MIN_SIZE);
}

/* The SQE to fill next. */
static inline struct hisi_zip_sqe *
next_sqe(const struct hisi_qm_ring *ring)
{
	prefetch_sqe(ring, PREFETCH_SQES);
	return hisi_qm_sq_slot(ring, ring->sq_tail);
}

static inline void
push_sqe(struct hisi_qm_ring *ring)
{
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
}

/* Is there a hardware queue for this op, or else what is to be done with it? */
static enum verdict __rte_noinline
first_use(struct hisi_zip_qp *qp, const struct hisi_zip_xform *x, struct hisi_zip_slot *slot,
		struct rte_comp_op *op)
{
	int ret = hisi_zip_hwq_take(qp, x->dir);

	if (ret == 0)
		return SUBMITTED;
	HISI_ZIP_COUNT(qp->enq.no_queue, 1);
	/* The state of a stream is, or will be, the function's. */
	if (qp->dev->sw && op->op_type != RTE_COMP_OP_STATEFUL) {
		slot->kind = HISI_ZIP_SLOT_SW;
		return SOFTWARE;
	}
	/*
	 * To wait helps if others have the queues or the memory, or if the service is
	 * away, but not if a function does not answer.
	 */
	return ret == -EBUSY || ret == -ENOMEM || qp->dev->hisi.info.mem_register ? FULL :
		finish(slot, op, RTE_COMP_OP_STATUS_ERROR);
}

/* An op with chained mbufs: both sides become SGLs. */
static enum verdict __rte_noinline
fill_chained(struct hisi_zip_qp *qp, const struct target *to, struct hisi_zip_slot *slot,
		struct rte_comp_op *op, struct hisi_zip_sqe *sqe)
{
	const struct hisi_zip_xform *x = to->x;
	struct hisi_zip_hwq *hwq = to->hwq;
	bool stateful = slot->flags & HISI_ZIP_SLOT_F_STATEFUL;
	struct hisi_acc_sgl *src_sgl, *dst_sgl;
	struct side src, dst;
	uint32_t units;

	if (!side_find(op->m_src, op->src.offset, op->src.length, &src) ||
			!side_find(op->m_dst, op->dst.offset, UINT64_MAX, &dst))
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);

	if (!stateful) {
		/*
		 * More than one request can carry. Room for output beyond the limit
		 * matters only if there can be such output.
		 */
		bool too_long = src.length > HISI_ZIP_REQ_LEN_MAX || src.segs > HISI_ACC_SGE_MAX;

		if (!too_long && side_cut(&dst))
			too_long = x->dir == HISI_ZIP_DECOMP ||
				dst.length < src.length + src.length / 8 + 64;
		if (too_long) {
			if (!qp->dev->sw)
				return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
			slot->kind = HISI_ZIP_SLOT_SW;
			return SOFTWARE;
		}
	} else {
		side_cut(&dst);
		if (side_cut(&src))
			slot->flags |= HISI_ZIP_SLOT_F_CUT;
	}

	units = sgl_units(&src) + sgl_units(&dst);
	src_sgl = sgl_reserve(hwq, units);
	if (src_sgl == NULL)
		return FULL;
	dst_sgl = (struct hisi_acc_sgl *)((char *)src_sgl +
		sgl_units(&src) * HISI_ZIP_SGL_UNIT);
	side_to_sgl(qp, &src, src_sgl);
	side_to_sgl(qp, &dst, dst_sgl);
	slot->flags |= HISI_ZIP_SLOT_F_SGL;
	slot->sgl_end = hwq->sgl_tail;
	hisi_zip_req_buffers(sqe, &slot->asked,
		hwq->q.mem.iova + (uint64_t)((char *)src_sgl - (char *)hwq->q.mem.va),
		(uint32_t)src.length,
		hwq->q.mem.iova + (uint64_t)((char *)dst_sgl - (char *)hwq->q.mem.va),
		(uint32_t)dst.length);
	hisi_zip_req_words(sqe, &x->words);
	hisi_zip_req_lists(sqe);
	return SUBMITTED;
}

/* Source and destination of an op, into the SQE. */
static inline enum verdict
fill_buffers(struct hisi_zip_qp *qp, const struct target *to, struct hisi_zip_slot *slot,
		struct rte_comp_op *op, struct hisi_zip_sqe *sqe)
{
	const struct rte_mbuf *src = op->m_src, *dst = op->m_dst;

	/* Not "next": that would fetch the second cache line of both mbufs. */
	if (unlikely((src->nb_segs | dst->nb_segs) != 1))
		return fill_chained(qp, to, slot, op, sqe);
	if (unlikely((uint64_t)op->src.offset + op->src.length > src->data_len ||
			op->dst.offset > dst->data_len))
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	hisi_zip_req_buffers(sqe, &slot->asked, data_addr(qp, src) + op->src.offset,
		op->src.length, data_addr(qp, dst) + op->dst.offset,
		dst->data_len - op->dst.offset);
	hisi_zip_req_words(sqe, &to->x->words);
	return SUBMITTED;
}

/* ---- Kinds of ops -------------------------------------------------------------------------- */

/* A stateless compression that shall not end its stream: can the function do that? */
static enum verdict __rte_noinline
check_flush(const struct hisi_zip_qp *qp, const struct hisi_zip_xform *x,
		struct hisi_zip_slot *slot, struct rte_comp_op *op)
{
	/* What follows in the stream would need what came before, not the dictionary. */
	if (op->flush_flag != RTE_COMP_FLUSH_FULL || x->codec.dict_len != 0)
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	/* Without the extension a stateless request always ends the stream. */
	if (x->words.dw10 != 0 || x->algo != RTE_COMP_ALGO_DEFLATE)
		return SUBMITTED;
	if (!qp->dev->sw)
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	slot->kind = HISI_ZIP_SLOT_SW;
	return SOFTWARE;
}

/* Find the queue for the transform of a stateless op. SUBMITTED: go on. */
static enum verdict
set_target(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct rte_comp_op *op,
		struct target *to)
{
	const struct hisi_zip_xform *x = op->private_xform;
	enum verdict verdict;

	if (x->sw) {
		slot->kind = HISI_ZIP_SLOT_SW;
		return SOFTWARE;
	}
	if (qp->hwq[x->dir].q.ring == NULL) {
		verdict = first_use(qp, x, slot, op);
		if (verdict != SUBMITTED)
			return verdict;
	}
	target_set(to, x, &qp->hwq[x->dir]);
	/*
	 * The first ones, too: they were fetched with the burst before, but a
	 * device that is a CPU reads ahead of what it was given, and has them again.
	 */
	for (unsigned int i = 0; i < PREFETCH_SQES; i++)
		prefetch_sqe(to->ring, i);
	return SUBMITTED;
}

static inline enum verdict
fill_stateless(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct rte_comp_op *op,
		struct target *to)
{
	const struct hisi_zip_xform *x = op->private_xform;
	struct hisi_zip_sqe *sqe;
	enum verdict verdict;

	/* A request needs two buffers that are not one: the function works out of place. */
	if (unlikely(x == NULL || (x != to->x && x->dev != qp->dev) || op->m_src == NULL ||
			op->m_dst == NULL || op->m_src == op->m_dst || op->src.length == 0))
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	if (unlikely(op->flush_flag != RTE_COMP_FLUSH_FINAL) && x->dir == HISI_ZIP_COMP) {
		verdict = check_flush(qp, x, slot, op);
		if (verdict != SUBMITTED)
			return verdict;
	}
	if (unlikely(x != to->x)) {
		verdict = set_target(qp, slot, op, to);
		if (verdict != SUBMITTED)
			return verdict;
	}
	slot->kind = x->dir;
	slot->flags = x->slot_flags;
	if (unlikely(slot->flags & HISI_ZIP_SLOT_F_UDC) && !hisi_zip_udc_matches(x, op))
		return finish(slot, op, HISI_ZIP_STATUS_MISMATCH);
	sqe = next_sqe(to->ring);
	verdict = fill_buffers(qp, to, slot, op, sqe);
	if (unlikely(verdict != SUBMITTED))
		return verdict;

	/* The rest is 0 in a slot that the consumer has freed. */
	if (unlikely(op->flush_flag == RTE_COMP_FLUSH_FULL) && x->dir == HISI_ZIP_COMP &&
			x->algo == RTE_COMP_ALGO_DEFLATE)
		hisi_zip_req_flush_full(sqe);
	if (x->slot_flags & HISI_ZIP_SLOT_F_CHKSUM) {
		uint32_t crc32, adler32;

		hisi_zip_chksum_start(x, op->input_chksum, &crc32, &adler32);
		hisi_zip_req_checksums(sqe, crc32, adler32);
	}
	if (unlikely(x->slot_flags & HISI_ZIP_SLOT_F_DICT))
		hisi_zip_req_dict(sqe, x->dict.iova, x->codec.dict_len);
	push_sqe(to->ring);
	return SUBMITTED;
}

/* How the request of a stream ends its output. */
static enum hisi_zip_flush
stream_flush(const struct hisi_zip_stream *s, const struct rte_comp_op *op, bool cut)
{
	static const enum hisi_zip_flush flushes[] = {
		[RTE_COMP_FLUSH_NONE] = HISI_ZIP_FLUSH_NONE,
		[RTE_COMP_FLUSH_SYNC] = HISI_ZIP_FLUSH_SYNC,
		[RTE_COMP_FLUSH_FULL] = HISI_ZIP_FLUSH_FULL,
		[RTE_COMP_FLUSH_FINAL] = HISI_ZIP_FLUSH_FINISH,
	};

	if (s->x.dir == HISI_ZIP_DECOMP)
		return HISI_ZIP_FLUSH_SYNC;
	/* The rest of the input comes with another op: nothing to flush yet. */
	return cut ? HISI_ZIP_FLUSH_NONE : flushes[op->flush_flag];
}

static enum verdict __rte_noinline
fill_stateful(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct rte_comp_op *op)
{
	struct hisi_zip_stream *s = op->stream;
	struct hisi_zip_sqe *sqe;
	struct target to;
	enum verdict verdict;

	if (s == NULL || s->x.dev != qp->dev || op->m_src == NULL || op->m_dst == NULL ||
			op->m_src == op->m_dst ||
			(s->x.dir == HISI_ZIP_COMP &&
			(unsigned int)op->flush_flag > RTE_COMP_FLUSH_FINAL))
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	/* Acquire: the state words that dequeue left with the op before this one. */
	if (rte_atomic_load_explicit(&s->busy, rte_memory_order_acquire) || s->dead)
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_STATE);
	slot->kind = s->x.dir;
	slot->flags = HISI_ZIP_SLOT_F_STATEFUL |
		(s->x.chksum != RTE_COMP_CHECKSUM_NONE ? HISI_ZIP_SLOT_F_CHKSUM : 0);
	if (s->x.sw) {
		slot->kind = HISI_ZIP_SLOT_SW;
		s->busy = 1;
		return SOFTWARE;
	}
	/*
	 * Only the extension has a full flush. Found out before room is taken for SGLs: it
	 * comes back with the result of a request.
	 */
	if (s->x.dir == HISI_ZIP_COMP && op->flush_flag == RTE_COMP_FLUSH_FULL &&
			s->x.words.dw10 == 0)
		return finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	if (qp->hwq[s->x.dir].q.ring == NULL) {
		verdict = first_use(qp, &s->x, slot, op);
		if (verdict != SUBMITTED)
			return verdict;
	}
	target_set(&to, &s->x, &qp->hwq[s->x.dir]);
	sqe = next_sqe(to.ring);
	verdict = fill_buffers(qp, &to, slot, op, sqe);
	if (verdict != SUBMITTED)
		return verdict;
	hisi_zip_req_stream(sqe, &s->x.words, &s->state, s->ctx.iova,
		stream_flush(s, op, slot->flags & HISI_ZIP_SLOT_F_CUT));
	s->busy = 1;
	push_sqe(to.ring);
	return SUBMITTED;
}

uint16_t
hisi_zip_enqueue_burst(void *queue_pair, struct rte_comp_op **ops, uint16_t nb_ops)
{
	struct hisi_zip_qp *qp = queue_pair;
	uint16_t old_sq_tail[HISI_ZIP_DIRS] = { 0 };
	struct target to = { .x = NULL };
	uint32_t tail, room;
	uint64_t bytes = 0;
	uint16_t i;

	if (unlikely(qp == NULL))
		return 0;
	if (unlikely(rte_atomic_load_explicit(&qp->state, rte_memory_order_relaxed) !=
			HISI_ZIP_QP_RUNNING)) {
		if (qp->state == HISI_ZIP_QP_STOPPED)
			return 0;
		hisi_zip_renew(qp);
	}
	tail = qp->tail;
	room = qp->limit - (tail - qp->head_seen);
	if (unlikely(room < nb_ops)) {
		/* Acquire: slots before head, and what they stood for, are ours again. */
		qp->head_seen = rte_atomic_load_explicit(&qp->head, rte_memory_order_acquire);
		room = qp->limit - (tail - qp->head_seen);
		if (room < nb_ops) {
			HISI_ZIP_COUNT(qp->enq.full, 1);
			nb_ops = (uint16_t)room;
		}
	}
	for (unsigned int dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		if (qp->hwq[dir].q.ring != NULL)
			old_sq_tail[dir] = qp->hwq[dir].q.ring->sq_tail;
	}

	for (i = 0; i < nb_ops; i++, tail++) {
		struct hisi_zip_slot *slot = &qp->slots[tail & qp->mask];
		struct rte_comp_op *op = ops[i];
		enum verdict verdict;

		if (i + PREFETCH_OPS < nb_ops)
			rte_prefetch0(ops[i + PREFETCH_OPS]);
		if (i + PREFETCH_MBUFS < nb_ops) {
			rte_prefetch0(ops[i + PREFETCH_MBUFS]->m_src);
			rte_prefetch0(ops[i + PREFETCH_MBUFS]->m_dst);
		}
		if (likely(op->op_type == RTE_COMP_OP_STATELESS))
			verdict = fill_stateless(qp, slot, op, &to);
		else if (op->op_type == RTE_COMP_OP_STATEFUL)
			verdict = fill_stateful(qp, slot, op);
		else
			verdict = finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
		if (unlikely(verdict == FULL)) {
			HISI_ZIP_COUNT(qp->enq.full, 1);
			break;
		}
		if (unlikely(verdict == FINISHED))
			HISI_ZIP_COUNT(qp->enq.rejected, 1);
		else if (unlikely(verdict == SOFTWARE))
			HISI_ZIP_COUNT(qp->enq.software, 1);
		slot->op = op;
		bytes += op->src.length;
	}
	if (unlikely(i == 0))
		return 0;

	/* Release: dequeue may read the slots filled above. */
	rte_atomic_store_explicit(&qp->tail, tail, rte_memory_order_release);
	for (unsigned int dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		if (qp->hwq[dir].q.ring != NULL &&
				qp->hwq[dir].q.ring->sq_tail != old_sq_tail[dir])
			hisi_qm_sq_ring(qp->hwq[dir].q.ring);
	}
	HISI_ZIP_COUNT(qp->enq.ops, i);
	HISI_ZIP_COUNT(qp->enq.bytes, bytes);
	return i;
}
