/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zip_dev_sched.h"

/** A claim of this many bytes keeps its worker so long that another one shall look out. */
#define LONG_COST (32 << 10)

/* ---- Lists; the lock is held ---- */

static inline uint8_t
sched_state(const struct zip_dev_queue *q)
{
	return atomic_load_explicit(&q->sched, memory_order_relaxed);
}

static inline void
set_state(struct zip_dev_queue *q, enum zip_dev_sched_state state)
{
	atomic_store_explicit(&q->sched, (uint8_t)state, memory_order_release);
}

static void
list_add_tail(struct zip_dev_sched_list *l, struct zip_dev_queue *q)
{
	q->sched_next = NULL;
	q->sched_prev = l->tail;
	if (l->tail != NULL)
		l->tail->sched_next = q;
	else
		l->head = q;
	l->tail = q;
	l->cnt++;
}

static void
list_add_head(struct zip_dev_sched_list *l, struct zip_dev_queue *q)
{
	q->sched_prev = NULL;
	q->sched_next = l->head;
	if (l->head != NULL)
		l->head->sched_prev = q;
	else
		l->tail = q;
	l->head = q;
	l->cnt++;
}

static void
list_del(struct zip_dev_sched_list *l, struct zip_dev_queue *q)
{
	if (q->sched_prev != NULL)
		q->sched_prev->sched_next = q->sched_next;
	else
		l->head = q->sched_next;
	if (q->sched_next != NULL)
		q->sched_next->sched_prev = q->sched_prev;
	else
		l->tail = q->sched_prev;
	l->cnt--;
}

static inline uint32_t
ready(const struct zip_dev_pool *pool)
{
	return pool->first.cnt + pool->turn.cnt;
}

static void
unlink_queue(struct zip_dev_pool *pool, struct zip_dev_queue *q)
{
	switch (sched_state(q)) {
	case ZIP_DEV_SCHED_QUIET:
		list_del(&pool->quiet, q);
		break;
	case ZIP_DEV_SCHED_FIRST:
		list_del(&pool->first, q);
		break;
	case ZIP_DEV_SCHED_TURN:
		list_del(&pool->turn, q);
		break;
	case ZIP_DEV_SCHED_ASLEEP:
		pool->queues_asleep--;
		break;
	default:
		break;
	}
}

static void
make_quiet(struct zip_dev_pool *pool, struct zip_dev_queue *q)
{
	q->quiet_since = 0;
	set_state(q, ZIP_DEV_SCHED_QUIET);
	list_add_tail(&pool->quiet, q);
}

/* ---- Deficit round robin by bytes; the lock is held ---- */

/*
 * What the rounds since its last one give the queue: they pay back what it
 * overdrew by a long request; idle time is not saved up as credit.
 */
static void
credit(struct zip_dev_pool *pool, struct zip_dev_queue *q)
{
	int64_t share = (int64_t)ZIP_DEV_QUANTUM * q->weight;
	uint64_t rounds = pool->round - q->round;

	q->round = pool->round;
	if (rounds > (uint64_t)(share - q->deficit) / (uint64_t)share)
		q->deficit = share;
	else
		q->deficit += (int64_t)rounds * share;
}

/*
 * A queue got work. If it has something left to claim in this round, it need not
 * wait for those that used theirs up: that bounds the wait of small requests, and
 * takes nothing from others, as it gets no more in a round than they do.
 */
static void
make_ready(struct zip_dev_pool *pool, struct zip_dev_queue *q)
{
	if (q->round != pool->round)
		credit(pool, q);
	if (q->deficit > 0) {
		set_state(q, ZIP_DEV_SCHED_FIRST);
		list_add_tail(&pool->first, q);
	} else {
		set_state(q, ZIP_DEV_SCHED_TURN);
		list_add_tail(&pool->turn, q);
	}
}

