/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Where queues are while they have no work, how they leave, and who is called when work comes. */

#include "test_qm_dev_turns.h"

static const uint32_t same[CLIENTS] = { 1, 1, 1 };

static int
setup(void **state)
{
	(void)state;
	turns_open(same, false);
	return 0;
}

static int
setup_wake(void **state)
{
	(void)state;
	turns_open(same, true);
	return 0;
}

static struct qm_dev_pool_stats
pool_stats(void)
{
	struct qm_dev_pool_stats s;

	qm_dev_pool_stats_get(pool, &s);
	return s;
}

static bool
asleep(unsigned int who)
{
	struct qm_dev_queue_stats s;

	assert_int_equal(qm_dev_queue_stats_get(client[who].td.dev, 0, &s), 0);
	assert_int_equal(s.asleep, client[who].q.db->asleep);
	return s.asleep;
}

static void
quiet_queues_fall_asleep(void **state)
{
	(void)state;
	assert_false(turn(UINT32_MAX)); /* seen quiet */
	now += QM_DEV_QUIET_NS;
	assert_false(turn(UINT32_MAX));
	assert_int_equal(pool_stats().queues_awake, 3);
	assert_int_equal(pool_stats().sleeps, 0);
	/* One is at work meanwhile: its quiet time begins anew. */
	work(1, 1, 16);
	assert_true(turn(UINT32_MAX));
	/* Another one has a request under way, whose sender will ring when it is done. */
	counter_set(&queue_of(2)->ring.inflight, 1);
	now++;
	assert_false(turn(UINT32_MAX));
	counter_set(&queue_of(2)->ring.inflight, 0);
	assert_int_equal(pool_stats().sleeps, 1);
	assert_int_equal(pool_stats().queues_awake, 2);
	assert_true(asleep(0) && !asleep(1) && !asleep(2));
	assert_int_equal(pool_stats().wakes, 0);
	assert_false(turn(UINT32_MAX));
	now += QM_DEV_QUIET_NS;
	assert_false(turn(UINT32_MAX));
	assert_false(asleep(2)); /* from the time when the request was gone */
	assert_true(!asleep(1));
	now++;
	assert_false(turn(UINT32_MAX));
	assert_true(asleep(0) && asleep(1) && asleep(2));
	assert_int_equal(pool_stats().queues_awake, 0);
	assert_int_equal(pool->quiet.cnt, 0);

	/* Woken by a ring: it has its turn, and is awake until it was quiet long enough again. */
	work(0, 1, 16);
	assert_int_equal(pool_stats().wakes, 1);
	assert_int_equal(pool_stats().queues_awake, 1);
	assert_true(!asleep(0) && asleep(1));
	assert_int_equal(pool->flows.first.cnt, 1);
	work(0, 1, 16); /* awake: no write, no wake */
	assert_int_equal(pool_stats().wakes, 1);
	assert_true(turn(UINT32_MAX));
	expect_turns("1:1 0:2");
	assert_false(asleep(0));
	/* Woken for nothing: quiet. */
	td_wr(&client[1].td, HISI_QM_SHADOW_REG_WAKE, 0);
	assert_int_equal(pool_stats().wakes, 2);
	assert_false(asleep(1));
	assert_int_equal(pool->quiet.cnt, 2);
	assert_false(turn(UINT32_MAX));
	/* A write for a queue that nobody has is dropped. */
	td_wr(&client[1].td, HISI_QM_SHADOW_REG_WAKE, 1);
	td_wr(&client[1].td, HISI_QM_SHADOW_REG_WAKE, 4);
	assert_int_equal(td_stats(&client[1].td).doorbells_dropped, 2);
	/* The doorbell register wakes, too. */
	assert_true(asleep(2));
	qm_dev_write(client[2].td.dev, HISI_QM_DB_SQ_CQ, 8,
			hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, 0, 1));
	assert_false(asleep(2));
	/* Asleep and stopped: not counted any more. */
	assert_false(turn(UINT32_MAX));
	now += QM_DEV_QUIET_NS + 1;
	assert_false(turn(UINT32_MAX));
	assert_int_equal(pool_stats().queues_awake, 0);
	qm_dev_reset(client[2].td.dev);
	assert_int_equal(pool_stats().queues_live, 2);
	assert_int_equal(pool_stats().queues_awake, 0);
}

