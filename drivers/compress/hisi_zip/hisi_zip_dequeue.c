/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_branch_prediction.h>

#include "hisi_zip_pmd.h"

/*
 * Results of a stateful request: keep the state words for the next one, and
 * tell the application's three outcomes apart (ZIP 5.4, 5.6, 5.8).
 */
static uint8_t
finish_stateful(const struct hisi_zip_slot *slot, const struct hisi_zip_sqe *sqe, uint32_t dw3)
{
	struct hisi_zip_stream *s = slot->op->stream;
	uint32_t status = dw3 & HISI_ZIP_STATUS_MASK;
	bool cut = slot->flags & HISI_ZIP_SLOT_F_CUT;
	/* Read once, as in take_result(). */
	uint32_t ctx_dw0 = __atomic_load_n(&sqe->ctx_dw0, __ATOMIC_RELAXED);
	uint32_t ctx_st = ctx_dw0 & HISI_ZIP_CTX_ST_MASK;

	s->ctx_dw0 = ctx_dw0;
	s->ctx_dw1 = sqe->ctx_dw1;
	s->ctx_dw2 = sqe->ctx_dw2;
	s->isize = sqe->isize;
	s->checksum = sqe->checksum;
	switch (status) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGACOMPRESS:
		s->started = true;
		if (s->x.dir == HISI_ZIP_DECOMP && (ctx_st == HISI_ZIP_CTX_NO_SPACE ||
				ctx_st == HISI_ZIP_CTX_DECOMPING_NO_SPACE))
			return RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
		if (cut) /* the application shall send the rest, as after an overflow */
			return RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
		/* A finished stream starts afresh with the next op. */
		if (s->x.dir == HISI_ZIP_COMP && slot->op->flush_flag == RTE_COMP_FLUSH_FINAL)
			s->started = false;
		return RTE_COMP_OP_STATUS_SUCCESS;
	case HISI_ZIP_DECOMP_END:
		s->started = false;
		return RTE_COMP_OP_STATUS_SUCCESS;
	case HISI_ZIP_DSTLEN_OUT:
		if (dw3 & HISI_ZIP_EXT_DW3_PARTIAL) {
			s->started = true;
			return RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
		}
		s->dead = true;
		return RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
	default:
		s->dead = true;
		return RTE_COMP_OP_STATUS_ERROR;
	}
}

/* As possible(), for what is not plainly so. */
static bool __rte_noinline
possible_other(const struct hisi_zip_slot *slot, uint32_t consumed, uint32_t produced,
		uint32_t dw3)
{
	uint32_t status = dw3 & HISI_ZIP_STATUS_MASK;

	if (consumed > slot->src_len || produced > slot->dst_len)
		return false;
	/*
	 * A successful compression consumes all input and produces output. A function that
	 * counts otherwise (U16) would have each of them repeated: that is said
	 * (hisi_zip_lie_log()).
	 */
	if ((status == HISI_ZIP_OK || status == HISI_ZIP_NEGACOMPRESS) &&
			slot->kind == HISI_ZIP_SLOT_COMP &&
			!(slot->flags & HISI_ZIP_SLOT_F_STATEFUL))
		return consumed == slot->src_len && produced != 0;
	return true;
}

/*
 * Can these be the numbers of a request of that length, with that much room? Both come
 * from the slot, which no device sees: it could write to those in the SQE.
 */
static inline bool
possible(const struct hisi_zip_slot *slot, uint32_t consumed, uint32_t produced, uint32_t dw3)
{
	/* `produced - 1` wraps for 0, which the slow path checks. */
	if (likely(consumed == slot->src_len && produced - 1 < slot->dst_len))
		return true;
	return possible_other(slot, consumed, produced, dw3);
}

/*
 * Is a status that is an error the function's fault, so that software may do better?
 * Of silicon we know only few of them (U11). Not if the data is to blame.
 */
static bool
may_repeat(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot, uint32_t status)
{
	if (!qp->dev->args.sw || (slot->flags & HISI_ZIP_SLOT_F_STATEFUL))
		return false;
	if (qp->dev->info.ext_features == 0)
		return true;
	/* Memory that could not be announced (hisi_zip_mem.c) is there for us. */
	if (status == HISI_ZIP_BAD_ADDR && qp->dev->info.announce)
		return true;
	return status < HISI_ZIP_BAD_DATA || status > HISI_ZIP_BAD_STREAM;
}

/*
 * The answer, whose numbers are in the op, cannot be true. Returns true if software has
 * set all fields of the op.
 */
