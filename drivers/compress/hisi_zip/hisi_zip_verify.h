/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_VERIFY_H
#define HISI_ZIP_VERIFY_H

/**
 * @file
 * verify=N: one of N stateless ops that the function does is done again by software, in dequeue.
 * If the results differ, the op has that of software, and the path is off from then on.
 *
 * Which ones is random, so that nothing that comes back regularly can slip through.
 */

#include "hisi_zip_qp.h"

/** Choose among ops that were just enqueued: positions [first, first + n). Enqueuing thread. */
void hisi_zip_verify_choose(struct hisi_zip_qp *qp, uint32_t first, uint16_t n);

/** Verify an op with HISI_ZIP_SLOT_F_VERIFY, whose fields are all set. Dequeuing thread. */
void hisi_zip_verify(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot);

#endif /* HISI_ZIP_VERIFY_H */
