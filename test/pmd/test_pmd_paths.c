/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Known answers of streams: which of their paths are on with each other reading of what no source
 * says, and that streams are right whatever is on.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_log.h>
#include <rte_pause.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
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

/* There is none, for as long as this takes. */
static void
no_queue(struct hisi_hwq *q)
{
	q->failed_at = rte_rdtsc();
	q->pause_ms = UINT32_MAX;
	q->retry_error = -EBUSY;
}

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

/* Dequeue until the op is back. @return Calls without one. */
static unsigned int
wait_for(uint8_t dev, struct rte_comp_op *op)
{
	struct rte_comp_op *back;
	unsigned int n = 0;

	while (rte_compressdev_dequeue_burst(dev, 0, &back, 1) == 0) {
		n++;
		rte_pause();
	}
	PMD_CHECK(back == op, "another op");
	return n;
}

/*
 * V2: the request after the end of a stream's data is lost, or there is no queue for it. Dequeue
 * does not wait for it. Software does a stream that is in one op; of others, another op asks.
 */
static void
trailers(void)
{
	static const struct {
		const char *args;
		bool lost;
		unsigned int first; /* bytes of the first op, if the stream is not in one */
		unsigned int ops;
	} ways[] = {
		{ ",workers=1,fault=stall@2", true, 0, 1 },
		{ ",workers=1,fault=stall@3", true, 3000, 3 },
		{ ",workers=1,fault=stall@2,sw=off", true, 0, 2 },
		{ ",workers=1,fault=stall@3,sw=off", true, 3000, 3 },
		{ "", false, 0, 2 },
		{ "", false, 3000, 3 },
	};
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(ways); i++) {
		struct bytes plain = bytes_alloc(20000), back = bytes_alloc(plain.len), packed;
		uint32_t len, at = 0, got = 0;
		struct hisi_zip_qp *qp;
		struct rte_comp_op *op;
		unsigned int ops = 0, polls = 0;
		void *stream;
		uint8_t dev, status = RTE_COMP_OP_STATUS_SUCCESS;
		char args[96];

		data_fill(plain.data, plain.len, DATA_TEXT, rng_next(&rng) | 1);
		packed = bytes_deflate(plain.data, plain.len, 6, 15);
		len = (uint32_t)packed.len;
		snprintf(args, sizeof(args), "ext=off,rev=v2,answers=off,timeout=100%s",
			ways[i].args);
		dev = pmd_dev_add(NAME, args);
		pmd_dev_start(dev, 1, QP_DEPTH);
		qp = pmd_qp(dev, 0);
		if (!ways[i].lost) {
			/* None is free. */
			no_queue(&qp->hwq[HISI_ZIP_SLOT_TRAILER].q);
		}
		PMD_CHECK(rte_compressdev_stream_create(dev, &pmd_inflate_xform, &stream) == 0,
			"stream_create");
		while (at < len) {
			uint32_t n = ops == 0 && ways[i].first != 0 ? ways[i].first : len - at;

			op = pmd_op(NULL, pmd_chain(&rng, PMD_LINEAR, packed.data + at, 0, n, 0), 0,
				n, pmd_chain(&rng, PMD_LINEAR, NULL, 0, 30000, 0), 0);
			op->op_type = RTE_COMP_OP_STATEFUL;
			op->stream = stream;
			pmd_enqueue(dev, 0, &op, 1);
			polls += wait_for(dev, op);
			ops++;
			status = op->status;
			PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS ||
				status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE, "%s: %s",
				ways[i].args, pmd_status(status));
			PMD_CHECK(got + op->produced <= plain.len, "%s: too much", ways[i].args);
			pmd_chain_read(op->m_dst, 0, back.data + got, op->produced);
			at += op->consumed;
			got += op->produced;
			pmd_op_free(op);
		}
		PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS && ops == ways[i].ops &&
			got == plain.len && memcmp(back.data, plain.data, got) == 0,
			"%s: %s after %u ops, %u of %u and %u of %zu bytes", ways[i].args,
			pmd_status(status), ops, at, len, got, plain.len);
		/* A queue fails after this many, at least (hisi_watch.c). */
		PMD_CHECK(!ways[i].lost || (polls >= 8 * HISI_WATCH_POLLS && qp->deq.lost == 1 &&
			qp->deq.fails[HISI_WATCH_STALLED] == 1), "%s: %u polls, %" PRIu64 " lost",
			ways[i].args, polls, qp->deq.lost);
		pmd_dev_stop(dev);
		PMD_CHECK(rte_compressdev_stream_free(dev, stream) == 0, "stream_free");
		pmd_dev_remove(NAME);
		bytes_free(&back);
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
			no_queue(&qp->hwq[HISI_ZIP_COMP].q);
		}
		pmd_check_inflates(&all, plain.data, plain.len);
		PMD_CHECK(rte_compressdev_stream_free(dev, stream) == 0, "stream_free");
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
		bytes_free(&plain);
		bytes_free(&all);
	}
}

