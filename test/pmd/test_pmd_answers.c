/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Known answers: what they show of a function that does as the reference says, and of one that
 * answers wrongly, late or never. Then too the device is there within a second, and all results are
 * right.
 */

#include <inttypes.h>
#include <string.h>

#include <rte_cycles.h>

#include "base_clock.h"
#include "hisi_ap.h"
#include "hisi_zip_answer.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"
#include "pmd_test_work.h"
#include "spim_qm.h"

#define NAME "compress_hisi_zip_answers"
#define DEPTH 64

static struct hisi_zip_path_info
info(enum hisi_zip_path path)
{
	return hisi_zip_find(NAME)->known.paths.path[path];
}

static void
check(const char *args, enum hisi_zip_path path, uint8_t state, uint8_t counted, uint8_t sum)
{
	struct hisi_zip_path_info i = info(path);

	PMD_CHECK(i.state == state && i.counted == counted && i.sum == sum &&
		(i.why != NULL) == (state == HISI_ZIP_PATH_OFF), "%s: %s: %u, counts %u, sum %u %s",
		args, hisi_zip_path_name(path), i.state, i.counted, i.sum,
		i.why != NULL ? i.why : "");
}

/* As the reference says, on plain functions; nothing is asked of one with the extension. */
static void
as_documented(void)
{
	static const struct {
		const char *args;
		bool v3, plain;
	} rows[] = {
		{ "ext=off", true, true }, { "ext=off,workers=1", true, true },
		{ "rev=v2,ext=off", false, true }, { "rev=v2", false, true },
		{ "ext=off,answers=off", true, true }, { "", true, false },
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		const char *args = rows[i].args;
		uint8_t on = rows[i].plain ? HISI_ZIP_PATH_ON : HISI_ZIP_PATH_OFF;
		uint8_t raw = rows[i].v3 ? on : HISI_ZIP_PATH_OFF, n4 = rows[i].plain ? 4 : 0;
		uint8_t plain = rows[i].plain ? HISI_ZIP_SUM_PLAIN : 0;
		uint8_t reversed = rows[i].plain ? HISI_ZIP_SUM_REVERSED : 0;
		const struct hisi_zip_known *known;
		bool asked;

		pmd_dev_add(NAME, args);
		check(args, HISI_ZIP_PATH_COMP_RAW, raw, 0, 0);
		check(args, HISI_ZIP_PATH_COMP_ZLIB, on, n4, plain);
		check(args, HISI_ZIP_PATH_COMP_GZIP, on, 2 * n4, reversed);
		check(args, HISI_ZIP_PATH_COMP_SGL, on, 0, 0);
		check(args, HISI_ZIP_PATH_DECOMP_RAW, raw, 0, 0);
		check(args, HISI_ZIP_PATH_DECOMP_ZLIB, on, n4, plain);
		check(args, HISI_ZIP_PATH_DECOMP_GZIP, on, 2 * n4, reversed);
		check(args, HISI_ZIP_PATH_DECOMP_SGL, on, 0, 0);
		known = &hisi_zip_find(NAME)->known;
		asked = rows[i].plain && strstr(args, "answers") == NULL;
		/* Each round waits for the function once; how long that is, is the machine's. */
		PMD_CHECK((known->us > 0) == asked && (known->requests > 300) == asked &&
			known->requests < 800 && known->rounds < 130,
			"%s: %u us, %u requests in %u rounds", args, known->us, known->requests,
			known->rounds);
		pmd_dev_remove(NAME);
	}
}

/* Time of this thread, which does not sleep while it waits: that of others is not in it. */
static uint64_t
cpu_ms(void)
{
	return (uint64_t)base_clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1000000;
}

static void
some_ops(uint8_t dev, struct rng *rng, const char *args)
{
	static const uint16_t lens[] = { 1, 100, 4000, 40000 };
	void *c = pmd_xform(dev, &pmd_deflate_xform), *d = pmd_xform(dev, &pmd_inflate_xform);

	for (size_t i = 0; i < 2 * RTE_DIM(lens); i++) {
		struct bytes plain = bytes_random(rng, lens[i / 2]), out;
		struct bytes packed = bytes_deflate(plain.data, plain.len, 6, 15);
		const struct bytes *src = i % 2 == 0 ? &plain : &packed;
		struct rte_comp_op *op = pmd_op(i % 2 == 0 ? c : d,
			pmd_chain(rng, PMD_FEW, src->data, 0, src->len, 0), 0, (uint32_t)src->len,
			pmd_chain(rng, PMD_FEW, NULL, 0, PMD_AMPLE(plain.len), 0), 0);

		pmd_run(dev, 0, &op, 1);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == src->len,
			"%s: %s, %u", args, pmd_status(op->status), op->consumed);
		out = pmd_output(op);
		if (i % 2 == 0)
			pmd_check_inflates(&out, plain.data, plain.len);
		else
			PMD_CHECK(out.len == plain.len &&
				memcmp(out.data, plain.data, out.len) == 0, "%s: other data", args);
		bytes_free(&out);
		bytes_free(&plain);
		bytes_free(&packed);
		pmd_op_free(op);
	}
	pmd_xform_free(dev, c);
	pmd_xform_free(dev, d);
}

