/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What a lock guards changes only while it is held, and it is not held for longer: looked at
 * behind every instruction of what changes it.
 */

#include "test_qm_dev_turns.h"

#include <errno.h>

#include "test_qm_dev_step.h"
#include "qm_dev_pci.h"
#include "zip_dev_request.h"
#include "qm_dev_group.h"

/* Memory that a lock guards, and what was in it behind the last instruction. */
struct region {
	const void *mem;
	size_t len;
	const struct qm_dev_lock *lock;
	const pthread_mutex_t *mutex; /* if lock is NULL */
	const char *bad;
	unsigned int changes;
	uint8_t seen[1024];
};

static struct region regions[14];
static unsigned int regions_cnt;

static void
guarded(const void *mem, size_t len, const struct qm_dev_lock *lock, const pthread_mutex_t *mutex,
		const char *bad)
{
	struct region *r = &regions[regions_cnt++];

	assert_true(regions_cnt <= sizeof(regions) / sizeof(regions[0]));
	assert_true(len <= sizeof(r->seen));
	*r = (struct region){ .mem = mem, .len = len, .lock = lock, .mutex = mutex, .bad = bad };
}

#define FROM_TO(s, first, end) \
	&(s)->first, (size_t)((const uint8_t *)&(s)->end - (const uint8_t *)&(s)->first)

/*
 * Whether anybody has the mutex. pthread_mutex_trylock() would tell, but this runs in the trap of
 * any instruction, also of those that lock or unlock this mutex. So glibc's own word is read.
 */
static bool
mutex_is_held(const pthread_mutex_t *mutex)
{
	return mutex->__data.__lock != 0;
}

static bool
is_held(const struct region *r)
{
	return r->lock != NULL ? r->lock->held != 0 : mutex_is_held(r->mutex);
}

/* No function of the C library here: it may be in the middle of one. */
static bool
has_changed(struct region *r)
{
	const volatile uint8_t *mem = r->mem;
	bool changed = false;

	for (size_t i = 0; i < r->len; i++) {
		changed = changed || mem[i] != r->seen[i];
		r->seen[i] = mem[i];
	}
	return changed;
}

static void
look(void)
{
	for (unsigned int i = 0; i < regions_cnt; i++) {
		struct region *r = &regions[i];

		if (!has_changed(r))
			continue;
		r->changes++;
		if (!is_held(r))
			step_bad = r->bad;
	}
}

static void
watched_begin(void)
{
	for (unsigned int i = 0; i < regions_cnt; i++)
		has_changed(&regions[i]);
	step_begin(look);
}

static void
watched_end(void)
{
	step_end();
	for (unsigned int i = 0; i < regions_cnt; i++)
		if (is_held(&regions[i]))
			fail_msg("a lock is still held: %s", regions[i].bad);
}

/* The statement, one instruction at a time. */
#define WATCHED(...) do { \
	watched_begin(); \
	__VA_ARGS__; \
	watched_end(); \
} while (0)

static struct client *c;
static struct qm_dev *dev;

static struct zip_dev_streams *
streams_of(const struct qm_dev *of)
{
	return &((struct zip_dev_func *)of->cs[0].func)->streams;
}

