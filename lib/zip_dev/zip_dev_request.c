/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "zip_dev_request.h"

/*
 * What plain silicon does without being asked is not documented (U18, U19):
 * the software function compresses as fast silicon does, and uses the largest
 * window that the format has where the request cannot choose (V2).
 */
#define PLAIN_LEVEL       1
#define PLAIN_DST_MIN     0x10u /**< Less output room is refused (ZIP 5.5, U20). */
#define V2_WINDOW         15
#define V2_WINDOW_STRICT  14 /**< With that quirk. */

/* The extension's words (hisi_zip_ext.h). */
static uint32_t
check_ext(const struct hisi_zip_sqe *sqe, struct zip_dev_req *r)
{
	static const uint8_t huffman[] = {
		[HISI_ZIP_EXT_HUFFMAN_DEFAULT] = ZIP_CODEC_HUFFMAN_DEFAULT,
		[HISI_ZIP_EXT_HUFFMAN_FIXED] = ZIP_CODEC_HUFFMAN_FIXED,
		[HISI_ZIP_EXT_HUFFMAN_DYNAMIC] = ZIP_CODEC_HUFFMAN_DYNAMIC,
	};
	uint32_t w = sqe->dw10;
	unsigned int level = w >> HISI_ZIP_EXT_LEVEL_SHIFT & HISI_ZIP_EXT_LEVEL_MASK;
	unsigned int huff = w >> HISI_ZIP_EXT_HUFFMAN_SHIFT & HISI_ZIP_EXT_HUFFMAN_MASK;
	unsigned int flush = w >> HISI_ZIP_EXT_FLUSH_SHIFT & HISI_ZIP_EXT_FLUSH_MASK;
	unsigned int window = w >> HISI_ZIP_EXT_WINDOW_SHIFT & HISI_ZIP_EXT_WINDOW_MASK;
	bool raw = r->type == HISI_ZIP_REQ_DEFLATE || r->type == HISI_ZIP_REQ_EXT_COPY;

	if (r->type == HISI_ZIP_REQ_EXT_LZ4)
		return zip_dev_lz4_check(w, r->compress, &r->params);
	if ((w & (HISI_ZIP_EXT_RSVD_MASK | HISI_ZIP_EXT_XXH32 |
			HISI_ZIP_EXT_LZ4_MASK << HISI_ZIP_EXT_LZ4_SHIFT)) != 0)
		return HISI_ZIP_BAD_SQE;
	if ((w & HISI_ZIP_EXT_DICT) != 0) {
		if (r->type != HISI_ZIP_REQ_DEFLATE || r->stream || sqe->dw13 == 0 ||
				sqe->dw13 > HISI_ZIP_EXT_DICT_MAX ||
				(w & HISI_ZIP_EXT_PARTIAL) != 0 || flush != HISI_ZIP_EXT_FLUSH_DW7)
			return HISI_ZIP_BAD_SQE;
		r->params.dict_len = sqe->dw13;
	}
	if ((w & (HISI_ZIP_EXT_CRC32 | HISI_ZIP_EXT_ADLER32)) != 0) {
		if (!raw)
			return HISI_ZIP_BAD_SQE;
		if ((w & HISI_ZIP_EXT_CRC32) != 0)
			r->params.checksum |= ZIP_CODEC_CRC32;
		if ((w & HISI_ZIP_EXT_ADLER32) != 0)
			r->params.checksum |= ZIP_CODEC_ADLER32;
		r->params.crc32 = sqe->dw11;
		r->params.adler32 = sqe->dw12;
	}
	r->partial = (w & HISI_ZIP_EXT_PARTIAL) != 0;
	/* The other choices are about compression. */
	if (!r->compress || r->type == HISI_ZIP_REQ_EXT_COPY)
		return HISI_ZIP_OK;

	if (level > ZIP_CODEC_LEVEL_MAX || huff > HISI_ZIP_EXT_HUFFMAN_DYNAMIC ||
			window < ZIP_CODEC_WINDOW_MIN || window > ZIP_CODEC_WINDOW_MAX)
		return HISI_ZIP_BAD_SQE;
	r->params.level = (uint8_t)level;
	r->params.huffman = huffman[huff];
	r->params.window = (uint8_t)window;

	switch (flush) {
	case HISI_ZIP_EXT_FLUSH_DW7:
		break;
	case HISI_ZIP_EXT_FLUSH_NONE:
		if (!r->stream || r->flush == ZIP_CODEC_FLUSH_FINISH)
			return HISI_ZIP_BAD_SQE;
		r->flush = ZIP_CODEC_FLUSH_NONE;
		break;
	case HISI_ZIP_EXT_FLUSH_FULL:
		/* A piece that does not end the data cannot have a trailer. */
		if (r->stream ? r->flush == ZIP_CODEC_FLUSH_FINISH : !raw)
			return HISI_ZIP_BAD_SQE;
		r->flush = ZIP_CODEC_FLUSH_FULL;
		break;
	default:
		return HISI_ZIP_BAD_SQE;
	}
	return !r->stream && r->partial && !raw ? HISI_ZIP_BAD_SQE : HISI_ZIP_OK;
}

