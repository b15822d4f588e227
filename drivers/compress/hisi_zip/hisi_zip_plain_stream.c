/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include <rte_mbuf.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_plain_stream.h"
#include "hisi_zip_sw.h"
#include "hisi_zip_trailer.h"
#include "hisi_zip_wrong.h"

/* ---- Paths --------------------------------------------------------------------------------- */

static enum hisi_zip_path
path_of(const struct hisi_zip_stream *s)
{
	return s->x.dir == HISI_ZIP_COMP ? HISI_ZIP_PATH_STREAM_COMP :
		HISI_ZIP_PATH_STREAM_DECOMP;
}

static enum hisi_zip_path
lists_path_of(const struct hisi_zip_stream *s)
{
	return s->x.dir == HISI_ZIP_COMP ? HISI_ZIP_PATH_STREAM_COMP_SGL :
		HISI_ZIP_PATH_STREAM_DECOMP_SGL;
}

/* Bits of both. */
static uint32_t
paths_of(const struct hisi_zip_stream *s)
{
	return HISI_ZIP_PATH_BIT(path_of(s)) | HISI_ZIP_PATH_BIT(lists_path_of(s));
}

/* ---- Results ------------------------------------------------------------------------------- */

/* What waits in the store is copied behind the rest of an op's output. */
static void
deliver_rest(const struct hisi_zip_stream *s, struct rte_comp_op *op,
		const struct hisi_zip_stream_done *done)
{
	hisi_zip_chain_write(op->m_dst, op->dst.offset + done->produced - done->delivered,
		hisi_zip_stream_delivered(s->plain, done), done->delivered);
}

/* An op is done, or a part of it, and its output is there: set all of its fields. */
static void
finish(struct hisi_zip_stream *s, struct rte_comp_op *op, enum hisi_zip_outcome outcome,
		const struct hisi_zip_stream_done *done)
{
	bool comp = s->x.dir == HISI_ZIP_COMP, end = outcome == HISI_ZIP_DONE_END;

	if (s->sum.wanted != 0)
		hisi_zip_chain_sum(comp ? op->m_src : op->m_dst,
			comp ? op->src.offset : op->dst.offset,
			comp ? done->consumed : done->produced, &s->sum);
	op->status = outcome == HISI_ZIP_DONE_PART ? RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE :
		RTE_COMP_OP_STATUS_SUCCESS;
	op->consumed = done->consumed;
	op->produced = done->produced;
	op->output_chksum = hisi_zip_chksum(&s->x, s->sum.crc32, s->sum.adler32);
	op->debug_status = end && !comp ? HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK : 0;
	if (end)
		s->sum = zip_codec_sum_start(&s->x.codec);
}

/*
 * The function did not do what was asked of it: software goes on, or the stream has ended.
 * debug: of its result, or 0.
 */
static void
fail(struct hisi_zip_qp *qp, struct hisi_zip_stream *s, struct rte_comp_op *op, uint32_t debug)
{
	if (hisi_zip_plain_stream_replace(s, s->plain->plan.delivered)) {
		hisi_zip_sw_repeat(qp, op, HISI_ZIP_WHY_REPEATED);
		return;
	}
	s->dead = true;
	hisi_zip_op_fails(op, RTE_COMP_OP_STATUS_ERROR, debug);
	/* Release: enqueue may look at the stream again. Nothing of s follows. */
	rte_atomic_store_explicit(&s->busy, 0, rte_memory_order_release);
}

