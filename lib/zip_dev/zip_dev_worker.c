/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "zip_dev_internal.h"

/** Bytes that each queue with work may claim when its turn comes. */
#define QUANTUM (64 << 10)

/*
 * Nobody can tell a worker of a doorbell: it is a store to memory. So a worker
 * looks, without pause at first, and in steps that cost less the longer there
 * was nothing. A request that comes after a long silence waits up to SLEEP_NS
 * plus the system's wake-up time.
 */
#define SPIN_NS  20000l
#define YIELD_NS 1000000l
#define SLEEP_NS 50000l

void
zip_dev_wait(unsigned int *n)
{
	static const struct timespec nap = { .tv_nsec = SLEEP_NS };

	if (++*n < 100)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* What a visit to a queue, or a round of visits, found. */
enum found { FOUND_NOTHING, FOUND_BUSY, FOUND_WORK };

/*
 * Deficit round robin by bytes: every visit adds a quantum to what the queue
 * may claim, and claims as long as that lasts. A request may overdraw; the
 * queue then sits out the rounds that pay it back.
 */
static enum found
visit(struct zip_dev *dev, struct zip_dev_queue *q, struct zip_dev_exec *ex)
{
	unsigned int n, total = 0;

	/* Work that another worker holds is load: whatever follows it will come soon. */
	if (!zip_dev_queue_peek(q))
		return atomic_load_explicit(&q->inflight, memory_order_relaxed) != 0 ?
			FOUND_BUSY : FOUND_NOTHING;

	zip_dev_view_enter(&dev->map, &ex->view);
	n = zip_dev_queue_claim(dev, q, ex, ZIP_DEV_BATCH, QUANTUM);
	while (n != 0) {
		zip_dev_queue_run(dev, q, ex, n);
		total += n;
		if (atomic_load_explicit(&dev->stop, memory_order_relaxed))
			break;
		/* Between batches an unmap gets its chance. */
		zip_dev_view_leave(&ex->view);
		zip_dev_view_enter(&dev->map, &ex->view);
		n = zip_dev_queue_claim(dev, q, ex, ZIP_DEV_BATCH, 0);
	}
	zip_dev_view_leave(&ex->view);
	/* What waits without having been claimed sits out a round: come back at once. */
	return total != 0 || atomic_load_explicit(&q->waiting, memory_order_relaxed) != 0 ?
		FOUND_WORK : FOUND_BUSY;
}

/* Visit every live queue once, beginning at another place for each worker. */
static enum found
visit_all(struct zip_dev *dev, struct zip_dev_worker *w)
{
	unsigned int words = (dev->conf.queues + 63u) / 64;
	enum found best = FOUND_NOTHING;

	for (unsigned int i = 0; i < words; i++) {
		unsigned int word = w->start + i < words ? w->start + i : w->start + i - words;
		uint64_t live = atomic_load_explicit(&dev->live[word], memory_order_acquire);

		while (live != 0) {
			unsigned int bit = (unsigned int)__builtin_ctzll(live);
			enum found f = visit(dev, zip_dev_queue_find(dev, word * 64 + bit),
					w->exec);

			live &= live - 1;
			if (f > best)
				best = f;
		}
	}
	return best;
}

static void *
worker_main(void *arg)
{
	struct zip_dev_worker *w = arg;
	struct zip_dev *dev = w->dev;
	static const struct timespec nap = { .tv_nsec = SLEEP_NS };
	int64_t idle_since = 0;
	unsigned int spins = 0;

	/* The default slack would double the sleep. */
	prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);

	while (!atomic_load_explicit(&dev->stop, memory_order_acquire)) {
		enum found f = visit_all(dev, w);
		int64_t idle;

		if (f != FOUND_NOTHING) {
			idle_since = 0;
			spins = 0;
			/* It all belongs to others: let them have the core if they need it. */
			if (f == FOUND_BUSY)
				sched_yield();
			continue;
		}
		zip_dev_relax();
		if (++spins % 32 != 0)
			continue;
		if (idle_since == 0)
			idle_since = now_ns();
		idle = now_ns() - idle_since;
		if (idle > YIELD_NS)
			nanosleep(&nap, NULL);
		else if (idle > SPIN_NS)
			sched_yield();
	}
	return NULL;
}

int
zip_dev_workers_start(struct zip_dev *dev)
{
	if (dev->conf.workers == 0)
		return 0;
	dev->workers = calloc(dev->conf.workers, sizeof(dev->workers[0]));
	if (dev->workers == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < dev->conf.workers; i++) {
		struct zip_dev_worker *w = &dev->workers[i];
		unsigned int words = (dev->conf.queues + 63u) / 64;
		int rc;

		w->dev = dev;
		w->start = i * words / dev->conf.workers;
		w->exec = zip_dev_exec_create();
		if (w->exec == NULL)
			return -ENOMEM;
		zip_dev_view_add(&dev->map, &w->exec->view);
		rc = dev->conf.spawn != NULL ?
			dev->conf.spawn(&w->thread, worker_main, w, dev->conf.priv) :
			pthread_create(&w->thread, NULL, worker_main, w);
		if (rc != 0) {
			zip_dev_log(dev, ZIP_DEV_LOG_ERR, "worker %u of %u: no thread, error %d, "
					"expected 0", i, dev->conf.workers, rc);
			return -rc;
		}
		dev->workers_running++;
	}
	return 0;
}

void
zip_dev_workers_stop(struct zip_dev *dev)
{
	atomic_store_explicit(&dev->stop, true, memory_order_release);
	for (unsigned int i = 0; i < dev->workers_running; i++)
		pthread_join(dev->workers[i].thread, NULL);
	for (unsigned int i = 0; dev->workers != NULL && i < dev->conf.workers; i++)
		zip_dev_exec_destroy(dev->workers[i].exec);
	free(dev->workers);
}
