/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qm_dev_sched.h"

/** A claim of this many bytes keeps its worker so long that another one shall poll. */
#define LONG_COST (32 << 10)

/* ---- Lists; the lock is held ---- */

static inline uint8_t
sched_state(const struct qm_dev_queue *q)
{
	return atomic_load_explicit(&q->sched.state, memory_order_relaxed);
}

static inline void
set_state(struct qm_dev_queue *q, enum qm_dev_sched_state state)
{
	atomic_store_explicit(&q->sched.state, (uint8_t)state, memory_order_release);
}

static void
list_add_tail(struct qm_dev_sched_list *l, struct qm_dev_queue *q)
{
	TAILQ_INSERT_TAIL(&l->queues, q, sched.link);
	l->cnt++;
}

static void
list_del(struct qm_dev_sched_list *l, struct qm_dev_queue *q)
{
	TAILQ_REMOVE(&l->queues, q, sched.link);
	l->cnt--;
}

static void
make_quiet(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	q->sched.quiet_since = 0;
	set_state(q, QM_DEV_SCHED_QUIET);
	list_add_tail(&pool->quiet, q);
}

/* ---- Turns of flows, and of their queues; the lock is held ---- */

#define OF_TURN(type, e, member) \
	((struct type *)((uintptr_t)(e) - offsetof(struct type, member)))

/* What a cost in bytes is to a flow: who has more weight gets more for it. */
static inline int64_t
flow_cost(const struct qm_dev_queue *q, int64_t cost)
{
	return (cost + q->sched.turn.weight - 1) / q->sched.turn.weight;
}

static inline bool
flow_has_work(const struct qm_dev_flow *f)
{
	return f->queues.first.cnt + f->queues.turn.cnt != 0;
}

static inline void
make_ready_by(struct qm_dev_pool *pool, struct qm_dev_queue *q,
		void (*add)(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e))
{
	struct qm_dev_flow *f = q->sched.flow;

	set_state(q, QM_DEV_SCHED_READY);
	add(&f->queues, &q->sched.turn);
	if (f->turn.in == QM_DEV_DRR_OUT)
		add(&pool->flows, &f->turn);
}

/*
 * A queue got work. If it, and its flow, have something left to claim in this round, they need not
 * wait for those that used theirs up: that bounds the wait of small requests, and
 * takes nothing from others, as they get no more in a round than the others do.
 */
static void
make_ready(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	make_ready_by(pool, q, qm_dev_drr_add);
}

/* A queue that was served has more work. */
static void
make_ready_again(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	make_ready_by(pool, q, qm_dev_drr_again);
}

static void
unmake_ready(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	struct qm_dev_flow *f = q->sched.flow;

	qm_dev_drr_del(&f->queues, &q->sched.turn);
	if (!flow_has_work(f))
		qm_dev_drr_del(&pool->flows, &f->turn);
}

static void
unlink_queue(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	switch (sched_state(q)) {
	case QM_DEV_SCHED_QUIET:
		list_del(&pool->quiet, q);
		break;
	case QM_DEV_SCHED_READY:
		unmake_ready(pool, q);
		break;
	case QM_DEV_SCHED_ASLEEP:
		pool->queues_asleep--;
		break;
	default:
		break;
	}
}

/* Flows that wait for their turn, and may have it. */
static inline uint32_t
flows_ready(const struct qm_dev_pool *pool)
{
	return pool->flows.first.cnt + pool->flows.turn.cnt;
}

static inline bool
is_slow(const struct qm_dev_flow *f, int64_t now)
{
	return atomic_load_explicit(&f->slow_until, memory_order_relaxed) > now;
}

/* Whether another worker for slow flows would be the last one, which some flow may want. */
static bool
slow_must_wait(const struct qm_dev_pool *pool, int64_t now)
{
	const struct qm_dev_flow *f;

	if (pool->conf.workers == 1 || pool->slow + 1 < pool->conf.workers)
		return false;
	TAILQ_FOREACH(f, &pool->live, link)
		if (!is_slow(f, now))
			return true;
	return false;
}

static struct qm_dev_queue *
next_turn(struct qm_dev_pool *pool, int64_t now)
{
	struct qm_dev_drr_entry *e;
	struct qm_dev_queue *q;
	struct qm_dev_flow *f;
	bool slow;

	qm_dev_drr_release(&pool->flows);
	for (;;) {
		e = qm_dev_drr_next(&pool->flows);
		if (e == NULL)
			return NULL;
		f = OF_TURN(qm_dev_flow, e, turn);
		slow = is_slow(f, now);
		if (!slow || !slow_must_wait(pool, now))
			break;
		qm_dev_drr_hold(&pool->flows, e);
	}
	q = OF_TURN(qm_dev_queue, qm_dev_drr_next(&f->queues), sched.turn);
	if (flow_has_work(f)) {
		qm_dev_drr_pass(&pool->flows, &f->turn);
	} else {
		/* With nobody to share with, it has what its flow has. */
		q->sched.turn.deficit = f->turn.deficit * q->sched.turn.weight;
		atomic_store_explicit(&q->sched.turn.debt, 0, memory_order_relaxed);
	}
	q->sched.slow = slow;
	pool->slow += slow;
	return q;
}

