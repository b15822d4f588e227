/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "zip_dev_request.h"

#define STREAM_ROOM_MIN 200u /* what UADK gives a stream at least (ZIP 5.5) */
#define LIST_SGES       16u
#define STATUS_MOVED    0x10u

#define SGL_QUIRKS (ZIP_DEV_QUIRK_BIT(SGE_16) | ZIP_DEV_QUIRK_BIT(SGE_ZERO) | \
	ZIP_DEV_QUIRK_BIT(SGL_SINGLE) | ZIP_DEV_QUIRK_BIT(SGL_8M))

/* ---- Before ---- */

/*
 * All entries of a chain, also those behind the bytes that count. What is wrong in other ways is
 * left to qm_dev_buf_sgl().
 */
static uint32_t
check_sgl(struct qm_dev_view *view, uint64_t iova, const struct zip_dev_req *r)
{
	struct hisi_acc_sgl sgl;
	struct hisi_acc_sge sge;
	uint64_t bytes = 0;

	for (unsigned int lists = 0; iova != 0 && lists < HISI_ACC_SGL_MAX;
			lists++, iova = sgl.next_dma) {
		void *va = qm_dev_view_at(view, iova, sizeof(sgl), QM_DEV_PROT_READ);

		if (va == NULL)
			return HISI_ZIP_OK;
		qm_dev_copy_in(&sgl, va, sizeof(sgl));
		if (sgl.entry_sum_in_sgl > HISI_ACC_SGE_MAX)
			return HISI_ZIP_OK;
		if (zip_dev_has(r, SGL_SINGLE) && sgl.next_dma != 0)
			return HISI_ZIP_BAD_SGL;
		if (zip_dev_has(r, SGE_16) && sgl.entry_sum_in_sgl > LIST_SGES)
			return HISI_ZIP_BAD_SGL;
		for (unsigned int i = 0; i < sgl.entry_sum_in_sgl; i++) {
			va = qm_dev_view_at(view, iova + sizeof(sgl) + i * sizeof(sge), sizeof(sge),
					QM_DEV_PROT_READ);
			if (va == NULL)
				return HISI_ZIP_OK;
			qm_dev_copy_in(&sge, va, sizeof(sge));
			bytes += sge.len;
			if (zip_dev_has(r, SGE_ZERO) && sge.len == 0)
				return HISI_ZIP_BAD_SGL;
			if (zip_dev_has(r, SGL_8M) && bytes > HISI_ZIP_REQ_LEN_MAX)
				return HISI_ZIP_BAD_SGL;
		}
	}
	return HISI_ZIP_OK;
}

uint32_t
zip_dev_quirk_check(const struct zip_dev_run *x, const struct hisi_zip_sqe *sqe,
		struct zip_dev_req *r)
{
	uint32_t st = HISI_ZIP_OK;

	if (zip_dev_has(r, NO_TRAILER))
		r->trailer = 0;
	if (zip_dev_has(r, DW31_RAW) && r->type == HISI_ZIP_REQ_DEFLATE)
		r->params.checksum = ZIP_CODEC_CRC32;
	if (zip_dev_has(r, FLUSH_BITS) && r->stream && r->flush == ZIP_CODEC_FLUSH_SYNC)
		r->flush = ZIP_CODEC_FLUSH_BLOCK;
	if (zip_dev_has(r, EMPTY_REFUSED) && r->stream && r->src_len == 0)
		return HISI_ZIP_BAD_SQE;
	if (zip_dev_has(r, ROOM_8M) && sqe->dest_avail_out > HISI_ZIP_REQ_LEN_MAX)
		return HISI_ZIP_BAD_SQE;
	if (zip_dev_has(r, ROOM_200) && r->stream && r->dst_len < STREAM_ROOM_MIN)
		return HISI_ZIP_DSTLEN_OUT;
	if (r->sgl && (r->quirks & SGL_QUIRKS) != 0) {
		st = check_sgl(&x->bufs->view, sqe->source_addr_l |
				(uint64_t)sqe->source_addr_h << 32, r);
		if (st == HISI_ZIP_OK)
			st = check_sgl(&x->bufs->view, sqe->dest_addr_l |
					(uint64_t)sqe->dest_addr_h << 32, r);
	}
	return st;
}

/* ---- Afterwards ---- */

static void
change_counts(const struct zip_dev_req *r, struct hisi_zip_sqe *sqe, uint32_t status)
{
	bool good = status == HISI_ZIP_OK || status == HISI_ZIP_NEGACOMPRESS;

	if (status == HISI_ZIP_CRC_ERR && zip_dev_has(r, CRC_ZERO)) {
		sqe->consumed = 0;
		sqe->produced = 0;
		return;
	}
	if (r->stream)
		return;
	if (r->compress && good && zip_dev_has(r, PRODUCED_DATA))
		sqe->produced -= r->trailer;
	if (!r->compress && (good || status == HISI_ZIP_CRC_ERR)) {
		if (zip_dev_has(r, CONSUMED_DATA))
			sqe->consumed -= r->trailer;
		if (zip_dev_has(r, CONSUMED_ALL))
			sqe->consumed = r->src_len;
	}
	if (status == HISI_ZIP_DSTLEN_OUT && zip_dev_has(r, NOSPACE_COUNTS)) {
		sqe->consumed = r->src_len;
		sqe->produced = r->dst_len;
	}
}

static void
change_status(const struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	uint32_t status = sqe->dw3 & HISI_ZIP_STATUS_MASK;

	if (status == HISI_ZIP_NEGACOMPRESS && zip_dev_has(r, NC_NEVER))
		sqe->dw3 = HISI_ZIP_OK;
	if (status >= HISI_ZIP_BAD_DATA && status <= HISI_ZIP_INTERNAL &&
			zip_dev_has(r, STATUS_30))
		sqe->dw3 += STATUS_MOVED;
	if (status == HISI_ZIP_OK && !r->stream && !r->compress && zip_dev_has(r, END_STATELESS))
		sqe->dw3 = HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK;
	if (sqe->dw3 == (HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK)) {
		if (zip_dev_has(r, END_13))
			sqe->dw3 &= ~HISI_ZIP_LSTBLK;
		if (zip_dev_has(r, END_LSTBLK))
			sqe->dw3 &= ~HISI_ZIP_STATUS_MASK;
	}
	if (r->stream && (sqe->ctx_dw0 & HISI_ZIP_CTX_ST_MASK) == HISI_ZIP_CTX_NO_CRC &&
			zip_dev_has(r, CTX4_NEVER))
		sqe->ctx_dw0 &= ~HISI_ZIP_CTX_ST_MASK;
}

static void
change_checksum(const struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	bool gzip = r->type == HISI_ZIP_REQ_GZIP ||
		(r->type == HISI_ZIP_REQ_DEFLATE && zip_dev_has(r, DW31_RAW));

	if (gzip && zip_dev_has(r, DW31_PLAIN))
		sqe->checksum = ~zip_dev_bit_reverse(sqe->checksum);
	if (r->type != HISI_ZIP_REQ_DEFLATE && zip_dev_has(r, DW31_ZERO))
		sqe->checksum = 0;
}

void
zip_dev_quirk_result(const struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	change_counts(r, sqe, sqe->dw3 & HISI_ZIP_STATUS_MASK);
	change_status(r, sqe);
	change_checksum(r, sqe);
}
