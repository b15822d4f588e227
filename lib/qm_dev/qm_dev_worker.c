/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "qm_dev_exec.h"
#include "qm_dev_group.h"
#include "qm_dev_run.h"
#include "qm_dev_sched.h"

/*
 * Nobody tells a worker of a doorbell that is a store to memory, as long as the queue
 * is awake. So one worker without work polls, without pause at first, and in steps that
 * cost less the longer there was nothing; the others stand by. A request that comes
 * after a long silence, in a queue that may not be put to sleep, waits up to NAP_NS plus
 * the system's wake-up time.
 */
#define SPIN_NS  20000
#define YIELD_NS 1000000
#define NAP_NS   50000
/** Longest sleep of a worker that stands by while another one polls. */
#define STANDBY_NS 1000000

/** Served bytes, and time of a turn, that pay for a poll of a quiet queue, while there is work. */
#define POLL_COST 1024
#define POLL_NS   7000

/* ---- Workers ---- */

/** How long a worker has been without work. */
struct idle {
	bool on;
	bool polls; /**< It is the one that polls (qm_dev_pool.polling). */
	int64_t since;
	int64_t standby;
};

static void
idle_end(struct qm_dev_pool *pool, struct idle *i)
{
	if (!i->on)
		return;
	i->on = false;
	atomic_fetch_sub_explicit(&pool->idle, 1, memory_order_relaxed);
	if (i->polls)
		atomic_store_explicit(&pool->polling, false, memory_order_relaxed);
	i->polls = false;
}

/* A worker that sleeps does not poll: another one may. */
static void
idle_sleep(struct qm_dev_pool *pool, struct idle *i, int64_t ns)
{
	if (i->polls)
		atomic_store_explicit(&pool->polling, false, memory_order_relaxed);
	i->polls = false;
	qm_dev_sched_sleep(pool, ns);
}

static void
idle_go_on(struct qm_dev_pool *pool, struct idle *i, int64_t now)
{
	if (!i->on) {
		*i = (struct idle){ .on = true, .since = now, .standby = NAP_NS };
		atomic_fetch_add_explicit(&pool->idle, 1, memory_order_relaxed);
	}
	if (atomic_load_explicit(&pool->calm, memory_order_relaxed) == 0) {
		idle_sleep(pool, i, STANDBY_NS);
		return;
	}
	if (!i->polls && !atomic_load_explicit(&pool->polling, memory_order_relaxed))
		i->polls = !atomic_exchange_explicit(&pool->polling, true, memory_order_relaxed);
	if (i->polls) {
		if (now - i->since > YIELD_NS) {
			idle_sleep(pool, i, NAP_NS);
		} else if (now - i->since > SPIN_NS) {
			sched_yield();
			/* Where many want to run, who sleeps is back before who yields. */
			if (base_now_ns() - now > NAP_NS)
				i->since = now - YIELD_NS;
		} else {
			qm_dev_relax();
		}
	} else if (now - i->since <= SPIN_NS) {
		for (unsigned int n = 0; n < 64; n++) {
			if (atomic_load_explicit(&pool->ready, memory_order_relaxed) != 0 ||
					!atomic_load_explicit(&pool->polling, memory_order_relaxed))
				break;
			qm_dev_relax();
		}
	} else {
		idle_sleep(pool, i, i->standby);
		if (i->standby < STANDBY_NS)
			i->standby *= 2;
	}
}

/*
 * One turn of a queue. Behind qm_dev_sched_put() the queue and its function may only be
 * touched as long as a claimed request of it is not completed.
 * @return Cost of what was claimed.
 */
static int64_t
turn(struct qm_dev_worker *w, struct qm_dev_queue *q)
{
	struct qm_dev_exec *ex = w->exec;
	struct qm_dev *dev = q->dev;
	uint64_t in = 0, out = 0;
	int64_t cost = q->sched.turn.deficit;
	bool slow = q->sched.slow;
	unsigned int n;

	qm_dev_view_get(&dev->map, &ex->bufs.view);
	n = qm_dev_queue_claim(dev, q, ex, QM_DEV_BATCH, true);
	cost -= q->sched.turn.deficit;
	qm_dev_sched_put(w->pool, q, cost);
	if (w->pool->conf.stats)
		qm_dev_exec_begin(ex);
	if (n != 0)
		qm_dev_queue_run(dev, q, ex, n);
	qm_dev_view_put(&ex->bufs.view);
	qm_dev_sched_done(w->pool, slow);

	for (unsigned int i = 0; i < n; i++) {
		in += ex->job[i].result.in;
		out += ex->job[i].result.out;
	}
	qm_dev_count(&w->requests, n);
	qm_dev_count(&w->bytes_in, in);
	qm_dev_count(&w->bytes_out, out);
	return cost;
}

