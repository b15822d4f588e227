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

	while ((__atomic_load_n(&entries[ev->head], __ATOMIC_ACQUIRE) >> HISI_QM_EQE_PHASE_SHIFT &
			1) == ev->phase) {
		ev->head = (uint16_t)((ev->head + 1) & ev->mask);
		ev->phase ^= ev->head == 0;
	}
	qm->io->ops->write64(qm->io, HISI_QM_DB_EQ_AEQ,
		hisi_qm_db(0, HISI_QM_DB_EQ, 0, ev->head, 0));
}

void
hisi_qm_event_arm(struct hisi_qm *qm, const struct hisi_qm_qp *qp)
{
	/* By register: a doorbell word in memory is looked at when there is room to look for. */
	qm->io->ops->write64(qm->io, HISI_QM_DB_SQ_CQ,
		hisi_qm_db(qp->ring.qn, HISI_QM_DB_CQ, 0, qp->ring.cq_head, 1));
}
