/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_MAILBOX_H
#define QM_DEV_MAILBOX_H

/**
 * @file
 * The mailbox (qm_dev_mailbox.c).
 */

#include "qm_dev_func.h"

/** Execute the command in mb_reg; mb_lock is held. */
void qm_dev_mailbox_run(struct qm_dev *dev);

/** A read of the mailbox: a command that could not be finished yet may be done now. */
void qm_dev_mailbox_again(struct qm_dev *dev);

/** HISI_QM_CACHE_WB_START: write all contexts to the arrays in client memory. */
void qm_dev_mailbox_write_back(struct qm_dev *dev);

#endif /* QM_DEV_MAILBOX_H */