void
qm_dev_sched_done(struct qm_dev_pool *pool, bool slow)
{
	if (!slow)
		return;
	qm_dev_lock(&pool->lock);
	pool->slow--;
	qm_dev_unlock(&pool->lock);
}

void
qm_dev_sched_charge(struct qm_dev_queue *q, int64_t cost)
{
	qm_dev_drr_charge(&q->sched.turn, cost);
	qm_dev_drr_charge(&q->sched.flow->turn, flow_cost(q, cost));
}

/* ---- Quiet queues; the lock is held ---- */

/*
 * The state is what the register path reads and asleep what the driver does:
 * both are set before the doorbell is read again (hisi_qm_shadow.h, D1 to D2).
 */
static bool
put_to_sleep(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	set_state(q, QM_DEV_SCHED_ASLEEP);
	if (!hisi_qm_shadow_sleep(q->db, atomic_load_explicit(&q->ring.sq_seen,
			memory_order_relaxed)))
		return false;
	pool->sleeps++;
	pool->queues_asleep++;
	return true;
}

static void
poll_quiet(struct qm_dev_pool *pool, uint32_t polls, int64_t now)
{
	if (polls > pool->quiet.cnt)
		polls = pool->quiet.cnt;
	while (polls-- != 0) {
		struct qm_dev_queue *q = TAILQ_FIRST(&pool->quiet.queues);

		list_del(&pool->quiet, q);
		if (qm_dev_queue_peek(q)) {
			q->sched.rung_at = now;
			make_ready(pool, q);
			continue;
		}
		/* Whoever waits for an answer will ring again when it is there. */
		if (!q->sched.can_sleep || counter_get(&q->ring.inflight) != 0) {
			q->sched.quiet_since = 0;
		} else if (q->sched.quiet_since == 0) {
			q->sched.quiet_since = now;
		} else if (now - q->sched.quiet_since > QM_DEV_QUIET_NS) {
			if (put_to_sleep(pool, q))
				continue;
			set_state(q, QM_DEV_SCHED_QUIET);
		}
		list_add_tail(&pool->quiet, q);
	}
}

/* ---- Sleeping workers ---- */

static void
futex_wake(struct qm_dev_pool *pool, int cnt)
{
	syscall(SYS_futex, &pool->futex, FUTEX_WAKE_PRIVATE, cnt, NULL, NULL, 0);
}

static inline bool
polled(const struct qm_dev_pool *pool)
{
	return atomic_load_explicit(&pool->polling, memory_order_relaxed);
}

/* Let go of the lock, and wake one sleeping worker if wake says so. */
static void
unlock_and_wake(struct qm_dev_pool *pool, bool wake)
{
	atomic_store_explicit(&pool->ready, flows_ready(pool), memory_order_relaxed);
	atomic_store_explicit(&pool->calm, pool->quiet.cnt, memory_order_relaxed);
	wake = wake && pool->asleep != 0;
	if (wake)
		atomic_fetch_add_explicit(&pool->futex, 1, memory_order_relaxed);
	qm_dev_unlock(&pool->lock);
	if (wake)
		futex_wake(pool, 1);
}

void
qm_dev_sched_sleep(struct qm_dev_pool *pool, int64_t timeout_ns)
{
	struct timespec ts = { .tv_nsec = timeout_ns };
	uint32_t seen;
	bool forever;

	qm_dev_lock(&pool->lock);
	if (flows_ready(pool) != 0 ||
			atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
		qm_dev_unlock(&pool->lock);
		return;
	}
	forever = pool->quiet.cnt == 0;
	/* Whoever adds work takes the lock after this, finds the sleeper, and changes the word. */
	seen = atomic_load_explicit(&pool->futex, memory_order_relaxed);
	pool->asleep++;
	qm_dev_unlock(&pool->lock);

	syscall(SYS_futex, &pool->futex, FUTEX_WAIT_PRIVATE, seen, forever ? NULL : &ts, NULL, 0);

	qm_dev_lock(&pool->lock);
	pool->asleep--;
	qm_dev_unlock(&pool->lock);
}

