/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Queues of the class UDMA: wild requests, fences, the largest copies there are, and queues whose
 * class changes. Addresses are in attacks_request.c, for both classes.
 */

#include <string.h>
#include <time.h>

#include "attacker.h"

#define MEM_LEN (64u << 20)
#define DEPTH   64
#define QUEUES  4

/* Where requests may write, behind the rings; the largest copy fits twice. */
#define DATA_FROM (4u << 20)
#define DATA_TO   (24u << 20)

#define PROPER 2000u

static struct attacker a;
static struct queue q[QUEUES];

static void
open_queues(const struct target *t, unsigned int n)
{
	attacker_open(&a, t, MEM_LEN);
	for (uint16_t i = 0; i < n; i++)
		queue_start(&q[i], &a, i, HISI_UDMA_QC, DEPTH);
}

static void
close_queues(void)
{
	attacker_must_work(&a, QUEUES);
	if (a.used > DATA_FROM)
		die("no room before what requests may write to");
	attacker_close(&a);
}

static const struct hisi_udma_sqe *
pop(struct queue *from, const char *what)
{
	const struct hisi_zip_sqe *sqe = queue_pop(from, 60000);

	if (sqe == NULL)
		die("%s: a request of queue %u did not complete", what, from->qn);
	return (const struct hisi_udma_sqe *)sqe;
}

/* ---- Requests ---- */

static uint64_t
wild_addr(uint32_t *seed)
{
	switch (rnd(seed) % 8) {
	case 0: return rnd64(seed);
	case 1: return ATTACKER_IOVA + MEM_LEN - rnd(seed) % 300;
	case 2: return ATTACKER_IOVA - 1 - rnd(seed) % 300;
	case 3: return UINT64_MAX - rnd(seed) % 300;
	case 4: return rnd(seed) % 300;
	default: return ATTACKER_IOVA + DATA_FROM + rnd(seed) % (MEM_LEN - DATA_FROM);
	}
}

static void
wild_udma(uint32_t *seed, struct hisi_udma_sqe *sqe)
{
	uint64_t from = wild_addr(seed), at = wild_addr(seed);

	fill_random(sqe, sizeof(*sqe), rnd(seed));
	sqe->src_l = (uint32_t)from;
	sqe->src_h = (uint32_t)(from >> 32);
	sqe->dst_l = (uint32_t)at;
	sqe->dst_h = (uint32_t)(at >> 32);
	switch (rnd(seed) % 8) {
	case 0: break;
	case 1: sqe->len = HISI_UDMA_LEN_MAX - 2 + rnd(seed) % 4; break;
	case 2: sqe->len = rnd(seed) % 20; break;
	default: sqe->len = rnd(seed) % 20000; break;
	}
	if (rnd(seed) % 8 == 0)
		return;
	/* Nearly right, or the first look would be the last one. */
	sqe->dw0 = HISI_UDMA_BD | HISI_UDMA_TASK << HISI_UDMA_DW0_TASK_SHIFT |
		(rnd(seed) % 2 != 0 ? HISI_UDMA_COPY : HISI_UDMA_FILL) << HISI_UDMA_DW0_EXT_SHIFT;
	sqe->dw7 &= HISI_UDMA_DW7_PREFETCH;
	sqe->ext &= HISI_UDMA_EXT_FENCE;
	memset(sqe->rsvd1, 0, sizeof(sqe->rsvd1));
	memset(sqe->rsvd10, 0, sizeof(sqe->rsvd10));
	memset(sqe->rsvd24, 0, sizeof(sqe->rsvd24));
}

static void
every_word_wild(const struct target *t)
{
	const uint64_t nowhere = ATTACKER_IOVA / 2;
	double until = now_s() + t->seconds;
	uint8_t *from, *to;
	uint32_t seed = t->seed;

	open_queues(t, 1);
	from = attacker_alloc(&a, PROPER, 64);
	to = attacker_alloc(&a, PROPER, 64);
	for (unsigned int round = 0; round < 2 || now_s() < until; round++) {
		unsigned int n = 1 + rnd(&seed) % 16;

		for (unsigned int i = 0; i < n; i++)
			wild_udma(&seed, queue_next_udma(&q[0], HISI_UDMA_COPY, 0, 0, 0));
		/* One that must be wrong, and one that must be right, whatever is beside them. */
		queue_next_udma(&q[0], HISI_UDMA_COPY, nowhere, attacker_iova(&a, to), PROPER);
		queue_next_udma(&q[0], HISI_UDMA_COPY, attacker_iova(&a, from),
				attacker_iova(&a, to), PROPER);
		fill_random(from, PROPER, round);
		queue_ring(&q[0]);
		for (unsigned int i = 0; i < n + 2; i++) {
			uint32_t wb = pop(&q[0], "wild words")->wb;

			if (i >= n && (wb == HISI_UDMA_WB_GOOD) != (i == n + 1))
				die("seed %u, round %u: a request that is %s has wb 0x%x", t->seed,
						round, i == n ? "wrong" : "right", wb);
		}
		if (memcmp(from, to, PROPER) != 0)
			die("seed %u, round %u: a copy is wrong", t->seed, round);
	}
	close_queues();
}

/* ---- Fences ---- */

/* A ring full of requests, all behind fences: tiny ones, and some of 1 MiB. */
static void
push_fenced(struct queue *to, uint32_t *seed)
{
	for (unsigned int i = 0; i < DEPTH - 1; i++)
		queue_next_udma(to, rnd(seed) % 2 != 0 ? HISI_UDMA_COPY : HISI_UDMA_FILL,
				ATTACKER_IOVA + DATA_FROM, ATTACKER_IOVA + DATA_TO,
				rnd(seed) % (rnd(seed) % 8 == 0 ? 1u << 20 : 64))->ext =
				HISI_UDMA_EXT_FENCE;
	queue_ring(to);
}

