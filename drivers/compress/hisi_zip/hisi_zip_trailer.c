/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_zip_burst.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_plain_stream.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_trailer.h"

bool
hisi_zip_trailer_used(const struct hisi_zip_dev *dev)
{
	return dev->hisi.info.revision < HISI_QM_REV_V3 &&
		(rte_atomic_load_explicit(&dev->paths_on, rte_memory_order_relaxed) &
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP));
}

void
hisi_zip_trailer_init(struct hisi_zip_qp *qp)
{
	hisi_hwq_init(&qp->hwq[HISI_ZIP_SLOT_TRAILER].q, &(struct hisi_hwq_conf){
		.dev = &qp->dev->hisi,
		.type = HISI_ZIP_DECOMP,
		.depth = HISI_QM_RING_DEPTH_MIN,
		.socket = qp->socket,
		.owner_id = qp->id,
		.what = "trailer",
	});
}

uint16_t
hisi_zip_trailer_take(struct hisi_zip_qp *qp)
{
	struct hisi_hwq *hwq = &qp->hwq[HISI_ZIP_SLOT_TRAILER].q;

	return hwq->ring != NULL || hisi_hwq_take(hwq) == 0 ? HISI_ZIP_SLOT_F_TRAILER : 0;
}

bool
hisi_zip_trailer_ask(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot,
		const struct hisi_zip_stream_done *done)
{
	const struct hisi_hwq *hwq = &qp->hwq[HISI_ZIP_SLOT_TRAILER].q;
	struct hisi_zip_stream *s = slot->op->stream;
	struct hisi_zip_stream_plan plan;
	struct hisi_qm_ring *ring;
	struct hisi_zip_sqe *sqe;

	/* Only with the flag is it there, and not put before the op is back. */
	if (!(slot->flags & HISI_ZIP_SLOT_F_TRAILER) || hwq->failed ||
			qp->state == HISI_ZIP_QP_STOPPED ||
			!hisi_zip_stream_plan_trailer(s->plain, done, &plan))
		return false;
	s->plain->so_far = *done;
	hisi_zip_stream_begin(s->plain, &plan);
	ring = hwq->queue->ring;
	sqe = hisi_qm_sq_slot(ring, ring->sq_tail);
	hisi_zip_req_buffers(sqe, &slot->asked, s->ctx.iova + HISI_ZIP_STREAM_TRAILER_OFF,
		plan.src_len, s->ctx.iova + HISI_ZIP_STREAM_STORE_OFF, plan.dst_len);
	hisi_zip_req_words(sqe, &s->plain->words);
	hisi_zip_req_plain_stream(sqe, s->plain, s->name);
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
	slot->kind = HISI_ZIP_SLOT_TRAILER;
	/* Its time begins now, though it has been the oldest op before. */
	qp->watch.last = 0;
	return true;
}

bool
hisi_zip_trailer_poll(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[HISI_ZIP_SLOT_TRAILER];

	if (hisi_zip_results_ready(qp, hwq, 1) != 0)
		hisi_zip_slot_complete(qp, slot);
	else if (hwq->q.failed)
		hisi_zip_slot_lost(qp, slot);
	else
		return false;
	return true;
}
