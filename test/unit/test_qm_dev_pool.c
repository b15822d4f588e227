/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Workers shared by functions: budget of queues, sleep and wake-up, memory of idle functions. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "qm_dev_pool.h"

#define ARENA (4u << 20)
#define DEPTH 64
#define LONG  (8u << 20)

static void
log_quiet(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	assert_non_null(strchr(line, ':'));
}

static struct qm_dev_pool *
pool_open(uint16_t workers, uint32_t queues_max)
{
	struct qm_dev_pool_conf conf = {
		.classes = { &zip_dev_class },
		.name = "pool", .workers = workers, .queues_max = queues_max,
		.log = { .line = log_quiet },
	};
	struct qm_dev_pool *pool;

	assert_int_equal(qm_dev_pool_create(&conf, &pool), 0);
	return pool;
}

static struct qm_dev_conf
group_conf(struct qm_dev_group *group)
{
	struct qm_dev_conf conf = td_conf(0);

	conf.group = group;
	conf.wake = 1;
	return conf;
}

static struct qm_dev_pool_stats
pool_stats(struct qm_dev_pool *pool)
{
	struct qm_dev_pool_stats s;

	qm_dev_pool_stats_get(pool, &s);
	return s;
}

/* Fill the slot with a copy that carries a number. */
static void
copy_request(struct tq *q, uint8_t *src, uint8_t *dst, uint32_t len, uint32_t number)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, HISI_ZIP_REQ_EXT_COPY);

	memcpy(src, &number, sizeof(number));
	sqe->dw10 = HISI_ZIP_EXT_VALID;
	sqe->tag_l = number;
	hisi_zip_sqe_src(sqe, td_iova(q->td, src), len);
	hisi_zip_sqe_dst(sqe, td_iova(q->td, dst), len);
	tq_push(q);
}

/* ---- One client in a thread of its own ---- */

struct client {
	struct qm_dev_group *group;
	uint32_t goal;
	uint32_t pause_max_us; /* Pauses around the time after which a queue falls asleep. */
	uint32_t seed;
	uint32_t bad;
};

static void *
client_run(void *arg)
{
	struct client *c = arg;
	struct qm_dev_conf conf = group_conf(c->group);
	uint32_t sent = 0, got = 0, seed = c->seed, number;
	uint8_t *src, *dst;
	struct td td;
	struct tq q;

	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, (uint16_t)(c->seed % 4), HISI_ZIP_QC_COMPRESS, DEPTH);
	src = td_alloc(&td, DEPTH * 1024, 64);
	dst = td_alloc(&td, DEPTH * 1024, 64);
	while (got < c->goal) {
		uint32_t n = 1 + rnd(&seed) % 3;

		for (; n != 0 && sent - got < DEPTH - 1 && sent < c->goal; n--, sent++) {
			copy_request(&q, src + q.tail * 1024, dst + q.tail * 1024, 1024, sent);
			tq_ring(&q);
		}
		if (rnd(&seed) % 4 == 0 || sent == c->goal || sent - got == DEPTH - 1)
			while (got < sent) {
				const struct hisi_zip_sqe *done = tq_pop(&q);

				if (done == NULL) {
					c->bad++;
					goto out;
				}
				memcpy(&number, dst + (got % DEPTH) * 1024, sizeof(number));
				if (done->dw3 != HISI_ZIP_OK || done->tag_l != got ||
						number != got)
					c->bad++;
				got++;
			}
		if (c->pause_max_us != 0 && rnd(&seed) % 2 == 0)
			usleep(rnd(&seed) % c->pause_max_us);
	}
out:
	td_close(&td);
	return NULL;
}

