/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Who gets how much of shared workers. Nothing here depends on time: one worker is kept
 * busy by a long request while all queues are filled. Each request then leaves the bytes
 * served so far in a word of its queue, and the last one of each queue collects the words
 * of all queues: the first collection that was made shows the shares while all had work.
 */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "qm_dev_pool.h"

#define QUEUES     32
#define DEPTH      4096
#define LONG       (8u << 20)
#define BULK       (1u << 20) /* longest request */
#define SHARED     (TD_IOVA + (1ull << 40))
#define ARENA      (3u << 20)

/** Memory that all functions see. */
struct shared {
	uint64_t served[QUEUES];            /* bytes, per queue */
	uint64_t seen[QUEUES + 1][QUEUES];  /* collections, per queue that made it */
	uint8_t src[BULK];
	uint8_t dst[BULK];
	uint8_t text[LONG];
};

static struct shared *shared;

struct load {
	struct td td;
	struct tq q;
};

static struct qm_dev_pool *pool;
static struct load load[QUEUES + 1]; /* the last one keeps the worker busy */

static void
log_quiet(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	assert_non_null(strchr(line, ':'));
}

static uint64_t
shared_iova(const void *va)
{
	return SHARED + (uint64_t)((const uint8_t *)va - (const uint8_t *)shared);
}

static void
load_open(struct load *l, struct qm_dev_group *group, size_t arena)
{
	struct qm_dev_conf conf = td_conf(0);

	conf.group = group;
	conf.wake = 1;
	td_open(&l->td, &conf, arena);
	assert_int_equal(qm_dev_dma_map(l->td.dev, SHARED, sizeof(*shared), shared,
			QM_DEV_PROT_READ | QM_DEV_PROT_WRITE), 0);
	tq_start(&l->q, &l->td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
}

struct segment {
	uint64_t addr;
	uint32_t len;
};

static uint64_t
make_sgl(struct td *td, const struct segment *p, unsigned int n)
{
	struct hisi_acc_sgl *sgl = td_alloc(td, sizeof(*sgl) + n * sizeof(struct hisi_acc_sge),
			HISI_ACC_SGL_ALIGN);
	struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

	sgl->entry_sum_in_chain = (uint16_t)n;
	sgl->entry_sum_in_sgl = (uint16_t)n;
	sgl->entry_length_in_sgl = (uint16_t)n;
	for (unsigned int i = 0; i < n; i++) {
		sge[i].buf = p[i].addr;
		sge[i].len = p[i].len;
	}
	return td_iova(td, sgl);
}

static void
push_copy(struct load *l, uint64_t src, uint64_t dst, uint32_t len)
{
	struct hisi_zip_sqe *sqe = tq_slot(&l->q, HISI_ZIP_REQ_EXT_COPY);

	sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
	sqe->dw10 = HISI_ZIP_EXT_VALID;
	hisi_zip_sqe_src(sqe, src, len);
	hisi_zip_sqe_dst(sqe, dst, len);
	tq_push(&l->q);
}

/* Request that serves len bytes of queue i and leaves the sum so far. */
static void
push_work(unsigned int i, uint32_t len, uint64_t sum, uint64_t *dst)
{
	struct load *l = &load[i];
	uint64_t *word = td_alloc(&l->td, sizeof(*word), sizeof(*word));
	const struct segment from[] = { { td_iova(&l->td, word), sizeof(*word) },
		{ shared_iova(shared->src), len - (uint32_t)sizeof(*word) } };
	const struct segment to[] = { { shared_iova(&shared->served[i]), sizeof(*word) },
		{ shared_iova(shared->dst), len - (uint32_t)sizeof(*word) } };

	*word = sum;
	if (*dst == 0)
		*dst = make_sgl(&l->td, to, 2);
	push_copy(l, make_sgl(&l->td, from, 2), *dst, len);
}

/* Request that collects what the first n queues were served. */
static void
push_collect(unsigned int i, unsigned int n)
{
	const struct segment from = { shared_iova(shared->served), n * (uint32_t)sizeof(uint64_t) };
	const struct segment to = { shared_iova(shared->seen[i]), n * (uint32_t)sizeof(uint64_t) };
	struct load *l = &load[i];
	size_t mark = l->td.used;

	push_copy(l, make_sgl(&l->td, &from, 1), make_sgl(&l->td, &to, 1), from.len);
	if (i == QUEUES)
		l->td.used = mark; /* waited for at once */
}

static void
start(unsigned int n, const struct qm_dev_group *const *groups_in)
{
	struct qm_dev_group *const *group = (struct qm_dev_group *const *)groups_in;

	shared = aligned_alloc(4096, (sizeof(*shared) + 4095) / 4096 * 4096);
	assert_non_null(shared);
	memset(shared, 0, sizeof(*shared));
	fill_text(shared->text, LONG, 1);
	for (unsigned int i = 0; i < n; i++)
		load_open(&load[i], group[i], ARENA);
	load_open(&load[QUEUES], group[0], ARENA);
}

/* Keep the worker busy; it goes on with what was rung meanwhile. */
static void
block(void)
{
	struct tq *q = &load[QUEUES].q;
	struct hisi_zip_sqe *sqe = tq_slot(q, HISI_ZIP_REQ_DEFLATE);

	sqe->dw10 = ext_level(9);
	hisi_zip_sqe_src(sqe, shared_iova(shared->text), LONG);
	hisi_zip_sqe_dst(sqe, shared_iova(shared->dst), BULK); /* fails, having done the work */
	tq_push(q);
	tq_ring(q);
	usleep(2000);
}

static void
stop(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		td_close(&load[i].td);
	td_close(&load[QUEUES].td);
	free(shared);
}

static struct qm_dev_pool *
pool_open(void)
{
	struct qm_dev_pool_conf conf = { .name = "pool",
		.classes = { &zip_dev_class }, .workers = 1, .stats = 1,
		.log = { .line = log_quiet } };

	assert_int_equal(qm_dev_pool_create(&conf, &pool), 0);
	return pool;
}

/* Wait for n requests of queue i. */
static void
finish(unsigned int i, unsigned int n)
{
	for (; n != 0; n--) {
		const struct hisi_zip_sqe *sqe = tq_pop(&load[i].q);

		assert_non_null(sqe);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	}
}

/* @return The first collection that was made of those of n queues. */
static const uint64_t *
first_seen(unsigned int n)
{
	unsigned int first = 0;
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t sum = 0;

		for (unsigned int k = 0; k < n; k++)
			sum += shared->seen[i][k];
		if (sum < least) {
			least = sum;
			first = i;
		}
	}
	return shared->seen[first];
}

