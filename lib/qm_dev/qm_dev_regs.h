/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_REGS_H
#define QM_DEV_REGS_H

/**
 * @file
 * The register file (qm_dev_regs.c); accesses are those of qm_dev.h.
 */

#include "qm_dev_func.h"

/** All registers as after power-on; mb_lock is held. */
void qm_dev_regs_reset(struct qm_dev *dev);

#endif /* QM_DEV_REGS_H */
