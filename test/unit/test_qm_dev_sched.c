/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Whose turn it is and for how much: every share, order and bill as one exact number. */

#include "test_qm_dev_turns.h"

#include <sys/mman.h>

#include "test_udma_dev_util.h"

#define FAR 0x100000000ull /* memory beside the arena */

static int
setup(void **state)
{
	static const uint32_t weight[CLIENTS] = { 1, 1, 1 };

	(void)state;
	turns_times = true;
	turns_open(weight, false);
	return 0;
}

static int
setup_weights(void **state)
{
	static const uint32_t weight[CLIENTS] = { 1, 2, 4 };

	(void)state;
	turns_times = true;
	turns_open(weight, false);
	return 0;
}

static void
round_robin(void **state)
{
	(void)state;
	work(0, 3 * PER, LEN);
	work(1, 3 * PER, LEN);
	work(2, 3 * PER, LEN);
	run_all();
	expect_turns("0:4 1:4 2:4 0:4 1:4 2:4 0:4 1:4 2:4");
	/* One byte more each: the last of a round is begun with next to nothing left. */
	work(0, 8, LEN + 1);
	work(1, 8, LEN + 1);
	run_all();
	expect_turns("0:4 1:4 0:4 1:4");
	/* One byte less, when what was too much is paid: a fifth is begun, and paid for later. */
	work(0, 14, LEN - 1);
	work(1, 14, LEN - 1);
	run_all();
	expect_turns("0:4 1:4 0:4 1:4 0:5 1:5 0:1 1:1");
	for (unsigned int i = 0; i < CLIENTS; i++)
		assert_int_equal(td_stats(&client[i].td).errors, 0);
}

static void
weights(void **state)
{
	(void)state;
	work(0, 4 * PER, LEN);
	work(1, 8 * PER, LEN);
	work(2, 12 * PER, LEN);
	run_all();
	expect_turns("0:4 1:8 2:16 0:4 1:8 2:16 0:4 1:8 2:16 0:4 1:8");
}

/* A request of no bytes costs 64. */
static void
tiny_requests_cost(void **state)
{
	(void)state;
	work(0, 2 * QM_DEV_QUANTUM / 64, 0);
	work(1, 2 * PER, LEN);
	run_all();
	expect_turns("0:1024 1:4 0:1024 1:4");
}

/* While others work, a queue earns no more than one quantum. */
static void
idle_time_is_no_credit(void **state)
{
	(void)state;
	work(0, 20 * PER, LEN);
	work(1, 1, 0); /* leaves nearly all of its quantum */
	for (int i = 0; i < 11; i++)
		assert_true(turn(UINT32_MAX));
	expect_turns("0:4 1:1 0:36");
	work(1, 2 * PER, LEN);
	run_all();
	expect_turns("1:4 0:4 1:4 0:36");
}

/* What is left of a round's share may be used at any time in it, ahead of others, but once. */
static void
rest_of_a_round_comes_first(void **state)
{
	(void)state;
	work(0, 8 * PER, LEN);
	assert_true(turn(UINT32_MAX));
	work(1, 1, LEN);
	assert_true(turn(UINT32_MAX));
	work(1, 2, LEN);
	assert_true(turn(UINT32_MAX));
	work(1, 2, LEN);
	assert_true(turn(UINT32_MAX)); /* one of the two */
	assert_true(turn(UINT32_MAX));
	assert_true(turn(UINT32_MAX));
	expect_turns("0:4 1:4 0:4 1:1");
	/* Used up, and quiet: no work is no turn, and the next one is in the next round. */
	work(1, 3, LEN);
	assert_true(turn(UINT32_MAX));
	work(1, 1, LEN);
	assert_true(turn(UINT32_MAX));
	expect_turns("1:3 0:4");
	run_all();
	expect_turns("1:1 0:20");
}

/* Rounds that a queue sits out after a bill of this size in excess of its deficit. */
static unsigned int
rounds_for(int64_t deficit)
{
	unsigned int n = 0;

	while (deficit <= 0) {
		deficit += QM_DEV_QUANTUM;
		n++;
	}
	return n;
}

/* Serve client 0 beside other until other was served once more. @return Requests of 0. */
static unsigned int
served_until(unsigned int other)
{
	unsigned int n = 0;

	turns_cnt = 0;
	do {
		assert_true(turn(UINT32_MAX));
	} while (turns_cnt == 0 || turns[turns_cnt - 1].who != other);
	for (unsigned int i = 0; i < turns_cnt; i++)
		n += turns[i].who == 0 ? turns[i].n : 0;
	turns_cnt = 0;
	return n;
}

