/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The words of requests: all that are sent, those that a stream has back with its next request,
 * and that those which only some requests use are 0 again in a slot that is given back.
 */

#include <string.h>

#include "hisi_zip_qp.h"
#include "hisi_zip_slot.h"
#include "hisi_zip_xform.h"
#include "pmd_test.h"

#define NAME  "compress_hisi_zip_words"
#define DEPTH 64
#define LEN   3000u
#define ROOM  (2 * LEN)

static uint8_t dev;
static struct bytes plain, packed;

static void
begin(struct rng *rng)
{
	pmd_rng(rng);
	dev = pmd_dev_add(NAME, "workers=0,sw=off");
	pmd_dev_start(dev, 1, DEPTH);
	plain = bytes_alloc(LEN);
	data_fill(plain.data, LEN, DATA_TEXT, rng_next(rng) | 1);
	packed = bytes_deflate(plain.data, LEN, 6, 15);
}

static void
end(void)
{
	bytes_free(&plain);
	bytes_free(&packed);
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

static struct rte_comp_op *
make_op(struct rng *rng, void *xform, const uint8_t *data, size_t len)
{
	return pmd_op(xform, pmd_chain(rng, PMD_LINEAR, data, 0, len, 0), 0, (uint32_t)len,
		pmd_chain(rng, PMD_LINEAR, NULL, 0, ROOM, 0), 0);
}

/* The request that comes back next. */
static struct hisi_zip_sqe *
oldest(enum hisi_zip_dir dir)
{
	const struct hisi_qm_ring *ring = pmd_qp(dev, 0)->hwq[dir].q.queue->ring;

	return hisi_qm_sq_slot(ring, ring->cq_head);
}

/* What a request with the addresses and lengths of an op has of its transform. */
static struct hisi_zip_sqe
basic_words(const struct hisi_zip_xform *x, const struct rte_comp_op *op)
{
	struct hisi_zip_sqe want = { .dw7 = x->words.dw7, .dw9 = x->words.dw9,
		.dw10 = x->words.dw10 };

	hisi_zip_sqe_src(&want, (uintptr_t)rte_pktmbuf_mtod(op->m_src, char *), op->src.length);
	hisi_zip_sqe_dst(&want, (uintptr_t)rte_pktmbuf_mtod(op->m_dst, char *),
		op->m_dst->data_len);
	return want;
}

/* All words but those that only the function writes. */
static void
check_sent(const char *what, struct hisi_zip_sqe want, const struct hisi_zip_sqe *got)
{
	want.consumed = got->consumed;
	want.produced = got->produced;
	want.comp_data_length = got->comp_data_length;
	want.dw3 = got->dw3;
	for (unsigned int i = 0; i < sizeof(want) / sizeof(uint32_t); i++) {
		uint32_t w, g;

		memcpy(&w, (const char *)&want + i * sizeof(w), sizeof(w));
		memcpy(&g, (const char *)got + i * sizeof(g), sizeof(g));
		PMD_CHECK(w == g, "%s: dw%u is 0x%x, expected 0x%x", what, i, g, w);
	}
}

/* All words that only some requests use, as a function might leave them. */
static void
fill_words(struct hisi_zip_sqe *sqe)
{
	sqe->dw11 = 11;
	sqe->dw12 = 12;
	sqe->dw13 = 13;
	sqe->ctx_dw0 = 15 << 4; /* no state that means anything */
	hisi_zip_sqe_ctx(sqe, (uint64_t)23 << 32 | 22);
	sqe->dw24 = 24;
	sqe->dw25 = 25;
	sqe->ctx_dw1 = 28;
	sqe->ctx_dw2 = 29;
	sqe->isize = 30;
	sqe->checksum = 31;
}

static void
check_clear(const char *what, const struct hisi_zip_sqe *sqe)
{
	PMD_CHECK((sqe->dw11 | sqe->dw12 | sqe->dw13) == 0, "%s: 0x%x 0x%x 0x%x", what, sqe->dw11,
		sqe->dw12, sqe->dw13);
	PMD_CHECK((sqe->stream_ctx_addr_l | sqe->stream_ctx_addr_h | sqe->dw24 | sqe->dw25) == 0,
		"%s: 0x%x 0x%x 0x%x 0x%x", what, sqe->stream_ctx_addr_l, sqe->stream_ctx_addr_h,
		sqe->dw24, sqe->dw25);
	PMD_CHECK((sqe->ctx_dw0 | sqe->ctx_dw1 | sqe->ctx_dw2 | sqe->isize | sqe->checksum) == 0,
		"%s: 0x%x 0x%x 0x%x 0x%x 0x%x", what, sqe->ctx_dw0, sqe->ctx_dw1, sqe->ctx_dw2,
		sqe->isize, sqe->checksum);
}

/* Hand one op in, and have its request executed. @return Its request. */
static struct hisi_zip_sqe *
submit(const char *what, enum hisi_zip_dir dir, struct rte_comp_op *op, struct hisi_zip_sqe want)
{
	struct hisi_zip_sqe *sqe;

	pmd_enqueue(dev, 0, &op, 1);
	sqe = oldest(dir);
	check_sent(what, want, sqe);
	PMD_CHECK(spim_queue_poll(pmd_qp(dev, 0)->hwq[dir].q.queue, 1) == 1, "%s: not done", what);
	return sqe;
}

static void
take(const char *what, struct rte_comp_op *op, uint8_t status)
{
	struct rte_comp_op *back;

	pmd_dequeue(dev, 0, &back, 1);
	PMD_CHECK(back == op && op->status == status, "%s: %s", what, pmd_status(op->status));
}

/* ---- Stateless ----------------------------------------------------------------------------- */

/* Of DEFLATE, with whatever a request can ask for more. */
static void
stateless(struct rng *rng, enum hisi_zip_dir dir, bool chksum, bool dict)
{
	struct rte_comp_xform xform = dir == HISI_ZIP_COMP ? pmd_deflate_xform : pmd_inflate_xform;
	const struct bytes *src = dir == HISI_ZIP_COMP ? &plain : &packed;
	const char *what = dict ? "dictionary" : chksum ? "checksums" : "plain";
	struct hisi_zip_sqe want, *sqe;
	struct rte_comp_op *op;
	struct hisi_zip_xform *x;

	if (chksum)
		*(dir == HISI_ZIP_COMP ? &xform.compress.chksum : &xform.decompress.chksum) =
			RTE_COMP_CHECKSUM_CRC32_ADLER32;
	x = pmd_xform(dev, &xform);
	/* An older DPDK has no words for a dictionary. */
	if (dict) {
		x->slot_flags |= HISI_ZIP_SLOT_F_DICT;
		x->words.dw10 = (x->words.dw10 & ~HISI_ZIP_EXT_PARTIAL) | HISI_ZIP_EXT_DICT;
		x->codec.dict_len = 100;
		x->dict.iova = (uintptr_t)plain.data;
	}
	op = make_op(rng, x, src->data, src->len);
	op->input_chksum = 0x1234567800000abc;
	want = basic_words(x, op);
	if (chksum) {
		want.dw11 = 0xabc;
		want.dw12 = 0x12345678;
	}
	if (dict) {
		want.dw13 = 100;
		want.dw24 = (uint32_t)(uintptr_t)plain.data;
		want.dw25 = (uint32_t)((uintptr_t)plain.data >> 32);
	}
	sqe = submit(what, dir, op, want);
	if (chksum || dict)
		fill_words(sqe);
	take(what, op, RTE_COMP_OP_STATUS_SUCCESS);
	check_clear(what, sqe);
	PMD_CHECK(!chksum || op->output_chksum == ((uint64_t)30 << 32 | 31), "0x%" PRIx64,
		op->output_chksum);
	x->codec.dict_len = 0;
	pmd_op_free(op);
	pmd_xform_free(dev, x);
}

static void
words_of_requests(void)
{
	struct rng rng;

	begin(&rng);
	/* Around the rings: each kind has slots that each other has had. */
	for (unsigned int i = 0; i < 3 * DEPTH; i++)
		for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++)
			stateless(&rng, dir, i % 5 == 1 || i % 5 == 3, i % 5 == 2 || i % 5 == 3);
	end();
}

