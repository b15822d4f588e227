/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Stateless ops against zlib: every level, window, kind of code, checksum and
 * shape of mbufs, room that is ample, just enough, or too little.
 */

#include <string.h>

#include <zlib.h>

#include "pmd_test.h"

#define QP_DEPTH 128
#define BURST_MAX 8
#define LEN_MAX 200000
#define UNIT_MAX 65535 /* a stored block */
#define AMPLE(len) ((len) + (len) / 4 + 200)

static uint8_t dev;

static void
start(void)
{
	dev = pmd_dev_id("compress_hisi_zip");
	pmd_dev_start(dev, 1, QP_DEPTH);
}

/* How much room an op has for its result. */
enum room {
	ROOM_AMPLE,
	ROOM_EXACT,
	ROOM_SHORT,
	ROOM_ONE,
	ROOM_NONE,
	ROOMS,
};

/* What was done to a stream. */
enum mutation {
	MUTATION_NONE,
	MUTATION_BITS,
	MUTATION_CUT,
	MUTATION_TAIL,
};

/* One op and what it should do. */
struct work {
	struct rte_comp_xform xform;
	void *priv;
	struct rte_comp_op *op;
	struct bytes plain;   /* uncompressed data */
	struct bytes packed;  /* decompression: the stream */
	enum pmd_shape src_shape;
	size_t dst_skip, src_skip, room;
	enum room kind;
	enum mutation mutation;
};

static enum rte_comp_checksum_type
chksum_type(const struct rte_comp_xform *x)
{
	return x->type == RTE_COMP_COMPRESS ? x->compress.chksum : x->decompress.chksum;
}

static struct bytes
output_of(const struct rte_comp_op *op)
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

/* A result against zlib: out must be a stream for exactly data. */
static void
check_inflates(const struct bytes *out, const uint8_t *data, size_t len)
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

static void
check_chksum(const struct work *w, const uint8_t *data, size_t len)
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

