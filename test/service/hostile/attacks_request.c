/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Requests that say what must not be, in queues that are in order otherwise.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "attacker.h"

#define MEM_LEN (16u << 20)
#define PAGE    4096u

/* Where wild requests may write: behind rings, contexts and what proper requests use. */
#define WILD_FROM (1u << 20)

#define PROPER_TEXT   2000u
#define PROPER_STREAM 10u /* one stored block of 5 bytes */
#define PROPER_ROOM   4096u

static struct attacker a;
static struct queue comp, deco, udma;

static void
open_both(const struct target *t)
{
	attacker_open(&a, t, MEM_LEN);
	queue_start(&comp, &a, 0, HISI_ZIP_QC_COMPRESS, 64);
	queue_start(&deco, &a, 1, HISI_ZIP_QC_DECOMPRESS, 64);
	queue_start(&udma, &a, 3, HISI_UDMA_QC, 64);
}

/* The end of an attack: the function is still good for a proper client. */
static void
close_both(void)
{
	attacker_must_work(&a, 2);
	attacker_close(&a);
}

static uint64_t
wild_addr(uint32_t *seed)
{
	switch (rnd(seed) % 10) {
	case 0: return rnd64(seed);
	case 1: return ATTACKER_IOVA + MEM_LEN - rnd(seed) % 300;
	case 2: return ATTACKER_IOVA - rnd(seed) % 300;
	case 3: return UINT64_MAX - rnd(seed) % 300;
	case 4: return rnd(seed) % 300;
	/* Behind the rings, so that each request completes whatever it is. */
	default: return ATTACKER_IOVA + WILD_FROM + (rnd(seed) % (MEM_LEN - WILD_FROM) & ~63u);
	}
}

static uint32_t
wild_len(uint32_t *seed)
{
	switch (rnd(seed) % 8) {
	case 0: return rnd(seed);
	case 1: return HISI_ZIP_REQ_LEN_MAX - 2 + rnd(seed) % 4;
	case 2: return rnd(seed) % 20;
	default: return rnd(seed) % 20000;
	}
}

/* Lists that are nearly right, all over. */
static void
wild_lists(uint32_t *seed, uint8_t *mem, size_t len)
{
	for (size_t at = 0; at + 1024 <= len; at += 64 * (1 + rnd(seed) % 9)) {
		struct hisi_acc_sgl *sgl = (struct hisi_acc_sgl *)(mem + at);
		struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

		sgl->next_dma = rnd(seed) % 3 == 0 ? 0 : wild_addr(seed);
		sgl->entry_sum_in_sgl = (uint16_t)(rnd(seed) % 9 == 0 ? rnd(seed) :
				rnd(seed) % 16);
		for (unsigned int i = 0; i < 16; i++)
			sge[i] = (struct hisi_acc_sge){ .buf = wild_addr(seed),
				.len = wild_len(seed) };
	}
}

static void
wild_sqe(uint32_t *seed, struct hisi_zip_sqe *sqe)
{
	static const uint8_t reqs[] = { 1, 2, 3, 0xf0, 0xf1, 0, 4, 0xff };

	fill_random(sqe, sizeof(*sqe), rnd(seed));
	hisi_zip_sqe_src(sqe, wild_addr(seed), wild_len(seed));
	hisi_zip_sqe_dst(sqe, wild_addr(seed), wild_len(seed));
	if (rnd(seed) % 8 == 0)
		return;
	/* Nearly right, or the first look would be the last one. */
	sqe->dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT | (rnd(seed) & 7u) << 25 |
		(rnd(seed) % 4 == 0 ? rnd(seed) & HISI_ZIP_DW7_OFFSET_MASK : 0);
	sqe->dw8 = rnd(seed) % 4 == 0 ? rnd(seed) : 0;
	sqe->dw9 = reqs[rnd(seed) % sizeof(reqs)] |
		(rnd(seed) & 1) << HISI_ZIP_DW9_BUF_SHIFT |
		rnd(seed) % 5 << HISI_ZIP_DW9_WINDOW_SHIFT;
	sqe->dw10 &= ~HISI_ZIP_EXT_RSVD_MASK;
	if (rnd(seed) % 2 != 0)
		sqe->dw10 = 0;
	sqe->stream_ctx_addr_l = 64 * (rnd(seed) % 64);
	sqe->stream_ctx_addr_h = 0;
}