/* ---- Streams ------------------------------------------------------------------------------- */

static struct rte_comp_op *
stream_op(struct rng *rng, struct hisi_zip_stream *s, const uint8_t *data, size_t len,
		enum rte_comp_flush_flag flush)
{
	struct rte_comp_op *op = make_op(rng, NULL, data, len);

	op->op_type = RTE_COMP_OP_STATEFUL;
	op->stream = s;
	op->flush_flag = flush;
	return op;
}

/* What the next request of a stream has. */
static struct hisi_zip_sqe
stream_words(const struct hisi_zip_stream *s, const struct rte_comp_op *op)
{
	struct hisi_zip_sqe want = basic_words(&s->x, op);

	want.dw7 |= HISI_ZIP_DW7_STREAM;
	want.dw10 &= ~HISI_ZIP_EXT_PARTIAL;
	want.dw12 = 1;
	hisi_zip_sqe_ctx(&want, s->name + HISI_ZIP_CTX_HW_OFF);
	return want;
}

/* One op of a stream, which leaves the words behind. */
static void
stream_step(const char *what, enum hisi_zip_dir dir, struct rte_comp_op *op,
		struct hisi_zip_sqe want)
{
	struct hisi_zip_sqe *sqe = submit(what, dir, op, want);

	fill_words(sqe);
	take(what, op, RTE_COMP_OP_STATUS_SUCCESS);
	check_clear(what, sqe);
	pmd_op_free(op);
}

