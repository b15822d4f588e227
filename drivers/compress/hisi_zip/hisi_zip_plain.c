/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_mbuf.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_plain.h"
#include "hisi_zip_wrong.h"
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

/* What the trailer is that of, as the request says. */
static struct hisi_zip_trailer_of
trailer_of(const struct hisi_zip_path_info *info, const struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe)
{
	uint32_t dw31 = hisi_zip_result_word(&sqe->checksum);

	return (struct hisi_zip_trailer_of){ .sum = hisi_zip_sum_of(info->sum, dw31),
		.told = info->sum != HISI_ZIP_SUM_NONE && dw31 != 0,
		.len = slot->op->src.length };
}

/* zlib's trailer has nothing but the sum. Where the function does not tell it, we make it. */
static void
have_sum(struct hisi_zip_trailer_of *of, uint8_t trailer, const struct rte_mbuf *m, uint32_t offset)
{
	struct zip_codec_sum sum = { .wanted = ZIP_CODEC_ADLER32, .adler32 = 1 };

	if (of->told || trailer != HISI_ZIP_TRAILER_ZLIB)
		return;
	hisi_zip_chain_sum(m, offset, of->len, &sum);
	of->sum = sum.adler32;
	of->told = true;
}

/* A compression is done. Is it, in all that can be seen? ends: as the function was when asked. */
static bool
packed_right(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		struct hisi_zip_trailer_of of, uint32_t produced, bool ends)
{
	const struct rte_comp_op *op = slot->op;
	const struct hisi_zip_xform *x = op->private_xform;
	/* Of a list, the end is not in the mbufs. */
	uint32_t room = slot->asked.dst_len -
		(slot->flags & HISI_ZIP_SLOT_F_SGL ? x->trailer : 0);
	uint8_t trailer[HISI_ZIP_TRAILER_GZIP];

	/* No trailer was written: then none is a part of the output. */
	if (!ends && produced < x->trailer)
		return true;
	if (!ends)
		produced -= x->trailer;
	if (room < x->trailer || produced > room - x->trailer ||
			!hisi_zip_chain_read(op->m_dst, (uint64_t)op->dst.offset + produced,
			trailer, x->trailer))
		return !qp->dev->sw;
	have_sum(&of, x->trailer, op->m_src, op->src.offset);
	if (hisi_zip_trailer_is(x->trailer, trailer, &of) == ends)
		return true;
	hisi_zip_paths_wrong(qp->dev, x->paths, HISI_ZIP_WRONG_RESULT);
	return false;
}

/* A decompression is done, and has left so many bytes of its source. May it be that it has not? */
static bool
end_right(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		struct hisi_zip_trailer_of of, const struct hisi_zip_result *r, uint32_t left,
		const struct hisi_zip_path_info *info)
{
	const struct rte_comp_op *op = slot->op;
	const struct hisi_zip_xform *x = op->private_xform;
	bool matches = hisi_zip_result_outcome(x->dir, *r) == HISI_ZIP_DONE;
	uint8_t trailer[HISI_ZIP_TRAILER_GZIP];

	if (!qp->dev->sw)
		return true;
	/* It would not read one, and has done so now; or it may count now what it would not. */
	if (info->counted == 0)
		return left == 0 && matches != info->ends;
	if (left == 0)
		return true;
	/* Whether that is without what it took for a trailer, nothing shows. */
	if (!matches)
		return false;
	/* Ours does not match. So it was one of the source's. */
	have_sum(&of, x->trailer, op->m_dst, op->dst.offset);
	return left >= x->trailer && hisi_zip_chain_read(op->m_src,
		(uint64_t)op->src.offset + r->consumed, trailer, x->trailer) &&
		hisi_zip_trailer_is(x->trailer, trailer, &of);
}

enum hisi_zip_outcome
hisi_zip_plain_outcome(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe, struct hisi_zip_result *r)
{
	const struct hisi_zip_xform *x = slot->op->private_xform;
	const struct hisi_zip_path_info *info;
	struct hisi_zip_trailer_of of;
	enum hisi_zip_outcome outcome;

	if (x->trailer == 0)
		return hisi_zip_result_outcome(x->dir, *r);
	/* Learned since the transform was made, perhaps. */
	info = &qp->known[x->dir].path[x->path];
	outcome = hisi_zip_result_carried(x->dir, &slot->asked, x->trailer, info->counted, r);
	if (outcome != HISI_ZIP_DONE)
		return outcome;
	of = trailer_of(info, slot, sqe);
	if (x->dir == HISI_ZIP_COMP) {
		if ((info->ends || info->counted == 0) &&
				!packed_right(qp, slot, of, r->produced, info->ends))
			return HISI_ZIP_FAILED;
	} else {
		of.len = r->produced;
		if (!end_right(qp, slot, of, r, slot->op->src.length - r->consumed, info))
			return HISI_ZIP_FAILED;
	}
	return HISI_ZIP_DONE;
}

uint64_t
hisi_zip_plain_chksum(const struct hisi_zip_qp *qp, const struct hisi_zip_slot *slot,
		const struct hisi_zip_sqe *sqe, struct hisi_zip_result r)
{
	const struct rte_comp_op *op = slot->op;
	const struct hisi_zip_xform *x = op->private_xform;
	struct zip_codec_sum sum = { .wanted = x->codec.checksum };
	uint32_t dw31 = hisi_zip_result_word(&sqe->checksum);
	/* Learned since the transform was made, perhaps. */
	const struct hisi_zip_path_info *info = &qp->known[x->dir].path[x->path];

	if (x->chksum == RTE_COMP_CHECKSUM_NONE)
		return 0;
	hisi_zip_chksum_start(x, op->input_chksum, &sum.crc32, &sum.adler32);
	/*
	 * A request begins anew; it cannot go on from another checksum. 0 is hardly ever one. That
	 * of a compression was compared with the trailer, if it has one; others nobody has seen.
	 */
	if (x->sums && x->dir == HISI_ZIP_COMP && info->ends && info->sum != HISI_ZIP_SUM_NONE &&
			sum.crc32 == 0 && sum.adler32 == 1 && dw31 != 0)
		return hisi_zip_sum_of(info->sum, dw31);
	if (x->dir == HISI_ZIP_COMP)
		hisi_zip_chain_sum(op->m_src, op->src.offset, r.consumed, &sum);
	else
		hisi_zip_chain_sum(op->m_dst, op->dst.offset, r.produced, &sum);
	return hisi_zip_chksum(x, sum.crc32, sum.adler32);
}