/* One that must be right, and one that must be wrong, whatever is beside them. */
static void
proper_sqe(struct queue *q, uint64_t text, uint64_t stream, uint64_t out, bool right)
{
	static const uint64_t nowhere = ATTACKER_IOVA / 2;
	struct hisi_zip_sqe *sqe = queue_next(q, HISI_ZIP_REQ_DEFLATE);

	hisi_zip_sqe_src(sqe, !right ? nowhere : q == &comp ? text : stream,
			q == &comp ? PROPER_TEXT : PROPER_STREAM);
	hisi_zip_sqe_dst(sqe, out, PROPER_ROOM);
}

static void
every_field_wild(const struct target *t)
{
	static const uint8_t stored[PROPER_STREAM] = "\1\5\0\372\377wild?";
	double until = now_s() + t->seconds;
	uint8_t *text, *stream, *out;
	uint32_t seed = t->seed;

	open_both(t);
	text = attacker_alloc(&a, PROPER_TEXT, 64);
	stream = attacker_alloc(&a, PROPER_STREAM, 64);
	out = attacker_alloc(&a, PROPER_ROOM, 64);
	if (attacker_iova(&a, out) + PROPER_ROOM > ATTACKER_IOVA + WILD_FROM)
		die("no room before what wild requests may write to");
	fill_text(text, PROPER_TEXT, seed);
	memcpy(stream, stored, sizeof(stored));
	for (unsigned int round = 0; round < 2 || now_s() < until; round++) {
		struct queue *q = round < 2 ? (round == 0 ? &comp : &deco) :
			rnd(&seed) % 2 ? &comp : &deco;
		unsigned int n = 1 + rnd(&seed) % 16;

		if (round % 16 == 0)
			wild_lists(&seed, a.mem + WILD_FROM, 1u << 20);
		for (unsigned int i = 0; i < n; i++)
			wild_sqe(&seed, queue_next(q, 0));
		for (unsigned int right = 0; right < 2; right++)
			proper_sqe(q, attacker_iova(&a, text), attacker_iova(&a, stream),
					attacker_iova(&a, out), right != 0);
		memset(out, 0, 5);
		queue_ring(q);
		for (unsigned int i = 0; i < n + 2; i++) {
			const struct hisi_zip_sqe *sqe = queue_pop(q, 60000);
			uint32_t status;

			if (sqe == NULL)
				die("seed %u, round %u: a request did not complete", t->seed,
						round);
			status = sqe->dw3 & HISI_ZIP_STATUS_MASK;
			if (i >= n && status != (i == n ? HISI_ZIP_BAD_ADDR : HISI_ZIP_OK))
				die("seed %u, round %u: a request that is %s has status 0x%x",
						t->seed, round, i == n ? "wrong" : "right", status);
		}
		if (q == &deco && memcmp(out, stored + 5, 5) != 0)
			die("seed %u, round %u: the right request's output is wrong", t->seed,
					round);
	}
	close_both();
}

/* ---- Addresses ---- */

/* By both classes, which must agree (U32). */
static unsigned int
copy(uint64_t src, uint64_t dst, uint32_t len)
{
	struct hisi_zip_sqe *sqe = queue_next(&comp, HISI_ZIP_REQ_EXT_COPY);
	unsigned int status;
	uint32_t wb;

	sqe->dw10 = HISI_ZIP_EXT_VALID;
	hisi_zip_sqe_src(sqe, src, len);
	hisi_zip_sqe_dst(sqe, dst, len);
	status = queue_do(&comp);
	queue_next_udma(&udma, HISI_UDMA_COPY, src, dst, len);
	wb = queue_do_udma(&udma);
	if (wb != (status == HISI_ZIP_OK ? HISI_UDMA_WB_GOOD :
			HISI_UDMA_ERROR | status << HISI_UDMA_WB_ERR_SHIFT))
		die("UDMA: wb 0x%x where ZIP has status 0x%x", wb, status);
	return status;
}

