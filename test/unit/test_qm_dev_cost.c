/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What requests cost, and who pays: each bill as one exact number, with a clock of the test's. */

#include "test_qm_dev_clock.h"
#include "test_qm_dev_turns.h"

#define US          1000
#define BYTES_OF_US 150 /* what a microsecond costs */
#define CPU_STEP    (200 * US)

static struct qm_dev_quota one, other;

static int
setup(void **state)
{
	static const uint32_t weight[CLIENTS] = { 1, 1, 1 };

	(void)state;
	clock_took = clock_cpu = 0;
	turns_times = true;
	memset(turns_quota, 0, sizeof(turns_quota));
	turns_open(weight, false);
	return 0;
}

/* Client 0 is one user, the others are another. */
static int
setup_users(void **state)
{
	static const uint32_t weight[CLIENTS] = { 1, 1, 3 };

	(void)state;
	clock_took = clock_cpu = 0;
	turns_times = true;
	memset(&one, 0, sizeof(one));
	memset(&other, 0, sizeof(other));
	turns_quota[0] = &one;
	turns_quota[1] = turns_quota[2] = &other;
	turns_open(weight, false);
	return 0;
}

static int64_t
debt(unsigned int who)
{
	return queue_of(who)->sched.turn.debt;
}

/* Settle what is owed. */
static void
pay(unsigned int who)
{
	clock_took = 0;
	work(who, 1, 0);
	run_all();
	assert_int_equal(debt(who), 0);
	while (client[who].q.head != client[who].q.tail)
		assert_int_equal(tq_pop(&client[who].q)->dw3, HISI_ZIP_OK);
}

/* One that takes longer than its bytes pays for the time; one that does not, for its bytes. */
static void
time_costs(void **state)
{
	static const struct {
		uint32_t len;
		int64_t us, owed;
	} cases[] = {
		{ 1000, 0, 0 }, { 1000, 7, 0 }, { 1000, 8, 8 * BYTES_OF_US - 1064 },
		{ 1000, 190, 190 * BYTES_OF_US - 1064 }, { 0, 1, BYTES_OF_US - 64 },
		{ 60000, 190, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		work(0, 1, cases[i].len);
		now += 1000 * US;
		/* The CPU time is read when a turn begins, and not again within CPU_STEP. */
		qm_dev_exec_begin(executor());
		clock_took = cases[i].us * US;
		assert_true(turn(UINT32_MAX));
		assert_int_equal(debt(0), cases[i].owed);
		pay(0);
	}
}

/* A request does not pay for the time in which other threads had the CPU. */
static void
waiting_for_a_cpu_costs_nothing(void **state)
{
	(void)state;
	clock_took = CPU_STEP;
	work(0, 1, 0);
	assert_true(turn(UINT32_MAX)); /* the CPU had none of it */
	assert_int_equal(debt(0), 0);
	pay(0);
	for (unsigned int i = 0; i < 3; i++) {
		struct qm_dev_queue *q;

		now += 10 * CPU_STEP;
		work(0, 1, 0);
		clock_took = 0;
		q = qm_dev_sched_get(pool, UINT32_MAX, now);
		assert_non_null(q);
		qm_dev_exec_begin(executor());
		clock_cpu += 30 * US;
		clock_took = i == 0 ? CPU_STEP : 50 * CPU_STEP;
		serve(q);
		assert_int_equal(debt(0), 30 * BYTES_OF_US - 64);
		pay(0);
	}
}

/* A request of one byte, in a list behind so many entries without any. */
static uint32_t
list_request(struct client *c, unsigned int empty)
{
	const unsigned int per = HISI_ACC_SGE_MAX, lists = empty / per + 1;
	struct hisi_zip_sqe *sqe = tq_slot(&c->q, HISI_ZIP_REQ_EXT_COPY);
	size_t size = sizeof(struct hisi_acc_sgl) + per * sizeof(struct hisi_acc_sge);
	size_t mark = c->td.used;
	uint64_t from = 0, to = 0;

	for (unsigned int side = 0; side < 2; side++)
		for (unsigned int i = lists; i-- > 0;) {
			struct hisi_acc_sgl *sgl = td_alloc(&c->td, size, HISI_ACC_SGL_ALIGN);
			struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);
			unsigned int n = i + 1 == lists ? empty % per + 1 : per;

			memset(sgl, 0, size);
			sgl->entry_sum_in_chain = sgl->entry_length_in_sgl =
				sgl->entry_sum_in_sgl = (uint16_t)n;
			if (i + 1 == lists)
				sge[n - 1] = (struct hisi_acc_sge){ .len = 1,
					.buf = td_iova(&c->td, side == 0 ? c->src : c->dst) };
			sgl->next_dma = side == 0 ? from : to;
			*(side == 0 ? &from : &to) = td_iova(&c->td, sgl);
		}
	sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
	sqe->dw10 = HISI_ZIP_EXT_VALID;
	hisi_zip_sqe_src(sqe, from, 1);
	hisi_zip_sqe_dst(sqe, to, 1);
	tq_push(&c->q);
	tq_ring(&c->q);
	assert_true(turn(UINT32_MAX));
	c->td.used = mark;
	return tq_pop(&c->q)->dw3 & HISI_ZIP_STATUS_MASK;
}

