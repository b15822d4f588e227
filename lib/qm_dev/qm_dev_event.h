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

#include "qm_dev_func.h"

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