static void
check_compress(const struct work *w)
{
	const struct rte_comp_compress_xform *c = &w->xform.compress;
	const struct rte_comp_op *op = w->op;
	struct bytes out;

	if (op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED) {
		check_nothing_done(op, op->status);
		PMD_CHECK(w->kind != ROOM_AMPLE && w->kind != ROOM_EXACT,
			"%s with %zu bytes of room for %zu, level %d, huffman %d, window %u",
			pmd_status(op->status), w->room, w->plain.len, c->level,
			c->deflate.huffman, c->window_size);
		PMD_CHECK(w->room < 64, "%s with %zu bytes of room: nothing fits in there?",
			pmd_status(op->status), w->room);
		return;
	}
	out = output_of(op);
	PMD_CHECK(op->produced <= w->room, "%u bytes in a room of %zu", op->produced, w->room);
	if (op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE) {
		PMD_CHECK(w->kind == ROOM_SHORT || w->kind == ROOM_ONE,
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
			check_inflates(&out, w->plain.data, w->plain.len);
	}
	check_chksum(w, w->plain.data, op->consumed);
	bytes_free(&out);
}

static void
check_decompress(const struct work *w)
{
	const struct rte_comp_op *op = w->op;
	struct bytes all = bytes_alloc(w->plain.len * 2 + 100000), out;
	size_t consumed, produced;
	int ret = judge_inflate(w->packed.data, w->packed.len, all.data, all.len, &consumed,
		&produced);

	if (ret == Z_STREAM_END && produced <= w->room) {
		out = output_of(op);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s for %zu bytes that zlib "
			"inflates to %zu, room %zu%s", pmd_status(op->status), w->packed.len,
			produced, w->room, w->mutation != MUTATION_NONE ? ", mutated" : "");
		PMD_CHECK(op->consumed == consumed, "consumed %u, zlib %zu of %zu", op->consumed,
			consumed, w->packed.len);
		PMD_CHECK(op->produced == produced, "produced %u, zlib %zu", op->produced,
			produced);
		PMD_CHECK(memcmp(out.data, all.data, produced) == 0, "wrong bytes");
		check_chksum(w, out.data, out.len);
		bytes_free(&out);
	} else {
		/*
		 * Whether the lack of room or the bad data is seen first is not fixed: a match
		 * or a stored block may be too long and bad at the same time.
		 */
		bool room = ret == Z_STREAM_END || produced + UNIT_MAX > w->room;
		bool bad = ret != Z_STREAM_END;

		/* test_zip_codec_mutate lists what we take although zlib does not. */
		if (w->mutation == MUTATION_BITS && ret == Z_DATA_ERROR &&
				op->status == RTE_COMP_OP_STATUS_SUCCESS)
			goto out;
		if (w->mutation == MUTATION_CUT && w->room >= w->plain.len)
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
mutate(struct rng *rng, struct bytes *b, enum mutation mutation)
{
	uint8_t garbage[64];

	switch (mutation) {
	case MUTATION_NONE:
		break;
	case MUTATION_BITS:
		for (size_t i = rng_range(rng, 1, 4); i > 0; i--)
			b->data[rng_below(rng, b->len)] ^= (uint8_t)(1u << rng_below(rng, 8));
		break;
	case MUTATION_CUT:
		b->len -= rng_below(rng, b->len);
		break;
	case MUTATION_TAIL:
		for (size_t i = 0; i < sizeof(garbage); i++)
			garbage[i] = (uint8_t)rng_next(rng);
		bytes_append(b, garbage, rng_range(rng, 1, sizeof(garbage)));
		break;
	}
}

static struct rte_mbuf *
room_chain(struct rng *rng, struct work *w)
{
	w->dst_skip = rng_one_in(rng, 2) ? 0 : rng_below(rng, 300);
	return pmd_chain(rng, pmd_random_shape(rng), NULL, w->dst_skip, w->room, 0);
}

/* Length of the result with ample room; the same again must then fit exactly. */
static size_t
result_len(struct rng *rng, struct work *w, const struct bytes *src)
{
	struct rte_comp_op *op;
	size_t len;

	w->room = AMPLE(w->plain.len);
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

static struct work
random_work(struct rng *rng)
{
	struct work w = { 0 };
	const struct bytes *src = &w.plain;
	size_t needed;

	w.plain = bytes_random(rng, RTE_MAX(pmd_random_len(rng, LEN_MAX), (size_t)1));
	w.kind = rng_one_in(rng, 2) ? ROOM_AMPLE : (enum room)rng_below(rng, ROOMS);
	if (rng_one_in(rng, 2)) {
		w.xform = pmd_random_deflate(rng);
	} else {
		w.xform = pmd_random_inflate(rng);
		w.packed = bytes_deflate(w.plain.data, w.plain.len, (int)rng_below(rng, 10),
			(int)rng_range(rng, 9, 15));
		w.mutation = rng_one_in(rng, 4) ? (enum mutation)rng_range(rng, MUTATION_BITS,
				MUTATION_TAIL) : MUTATION_NONE;
		mutate(rng, &w.packed, w.mutation);
		src = &w.packed;
	}
	w.priv = pmd_xform(dev, &w.xform);

	needed = w.plain.len;
	if (w.xform.type == RTE_COMP_COMPRESS &&
			(w.kind == ROOM_EXACT || w.kind == ROOM_SHORT))
		needed = result_len(rng, &w, src);
	switch (w.kind) {
	case ROOM_AMPLE:
		w.room = AMPLE(needed);
		break;
	case ROOM_EXACT:
		w.room = needed;
		break;
	case ROOM_SHORT:
		w.room = rng_below(rng, needed);
		break;
	default:
		w.room = w.kind == ROOM_ONE;
		break;
	}
	w.src_skip = rng_one_in(rng, 2) ? 0 : rng_below(rng, 300);
	w.src_shape = pmd_random_shape(rng);
	w.op = pmd_op(w.priv, pmd_chain(rng, w.src_shape, src->data, w.src_skip, src->len,
			rng_below(rng, 20)), (uint32_t)w.src_skip, (uint32_t)src->len,
		room_chain(rng, &w), 0);
	w.op->dst.offset = (uint32_t)w.dst_skip;
	w.op->flush_flag = rng_one_in(rng, 4) ? RTE_COMP_FLUSH_FULL : RTE_COMP_FLUSH_FINAL;
	/* With ROOM_EXACT the length that was found is that of a final piece. */
	if (w.kind == ROOM_EXACT)
		w.op->flush_flag = RTE_COMP_FLUSH_FINAL;
	if (rng_one_in(rng, 3))
		w.op->input_chksum = pmd_chksum(chksum_type(&w.xform), 0, (const uint8_t *)"before",
			6);
	return w;
}

/* Bursts of compression and decompression mixed come back in order, each result right. */
static void
differential(void)
{
	struct rng rng;

	start();
	while (pmd_next(&rng)) {
		uint16_t n = (uint16_t)rng_range(&rng, 1, BURST_MAX);
		struct rte_comp_op *ops[BURST_MAX];
		struct work work[BURST_MAX];

		for (uint16_t i = 0; i < n; i++) {
			work[i] = random_work(&rng);
			ops[i] = work[i].op;
		}
		pmd_run(dev, 0, ops, n);
		for (uint16_t i = 0; i < n; i++) {
			struct work *w = &work[i];

			if (w->xform.type == RTE_COMP_COMPRESS)
				check_compress(w);
			else
				check_decompress(w);
			pmd_chain_check_skip(w->op->m_dst, w->dst_skip);
			pmd_op_free(w->op);
			pmd_xform_free(dev, w->priv);
			bytes_free(&w->plain);
			bytes_free(&w->packed);
		}
	}
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
			struct work w = {
				.xform = xform, .plain = { all.data + at, len }, .room = AMPLE(len),
			};
			struct bytes out;

			w.op = pmd_op(priv, pmd_chain(&rng, pmd_random_shape(&rng), w.plain.data,
					0, len, 0), 0, (uint32_t)len,
				pmd_chain(&rng, pmd_random_shape(&rng), NULL, 0, w.room, 0), 0);
			w.op->input_chksum = chksum;
			if (at + len < all.len)
				w.op->flush_flag = RTE_COMP_FLUSH_FULL;
			pmd_run(dev, 0, &w.op, 1);
			check_compress(&w);
			out = output_of(w.op);
			bytes_append(&stream, out.data, out.len);
			bytes_free(&out);
			chksum = w.op->output_chksum;
			at += len;
			pmd_op_free(w.op);
		}
		check_inflates(&stream, all.data, all.len);
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
		struct work w = { .xform = xform, .plain = all, .kind = ROOM_SHORT };
		size_t src_skip = rng_below(&rng, 100);
		unsigned int steps = 0;

		/* At least 64 bytes, for which there must be progress. */
		w.room = rng_range(&rng, 64, all.len / 4 + 64);
		w.op = pmd_op(priv, pmd_chain(&rng, pmd_random_shape(&rng), all.data, src_skip,
				all.len, 0), (uint32_t)src_skip, (uint32_t)all.len,
			room_chain(&rng, &w), 0);
		w.op->dst.offset = (uint32_t)w.dst_skip;
		for (;;) {
			pmd_run(dev, 0, &w.op, 1);
			check_compress(&w);
			PMD_CHECK(w.op->status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED,
				"%zu bytes of room are enough to go on", w.room);
			out = output_of(w.op);
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
				w.room = AMPLE(w.plain.len);
				w.kind = ROOM_AMPLE;
			}
			w.op->m_dst = room_chain(&rng, &w);
			w.op->dst.offset = (uint32_t)w.dst_skip;
		}
		check_inflates(&stream, all.data, all.len);
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
		struct work w = { .xform = xform };
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
				w.plain.len, 0), 0, (uint32_t)w.plain.len, room_chain(&rng, &w), 0);
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
		out = output_of(w.op);
		PMD_CHECK(w.op->produced == w.op->consumed && out.len <= w.room &&
			memcmp(out.data, w.plain.data, out.len) == 0, "produced %u, consumed %u",
			w.op->produced, w.op->consumed);
		if (enough)
			check_chksum(&w, w.plain.data, w.plain.len);
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
	struct work comp = { .xform = pmd_deflate_xform, .room = len + len / 1000 + 10000 };
	struct work decomp = { .xform = pmd_inflate_xform, .room = len };
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
	check_chksum(&comp, comp.plain.data, len);
	out = output_of(comp.op);
	check_inflates(&out, comp.plain.data, len);

	decomp.op = pmd_op(decomp.priv, pmd_chain(rng, shape, out.data, 0, out.len, 0), 0,
		(uint32_t)out.len, pmd_chain(rng, shape, NULL, 0, len, 0), 0);
	pmd_run(dev, 0, &decomp.op, 1);
	PMD_CHECK(decomp.op->status == RTE_COMP_OP_STATUS_SUCCESS && decomp.op->produced == len &&
		decomp.op->consumed == out.len, "%zu bytes: %s, consumed %u of %zu, produced %u",
		len, pmd_status(decomp.op->status), decomp.op->consumed, out.len,
		decomp.op->produced);
	bytes_free(&out);
	out = output_of(decomp.op);
	PMD_CHECK(memcmp(out.data, comp.plain.data, len) == 0, "wrong bytes");
	check_chksum(&decomp, comp.plain.data, len);

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
