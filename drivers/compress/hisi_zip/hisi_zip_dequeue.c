/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_branch_prediction.h>

#include "hisi_zip_burst.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_plain.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_plain_stream.h"
#include "hisi_zip_sw.h"
#include "hisi_zip_trailer.h"
#include "hisi_zip_verify.h"
#include "hisi_zip_xform.h"

/*
 * Results of a stateful request: keep the state for the next one, and tell the application's
 * three outcomes apart.
 */
static uint8_t
finish_stateful(const struct hisi_zip_slot *slot, const struct hisi_zip_sqe *sqe,
		struct hisi_zip_result r)
{
	struct hisi_zip_stream *s = slot->op->stream;
	bool cut = slot->flags & HISI_ZIP_SLOT_F_CUT;
	bool finish = s->x.dir == HISI_ZIP_COMP && !cut &&
		slot->op->flush_flag == RTE_COMP_FLUSH_FINAL;

	switch (hisi_zip_result_stream(&s->state, sqe, s->x.dir, finish, r)) {
	case HISI_ZIP_DONE:
		/* Cut: the application shall send the rest, as after an overflow. */
		return cut ? RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE :
			RTE_COMP_OP_STATUS_SUCCESS;
	case HISI_ZIP_DONE_END:
		return RTE_COMP_OP_STATUS_SUCCESS;
	case HISI_ZIP_DONE_PART:
		return RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
	case HISI_ZIP_NO_SPACE:
		s->dead = true;
		return RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
	default:
		s->dead = true;
		return RTE_COMP_OP_STATUS_ERROR;
	}
}

/*
 * What was checked is what is used: results are not read again from the op, which others may see.
 * They go to what is not inlined as words: a struct would have to be put together for that, also
 * where nobody asks.
 */

/* Can these be the numbers of the request? If a function counts otherwise, that is said once. */
static bool
possible(const struct hisi_zip_slot *slot, struct hisi_zip_result r)
{
	return hisi_zip_result_possible(&slot->asked, slot->kind == HISI_ZIP_SLOT_COMP &&
		!(slot->flags & HISI_ZIP_SLOT_F_STATEFUL), r);
}

/*
 * Is it the function's fault that a stateless request ended like this, so that software may do
 * better? Of silicon we know only few statuses (U11). Not if the data is to blame.
 */
static bool
may_repeat(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		enum hisi_zip_outcome outcome, uint8_t status)
{
	const struct hisi_zip_xform *x = slot->op->private_xform;

	if (!qp->dev->sw || outcome == HISI_ZIP_DONE)
		return false;
	/*
	 * Plain silicon returns no prefix, and takes no destination below 16 bytes (ZIP 5.5);
	 * software can do both.
	 */
	if (outcome == HISI_ZIP_DONE_PART || outcome == HISI_ZIP_NO_SPACE)
		return x->words.dw10 == 0;
	if (x->words.dw10 == 0)
		return true;
	/* Memory that could not be registered (hisi_mem.c) is there for us. */
	if (status == HISI_ZIP_BAD_ADDR && qp->dev->hisi.info.mem_register)
		return true;
	return status < HISI_ZIP_BAD_DATA || status > HISI_ZIP_BAD_STREAM;
}

/* The status of a stateless op whose request ended like this. */
static uint8_t
status_of(enum hisi_zip_outcome outcome)
{
	switch (outcome) {
	case HISI_ZIP_DONE:
		return RTE_COMP_OP_STATUS_SUCCESS;
	case HISI_ZIP_DONE_PART:
		return RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
	case HISI_ZIP_NO_SPACE:
		return RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
	case HISI_ZIP_MISMATCH:
		return HISI_ZIP_STATUS_MISMATCH;
	default:
		return RTE_COMP_OP_STATUS_ERROR;
	}
}

/*
 * The answer cannot be true. Returns true if that is all of the op: it was done by software, or is
 * one of a plain function's stream; else its stream, if it has one, is still busy.
 */
