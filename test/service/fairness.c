/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Who gets how much: what idle connections cost a busy client; busy clients with ops of any
 * size; access points with weights; a client of small ops beside clients of bulk.
 *
 * Busy clients are connections whose rings one thread keeps full: so a machine that
 * has no time for them has none for all, and what is compared stays comparable.
 *
 * usage: fairness --service PROGRAM [--OPTION VALUE]...
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define KIB 1024u

/* Bytes that a busy client keeps in flight, and the most of its ops. */
#define BACKLOG   (8u << 20)
#define DEPTH_MAX 1024u

/* A turn of one of two clients that are compared. */
#define TURN_US 100e3

/* What a queue of weight 1 may have per round (qm_dev_pool.h), and ops of bulk clients. */
#define QUANTUM (64 * KIB)

/* Of the service with small ops. */
#define WORKERS 1

static unsigned long idle = 256, clients = 16, seconds = 2, turns = 10, tries = 4, bulk = 8,
	smalls = 300, percent = 5, slack = 100;
static const char *service_program;

static const struct load_option options[] = {
	{ "service", NULL, &service_program, "program, and arguments of it" },
	{ "idle", &idle, NULL, "idle connections beside a busy client" },
	{ "turns", &turns, NULL, "turns of 0.1 s with, and as many without them" },
	{ "cost", &percent, NULL, "bound: what they may cost, percent" },
	{ "clients", &clients, NULL, "busy clients, with ops of 1 KiB to 1 MiB" },
	{ "seconds", &seconds, NULL, "how long shares are measured" },
	{ "bulk", &bulk, NULL, "bulk clients beside one with small ops" },
	{ "smalls", &smalls, NULL, "small ops of it" },
	{ "slack", &slack, NULL, "bound of their wait, in percent" },
	{ "tries", &tries, NULL, "measurements at most; what else a machine does disturbs them" },
	{ 0 },
};

/* ---- Busy clients ---- */

struct busy {
	struct load_client c;
	struct hisi_zip_sqe req;
	uint16_t depth, in_flight;
	uint64_t bytes; /* of source, completed */
};

static void
busy_open(struct busy *b, const char *name, uint32_t op, uint32_t backlog)
{
	*b = (struct busy){ .depth = 16 };
	while (b->depth < DEPTH_MAX && b->depth * op < backlog)
		b->depth *= 2;
	LOAD_CHECK(load_client_open(&b->c, name, op) == 0, "cannot connect to %s", name);
	LOAD_CHECK(load_client_take(&b->c, HISI_ZIP_QC_COMPRESS, b->depth) == 0, "no queue");
	for (size_t at = 0; at < op; at++)
		b->c.src[at] = load_data[at % load_data_len];
	b->req = load_request(b->c.src, op, b->c.comp, b->c.comp_max);
}

/* Take what is done; with more, fill the ring again. @return Completions. */
static unsigned int
busy_turn(struct busy *b, bool more)
{
	struct spim_queue *q = b->c.queue[HISI_ZIP_QC_COMPRESS];
	struct hisi_qm_ring *ring = q->ring;
	uint16_t n = hisi_qm_cq_ready(ring, b->in_flight), tail;

	for (uint16_t i = 0; i < n; i++) {
		const struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(ring,
			(uint16_t)((ring->cq_head + i) & ring->mask));

		LOAD_CHECK((sqe->dw3 & HISI_ZIP_STATUS_MASK) == HISI_ZIP_OK, "status 0x%x",
			sqe->dw3);
		b->bytes += b->req.input_data_length;
	}
	if (n != 0) {
		hisi_qm_cq_skip(ring, n);
		hisi_qm_cq_ring(ring);
		b->in_flight -= n;
	}
	if (!more || b->in_flight == ring->mask)
		return n;
	for (tail = ring->sq_tail; b->in_flight < ring->mask; b->in_flight++) {
		memcpy(hisi_qm_sq_slot(ring, tail), &b->req, sizeof(b->req));
		tail = (tail + 1) & ring->mask;
	}
	ring->sq_tail = tail;
	hisi_qm_sq_ring(ring);
	return n;
}

