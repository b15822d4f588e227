/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_EVENT_H
#define QM_DEV_EVENT_H

/**
 * @file
 * EQ and AEQ of a function (qm_dev_event.c). Any thread may call these functions; a queue's lock
 * may be held.
 */

#include "hisi_qm_regs.h"
#include "qm_dev.h"
#include "qm_dev_lock.h"
#include "qm_dev_mem.h"

#define QM_DEV_EQS 2 /**< EQ and AEQ, by enum qm_dev_irq. */

/** An event queue: entries in [head, tail) are the driver's, modulo depth. */
struct qm_dev_eq {
	struct hisi_qm_eqc ctx;   /**< As the driver gave it. */
	uint64_t base;
	uint32_t depth;           /**< 0: never set. */
	uint16_t head;
	uint16_t tail;
	bool phase;               /**< Of the next entry. */
	bool on;                  /**< Takes entries. */
	_Atomic uint32_t source;  /**< Register: an event is pending. Read without lock. */
	_Atomic uint32_t mask;    /**< Register. */
	_Atomic uint64_t entries; /**< Counter. */
};

struct qm_dev_events {
	struct qm_dev_lock lock;
	struct qm_dev_view view;
	struct qm_dev_eq eq[QM_DEV_EQS];
	_Atomic uint64_t irqs[QM_DEV_IRQS]; /**< Counters: messages sent. */
};

/** Set up EQ or AEQ, empty. @return Mailbox status. */
unsigned int qm_dev_event_set(struct qm_dev *dev, enum qm_dev_irq which,
		const struct hisi_qm_eqc *eqc);
/** The context as it is now; zero if never set. */
void qm_dev_event_get(struct qm_dev *dev, enum qm_dev_irq which, struct hisi_qm_eqc *eqc);
/** Mask (1) or unmask (0) the message of EQ or AEQ. */
void qm_dev_event_mask(struct qm_dev *dev, enum qm_dev_irq which, uint32_t mask);
/** A doorbell of the event queues: the driver's new head. */
void qm_dev_event_ring(struct qm_dev *dev, uint64_t value);
/** Queue qn's CQ was armed and has a CQE. */
void qm_dev_event_completion(struct qm_dev *dev, uint16_t qn);
/** Something went wrong with queue qn. */
void qm_dev_event_async(struct qm_dev *dev, enum hisi_qm_aeqe_type type, uint16_t qn);
/** The EQ takes no more, as if it were full; the AEQ says so. */
void qm_dev_event_overflow(struct qm_dev *dev);
/** Both queues off, masked. */
void qm_dev_event_reset(struct qm_dev *dev);

#endif /* QM_DEV_EVENT_H */