static int
setup(void **state)
{
	static const uint32_t weight[CLIENTS] = { 1, 1, 1 };
	struct qm_dev_queue *q;

	(void)state;
	turns_open(weight, true);
	c = &client[0];
	dev = c->td.dev;
	q = queue_of(0);
	regions_cnt = 0;
	guarded(&q->state, sizeof(q->state), &q->lock, NULL, "a state changes without the lock");
	guarded(FROM_TO(&q->ring, sq_base, done), &q->lock, NULL,
			"a queue changes without its lock");
	guarded(&q->ring.armed, sizeof(q->ring.armed), &q->lock, NULL,
			"a queue is armed without its lock");
	guarded(&q->counts, sizeof(q->counts), &q->lock, NULL, "a queue counts without its lock");
	guarded(&q->sqc, sizeof(q->sqc), &q->lock, NULL, "an SQC changes without the lock");
	guarded(&q->cqc, sizeof(q->cqc), &q->lock, NULL, "a CQC changes without the lock");
	guarded(FROM_TO(pool, asleep, futex), &pool->lock, NULL,
			"the pool's lists change without its lock");
	guarded(&pool->queues_live, sizeof(*pool) - offsetof(struct qm_dev_pool, queues_live),
			&pool->lock, NULL, "the pool's budget changes without its lock");
	guarded(FROM_TO(&dev->events, eq, irqs), &dev->events.lock, NULL,
			"an event queue changes without the lock");
	guarded(dev->pci.config, sizeof(dev->pci.config), &dev->pci.lock, NULL,
			"config space changes without its lock");
	guarded(&dev->queues_taken, 2 * sizeof(dev->queues_taken), NULL, &dev->mb_lock,
			"the function's budget changes without the mailbox's lock");
	guarded(FROM_TO(&dev->map, retired, cnt), NULL, &dev->map.lock,
			"the list of tables changes without the map's lock");
	guarded(FROM_TO(streams_of(dev), made, shift), &streams_of(dev)->lock, NULL,
			"the count of streams changes without their lock");
	guarded(&streams_of(dev)->free, sizeof(streams_of(dev)->free), &streams_of(dev)->lock, NULL,
			"the lists of streams change without their lock");
	return 0;
}

static unsigned int
changes_of(const char *bad)
{
	for (unsigned int i = 0; i < regions_cnt; i++)
		if (strstr(regions[i].bad, bad) != NULL)
			return regions[i].changes;
	fail_msg("no region \"%s\"", bad);
	return 0;
}

/* As tq_restart() does, but for the rings, which nobody has used and are long. */
static void
set_up(enum hisi_zip_qc_type type)
{
	assert_int_equal(tq_set(&c->q, type, td_iova(&c->td, c->q.sq), td_iova(&c->td, c->q.cq)),
			0);
}

/* Set up, stopped, drained, reset, read. */
static void
contexts(void **state)
{
	void *image = td_alloc(&c->td, 64, 64);

	(void)state;
	WATCHED(td_mb(&c->td, HISI_QM_MB_STOP_QP, 0, 0, false));
	WATCHED(set_up(HISI_ZIP_QC_COMPRESS));
	/* Set up over itself, with everything else. */
	c->q.depth /= 2;
	c->q.sq += c->q.depth;
	c->q.cq += c->q.depth;
	WATCHED(set_up(HISI_ZIP_QC_DECOMPRESS));
	WATCHED(td_mb(&c->td, HISI_QM_MB_FLUSH_QM, 0, 0, false));
	work(0, 2, 100);
	WATCHED(td_mb(&c->td, HISI_QM_MB_SQC, 0, td_iova(&c->td, image), true));
	WATCHED(td_mb(&c->td, HISI_QM_MB_CQC, 0, td_iova(&c->td, image), true));
	run_all();
	WATCHED(qm_dev_reset(dev));
	assert_true(changes_of("a queue changes") > 6);
	assert_true(changes_of("a state changes") > 2);
	assert_true(changes_of("an SQC changes") > 2);
	assert_true(changes_of("a CQC changes") > 1);
	assert_true(changes_of("lists") > 4);
	assert_true(changes_of("pool's budget") > 4);
	assert_true(changes_of("function's budget") > 4);
}

/* Rung, claimed, executed, told; given back, armed; asleep and woken. */
static void
requests(void **state)
{
	struct hisi_qm_eqc *eqc = td_alloc(&c->td, sizeof(*eqc), 32);
	uint64_t at = td_iova(&c->td, td_alloc(&c->td, 64, 64));

	(void)state;
	*eqc = (struct hisi_qm_eqc){ .base_l = (uint32_t)at, .base_h = (uint32_t)(at >> 32),
		.dw6 = 7 | HISI_QM_EQC_PHASE };
	WATCHED(td_mb(&c->td, HISI_QM_MB_EQC, 0, td_iova(&c->td, eqc), false));
	WATCHED(td_wr(&c->td, HISI_QM_EQ_INT_MASK, 0));
	work(0, 3, 100);
	WATCHED(run_all());
	/* Given back through the register, and armed: what came before is told at once. */
	WATCHED(qm_dev_write(dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 1,
			1)));
	WATCHED(qm_dev_write(dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 2,
			1)));
	WATCHED(qm_dev_write(dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, HISI_QM_DB_EQ, 0, 1, 0)));
	assert_true(changes_of("armed") >= 2);
	now += QM_DEV_QUIET_NS + 1;
	WATCHED(run_all());
	assert_int_equal(pool->queues_asleep, CLIENTS);
	__atomic_store_n(&c->q.db->cq, hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 3, 1),
			__ATOMIC_RELEASE);
	WATCHED(td_wr(&c->td, HISI_QM_SHADOW_REG_WAKE, 0));
	assert_int_equal(pool->queues_asleep, CLIENTS - 1);
	WATCHED(td_wr(&c->td, HISI_QM_EQ_INT_MASK, 1));
	assert_true(changes_of("a queue changes") > 20);
	assert_true(changes_of("lists") > 6);
	assert_true(changes_of("event queue") > 10);
}

