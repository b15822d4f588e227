/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_qm_regs.h"
#include "hisi_zip_request.h"

/* log2 of the smallest and the largest window of the silicon (ZIP 5.3). */
#define WINDOW_MIN 12
#define WINDOW_MAX 15

/*
 * DEFLATE is as plain silicon has it: without the extension, or on V2, whose raw DEFLATE the
 * extension does not bring.
 */
static bool
plain(const struct hisi_zip_function *f, const struct hisi_zip_job *job)
{
	return job->format == HISI_ZIP_FORMAT_DEFLATE &&
		(f->features == 0 || f->revision < HISI_QM_REV_V3);
}

enum hisi_zip_path
hisi_zip_path_of(const struct hisi_zip_function *f, const struct hisi_zip_job *job)
{
	bool comp = job->dir == HISI_ZIP_COMP;
	const enum hisi_zip_path raw = comp ? HISI_ZIP_PATH_COMP_RAW : HISI_ZIP_PATH_DECOMP_RAW;
	const enum hisi_zip_path zlib = comp ? HISI_ZIP_PATH_COMP_ZLIB :
		HISI_ZIP_PATH_DECOMP_ZLIB;
	const enum hisi_zip_path gzip = comp ? HISI_ZIP_PATH_COMP_GZIP :
		HISI_ZIP_PATH_DECOMP_GZIP;
	const struct {
		enum hisi_zip_path path;
		uint32_t bits;      /* HISI_ZIP_PATH_BIT() of it, or 0 */
		uint32_t checksums; /* that it returns */
	} ways[] = {
		{ raw, f->paths & HISI_ZIP_PATH_BIT(raw), 0 },
		{ zlib, f->paths & HISI_ZIP_PATH_BIT(zlib),
			f->sums & HISI_ZIP_PATH_BIT(zlib) ? HISI_ZIP_EXT_ADLER32 : 0 },
		{ gzip, f->paths & HISI_ZIP_PATH_BIT(gzip),
			f->sums & HISI_ZIP_PATH_BIT(gzip) ? HISI_ZIP_EXT_CRC32 : 0 },
	};

	if (!plain(f, job))
		return comp ? HISI_ZIP_PATH_EXT_COMP : HISI_ZIP_PATH_EXT_DECOMP;
	/* In this order: a trailer costs room, and a list when decompressing. */
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].bits != 0 && (job->checksums & ~ways[i].checksums) == 0)
			return ways[i].path;
	}
	return HISI_ZIP_PATHS;
}

bool
hisi_zip_can(const struct hisi_zip_function *f, const struct hisi_zip_job *job, uint32_t wishes)
{
	uint32_t need = wishes, features = plain(f, job) ? 0 : f->features;

	if (hisi_zip_path_of(f, job) == HISI_ZIP_PATHS)
		return false;
	if (job->format == HISI_ZIP_FORMAT_LZ4)
		return ((wishes | HISI_ZIP_EXT_F_LZ4) & ~features) == 0;
	if (job->format == HISI_ZIP_FORMAT_COPY)
		need |= HISI_ZIP_EXT_F_COPY;
	if (job->checksums != 0 && !plain(f, job))
		need |= HISI_ZIP_EXT_F_CHECKSUM;
	if (job->dict)
		need |= HISI_ZIP_EXT_F_DICT;
	if (job->dir == HISI_ZIP_COMP && job->format == HISI_ZIP_FORMAT_DEFLATE) {
		if (job->huffman == HISI_ZIP_EXT_HUFFMAN_FIXED || job->level == 0)
			need |= HISI_ZIP_EXT_F_HUFFMAN | HISI_ZIP_EXT_F_LEVEL;
		/* V2 has no field for a window, and no source says which it has (U19). */
		if (job->window < (f->revision < HISI_QM_REV_V3 ? WINDOW_MAX : WINDOW_MIN))
			need |= HISI_ZIP_EXT_F_WINDOW;
	}
	return (need & ~features) == 0;
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
request_type(const struct hisi_zip_function *f, const struct hisi_zip_job *job,
		enum hisi_zip_path path)
{
	uint32_t window = window_code(job->window) << HISI_ZIP_DW9_WINDOW_SHIFT;

	if (job->format == HISI_ZIP_FORMAT_LZ4)
		return HISI_ZIP_REQ_EXT_LZ4;
	if (job->format == HISI_ZIP_FORMAT_COPY)
		return HISI_ZIP_REQ_EXT_COPY;
	/* V2 has no such field (ZIP 5.3). */
	if (f->revision < HISI_QM_REV_V3)
		window = 0;
	switch (hisi_zip_path_trailer(path)) {
	case HISI_ZIP_TRAILER_ZLIB:
		return HISI_ZIP_REQ_ZLIB | window;
	case HISI_ZIP_TRAILER_GZIP:
		return HISI_ZIP_REQ_GZIP | window;
	default:
		return HISI_ZIP_REQ_DEFLATE | window;
	}
}

void
hisi_zip_words_set(struct hisi_zip_words *words, const struct hisi_zip_function *f,
		const struct hisi_zip_job *job)
{
	*words = (struct hisi_zip_words){
		.dw7 = (f->revision >= HISI_QM_REV_V3 ? HISI_ZIP_SQE_TYPE3 : HISI_ZIP_SQE_TYPE0)
			<< HISI_ZIP_DW7_TYPE_SHIFT,
		.dw9 = request_type(f, job, hisi_zip_path_of(f, job)),
	};
	if (f->features == 0 || plain(f, job))
		return;
	words->dw10 = HISI_ZIP_EXT_VALID | job->checksums |
		(uint32_t)job->level << HISI_ZIP_EXT_LEVEL_SHIFT |
		(uint32_t)job->huffman << HISI_ZIP_EXT_HUFFMAN_SHIFT |
		(job->window & HISI_ZIP_EXT_WINDOW_MASK) << HISI_ZIP_EXT_WINDOW_SHIFT |
		(uint32_t)job->lz4_flags >> 2 << HISI_ZIP_EXT_LZ4_SHIFT |
		(job->dict ? HISI_ZIP_EXT_DICT : 0) | (job->partial ? HISI_ZIP_EXT_PARTIAL : 0);
}
