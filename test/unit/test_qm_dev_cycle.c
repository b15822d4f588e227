/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The life of a queue against a plain model: whatever commands come in whatever order, each
 * has one exact status and leaves one exact state, with and without workers.
 */

#include "test_qm_dev_util.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "qm_dev_queue.h"

#define ARENA  (4u << 20)
#define DEPTH  8
#define QUEUES 3
#define LIVE   2 /* most live queues */

enum command {
	SET_SQC, SET_CQC, BAD_SQC, BAD_CQC, GET_SQC, GET_CQC, STOP, FLUSH, RESET, RING, OVERFLOW,
	COMMANDS,
};

/* What a queue should be. */
static struct model {
	bool sqc, cqc;     /* set */
	bool live;
	bool failed;       /* both are set, and it does nothing */
	bool known_sqc;    /* what GET returns is what was set last */
	bool known_cqc;
	uint16_t rand;
	uint32_t requests;
} model[QUEUES];

static struct td td;
static struct tq q[QUEUES];
static struct hisi_qm_sqc *sqc;
static struct hisi_qm_cqc *cqc;
static uint16_t rand_next;

static unsigned int
live_queues(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < QUEUES; i++)
		n += model[i].live || model[i].failed;
	return n;
}

static void
halt(struct model *m)
{
	m->sqc = m->cqc = m->live = m->failed = false;
}

/* One more context is set. @return The status that the command must have. */
static unsigned int
model_set(struct model *m, bool is_sqc)
{
	if (m->sqc == m->cqc)
		halt(m);
	if (is_sqc)
		m->sqc = m->known_sqc = true;
	else
		m->cqc = m->known_cqc = true;
	if (!m->sqc || !m->cqc)
		return QM_DEV_MB_OK;
	if (live_queues() == LIVE) {
		halt(m);
		return QM_DEV_MB_NO_QUEUE;
	}
	m->live = true;
	return QM_DEV_MB_OK;
}

static unsigned int
set(struct tq *t, bool is_sqc, bool bad)
{
	uint64_t at = td_iova(&td, is_sqc ? (void *)t->sq : (void *)t->cq);

	*sqc = (struct hisi_qm_sqc){
		.base_l = (uint32_t)at + (bad ? 8 : 0), .base_h = (uint32_t)(at >> 32),
		.dw3 = (DEPTH - 1u) | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT,
		.w8 = rand_next, .cq_num = t->qn, .w13 = HISI_QM_SQC_ORDER,
	};
	*cqc = (struct hisi_qm_cqc){
		.base_l = (uint32_t)at + (bad ? 8 : 0), .base_h = (uint32_t)(at >> 32),
		.dw3 = (DEPTH - 1u) | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT,
		.w8 = rand_next, .dw6 = HISI_QM_CQC_PHASE,
	};
	return td_mb(&td, is_sqc ? HISI_QM_MB_SQC : HISI_QM_MB_CQC, t->qn,
			is_sqc ? td_iova(&td, sqc) : td_iova(&td, cqc), false);
}

static void
ring_to(struct tq *t, uint16_t tail)
{
	__atomic_store_n(&t->db->sq, hisi_qm_db(t->qn, HISI_QM_DB_SQ, rand_next, tail, 0),
			__ATOMIC_RELEASE);
}

