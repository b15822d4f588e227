/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_cycles.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_log.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_xform.h"

/*
 * Hardware queues that fail. An op that was accepted comes back whatever happens:
 *
 *   dequeue   finds the oldest op without a result for too long (hisi_zip_watch),
 *             has the queue stopped, so that nothing writes to its ops any more,
 *             and sets "failed". From then on ops of this queue that have no result
 *             come back without one (hisi_zip_slot_lost).
 *             A queue of a service that was killed is started again on its successor
 *             instead, with what is in it.
 *   enqueue   may have been filling the rings meanwhile: those ops are lost as
 *             well. With its next burst it sees the state, submits nothing more to
 *             the queue (hisi_zip_renew), and once all ops are back gives it away.
 *             The next op takes another one.
 */

/* The function is asked whether it is there each time it was silent for so long, in ms. */
#define CHECK_MS 10u

/*
 * A look at the clock counts for an eighth of the time that is allowed at most:
 * the process may have been stopped meanwhile, or the application may have had
 * better things to do. So no queue fails before 8 looks.
 */
#define LOOK_SHARE 8u

static void
queue_fail(struct hisi_zip_qp *qp, struct hisi_zip_hwq *hwq, int why, uint64_t silent_ms)
{
	static const char *const names[HISI_ZIP_FAILS] = {
		[HISI_ZIP_FAIL_STALLED] = "is silent",
		[HISI_ZIP_FAIL_RESET] = "was lost in a reset",
		[HISI_ZIP_FAIL_GONE] = "has gone with its function",
	};
	struct hisi_zip_dev *dev = qp->dev;
	enum hisi_zip_fail fail;
	int ret;

	ret = spim_queue_abort(dev->hisi.spim, hwq->queue);
	if (why == -ENODEV || why == -ENOTCONN || ret == -ENODEV)
		fail = HISI_ZIP_FAIL_GONE;
	else
		fail = why == -ESTALE ? HISI_ZIP_FAIL_RESET : HISI_ZIP_FAIL_STALLED;
	/* A function without threads writes only while we poll it. */
	hwq->stuck = ret != 0 && ret != -ENODEV && !qp->polled;
	HISI_ZIP_COUNT(qp->deq.fails[fail], 1);
	HISI_ZIP_LOG(ERR, "%s: queue pair %u: hardware queue %d %s: no answer for %u ms, stopped "
		"with %d, expected 0; its ops come back %s", dev->hisi.name, qp->id, hwq->qn,
		names[fail], (unsigned int)silent_ms, ret,
		hwq->stuck ? "with an error, its memory is not used again" :
		dev->sw ? "from software" : "with an error");
	/*
	 * Before the state: who sees that looks for this. With the fence in hisi_zip_renew()
	 * either that finds it, or our state comes after its own.
	 */
	rte_atomic_store_explicit(&hwq->failed, 1, rte_memory_order_release);
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	rte_atomic_store_explicit(&qp->state, HISI_ZIP_QP_FAILING, rte_memory_order_release);
}

/*
 * The service is gone. Where software does what the function cannot, it goes on
 * if there is no other one at once; else ops wait until there is one. Returns
 * whether the queue need not fail.
 */
static bool
queue_restart(struct hisi_zip_qp *qp, struct hisi_zip_hwq *hwq)
{
	struct hisi_zip_dev *dev = qp->dev;

	/* Its last words came between dequeue's look and ours: dequeue takes them first. */
	if (hisi_qm_cq_ready(hwq->queue->ring, 1) != 0)
		return true;
	if (spim_queue_restart(dev->hisi.spim, hwq->queue) == 0) {
		HISI_ZIP_COUNT(qp->deq.restarts, 1);
		qp->watch.silent = qp->watch.checked = 0;
		return true;
	}
	return !dev->sw;
}

void
hisi_zip_lie_log(struct hisi_zip_qp *qp)
{
	const struct hisi_zip_lie *lie = &qp->lie;
	const struct hisi_zip_slot *request = &lie->request;
	bool stateful = request->flags & HISI_ZIP_SLOT_F_STATEFUL;

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
		qp->dev->sw && !stateful ? "are done in software" : "end with an error");
}

void
hisi_zip_watch(struct hisi_zip_qp *qp)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[qp->slots[qp->head & qp->mask].kind];
	uint64_t per_ms = rte_get_tsc_hz() / 1000, now = rte_rdtsc(), look_max, timeout;
	struct hisi_zip_watch *w = &qp->watch;
	int ret;

	hisi_zip_lie_log(qp);
	if (w->head != qp->head) {
		/* Another op is the oldest now: its time begins. */
		w->head = qp->head;
		w->last = now;
		w->silent = w->checked = 0;
		return;
	}
	timeout = qp->dev->hisi.args.timeout_ms * per_ms;
	look_max = (timeout != 0 ? timeout : HISI_TIMEOUT_MS * per_ms) / LOOK_SHARE;
	w->silent += RTE_MIN(now - w->last, look_max);
	w->last = now;
	if (w->silent - w->checked < CHECK_MS * per_ms)
		return;
	w->checked = w->silent;
	ret = spim_queue_check(qp->dev->hisi.spim, hwq->queue);
	if (ret == -ENOTCONN && queue_restart(qp, hwq))
		return;
	if (ret != 0 || (timeout != 0 && w->silent >= timeout))
		queue_fail(qp, hwq, ret, w->silent / per_ms);
}

void
hisi_zip_slot_lost(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[slot->kind];
	bool stateful = slot->flags & HISI_ZIP_SLOT_F_STATEFUL;
	struct rte_comp_op *op = slot->op;

	HISI_ZIP_COUNT(qp->deq.lost, 1);
	/* A result that came after all would be taken for that of the next op. */
	hisi_qm_cq_close(hwq->queue->ring);
	/* The source is as it was; the destination is ours, unless the device still writes. */
	if (qp->dev->sw && !stateful && !hwq->stuck) {
		HISI_ZIP_COUNT(qp->deq.repeated, 1);
		slot->kind = HISI_ZIP_SLOT_SW;
		return;
	}
	slot->kind = HISI_ZIP_SLOT_DONE;
	op->status = RTE_COMP_OP_STATUS_ERROR;
	op->consumed = 0;
	op->produced = 0;
	op->output_chksum = 0;
	op->debug_status = 0;
	if (stateful) {
		struct hisi_zip_stream *s = op->stream;

		s->dead = true;
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
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct hisi_zip_hwq *hwq = &qp->hwq[dir];

		if (!rte_atomic_load_explicit(&hwq->failed, rte_memory_order_acquire))
			continue;
		if (hwq->ring != NULL) {
			hwq->ring = NULL;
			hwq->fail_end = qp->tail;
		}
		if ((int32_t)(head - hwq->fail_end) >= 0)
			hisi_zip_hwq_put(qp, dir);
		else
			waiting = true;
	}
	if (waiting)
		rte_atomic_store_explicit(&qp->state, HISI_ZIP_QP_FAILING,
			rte_memory_order_release);
}
