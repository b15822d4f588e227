/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include <zlib.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "pmd_test_work.h"

#define UNIT_MAX 65535 /* a stored block */
#define PLAIN_ROOM_MIN 16 /* less a function without the extension does not take */

static enum rte_comp_checksum_type
chksum_type(const struct rte_comp_xform *x)
{
	return x->type == RTE_COMP_COMPRESS ? x->compress.chksum : x->decompress.chksum;
}

struct bytes
pmd_output(const struct rte_comp_op *op)
{
	struct bytes b = bytes_alloc(op->produced);

	pmd_chain_read(op->m_dst, op->dst.offset, b.data, b.len);
	return b;
}

/* What a complete or a cut result is made of. */
static void
check_blocks(const struct rte_comp_xform *x, const struct bytes *out, size_t len, int final)
{
	const struct rte_comp_compress_xform *c = &x->compress;
	struct blocks blocks;
	int ret = blocks_parse(out->data, out->len, &blocks);

	PMD_CHECK(ret == 0, "level %d huffman %d window %u: %zu bytes are no DEFLATE", c->level,
		c->deflate.huffman, c->window_size, out->len);
	PMD_CHECK(blocks.len == len, "%zu bytes instead of %zu", blocks.len, len);
	PMD_CHECK(blocks.final == final, "BFINAL %d instead of %d", blocks.final, final);
	PMD_CHECK(blocks.max_distance <= (size_t)1 << c->window_size,
		"distance %zu in a window of 2^%u, level %d, huffman %d", blocks.max_distance,
		c->window_size, c->level, c->deflate.huffman);
	PMD_CHECK(c->deflate.huffman != RTE_COMP_HUFFMAN_FIXED || blocks.dynamic == 0,
		"%u dynamic blocks at level %d, FIXED was asked for", blocks.dynamic, c->level);
	/* A fixed block may stand for nothing, or for an alignment. */
	PMD_CHECK(c->level != 0 || blocks.dynamic == 0, "%u dynamic blocks at level 0",
		blocks.dynamic);
}

void
pmd_check_inflates(const struct bytes *out, const uint8_t *data, size_t len)
{
	struct bytes back = bytes_alloc(len + 1);
	size_t consumed, produced;
	int ret = judge_inflate(out->data, out->len, back.data, back.len, &consumed, &produced);

	PMD_CHECK(ret == Z_STREAM_END, "zlib says %d after %zu of %zu bytes", ret, consumed,
		out->len);
	PMD_CHECK(consumed == out->len, "%zu bytes behind the stream's end", out->len - consumed);
	PMD_CHECK(produced == len && memcmp(back.data, data, len) == 0,
		"zlib gets other data: %zu bytes, expected %zu", produced, len);
	bytes_free(&back);
}

void
pmd_work_check_chksum(const struct pmd_work *w, const uint8_t *data, size_t len)
{
	enum rte_comp_checksum_type type = chksum_type(&w->xform);
	uint64_t expected = pmd_chksum(type, w->op->input_chksum, data, len);

	PMD_CHECK(w->op->output_chksum == expected, "checksum type %d: 0x%" PRIx64 ", expected 0x%"
		PRIx64, type, w->op->output_chksum, expected);
}

static void
check_nothing_done(const struct rte_comp_op *op, uint8_t status)
{
	PMD_CHECK(op->status == status, "%s, expected %s", pmd_status(op->status),
		pmd_status(status));
	PMD_CHECK(op->consumed == 0 && op->produced == 0, "%s with consumed %u, produced %u",
		pmd_status(status), op->consumed, op->produced);
}

void
pmd_work_check_compress(const struct pmd_work *w)
{
	const struct rte_comp_compress_xform *c = &w->xform.compress;
	const struct rte_comp_op *op = w->op;
	struct bytes out;

	if (op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED) {
		check_nothing_done(op, op->status);
		PMD_CHECK(w->kind != PMD_ROOM_AMPLE && w->kind != PMD_ROOM_EXACT,
			"%s with %zu bytes of room for %zu, level %d, huffman %d, window %u",
			pmd_status(op->status), w->room, w->plain.len, c->level,
			c->deflate.huffman, c->window_size);
		PMD_CHECK(w->room < 64, "%s with %zu bytes of room: nothing fits in there?",
			pmd_status(op->status), w->room);
		return;
	}
	out = pmd_output(op);
	PMD_CHECK(op->produced <= w->room, "%u bytes in a room of %zu", op->produced, w->room);
	if (op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE) {
		PMD_CHECK(w->kind == PMD_ROOM_SHORT || w->kind == PMD_ROOM_ONE,
			"%s with %zu bytes of room for %zu, level %d, huffman %d, window %u",
			pmd_status(op->status), w->room, w->plain.len, c->level,
			c->deflate.huffman, c->window_size);
		PMD_CHECK(op->consumed > 0 && op->consumed < w->plain.len, "consumed %u of %zu",
			op->consumed, w->plain.len);
		check_blocks(&w->xform, &out, op->consumed, 0);
	} else {
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s, level %d, huffman %d, "
			"window %u, %zu bytes", pmd_status(op->status), c->level,
			c->deflate.huffman, c->window_size, w->plain.len);
		PMD_CHECK(op->consumed == w->plain.len, "consumed %u of %zu", op->consumed,
			w->plain.len);
		check_blocks(&w->xform, &out, w->plain.len,
			op->flush_flag == RTE_COMP_FLUSH_FINAL);
		if (op->flush_flag == RTE_COMP_FLUSH_FINAL)
			pmd_check_inflates(&out, w->plain.data, w->plain.len);
	}
	pmd_work_check_chksum(w, w->plain.data, op->consumed);
	bytes_free(&out);
}

