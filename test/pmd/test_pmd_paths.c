/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Known answers of streams: which of their paths are on with each other reading of what no source
 * says, and that streams are right whatever is on.
 */

#include <errno.h>
#include <string.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "pmd_test_seq.h"
#include "pmd_test_work.h"

#define NAME     "compress_hisi_zip_paths"
#define QP_DEPTH 64
#define LEN_MAX  100000

#define COMP   HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_COMP)
#define LISTS  HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_COMP_SGL)
#define DECOMP HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP)
#define LISTSD HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP_SGL)
#define FLAT   (COMP | DECOMP)
#define ALL    (COMP | LISTS | DECOMP | LISTSD)

struct row {
	const char *quirk;
	uint32_t v3, v2; /* paths that are on */
};

static const struct row rows[] = {
	{ "", ALL, ALL },
	/* The driver finds out. */
	{ "consumed-data", ALL, ALL },
	{ "no-trailer", ALL, ALL },
	{ "end-13", ALL, ALL },
	{ "room-200", ALL, ALL },
	{ "nc-never", ALL, ALL },
	{ "status-30", ALL, ALL },
	{ "dw31-zero", ALL, ALL },
	/* It sees that it cannot be done as the driver does it. */
	{ "flush-bits", DECOMP | LISTSD, DECOMP | LISTSD },
	{ "end-lstblk", COMP | LISTS, COMP | LISTS },
	{ "empty-refused", COMP | LISTS, COMP | LISTS },
	{ "crc-zero", ALL, COMP | LISTS },
	{ "ctx4-never", ALL, COMP | LISTS },
	{ "head-bits", ALL, COMP | LISTS },
	{ "window-strict", ALL, COMP | LISTS },
	/* Then a request has one segment. */
	{ "sge-16", FLAT, FLAT },
	/* Lists have no such entries. */
	{ "sge-zero", ALL, ALL },
};

static void
streams(void)
{
	struct rng rng;

	while (pmd_next(&rng)) {
		const struct row *row = &rows[pmd_iteration() / 2 % RTE_DIM(rows)];
		bool v2 = pmd_iteration() % 2 != 0;
		uint32_t on, expected = v2 ? row->v2 : row->v3;
		uint8_t dev;
		char args[64];

		snprintf(args, sizeof(args), "ext=off%s%s%s", v2 ? ",rev=v2" : "",
			row->quirk[0] != '\0' ? ",quirk=" : "", row->quirk);
		dev = pmd_dev_add(NAME, args);
		pmd_dev_start(dev, PMD_SEQ_QPS, QP_DEPTH);
		on = pmd_qp(dev, 0)->dev->paths_on & ALL;
		PMD_CHECK(on == expected, "%s: paths 0x%x are on, expected 0x%x", args, on,
			expected);
		for (unsigned int i = 0; i < 4; i++)
			pmd_sequences(dev, &rng, LEN_MAX, PMD_SEQS_MAX);
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
	}
}

/*
 * V2: the request after the end of a stream's data is lost, or there is no queue for it. Lost, the
 * op ends with an error, in time, and its stream; without a queue another op asks.
 */
static void
trailers(void)
{
	static const struct {
		const char *args;
		bool lost;
	} ways[] = {
		{ "fault=stall@2", true }, { "", false },
	};
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(ways); i++) {
		struct bytes plain = bytes_random(&rng, 20000);
		struct bytes packed = bytes_deflate(plain.data, plain.len, 6, 15);
		uint32_t len = (uint32_t)packed.len, at = 0, got = 0;
		struct hisi_zip_qp *qp;
		struct rte_comp_op *op;
		unsigned int ops = 0;
		void *stream;
		uint8_t dev, status = RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
		char args[96];

		snprintf(args, sizeof(args), "ext=off,rev=v2,answers=off,timeout=40%s%s",
			ways[i].lost ? ",workers=1," : "", ways[i].args);
		dev = pmd_dev_add(NAME, args);
		pmd_dev_start(dev, 1, QP_DEPTH);
		qp = pmd_qp(dev, 0);
		if (!ways[i].lost)
			qp->trailer_tried = true; /* and there was none */
		PMD_CHECK(rte_compressdev_stream_create(dev, &pmd_inflate_xform, &stream) == 0,
			"stream_create");
		for (; status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE; ops++) {
			op = pmd_op(NULL, pmd_chain(&rng, PMD_LINEAR, packed.data + at, 0, len - at,
				0), 0, len - at, pmd_chain(&rng, PMD_LINEAR, NULL, 0, 30000, 0), 0);
			op->op_type = RTE_COMP_OP_STATEFUL;
			op->stream = stream;
			pmd_run(dev, 0, &op, 1);
			status = op->status;
			at += op->consumed;
			got += op->produced;
			pmd_op_free(op);
		}
		if (ways[i].lost)
			PMD_CHECK(status == RTE_COMP_OP_STATUS_ERROR && ops == 1 && got == 0 &&
				qp->trailer == NULL, "%s after %u ops, %u bytes",
				pmd_status(status), ops, got);
		else
			PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS && ops == 2 && at == len &&
				got == plain.len, "%s after %u ops, %u of %u and %u of %zu bytes",
				pmd_status(status), ops, at, len, got, plain.len);
		pmd_dev_stop(dev);
		PMD_CHECK(rte_compressdev_stream_free(dev, stream) == 0, "stream_free");
		pmd_dev_remove(NAME);
		bytes_free(&plain);
		bytes_free(&packed);
	}
}

