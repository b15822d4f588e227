/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Ops in software: what is made of chains and of each result of the codec, which is wrapped by
 * the linker for that. Which ops come here: test_pmd_who.c.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "hisi_zip_compat.h"
#include "hisi_zip_sw.h"
#include "hisi_zip_xform.h"
#include "pmd_test.h"

#define NAME "compress_hisi_zip_sw"

/* ---- The codec, wrapped -------------------------------------------------------------------- */

enum call { DEFLATE, INFLATE, COPY, STREAM_RUN };

static struct {
	/* What every call returns. */
	int ret;
	struct zip_codec_result result;
	enum call call;
	unsigned int calls;
	enum zip_codec_flush flush;
	int partial;
	struct zip_codec_params params;
	struct iovec iov[2][600];
	unsigned int cnt[2];
	unsigned int created, destroyed, trims, stream_resets, mallocs;
	size_t max_len;
	int reset_ret;
	bool no_codec, no_malloc;
} w;

#define IOVS const struct iovec *src, unsigned int src_cnt, const struct iovec *dst, \
	unsigned int dst_cnt

__typeof__(zip_codec_create) __real_zip_codec_create, __wrap_zip_codec_create;
__typeof__(zip_codec_destroy) __real_zip_codec_destroy, __wrap_zip_codec_destroy;
__typeof__(zip_codec_trim) __wrap_zip_codec_trim;
__typeof__(zip_codec_deflate) __wrap_zip_codec_deflate;
__typeof__(zip_codec_inflate) __wrap_zip_codec_inflate;
__typeof__(zip_codec_copy) __wrap_zip_codec_copy;
__typeof__(zip_codec_stream_run) __wrap_zip_codec_stream_run;
__typeof__(zip_codec_stream_reset) __real_zip_codec_stream_reset, __wrap_zip_codec_stream_reset;
__typeof__(malloc) __real_malloc, __wrap_malloc;

/* Nothing is compressed here: it is what the case wants. */
static int
called(enum call call, enum zip_codec_flush flush, int partial,
		const struct zip_codec_params *params, IOVS, struct zip_codec_result *result)
{
	w.call = call;
	w.calls++;
	w.flush = flush;
	w.partial = partial;
	if (params != NULL)
		w.params = *params;
	w.cnt[0] = src_cnt;
	w.cnt[1] = dst_cnt;
	memcpy(w.iov[0], src, RTE_MIN(src_cnt, RTE_DIM(w.iov[0])) * sizeof(*src));
	memcpy(w.iov[1], dst, RTE_MIN(dst_cnt, RTE_DIM(w.iov[1])) * sizeof(*dst));
	*result = w.result;
	return w.ret;
}

struct zip_codec *
__wrap_zip_codec_create(size_t max_len)
{
	w.max_len = max_len;
	if (w.no_codec)
		return NULL;
	w.created++;
	return __real_zip_codec_create(max_len);
}

void
__wrap_zip_codec_destroy(struct zip_codec *codec)
{
	w.destroyed += codec != NULL;
	__real_zip_codec_destroy(codec);
}

/* Nothing was compressed: nothing to trim. */
void
__wrap_zip_codec_trim(struct zip_codec *codec)
{
	(void)codec;
	w.trims++;
}

int
__wrap_zip_codec_deflate(struct zip_codec *codec, const struct zip_codec_params *params,
		enum zip_codec_flush flush, int partial, IOVS, struct zip_codec_result *result)
{
	(void)codec;
	return called(DEFLATE, flush, partial, params, src, src_cnt, dst, dst_cnt, result);
}

int
__wrap_zip_codec_inflate(struct zip_codec *codec, const struct zip_codec_params *params, IOVS,
		struct zip_codec_result *result)
{
	(void)codec;
	return called(INFLATE, 0, 0, params, src, src_cnt, dst, dst_cnt, result);
}

int
__wrap_zip_codec_copy(const struct zip_codec_params *params, IOVS, struct zip_codec_result *result)
{
	return called(COPY, 0, 0, params, src, src_cnt, dst, dst_cnt, result);
}

int
__wrap_zip_codec_stream_run(struct zip_codec_stream *stream, enum zip_codec_flush flush, IOVS,
		struct zip_codec_result *result)
{
	(void)stream;
	return called(STREAM_RUN, flush, 0, NULL, src, src_cnt, dst, dst_cnt, result);
}