/* Functions that answer wrongly, or not at all, at once or after a while. */
static void
faults(void)
{
	static const char *const rows[] = {
		"stall@1", "stall@30", "stall@300", "vanish@5", "status:0x26@1", "status:0x26/3",
		"status:0x0e/2", "corrupt@4", "corrupt/5", "corrupt@40", "mailbox_timeout@4",
	};
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		static const char *const functions[] = { "ext=off", "rev=v2,ext=off",
			"ext=off,workers=1" };
		uint64_t begin = cpu_ms(), ms;
		const char *fault = rows[i];
		char args[128];
		uint8_t dev;

		snprintf(args, sizeof(args), "%s,timeout=20,fault=%s", functions[i % 3], fault);
		pmd_log_begin();
		dev = pmd_dev_add(NAME, args);
		ms = cpu_ms() - begin;
		/* The mailbox has its own second, which taking a queue always has. */
		PMD_CHECK(ms < (strncmp(fault, "mailbox", 7) == 0 ? 3500 : 1000) *
			(1 + 4 * PMD_SLOW), "%s: %" PRIu64 " ms", args, ms);
		PMD_CHECK(strncmp(fault, "stall@1", 8) != 0 ||
			info(HISI_ZIP_PATH_COMP_ZLIB).state == HISI_ZIP_PATH_UNTRIED, "%s: %u",
			args, info(HISI_ZIP_PATH_COMP_ZLIB).state);
		pmd_dev_start(dev, 1, DEPTH);
		some_ops(dev, &rng, args);
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
		pmd_log_end();
	}
}

/*
 * What no queue was free for when the device was made is asked on the first one that is taken,
 * which may be after the transforms were made.
 */
static void
no_queue(void)
{
	static const char *const functions[] = { "ext=off", "rev=v2,ext=off" };
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(functions); i++) {
		enum hisi_zip_path comp = i == 0 ? HISI_ZIP_PATH_COMP_RAW :
			HISI_ZIP_PATH_COMP_ZLIB;
		uint8_t dev = pmd_dev_add(NAME, functions[i]);

		hisi_zip_paths_begin(hisi_zip_find(NAME));
		PMD_CHECK(info(comp).state == HISI_ZIP_PATH_UNTRIED &&
			info(HISI_ZIP_PATH_DECOMP_SGL).state == HISI_ZIP_PATH_UNTRIED, "tried");
		pmd_dev_start(dev, 1, DEPTH);
		some_ops(dev, &rng, functions[i]);
		PMD_CHECK(info(comp).state == HISI_ZIP_PATH_ON &&
			info(HISI_ZIP_PATH_DECOMP_SGL).state == HISI_ZIP_PATH_ON, "not tried");
		PMD_CHECK(pmd_qp(dev, 0)->deq.sw == 0 && pmd_qp(dev, 0)->deq.repeated == 0,
			"software");
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
	}
}

/* With sw=off the capabilities are what the paths that are on leave. */
static void
capabilities(void)
{
	const uint64_t lists = RTE_COMP_FF_OOP_SGL_IN_SGL_OUT | RTE_COMP_FF_OOP_SGL_IN_LB_OUT |
		RTE_COMP_FF_OOP_LB_IN_SGL_OUT;
	const uint64_t comp = RTE_COMP_FF_STATEFUL_COMPRESSION;
	const uint64_t decomp = RTE_COMP_FF_STATEFUL_DECOMPRESSION;
	const struct {
		const char *args;
		uint64_t forms;
	} rows[] = {
		{ "ext=off", lists | comp | decomp }, { "", lists | comp | decomp },
		{ "ext=off,rev=v2", lists | comp | decomp },
		{ "ext=off,quirk=flush-bits", lists | decomp },
		{ "ext=off,quirk=empty-refused", lists | comp },
		{ "ext=off,rev=v2,quirk=sge-16", comp | decomp },
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		for (int sw = 0; sw < 2; sw++) {
			const struct rte_compressdev_capabilities *cap;
			uint64_t forms = sw ? lists | comp | decomp : rows[i].forms;
			char args[64];

			snprintf(args, sizeof(args), "sw=%s%s%s", sw ? "auto" : "off",
				rows[i].args[0] != '\0' ? "," : "", rows[i].args);
			pmd_log_begin();
			cap = rte_compressdev_capability_get(pmd_dev_add(NAME, args),
				RTE_COMP_ALGO_DEFLATE);
			PMD_CHECK(cap != NULL && (cap->comp_feature_flags & (lists | comp |
				decomp)) == forms, "%s: 0x%" PRIx64 ", expected 0x%" PRIx64, args,
				cap != NULL ? cap->comp_feature_flags : 0, forms);
			pmd_dev_remove(NAME);
			pmd_log_end();
		}
	}
}