void
qm_dev_sched_stop(struct qm_dev_pool *pool)
{
	qm_dev_lock(&pool->lock);
	atomic_store_explicit(&pool->stop, true, memory_order_relaxed);
	atomic_fetch_add_explicit(&pool->futex, 1, memory_order_relaxed);
	qm_dev_unlock(&pool->lock);
	futex_wake(pool, INT_MAX);
}

/* ---- Queues come and go ---- */

static void
sched_add(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	struct qm_dev_flow *f = q->sched.flow;

	if (f == &q->sched.own || f->queues.round == 0) {
		qm_dev_drr_init(&f->queues);
		f->turn = (struct qm_dev_drr_entry){ .weight = 1, .round = pool->flows.round - 1 };
	}
	if (f->live++ == 0)
		TAILQ_INSERT_TAIL(&pool->live, f, link);
	q->sched.turn.round = f->queues.round - 1;
	q->sched.turn.deficit = 0;
	atomic_store_explicit(&q->sched.turn.debt, 0, memory_order_relaxed);
	make_quiet(pool, q);
}

static void
take_out(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	struct qm_dev_flow *f = q->sched.flow;

	if (--f->live == 0)
		TAILQ_REMOVE(&pool->live, f, link);
	if (sched_state(q) == QM_DEV_SCHED_TAKEN) {
		q->sched.leaving = true;
		return;
	}
	unlink_queue(pool, q);
	set_state(q, QM_DEV_SCHED_OUT);
}

bool
qm_dev_sched_set(struct qm_dev_queue *q, bool running)
{
	struct qm_dev_pool *pool = q->pool;
	bool changed;

	qm_dev_lock(&pool->lock);
	changed = atomic_load_explicit(&q->sched.running, memory_order_relaxed) != running;
	if (changed) {
		atomic_store_explicit(&q->sched.running, running, memory_order_relaxed);
		if (running)
			sched_add(pool, q);
		else
			take_out(pool, q);
	}
	unlock_and_wake(pool, changed && running && !polled(pool));
	return changed;
}

void
qm_dev_sched_unfence(struct qm_dev_queue *q)
{
	struct qm_dev_pool *pool = q->pool;

	qm_dev_lock(&pool->lock);
	if (sched_state(q) == QM_DEV_SCHED_FENCED)
		make_ready(pool, q);
	/* The caller is a worker that has nothing left to execute: it polls next. */
	unlock_and_wake(pool, false);
}

void
qm_dev_sched_wake(struct qm_dev_queue *q)
{
	struct qm_dev_pool *pool = q->pool;

	/* Behind the store to the doorbell, see put_to_sleep(). */
	atomic_thread_fence(memory_order_seq_cst);
	if (sched_state(q) != QM_DEV_SCHED_ASLEEP)
		return;
	qm_dev_lock(&pool->lock);
	if (sched_state(q) != QM_DEV_SCHED_ASLEEP) {
		qm_dev_unlock(&pool->lock);
		return;
	}
	hisi_qm_shadow_wake(q->db);
	pool->wakes++;
	pool->queues_asleep--;
	q->sched.rung_at = base_now_ns();
	if (qm_dev_queue_peek(q))
		make_ready(pool, q);
	else
		make_quiet(pool, q);
	unlock_and_wake(pool, !polled(pool));
}

/* ---- Turns ---- */

struct qm_dev_queue *
qm_dev_sched_get(struct qm_dev_pool *pool, uint32_t polls, int64_t now)
{
	struct qm_dev_queue *q;

	qm_dev_lock(&pool->lock);
	poll_quiet(pool, flows_ready(pool) != 0 ? polls : UINT32_MAX, now);
	q = next_turn(pool, now);
	if (q != NULL)
		set_state(q, QM_DEV_SCHED_TAKEN);
	unlock_and_wake(pool, q != NULL && flows_ready(pool) != 0);
	return q;
}

void
qm_dev_sched_put(struct qm_dev_pool *pool, struct qm_dev_queue *q, int64_t cost)
{
	qm_dev_lock(&pool->lock);
	q->sched.rung_at = 0;
	q->sched.flow->turn.deficit -= flow_cost(q, cost);
	if (q->sched.leaving) {
		q->sched.leaving = false;
		set_state(q, QM_DEV_SCHED_OUT);
	} else if (counter_get(&q->ring.waiting) == 0) {
		make_quiet(pool, q);
	} else if (q->ring.fenced && counter_get(&q->ring.inflight) != 0) {
		set_state(q, QM_DEV_SCHED_FENCED);
	} else {
		make_ready_again(pool, q);
	}
	unlock_and_wake(pool, !polled(pool) && cost >= LONG_COST &&
			flows_ready(pool) + pool->quiet.cnt != 0);
}
