/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <limits.h>
#include <linux/futex.h>
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
list_add_head(struct qm_dev_sched_list *l, struct qm_dev_queue *q)
{
	TAILQ_INSERT_HEAD(&l->queues, q, sched.link);
	l->cnt++;
}

static void
list_del(struct qm_dev_sched_list *l, struct qm_dev_queue *q)
{
	TAILQ_REMOVE(&l->queues, q, sched.link);
	l->cnt--;
}

static inline uint32_t
ready(const struct qm_dev_pool *pool)
{
	return pool->first.cnt + pool->turn.cnt;
}

static void
unlink_queue(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	switch (sched_state(q)) {
	case QM_DEV_SCHED_QUIET:
		list_del(&pool->quiet, q);
		break;
	case QM_DEV_SCHED_FIRST:
		list_del(&pool->first, q);
		break;
	case QM_DEV_SCHED_TURN:
		list_del(&pool->turn, q);
		break;
	case QM_DEV_SCHED_ASLEEP:
		pool->queues_asleep--;
		break;
	default:
		break;
	}
}

static void
make_quiet(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	q->sched.quiet_since = 0;
	set_state(q, QM_DEV_SCHED_QUIET);
	list_add_tail(&pool->quiet, q);
}

/* ---- Deficit round robin by bytes; the lock is held ---- */

/*
 * What the rounds since its last one give the queue: they pay back what it
 * overdrew by a long request; idle time is not saved up as credit.
 */
static void
credit(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	int64_t share = (int64_t)QM_DEV_QUANTUM * q->sched.weight;
	uint64_t rounds = pool->round - q->sched.round;

	q->sched.round = pool->round;
	if (rounds > (uint64_t)(share - q->sched.deficit) / (uint64_t)share)
		q->sched.deficit = share;
	else
		q->sched.deficit += (int64_t)rounds * share;
}

/*
 * A queue got work. If it has something left to claim in this round, it need not
 * wait for those that used theirs up: that bounds the wait of small requests, and
 * takes nothing from others, as it gets no more in a round than they do.
 */
static void
make_ready(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
	if (q->sched.round != pool->round)
		credit(pool, q);
	if (q->sched.deficit > 0) {
		set_state(q, QM_DEV_SCHED_FIRST);
		list_add_tail(&pool->first, q);
	} else {
		set_state(q, QM_DEV_SCHED_TURN);
		list_add_tail(&pool->turn, q);
	}
}

static struct qm_dev_queue *
next_turn(struct qm_dev_pool *pool)
{
	struct qm_dev_queue *q = TAILQ_FIRST(&pool->first.queues);

	if (q != NULL) {
		list_del(&pool->first, q);
		return q;
	}
	while ((q = TAILQ_FIRST(&pool->turn.queues)) != NULL) {
		list_del(&pool->turn, q);
		/* The list is in the order of rounds: its head had its turn, so all had. */
		if (q->sched.round == pool->round)
			pool->round++;
		credit(pool, q);
		if (q->sched.deficit > 0)
			return q;
		list_add_tail(&pool->turn, q);
	}
	return NULL;
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
	atomic_store_explicit(&pool->ready, ready(pool), memory_order_relaxed);
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
	if (ready(pool) != 0 ||
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
	q->sched.round = pool->round - 1;
	q->sched.deficit = 0;
	make_quiet(pool, q);
}

static void
take_out(struct qm_dev_pool *pool, struct qm_dev_queue *q)
{
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
	poll_quiet(pool, ready(pool) != 0 ? polls : UINT32_MAX, now);
	q = next_turn(pool);
	if (q != NULL)
		set_state(q, QM_DEV_SCHED_TAKEN);
	unlock_and_wake(pool, q != NULL && ready(pool) != 0);
	return q;
}

void
qm_dev_sched_put(struct qm_dev_pool *pool, struct qm_dev_queue *q, int64_t cost)
{
	qm_dev_lock(&pool->lock);
	q->sched.rung_at = 0;
	if (q->sched.leaving) {
		q->sched.leaving = false;
		set_state(q, QM_DEV_SCHED_OUT);
	} else if (counter_get(&q->ring.waiting) == 0) {
		make_quiet(pool, q);
	} else if (q->ring.fenced && counter_get(&q->ring.inflight) != 0) {
		set_state(q, QM_DEV_SCHED_FENCED);
	} else if (q->sched.deficit > 0) {
		/* Its turn is not over. */
		set_state(q, QM_DEV_SCHED_FIRST);
		list_add_head(&pool->first, q);
	} else {
		set_state(q, QM_DEV_SCHED_TURN);
		list_add_tail(&pool->turn, q);
	}
	unlock_and_wake(pool, !polled(pool) && cost >= LONG_COST &&
			ready(pool) + pool->quiet.cnt != 0);
}
