/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Random stateful sequences (pmd_test_seq.h), and ops of streams that are misused. */

#include <errno.h>
#include <string.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_xform.h"
#include "pmd_test_seq.h"

#define QPS PMD_SEQ_QPS
#define QP_DEPTH 64
#define OP_LEN_MAX 300000

static uint8_t dev;

/* An iteration is some sequences at the same time. */
static void
sequences(void)
{
	unsigned long total = 0, software = 0, wishes = 0;
	struct rng rng;

	dev = pmd_dev_id("compress_hisi_zip");
	pmd_dev_start(dev, QPS, QP_DEPTH);
	while (pmd_next(&rng))
		total += pmd_sequences(dev, &rng, OP_LEN_MAX, rng_range(&rng, 1,
				PMD_SEQS_MAX));
	for (uint16_t qp = 0; qp < QPS; qp++) {
		software += pmd_qp(dev, qp)->deq.sw;
		wishes += pmd_qp(dev, qp)->enq.why[HISI_ZIP_WHY_WISH];
	}
	pmd_dev_stop(dev);
	printf("pmd_test: %lu ops of sequences; software did %lu, %lu of them as the function "
		"cannot\n", total, software, wishes);
}

/* A stream of the device that compresses, or decompresses, and an op on it. */
struct one {
	void *stream;
	struct bytes data;
	struct rte_comp_op *op;
};

static struct one
one_begin(struct rng *rng, uint8_t id, const struct rte_comp_xform *xform)
{
	struct one one = { 0 };
	struct bytes plain = bytes_random(rng, rng_range(rng, 1000, 50000));
	int ret = rte_compressdev_stream_create(id, xform, &one.stream);

	PMD_CHECK(ret == 0, "stream_create returned %d", ret);
	one.data = plain;
	if (xform->type == RTE_COMP_DECOMPRESS) {
		one.data = bytes_deflate(plain.data, plain.len, 6, 15);
		bytes_free(&plain);
	}
	return one;
}

static struct rte_comp_op *
one_op(struct rng *rng, struct one *one, enum rte_comp_flush_flag flush)
{
	struct rte_comp_op *op = pmd_op(NULL, pmd_chain(rng, PMD_FEW,
			one->data.data, 0, one->data.len, 0), 0, (uint32_t)one->data.len,
		pmd_chain(rng, PMD_FULL, NULL, 0, 100000, 0), 0);

	op->op_type = RTE_COMP_OP_STATEFUL;
	op->stream = one->stream;
	op->flush_flag = flush;
	return op;
}

static void
one_end(uint8_t id, struct one *one)
{
	int ret = rte_compressdev_stream_free(id, one->stream);

	PMD_CHECK(ret == 0, "stream_free returned %d", ret);
	bytes_free(&one->data);
}

static void
expect(const struct rte_comp_op *op, uint8_t status)
{
	PMD_CHECK(op->status == status, "%s, expected %s", pmd_status(op->status),
		pmd_status(status));
	PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS || (op->consumed == 0 && op->produced == 0),
		"%s with consumed %u, produced %u", pmd_status(status), op->consumed,
		op->produced);
}

/* One op at a time: the second gets INVALID_STATE, the first is as if there had been no second. */
static void
two_in_flight(void)
{
	struct rng rng;

	dev = pmd_dev_id("compress_hisi_zip");
	pmd_dev_start(dev, QPS, QP_DEPTH);
	while (pmd_next(&rng)) {
		bool comp = rng_one_in(&rng, 2);
		struct one one = one_begin(&rng, dev, comp ? &pmd_deflate_xform :
			&pmd_inflate_xform);
		struct rte_comp_op *ops[2], *back;
		uint16_t qp = (uint16_t)rng_below(&rng, 2);

		ops[0] = one_op(&rng, &one, RTE_COMP_FLUSH_FINAL);
		ops[1] = one_op(&rng, &one, RTE_COMP_FLUSH_FINAL);
		/* In one burst, or on another queue pair. */
		if (qp == 0) {
			pmd_run(dev, 0, ops, 2);
		} else {
			pmd_enqueue(dev, 0, &ops[0], 1);
			pmd_enqueue(dev, qp, &ops[1], 1);
			pmd_dequeue(dev, qp, &back, 1);
			pmd_dequeue(dev, 0, &back, 1);
		}
		expect(ops[0], RTE_COMP_OP_STATUS_SUCCESS);
		expect(ops[1], RTE_COMP_OP_STATUS_INVALID_STATE);
		PMD_CHECK(ops[0]->consumed == one.data.len, "consumed %u of %zu", ops[0]->consumed,
			one.data.len);
		/* The stream is at its end, hence good for another one. */
		pmd_run(dev, 0, &ops[1], 1);
		expect(ops[1], RTE_COMP_OP_STATUS_SUCCESS);
		PMD_CHECK(ops[0]->produced == ops[1]->produced, "%u bytes, then %u",
			ops[0]->produced, ops[1]->produced);
		pmd_op_free(ops[0]);
		pmd_op_free(ops[1]);
		one_end(dev, &one);
	}
	pmd_dev_stop(dev);
}