static void
clients(uint16_t workers, unsigned int n, uint32_t goal, uint32_t pause_max_us,
		uint64_t sleeps_min)
{
	struct qm_dev_pool *pool = pool_open(workers, 0);
	struct qm_dev_group_stats gs;
	struct qm_dev_pool_stats s;
	struct qm_dev_group *group;
	struct client c[64];
	pthread_t t[64];

	assert_true(n <= 64);
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	for (unsigned int i = 0; i < n; i++) {
		c[i] = (struct client){ .group = group, .goal = goal,
			.pause_max_us = pause_max_us, .seed = i + 1 };
		assert_int_equal(pthread_create(&t[i], NULL, client_run, &c[i]), 0);
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(c[i].bad, 0);
	}
	s = pool_stats(pool);
	assert_int_equal(s.requests, n * goal);
	assert_int_equal(s.bytes_in, (uint64_t)n * goal * 1024);
	assert_int_equal(s.bytes_out, (uint64_t)n * goal * 1024);
	assert_int_equal(s.workers, workers);
	assert_int_equal(s.queues_max, HISI_QM_QUEUES_MAX);
	assert_int_equal(s.queues_live, 0);
	assert_in_range(s.queues_peak, 1, n);
	if (s.sleeps < sleeps_min || s.wakes > s.sleeps)
		fail_msg("%u workers, %u clients: %llu sleeps and %llu wakes, expected at least "
				"%llu sleeps, and no more wakes than sleeps", workers, n,
				(unsigned long long)s.sleeps, (unsigned long long)s.wakes,
				(unsigned long long)sleeps_min);
	qm_dev_group_stats_get(group, &gs);
	assert_int_equal(gs.functions, 0);
	assert_int_equal(gs.queues_live, 0);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* Functions that come and go beside each other. */
static void
many_functions(void **state)
{
	(void)state;
	clients(1, 8, 2000 / TD_SLOW, 0, 0);
	clients(2, 16, 1000 / TD_SLOW, 0, 0);
	clients(4, 32, 500 / TD_SLOW, 0, 0);
}

/*
 * A lost wake-up: a request rung just when its queue falls asleep is never looked at, as
 * nobody else comes along. So one client per pool, with pauses as long as it takes.
 */
static void
no_wake_up_is_lost(void **state)
{
	(void)state;
	clients(1, 1, 5000 / TD_SLOW, 2 * QM_DEV_QUIET_NS / 1000, 50 / TD_SLOW);
	clients(2, 1, 5000 / TD_SLOW, 2 * QM_DEV_QUIET_NS / 1000, 50 / TD_SLOW);
	clients(2, 3, 2000 / TD_SLOW, 2 * QM_DEV_QUIET_NS / 1000, 50 / TD_SLOW);
}

static void
wait_for_sleep(struct qm_dev_pool *pool)
{
	struct qm_dev_pool_stats s;
	time_t end = time(NULL) + 60;

	do {
		usleep(1000);
		s = pool_stats(pool);
		if (time(NULL) > end)
			fail_msg("after 60 s %u of %u workers sleep and %u of %u queues are awake, "
					"expected all and 0", s.workers_asleep, s.workers,
					s.queues_awake, s.queues_live);
	} while (s.workers_asleep != s.workers || s.queues_awake != 0);
}

static int64_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* With nothing to do nobody runs, and the first ring after that is served. */
static void
idle_costs_nothing(void **state)
{
	struct qm_dev_pool *pool = pool_open(4, 0);
	struct qm_dev_group *group;
	struct qm_dev_conf conf;
	struct tq q[4];
	struct td td;
	uint8_t *buf;
	int64_t used;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	wait_for_sleep(pool);
	conf = group_conf(group);
	td_open(&td, &conf, ARENA);
	for (uint16_t i = 0; i < 4; i++)
		tq_start(&q[i], &td, i, HISI_ZIP_QC_COMPRESS, DEPTH);
	buf = td_alloc(&td, 4096, 64);
	for (uint32_t round = 0; round < 20; round++) {
		wait_for_sleep(pool);
		copy_request(&q[round % 4], buf, buf + 2048, 1024, round);
		tq_ring(&q[round % 4]);
		assert_non_null(tq_pop(&q[round % 4]));
		assert_int_equal(pool_stats(pool).wakes, round + 1);
	}
	wait_for_sleep(pool);
	used = cpu_ns();
	usleep(300000);
	used = cpu_ns() - used;
	if (used > 10000000)
		fail_msg("%lld us of CPU in 300 ms without work, expected below 10000",
				(long long)used / 1000);

	/* A doorbell through the register wakes, too: the shadow word is for those who look. */
	copy_request(&q[0], buf, buf + 2048, 1024, 7);
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8,
			hisi_qm_db(0, HISI_QM_DB_SQ, TD_RAND, q[0].tail, 0));
	assert_non_null(tq_pop(&q[0]));

	/* A stop finds what was rung for without a wake. */
	wait_for_sleep(pool);
	copy_request(&q[1], buf, buf + 2048, 1024, 8);
	__atomic_store_n(&q[1].db->sq, hisi_qm_db(1, HISI_QM_DB_SQ, TD_RAND, q[1].tail, 0),
			__ATOMIC_RELEASE);
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 1, 0, false), 0);
	assert_true(tq_ready(&q[1]));

	td_close(&td);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* ---- Budget ---- */

