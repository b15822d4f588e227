/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A function that fails, in every way that can be injected. Each op that was
 * accepted comes back once, in order, with an error or, with sw=auto, as if nothing
 * had happened; the application goes on; the counters say what it was.
 */

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_compressdev_pmd.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"

#define NAME "compress_hisi_zip_fault"
#define DEPTH 64
#define OPS 300
#define LEN_MAX 3000

/* The counter that has to name the cause. */
enum cause { NONE, STATUS, STALLED, GONE, NO_QUEUE };

struct fault {
	const char *spec;
	enum cause cause;
	uint8_t status;  /* SQE status, if that is the cause */
	bool lasting;    /* nothing works afterwards */
	bool mailbox;    /* takes seconds: run it less often */
};

static const struct fault faults[] = {
	{ .spec = "status:0x26@20", .cause = STATUS, .status = 0x26 },
	{ .spec = "status:0x7f/7", .cause = STATUS, .status = HISI_ZIP_HW_STATUS_OTHER },
	{ .spec = "stall@25", .cause = STALLED },
	{ .spec = "stall/90", .cause = STALLED },
	{ .spec = "aeq:cq_overflow@25", .cause = STALLED },
	{ .spec = "aeq:cqe_error@25", .cause = STALLED },
	/* A driver without an event queue has nothing to lose. */
	{ .spec = "aeq:eq_overflow@25", .cause = NONE },
	{ .spec = "stall@25+status:0x26@60", .cause = STALLED },
	{ .spec = "vanish@25", .cause = GONE, .lasting = true },
	{ .spec = "vanish@1", .cause = GONE, .lasting = true },
	/* Commands 1 to 3 start the function, two more each queue. */
	{ .spec = "mailbox_timeout@4", .cause = NO_QUEUE, .lasting = true, .mailbox = true },
	{ .spec = "stall@25+mailbox_timeout@8", .cause = STALLED, .lasting = true,
		.mailbox = true },
};

struct kind {
	const char *args;
	bool threads; /* so that the function can be reset */
	bool plain;   /* streams are the driver's own */
};

static const struct kind kinds[] = {
	{ "workers=0", false, false },
	{ "workers=1", true, false },
	{ "workers=2,ext=off", true, true },
	{ "workers=0,ext=off", false, true },
};

struct run {
	uint8_t dev;
	bool sw;
	const struct fault *fault;
	const struct kind *kind;
	void *comp, *decomp, *stream;
	struct bytes plain, packed;
	unsigned int errors, successes, last_success;
	unsigned int at_once; /* errors for want of a queue */
	bool busy; /* an op of the stream is in flight */
	bool dead; /* one was lost */
};

/* What an op that was taken comes back with. */
enum due {
	REFUSED,   /* INVALID_STATE: its stream is busy or dead */
	NO_ANSWER, /* ERROR: there is no queue to be had; its stream is as before */
	DONE,      /* SUCCESS, or ERROR if the fault strikes it */
};

static struct rte_comp_op *
make_op(struct rng *rng, struct run *r)
{
	bool comp = rng_one_in(rng, 2);
	const struct bytes *src = comp ? &r->plain : &r->packed;
	enum pmd_shape shape = rng_one_in(rng, 3) ? PMD_FEW : PMD_LINEAR;
	struct rte_comp_op *op;

	op = pmd_op(comp ? r->comp : r->decomp, pmd_chain(rng, shape, src->data, 0, src->len, 0), 0,
		(uint32_t)src->len, pmd_chain(rng, shape, NULL, 0, r->plain.len * 2 + 200, 0), 0);
	if (comp && r->stream != NULL && rng_one_in(rng, 10)) {
		op->op_type = RTE_COMP_OP_STATEFUL;
		op->stream = r->stream;
	}
	return op;
}

/* Are errors of this op kept from the application? */
static bool
hidden(const struct run *r, const struct rte_comp_op *op)
{
	return r->sw && (op->op_type != RTE_COMP_OP_STATEFUL || r->kind->plain);
}