/* One op, which is a stream of its own. @return It, in flight. */
static struct rte_comp_op *
whole_stream(uint8_t dev, struct rng *rng, bool comp, const struct bytes *src, uint32_t room)
{
	struct rte_comp_op *op = pmd_op(NULL, pmd_chain(rng, PMD_LINEAR, src->data, 0, src->len, 0),
		0, (uint32_t)src->len, pmd_chain(rng, PMD_LINEAR, NULL, 0, room, 0), 0);

	op->op_type = RTE_COMP_OP_STATEFUL;
	PMD_CHECK(rte_compressdev_stream_create(dev, comp ? &pmd_deflate_xform :
		&pmd_inflate_xform, &op->stream) == 0, "stream_create");
	return op;
}

/*
 * A result that cannot be true: software does the stream, which is in one op, and those that begin
 * after it, also if they were made before.
 */
static void
lies(void)
{
	struct bytes plain = bytes_alloc(3000), packed;
	struct rng rng;

	pmd_rng(&rng);
	data_fill(plain.data, plain.len, DATA_TEXT, rng_next(&rng) | 1);
	packed = bytes_deflate(plain.data, plain.len, 6, 15);
	rte_log_set_level_pattern("pmd.compress.hisi_zip", RTE_LOG_NOTICE);
	for (int i = 0; i < 4; i++) {
		bool comp = i % 2 == 0;
		const struct bytes *src = comp ? &plain : &packed;
		struct rte_comp_op *ops[2], *back;
		struct hisi_qm_ring *ring;
		struct hisi_zip_sqe *sqe;
		struct hisi_zip_qp *qp;
		char path[80];
		uint8_t dev;

		pmd_log_begin();
		dev = pmd_dev_add(NAME, i < 2 ? "ext=off,workers=0,answers=off" :
			"ext=off,rev=v2,workers=0,answers=off");
		pmd_dev_start(dev, 1, QP_DEPTH);
		qp = pmd_qp(dev, 0);
		for (int n = 0; n < 2; n++)
			ops[n] = whole_stream(dev, &rng, comp, src, 6000);
		pmd_enqueue(dev, 0, &ops[0], 1);
		ring = qp->hwq[comp ? HISI_ZIP_COMP : HISI_ZIP_DECOMP].q.queue->ring;
		sqe = hisi_qm_sq_slot(ring, ring->cq_head);
		PMD_CHECK(spim_queue_poll(qp->hwq[comp ? HISI_ZIP_COMP : HISI_ZIP_DECOMP].q.queue,
			1) == 1, "not done");
		sqe->produced = ++sqe->dest_avail_out;
		pmd_dequeue(dev, 0, &back, 1);
		pmd_run(dev, 0, &ops[1], 1);
		for (int n = 0; n < 2; n++) {
			struct bytes out = pmd_output(ops[n]);

			PMD_CHECK(ops[n]->status == RTE_COMP_OP_STATUS_SUCCESS &&
				ops[n]->consumed == src->len, "%d, op %d: %s", i, n,
				pmd_status(ops[n]->status));
			if (comp)
				pmd_check_inflates(&out, plain.data, plain.len);
			else
				PMD_CHECK(out.len == plain.len && memcmp(out.data, plain.data,
					out.len) == 0, "%d, op %d: other data", i, n);
			bytes_free(&out);
			PMD_CHECK(rte_compressdev_stream_free(dev, ops[n]->stream) == 0, "free");
			pmd_op_free(ops[n]);
		}
		PMD_CHECK(qp->deq.why[HISI_ZIP_WHY_REPEATED] == 1 &&
			qp->enq.why[HISI_ZIP_WHY_PATH] == 1, "%d: %" PRIu64 " repeated, %" PRIu64
			" kept from the function", i, qp->deq.why[HISI_ZIP_WHY_REPEATED],
			qp->enq.why[HISI_ZIP_WHY_PATH]);
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
		snprintf(path, sizeof(path), "path %s is off: an answer cannot be true; its ops",
			hisi_zip_path_name(comp ? HISI_ZIP_PATH_STREAM_COMP :
			HISI_ZIP_PATH_STREAM_DECOMP));
		PMD_CHECK(strstr(pmd_log_end(), path) != NULL, "%d: no line: %s", i, path);
	}
	bytes_free(&plain);
	bytes_free(&packed);
}