static unsigned int
start_queue(struct td *td, struct tq *q, uint16_t qn, uint16_t depth)
{
	*q = (struct tq){ .td = td, .qn = qn, .depth = depth };
	q->sq = td_alloc(td, depth * sizeof(*q->sq), 4096);
	q->cq = td_alloc(td, depth * sizeof(*q->cq), 4096);
	q->db = qm_dev_doorbell(td->dev, qn);
	return tq_restart(q, HISI_ZIP_QC_COMPRESS);
}

static void
queues_are_taken_and_given_back(void **state)
{
	struct qm_dev_pool *pool = pool_open(1, 4);
	struct qm_dev_group *plain, *reserved, *none;
	struct qm_dev_group_stats gs;
	struct qm_dev_conf conf;
	struct td a, b;
	struct tq qa[4], qb[4];

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 0, &none), -EINVAL);
	assert_int_equal(qm_dev_group_create(pool, 0, QM_DEV_WEIGHT_MAX + 1, &none), -EINVAL);
	assert_int_equal(qm_dev_group_create(pool, 5, 1, &none), -ENOSPC);
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &plain), 0);
	assert_int_equal(qm_dev_group_create(pool, 2, 1, &reserved), 0);
	assert_int_equal(qm_dev_group_create(pool, 3, 1, &none), -ENOSPC);
	conf = group_conf(plain);
	td_open(&a, &conf, ARENA);
	conf = group_conf(reserved);
	td_open(&b, &conf, ARENA);
	assert_int_equal(pool_stats(pool).queues_live, 0); /* open is not use */

	assert_int_equal(start_queue(&a, &qa[0], 0, DEPTH), 0);
	assert_int_equal(start_queue(&a, &qa[1], 1, DEPTH), 0);
	/* The other two are not for everybody. */
	assert_int_equal(start_queue(&a, &qa[2], 2, DEPTH), HISI_QM_MB_STATUS_NO_QUEUE);
	assert_int_equal(start_queue(&b, &qb[0], 0, DEPTH), 0);
	assert_int_equal(start_queue(&b, &qb[1], 1, DEPTH), 0);
	assert_int_equal(start_queue(&b, &qb[2], 2, DEPTH), HISI_QM_MB_STATUS_NO_QUEUE);
	qm_dev_group_stats_get(plain, &gs);
	assert_int_equal(gs.refused, 1);
	assert_int_equal(gs.queues_live, 2);
	assert_int_equal(pool_stats(pool).queues_peak, 4);

	/* Given back by a stop, a new set up, a reset, the end. */
	assert_int_equal(td_mb(&a, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	assert_int_equal(tq_restart(&qb[2], HISI_ZIP_QC_COMPRESS), 0);
	assert_int_equal(tq_restart(&qa[2], HISI_ZIP_QC_COMPRESS), HISI_QM_MB_STATUS_NO_QUEUE);
	assert_int_equal(tq_restart(&qa[1], HISI_ZIP_QC_COMPRESS), 0);
	qm_dev_reset(b.dev);
	assert_int_equal(pool_stats(pool).queues_live, 1);
	assert_int_equal(tq_restart(&qa[2], HISI_ZIP_QC_COMPRESS), 0);
	assert_int_equal(tq_restart(&qa[0], HISI_ZIP_QC_COMPRESS), HISI_QM_MB_STATUS_NO_QUEUE);
	td_close(&a);
	assert_int_equal(pool_stats(pool).queues_live, 0);
	td_close(&b);
	qm_dev_group_destroy(reserved);
	qm_dev_group_destroy(plain);
	qm_dev_pool_destroy(pool);
}

static void
a_function_has_limits(void **state)
{
	struct qm_dev_pool *pool = pool_open(1, 0);
	struct qm_dev_group *group;
	struct qm_dev_conf conf;
	struct tq q[4];
	struct td td;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	conf = group_conf(group);
	conf.limits = (struct qm_dev_limits){ .queues_live = 2, .slots = 100 };
	td_open(&td, &conf, ARENA);
	assert_int_equal(start_queue(&td, &q[0], 0, 64), 0);
	assert_int_equal(start_queue(&td, &q[1], 1, 37), HISI_QM_MB_STATUS_NO_QUEUE);
	assert_int_equal(start_queue(&td, &q[1], 1, 36), 0);
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	assert_int_equal(start_queue(&td, &q[2], 2, 32), 0);
	assert_int_equal(start_queue(&td, &q[3], 3, 2), HISI_QM_MB_STATUS_NO_QUEUE);
	td_close(&td);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* ---- Memory ---- */

static void
idle_functions_are_small(void **state)
{
	enum { N = 500, BYTES = 16 << 10 };
	struct qm_dev_pool *pool = pool_open(1, 0);
	struct qm_dev **dev = calloc(N, sizeof(dev[0]));
	struct qm_dev_group *group;
	struct qm_dev_conf conf;
	size_t before, used;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	conf = group_conf(group);
	conf.queues = 64;
	conf.doorbell_memfd = 1;
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (int i = 0; i < N; i++)
		assert_int_equal(qm_dev_create(&conf, &dev[i]), 0);
	used = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / N;
	for (int i = 0; i < N; i++)
		qm_dev_destroy(dev[i]);
	free(dev);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
	print_message("%zu bytes per idle function\n", used);
	if (TD_SLOW == 1 && used > BYTES)
		fail_msg("%zu bytes per idle function of 64 queues, expected at most %u", used,
				BYTES);
}

/* The client's view of the doorbells, which it can neither shrink nor grow. */
static void
doorbells_as_a_file(void **state)
{
	struct qm_dev_pool *pool = pool_open(1, 0);
	struct qm_dev_group *group;
	struct hisi_qm_shadow *mine;
	struct qm_dev_conf conf;
	struct td td;
	struct tq q;
	size_t size;
	uint8_t *buf;
	int fd;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	conf = group_conf(group);
	td_open(&td, &conf, ARENA);
	assert_int_equal(qm_dev_doorbell_fd(td.dev, &size), -ENOTSUP);
	td_close(&td);

	conf.doorbell_memfd = 1;
	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, 3, HISI_ZIP_QC_COMPRESS, DEPTH);
	buf = td_alloc(&td, 4096, 64);
	fd = qm_dev_doorbell_fd(td.dev, &size);
	assert_true(fd >= 0);
	assert_true(size >= 4 * sizeof(*mine) && size % (size_t)sysconf(_SC_PAGESIZE) == 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	mine = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(mine != MAP_FAILED);
	assert_true(&mine[3] != q.db);
	q.db = &mine[3];
	for (uint32_t i = 0; i < 200; i++) {
		copy_request(&q, buf, buf + 2048, 1024, i);
		/* Takes the workers' lock: TSAN does not see that both addresses are one word. */
		pool_stats(pool);
		tq_ring(&q);
		assert_non_null(tq_pop(&q));
	}
	/* Scribbling stalls no one but the scribbler. */
	memset((void *)mine, 0xa5, size);
	munmap((void *)mine, size);
	td_close(&td);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* Functions that end with requests in flight leave nothing behind. */
static void
ends_under_load(void **state)
{
	struct qm_dev_pool *pool = pool_open(2, 0);
	struct qm_dev_group *group;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	for (uint32_t round = 0; round < 200 / TD_SLOW; round++) {
		struct qm_dev_conf conf = group_conf(group);
		struct tq q[4];
		struct td td;
		uint8_t *mem;

		td_open(&td, &conf, ARENA);
		mem = td_alloc(&td, (DEPTH + 1) * 8192, 64);
		for (uint16_t i = 0; i < 4; i++) {
			tq_start(&q[i], &td, i, HISI_ZIP_QC_COMPRESS, DEPTH);
			for (uint32_t n = 0; n < DEPTH - 1; n++) {
				struct hisi_zip_sqe *sqe = tq_slot(&q[i], HISI_ZIP_REQ_DEFLATE);

				sqe->dw10 = ext_level(6);
				hisi_zip_sqe_src(sqe, td_iova(&td, mem), 2048);
				hisi_zip_sqe_dst(sqe, td_iova(&td, mem + (n + 1) * 8192), 8192);
				tq_push(&q[i]);
			}
			tq_ring(&q[i]);
		}
		td_close(&td); /* unmaps the arena: a late access would crash */
		assert_int_equal(pool_stats(pool).queues_live, 0);
	}
	wait_for_sleep(pool);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* Keep the only worker busy for a while. */
static void
submit_long(struct td *td, struct tq *q)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, HISI_ZIP_REQ_DEFLATE);
	uint8_t *src = td_alloc(td, LONG, 64), *dst = td_alloc(td, LONG, 64);

	fill_text(src, LONG, 1);
	sqe->dw10 = ext_level(9);
	hisi_zip_sqe_src(sqe, td_iova(td, src), LONG);
	hisi_zip_sqe_dst(sqe, td_iova(td, dst), LONG);
	tq_push(q);
	tq_ring(q);
	/* Until it is claimed it could be dropped. */
	for (struct qm_dev_queue_stats s = { 0 }; s.inflight == 0; sched_yield())
		assert_int_equal(qm_dev_queue_stats_get(td->dev, q->qn, &s), 0);
}

static bool
mailbox_busy(struct td *td)
{
	return (qm_dev_read(td->dev, HISI_QM_MAILBOX, 4) & HISI_QM_MB_BUSY) != 0;
}

/* Commands, unmapping and the end of a function do not keep the owner's thread. */
static void
the_owner_does_not_wait(void **state)
{
	struct hisi_qm_mailbox stop = { .w0 = HISI_QM_MB_STOP_QP | HISI_QM_MB_BUSY };
	struct qm_dev_pool *pool = pool_open(1, 0);
	struct qm_dev_group *group;
	struct qm_dev_conf conf;
	uint64_t ticket;
	struct td td;
	struct tq q;

	(void)state;
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	conf = group_conf(group);
	td_open(&td, &conf, ARENA + 6 * LONG);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);

	submit_long(&td, &q);
	qm_dev_mailbox(td.dev, &stop);
	assert_true(mailbox_busy(&td));
	while (mailbox_busy(&td))
		usleep(100);
	assert_int_equal(qm_dev_read(td.dev, HISI_QM_MAILBOX, 4) >> HISI_QM_MB_STATUS_SHIFT &
			HISI_QM_MB_STATUS_MASK, 0);
	assert_true(tq_ready(&q)); /* drained before it stopped */
	assert_int_equal(pool_stats(pool).queues_live, 0);
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);

	submit_long(&td, &q);
	assert_int_equal(qm_dev_dma_unmap_start(td.dev, TD_IOVA, td.size, &ticket, NULL), 1);
	assert_false(qm_dev_dma_unmap_done(td.dev, ticket));
	assert_false(qm_dev_abort(td.dev));
	assert_int_equal(pool_stats(pool).queues_live, 0); /* for others, at once */
	while (!qm_dev_abort(td.dev))
		usleep(100);
	while (!qm_dev_dma_unmap_done(td.dev, ticket))
		usleep(100);
	td_close(&td);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

static void
confs_that_are_wrong(void **state)
{
	struct qm_dev_pool_conf bad = { .name = "pool",
		.classes = { &zip_dev_class }, .workers = 0, .log = { .line = log_quiet } };
	struct qm_dev_pool *pool;
	struct qm_dev_group *group;
	struct qm_dev_conf conf;
	struct qm_dev *dev;

	(void)state;
	assert_int_equal(qm_dev_pool_create(&bad, &pool), -EINVAL);
	bad.workers = QM_DEV_WORKERS_MAX + 1;
	assert_int_equal(qm_dev_pool_create(&bad, &pool), -EINVAL);
	pool = pool_open(1, 0);
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	conf = group_conf(group);
	conf.workers = 1;
	assert_int_equal(qm_dev_create(&conf, &dev), -EINVAL);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
	qm_dev_pool_destroy(NULL);
	qm_dev_group_destroy(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_functions),
		cmocka_unit_test(no_wake_up_is_lost),
		cmocka_unit_test(idle_costs_nothing),
		cmocka_unit_test(queues_are_taken_and_given_back),
		cmocka_unit_test(a_function_has_limits),
		cmocka_unit_test(idle_functions_are_small),
		cmocka_unit_test(doorbells_as_a_file),
		cmocka_unit_test(ends_under_load),
		cmocka_unit_test(the_owner_does_not_wait),
		cmocka_unit_test(confs_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