/* The words that the function left are those that it has with the next request. */
static void
want_back(struct hisi_zip_sqe *want)
{
	want->ctx_dw0 = 15 << 4;
	want->ctx_dw1 = 28;
	want->ctx_dw2 = 29;
	want->isize = 30;
	want->checksum = 31;
}

static void
words_of_streams(void)
{
	static const struct {
		enum rte_comp_flush_flag flush;
		uint32_t dw7, dw10;
	} steps[] = {
		{ RTE_COMP_FLUSH_NONE, HISI_ZIP_DW7_STREAM_NEW,
			HISI_ZIP_EXT_FLUSH_NONE << HISI_ZIP_EXT_FLUSH_SHIFT },
		{ RTE_COMP_FLUSH_SYNC, 0, 0 },
		{ RTE_COMP_FLUSH_FULL, 0, HISI_ZIP_EXT_FLUSH_FULL << HISI_ZIP_EXT_FLUSH_SHIFT },
		{ RTE_COMP_FLUSH_FINAL, HISI_ZIP_DW7_FINISH, 0 },
		/* Once more from the start: the words of a stream that has ended are sent, too. */
		{ RTE_COMP_FLUSH_FINAL, HISI_ZIP_DW7_STREAM_NEW | HISI_ZIP_DW7_FINISH, 0 },
	};
	struct hisi_zip_sqe want;
	struct rte_comp_op *op;
	void *stream;
	struct rng rng;

	begin(&rng);
	PMD_CHECK(rte_compressdev_stream_create(dev, &pmd_deflate_xform, &stream) == 0, "none");
	for (unsigned int i = 0; i < RTE_DIM(steps); i++) {
		op = stream_op(&rng, stream, plain.data + i * 100, 100, steps[i].flush);
		want = stream_words(stream, op);
		want.dw7 |= steps[i].dw7;
		want.dw10 |= steps[i].dw10;
		if (i != 0)
			want_back(&want);
		stream_step("compression", HISI_ZIP_COMP, op, want);
	}
	PMD_CHECK(rte_compressdev_stream_free(dev, stream) == 0, "not freed");

	PMD_CHECK(rte_compressdev_stream_create(dev, &pmd_inflate_xform, &stream) == 0, "none");
	for (unsigned int i = 0; i < 4; i++) {
		size_t at = i % 2 * (packed.len / 2);

		op = stream_op(&rng, stream, packed.data + at, i % 2 == 0 ? packed.len / 2 :
			packed.len - packed.len / 2, RTE_COMP_FLUSH_FINAL);
		want = stream_words(stream, op);
		want.dw7 |= i % 2 == 0 ? HISI_ZIP_DW7_STREAM_NEW : 0;
		if (i != 0)
			want_back(&want);
		stream_step("decompression", HISI_ZIP_DECOMP, op, want);
	}
	PMD_CHECK(rte_compressdev_stream_free(dev, stream) == 0, "not freed");
	end();
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "words_of_requests", words_of_requests },
		{ "words_of_streams", words_of_streams },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_words", .count = 1, .cases = cases, .vdevs = none,
	});
}