/* Who reads a context or drains takes the doorbell: no worker finds it new after that. */
static void
a_look_wakes(void **state)
{
	struct client *c = &client[0];
	struct hisi_qm_sqc *sqc = td_alloc(&c->td, sizeof(*sqc), 32);

	(void)state;
	assert_false(turn(UINT32_MAX));
	now += QM_DEV_QUIET_NS + 1;
	assert_false(turn(UINT32_MAX));
	assert_true(asleep(0));
	tq_slot(&c->q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
	tq_push(&c->q);
	__atomic_store_n(&c->q.db->sq, hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, c->q.tail, 0),
			__ATOMIC_RELEASE);
	assert_int_equal(td_mb(&c->td, HISI_QM_MB_SQC, 0, td_iova(&c->td, sqc), true), 0);
	assert_int_equal(sqc->tail, 1);
	assert_int_equal(sqc->head, 0);
	assert_false(asleep(0));
	run_all();
	expect_turns("0:1");
	assert_int_equal(tq_pop(&c->q)->dw3, HISI_ZIP_OK);
}

/* A CQ doorbell in memory that asks for an event is told of like a ring. */
static void
a_wake_arms(void **state)
{
	struct client *c = &client[0];
	struct hisi_qm_eqc *eqc = td_alloc(&c->td, sizeof(*eqc), 32);
	uint32_t *eq = td_alloc(&c->td, 8 * sizeof(*eq), 64);

	(void)state;
	eqc->base_l = (uint32_t)td_iova(&c->td, eq);
	eqc->base_h = (uint32_t)(td_iova(&c->td, eq) >> 32);
	eqc->dw6 = 7 | HISI_QM_EQC_PHASE;
	assert_int_equal(td_mb(&c->td, HISI_QM_MB_EQC, 0, td_iova(&c->td, eqc), false), 0);
	work(0, 1, 16);
	run_all();
	c->q.db->cq = hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 0, 1);
	assert_int_equal(td_stats(&c->td).eqes, 0);
	td_wr(&c->td, HISI_QM_SHADOW_REG_WAKE, 0);
	assert_int_equal(td_stats(&c->td).eqes, 1);
	assert_int_equal(eq[0], 1u << HISI_QM_EQE_PHASE_SHIFT);
	td_wr(&c->td, HISI_QM_SHADOW_REG_WAKE, 0);
	assert_int_equal(td_stats(&c->td).eqes, 1);
}

/* A function that does not follow the protocol is looked at for ever. */
static void
without_the_protocol_none_sleeps(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		assert_false(turn(UINT32_MAX));
		now += 10 * QM_DEV_QUIET_NS;
	}
	assert_int_equal(pool_stats().sleeps, 0);
	assert_int_equal(pool_stats().queues_awake, 3);
}

/* A queue that is stopped leaves wherever it is; the one being claimed from, after that. */
static void
queues_leave(void **state)
{
	struct qm_dev_queue *q;

	(void)state;
	work(0, 2 * PER, LEN);
	work(1, 1, LEN);
	q = qm_dev_sched_get(pool, UINT32_MAX, now);
	assert_int_equal(who_is(q), 0);
	assert_int_equal(pool->flows.first.cnt, 1);
	/* Taken, waiting for its turn, quiet. */
	assert_false(qm_dev_abort(client[0].td.dev));
	assert_int_equal(pool_stats().queues_live, 2);
	assert_true(qm_dev_abort(client[1].td.dev));
	assert_int_equal(pool->flows.first.cnt, 0);
	assert_true(qm_dev_abort(client[2].td.dev));
	assert_int_equal(pool->quiet.cnt, 0);
	assert_int_equal(pool_stats().queues_live, 0);
	assert_false(qm_dev_sched_out(q));
	assert_false(qm_dev_abort(client[0].td.dev));
	assert_int_equal(serve(q), 0);
	assert_true(qm_dev_sched_out(q));
	assert_false(q->sched.leaving);
	assert_true(qm_dev_abort(client[0].td.dev));
	assert_false(turn(UINT32_MAX));
	assert_int_equal(pool->flows.turn.cnt, 0);
	for (unsigned int i = 0; i < CLIENTS; i++)
		assert_int_equal(td_stats(&client[i].td).queues_live, 0);
}

/* Memory that is taken back is in use as long as a worker of the pool holds the map. */
static void
a_worker_holds_the_map(void **state)
{
	struct td *td = &client[0].td;
	uint64_t ticket;

	(void)state;
	qm_dev_view_get(&td->dev->map, &executor()->bufs.view);
	assert_int_equal(qm_dev_dma_unmap_start(td->dev, TD_IOVA, td->size, &ticket, NULL), 1);
	assert_false(qm_dev_dma_unmap_done(td->dev, ticket));
	/* Not that of others. */
	assert_int_equal(td_unmap(client[1].td.dev, TD_IOVA, td->size), 1);
	assert_ptr_equal(qm_dev_view_at(&executor()->bufs.view, TD_IOVA, 16, QM_DEV_PROT_READ),
			td->arena);
	qm_dev_view_put(&executor()->bufs.view);
	assert_true(qm_dev_dma_unmap_done(td->dev, ticket));
}