/* Ring for n requests that cannot but complete, and do their completions; a live queue only. */
static void
work(unsigned int i, unsigned int n, bool give_back)
{
	time_t end = time(NULL) + 60;
	struct tq *t = &q[i];

	while (n-- != 0) {
		tq_slot(t, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
		tq_push(t);
		ring_to(t, t->tail);
		model[i].requests++;
		while (!tq_ready(t)) {
			assert_true(time(NULL) < end);
			sched_yield();
		}
		if (++t->head == DEPTH) {
			t->head = 0;
			t->phase ^= 1;
		}
		if (give_back)
			__atomic_store_n(&t->db->cq, hisi_qm_db(t->qn, HISI_QM_DB_CQ, rand_next,
					t->head, 0), __ATOMIC_RELEASE);
	}
}

static void
check_get(unsigned int i, bool is_sqc)
{
	const struct model *m = &model[i];
	bool both = m->sqc && m->cqc;

	if (is_sqc) {
		assert_int_equal(td_mb(&td, HISI_QM_MB_SQC, q[i].qn, td_iova(&td, sqc), true), 0);
		assert_int_equal(sqc->base_l, m->known_sqc ? (uint32_t)td_iova(&td, q[i].sq) : 0);
		assert_int_equal(sqc->w8, m->known_sqc ? rand_next : 0);
		assert_int_equal(sqc->tail, both && m->live ? q[i].tail : both ? sqc->head : 0);
		return;
	}
	assert_int_equal(td_mb(&td, HISI_QM_MB_CQC, q[i].qn, td_iova(&td, cqc), true), 0);
	assert_int_equal(cqc->base_l, m->known_cqc ? (uint32_t)td_iova(&td, q[i].cq) : 0);
	assert_int_equal(cqc->w8, m->known_cqc ? rand_next : 0);
	if (both && m->live) {
		assert_int_equal(cqc->tail, q[i].head);
		assert_int_equal(cqc->head, q[i].head);
		assert_int_equal(cqc->dw6 & HISI_QM_CQC_PHASE, q[i].phase);
	} else if (!both) {
		assert_int_equal(cqc->head, 0);
		assert_int_equal(cqc->tail, 0);
	}
}

static void
command(unsigned int i, enum command cmd)
{
	struct model *m = &model[i];
	struct tq *t = &q[i];
	uint64_t dropped = td_stats(&td).doorbells_dropped;
	unsigned int live = td_stats(&td).queues_live;
	time_t end = time(NULL) + 60;
	unsigned int want;

	switch (cmd) {
	case SET_SQC:
	case SET_CQC:
		/* Not while someone may write there. */
		if (m->sqc == m->cqc) {
			assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, t->qn, 0, false), 0);
			halt(m);
		}
		memset(t->cq, 0, DEPTH * sizeof(*t->cq));
		t->head = t->tail = 0;
		t->phase = 1;
		want = model_set(m, cmd == SET_SQC);
		assert_int_equal(set(t, cmd == SET_SQC, false), want);
		break;
	case BAD_SQC:
	case BAD_CQC:
		assert_int_equal(set(t, cmd == BAD_SQC, true), QM_DEV_MB_BAD_CTX);
		break;
	case GET_SQC:
	case GET_CQC:
		check_get(i, cmd == GET_SQC);
		break;
	case STOP:
		assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, t->qn, 0, false), 0);
		halt(m);
		break;
	case FLUSH:
		assert_int_equal(td_mb(&td, HISI_QM_MB_FLUSH_QM, 0, 0, false), 0);
		break;
	case RESET:
		qm_dev_reset(td.dev);
		for (unsigned int k = 0; k < QUEUES; k++) {
			halt(&model[k]);
			model[k].known_sqc = model[k].known_cqc = false;
		}
		break;
	case RING:
		if (m->live) {
			work(i, 3, true);
			break;
		}
		/* Through the register, which says at once that it is dropped. */
		qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8,
				hisi_qm_db(t->qn, HISI_QM_DB_SQ, rand_next, 1, 0));
		qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8,
				hisi_qm_db(t->qn, HISI_QM_DB_CQ, rand_next, 1, 0));
		if (!m->failed) {
			assert_int_equal(td_stats(&td).doorbells_dropped, dropped + 2);
			assert_int_equal(qm_dev_poll(td.dev, t->qn, 100), 0);
		}
		break;
	default:
		if (!m->live)
			break;
		/* All CQEs are the driver's, and one more request: it fails. */
		work(i, DEPTH, false);
		ring_to(t, (uint16_t)((t->tail + 1) % DEPTH));
		m->requests++;
		/* A worker counts it a moment after it has ended it. */
		while (td_stats(&td).queues_live == live) {
			assert_true(time(NULL) < end);
			qm_dev_poll(td.dev, t->qn, 1);
		}
		m->live = false;
		m->failed = true;
		break;
	}
}

