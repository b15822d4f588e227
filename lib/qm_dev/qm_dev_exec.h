/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_EXEC_H
#define QM_DEV_EXEC_H

/**
 * @file
 * Executors: what a thread needs to execute requests, and the classes of a function
 * (qm_dev_exec.c).
 */

#include "qm_dev_func.h"

#define QM_DEV_BATCH 16 /**< Most requests claimed at a time. */

/* ---- Executors (qm_dev_exec.c) ---- */

/** A request on its way, in private memory. */
struct qm_dev_job {
	_Alignas(64) uint8_t sqe[QM_DEV_SQE_SIZE]; /**< Copied from the ring at its turn. */
	void *ring;                   /**< Its slot in client memory. */
	struct qm_dev_preview preview;
	struct qm_dev_result result;
	uint16_t slot;
	uint8_t status;               /**< With faults: injected; 0: execute. */
	bool corrupt;                 /**< With faults: change a byte of the output. */
};

/** All that one thread needs to execute requests; used by one thread at a time. */
struct qm_dev_exec {
	struct qm_dev_bufs bufs;
	int64_t now; /**< Workers: time at which the turn, or the last request, began. */
	int64_t cpu;    /**< The same, where times are kept: CPU time of the thread at cpu_at. */
	int64_t cpu_at;
	const struct qm_dev_class *class[QM_DEV_CLASSES_MAX]; /**< Those added; else NULL. */
	void *state[QM_DEV_CLASSES_MAX];                      /**< Of these classes. */
	struct qm_dev_job job[QM_DEV_BATCH];
};

/**
 * @return An executor of no class; NULL: out of memory. Its view must be made known before use.
 */
struct qm_dev_exec *qm_dev_exec_create(void);

/**
 * Make it one of a class, too, if it is not.
 * @param slot  Where it keeps the class's state, qm_dev_class_state.slot.
 * @return 0 or -ENOMEM.
 */
int qm_dev_exec_add(struct qm_dev_exec *ex, unsigned int slot, const struct qm_dev_class *class);

/** Free an executor; NULL is allowed. */
void qm_dev_exec_destroy(struct qm_dev_exec *ex);

/* ---- Classes of a function (qm_dev_exec.c) ---- */

/** Those of dev->conf. @return 0 or a negative errno. */
int qm_dev_classes_create(struct qm_dev *dev);
/** Those that were made. */
void qm_dev_classes_destroy(struct qm_dev *dev);
void qm_dev_classes_reset(struct qm_dev *dev);
/** What they offer of the extension. */
uint32_t qm_dev_classes_features(const struct qm_dev *dev);
/** @return Whether one of them has a register of 8 bytes there: then it took the value. */
bool qm_dev_classes_write(struct qm_dev *dev, uint32_t off, uint64_t value);

/** @return Whose requests are in a queue of that type, 0 to 15; NULL: none's. */
const struct qm_dev_class_state *qm_dev_class_of(const struct qm_dev *dev, unsigned int type);

#endif /* QM_DEV_EXEC_H */