int
__wrap_zip_codec_stream_reset(struct zip_codec_stream *stream,
		const struct zip_codec_params *params)
{
	w.stream_resets++;
	return w.reset_ret != 0 ? w.reset_ret : __real_zip_codec_stream_reset(stream, params);
}

void *
__wrap_malloc(size_t size)
{
	w.mallocs++;
	return w.no_malloc ? NULL : __real_malloc(size);
}

/* ---- Devices and ops ----------------------------------------------------------------------- */

static struct hisi_zip_qp *
start(const char *args, uint8_t *dev)
{
	/* The function has codecs of its own, which are counted, too. */
	memset(&w, 0, sizeof(w));
	*dev = pmd_dev_add(NAME, args);
	pmd_dev_start(*dev, 1, 16);
	return pmd_qp(*dev, 0);
}

static void
end(uint8_t dev)
{
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
	PMD_CHECK(w.created == w.destroyed, "%u codecs, %u given back", w.created, w.destroyed);
}

static struct rte_comp_op *
op_of(struct rng *rng, void *xform, enum pmd_shape shape, const struct bytes *src, size_t room)
{
	return pmd_op(xform, pmd_chain(rng, shape, src->data, 0, src->len, 0), 0,
		(uint32_t)src->len, pmd_chain(rng, PMD_LINEAR, NULL, 0, room, 0), 0);
}

/* A plain device, and a transform that only software can do, with a codec that does nothing. */
static struct hisi_zip_xform *
start_fake(struct rng *rng, uint8_t *dev, struct hisi_zip_qp **qp)
{
	struct rte_comp_xform x = pmd_deflate_xform;

	pmd_rng(rng);
	*qp = start("ext=off", dev);
	x.compress.level = 5;
	return pmd_xform(*dev, &x);
}

/* ---- Chains -------------------------------------------------------------------------------- */

/* A chain of just these segments. */
static struct rte_mbuf *
chain_of(struct rng *rng, const size_t *lens, unsigned int n)
{
	struct rte_mbuf *head = NULL;

	for (unsigned int i = 0; i < n; i++) {
		struct rte_mbuf *m = pmd_chain(rng, PMD_LINEAR, NULL, 0, lens[i], 0);

		if (head == NULL)
			head = m;
		else
			PMD_CHECK(rte_pktmbuf_chain(head, m) == 0, "too many");
	}
	return head;
}

/* The segment is at this offset of that segment. */
static void
check_seg(const char *what, const struct iovec *iov, struct rte_mbuf *m, unsigned int seg,
		size_t off, size_t len)
{
	while (seg-- > 0)
		m = m->next;
	PMD_CHECK(iov->iov_base == rte_pktmbuf_mtod_offset(m, char *, off) && iov->iov_len == len,
		"%s: %zu bytes, expected %zu", what, iov->iov_len, len);
}

static size_t
bytes_of(const struct iovec *iov, unsigned int n)
{
	return n == 0 ? 0 : iov->iov_len + bytes_of(iov + 1, n - 1);
}

