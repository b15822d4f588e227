/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_INTERNAL_H
#define HISI_QM_INTERNAL_H

/** @file What the files of the driver side share. */

#include "hisi_qm.h"

/**
 * One mailbox command; qm->lock is held.
 * @param data
 *   NULL, or where the 64-bit answer of a read goes.
 * @return
 *   0, -ETIMEDOUT, -ENODEV, -EIO (status), -EBUSY (status HISI_QM_MB_STATUS_NO_QUEUE).
 */
int hisi_qm_mailbox(struct hisi_qm *qm, enum hisi_qm_mb_cmd cmd, uint16_t queue, uint64_t base,
		uint64_t *data);

#endif /* HISI_QM_INTERNAL_H */
