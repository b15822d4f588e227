/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The DMA map: many maps, against a plain model, limits, and unmapping without waiting. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <string.h>

#include "base_clock.h"
#include "test_qm_dev_left.h"
#include "qm_dev_queue.h"

#define RW (QM_DEV_PROT_READ | QM_DEV_PROT_WRITE)
#define PAGE 4096ull

static struct qm_dev *
dev_open(struct qm_dev_limits limits)
{
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev *dev;

	conf.limits = limits;
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	return dev;
}

static int
map_pages(struct qm_dev *dev, uint64_t page, uint64_t n)
{
	return qm_dev_dma_map(dev, page * PAGE, n * PAGE, (void *)(uintptr_t)((page + 7) * PAGE),
			RW);
}

/* Where the function sees the page, as a page; 0: nowhere. */
static uint64_t
lookup(struct qm_dev *dev, struct qm_dev_view *view, uint64_t page)
{
	void *va = qm_dev_view_at(view, page * PAGE + 8, 16, RW);

	(void)dev;
	return va != NULL ? ((uintptr_t)va - 8) / PAGE : 0;
}

static void
as_a_plain_model(void **state)
{
	enum { PAGES = 20000, ROUNDS = 60000 };
	static uint16_t start[PAGES]; /* 1 + first page of the map that the page is in, or 0 */
	struct qm_dev *dev = dev_open((struct qm_dev_limits){ 0 });
	struct qm_dev_view view = { .hint = 0 };
	uint32_t seed = 4711, cnt = 0;

	(void)state;
	qm_dev_view_add(&dev->map, &view);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t p = rnd(&seed) % (PAGES - 64), n = 1 + rnd(&seed) % 3, want = 0;
		bool half = false;
		int rc;

		if (rnd(&seed) % 5 >= (round % 20000 < 12000 ? 1 : 4)) {
			for (uint32_t i = p; i < p + n; i++)
				want |= start[i];
			rc = map_pages(dev, p, n);
			assert_int_equal(rc, want != 0 ? -EEXIST : 0);
			for (uint32_t i = p; rc == 0 && i < p + n; i++)
				start[i] = (uint16_t)(p + 1);
			cnt += rc == 0;
		} else {
			n = 1 + rnd(&seed) % 40;
			half = start[p] != 0 && start[p] != p + 1;
			half = half || (start[p + n - 1] != 0 && start[p + n - 1] == start[p + n]);
			for (uint32_t i = p; i < p + n; i++)
				want += start[i] == i + 1;
			rc = td_unmap(dev, p * PAGE, n * PAGE);
			assert_int_equal(rc, half ? -EINVAL : (int)want);
			if (!half)
				memset(&start[p], 0, n * sizeof(start[0]));
			cnt -= half ? 0 : want;
		}
		assert_int_equal(dev->map.cnt, cnt);
		qm_dev_view_get(&dev->map, &view);
		for (uint32_t i = 0; i < 8; i++) {
			uint32_t look = i < 4 ? p + i : rnd(&seed) % PAGES;

			assert_int_equal(lookup(dev, &view, look), start[look] ? look + 7 : 0);
		}
		qm_dev_view_put(&view);
	}
	assert_true(td_unmap(dev, 0, UINT64_MAX) == (int)cnt);
	assert_int_equal(dev->map.cnt, 0);
	qm_dev_destroy(dev);
}

static double
seconds(void)
{
	return (double)base_now_ns() / 1e9;
}

/* As many as VFIO allows, in an order that is neither up nor down, while the first is in use. */
static void
sixty_four_thousand(void **state)
{
	enum { N = 65536 };
	struct qm_dev *dev = dev_open((struct qm_dev_limits){ 0 });
	struct qm_dev_view view = { .hint = 0 };
	double t0, t1, t2;
	uint64_t ticket;

	(void)state;
	qm_dev_view_add(&dev->map, &view);
	assert_int_equal(map_pages(dev, 3 * N, 1), 0);
	qm_dev_view_get(&dev->map, &view);
	t0 = seconds();
	for (uint64_t i = 0; i < N; i++)
		assert_int_equal(map_pages(dev, 2 * (i * 40503 % N) + 1, 1), 0);
	t1 = seconds();
	assert_int_equal(lookup(dev, &view, 3 * N), 3 * N + 7);
	assert_int_equal(lookup(dev, &view, 1), 0); /* this view is older */
	assert_int_equal(qm_dev_dma_unmap_start(dev, PAGE, PAGE, &ticket, NULL), 1);
	assert_false(qm_dev_dma_unmap_done(dev, ticket));
	qm_dev_view_put(&view);
	assert_true(qm_dev_dma_unmap_done(dev, ticket));
	qm_dev_view_get(&dev->map, &view);
	for (uint64_t i = 1; i < N; i++)
		assert_int_equal(lookup(dev, &view, 2 * i + 1), 2 * i + 8);
	qm_dev_view_put(&view);
	t2 = seconds();
	for (uint64_t i = 1; i < N; i++)
		assert_int_equal(td_unmap(dev, (2 * (i * 40503 % N) + 1) * PAGE, PAGE), 1);
	print_message("%u maps made in %.2f s, taken back one by one in %.2f s\n", N, t1 - t0,
			seconds() - t2);
	if (t1 - t0 > 60)
		fail_msg("%u maps took %.1f s, expected seconds", N, t1 - t0);
	qm_dev_destroy(dev);
}