static void
expect(unsigned int status, unsigned int want, const char *what)
{
	if (status != want)
		die("%s: status 0x%x, expected 0x%x", what, status, want);
}

/* Some piece of its memory. */
static uint64_t
piece(void)
{
	return attacker_iova(&a, attacker_alloc(&a, 64 * 1024, PAGE));
}

static void
addresses_outside(const struct target *t)
{
	uint64_t in;
	uint32_t seed = t->seed;

	open_both(t);
	in = piece();
	for (unsigned int i = 0; i < 500; i++) {
		uint64_t out = rnd64(&seed);

		if (i % 3 == 0) /* where programs have their own memory */
			out = 0x7f0000000000ull + (out & 0xffffffffffull);
		if (i % 7 == 0)
			out = i;
		if (out + PAGE > ATTACKER_IOVA && out < ATTACKER_IOVA + MEM_LEN)
			continue;
		expect(copy(out, in, 100), HISI_ZIP_BAD_ADDR, "source outside");
		expect(copy(in, out, 100), HISI_ZIP_BAD_ADDR, "destination outside");
	}
	close_both();
}

static void
addresses_at_the_edge(const struct target *t)
{
	const uint64_t end = ATTACKER_IOVA + MEM_LEN;
	uint64_t in;

	open_both(t);
	in = piece();
	for (uint32_t n = 1; n < 200; n++) {
		expect(copy(end - n, in, n), HISI_ZIP_OK, "source up to the end");
		expect(copy(in, end - n, n), HISI_ZIP_OK, "destination up to the end");
		expect(copy(end - n, in, n + 1), HISI_ZIP_BAD_ADDR, "source over the end");
		expect(copy(in, end - n, n + 1), HISI_ZIP_BAD_ADDR, "destination over the end");
		expect(copy(ATTACKER_IOVA - n, in, n + 1), HISI_ZIP_BAD_ADDR,
				"source from before the start");
		expect(copy(in, ATTACKER_IOVA - n, n + 1), HISI_ZIP_BAD_ADDR,
				"destination from before the start");
	}
	expect(copy(end, in, 1), HISI_ZIP_BAD_ADDR, "source at the end");
	close_both();
}