static struct zip_dev_queue *
next_turn(struct zip_dev_pool *pool)
{
	struct zip_dev_queue *q = pool->first.head;

	if (q != NULL) {
		list_del(&pool->first, q);
		return q;
	}
	while ((q = pool->turn.head) != NULL) {
		list_del(&pool->turn, q);
		/* The list is in the order of rounds: its head had its turn, so all had. */
		if (q->round == pool->round)
			pool->round++;
		credit(pool, q);
		if (q->deficit > 0)
			return q;
		list_add_tail(&pool->turn, q);
	}
	return NULL;
}

/* ---- Quiet queues; the lock is held ---- */

/*
 * The state is what the register path looks at and asleep what the driver does:
 * both are set before the doorbell is read again (hisi_qm_shadow.h, D1 to D2).
 */
static bool
put_to_sleep(struct zip_dev_pool *pool, struct zip_dev_queue *q)
{
	set_state(q, ZIP_DEV_SCHED_ASLEEP);
	if (!hisi_qm_shadow_sleep(q->db, atomic_load_explicit(&q->sq_seen,
			memory_order_relaxed)))
		return false;
	pool->sleeps++;
	pool->queues_asleep++;
	return true;
}

static void
look_at_quiet(struct zip_dev_pool *pool, uint32_t looks, int64_t now)
{
	if (looks > pool->quiet.cnt)
		looks = pool->quiet.cnt;
	while (looks-- != 0) {
		struct zip_dev_queue *q = pool->quiet.head;

		list_del(&pool->quiet, q);
		if (zip_dev_queue_peek(q)) {
			q->rung_at = now;
			make_ready(pool, q);
			continue;
		}
		/* Whoever waits for an answer will ring again when it is there. */
		if (!q->can_sleep ||
				atomic_load_explicit(&q->inflight, memory_order_relaxed) != 0) {
			q->quiet_since = 0;
		} else if (q->quiet_since == 0) {
			q->quiet_since = now;
		} else if (now - q->quiet_since > ZIP_DEV_QUIET_NS) {
			if (put_to_sleep(pool, q))
				continue;
			set_state(q, ZIP_DEV_SCHED_QUIET);
		}
		list_add_tail(&pool->quiet, q);
	}
}

/* ---- Sleeping workers ---- */

static void
futex_wake(struct zip_dev_pool *pool, int cnt)
{
	syscall(SYS_futex, &pool->futex, FUTEX_WAKE_PRIVATE, cnt, NULL, NULL, 0);
}

static inline bool
polled(const struct zip_dev_pool *pool)
{
	return atomic_load_explicit(&pool->polling, memory_order_relaxed);
}

/* Let go of the lock, and wake one sleeping worker if wake says so. */
static void
unlock_and_wake(struct zip_dev_pool *pool, bool wake)
{
	atomic_store_explicit(&pool->ready, ready(pool), memory_order_relaxed);
	atomic_store_explicit(&pool->calm, pool->quiet.cnt, memory_order_relaxed);
	wake = wake && pool->asleep != 0;
	if (wake)
		atomic_fetch_add_explicit(&pool->futex, 1, memory_order_relaxed);
	zip_dev_unlock(&pool->lock);
	if (wake)
		futex_wake(pool, 1);
}

void
zip_dev_sched_sleep(struct zip_dev_pool *pool, int64_t timeout_ns)
{
	struct timespec ts = { .tv_nsec = timeout_ns };
	uint32_t seen;
	bool forever;

	zip_dev_lock(&pool->lock);
	if (ready(pool) != 0 ||
			atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
		zip_dev_unlock(&pool->lock);
		return;
	}
	forever = pool->quiet.cnt == 0;
	/* Whoever adds work takes the lock after this, finds the sleeper, and changes the word. */
	seen = atomic_load_explicit(&pool->futex, memory_order_relaxed);
	pool->asleep++;
	zip_dev_unlock(&pool->lock);

	syscall(SYS_futex, &pool->futex, FUTEX_WAIT_PRIVATE, seen, forever ? NULL : &ts, NULL, 0);

	zip_dev_lock(&pool->lock);
	pool->asleep--;
	zip_dev_unlock(&pool->lock);
}