/*
 * V2: the function does not do the request with a trailer of the driver's own. No data is to blame:
 * software does the stream, which is in one op, and the next one, though it was made before.
 */
static void
trailer_refused(void)
{
	struct bytes plain = bytes_alloc(20000), packed;
	struct rte_comp_op *ops[2];
	struct rng rng;
	uint8_t dev;

	pmd_rng(&rng);
	data_fill(plain.data, plain.len, DATA_TEXT, rng_next(&rng) | 1);
	packed = bytes_deflate(plain.data, plain.len, 6, 15);
	pmd_log_begin();
	dev = pmd_dev_add(NAME, "ext=off,rev=v2,answers=off,fault=status:0x26@2");
	pmd_dev_start(dev, 1, QP_DEPTH);
	for (int n = 0; n < 2; n++)
		ops[n] = whole_stream(dev, &rng, false, &packed, 30000);
	pmd_run(dev, 0, &ops[0], 1);
	PMD_CHECK(ops[0]->status == RTE_COMP_OP_STATUS_SUCCESS &&
		pmd_qp(dev, 0)->deq.why[HISI_ZIP_WHY_REPEATED] == 1, "%s",
		pmd_status(ops[0]->status));
	PMD_CHECK((pmd_qp(dev, 0)->dev->paths_on & ALL) == (COMP | LISTS), "paths 0x%x are on",
		pmd_qp(dev, 0)->dev->paths_on & ALL);
	pmd_run(dev, 0, &ops[1], 1);
	PMD_CHECK(ops[1]->status == RTE_COMP_OP_STATUS_SUCCESS &&
		ops[1]->produced == plain.len && pmd_qp(dev, 0)->enq.why[HISI_ZIP_WHY_PATH] == 1,
		"%s, %u bytes", pmd_status(ops[1]->status), ops[1]->produced);
	for (int n = 0; n < 2; n++) {
		PMD_CHECK(rte_compressdev_stream_free(dev, ops[n]->stream) == 0, "stream_free");
		pmd_op_free(ops[n]);
	}
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
	pmd_log_end();
	bytes_free(&plain);
	bytes_free(&packed);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "streams", streams, PMD_BAD_OPS | PMD_LINES },
		{ "trailers", trailers, PMD_BAD_OPS | PMD_FAULTS | PMD_LINES },
		{ "no_queue_left", no_queue_left, PMD_FAULTS | PMD_LINES },
		{ "lies", lies, PMD_FAULTS },
		{ "trailer_refused", trailer_refused, PMD_FAULTS },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_paths", .count = 2 * RTE_DIM(rows), .cases = cases,
		.vdevs = none,
	});
}
