/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include "zip_dev_internal.h"

/*
 * What plain silicon does without being asked is not documented (U18, U19):
 * the software function compresses as a fast engine does, and uses the largest
 * window that the format has where the request cannot choose (V2).
 */
#define PLAIN_LEVEL       1
#define PLAIN_DST_MIN     0x10u /**< Less output room is refused (ZIP 5.5, U20). */
#define V2_WINDOW         15

#define WINDOW_MAX        (32u << 10)
#define CTX_HW_LEN        (HISI_ZIP_CTX_HW_END - HISI_ZIP_CTX_HW_OFF)

#define TRAILER_ZLIB 4 /**< Adler-32, big endian. */
#define TRAILER_GZIP 8 /**< CRC-32 and size, little endian. */

/** A request, checked. */
struct req {
	uint8_t type;       /**< enum hisi_zip_req or HISI_ZIP_REQ_EXT_*. */
	bool compress;
	bool sgl;
	bool ext;           /**< dw10 to dw12 were given. */
	bool stream;
	bool first;         /**< First request of a stream. */
	bool partial;
	bool copy;          /**< Bytes pass through. */
	enum zip_codec_flush flush;
	struct zip_codec_params params;
	unsigned int trailer; /**< Bytes behind the DEFLATE data. */
	uint32_t src_len;
	uint32_t dst_len;
};

/* ---- Checks ---- */

/* The extension's words (hisi_zip_ext.h). */
static uint32_t
check_ext(const struct hisi_zip_sqe *sqe, struct req *r)
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

/* Window of plain compression (ZIP 5.3); 24 KiB is no power of two: stay below it. */
static uint32_t
check_window(const struct zip_dev *dev, const struct hisi_zip_sqe *sqe, struct req *r)
{
	static const uint8_t window[] = {
		[HISI_ZIP_WINDOW_4K] = 12,
		[HISI_ZIP_WINDOW_8K] = 13,
		[HISI_ZIP_WINDOW_16K] = 14,
		[HISI_ZIP_WINDOW_24K] = 14,
		[HISI_ZIP_WINDOW_32K] = 15,
	};
	unsigned int w = sqe->dw9 >> HISI_ZIP_DW9_WINDOW_SHIFT & HISI_ZIP_DW9_WINDOW_MASK;

	if (dev->conf.revision < HISI_QM_REV_V3) {
		r->params.window = V2_WINDOW;
		return HISI_ZIP_OK;
	}
	if (w > HISI_ZIP_WINDOW_32K)
		return HISI_ZIP_BAD_SQE;
	r->params.window = window[w];
	return HISI_ZIP_OK;
}

