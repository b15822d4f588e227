/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include "zip_dev_request.h"

/*
 * "head-bits": what lies behind a block is not looked at before there are HEAD_BITS_MIN bits of it,
 * or a request without input asks for the rest. Until then it is consumed, kept, and shown to
 * software in the context (ZIP 5.6). The copy that counts is in the stream.
 */
#define HEAD_BITS_MIN  40u
#define HEAD_OFF       0xc00u /* behind it are ctx_dw2 bytes of history, then the bits */
#define HEAD_ALIGN     16u
#define HEAD_BITS_SHIFT 10

/*
 * "window-strict": zlib knows no distance that is too long for it inside of the output of one call,
 * so it is given that much at a time.
 */
#define WINDOW_PIECE 512u

/* One part of a buffer as a list of its own, until it is put back. */
struct part {
	struct iovec *iov;
	unsigned int cnt;
	struct iovec saved;
};

static struct part
part_of(const struct qm_dev_buf *buf, size_t skip, size_t max)
{
	struct part p = { .iov = buf->iov, .cnt = buf->cnt };

	while (p.cnt != 0 && skip >= p.iov->iov_len) {
		skip -= p.iov->iov_len;
		p.iov++;
		p.cnt--;
	}
	if (p.cnt == 0)
		return p;
	p.saved = *p.iov;
	p.iov->iov_base = (uint8_t *)p.iov->iov_base + skip;
	p.iov->iov_len -= skip;
	if (p.iov->iov_len >= max) {
		p.iov->iov_len = max;
		p.cnt = 1;
	}
	return p;
}

static void
part_put_back(const struct part *p)
{
	if (p->cnt != 0)
		*p->iov = p->saved;
}

/*
 * Run the codec on what lies behind the bytes that res counts, and count what it does.
 * @return As zip_codec_stream_run().
 */
static int
run_on(struct zip_codec_stream *codec, enum zip_codec_flush flush, bool pieces,
		const struct qm_dev_bufs *bufs, struct zip_codec_result *res)
{
	int rc;

	do {
		struct part in = part_of(&bufs->src, res->consumed, SIZE_MAX);
		struct part out = part_of(&bufs->dst, res->produced,
				pieces ? WINDOW_PIECE : SIZE_MAX);
		struct zip_codec_result more;

		rc = zip_codec_stream_run(codec, flush, in.iov, in.cnt, out.iov, out.cnt, &more);
		part_put_back(&in);
		part_put_back(&out);
		more.consumed += res->consumed;
		more.produced += res->produced;
		*res = more;
	} while (rc == -ENOSPC && res->produced < bufs->dst.len);
	return rc;
}

int
zip_dev_window_inflate(const struct zip_dev_run *x, const struct zip_dev_req *r,
		struct zip_codec_result *res)
{
	struct zip_codec_stream *codec = zip_codec_stream_create(ZIP_CODEC_DECOMPRESS, &r->params);
	int rc = codec != NULL ? 0 : -ENOMEM;

	*res = (struct zip_codec_result){ 0 };
	if (rc == 0)
		rc = zip_codec_stream_window(codec, r->params.window);
	if (rc == 0)
		rc = run_on(codec, ZIP_CODEC_FLUSH_NONE, true, x->bufs, res);
	zip_codec_stream_destroy(codec);
	return rc == 0 && !res->end ? -EBADMSG : rc;
}

/* Let the kept bytes be the first ones of the input. */
static int
put_before(struct zip_dev_stream *s, struct qm_dev_buf *src)
{
	if (src->cnt == QM_DEV_IOV_MAX)
		return -EINVAL;
	memmove(src->iov + 1, src->iov, src->cnt * sizeof(src->iov[0]));
	src->iov[0] = (struct iovec){ .iov_base = s->head, .iov_len = s->head_len };
	src->cnt++;
	src->len += s->head_len;
	return 0;
}

int
zip_dev_quirk_inflate(const struct zip_dev_run *x, struct zip_dev_req *r, struct zip_dev_stream *s,
		struct zip_codec_result *res)
{
	struct qm_dev_buf *src = &x->bufs->src;
	bool keep = zip_dev_has(r, HEAD_BITS) && r->src_len != 0;
	int rc = s->head_len != 0 ? put_before(s, src) : 0;

	r->src_len += s->head_len;
	if (s->ended || rc != 0)
		return rc;
	/* As they stay if there is nothing to run. */
	res->crc32 = s->crc32;
	res->adler32 = s->adler32;
	for (;;) {
		size_t left = r->src_len - res->consumed;

		if (keep && s->at_block && left * 8 + s->block_bits < HEAD_BITS_MIN) {
			res->at_block = 1;
			break;
		}
		rc = run_on(s->codec, keep ? ZIP_CODEC_FLUSH_BLOCK : ZIP_CODEC_FLUSH_NONE,
				zip_dev_has(r, WINDOW_STRICT), x->bufs, res);
		s->at_block = rc == 0 && !res->end && res->at_block;
		s->block_bits = res->bits;
		if (s->at_block && res->consumed != 0)
			qm_dev_buf_read(src, res->consumed - 1, &s->block_byte, 1);
		if (!s->at_block || !keep)
			break;
	}
	return rc;
}

void
zip_dev_quirk_head(const struct zip_dev_run *x, const struct zip_dev_req *r,
		struct zip_dev_stream *s, struct hisi_zip_sqe *sqe)
{
	uint64_t key = sqe->stream_ctx_addr_l | (uint64_t)sqe->stream_ctx_addr_h << 32;
	uint32_t had = s->head_len, left = r->src_len - sqe->consumed, cnt;
	uint8_t head[sizeof(s->head)];
	uint64_t bits;
	void *va;

	s->head_len = 0;
	if (!zip_dev_has(r, HEAD_BITS) || !s->at_block ||
			(sqe->ctx_dw0 & HISI_ZIP_CTX_ST_MASK) != HISI_ZIP_CTX_BLK_NOSTART) {
		if (sqe->consumed >= had) {
			sqe->consumed -= had;
			return;
		}
		/* No room for what is in them; or the end lies in them, and nothing more counts. */
		s->head_len = (uint8_t)(had - sqe->consumed);
		memmove(s->head, s->head + sqe->consumed, s->head_len);
		sqe->consumed = 0;
		return;
	}

	/* Between two blocks, with too little of the next one to begin it. */
	qm_dev_buf_read(&x->bufs->src, r->src_len - left, head, left);
	memcpy(s->head, head, left);
	s->head_len = (uint8_t)left;
	sqe->consumed = r->src_len - had;
	cnt = left * 8 + s->block_bits;
	bits = s->block_bits != 0 ? s->block_byte >> (8 - s->block_bits) : 0;
	for (uint32_t i = 0; i < left; i++)
		bits |= (uint64_t)head[i] << (8 * i + s->block_bits);
	sqe->ctx_dw0 |= cnt << HEAD_BITS_SHIFT;
	va = qm_dev_view_at(&x->bufs->view, key + HEAD_OFF + (((sqe->ctx_dw2 &
			HISI_ZIP_CTX_DW2_WINDOW_MASK) + HEAD_ALIGN - 1) & ~(HEAD_ALIGN - 1)),
			sizeof(bits), QM_DEV_PROT_WRITE);
	if (va != NULL)
		memcpy(va, &bits, sizeof(bits));
}