static void
chains(void)
{
	static const size_t lens[] = { 10, 0, 20, 30 };
	static const struct {
		uint32_t offset, length;
		int n; /* segs; -1: the chain is too short */
		struct {
			uint8_t seg, off, len;
		} segs[3];
	} rows[] = {
		{ 0, 60, 3, { { 0, 0, 10 }, { 2, 0, 20 }, { 3, 0, 30 } } },
		{ 0, 10, 1, { { 0, 0, 10 } } }, { 9, 1, 1, { { 0, 9, 1 } } },
		{ 0, 11, 2, { { 0, 0, 10 }, { 2, 0, 1 } } },
		{ 10, 5, 1, { { 2, 0, 5 } } }, { 11, 19, 1, { { 2, 1, 19 } } },
		{ 11, 20, 2, { { 2, 1, 19 }, { 3, 0, 1 } } },
		{ 30, 30, 1, { { 3, 0, 30 } } }, { 59, 1, 1, { { 3, 29, 1 } } },
		{ 0, 0, 0, { { 0 } } }, { 60, 0, 0, { { 0 } } },
		{ 61, 0, -1, { { 0 } } }, { 59, 2, -1, { { 0 } } }, { 0, 61, -1, { { 0 } } },
		{ 60, 1, -1, { { 0 } } }, { UINT32_MAX, 1, -1, { { 0 } } },
		{ 0, UINT32_MAX, -1, { { 0 } } },
	};
	struct hisi_zip_xform *priv;
	struct hisi_zip_qp *qp;
	struct rng rng;
	uint8_t dev;

	priv = start_fake(&rng, &dev, &qp);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		for (int side = 0; side < 2; side++) {
			struct rte_comp_op *op = pmd_op(priv, chain_of(&rng, lens, RTE_DIM(lens)),
				0, 60, chain_of(&rng, lens, RTE_DIM(lens)), 0);
			struct rte_mbuf *m = side == 0 ? op->m_src : op->m_dst;
			char what[64];

			/* All that is behind the offset is room. */
			if (side == 1 && (rows[i].n == -1) != (rows[i].offset > 60))
				goto next;
			snprintf(what, sizeof(what), "side %d, %u bytes at %u", side,
				rows[i].length, rows[i].offset);
			if (side == 0) {
				op->src.offset = rows[i].offset;
				op->src.length = rows[i].length;
			} else {
				op->dst.offset = rows[i].offset;
			}
			w.calls = 0;
			w.result = (struct zip_codec_result){ .consumed = 60 };
			hisi_zip_sw_run(qp, op);
			if (rows[i].n < 0) {
				PMD_CHECK(op->status == RTE_COMP_OP_STATUS_INVALID_ARGS &&
					w.calls == 0 && op->consumed == 0 && op->produced == 0 &&
					op->output_chksum == 0, "%s: %s", what,
					pmd_status(op->status));
				goto next;
			}
			PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && w.calls == 1,
				"%s: %s", what, pmd_status(op->status));
			if (side == 0) {
				PMD_CHECK(w.cnt[0] == (unsigned int)rows[i].n && w.cnt[1] == 3,
					"%s: %u segments", what, w.cnt[0]);
				for (int p = 0; p < rows[i].n; p++)
					check_seg(what, &w.iov[0][p], m, rows[i].segs[p].seg,
						rows[i].segs[p].off, rows[i].segs[p].len);
			} else {
				PMD_CHECK(bytes_of(w.iov[1], w.cnt[1]) == 60 - rows[i].offset,
					"%s: %u segments", what, w.cnt[1]);
				if (rows[i].n > 0)
					check_seg(what, &w.iov[1][0], m, rows[i].segs[0].seg,
						rows[i].segs[0].off, w.iov[1][0].iov_len);
			}
next:
			pmd_op_free(op);
		}
	}
	pmd_xform_free(dev, priv);
	end(dev);
}

/* Chains of any length need no memory. */
static void
many_segments(void)
{
	static const unsigned int rows[][2] = { { 1, 1 }, { 63, 1 }, { 1, 64 }, { 100, 100 } };
	struct hisi_zip_xform *priv;
	struct rte_comp_op *op;
	struct hisi_zip_qp *qp;
	size_t lens[100];
	struct rng rng;
	uint8_t dev;

	for (size_t i = 0; i < RTE_DIM(lens); i++)
		lens[i] = 7;
	priv = start_fake(&rng, &dev, &qp);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		unsigned int src = rows[i][0], dst = rows[i][1];

		op = pmd_op(priv, chain_of(&rng, lens, src), 0, src * 7,
			chain_of(&rng, lens, dst), 0);
		w.calls = w.mallocs = 0;
		hisi_zip_sw_run(qp, op);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && w.calls == 1 &&
			w.cnt[0] == src && w.cnt[1] == dst && w.mallocs == 0, "%u, %u: %s, %u", src,
			dst, pmd_status(op->status), w.mallocs);
		pmd_op_free(op);
	}
	/* A chain that comes back to itself has as many as nb_segs can count. */
	op = pmd_op(priv, chain_of(&rng, lens, 1), 0, UINT16_MAX * 7, chain_of(&rng, lens, 1), 0);
	op->m_src->next = op->m_src;
	op->m_dst->next = op->m_dst;
	hisi_zip_sw_run(qp, op);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && w.cnt[0] == UINT16_MAX &&
		w.cnt[1] == UINT16_MAX, "%s, %u, %u", pmd_status(op->status), w.cnt[0], w.cnt[1]);
	op->m_src->next = NULL;
	op->m_dst->next = NULL;
	pmd_op_free(op);
	pmd_xform_free(dev, priv);
	end(dev);
}

/* ---- Codecs -------------------------------------------------------------------------------- */