static void
check_all(void)
{
	unsigned int live = 0, failed = 0;
	uint32_t requests = 0;

	for (unsigned int i = 0; i < QUEUES; i++) {
		struct qm_dev_queue_stats s;

		assert_int_equal(qm_dev_queue_stats_get(td.dev, q[i].qn, &s), 0);
		assert_int_equal(s.live, model[i].live);
		assert_int_equal(s.requests, model[i].requests);
		assert_int_equal(s.waiting, 0);
		live += model[i].live;
		failed += model[i].failed;
		requests += model[i].requests;
	}
	assert_int_equal(td_stats(&td).queues_live, live);
	assert_int_equal(td_stats(&td).requests, requests);
	/* A failed one keeps its place until it is stopped. */
	assert_int_equal(td.dev->queues_taken, live + failed);
	assert_int_equal(td.dev->slots_taken, (live + failed) * DEPTH);
}

static void
start(unsigned int workers)
{
	struct qm_dev_conf conf = td_conf(workers);

	conf.limits.queues_live = LIVE;
	td_open(&td, &conf, ARENA);
	sqc = td_alloc(&td, sizeof(*sqc), 32);
	cqc = td_alloc(&td, sizeof(*cqc), 32);
	rand_next = TD_RAND;
	for (unsigned int i = 0; i < QUEUES; i++) {
		model[i] = (struct model){ .live = false };
		q[i] = (struct tq){ .td = &td, .qn = (uint16_t)(i + 1), .depth = DEPTH };
		q[i].sq = td_alloc(&td, DEPTH * sizeof(*q[i].sq), 128);
		q[i].cq = td_alloc(&td, DEPTH * sizeof(*q[i].cq), 128);
		q[i].db = qm_dev_doorbell(td.dev, q[i].qn);
	}
}

/* Every pair of commands in every state. */
static void
pairs_in_every_state(void **state)
{
	static const enum command to_state[][3] = {
		{ FLUSH, FLUSH, FLUSH }, { SET_SQC, FLUSH, FLUSH }, { SET_CQC, FLUSH, FLUSH },
		{ SET_SQC, SET_CQC, FLUSH }, { SET_CQC, SET_SQC, RING },
		{ SET_SQC, SET_CQC, OVERFLOW }, { SET_SQC, SET_CQC, STOP },
	};

	(void)state;
	start(0);
	for (size_t s = 0; s < sizeof(to_state) / sizeof(to_state[0]); s++)
		for (unsigned int a = 0; a < COMMANDS; a++)
			for (unsigned int b = 0; b < COMMANDS; b++) {
				command(0, RESET);
				/* One place is taken by another queue: a third one has none. */
				command(2, SET_SQC);
				command(2, SET_CQC);
				for (int i = 0; i < 3; i++)
					command(0, to_state[s][i]);
				check_all();
				command(0, (enum command)a);
				check_all();
				command(b % 2, (enum command)b);
				check_all();
				command(0, (enum command)b);
				check_all();
				for (unsigned int i = 0; i < QUEUES; i++) {
					check_get(i, true);
					check_get(i, false);
				}
			}
	td_close(&td);
}

static void
at_random(unsigned int workers, unsigned int rounds)
{
	uint32_t seed = 5 + workers;

	start(workers);
	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int cmd = rnd(&seed) % (3 * COMMANDS);

		/* Resets are rare, else little comes up. */
		if (cmd == RESET && rnd(&seed) % 8 != 0)
			continue;
		command(rnd(&seed) % QUEUES, cmd < COMMANDS ? (enum command)cmd :
				cmd % 3 == 0 ? SET_SQC : cmd % 3 == 1 ? SET_CQC : RING);
		check_all();
	}
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_true(model[i].requests > 0);
	td_close(&td);
}

static void
at_random_polled(void **state)
{
	(void)state;
	at_random(0, 10000 / TD_SLOW);
}

static void
at_random_with_workers(void **state)
{
	(void)state;
	at_random(2, 1000 / TD_SLOW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_in_every_state), cmocka_unit_test(at_random_polled),
		cmocka_unit_test(at_random_with_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