/* Does the output of a request end as all have ended? Else its last bits are still to come. */
static bool
ends_right(const struct hisi_zip_qp *qp, const struct hisi_zip_stream *s,
		const struct rte_comp_op *op, struct hisi_zip_result r)
{
	const struct hisi_zip_stream_plan *plan = &s->plain->plan;
	uint8_t end[HISI_ZIP_FLUSH_END_LEN];

	if (s->x.dir != HISI_ZIP_COMP ||
			!qp->known[HISI_ZIP_COMP].path[HISI_ZIP_PATH_STREAM_COMP].ends ||
			hisi_zip_result_outcome(HISI_ZIP_COMP, r) != HISI_ZIP_DONE)
		return true;
	if (r.produced < sizeof(end) || r.produced > plan->dst_len)
		return false;
	if (plan->store)
		memcpy(end, s->plain->ctx + HISI_ZIP_STREAM_STORE_OFF + r.produced - sizeof(end),
			sizeof(end));
	else if (!hisi_zip_chain_read(op->m_dst, (uint64_t)op->dst.offset + plan->delivered +
			r.produced - sizeof(end), end, sizeof(end)))
		return false;
	return hisi_zip_flush_end_is(end);
}

void
hisi_zip_plain_stream_end(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe, struct hisi_zip_result r)
{
	struct rte_comp_op *op = slot->op;
	struct hisi_zip_stream *s = op->stream;
	struct hisi_zip_stream_done done;
	enum hisi_zip_outcome outcome;

	if (!ends_right(qp, s, op, r)) {
		hisi_zip_paths_wrong(qp->dev, paths_of(s), HISI_ZIP_WRONG_RESULT);
		fail(qp, s, op, 0);
		return;
	}
	outcome = hisi_zip_stream_end(s->plain, sqe, r, &done);
	if (outcome > HISI_ZIP_DONE_PART) {
		/*
		 * Of our own trailer no data is to blame; nor a function that does not know the
		 * stream: another one had it, or it was reset.
		 */
		if (s->plain->plan.trailer && hisi_zip_result_status(r) != HISI_ZIP_BAD_STREAM)
			hisi_zip_paths_wrong(qp->dev, paths_of(s), HISI_ZIP_WRONG_RESULT);
		fail(qp, s, op, r.dw3);
		return;
	}
	if (slot->kind == HISI_ZIP_SLOT_TRAILER) {
		s->plain->so_far.consumed += done.consumed;
		done = s->plain->so_far;
	} else {
		deliver_rest(s, op, &done);
		if (outcome == HISI_ZIP_DONE_PART && hisi_zip_trailer_ask(qp, slot, &done))
			return;
	}
	finish(s, op, outcome, &done);
	/* Release: enqueue may use the state again. Nothing of s follows. */
	rte_atomic_store_explicit(&s->busy, 0, rte_memory_order_release);
}

void
hisi_zip_plain_stream_part(struct rte_comp_op *op)
{
	struct hisi_zip_stream *s = op->stream;

	finish(s, op, HISI_ZIP_DONE_PART, &s->plain->so_far);
	/* Release: as above. */
	rte_atomic_store_explicit(&s->busy, 0, rte_memory_order_release);
}

void
hisi_zip_plain_stream_lie(struct hisi_zip_qp *qp, struct rte_comp_op *op)
{
	struct hisi_zip_stream *s = op->stream;

	/* Streams that have begun cannot go another way; no other one shall come to that. */
	hisi_zip_paths_wrong(qp->dev, paths_of(s), HISI_ZIP_WRONG_LIE);
	hisi_zip_stream_lost(s->plain);
	fail(qp, s, op, 0);
}

bool
hisi_zip_plain_stream_replace(struct hisi_zip_stream *s, uint32_t delivered)
{
	if (s->sw == NULL || (s->is_plain ? !hisi_zip_stream_replaceable(s->plain) :
			s->state.started))
		return false;
	if (s->is_plain)
		hisi_zip_stream_leave(s->plain);
	s->in_software = true;
	s->delivered = delivered;
	s->state.started = false;
	return true;
}

/* ---- Requests ------------------------------------------------------------------------------ */

/* As side_cut(), for what a request without lists can carry. */
static bool
cut_to_segment(struct hisi_zip_side *side)
{
	uint64_t length = RTE_MIN(side->length, HISI_ZIP_REQ_LEN_MAX);

	if (side->segs > 1)
		length = RTE_MIN(length, (uint64_t)side->first->data_len - side->skip);
	if (length == side->length)
		return false;
	side->length = length;
	side->segs = 1;
	return true;
}

