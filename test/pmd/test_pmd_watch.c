/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Queues that are silent. The function is one of this process without threads, and the
 * test decides whether it works: so time is counted in looks at the clock, each of which
 * counts for an eighth of what is allowed, however busy the machine is.
 */

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "hisi_ap.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"
#include "spim_qm.h"

#define NAME "compress_hisi_zip_watch"
#define DEPTH 64
#define LEN   500u
#define ROOM  (2 * LEN)
#define LOOKS 8 /* until a queue has failed */
#define TIMEOUT_MS 40u
#define STALL ",fault=stall@2" /* from the op after that of start() on */

/* A function that can be made deaf, and counts how often it was asked. */
static struct {
	struct hisi_qm_io_ops ops;
	const struct hisi_qm_io_ops *real;
	bool deaf;
	unsigned int reads;
} function;

static uint8_t dev;
static void *comp;

static unsigned int
poll_function(struct hisi_qm_io *io, uint16_t qn, unsigned int budget)
{
	return function.deaf ? 0 : function.real->poll(io, qn, budget);
}

static uint32_t
read_function(struct hisi_qm_io *io, uint32_t off)
{
	function.reads++;
	return function.real->read32(io, off);
}

static struct rte_comp_op *
make_op(struct rng *rng, enum pmd_shape shape)
{
	struct rte_comp_op *op = pmd_op(comp, pmd_chain(rng, shape, NULL, 0, LEN, 0), 0, LEN,
		pmd_chain(rng, shape, NULL, 0, ROOM, 0), 0);

	return op;
}

static void
run_one(struct rng *rng, uint8_t status)
{
	struct rte_comp_op *op = make_op(rng, PMD_LINEAR);

	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == status, "%s, expected %s", pmd_status(op->status),
		pmd_status(status));
	pmd_op_free(op);
}

/* A device whose function is the test's; one op has been through it. */
static void
start(struct rng *rng, const char *args)
{
	struct hisi_qm_io *io;

	dev = pmd_dev_add(NAME, args);
	pmd_dev_start(dev, 1, DEPTH);
	comp = pmd_xform(dev, &pmd_deflate_xform);
	run_one(rng, RTE_COMP_OP_STATUS_SUCCESS);
	io = spim_qm_of(pmd_qp(dev, 0)->dev->hisi.ap->spim)->io;
	function.real = io->ops;
	function.ops = *io->ops;
	function.ops.poll = poll_function;
	function.ops.read32 = read_function;
	function.deaf = false;
	io->ops = &function.ops;
}

