/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Stateless ops against zlib: every level, window, kind of code, checksum and
 * shape of mbufs, room that is ample, just enough, or too little.
 */

#include <string.h>

#include "pmd_test_work.h"

#define QP_DEPTH 128
#define LEN_MAX 200000

static uint8_t dev;

static void
start(void)
{
	dev = pmd_dev_id("compress_hisi_zip");
	pmd_dev_start(dev, 1, QP_DEPTH);
}

/* Bursts of compression and decompression mixed come back in order, each result right. */
static void
differential(void)
{
	struct rng rng;

	start();
	while (pmd_next(&rng))
		pmd_work_burst(dev, &rng, LEN_MAX, (uint16_t)rng_range(&rng, 1,
				PMD_WORK_BURST_MAX));
	pmd_dev_stop(dev);
}

/* Pieces that end with FLUSH_FULL, then one with FLUSH_FINAL, are one stream with one checksum. */
static void
pieces(void)
{
	struct rng rng;

	start();
	while (pmd_next(&rng)) {
		struct rte_comp_xform xform = pmd_random_deflate(&rng);
		void *priv = pmd_xform(dev, &xform);
		struct bytes all = bytes_random(&rng, rng_range(&rng, 2, LEN_MAX));
		struct bytes stream = bytes_alloc(0);
		uint64_t chksum = 0;
		size_t at = 0;

		while (at < all.len) {
			size_t len = RTE_MIN(all.len - at, rng_range(&rng, 1, all.len / 2 + 1));
			struct pmd_work w = {
				.xform = xform, .plain = { all.data + at, len },
				.room = PMD_AMPLE(len),
			};
			struct bytes out;

			w.op = pmd_op(priv, pmd_chain(&rng, pmd_random_shape(&rng), w.plain.data,
					0, len, 0), 0, (uint32_t)len,
				pmd_chain(&rng, pmd_random_shape(&rng), NULL, 0, w.room, 0), 0);
			w.op->input_chksum = chksum;
			if (at + len < all.len)
				w.op->flush_flag = RTE_COMP_FLUSH_FULL;
			pmd_run(dev, 0, &w.op, 1);
			pmd_work_check_compress(&w);
			out = pmd_output(w.op);
			bytes_append(&stream, out.data, out.len);
			bytes_free(&out);
			chksum = w.op->output_chksum;
			at += len;
			pmd_op_free(w.op);
		}
		pmd_check_inflates(&stream, all.data, all.len);
		PMD_CHECK(chksum == pmd_chksum(xform.compress.chksum, 0, all.data, all.len),
			"checksum of all pieces");
		bytes_free(&stream);
		bytes_free(&all);
		pmd_xform_free(dev, priv);
	}
	pmd_dev_stop(dev);
}

