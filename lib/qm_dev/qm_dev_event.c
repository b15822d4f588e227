/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "qm_dev_event.h"
#include "qm_dev_shared.h"

/*
 * Two event queues in client memory (QM 4.5, 4.6): the EQ, one entry for a CQ
 * that was armed and got a CQE, and the AEQ, one entry for what went wrong. They
 * follow the same rules and differ in vector, registers and what an entry says.
 *
 * The source register is what the interrupt means (U6): it becomes 1 with the first
 * entry that the driver has not seen, sends one message then, and stays so until
 * the driver's doorbell. What is left behind the new head is an event of its
 * own: source and message again. So a driver that takes only part of the queue
 * is called back, and one that is at work gets no message in vain.
 */

static void
send_message(struct qm_dev *dev, unsigned int vector)
{
	atomic_fetch_add_explicit(&dev->events.irqs[vector], 1, memory_order_relaxed);
	if (dev->conf.irq != NULL)
		dev->conf.irq(vector, dev->conf.priv);
}

/* The vector of a queue is its index in eq. Lock is held. */
static void
raise(struct qm_dev *dev, enum qm_dev_irq which)
{
	struct qm_dev_eq *eq = &dev->events.eq[which];

	if (atomic_load_explicit(&eq->source, memory_order_relaxed) != 0)
		return;
	atomic_store_explicit(&eq->source, 1, memory_order_release);
	if (atomic_load_explicit(&eq->mask, memory_order_relaxed) == 0)
		send_message(dev, which);
}

static inline uint32_t
used(const struct qm_dev_eq *eq)
{
	return eq->tail >= eq->head ? (uint32_t)(eq->tail - eq->head) :
		eq->depth - eq->head + eq->tail;
}

/* One slot stays free: a full queue must differ from an empty one (U38). */
static inline bool
full(const struct qm_dev_eq *eq)
{
	return used(eq) == eq->depth - 1;
}

/* Write an entry at the tail of a queue that is on and not full. Lock is held. */
static void
push(struct qm_dev *dev, enum qm_dev_irq which, uint32_t entry)
{
	struct qm_dev_events *ev = &dev->events;
	struct qm_dev_eq *eq = &ev->eq[which];
	uint32_t *slot;

	qm_dev_view_get(&dev->map, &ev->view);
	slot = qm_dev_view_at(&ev->view, eq->base + eq->tail * sizeof(*slot), sizeof(*slot),
			QM_DEV_PROT_WRITE);
	if (slot != NULL)
		qm_dev_eqe_publish(slot, entry | (uint32_t)eq->phase << HISI_QM_EQE_PHASE_SHIFT);
	qm_dev_view_put(&ev->view);
	if (slot == NULL) {
		/* Nobody can be told; the queue is dead until it is set up again. */
		eq->on = false;
		qm_dev_log(dev, BASE_LOG_ERR, "%s stopped: its entry at 0x%llx is outside "
				"the map", which == QM_DEV_IRQ_EQ ? "EQ" : "AEQ",
				(unsigned long long)(eq->base + eq->tail * sizeof(*slot)));
		return;
	}
	/* A depth of 65536 is none of 16 bits. */
	if (eq->tail + 1u == eq->depth) {
		eq->tail = 0;
		eq->phase = !eq->phase;
	} else {
		eq->tail++;
	}
	atomic_fetch_add_explicit(&eq->entries, 1, memory_order_relaxed);
	raise(dev, which);
}

/* Lock is held. */
static void
push_async(struct qm_dev *dev, enum hisi_qm_aeqe_type type, uint16_t qn)
{
	const struct qm_dev_eq *aeq = &dev->events.eq[QM_DEV_IRQ_AEQ];

	/* A driver without an AEQ, or with a full one, is not told. */
	if (aeq->on && !full(aeq))
		push(dev, QM_DEV_IRQ_AEQ, qn | (uint32_t)type << HISI_QM_AEQE_TYPE_SHIFT);
}

/* Lock is held. */
static void
overflow(struct qm_dev *dev)
{
	struct qm_dev_eq *eq = &dev->events.eq[QM_DEV_IRQ_EQ];

	if (!eq->on)
		return;
	eq->on = false;
	push_async(dev, HISI_QM_AEQE_EQ_OVERFLOW, 0);
}

void
qm_dev_event_completion(struct qm_dev *dev, uint16_t qn)
{
	struct qm_dev_eq *eq = &dev->events.eq[QM_DEV_IRQ_EQ];

	qm_dev_lock(&dev->events.lock);
	if (eq->on && full(eq))
		overflow(dev);
	else if (eq->on)
		push(dev, QM_DEV_IRQ_EQ, qn);
	qm_dev_unlock(&dev->events.lock);
}

void
qm_dev_event_async(struct qm_dev *dev, enum hisi_qm_aeqe_type type, uint16_t qn)
{
	qm_dev_lock(&dev->events.lock);
	push_async(dev, type, qn);
	qm_dev_unlock(&dev->events.lock);
}

