/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A hostile driver of the class UDMA: requests with one bit wrong, requests with every word wild,
 * fences on all of them with two workers, and queues that end, or are of the other class all of a
 * sudden, while requests run and wait behind fences.
 */

#include "fewer.h"
#include "test_udma_dev_util.h"

#include <pthread.h>
#include <time.h>

#include "qm_dev_state.h"

#define ARENA (8u << 20)
#define DEPTH 64
#define LEN   100u

/* Away from the rings, from each other and from the arena's ends, also with one bit changed. */
#define FROM (3u << 20)
#define AT   (6u << 20)

static struct td td;
static struct tq q;

static void
open_with(unsigned int workers)
{
	struct qm_dev_conf conf = td_conf_both(workers);

	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, 0, HISI_UDMA_QC, DEPTH);
}

/* ---- What a request says ---- */

static bool
inside(uint64_t addr, uint32_t len)
{
	return len == 0 || (addr >= TD_IOVA && addr < TD_IOVA + ARENA &&
		len <= TD_IOVA + ARENA - addr);
}

/* What must come of it, bit by bit of the reference (UDMA 2, EXT 6). */
static uint32_t
expected(const struct hisi_udma_sqe *s)
{
	uint64_t from = s->src_l | (uint64_t)s->src_h << 32;
	uint64_t at = s->dst_l | (uint64_t)s->dst_h << 32;
	const uint32_t *w = (const uint32_t *)s;
	uint32_t zero = (s->dw7 & ~0x8000u) | w[1] | w[2] | w[24] | w[25];
	bool copy = s->dw0 == 0x00301;

	for (unsigned int i = 10; i < 22; i++)
		zero |= w[i];
	if ((!copy && s->dw0 != 0x70301) || zero != 0 || s->ext > 1 || s->len > 0xffffff)
		return udma_refused(UDMA_DEV_BAD_SQE);
	if (!inside(at, s->len) || (copy && !inside(from, s->len)))
		return udma_refused(UDMA_DEV_BAD_ADDR);
	if (copy && from < at + s->len && at < from + s->len)
		return udma_refused(UDMA_DEV_BAD_SQE);
	return HISI_UDMA_WB_GOOD;
}

/* @return Its result, which is right, as is that nothing else of it changed. */
static uint32_t
check(const char *what, unsigned int i)
{
	struct hisi_udma_sqe before = *(struct hisi_udma_sqe *)&q.sq[q.tail], *after;
	uint32_t want = expected(&before);

	after = (struct hisi_udma_sqe *)tq_do(&q);
	assert_non_null(after);
	if (after->wb != want)
		fail_msg("%s %u: wb 0x%x, expected 0x%x", what, i, after->wb, want);
	before.wb = after->wb;
	assert_memory_equal(after, &before, sizeof(before));
	return after->wb;
}

static void
one_bit_wrong(void **state)
{
	unsigned int good = 0;

	(void)state;
	open_with(0);
	for (unsigned int fill = 0; fill < 2; fill++)
		for (unsigned int bit = 0; bit < 8 * sizeof(struct hisi_udma_sqe); bit++) {
			uint32_t *w = (uint32_t *)udma_slot(&q, fill ? HISI_UDMA_FILL :
					HISI_UDMA_COPY, TD_IOVA + FROM, TD_IOVA + AT, LEN);

			w[bit / 32] ^= 1u << bit % 32;
			good += check(fill ? "fill, bit" : "copy, bit", bit) == HISI_UDMA_WB_GOOD;
		}
	/* Tags, patterns and what is beside the result may be anything, and some addresses fit. */
	assert_in_range(good, 2 * 7 * 32, 2 * 12 * 32);
	td_close(&td);
}

static uint64_t
wild_addr(uint32_t *seed)
{
	switch (rnd(seed) % 8) {
	case 0: return rnd(seed) | (uint64_t)rnd(seed) << 32;
	case 1: return TD_IOVA + ARENA - rnd(seed) % 300;
	case 2: return TD_IOVA - 1 - rnd(seed) % 300;
	case 3: return UINT64_MAX - rnd(seed) % 300;
	case 4: return rnd(seed) % 300;
	default: return TD_IOVA + (1u << 20) + rnd(seed) % (ARENA - (1u << 20));
	}
}