/* An op that was taken just now. Only one that could not be submitted has a status. */
static enum due
op_due(struct run *r, const struct rte_comp_op *op)
{
	bool stateful = op->op_type == RTE_COMP_OP_STATEFUL;
	bool refused = stateful && (r->dead || r->busy);

	PMD_CHECK((op->status == RTE_COMP_OP_STATUS_INVALID_STATE) == refused,
		"%s,%s: op of %s: %s", r->kind->args, r->fault->spec, !stateful ? "no stream" :
		r->dead ? "a dead stream" : r->busy ? "a busy stream" : "an idle stream",
		pmd_status(op->status));
	if (refused)
		return REFUSED;
	if (op->status == RTE_COMP_OP_STATUS_ERROR) {
		PMD_CHECK(r->fault->lasting && !hidden(r, op), "%s,%s,sw=%d: no queue for an op "
			"of %s", r->kind->args, r->fault->spec, r->sw,
			stateful ? "a stream" : "no stream");
		r->at_once++;
		return NO_ANSWER;
	}
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_NOT_PROCESSED, "%s when it is enqueued",
		pmd_status(op->status));
	r->busy = r->busy || stateful;
	return DONE;
}

static void
check_op(struct run *r, const struct rte_comp_op *op, enum due due, unsigned int n)
{
	bool stateful = op->op_type == RTE_COMP_OP_STATEFUL;
	bool comp = stateful || op->private_xform == r->comp;
	const struct bytes *src = comp ? &r->plain : &r->packed;
	struct bytes out;

	if (stateful && due == DONE)
		r->busy = false;
	if (due == REFUSED) {
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_INVALID_STATE, "%s,%s: op %u: %s",
			r->kind->args, r->fault->spec, n, pmd_status(op->status));
		return;
	}
	if (due == NO_ANSWER || op->status == RTE_COMP_OP_STATUS_ERROR) {
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_ERROR, "%s,%s: op %u: %s, and ERROR "
			"before", r->kind->args, r->fault->spec, n, pmd_status(op->status));
		PMD_CHECK(op->consumed == 0 && op->produced == 0, "error with results");
		PMD_CHECK(!hidden(r, op), "%s: op %u: ERROR with sw=auto", r->fault->spec, n);
		r->dead = r->dead || (stateful && due == DONE);
		r->errors++;
		return;
	}
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s,%s: op %u, %s %s: %s",
		r->kind->args, r->fault->spec, n, stateful ? "stateful" : "stateless",
		comp ? "compression" : "decompression", pmd_status(op->status));
	PMD_CHECK(op->consumed == src->len, "consumed %u of %zu", op->consumed, src->len);
	r->successes++;
	r->last_success = n;
	out = bytes_alloc(op->produced);
	pmd_chain_read(op->m_dst, 0, out.data, out.len);
	if (comp) {
		struct bytes back = bytes_alloc(r->plain.len + 1);
		size_t consumed, produced;

		judge_inflate(out.data, out.len, back.data, back.len, &consumed, &produced);
		PMD_CHECK(produced == r->plain.len &&
			memcmp(back.data, r->plain.data, produced) == 0, "zlib gets other data");
		bytes_free(&back);
	} else {
		PMD_CHECK(out.len == r->plain.len && memcmp(out.data, r->plain.data, out.len) == 0,
			"wrong bytes");
	}
	bytes_free(&out);
}

