/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Bad ops of every kind among good ones. Each gets its status, and comes back
 * once and in order; the good ones are as if they were alone.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "pmd_test.h"

#define DEVICE "compress_hisi_zip"
#define OTHER "compress_hisi_zip_other"
#define DEPTH 64
#define GOOD_LEN 5000

static uint8_t dev, other;

static void
start(void)
{
	dev = pmd_dev_id(DEVICE);
	pmd_dev_start(dev, 1, DEPTH);
}

/* What all ops of a round are made of. */
struct ground {
	void *comp, *decomp, *foreign;
	void *comp_stream, *dead_stream;
	struct bytes plain, packed;
};

/* Bad ops: how to make one, and what becomes of it. */
enum bad {
	NO_SRC,
	NO_DST,
	NO_XFORM,
	FOREIGN_XFORM,
	NO_STREAM,
	EMPTY,
	SRC_SHORT,
	SRC_SHORT_CHAINED,
	SRC_OFFSET,
	SRC_OFFSET_CHAINED,
	SRC_HUGE,
	SRC_HUGE_CHAINED,
	DST_OFFSET,
	DST_OFFSET_CHAINED,
	DST_NONE,
	DST_ONE,
	DST_ONE_CHAINED,
	DST_SHORT,
	TYPE,
	FLUSH_NONE,
	FLUSH_SYNC,
	STREAM_FLUSH,
	CORRUPT,
	CUT,
	CUT_CHAINED,
	BADS,
};

static struct rte_comp_op *
good_op(struct rng *rng, const struct ground *g, enum pmd_shape shape, bool comp)
{
	const struct bytes *src = comp ? &g->plain : &g->packed;

	return pmd_op(comp ? g->comp : g->decomp, pmd_chain(rng, shape, src->data, 0, src->len, 0),
		0, (uint32_t)src->len, pmd_chain(rng, shape, NULL, 0, 2 * GOOD_LEN, 0), 0);
}

static void
set_dst(struct rng *rng, struct rte_comp_op *op, enum pmd_shape shape, size_t len)
{
	pmd_chain_free(op->m_dst);
	op->m_dst = pmd_chain(rng, shape, NULL, 0, len, 0);
}

static struct rte_comp_op *
bad_op(struct rng *rng, const struct ground *g, enum bad bad, uint8_t *status)
{
	bool comp = rng_one_in(rng, 2);
	bool chained = bad == SRC_SHORT_CHAINED || bad == SRC_OFFSET_CHAINED ||
		bad == SRC_HUGE_CHAINED || bad == DST_OFFSET_CHAINED || bad == DST_ONE_CHAINED ||
		bad == CUT_CHAINED;
	enum pmd_shape shape = chained ? PMD_MANY : PMD_LINEAR;
	struct rte_comp_op *op;

	if (bad == FLUSH_NONE || bad == FLUSH_SYNC)
		comp = true;
	if (bad == CORRUPT || bad == CUT || bad == CUT_CHAINED)
		comp = false;
	op = good_op(rng, g, shape, comp);
	*status = RTE_COMP_OP_STATUS_INVALID_ARGS;
	switch (bad) {
	case NO_SRC:
		pmd_chain_free(op->m_src);
		op->m_src = NULL;
		break;
	case NO_DST:
		pmd_chain_free(op->m_dst);
		op->m_dst = NULL;
		break;
	case NO_XFORM:
		op->private_xform = NULL;
		break;
	case FOREIGN_XFORM:
		op->private_xform = g->foreign;
		break;
	case NO_STREAM:
		op->op_type = RTE_COMP_OP_STATEFUL;
		op->stream = NULL;
		break;
	case EMPTY:
		op->src.length = 0;
		break;
	case SRC_SHORT:
	case SRC_SHORT_CHAINED:
		op->src.length++;
		break;
	case SRC_OFFSET:
	case SRC_OFFSET_CHAINED:
		op->src.offset = op->src.length + 1;
		op->src.length = 1;
		break;
	case SRC_HUGE:
	case SRC_HUGE_CHAINED:
		op->src.offset = rng_one_in(rng, 2) ? UINT32_MAX : 1;
		op->src.length = UINT32_MAX;
		break;
	case DST_OFFSET:
	case DST_OFFSET_CHAINED:
		op->dst.offset = rng_one_in(rng, 2) ? UINT32_MAX : 2 * GOOD_LEN + 1;
		break;
	case DST_NONE:
		set_dst(rng, op, PMD_LINEAR, 0);
		*status = RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
		break;
	case DST_ONE:
	case DST_ONE_CHAINED:
		set_dst(rng, op, shape, 1);
		*status = RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
		break;
	case DST_SHORT:
		set_dst(rng, op, PMD_LINEAR, comp ? 2 : GOOD_LEN - 1);
		*status = RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED;
		break;
	case TYPE:
		op->op_type = (enum rte_comp_op_type)(2 + rng_below(rng, 100));
		break;
	case FLUSH_NONE:
		op->flush_flag = RTE_COMP_FLUSH_NONE;
		break;
	case FLUSH_SYNC:
		op->flush_flag = RTE_COMP_FLUSH_SYNC;
		break;
	case STREAM_FLUSH:
		op->op_type = RTE_COMP_OP_STATEFUL;
		op->stream = g->comp_stream;
		op->flush_flag = (enum rte_comp_flush_flag)(RTE_COMP_FLUSH_FINAL + 1 +
			rng_below(rng, 100));
		break;
	case CORRUPT:
		*rte_pktmbuf_mtod(op->m_src, uint8_t *) |= 6; /* block type 3 */
		*status = RTE_COMP_OP_STATUS_ERROR;
		break;
	case CUT:
	case CUT_CHAINED:
		op->src.length -= (uint32_t)rng_range(rng, 1, op->src.length - 1);
		*status = RTE_COMP_OP_STATUS_ERROR;
		break;
	default:
		break;
	}
	return op;
}