static void
stop(void)
{
	pmd_xform_free(dev, comp);
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

/* Let as much time pass as looks count for, and look; nothing may come back. */
static void
look(unsigned int n, unsigned int timeout_ms)
{
	struct rte_comp_op *none;

	while (n-- > 0) {
		usleep((timeout_ms / LOOKS + 1) * 1000);
		for (unsigned int i = 0; i < HISI_WATCH_POLLS; i++)
			PMD_CHECK(rte_compressdev_dequeue_burst(dev, 0, &none, 1) == 0,
				"an op came back, %u looks early", n + 1);
	}
}

static uint64_t
failures(void)
{
	const struct hisi_zip_deq_stats *deq = &pmd_qp(dev, 0)->deq;
	uint64_t n = 0;

	for (unsigned int i = 0; i < HISI_WATCH_FAILS; i++)
		n += deq->fails[i];
	return n;
}

/* The one op in flight comes back. */
static struct rte_comp_op *
back(const struct rte_comp_op *expected, uint8_t status)
{
	struct rte_comp_op *op;

	pmd_dequeue(dev, 0, &op, 1);
	PMD_CHECK(op == expected, "another op");
	PMD_CHECK(op->status == status, "%s, expected %s", pmd_status(op->status),
		pmd_status(status));
	return op;
}

/* The time of an op begins when it is the oldest one: several slow ones are no silence. */
static void
each_has_its_time(void)
{
	struct rng rng;

	pmd_rng(&rng);
	pmd_log_begin();
	start(&rng, "workers=0,sw=off,timeout=40");
	for (int i = 0; i < 4; i++) {
		struct rte_comp_op *op = make_op(&rng, PMD_LINEAR);

		pmd_enqueue(dev, 0, &op, 1);
		function.deaf = true;
		look(1 + LOOKS - 2, TIMEOUT_MS);
		function.deaf = false;
		pmd_op_free(back(op, RTE_COMP_OP_STATUS_SUCCESS));
		PMD_CHECK(failures() == 0, "op %d was late, and a queue has failed", i);
	}
	stop();
	PMD_CHECK(strstr(pmd_log_end(), "HISI_ZIP") == NULL, "something was said");
}

/* After 8 looks, not before; the function is asked whether it is there every 10 ms. */
static void
fails_in_time(void)
{
	struct rng rng;

	pmd_rng(&rng);
	for (int sw = 0; sw < 2; sw++) {
		struct rte_comp_op *op;

		pmd_log_begin();
		start(&rng, sw ? "workers=0,sw=auto,timeout=40" STALL :
			"workers=0,sw=off,timeout=40" STALL);
		op = make_op(&rng, PMD_LINEAR);
		pmd_enqueue(dev, 0, &op, 1);
		function.reads = 0;
		look(1, TIMEOUT_MS);
		for (unsigned int i = 1; i < LOOKS; i++) {
			look(1, TIMEOUT_MS);
			PMD_CHECK(function.reads == i * TIMEOUT_MS / LOOKS / 10, "asked %u times "
				"within %u looks", function.reads, i);
			PMD_CHECK(failures() == 0, "failed after %u looks", i);
		}
		/* It is given up in the dequeue that looks, and comes with the next one. */
		look(1, TIMEOUT_MS);
		PMD_CHECK(failures() == 1 && pmd_qp(dev, 0)->deq.fails[HISI_WATCH_STALLED] == 1,
			"%" PRIu64 " failures", failures());
		pmd_op_free(back(op, sw ? RTE_COMP_OP_STATUS_SUCCESS : RTE_COMP_OP_STATUS_ERROR));
		PMD_CHECK(pmd_qp(dev, 0)->deq.lost == 1, "%" PRIu64 " lost",
			pmd_qp(dev, 0)->deq.lost);
		/* Another queue is taken, and works. */
		run_one(&rng, RTE_COMP_OP_STATUS_SUCCESS);
		PMD_CHECK(pmd_qp(dev, 0)->deq.sw == (sw ? 1 : 0) &&
			pmd_qp(dev, 0)->deq.repeated == (sw ? 1 : 0), "%" PRIu64 " in software",
			pmd_qp(dev, 0)->deq.sw);
		stop();
		PMD_CHECK(strstr(pmd_log_end(), "is silent") != NULL, "nothing was said");
	}
}

/* timeout=0: for as long as it takes. */
static void
no_timeout(void)
{
	struct rte_comp_op *op;
	struct rng rng;

	pmd_rng(&rng);
	start(&rng, "workers=0,sw=off,timeout=0");
	op = make_op(&rng, PMD_LINEAR);
	pmd_enqueue(dev, 0, &op, 1);
	function.deaf = true;
	function.reads = 0;
	look(4 * LOOKS, TIMEOUT_MS);
	PMD_CHECK(failures() == 0, "failed, for all that");
	PMD_CHECK(function.reads > 0, "the function was not asked whether it is there");
	function.deaf = false;
	pmd_op_free(back(op, RTE_COMP_OP_STATUS_SUCCESS));
	stop();
}

/* What the function says of an op that was given up is not the answer to the next one. */
static void
late_answer(void)
{
	struct rng rng;

	pmd_rng(&rng);
	for (int sw = 0; sw < 2; sw++) {
		struct rte_comp_op *ops[3];
		struct hisi_qm_ring *ring;
		struct hisi_zip_sqe *sqe;
		uint16_t slot, phase;

		pmd_log_begin();
		start(&rng, sw ? "workers=0,sw=auto,timeout=10" STALL :
			"workers=0,sw=off,timeout=10" STALL);
		for (int i = 0; i < 3; i++)
			ops[i] = make_op(&rng, PMD_LINEAR);
		pmd_enqueue(dev, 0, ops, 3);
		ring = pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q.queue->ring;
		slot = ring->cq_head;
		phase = ring->cq_phase;
		look(1 + LOOKS, 10);
		PMD_CHECK(failures() == 1, "%" PRIu64 " failures", failures());
		back(ops[0], sw ? RTE_COMP_OP_STATUS_SUCCESS : RTE_COMP_OP_STATUS_ERROR);
		/* And now it comes; so do those of the others. */
		for (uint16_t i = 0; i < 3; i++) {
			sqe = hisi_qm_sq_slot(ring, slot + i);
			sqe->consumed = LEN;
			sqe->produced = 7;
			sqe->dw3 = HISI_ZIP_OK;
			ring->cq[slot + i].sq_head = slot + i;
			ring->cq[slot + i].w7 = phase;
		}
		for (int i = 1; i < 3; i++) {
			back(ops[i], sw ? RTE_COMP_OP_STATUS_SUCCESS : RTE_COMP_OP_STATUS_ERROR);
			PMD_CHECK(ops[i]->consumed == (sw ? LEN : 0) &&
				(sw ? ops[i]->produced == ops[0]->produced : ops[i]->produced == 0),
				"consumed %u, produced %u", ops[i]->consumed, ops[i]->produced);
		}
		PMD_CHECK(pmd_qp(dev, 0)->deq.lost == 3, "%" PRIu64 " lost",
			pmd_qp(dev, 0)->deq.lost);
		run_one(&rng, RTE_COMP_OP_STATUS_SUCCESS);
		for (int i = 0; i < 3; i++)
			pmd_op_free(ops[i]);
		stop();
		pmd_log_end();
	}
}

/* An answer that cannot be true is told of while the next op is waited for, once. */
static void
lie_is_said(void)
{
	struct rng rng;

	pmd_rng(&rng);
	start(&rng, "workers=0,sw=auto,timeout=40");
	for (int i = 0; i < 2; i++) {
		struct rte_comp_op *ops[2] = { make_op(&rng, PMD_LINEAR),
			make_op(&rng, PMD_LINEAR) };
		struct spim_queue *queue = pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q.queue;
		const struct hisi_qm_ring *ring = queue->ring;
		const char *log;

		pmd_log_begin();
		pmd_enqueue(dev, 0, ops, 2);
		PMD_CHECK(spim_queue_poll(queue, 1) == 1, "not done");
		((struct hisi_zip_sqe *)hisi_qm_sq_slot(ring, ring->cq_head))->consumed = LEN - 1;
		function.deaf = true;
		pmd_op_free(back(ops[0], RTE_COMP_OP_STATUS_SUCCESS));
		look(1, TIMEOUT_MS);
		log = pmd_log_end();
		PMD_CHECK(i == 0 ? strstr(log, NAME ": queue pair 0: an answer cannot be true: "
			"status 0x0, consumed 499, ") != NULL && strstr(log, "expected of this "
			"compression: consumed 500, ") != NULL : log[0] == '\0',
			"the log says \"%s\"", log);
		function.deaf = false;
		pmd_op_free(back(ops[1], RTE_COMP_OP_STATUS_SUCCESS));
	}
	stop();
}

/* Ops with lists of segments that a queue takes before it is full. */
static uint16_t
capacity(struct rng *rng, struct rte_comp_op **ops)
{
	uint16_t n = 0;

	for (; n < DEPTH; n++) {
		ops[n] = make_op(rng, PMD_MANY);
		if (rte_compressdev_enqueue_burst(dev, 0, &ops[n], 1) == 0)
			break;
	}
	PMD_CHECK(n < DEPTH, "no end of room for lists");
	pmd_op_free(ops[n]);
	return n;
}

/* All of the ops that are in flight. */
static void
take_back(struct rte_comp_op **ops, uint16_t n, uint8_t status)
{
	const struct hisi_zip_hwq *hwq = &pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP];
	struct rte_comp_op *got[DEPTH];

	pmd_dequeue(dev, 0, got, n);
	PMD_CHECK(status != RTE_COMP_OP_STATUS_SUCCESS || hwq->sgl_head == hwq->sgl_tail,
		"lists are free up to %u of %u", hwq->sgl_head, hwq->sgl_tail);
	for (uint16_t i = 0; i < n; i++) {
		PMD_CHECK(got[i] == ops[i] && got[i]->status == status, "op %u of %u: %s, "
			"expected %s", i, n, pmd_status(got[i]->status), pmd_status(status));
		pmd_op_free(got[i]);
	}
}