static void
check_decompress(const struct pmd_work *w)
{
	const struct rte_comp_op *op = w->op;
	struct bytes all = bytes_alloc(w->plain.len * 2 + 100000), out;
	size_t consumed, produced;
	int ret = judge_inflate(w->packed.data, w->packed.len, all.data, all.len, &consumed,
		&produced);

	if (ret == Z_STREAM_END && produced <= w->room) {
		out = pmd_output(op);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s for %zu bytes that zlib "
			"inflates to %zu, room %zu%s", pmd_status(op->status), w->packed.len,
			produced, w->room, w->mutation != PMD_MUTATION_NONE ? ", mutated" : "");
		PMD_CHECK(op->consumed == consumed, "consumed %u, zlib %zu of %zu", op->consumed,
			consumed, w->packed.len);
		PMD_CHECK(op->produced == produced, "produced %u, zlib %zu", op->produced,
			produced);
		PMD_CHECK(memcmp(out.data, all.data, produced) == 0, "wrong bytes");
		pmd_work_check_chksum(w, out.data, out.len);
		bytes_free(&out);
	} else {
		/*
		 * Whether the lack of room or the bad data is seen first is not fixed: a match
		 * or a stored block may be too long and bad at the same time.
		 */
		bool room = ret == Z_STREAM_END || produced + UNIT_MAX > w->room;
		bool bad = ret != Z_STREAM_END;

		/* test_zip_codec_mutate lists what we take although zlib does not. */
		if (w->mutation == PMD_MUTATION_BITS && ret == Z_DATA_ERROR &&
				op->status == RTE_COMP_OP_STATUS_SUCCESS)
			goto out;
		/* libdeflate reads 0 for up to 64 bits that are not there, each maybe a match. */
		if (w->mutation == PMD_MUTATION_CUT && w->room >= w->plain.len &&
				w->room - produced >= 64 * 258)
			room = false;
		PMD_CHECK((bad && op->status == RTE_COMP_OP_STATUS_ERROR) ||
			(room && op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED),
			"%s for %zu bytes of which zlib inflates %zu to %zu and says %d, room %zu, "
			"mutation %d", pmd_status(op->status), w->packed.len, consumed, produced,
			ret, w->room, w->mutation);
		check_nothing_done(op, op->status);
	}
out:
	bytes_free(&all);
}

/* Change a stream here and there, or cut it, or append to it. */
static void
mutate(struct rng *rng, struct bytes *b, enum pmd_mutation mutation)
{
	uint8_t garbage[64];

	switch (mutation) {
	case PMD_MUTATION_NONE:
		break;
	case PMD_MUTATION_BITS:
		for (size_t i = rng_range(rng, 1, 4); i > 0; i--)
			b->data[rng_below(rng, b->len)] ^= (uint8_t)(1u << rng_below(rng, 8));
		break;
	case PMD_MUTATION_CUT:
		b->len -= rng_below(rng, b->len);
		break;
	case PMD_MUTATION_TAIL:
		for (size_t i = 0; i < sizeof(garbage); i++)
			garbage[i] = (uint8_t)rng_next(rng);
		bytes_append(b, garbage, rng_range(rng, 1, sizeof(garbage)));
		break;
	}
}

struct rte_mbuf *
pmd_work_room(struct rng *rng, struct pmd_work *w)
{
	w->dst_skip = rng_one_in(rng, 2) ? 0 : rng_below(rng, 300);
	return pmd_chain(rng, pmd_random_shape(rng), NULL, w->dst_skip, w->room, 0);
}

/* Length of the result with ample room; the same again must then fit exactly. */
static size_t
result_len(uint8_t dev, struct rng *rng, struct pmd_work *w, const struct bytes *src)
{
	struct rte_comp_op *op;
	size_t len;

	w->room = PMD_AMPLE(w->plain.len);
	op = pmd_op(w->priv, pmd_chain(rng, PMD_FULL, src->data, 0, src->len, 0), 0,
		(uint32_t)src->len, pmd_chain(rng, PMD_FULL, NULL, 0, w->room, 0), 0);
	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s for %zu bytes, room %zu, level %d, "
		"huffman %d, window %u", pmd_status(op->status), src->len, w->room,
		w->xform.compress.level, w->xform.compress.deflate.huffman,
		w->xform.compress.window_size);
	len = op->produced;
	pmd_op_free(op);
	return len;
}

/*
 * Whether an op is possibly done by the function once and by software another time, whose results
 * differ in length.
 */
