/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "hisi_qm_event.h"
#include "hisi_qm_internal.h"

/* The context image lies behind the entries; 32 bytes, aligned to as many (QM 3). */
#define IMAGE_SIZE 32u

static size_t
entries_len(const struct hisi_qm_event *ev)
{
	size_t len = (ev->mask + 1u) * sizeof(uint32_t);

	return (len + IMAGE_SIZE - 1) & ~(size_t)(IMAGE_SIZE - 1);
}

bool
hisi_qm_event_lost(const struct hisi_qm *qm, const struct hisi_qm_event *ev)
{
	return ev->resets != __atomic_load_n(&qm->resets, __ATOMIC_ACQUIRE);
}

int
hisi_qm_event_restart(struct hisi_qm *qm, struct hisi_qm_event *ev)
{
	struct hisi_qm_eqc eqc = {
		.base_l = (uint32_t)ev->mem.iova,
		.base_h = (uint32_t)(ev->mem.iova >> 32),
		.dw6 = HISI_QM_EQC_PHASE | ev->mask,
	};
	size_t image = entries_len(ev);
	int ret;

	memset(ev->mem.va, 0, image);
	memcpy((char *)ev->mem.va + image, &eqc, sizeof(eqc));
	ev->head = 0;
	ev->phase = 1;
	pthread_mutex_lock(&qm->lock);
	ret = hisi_qm_mailbox(qm, HISI_QM_MB_EQC, 0, ev->mem.iova + image, NULL);
	ev->resets = qm->resets;
	pthread_mutex_unlock(&qm->lock);
	if (ret == 0)
		qm->io->ops->write32(qm->io, HISI_QM_EQ_INT_MASK, 0);
	return ret;
}

int
hisi_qm_event_start(struct hisi_qm *qm, struct hisi_qm_event *ev, uint16_t depth)
{
	int ret;

	memset(ev, 0, sizeof(*ev));
	ev->mask = (uint16_t)(depth - 1);
	ret = qm->mem->alloc(qm->mem->priv, entries_len(ev) + IMAGE_SIZE, 4096, -1, &ev->mem);
	if (ret != 0)
		return ret;
	ret = hisi_qm_event_restart(qm, ev);
	if (ret != 0)
		qm->mem->free(qm->mem->priv, &ev->mem);
	return ret;
}

void
hisi_qm_event_stop(struct hisi_qm *qm, struct hisi_qm_event *ev)
{
	/* Nothing is armed any more when all queue pairs are gone: no entry can follow. */
	qm->io->ops->write32(qm->io, HISI_QM_EQ_INT_MASK, 1);
	qm->mem->free(qm->mem->priv, &ev->mem);
}

void
hisi_qm_event_take(struct hisi_qm *qm, struct hisi_qm_event *ev)
{
	const uint32_t *entries = ev->mem.va;

	/* There are fewer than fit, but the function may be hostile, and write on for ever. */
	for (uint32_t n = 0; n < ev->mask && (__atomic_load_n(&entries[ev->head],
			__ATOMIC_ACQUIRE) >> HISI_QM_EQE_PHASE_SHIFT & 1) == ev->phase; n++) {
		ev->head = (uint16_t)((ev->head + 1) & ev->mask);
		ev->phase ^= ev->head == 0;
	}
	qm->io->ops->write64(qm->io, HISI_QM_DB_EQ_AEQ,
		hisi_qm_db(0, HISI_QM_DB_EQ, 0, ev->head, 0));
}

void
hisi_qm_event_arm(struct hisi_qm *qm, const struct hisi_qm_qp *qp)
{
	const struct hisi_qm_ring *ring = &qp->ring;
	uint64_t value = hisi_qm_db(ring->qn, HISI_QM_DB_CQ, 0, ring->cq_head, 1);

	/*
	 * A doorbell by register would come later than what is stored in the word until
	 * then, and take the function back to this head.
	 */
	if (ring->wake_io != NULL) {
		__atomic_store_n(ring->cq_db, value, __ATOMIC_RELEASE);
		ring->wake_io->ops->wake(ring->wake_io, ring->qn);
	} else {
		qm->io->ops->write64(qm->io, HISI_QM_DB_SQ_CQ, value);
	}
}
