/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The life of a device: stop and close with ops in flight, configure after
 * close, other sizes, removal and making it again. Every op that was accepted
 * comes back once, or is the application's again when its queue pair is gone;
 * nothing is written to afterwards, and nothing leaks.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_malloc.h>

#include <zlib.h>

#include "pmd_test.h"

#define QPS_MAX 3
#define OPS_MAX 48
#define LEN_MAX 40000
#define NAME "compress_hisi_zip_life"

/* One device of each kind that works by itself in another way. */
static const char *const kinds[] = {
	"workers=0", "workers=1", "workers=2", "engine=copy,workers=0", "engine=copy,workers=1",
	"ext=off,workers=1", "rev=v2,workers=1", "rev=v2,workers=0",
};

/* Ops in flight on one queue pair. */
struct flight {
	struct rte_comp_op *ops[OPS_MAX];
	uint8_t status[OPS_MAX]; /* that each is to come back with */
	uint16_t n;      /* enqueued */
	uint16_t done;   /* given back */
};

struct ground {
	uint8_t dev;
	bool copy;
	void *comp, *decomp;
	void *stream[2]; /* one a direction */
	bool busy[2];    /* an op of the stream is in flight */
	struct bytes plain, packed;
	uint16_t qps;
	struct flight flights[QPS_MAX];
};

static void
ground_begin(struct rng *rng, struct ground *g, uint8_t dev, const char *kind, bool streams)
{
	int ret;

	memset(g, 0, sizeof(*g));
	g->dev = dev;
	g->copy = strstr(kind, "copy") != NULL;
	g->comp = pmd_xform(dev, &pmd_deflate_xform);
	g->decomp = pmd_xform(dev, &pmd_inflate_xform);
	if (streams) {
		ret = rte_compressdev_stream_create(dev, &pmd_deflate_xform, &g->stream[0]);
		PMD_CHECK(ret == 0, "stream_create returned %d", ret);
		ret = rte_compressdev_stream_create(dev, &pmd_inflate_xform, &g->stream[1]);
		PMD_CHECK(ret == 0, "stream_create returned %d", ret);
	}
	g->plain = bytes_random(rng, rng_range(rng, 1, LEN_MAX));
	g->packed = bytes_deflate(g->plain.data, g->plain.len, 6, 15);
}

static void
ground_end(struct ground *g)
{
	for (int i = 0; i < 2; i++) {
		int ret = rte_compressdev_stream_free(g->dev, g->stream[i]);

		PMD_CHECK(ret == 0, "stream_free(%s) returned %d", i == 0 ? "compression" :
			"decompression", ret);
	}
	pmd_xform_free(g->dev, g->comp);
	pmd_xform_free(g->dev, g->decomp);
	bytes_free(&g->plain);
	bytes_free(&g->packed);
}

static struct rte_comp_op *
random_op(struct rng *rng, struct ground *g)
{
	bool comp = rng_one_in(rng, 2);
	const struct bytes *src = comp ? &g->plain : &g->packed;
	struct rte_comp_op *op;

	op = pmd_op(comp ? g->comp : g->decomp, pmd_chain(rng, rng_one_in(rng, 2) ? PMD_LINEAR :
			PMD_FEW, src->data, 0, src->len, 0), 0, (uint32_t)src->len,
		pmd_chain(rng, rng_one_in(rng, 2) ? PMD_LINEAR : PMD_FEW, NULL, 0,
			g->plain.len + g->plain.len / 4 + 200, 0), 0);
	if (!g->copy && g->stream[0] != NULL && rng_one_in(rng, 8)) {
		op->op_type = RTE_COMP_OP_STATEFUL;
		op->stream = g->stream[!comp];
	}
	return op;
}

/* What an op that was taken just now will get: a stream takes one at a time. */
static uint8_t
expected_status(struct ground *g, const struct rte_comp_op *op)
{
	bool *busy;

	if (op->op_type != RTE_COMP_OP_STATEFUL)
		return RTE_COMP_OP_STATUS_SUCCESS;
	busy = &g->busy[op->stream == g->stream[1]];
	if (*busy)
		return RTE_COMP_OP_STATUS_INVALID_STATE;
	*busy = true;
	return RTE_COMP_OP_STATUS_SUCCESS;
}

/* Put ops in flight on all queue pairs, and take a few back. */
static void
take_off(struct rng *rng, struct ground *g)
{
	for (uint16_t qp = 0; qp < g->qps; qp++) {
		struct flight *f = &g->flights[qp];
		uint16_t more = (uint16_t)rng_below(rng, OPS_MAX + 1 - f->n), taken;

		for (uint16_t i = 0; i < more; i++)
			f->ops[f->n + i] = random_op(rng, g);
		taken = rte_compressdev_enqueue_burst(g->dev, qp, f->ops + f->n, more);
		/* What was not taken is still ours. */
		for (uint16_t i = taken; i < more; i++)
			pmd_op_free(f->ops[f->n + i]);
		for (uint16_t i = 0; i < taken; i++)
			f->status[f->n + i] = expected_status(g, f->ops[f->n + i]);
		f->n += taken;
	}
}