static void
addresses_that_overlap(const struct target *t)
{
	uint64_t in;
	int rc;

	open_both(t);
	in = piece();
	for (uint32_t n = 0; n < 100; n++) {
		expect(copy(in, in + n, 101), HISI_ZIP_BAD_SQE, "destination in the source");
		expect(copy(in + n, in, 101), HISI_ZIP_BAD_SQE, "source in the destination");
	}
	/* One more map of the same bytes: the engine reads what it has just written. */
	rc = vfio_user_client_dma_map(a.client, 2 * ATTACKER_IOVA, MEM_LEN, a.fd, 0,
			VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
	if (rc != 0)
		die("a second map of the same file: %d", rc);
	for (uint32_t n = 0; n < 100; n++) {
		struct hisi_zip_sqe *sqe = queue_next(&comp, HISI_ZIP_REQ_ZLIB);

		fill_text(a.mem + (in - ATTACKER_IOVA), 60000, n);
		hisi_zip_sqe_src(sqe, in, 60000);
		hisi_zip_sqe_dst(sqe, in + ATTACKER_IOVA + n, 65000);
		(void)queue_do(&comp); /* any result, but one */
		sqe = queue_next(&deco, HISI_ZIP_REQ_ZLIB);
		hisi_zip_sqe_src(sqe, in + n, 60000);
		hisi_zip_sqe_dst(sqe, in + ATTACKER_IOVA, 65000);
		(void)queue_do(&deco);
	}
	/* Maps that overlap are refused. */
	rc = vfio_user_client_dma_map(a.client, ATTACKER_IOVA + MEM_LEN - PAGE, 2 * PAGE, a.fd, 0,
			VFIO_USER_DMA_F_READ);
	if (rc == 0)
		die("overlapping maps were accepted");
	close_both();
}

static void
addresses_that_wrap(const struct target *t)
{
	uint64_t in, last = UINT64_MAX - PAGE + 1;
	int rc;

	open_both(t);
	in = piece();
	for (uint32_t n = 1; n < 100; n++) {
		expect(copy(UINT64_MAX - n + 1, in, n), HISI_ZIP_BAD_ADDR, "source to the top");
		expect(copy(UINT64_MAX - n + 1, in, n + 50), HISI_ZIP_BAD_ADDR, "source wraps");
		expect(copy(in, UINT64_MAX - n + 1, n + 50), HISI_ZIP_BAD_ADDR,
				"destination wraps");
	}
	/* The last page there is, mapped: up to its end and no further. */
	rc = vfio_user_client_dma_map(a.client, last, PAGE, a.fd, 0,
			VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
	if (rc != 0)
		die("the last page cannot be mapped: %d", rc);
	expect(copy(last, in, PAGE), HISI_ZIP_OK, "the last page");
	expect(copy(last + 1, in, PAGE), HISI_ZIP_BAD_ADDR, "beyond the last page");
	rc = vfio_user_client_dma_map(a.client, last - PAGE, UINT64_MAX - PAGE + 1, a.fd, 0,
			VFIO_USER_DMA_F_READ);
	if (rc == 0)
		die("a map that wraps was accepted");
	close_both();
}

/* ---- Lists ---- */

/* A list of n entries of len bytes in memory that is given. */
static struct hisi_acc_sgl *
list(uint16_t n, uint64_t buf, uint32_t len)
{
	struct hisi_acc_sgl *sgl = attacker_alloc(&a,
			sizeof(*sgl) + HISI_ACC_SGE_MAX * sizeof(struct hisi_acc_sge), 64);
	struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

	sgl->entry_sum_in_chain = n;
	sgl->entry_sum_in_sgl = n;
	sgl->entry_length_in_sgl = n;
	for (unsigned int i = 0; i < n && i < HISI_ACC_SGE_MAX; i++)
		sge[i] = (struct hisi_acc_sge){ .buf = buf + i * len, .len = len };
	return sgl;
}

static unsigned int
compress_list(const struct hisi_acc_sgl *src, uint32_t src_len, const struct hisi_acc_sgl *dst,
		uint32_t dst_len)
{
	struct hisi_zip_sqe *sqe = queue_next(&comp, HISI_ZIP_REQ_ZLIB);

	sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
	hisi_zip_sqe_src(sqe, attacker_iova(&a, src), src_len);
	hisi_zip_sqe_dst(sqe, attacker_iova(&a, dst), dst_len);
	return queue_do(&comp);
}

static void
lists_that_loop(const struct target *t)
{
	struct hisi_acc_sgl *one, *two, *good;

	open_both(t);
	good = list(4, piece(), 16384);
	one = list(1, piece(), 1);
	two = list(1, piece(), 1);
	expect(compress_list(good, 10000, list(4, piece(), 16384), 60000), HISI_ZIP_OK, "lists");
	one->next_dma = attacker_iova(&a, one);
	expect(compress_list(one, 100000, good, 60000), HISI_ZIP_BAD_SGL, "a list of itself");
	one->next_dma = attacker_iova(&a, two);
	two->next_dma = attacker_iova(&a, one);
	expect(compress_list(one, 100000, good, 60000), HISI_ZIP_BAD_SGL, "two lists, a loop");
	/* Nothing in it, for ever. */
	one->entry_sum_in_sgl = two->entry_sum_in_sgl = 0;
	expect(compress_list(one, 100000, good, 60000), HISI_ZIP_BAD_SGL, "an empty loop");
	expect(compress_list(good, 60000, one, 60000), HISI_ZIP_BAD_SGL, "an empty loop to write");
	close_both();
}

static void
lists_that_nest(const struct target *t)
{
	uint32_t seed = t->seed;

	open_both(t);
	for (unsigned int round = 0; round < 200; round++) {
		struct hisi_acc_sgl *sgl, *other;
		size_t used = a.used;

		/* Entries that are lists: read as data; written, they change the list in use. */
		sgl = list(200, piece(), 300);
		other = list(200, attacker_iova(&a, sgl), 32);
		other->next_dma = attacker_iova(&a, sgl);
		(void)compress_list(other, 6400, sgl, 60000);
		(void)compress_list(sgl, 6400, other, 60000);
		sgl = list(8, 0, 0);
		for (unsigned int i = 0; i < 8; i++)
			((struct hisi_acc_sge *)(sgl + 1))[i] = (struct hisi_acc_sge){
				.buf = attacker_iova(&a, sgl) + rnd(&seed) % 512,
				.len = 1 + rnd(&seed) % 512 };
		(void)compress_list(list(8, piece(), 8000), 60000, sgl, 60000);
		(void)compress_list(sgl, 60000, sgl, 60000);
		/* A destination over the rings: the queue may be lost, but nothing else. */
		if (round == 199) {
			sgl = list(1, attacker_iova(&a, comp.sq), 64 * sizeof(*comp.sq));
			other = list(4, piece(), 16384);
			fill_random(a.mem + (((struct hisi_acc_sge *)(other + 1))[0].buf -
					ATTACKER_IOVA), 65536, seed);
			struct hisi_zip_sqe *sqe = queue_next(&comp, HISI_ZIP_REQ_ZLIB);

			sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
			hisi_zip_sqe_src(sqe, attacker_iova(&a, other), 8000);
			hisi_zip_sqe_dst(sqe, attacker_iova(&a, sgl), 8192);
			queue_ring(&comp);
			(void)queue_pop(&comp, 200);
		}
		a.used = used;
	}
	close_both();
}

/* As many entries as lists can have, without a byte but in the last one: a walk for nothing. */
static void
lists_of_nothing(const struct target *t)
{
	double until = now_s() + t->seconds;
	struct hisi_acc_sgl *first = NULL, *last = NULL, *good;

	open_both(t);
	good = list(4, piece(), 16384);
	for (unsigned int i = 0; i < HISI_ACC_SGL_MAX; i++) {
		struct hisi_acc_sgl *sgl = list(HISI_ACC_SGE_MAX, attacker_iova(&a, a.mem), 0);

		if (last != NULL)
			last->next_dma = attacker_iova(&a, sgl);
		first = first == NULL ? sgl : first;
		last = sgl;
	}
	((struct hisi_acc_sge *)(last + 1))[HISI_ACC_SGE_MAX - 1].len = 100;
	do {
		for (unsigned int i = 0; i < 60; i++) {
			struct hisi_zip_sqe *sqe = queue_next(&comp, HISI_ZIP_REQ_ZLIB);

			sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
			hisi_zip_sqe_src(sqe, attacker_iova(&a, i % 2 ? first : good), 100);
			hisi_zip_sqe_dst(sqe, attacker_iova(&a, i % 2 ? good : first), 1000);
		}
		queue_ring(&comp);
		for (unsigned int i = 0; i < 60; i++) {
			const struct hisi_zip_sqe *sqe = queue_pop(&comp, 60000);

			if (sqe == NULL)
				die("a request did not complete");
			expect(sqe->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_BAD_SGL,
					i % 2 ? "to read" : "to write");
		}
	} while (now_s() < until);
	close_both();
}

static void
lists_that_lie_about_their_counts(const struct target *t)
{
	static const uint16_t counts[] = { 0, 1, 3, 5, 254, 255, 256, 1000, 0x7fff, 0xffff };
	struct hisi_acc_sgl *sgl, *good;
	uint64_t data;

	open_both(t);
	data = piece();
	good = list(4, piece(), 16384);
	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		sgl = list(4, data, 1000);
		sgl->entry_sum_in_sgl = counts[i];
		if (counts[i] > HISI_ACC_SGE_MAX)
			expect(compress_list(sgl, 4000, good, 60000), HISI_ZIP_BAD_SGL,
					"more entries than there can be");
		else
			(void)compress_list(sgl, 4000, good, 60000);
		(void)compress_list(good, 4000, sgl, 4000);
		sgl = list(4, data, 1000);
		sgl->entry_sum_in_chain = counts[i];
		sgl->entry_length_in_sgl = counts[i];
		(void)compress_list(sgl, 4000, good, 60000);
		/* More bytes promised than listed, entries of no byte, of too many. */
		sgl = list(4, data, 1000);
		expect(compress_list(sgl, 4001 + counts[i], good, 60000), HISI_ZIP_BAD_SGL,
				"fewer bytes than the request says");
		((struct hisi_acc_sge *)(sgl + 1))[1].len = 0;
		(void)compress_list(sgl, 4000, good, 60000);
		((struct hisi_acc_sge *)(sgl + 1))[1].len = UINT32_MAX - counts[i];
		(void)compress_list(sgl, 4000, good, 60000);
		/* At the end of the map, with entries beyond it. */
		sgl = (struct hisi_acc_sgl *)(a.mem + MEM_LEN - 128);
		*sgl = (struct hisi_acc_sgl){ .entry_sum_in_sgl = counts[i] };
		(void)compress_list(sgl, 4000, good, 60000);
	}
	close_both();
}

/* ---- Data that changes ---- */

struct scribbler {
	uint8_t *mem;
	size_t len;
	uint32_t seed;
	atomic_bool stop;
};

static void *
scribble(void *arg)
{
	struct scribbler *s = arg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		size_t at = rnd(&s->seed) % s->len;

		/* Mostly whole words, as SGL entries and codes are torn by them best. */
		if (at % 8 == 0 && at + 8 <= s->len)
			*(volatile uint64_t *)(s->mem + at) = rnd64(&s->seed);
		else
			*(volatile uint8_t *)(s->mem + at) = (uint8_t)rnd(&s->seed);
	}
	return NULL;
}

