/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_zip_answer.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_log.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_plain_stream.h"
#include "hisi_zip_wrong.h"
#include "hisi_zip_xform.h"

void
hisi_zip_lie_log(struct hisi_zip_qp *qp)
{
	const struct hisi_zip_lie *lie = &qp->lie;
	const struct hisi_zip_slot *request = &lie->request;
	bool stateful = request->flags & HISI_ZIP_SLOT_F_STATEFUL;
	bool software = qp->dev->sw && (!stateful || (request->flags & HISI_ZIP_SLOT_F_PLAIN));

	if (!lie->told || lie->logged)
		return;
	qp->lie.logged = true;
	HISI_ZIP_LOG(ERR, "%s: queue pair %u: an answer cannot be true: status 0x%x, consumed %u, "
		"produced %u, for slot %u, expected of this %s: consumed %s%u, produced up to %u, "
		"for slot %u; such ops %s; said once", qp->dev->hisi.name, qp->id,
		lie->result.dw3, lie->result.consumed, lie->result.produced, lie->sq_head,
		request->kind == HISI_ZIP_SLOT_COMP ? "compression" : "decompression",
		request->kind == HISI_ZIP_SLOT_COMP && !stateful ? "" : "up to ",
		request->asked.src_len, request->asked.dst_len, lie->cq_head,
		!software ? "end with an error" : stateful ?
		"are done in software where it can go on" : "are done in software");
}

void
hisi_zip_watch(struct hisi_zip_qp *qp)
{
	uint16_t kind = qp->slots[qp->head & qp->mask].kind;
	struct hisi_hwq *hwq = &qp->hwq[kind].q;
	enum hisi_watch_found found;

	hisi_zip_lie_log(qp);
	hisi_zip_paths_tell(qp->dev);
	/*
	 * Where software does what the function cannot, it goes on without one. So it does if a
	 * successor might execute what only the old function was asked for.
	 */
	found = hisi_hwq_watch(hwq, &qp->watch, qp->head, !qp->dev->sw ? HISI_WATCH_WAIT :
		qp->dev->asks ? HISI_WATCH_FAIL : HISI_WATCH_RESTART,
		kind == HISI_ZIP_SLOT_TRAILER ? "before the end of their streams" :
		qp->dev->sw ? "from software" : "with an error");
	if (found == HISI_WATCH_NOTHING)
		return;
	if (found == HISI_WATCH_RESTARTED) {
		HISI_ZIP_COUNT(qp->deq.restarts, 1);
		/*
		 * Nothing else can do what is in flight; what follows needs one that was asked, in
		 * each direction: a queue that has nothing in flight learns of it only here.
		 */
		for (unsigned int i = 0; i < HISI_ZIP_HWQS && qp->dev->asks; i++)
			rte_atomic_store_explicit(&qp->hwq[i].q.outdated, 1,
				rte_memory_order_release);
	} else {
		HISI_ZIP_COUNT(qp->deq.fails[found], 1);
	}
	/*
	 * After "failed" or "outdated": who sees the state reads that. With the fence in
	 * hisi_zip_renew() either that finds it, or our state comes after its own.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	rte_atomic_store_explicit(&qp->state, HISI_ZIP_QP_FAILING, rte_memory_order_release);
}

/* Can software do the op of a request that was lost? */
static bool
can_go_on(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot)
{
	struct hisi_zip_stream *s = slot->op->stream;

	if ((slot->flags & HISI_ZIP_SLOT_F_PLAIN) && (slot->flags & HISI_ZIP_SLOT_F_STATEFUL)) {
		if (s->sw != NULL)
			hisi_zip_stream_lost(s->plain);
		return hisi_zip_plain_stream_replace(s, s->plain->plan.delivered);
	}
	return qp->dev->sw && !(slot->flags & HISI_ZIP_SLOT_F_STATEFUL);
}

void
hisi_zip_slot_lost(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot)
{
	struct hisi_hwq *hwq = &qp->hwq[slot->kind].q;
	bool stateful = slot->flags & HISI_ZIP_SLOT_F_STATEFUL;
	struct rte_comp_op *op = slot->op;

	HISI_ZIP_COUNT(qp->deq.lost, 1);
	/* A result that came after all would be taken for that of the next op. */
	hisi_qm_cq_close(hwq->queue->ring);
	/* The source is as it was; the destination is ours, unless the device still writes. */
	if (!hwq->stuck && can_go_on(qp, slot)) {
		HISI_ZIP_COUNT(qp->deq.repeated, 1);
		HISI_ZIP_COUNT(qp->deq.why[HISI_ZIP_WHY_LOST], 1);
		slot->kind = HISI_ZIP_SLOT_SW;
		return;
	}
	if (!hwq->stuck && slot->kind == HISI_ZIP_SLOT_TRAILER) {
		hisi_zip_plain_stream_part(op);
		slot->kind = HISI_ZIP_SLOT_DONE;
		return;
	}
	slot->kind = HISI_ZIP_SLOT_DONE;
	hisi_zip_op_fails(op, RTE_COMP_OP_STATUS_ERROR, 0);
	if (stateful) {
		struct hisi_zip_stream *s = op->stream;

		s->dead = true;
		/* State, history and store are what it may still write to. */
		if (hwq->stuck)
			s->ctx_owed = true;
		rte_atomic_store_explicit(&s->busy, 0, rte_memory_order_release);
	}
}

void
hisi_zip_renew(struct hisi_zip_qp *qp)
{
	/* Acquire: what dequeue did with the queues of ops that are back. */
	uint32_t head = rte_atomic_load_explicit(&qp->head, rte_memory_order_acquire);
	bool waiting = false;

	/* First, so that a failure that comes meanwhile is not lost. */
	rte_atomic_store_explicit(&qp->state, HISI_ZIP_QP_RUNNING, rte_memory_order_release);
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	for (unsigned int i = 0; i < HISI_ZIP_HWQS; i++)
		waiting |= hisi_hwq_renew(&qp->hwq[i].q, head, qp->tail);
	if (!hisi_zip_paths_again(qp->dev) || waiting)
		rte_atomic_store_explicit(&qp->state, HISI_ZIP_QP_FAILING,
			rte_memory_order_release);
}
