/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_zip_dev.h"
#include "hisi_zip_sw.h"
#include "hisi_zip_verify.h"
#include "hisi_zip_wrong.h"
#include "hisi_zip_xform.h"

/* Ops up to the next one: from 1 to 2 N - 1, which is N on the average. */
static uint32_t
interval(struct hisi_zip_qp *qp)
{
	uint32_t x = qp->verify_random;

	/* xorshift32: never 0, once it is not. */
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	qp->verify_random = x;
	return 1 + (uint32_t)((uint64_t)x * (2 * (uint64_t)qp->verify - 1) >> 32);
}

void
hisi_zip_verify_choose(struct hisi_zip_qp *qp, uint32_t first, uint16_t n)
{
	for (uint32_t pos = first; pos != first + n; pos++) {
		struct hisi_zip_slot *slot = &qp->slots[pos & qp->mask];

		if (slot->kind >= HISI_ZIP_DIRS || (slot->flags & HISI_ZIP_SLOT_F_STATEFUL))
			continue;
		if (qp->verify_left > 1) {
			qp->verify_left--;
			continue;
		}
		qp->verify_left = interval(qp);
		slot->flags |= HISI_ZIP_SLOT_F_VERIFY;
	}
}

void
hisi_zip_verify(struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot)
{
	struct rte_comp_op *op = slot->op;
	const struct hisi_zip_xform *x = op->private_xform;

	/* Errors of a function without the extension software has looked at already. */
	if (op->status != RTE_COMP_OP_STATUS_SUCCESS &&
			op->status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE)
		return;
	HISI_ZIP_COUNT(qp->deq.verified, 1);
	if (hisi_zip_sw_agrees(qp->sw, op))
		return;
	/* Who writes wrong bytes does so whatever kind of request it has. */
	hisi_zip_paths_wrong(qp->dev, hisi_zip_paths_of(x->dir), HISI_ZIP_WRONG_VERIFY);
	if (qp->dev->sw)
		hisi_zip_sw_repeat(qp, op, HISI_ZIP_WHY_VERIFY);
	else
		hisi_zip_op_fails(op, RTE_COMP_OP_STATUS_ERROR, 0);
}
