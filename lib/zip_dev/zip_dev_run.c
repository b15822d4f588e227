/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include "zip_dev_request.h"

#define WINDOW_MAX (32u << 10)
#define CTX_HW_LEN (HISI_ZIP_CTX_HW_END - HISI_ZIP_CTX_HW_OFF)

/* ---- Buffers ---- */

/* Find both buffers. @return enum hisi_zip_status. */
static uint32_t
find_buffers(struct qm_dev_bufs *b, const struct hisi_zip_sqe *sqe, struct zip_dev_req *r)
{
	uint64_t src = sqe->source_addr_l | (uint64_t)sqe->source_addr_h << 32;
	uint64_t dst = sqe->dest_addr_l | (uint64_t)sqe->dest_addr_h << 32;
	int rc;

	if (!r->sgl) {
		rc = qm_dev_buf_flat(&b->view, src, r->src_len, QM_DEV_PROT_READ, &b->src);
		if (rc == 0)
			rc = qm_dev_buf_flat(&b->view, dst, r->dst_len, QM_DEV_PROT_WRITE,
					&b->dst);
	} else {
		rc = qm_dev_buf_sgl(&b->view, src, sqe->dw7 & HISI_ZIP_DW7_OFFSET_MASK,
				r->src_len, QM_DEV_PROT_READ, &b->src);
		if (rc == 0 && b->src.len < r->src_len)
			rc = -EINVAL;
		if (rc == 0)
			rc = qm_dev_buf_sgl(&b->view, dst, sqe->dw8 & HISI_ZIP_DW7_OFFSET_MASK,
					r->dst_len, QM_DEV_PROT_WRITE, &b->dst);
		/* A destination that holds less than dw14 is just smaller. */
		if (rc == 0)
			r->dst_len = (uint32_t)b->dst.len;
	}
	if (rc != 0)
		return zip_dev_buf_status(rc);
	/* What silicon does then is open (U33). */
	return qm_dev_buf_overlap(&b->src, &b->dst, b->segments) ? HISI_ZIP_BAD_SQE : HISI_ZIP_OK;
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

/* dw30, dw31: as ZIP 5.7 for zlib and gzip; plain values where the extension asked. */
static void
set_checksum(struct hisi_zip_sqe *sqe, const struct zip_dev_req *r, uint8_t checksum,
		uint32_t crc32, uint32_t adler32, uint32_t isize)
{
	switch (zip_dev_has(r, DW31_RAW) && r->type == HISI_ZIP_REQ_DEFLATE ?
			HISI_ZIP_REQ_GZIP : r->type) {
	case HISI_ZIP_REQ_ZLIB:
		sqe->isize = isize;
		sqe->checksum = adler32;
		break;
	case HISI_ZIP_REQ_GZIP:
		sqe->isize = isize;
		sqe->checksum = ~zip_dev_bit_reverse(crc32);
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
make_trailer(uint8_t trailer[ZIP_DEV_TRAILER_GZIP], uint8_t type, uint32_t crc32, uint32_t adler32,
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
run_copy(const struct zip_dev_run *x, const struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	struct zip_codec_result res;
	int rc = zip_codec_copy(&r->params, x->bufs->src.iov, x->bufs->src.cnt,
			x->bufs->dst.iov, x->bufs->dst.cnt, &res);

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
run_deflate(const struct zip_dev_run *x, const struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	struct qm_dev_buf *dst = &x->bufs->dst;
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
	rc = zip_codec_deflate(x->exec->codec, &r->params, r->flush, r->partial, x->bufs->src.iov,
			x->bufs->src.cnt, dst->iov, cnt, &res);
	if (cut != NULL)
		cut->iov_len = cut_len;

	if (rc != 0 && !(rc == -ENOSPC && r->partial && res.produced != 0)) {
		set_result(sqe, 0, 0, codec_status(rc));
		return;
	}
	if (r->trailer != 0) {
		uint8_t trailer[ZIP_DEV_TRAILER_GZIP];

		make_trailer(trailer, r->type, res.crc32, res.adler32, r->src_len);
		qm_dev_buf_write(dst, res.produced, trailer, r->trailer);
		res.produced += r->trailer;
	}
	if (rc != 0)
		st = HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL;
	else if (!r->ext && res.produced >= res.consumed)
		st = HISI_ZIP_NEGACOMPRESS;
	if (st == HISI_ZIP_NEGACOMPRESS && zip_dev_has(r, NC_STORED) && r->params.level != 0) {
		struct zip_dev_req stored = *r;

		stored.params.level = 0;
		run_deflate(x, &stored, sqe);
		return;
	}
	set_result(sqe, res.consumed, res.produced, st);
	set_checksum(sqe, r, r->params.checksum, res.crc32, res.adler32, r->src_len);
}

static void
run_inflate(const struct zip_dev_run *x, const struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	uint8_t want[ZIP_DEV_TRAILER_GZIP], got[ZIP_DEV_TRAILER_GZIP];
	struct zip_codec_result res;
	uint32_t st = HISI_ZIP_OK;
	int rc = zip_dev_has(r, WINDOW_STRICT) ? zip_dev_window_inflate(x, r, &res) :
		zip_codec_inflate(x->exec->codec, &r->params, x->bufs->src.iov,
				x->bufs->src.cnt, x->bufs->dst.iov, x->bufs->dst.cnt, &res);

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
		qm_dev_buf_read(&x->bufs->src, res.consumed, got, r->trailer);
		res.consumed += r->trailer;
		if (memcmp(want, got, r->trailer) != 0)
			st = HISI_ZIP_CRC_ERR;
	}
	/* Without LSTBLK: the kernel takes 0x00 for success only (U12). */
	set_result(sqe, res.consumed, res.produced, st);
	set_checksum(sqe, r, r->params.checksum, res.crc32, res.adler32, (uint32_t)res.produced);
}

static void
run_lz4(const struct zip_dev_run *x, const struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	struct zip_codec_result res;
	int rc = zip_dev_lz4_run(x, r->compress, &r->params, &res);

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
stream_write_trailer(const struct zip_dev_run *x, const struct zip_dev_req *r,
		struct zip_dev_stream *s, struct zip_codec_result *res)
{
	uint64_t room = x->bufs->dst.len - res->produced;
	size_t n = r->trailer - s->trailer_done;

	/* What is not counted has no place before the rest: it is written as a whole. */
	if (zip_dev_has(r, PRODUCED_DATA)) {
		if (n <= room)
			qm_dev_buf_write(&x->bufs->dst, res->produced, s->trailer, n);
		return n <= room;
	}
	if (n > room)
		n = room;
	qm_dev_buf_write(&x->bufs->dst, res->produced, s->trailer + s->trailer_done, n);
	s->trailer_done = (uint8_t)(s->trailer_done + n);
	res->produced += n;
	return s->trailer_done == r->trailer;
}

/* The same for reading. The bytes read so far are kept in the stream. */
static bool
stream_read_trailer(const struct zip_dev_run *x, const struct zip_dev_req *r,
		struct zip_dev_stream *s, struct zip_codec_result *res)
{
	uint64_t left = x->bufs->src.len - res->consumed;
	size_t n = r->trailer - s->trailer_done;

	if (n > left)
		n = left;
	/* What is not counted is sent again, so it is read when all of it is there. */
	if (zip_dev_has(r, CONSUMED_DATA)) {
		if (n == r->trailer)
			qm_dev_buf_read(&x->bufs->src, res->consumed, s->trailer, n);
		return n == r->trailer;
	}
	qm_dev_buf_read(&x->bufs->src, res->consumed, s->trailer + s->trailer_done, n);
	s->trailer_done = (uint8_t)(s->trailer_done + n);
	res->consumed += n;
	return s->trailer_done == r->trailer;
}

/* @return Whether the stream goes on. */
static bool
stream_deflate(const struct zip_dev_run *x, const struct zip_dev_req *r, struct zip_dev_stream *s,
		int rc, struct zip_codec_result *res, struct hisi_zip_sqe *sqe)
{
	bool finished = s->ended || (rc == 0 && r->flush == ZIP_CODEC_FLUSH_FINISH);

	if (finished && !s->ended) {
		make_trailer(s->trailer, r->type, s->crc32, s->adler32, s->isize);
		s->ended = true;
	}
	if (rc == -ENOSPC || (finished && !stream_write_trailer(x, r, s, res))) {
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
stream_inflate(const struct zip_dev_run *x, const struct zip_dev_req *r, struct zip_dev_stream *s,
		int rc, struct zip_codec_result *res, struct hisi_zip_sqe *sqe)
{
	uint8_t want[ZIP_DEV_TRAILER_GZIP];

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
	if (!s->ended || !stream_read_trailer(x, r, s, res)) {
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
run_stream(const struct zip_dev_run *x, struct zip_dev_req *r, struct hisi_zip_sqe *sqe)
{
	uint64_t key = sqe->stream_ctx_addr_l | (uint64_t)sqe->stream_ctx_addr_h << 32;
	struct zip_codec_result res = { 0 };
	struct zip_dev_stream *s;
	bool go_on, head;
	int rc = 0;
	uint32_t st;

	/*
	 * Nothing is kept there (U14), but silicon would write it: a driver that gives
	 * it less must fail here, too. A driver of the extension may give a mere name.
	 */
	if (!x->func->ext && qm_dev_view_at(&x->bufs->view, key, CTX_HW_LEN, QM_DEV_PROT_READ |
			QM_DEV_PROT_WRITE) == NULL)
		st = HISI_ZIP_BAD_ADDR;
	else
		st = zip_dev_stream_get(&x->func->streams, key, r->first,
				r->compress ? ZIP_CODEC_COMPRESS : ZIP_CODEC_DECOMPRESS, r->type,
				&r->params, &s);
	if (st != HISI_ZIP_OK) {
		set_result(sqe, 0, 0, st);
		return;
	}
	if (r->first && !r->compress && zip_dev_has(r, WINDOW_STRICT))
		zip_codec_stream_window(s->codec, r->params.window);
	/* Behind its last byte a stream takes no other: only room is missing. */
	if (s->finishing && (r->flush != ZIP_CODEC_FLUSH_FINISH || r->src_len != 0)) {
		set_result(sqe, 0, 0, HISI_ZIP_BAD_STREAM);
		zip_dev_stream_put(&x->func->streams, s, true);
		return;
	}
	/* These words are the device's; what the driver sends of them is ignored. */
	sqe->ctx_dw0 = 0;
	sqe->ctx_dw1 = 0;

	head = zip_dev_quirk_inflates(r, s);
	if (head)
		rc = zip_dev_quirk_inflate(x, r, s, &res);
	else if (!s->ended)
		rc = zip_codec_stream_run(s->codec, r->flush, x->bufs->src.iov, x->bufs->src.cnt,
				x->bufs->dst.iov, x->bufs->dst.cnt, &res);
	if (!s->ended) {
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
		go_on = stream_deflate(x, r, s, rc, &res, sqe);
	} else {
		go_on = stream_inflate(x, r, s, rc, &res, sqe);
	}
	sqe->ctx_dw2 = s->isize < WINDOW_MAX ? s->isize : WINDOW_MAX;
	if (head)
		zip_dev_quirk_head(x, r, s, sqe);
	set_checksum(sqe, r, s->checksum, s->crc32, s->adler32, s->isize);
	zip_dev_stream_put(&x->func->streams, s, go_on);
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
zip_dev_run(const struct zip_dev_run *x, uint8_t type, struct hisi_zip_sqe *sqe)
{
	struct zip_dev_req r;
	uint32_t st = zip_dev_check(x->func, type, sqe, &r);

	if (!r.stream)
		sqe->ctx_dw0 = 0; /* a stale state here misleads UADK (ZIP 5.2) */
	if (st == HISI_ZIP_OK && r.quirks != 0)
		st = zip_dev_quirk_check(x, sqe, &r);
	if (st == HISI_ZIP_OK && r.params.dict_len != 0)
		st = zip_dev_dict_take(x, sqe, &r.params);
	if (st == HISI_ZIP_OK)
		st = find_buffers(x->bufs, sqe, &r);
	if (st != HISI_ZIP_OK)
		set_result(sqe, 0, 0, st);
	else if (r.copy)
		run_copy(x, &r, sqe);
	else if (r.type == HISI_ZIP_REQ_EXT_LZ4)
		run_lz4(x, &r, sqe);
	else if (r.stream)
		run_stream(x, &r, sqe);
	else if (r.compress)
		run_deflate(x, &r, sqe);
	else
		run_inflate(x, &r, sqe);
	if (r.quirks != 0)
		zip_dev_quirk_result(&r, sqe);
}
