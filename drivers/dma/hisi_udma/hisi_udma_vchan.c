/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include "hisi_udma_dev.h"
#include "hisi_udma_log.h"
#include "hisi_udma_recover.h"
#include "hisi_udma_sqe.h"
#include "hisi_udma_vchan.h"
#include "hisi_zip_ext.h"

/* Fewer entries than that would cost a CQ doorbell for each burst. */
#define DEPTH_MIN 64u

void
hisi_udma_vchan_init(struct hisi_udma_vchan *v, struct hisi_udma_dev *dev, uint16_t id)
{
	v->dev = dev;
	v->id = id;
	v->polled = dev->hisi.info.polled;
	v->fence = dev->hisi.info.ext_features & HISI_ZIP_EXT_F_UDMA;
	v->dw7 = dev->hisi.info.va ? HISI_UDMA_DW7_PREFETCH : 0;
	v->hwq.qn = HISI_HWQ_NONE;
}

int
hisi_udma_vchan_setup(struct hisi_udma_vchan *v, uint16_t nb_desc)
{
	uint32_t depth;

	if (nb_desc < HISI_UDMA_DESC_MIN || nb_desc > HISI_UDMA_DESC_MAX) {
		HISI_UDMA_LOG(ERR, "%s: channel %u: %u descriptors, expected %u to %u",
			v->dev->hisi.name, v->id, nb_desc, HISI_UDMA_DESC_MIN, HISI_UDMA_DESC_MAX);
		return -EINVAL;
	}
	/* One entry always stays free (QM 4.3). */
	depth = rte_align32pow2(RTE_MIN(nb_desc + 1u, (uint32_t)HISI_QM_RING_DEPTH_MAX));
	depth = RTE_MAX(depth, DEPTH_MIN);
	v->depth = (uint16_t)depth;
	v->limit = (uint16_t)RTE_MIN(nb_desc, depth - 1);
	v->cq_pace = (uint16_t)RTE_MAX(RTE_MIN(depth / 4, depth - 1 - v->limit), 1u);
	return 0;
}

void
hisi_udma_vchan_start(struct hisi_udma_vchan *v)
{
	const struct hisi_hwq_conf conf = {
		.dev = &v->dev->hisi,
		.type = HISI_UDMA_QC,
		.depth = v->depth,
		.socket = v->dev->socket,
		.owner_id = v->id,
		.what = "UDMA",
	};

	/* Telemetry reads them. */
	pthread_mutex_lock(&hisi_udma_driver.lock);
	hisi_hwq_init(&v->hwq, &conf);
	v->rung = 0;
	v->head = 0;
	pthread_mutex_unlock(&hisi_udma_driver.lock);
	v->tail = v->head_seen = 0;
	v->oldest = RTE_DMA_STATUS_SUCCESSFUL;
	v->watch = (struct hisi_watch){ 0 };
	v->lie = (struct hisi_udma_lie){ 0 };
	v->started = true;
}

int
hisi_udma_vchan_renew(struct hisi_udma_vchan *v)
{
	int ret;

	if (!v->started)
		return -EPERM;
	if (rte_atomic_load_explicit(&v->hwq.failed, rte_memory_order_relaxed)) {
		/* What was not rung is lost, too, and comes back with the rest. */
		HISI_UDMA_COUNT(v->enq.submitted, v->tail - v->rung);
		rte_atomic_store_explicit(&v->rung, v->tail, rte_memory_order_release);
		/* Acquire: what was done with the queue of ops that are back. */
		v->head_seen = rte_atomic_load_explicit(&v->head, rte_memory_order_acquire);
		if (hisi_hwq_renew(&v->hwq, v->head_seen, v->tail)) {
			HISI_UDMA_COUNT(v->enq.full, 1);
			return -ENOSPC;
		}
	}
	ret = hisi_hwq_take(&v->hwq);
	if (ret != 0)
		HISI_UDMA_COUNT(v->enq.no_queue, 1);
	else
		v->cq_due = 0; /* nobody asks for completions of no op */
	return ret;
}

void
hisi_udma_vchan_stop(struct hisi_udma_vchan *v)
{
	v->started = false;
	if (v->hwq.queue != NULL) {
		hisi_hwq_stop(&v->hwq);
		hisi_hwq_put(&v->hwq);
	}
	hisi_udma_lie_log(v);
	/* Nobody waits for what was in flight. */
	v->tail = v->rung;
	v->head = v->rung;
	v->oldest = RTE_DMA_STATUS_SUCCESSFUL;
}
