/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "hisi_zip_burst.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_fill.h"
#include "hisi_zip_plain.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_plain_stream.h"
#include "hisi_zip_verify.h"
#include "hisi_zip_xform.h"

/* How far ahead ops, and the mbufs of ops, are fetched into the cache. */
#define PREFETCH_OPS   6
#define PREFETCH_MBUFS 3

/* ---- Building a request -------------------------------------------------------------------- */

enum hisi_zip_verdict __rte_noinline __rte_cold
hisi_zip_first_use(struct hisi_zip_qp *qp, const struct hisi_zip_xform *x,
		struct hisi_zip_slot *slot, struct rte_comp_op *op)
{
	int ret = hisi_zip_hwq_take(qp, x->dir);

	if (ret == 0)
		return HISI_ZIP_SUBMITTED;
	HISI_ZIP_COUNT(qp->enq.no_queue, 1);
	/* The state of a stream is, or will be, the function's, unless software can go on. */
	if (op->op_type == RTE_COMP_OP_STATEFUL ? hisi_zip_plain_stream_replace(op->stream, 0) :
			qp->dev->sw != 0)
		return hisi_zip_to_software(qp, slot, HISI_ZIP_WHY_NO_QUEUE);
	/*
	 * To wait helps if others have the queues or the memory, or if the service is
	 * away, but not if a function does not answer.
	 */
	return ret == -EBUSY || ret == -ENOMEM || qp->dev->hisi.info.mem_register ? HISI_ZIP_FULL :
		hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_ERROR);
}

/* The same of chained mbufs. */
static enum hisi_zip_verdict __rte_noinline __rte_cold
fill_chained(struct hisi_zip_qp *qp, const struct hisi_zip_target *to,
		struct hisi_zip_slot *slot, struct rte_comp_op *op, struct hisi_zip_sqe *sqe)
{
	if (to->x->words.dw10 == 0 && !(slot->flags & HISI_ZIP_SLOT_F_STATEFUL) &&
			!hisi_zip_path_on(qp, to->x->dir == HISI_ZIP_COMP ?
			HISI_ZIP_PATH_COMP_SGL : HISI_ZIP_PATH_DECOMP_SGL))
		return hisi_zip_path_off(qp, slot, op);
	return hisi_zip_fill_chained(qp, to, slot, op, sqe, 0);
}

/* Source and destination of an op, into the SQE. */
static inline enum hisi_zip_verdict
fill_buffers(struct hisi_zip_qp *qp, const struct hisi_zip_target *to,
		const struct hisi_zip_xform *x, struct hisi_zip_slot *slot,
		struct rte_comp_op *op, struct hisi_zip_sqe *sqe)
{
	const struct rte_mbuf *src = op->m_src, *dst = op->m_dst;

	/* Not "next": that would fetch the second cache line of both mbufs. */
	if (unlikely((src->nb_segs | dst->nb_segs) != 1))
		return fill_chained(qp, to, slot, op, sqe);
	if (unlikely((uint64_t)op->src.offset + op->src.length > src->data_len ||
			op->dst.offset > dst->data_len))
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	hisi_zip_req_buffers(sqe, &slot->asked, hisi_zip_data_addr(qp, src) + op->src.offset,
		op->src.length, hisi_zip_data_addr(qp, dst) + op->dst.offset,
		dst->data_len - op->dst.offset);
	hisi_zip_req_words(sqe, &x->words);
	return HISI_ZIP_SUBMITTED;
}

/* ---- Kinds of ops -------------------------------------------------------------------------- */

/* A stateless compression that shall not end its stream: can the function do that? */
static enum hisi_zip_verdict __rte_noinline
check_flush(struct hisi_zip_qp *qp, const struct hisi_zip_xform *x,
		struct hisi_zip_slot *slot, struct rte_comp_op *op)
{
	/* What follows in the stream would need what came before, not the dictionary. */
	if (op->flush_flag != RTE_COMP_FLUSH_FULL || x->codec.dict_len != 0)
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	/* Without the extension a stateless request always ends the stream. */
	if (x->words.dw10 != 0 || x->algo != RTE_COMP_ALGO_DEFLATE)
		return HISI_ZIP_SUBMITTED;
	if (!qp->dev->sw)
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	return hisi_zip_to_software(qp, slot, x->sw != HISI_ZIP_WHY_NOT ? x->sw :
		HISI_ZIP_WHY_FLUSH);
}