static bool
may_change(uint8_t dev, const struct pmd_work *w, size_t room)
{
	const struct hisi_dev *hisi = &pmd_qp(dev, 0)->dev->hisi;
	/* Behind its result a plain function writes a trailer, which has no room then. */
	bool trailer = hisi->info.revision < HISI_QM_REV_V3 ||
		w->xform.compress.chksum != RTE_COMP_CHECKSUM_NONE;

	return hisi->args.quirk[0] != '\0' || hisi->args.fault[0] != '\0' ||
		(hisi->info.ext_features == 0 && (trailer || room < PLAIN_ROOM_MIN));
}

/*
 * What an op of ISA-L's levels needs beyond what it needed before: ISA-L now and then finds other
 * matches in the same input, about once in 10^5 calls and by some bytes.
 */
static size_t
exact_slack(const struct pmd_work *w, size_t needed)
{
	return w->xform.type == RTE_COMP_COMPRESS && w->xform.compress.level <= 3 ?
		needed / 16 + 16 : 0;
}

static struct pmd_work
random_work(uint8_t dev, struct rng *rng, size_t len_max)
{
	struct pmd_work w = { 0 };
	const struct bytes *src = &w.plain;
	size_t needed;

	w.plain = bytes_random(rng, RTE_MAX(pmd_random_len(rng, len_max), (size_t)1));
	w.kind = rng_one_in(rng, 2) ? PMD_ROOM_AMPLE : (enum pmd_room)rng_below(rng, PMD_ROOMS);
	if (rng_one_in(rng, 2)) {
		w.xform = pmd_random_deflate(rng);
	} else {
		w.xform = pmd_random_inflate(rng);
		w.packed = bytes_deflate(w.plain.data, w.plain.len, (int)rng_below(rng, 10),
			(int)rng_range(rng, 9, 15));
		if (rng_one_in(rng, 4))
			w.mutation = (enum pmd_mutation)rng_range(rng, PMD_MUTATION_BITS,
				PMD_MUTATION_TAIL);
		mutate(rng, &w.packed, w.mutation);
		src = &w.packed;
	}
	w.priv = pmd_xform(dev, &w.xform);

	needed = w.plain.len;
	if (w.xform.type == RTE_COMP_COMPRESS &&
			(w.kind == PMD_ROOM_EXACT || w.kind == PMD_ROOM_SHORT))
		needed = result_len(dev, rng, &w, src);
	switch (w.kind) {
	case PMD_ROOM_AMPLE:
		w.room = PMD_AMPLE(needed);
		break;
	case PMD_ROOM_EXACT:
		w.room = needed + exact_slack(&w, needed);
		break;
	case PMD_ROOM_SHORT:
		w.room = rng_below(rng, needed);
		break;
	default:
		w.room = w.kind == PMD_ROOM_ONE;
		break;
	}
	/* It may have been enough for whoever did it before only. */
	if (w.kind == PMD_ROOM_EXACT && w.xform.type == RTE_COMP_COMPRESS &&
			may_change(dev, &w, needed))
		w.kind = PMD_ROOM_SHORT;
	w.src_skip = rng_one_in(rng, 2) ? 0 : rng_below(rng, 300);
	w.src_shape = pmd_random_shape(rng);
	w.op = pmd_op(w.priv, pmd_chain(rng, w.src_shape, src->data, w.src_skip, src->len,
			rng_below(rng, 20)), (uint32_t)w.src_skip, (uint32_t)src->len,
		pmd_work_room(rng, &w), 0);
	w.op->dst.offset = (uint32_t)w.dst_skip;
	w.op->flush_flag = rng_one_in(rng, 4) ? RTE_COMP_FLUSH_FULL : RTE_COMP_FLUSH_FINAL;
	/* With PMD_ROOM_EXACT the length that was found is that of a final piece. */
	if (w.kind == PMD_ROOM_EXACT)
		w.op->flush_flag = RTE_COMP_FLUSH_FINAL;
	if (rng_one_in(rng, 3))
		w.op->input_chksum = pmd_chksum(chksum_type(&w.xform), 0, (const uint8_t *)"before",
			6);
	return w;
}

void
pmd_work_burst(uint8_t dev, struct rng *rng, size_t len_max, uint16_t n)
{
	struct rte_comp_op *ops[PMD_WORK_BURST_MAX];
	struct pmd_work work[PMD_WORK_BURST_MAX];

	for (uint16_t i = 0; i < n; i++) {
		work[i] = random_work(dev, rng, len_max);
		ops[i] = work[i].op;
	}
	pmd_run(dev, 0, ops, n);
	for (uint16_t i = 0; i < n; i++) {
		struct pmd_work *w = &work[i];

		if (w->xform.type == RTE_COMP_COMPRESS)
			pmd_work_check_compress(w);
		else
			check_decompress(w);
		pmd_chain_check_skip(w->op->m_dst, w->dst_skip);
		pmd_op_free(w->op);
		pmd_xform_free(dev, w->priv);
		bytes_free(&w->plain);
		bytes_free(&w->packed);
	}
}