/* What an op has, up to what one request can have. */
static bool
look_at(const struct hisi_zip_stream *s, const struct rte_comp_op *op, bool lists,
		struct hisi_zip_stream_op *has)
{
	uint32_t waiting = hisi_zip_stream_waiting(s->plain);
	struct hisi_zip_side src, dst;
	bool cut;

	if (!hisi_zip_side_find(op->m_src, op->src.offset, op->src.length, &src) ||
			!hisi_zip_side_find(op->m_dst, op->dst.offset, UINT64_MAX, &dst))
		return false;
	cut = (lists ? hisi_zip_side_cut : cut_to_segment)(&src);
	*has = (struct hisi_zip_stream_op){
		.src_cut = cut,
		.src_len = src.length,
		.dst_len = dst.length,
		.flush = s->x.dir == HISI_ZIP_COMP ? hisi_zip_flush_of(op) : HISI_ZIP_FLUSH_SYNC,
	};
	if (waiting >= dst.length)
		return true;
	/* Room that is behind too many segments is none. */
	hisi_zip_side_find(op->m_dst, op->dst.offset + waiting, UINT64_MAX, &dst);
	(lists ? hisi_zip_side_cut : cut_to_segment)(&dst);
	has->dst_len = waiting + dst.length;
	return true;
}

/* So many bytes of the context buffer. */
static struct hisi_zip_side
own_side(const struct hisi_zip_stream *s, uint32_t offset, uint32_t len)
{
	return (struct hisi_zip_side){ .addr = s->ctx.iova + offset, .length = len, .segs = 1 };
}

static uint64_t
side_addr(const struct hisi_zip_qp *qp, const struct hisi_zip_side *side)
{
	return side->first != NULL ? hisi_zip_data_addr(qp, side->first) + side->skip : side->addr;
}

static enum hisi_zip_verdict
fill_request(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		const struct rte_comp_op *op, const struct hisi_zip_stream_plan *plan,
		struct hisi_zip_sqe *sqe)
{
	const struct hisi_zip_stream *s = op->stream;
	struct hisi_zip_side src, dst;

	/* Without input, too, an address must be valid. */
	if (plan->trailer || plan->src_len == 0)
		src = own_side(s, HISI_ZIP_STREAM_TRAILER_OFF, plan->src_len);
	else
		hisi_zip_side_find(op->m_src, op->src.offset, plan->src_len, &src);
	if (plan->store)
		dst = own_side(s, HISI_ZIP_STREAM_STORE_OFF, plan->dst_len);
	else
		hisi_zip_side_find(op->m_dst, op->dst.offset + plan->delivered, plan->dst_len,
			&dst);
	if (src.segs > 1 || dst.segs > 1) {
		enum hisi_zip_verdict verdict = hisi_zip_fill_lists(qp, &qp->hwq[s->x.dir], slot,
			&src, &dst, sqe);

		if (verdict != HISI_ZIP_SUBMITTED)
			return verdict;
	} else {
		hisi_zip_req_buffers(sqe, &slot->asked, side_addr(qp, &src), plan->src_len,
			side_addr(qp, &dst), plan->dst_len);
	}
	hisi_zip_req_words(sqe, &s->plain->words);
	if (slot->flags & HISI_ZIP_SLOT_F_SGL)
		hisi_zip_req_lists(sqe);
	hisi_zip_req_plain_stream(sqe, s->plain, s->name);
	return HISI_ZIP_SUBMITTED;
}

/* The plan is carried out; what waits for the op is delivered. */
static void
begin(struct hisi_zip_stream *s, struct rte_comp_op *op, const struct hisi_zip_stream_plan *plan)
{
	const uint8_t *store = hisi_zip_stream_begin(s->plain, plan);

	hisi_zip_chain_write(op->m_dst, op->dst.offset, store, plan->delivered);
}