static bool
finish_lie(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot, struct hisi_zip_result r,
		uint16_t sq_head, uint16_t cq_head)
{
	struct rte_comp_op *op = slot->op;

	HISI_ZIP_COUNT(qp->deq.hw_status[HISI_ZIP_HW_STATUS_OTHER], 1);
	if (!qp->lie.told) {
		qp->lie = (struct hisi_zip_lie){ .told = true, .request = *slot,
			.result = r, .sq_head = sq_head, .cq_head = cq_head };
	}
	if ((slot->flags & HISI_ZIP_SLOT_F_PLAIN) && (slot->flags & HISI_ZIP_SLOT_F_STATEFUL)) {
		hisi_zip_plain_stream_lie(qp, op);
		return true;
	}
	if (slot->flags & HISI_ZIP_SLOT_F_STATEFUL) {
		struct hisi_zip_stream *s = op->stream;

		s->dead = true;
	} else if (qp->dev->sw) {
		hisi_zip_sw_repeat(qp, op, HISI_ZIP_WHY_REPEATED);
		return true;
	}
	hisi_zip_op_fails(op, RTE_COMP_OP_STATUS_ERROR, 0);
	return false;
}

/*
 * Results of a request that is not a plain success; its numbers are in the op. Sets all
 * other fields but output_chksum, and that too if it returns true: software has repeated it, or
 * it is of a function without the extension. Of a stream of one it may not be the last one of
 * its op, whose slot is HISI_ZIP_SLOT_TRAILER then.
 */
static bool __rte_noinline
finish_other(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, const struct hisi_zip_sqe *sqe,
		uint32_t consumed, uint32_t produced, uint32_t dw3)
{
	struct hisi_zip_result r = { consumed, produced, dw3 };
	bool plain = slot->flags & HISI_ZIP_SLOT_F_PLAIN;
	uint8_t status = hisi_zip_result_status(r);
	struct rte_comp_op *op = slot->op;

	if (plain && (slot->flags & HISI_ZIP_SLOT_F_STATEFUL)) {
		HISI_ZIP_COUNT(qp->deq.hw_status[RTE_MIN(status, HISI_ZIP_HW_STATUS_OTHER)], 1);
		hisi_zip_plain_stream_end(qp, slot, sqe, r);
		return true;
	}
	op->debug_status = r.dw3;
	if (slot->flags & HISI_ZIP_SLOT_F_STATEFUL) {
		HISI_ZIP_COUNT(qp->deq.hw_status[RTE_MIN(status, HISI_ZIP_HW_STATUS_OTHER)], 1);
		op->status = finish_stateful(slot, sqe, r);
	} else {
		const struct hisi_zip_xform *x = op->private_xform;
		enum hisi_zip_outcome outcome;

		/* Of dw3 nobody knows what silicon has above the status (ZIP 5.1). */
		if (x->words.dw10 == 0)
			r.dw3 &= ~HISI_ZIP_EXT_DW3_PARTIAL;
		outcome = plain ? hisi_zip_plain_outcome(qp, slot, sqe, &r) :
			hisi_zip_result_outcome(slot->kind, r);
		/* That a trailer of ours does not match is as it should be. */
		if (plain && outcome == HISI_ZIP_DONE) {
			op->debug_status = 0;
			op->consumed = r.consumed;
			op->produced = r.produced;
		} else {
			HISI_ZIP_COUNT(qp->deq.hw_status[RTE_MIN(status,
				HISI_ZIP_HW_STATUS_OTHER)], 1);
		}
		if (may_repeat(qp, slot, outcome, status)) {
			hisi_zip_sw_repeat(qp, op, HISI_ZIP_WHY_REPEATED);
			return true;
		}
		op->status = status_of(outcome);
	}
	if (op->status != RTE_COMP_OP_STATUS_SUCCESS &&
			op->status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE) {
		hisi_zip_op_fails(op, op->status, op->debug_status);
	} else if (plain) {
		op->output_chksum = hisi_zip_plain_chksum(qp, slot, sqe, r);
		return true;
	}
	return false;
}

/* The checksum of an op, in compressdev's form: which one it is, its transform says. */
static inline uint64_t
output_chksum(const struct hisi_zip_slot *slot, const struct hisi_zip_sqe *sqe)
{
	const struct hisi_zip_stream *s = slot->op->stream;
	const struct hisi_zip_xform *x = slot->flags & HISI_ZIP_SLOT_F_STATEFUL ? &s->x :
		slot->op->private_xform;
	uint64_t ret = 0;

	if (slot->flags & HISI_ZIP_SLOT_F_UDC)
		return x->udc;

	if (x->words.dw10 & HISI_ZIP_EXT_ADLER32)
		ret = hisi_zip_result_adler32(sqe);
	if (x->words.dw10 & (HISI_ZIP_EXT_CRC32 | HISI_ZIP_EXT_XXH32))
		ret = ret << 32 | hisi_zip_result_crc32(sqe);
	return ret;
}

/*
 * What an op with flags needs beside; whole: its fields are all set. Returns whether one more
 * request has to follow.
 */
