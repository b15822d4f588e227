/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_udma_dev.h"
#include "hisi_udma_log.h"
#include "hisi_udma_recover.h"
#include "hisi_udma_sqe.h"

void
hisi_udma_lie(struct hisi_udma_vchan *v, uint16_t sq_head, uint16_t cq_head, uint32_t wb)
{
	HISI_UDMA_COUNT(v->deq.lies, 1);
	if (!v->lie.told)
		v->lie = (struct hisi_udma_lie){ .told = true, .sq_head = sq_head,
			.cq_head = cq_head, .wb = wb };
}

void
hisi_udma_lie_log(struct hisi_udma_vchan *v)
{
	if (!v->lie.told || v->lie.logged)
		return;
	v->lie.logged = true;
	HISI_UDMA_LOG(ERR, "%s: channel %u: an answer cannot be true: result 0x%x for slot %u, "
		"expected 0x%x (done) or an error (0x%x in its lowest bits) for slot %u; such ops "
		"end with an error; said once", v->dev->hisi.name, v->id, v->lie.wb,
		v->lie.sq_head, HISI_UDMA_WB_GOOD, HISI_UDMA_ERROR, v->lie.cq_head);
}

void
hisi_udma_watch(struct hisi_udma_vchan *v)
{
	enum hisi_watch_found found;

	hisi_udma_lie_log(v);
	/* Nothing else copies: ops of a service that is gone wait for its successor. */
	found = hisi_hwq_watch(&v->hwq, &v->watch, v->head, HISI_WATCH_WAIT,
		"with an error");
	if (found == HISI_WATCH_RESTARTED)
		HISI_UDMA_COUNT(v->deq.restarts, 1);
	else if (found < HISI_WATCH_FAILS)
		HISI_UDMA_COUNT(v->deq.fails[found], 1);
}