/* Turn the words of an SQE into a request. @return enum hisi_zip_status. */
static uint32_t
check(const struct zip_dev *dev, uint8_t qc_type, const struct hisi_zip_sqe *sqe, struct req *r)
{
	bool v3 = dev->conf.revision >= HISI_QM_REV_V3;
	unsigned int buf = sqe->dw9 >> HISI_ZIP_DW9_BUF_SHIFT & HISI_ZIP_DW9_BUF_MASK;
	uint32_t st;

	*r = (struct req){
		.type = (uint8_t)(sqe->dw9 & HISI_ZIP_DW9_REQ_MASK),
		.compress = qc_type == HISI_ZIP_QC_COMPRESS,
		.sgl = buf == HISI_ZIP_BUF_SGL,
		.ext = dev->conf.ext != 0 && (sqe->dw10 & HISI_ZIP_EXT_VALID) != 0,
		.stream = (sqe->dw7 & HISI_ZIP_DW7_STREAM) != 0,
		.first = (sqe->dw7 & HISI_ZIP_DW7_STREAM_NEW) != 0,
		.copy = dev->conf.engine == ZIP_DEV_ENGINE_COPY,
		.flush = ZIP_CODEC_FLUSH_FINISH,
		.params = { .level = PLAIN_LEVEL, .huffman = ZIP_CODEC_HUFFMAN_DEFAULT,
				.window = ZIP_CODEC_WINDOW_MAX, .adler32 = 1 },
		.src_len = sqe->input_data_length,
		.dst_len = sqe->dest_avail_out,
	};

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
		r->trailer = TRAILER_ZLIB;
		break;
	case HISI_ZIP_REQ_GZIP:
		r->params.checksum = ZIP_CODEC_CRC32;
		r->trailer = TRAILER_GZIP;
		break;
	case HISI_ZIP_REQ_EXT_COPY:
		if (!dev->conf.ext || r->stream)
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
	st = r->ext ? check_ext(sqe, r) : r->compress ? check_window(dev, sqe, r) : HISI_ZIP_OK;
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

/* Find both buffers. @return enum hisi_zip_status. */
static uint32_t
find_buffers(struct zip_dev_exec *ex, const struct hisi_zip_sqe *sqe, struct req *r)
{
	uint64_t src = sqe->source_addr_l | (uint64_t)sqe->source_addr_h << 32;
	uint64_t dst = sqe->dest_addr_l | (uint64_t)sqe->dest_addr_h << 32;
	uint32_t st;

	if (!r->sgl) {
		st = zip_dev_buf_flat(&ex->view, src, r->src_len, ZIP_DEV_PROT_READ, &ex->src);
		if (st == HISI_ZIP_OK)
			st = zip_dev_buf_flat(&ex->view, dst, r->dst_len, ZIP_DEV_PROT_WRITE,
					&ex->dst);
	} else {
		st = zip_dev_buf_sgl(&ex->view, src, sqe->dw7 & HISI_ZIP_DW7_OFFSET_MASK,
				r->src_len, ZIP_DEV_PROT_READ, &ex->src);
		if (st == HISI_ZIP_OK && ex->src.len < r->src_len)
			st = HISI_ZIP_BAD_SGL;
		if (st == HISI_ZIP_OK)
			st = zip_dev_buf_sgl(&ex->view, dst, sqe->dw8 & HISI_ZIP_DW7_OFFSET_MASK,
					r->dst_len, ZIP_DEV_PROT_WRITE, &ex->dst);
		/* A destination that holds less than dw14 is just smaller. */
		r->dst_len = (uint32_t)ex->dst.len;
	}
	/* What silicon does then is open (U33). */
	if (st == HISI_ZIP_OK && zip_dev_buf_overlap(&ex->src, &ex->dst, ex->pieces))
		st = HISI_ZIP_BAD_SQE;
	return st;
}

/* ---- Results ---- */

static void
set_result(struct hisi_zip_sqe *sqe, uint64_t consumed, uint64_t produced, uint32_t dw3)
{
	sqe->consumed = (uint32_t)consumed;
	sqe->produced = (uint32_t)produced;
	sqe->comp_data_length = 0; /* U21 */
	sqe->dw3 = dw3;
}

static uint32_t
bit_reverse(uint32_t x)
{
	x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
	x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
	x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
	return __builtin_bswap32(x);
}

/* dw30, dw31: as ZIP 5.7 for zlib and gzip; plain values where the extension asked. */
static void
set_checksum(struct hisi_zip_sqe *sqe, const struct req *r, uint8_t checksum, uint32_t crc32,
		uint32_t adler32, uint32_t isize)
{
	switch (r->type) {
	case HISI_ZIP_REQ_ZLIB:
		sqe->isize = isize;
		sqe->checksum = adler32;
		break;
	case HISI_ZIP_REQ_GZIP:
		sqe->isize = isize;
		sqe->checksum = ~bit_reverse(crc32);
		break;
	default:
		if (checksum != 0) {
			sqe->isize = adler32;
			sqe->checksum = crc32;
		} else if (r->stream) {
			sqe->isize = isize;
		}
		/* Else both stay: what silicon returns for raw DEFLATE is open (U17). */
	}
}

/* The trailer that belongs behind the DEFLATE data. */
static void
make_trailer(uint8_t trailer[TRAILER_GZIP], uint8_t type, uint32_t crc32, uint32_t adler32,
		uint32_t isize)
{
	if (type == HISI_ZIP_REQ_ZLIB) {
		adler32 = __builtin_bswap32(adler32);
		memcpy(trailer, &adler32, sizeof(adler32));
	} else {
		memcpy(trailer, &crc32, sizeof(crc32));
		memcpy(trailer + 4, &isize, sizeof(isize));
	}
}

/* ---- One request, complete in itself ---- */

static void
run_copy(struct zip_dev_exec *ex, const struct req *r, struct hisi_zip_sqe *sqe)
{
	struct zip_codec_result res;
	int rc = zip_codec_copy(&r->params, ex->src.iov, ex->src.cnt, ex->dst.iov, ex->dst.cnt,
			&res);

	if (rc == -ENOSPC && r->partial && res.produced != 0) {
		set_result(sqe, res.consumed, res.produced,
				HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL);
	} else if (rc != 0) {
		set_result(sqe, 0, 0, rc == -ENOSPC ? HISI_ZIP_DSTLEN_OUT : HISI_ZIP_BAD_SQE);
		return;
	} else {
		/* A copy has no end of its own: a decompressing stream ends with each request. */
		set_result(sqe, res.consumed, res.produced, r->stream && !r->compress ?
				HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK : HISI_ZIP_OK);
	}
	if (r->params.checksum != 0)
		set_checksum(sqe, r, r->params.checksum, res.crc32, res.adler32,
				(uint32_t)res.consumed);
}

static uint32_t
codec_status(int rc)
{
	switch (rc) {
	case 0:
		return HISI_ZIP_OK;
	case -ENOSPC:
		return HISI_ZIP_DSTLEN_OUT;
	case -EBADMSG:
		return HISI_ZIP_BAD_DATA;
	case -EILSEQ:
		return HISI_ZIP_CRC_ERR;
	case -EINVAL:
	case -E2BIG:
		return HISI_ZIP_BAD_SQE;
	case -EPIPE:
		return HISI_ZIP_BAD_STREAM;
	default:
		return HISI_ZIP_INTERNAL;
	}
}

static void
run_deflate(struct zip_dev_exec *ex, const struct req *r, struct hisi_zip_sqe *sqe)
{
	struct zip_dev_buf *dst = &ex->dst;
	struct zip_codec_result res;
	unsigned int cnt = dst->cnt;
	struct iovec *cut = NULL;
	size_t cut_len = 0;
	uint32_t st = HISI_ZIP_OK;
	int rc;

	if (r->dst_len < r->trailer) {
		set_result(sqe, 0, 0, HISI_ZIP_DSTLEN_OUT);
		return;
	}
	/* Keep the codec off the room for the trailer. */
	for (uint64_t left = r->trailer; left != 0;) {
		cut = &dst->iov[cnt - 1];
		cut_len = cut->iov_len;
		if (cut_len > left) {
			cut->iov_len -= left;
			break;
		}
		left -= cut_len;
		cut = NULL;
		cnt--;
	}
	rc = zip_codec_deflate(ex->codec, &r->params, r->flush, r->partial, ex->src.iov,
			ex->src.cnt, dst->iov, cnt, &res);
	if (cut != NULL)
		cut->iov_len = cut_len;

	if (rc != 0 && !(rc == -ENOSPC && r->partial && res.produced != 0)) {
		set_result(sqe, 0, 0, codec_status(rc));
		return;
	}
	if (r->trailer != 0) {
		uint8_t trailer[TRAILER_GZIP];

		make_trailer(trailer, r->type, res.crc32, res.adler32, r->src_len);
		zip_dev_buf_write(dst, res.produced, trailer, r->trailer);
		res.produced += r->trailer;
	}
	if (rc != 0)
		st = HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL;
	else if (!r->ext && res.produced >= res.consumed)
		st = HISI_ZIP_NEGACOMPRESS;
	set_result(sqe, res.consumed, res.produced, st);
	set_checksum(sqe, r, r->params.checksum, res.crc32, res.adler32, r->src_len);
}

static void
run_inflate(struct zip_dev_exec *ex, const struct req *r, struct hisi_zip_sqe *sqe)
{
	uint8_t want[TRAILER_GZIP], got[TRAILER_GZIP];
	struct zip_codec_result res;
	uint32_t st = HISI_ZIP_OK;
	int rc = zip_codec_inflate(ex->codec, &r->params, ex->src.iov, ex->src.cnt, ex->dst.iov,
			ex->dst.cnt, &res);

	if (rc != 0) {
		set_result(sqe, 0, 0, codec_status(rc));
		return;
	}
	if (r->trailer != 0) {
		if (r->src_len - res.consumed < r->trailer) {
			set_result(sqe, 0, 0, HISI_ZIP_BAD_DATA);
			return;
		}
		make_trailer(want, r->type, res.crc32, res.adler32, (uint32_t)res.produced);
		zip_dev_buf_read(&ex->src, res.consumed, got, r->trailer);
		res.consumed += r->trailer;
		if (memcmp(want, got, r->trailer) != 0)
			st = HISI_ZIP_CRC_ERR;
	}
	/* Without LSTBLK: the kernel takes 0x00 for success only (U12). */
	set_result(sqe, res.consumed, res.produced, st);
	set_checksum(sqe, r, r->params.checksum, res.crc32, res.adler32, (uint32_t)res.produced);
}

static void
run_lz4(struct zip_dev_exec *ex, const struct req *r, struct hisi_zip_sqe *sqe)
{
	struct zip_codec_result res;
	int rc = zip_dev_lz4_run(ex, r->compress, &r->params, &res);

	set_result(sqe, res.consumed, res.produced, codec_status(rc));
	if (rc == 0 && r->params.checksum != 0)
		sqe->checksum = res.xxh32;
}

/* ---- One request of a stream ---- */

/*
 * Write what is missing of the trailer behind the produced bytes.
 * @return Whether it is complete.
 */
static bool
stream_write_trailer(struct zip_dev_exec *ex, const struct req *r, struct zip_dev_stream *s,
		struct zip_codec_result *res)
{
	uint64_t room = ex->dst.len - res->produced;
	size_t n = r->trailer - s->trailer_done;

	if (n > room)
		n = room;
	zip_dev_buf_write(&ex->dst, res->produced, s->trailer + s->trailer_done, n);
	s->trailer_done = (uint8_t)(s->trailer_done + n);
	res->produced += n;
	return s->trailer_done == r->trailer;
}

/* The same for reading. The bytes read so far are kept in the stream. */
static bool
stream_read_trailer(struct zip_dev_exec *ex, const struct req *r, struct zip_dev_stream *s,
		struct zip_codec_result *res)
{
	uint64_t left = ex->src.len - res->consumed;
	size_t n = r->trailer - s->trailer_done;

	if (n > left)
		n = left;
	zip_dev_buf_read(&ex->src, res->consumed, s->trailer + s->trailer_done, n);
	s->trailer_done = (uint8_t)(s->trailer_done + n);
	res->consumed += n;
	return s->trailer_done == r->trailer;
}

/* @return Whether the stream goes on. */
static bool
stream_deflate(struct zip_dev_exec *ex, const struct req *r, struct zip_dev_stream *s, int rc,
		struct zip_codec_result *res, struct hisi_zip_sqe *sqe)
{
	bool finished = s->ended || (rc == 0 && r->flush == ZIP_CODEC_FLUSH_FINISH);

	if (finished && !s->ended) {
		make_trailer(s->trailer, r->type, s->crc32, s->adler32, s->isize);
		s->ended = true;
	}
	if (rc == -ENOSPC || (finished && !stream_write_trailer(ex, r, s, res))) {
		/* The bit is the extension's; without it the values are valid all the same. */
		set_result(sqe, res->consumed, res->produced, HISI_ZIP_DSTLEN_OUT |
				(r->ext ? HISI_ZIP_EXT_DW3_PARTIAL : 0));
		sqe->ctx_dw1 = 1;
		return true;
	}
	set_result(sqe, res->consumed, res->produced, HISI_ZIP_OK);
	return !finished;
}

/* @return Whether the stream goes on. */
static bool
stream_inflate(struct zip_dev_exec *ex, const struct req *r, struct zip_dev_stream *s, int rc,
		struct zip_codec_result *res, struct hisi_zip_sqe *sqe)
{
	uint8_t want[TRAILER_GZIP];

	if (res->end)
		s->ended = true;
	if (s->ended || res->last_block)
		sqe->ctx_dw0 = HISI_ZIP_CTX_BFINAL;
	if (rc == -ENOSPC && !s->ended) {
		/* Both ask for more room; 1 says that the stream needs no more input. */
		sqe->ctx_dw0 |= res->last_block && res->consumed == r->src_len ?
			HISI_ZIP_CTX_NO_SPACE : HISI_ZIP_CTX_DECOMPING_NO_SPACE;
		sqe->ctx_dw1 = 1;
		set_result(sqe, res->consumed, res->produced, HISI_ZIP_OK);
		return true;
	}
	if (!s->ended || !stream_read_trailer(ex, r, s, res)) {
		if (s->ended)
			sqe->ctx_dw0 |= HISI_ZIP_CTX_NO_CRC;
		else if (res->at_block)
			sqe->ctx_dw0 |= HISI_ZIP_CTX_BLK_NOSTART;
		set_result(sqe, res->consumed, res->produced, HISI_ZIP_OK);
		return true;
	}
	make_trailer(want, r->type, s->crc32, s->adler32, s->isize);
	set_result(sqe, res->consumed, res->produced,
			memcmp(want, s->trailer, r->trailer) != 0 ? HISI_ZIP_CRC_ERR :
			HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK);
	return false;
}

static void
run_stream(struct zip_dev *dev, struct zip_dev_exec *ex, const struct req *r,
		struct hisi_zip_sqe *sqe)
{
	uint64_t key = sqe->stream_ctx_addr_l | (uint64_t)sqe->stream_ctx_addr_h << 32;
	struct zip_codec_result res = { 0 };
	struct zip_dev_stream *s;
	bool go_on;
	int rc = 0;
	uint32_t st;

	/*
	 * Nothing is kept there (U14), but silicon would write it: a driver that gives
	 * it less must fail here, too. A driver of the extension may give a mere name.
	 */
	if (!dev->conf.ext && zip_dev_view_at(&ex->view, key, CTX_HW_LEN, ZIP_DEV_PROT_READ |
			ZIP_DEV_PROT_WRITE) == NULL)
		st = HISI_ZIP_BAD_ADDR;
	else
		st = zip_dev_stream_get(&dev->streams, key, r->first,
				r->compress ? ZIP_CODEC_COMPRESS : ZIP_CODEC_DECOMPRESS, r->type,
				&r->params, &s);
	if (st != HISI_ZIP_OK) {
		set_result(sqe, 0, 0, st);
		return;
	}
	/* Behind its last byte a stream takes no other: only room is missing. */
	if (s->finishing && (r->flush != ZIP_CODEC_FLUSH_FINISH || r->src_len != 0)) {
		set_result(sqe, 0, 0, HISI_ZIP_BAD_STREAM);
		zip_dev_stream_put(&dev->streams, s, true);
		return;
	}
	/* These words are the device's; what the driver sends of them is not looked at. */
	sqe->ctx_dw0 = 0;
	sqe->ctx_dw1 = 0;

	if (!s->ended) {
		rc = zip_codec_stream_run(s->codec, r->flush, ex->src.iov, ex->src.cnt,
				ex->dst.iov, ex->dst.cnt, &res);
		s->crc32 = res.crc32;
		s->adler32 = res.adler32;
		s->isize += (uint32_t)(r->compress ? res.consumed : res.produced);
		s->finishing = r->compress && r->flush == ZIP_CODEC_FLUSH_FINISH &&
			res.consumed == r->src_len;
	}
	if (rc != 0 && rc != -ENOSPC) {
		set_result(sqe, res.consumed, res.produced, codec_status(rc));
		go_on = false;
	} else if (r->compress) {
		go_on = stream_deflate(ex, r, s, rc, &res, sqe);
	} else {
		go_on = stream_inflate(ex, r, s, rc, &res, sqe);
	}
	sqe->ctx_dw2 = s->isize < WINDOW_MAX ? s->isize : WINDOW_MAX;
	set_checksum(sqe, r, s->checksum, s->crc32, s->adler32, s->isize);
	zip_dev_stream_put(&dev->streams, s, go_on);
}

/* ---- Entry ---- */

void
zip_dev_refuse(struct hisi_zip_sqe *sqe, uint32_t status)
{
	if ((sqe->dw7 & HISI_ZIP_DW7_STREAM) == 0)
		sqe->ctx_dw0 = 0; /* a stale state here misleads UADK (ZIP 5.2) */
	set_result(sqe, 0, 0, status);
}

void
zip_dev_execute(struct zip_dev *dev, struct zip_dev_exec *ex, uint8_t qc_type,
		struct hisi_zip_sqe *sqe)
{
	struct req r;
	uint32_t st = check(dev, qc_type, sqe, &r);

	if (!r.stream)
		sqe->ctx_dw0 = 0; /* a stale state here misleads UADK (ZIP 5.2) */
	if (st == HISI_ZIP_OK && r.params.dict_len != 0)
		st = zip_dev_dict_take(ex, sqe, &r.params);
	if (st == HISI_ZIP_OK)
		st = find_buffers(ex, sqe, &r);
	if (st != HISI_ZIP_OK)
		set_result(sqe, 0, 0, st);
	else if (r.copy)
		run_copy(ex, &r, sqe);
	else if (r.type == HISI_ZIP_REQ_EXT_LZ4)
		run_lz4(ex, &r, sqe);
	else if (r.stream)
		run_stream(dev, ex, &r, sqe);
	else if (r.compress)
		run_deflate(ex, &r, sqe);
	else
		run_inflate(ex, &r, sqe);
}