static void
busy_drain(struct busy *b)
{
	double until = load_now_us() + 60e6;

	while (b->in_flight != 0) {
		LOAD_CHECK(load_now_us() < until, "%u requests do not come back", b->in_flight);
		if (busy_turn(b, false) == 0)
			load_nap_us(200);
	}
}

static void
busy_close(struct busy *b)
{
	busy_drain(b);
	load_client_close(&b->c);
}

/* Keep n clients busy for so long; bytes are counted from the start. */
static void
busy_run(struct busy *b, unsigned long n, double us)
{
	double until = load_now_us() + us;
	unsigned int got;

	for (unsigned long i = 0; i < n; i++)
		b[i].bytes = 0;
	do {
		got = 0;
		for (unsigned long i = 0; i < n; i++)
			got += busy_turn(&b[i], true);
		if (got == 0)
			load_nap_us(200);
	} while (load_now_us() < until);
}

/* ---- Idle connections ---- */

struct side {
	struct load_service s;
	struct busy b;
	double bytes, us, cpu_s;
	double rate[1024]; /* of each turn */
};

static void
side_turn(struct side *side, unsigned long turn)
{
	double cpu = load_usage_get(side->s.pid).cpu_s, start, us;

	busy_run(&side->b, 1, TURN_US / 10); /* so that all is awake */
	start = load_now_us();
	busy_run(&side->b, 1, TURN_US);
	us = load_now_us() - start;
	side->bytes += (double)side->b.bytes;
	side->us += us;
	side->rate[turn] = (double)side->b.bytes / us;
	busy_drain(&side->b);
	side->cpu_s += load_usage_get(side->s.pid).cpu_s - cpu;
}

/*
 * Two services, one with idle connections; their busy clients take turns, so that what
 * else the machine does meets both.
 */
static void
measure_idle(void)
{
	static struct side with, without;
	struct load_client *beside = calloc(idle, sizeof(*beside));
	double cost = 100, part, ratio[1024];

	LOAD_CHECK(beside != NULL && turns <= 1024, "--idle %lu --turns %lu", idle, turns);
	load_service_start(&with.s, service_program, NULL, "--workers 1");
	load_service_start(&without.s, service_program, NULL, "--workers 1");
	for (unsigned long i = 0; i < idle; i++)
		LOAD_CHECK(load_client_open(&beside[i], with.s.name[0], 4096) == 0,
			"connection %lu", i);
	busy_open(&with.b, with.s.name[0], 32 * KIB, BACKLOG);
	busy_open(&without.b, without.s.name[0], 32 * KIB, BACKLOG);
	for (unsigned long t = 0; t < tries && cost > (double)percent; t++) {
		with.bytes = without.bytes = with.us = without.us = 0;
		with.cpu_s = without.cpu_s = 0;
		for (unsigned long i = 0; i < turns; i++) {
			side_turn(i % 2 == 0 ? &with : &without, i);
			side_turn(i % 2 == 0 ? &without : &with, i);
			ratio[i] = with.rate[i] / without.rate[i];
		}
		part = 100 * (1 - load_percentile(ratio, turns, 0.5));
		printf("     a busy client alone: %.0f MB/s; beside %lu idle connections %.0f MB/s "
			"(median of %lu pairs: %+.2f %%); CPU time of the service per GB: "
			"%.3f s, %.3f s\n", without.bytes / without.us, idle,
			with.bytes / with.us, turns, -part, without.cpu_s / without.bytes * 1e9,
			with.cpu_s / with.bytes * 1e9);
		cost = part < cost ? part : cost;
	}
	load_at_most("what idle connections cost a busy client", cost, (double)percent, "%");
	busy_close(&with.b);
	busy_close(&without.b);
	for (unsigned long i = 0; i < idle; i++)
		load_client_close(&beside[i]);
	free(beside);
	load_service_end(&with.s);
	load_service_end(&without.s);
}

/* ---- Shares ---- */

