/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_zip_result.h"

enum hisi_zip_outcome
hisi_zip_result_carried(enum hisi_zip_dir dir, const struct hisi_zip_asked *asked,
		uint32_t trailer, uint32_t counted, struct hisi_zip_result *r)
{
	const enum hisi_zip_outcome outcome = hisi_zip_result_outcome(dir, *r);

	if (dir == HISI_ZIP_COMP) {
		if (outcome != HISI_ZIP_DONE)
			return outcome;
		/* No DEFLATE data is empty, and none of it lies where the trailer has to be. */
		if (r->produced <= counted || r->produced - counted > asked->dst_len - trailer)
			return HISI_ZIP_FAILED;
		r->produced -= counted;
		return HISI_ZIP_DONE;
	}
	/* The trailer does not match but by accident. */
	if (outcome != HISI_ZIP_DONE && outcome != HISI_ZIP_MISMATCH)
		return outcome;
	/* DEFLATE data that was cut off has its end in our trailer. */
	if (r->consumed <= counted || r->consumed - counted > asked->src_len - trailer)
		return HISI_ZIP_FAILED;
	r->consumed -= counted;
	return HISI_ZIP_DONE;
}

static uint32_t
le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool
hisi_zip_trailer_is(uint32_t trailer, const uint8_t *bytes, const struct hisi_zip_trailer_of *of)
{
	if (trailer == HISI_ZIP_TRAILER_GZIP)
		return le32(bytes + 4) == of->len && (!of->told || le32(bytes) == of->sum);
	return !of->told || __builtin_bswap32(le32(bytes)) == of->sum;
}

enum hisi_zip_outcome
hisi_zip_result_stream(struct hisi_zip_state *state, const struct hisi_zip_sqe *sqe,
		enum hisi_zip_dir dir, bool finish, struct hisi_zip_result r)
{
	uint32_t ctx_st;

	state->ctx_dw0 = hisi_zip_result_word(&sqe->ctx_dw0);
	state->ctx_dw1 = hisi_zip_result_word(&sqe->ctx_dw1);
	state->ctx_dw2 = hisi_zip_result_word(&sqe->ctx_dw2);
	state->isize = hisi_zip_result_word(&sqe->isize);
	state->checksum = hisi_zip_result_word(&sqe->checksum);
	switch (hisi_zip_result_status(r)) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGACOMPRESS:
		state->started = true;
		ctx_st = state->ctx_dw0 & HISI_ZIP_CTX_ST_MASK;
		if (dir == HISI_ZIP_DECOMP && (ctx_st == HISI_ZIP_CTX_NO_SPACE ||
				ctx_st == HISI_ZIP_CTX_DECOMPING_NO_SPACE))
			return HISI_ZIP_DONE_PART;
		if (finish)
			state->started = false;
		return HISI_ZIP_DONE;
	case HISI_ZIP_DECOMP_END:
		state->started = false;
		return HISI_ZIP_DONE_END;
	case HISI_ZIP_DSTLEN_OUT:
		if ((r.dw3 & HISI_ZIP_EXT_DW3_PARTIAL) == 0)
			return HISI_ZIP_NO_SPACE;
		state->started = true;
		return HISI_ZIP_DONE_PART;
	default:
		return HISI_ZIP_FAILED;
	}
}