/* The same shapes each time. */
static uint16_t
same_capacity(struct rte_comp_op **ops)
{
	struct rng rng;

	pmd_rng(&rng);
	return capacity(&rng, ops);
}

/* A queue that is taken anew has all room, whatever became of the lists of the one before. */
static void
taken_anew(void)
{
	struct rte_comp_op *ops[DEPTH];
	uint16_t fresh, n;
	struct rng rng;

	pmd_rng(&rng);
	start(&rng, "workers=0,sw=off,timeout=10");
	fresh = same_capacity(ops);
	take_back(ops, fresh, RTE_COMP_OP_STATUS_SUCCESS);
	stop();

	pmd_log_begin();
	start(&rng, "workers=0,sw=off,timeout=10,fault=stall@3");
	/* One list comes back, others do not. */
	ops[0] = make_op(&rng, PMD_MANY);
	pmd_enqueue(dev, 0, ops, 1);
	take_back(ops, 1, RTE_COMP_OP_STATUS_SUCCESS);
	n = capacity(&rng, ops);
	look(1 + LOOKS, 10);
	take_back(ops, n, RTE_COMP_OP_STATUS_ERROR);
	PMD_CHECK(failures() == 1, "%" PRIu64 " failures", failures());
	n = same_capacity(ops);
	PMD_CHECK(n == fresh, "room for %u ops, %u in the first queue", n, fresh);
	take_back(ops, n, RTE_COMP_OP_STATUS_SUCCESS);
	for (int round = 0; round < 3; round++) {
		n = capacity(&rng, ops);
		take_back(ops, n, RTE_COMP_OP_STATUS_SUCCESS);
	}
	PMD_CHECK(failures() == 1, "%" PRIu64 " failures", failures());
	stop();
	pmd_log_end();
}