static bool
mailbox_busy(const struct td *td)
{
	return (qm_dev_read(td->dev, HISI_QM_MAILBOX, 4) & HISI_QM_MB_BUSY) != 0;
}

static void
push_noop(struct tq *q)
{
	tq_slot(q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
	tq_push(q);
	tq_ring(q);
}

/* A command that has to wait for workers is busy until the last of them is done. */
static void
commands_are_put_off(void **state)
{
	struct hisi_qm_mailbox flush = { .w0 = HISI_QM_MB_FLUSH_QM | HISI_QM_MB_BUSY };
	struct hisi_qm_mailbox stop = { .w0 = HISI_QM_MB_STOP_QP | HISI_QM_MB_BUSY };
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev_queue *dq;
	struct qm_dev_group *g;
	struct tq q[2];
	struct td td;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &g), 0);
	conf.group = g;
	td_open(&td, &conf, 1u << 20);
	for (uint16_t i = 0; i < 2; i++)
		tq_start(&q[i], &td, i, HISI_ZIP_QC_COMPRESS, 16);
	for (unsigned int i = 0; i < 2; i++) {
		/* One of the two has work. */
		push_noop(&q[i]);
		qm_dev_mailbox(td.dev, &flush);
		assert_true(mailbox_busy(&td));
		assert_true(mailbox_busy(&td));
		dq = qm_dev_sched_get(pool, UINT32_MAX, now);
		assert_true(mailbox_busy(&td));
		serve(dq);
		assert_false(mailbox_busy(&td));
		assert_non_null(tq_pop(&q[i]));
	}
	/* It is live again, and a stop waits, too; doorbells that come after it do not count. */
	push_noop(&q[0]);
	qm_dev_mailbox(td.dev, &stop);
	assert_true(mailbox_busy(&td));
	push_noop(&q[0]);
	serve(qm_dev_sched_get(pool, UINT32_MAX, now));
	assert_false(mailbox_busy(&td));
	assert_int_equal(td_stats(&td).requests, 3);
	assert_int_equal(td_stats(&td).queues_live, 1);
	assert_int_equal(td_stats(&td).mailbox_errors, 0);
	/* Set up anew while a worker has it: only when it has let go. */
	stop.w0 = HISI_QM_MB_SQC | HISI_QM_MB_BUSY;
	stop.queue_num = 1;
	stop.base_l = (uint32_t)td_iova(&td, td_alloc(&td, 32, 32));
	stop.base_h = (uint32_t)(TD_IOVA >> 32);
	assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, 1, stop.base_l | TD_IOVA >> 32 << 32, true), 0);
	push_noop(&q[1]);
	dq = qm_dev_sched_get(pool, UINT32_MAX, now);
	qm_dev_mailbox(td.dev, &stop);
	assert_true(mailbox_busy(&td));
	assert_int_equal(serve(dq), 0);
	assert_false(mailbox_busy(&td));
	assert_int_equal(td_stats(&td).mailbox_errors, 0);
	assert_int_equal(td_stats(&td).queues_live, 0);
	td_close(&td);
	qm_dev_group_destroy(g);
}

/* In the midst, at the head and at the tail of the list of turns. */
static void
lists_keep_their_order(void **state)
{
	(void)state;
	for (unsigned int gone = 0; gone < CLIENTS; gone++) {
		char want[64] = "";

		for (unsigned int i = 0; i < CLIENTS; i++)
			work(i, 3 * PER, LEN);
		for (unsigned int i = 0; i < CLIENTS; i++)
			assert_true(turn(UINT32_MAX));
		assert_int_equal(pool->flows.turn.cnt, CLIENTS);
		turns_cnt = 0;
		qm_dev_reset(client[gone].td.dev);
		assert_int_equal(pool->flows.turn.cnt, CLIENTS - 1);
		run_all();
		for (unsigned int k = 0; k < 2; k++)
			for (unsigned int i = 0; i < CLIENTS; i++)
				if (i != gone)
					snprintf(want + strlen(want), 8, "%s%u:4",
							want[0] == 0 ? "" : " ", i);
		expect_turns(want);
		for (unsigned int i = 0; i < CLIENTS; i++)
			assert_int_equal(tq_restart(&client[i].q, HISI_ZIP_QC_COMPRESS), 0);
	}
}

