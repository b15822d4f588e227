/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * One thread enqueues copies and fills, another one asks for completions. No op is lost, comes
 * twice, or out of order; each has written what it was to write when it comes back. The full number
 * is --count 10000000. A third one is telemetry's.
 */

#include "dma_test.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_telemetry.h>

#include "hisi_udma_dev.h"

#define AREAS 4096u /* more than there can be between the two threads */
#define AREA  64u
#define DESC  300
#define BURST 64u

/* Every n-th op has no source, or no destination. */
#define BAD_EVERY 1009u

struct run {
	int16_t dev;
	unsigned long ops;
	uint8_t *src, *dst;
	uint32_t next_random;
};

static uint32_t
random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static bool
is_bad(unsigned long n)
{
	return n % BAD_EVERY == BAD_EVERY - 1;
}

static uint32_t
length(unsigned long n)
{
	return 8 + (uint32_t)(n * 2654435761u >> 7) % (AREA - 7);
}

/* What an op is to leave in its area. */
static uint64_t
value(unsigned long n)
{
	return n * 0x9e3779b97f4a7c15u + 1;
}

/* Enqueue an op. @return What dmadev says. */
static int
enqueue(const struct run *r, unsigned long n, uint64_t flags)
{
	uint8_t *src = r->src + n % AREAS * AREA, *dst = r->dst + n % AREAS * AREA;

	if (n % 3 == 0)
		return rte_dma_fill(r->dev, 0, value(n), is_bad(n) ? 0 : (uintptr_t)dst, length(n),
			flags);
	for (uint32_t i = 0; i < AREA; i += 8)
		memcpy(src + i, &(uint64_t){ value(n) }, 8);
	return dma_copy(r->dev, 0, is_bad(n) ? NULL : src, dst, length(n), flags);
}

static void *
producer(void *arg)
{
	struct run *r = arg;
	unsigned long n = 0;

	while (n < r->ops) {
		uint32_t burst = 1 + random_next(&r->next_random) % BURST;
		bool by_flag = random_next(&r->next_random) % 2;

		burst = (uint32_t)RTE_MIN(burst, r->ops - n);
		while (rte_dma_burst_capacity(r->dev, 0) < burst)
			sched_yield();
		for (uint32_t i = 0; i < burst; i++, n++)
			assert_int_equal(enqueue(r, n, by_flag && i == burst - 1 ?
				RTE_DMA_OP_FLAG_SUBMIT : 0), (uint16_t)n);
		if (!by_flag)
			assert_int_equal(rte_dma_submit(r->dev, 0), 0);
	}
	return NULL;
}

/* An op is back: what is in its area? It is emptied for the next one. */
static void
check(const struct run *r, unsigned long n)
{
	uint8_t *dst = r->dst + n % AREAS * AREA, expected[AREA];

	memset(expected, 0, AREA);
	if (!is_bad(n)) {
		for (uint32_t i = 0; i < AREA; i += 8)
			memcpy(expected + i, &(uint64_t){ value(n) }, 8);
		memset(expected + length(n), 0, AREA - length(n));
	}
	assert_memory_equal(dst, expected, AREA);
	memset(dst, 0, AREA);
}

static void
consume(const struct run *r)
{
	unsigned long n = 0;

	while (n < r->ops) {
		enum rte_dma_status_code status;
		uint16_t idx, got;
		bool error;

		got = rte_dma_completed(r->dev, 0, 1 + n % BURST, &idx, &error);
		assert_int_equal(idx, (uint16_t)(n + got - 1));
		for (; got > 0; got--, n++) {
			assert_false(is_bad(n));
			check(r, n);
		}
		if (error) {
			assert_true(is_bad(n));
			assert_int_equal(rte_dma_completed_status(r->dev, 0, 1, &idx, &status), 1);
			assert_int_equal(idx, (uint16_t)n);
			assert_int_equal(status, RTE_DMA_STATUS_INVALID_ADDR);
			check(r, n++);
		} else if (n < r->ops) {
			sched_yield();
		}
	}
}

/* ---- Telemetry: what it would answer comes here -------------------------------------------- */

static unsigned long asked;
static uint64_t most; /* that was told */
static bool over;

int __wrap_rte_tel_data_add_dict_u64(struct rte_tel_data *d, const char *name, uint64_t val);
int __wrap_rte_tel_data_add_dict_uint(struct rte_tel_data *d, const char *name, uint64_t val);
int __wrap_rte_tel_data_add_dict_container(struct rte_tel_data *d, const char *name,
		struct rte_tel_data *val, int keep);

int
__wrap_rte_tel_data_add_dict_uint(struct rte_tel_data *d, const char *name, uint64_t val)
{
	(void)d;
	if (strcmp(name, "in_flight") != 0)
		return 0;
	most = RTE_MAX(most, val);
	asked++;
	return 0;
}

/* Its name before DPDK 23.03. */
int
__wrap_rte_tel_data_add_dict_u64(struct rte_tel_data *d, const char *name, uint64_t val)
{
	return __wrap_rte_tel_data_add_dict_uint(d, name, val);
}

int
__wrap_rte_tel_data_add_dict_container(struct rte_tel_data *d, const char *name,
		struct rte_tel_data *val, int keep)
{
	(void)d;
	(void)keep;
	assert_string_equal(name, "vchan_0");
	rte_tel_data_free(val);
	return 0;
}

static void *
watch(void *arg)
{
	const struct hisi_telemetry_cmd *cmd = hisi_udma_telemetry_cmds;
	struct rte_tel_data *d = rte_tel_data_alloc();

	while (strcmp(cmd->name, "queues") != 0)
		cmd++;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&hisi_udma_driver.lock);
		assert_int_equal(cmd->show(arg, d), 0);
		pthread_mutex_unlock(&hisi_udma_driver.lock);
	}
	rte_tel_data_free(d);
	return NULL;
}

static void
test_threads(void **state)
{
	struct run r = { .dev = dma_make("", DESC), .ops = dma_count(800000), .next_random = 7 };
	struct rte_dma_stats stats;
	uint16_t idx;
	pthread_t thread, telemetry;
	bool error;

	(void)state;
	r.src = rte_zmalloc("dma_test", AREAS * AREA, 0);
	r.dst = rte_zmalloc("dma_test", AREAS * AREA, 0);
	assert_int_equal(pthread_create(&telemetry, NULL, watch, dma_vchan(r.dev, 0)->dev), 0);
	assert_int_equal(pthread_create(&thread, NULL, producer, &r), 0);
	consume(&r);
	assert_int_equal(pthread_join(thread, NULL), 0);
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(telemetry, NULL), 0);
	assert_true(asked > 0);
	assert_in_range(most, 0, DESC);
	assert_int_equal(rte_dma_completed(r.dev, 0, BURST, &idx, &error), 0);
	assert_false(error);
	assert_int_equal(rte_dma_stats_get(r.dev, 0, &stats), 0);
	assert_int_equal(stats.submitted, r.ops);
	assert_int_equal(stats.completed, r.ops);
	assert_int_equal(stats.errors, r.ops / BAD_EVERY);
	print_message("%lu ops\n", r.ops);
	rte_free(r.src);
	rte_free(r.dst);
	dma_end(r.dev);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = { DMA_TEST(test_threads) };

	return dma_test_main(argc, argv, "dma_threads", tests, RTE_DIM(tests));
}