/* A long request is paid for in the rounds after it. */
static void
long_requests_are_paid_back(void **state)
{
	const uint32_t len = 1u << 20;
	struct hisi_zip_sqe *sqe;

	(void)state;
	work(1, 1, len);
	assert_true(turn(UINT32_MAX));
	expect_turns("1:1");
	work(0, 4000, LEN);
	work(1, 1, 0);
	assert_int_equal(served_until(1), PER *
			rounds_for((int64_t)QM_DEV_QUANTUM - len - 64));
	/* A length that is out of range counts as the longest. */
	sqe = tq_slot(&client[1].q, HISI_ZIP_REQ_EXT_COPY);
	hisi_zip_sqe_src(sqe, 0, UINT32_MAX);
	tq_push(&client[1].q);
	tq_ring(&client[1].q);
	served_until(1);
	work(1, 1, 0);
	/* It was in its round with a request of 64 before. */
	assert_int_equal(served_until(1), PER * rounds_for((int64_t)QM_DEV_QUANTUM -
			HISI_ZIP_REQ_LEN_MAX - 64 - 64));
}

/* Decompression is paid by what comes out. */
static void
output_is_paid(void **state)
{
	const uint32_t plain = 512u << 10;
	struct client *c = &client[2];
	uint8_t *zeros = calloc(1, plain);
	uint32_t n = (uint32_t)z_deflate(-15, zeros, plain, c->src, 1u << 20);
	unsigned int reqs[] = { 1, 3 };

	(void)state;
	free(zeros);
	assert_true(n < 1000);
	work(0, 4000, LEN);
	assert_true(turn(UINT32_MAX));
	for (unsigned int k = 0; k < 2; k++) {
		/* More of its own is waiting: the bill holds it back all the same. */
		for (unsigned int i = 0; i < reqs[k]; i++) {
			struct hisi_zip_sqe *sqe = tq_slot(&c->q, HISI_ZIP_REQ_DEFLATE);

			hisi_zip_sqe_src(sqe, td_iova(&c->td, c->src), n);
			hisi_zip_sqe_dst(sqe, td_iova(&c->td, c->dst), 1u << 20);
			tq_push(&c->q);
		}
		tq_ring(&c->q);
		served_until(2);
		assert_int_equal(queue_of(2)->sched.turn.debt, reqs[k] * (plain - n - 64));
		for (unsigned int i = 0; i < reqs[k]; i++) {
			assert_int_equal(c->q.sq[c->q.head].dw3, HISI_ZIP_OK);
			assert_int_equal(tq_pop(&c->q)->produced, plain);
		}
		work(2, 1, 0);
		assert_int_equal(served_until(2), PER * rounds_for((int64_t)QM_DEV_QUANTUM -
				reqs[k] * (int64_t)plain));
		assert_int_equal(queue_of(2)->sched.turn.debt, 0);
		assert_int_equal(tq_pop(&c->q)->dw3, HISI_ZIP_OK);
		/* Into the next round: a full quantum again. */
		for (unsigned int i = 0; i < 3; i++)
			assert_true(turn(UINT32_MAX));
	}
}

/* Set up anew, a queue owes nothing, and nobody waits in it. */
static void
a_restart_owes_nothing(void **state)
{
	const uint32_t plain = 512u << 10;
	struct client *c = &client[2];
	uint8_t *zeros = calloc(1, plain);
	uint32_t n = (uint32_t)z_deflate(-15, zeros, plain, c->src, 1u << 20);
	struct qm_dev_times t;

	(void)state;
	free(zeros);
	for (unsigned int i = 0; i < 30; i++) {
		struct hisi_zip_sqe *sqe = tq_slot(&c->q, HISI_ZIP_REQ_DEFLATE);

		hisi_zip_sqe_src(sqe, td_iova(&c->td, c->src), n);
		hisi_zip_sqe_dst(sqe, td_iova(&c->td, c->dst), 1u << 20);
		tq_push(&c->q);
	}
	tq_ring(&c->q);
	assert_true(turn(UINT32_MAX));
	expect_turns("2:16");
	assert_true(queue_of(2)->sched.turn.debt > 0);
	now += 1 << 20;
	assert_int_equal(tq_restart(&c->q, HISI_ZIP_QC_DECOMPRESS), 0);
	assert_int_equal(queue_of(2)->sched.turn.debt, 0);
	work(0, 2 * PER, LEN);
	work(2, 2 * PER, LEN);
	run_all();
	expect_turns("0:4 2:4 0:4 2:4");
	/* One sample before, and two after it, each claimed when it was seen. */
	qm_dev_times_get(c->td.dev, &t);
	assert_int_equal(t.wait.bucket[0], 3);
}