/* A queue pair cannot be set up without memory for ops in software. */
static void
no_memory(void)
{
	struct rte_compressdev_config config = { .socket_id = SOCKET_ID_ANY,
		.nb_queue_pairs = 1, .max_nb_priv_xforms = 1 };
	uint8_t dev;

	memset(&w, 0, sizeof(w));
	dev = pmd_dev_add(NAME, "ext=off");
	PMD_CHECK(rte_compressdev_configure(dev, &config) == 0, "not configured");
	for (int no_malloc = 0; no_malloc < 2; no_malloc++) {
		unsigned int held = w.created - w.destroyed;
		int ret;

		w.no_codec = !no_malloc;
		w.no_malloc = no_malloc;
		ret = rte_compressdev_queue_pair_setup(dev, 0, 16, SOCKET_ID_ANY);
		w.no_codec = w.no_malloc = false;
		PMD_CHECK(ret == -ENOMEM && w.created - w.destroyed == held, "%d, %u codecs", ret,
			w.created - w.destroyed - held);
	}
	PMD_CHECK(rte_compressdev_close(dev) == 0, "not closed");
	pmd_dev_remove(NAME);
}

/* A queue pair has one from its setup on, for ops of any length. */
static void
codecs(void)
{
	static const size_t lens[] = { 100, 1u << 20, (1u << 20) + 1, (8u << 20) + 1 };
	struct hisi_zip_xform *priv;
	struct hisi_zip_qp *qp;
	struct rng rng;
	uint8_t dev;

	qp = start("sw=off", &dev);
	PMD_CHECK(qp->sw == NULL, "memory for ops in software, with sw=off");
	end(dev);

	priv = start_fake(&rng, &dev, &qp);
	PMD_CHECK(w.max_len == ZIP_CODEC_LEN_MAX, "%zu", w.max_len);
	w.created = w.destroyed = 0;
	for (size_t i = 0; i < 2 * RTE_DIM(lens); i++) {
		uint32_t src = i % 2 == 0 ? lens[i / 2] : 100, dst = i % 2 == 0 ? 100 : lens[i / 2];
		struct rte_comp_op *op = pmd_op(priv, pmd_chain(&rng, PMD_FULL, NULL, 0, src, 0), 0,
			src, pmd_chain(&rng, PMD_FULL, NULL, 0, dst, 0), 0);

		w.trims = 0;
		hisi_zip_sw_run(qp, op);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && w.created == 0 &&
			w.destroyed == 0 && w.trims == 1, "%u to %u: %s, %u trims", src, dst,
			pmd_status(op->status), w.trims);
		pmd_op_free(op);
	}
	pmd_xform_free(dev, priv);
	pmd_dev_stop(dev);
	PMD_CHECK(w.destroyed == 1, "%u codecs of a queue pair freed", w.destroyed);
	pmd_dev_remove(NAME);
}

/* ---- Results ------------------------------------------------------------------------------- */

