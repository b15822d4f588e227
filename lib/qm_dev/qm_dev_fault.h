/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_FAULT_H
#define QM_DEV_FAULT_H

/**
 * @file
 * Injected faults (qm_dev_conf.fault), to test how drivers stand them: in a build with
 * QM_DEV_FAULTS only (-Dtests=true). In others a function with faults cannot be created.
 *
 * A list of faults separated by commas, each "name[=value]@n": it strikes once,
 * at the n-th event it counts (from 1); "/n" instead of "@n": at every n-th.
 * Requests and mailbox commands are counted over the whole function, from its
 * creation on.
 *
 *   status=S@n             the n-th request is not executed; it completes with
 *                          status S, 0x01 to 0xff (ZIP 5.4)
 *   stall@n                the queue of the n-th request executes nothing more
 *                          from that request on, until it is set up again
 *   aeq=cq_overflow@n      the queue of the n-th request stops before that
 *   aeq=cqe_error@n        request completes; an AEQE of that type says so
 *   aeq=eq_overflow@n      at the n-th request the event queue stops, and an
 *                          AEQE says so, until the function starts again
 *   corrupt@n              the n-th request is executed, and then a byte of its
 *                          output is changed
 *   quirk=NAME@n           from the n-th request on the function has this quirk
 *                          of a class (zip_dev_quirk.h), or has it no longer
 *   mailbox_timeout@n      the n-th mailbox command is not executed, and the
 *                          mailbox stays busy until the function is reset
 *   vanish@n               from the n-th request on the function is gone: reads
 *                          of registers and config space give all ones, writes
 *                          and doorbells are lost, nothing completes; for good
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qm_dev;

#define QM_DEV_FAULTS_MAX 8 /**< Faults of one list. */

enum qm_dev_fault_kind {
	QM_DEV_FAULT_NONE,
	QM_DEV_FAULT_STATUS,
	QM_DEV_FAULT_STALL,
	QM_DEV_FAULT_CORRUPT,
	QM_DEV_FAULT_QUIRK,
	QM_DEV_FAULT_CQ_OVERFLOW,
	QM_DEV_FAULT_CQE_ERROR,
	QM_DEV_FAULT_EQ_OVERFLOW,
	QM_DEV_FAULT_MAILBOX,
	QM_DEV_FAULT_VANISH,
};

struct qm_dev_fault_item {
	enum qm_dev_fault_kind kind;
	uint8_t status;
	char quirk[24];
	bool every; /**< At every n-th event, else at the n-th only. */
	uint64_t n;
};

struct qm_dev_fault {
	struct qm_dev_fault_item item[QM_DEV_FAULTS_MAX];
	unsigned int cnt;
	_Atomic uint64_t requests; /**< Counted so far. */
	_Atomic uint64_t struck;   /**< Faults injected. */
	uint64_t commands;         /**< Counted so far; mb_lock. */
	bool stuck;                /**< The mailbox stays busy; mb_lock. */
};

#ifdef QM_DEV_FAULTS

/** What is injected into a function; NULL: nothing. */
#define QM_DEV_FAULT_OF(dev) ((dev)->fault)

/** Set dev->fault up if spec is not empty. @return 0, -EINVAL (logged), -ENOMEM. */
int qm_dev_fault_create(struct qm_dev *dev, const char *spec);
void qm_dev_fault_destroy(struct qm_dev *dev);

/** Count a request; dev->fault is set. @param status Written for _STATUS. @return Not _QUIRK. */
enum qm_dev_fault_kind qm_dev_fault_request(struct qm_dev *dev, uint8_t *status);
/** Count a mailbox command; dev->fault is set, mb_lock is held. @return Do not execute it. */
bool qm_dev_fault_command(struct qm_dev *dev);

#else

#define QM_DEV_FAULT_OF(dev) ((struct qm_dev_fault *)NULL)

static inline int
qm_dev_fault_create(struct qm_dev *dev, const char *spec)
{
	(void)dev;
	return spec == NULL || *spec == 0 ? 0 : -ENOTSUP;
}

static inline void
qm_dev_fault_destroy(struct qm_dev *dev)
{
	(void)dev;
}

static inline enum qm_dev_fault_kind
qm_dev_fault_request(struct qm_dev *dev, uint8_t *status)
{
	(void)dev;
	(void)status;
	return QM_DEV_FAULT_NONE;
}

static inline bool
qm_dev_fault_command(struct qm_dev *dev)
{
	(void)dev;
	return false;
}

#endif

#endif /* QM_DEV_FAULT_H */