static double
jain(const struct busy *b, unsigned long n)
{
	double sum = 0, squares = 0;

	for (unsigned long i = 0; i < n; i++) {
		sum += (double)b[i].bytes;
		squares += (double)b[i].bytes * (double)b[i].bytes;
	}
	return sum * sum / ((double)n * squares);
}

static void
measure_sizes(void)
{
	struct busy *b = calloc(clients, sizeof(*b));
	double best = 0, index;
	struct load_service s;

	LOAD_CHECK(b != NULL, "--clients %lu", clients);
	load_service_start(&s, service_program, NULL, "--workers 2");
	for (unsigned long i = 0; i < clients; i++)
		busy_open(&b[i], s.name[0], KIB << i % 11, BACKLOG);
	for (unsigned long t = 0; t < tries && best < 0.98; t++) {
		busy_run(b, clients, 0.5e6);
		busy_run(b, clients, (double)seconds * 1e6);
		index = jain(b, clients);
		printf("     MiB served to %lu clients with ops of 1 KiB to 1 MiB in %lu s:",
			clients, seconds);
		for (unsigned long i = 0; i < clients; i++)
			printf(" %.0f", (double)b[i].bytes / 1048576);
		puts("");
		best = index > best ? index : best;
	}
	load_at_least("Jain's index of bytes served", best, 0.98, "");
	for (unsigned long i = 0; i < clients; i++)
		busy_close(&b[i]);
	load_service_end(&s);
	free(b);
}

static void
measure_weights(void)
{
	static const unsigned int weights[] = { 1, 2, 4, 0 };
	double worst = 100, sum, off, try;
	struct load_service s;
	struct busy b[3];

	load_service_start(&s, service_program, weights, "--workers 2");
	for (unsigned int i = 0; i < 3; i++)
		/* Deeper: the heaviest gets through it while the thread that fills it sleeps. */
		busy_open(&b[i], s.name[i], 32 * KIB, 4 * BACKLOG);
	for (unsigned long t = 0; t < tries && worst > 5; t++) {
		busy_run(b, 3, 0.5e6);
		busy_run(b, 3, (double)seconds * 1e6);
		sum = (double)(b[0].bytes + b[1].bytes + b[2].bytes);
		try = 0;
		for (unsigned int i = 0; i < 3; i++) {
			off = 100 * ((double)b[i].bytes / (sum * weights[i] / 7) - 1);
			try = off > try ? off : -off > try ? -off : try;
		}
		printf("     weights 1:2:4 were served 1:%.3f:%.3f\n",
			(double)b[1].bytes / (double)b[0].bytes,
			(double)b[2].bytes / (double)b[0].bytes);
		worst = try < worst ? try : worst;
	}
	load_at_most("share besides that of the weight, at worst", worst, 5, "%");
	for (unsigned int i = 0; i < 3; i++)
		busy_close(&b[i]);
	load_service_end(&s);
}

/* ---- Small beside bulk ---- */

/* Bytes of the bulk clients' ops, of those done and not yet taken or of the others. */
static double
bulk_bytes(struct busy *b, bool done)
{
	double bytes = 0;

	for (unsigned long i = 0; i < bulk; i++) {
		struct hisi_qm_ring *ring = b[i].c.queue[HISI_ZIP_QC_COMPRESS]->ring;
		uint16_t n = hisi_qm_cq_ready(ring, b[i].in_flight);

		bytes += (double)(done ? n : b[i].in_flight - n) * b[i].req.input_data_length;
	}
	return bytes;
}

/*
 * One small op at a time beside bulk clients with a deep backlog. It has to wait for
 * the ops being executed and for a quantum of each of them at most: with the
 * throughput measured meanwhile that is a time. Twice that, as a share of the CPU is
 * not always there, and what waking up takes are allowed.
 *
 * How much of the others is served meanwhile holds whatever that takes: who serves in the order
 * of arrival serves all that was queued before. It is the median, as what is served while we are
 * kept from looking counts, too.
 */