static void
results(void)
{
	/* For a compression, a decompression, a copy; with what was consumed and produced. */
	static const struct {
		int ret;
		uint32_t consumed, produced;
		uint8_t status[3];
	} rows[] = {
		{ 0, 5, 7, { 0, 0, 0 } }, { -EINVAL, 5, 7, { 2, 2, 2 } },
		{ -ENOSPC, 5, 7, { 6, 5, 5 } }, { -ENOSPC, 5, 0, { 6, 5, 5 } },
		{ -ENOSPC, 0, 7, { 6, 5, 5 } }, { -ENOSPC, 0, 0, { 5, 5, 5 } },
		{ -EILSEQ, 5, 7, { HISI_ZIP_STATUS_MISMATCH, HISI_ZIP_STATUS_MISMATCH,
			HISI_ZIP_STATUS_MISMATCH } }, { -EBADMSG, 5, 7, { 3, 3, 3 } },
		{ -E2BIG, 5, 7, { 3, 3, 3 } }, { -ENOMEM, 5, 7, { 3, 3, 3 } },
	};
	static const uint64_t sums[] = { 0, 0x11111111, 0x22222222, 0x2222222211111111 };
	/* Of input_chksum 0x0000000900000005 and of 0. */
	static const uint32_t crcs[] = { 0, 5, 0, 5 }, adlers[] = { 1, 1, 5, 9 };
	struct bytes data = bytes_alloc(20);
	struct hisi_zip_qp *qp;
	struct rng rng;
	uint8_t dev;

	memset(data.data, 1, data.len);
	pmd_rng(&rng);
	qp = start("ext=off", &dev);
	for (size_t i = 0; i < RTE_DIM(rows) * 3 * 4; i++) {
		unsigned int dir = i / 4 % 3, sum = i % 4, row = (unsigned int)i / 12;
		struct rte_comp_xform x = dir == 1 ? pmd_inflate_xform : pmd_deflate_xform;
		uint8_t status = rows[row].status[dir];
		bool kept = status == 0 || status == 6, full = row % 2 == 1, fresh = row % 3 == 1;
		struct rte_comp_op *op;
		void *priv;

		if (dir == 1)
			x.decompress.chksum = (enum rte_comp_checksum_type)sum;
		else
			x.compress.chksum = (enum rte_comp_checksum_type)sum;
		if (dir == 2)
			x.compress.algo = RTE_COMP_ALGO_NULL;
		priv = pmd_xform(dev, &x);
		op = op_of(&rng, priv, PMD_LINEAR, &data, 20);
		op->input_chksum = fresh ? 0 : 0x0000000900000005;
		op->flush_flag = full ? RTE_COMP_FLUSH_FULL : RTE_COMP_FLUSH_FINAL;
		op->debug_status = 0xffff;
		w.ret = rows[row].ret;
		w.result = (struct zip_codec_result){
			.consumed = rows[row].consumed, .produced = rows[row].produced,
			.crc32 = 0x11111111, .adler32 = 0x22222222, .xxh32 = 0x33333333, .end = 1,
		};
		w.calls = 0;
		hisi_zip_sw_run(qp, op);
		PMD_CHECK(w.calls == 1 && w.call == (dir == 0 ? DEFLATE : dir == 1 ? INFLATE :
			COPY), "%zu: %u calls of %d", i, w.calls, w.call);
		PMD_CHECK(dir != 0 || (w.partial == 1 && w.flush == (full ? ZIP_CODEC_FLUSH_FULL :
			ZIP_CODEC_FLUSH_FINISH)), "%zu: %d %d", i, w.partial, w.flush);
		PMD_CHECK(w.params.crc32 == (fresh ? 0 : crcs[sum]) &&
			w.params.adler32 == (fresh ? 1 : adlers[sum]), "%zu: %u %u", i,
			w.params.crc32, w.params.adler32);
		PMD_CHECK(op->status == status, "%zu: %s, expected %s", i, pmd_status(op->status),
			pmd_status(status));
		PMD_CHECK(op->consumed == (kept ? rows[row].consumed : 0) &&
			op->produced == (kept ? rows[row].produced : 0), "%zu: %u %u", i,
			op->consumed, op->produced);
		PMD_CHECK(op->output_chksum == sums[sum], "%zu: 0x%" PRIx64, i, op->output_chksum);
		PMD_CHECK(op->debug_status == 0, "%zu: 0x%" PRIx64, i, op->debug_status);
		pmd_op_free(op);
		pmd_xform_free(dev, priv);
	}
	bytes_free(&data);
	end(dev);
}

/* One step of a stream. */
struct step {
	enum rte_comp_flush_flag flag;
	int ret;
	bool ended;            /* says the codec */
	/* What comes of it. */
	bool reset;
	enum zip_codec_flush flush;
	uint8_t status;
	bool started, dead;
};