static void
limits(void **state)
{
	const struct qm_dev_limits few = { .maps = 3 };
	struct qm_dev *dev = dev_open(few);
	uint64_t ticket, bytes;

	(void)state;
	assert_int_equal(map_pages(dev, 1, 4), 0);
	assert_int_equal(map_pages(dev, 101, 5), 0);
	assert_int_equal(map_pages(dev, 201, 1), 0);
	assert_int_equal(map_pages(dev, 401, 1), -ENOSPC);
	assert_int_equal(map_pages(dev, 1, 1), -EEXIST);
	assert_int_equal(td_unmap(dev, 101 * PAGE, 5 * PAGE), 1);
	assert_int_equal(map_pages(dev, 301, 1), 0);
	assert_int_equal(map_pages(dev, 401, 1), -ENOSPC);
	assert_int_equal(dev->map.cnt, 3);
	bytes = 1;
	assert_int_equal(qm_dev_dma_unmap_start(dev, 500 * PAGE, PAGE, &ticket, &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(qm_dev_dma_unmap_start(dev, 0, 0, &ticket, &bytes), 3);
	assert_int_equal(bytes, 6 * PAGE);
	assert_int_equal(dev->map.cnt, 0);
	qm_dev_destroy(dev);
}

/*
 * What a view saw when it was entered it sees until it is left, however often the map
 * changes: the tables and chunks that only it can reach stay, and go when it is left.
 */
static void
held_tables_keep_their_chunks(void **state)
{
	enum { VIEWS = 3, PAGES = 900, ROUNDS = 1200 };
	static bool there[PAGES], saw[VIEWS][PAGES];
	struct qm_dev *dev = dev_open((struct qm_dev_limits){ 0 });
	struct qm_dev_view view[VIEWS];
	bool in[VIEWS] = { false };
	struct left before;
	uint32_t seed = 99;
	uint64_t ticket;

	(void)state;
	memset(view, 0, sizeof(view));
	for (unsigned int v = 0; v < VIEWS; v++)
		qm_dev_view_add(&dev->map, &view[v]);
	before = left_now();
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t v = rnd(&seed) % VIEWS, p = rnd(&seed) % PAGES;

		/* Up to where chunks are split, and down to where they are merged. */
		if (rnd(&seed) % 16 < (round / 300 % 2 == 0 ? 14u : 6u)) {
			for (uint32_t i = 0; i < PAGES && there[p]; i++)
				p = (p + 1) % PAGES;
			assert_int_equal(map_pages(dev, p, 1), there[p] ? -EEXIST : 0);
			there[p] = true;
		} else {
			uint32_t n = 1 + rnd(&seed) % 12, want = 0;

			n = n < PAGES - p ? n : PAGES - p;
			for (uint32_t i = p; i < p + n; i++) {
				want += there[i];
				there[i] = false;
			}
			assert_int_equal(qm_dev_dma_unmap_start(dev, p * PAGE, n * PAGE, &ticket,
					NULL), want);
		}
		if (in[v] && rnd(&seed) % 4 == 0) {
			qm_dev_view_put(&view[v]);
			in[v] = false;
		} else if (!in[v]) {
			qm_dev_view_get(&dev->map, &view[v]);
			memcpy(saw[v], there, sizeof(there));
			in[v] = true;
		}
		for (v = 0; v < VIEWS; v++)
			for (uint32_t i = round % 7; in[v] && i < PAGES; i += 7)
				assert_int_equal(lookup(dev, &view[v], i),
						saw[v][i] ? i + 7 : 0);
	}
	for (unsigned int v = 0; v < VIEWS; v++)
		qm_dev_view_put(&view[v]);
	assert_true(td_unmap(dev, 0, 0) > 0);
	/* The empty table is all that is left. */
	assert_true(TAILQ_EMPTY(&dev->map.retired));
	left_check(&before);
	qm_dev_destroy(dev);
}

/* While a view holds one table for long, those after it go: nothing piles up behind it. */
static void
nothing_piles_up_behind_a_hold(void **state)
{
	struct qm_dev *dev = dev_open((struct qm_dev_limits){ 0 });
	struct qm_dev_view view = { .hint = NULL };
	struct left before;
	uint64_t ticket;

	(void)state;
	qm_dev_view_add(&dev->map, &view);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(map_pages(dev, 10 * i, 1), 0);
	qm_dev_view_get(&dev->map, &view);
	assert_int_equal(map_pages(dev, 1000, 1), 0);
	assert_int_equal(qm_dev_dma_unmap_start(dev, 1000 * PAGE, PAGE, &ticket, NULL), 1);
	before = left_now();
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(map_pages(dev, 1000 + i, 1), 0);
		assert_int_equal(qm_dev_dma_unmap_start(dev, (1000 + i) * PAGE, PAGE, &ticket,
				NULL), 1);
		left_check(&before);
	}
	qm_dev_view_put(&view);
	assert_true(qm_dev_dma_unmap_done(dev, ticket));
	assert_int_equal(left_now().allocs, before.allocs - 2);
	qm_dev_destroy(dev);
}