void
qm_dev_event_overflow(struct qm_dev *dev)
{
	qm_dev_lock(&dev->events.lock);
	overflow(dev);
	qm_dev_unlock(&dev->events.lock);
}

void
qm_dev_event_ring(struct qm_dev *dev, uint64_t value)
{
	unsigned int cmd = (unsigned int)(value >> HISI_QM_DB_CMD_SHIFT & HISI_QM_DB_CMD_MASK);
	uint16_t head = (uint16_t)(value >> HISI_QM_DB_INDEX_SHIFT & HISI_QM_DB_INDEX_MASK);
	enum qm_dev_irq which = cmd == HISI_QM_DB_AEQ ? QM_DEV_IRQ_AEQ : QM_DEV_IRQ_EQ;
	struct qm_dev_eq *eq = &dev->events.eq[which];
	uint32_t taken;
	bool ok = false;

	qm_dev_lock(&dev->events.lock);
	if ((cmd == HISI_QM_DB_EQ || cmd == HISI_QM_DB_AEQ) &&
			(value & HISI_QM_DB_QN_MASK) == 0 && head < eq->depth) {
		taken = head >= eq->head ? (uint32_t)(head - eq->head) :
			eq->depth - eq->head + head;
		ok = taken <= used(eq); /* more was never there */
	}
	if (ok) {
		eq->head = head;
		atomic_store_explicit(&eq->source, 0, memory_order_release);
		if (used(eq) != 0)
			raise(dev, which);
	}
	qm_dev_unlock(&dev->events.lock);
	if (!ok)
		atomic_fetch_add_explicit(&dev->doorbells_dropped, 1, memory_order_relaxed);
}

void
qm_dev_event_mask(struct qm_dev *dev, enum qm_dev_irq which, uint32_t mask)
{
	struct qm_dev_eq *eq = &dev->events.eq[which];
	uint32_t old;

	qm_dev_lock(&dev->events.lock);
	old = atomic_exchange_explicit(&eq->mask, mask, memory_order_relaxed);
	/* What came up behind the mask is told now. */
	if (old != 0 && mask == 0 && atomic_load_explicit(&eq->source, memory_order_relaxed) != 0)
		send_message(dev, which);
	qm_dev_unlock(&dev->events.lock);
}

unsigned int
qm_dev_event_set(struct qm_dev *dev, enum qm_dev_irq which, const struct hisi_qm_eqc *eqc)
{
	struct qm_dev_eq *eq = &dev->events.eq[which];
	uint64_t base = eqc->base_l | (uint64_t)eqc->base_h << 32;
	uint32_t depth = (eqc->dw6 & HISI_QM_EQC_DEPTH_MASK) + 1;

	if (depth < 2 || base % sizeof(uint32_t) != 0 ||
			base > UINT64_MAX - depth * sizeof(uint32_t)) {
		qm_dev_log(dev, BASE_LOG_ERR, "%s refused: base 0x%llx dw6 0x%x, expected "
				"a base aligned to 4, a depth of 2 to 65536",
				which == QM_DEV_IRQ_EQ ? "EQC" : "AEQC", (unsigned long long)base,
				eqc->dw6);
		return QM_DEV_MB_BAD_CTX;
	}
	qm_dev_lock(&dev->events.lock);
	eq->ctx = *eqc;
	eq->base = base;
	eq->depth = depth;
	eq->head = eq->tail = 0;
	eq->phase = (eqc->dw6 & HISI_QM_EQC_PHASE) != 0;
	eq->on = true;
	atomic_store_explicit(&eq->source, 0, memory_order_relaxed);
	qm_dev_unlock(&dev->events.lock);
	return QM_DEV_MB_OK;
}

void
qm_dev_event_get(struct qm_dev *dev, enum qm_dev_irq which, struct hisi_qm_eqc *eqc)
{
	struct qm_dev_eq *eq = &dev->events.eq[which];

	qm_dev_lock(&dev->events.lock);
	*eqc = eq->ctx;
	if (eq->depth != 0) {
		eqc->head = eq->head;
		eqc->tail = eq->tail;
		eqc->dw6 = (eqc->dw6 & ~HISI_QM_EQC_PHASE) | (eq->phase ? HISI_QM_EQC_PHASE : 0);
	}
	qm_dev_unlock(&dev->events.lock);
}

void
qm_dev_event_reset(struct qm_dev *dev)
{
	qm_dev_lock(&dev->events.lock);
	for (unsigned int i = 0; i < QM_DEV_EQS; i++) {
		struct qm_dev_eq *eq = &dev->events.eq[i];

		memset(&eq->ctx, 0, sizeof(eq->ctx));
		eq->on = false;
		eq->depth = 0;
		atomic_store_explicit(&eq->source, 0, memory_order_relaxed);
		atomic_store_explicit(&eq->mask, 1, memory_order_relaxed);
	}
	qm_dev_unlock(&dev->events.lock);
}