static void
every_word_wild(void **state)
{
	const unsigned int rounds = 20000 / test_fewer();
	uint32_t seed = 5, count[256];
	unsigned int good = 0;

	(void)state;
	open_with(0);
	for (unsigned int round = 0; round < rounds; round++) {
		uint64_t from = wild_addr(&seed), at = wild_addr(&seed);
		struct hisi_udma_sqe *sqe = udma_slot(&q, HISI_UDMA_COPY, 0, 0, 0);
		uint32_t *w = (uint32_t *)sqe;

		for (unsigned int i = 0; i < sizeof(*sqe) / 4; i++)
			w[i] = rnd(&seed);
		/* Nearly right, or the first look would be the last one. */
		if (rnd(&seed) % 8 != 0) {
			sqe->dw0 = rnd(&seed) % 2 ? 0x301 : 0x70301;
			sqe->dw7 &= HISI_UDMA_DW7_PREFETCH;
			sqe->ext &= HISI_UDMA_EXT_FENCE;
			memset(sqe->rsvd1, 0, sizeof(sqe->rsvd1));
			memset(sqe->rsvd10, 0, sizeof(sqe->rsvd10));
			memset(sqe->rsvd24, 0, sizeof(sqe->rsvd24));
		}
		sqe->len = wild_len(&seed, HISI_UDMA_LEN_MAX, 3);
		sqe->src_l = (uint32_t)from;
		sqe->src_h = (uint32_t)(from >> 32);
		sqe->dst_l = (uint32_t)at;
		sqe->dst_h = (uint32_t)(at >> 32);
		/* Nothing may be written over the rings: they would say anything. */
		if (at >= TD_IOVA && at < TD_IOVA + ARENA)
			assert_true(at >= TD_IOVA + td.used);
		good += check("round", round) == HISI_UDMA_WB_GOOD;
	}
	qm_dev_stats_status(td.dev, count);
	assert_int_equal(td_stats(&td).errors, rounds - good);
	assert_int_equal(count[HISI_ZIP_BAD_SQE] + count[HISI_ZIP_BAD_ADDR], rounds - good);
	assert_true(good > rounds / 8 && count[HISI_ZIP_BAD_SQE] > rounds / 16 &&
			count[HISI_ZIP_BAD_ADDR] > rounds / 8);
	td_close(&td);
}

/* The queue is set up as one of this class, whatever it does just now, and is good for it. */
static void
must_work(unsigned int type)
{
	uint8_t *from = td.arena + FROM, *at = td.arena + AT;

	assert_int_equal(tq_set(&q, type, td_iova(&td, q.sq), td_iova(&td, q.cq)), 0);
	/* Again, now that nothing writes to the rings. */
	assert_int_equal(tq_restart(&q, type), 0);
	fill_noise(from, LEN, type + 1);
	memset(at, 0, LEN);
	if (type == HISI_UDMA_QC) {
		udma_slot(&q, HISI_UDMA_COPY, TD_IOVA + FROM, TD_IOVA + AT, LEN)->ext = 1;
		assert_int_equal(udma_do(&q), HISI_UDMA_WB_GOOD);
	} else {
		struct hisi_zip_sqe *sqe = tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);

		sqe->dw10 = HISI_ZIP_EXT_VALID;
		hisi_zip_sqe_src(sqe, TD_IOVA + FROM, LEN);
		hisi_zip_sqe_dst(sqe, TD_IOVA + AT, LEN);
		assert_int_equal(tq_do(&q)->dw3, HISI_ZIP_OK);
	}
	assert_memory_equal(at, from, LEN);
}

/* Queues of both classes are from one budget, and one that changes its class keeps its share. */
static void
limits_are_of_both(void **state)
{
	struct qm_dev_conf conf = td_conf_both(2);
	struct tq zip, third;

	(void)state;
	conf.limits.queues_live = 2;
	conf.limits.slots = 2 * DEPTH;
	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, 0, HISI_UDMA_QC, DEPTH);
	tq_start(&zip, &td, 1, HISI_ZIP_QC_COMPRESS, DEPTH);
	third = zip;
	third.qn = 2;
	third.db = qm_dev_doorbell(td.dev, 2);
	for (unsigned int round = 0; round < 20; round++) {
		assert_int_equal(tq_restart(&third, round % 3), QM_DEV_MB_NO_QUEUE);
		must_work(round % 3);
	}
	assert_int_equal(td_stats(&td).queues_live, 2);
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 1, 0, false), 0);
	assert_int_equal(tq_restart(&third, HISI_UDMA_QC), 0);
	td_close(&td);
}