/* After OUT_OF_SPACE_RECOVERABLE the same op, advanced, goes on; the pieces are one stream. */
static void
recoverable(void)
{
	struct rng rng;

	start();
	while (pmd_next(&rng)) {
		struct rte_comp_xform xform = pmd_random_deflate(&rng);
		void *priv = pmd_xform(dev, &xform);
		struct bytes all = bytes_random(&rng, rng_range(&rng, 1000, LEN_MAX));
		struct bytes stream = bytes_alloc(0), out;
		struct pmd_work w = { .xform = xform, .plain = all, .kind = PMD_ROOM_SHORT };
		size_t src_skip = rng_below(&rng, 100);
		unsigned int steps = 0;

		/* At least 64 bytes, for which there must be progress. */
		w.room = rng_range(&rng, 64, all.len / 4 + 64);
		w.op = pmd_op(priv, pmd_chain(&rng, pmd_random_shape(&rng), all.data, src_skip,
				all.len, 0), (uint32_t)src_skip, (uint32_t)all.len,
			pmd_work_room(&rng, &w), 0);
		w.op->dst.offset = (uint32_t)w.dst_skip;
		for (;;) {
			pmd_run(dev, 0, &w.op, 1);
			pmd_work_check_compress(&w);
			PMD_CHECK(w.op->status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED,
				"%zu bytes of room are enough to go on", w.room);
			out = pmd_output(w.op);
			bytes_append(&stream, out.data, out.len);
			bytes_free(&out);
			if (w.op->status == RTE_COMP_OP_STATUS_SUCCESS)
				break;
			PMD_CHECK(++steps < 1 + all.len, "no end");
			w.plain.data += w.op->consumed;
			w.plain.len -= w.op->consumed;
			w.op->src.offset += w.op->consumed;
			w.op->src.length -= w.op->consumed;
			w.op->input_chksum = w.op->output_chksum;
			pmd_chain_free(w.op->m_dst);
			if (steps > 20) {
				w.room = PMD_AMPLE(w.plain.len);
				w.kind = PMD_ROOM_AMPLE;
			}
			w.op->m_dst = pmd_work_room(&rng, &w);
			w.op->dst.offset = (uint32_t)w.dst_skip;
		}
		pmd_check_inflates(&stream, all.data, all.len);
		PMD_CHECK(w.op->output_chksum == pmd_chksum(xform.compress.chksum, 0, all.data,
				all.len), "checksum of all parts");
		pmd_op_free(w.op);
		bytes_free(&stream);
		bytes_free(&all);
		pmd_xform_free(dev, priv);
	}
	pmd_dev_stop(dev);
}

/* The NULL algorithm copies, in both directions. */
static void
copies(void)
{
	struct rng rng;

	start();
	while (pmd_next(&rng)) {
		struct rte_comp_xform xform = rng_one_in(&rng, 2) ? pmd_random_deflate(&rng) :
			pmd_random_inflate(&rng);
		struct pmd_work w = { .xform = xform };
		struct bytes out;
		bool enough;

		if (xform.type == RTE_COMP_COMPRESS)
			w.xform.compress.algo = RTE_COMP_ALGO_NULL;
		else
			w.xform.decompress.algo = RTE_COMP_ALGO_NULL;
		w.priv = pmd_xform(dev, &w.xform);
		w.plain = bytes_random(&rng, rng_range(&rng, 1, LEN_MAX));
		enough = !rng_one_in(&rng, 4);
		w.room = enough ? w.plain.len + rng_below(&rng, 2) : rng_below(&rng, w.plain.len);
		w.op = pmd_op(w.priv, pmd_chain(&rng, pmd_random_shape(&rng), w.plain.data, 0,
				w.plain.len, 0), 0, (uint32_t)w.plain.len,
			pmd_work_room(&rng, &w), 0);
		w.op->dst.offset = (uint32_t)w.dst_skip;
		pmd_run(dev, 0, &w.op, 1);
		if (enough)
			PMD_CHECK(w.op->status == RTE_COMP_OP_STATUS_SUCCESS &&
				w.op->consumed == w.plain.len, "%s, consumed %u of %zu, room %zu",
				pmd_status(w.op->status), w.op->consumed, w.plain.len, w.room);
		else
			PMD_CHECK(w.op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED ||
				w.op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE,
				"%s with room for %zu of %zu", pmd_status(w.op->status), w.room,
				w.plain.len);
		out = pmd_output(w.op);
		PMD_CHECK(w.op->produced == w.op->consumed && out.len <= w.room &&
			memcmp(out.data, w.plain.data, out.len) == 0, "produced %u, consumed %u",
			w.op->produced, w.op->consumed);
		if (enough)
			pmd_work_check_chksum(&w, w.plain.data, w.plain.len);
		bytes_free(&out);
		pmd_op_free(w.op);
		bytes_free(&w.plain);
		pmd_xform_free(dev, w.priv);
	}
	pmd_dev_stop(dev);
}