static void
data_that_changes(const struct target *t)
{
	double until = now_s() + t->seconds;
	const uint32_t len = 60000;
	struct scribbler s = { .seed = t->seed };
	uint8_t *in, *out, *back;
	pthread_t thread;

	open_both(t);
	in = attacker_alloc(&a, len, PAGE);
	out = attacker_alloc(&a, 2 * len, PAGE);
	back = attacker_alloc(&a, len, PAGE);
	/* Input, what is made of it and what is made of that: all change at any time. */
	s.mem = in;
	s.len = (size_t)(back + len - in);
	pthread_create(&thread, NULL, scribble, &s);
	for (uint32_t i = 0; now_s() < until; i++) {
		struct hisi_zip_sqe *sqe;
		uint32_t produced;

		fill_text(in, len, t->seed + i);
		sqe = queue_next(&comp, i % 3 == 0 ? HISI_ZIP_REQ_EXT_LZ4 : HISI_ZIP_REQ_ZLIB);
		sqe->dw10 = i % 3 == 0 ? HISI_ZIP_EXT_VALID | 1 : 0;
		sqe_compress(&a, sqe, in, len, out, 2 * len);
		(void)queue_do(&comp);
		produced = sqe->produced;
		if (produced == 0 || produced > 2 * len)
			produced = len;
		sqe = queue_next(&deco, i % 3 == 0 ? HISI_ZIP_REQ_EXT_LZ4 : HISI_ZIP_REQ_ZLIB);
		sqe->dw10 = i % 3 == 0 ? HISI_ZIP_EXT_VALID : 0;
		sqe_compress(&a, sqe, out, produced, back, len);
		(void)queue_do(&deco);
	}
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
	close_both();
}

const struct attack attacks_request[] = {
	{ "descriptors with every field wild", every_field_wild },
	{ "addresses outside the map", addresses_outside },
	{ "addresses at the edge of the map", addresses_at_the_edge },
	{ "addresses that overlap", addresses_that_overlap },
	{ "addresses that wrap", addresses_that_wrap },
	{ "lists that loop", lists_that_loop },
	{ "lists that nest", lists_that_nest },
	{ "lists that lie about their counts", lists_that_lie_about_their_counts },
	{ "lists of nothing", lists_of_nothing },
	{ "data that changes while it is read", data_that_changes },
	{ NULL, NULL },
};