/* Ops of both directions, so many in flight as there are; all come back in order. */
static void
run_ops(struct rng *rng, struct run *r)
{
	uint64_t end = rte_rdtsc() + 240 * rte_get_tsc_hz();
	struct rte_comp_op *flight[DEPTH], *ops[DEPTH], *next = NULL;
	enum due due[DEPTH];
	unsigned int sent = 0, back = 0;

	while (back < OPS) {
		uint16_t got, burst = (uint16_t)rng_range(rng, 1, DEPTH);

		for (; sent < OPS && sent - back < DEPTH; sent++) {
			if (next == NULL)
				next = make_op(rng, r);
			if (rte_compressdev_enqueue_burst(r->dev, 0, &next, 1) == 0)
				break; /* untouched: it is tried again */
			flight[sent % DEPTH] = next;
			due[sent % DEPTH] = op_due(r, next);
			next = NULL;
		}
		got = rte_compressdev_dequeue_burst(r->dev, 0, ops, burst);
		PMD_CHECK(got <= burst && back + got <= sent, "%u ops too many", got);
		for (uint16_t i = 0; i < got; i++, back++) {
			struct rte_comp_op *expected = flight[back % DEPTH];

			PMD_CHECK(ops[i] == expected, "op %u is another one", back);
			check_op(r, ops[i], due[back % DEPTH], back);
			pmd_op_free(ops[i]);
		}
		PMD_CHECK(rte_rdtsc() < end, "%s,%s,sw=%d: %u of %u ops came back in time",
			r->kind->args, r->fault->spec, r->sw, back, OPS);
		if (got == 0)
			sched_yield();
	}
	PMD_CHECK(rte_compressdev_dequeue_burst(r->dev, 0, ops, 1) == 0, "an op too many");
}

static void
check_counters(const struct run *r)
{
	const struct rte_compressdev *cdev = rte_compressdev_pmd_get_named_dev(NAME);
	const struct hisi_zip_qp *qp = cdev->data->queue_pairs[0];
	const struct hisi_zip_deq_stats *deq = &qp->deq;
	uint64_t stalled = deq->fails[HISI_WATCH_STALLED] + deq->fails[HISI_WATCH_RESET];
	const char *spec = r->fault->spec;
	uint64_t struck = deq->lost;

	/* As many errors as the fault has struck ops, but for those that software has saved. */
	for (unsigned int i = 0; i < RTE_DIM(deq->hw_status); i++)
		struck += i == HISI_ZIP_OK || i == HISI_ZIP_NEGACOMPRESS ||
			i == HISI_ZIP_DECOMP_END ? 0 : deq->hw_status[i];
	PMD_CHECK(r->errors == struck - deq->repeated + r->at_once, "%s,%s,sw=%d: %u errors, %"
		PRIu64 " ops were struck, %" PRIu64 " saved, %u had no queue", r->kind->args,
		spec, r->sw, r->errors, struck, deq->repeated, r->at_once);
	switch (r->fault->cause) {
	case STATUS:
		PMD_CHECK(deq->hw_status[r->fault->status] > 0, "%s is not counted", spec);
		PMD_CHECK(stalled == 0, "%s: a queue failed", spec);
		break;
	case STALLED:
		PMD_CHECK(deq->fails[HISI_WATCH_STALLED] > 0, "%s is not counted", spec);
		PMD_CHECK(deq->lost > 0, "%s: no request was lost", spec);
		break;
	case GONE:
		PMD_CHECK(deq->fails[HISI_WATCH_GONE] > 0, "%s is not counted", spec);
		break;
	case NO_QUEUE:
		/* With threads the function is reset at once, and the queue is had after all. */
		PMD_CHECK(r->kind->threads || qp->enq.no_queue > 0, "%s is not counted", spec);
		break;
	case NONE:
		PMD_CHECK(stalled == 0 && struck == 0, "%s: a queue failed", spec);
		break;
	}
	PMD_CHECK(r->fault->cause == GONE || deq->fails[HISI_WATCH_GONE] == 0, "%s: gone", spec);
	if (r->sw)
		PMD_CHECK(r->fault->cause == NONE || deq->sw > 0 || r->kind->threads,
			"%s: nothing was done in software", spec);
	else
		PMD_CHECK(deq->sw == 0, "%s: %" PRIu64 " ops in software", spec, deq->sw);
	if (!r->sw && (r->fault->cause == STATUS || r->fault->cause == STALLED ||
			r->fault->cause == GONE))
		PMD_CHECK(r->errors > 0, "%s: nobody noticed", spec);
	/* The last ones are done by the function again, or by another queue of it. */
	if (!r->fault->lasting)
		PMD_CHECK(r->last_success + 50 > OPS, "%s: no success after op %u of %u", spec,
			r->last_success, OPS);
}