/*
 * As it came. The length of a compression may differ by some bytes from one call to the next:
 * ISA-L's choice of matches is not always the same.
 */
static void
check_good(const struct ground *g, const struct rte_comp_op *op)
{
	bool comp = op->private_xform == g->comp;
	struct bytes out, back = bytes_alloc(g->plain.len);
	size_t used = op->produced;

	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "a good op among bad ones: %s",
		pmd_status(op->status));
	PMD_CHECK(op->consumed == (comp ? g->plain.len : g->packed.len), "consumed %u",
		op->consumed);
	out = bytes_alloc(op->produced);
	pmd_chain_read(op->m_dst, 0, out.data, out.len);
	if (comp)
		PMD_CHECK(judge_inflate(out.data, out.len, back.data, back.len, &used, &back.len) ==
			Z_STREAM_END && used == out.len, "zlib took %zu of %zu bytes", used,
			out.len);
	PMD_CHECK((comp ? back.len : out.len) == g->plain.len &&
		memcmp(comp ? back.data : out.data, g->plain.data, g->plain.len) == 0,
		"%s of %u bytes to %u: not what it was", comp ? "compression" : "decompression",
		op->consumed, op->produced);
	bytes_free(&back);
	bytes_free(&out);
}

/*
 * A source chain that leads back into itself and holds no byte: whoever looks
 * for its data must give up. Level 6 is done in software where the device is
 * plain.
 */
static void
circle(void)
{
	static const int levels[] = { 1, 6 };
	struct rng rng;

	start();
	while (pmd_next(&rng)) {
		for (unsigned int i = 0; i < RTE_DIM(levels); i++) {
			struct rte_comp_xform xform = pmd_deflate_xform;
			struct rte_mbuf *first, *last;
			struct rte_comp_op *op;
			void *x;

			xform.compress.level = levels[i];
			x = pmd_xform(dev, &xform);
			op = pmd_op(x, pmd_chain(&rng, PMD_MANY, NULL, 0, GOOD_LEN, 0), 0, 1,
				pmd_chain(&rng, PMD_LINEAR, NULL, 0, GOOD_LEN, 0), 0);
			first = op->m_src;
			for (last = first; last->next != NULL; last = last->next)
				last->data_len = 0;
			last->data_len = 0;
			last->next = first;
			op->src.offset = rng_one_in(&rng, 2) ? 0 : 5;
			pmd_run(dev, 0, &op, 1);
			last->next = NULL;
			PMD_CHECK(op->status == RTE_COMP_OP_STATUS_INVALID_ARGS, "%s",
				pmd_status(op->status));
			pmd_op_free(op);
			pmd_xform_free(dev, x);
		}
	}
	pmd_dev_stop(dev);
}