static bool __rte_noinline
take_rest(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot, struct hisi_zip_hwq *hwq,
		struct hisi_zip_sqe *sqe, bool whole)
{
	struct rte_comp_op *op = slot->op;

	if ((slot->flags & HISI_ZIP_SLOT_F_CHKSUM) && !whole)
		op->output_chksum = output_chksum(slot, sqe);
	if (slot->flags & HISI_ZIP_SLOT_F_SGL)
		rte_atomic_store_explicit(&hwq->sgl_head, slot->sgl_end,
			rte_memory_order_release);
	if (slot->flags & (HISI_ZIP_SLOT_F_CHKSUM | HISI_ZIP_SLOT_F_STATEFUL |
			HISI_ZIP_SLOT_F_DICT | HISI_ZIP_SLOT_F_PLAIN))
		hisi_zip_req_clear(sqe);
	if (slot->flags & HISI_ZIP_SLOT_F_VERIFY)
		hisi_zip_verify(qp, slot);
	/* Else its stream is not ours any more. */
	if ((slot->flags & HISI_ZIP_SLOT_F_STATEFUL) && !whole) {
		struct hisi_zip_stream *s = op->stream;

		/* Release: enqueue may use the state words again. Nothing of s follows. */
		rte_atomic_store_explicit(&s->busy, 0, rte_memory_order_release);
	}
	return slot->kind == HISI_ZIP_SLOT_TRAILER;
}

static inline bool
is_success(const struct hisi_zip_slot *slot, uint32_t dw3)
{
	return (dw3 & HISI_ZIP_STATUS_MASK) == HISI_ZIP_OK &&
		!(slot->flags & (HISI_ZIP_SLOT_F_STATEFUL | HISI_ZIP_SLOT_F_PLAIN));
}

static inline void
set_success(struct rte_comp_op *op)
{
	op->status = RTE_COMP_OP_STATUS_SUCCESS;
	op->debug_status = 0;
}

/* The same of numbers that are not the usual ones; they may be a lie. */
static bool __rte_noinline
finish_unusual(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, const struct hisi_zip_sqe *sqe,
		uint32_t consumed, uint32_t produced, uint32_t dw3, uint16_t sq_head,
		uint16_t cq_head)
{
	const struct hisi_zip_result r = { consumed, produced, dw3 };

	if (sq_head != cq_head || !possible(slot, r))
		return finish_lie(qp, slot, r, sq_head, cq_head);
	if (!is_success(slot, dw3))
		return finish_other(qp, slot, sqe, consumed, produced, dw3);
	set_success(slot->op);
	return false;
}

/*
 * The CQE at cq_head of the slot's queue is for this slot: move its result into
 * the op. Returns whether it is not at its end: the slot is HISI_ZIP_SLOT_TRAILER now.
 */
static __rte_always_inline bool
take_result(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct hisi_zip_hwq *hwq,
		const struct hisi_qm_ring *ring, uint16_t cq_head)
{
	struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(ring, cq_head);
	struct hisi_zip_result r = hisi_zip_result_read(sqe);
	const uint16_t *cq_sq_head = &ring->cq[cq_head].sq_head;
	uint16_t sq_head = rte_atomic_load_explicit((const uint16_t __rte_atomic *)cq_sq_head,
		rte_memory_order_relaxed);
	struct rte_comp_op *op = slot->op;
	bool whole = false;

	op->consumed = r.consumed;
	op->produced = r.produced;
	if (unlikely(sq_head != cq_head || !hisi_zip_result_usual(&slot->asked, r)))
		whole = finish_unusual(qp, slot, sqe, r.consumed, r.produced, r.dw3, sq_head,
			cq_head);
	else if (likely(is_success(slot, r.dw3)))
		set_success(op);
	else
		whole = finish_other(qp, slot, sqe, r.consumed, r.produced, r.dw3);
	if (likely(!whole))
		op->output_chksum = 0;
	return unlikely(slot->flags != 0) && take_rest(qp, slot, hwq, sqe, whole);
}

void
hisi_zip_slot_complete(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[slot->kind];
	struct hisi_qm_ring *ring = hwq->q.queue->ring;

	if (hisi_qm_cq_ready(ring, 1)) {
		/* Nothing follows: a queue that is stopped is asked nothing. */
		take_result(qp, slot, hwq, ring, ring->cq_head);
		hisi_qm_cq_skip(ring, 1);
		if (slot->kind == HISI_ZIP_SLOT_TRAILER)
			hisi_qm_cq_ring(ring);
		slot->kind = HISI_ZIP_SLOT_DONE;
	} else {
		hisi_zip_slot_lost(qp, slot);
	}
}