/* ---- Fences, and the ends of a queue ---- */

#define ROOM (32u << 10)

/*
 * A ring full of requests, most with work for a while. All write to the same place, each behind a
 * fence, so that two never do at a time; or each to its own, and some of them are behind fences.
 */
static void
push_fenced(uint32_t seed, bool apart)
{
	uint32_t room = apart ? ROOM : 256u << 10;

	for (unsigned int i = 0; i < DEPTH - 1; i++) {
		uint32_t len = rnd(&seed) % (rnd(&seed) % 4 == 0 ? 64 : room);

		udma_slot(&q, rnd(&seed) % 4 == 0 ? HISI_UDMA_FILL : HISI_UDMA_COPY,
				TD_IOVA + FROM, TD_IOVA + AT + (apart ? i * ROOM : 0),
				len)->ext = !apart || rnd(&seed) % 4 == 0;
		tq_push(&q);
	}
	tq_ring(&q);
}

static void
wait_a_little(uint32_t *seed)
{
	const struct timespec ts = { .tv_nsec = (long)(rnd(seed) % 300) * 1000 };

	nanosleep(&ts, NULL);
}

/* The mailbox's stop drains: each request is executed, and completed in order. */
static void
stopped(void **state)
{
	uint32_t seed = 1;

	(void)state;
	open_with(2);
	for (unsigned int round = 0; round < 40 / test_fewer(); round++) {
		push_fenced(round + 1, round % 2 != 0);
		wait_a_little(&seed);
		assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
		for (unsigned int i = 0; i < DEPTH - 1; i++) {
			assert_int_equal(q.cq[i].w7 & 1, 1);
			assert_int_equal(q.cq[i].sq_head, i);
			assert_int_equal(((struct hisi_udma_sqe *)&q.sq[i])->wb,
					HISI_UDMA_WB_GOOD);
		}
		must_work(HISI_UDMA_QC);
		assert_int_equal(tq_restart(&q, HISI_UDMA_QC), 0);
	}
	td_close(&td);
}

/* Set up again, as the other class and back, while a ring full of the first one's runs. */
static void
class_changes(void **state)
{
	uint32_t seed = 2;

	(void)state;
	open_with(2);
	for (unsigned int round = 0; round < 60 / test_fewer(); round++) {
		push_fenced(round + 1, false);
		wait_a_little(&seed);
		must_work(round % 3); /* of ZIP two, UDMA */
		assert_int_equal(tq_restart(&q, HISI_UDMA_QC), 0);
	}
	td_close(&td);
}

/* The old requests, seen by the other class: none of them is one of its. */
static void
read_by_the_other_class(void **state)
{
	const struct hisi_zip_sqe *zip;
	const struct hisi_udma_sqe *udma;

	(void)state;
	open_with(0);
	udma_slot(&q, HISI_UDMA_COPY, TD_IOVA + FROM, TD_IOVA + AT, LEN);
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	zip = tq_do(&q);
	assert_int_equal(zip->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_BAD_SQE);
	hisi_zip_sqe_src(tq_slot(&q, HISI_ZIP_REQ_DEFLATE), TD_IOVA + FROM, LEN);
	q.sq[0] = q.sq[1];
	assert_int_equal(tq_restart(&q, HISI_UDMA_QC), 0);
	udma = (const struct hisi_udma_sqe *)tq_do(&q);
	assert_int_equal(udma->wb, udma_refused(UDMA_DEV_BAD_SQE));
	td_close(&td);
}

static void
reset_while_fenced(void **state)
{
	uint32_t seed = 3;

	(void)state;
	open_with(2);
	for (unsigned int round = 0; round < 40 / test_fewer(); round++) {
		push_fenced(round + 1, false);
		wait_a_little(&seed);
		qm_dev_reset(td.dev);
		/* Nothing is executed any more. */
		memset(td.arena + AT, 0x5a, LEN);
		wait_a_little(&seed);
		for (unsigned int i = 0; i < LEN; i++)
			assert_int_equal(td.arena[AT + i], 0x5a);
		must_work(round % 3);
		assert_int_equal(tq_restart(&q, HISI_UDMA_QC), 0);
	}
	td_close(&td);
}