/* Bursts of bad and good ops: all come back in order, each with what it deserves. */
static void
bad_ops(void)
{
	struct rte_compressdev_stats stats;
	unsigned long errors = 0;
	struct ground g;
	struct rng rng;
	int ret;

	start();
	other = pmd_dev_id(OTHER);
	g.comp = pmd_xform(dev, &pmd_deflate_xform);
	g.decomp = pmd_xform(dev, &pmd_inflate_xform);
	g.foreign = pmd_xform(other, &pmd_inflate_xform);
	ret = rte_compressdev_stream_create(dev, &pmd_deflate_xform, &g.comp_stream);
	PMD_CHECK(ret == 0, "stream_create returned %d", ret);
	rte_compressdev_stats_reset(dev);
	while (pmd_next(&rng)) {
		struct rte_comp_op *ops[32];
		uint8_t status[32];
		uint16_t n = (uint16_t)rng_range(&rng, 1, RTE_DIM(ops));

		g.plain = bytes_alloc(GOOD_LEN);
		data_fill(g.plain.data, g.plain.len, DATA_TEXT, rng_next(&rng) | 1);
		g.packed = bytes_deflate(g.plain.data, g.plain.len, 6, 15);
		for (uint16_t i = 0; i < n; i++) {
			status[i] = RTE_COMP_OP_STATUS_SUCCESS;
			if (rng_one_in(&rng, 2))
				ops[i] = bad_op(&rng, &g, (enum bad)rng_below(&rng, BADS),
					&status[i]);
			else
				ops[i] = good_op(&rng, &g, pmd_random_shape(&rng),
					rng_one_in(&rng, 2));
		}
		pmd_run(dev, 0, ops, n);
		for (uint16_t i = 0; i < n; i++) {
			if (status[i] == RTE_COMP_OP_STATUS_SUCCESS) {
				check_good(&g, ops[i]);
			} else {
				PMD_CHECK(ops[i]->status == status[i], "op %u of %u: %s, "
					"expected %s", i, n, pmd_status(ops[i]->status),
					pmd_status(status[i]));
				PMD_CHECK(ops[i]->consumed == 0 && ops[i]->produced == 0,
					"%s with consumed %u, produced %u", pmd_status(status[i]),
					ops[i]->consumed, ops[i]->produced);
				errors++;
			}
			pmd_op_free(ops[i]);
		}
		bytes_free(&g.plain);
		bytes_free(&g.packed);
	}
	ret = rte_compressdev_stats_get(dev, &stats);
	PMD_CHECK(ret == 0 && stats.enqueued_count == stats.dequeued_count &&
		stats.dequeue_err_count == errors && stats.enqueue_err_count == 0,
		"%lu errors; stats: enqueued %" PRIu64 ", dequeued %" PRIu64 ", errors %" PRIu64
		" and %" PRIu64, errors, stats.enqueued_count, stats.dequeued_count,
		stats.enqueue_err_count, stats.dequeue_err_count);
	ret = rte_compressdev_stream_free(dev, g.comp_stream);
	PMD_CHECK(ret == 0, "stream_free returned %d", ret);
	pmd_xform_free(dev, g.comp);
	pmd_xform_free(dev, g.decomp);
	pmd_xform_free(other, g.foreign);
	pmd_dev_stop(dev);
}

/* The head of a chain may say what it likes: only the segments count. */
static void
lying_heads(void)
{
	struct ground g = { 0 };
	struct rng rng;

	start();
	g.comp = pmd_xform(dev, &pmd_deflate_xform);
	g.decomp = pmd_xform(dev, &pmd_inflate_xform);
	while (pmd_next(&rng)) {
		struct rte_comp_op *op;

		g.plain = bytes_random(&rng, GOOD_LEN);
		g.packed = bytes_deflate(g.plain.data, g.plain.len, 6, 15);
		op = good_op(&rng, &g, pmd_random_shape(&rng), false);
		op->m_src->pkt_len = (uint32_t)rng_next(&rng);
		op->m_src->nb_segs = (uint16_t)rng_next(&rng);
		op->m_dst->pkt_len = (uint32_t)rng_next(&rng);
		op->m_dst->nb_segs = (uint16_t)rng_next(&rng);
		pmd_run(dev, 0, &op, 1);
		check_good(&g, op);
		pmd_op_free(op);
		bytes_free(&g.plain);
		bytes_free(&g.packed);
	}
	pmd_xform_free(dev, g.comp);
	pmd_xform_free(dev, g.decomp);
	pmd_dev_stop(dev);
}

/* All queue pairs that a device says it has can be used at the same time, in both directions. */
static void
all_queue_pairs(void)
{
	struct rte_compressdev_info info;
	struct ground g = { 0 };
	struct rng rng;

	pmd_rng(&rng);
	dev = pmd_dev_id(DEVICE);
	rte_compressdev_info_get(dev, &info);
	pmd_dev_start(dev, info.max_nb_queue_pairs, 8);
	g.comp = pmd_xform(dev, &pmd_deflate_xform);
	g.decomp = pmd_xform(dev, &pmd_inflate_xform);
	g.plain = bytes_random(&rng, 100);
	g.packed = bytes_deflate(g.plain.data, g.plain.len, 6, 15);
	for (uint16_t qp = 0; qp < info.max_nb_queue_pairs; qp++) {
		struct rte_comp_op *ops[2] = {
			good_op(&rng, &g, PMD_LINEAR, true), good_op(&rng, &g, PMD_LINEAR, false),
		};

		pmd_run(dev, qp, ops, 2);
		for (int i = 0; i < 2; i++) {
			PMD_CHECK(ops[i]->status == RTE_COMP_OP_STATUS_SUCCESS,
				"queue pair %u: %s", qp, pmd_status(ops[i]->status));
			pmd_op_free(ops[i]);
		}
	}
	bytes_free(&g.plain);
	bytes_free(&g.packed);
	pmd_xform_free(dev, g.comp);
	pmd_xform_free(dev, g.decomp);
	pmd_dev_stop(dev);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "bad_ops", bad_ops, PMD_BAD_OPS },
		{ "lying_heads", lying_heads },
		{ "circle", circle, PMD_BAD_OPS },
		{ "all_queue_pairs", all_queue_pairs },
		{ 0 },
	};
	static const char *const vdevs[] = { DEVICE, OTHER, NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_bad_ops", .count = 500, .cases = cases, .vdevs = vdevs,
	});
}
