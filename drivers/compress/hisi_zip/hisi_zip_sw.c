/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "hisi_zip_compat.h"
#include "hisi_zip_sw.h"
#include "hisi_zip_xform.h"

/*
 * Ops that the function cannot do: what plain silicon has no selector for, and
 * stateless ops beyond the length or number of segments of one request. They run
 * in dequeue when they are the oldest, so that the order is kept.
 */

struct hisi_zip_sw {
	struct zip_codec *codec;
	uint8_t *check; /* CHECK_LEN bytes of plain data; NULL: nothing is verified */
	/* Segments of both sides, of the longest chains that there can be. */
	struct iovec iov[2 * UINT16_MAX + 2];
};

/* What one request can result in, and one byte that shows that there is more. */
#define CHECK_LEN (HISI_ZIP_REQ_LEN_MAX + 1)

struct hisi_zip_sw *
hisi_zip_sw_create(bool verify)
{
	/* Not cleared: a page of it costs memory when a chain is so long. */
	struct hisi_zip_sw *sw = malloc(sizeof(*sw));

	if (sw == NULL)
		return NULL;
	/* Touched as far as ops are long. */
	sw->check = verify ? malloc(CHECK_LEN) : NULL;
	if (verify && sw->check == NULL) {
		free(sw);
		return NULL;
	}
	sw->codec = zip_codec_create(ZIP_CODEC_LEN_MAX);
	if (sw->codec == NULL) {
		free(sw->check);
		free(sw);
		return NULL;
	}
	/* Many queue pairs never have an op for it. */
	zip_codec_discard(sw->codec);
	return sw;
}

void
hisi_zip_sw_destroy(struct hisi_zip_sw *sw)
{
	if (sw == NULL)
		return;
	zip_codec_destroy(sw->codec);
	free(sw->check);
	free(sw);
}

static unsigned int
chain_segs(const struct rte_mbuf *m)
{
	unsigned int n = 0;

	for (; m != NULL && n < UINT16_MAX; m = m->next)
		n++;
	return n;
}

/*
 * Bytes [offset, offset + want) of a chain, a segment each; want UINT64_MAX: all there
 * is. Returns the number of segments, or -EINVAL if the chain is too short.
 */
static int
chain_to_iov(const struct rte_mbuf *m, uint32_t offset, uint64_t want, struct iovec *iov,
		unsigned int max)
{
	unsigned int n = 0;
	uint64_t have = 0;

	/* An op without input has an offset all the same. No more segments than were counted. */
	for (; m != NULL && max > 0 && (offset > 0 || have < want); m = m->next, max--) {
		uint64_t len;

		if (offset > m->data_len) {
			offset -= m->data_len;
			continue;
		}
		len = RTE_MIN((uint64_t)m->data_len - offset, want - have);
		if (len > 0)
			iov[n++] = (struct iovec){
				.iov_base = rte_pktmbuf_mtod_offset(m, void *, offset),
				.iov_len = len,
			};
		offset = 0;
		have += len;
	}
	if (offset != 0 || (want != UINT64_MAX && have < want))
		return -EINVAL;
	return (int)n;
}

static uint8_t
op_status(int ret, const struct zip_codec_result *r, bool recoverable)
{
	switch (ret) {
	case 0:
		return RTE_COMP_OP_STATUS_SUCCESS;
	case -ENOSPC:
		return recoverable && (r->consumed > 0 || r->produced > 0) ?
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE :
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
	case -EINVAL:
		return RTE_COMP_OP_STATUS_INVALID_ARGS;
	case -EILSEQ:
		return HISI_ZIP_STATUS_MISMATCH;
	default:
		return RTE_COMP_OP_STATUS_ERROR;
	}
}

static uint64_t
result_chksum(const struct hisi_zip_xform *x, const struct zip_codec_result *r)
{
	if (x->slot_flags & HISI_ZIP_SLOT_F_UDC)
		return x->udc;
	if (x->codec.checksum == ZIP_CODEC_XXH32)
		return r->xxh32;
	return hisi_zip_chksum(x, r->crc32, r->adler32);
}

