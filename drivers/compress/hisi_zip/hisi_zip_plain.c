/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_mbuf.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_plain.h"
#include "zip_codec_checksum.h"

/* ---- From op to request ---- */

/*
 * Room that is enough for any output, trailer included. Of what silicon makes of data that it
 * cannot compress no source says more than the 9/8 of ZIP 5.5. Only a matter of speed: if it is
 * not enough, software repeats the op.
 */
static bool
room_for_all(uint32_t src_len, uint32_t room, uint32_t trailer)
{
	return room >= (uint64_t)src_len + src_len / 8 + 64 + trailer;
}

enum hisi_zip_verdict
hisi_zip_fill_carried(struct hisi_zip_qp *qp, const struct hisi_zip_target *to,
		struct hisi_zip_slot *slot, struct rte_comp_op *op, struct hisi_zip_sqe *sqe)
{
	const struct rte_mbuf *src = op->m_src, *dst = op->m_dst;
	const struct hisi_zip_xform *x = to->x;
	bool lists = hisi_zip_path_on(qp, x->dir == HISI_ZIP_COMP ? HISI_ZIP_PATH_COMP_SGL :
		HISI_ZIP_PATH_DECOMP_SGL);
	uint32_t room;

	if (src->nb_segs != 1 || dst->nb_segs != 1)
		return lists ? hisi_zip_fill_chained(qp, to, slot, op, sqe, x->trailer) :
			hisi_zip_path_off(qp, slot, op);
	/* This list is short, and part of the path. */
	if (x->dir == HISI_ZIP_DECOMP)
		return hisi_zip_fill_chained(qp, to, slot, op, sqe, x->trailer);
	if ((uint64_t)op->src.offset + op->src.length > src->data_len ||
			op->dst.offset > dst->data_len)
		return hisi_zip_finish(slot, op, RTE_COMP_OP_STATUS_INVALID_ARGS);
	room = dst->data_len - op->dst.offset;
	if (lists && !room_for_all(op->src.length, room, x->trailer))
		return hisi_zip_fill_chained(qp, to, slot, op, sqe, x->trailer);
	/* Without lists what does not fit is repeated by software, which may find that it does. */
	if (room <= x->trailer)
		return hisi_zip_path_off(qp, slot, op);
	hisi_zip_req_buffers(sqe, &slot->asked, hisi_zip_data_addr(qp, src) + op->src.offset,
		op->src.length, hisi_zip_data_addr(qp, dst) + op->dst.offset, room);
	hisi_zip_req_words(sqe, &x->words);
	return HISI_ZIP_SUBMITTED;
}

/* ---- From result to op ---- */

enum hisi_zip_outcome
hisi_zip_plain_outcome(const struct hisi_zip_slot *slot, struct hisi_zip_result *r)
{
	const struct hisi_zip_xform *x = slot->op->private_xform;

	if (x->trailer == 0)
		return hisi_zip_result_outcome(x->dir, *r);
	return hisi_zip_result_carried(x->dir, &slot->asked, x->trailer,
		x->dev->paths.path[x->path].counted, r);
}

uint64_t
hisi_zip_plain_chksum(const struct hisi_zip_slot *slot, const struct hisi_zip_sqe *sqe)
{
	const struct rte_comp_op *op = slot->op;
	const struct hisi_zip_xform *x = op->private_xform;
	struct zip_codec_sum sum = { .wanted = x->codec.checksum };

	if (x->chksum == RTE_COMP_CHECKSUM_NONE)
		return 0;
	hisi_zip_chksum_start(x, op->input_chksum, &sum.crc32, &sum.adler32);
	/* A request begins anew; it cannot go on from another checksum. */
	if (x->sum != HISI_ZIP_SUM_NONE && sum.crc32 == 0 && sum.adler32 == 1)
		return hisi_zip_sum_of(x->sum, hisi_zip_result_word(&sqe->checksum));
	if (x->dir == HISI_ZIP_COMP)
		hisi_zip_chain_sum(op->m_src, op->src.offset, op->consumed, &sum);
	else
		hisi_zip_chain_sum(op->m_dst, op->dst.offset, op->produced, &sum);
	return hisi_zip_chksum(x, sum.crc32, sum.adler32);
}
