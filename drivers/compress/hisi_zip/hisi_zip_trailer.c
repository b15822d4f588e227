/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include <rte_pause.h>

#include "base_clock.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_trailer.h"

/* Four bytes take some microseconds; other queues may be served first. */
#define ANSWER_MS 100
#define DEPTH     HISI_QM_RING_DEPTH_MIN

void
hisi_zip_trailer_take(struct hisi_zip_qp *qp)
{
	if (qp->trailer_tried)
		return;
	qp->trailer_tried = true;
	if (hisi_dev_queue_take(&qp->dev->hisi, HISI_ZIP_DECOMP, DEPTH, &qp->trailer) != 0)
		qp->trailer = NULL;
}

void
hisi_zip_trailer_put(struct hisi_zip_qp *qp)
{
	if (qp->trailer != NULL)
		hisi_dev_queue_put(&qp->dev->hisi, qp->trailer, false);
	qp->trailer = NULL;
	qp->trailer_tried = false;
}

/* Submit what is in the slot at the tail, and wait. */
static int
wait_trailer(const struct hisi_zip_qp *qp)
{
	struct hisi_qm_ring *ring = qp->trailer->ring;
	uint64_t deadline = base_now_ms() + ANSWER_MS;

	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
	while (hisi_qm_cq_ready(ring, 1) == 0) {
		if (qp->polled)
			spim_queue_poll(qp->trailer, 1);
		if (hisi_qm_cq_ready(ring, 1) == 0 && base_now_ms() > deadline)
			return -ETIMEDOUT;
		rte_pause();
	}
	return 0;
}

int
hisi_zip_trailer_ask(struct hisi_zip_qp *qp, struct hisi_zip_stream *s,
		enum hisi_zip_outcome *outcome, struct hisi_zip_stream_done *done)
{
	const struct hisi_zip_stream_op rest = {
		.src_len = s->plain.plan.op.src_len - done->consumed,
		.src_cut = s->plain.plan.op.src_cut,
		.dst_len = s->plain.plan.op.dst_len - done->produced,
	};
	struct hisi_zip_stream_done end;
	struct hisi_zip_stream_plan plan;
	struct hisi_zip_result r;
	struct hisi_zip_asked asked;
	struct hisi_qm_ring *ring;
	struct hisi_zip_sqe *sqe;

	if (!s->plain.trailer || qp->trailer == NULL)
		return 0;
	hisi_zip_stream_plan(&s->plain, &rest, &plan);
	/* It has output to deliver first, for which there is no room. */
	if (!plan.request || plan.delivered != 0)
		return 0;
	hisi_zip_stream_begin(&s->plain, &plan);
	ring = qp->trailer->ring;
	sqe = hisi_qm_sq_slot(ring, ring->sq_tail);
	hisi_zip_req_buffers(sqe, &asked, s->ctx.iova + HISI_ZIP_STREAM_TRAILER_OFF, plan.src_len,
		s->ctx.iova + HISI_ZIP_STREAM_STORE_OFF, plan.dst_len);
	hisi_zip_req_words(sqe, &s->plain.words);
	hisi_zip_req_plain_stream(sqe, &s->plain, s->ctx.iova);
	if (wait_trailer(qp) != 0) {
		/* From here on its streams end as they do without the queue. */
		s->ctx_owed = !hisi_dev_queue_put(&qp->dev->hisi, qp->trailer, true);
		qp->trailer = NULL;
		return -ETIMEDOUT;
	}
	r = hisi_zip_result_read(sqe);
	*outcome = hisi_zip_result_possible(&asked, false, r) ?
		hisi_zip_stream_end(&s->plain, sqe, r, &end) : HISI_ZIP_FAILED;
	hisi_zip_req_clear(sqe);
	hisi_qm_cq_skip(ring, 1);
	hisi_qm_cq_ring(ring);
	if (*outcome <= HISI_ZIP_DONE_PART)
		done->consumed += end.consumed;
	return 0;
}
