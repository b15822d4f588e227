/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "qm_dev_context.h"
#include "qm_dev_event.h"
#include "qm_dev_fault.h"
#include "qm_dev_mailbox.h"

_Static_assert(sizeof(struct hisi_qm_sqc) == 32 && sizeof(struct hisi_qm_cqc) == 32 &&
		sizeof(struct hisi_qm_eqc) == 32, "all contexts move as 32 bytes");
#define CTX_SIZE 32

/* Contexts of queue events use 28 of their 32 bytes; the driver may own the rest. */
#define EQC_SIZE 28

/* Copy a context image from or to client memory. The view is held for the copy only. */
static unsigned int
ctx_copy(struct qm_dev *dev, uint64_t iova, void *ctx, size_t size, bool to_client)
{
	void *va;

	if (iova % CTX_SIZE != 0)
		return QM_DEV_MB_BAD_ADDR;
	qm_dev_view_get(&dev->map, &dev->mb_view);
	va = qm_dev_view_at(&dev->mb_view, iova, size,
			to_client ? QM_DEV_PROT_WRITE : QM_DEV_PROT_READ);
	if (va != NULL && to_client)
		memcpy(va, ctx, size);
	else if (va != NULL)
		qm_dev_copy_in(ctx, va, size);
	qm_dev_view_put(&dev->mb_view);
	if (qm_dev_is_broken(dev)) {
		qm_dev_tell_broken(dev);
		va = NULL;
	}
	return va != NULL ? QM_DEV_MB_OK : QM_DEV_MB_BAD_ADDR;
}

static unsigned int
cmd_sqc(struct qm_dev *dev, struct qm_dev_queue *q, uint64_t base, bool read)
{
	struct hisi_qm_sqc sqc;
	unsigned int st;

	if (read) {
		qm_dev_queue_get_sqc(dev, q, &sqc);
		return ctx_copy(dev, base, &sqc, sizeof(sqc), true);
	}
	st = ctx_copy(dev, base, &sqc, sizeof(sqc), false);
	return st != QM_DEV_MB_OK ? st : qm_dev_queue_set_sqc(dev, q, &sqc);
}

static unsigned int
cmd_cqc(struct qm_dev *dev, struct qm_dev_queue *q, uint64_t base, bool read)
{
	struct hisi_qm_cqc cqc;
	unsigned int st;

	if (read) {
		qm_dev_queue_get_cqc(dev, q, &cqc);
		return ctx_copy(dev, base, &cqc, sizeof(cqc), true);
	}
	st = ctx_copy(dev, base, &cqc, sizeof(cqc), false);
	return st != QM_DEV_MB_OK ? st : qm_dev_queue_set_cqc(dev, q, &cqc);
}

static unsigned int
cmd_eqc(struct qm_dev *dev, enum qm_dev_irq which, uint64_t base, bool read)
{
	struct hisi_qm_eqc eqc = { 0 };
	unsigned int st;

	if (read) {
		qm_dev_event_get(dev, which, &eqc);
		return ctx_copy(dev, base, &eqc, EQC_SIZE, true);
	}
	st = ctx_copy(dev, base, &eqc, EQC_SIZE, false);
	return st != QM_DEV_MB_OK ? st : qm_dev_event_set(dev, which, &eqc);
}

static uint64_t
vft(const struct qm_dev *dev)
{
	return HISI_QM_VFT_VALID |
		((dev->conf.queues - 1) & HISI_QM_VFT_NUM_MASK) << HISI_QM_VFT_NUM_SHIFT;
}

/*
 * Statuses, and what 0x9 does, are ours (U3, U4).
 * @param data In: base of the command; out: what the command returns there.
 */
static unsigned int
command_run(struct qm_dev *dev, uint16_t w0, uint16_t qn, uint64_t *data)
{
	bool read = (w0 & HISI_QM_MB_OP_READ) != 0;
	unsigned int cmd = w0 & HISI_QM_MB_CMD_MASK;
	uint64_t *bt = cmd == HISI_QM_MB_SQC_BT ? &dev->sqc_bt : &dev->cqc_bt;
	struct qm_dev_queue *q = cmd == HISI_QM_MB_SQC || cmd == HISI_QM_MB_CQC ||
		cmd == HISI_QM_MB_STOP_QP ? qm_dev_queue_make(dev, qn) : NULL;

	/* V2 has no stop command and no messages: its driver watches the contexts (QM 2.2, 2.5). */
	if (cmd >= HISI_QM_MB_STOP_QP && dev->conf.revision < HISI_QM_REV_V3)
		return QM_DEV_MB_BAD_CMD;

	switch (cmd) {
	case HISI_QM_MB_SQC:
		return q == NULL ? QM_DEV_MB_BAD_QUEUE : cmd_sqc(dev, q, *data, read);
	case HISI_QM_MB_CQC:
		return q == NULL ? QM_DEV_MB_BAD_QUEUE : cmd_cqc(dev, q, *data, read);
	case HISI_QM_MB_EQC:
		return cmd_eqc(dev, QM_DEV_IRQ_EQ, *data, read);
	case HISI_QM_MB_AEQC:
		return cmd_eqc(dev, QM_DEV_IRQ_AEQ, *data, read);
	case HISI_QM_MB_SQC_BT:
	case HISI_QM_MB_CQC_BT:
		if (read)
			*data = *bt;
		else
			*bt = *data;
		return QM_DEV_MB_OK;
	case HISI_QM_MB_SQC_VFT:
		if (!read)
			return QM_DEV_MB_BAD_CMD; /* the PF's right */
		*data = vft(dev);
		return QM_DEV_MB_OK;
	case HISI_QM_MB_STOP_QP:
		if (q == NULL)
			return QM_DEV_MB_BAD_QUEUE;
		return qm_dev_queue_stop(dev, q);
	case HISI_QM_MB_FLUSH_QM:
		return qm_dev_queues_flush(dev);
	case HISI_QM_MB_SRC:
		return QM_DEV_MB_OK; /* no PF listens */
	case HISI_QM_MB_DST:
		*data = 0; /* no PF spoke */
		return QM_DEV_MB_OK;
	default:
		return QM_DEV_MB_BAD_CMD;
	}
}