/* Workers that have nothing to do are left their part of a pile. */
static void
a_pile_is_shared(void **state)
{
	static const struct { unsigned int idle, waiting, want; } cases[] = {
		{ 0, 10, 10 }, { 1, 10, 5 }, { 1, 11, 6 }, { 4, 10, 2 }, { 9, 10, 1 },
		{ 20, 10, 1 }, { 0, 40, 16 }, { 1, 40, 16 }, { 3, 40, 10 }, { 1, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct qm_dev_queue_stats s;

		work(0, cases[i].waiting, 16);
		atomic_store(&pool->idle, cases[i].idle);
		assert_true(turn(UINT32_MAX));
		atomic_store(&pool->idle, 0);
		assert_int_equal(turns[0].n, cases[i].want);
		assert_int_equal(qm_dev_queue_stats_get(client[0].td.dev, 0, &s), 0);
		assert_int_equal(s.waiting, cases[i].waiting - cases[i].want);
		assert_int_equal(s.inflight, 0);
		run_all();
		turns_cnt = 0;
	}
}

/* While there is work, no more doorbells are looked at than was asked for; else all are. */
static void
polls_are_counted(void **state)
{
	(void)state;
	work(0, 2 * PER, LEN);
	assert_true(turn(0)); /* nothing was ready: all are looked at */
	work(1, 1, LEN);
	work(2, 1, LEN);
	assert_int_equal(pool->quiet.cnt, 2);
	assert_int_equal(pool->flows.turn.cnt, 1);
	/* 0 to go on with, and nobody looks. */
	assert_true(turn(0));
	expect_turns("0:8");
	assert_int_equal(pool->quiet.cnt, 3);
	work(0, 2, LEN);
	assert_true(turn(0));
	assert_int_equal(pool->quiet.cnt, 1);
	assert_int_equal(pool->flows.first.cnt + pool->flows.turn.cnt, 2);
	run_all();
	assert_int_equal(pool->quiet.cnt, 3);
	/* One look, of the one whose turn it is to be looked at. */
	turns_cnt = 0;
	work(0, 2 * PER, LEN);
	assert_true(turn(UINT32_MAX));
	work(1, 1, LEN);
	work(2, 1, LEN);
	assert_true(turn(1));
	assert_int_equal(turns_cnt, 2);
	assert_int_equal(pool->quiet.cnt, 2);
	run_all();
	assert_false(turn(UINT32_MAX));
}

/* The waits of one request at a time are counted: from the look at its doorbell to its claim. */
static void
waits_are_sampled(void **state)
{
	struct qm_dev_times t;

	(void)state;
	work(0, 40, LEN);
	now = 1 << 20;
	/* Seen at now, claimed at once by this look: 0 ns. */
	assert_true(turn(UINT32_MAX));
	qm_dev_times_get(client[0].td.dev, &t);
	assert_int_equal(t.wait.bucket[0], 1);
	/* The second sample is the last one that waits; 36 more are claimed in 9 turns. */
	for (unsigned int i = 0; i < 9; i++) {
		now += 1000;
		assert_int_equal(t.wait.bucket[0], 1);
		assert_true(turn(UINT32_MAX));
		qm_dev_times_get(client[0].td.dev, &t);
	}
	/* Sampled at the first of the 9, claimed at the last: 8000 ns are in [2^12, 2^13). */
	assert_int_equal(t.wait.bucket[12], 1);
	/* A doorbell that was seen 5000 ns before its turn. */
	work(0, 1, LEN);
	work(1, 1, LEN);
	{
		struct qm_dev_queue *q = qm_dev_sched_get(pool, UINT32_MAX, now);

		now += 5000;
		serve(q);
		q = qm_dev_sched_get(pool, UINT32_MAX, now);
		serve(q);
	}
	for (unsigned int i = 0; i < 2; i++) {
		qm_dev_times_get(client[i].td.dev, &t);
		assert_int_equal(t.wait.bucket[12], i == 0 ? 2 : 1);
	}
	qm_dev_times_get(client[0].td.dev, &t);
	for (unsigned int i = 1; i < BASE_HIST_BUCKETS; i++) {
		t.service.bucket[0] += t.service.bucket[i];
		t.wait.bucket[0] += t.wait.bucket[i];
	}
	assert_int_equal(t.service.bucket[0], 41);
	assert_int_equal(t.wait.bucket[0], 3);
}

static void
push_fill(struct client *c, uint64_t at, uint32_t len, uint32_t ext)
{
	udma_slot(&c->q, HISI_UDMA_FILL, 0, at, len)->ext = ext;
	tq_push(&c->q);
}

/* A request behind a fence waits for the one before it; nobody else does. */
static void
a_fence_stops_its_own_queue(void **state)
{
	struct qm_dev_exec *other = qm_dev_exec_create();
	struct client *c = &client[0];
	struct qm_dev_queue *q;
	int64_t cost;

	(void)state;
	assert_non_null(other);
	assert_int_equal(qm_dev_exec_add(other, qm_dev_class_of(c->td.dev, HISI_UDMA_QC)->slot,
		&udma_dev_class), 0);
	assert_int_equal(tq_restart(&c->q, HISI_UDMA_QC), 0);
	for (unsigned int i = 0; i < 2; i++)
		push_fill(c, td_iova(&c->td, c->dst), LEN, HISI_UDMA_EXT_FENCE);
	tq_ring(&c->q);

	/* Another worker is at the first one. */
	q = qm_dev_sched_get(pool, UINT32_MAX, now);
	assert_ptr_equal(q, queue_of(0));
	cost = q->sched.turn.deficit;
	qm_dev_view_get(&c->td.dev->map, &other->bufs.view);
	assert_int_equal(qm_dev_queue_claim(c->td.dev, q, other, QM_DEV_BATCH, true), 1);
	qm_dev_sched_put(pool, q, cost - q->sched.turn.deficit);

	work(1, 2 * PER, LEN);
	work(2, 2 * PER, LEN);
	for (unsigned int i = 0; i < 4; i++)
		assert_true(turn(1));
	qm_dev_queue_run(c->td.dev, q, other, 1);
	qm_dev_view_put(&other->bufs.view);
	expect_turns("1:4 2:4 1:4 2:4");
	run_all();
	expect_turns("0:1");
	qm_dev_exec_destroy(other);
}

/* A worker has found the fence, and what is before it is done before the worker says so. */
static void
a_fence_ends_while_its_queue_is_taken(void **state)
{
	struct qm_dev_exec *other = qm_dev_exec_create();
	struct client *c = &client[0];
	struct qm_dev_queue *q;

	(void)state;
	assert_non_null(other);
	assert_int_equal(qm_dev_exec_add(other, qm_dev_class_of(c->td.dev, HISI_UDMA_QC)->slot,
		&udma_dev_class), 0);
	assert_int_equal(tq_restart(&c->q, HISI_UDMA_QC), 0);
	push_fill(c, td_iova(&c->td, c->dst), LEN, 0);
	push_fill(c, td_iova(&c->td, c->dst), LEN, HISI_UDMA_EXT_FENCE);
	tq_ring(&c->q);
	q = qm_dev_sched_get(pool, UINT32_MAX, now);
	qm_dev_view_get(&c->td.dev->map, &other->bufs.view);
	assert_int_equal(qm_dev_queue_claim(c->td.dev, q, other, 1, true), 1);
	qm_dev_sched_put(pool, q, UNIT);

	assert_ptr_equal(qm_dev_sched_get(pool, UINT32_MAX, now), q);
	qm_dev_view_get(&c->td.dev->map, &executor()->bufs.view);
	assert_int_equal(qm_dev_queue_claim(c->td.dev, q, executor(), QM_DEV_BATCH, true), 0);
	qm_dev_view_put(&executor()->bufs.view);
	qm_dev_queue_run(c->td.dev, q, other, 1);
	qm_dev_view_put(&other->bufs.view);
	qm_dev_sched_put(pool, q, 0);
	run_all();
	expect_turns("0:1");
	qm_dev_exec_destroy(other);
}

/* Twice what a request of ZIP may be: others get as much before the next one, fences or not. */
static void
the_largest_request_is_paid_back(void **state)
{
	const size_t len = HISI_UDMA_LEN_MAX + 1;
	uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct client *c = &client[0];

	(void)state;
	assert_true(mem != MAP_FAILED);
	assert_int_equal(qm_dev_dma_map(c->td.dev, FAR, len, mem, QM_DEV_PROT_WRITE), 0);
	assert_int_equal(tq_restart(&c->q, HISI_UDMA_QC), 0);
	for (unsigned int i = 0; i < 3; i++)
		push_fill(c, FAR, HISI_UDMA_LEN_MAX, i == 2 ? HISI_UDMA_EXT_FENCE : 0);
	tq_ring(&c->q);
	work(1, 3 * len / UNIT, LEN);
	run_all();
	/* 4 in each of the 256 rounds whose 64 KiB pay for 16 MiB, and what is counted on top. */
	expect_turns("1:4 0:1 1:1024 0:1 1:1024 0:1 1:1020");
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(((struct hisi_udma_sqe *)&c->q.sq[i])->wb, HISI_UDMA_WB_GOOD);
	assert_int_equal(td_unmap(c->td.dev, FAR, len), 1);
	munmap(mem, len);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, turns_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(round_robin), T(tiny_requests_cost), T(idle_time_is_no_credit),
		cmocka_unit_test_setup_teardown(weights, setup_weights, turns_close),
		T(rest_of_a_round_comes_first), T(long_requests_are_paid_back), T(output_is_paid),
		T(a_restart_owes_nothing),
		T(a_pile_is_shared), T(polls_are_counted), T(waits_are_sampled),
		T(a_fence_stops_its_own_queue), T(a_fence_ends_while_its_queue_is_taken),
		T(the_largest_request_is_paid_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