void
zip_dev_sched_stop(struct zip_dev_pool *pool)
{
	zip_dev_lock(&pool->lock);
	atomic_store_explicit(&pool->stop, true, memory_order_relaxed);
	atomic_fetch_add_explicit(&pool->futex, 1, memory_order_relaxed);
	zip_dev_unlock(&pool->lock);
	futex_wake(pool, INT_MAX);
}

/* ---- Queues come and go ---- */

static void
add(struct zip_dev_pool *pool, struct zip_dev_queue *q)
{
	q->round = pool->round - 1;
	q->deficit = 0;
	make_quiet(pool, q);
}

static void
take_out(struct zip_dev_pool *pool, struct zip_dev_queue *q)
{
	if (sched_state(q) == ZIP_DEV_SCHED_TAKEN) {
		q->leaving = true;
		return;
	}
	unlink_queue(pool, q);
	set_state(q, ZIP_DEV_SCHED_OUT);
}

bool
zip_dev_sched_set(struct zip_dev_queue *q, bool running)
{
	struct zip_dev_pool *pool = q->pool;
	bool changed;

	zip_dev_lock(&pool->lock);
	changed = atomic_load_explicit(&q->running, memory_order_relaxed) != running;
	if (changed) {
		atomic_store_explicit(&q->running, running, memory_order_relaxed);
		if (running)
			add(pool, q);
		else
			take_out(pool, q);
	}
	unlock_and_wake(pool, changed && running && !polled(pool));
	return changed;
}

void
zip_dev_sched_wake(struct zip_dev_queue *q)
{
	struct zip_dev_pool *pool = q->pool;

	/* Behind the store to the doorbell, see put_to_sleep(). */
	atomic_thread_fence(memory_order_seq_cst);
	if (sched_state(q) != ZIP_DEV_SCHED_ASLEEP)
		return;
	zip_dev_lock(&pool->lock);
	if (sched_state(q) != ZIP_DEV_SCHED_ASLEEP) {
		zip_dev_unlock(&pool->lock);
		return;
	}
	hisi_qm_shadow_wake(q->db);
	pool->wakes++;
	pool->queues_asleep--;
	q->rung_at = zip_dev_now();
	if (zip_dev_queue_peek(q))
		make_ready(pool, q);
	else
		make_quiet(pool, q);
	unlock_and_wake(pool, !polled(pool));
}

/* ---- Turns ---- */

struct zip_dev_queue *
zip_dev_sched_get(struct zip_dev_pool *pool, uint32_t looks, int64_t now)
{
	struct zip_dev_queue *q;

	zip_dev_lock(&pool->lock);
	look_at_quiet(pool, ready(pool) != 0 ? looks : UINT32_MAX, now);
	q = next_turn(pool);
	if (q != NULL)
		set_state(q, ZIP_DEV_SCHED_TAKEN);
	unlock_and_wake(pool, q != NULL && ready(pool) != 0);
	return q;
}

void
zip_dev_sched_put(struct zip_dev_pool *pool, struct zip_dev_queue *q, int64_t cost)
{
	zip_dev_lock(&pool->lock);
	q->rung_at = 0;
	if (q->leaving) {
		q->leaving = false;
		set_state(q, ZIP_DEV_SCHED_OUT);
	} else if (atomic_load_explicit(&q->waiting, memory_order_relaxed) == 0) {
		make_quiet(pool, q);
	} else if (q->deficit > 0) {
		/* Its turn is not over. */
		set_state(q, ZIP_DEV_SCHED_FIRST);
		list_add_head(&pool->first, q);
	} else {
		set_state(q, ZIP_DEV_SCHED_TURN);
		list_add_tail(&pool->turn, q);
	}
	unlock_and_wake(pool, !polled(pool) && cost >= LONG_COST &&
			ready(pool) + pool->quiet.cnt != 0);
}
