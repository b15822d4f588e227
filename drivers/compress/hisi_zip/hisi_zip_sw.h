/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_SW_H
#define HISI_ZIP_SW_H

/** @file Ops in software. */

#include <rte_comp.h>

#include "hisi_zip_qp.h"

/**
 * The memory that ops in software need: no op allocates.
 * @param verify
 *   For hisi_zip_sw_agrees(), too.
 * @return It, or NULL without memory.
 */
struct hisi_zip_sw *hisi_zip_sw_create(bool verify);

/** Free it; NULL is allowed. */
void hisi_zip_sw_destroy(struct hisi_zip_sw *sw);

/**
 * Has the function done what it says? Stateless ops with SUCCESS or OUT_OF_SPACE_RECOVERABLE, all
 * of whose fields are set. Decompresses: that shows whether a compression is right, too.
 */
bool hisi_zip_sw_agrees(struct hisi_zip_sw *sw, const struct rte_comp_op *op);

/** Do an op with zip_codec, and set all its result fields. */
void hisi_zip_sw_run(struct hisi_zip_qp *qp, struct rte_comp_op *op);

/** The same for a stateless op that the function has had, without the result that was wanted. */
void hisi_zip_sw_repeat(struct hisi_zip_qp *qp, struct rte_comp_op *op, enum hisi_zip_why why);

#endif /* HISI_ZIP_SW_H */