static void
run_fault(struct rng *rng, const struct fault *fault, const struct kind *kind, bool sw)
{
	struct run r = { .fault = fault, .kind = kind, .sw = sw };
	struct pmd_usage before = pmd_usage_get();
	bool streams = sw || !kind->plain;
	static bool warm;
	char args[160];

	/* A worker that the machine keeps waiting is no queue that failed. */
	snprintf(args, sizeof(args), "%s,sw=%s,timeout=%d,answers=off,fault=%s", kind->args,
		sw ? "auto" : "off", fault->cause == STALLED || fault->cause == GONE ? 40 : 30000,
		fault->spec);
	pmd_log_begin();
	r.dev = pmd_dev_add(NAME, args);
	r.plain = bytes_random(rng, rng_range(rng, 100, LEN_MAX));
	r.packed = bytes_deflate(r.plain.data, r.plain.len, 6, 15);
	pmd_dev_start(r.dev, 1, DEPTH);
	r.comp = pmd_xform(r.dev, &pmd_deflate_xform);
	r.decomp = pmd_xform(r.dev, &pmd_inflate_xform);
	if (streams) {
		int ret = rte_compressdev_stream_create(r.dev, &pmd_deflate_xform, &r.stream);

		PMD_CHECK(ret == 0, "stream_create returned %d", ret);
	}
	run_ops(rng, &r);
	check_counters(&r);
	if (streams)
		PMD_CHECK(rte_compressdev_stream_free(r.dev, r.stream) == 0, "stream_free");
	pmd_xform_free(r.dev, r.comp);
	pmd_xform_free(r.dev, r.decomp);
	pmd_dev_stop(r.dev);
	pmd_dev_remove(NAME);
	bytes_free(&r.plain);
	bytes_free(&r.packed);
	/* A cause is logged once, not per op. */
	if (fault->cause == STALLED || fault->cause == GONE)
		PMD_CHECK(strstr(pmd_log_end(), "hardware queue") != NULL, "%s is not logged",
			args);
	else
		pmd_log_end();
	if (warm && !fault->lasting)
		pmd_usage_check(args, &before);
	warm = true;
}

static void
run_faults(bool mailbox)
{
	struct rng rng;

	while (pmd_next(&rng)) {
		for (unsigned int i = 0; i < RTE_DIM(faults); i++) {
			for (unsigned int k = 0; k < RTE_DIM(kinds); k++) {
				if (faults[i].mailbox != mailbox || (mailbox && k > 1))
					continue; /* one kind with threads, one without */
				run_fault(&rng, &faults[i], &kinds[k], true);
				run_fault(&rng, &faults[i], &kinds[k], false);
			}
		}
	}
}

static void
each_fault(void)
{
	run_faults(false);
}

static void
mailbox_faults(void)
{
	run_faults(true);
}

/* ---- One lcore enqueues while another one finds that queues fail ------------------------- */

#define RING 256
#define LCORE_OPS 20000

static struct {
	uint8_t dev;
	struct rte_comp_op *ops[RING]; /* op n is ops[n % RING] */
	_Alignas(64) atomic_uint done; /* ops that are back and may be enqueued again */
	/* EAL's launch and wait order memory too, but where no sanitizer sees it. */
	atomic_uint begun, ended;
} shared;

static int
enqueuer(void *arg)
{
	unsigned int sent = 0;

	RTE_SET_USED(arg);
	atomic_load_explicit(&shared.begun, memory_order_acquire);
	while (sent < LCORE_OPS) {
		unsigned int done = atomic_load_explicit(&shared.done, memory_order_acquire);
		unsigned int n = RTE_MIN(RTE_MIN(done + RING, (unsigned int)LCORE_OPS) - sent, 32u);
		uint16_t taken;

		/* Not over the end of the array. */
		n = RTE_MIN(n, RING - sent % RING);
		taken = rte_compressdev_enqueue_burst(shared.dev, 0, &shared.ops[sent % RING],
			(uint16_t)n);
		sent += taken;
		if (taken == 0)
			sched_yield();
	}
	atomic_fetch_add_explicit(&shared.ended, 1, memory_order_release);
	return 0;
}

