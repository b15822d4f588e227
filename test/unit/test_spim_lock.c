/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Locks of an access point: what they guard is at each locking as it was at the unlocking before,
 * and no call leaves one held. With a function that memory is registered with.
 * It goes and comes as the test says.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hisi_zip_sqe.h"
#include "holdings.h"
#include "spim_mem.h"
#include "spim_qm.h"

/* What a lock guards, as it is between two holders. */
struct guarded {
	const struct spim_chunk *chunks;
	uint32_t small_used, opened;
	bool half_open, reported;
};

struct guard {
	const pthread_mutex_t *mutex;
	bool held;
	unsigned int taken;
	struct guarded seen; /* at the last unlocking */
};
static struct guard own, mem;
static struct spim_dev *dev;
static struct spim_qm *qm; /* the same */

static struct guarded
guarded_now(const struct guard *g)
{
	if (g == &mem)
		return (struct guarded){ .chunks = LIST_FIRST(&dev->chunks),
			.small_used = qm->small_used };
	return (struct guarded){ .opened = atomic_load(&qm->opened),
		.half_open = qm->half_open, .reported = qm->reported };
}

static void
guard_compare(const struct guard *g)
{
	const struct guarded now = guarded_now(g);

	assert_false(g->held);
	assert_ptr_equal(now.chunks, g->seen.chunks);
	assert_int_equal(now.small_used, g->seen.small_used);
	assert_int_equal(now.opened, g->seen.opened);
	assert_int_equal(now.half_open, g->seen.half_open);
	assert_int_equal(now.reported, g->seen.reported);
}

static struct guard *
guard_of(const pthread_mutex_t *mutex)
{
	return dev == NULL ? NULL : mutex == own.mutex ? &own : mutex == mem.mutex ? &mem : NULL;
}

__typeof__(pthread_mutex_lock) __real_pthread_mutex_lock, __wrap_pthread_mutex_lock;
int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	struct guard *g = guard_of(mutex);

	if (g != NULL) {
		guard_compare(g);
		g->held = true;
		g->taken++;
	}
	return __real_pthread_mutex_lock(mutex);
}

__typeof__(pthread_mutex_unlock) __real_pthread_mutex_unlock, __wrap_pthread_mutex_unlock;
int
__wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	struct guard *g = guard_of(mutex);

	if (g != NULL) {
		assert_true(g->held);
		g->seen = guarded_now(g);
		g->held = false;
	}
	return __real_pthread_mutex_unlock(mutex);
}

/* The statement, which takes the lock so often. */
#define TAKES(guard, n, ...) do { \
	const unsigned int before_it = (guard)->taken; \
	__VA_ARGS__; \
	guard_compare(&own); \
	guard_compare(&mem); \
	assert_int_equal((guard)->taken - before_it, n); \
} while (0)

/* ---- A function ---- */

/* What it says when it is asked. */
static struct {
	int map, unmap, alive, reopen, events, reg, fd;
	unsigned int maps, unmaps, reopens, registers;
} told;

static int
told_map(struct hisi_qm_io *io, void *va, size_t len, int fd, uint64_t offset)
{
	(void)io;
	(void)va;
	(void)len;
	(void)offset;
	assert_true(mem.held);
	told.fd = fd;
	told.maps++;
	return told.map;
}

static int
told_unmap(struct hisi_qm_io *io, void *va, size_t len)
{
	(void)io;
	(void)va;
	(void)len;
	assert_true(mem.held);
	told.unmaps++;
	return told.unmap;
}

static int
told_alive(struct hisi_qm_io *io)
{
	(void)io;
	return told.alive;
}

static int
told_reopen(struct hisi_qm_io *io)
{
	(void)io;
	assert_true(own.held);
	told.reopens++;
	return told.reopen;
}

static int
told_events(struct hisi_qm_io *io, int eventfd, int epfd)
{
	return told.events != 0 ? told.events : spim_local_transport.events(io, eventfd, epfd);
}

static int
told_register(struct spim_dev *d, void *priv)
{
	assert_ptr_equal(d, dev);
	assert_ptr_equal(priv, &told);
	assert_true(own.held);
	assert_false(mem.held);
	told.registers++;
	return told.reg;
}

static void
told_close(struct hisi_qm_io *io)
{
	spim_local_transport.close(io);
}

static const struct spim_qm_transport told_transport = {
	.close = told_close, .mem_map = told_map, .mem_unmap = told_unmap, .alive = told_alive,
	.reopen = told_reopen, .events = told_events,
};

static const struct spim_qm_transport without_events = { .close = told_close };

static struct holdings_now before;
static char lines[512];