/* Maps that come and go, config space, groups. */
static void
others(void **state)
{
	const uint64_t iova = TD_IOVA + (1ull << 40);
	struct qm_dev_group_stats gs;
	struct qm_dev_group *g;
	uint16_t command = 6;
	uint64_t ticket;

	(void)state;
	WATCHED(qm_dev_dma_map(dev, iova, 4096, c->src, QM_DEV_PROT_READ));
	WATCHED(qm_dev_dma_map(dev, iova, 4096, c->src, QM_DEV_PROT_READ));
	WATCHED(qm_dev_dma_unmap_start(dev, iova, 4096, &ticket, NULL));
	WATCHED(qm_dev_dma_unmap_start(dev, iova, 4096, &ticket, NULL));
	WATCHED(qm_dev_dma_unmap_done(dev, ticket));
	assert_true(changes_of("list of tables") > 2);
	WATCHED(qm_dev_pci_config_write(dev, 4, &command, sizeof(command)));
	WATCHED(qm_dev_pci_config_read(dev, 4, &command, sizeof(command)));
	assert_int_equal(command, 6);
	WATCHED(qm_dev_pci_reset(dev));
	assert_true(changes_of("config space") >= 2);
	WATCHED(assert_int_equal(qm_dev_group_create(pool, 3, 1, &g), 0));
	WATCHED(qm_dev_group_close(g, true));
	WATCHED(assert_false(qm_dev_group_take(g, 0)));
	WATCHED(qm_dev_group_close(g, false));
	WATCHED(assert_true(qm_dev_group_take(g, 0)));
	WATCHED(qm_dev_group_stats_get(g, &gs));
	WATCHED(qm_dev_group_put(g));
	WATCHED(qm_dev_group_attach(g, 1));
	WATCHED(qm_dev_group_attach(g, -1));
	WATCHED(qm_dev_group_destroy(g));
	assert_true(changes_of("pool's budget") >= 6);
}

/* A stream that comes, goes on, and goes in each way. */
static void
streams(void **state)
{
	const struct zip_codec_params params = { 0 };
	struct zip_dev_streams *s = streams_of(dev);
	struct zip_dev_stream *a, *none;

	(void)state;
	for (int i = 0; i < 2; i++) {
		uint32_t st;

		WATCHED(st = zip_dev_stream_get(s, 64, true, ZIP_CODEC_DECOMPRESS,
				HISI_ZIP_REQ_DEFLATE, &params, &a));
		assert_int_equal(st, HISI_ZIP_OK);
		WATCHED(st = zip_dev_stream_get(s, 64, true, ZIP_CODEC_DECOMPRESS,
				HISI_ZIP_REQ_DEFLATE, &params, &none));
		assert_int_equal(st, HISI_ZIP_BAD_STREAM);
		WATCHED(zip_dev_stream_put(s, a, i == 0));
		WATCHED(zip_dev_stream_release(s, 64));
		WATCHED(zip_dev_stream_release(s, 64));
		assert_int_equal(s->used, 0);
	}
	assert_int_equal(zip_dev_stream_get(s, 64, true, ZIP_CODEC_DECOMPRESS,
			HISI_ZIP_REQ_DEFLATE, &params, &a), HISI_ZIP_OK);
	zip_dev_stream_put(s, a, true);
	WATCHED(zip_dev_streams_reset(s));
	assert_int_equal(s->used, 0);
	assert_true(changes_of("count of streams") >= 6);
	assert_true(changes_of("lists of streams") >= 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, turns_close)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(contexts), T(requests), T(others),
		T(streams) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