/* Bad data is an error once, and the stream is dead then; other streams are not. */
static void
corrupt(void)
{
	struct rng rng;

	dev = pmd_dev_id("compress_hisi_zip");
	pmd_dev_start(dev, QPS, QP_DEPTH);
	while (pmd_next(&rng)) {
		struct one bad = one_begin(&rng, dev, &pmd_inflate_xform);
		struct one good = one_begin(&rng, dev, &pmd_inflate_xform);
		struct rte_comp_op *ops[2];

		/* Block type 3 at the start. */
		bad.data.data[0] |= 6;
		ops[0] = one_op(&rng, &bad, RTE_COMP_FLUSH_SYNC);
		ops[1] = one_op(&rng, &good, RTE_COMP_FLUSH_SYNC);
		pmd_run(dev, 0, ops, 2);
		expect(ops[0], RTE_COMP_OP_STATUS_ERROR);
		expect(ops[1], RTE_COMP_OP_STATUS_SUCCESS);
		for (int i = 0; i < 2; i++) {
			pmd_run(dev, 0, ops, 2);
			expect(ops[0], RTE_COMP_OP_STATUS_INVALID_STATE);
			expect(ops[1], RTE_COMP_OP_STATUS_SUCCESS);
		}
		pmd_op_free(ops[0]);
		pmd_op_free(ops[1]);
		one_end(dev, &bad);
		one_end(dev, &good);
	}
	pmd_dev_stop(dev);
}

/* All of the source is consumed, and the end waits for room: nothing else may come before it. */
static void
after_final(void)
{
	static uint8_t noise[100];
	struct rng rng;

	dev = pmd_dev_id("compress_hisi_zip");
	pmd_dev_start(dev, 1, QP_DEPTH);
	while (pmd_next(&rng)) {
		struct one one = { .stream = NULL };
		uint32_t consumed = 0;
		struct rte_comp_op *op;

		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)rng_below(&rng, 256);
		PMD_CHECK(rte_compressdev_stream_create(dev, &pmd_deflate_xform, &one.stream) == 0,
			"no stream");
		bytes_append(&one.data, noise, sizeof(noise));
		do {
			struct rte_mbuf *room = pmd_chain(&rng, PMD_LINEAR, NULL, 0, 20, 0);

			op = one_op(&rng, &one, RTE_COMP_FLUSH_FINAL);
			pmd_chain_free(op->m_dst);
			op->m_dst = room;
			op->src.offset = consumed;
			op->src.length = (uint32_t)sizeof(noise) - consumed;
			pmd_run(dev, 0, &op, 1);
			PMD_CHECK(op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE,
				"%s with %u of %zu consumed", pmd_status(op->status),
				consumed + op->consumed, sizeof(noise));
			consumed += op->consumed;
			pmd_op_free(op);
		} while (consumed < sizeof(noise));
		op = one_op(&rng, &one, RTE_COMP_FLUSH_FINAL);
		pmd_run(dev, 0, &op, 1);
		expect(op, RTE_COMP_OP_STATUS_ERROR);
		pmd_run(dev, 0, &op, 1);
		expect(op, RTE_COMP_OP_STATUS_INVALID_STATE);
		pmd_op_free(op);
		one_end(dev, &one);
	}
	pmd_dev_stop(dev);
}

/* A device has no business with the stream of another one. */
static void
foreign(void)
{
	uint8_t other = pmd_dev_id("compress_hisi_zip_other");
	struct rng rng;

	dev = pmd_dev_id("compress_hisi_zip");
	pmd_dev_start(dev, 1, QP_DEPTH);
	pmd_dev_start(other, 1, QP_DEPTH);
	while (pmd_next(&rng)) {
		bool comp = rng_one_in(&rng, 2);
		struct one one = one_begin(&rng, other, comp ? &pmd_deflate_xform :
			&pmd_inflate_xform);
		struct rte_comp_op *op = one_op(&rng, &one, RTE_COMP_FLUSH_FINAL);
		int ret;

		pmd_run(dev, 0, &op, 1);
		expect(op, RTE_COMP_OP_STATUS_INVALID_ARGS);
		pmd_log_begin();
		ret = rte_compressdev_stream_free(dev, one.stream);
		pmd_log_end();
		PMD_CHECK(ret == -EINVAL, "stream_free of another device's returned %d", ret);
		pmd_run(other, 0, &op, 1);
		expect(op, RTE_COMP_OP_STATUS_SUCCESS);
		pmd_op_free(op);
		one_end(other, &one);
	}
	pmd_dev_stop(dev);
	pmd_dev_stop(other);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "sequences", sequences },
		{ "two_in_flight", two_in_flight, PMD_BAD_OPS },
		{ "corrupt", corrupt, PMD_BAD_OPS },
		{ "after_final", after_final, PMD_BAD_OPS | PMD_FAULTS },
		{ "foreign", foreign, PMD_BAD_OPS },
		{ 0 },
	};
	static const char *const vdevs[] = {
		"compress_hisi_zip", "compress_hisi_zip_other", NULL,
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_stream", .count = 300, .cases = cases, .vdevs = vdevs,
	});
}
