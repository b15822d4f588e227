/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Rings, doorbells and contexts that are not what a driver makes of them.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "attacker.h"

#define MEM_LEN (16u << 20)
#define DEPTH   64
#define QUEUES  8

static struct attacker a;
static struct queue q;
static uint8_t *in, *out;

static void
open_one(const struct target *t)
{
	attacker_open(&a, t, MEM_LEN);
	queue_start(&q, &a, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
	in = attacker_alloc(&a, 65536, 4096);
	out = attacker_alloc(&a, 2 * 65536, 4096);
	fill_text(in, 65536, t->seed);
}

static void
push(uint32_t len)
{
	sqe_compress(&a, queue_next(&q, HISI_ZIP_REQ_ZLIB), in, len, out, 2 * 65536);
}

static void
must_complete(unsigned int n, const char *when)
{
	for (unsigned int i = 0; i < n; i++)
		if (queue_pop(&q, 60000) == NULL)
			die("%s: request %u of %u did not complete", when, i + 1, n);
	if (queue_pop(&q, 20) != NULL)
		die("%s: more than %u completions", when, n);
}

/* ---- Doorbells ---- */

static void
index_out_of_range(const struct target *t)
{
	static const uint16_t wrong[] = { DEPTH, DEPTH + 1, 1000, 1024, 4095, 4096, 0x7fff,
		0x8000, 0xffff };

	open_one(t);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		/* Not one of the slots is executed for it... */
		queue_ring_index(&q, wrong[i]);
		if (queue_pop(&q, 20) != NULL)
			die("index %u was taken", wrong[i]);
		/* ... and the right one still works. */
		push(1000);
		queue_ring(&q);
		must_complete(1, "after a wrong index");
	}
	/* By the register, of queues that are not there, and with wild bits. */
	for (uint32_t i = 0, seed = t->seed; i < 2000; i++) {
		uint64_t value = rnd64(&seed);

		if (i % 2 == 0)
			value = (value & ~0xf3ffull) | HISI_QM_DB_SQ << HISI_QM_DB_CMD_SHIFT;
		vfio_user_client_region_post(a.client, VFIO_USER_PCI_BAR2, HISI_QM_DB_SQ_CQ,
				&value, sizeof(value));
	}
	push(1000);
	queue_ring(&q);
	must_complete(1, "after wild doorbells");
	attacker_close(&a);
}

