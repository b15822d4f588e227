/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_qm_regs.h"
#include "hisi_zip_request.h"

#define WINDOW_MIN 12 /* log2 of the smallest window of the silicon (ZIP 5.3) */

bool
hisi_zip_can(const struct hisi_zip_function *f, const struct hisi_zip_job *job, uint32_t wishes)
{
	uint32_t need = wishes;

	if (job->format == HISI_ZIP_FORMAT_LZ4)
		return ((wishes | HISI_ZIP_EXT_F_LZ4) & ~f->features) == 0;
	if (job->format == HISI_ZIP_FORMAT_COPY)
		need |= HISI_ZIP_EXT_F_COPY;
	else if (f->revision < HISI_QM_REV_V3)
		return false; /* no raw DEFLATE (ZIP 5.9) */
	if (job->checksums != 0)
		need |= HISI_ZIP_EXT_F_CHECKSUM;
	if (job->dict)
		need |= HISI_ZIP_EXT_F_DICT;
	if (job->dir == HISI_ZIP_COMP && job->format == HISI_ZIP_FORMAT_DEFLATE) {
		if (job->huffman == HISI_ZIP_EXT_HUFFMAN_FIXED || job->level == 0)
			need |= HISI_ZIP_EXT_F_HUFFMAN | HISI_ZIP_EXT_F_LEVEL;
		if (job->window < WINDOW_MIN)
			need |= HISI_ZIP_EXT_F_WINDOW;
	}
	return (need & ~f->features) == 0;
}

/* The hardware's window code that is not larger than 2^bits bytes (ZIP 5.3). */
static uint32_t
window_code(uint8_t bits)
{
	if (bits >= 15)
		return HISI_ZIP_WINDOW_32K;
	if (bits == 14)
		return HISI_ZIP_WINDOW_16K;
	return bits == 13 ? HISI_ZIP_WINDOW_8K : HISI_ZIP_WINDOW_4K;
}

static uint32_t
request_type(const struct hisi_zip_job *job)
{
	switch (job->format) {
	case HISI_ZIP_FORMAT_LZ4:
		return HISI_ZIP_REQ_EXT_LZ4;
	case HISI_ZIP_FORMAT_COPY:
		return HISI_ZIP_REQ_EXT_COPY;
	default:
		return HISI_ZIP_REQ_DEFLATE |
			window_code(job->window) << HISI_ZIP_DW9_WINDOW_SHIFT;
	}
}

void
hisi_zip_words_set(struct hisi_zip_words *words, const struct hisi_zip_function *f,
		const struct hisi_zip_job *job)
{
	*words = (struct hisi_zip_words){
		.dw7 = (f->revision >= HISI_QM_REV_V3 ? HISI_ZIP_SQE_TYPE3 : HISI_ZIP_SQE_TYPE0)
			<< HISI_ZIP_DW7_TYPE_SHIFT,
		.dw9 = request_type(job),
	};
	if (f->features == 0)
		return;
	words->dw10 = HISI_ZIP_EXT_VALID | job->checksums |
		(uint32_t)job->level << HISI_ZIP_EXT_LEVEL_SHIFT |
		(uint32_t)job->huffman << HISI_ZIP_EXT_HUFFMAN_SHIFT |
		(job->window & HISI_ZIP_EXT_WINDOW_MASK) << HISI_ZIP_EXT_WINDOW_SHIFT |
		(uint32_t)job->lz4_flags >> 2 << HISI_ZIP_EXT_LZ4_SHIFT |
		(job->dict ? HISI_ZIP_EXT_DICT : 0) | (job->partial ? HISI_ZIP_EXT_PARTIAL : 0);
}