/* Everything in flight is done when a device has stopped. */
static void
stop(struct ground *g)
{
	rte_compressdev_stop(g->dev);
	g->busy[0] = g->busy[1] = false;
}

/* An op came back: is it the next one, and as it should be? */
static void
check_op(struct ground *g, uint16_t qp, const struct rte_comp_op *op)
{
	struct flight *f = &g->flights[qp];
	bool stateful = op->op_type == RTE_COMP_OP_STATEFUL;
	bool comp = stateful ? op->stream == g->stream[0] : op->private_xform == g->comp;
	const struct bytes *src = comp ? &g->plain : &g->packed;
	uint8_t due;

	PMD_CHECK(f->done < f->n, "an op more than there were");
	PMD_CHECK(op == f->ops[f->done], "op %u of queue pair %u is another one", f->done, qp);
	due = f->status[f->done++];
	PMD_CHECK(op->status == due, "%s %s: %s, expected %s",
		stateful ? "stateful" : "stateless", comp ? "compression" : "decompression",
		pmd_status(op->status), pmd_status(due));
	if (due != RTE_COMP_OP_STATUS_SUCCESS)
		return;
	if (stateful)
		g->busy[!comp] = false;
	PMD_CHECK(op->consumed == src->len, "consumed %u of %zu", op->consumed, src->len);
	if (g->copy || !comp) {
		struct bytes out = bytes_alloc(op->produced);
		const struct bytes *expected = g->copy ? src : &g->plain;

		pmd_chain_read(op->m_dst, 0, out.data, out.len);
		PMD_CHECK(out.len == expected->len &&
			memcmp(out.data, expected->data, out.len) == 0, "wrong bytes");
		bytes_free(&out);
	}
}

/* Take back all (max UINT16_MAX) or a few ops. */
static void
land(struct ground *g, uint16_t qp, uint16_t max)
{
	struct flight *f = &g->flights[qp];
	uint16_t n = RTE_MIN(max, (uint16_t)(f->n - f->done));
	struct rte_comp_op *back[OPS_MAX];

	pmd_dequeue(g->dev, qp, back, n);
	for (uint16_t i = 0; i < n; i++)
		check_op(g, qp, back[i]);
}

static void
forget(struct ground *g)
{
	for (uint16_t qp = 0; qp < g->qps; qp++) {
		for (uint16_t i = 0; i < g->flights[qp].n; i++)
			pmd_op_free(g->flights[qp].ops[i]);
		g->flights[qp].n = g->flights[qp].done = 0;
	}
}

static uint32_t
random_depth(struct rng *rng)
{
	static const uint32_t depths[] = { 1, 7, 16, 64, 128, 500, 1023, 2000 };

	return depths[rng_below(rng, RTE_DIM(depths))];
}

static void
configure(struct rng *rng, struct ground *g)
{
	g->qps = (uint16_t)rng_range(rng, 1, QPS_MAX);
	pmd_dev_start(g->dev, g->qps, random_depth(rng));
}

/* Runs a case on devices of every kind, which shall not come to hold more and more. */
static void
each_kind(void (*one)(struct rng *rng, struct ground *g))
{
	static struct ground g;
	struct rng rng;

	while (pmd_next(&rng)) {
		/* Kinds in turns; a device lives for a while. */
		const char *kind = kinds[pmd_iteration() % RTE_DIM(kinds)];
		struct pmd_usage before = { 0 };
		uint8_t dev = pmd_dev_add(NAME, kind);

		for (int i = 0; i < 10; i++) {
			ground_begin(&rng, &g, dev, kind, true);
			one(&rng, &g);
			ground_end(&g);
			/* The first rounds may fill caches. */
			if (i == 1)
				before = pmd_usage_get();
		}
		pmd_usage_check(kind, &before);
		pmd_dev_remove(NAME);
	}
}

/* After stop with ops in flight, dequeue gives every one of them. */
static void
stop_then_dequeue(struct rng *rng, struct ground *g)
{
	configure(rng, g);
	for (size_t again = rng_range(rng, 1, 2); again > 0; again--) {
		take_off(rng, g);
		for (uint16_t qp = 0; qp < g->qps; qp++)
			land(g, qp, (uint16_t)rng_below(rng, 5));
		stop(g);
		for (uint16_t qp = 0; qp < g->qps; qp++) {
			struct rte_comp_op *none;

			/* Or at least some of them: the others come after the next start. */
			land(g, qp, again > 1 && rng_one_in(rng, 2) ?
				(uint16_t)rng_below(rng, 10) : UINT16_MAX);
			if (g->flights[qp].done == g->flights[qp].n)
				PMD_CHECK(rte_compressdev_dequeue_burst(g->dev, qp, &none, 1) == 0,
					"an op more than there were");
		}
		if (again > 1)
			PMD_CHECK(rte_compressdev_start(g->dev) == 0, "start");
	}
	PMD_CHECK(rte_compressdev_close(g->dev) == 0, "close");
	forget(g);
}