/* Entries that are walked over cost, whether or not there is a byte in them; few may be empty. */
static void
entries_cost(void **state)
{
	static const unsigned int empty[] = { 0, 1, 300, QM_DEV_SGE_EMPTY_MAX };
	struct client *c = &client[0];

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(list_request(c, empty[i]), HISI_ZIP_OK);
		assert_int_equal(debt(0), 2 * 8 * (empty[i] + 1));
		pay(0);
	}
	assert_int_equal(list_request(c, QM_DEV_SGE_EMPTY_MAX + 1), HISI_ZIP_BAD_SGL);
	assert_int_equal(debt(0), 8 * (QM_DEV_SGE_EMPTY_MAX + 1));
	pay(0);
	/* What one walked over, the next one does not pay for. */
	work(0, 1, 0);
	assert_true(turn(UINT32_MAX));
	assert_int_equal(debt(0), 0);
}

/* Who has two queues gets no more than who has one; between them, weights count. */
static void
users_have_equal_shares(void **state)
{
	(void)state;
	work(0, 4 * PER, LEN);
	work(1, 8 * PER, LEN);
	run_all();
	expect_turns("0:4 1:4 0:4 1:4 0:4 1:4 0:4 1:20");
	work(0, 8 * PER, LEN);
	work(1, 4 * PER, LEN);
	work(2, 4 * PER, LEN);
	for (unsigned int i = 0; i < 8; i++)
		assert_true(turn(UINT32_MAX));
	turns_cnt = 0;
	run_all();
	assert_int_equal(one.flow.queues.first.cnt + one.flow.queues.turn.cnt, 0);
	assert_int_equal(other.flow.turn.in, QM_DEV_DRR_OUT);
}

/* Bytes of a user while another one has work, too: the same, however many queues it has. */
static void
many_queues_are_one_user(void **state)
{
	unsigned int n[CLIENTS] = { 0 };

	(void)state;
	work(0, 400, LEN);
	work(1, 800, LEN);
	turns_cnt = 0;
	while (n[0] < 400) {
		struct qm_dev_queue *q = qm_dev_sched_get(pool, UINT32_MAX, now);
		unsigned int who = who_is(q);

		n[who] += serve(q);
	}
	assert_in_range(n[1] + n[2], 400 - 2 * PER, 400 + 2 * PER);
	run_all();
	turns_cnt = 0;
	n[0] = n[1] = n[2] = 0;
	work(0, 400, LEN);
	work(1, 400, LEN);
	work(2, 1000, LEN);
	while (n[0] < 400) {
		struct qm_dev_queue *q = qm_dev_sched_get(pool, UINT32_MAX, now);
		unsigned int who = who_is(q);

		n[who] += serve(q);
	}
	/* Queue 2 gets three bytes for one of queue 1, at a third of what they cost its user. */
	assert_in_range(n[1], 200 - 4 * PER, 200 + 4 * PER);
	assert_in_range(n[2], 600 - 12 * PER, 600 + 12 * PER);
	run_all();
	turns_cnt = 0;
}

/* A user owes what its queues did, also when they are set up anew, and others when they come. */
static void
users_owe(void **state)
{
	(void)state;
	work(1, 1, 0);
	clock_took = 190 * US;
	assert_true(turn(UINT32_MAX));
	clock_took = 0;
	assert_int_equal(other.flow.turn.debt, 190 * BYTES_OF_US - 64);
	assert_int_equal(tq_restart(&client[1].q, HISI_ZIP_QC_COMPRESS), 0);
	assert_int_equal(other.flow.turn.debt, 190 * BYTES_OF_US - 64);
	work(2, 1, 0);
	assert_true(turn(UINT32_MAX));
	assert_int_equal(other.flow.turn.debt, 0);
	assert_int_equal(other.flow.turn.deficit, (int64_t)QM_DEV_QUANTUM - 64 -
			(190 * BYTES_OF_US - 64) - (64 + 2) / 3);
	turns_cnt = 0;
}

/* However much is owed, it takes one step until the turn comes, not one per round. */
static void
rounds_are_skipped(void **state)
{
	static struct qm_dev_drr_entry e[1024];
	struct qm_dev_drr drr;
	uint64_t before;

	(void)state;
	qm_dev_drr_init(&drr);
	for (unsigned int i = 0; i < 1024; i++) {
		e[i] = (struct qm_dev_drr_entry){ .weight = 1 };
		qm_dev_drr_charge(&e[i], ((int64_t)1 << 50) + (1023 - i) * QM_DEV_QUANTUM);
		qm_dev_drr_add(&drr, &e[i]);
	}
	before = drr.round;
	for (unsigned int i = 1024; i-- > 0;) {
		struct qm_dev_drr_entry *next = qm_dev_drr_next(&drr);

		assert_ptr_equal(next, &e[i]);
		assert_in_range(next->deficit, 1, QM_DEV_QUANTUM);
		assert_int_equal(next->in, QM_DEV_DRR_OUT);
	}
	assert_in_range(drr.round - before, ((uint64_t)1 << 34) + 1022, ((uint64_t)1 << 34) + 1024);
	assert_null(qm_dev_drr_next(&drr));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, turns_close)
#define USERS(f) cmocka_unit_test_setup_teardown(f, setup_users, turns_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(time_costs), T(waiting_for_a_cpu_costs_nothing), T(entries_cost),
		USERS(users_have_equal_shares), USERS(many_queues_are_one_user), USERS(users_owe),
		cmocka_unit_test(rounds_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
