/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "test_qm_dev_turns.h"

#define ARENA (4u << 20)

struct qm_dev_pool *pool;
struct client client[CLIENTS];
struct turns_entry turns[512];
unsigned int turns_cnt;
int64_t now;
bool turns_times;
struct qm_dev_quota *turns_quota[CLIENTS];

static struct qm_dev_group *group[CLIENTS];

static void *
end_at_once(void *arg)
{
	return arg;
}

static int
spawn_nobody(unsigned int worker, pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	(void)worker;
	(void)run;
	(void)arg;
	(void)priv;
	return pthread_create(thread, NULL, end_at_once, NULL);
}

void
turns_open(const uint32_t weight[CLIENTS], bool wake)
{
	struct qm_dev_pool_conf pool_conf = { .name = "pool",
		.classes = { &zip_dev_class, &udma_dev_class }, .workers = 1, .stats = turns_times,
		.spawn = spawn_nobody };

	now = 1000;
	turns_cnt = 0;
	assert_int_equal(qm_dev_pool_create(&pool_conf, &pool), 0);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c = &client[i];
		struct qm_dev_conf conf = td_conf(0);

		assert_int_equal(qm_dev_group_create(pool, 0, weight[i], &group[i]), 0);
		conf.classes[1].class = &udma_dev_class;
		conf.group = group[i];
		conf.quota = turns_quota[i];
		conf.wake = wake;
		td_open(&c->td, &conf, ARENA);
		c->src = td_alloc(&c->td, 1u << 20, 64);
		c->dst = td_alloc(&c->td, 1u << 20, 64);
		tq_start(&c->q, &c->td, 0, i == 2 ? HISI_ZIP_QC_DECOMPRESS :
				HISI_ZIP_QC_COMPRESS, DEPTH);
	}
}

int
turns_close(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		td_close(&client[i].td);
		qm_dev_group_destroy(group[i]);
	}
	qm_dev_pool_destroy(pool);
	return 0;
}

void
work(unsigned int who, unsigned int n, uint32_t len)
{
	struct client *c = &client[who];

	for (unsigned int i = 0; i < n; i++) {
		struct hisi_zip_sqe *sqe = tq_slot(&c->q, HISI_ZIP_REQ_EXT_COPY);

		sqe->dw10 = HISI_ZIP_EXT_VALID;
		hisi_zip_sqe_src(sqe, td_iova(&c->td, c->src), len);
		hisi_zip_sqe_dst(sqe, td_iova(&c->td, c->dst), len);
		tq_push(&c->q);
	}
	tq_ring(&c->q);
}

unsigned int
who_is(const struct qm_dev_queue *q)
{
	unsigned int who = 0;

	while (client[who].td.dev != q->dev)
		assert_true(++who < CLIENTS);
	return who;
}

struct qm_dev_queue *
queue_of(unsigned int who)
{
	return qm_dev_queue_find(client[who].td.dev, 0);
}

struct qm_dev_exec *
executor(void)
{
	return pool->worker[0].exec;
}

unsigned int
serve(struct qm_dev_queue *q)
{
	struct qm_dev_exec *ex = executor();
	struct qm_dev *dev = q->dev;
	int64_t cost = q->sched.turn.deficit;
	bool slow = q->sched.slow;
	unsigned int n;

	ex->now = now;
	qm_dev_view_get(&dev->map, &ex->bufs.view);
	n = qm_dev_queue_claim(dev, q, ex, QM_DEV_BATCH, true);
	cost -= q->sched.turn.deficit;
	qm_dev_sched_put(pool, q, cost);
	qm_dev_queue_run(dev, q, ex, n);
	qm_dev_view_put(&ex->bufs.view);
	qm_dev_sched_done(pool, slow);
	return n;
}

bool
turn(uint32_t looks)
{
	struct qm_dev_queue *q = qm_dev_sched_get(pool, looks, now);
	unsigned int who, n;

	if (q == NULL)
		return false;
	who = who_is(q);
	n = serve(q);
	if (n == 0)
		return true;
	if (turns_cnt == 0 || turns[turns_cnt - 1].who != who) {
		assert_true(turns_cnt < sizeof(turns) / sizeof(turns[0]));
		turns[turns_cnt].who = who;
		turns[turns_cnt++].n = 0;
	}
	turns[turns_cnt - 1].n += n;
	return true;
}

void
run_all(void)
{
	while (turn(UINT32_MAX))
		;
}

void
expect_turns(const char *want)
{
	static char got[8192];
	size_t at = 0;

	got[0] = 0;
	for (unsigned int i = 0; i < turns_cnt; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%u:%u", i == 0 ? "" : " ",
				turns[i].who, turns[i].n);
	assert_string_equal(got, want);
	turns_cnt = 0;
}