/* Taken back without waiting: done when those who saw it have left, not before. */
static void
unmap_is_done_when_nobody_holds_it(void **state)
{
	struct qm_dev *dev = dev_open((struct qm_dev_limits){ 0 });
	struct qm_dev_view a = { .hint = NULL }, b = { .hint = NULL };
	uint64_t first, second, none = 7;

	(void)state;
	qm_dev_view_add(&dev->map, &a);
	qm_dev_view_add(&dev->map, &b);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(map_pages(dev, 10 * i, 1), 0);
	qm_dev_view_get(&dev->map, &a);
	assert_int_equal(qm_dev_dma_unmap_start(dev, 0, PAGE, &first, NULL), 1);
	qm_dev_view_get(&dev->map, &b);
	assert_int_equal(qm_dev_dma_unmap_start(dev, 10 * PAGE, PAGE, &second, NULL), 1);
	assert_true(second > first);
	assert_false(qm_dev_dma_unmap_done(dev, first));
	assert_false(qm_dev_dma_unmap_done(dev, second));
	assert_int_equal(lookup(dev, &a, 0), 7);
	assert_int_equal(lookup(dev, &b, 0), 0);
	assert_int_equal(lookup(dev, &b, 10), 17);
	/* The younger one leaves: the older one still sees both. */
	qm_dev_view_put(&b);
	assert_false(qm_dev_dma_unmap_done(dev, second));
	qm_dev_view_get(&dev->map, &b);
	qm_dev_view_put(&a);
	assert_true(qm_dev_dma_unmap_done(dev, first));
	assert_true(qm_dev_dma_unmap_done(dev, second));
	/* Nothing was there: nothing to wait for, and no new table. */
	assert_int_equal(qm_dev_dma_unmap_start(dev, 100 * PAGE, PAGE, &none, NULL), 0);
	assert_int_equal(none, 0);
	assert_true(qm_dev_dma_unmap_done(dev, none));
	assert_true(TAILQ_EMPTY(&dev->map.retired));
	qm_dev_view_put(&b);
	qm_dev_destroy(dev);
}

/* What nobody holds any more, but nobody asked for either, goes with the function. */
static void
the_end_frees_what_was_held(void **state)
{
	struct left before = left_now();
	struct qm_dev *dev = dev_open((struct qm_dev_limits){ 0 });
	struct qm_dev_view view = { .hint = NULL };
	uint64_t ticket;

	(void)state;
	qm_dev_view_add(&dev->map, &view);
	for (uint64_t i = 0; i < 600; i++)
		assert_int_equal(map_pages(dev, i, 1), 0);
	qm_dev_view_get(&dev->map, &view);
	for (uint64_t i = 0; i < 600; i += 100)
		assert_int_equal(qm_dev_dma_unmap_start(dev, i * PAGE, PAGE, &ticket, NULL), 1);
	assert_int_equal(map_pages(dev, 700, 1), 0);
	qm_dev_view_put(&view);
	assert_false(TAILQ_EMPTY(&dev->map.retired));
	qm_dev_destroy(dev);
	left_check(&before);
}

/* A view that is made known holds nothing, whatever its memory was before. */
static void
a_new_view_holds_nothing(void **state)
{
	struct qm_dev *dev = dev_open((struct qm_dev_limits){ 0 });
	struct qm_dev_view view = { .hint = NULL };
	uint64_t ticket;

	(void)state;
	assert_int_equal(map_pages(dev, 1, 1), 0);
	atomic_store(&view.held, atomic_load(&dev->map.table));
	qm_dev_view_add(&dev->map, &view);
	assert_int_equal(qm_dev_dma_unmap_start(dev, PAGE, PAGE, &ticket, NULL), 1);
	assert_true(qm_dev_dma_unmap_done(dev, ticket));
	qm_dev_destroy(dev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_plain_model),
		cmocka_unit_test(sixty_four_thousand),
		cmocka_unit_test(limits),
		cmocka_unit_test(held_tables_keep_their_chunks),
		cmocka_unit_test(nothing_piles_up_behind_a_hold),
		cmocka_unit_test(unmap_is_done_when_nobody_holds_it),
		cmocka_unit_test(the_end_frees_what_was_held),
		cmocka_unit_test(a_new_view_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