static void
burst_of(uint8_t dev, struct rng *rng, uint16_t n, const char *args)
{
	static const uint8_t data[100];
	struct rte_comp_op *ops[DEPTH];
	const struct hisi_qm_ring *ring;
	void *xform;

	pmd_dev_start(dev, 1, DEPTH - 1);
	xform = pmd_xform(dev, &pmd_deflate_xform);
	for (uint16_t i = 0; i < n; i++)
		ops[i] = pmd_op(xform, pmd_chain(rng, PMD_LINEAR, data, 0, sizeof(data), 0), 0,
			sizeof(data), pmd_chain(rng, PMD_LINEAR, NULL, 0, PMD_AMPLE(sizeof(data)),
			0), 0);
	pmd_enqueue(dev, 0, ops, n);
	ring = pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q.ring;
	PMD_CHECK(ring->mask == DEPTH - 1 && ring->sq_rung == ring->sq_tail,
		"%s: %u ops: slots before %u were rung for, expected %u", args, n, ring->sq_rung,
		ring->sq_tail);
	pmd_dequeue(dev, 0, ops, n);
	PMD_CHECK(pmd_qp(dev, 0)->deq.sw == 0, "%s: software", args);
	for (uint16_t i = 0; i < n; i++) {
		PMD_CHECK(ops[i]->status == RTE_COMP_OP_STATUS_SUCCESS, "%s: %s", args,
			pmd_status(ops[i]->status));
		pmd_op_free(ops[i]);
	}
	pmd_xform_free(dev, xform);
	pmd_dev_stop(dev);
}

/* A queue is taken in the middle of a burst: with known answers it may be where it began. */
static void
first_burst(void)
{
	static const char *const functions[] = { "ext=off", "rev=v2,ext=off" };
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(functions); i++) {
		uint8_t dev = pmd_dev_add(NAME, functions[i]);

		for (uint16_t n = 1; n < DEPTH; n++) {
			hisi_zip_paths_begin(hisi_zip_find(NAME));
			burst_of(dev, &rng, n, functions[i]);
		}
		pmd_dev_remove(NAME);
	}
}

/* A function that is deaf for a while, or slow. */
static struct {
	struct hisi_qm_io_ops ops;
	const struct hisi_qm_io_ops *real;
	bool deaf;
	unsigned int each_ms; /* not 0: it takes so long for a request, of this thread's time */
	uint64_t done;        /* when it was done with the last one */
} function;

static unsigned int
poll_function(struct hisi_qm_io *io, uint16_t qn, unsigned int budget)
{
	if (function.deaf || (function.each_ms != 0 && cpu_ms() - function.done <
			function.each_ms))
		return 0;
	function.done = cpu_ms();
	return function.real->poll(io, qn, function.each_ms != 0 ? 1 : budget);
}

/* Have polls of the function of a device go through it. It has no quirks of its own yet. */
static void
function_of(struct hisi_zip_dev *dev)
{
	struct hisi_qm_io *io = spim_qm_of(dev->hisi.ap->spim)->io;

	function.real = io->ops;
	function.ops = *io->ops;
	function.ops.poll = poll_function;
	io->ops = &function.ops;
	function.deaf = false;
	function.each_ms = 0;
}