/* 32 queues with requests from 1 KiB to 1 MiB get the same number of bytes. */
static void
sizes_do_not_matter(void **state)
{
	enum { WORK = 4095u << 10 };
	const struct qm_dev_group *group[QUEUES];
	struct qm_dev_group *g;
	const uint64_t *seen;
	double sum = 0, squares = 0, jain;
	unsigned int ops[QUEUES];

	(void)state;
	pool_open();
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &g), 0);
	for (unsigned int i = 0; i < QUEUES; i++)
		group[i] = g;
	start(QUEUES, group);
	block();
	for (unsigned int i = 0; i < QUEUES; i++) {
		uint32_t len = 1024u << i % 11;
		uint64_t dst = 0, done = 0;

		for (ops[i] = 1; done + len <= WORK && ops[i] < DEPTH - 1; ops[i]++)
			push_work(i, len, done += len, &dst);
		push_collect(i, QUEUES);
	}
	for (unsigned int i = 0; i < QUEUES; i++)
		tq_ring(&load[i].q);
	for (unsigned int i = 0; i < QUEUES; i++)
		finish(i, ops[i]);

	seen = first_seen(QUEUES);
	for (unsigned int i = 0; i < QUEUES; i++) {
		sum += (double)seen[i];
		squares += (double)seen[i] * (double)seen[i];
	}
	jain = sum * sum / (QUEUES * squares);
	print_message("Jain's index of bytes, %u queues, requests of 1 KiB to 1 MiB: %.4f\n",
			QUEUES, jain);
	if (jain < 0.98)
		fail_msg("Jain's index %.4f, expected at least 0.98", jain);
	stop(QUEUES);
	qm_dev_group_destroy(g);
	qm_dev_pool_destroy(pool);
}

static void
weights_are_kept(void **state)
{
	enum { N = 3, LEN = 16u << 10, OPS = 4000 };
	static const uint32_t weight[N] = { 1, 2, 4 };
	struct qm_dev_group *g[N];
	const uint64_t *seen;
	double unit = 0;

	(void)state;
	pool_open();
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(qm_dev_group_create(pool, 0, weight[i], &g[i]), 0);
	start(N, (const struct qm_dev_group *const *)g);
	block();
	for (unsigned int i = 0; i < N; i++) {
		uint64_t dst = 0;

		for (unsigned int k = 0; k < OPS; k++)
			push_work(i, LEN, (k + 1ull) * LEN, &dst);
		push_collect(i, N);
	}
	for (unsigned int i = 0; i < N; i++)
		tq_ring(&load[i].q);
	for (unsigned int i = 0; i < N; i++)
		finish(i, OPS + 1);

	seen = first_seen(N);
	for (unsigned int i = 0; i < N; i++)
		unit += (double)seen[i] / 7;
	print_message("weights 1:2:4 got %.3f:%.3f:%.3f\n", (double)seen[0] / unit,
			(double)seen[1] / unit, (double)seen[2] / unit);
	for (unsigned int i = 0; i < N; i++)
		if ((double)seen[i] < 0.95 * unit * weight[i] ||
				(double)seen[i] > 1.05 * unit * weight[i])
			fail_msg("weight %u got %.3f, expected it within 5 %%", weight[i],
					(double)seen[i] / unit);
	stop(N);
	for (unsigned int i = 0; i < N; i++)
		qm_dev_group_destroy(g[i]);
	qm_dev_pool_destroy(pool);
}

