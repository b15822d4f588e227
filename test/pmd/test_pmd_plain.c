/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What a function without the extension does itself, with sw=auto: each level and each checksum, in
 * both directions, and streams. Every byte is compared, and the counters of ops that were done in
 * software must say that there was none; of streams, few. That is so where nothing follows the data
 * of a decompression and where a compression has room, all of it in one buffer: software repeats a
 * decompression with bytes behind its data, and a compression whose end lies in the driver's list.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"

#define LEN_MIN    100u /* for less room than that, software may have to do it again */
#define LEN_MAX    65000u
#define PIECES     8u
#define STREAM_PCT 95u /* at least that share of the ops of streams */

static const struct {
	const char *name, *args;
} plain[] = {
	{ "compress_hisi_zip_v2", "ext=off,rev=v2" },
	{ "compress_hisi_zip_v3", "ext=off,rev=v3" },
};

static const enum rte_comp_checksum_type chksums[] = {
	RTE_COMP_CHECKSUM_NONE, RTE_COMP_CHECKSUM_CRC32, RTE_COMP_CHECKSUM_ADLER32,
	RTE_COMP_CHECKSUM_CRC32_ADLER32,
};

/* Not noise, which has an answer of its own. */
static struct bytes
text(struct rng *rng, size_t len)
{
	struct bytes b = bytes_alloc(len);

	data_fill(b.data, len, rng_one_in(rng, 2) ? DATA_TEXT : DATA_BINARY, rng_next(rng));
	return b;
}

static struct rte_comp_op *
op_of(struct rng *rng, void *xform, const struct bytes *src, size_t room)
{
	/* Not more segments than a request can have. */
	enum pmd_shape shape = (enum pmd_shape)rng_below(rng, PMD_TOO_MANY);

	return pmd_op(xform, pmd_chain(rng, shape, src->data, 0, src->len, 0), 0,
		(uint32_t)src->len, pmd_chain(rng, PMD_FULL, NULL, 0, room, 0), 0);
}

static struct bytes
output(const struct rte_comp_op *op)
{
	struct bytes out = bytes_alloc(op->produced);

	pmd_chain_read(op->m_dst, op->dst.offset, out.data, out.len);
	return out;
}

/* One op of each direction, the second one of what the first one has made. */
static void
there_and_back(uint8_t dev, struct rng *rng, int level, enum rte_comp_checksum_type chksum)
{
	struct rte_comp_xform there = pmd_deflate_xform, back = pmd_inflate_xform;
	struct bytes data = text(rng, rng_range(rng, LEN_MIN, LEN_MAX)), packed, again;
	uint64_t want = pmd_chksum(chksum, 0, data.data, data.len);
	struct rte_comp_op *op;
	void *priv;

	there.compress.level = level;
	there.compress.chksum = chksum;
	there.compress.deflate.huffman = RTE_COMP_HUFFMAN_DYNAMIC;
	back.decompress.chksum = chksum;

	priv = pmd_xform(dev, &there);
	op = op_of(rng, priv, &data, data.len + data.len / 8 + 200);
	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == data.len &&
		(chksum == RTE_COMP_CHECKSUM_NONE || op->output_chksum == want),
		"level %d, checksum %d: %s, consumed %u of %zu, checksum 0x%" PRIx64, level,
		chksum, pmd_status(op->status), op->consumed, data.len, op->output_chksum);
	packed = output(op);
	pmd_op_free(op);
	pmd_xform_free(dev, priv);

	priv = pmd_xform(dev, &back);
	op = op_of(rng, priv, &packed, data.len);
	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == packed.len &&
		op->produced == data.len &&
		(chksum == RTE_COMP_CHECKSUM_NONE || op->output_chksum == want),
		"checksum %d: %s, consumed %u of %zu, produced %u of %zu, checksum 0x%" PRIx64,
		chksum, pmd_status(op->status), op->consumed, packed.len, op->produced, data.len,
		op->output_chksum);
	again = output(op);
	PMD_CHECK(memcmp(again.data, data.data, data.len) == 0, "wrong bytes");
	pmd_op_free(op);
	pmd_xform_free(dev, priv);
	bytes_free(&again);
	bytes_free(&packed);
	bytes_free(&data);
}