static void
all_paths(const char *what, uint8_t state, enum hisi_zip_dir dir)
{
	static const enum hisi_zip_path paths[HISI_ZIP_DIRS][6] = {
		[HISI_ZIP_COMP] = { HISI_ZIP_PATH_COMP_RAW, HISI_ZIP_PATH_COMP_ZLIB,
			HISI_ZIP_PATH_COMP_GZIP, HISI_ZIP_PATH_COMP_SGL,
			HISI_ZIP_PATH_STREAM_COMP, HISI_ZIP_PATH_STREAM_COMP_SGL },
		[HISI_ZIP_DECOMP] = { HISI_ZIP_PATH_DECOMP_RAW, HISI_ZIP_PATH_DECOMP_ZLIB,
			HISI_ZIP_PATH_DECOMP_GZIP, HISI_ZIP_PATH_DECOMP_SGL,
			HISI_ZIP_PATH_STREAM_DECOMP, HISI_ZIP_PATH_STREAM_DECOMP_SGL },
	};

	for (unsigned int i = 0; i < RTE_DIM(paths[dir]); i++)
		PMD_CHECK(info(paths[dir][i]).state == state, "%s: %s: %u, expected %u", what,
			hisi_zip_path_name(paths[dir][i]), info(paths[dir][i]).state, state);
}

/*
 * A function that is slow, or silent, when the device is made: its paths are neither on after some
 * right answers nor off for good, but tried again with the first queue. What is late then, too, is
 * off.
 */
static void
slow(void)
{
	static const struct {
		const char *name;
		bool deaf, better;
	} ways[] = {
		{ "slow, then not", false, true }, { "slow", false, false },
		{ "silent, then not", true, true }, { "silent", true, false },
	};
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(ways); i++) {
		const char *name = ways[i].name;
		uint64_t begin, ms;
		struct hisi_zip_dev *zip;
		uint8_t dev;

		pmd_log_begin();
		dev = pmd_dev_add(NAME, "ext=off");
		zip = hisi_zip_find(NAME);
		function_of(zip);
		function.deaf = ways[i].deaf;
		function.each_ms = ways[i].deaf ? 0 : 30;
		hisi_zip_paths_begin(zip);
		begin = cpu_ms();
		hisi_zip_paths_try(zip);
		ms = cpu_ms() - begin;
		PMD_CHECK(ms < 1000 * (1 + 4 * PMD_SLOW), "%s: %" PRIu64 " ms", name, ms);
		all_paths(name, HISI_ZIP_PATH_UNTRIED, HISI_ZIP_COMP);
		all_paths(name, HISI_ZIP_PATH_UNTRIED, HISI_ZIP_DECOMP);
		PMD_CHECK(!TAILQ_EMPTY(&zip->known.owed), "%s: it owes nothing", name);
		if (ways[i].better) {
			function.deaf = false;
			function.each_ms = 0;
		}
		pmd_dev_start(dev, 1, DEPTH);
		if (ways[i].better)
			some_ops(dev, &rng, name);
		/* Takes the queues; no op of a function that is still so. */
		for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS && !ways[i].better; dir++)
			PMD_CHECK(hisi_zip_hwq_take(pmd_qp(dev, 0), dir) == 0, "%s", name);
		all_paths(name, ways[i].better ? HISI_ZIP_PATH_ON : HISI_ZIP_PATH_OFF,
			HISI_ZIP_COMP);
		all_paths(name, ways[i].better ? HISI_ZIP_PATH_ON : HISI_ZIP_PATH_OFF,
			HISI_ZIP_DECOMP);
		/* What has come since then is owed no more. */
		PMD_CHECK(TAILQ_EMPTY(&zip->known.owed) == ways[i].better, "%s: owed", name);
		function.deaf = false;
		function.each_ms = 0;
		hisi_zip_paths_reap(zip);
		PMD_CHECK(TAILQ_EMPTY(&zip->known.owed), "%s: still owed", name);
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
		pmd_log_end();
	}
}

/*
 * After a restart nobody has asked: the first queue is, and all clients of the service ask at once.
 * If answers are late, no op uses the queue, nothing is off, and all is asked again, but not with
 * each queue that is taken.
 */