/* Bytes served by n queues up to now. The worker is writing them. */
static NO_TSAN uint64_t
served_now(unsigned int n)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += *(volatile uint64_t *)&shared->served[i];
	return sum;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * A client with one small request at a time beside bulk queues: what they are served
 * while it waits is the request being executed and the one claimed next, however much
 * they have waiting. More only if this thread is kept from running between looking and
 * ringing: not in most cases, of which there must be some.
 */
static void
small_requests_do_not_wait_for_bulk(void **state)
{
	enum { N = 8, OPS = 16, ROUNDS = 100, ENOUGH = 21 };
	static uint64_t waited[ROUNDS * N * OPS];
	const struct qm_dev_group *group[N];
	struct qm_dev_group *g;
	uint64_t dst[N] = { 0 };
	unsigned int n = 0;

	(void)state;
	pool_open();
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &g), 0);
	for (unsigned int i = 0; i < N; i++)
		group[i] = g;
	start(N, group);
	for (unsigned int round = 0; round < ROUNDS && n < ENOUGH; round++) {
		uint64_t last = (round + 1ull) * N * OPS * BULK;

		for (unsigned int i = 0; i < N; i++)
			for (unsigned int k = 0; k < OPS; k++)
				push_work(i, BULK, (round * OPS + k + 1ull) * BULK, &dst[i]);
		for (unsigned int i = 0; i < N; i++)
			tq_ring(&load[i].q);
		while (served_now(N) < last - 2 * N * BULK) {
			uint64_t before, after = 0;

			assert_true(n < sizeof(waited) / sizeof(waited[0]));
			push_collect(QUEUES, N);
			before = served_now(N);
			tq_ring(&load[QUEUES].q);
			finish(QUEUES, 1);
			for (unsigned int i = 0; i < N; i++)
				after += shared->seen[QUEUES][i];
			waited[n++] = after > before ? after - before : 0;
		}
		for (unsigned int i = 0; i < N; i++)
			finish(i, OPS);
	}
	assert_true(n > 0);
	qsort(waited, n, sizeof(waited[0]), compare);
	print_message("%u small requests; bulk bytes served while one waits: p50 %llu KiB, "
			"p90 %llu KiB, most %llu KiB; waiting behind: %u MiB\n", n,
			(unsigned long long)waited[n / 2] >> 10,
			(unsigned long long)waited[n * 9 / 10] >> 10,
			(unsigned long long)waited[n - 1] >> 10, N * OPS);
	if (waited[n / 2] > 2 * BULK)
		fail_msg("median: %llu bytes of others, expected at most %u",
				(unsigned long long)waited[n / 2], 2 * BULK);
	if (n < ENOUGH)
		fail_msg("%u small requests in %u rounds, expected at least %u", n, ROUNDS, ENOUGH);
	stop(N);
	qm_dev_group_destroy(g);
	qm_dev_pool_destroy(pool);
}

/* Counters, histograms and statuses of what was done. */
static void
counted(void **state)
{
	enum { OPS = 300, LEN = 4096 };
	const struct qm_dev_group *group[1];
	struct qm_dev_queue_stats qs;
	struct qm_dev_group *g;
	struct qm_dev_times times;
	uint64_t waits = 0, services = 0, dst = 0;
	uint32_t status[256];

	(void)state;
	pool_open();
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &g), 0);
	group[0] = g;
	start(1, group);
	for (unsigned int k = 0; k < OPS; k++) {
		push_work(0, LEN, k, &dst);
		tq_ring(&load[0].q);
		if (k % 2 == 1)
			finish(0, 2);
	}
	tq_slot(&load[0].q, 0x77);
	tq_push(&load[0].q);
	tq_ring(&load[0].q);
	assert_int_equal(tq_pop(&load[0].q)->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_BAD_SQE);

	assert_int_equal(qm_dev_queue_stats_get(load[0].td.dev, 4, &qs), -EINVAL);
	assert_int_equal(qm_dev_queue_stats_get(load[0].td.dev, 1, &qs), 0);
	assert_int_equal(qs.requests, 0);
	assert_int_equal(qm_dev_queue_stats_get(load[0].td.dev, 0, &qs), 0);
	assert_int_equal(qs.requests, OPS + 1);
	assert_int_equal(qs.bytes_in, OPS * LEN);
	assert_int_equal(qs.bytes_out, OPS * LEN);
	assert_int_equal(qs.errors, 1);
	assert_true(qs.live);
	qm_dev_stats_status(load[0].td.dev, status);
	assert_int_equal(status[HISI_ZIP_BAD_SQE], 1);
	qm_dev_times_get(load[0].td.dev, &times);
	assert_memory_equal(&times, &qs.times, sizeof(times));
	for (unsigned int i = 0; i < BASE_HIST_BUCKETS; i++) {
		waits += times.wait.bucket[i];
		services += times.service.bucket[i];
	}
	assert_int_equal(services, OPS + 1);
	assert_in_range(waits, OPS / 4, OPS + 1);
	stop(1);
	qm_dev_group_destroy(g);
	qm_dev_pool_destroy(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_do_not_matter),
		cmocka_unit_test(weights_are_kept),
		cmocka_unit_test(small_requests_do_not_wait_for_bulk),
		cmocka_unit_test(counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