static void
keep_lines(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	strncat(lines, line, sizeof(lines) - strlen(lines) - 2);
	strcat(lines, "\n");
}

static int
begin(void **state)
{
	const struct spim_conf conf = { .owner = "unit", .log = { .line = keep_lines },
		.local = { .queues = 8 } };
	struct spim_dev *d;

	(void)state;
	before = holdings_get();
	lines[0] = '\0';
	memset(&told, 0, sizeof(told));
	assert_int_equal(spim_open("local", &conf, &d), 0);
	spim_qm_of(d)->transport = &told_transport;
	d->conf.mem_register = told_register;
	d->conf.mem_register_priv = &told;
	own = (struct guard){ .mutex = &spim_qm_of(d)->lock };
	mem = (struct guard){ .mutex = &d->mem_lock };
	dev = d;
	qm = spim_qm_of(d);
	own.seen = guarded_now(&own);
	mem.seen = guarded_now(&mem);
	return 0;
}

static int
end(void **state)
{
	struct spim_dev *d = dev;

	(void)state;
	guard_compare(&own);
	guard_compare(&mem);
	dev = NULL;
	d->info.mem_register = 0;
	spim_close(d);
	holdings_same(&before);
	return 0;
}

/* ---- Tests ---- */

static void
test_small_memory(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct hisi_qm_mem small, large;

	(void)state;
	TAKES(&mem, 1, assert_int_equal(spim_qm_mem_alloc(qm, page, 64, -1, &small), 0));
	assert_int_equal(qm->small_used, 3);
	/* Too long to be one: there is nothing to look for. */
	TAKES(&mem, 1, assert_int_equal(spim_qm_mem_alloc(qm, 17 * page, 64, -1, &large), 0));
	TAKES(&mem, 1, spim_qm_mem_free(qm, &large));
	TAKES(&mem, 1, spim_qm_mem_free(qm, &small));
	assert_int_equal(qm->small_used, 1);
	TAKES(&mem, 0, spim_mem_free(dev, NULL));
	assert_int_equal(own.taken, 0);
}

/* Memory that is registered: what is refused is given back, what nobody heard of is kept. */
static void
test_registered_memory(void **state)
{
	const struct spim_chunk *first = LIST_FIRST(&dev->chunks);
	struct holdings_now now;
	void *va[2];

	(void)state;
	dev->info.mem_register = 1;
	TAKES(&mem, 1, va[0] = spim_mem_alloc(dev, 100));
	assert_non_null(va[0]);
	assert_true(told.fd >= 0);
	assert_int_equal(told.fd, LIST_FIRST(&dev->chunks)->fd);
	assert_ptr_equal(LIST_FIRST(&dev->chunks)->va, va[0]);
	assert_ptr_equal(LIST_NEXT(LIST_FIRST(&dev->chunks), link), first);
	told.map = -ENOTCONN;
	TAKES(&mem, 1, va[1] = spim_mem_alloc(dev, 100));
	assert_non_null(va[1]);
	assert_ptr_equal(LIST_FIRST(&dev->chunks)->va, va[1]);
	now = holdings_get();
	told.map = -ENOSPC;
	errno = 0;
	TAKES(&mem, 1, assert_null(spim_mem_alloc(dev, 100)));
	assert_int_equal(errno, ENOSPC);
	assert_ptr_equal(LIST_FIRST(&dev->chunks)->va, va[1]);
	holdings_same(&now);
	assert_int_equal(told.maps, 3);

	/* All again: each, until one is refused for another reason than that it is known. */
	told.maps = 0;
	told.map = -EEXIST;
	TAKES(&mem, 1, assert_int_equal(spim_mem_register(dev), 0));
	assert_int_equal(told.maps, 3);
	told.map = -ENOSPC;
	TAKES(&mem, 1, assert_int_equal(spim_mem_register(dev), -ENOSPC));
	assert_int_equal(told.maps, 4);

	/* What is nobody's is left alone. What the function says when they go is no matter. */
	TAKES(&mem, 1, spim_mem_free(dev, (char *)va[0] + 1));
	assert_int_equal(told.unmaps, 0);
	told.unmap = -ENOTCONN;
	TAKES(&mem, 1, spim_mem_free(dev, va[0]));
	TAKES(&mem, 1, spim_mem_free(dev, va[1]));
	assert_int_equal(told.unmaps, 2);
	assert_ptr_equal(LIST_FIRST(&dev->chunks), first);
}