static void
index_backwards(const struct target *t)
{
	open_one(t);
	for (unsigned int i = 0; i < 4; i++) {
		push(65536);
		push(65536);
		push(65536);
		queue_ring(&q);
		must_complete(3, "in order");
		/*
		 * Back by two is forward by all slots but two: what is in them is executed
		 * again, which is the client's own loss.
		 */
		queue_ring_index(&q, (uint16_t)((q.tail + DEPTH - 2) % DEPTH));
		must_complete(DEPTH - 2, "backwards");
		q.tail = (uint16_t)((q.tail + DEPTH - 2) % DEPTH);
		/* Back and forth while it works. */
		push(65536);
		queue_ring(&q);
		queue_ring_index(&q, (uint16_t)((q.tail + DEPTH - 1) % DEPTH));
		queue_ring(&q);
		while (queue_pop(&q, 200) != NULL)
			;
		vfio_user_client_reset(a.client);
		a.used = 0;
		queue_start(&q, &a, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
		in = attacker_alloc(&a, 65536, 4096);
		out = attacker_alloc(&a, 2 * 65536, 4096);
	}
	attacker_close(&a);
}

static void
ring_never_consumed(const struct target *t)
{
	struct queue qs[QUEUES];
	uint32_t n = 0;
	double until;

	attacker_open(&a, t, MEM_LEN);
	in = attacker_alloc(&a, 65536, 4096);
	out = attacker_alloc(&a, 2 * 65536, 4096);
	fill_text(in, 65536, t->seed);
	for (uint16_t i = 0; i < QUEUES; i++)
		queue_start(&qs[i], &a, i, HISI_ZIP_QC_COMPRESS, DEPTH);
	/* Completions are looked for, never acknowledged; submission goes on and on. */
	until = now_s() + t->seconds;
	while (now_s() < until) {
		struct queue *w = &qs[n++ % QUEUES];

		for (unsigned int i = 0; i < 5; i++)
			sqe_compress(&a, queue_next(w, HISI_ZIP_REQ_ZLIB), in, 4096, out, 8192);
		queue_ring(w);
		nap_ms(1);
	}
	/* The function stopped filling the CQ before it wrote over what was not consumed. */
	for (uint16_t i = 0; i < QUEUES; i++)
		if ((qs[i].cq[DEPTH - 1].w7 & HISI_QM_CQE_PHASE) != 0 &&
				(qs[i].cq[0].w7 & HISI_QM_CQE_PHASE) == 0)
			die("queue %u: a CQE that nobody consumed was written over", i);
	attacker_must_work(&a, QUEUES);
	attacker_close(&a);
}

/* ---- Memory that all parties write ---- */

struct scribbler {
	pthread_t thread;
	uint8_t *mem;
	size_t len;
	uint32_t seed;
	int plausible; /* mostly values that are taken for something */
	atomic_bool stop;
};

/* A doorbell value that might be right. */
static uint64_t
db_value(uint32_t *seed)
{
	uint32_t r = rnd(seed);

	return hisi_qm_db((uint16_t)(r % (QUEUES + 1)), (r >> 8) % 5 == 0 ? HISI_QM_DB_CQ :
		HISI_QM_DB_SQ, r % 7 == 0 ? (uint16_t)rnd(seed) : 0x5ac3,
		(uint16_t)(rnd(seed) % (DEPTH + 2)), r >> 31);
}

static void *
scribble(void *arg)
{
	struct scribbler *s = arg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		size_t at = rnd(&s->seed) % (s->len / 8) * 8;
		volatile uint64_t *word = (volatile uint64_t *)(s->mem + at);

		switch (s->plausible == 0 ? 0 : rnd(&s->seed) % 8) {
		case 0: *word = rnd64(&s->seed); break;
		case 1: *word ^= 1ull << rnd(&s->seed) % 64; break;
		case 2: *word = 0; break;
		/* Addresses, lengths, indices: near what is there. */
		case 3: *word += rnd(&s->seed) % 129 - 64; break;
		case 4: *word = ATTACKER_IOVA + rnd(&s->seed) % MEM_LEN; break;
		default: *word = s->plausible == 2 ? db_value(&s->seed) : *word; break;
		}
		if (s->plausible != 0 && rnd(&s->seed) % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static void
scribble_start(struct scribbler *s, void *mem, size_t len, uint32_t seed, int plausible)
{
	*s = (struct scribbler){ .mem = mem, .len = len, .seed = seed, .plausible = plausible };
	if (pthread_create(&s->thread, NULL, scribble, s) != 0)
		die("no thread");
}

static void
scribble_end(struct scribbler *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
}

static void
scribbled_doorbells(const struct target *t)
{
	struct queue qs[QUEUES];
	struct scribbler s;
	uint32_t seed = t->seed;
	double until;

	attacker_open(&a, t, MEM_LEN);
	in = attacker_alloc(&a, 65536, 4096);
	out = attacker_alloc(&a, 2 * 65536, 4096);
	fill_text(in, 65536, seed);
	for (uint16_t i = 0; i < QUEUES; i++) {
		queue_start(&qs[i], &a, i, i % 2, DEPTH);
		for (unsigned int k = 0; k < DEPTH; k++)
			sqe_compress(&a, queue_next(&qs[i], HISI_ZIP_REQ_ZLIB), in, 1000, out,
					2000);
	}
	/* The whole page: words of queues that are not there, asleep flags, gaps. */
	scribble_start(&s, a.db, a.db_len, seed, 2);
	until = now_s() + t->seconds;
	while (now_s() < until) {
		uint32_t qn = rnd(&seed) % 4 == 0 ? rnd(&seed) : rnd(&seed) % QUEUES;

		vfio_user_client_region_post(a.client, VFIO_USER_PCI_BAR2,
				HISI_QM_SHADOW_REG_WAKE, &qn, sizeof(qn));
		a.db[rnd(&seed) % QUEUES].sq = db_value(&seed);
	}
	scribble_end(&s);
	vfio_user_client_reset(a.client);
	memset(a.db, 0, a.db_len);
	a.used = 0;
	attacker_must_work(&a, 1);
	attacker_close(&a);
}

/* Rings, lists, contexts and data under a function that works on them, doorbells too. */
static void
scribbled_rings(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;

	while (now_s() < until) {
		double turn = now_s() + 2;
		struct queue qs[QUEUES];
		struct scribbler s[2];

		attacker_open(&a, t, MEM_LEN);
		for (uint16_t i = 0; i < QUEUES; i++)
			queue_start(&qs[i], &a, i, i % 2, DEPTH);
		in = attacker_alloc(&a, 65536, 4096);
		out = attacker_alloc(&a, 2 * 65536, 4096);
		fill_text(in, 65536, seed);
		/* One writes what is in the rings, the other one everything. */
		scribble_start(&s[0], a.mem, (size_t)(in - a.mem), rnd(&seed), 1);
		scribble_start(&s[1], a.mem, a.used, rnd(&seed), 0);
		while (now_s() < turn && now_s() < until) {
			struct queue *w = &qs[rnd(&seed) % QUEUES];
			struct hisi_zip_sqe *sqe = queue_next(w, rnd(&seed) % 4 == 0 ?
				(uint8_t)(0xf0 + rnd(&seed) % 2) : (uint8_t)(1 + rnd(&seed) % 3));

			sqe->dw7 |= rnd(&seed) % 3 == 0 ? (rnd(&seed) & 7u) << 25 : 0;
			sqe->dw9 |= rnd(&seed) % 3 == 0 ?
				HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT : 0;
			sqe->stream_ctx_addr_l = 64 * (rnd(&seed) % 8);
			sqe_compress(&a, sqe, a.mem + rnd(&seed) % a.used / 64 * 64,
					rnd(&seed) % 9000, out, rnd(&seed) % 9000);
			if (rnd(&seed) % 8 == 0)
				a.db[w->qn].sq = db_value(&seed);
			else
				queue_ring(w);
			a.db[w->qn].cq = hisi_qm_db(w->qn, HISI_QM_DB_CQ, 0x5ac3,
					(uint16_t)(rnd(&seed) % DEPTH), 0);
			if (rnd(&seed) % 256 == 0)
				attacker_mailbox(&a, HISI_QM_MB_SQC, (uint16_t)(rnd(&seed) %
						QUEUES), ATTACKER_IOVA + rnd(&seed) % a.used);
			if (rnd(&seed) % 16 == 0)
				sched_yield();
		}
		scribble_end(&s[0]);
		scribble_end(&s[1]);
		vfio_user_client_reset(a.client);
		a.used = 0;
		attacker_must_work(&a, 1);
		attacker_close(&a);
	}
}

/* Whatever the wild ones did: a right context is taken after a reset, a wrong one is not. */
static void
proper_contexts(uint32_t seed)
{
	struct queue right;

	vfio_user_client_reset(a.client);
	a.used = MEM_LEN / 2;
	if (queue_try(&right, &a, 0, HISI_ZIP_QC_COMPRESS, DEPTH) != 0)
		die("seed %u: a right context was refused", seed);
	if (attacker_mailbox(&a, HISI_QM_MB_SQC, 1, ATTACKER_IOVA + MEM_LEN) == 0)
		die("seed %u: a context that is not there was taken", seed);
}

static void
contexts_wild(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;

	attacker_open(&a, t, MEM_LEN);
	for (unsigned int round = 0; round == 0 || now_s() < until; round++) {
		struct hisi_qm_sqc *ctx = (struct hisi_qm_sqc *)(a.mem + 4096);
		uint16_t qn = (uint16_t)(rnd(&seed) % 16);
		uint16_t cmd = (uint16_t)(rnd(&seed) % 8 == 0 ? rnd(&seed) & 0x40ff :
				rnd(&seed) % 8 == 0 ? HISI_QM_MB_STOP_QP : rnd(&seed) % 6);
		uint64_t base = ATTACKER_IOVA + 4096;
		uint32_t wake = qn;

		if (rnd(&seed) % 8 == 0)
			fill_random(ctx, sizeof(*ctx), rnd(&seed));
		else
			*ctx = (struct hisi_qm_sqc){
				.head = (uint16_t)(rnd(&seed) % 6 == 0 ? rnd(&seed) : 0),
				.tail = (uint16_t)(rnd(&seed) % 6 == 0 ? rnd(&seed) : 0),
				.base_l = (uint32_t)(rnd(&seed) % MEM_LEN & ~127u),
				.base_h = rnd(&seed) % 8 == 0 ? rnd(&seed) : 1,
				.dw3 = (uint32_t)(rnd(&seed) % 200 |
					(cmd == 0 ? HISI_QM_SQE_LOG2 : HISI_QM_CQE_LOG2) << 12),
				.w8 = 0x5ac3,
				.cq_num = rnd(&seed) % 8 == 0 ? (uint16_t)rnd(&seed) : qn,
				.w13 = (uint16_t)(rnd(&seed) % 8 == 0 ? rnd(&seed) :
					HISI_QM_SQC_ORDER),
			};
		if (rnd(&seed) % 16 == 0)
			base = rnd64(&seed);
		if (rnd(&seed) % 32 == 0)
			qn = (uint16_t)rnd(&seed);
		attacker_mailbox(&a, cmd, qn, base);
		/* Whatever is live now is rung. */
		for (unsigned int i = 0; i < 4; i++)
			a.db[rnd(&seed) % 16].sq = db_value(&seed);
		vfio_user_client_region_post(a.client, VFIO_USER_PCI_BAR2,
				HISI_QM_SHADOW_REG_WAKE, &wake, sizeof(wake));
		if (round % 256 == 0)
			proper_contexts(t->seed);
	}
	proper_contexts(t->seed);
	vfio_user_client_reset(a.client);
	attacker_must_work(&a, 20);
	attacker_close(&a);
}

const struct attack attacks_ring[] = {
	{ "doorbell index out of range", index_out_of_range },
	{ "doorbell index backwards", index_backwards },
	{ "ring never consumed", ring_never_consumed },
	{ "doorbell page scribbled over", scribbled_doorbells },
	{ "contexts with every field wild", contexts_wild },
	{ "fuzzer on ring memory", scribbled_rings },
	{ NULL, NULL },
};
