/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "base_clock.h"
#include "base_reap.h"

#define STACK_SIZE (256 << 10)

/* How long a thread that has nothing to do waits for more, as it costs a system call or two. */
#define LINGER_NS 1000000000

/* The jobs of an owner. */
struct lane {
	TAILQ_ENTRY(lane) link;
	uint32_t owner;
	unsigned int threads; /* that do one of them now */
	STAILQ_HEAD(, base_reap_job) jobs; /* the others */
};

struct pool {
	const unsigned int threads_max, share;
	pthread_mutex_t lock; /* guards all else */
	pthread_cond_t more;
	TAILQ_HEAD(lanes, lane) lanes; /* those that have jobs; whose turn it is comes first */
	struct lane spare;     /* if there is no memory for another one */
	unsigned int threads;
	unsigned int idle;     /* of them, wait for more */
	unsigned int called;   /* of those, were called */
};

#define POOL(kind, max, of_one) { .threads_max = (max), .share = (of_one), \
	.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, \
	.lanes = TAILQ_HEAD_INITIALIZER(pools[kind].lanes), \
	.spare.jobs = STAILQ_HEAD_INITIALIZER(pools[kind].spare.jobs) }

static struct pool pools[BASE_REAP_KINDS] = {
	[BASE_REAP_FINITE] = POOL(BASE_REAP_FINITE, BASE_REAP_FINITE_THREADS,
			BASE_REAP_FINITE_SHARE),
	[BASE_REAP_DOUBTFUL] = POOL(BASE_REAP_DOUBTFUL, BASE_REAP_DOUBTFUL_THREADS,
			BASE_REAP_DOUBTFUL_SHARE),
};

/* ---- Lanes; the lock is held ---- */

/* @return The owner's; NULL: has none. */
static struct lane *
lane_find(struct pool *p, uint32_t owner)
{
	struct lane *l;

	TAILQ_FOREACH(l, &p->lanes, link)
		if (l->owner == owner && l != &p->spare)
			return l;
	return NULL;
}

static bool
lane_is_out(const struct lane *l)
{
	return l->threads == 0 && STAILQ_EMPTY(&l->jobs);
}

static struct lane *
lane_get(struct pool *p, uint32_t owner)
{
	struct lane *l = lane_find(p, owner);

	if (l != NULL)
		return l;
	l = calloc(1, sizeof(*l));
	if (l == NULL) {
		l = &p->spare;
		if (!lane_is_out(l))
			return l;
	} else {
		l->owner = owner;
		STAILQ_INIT(&l->jobs);
	}
	TAILQ_INSERT_TAIL(&p->lanes, l, link);
	return l;
}

static void
lane_put(struct pool *p, struct lane *l)
{
	if (!lane_is_out(l))
		return;
	TAILQ_REMOVE(&p->lanes, l, link);
	if (l != &p->spare)
		free(l);
}

/* The lane whose turn it is; NULL: what is left is of owners who have their share of threads. */
static struct lane *
next_lane(struct pool *p)
{
	struct lane *l;

	TAILQ_FOREACH(l, &p->lanes, link) {
		if (l->threads == p->share || STAILQ_EMPTY(&l->jobs))
			continue;
		TAILQ_REMOVE(&p->lanes, l, link);
		TAILQ_INSERT_TAIL(&p->lanes, l, link);
		return l;
	}
	return NULL;
}

/* ---- Threads; the lock is held, and not while a job is done ---- */

static void
work(struct pool *p, struct lane *l)
{
	struct base_reap_job *job = STAILQ_FIRST(&l->jobs);
	bool more;

	STAILQ_REMOVE_HEAD(&l->jobs, link);
	l->threads++;
	pthread_mutex_unlock(&p->lock);
	more = job->step(job);
	pthread_mutex_lock(&p->lock);
	l->threads--;
	if (more)
		STAILQ_INSERT_TAIL(&l->jobs, job, link);
	lane_put(p, l);
}

/* @return Whether there is something to do; if not, nothing came for long. */
static bool
wait_for_more(struct pool *p)
{
	int64_t end = base_clock_ns(CLOCK_REALTIME) + LINGER_NS;
	const struct timespec at = { end / 1000000000, end % 1000000000 };
	bool called;
	int rc = 0;

	p->idle++;
	while (p->called == 0 && rc == 0)
		rc = pthread_cond_timedwait(&p->more, &p->lock, &at);
	p->idle--;
	called = p->called != 0;
	if (called)
		p->called--;
	return called;
}

static void *
reaper(void *arg)
{
	struct pool *p = arg;
	struct lane *l;

	pthread_setname_np(pthread_self(), "reaper"); /* for top(1) */
	pthread_mutex_lock(&p->lock);
	do
		while ((l = next_lane(p)) != NULL)
			work(p, l);
	while (wait_for_more(p));
	p->threads--;
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* One more for what there is to do. @return Whether there is any at all. */
static bool
call_thread(struct pool *p)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (p->idle > p->called) {
		p->called++;
		pthread_cond_signal(&p->more);
		return true;
	}
	if (p->threads == p->threads_max)
		return true;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (pthread_create(&thread, &attr, reaper, p) == 0)
		p->threads++;
	pthread_attr_destroy(&attr);
	return p->threads != 0;
}

void
base_reap(struct base_reap_job *job, enum base_reap_kind kind, uint32_t owner)
{
	struct pool *p = &pools[kind];
	struct lane *l;

	pthread_mutex_lock(&p->lock);
	l = lane_get(p, owner);
	STAILQ_INSERT_TAIL(&l->jobs, job, link);
	if (l->threads < p->share && !call_thread(p) && kind == BASE_REAP_FINITE)
		while ((l = next_lane(p)) != NULL)
			work(p, l);
	pthread_mutex_unlock(&p->lock);
}

bool
base_reap_is_done(enum base_reap_kind kind)
{
	struct pool *p = &pools[kind];
	bool done;

	pthread_mutex_lock(&p->lock);
	done = TAILQ_EMPTY(&p->lanes);
	pthread_mutex_unlock(&p->lock);
	return done;
}