static void
run_steps(bool comp, const struct step *steps, size_t n)
{
	struct bytes data = bytes_alloc(20);
	struct hisi_zip_stream *s;
	struct hisi_zip_qp *qp;
	struct rng rng;
	void *made;
	uint8_t dev;

	memset(data.data, 1, data.len);
	pmd_rng(&rng);
	qp = start("ext=off", &dev);
	PMD_CHECK(rte_compressdev_stream_create(dev, comp ? &pmd_deflate_xform :
		&pmd_inflate_xform, &made) == 0, "no stream");
	s = made;
	for (size_t i = 0; i < n; i++) {
		const struct step *st = &steps[i];
		bool kept = st->ret == 0 || st->ret == -ENOSPC;
		struct rte_comp_op *op = op_of(&rng, NULL, PMD_LINEAR, &data, 20);

		op->op_type = RTE_COMP_OP_STATEFUL;
		op->stream = s;
		op->flush_flag = st->flag;
		s->busy = 1;
		w.ret = st->ret;
		w.result = (struct zip_codec_result){
			.consumed = st->ret == -ENOSPC ? 0 : 5, .end = st->ended,
		};
		w.calls = w.stream_resets = 0;
		hisi_zip_sw_run(qp, op);
		PMD_CHECK(w.calls == 1 && w.call == STREAM_RUN && w.flush == st->flush &&
			w.stream_resets == st->reset, "%d, step %zu: %u calls, flush %d, %u resets",
			comp, i, w.calls, w.flush, w.stream_resets);
		PMD_CHECK(op->status == st->status, "%d, step %zu: %s", comp, i,
			pmd_status(op->status));
		PMD_CHECK(op->consumed == (kept ? w.result.consumed : 0) && op->produced == 0,
			"%d, step %zu: %u", comp, i, op->consumed);
		PMD_CHECK(op->debug_status == (st->ended ? 0x113 : 0), "%d, step %zu: 0x%" PRIx64,
			comp, i, op->debug_status);
		PMD_CHECK(s->state.started == st->started && s->dead == st->dead && s->busy == 0,
			"%d, step %zu: %d %d %u", comp, i, s->state.started, s->dead, s->busy);
		pmd_op_free(op);
	}
	/* A stream that cannot be begun is not begun. */
	if (!s->state.started) {
		struct rte_comp_op *op = op_of(&rng, NULL, PMD_LINEAR, &data, 20);

		op->op_type = RTE_COMP_OP_STATEFUL;
		op->stream = s;
		w.reset_ret = -ENOMEM;
		w.calls = 0;
		hisi_zip_sw_run(qp, op);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_ERROR && w.calls == 0 &&
			!s->state.started, "%s, %u calls", pmd_status(op->status), w.calls);
		w.reset_ret = 0;
		pmd_op_free(op);
	}
	PMD_CHECK(rte_compressdev_stream_free(dev, s) == 0, "not freed");
	bytes_free(&data);
	end(dev);
}

static void
stream_steps(void)
{
	static const struct step comp[] = {
		{ RTE_COMP_FLUSH_NONE, 0, 0, true, ZIP_CODEC_FLUSH_NONE, 0, true, false },
		{ RTE_COMP_FLUSH_SYNC, 0, 0, false, ZIP_CODEC_FLUSH_SYNC, 0, true, false },
		{ RTE_COMP_FLUSH_FULL, 0, 0, false, ZIP_CODEC_FLUSH_FULL, 0, true, false },
		/* Not over before all of it has come. */
		{ RTE_COMP_FLUSH_FINAL, -ENOSPC, 0, false, ZIP_CODEC_FLUSH_FINISH, 6, true, false },
		{ RTE_COMP_FLUSH_FINAL, 0, 1, false, ZIP_CODEC_FLUSH_FINISH, 0, false, false },
		{ RTE_COMP_FLUSH_FINAL, 0, 1, true, ZIP_CODEC_FLUSH_FINISH, 0, false, false },
		{ RTE_COMP_FLUSH_SYNC, 0, 0, true, ZIP_CODEC_FLUSH_SYNC, 0, true, false },
		{ RTE_COMP_FLUSH_SYNC, -EINVAL, 0, false, ZIP_CODEC_FLUSH_SYNC, 2, true, true },
	}, decomp[] = {
		{ RTE_COMP_FLUSH_FINAL, 0, 0, true, ZIP_CODEC_FLUSH_SYNC, 0, true, false },
		{ RTE_COMP_FLUSH_NONE, 0, 0, false, ZIP_CODEC_FLUSH_SYNC, 0, true, false },
		{ RTE_COMP_FLUSH_FULL, -ENOSPC, 0, false, ZIP_CODEC_FLUSH_SYNC, 6, true, false },
		{ RTE_COMP_FLUSH_FULL, 0, 1, false, ZIP_CODEC_FLUSH_SYNC, 0, false, false },
		{ RTE_COMP_FLUSH_FULL, 0, 1, true, ZIP_CODEC_FLUSH_SYNC, 0, false, false },
		{ RTE_COMP_FLUSH_FINAL, -EBADMSG, 0, true, ZIP_CODEC_FLUSH_SYNC, 3, true, true },
	};

	run_steps(true, comp, RTE_DIM(comp));
	run_steps(true, comp, 6);
	run_steps(false, decomp, RTE_DIM(decomp));
	run_steps(false, decomp, 5);
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "chains", chains },
		{ "many_segments", many_segments },
		{ "no_memory", no_memory, .expect = PMD_LINES },
		{ "codecs", codecs },
		{ "results", results },
		{ "stream_steps", stream_steps },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_sw", .count = 1, .cases = cases, .vdevs = none,
	});
}