static void
wait_a_little(uint32_t *seed)
{
	const struct timespec ts = { .tv_nsec = (long)(rnd(seed) % 2000) * 1000 };

	nanosleep(&ts, NULL);
}

static void
all_fenced(uint32_t *seed)
{
	for (unsigned int i = 0; i < QUEUES; i++)
		push_fenced(&q[i], seed);
}

/* Until the end, and then each of the ways in which queues end in the midst of it. */
static void
fences_on_every_request(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;

	do {
		open_queues(t, QUEUES);
		all_fenced(&seed);
		for (unsigned int i = 0; i < QUEUES * (DEPTH - 1); i++)
			if (pop(&q[i % QUEUES], "fences")->wb != HISI_UDMA_WB_GOOD)
				die("a request behind a fence failed");
		all_fenced(&seed);
		wait_a_little(&seed);
		for (uint16_t i = 0; i < QUEUES; i++)
			if (attacker_mailbox(&a, HISI_QM_MB_STOP_QP, i, 0) != 0)
				die("queue %u cannot be stopped", i);
		for (unsigned int i = 0; i < QUEUES * (DEPTH - 1); i++)
			if (queue_pop(&q[i % QUEUES], 0) == NULL)
				die("a queue is stopped, and has requests");
		for (unsigned int round = 0; round < 2; round++) {
			a.used = 0;
			for (uint16_t i = 0; i < QUEUES; i++)
				queue_start(&q[i], &a, i, HISI_UDMA_QC, DEPTH);
			all_fenced(&seed);
			wait_a_little(&seed);
			if (round == 0)
				vfio_user_client_reset(a.client);
		}
		attacker_close(&a);
	} while (now_s() < until);
	open_queues(t, 1);
	close_queues();
}

/* ---- The largest ones ---- */

static void
largest_copies(const struct target *t)
{
	double until = now_s() + t->seconds;
	unsigned int n = 0;

	open_queues(t, QUEUES);
	for (unsigned int i = 0; i < QUEUES; i++)
		for (unsigned int k = 0; k < 2; k++)
			queue_next_udma(&q[i], k % 2 != 0 ? HISI_UDMA_FILL : HISI_UDMA_COPY,
					ATTACKER_IOVA + DATA_FROM, ATTACKER_IOVA + DATA_TO,
					HISI_UDMA_LEN_MAX)->ext = i % 2;
	for (unsigned int i = 0; i < QUEUES; i++)
		queue_ring(&q[i]);
	for (; n < 2 * QUEUES || now_s() < until; n++) {
		struct queue *next = &q[n % QUEUES];

		if (pop(next, "largest copies")->wb != HISI_UDMA_WB_GOOD)
			die("a copy of %u bytes failed", HISI_UDMA_LEN_MAX);
		queue_next_udma(next, HISI_UDMA_COPY, ATTACKER_IOVA + DATA_FROM,
				ATTACKER_IOVA + DATA_TO, HISI_UDMA_LEN_MAX)->ext = n % 2;
		queue_ring(next);
	}
	for (n = 0; n < 2 * QUEUES; n++)
		(void)pop(&q[n % QUEUES], "the last ones");
	close_queues();
}

/* ---- Classes ---- */

/* Contexts of one class after the other for the same rings, while requests of both run. */
static void
classes_that_change(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;

	attacker_open(&a, t, MEM_LEN);
	for (unsigned int round = 0; round < 6 || now_s() < until; round++) {
		uint8_t type = (uint8_t)(rnd(&seed) % 3);

		a.used = 0;
		queue_start(&q[0], &a, 0, type, DEPTH);
		for (unsigned int i = 0; i < DEPTH - 1; i++) {
			struct hisi_zip_sqe *sqe;

			/* Of the class, or of the other one: then each is refused. */
			if (rnd(&seed) % 2 != 0) {
				queue_next_udma(&q[0], HISI_UDMA_COPY, ATTACKER_IOVA + DATA_FROM,
						ATTACKER_IOVA + DATA_TO, rnd(&seed) % 65536)->ext =
						rnd(&seed) % 2;
				continue;
			}
			sqe = queue_next(&q[0], HISI_ZIP_REQ_ZLIB);
			hisi_zip_sqe_src(sqe, ATTACKER_IOVA + DATA_FROM, rnd(&seed) % 65536);
			hisi_zip_sqe_dst(sqe, ATTACKER_IOVA + DATA_TO, 131072);
		}
		queue_ring(&q[0]);
		if (round % 2 == 0) {
			wait_a_little(&seed);
			continue;
		}
		for (unsigned int i = 0; i < DEPTH - 1; i++)
			(void)pop(&q[0], "classes");
	}
	a.used = 0;
	queue_start(&q[0], &a, 0, HISI_UDMA_QC, DEPTH);
	queue_next_udma(&q[0], HISI_UDMA_FILL, 0, ATTACKER_IOVA + DATA_TO, PROPER);
	if (queue_do_udma(&q[0]) != HISI_UDMA_WB_GOOD)
		die("a proper fill failed");
	close_queues();
}

const struct attack attacks_udma[] = {
	{ "copies with every word wild", every_word_wild },
	{ "fences on every request", fences_on_every_request },
	{ "largest copies in all queues", largest_copies },
	{ "classes of a queue that change", classes_that_change },
	{ NULL, NULL },
};