static void
late_take(void)
{
	static const struct {
		const char *name;
		bool deaf, better;
	} ways[] = {
		{ "slow, then not", false, true }, { "silent, then not", true, true },
		{ "silent", true, false },
	};
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(ways); i++) {
		uint8_t state = ways[i].better ? HISI_ZIP_PATH_ON : HISI_ZIP_PATH_OFF;
		const char *name = ways[i].name;
		struct hisi_zip_dev *zip;
		struct hisi_zip_qp *qp;
		uint8_t dev;

		pmd_log_begin();
		dev = pmd_dev_add(NAME, "ext=off");
		pmd_dev_start(dev, 1, DEPTH);
		qp = pmd_qp(dev, 0);
		zip = hisi_zip_find(NAME);
		function_of(zip);
		function.deaf = ways[i].deaf;
		function.each_ms = ways[i].deaf ? 0 : 30;
		hisi_zip_paths_begin(zip);
		for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
			struct hisi_hwq *q = &qp->hwq[dir].q;
			uint32_t requests;
			int ret = hisi_zip_hwq_take(qp, dir);

			PMD_CHECK(ret == -EBUSY && q->queue == NULL && q->pause_ms != 0,
				"%s: %d, expected no queue", name, ret);
			all_paths(name, HISI_ZIP_PATH_UNTRIED, dir);
			requests = zip->known.requests;
			q->pause_ms = 0;
			ret = hisi_zip_hwq_take(qp, dir);
			PMD_CHECK(ret == -EBUSY && q->queue == NULL &&
				zip->known.requests == requests, "%s: %d, asked again at once",
				name, ret);
			all_paths(name, HISI_ZIP_PATH_UNTRIED, dir);
		}
		function.deaf &= !ways[i].better;
		function.each_ms = 0;
		for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
			qp->hwq[dir].q.pause_ms = 0;
			zip->known.late_at[dir] -= 10 * rte_get_tsc_hz();
			PMD_CHECK(hisi_zip_hwq_take(qp, dir) == 0, "%s: no queue", name);
			all_paths(name, state, dir);
		}
		function.deaf = false;
		some_ops(dev, &rng, name);
		hisi_zip_paths_reap(zip);
		PMD_CHECK(TAILQ_EMPTY(&zip->known.owed), "%s: still owed", name);
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
		pmd_log_end();
	}
}

/*
 * An answer that comes when nobody waits for it any more: it is that of no op, and what needs no
 * answers goes on.
 */
static void
late_answer(void)
{
	static const uint8_t data[1000];
	struct rte_comp_xform copy[HISI_ZIP_DIRS] = {
		[HISI_ZIP_COMP] = { .type = RTE_COMP_COMPRESS,
			.compress = { .algo = RTE_COMP_ALGO_NULL, .window_size = 15 } },
		[HISI_ZIP_DECOMP] = { .type = RTE_COMP_DECOMPRESS,
			.decompress = { .algo = RTE_COMP_ALGO_NULL, .window_size = 15 } },
	};
	struct rng rng;

	pmd_rng(&rng);
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		enum hisi_zip_path path = dir == HISI_ZIP_COMP ? HISI_ZIP_PATH_COMP_ZLIB :
			HISI_ZIP_PATH_DECOMP_ZLIB;
		struct rte_comp_op *ops[3];
		uint8_t dev;
		void *xform;

		dev = pmd_dev_add(NAME, "rev=v2");
		hisi_zip_paths_begin(hisi_zip_find(NAME));
		/* Nor is it asked again. */
		hisi_zip_find(NAME)->known.late = UINT8_MAX;
		pmd_dev_start(dev, 1, DEPTH);
		xform = pmd_xform(dev, &copy[dir]);
		function_of(hisi_zip_find(NAME));
		function.deaf = true;
		for (uint16_t i = 0; i < RTE_DIM(ops); i++) {
			ops[i] = pmd_op(xform, pmd_chain(&rng, PMD_LINEAR, data, 0, sizeof(data),
				0), 0, sizeof(data), pmd_chain(&rng, PMD_LINEAR, NULL, 0,
				sizeof(data), 0), 0);
			pmd_enqueue(dev, 0, &ops[i], 1);
		}
		PMD_CHECK(info(path).state == HISI_ZIP_PATH_OFF &&
			strcmp(info(path).why, "no answer in time") == 0, "on, or off otherwise");
		function.deaf = false;
		pmd_dequeue(dev, 0, ops, RTE_DIM(ops));
		PMD_CHECK(pmd_qp(dev, 0)->deq.sw == 0 && !pmd_qp(dev, 0)->lie.told,
			"software, or a lie");
		for (uint16_t i = 0; i < RTE_DIM(ops); i++) {
			struct bytes out = pmd_output(ops[i]);

			PMD_CHECK(ops[i]->status == RTE_COMP_OP_STATUS_SUCCESS &&
				out.len == sizeof(data) &&
				memcmp(out.data, data, sizeof(data)) == 0, "%s, %zu bytes",
				pmd_status(ops[i]->status), out.len);
			bytes_free(&out);
			pmd_op_free(ops[i]);
		}
		pmd_xform_free(dev, xform);
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
	}
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "as_documented", as_documented },
		{ "faults", faults, PMD_FAULTS | PMD_BAD_OPS },
		{ "no_queue", no_queue },
		{ "capabilities", capabilities },
		{ "first_burst", first_burst },
		{ "late_take", late_take },
		{ "slow", slow, PMD_FAULTS | PMD_LINES },
		{ "late_answer", late_answer, PMD_FAULTS },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_answers", .count = 1, .cases = cases, .vdevs = none,
	});
}