/* Find the queue for the transform of a stateless op. HISI_ZIP_SUBMITTED: go on. */
static enum hisi_zip_verdict
set_target(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct rte_comp_op *op,
		struct hisi_zip_target *to)
{
	const struct hisi_zip_xform *x = op->private_xform;
	enum hisi_zip_verdict verdict;

	if (x->sw != HISI_ZIP_WHY_NOT)
		return hisi_zip_to_software(qp, slot, x->sw);
	if (qp->hwq[x->dir].q.ring == NULL) {
		verdict = hisi_zip_first_use(qp, x, slot, op);
		if (verdict != HISI_ZIP_SUBMITTED)
			return verdict;
	}
	if (x->paths & ~rte_atomic_load_explicit(&qp->dev->paths_on, rte_memory_order_relaxed))
		return hisi_zip_path_off(qp, slot, op);
	hisi_zip_target_set(to, x, &qp->hwq[x->dir]);
	/*
	 * The first ones, too: they were fetched with the burst before, but a
	 * device that is a CPU reads ahead of what it was given, and has them again.
	 */
	for (unsigned int i = 0; i < HISI_ZIP_PREFETCH_SQES; i++)
		hisi_zip_prefetch_sqe(to->ring, i);
	return HISI_ZIP_SUBMITTED;
}

/* An op whose request has a trailer. */
static enum hisi_zip_verdict __rte_noinline __rte_cold
submit_carried(struct hisi_zip_qp *qp, const struct hisi_zip_target *to,
		struct hisi_zip_slot *slot, struct rte_comp_op *op)
{
	enum hisi_zip_verdict verdict = hisi_zip_fill_carried(qp, to, slot, op,
		hisi_zip_next_sqe(to->ring));

	if (verdict == HISI_ZIP_SUBMITTED)
		hisi_zip_push_sqe(to->ring);
	return verdict;
}

static inline enum hisi_zip_verdict
fill_stateless(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct rte_comp_op *op,
		struct hisi_zip_target *to)
{
	const struct hisi_zip_xform *x = op->private_xform;
	struct hisi_zip_sqe *sqe;
	enum hisi_zip_verdict verdict;

	/* A request needs two buffers that are not one: the function works out of place. */
	if (unlikely(x == NULL || (x != to->x && x->dev != qp->dev) || op->m_src == NULL ||
			op->m_dst == NULL || op->m_src == op->m_dst || op->src.length == 0))
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	if (unlikely(op->flush_flag != RTE_COMP_FLUSH_FINAL) && x->dir == HISI_ZIP_COMP) {
		verdict = check_flush(qp, x, slot, op);
		if (verdict != HISI_ZIP_SUBMITTED)
			return verdict;
	}
	if (unlikely(x != to->x)) {
		verdict = set_target(qp, slot, op, to);
		if (verdict != HISI_ZIP_SUBMITTED)
			return verdict;
	}
	slot->kind = x->dir;
	slot->flags = x->slot_flags;
	if (unlikely(slot->flags & (HISI_ZIP_SLOT_F_UDC | HISI_ZIP_SLOT_F_PLAIN))) {
		if (!hisi_zip_udc_matches(x, op))
			return hisi_zip_finish(slot, op, HISI_ZIP_STATUS_MISMATCH);
		if (x->trailer != 0)
			return submit_carried(qp, to, slot, op);
	}
	sqe = hisi_zip_next_sqe(to->ring);
	verdict = fill_buffers(qp, to, x, slot, op, sqe);
	if (unlikely(verdict != HISI_ZIP_SUBMITTED))
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
	hisi_zip_push_sqe(to->ring);
	return HISI_ZIP_SUBMITTED;
}

/* How the request of a stream ends its output. */
static enum hisi_zip_flush
stream_flush(const struct hisi_zip_stream *s, const struct rte_comp_op *op, bool cut)
{
	if (s->x.dir == HISI_ZIP_DECOMP)
		return HISI_ZIP_FLUSH_SYNC;
	/* The rest of the input comes with another op: nothing to flush yet. */
	return cut ? HISI_ZIP_FLUSH_NONE : hisi_zip_flush_of(op);
}