/* There and back through the driver, for ops that no single request of the hardware can carry. */
static void
long_op(struct rng *rng, size_t len, enum data_kind kind, int level, enum pmd_shape shape)
{
	struct pmd_work comp = { .xform = pmd_deflate_xform, .room = len + len / 1000 + 10000 };
	struct pmd_work decomp = { .xform = pmd_inflate_xform, .room = len };
	struct bytes out;

	comp.xform.compress.level = level;
	comp.xform.compress.chksum = RTE_COMP_CHECKSUM_CRC32_ADLER32;
	decomp.xform.decompress.chksum = RTE_COMP_CHECKSUM_CRC32_ADLER32;
	comp.plain = bytes_alloc(len);
	data_fill(comp.plain.data, len, kind, rng_next(rng) | 1);
	comp.priv = pmd_xform(dev, &comp.xform);
	decomp.priv = pmd_xform(dev, &decomp.xform);

	comp.op = pmd_op(comp.priv, pmd_chain(rng, shape, comp.plain.data, 0, len, 0), 0,
		(uint32_t)len, pmd_chain(rng, shape, NULL, 0, comp.room, 0), 0);
	pmd_run(dev, 0, &comp.op, 1);
	PMD_CHECK(comp.op->status == RTE_COMP_OP_STATUS_SUCCESS && comp.op->consumed == len,
		"%zu bytes, level %d: %s, consumed %u", len, level, pmd_status(comp.op->status),
		comp.op->consumed);
	pmd_work_check_chksum(&comp, comp.plain.data, len);
	out = pmd_output(comp.op);
	pmd_check_inflates(&out, comp.plain.data, len);

	decomp.op = pmd_op(decomp.priv, pmd_chain(rng, shape, out.data, 0, out.len, 0), 0,
		(uint32_t)out.len, pmd_chain(rng, shape, NULL, 0, len, 0), 0);
	pmd_run(dev, 0, &decomp.op, 1);
	PMD_CHECK(decomp.op->status == RTE_COMP_OP_STATUS_SUCCESS && decomp.op->produced == len &&
		decomp.op->consumed == out.len, "%zu bytes: %s, consumed %u of %zu, produced %u",
		len, pmd_status(decomp.op->status), decomp.op->consumed, out.len,
		decomp.op->produced);
	bytes_free(&out);
	out = pmd_output(decomp.op);
	PMD_CHECK(memcmp(out.data, comp.plain.data, len) == 0, "wrong bytes");
	pmd_work_check_chksum(&decomp, comp.plain.data, len);

	bytes_free(&out);
	bytes_free(&comp.plain);
	pmd_op_free(comp.op);
	pmd_op_free(decomp.op);
	pmd_xform_free(dev, comp.priv);
	pmd_xform_free(dev, decomp.priv);
}

static void
long_ops(void)
{
	static const size_t lens[] = {
		(8u << 20) - 1, 8u << 20, (8u << 20) + 1, (9u << 20) + 12345, 40u << 20,
	};
	struct rng rng;

	pmd_rng(&rng);
	start();
	for (size_t i = 0; i < RTE_DIM(lens); i++) {
		long_op(&rng, lens[i], DATA_TEXT, 1, PMD_FULL);
		long_op(&rng, lens[i], DATA_NOISE8, 1, PMD_FULL);
	}
	long_op(&rng, (9u << 20) + 7, DATA_BINARY, 6, PMD_FULL);
	long_op(&rng, (9u << 20) + 7, DATA_BINARY, 0, PMD_FULL);
	for (unsigned int i = 0; i < 20; i++)
		long_op(&rng, rng_range(&rng, 1, 100000),
			(enum data_kind)rng_below(&rng, DATA_KINDS), (int)rng_below(&rng, 10),
			PMD_TOO_MANY);
	pmd_dev_stop(dev);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "differential", differential, PMD_BAD_OPS },
		{ "pieces", pieces },
		{ "recoverable", recoverable },
		{ "copies", copies, PMD_BAD_OPS },
		{ "long_ops", long_ops },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_stateless", .count = 100, .cases = cases,
	});
}
