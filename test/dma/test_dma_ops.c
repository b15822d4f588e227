/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Copies and fills, as dmadev promises them: numbers, order, statuses. */

#include "dma_test.h"

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "hisi_udma_dev.h"
#include "hisi_udma_sqe.h"

#define LEN 512u
#define FAR ((uint8_t *)(uintptr_t)0x10000) /* where nothing is */
#define LAST ((uint8_t *)(UINTPTR_MAX - 100)) /* less than LEN from the end */

/*
 * Ops without a fence are executed in any order, by two workers at the same time: those
 * that are in flight together write to places of their own.
 */

/* As many ops as there are descriptors are taken, and no more, until some are back. */
static void
check_capacity(uint16_t nb_desc, uint16_t limit)
{
	int16_t dev = dma_make("", nb_desc);
	uint8_t *src = dma_mem(64, 1), *dst = dma_mem(64ul * limit, 2);

	for (uint16_t i = 0; i < limit; i++) {
		assert_int_equal(rte_dma_burst_capacity(dev, 0), limit - i);
		dma_copy_id(dev, 0, src, dst + 64 * i, 64, 0, i);
	}
	assert_int_equal(rte_dma_burst_capacity(dev, 0), 0);
	assert_int_equal(dma_copy(dev, 0, src, dst, 64, 0), -ENOSPC);
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	assert_int_equal(dma_copy(dev, 0, src, dst, 64, RTE_DMA_OP_FLAG_SUBMIT), -ENOSPC);
	dma_wait(dev, 0, 3, 2);
	assert_int_equal(rte_dma_burst_capacity(dev, 0), 3);
	for (uint16_t i = 0; i < 3; i++)
		dma_copy_id(dev, 0, src, dst + 64 * i, 64, RTE_DMA_OP_FLAG_SUBMIT, limit + i);
	assert_int_equal(dma_copy(dev, 0, src, dst, 64, RTE_DMA_OP_FLAG_SUBMIT), -ENOSPC);
	dma_wait(dev, 0, limit, limit + 2);
	assert_int_equal(rte_dma_burst_capacity(dev, 0), limit);
	assert_int_equal(dma_vchan(dev, 0)->enq.full, 3);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

static void
test_capacity(void **state)
{
	(void)state;
	check_capacity(16, 16);
	check_capacity(63, 63);
	check_capacity(64, 64);
	check_capacity(1000, 1000);
	check_capacity(1023, 1023);
	check_capacity(1024, 1023);
}

/* ---- Data ---- */

/* Copy, and see that nothing else has changed. */
static void
check_copy(int16_t dev, const uint8_t *src, uint8_t *dst, size_t room, size_t from, size_t to,
		uint32_t len, uint16_t id)
{
	for (size_t i = 0; i < room; i++)
		dst[i] = dma_byte(2, i);
	dma_copy_id(dev, 0, src + from, dst + to, len, RTE_DMA_OP_FLAG_SUBMIT, id);
	dma_wait(dev, 0, 1, id);
	assert_memory_equal(dst + to, src + from, len);
	for (size_t i = 0; i < room; i++) {
		if (i < to || i >= to + len)
			assert_int_equal(dst[i], dma_byte(2, i));
	}
}

static void
test_copy(void **state)
{
	static const uint32_t lens[] = { 1, 2, 7, 8, 63, 64, 65, 1000, 4096, 60001 };
	const size_t room = 65536;
	uint8_t *src = dma_mem(room, 1), *dst = dma_mem(room, 2);
	int16_t dev = dma_make("", 64);
	uint16_t id = 0;

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(lens); i++) {
		for (size_t off = 0; off < 9; off += 3)
			check_copy(dev, src, dst, room, off, 8 - off, lens[i], id++);
	}
	for (size_t i = 0; i < room; i++)
		assert_int_equal(src[i], dma_byte(1, i));
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* The longest one, and one byte more. */
static void
test_longest(void **state)
{
	const size_t room = HISI_UDMA_LEN_MAX + 1;
	uint8_t *src = dma_mem(room, 1), *dst = dma_mem(room, 2);
	int16_t dev = dma_make("", 64);

	(void)state;
	assert_int_equal(dma_copy(dev, 0, src, dst, room, RTE_DMA_OP_FLAG_SUBMIT), -EINVAL);
	assert_int_equal(rte_dma_fill(dev, 0, 0, (uintptr_t)dst, room, RTE_DMA_OP_FLAG_SUBMIT),
		-EINVAL);
	assert_int_equal(dma_copy(dev, 0, src, dst, UINT32_MAX, 0), -EINVAL);
	assert_int_equal(dma_vchan(dev, 0)->enq.rejected, 3);
	/* They have no number. */
	check_copy(dev, src, dst, room, 0, 0, HISI_UDMA_LEN_MAX, 0);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

static void
test_fill(void **state)
{
	const uint64_t pattern = 0xfedcba9876543210;
	uint8_t *dst = dma_mem(200, 2), bytes[8];
	int16_t dev = dma_make("", 64);
	uint16_t id = 0;

	(void)state;
	memcpy(bytes, &pattern, sizeof(bytes));
	for (uint32_t len = 1; len < 150; len++, id++) {
		uint32_t off = len % 11;

		for (size_t i = 0; i < 200; i++)
			dst[i] = dma_byte(2, i);
		assert_int_equal(rte_dma_fill(dev, 0, pattern, (uintptr_t)dst + off, len,
			RTE_DMA_OP_FLAG_SUBMIT), id);
		dma_wait(dev, 0, 1, id);
		for (size_t i = 0; i < 200; i++)
			assert_int_equal(dst[i], i >= off && i < off + len ?
				bytes[(i - off) % 8] : dma_byte(2, i));
	}
	rte_free(dst);
	dma_end(dev);
}

/* ---- Numbers ---- */

/* Over all numbers, more than once, in bursts of all lengths. */
static void
test_wrap(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	unsigned long total = dma_count(280000), n = 0;
	int16_t dev = dma_make("", 50);
	uint16_t burst = 1;

	(void)state;
	while (n < total) {
		for (uint16_t i = 0; i < burst; i++)
			dma_copy_id(dev, 0, src, dst + 8 * i, 8, 0, (uint16_t)(n + i));
		assert_int_equal(rte_dma_submit(dev, 0), 0);
		n += burst;
		dma_wait(dev, 0, burst, (uint16_t)(n - 1));
		burst = burst % 50 + 1;
	}
	assert_true(n > UINT16_MAX);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* Nothing is passed on, and no doorbell rung, before submit. */
static void
test_submit(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(13 * LEN, 2);
	int16_t dev = dma_make("", 64);
	volatile uint64_t *db;
	uint16_t idx = 0;
	uint64_t rung;

	(void)state;
	/* With nothing to submit. */
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	assert_null(dma_vchan(dev, 0)->hwq.ring);
	assert_int_equal(rte_dma_completed(dev, 0, 1, &idx, NULL), 0);
	assert_int_equal(idx, UINT16_MAX);
	dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
	dma_wait(dev, 0, 1, 0);
	db = dma_vchan(dev, 0)->hwq.ring->sq_db;
	rung = *db;
	for (uint16_t i = 1; i <= 10; i++)
		dma_copy_id(dev, 0, src, dst + i * LEN, LEN, 0, i);
	assert_int_equal(*db, rung);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(rte_dma_completed(dev, 0, 1, &idx, NULL), 0);
	assert_int_equal(idx, 0);
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	assert_int_equal(*db, hisi_qm_sq_db_value(dma_vchan(dev, 0)->hwq.ring, 11));
	dma_wait(dev, 0, 4, 4);
	dma_wait(dev, 0, 6, 10);
	/* An op with the flag passes those before it on, too. */
	dma_copy_id(dev, 0, src, dst + 11 * LEN, LEN, 0, 11);
	dma_copy_id(dev, 0, src, dst + 12 * LEN, LEN, RTE_DMA_OP_FLAG_SUBMIT, 12);
	dma_wait(dev, 0, 2, 12);
	assert_int_equal(rte_dma_completed(dev, 0, 0, &idx, NULL), 0);
	assert_int_equal(idx, 12);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* ---- Errors ---- */

/* Ops of which some fail: those before the first one come back, and then their statuses. */
static void
check_errors(int16_t dev, const uint8_t *src, uint8_t *dst, const unsigned int *bad, unsigned int n,
		uint16_t *id)
{
	enum { OPS = 16 };
	enum rte_dma_status_code status[OPS];
	unsigned int first = n != 0 ? bad[0] : OPS;
	uint16_t base = *id, idx, got;
	bool error = true;

	memset(dst, 0, OPS * LEN);
	for (uint16_t i = 0; i < OPS; i++) {
		const uint8_t *from = src + i * LEN;

		for (unsigned int b = 0; b < n; b++) {
			if (bad[b] == i)
				from = NULL;
		}
		dma_copy_id(dev, 0, from, dst + i * LEN, LEN, i == OPS - 1 ?
			RTE_DMA_OP_FLAG_SUBMIT : 0, (*id)++);
	}
	dma_idle(dev, 0);
	got = rte_dma_completed(dev, 0, OPS, &idx, &error);
	assert_int_equal(got, first);
	assert_int_equal(error, first < OPS);
	assert_int_equal(idx, (uint16_t)(base + first - 1));
	/* It stays there. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
		assert_int_equal(error, first < OPS);
		assert_int_equal(idx, (uint16_t)(base + first - 1));
	}
	for (unsigned int i = first; i < OPS; i++) {
		bool is_bad = false;

		for (unsigned int b = 0; b < n; b++)
			is_bad |= bad[b] == i;
		/* One by one, or with completed() where that goes. */
		if (!is_bad && i % 2 == 0) {
			assert_int_equal(rte_dma_completed(dev, 0, 1, &idx, &error), 1);
			assert_false(error);
		} else {
			assert_int_equal(rte_dma_completed_status(dev, 0, 1, &idx, status), 1);
			assert_int_equal(status[0], is_bad ? RTE_DMA_STATUS_INVALID_ADDR :
				RTE_DMA_STATUS_SUCCESSFUL);
		}
		assert_int_equal(idx, (uint16_t)(base + i));
	}
	for (unsigned int i = 0; i < OPS; i++) {
		bool is_bad = false;

		for (unsigned int b = 0; b < n; b++)
			is_bad |= bad[b] == i;
		assert_int_equal(memcmp(dst + i * LEN, src + i * LEN, LEN) != 0, is_bad);
	}
}

static void
test_errors(void **state)
{
	static const unsigned int sets[][3] = { { 0 }, { 7 }, { 15 }, { 0, 1, 2 }, { 3, 9, 15 } };
	static const unsigned int counts[] = { 1, 1, 1, 3, 3 };
	uint8_t *src = dma_mem(16 * LEN, 1), *dst = dma_mem(16 * LEN, 2);
	int16_t dev = dma_make("", 64);
	struct rte_dma_stats stats;
	uint16_t id = 0;

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(counts); i++)
		check_errors(dev, src, dst, sets[i], counts[i], &id);
	check_errors(dev, src, dst, NULL, 0, &id);
	assert_int_equal(rte_dma_stats_get(dev, 0, &stats), 0);
	assert_int_equal(stats.submitted, id);
	assert_int_equal(stats.completed, id);
	assert_int_equal(stats.errors, 9);
	assert_int_equal(dma_vchan(dev, 0)->deq.errors[HISI_UDMA_ERROR_ADDR], 9);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* The status of one op. */
static void
check_status(int16_t dev, const void *src, void *dst, uint32_t len,
		enum rte_dma_status_code expected)
{
	enum rte_dma_status_code status;
	int id = dma_copy(dev, 0, src, dst, len, RTE_DMA_OP_FLAG_SUBMIT);

	assert_true(id >= 0);
	dma_wait_status(dev, 0, 1, (uint16_t)id, &status);
	assert_int_equal(status, expected);
}

static void
test_addresses(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	int16_t dev = dma_make("", 64);
	enum rte_dma_status_code status;
	int id;

	(void)state;
	check_status(dev, NULL, dst, LEN, RTE_DMA_STATUS_INVALID_ADDR);
	check_status(dev, src, NULL, LEN, RTE_DMA_STATUS_INVALID_ADDR);
	/* A function of this process takes any pointer, and it is ours to have a right one. */
	if (dma_on_service()) {
		check_status(dev, FAR, dst, LEN, RTE_DMA_STATUS_INVALID_ADDR);
		check_status(dev, src, FAR, LEN, RTE_DMA_STATUS_INVALID_ADDR);
		check_status(dev, src, LAST, LEN, RTE_DMA_STATUS_INVALID_ADDR);
		check_status(dev, LAST, dst, LEN, RTE_DMA_STATUS_INVALID_ADDR);
		check_status(dev, &dev, dst, sizeof(dev), RTE_DMA_STATUS_INVALID_ADDR);
	}
	/* Source and destination share bytes; they may touch. */
	check_status(dev, src, src + 1, 100, RTE_DMA_STATUS_INVALID_ADDR);
	check_status(dev, src + 1, src, 100, RTE_DMA_STATUS_INVALID_ADDR);
	check_status(dev, src, src, 100, RTE_DMA_STATUS_INVALID_ADDR);
	for (size_t i = 0; i < LEN; i++) {
		assert_int_equal(src[i], dma_byte(1, i));
		assert_int_equal(dst[i], dma_byte(2, i));
	}
	check_status(dev, src, src + 100, 100, RTE_DMA_STATUS_SUCCESSFUL);
	id = rte_dma_fill(dev, 0, 5, 0, 8, RTE_DMA_OP_FLAG_SUBMIT);
	assert_true(id >= 0);
	dma_wait_status(dev, 0, 1, (uint16_t)id, &status);
	assert_int_equal(status, RTE_DMA_STATUS_INVALID_ADDR);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* ---- Order ---- */

/* Each copy has what the one before it has written, and each fill overwrites what was copied. */
static void
test_fence(void **state)
{
	enum { CHAIN = 24, BIG = 20000 };
	unsigned long rounds = dma_count(200);
	int16_t dev = dma_make("", 64);
	uint8_t *area[CHAIN + 1], filled[BIG];
	uint16_t id = 0;

	(void)state;
	for (unsigned int i = 0; i <= CHAIN; i++)
		area[i] = dma_mem(BIG, i);
	for (unsigned long n = 0; n < rounds; n++) {
		memset(area[0], (int)n, BIG);
		for (unsigned int i = 0; i < CHAIN; i++)
			dma_copy_id(dev, 0, area[i], area[i + 1], i % 3 == 0 ? BIG : BIG - 1,
				RTE_DMA_OP_FLAG_FENCE, id++);
		assert_int_equal(rte_dma_fill(dev, 0, 0x0101010101010101u * (uint8_t)(n + 1),
			(uintptr_t)area[0], BIG, RTE_DMA_OP_FLAG_FENCE | RTE_DMA_OP_FLAG_SUBMIT),
			id++);
		dma_wait(dev, 0, CHAIN + 1, (uint16_t)(id - 1));
		memset(filled, (int)n, BIG);
		assert_memory_equal(area[CHAIN], filled, BIG - 1);
		memset(filled, (int)n + 1, BIG);
		assert_memory_equal(area[0], filled, BIG);
	}
	for (unsigned int i = 0; i <= CHAIN; i++)
		rte_free(area[i]);
	dma_end(dev);
}

/* Without one in its requests, as on silicon: an op with a fence is taken when all are back. */
static void
test_no_fence(void **state)
{
	const uint64_t fence = RTE_DMA_OP_FLAG_FENCE | RTE_DMA_OP_FLAG_SUBMIT;
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(2 * LEN, 2), *last = dma_mem(LEN, 3);
	int16_t dev = dma_make("", 64);
	struct hisi_udma_sqe *sqe;

	(void)state;
	dma_vchan(dev, 0)->fence = false;
	/* Nothing is before it. */
	dma_copy_id(dev, 0, src, dst, LEN, fence, 0);
	dma_wait(dev, 0, 1, 0);
	dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 1);
	dma_copy_id(dev, 0, src, dst + LEN, LEN, 0, 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dma_copy(dev, 0, dst, last, LEN, fence), -ENOSPC);
	assert_int_equal(dma_vchan(dev, 0)->enq.full, 3);
	/* What was not submitted is by now: else it would wait for ever. */
	dma_wait(dev, 0, 2, 2);
	dma_copy_id(dev, 0, dst, last, LEN, fence, 3);
	sqe = hisi_qm_sq_slot(dma_vchan(dev, 0)->hwq.ring, 3);
	dma_wait(dev, 0, 1, 3);
	assert_memory_equal(last, src, LEN);
	/* Silicon gets no word that it does not know. */
	assert_int_equal(sqe->ext, 0);
	rte_free(src);
	rte_free(dst);
	rte_free(last);
	dma_end(dev);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		DMA_TEST(test_capacity), DMA_TEST(test_copy), DMA_TEST(test_longest),
		DMA_TEST(test_fill), DMA_TEST(test_wrap), DMA_TEST(test_submit),
		DMA_TEST(test_errors), DMA_TEST(test_addresses), DMA_TEST(test_fence),
		DMA_TEST(test_no_fence),
	};

	return dma_test_main(argc, argv, "dma_ops", tests, RTE_DIM(tests));
}