void
qm_dev_mailbox_run(struct qm_dev *dev)
{
	uint32_t dw0 = atomic_load_explicit(&dev->mb_reg[0], memory_order_relaxed);
	uint64_t data = atomic_load_explicit(&dev->mb_reg[1], memory_order_relaxed) |
		(uint64_t)atomic_load_explicit(&dev->mb_reg[2], memory_order_relaxed) << 32;
	uint16_t w0 = (uint16_t)dw0;
	bool again = atomic_exchange_explicit(&dev->mb_pending, false, memory_order_relaxed);
	unsigned int st;

	/* Busy is what makes it a command; the driver sets it (QM 2.3). */
	if ((w0 & HISI_QM_MB_BUSY) == 0)
		return;
	if (!again && QM_DEV_FAULT_OF(dev) != NULL && qm_dev_fault_command(dev))
		return;
	st = command_run(dev, w0, (uint16_t)(dw0 >> 16), &data);
	if (st == QM_DEV_MB_AGAIN) {
		atomic_store_explicit(&dev->mb_pending, true, memory_order_relaxed);
		return; /* busy, until qm_dev_mailbox_again() finds it done */
	}
	if (st != QM_DEV_MB_OK)
		atomic_fetch_add_explicit(&dev->mailbox_errors, 1, memory_order_relaxed);
	/* That no queue is free is no fault of anybody, and may be told thousands of times. */
	if (st != QM_DEV_MB_OK && st != QM_DEV_MB_NO_QUEUE)
		qm_dev_log(dev, BASE_LOG_WARNING, "mailbox command 0x%x for queue %u, data "
				"0x%llx: status %u, expected a command of the function, queue "
				"0 to %u, a mapped address aligned to 32",
				w0 & HISI_QM_MB_CMD_MASK, dw0 >> 16, (unsigned long long)data, st,
				dev->conf.queues - 1u);
	atomic_store_explicit(&dev->mb_reg[1], (uint32_t)data, memory_order_relaxed);
	atomic_store_explicit(&dev->mb_reg[2], (uint32_t)(data >> 32), memory_order_relaxed);
	dw0 &= ~(HISI_QM_MB_BUSY | HISI_QM_MB_STATUS_MASK << HISI_QM_MB_STATUS_SHIFT);
	/* Whoever reads "not busy" may read the result. */
	atomic_store_explicit(&dev->mb_reg[0], dw0 | st << HISI_QM_MB_STATUS_SHIFT,
			memory_order_release);
}

void
qm_dev_mailbox_again(struct qm_dev *dev)
{
	pthread_mutex_lock(&dev->mb_lock);
	if (atomic_load_explicit(&dev->mb_pending, memory_order_relaxed))
		qm_dev_mailbox_run(dev);
	pthread_mutex_unlock(&dev->mb_lock);
}

void
qm_dev_mailbox_write_back(struct qm_dev *dev)
{
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);
		struct hisi_qm_sqc sqc;
		struct hisi_qm_cqc cqc;

		if (q == NULL)
			continue;
		/* An array that is not mapped loses its copy; nothing else. */
		if (queue_has_sqc(q) && dev->sqc_bt != 0) {
			qm_dev_queue_get_sqc(dev, q, &sqc);
			ctx_copy(dev, dev->sqc_bt + (uint64_t)i * CTX_SIZE, &sqc, CTX_SIZE, true);
		}
		if (queue_has_cqc(q) && dev->cqc_bt != 0) {
			qm_dev_queue_get_cqc(dev, q, &cqc);
			ctx_copy(dev, dev->cqc_bt + (uint64_t)i * CTX_SIZE, &cqc, CTX_SIZE, true);
		}
	}
}