/* Queues, of a function that stays, goes, cannot be had again, and then can. */
static void
test_queues(void **state)
{
	struct spim_queue *q, *none;

	(void)state;
	TAKES(&own, 1, assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &q),
			0));
	TAKES(&own, 1, assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 3, -1, &none),
			-EINVAL));
	lines[0] = '\0';
	assert_int_equal(told.reopens, 0);
	assert_int_equal(spim_queue_check(dev, q), 0);
	told.alive = -ENOTCONN;
	assert_int_equal(spim_queue_check(dev, q), -ENOTCONN);
	told.reopen = -ECONNREFUSED;
	for (int i = 0; i < 2; i++) {
		TAKES(&own, 1, assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1,
				&none), -ECONNREFUSED));
		TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, q), -ECONNREFUSED));
	}
	assert_int_equal(told.reopens, 4);
	assert_int_equal(qm->opened, 0);
	assert_string_equal(lines, "unit: function is gone; opening it again gives -111\n");

	/* Opened, but not to the end: what there was is lost, and it is opened once more. */
	told.reopen = 0;
	dev->info.mem_register = 1;
	told.map = -ENOSPC;
	TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, q), -ENOSPC));
	told.alive = 0;
	assert_int_equal(qm->opened, 1);
	assert_true(qm->half_open);
	assert_int_equal(spim_queue_check(dev, q), -ENOTCONN);
	assert_int_equal(spim_queue_stop(dev, q), 0);
	assert_int_equal(spim_queue_abort(dev, q), 0);
	assert_int_equal(told.registers, 0);
	told.map = 0;
	told.reg = -EDOM;
	TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, q), -EDOM));
	assert_int_equal(told.registers, 1);
	told.reg = 0;
	lines[0] = '\0';
	TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, q), 0));
	assert_int_equal(told.reopens, 7);
	assert_int_equal(told.registers, 2);
	assert_int_equal(qm->opened, 3);
	assert_false(qm->half_open);
	assert_string_equal(lines, "unit: function is back (0)\n");
	assert_int_equal(spim_queue_check(dev, q), 0);
	TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, q), 0));
	assert_int_equal(told.reopens, 7);
	/* One that sees all memory is told of none. */
	dev->info.mem_register = 0;
	told.alive = -ENOTCONN;
	TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, q), 0));
	told.alive = 0;
	assert_int_equal(told.reopens, 8);
	assert_int_equal(told.registers, 2);
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
}

/* The event that waits is not forgotten when another queue is taken; only after a reset. */
static void
test_events(void **state)
{
	struct spim_queue *q, *other;
	struct pollfd pfd = { .events = POLLIN };

	(void)state;
	/* Nobody wants events: they are not set up, reset or not. */
	__atomic_add_fetch(&qm->qm.resets, 1, __ATOMIC_RELEASE);
	TAKES(&own, 1, assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &q),
			0));
	assert_int_equal(qm->event.resets, 0);
	qm->transport = &without_events;
	assert_int_equal(spim_event_fd(dev), -ENOTSUP);
	qm->transport = &told_transport;
	told.events = -EDOM;
	assert_int_equal(spim_event_fd(dev), -EDOM);
	told.events = 0;
	pfd.fd = spim_event_fd(dev);
	assert_true(pfd.fd >= 0);
	assert_int_equal(qm->event.resets, qm->qm.resets);
	spim_event_arm(dev, q);
	memset(q->ring->sq, 0, 16u << HISI_QM_SQE_LOG2);
	q->ring->sq_tail = 1;
	hisi_qm_sq_ring(q->ring);
	assert_int_equal(spim_queue_poll(q, 1), 1);
	assert_int_equal(poll(&pfd, 1, 0), 1);
	TAKES(&own, 1, assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &other),
			0));
	assert_int_equal(poll(&pfd, 1, 0), 1);
	spim_event_take(dev);
	assert_int_equal(qm->event.head, 1);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, other), 0));
	assert_int_equal(qm->event.head, 1);
	__atomic_add_fetch(&qm->qm.resets, 1, __ATOMIC_RELEASE);
	TAKES(&own, 1, assert_int_equal(spim_queue_restart(dev, other), 0));
	assert_int_equal(qm->event.head, 0);
	assert_int_equal(qm->event.phase, 1);
	assert_int_equal(qm->event.resets, qm->qm.resets);
	assert_int_equal(spim_queue_stop(dev, q), 0);
	assert_int_equal(spim_queue_stop(dev, other), 0);
	spim_queue_put(dev, q);
	spim_queue_put(dev, other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_small_memory), T(test_registered_memory), T(test_queues), T(test_events),
	};

	return cmocka_run_group_tests_name("spim_lock", tests, NULL, NULL);
}