static bool __rte_noinline
finish_lie(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot, uint32_t dw3,
		uint16_t sq_head, uint16_t cq_head)
{
	struct rte_comp_op *op = slot->op;

	HISI_ZIP_COUNT(qp->deq.hw_status[HISI_ZIP_HW_STATUS_OTHER], 1);
	if (!qp->lie.told) {
		qp->lie = (struct hisi_zip_lie){ .told = true, .request = *slot, .dw3 = dw3,
			.consumed = op->consumed, .produced = op->produced,
			.sq_head = sq_head, .cq_head = cq_head };
	}
	if (slot->flags & HISI_ZIP_SLOT_F_STATEFUL) {
		struct hisi_zip_stream *s = op->stream;

		s->dead = true;
	} else if (qp->dev->args.sw) {
		hisi_zip_sw_repeat(qp, op);
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
 * other fields but output_chksum, and that too if it returns true, because software has
 * repeated it.
 */
static bool __rte_noinline
finish_other(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe, uint32_t dw3)
{
	struct rte_comp_op *op = slot->op;
	uint32_t status = dw3 & HISI_ZIP_STATUS_MASK;

	HISI_ZIP_COUNT(qp->deq.hw_status[RTE_MIN(status, (uint32_t)HISI_ZIP_HW_STATUS_OTHER)], 1);
	op->debug_status = dw3;
	if (slot->flags & HISI_ZIP_SLOT_F_STATEFUL) {
		op->status = finish_stateful(slot, sqe, dw3);
	} else if (status == HISI_ZIP_OK || status == HISI_ZIP_NEGACOMPRESS) {
		op->status = RTE_COMP_OP_STATUS_SUCCESS;
	} else if (status == HISI_ZIP_DSTLEN_OUT) {
		const struct hisi_zip_xform *x = op->private_xform;

		if (x->dw10 == 0 && qp->dev->args.sw) {
			/*
			 * Plain silicon returns no prefix, and takes no destination below
			 * 16 bytes (ZIP 5.5); software can do both.
			 */
			hisi_zip_sw_repeat(qp, op);
			return true;
		}
		op->status = (dw3 & HISI_ZIP_EXT_DW3_PARTIAL) && op->consumed > 0 ?
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE :
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
	} else if (may_repeat(qp, slot, status)) {
		hisi_zip_sw_repeat(qp, op);
		return true;
	} else {
		op->status = status == HISI_ZIP_CRC_ERR ? HISI_ZIP_STATUS_MISMATCH :
			RTE_COMP_OP_STATUS_ERROR;
	}
	if (op->status != RTE_COMP_OP_STATUS_SUCCESS &&
			op->status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE) {
		op->consumed = 0;
		op->produced = 0;
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

	if (x->dw10 & HISI_ZIP_EXT_ADLER32)
		ret = sqe->isize;
	if (x->dw10 & (HISI_ZIP_EXT_CRC32 | HISI_ZIP_EXT_XXH32))
		ret = ret << 32 | sqe->checksum;
	return ret;
}

/*
 * Set the words to 0 again that only some requests use: enqueue relies on them
 * for all others, which are spared seven stores each that way.
 */
static void
clear_words(struct hisi_zip_sqe *sqe)
{
	sqe->dw11 = 0;
	sqe->dw12 = 0;
	sqe->dw13 = 0;
	sqe->dw24 = 0;
	sqe->dw25 = 0;
	sqe->ctx_dw0 = 0;
	hisi_zip_sqe_ctx(sqe, 0);
	sqe->ctx_dw1 = 0;
	sqe->ctx_dw2 = 0;
	sqe->isize = 0;
	sqe->checksum = 0;
}

/*
 * The CQE at cq_head of the slot's queue is for this slot: move its result into
 * the op.
 */
static inline void
take_result(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot, struct hisi_zip_hwq *hwq,
		uint16_t cq_head)
{
	const struct hisi_qm_ring *ring = &hwq->queue->qp.ring;
	struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(ring, cq_head);
	/* Read once: what was checked is what the op gets, if the device goes on writing. */
	uint32_t consumed = __atomic_load_n(&sqe->consumed, __ATOMIC_RELAXED);
	uint32_t produced = __atomic_load_n(&sqe->produced, __ATOMIC_RELAXED);
	uint32_t dw3 = __atomic_load_n(&sqe->dw3, __ATOMIC_RELAXED);
	uint16_t sq_head = __atomic_load_n(&ring->cq[cq_head].sq_head, __ATOMIC_RELAXED);
	struct rte_comp_op *op = slot->op;
	bool repeated = false;

	op->consumed = consumed;
	op->produced = produced;
	if (unlikely(sq_head != cq_head || !possible(slot, consumed, produced, dw3))) {
		repeated = finish_lie(qp, slot, dw3, sq_head, cq_head);
	} else if (likely((dw3 & HISI_ZIP_STATUS_MASK) == HISI_ZIP_OK &&
			!(slot->flags & HISI_ZIP_SLOT_F_STATEFUL))) {
		op->status = RTE_COMP_OP_STATUS_SUCCESS;
		op->debug_status = 0;
	} else {
		repeated = finish_other(qp, slot, sqe, dw3);
	}
	if (likely(!repeated))
		op->output_chksum = 0;
	if (unlikely(slot->flags != 0)) {
		if ((slot->flags & HISI_ZIP_SLOT_F_CHKSUM) && !repeated)
			op->output_chksum = output_chksum(slot, sqe);
		if (slot->flags & HISI_ZIP_SLOT_F_SGL)
			__atomic_store_n(&hwq->sgl_head, slot->sgl_end, __ATOMIC_RELEASE);
		if (slot->flags & (HISI_ZIP_SLOT_F_CHKSUM | HISI_ZIP_SLOT_F_STATEFUL |
				HISI_ZIP_SLOT_F_DICT))
			clear_words(sqe);
		if (slot->flags & HISI_ZIP_SLOT_F_STATEFUL) {
			struct hisi_zip_stream *s = op->stream;

			/* Release: enqueue may use the state words again. Nothing of s follows. */
			__atomic_store_n(&s->busy, 0, __ATOMIC_RELEASE);
		}
	}
}

void
hisi_zip_slot_complete(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[slot->kind];

	if (hisi_qm_cq_ready(&hwq->queue->qp.ring, 1)) {
		take_result(qp, slot, hwq, hwq->queue->qp.ring.cq_head);
		hisi_qm_cq_skip(&hwq->queue->qp.ring, 1);
		slot->kind = HISI_ZIP_SLOT_DONE;
	} else {
		hisi_zip_slot_lost(qp, slot);
	}
}

/* Results that wait in a queue, up to max; runs the engine if nobody else does. */
static inline uint16_t
results_ready(const struct hisi_zip_qp *qp, const struct hisi_zip_hwq *hwq, uint16_t max)
{
	const struct hisi_qm_ring *ring = &hwq->queue->qp.ring;
	uint16_t n = hisi_qm_cq_ready(ring, max);

	if (n == 0 && qp->polled && !hwq->failed && spim_queue_poll(hwq->queue, max) > 0)
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
	uint32_t head;
	uint16_t i = 0;

	if (unlikely(qp == NULL))
		return 0;
	head = qp->head;
	/* Acquire: slots before tail are ours to look at. */
	nb_ops = (uint16_t)RTE_MIN(nb_ops, __atomic_load_n(&qp->tail, __ATOMIC_ACQUIRE) - head);

	while (i < nb_ops) {
		struct hisi_zip_slot *slot = &qp->slots[head & qp->mask];
		uint16_t kind = slot->kind, run, most, cq_head;
		struct hisi_zip_hwq *hwq;

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
				if (likely(!hwq->failed))
					break;
				hisi_zip_slot_lost(qp, slot);
				continue;
			}
		}
		/* As many slots of this direction as follow each other. */
		cq_head = hwq->queue->qp.ring.cq_head;
		/* Counted when less was taken: more may be ready than was asked for. */
		most = RTE_MIN(ready[kind], nb_ops - i);
		run = 0;
		do {
			take_result(qp, slot, hwq, cq_head);
			count_op(qp, slot->op);
			bytes += slot->op->produced;
			ops[i + run++] = slot->op;
			cq_head = (cq_head + 1) & hwq->queue->qp.ring.mask;
			slot = &qp->slots[(head + run) & qp->mask];
		} while (run < most && slot->kind == kind);
		hisi_qm_cq_skip(&hwq->queue->qp.ring, run);
		consumed[kind] += run;
		ready[kind] -= run;
		head += run;
		i += run;
	}
	if (i == 0) {
		if (nb_ops > 0 && ++qp->watch.polls % HISI_ZIP_WATCH_POLLS == 0)
			hisi_zip_watch(qp);
		return 0;
	}

	/*
	 * CQEs first: with the slots enqueue gets the right to have as many new ones
	 * written. There is room for those not given back yet, see cq_pace.
	 */
	for (unsigned int dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct hisi_zip_hwq *hwq = &qp->hwq[dir];

		if (consumed[dir] == 0)
			continue;
		hwq->cq_due += consumed[dir];
		if (hwq->cq_due >= qp->cq_pace) {
			hwq->cq_due = 0;
			hisi_qm_cq_ring(&hwq->queue->qp.ring);
		}
	}
	/* Release: enqueue may fill these slots and their SQEs again. */
	__atomic_store_n(&qp->head, head, __ATOMIC_RELEASE);
	HISI_ZIP_COUNT(qp->deq.ops, i);
	HISI_ZIP_COUNT(qp->deq.bytes, bytes);
	return i;
}