static void
measure_small(uint32_t op)
{
	struct busy *b = calloc(bulk, sizeof(*b));
	double *us = calloc(smalls + 1, sizeof(*us)), start, first, bytes, rate, p50, p99, bound;
	double *others = calloc(smalls + 1, sizeof(*others)), best = 1e12, best_bound = 0;
	/* The op under way may be longer than a quantum; the deficit carries one more. */
	const double fair = 2 * ((double)op * (WORKERS + 1) + (double)bulk * QUANTUM);
	double queued, before, overtaken = 1e12;
	struct load_service s;
	struct load_client c;
	struct hisi_zip_sqe req;
	char what[80];

	LOAD_CHECK(b != NULL && us != NULL && others != NULL, "--bulk %lu --smalls %lu", bulk,
		smalls);
	load_service_start(&s, service_program, NULL, "--workers %u", WORKERS);
	for (unsigned long i = 0; i < bulk; i++)
		busy_open(&b[i], s.name[0], op, BACKLOG);
	LOAD_CHECK(load_client_open(&c, s.name[0], 4 * KIB) == 0, "cannot connect");
	LOAD_CHECK(load_client_take(&c, HISI_ZIP_QC_COMPRESS, 16) == 0, "no queue");
	memcpy(c.src, load_data, 4 * KIB);
	req = load_request(c.src, 4 * KIB, c.comp, c.comp_max);
	busy_run(b, bulk, 0.2e6);
	for (unsigned long t = 0; t < tries && (best > best_bound || overtaken > fair); t++) {
		first = load_now_us();
		bytes = 0;
		queued = 0;
		for (unsigned long i = 0; i < smalls; i++) {
			struct spim_queue *q = c.queue[HISI_ZIP_QC_COMPRESS];

			busy_run(b, bulk, 2000 + 37.0 * (double)(i % 100));
			for (unsigned long k = 0; k < bulk; k++)
				bytes += (double)b[k].bytes;
			queued += bulk_bytes(b, false) / (double)smalls;
			start = load_now_us();
			before = bulk_bytes(b, true);
			load_submit(q, &req, 0);
			LOAD_CHECK(load_complete(q) != NULL, "no completion");
			others[i] = bulk_bytes(b, true) - before;
			us[i] = load_now_us() - start;
		}
		rate = bytes / (load_now_us() - first);
		p99 = load_percentile(us, smalls, 0.99);
		p50 = us[smalls / 2];
		bound = (fair / rate + 500) * (double)slack / 100;
		printf("     4 KiB ops beside %lu clients of %u KiB ops with %u MiB queued each: "
			"p50 %.0f us, p99 %.0f us; their backlog is %.0f us at %.0f MB/s\n", bulk,
			op / KIB, BACKLOG >> 20, p50, p99,
			(double)bulk * (BACKLOG < op * DEPTH_MAX ? BACKLOG : op * DEPTH_MAX) / rate,
			rate);
		before = load_percentile(others, smalls, 0.5);
		overtaken = before < overtaken ? before : overtaken;
		printf("     served before one of them: median %.2f MiB of %.1f MiB\n",
			before / 1048576, queued / 1048576);
		if (t == 0 || p99 / bound < best / best_bound) {
			best = p99;
			best_bound = bound;
		}
	}
	snprintf(what, sizeof(what), "wait of small ops beside %u KiB ops, p99", op / KIB);
	load_at_most(what, best, best_bound, "us");
	snprintf(what, sizeof(what), "served before a small op, of %u KiB ops, median", op / KIB);
	load_at_most(what, overtaken / 1048576, fair / 1048576, "MiB");
	load_client_close(&c);
	for (unsigned long i = 0; i < bulk; i++)
		busy_close(&b[i]);
	load_service_end(&s);
	free(b);
	free(us);
	free(others);
}

int
main(int argc, char **argv)
{
	load_options(argc, argv, options);
	load_data_read();
	if (idle != 0)
		measure_idle();
	if (clients != 0)
		measure_sizes();
	if (seconds != 0)
		measure_weights();
	if (bulk != 0) {
		measure_small(QUANTUM);
		measure_small(1024 * KIB);
	}
	return load_result();
}