/* What software may do of all ops: so many in a hundred. */
static void
on_each(void (*once)(uint8_t dev, struct rng *rng), unsigned int software)
{
	uint8_t dev[RTE_DIM(plain)];
	struct rng rng;

	for (unsigned int i = 0; i < RTE_DIM(plain); i++) {
		dev[i] = pmd_dev_add(plain[i].name, plain[i].args);
		pmd_dev_start(dev[i], 1, 16);
	}
	while (pmd_next(&rng))
		for (unsigned int i = 0; i < RTE_DIM(plain); i++)
			once(dev[i], &rng);
	/* The last one first: DPDK takes the number of devices for the bound of their ids. */
	for (unsigned int i = RTE_DIM(plain); i-- != 0;) {
		const struct hisi_zip_deq_stats *deq = &pmd_qp(dev[i], 0)->deq;

		PMD_CHECK(deq->ops != 0 && deq->sw * 100 <= deq->ops * software,
			"%s: software has done %" PRIu64 " of %" PRIu64 " ops, expected %u %% at "
			"most", plain[i].args, deq->sw, deq->ops, software);
		printf("  %s: the function has done %" PRIu64 " of %" PRIu64 " ops\n",
			plain[i].args, deq->ops - deq->sw, deq->ops);
		pmd_dev_stop(dev[i]);
		pmd_dev_remove(plain[i].name);
	}
}

static void
all_levels(uint8_t dev, struct rng *rng)
{
	for (int level = 1; level <= 9; level++)
		there_and_back(dev, rng, level, chksums[rng_below(rng, RTE_DIM(chksums))]);
}

static void
stateless(void)
{
	on_each(all_levels, 0);
}

/* Runs src through a stream, in pieces. @return What comes out. */
static struct bytes
through_stream(uint8_t dev, struct rng *rng, const struct rte_comp_xform *xform,
		const struct bytes *src)
{
	bool deflate = xform->type == RTE_COMP_COMPRESS;
	struct bytes all = bytes_alloc(0);
	size_t at = 0;
	void *stream;
	int ret = rte_compressdev_stream_create(dev, xform, &stream);

	PMD_CHECK(ret == 0, "stream_create returned %d", ret);
	for (unsigned int i = 1; i <= PIECES; i++) {
		size_t len = i == PIECES ? src->len - at : src->len / PIECES;
		struct bytes piece = { src->data + at, len }, out;
		struct rte_comp_op *op = op_of(rng, NULL, &piece,
			deflate ? len + len / 8 + 1000 : 2 * (size_t)LEN_MAX);

		op->op_type = RTE_COMP_OP_STATEFUL;
		op->stream = stream;
		op->flush_flag = i == PIECES ? RTE_COMP_FLUSH_FINAL : deflate ?
			RTE_COMP_FLUSH_SYNC : RTE_COMP_FLUSH_NONE;
		pmd_run(dev, 0, &op, 1);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == len,
			"%s of piece %u: %s, consumed %u of %zu", deflate ? "compression" :
			"decompression", i, pmd_status(op->status), op->consumed, len);
		out = output(op);
		bytes_append(&all, out.data, out.len);
		bytes_free(&out);
		pmd_op_free(op);
		at += len;
	}
	ret = rte_compressdev_stream_free(dev, stream);
	PMD_CHECK(ret == 0, "stream_free returned %d", ret);
	return all;
}

static void
stream_there_and_back(uint8_t dev, struct rng *rng)
{
	struct bytes data = text(rng, rng_range(rng, 4000, LEN_MAX)), packed, back;
	struct rte_comp_xform there = pmd_deflate_xform;

	there.compress.level = (int)rng_range(rng, 1, 9);
	packed = through_stream(dev, rng, &there, &data);
	back = through_stream(dev, rng, &pmd_inflate_xform, &packed);
	PMD_CHECK(back.len == data.len && memcmp(back.data, data.data, data.len) == 0,
		"%zu bytes, expected %zu", back.len, data.len);
	bytes_free(&back);
	bytes_free(&packed);
	bytes_free(&data);
}

static void
streams(void)
{
	on_each(stream_there_and_back, 100 - STREAM_PCT);
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "stateless", stateless, 0 },
		{ "streams", streams, 0 },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_plain", .count = 20, .cases = cases, .vdevs = none,
	});
}