/* Stop and close with ops in flight; what is freed then must not be written to. */
static void
close_in_flight(struct rng *rng, struct ground *g)
{
	configure(rng, g);
	take_off(rng, g);
	for (uint16_t qp = 0; qp < g->qps; qp++)
		land(g, qp, (uint16_t)rng_below(rng, 5));
	pmd_dev_stop(g->dev);
	g->busy[0] = g->busy[1] = false;
	forget(g);
	/* And on with other sizes. */
	configure(rng, g);
	take_off(rng, g);
	for (uint16_t qp = 0; qp < g->qps; qp++)
		land(g, qp, UINT16_MAX);
	pmd_dev_stop(g->dev);
	g->busy[0] = g->busy[1] = false;
	forget(g);
}

/* Queue pairs set up again, with another depth, while ops of the old one are not dequeued. */
static void
setup_again(struct rng *rng, struct ground *g)
{
	uint16_t qp;

	configure(rng, g);
	take_off(rng, g);
	stop(g);
	for (qp = 0; qp < g->qps; qp++) {
		uint32_t depth = random_depth(rng);
		int ret = rte_compressdev_queue_pair_setup(g->dev, qp, depth,
			(int)rte_socket_id());

		PMD_CHECK(ret == 0, "queue_pair_setup(%u, depth %u) returned %d", qp, depth, ret);
	}
	forget(g);
	PMD_CHECK(rte_compressdev_start(g->dev) == 0, "start");
	take_off(rng, g);
	for (qp = 0; qp < g->qps; qp++)
		land(g, qp, UINT16_MAX);
	pmd_dev_stop(g->dev);
	g->busy[0] = g->busy[1] = false;
	forget(g);
}

static void
case_stop_then_dequeue(void)
{
	each_kind(stop_then_dequeue);
}

static void
case_close_in_flight(void)
{
	each_kind(close_in_flight);
}

static void
case_setup_again(void)
{
	each_kind(setup_again);
}

/* What a device is in the middle of when it is removed. */
enum state { NOTHING, STARTED, IN_FLIGHT, STOPPED, CLOSED, STATES };

static void
remove_in(struct rng *rng, struct ground *g, enum state state, const char *kind)
{
	uint8_t dev = pmd_dev_add(NAME, kind);

	ground_begin(rng, g, dev, kind, state != IN_FLIGHT);
	if (state >= STARTED)
		configure(rng, g);
	if (state >= IN_FLIGHT)
		take_off(rng, g);
	if (state >= STOPPED)
		rte_compressdev_stop(dev);
	if (state >= CLOSED)
		PMD_CHECK(rte_compressdev_close(dev) == 0, "close");
	if (state == IN_FLIGHT) {
		/* Transforms of ops in flight cannot be freed, nor can they without a device. */
		pmd_dev_remove(NAME);
		rte_free(g->comp);
		rte_free(g->decomp);
		bytes_free(&g->plain);
		bytes_free(&g->packed);
	} else {
		ground_end(g);
		pmd_dev_remove(NAME);
	}
	PMD_CHECK(rte_compressdev_get_dev_id(NAME) < 0, "still there");
	forget(g);
}

/* A device is removed, whatever state it is in, and made again. */
static void
hot_remove(void)
{
	static struct ground g;
	struct rng rng;

	while (pmd_next(&rng)) {
		for (unsigned int i = 0; i < RTE_DIM(kinds); i++) {
			struct pmd_usage before = pmd_usage_get();

			for (enum state state = NOTHING; state < STATES; state++) {
				if (state == IN_FLIGHT)
					continue;
				remove_in(&rng, &g, state, kinds[i]);
				/* The first time, the libraries below take something for good. */
				if (pmd_iteration() > 0)
					pmd_usage_check(kinds[i], &before);
			}
			remove_in(&rng, &g, IN_FLIGHT, kinds[i]);
		}
	}
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "stop_then_dequeue", case_stop_then_dequeue, PMD_BAD_OPS },
		{ "close_in_flight", case_close_in_flight, PMD_BAD_OPS },
		{ "setup_again", case_setup_again, PMD_BAD_OPS },
		{ "hot_remove", hot_remove, PMD_BAD_OPS },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_life", .count = 16, .cases = cases,
	});
}