/* The function ends, or vanishes at once, with requests that run and others behind fences. */
static void
gone_while_fenced(void **state)
{
	uint32_t seed = 4;

	(void)state;
	for (unsigned int round = 0; round < 40 / test_fewer(); round++) {
		open_with(2);
		push_fenced(round + 1, false);
		wait_a_little(&seed);
		if (round % 2 != 0) {
			qm_dev_vanish(td.dev);
			assert_int_equal(td_rd(&td, HISI_QM_MAILBOX), UINT32_MAX);
			assert_int_equal(td_stats(&td).queues_live, 0);
		}
		td_close(&td);
	}
}

/* Injected faults meet requests at their turn, not when a fence was looked at. */
static void
faults_while_fenced(void **state)
{
	struct qm_dev_conf conf = td_conf_both(2);

	(void)state;
	for (unsigned int round = 0; round < 10; round++) {
		conf.fault = "status=0x77@31,aeq=cq_overflow@40";
		td_open(&td, &conf, ARENA);
		tq_start(&q, &td, 0, HISI_UDMA_QC, DEPTH);
		push_fenced(round + 1, false);
		for (unsigned int i = 1; i < 40; i++) {
			const struct hisi_udma_sqe *sqe = (struct hisi_udma_sqe *)tq_pop(&q);

			assert_non_null(sqe);
			assert_int_equal(sqe->wb, i == 31 ? HISI_UDMA_ERROR |
					0x77u << HISI_UDMA_WB_ERR_SHIFT : HISI_UDMA_WB_GOOD);
		}
		/* The 40th is dropped with its queue, which can be set up again. */
		assert_int_equal(td_stats(&td).requests, 39);
		must_work(HISI_UDMA_QC);
		td_close(&td);
	}
}

/* Fences that come and go in the ring, some of them none that there are. */
static NO_TSAN void *
toggle(void *arg)
{
	_Atomic bool *stop = arg;
	uint32_t seed = 9;

	while (!*stop) {
		struct hisi_udma_sqe *sqe = (struct hisi_udma_sqe *)&q.sq[rnd(&seed) % DEPTH];

		*(volatile uint32_t *)&sqe->ext = rnd(&seed) % 3;
	}
	return NULL;
}

static void
fences_that_change(void **state)
{
	_Atomic bool stop = false;
	uint32_t seed = 6;
	pthread_t thread;

	(void)state;
	open_with(2);
	assert_int_equal(pthread_create(&thread, NULL, toggle, &stop), 0);
	for (unsigned int round = 0; round < 100 / test_fewer(); round++) {
		push_fenced(round + 1, true);
		wait_a_little(&seed);
		if (round % 2 != 0)
			assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
		for (unsigned int i = 0; i < DEPTH - 1 && round % 2 != 0; i++) {
			uint32_t wb = ((struct hisi_udma_sqe *)&q.sq[i])->wb;

			assert_int_equal(q.cq[i].w7 & 1, 1);
			if (wb != HISI_UDMA_WB_GOOD)
				assert_int_equal(wb, udma_refused(UDMA_DEV_BAD_SQE));
		}
		must_work(round % 4 == 0 ? HISI_ZIP_QC_COMPRESS : HISI_ZIP_QC_DECOMPRESS);
		assert_int_equal(tq_restart(&q, HISI_UDMA_QC), 0);
	}
	stop = true;
	pthread_join(thread, NULL);
	must_work(HISI_UDMA_QC);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_bit_wrong),
		cmocka_unit_test(every_word_wild),
		cmocka_unit_test(limits_are_of_both),
		cmocka_unit_test(stopped),
		cmocka_unit_test(class_changes),
		cmocka_unit_test(read_by_the_other_class),
		cmocka_unit_test(reset_while_fenced),
		cmocka_unit_test(gone_while_fenced),
		cmocka_unit_test(faults_while_fenced),
		cmocka_unit_test(fences_that_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