static int
run_stateless(struct zip_codec *codec, const struct hisi_zip_xform *x,
		const struct rte_comp_op *op, const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt, struct zip_codec_result *r)
{
	struct zip_codec_params params = x->codec;
	int ret;

	if (!hisi_zip_udc_matches(x, op))
		return -EILSEQ;
	hisi_zip_chksum_start(x, op->input_chksum, &params.crc32, &params.adler32);
	if (x->algo == RTE_COMP_ALGO_NULL)
		return zip_codec_copy(&params, src, src_cnt, dst, dst_cnt, r);

	if (x->algo == HISI_ZIP_ALGO_LZ4)
		ret = (x->dir == HISI_ZIP_COMP ? zip_codec_lz4_compress :
			zip_codec_lz4_decompress)(codec, &params, src, src_cnt, dst, dst_cnt, r);
	else if (x->dir == HISI_ZIP_COMP)
		ret = zip_codec_deflate(codec, &params, op->flush_flag == RTE_COMP_FLUSH_FULL ?
			ZIP_CODEC_FLUSH_FULL : ZIP_CODEC_FLUSH_FINISH, 1, src, src_cnt, dst,
			dst_cnt, r);
	else
		ret = zip_codec_inflate(codec, &params, src, src_cnt, dst, dst_cnt, r);
	/* What a long op took from the kernel is nothing beside compressing it. */
	zip_codec_trim(codec);
	return ret;
}

/* Are the first bytes of all segments these, and no less? */
static bool
same(const struct iovec *iov, unsigned int cnt, const uint8_t *data, size_t len)
{
	for (unsigned int i = 0; i < cnt && len > 0; i++) {
		size_t n = RTE_MIN(iov[i].iov_len, len);

		if (memcmp(iov[i].iov_base, data, n) != 0)
			return false;
		data += n;
		len -= n;
	}
	return len == 0;
}

bool
hisi_zip_sw_agrees(struct hisi_zip_sw *sw, const struct rte_comp_op *op)
{
	/* Ends what a prefix, or a full flush, has left open. */
	static const uint8_t last_block[] = { 0x01, 0x00, 0x00, 0xff, 0xff };
	const struct hisi_zip_xform *x = op->private_xform;
	bool comp = x->dir == HISI_ZIP_COMP;
	struct zip_codec_params params = x->codec;
	/* One more for the last block. */
	unsigned int src_max = chain_segs(op->m_src) + 1;
	struct iovec *src = sw->iov, *dst = src + src_max;
	const struct iovec to = { sw->check, CHECK_LEN };
	struct zip_codec_result r;
	size_t packed_len = comp ? op->produced : op->consumed;
	size_t plain_len = comp ? op->consumed : op->produced;
	const struct iovec *plain;
	struct iovec *packed;
	int src_cnt, dst_cnt, packed_cnt, plain_cnt, ret;

	src_cnt = chain_to_iov(op->m_src, op->src.offset, op->consumed, src, src_max - 1);
	dst_cnt = chain_to_iov(op->m_dst, op->dst.offset, op->produced, dst,
		chain_segs(op->m_dst));
	if (src_cnt < 0 || dst_cnt < 0)
		return false;
	hisi_zip_chksum_start(x, op->input_chksum, &params.crc32, &params.adler32);
	packed = comp ? dst : src;
	packed_cnt = comp ? dst_cnt : src_cnt;
	plain = comp ? src : dst;
	plain_cnt = comp ? src_cnt : dst_cnt;
	if (x->algo == RTE_COMP_ALGO_NULL) {
		ret = zip_codec_copy(&params, packed, (unsigned int)packed_cnt, &to, 1, &r);
	} else if (x->algo == HISI_ZIP_ALGO_LZ4) {
		ret = zip_codec_lz4_decompress(sw->codec, &params, packed,
			(unsigned int)packed_cnt, &to, 1, &r);
	} else {
		if (comp && (op->status != RTE_COMP_OP_STATUS_SUCCESS ||
				op->flush_flag == RTE_COMP_FLUSH_FULL)) {
			packed[packed_cnt++] = (struct iovec){
				(void *)(uintptr_t)last_block, sizeof(last_block) };
			packed_len += sizeof(last_block);
		}
		ret = zip_codec_inflate(sw->codec, &params, packed, (unsigned int)packed_cnt, &to,
			1, &r);
	}
	return ret == 0 && r.consumed == packed_len && r.produced == plain_len &&
		same(plain, (unsigned int)plain_cnt, sw->check, plain_len) &&
		op->output_chksum == result_chksum(x, &r);
}