static int
dequeuer(void *arg)
{
	uint64_t end = rte_rdtsc() + 240 * rte_get_tsc_hz();
	struct rte_comp_op *ops[32];
	unsigned int done = 0;

	RTE_SET_USED(arg);
	atomic_load_explicit(&shared.begun, memory_order_acquire);
	while (done < LCORE_OPS) {
		uint16_t n = rte_compressdev_dequeue_burst(shared.dev, 0, ops, RTE_DIM(ops));

		for (uint16_t i = 0; i < n; i++, done++) {
			struct rte_comp_op *expected = shared.ops[done % RING];

			PMD_CHECK(ops[i] == expected, "op %u is another one", done);
			PMD_CHECK(ops[i]->status == RTE_COMP_OP_STATUS_SUCCESS &&
				ops[i]->consumed == ops[i]->src.length, "op %u: %s", done,
				pmd_status(ops[i]->status));
			ops[i]->status = RTE_COMP_OP_STATUS_NOT_PROCESSED;
		}
		atomic_store_explicit(&shared.done, done, memory_order_release);
		PMD_CHECK(rte_rdtsc() < end, "%u of %u ops in time", done, LCORE_OPS);
		if (n == 0)
			sched_yield();
	}
	atomic_fetch_add_explicit(&shared.ended, 1, memory_order_release);
	return 0;
}

static void
two_lcores(void)
{
	const struct rte_compressdev *cdev;
	const struct hisi_zip_qp *qp;
	void *comp, *decomp;
	struct bytes plain, packed;
	struct rng rng;

	pmd_rng(&rng);
	pmd_log_begin();
	shared.dev = pmd_dev_add(NAME, "workers=1,timeout=10,fault=stall/777");
	pmd_dev_start(shared.dev, 1, DEPTH);
	comp = pmd_xform(shared.dev, &pmd_deflate_xform);
	decomp = pmd_xform(shared.dev, &pmd_inflate_xform);
	plain = bytes_random(&rng, 500);
	packed = bytes_deflate(plain.data, plain.len, 6, 15);
	for (unsigned int i = 0; i < RING; i++) {
		bool c = rng_one_in(&rng, 2);
		const struct bytes *src = c ? &plain : &packed;

		shared.ops[i] = pmd_op(c ? comp : decomp, pmd_chain(&rng, PMD_FEW, src->data, 0,
			src->len, 0), 0, (uint32_t)src->len, pmd_chain(&rng, PMD_FEW, NULL, 0,
			1200, 0), 0);
	}
	atomic_store(&shared.done, 0);
	atomic_store_explicit(&shared.begun, 1, memory_order_release);
	rte_eal_remote_launch(enqueuer, NULL, rte_get_next_lcore(-1, 1, 0));
	rte_eal_remote_launch(dequeuer, NULL,
		rte_get_next_lcore(rte_get_next_lcore(-1, 1, 0), 1, 0));
	rte_eal_mp_wait_lcore();
	PMD_CHECK(atomic_load_explicit(&shared.ended, memory_order_acquire) == 2,
		"an lcore gave up");
	cdev = rte_compressdev_pmd_get_named_dev(NAME);
	qp = cdev->data->queue_pairs[0];
	PMD_CHECK(qp->deq.fails[HISI_WATCH_STALLED] > 3, "%" PRIu64 " queues failed",
		qp->deq.fails[HISI_WATCH_STALLED]);
	for (unsigned int i = 0; i < RING; i++)
		pmd_op_free(shared.ops[i]);
	pmd_xform_free(shared.dev, comp);
	pmd_xform_free(shared.dev, decomp);
	bytes_free(&plain);
	bytes_free(&packed);
	pmd_dev_stop(shared.dev);
	pmd_dev_remove(NAME);
	pmd_log_end();
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "each_fault", each_fault },
		{ "two_lcores", two_lcores },
		{ "mailbox_faults", mailbox_faults },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_fault", .count = 1, .cases = cases,
	});
}