/* An op that goes back to the application: count it. */
static inline void
count_op(struct hisi_zip_qp *qp, const struct rte_comp_op *op)
{
	if (likely(op->status == RTE_COMP_OP_STATUS_SUCCESS))
		return;
	HISI_ZIP_COUNT(qp->deq.status[op->status % HISI_ZIP_OP_STATUSES], 1);
	HISI_ZIP_COUNT(qp->deq.errors, op->status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE);
}

uint16_t
hisi_zip_dequeue_burst(void *queue_pair, struct rte_comp_op **ops, uint16_t nb_ops)
{
	struct hisi_zip_qp *qp = queue_pair;
	uint16_t ready[HISI_ZIP_DIRS] = { 0 };
	uint16_t consumed[HISI_ZIP_DIRS] = { 0 };
	uint64_t bytes = 0;
	uint32_t head, waiting;
	uint16_t i = 0;

	if (unlikely(qp == NULL))
		return 0;
	head = qp->head;
	/* Acquire: slots before tail are ours to read. */
	waiting = rte_atomic_load_explicit(&qp->tail, rte_memory_order_acquire) - head;
	nb_ops = (uint16_t)RTE_MIN(nb_ops, waiting);

	while (i < nb_ops) {
		struct hisi_zip_slot *slot = &qp->slots[head & qp->mask];
		uint16_t kind = slot->kind, run, most, cq_head;
		struct hisi_zip_hwq *hwq;
		struct hisi_qm_ring *ring;

		if (unlikely(kind >= HISI_ZIP_DIRS)) {
			/* Those behind it wait: the order is kept. */
			if (kind == HISI_ZIP_SLOT_TRAILER && !hisi_zip_trailer_poll(qp, slot))
				break;
			if (slot->kind == HISI_ZIP_SLOT_SW)
				hisi_zip_sw_run(qp, slot->op);
			count_op(qp, slot->op);
			bytes += slot->op->produced;
			ops[i++] = slot->op;
			head++;
			continue;
		}
		hwq = &qp->hwq[kind];
		if (ready[kind] == 0) {
			ready[kind] = hisi_zip_results_ready(qp, hwq, nb_ops - i);
			if (ready[kind] == 0) {
				if (likely(!hwq->q.failed))
					break;
				hisi_zip_slot_lost(qp, slot);
				continue;
			}
		}
		/* As many slots of this direction as follow each other. */
		ring = hwq->q.queue->ring;
		cq_head = ring->cq_head;
		/* Counted when less was taken: more may be ready than was asked for. */
		most = RTE_MIN(ready[kind], nb_ops - i);
		run = 0;
		do {
			if (unlikely(take_result(qp, slot, hwq, ring, cq_head))) {
				hisi_qm_cq_skip(ring, 1);
				consumed[kind]++;
				ready[kind]--;
				break;
			}
			count_op(qp, slot->op);
			bytes += slot->op->produced;
			ops[i + run++] = slot->op;
			cq_head = (cq_head + 1) & ring->mask;
			slot = &qp->slots[(head + run) & qp->mask];
		} while (run < most && slot->kind == kind);
		hisi_qm_cq_skip(ring, run);
		consumed[kind] += run;
		ready[kind] -= run;
		head += run;
		i += run;
	}
	/*
	 * CQEs first: with the slots enqueue gets the right to have as many new ones
	 * written. There is room for those not acknowledged yet, see cq_pace.
	 */
	for (unsigned int dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct hisi_zip_hwq *hwq = &qp->hwq[dir];

		if (consumed[dir] == 0)
			continue;
		hwq->cq_due += consumed[dir];
		if (hwq->cq_due >= qp->cq_pace) {
			hwq->cq_due = 0;
			hisi_qm_cq_ring(hwq->q.queue->ring);
		}
	}
	if (i == 0) {
		if (nb_ops > 0 && ++qp->watch.polls % HISI_WATCH_POLLS == 0)
			hisi_zip_watch(qp);
		return 0;
	}
	/* Release: enqueue may fill these slots and their SQEs again. */
	rte_atomic_store_explicit(&qp->head, head, rte_memory_order_release);
	HISI_ZIP_COUNT(qp->deq.ops, i);
	HISI_ZIP_COUNT(qp->deq.bytes, bytes);
	return i;
}