static int
run_stateful(struct hisi_zip_stream *s, const struct rte_comp_op *op, const struct iovec *src,
		unsigned int src_cnt, const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *r)
{
	static const enum zip_codec_flush flushes[] = {
		[RTE_COMP_FLUSH_NONE] = ZIP_CODEC_FLUSH_NONE,
		[RTE_COMP_FLUSH_SYNC] = ZIP_CODEC_FLUSH_SYNC,
		[RTE_COMP_FLUSH_FULL] = ZIP_CODEC_FLUSH_FULL,
		[RTE_COMP_FLUSH_FINAL] = ZIP_CODEC_FLUSH_FINISH,
	};
	int ret;

	if (!s->state.started) {
		struct zip_codec_params params = s->x.codec;

		/* Where the function began, its bytes count, too. */
		params.crc32 = s->sum.crc32;
		params.adler32 = s->sum.adler32;
		ret = zip_codec_stream_reset(s->sw, &params);
		if (ret != 0)
			return ret;
	}
	/* Decompression has no flush, whatever the op says. */
	ret = zip_codec_stream_run(s->sw, s->x.dir == HISI_ZIP_COMP ? flushes[op->flush_flag] :
		ZIP_CODEC_FLUSH_SYNC, src, src_cnt, dst, dst_cnt, r);
	s->state.started = true;
	if (ret == 0 && (s->x.dir == HISI_ZIP_COMP ? op->flush_flag == RTE_COMP_FLUSH_FINAL :
			r->end)) {
		s->state.started = false;
		s->in_software = false;
		s->sum = zip_codec_sum_start(&s->x.codec);
	}
	if (ret != 0 && ret != -ENOSPC)
		s->dead = true;
	return ret;
}

void
hisi_zip_sw_repeat(struct hisi_zip_qp *qp, struct rte_comp_op *op, enum hisi_zip_why why)
{
	HISI_ZIP_COUNT(qp->deq.repeated, 1);
	HISI_ZIP_COUNT(qp->deq.why[why], 1);
	hisi_zip_sw_run(qp, op);
}

void
hisi_zip_sw_run(struct hisi_zip_qp *qp, struct rte_comp_op *op)
{
	bool stateful = op->op_type == RTE_COMP_OP_STATEFUL;
	struct hisi_zip_stream *s = stateful ? op->stream : NULL;
	const struct hisi_zip_xform *x = stateful ? &s->x : op->private_xform;
	unsigned int src_max = chain_segs(op->m_src), dst_max = chain_segs(op->m_dst);
	struct iovec *src = qp->sw->iov, *dst = src + src_max;
	struct zip_codec_result r = { 0 };
	uint32_t delivered = stateful ? s->delivered : 0;
	int src_cnt, dst_cnt, ret;

	HISI_ZIP_COUNT(qp->deq.sw, 1);
	src_cnt = chain_to_iov(op->m_src, op->src.offset, op->src.length, src, src_max);
	dst_cnt = chain_to_iov(op->m_dst, op->dst.offset + delivered, UINT64_MAX, dst, dst_max);
	if (src_cnt < 0 || dst_cnt < 0)
		ret = -EINVAL;
	else if (stateful)
		ret = run_stateful(s, op, src, (unsigned int)src_cnt, dst, (unsigned int)dst_cnt,
			&r);
	else
		ret = run_stateless(qp->sw->codec, x, op, src, (unsigned int)src_cnt, dst,
			(unsigned int)dst_cnt, &r);
	/* As the function: only a compression can leave a prefix to go on from. */
	op->status = op_status(ret, &r, stateful ||
		(x->dir == HISI_ZIP_COMP && x->algo == RTE_COMP_ALGO_DEFLATE));
	if (stateful && ret == -ENOSPC)
		op->status = RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
	r.produced += delivered;
	if (op->status != RTE_COMP_OP_STATUS_SUCCESS &&
			op->status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE)
		r.consumed = r.produced = 0;
	op->consumed = (uint32_t)r.consumed;
	op->produced = (uint32_t)r.produced;
	op->output_chksum = result_chksum(x, &r);
	op->debug_status = stateful && r.end ? HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK : 0;
	if (stateful)
		s->delivered = 0;
	if (stateful)
		rte_atomic_store_explicit(&s->busy, 0, rte_memory_order_release);
}