/* Window of a plain request (ZIP 5.3); 24 KiB is no power of two: stay below it. */
static uint32_t
zip_window(const struct zip_dev_func *f, const struct hisi_zip_sqe *sqe, struct zip_dev_req *r)
{
	static const uint8_t window[] = {
		[HISI_ZIP_WINDOW_4K] = 12,
		[HISI_ZIP_WINDOW_8K] = 13,
		[HISI_ZIP_WINDOW_16K] = 14,
		[HISI_ZIP_WINDOW_24K] = 14,
		[HISI_ZIP_WINDOW_32K] = 15,
	};
	unsigned int w = sqe->dw9 >> HISI_ZIP_DW9_WINDOW_SHIFT & HISI_ZIP_DW9_WINDOW_MASK;

	if (f->revision < HISI_QM_REV_V3) {
		r->params.window = zip_dev_has(r, WINDOW_STRICT) ? V2_WINDOW_STRICT : V2_WINDOW;
		return HISI_ZIP_OK;
	}
	if (w > HISI_ZIP_WINDOW_32K)
		return HISI_ZIP_BAD_SQE;
	r->params.window = window[w];
	return HISI_ZIP_OK;
}

uint32_t
zip_dev_check(const struct zip_dev_func *f, uint8_t type, const struct hisi_zip_sqe *sqe,
		struct zip_dev_req *r)
{
	bool v3 = f->revision >= HISI_QM_REV_V3;
	unsigned int buf = sqe->dw9 >> HISI_ZIP_DW9_BUF_SHIFT & HISI_ZIP_DW9_BUF_MASK;
	uint32_t st;

	*r = (struct zip_dev_req){
		.type = (uint8_t)(sqe->dw9 & HISI_ZIP_DW9_REQ_MASK),
		.compress = type == HISI_ZIP_QC_COMPRESS,
		.sgl = buf == HISI_ZIP_BUF_SGL,
		.ext = f->ext != 0 && (sqe->dw10 & HISI_ZIP_EXT_VALID) != 0,
		.stream = (sqe->dw7 & HISI_ZIP_DW7_STREAM) != 0,
		.first = (sqe->dw7 & HISI_ZIP_DW7_STREAM_NEW) != 0,
		.copy = f->conf.engine == ZIP_DEV_ENGINE_COPY,
		.flush = ZIP_CODEC_FLUSH_FINISH,
		.params = { .level = PLAIN_LEVEL, .huffman = ZIP_CODEC_HUFFMAN_DEFAULT,
				.window = ZIP_CODEC_WINDOW_MAX, .adler32 = 1 },
		.src_len = sqe->input_data_length,
		.dst_len = sqe->dest_avail_out,
	};

	if (!r->ext && r->type <= HISI_ZIP_REQ_GZIP)
		r->quirks = atomic_load_explicit(&f->quirks, memory_order_relaxed);
	if (sqe->dw7 >> HISI_ZIP_DW7_TYPE_SHIFT != (v3 ? HISI_ZIP_SQE_TYPE3 : HISI_ZIP_SQE_TYPE0) ||
			buf > HISI_ZIP_BUF_SGL || r->src_len > HISI_ZIP_REQ_LEN_MAX)
		return HISI_ZIP_BAD_SQE;
	/* More room than a request can ever fill is no fault: UADK clamps, the kernel does not. */
	if (r->dst_len > HISI_ZIP_REQ_LEN_MAX)
		r->dst_len = HISI_ZIP_REQ_LEN_MAX;

	switch (r->type) {
	case HISI_ZIP_REQ_DEFLATE:
		if (!v3)
			return HISI_ZIP_BAD_SQE;
		break;
	case HISI_ZIP_REQ_ZLIB:
		r->params.checksum = ZIP_CODEC_ADLER32;
		r->trailer = ZIP_DEV_TRAILER_ZLIB;
		break;
	case HISI_ZIP_REQ_GZIP:
		r->params.checksum = ZIP_CODEC_CRC32;
		r->trailer = ZIP_DEV_TRAILER_GZIP;
		break;
	case HISI_ZIP_REQ_EXT_COPY:
		if (!f->ext || r->stream)
			return HISI_ZIP_BAD_SQE;
		r->copy = true;
		break;
	case HISI_ZIP_REQ_EXT_LZ4:
		if (!r->ext || r->stream)
			return HISI_ZIP_BAD_SQE;
		break;
	default:
		return HISI_ZIP_BAD_SQE; /* LZ4 and lz77 of silicon, too (U22) */
	}

	/* Without a stream neither this bit nor STREAM_NEW counts (U13). */
	if (r->stream && (sqe->dw7 & HISI_ZIP_DW7_FINISH) == 0)
		r->flush = ZIP_CODEC_FLUSH_SYNC;
	st = r->ext ? check_ext(sqe, r) : r->compress || zip_dev_has(r, WINDOW_STRICT) ?
		zip_window(f, sqe, r) : HISI_ZIP_OK;
	if (st != HISI_ZIP_OK)
		return st;

	/* Limits of the silicon that the extension lifts (ZIP 5.5); a copy is the extension's. */
	if (!r->ext && r->type != HISI_ZIP_REQ_EXT_COPY) {
		if (r->src_len == 0 && !r->stream)
			return HISI_ZIP_BAD_SQE;
		if (r->dst_len < PLAIN_DST_MIN)
			return HISI_ZIP_DSTLEN_OUT;
	}
	return HISI_ZIP_OK;
}