enum hisi_zip_verdict
hisi_zip_stream_path_off(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		struct rte_comp_op *op)
{
	struct hisi_zip_stream *s = op->stream;

	if (!hisi_zip_plain_stream_replace(s, 0))
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	s->busy = 1;
	return hisi_zip_to_software(qp, slot, HISI_ZIP_WHY_PATH);
}

/* The function has done the op, or there is nothing to do. */
static enum hisi_zip_verdict
without_request(struct hisi_zip_stream *s, struct hisi_zip_slot *slot, struct rte_comp_op *op,
		const struct hisi_zip_stream_plan *plan)
{
	struct hisi_zip_stream_done done;
	enum hisi_zip_outcome outcome;

	begin(s, op, plan);
	outcome = hisi_zip_stream_end(s->plain, NULL, (struct hisi_zip_result){ 0 }, &done);
	if (outcome > HISI_ZIP_DONE_PART) {
		s->dead = true;
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_ERROR);
	}
	deliver_rest(s, op, &done);
	finish(s, op, outcome, &done);
	slot->kind = HISI_ZIP_SLOT_DONE;
	return HISI_ZIP_SUBMITTED;
}

/*
 * There can be no request now. The op gets what the store has, and no more; then the store is
 * empty, and software can do the next one.
 */
static enum hisi_zip_verdict
deliver_only(struct hisi_zip_stream *s, struct hisi_zip_slot *slot, struct rte_comp_op *op,
		struct hisi_zip_stream_plan *plan)
{
	plan->request = false;
	return without_request(s, slot, op, plan);
}

enum hisi_zip_verdict
hisi_zip_plain_stream_fill(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		struct rte_comp_op *op)
{
	struct hisi_zip_stream *s = op->stream;
	struct hisi_zip_stream_plan plan;
	struct hisi_zip_stream_op has;
	enum hisi_zip_verdict verdict;
	struct hisi_qm_ring *ring;

	if (!look_at(s, op, true, &has))
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	hisi_zip_stream_plan(s->plain, &has, &plan);
	if (!plan.request)
		return without_request(s, slot, op, &plan);
	if (qp->hwq[s->x.dir].q.ring == NULL) {
		verdict = hisi_zip_first_use(qp, &s->x, slot, op);
		if (verdict == HISI_ZIP_SOFTWARE)
			s->busy = 1;
		else if (verdict != HISI_ZIP_SUBMITTED && plan.delivered > 0)
			return deliver_only(s, slot, op, &plan);
		if (verdict != HISI_ZIP_SUBMITTED)
			return verdict;
	}
	/* With the queue the paths were tried, if they had not been. */
	if (!s->plain->state.started) {
		if (!hisi_zip_path_on(qp, path_of(s)))
			return plan.delivered > 0 ? deliver_only(s, slot, op, &plan) :
				hisi_zip_stream_path_off(qp, slot, op);
		hisi_zip_stream_set_counted(s->plain,
			qp->known[s->x.dir].path[HISI_ZIP_PATH_STREAM_DECOMP].counted);
	}
	if (s->x.dir == HISI_ZIP_DECOMP && s->plain->counted != 0)
		slot->flags |= hisi_zip_trailer_take(qp);
	if (!hisi_zip_path_on(qp, lists_path_of(s))) {
		look_at(s, op, false, &has);
		hisi_zip_stream_plan(s->plain, &has, &plan);
	}
	ring = qp->hwq[s->x.dir].q.ring;
	verdict = fill_request(qp, slot, op, &plan, hisi_zip_next_sqe(ring));
	if (verdict != HISI_ZIP_SUBMITTED)
		return verdict;
	begin(s, op, &plan);
	s->busy = 1;
	hisi_zip_push_sqe(ring);
	return HISI_ZIP_SUBMITTED;
}
