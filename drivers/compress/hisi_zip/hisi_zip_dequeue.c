/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_branch_prediction.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_burst.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_plain.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_stateful.h"
#include "hisi_zip_sw.h"
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
 * Results go to what is not inlined as words, or in the op: a struct would have to be put together
 * for that, also where nobody asks.
 */
static inline struct hisi_zip_result
result_in(const struct rte_comp_op *op, uint32_t dw3)
{
	return (struct hisi_zip_result){
		.consumed = op->consumed, .produced = op->produced, .dw3 = dw3,
	};
}

/* Can these be the numbers of the request? If a function counts otherwise, that is said once. */
static bool __rte_noinline
possible(const struct hisi_zip_slot *slot, uint32_t dw3)
{
	return hisi_zip_result_possible(&slot->asked, slot->kind == HISI_ZIP_SLOT_COMP &&
		!(slot->flags & HISI_ZIP_SLOT_F_STATEFUL), result_in(slot->op, dw3));
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
 * The answer, whose numbers are in the op, cannot be true. Returns true if all fields
 * of the op are set, by software; else all but output_chksum are.
 */
static bool __rte_noinline
finish_lie(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot, uint32_t dw3,
		uint16_t sq_head, uint16_t cq_head)
{
	struct rte_comp_op *op = slot->op;

	HISI_ZIP_COUNT(qp->deq.hw_status[HISI_ZIP_HW_STATUS_OTHER], 1);
	if (!qp->lie.told) {
		qp->lie = (struct hisi_zip_lie){ .told = true, .request = *slot,
			.result = result_in(op, dw3), .sq_head = sq_head, .cq_head = cq_head };
	}
	if ((slot->flags & HISI_ZIP_SLOT_F_PLAIN) && (slot->flags & HISI_ZIP_SLOT_F_STATEFUL)) {
		hisi_zip_stateful_lie(qp, op);
		return true;
	}
	if (slot->flags & HISI_ZIP_SLOT_F_STATEFUL) {
		struct hisi_zip_stream *s = op->stream;

		s->dead = true;
	} else if (qp->dev->sw) {
		hisi_zip_sw_repeat(qp, op, HISI_ZIP_WHY_REPEATED);
		return true;
	}
	op->status = RTE_COMP_OP_STATUS_ERROR;
	op->consumed = 0;
	op->produced = 0;
	op->debug_status = 0;
	return false;
}

/*
 * Results of a request that is not a plain success; its numbers are in the op. Sets all
 * other fields but output_chksum, and that too if it returns true: software has repeated it, or
 * it is of a function without the extension.
 */
static bool __rte_noinline
finish_other(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe, uint32_t dw3)
{
	struct hisi_zip_result r = result_in(slot->op, dw3);
	bool plain = slot->flags & HISI_ZIP_SLOT_F_PLAIN;
	uint8_t status = hisi_zip_result_status(r);
	struct rte_comp_op *op = slot->op;

	if (plain && (slot->flags & HISI_ZIP_SLOT_F_STATEFUL)) {
		HISI_ZIP_COUNT(qp->deq.hw_status[RTE_MIN(status, HISI_ZIP_HW_STATUS_OTHER)], 1);
		hisi_zip_stateful_end(qp, op, sqe, dw3);
		return true;
	}
	op->debug_status = dw3;
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
		op->consumed = 0;
		op->produced = 0;
	} else if (plain) {
		op->output_chksum = hisi_zip_plain_chksum(slot, sqe);
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

/* What an op with flags needs beside; whole: its fields are all set. */
static void __rte_noinline
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
}

/*
 * The CQE at cq_head of the slot's queue is for this slot: move its result into
 * the op.
 */
static inline void
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
	if (unlikely(sq_head != cq_head ||
			(!hisi_zip_result_usual(&slot->asked, r) && !possible(slot, r.dw3)))) {
		whole = finish_lie(qp, slot, r.dw3, sq_head, cq_head);
	} else if (likely(hisi_zip_result_status(r) == HISI_ZIP_OK &&
			!(slot->flags & (HISI_ZIP_SLOT_F_STATEFUL | HISI_ZIP_SLOT_F_PLAIN)))) {
		op->status = RTE_COMP_OP_STATUS_SUCCESS;
		op->debug_status = 0;
	} else {
		whole = finish_other(qp, slot, sqe, r.dw3);
	}
	if (likely(!whole))
		op->output_chksum = 0;
	if (unlikely(slot->flags != 0))
		take_rest(qp, slot, hwq, sqe, whole);
}

void
hisi_zip_slot_complete(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[slot->kind];
	struct hisi_qm_ring *ring = hwq->q.queue->ring;

	if (hisi_qm_cq_ready(ring, 1)) {
		take_result(qp, slot, hwq, ring, ring->cq_head);
		hisi_qm_cq_skip(ring, 1);
		slot->kind = HISI_ZIP_SLOT_DONE;
	} else {
		hisi_zip_slot_lost(qp, slot);
	}
}

/* Results that wait in a queue, up to max; executes requests if no worker does. */
static inline uint16_t
results_ready(const struct hisi_zip_qp *qp, const struct hisi_zip_hwq *hwq, uint16_t max)
{
	const struct hisi_qm_ring *ring = hwq->q.queue->ring;
	uint16_t n = hisi_qm_cq_ready(ring, max);

	if (n == 0 && qp->polled && !hwq->q.failed && spim_queue_poll(hwq->q.queue, max) > 0)
		n = hisi_qm_cq_ready(ring, max);
	return n;
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
			if (kind == HISI_ZIP_SLOT_SW)
				hisi_zip_sw_run(qp, slot->op);
			count_op(qp, slot->op);
			bytes += slot->op->produced;
			ops[i++] = slot->op;
			head++;
			continue;
		}
		hwq = &qp->hwq[kind];
		if (ready[kind] == 0) {
			ready[kind] = results_ready(qp, hwq, nb_ops - i);
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
			take_result(qp, slot, hwq, ring, cq_head);
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
	if (i == 0) {
		if (nb_ops > 0 && ++qp->watch.polls % HISI_WATCH_POLLS == 0) {
			hisi_zip_watch(qp);
			hisi_zip_paths_tell(qp->dev);
		}
		return 0;
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
	/* Release: enqueue may fill these slots and their SQEs again. */
	rte_atomic_store_explicit(&qp->head, head, rte_memory_order_release);
	HISI_ZIP_COUNT(qp->deq.ops, i);
	HISI_ZIP_COUNT(qp->deq.bytes, bytes);
	return i;
}