static void *
worker_main(void *arg)
{
	struct qm_dev_worker *w = arg;
	struct qm_dev_pool *pool = w->pool;
	struct idle idle = { 0 };
	uint32_t polls = 1;

	/* The default slack would double the naps. */
	prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);

	/* Relaxed: no other data is read after it. Whoever stops the pool joins this thread. */
	while (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
		int64_t now = base_now_ns(), cost;
		struct qm_dev_queue *q;

		w->exec->now = now;
		q = qm_dev_sched_get(pool, polls, now);
		if (q == NULL) {
			idle_go_on(pool, &idle, now);
			continue;
		}
		idle_end(pool, &idle);
		cost = turn(w, q);
		polls = (uint32_t)(1 + cost / POLL_COST + (w->exec->now - now) / POLL_NS);
	}
	return NULL;
}

/* ---- Pool ---- */

static int
workers_start(struct qm_dev_pool *pool)
{
	for (unsigned int i = 0; i < pool->conf.workers; i++) {
		struct qm_dev_worker *w = &pool->worker[i];

		w->pool = pool;
		w->exec = qm_dev_exec_create();
		if (w->exec == NULL)
			return -ENOMEM;
		for (unsigned int c = 0; c < QM_DEV_CLASSES_MAX && pool->conf.classes[c] != NULL;
				c++)
			if (qm_dev_exec_add(w->exec, c, pool->conf.classes[c]) != 0)
				return -ENOMEM;
	}
	for (unsigned int i = 0; i < pool->conf.workers; i++) {
		struct qm_dev_worker *w = &pool->worker[i];
		int rc = pool->conf.spawn != NULL ?
			pool->conf.spawn(i, &w->thread, worker_main, w, pool->conf.priv) :
			pthread_create(&w->thread, NULL, worker_main, w);

		if (rc != 0) {
			base_log(&pool->conf.log, BASE_LOG_ERR, pool->name,
					"worker %u of %u: no thread, error %d, expected 0", i,
					pool->conf.workers, rc);
			return -rc;
		}
		pool->workers_running++;
	}
	return 0;
}

int
qm_dev_pool_create(const struct qm_dev_pool_conf *conf, struct qm_dev_pool **out)
{
	struct qm_dev_pool *pool = aligned_alloc(64, sizeof(*pool));
	int rc = -ENOMEM;

	if (pool == NULL)
		return -ENOMEM;
	memset(pool, 0, sizeof(*pool));
	pool->conf = *conf;
	snprintf(pool->name, sizeof(pool->name), "%s", conf->name != NULL ? conf->name : "pool");
	pool->conf.name = pool->name;
	qm_dev_drr_init(&pool->flows);
	TAILQ_INIT(&pool->live);
	TAILQ_INIT(&pool->quiet.queues);
	if (pool->conf.queues_max == 0)
		pool->conf.queues_max = HISI_QM_QUEUES_MAX;
	if (conf->workers == 0 || conf->workers > QM_DEV_WORKERS_MAX) {
		base_log(&pool->conf.log, BASE_LOG_ERR, pool->name, "workers %u, expected 1 to %u",
				conf->workers, QM_DEV_WORKERS_MAX);
		rc = -EINVAL;
	} else {
		pool->worker = calloc(conf->workers, sizeof(pool->worker[0]));
		if (pool->worker != NULL)
			rc = workers_start(pool);
	}
	if (rc != 0) {
		qm_dev_pool_destroy(pool);
		return rc;
	}
	*out = pool;
	return 0;
}

void
qm_dev_pool_destroy(struct qm_dev_pool *pool)
{
	if (pool == NULL)
		return;
	qm_dev_sched_stop(pool);
	for (unsigned int i = 0; i < pool->workers_running; i++)
		pthread_join(pool->worker[i].thread, NULL);
	for (unsigned int i = 0; pool->worker != NULL && i < pool->conf.workers; i++)
		qm_dev_exec_destroy(pool->worker[i].exec);
	free(pool->worker);
	free(pool);
}

bool
qm_dev_pool_holds(const struct qm_dev_pool *pool, const struct qm_dev_map_table *table)
{
	for (unsigned int i = 0; i < pool->conf.workers; i++)
		if (atomic_load_explicit(&pool->worker[i].exec->bufs.view.held,
				memory_order_acquire) == table)
			return true;
	return false;
}

void
qm_dev_pool_stats_get(struct qm_dev_pool *pool, struct qm_dev_pool_stats *stats)
{
	*stats = (struct qm_dev_pool_stats){
		.workers = pool->conf.workers,
		.queues_max = pool->conf.queues_max,
	};
	qm_dev_lock(&pool->lock);
	stats->workers_asleep = pool->asleep;
	stats->queues_live = pool->queues_live;
	stats->queues_peak = pool->queues_peak;
	stats->queues_awake = pool->queues_live - pool->queues_asleep;
	stats->wakes = pool->wakes;
	stats->sleeps = pool->sleeps;
	qm_dev_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->conf.workers; i++) {
		const struct qm_dev_worker *w = &pool->worker[i];

		stats->requests += atomic_load_explicit(&w->requests, memory_order_relaxed);
		stats->bytes_in += atomic_load_explicit(&w->bytes_in, memory_order_relaxed);
		stats->bytes_out += atomic_load_explicit(&w->bytes_out, memory_order_relaxed);
	}
}