/*
 * The store of a compression has output, and there is no queue any more: the op gets that, and
 * software does the rest.
 */
static void
no_queue_left(void)
{
	static const uint32_t rooms[] = { 100, 20000, 20000 };
	const uint32_t half = 5000;
	struct rng rng;

	pmd_rng(&rng);
	for (int v2 = 0; v2 < 2; v2++) {
		struct bytes plain = bytes_alloc(2 * half), all = bytes_alloc(0);
		uint8_t dev = pmd_dev_add(NAME, v2 ? "ext=off,rev=v2" : "ext=off");
		struct hisi_zip_qp *qp;
		uint32_t at = 0;
		void *stream;

		/* None that gets shorter: not all of it has room. */
		for (size_t i = 0; i < plain.len; i++)
			plain.data[i] = (uint8_t)rng_below(&rng, 256);
		pmd_dev_start(dev, 1, QP_DEPTH);
		qp = pmd_qp(dev, 0);
		PMD_CHECK(rte_compressdev_stream_create(dev, &pmd_deflate_xform, &stream) == 0,
			"stream_create");
		for (size_t i = 0; i < RTE_DIM(rooms); i++) {
			uint32_t len = i == 0 ? half : 2 * half - at;
			struct rte_comp_op *op = pmd_op(NULL, pmd_chain(&rng, PMD_LINEAR,
				plain.data + at, 0, len, 0), 0, len, pmd_chain(&rng, PMD_LINEAR,
				NULL, 0, rooms[i], 0), 0);
			struct bytes out;

			op->op_type = RTE_COMP_OP_STATEFUL;
			op->stream = stream;
			op->flush_flag = i == 0 ? RTE_COMP_FLUSH_SYNC : RTE_COMP_FLUSH_FINAL;
			pmd_run(dev, 0, &op, 1);
			PMD_CHECK(op->status == (i < 2 ?
				RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE :
				RTE_COMP_OP_STATUS_SUCCESS), "op %zu: %s", i,
				pmd_status(op->status));
			PMD_CHECK(i != 1 || (op->consumed == 0 && op->produced > 0),
				"%u bytes consumed, %u produced", op->consumed, op->produced);
			PMD_CHECK(qp->deq.sw == (i == 2), "op %zu: software", i);
			at += op->consumed;
			out = pmd_output(op);
			bytes_append(&all, out.data, out.len);
			bytes_free(&out);
			pmd_op_free(op);
			if (i > 0)
				continue;
			hisi_hwq_stop(&qp->hwq[HISI_ZIP_COMP].q);
			hisi_hwq_put(&qp->hwq[HISI_ZIP_COMP].q);
			qp->hwq[HISI_ZIP_COMP].q.retry = UINT16_MAX;
			qp->hwq[HISI_ZIP_COMP].q.retry_error = -EBUSY;
		}
		pmd_check_inflates(&all, plain.data, plain.len);
		PMD_CHECK(rte_compressdev_stream_free(dev, stream) == 0, "stream_free");
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
		bytes_free(&plain);
		bytes_free(&all);
	}
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "streams", streams, PMD_BAD_OPS | PMD_LINES },
		{ "trailers", trailers, PMD_BAD_OPS | PMD_FAULTS | PMD_LINES },
		{ "no_queue_left", no_queue_left, PMD_FAULTS | PMD_LINES },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_paths", .count = 2 * RTE_DIM(rows), .cases = cases,
		.vdevs = none,
	});
}
