/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_EVENT_H
#define HISI_QM_EVENT_H

/**
 * @file
 * Waiting instead of polling: the event queue of a function (QM 4.5). A queue
 * pair that is armed makes one event when it has a CQE, and vector 0 is sent;
 * both happen at most once until the queue pair is armed, and the events are
 * taken, again. Control path: each step is a register access.
 */

#include <stdbool.h>

#include "hisi_qm.h"

/** The event queue of a function. */
struct hisi_qm_event {
	struct hisi_qm_mem mem;
	uint16_t mask;  /**< Entries - 1; a power of two less one. */
	uint16_t head;  /**< Next entry to read. */
	uint16_t phase; /**< Of an entry that is new there. */
	uint32_t resets; /**< hisi_qm.resets when the function got to know it. */
};

/**
 * Give the function an event queue and let it send vector 0.
 * @param depth
 *   A power of two, more than the queue pairs that will be armed.
 * @return 0, the errno of mem->alloc, or of the mailbox as for hisi_qm_init().
 */
int hisi_qm_event_start(struct hisi_qm *qm, struct hisi_qm_event *ev, uint16_t depth);

/** Did the function forget it, in a reset by hisi_qm_qp_stop() and others? */
bool hisi_qm_event_lost(const struct hisi_qm *qm, const struct hisi_qm_event *ev);

/** Start with the queue that is there again, when it was lost or after hisi_qm_reinit(). */
int hisi_qm_event_restart(struct hisi_qm *qm, struct hisi_qm_event *ev);

/** Have no more vectors sent, and free the queue. */
void hisi_qm_event_stop(struct hisi_qm *qm, struct hisi_qm_event *ev);

/** Take all events: from now on vector 0 is sent for new ones. One thread at a time. */
void hisi_qm_event_take(struct hisi_qm *qm, struct hisi_qm_event *ev);

/**
 * Want an event when the queue pair has a CQE that was not stepped over; at once
 * if it has one now. To be called by its consumer.
 */
void hisi_qm_event_arm(struct hisi_qm *qm, const struct hisi_qm_qp *qp);

#endif /* HISI_QM_EVENT_H */