/* Calls to sleeping workers since the last look. */
static uint32_t
calls(void)
{
	static uint32_t seen;
	uint32_t n = atomic_load(&pool->futex) - seen;

	seen += n;
	return n;
}

/* When a worker that sleeps is called: the pool is told that one does. */
static void
sleepers_are_called(void **state)
{
	struct qm_dev_queue *q;

	(void)state;
	calls();
	pool->asleep = 1;
	/* Work for one: whoever looks does it. For two: another one is called. */
	work(0, 2 * PER, LEN);
	q = qm_dev_sched_get(pool, UINT32_MAX, now);
	assert_int_equal(calls(), 0);
	qm_dev_sched_put(pool, q, 0);
	calls();
	work(1, 1, LEN);
	q = qm_dev_sched_get(pool, UINT32_MAX, now);
	assert_int_equal(calls(), 1);
	/* Who claimed much is away for long: another one polls, unless one does. */
	qm_dev_sched_put(pool, q, (32 << 10) - 1);
	assert_int_equal(calls(), 0);
	q = qm_dev_sched_get(pool, 0, now);
	calls();
	qm_dev_sched_put(pool, q, 32 << 10);
	assert_int_equal(calls(), 1);
	q = qm_dev_sched_get(pool, 0, now);
	calls();
	atomic_store(&pool->polling, true);
	qm_dev_sched_put(pool, q, 32 << 10);
	assert_int_equal(calls(), 0);
	/* A queue that comes is looked at by someone; one that goes is not. */
	qm_dev_reset(client[2].td.dev);
	assert_int_equal(calls(), 0);
	assert_int_equal(tq_restart(&client[2].q, HISI_ZIP_QC_COMPRESS), 0);
	assert_int_equal(calls(), 0);
	atomic_store(&pool->polling, false);
	assert_int_equal(tq_restart(&client[2].q, HISI_ZIP_QC_COMPRESS), 0);
	assert_int_equal(calls(), 1);
	pool->asleep = 0;
	assert_int_equal(tq_restart(&client[2].q, HISI_ZIP_QC_COMPRESS), 0);
	assert_int_equal(calls(), 0);
}

/* The same for a queue that is woken; and who sleeps with work at hand is back at once. */
static void
a_wake_calls_a_sleeper(void **state)
{
	(void)state;
	assert_false(turn(UINT32_MAX));
	now += QM_DEV_QUIET_NS + 1;
	assert_false(turn(UINT32_MAX));
	assert_int_equal(pool_stats().queues_awake, 0);
	calls();
	pool->asleep = 1;
	work(0, 1, 16);
	assert_int_equal(calls(), 1);
	work(0, 1, 16);
	assert_int_equal(calls(), 0);
	atomic_store(&pool->polling, true);
	work(1, 1, 16);
	assert_int_equal(calls(), 0);
	atomic_store(&pool->polling, false);
	pool->asleep = 0;
	assert_int_equal(atomic_load(&pool->ready), 2);
	assert_int_equal(atomic_load(&pool->calm), 0);

	qm_dev_sched_sleep(pool, INT64_MAX); /* work: does not sleep */
	assert_int_equal(pool->asleep, 0);
	run_all();
	assert_int_equal(atomic_load(&pool->ready), 0);
	assert_int_equal(atomic_load(&pool->calm), 2);
	qm_dev_sched_sleep(pool, 1000); /* quiet queues to look at: not for ever */
	assert_int_equal(pool->asleep, 0);
	qm_dev_sched_stop(pool);
	for (unsigned int i = 0; i < CLIENTS; i++)
		qm_dev_reset(client[i].td.dev);
	qm_dev_sched_sleep(pool, 1000);
	assert_int_equal(pool->asleep, 0);
}

#define T(f)      cmocka_unit_test_setup_teardown(f, setup, turns_close)
#define T_WAKE(f) cmocka_unit_test_setup_teardown(f, setup_wake, turns_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T_WAKE(quiet_queues_fall_asleep), T_WAKE(a_look_wakes), T_WAKE(a_wake_arms),
		T(without_the_protocol_none_sleeps), T(queues_leave), T(a_worker_holds_the_map),
		T(commands_are_put_off),
		T(lists_keep_their_order), T(sleepers_are_called),
		T_WAKE(a_wake_calls_a_sleeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