static enum hisi_zip_verdict __rte_noinline
fill_stateful(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct rte_comp_op *op)
{
	struct hisi_zip_stream *s = op->stream;
	struct hisi_zip_sqe *sqe;
	struct hisi_zip_target to;
	enum hisi_zip_verdict verdict;

	if (s == NULL || s->x.dev != qp->dev || op->m_src == NULL || op->m_dst == NULL ||
			op->m_src == op->m_dst ||
			(s->x.dir == HISI_ZIP_COMP &&
			(unsigned int)op->flush_flag > RTE_COMP_FLUSH_FINAL))
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	/* Acquire: the state words that dequeue left with the op before this one. */
	if (rte_atomic_load_explicit(&s->busy, rte_memory_order_acquire) || s->dead)
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_STATE);
	slot->kind = s->x.dir;
	slot->flags = HISI_ZIP_SLOT_F_STATEFUL |
		(s->x.chksum != RTE_COMP_CHECKSUM_NONE ? HISI_ZIP_SLOT_F_CHKSUM : 0);
	if (s->x.sw || s->in_software) {
		s->busy = 1;
		return hisi_zip_to_software(qp, slot, s->x.sw ? s->x.sw : HISI_ZIP_WHY_STREAM);
	}
	if (s->is_plain) {
		slot->flags = HISI_ZIP_SLOT_F_STATEFUL | HISI_ZIP_SLOT_F_PLAIN;
		return hisi_zip_plain_stream_fill(qp, slot, op);
	}
	/* Who was caught does not get a new one. */
	if (!s->state.started && !hisi_zip_path_on(qp, s->x.dir == HISI_ZIP_COMP ?
			HISI_ZIP_PATH_EXT_COMP : HISI_ZIP_PATH_EXT_DECOMP))
		return hisi_zip_stream_path_off(qp, slot, op);
	if (qp->hwq[s->x.dir].q.ring == NULL) {
		verdict = hisi_zip_first_use(qp, &s->x, slot, op);
		if (verdict == HISI_ZIP_SOFTWARE)
			s->busy = 1;
		if (verdict != HISI_ZIP_SUBMITTED)
			return verdict;
	}
	hisi_zip_target_set(&to, &s->x, &qp->hwq[s->x.dir]);
	sqe = hisi_zip_next_sqe(to.ring);
	verdict = fill_buffers(qp, &to, &s->x, slot, op, sqe);
	if (verdict != HISI_ZIP_SUBMITTED)
		return verdict;
	hisi_zip_req_stream(sqe, &s->x.words, &s->state, s->name,
		stream_flush(s, op, slot->flags & HISI_ZIP_SLOT_F_CUT));
	s->busy = 1;
	hisi_zip_push_sqe(to.ring);
	return HISI_ZIP_SUBMITTED;
}

uint16_t
hisi_zip_enqueue_burst(void *queue_pair, struct rte_comp_op **ops, uint16_t nb_ops)
{
	struct hisi_zip_qp *qp = queue_pair;
	struct hisi_zip_target to = { .x = NULL };
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

	for (i = 0; i < nb_ops; i++, tail++) {
		struct hisi_zip_slot *slot = &qp->slots[tail & qp->mask];
		struct rte_comp_op *op = ops[i];
		enum hisi_zip_verdict verdict;

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
			verdict = hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
		if (unlikely(verdict == HISI_ZIP_FULL)) {
			HISI_ZIP_COUNT(qp->enq.full, 1);
			break;
		}
		if (unlikely(verdict == HISI_ZIP_FINISHED))
			HISI_ZIP_COUNT(qp->enq.rejected, 1);
		slot->op = op;
		bytes += op->src.length;
	}
	if (unlikely(i == 0))
		return 0;
	if (unlikely(qp->verify != 0))
		hisi_zip_verify_choose(qp, tail - i, i);

	/* Release: dequeue may read the slots filled above. */
	rte_atomic_store_explicit(&qp->tail, tail, rte_memory_order_release);
	for (unsigned int dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct hisi_qm_ring *ring = qp->hwq[dir].q.ring;

		/* The last doorbell may be of this burst, too: of known answers. */
		if (ring != NULL && ring->sq_tail != ring->sq_rung)
			hisi_qm_sq_ring(ring);
	}
	HISI_ZIP_COUNT(qp->enq.ops, i);
	HISI_ZIP_COUNT(qp->enq.bytes, bytes);
	return i;
}