/* The function has room for a CQE of every op in flight: what was not given back counts. */
static void
room_for_completions(void)
{
	static const uint32_t depths[] = { 1, 2, 16, 32, 48, 61, 62, 63, 64, 100, 126, 127, 500,
		1022, 1023 };
	struct rte_comp_op *ops[1023];
	struct rng rng;

	pmd_rng(&rng);
	dev = pmd_dev_add(NAME, "engine=copy,workers=0,sw=off");
	for (unsigned int d = 0; d < RTE_DIM(depths); d++) {
		uint16_t n = (uint16_t)depths[d], done = 0;
		const struct hisi_qm_ring *ring;

		pmd_dev_start(dev, 1, n);
		comp = pmd_xform(dev, &pmd_deflate_xform);
		for (uint16_t i = 0; i < n; i++)
			ops[i] = make_op(&rng, PMD_LINEAR);
		while (done < 3000) {
			uint16_t burst = (uint16_t)rng_range(&rng, 1, n), given_back, held;

			pmd_run(dev, 0, ops, burst);
			done += burst;
			ring = pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q.queue->ring;
			given_back = (uint16_t)(*ring->cq_db >> HISI_QM_DB_INDEX_SHIFT);
			held = (ring->cq_head - given_back) & ring->mask;
			PMD_CHECK(held + n <= ring->mask, "depth %u: %u CQEs of %u are not given "
				"back, and %u ops may be in flight", n, held, ring->mask + 1, n);
		}
		for (uint16_t i = 0; i < n; i++)
			pmd_op_free(ops[i]);
		pmd_xform_free(dev, comp);
		pmd_dev_stop(dev);
	}
	pmd_dev_remove(NAME);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "each_has_its_time", each_has_its_time },
		{ "fails_in_time", fails_in_time, PMD_FAULTS },
		{ "no_timeout", no_timeout },
		{ "late_answer", late_answer, PMD_FAULTS },
		{ "lie_is_said", lie_is_said, PMD_FAULTS },
		{ "taken_anew", taken_anew, PMD_FAULTS },
		{ "room_for_completions", room_for_completions },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_watch", .count = 1, .cases = cases, .vdevs = none,
	});
}
