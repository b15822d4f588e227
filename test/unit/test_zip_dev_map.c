/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The DMA map: many maps, against a plain model, limits, and unmapping without waiting. */

#include "test_zip_dev_util.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "zip_dev_internal.h"

#define RW (ZIP_DEV_PROT_READ | ZIP_DEV_PROT_WRITE)
#define PAGE 4096ull

static struct zip_dev *
dev_open(struct zip_dev_limits limits)
{
	struct zip_dev_conf conf = td_conf(0);
	struct zip_dev *dev;

	conf.limits = limits;
	assert_int_equal(zip_dev_create(&conf, &dev), 0);
	return dev;
}

static int
map_pages(struct zip_dev *dev, uint64_t page, uint64_t n)
{
	return zip_dev_dma_map(dev, page * PAGE, n * PAGE, (void *)(uintptr_t)((page + 7) * PAGE),
			RW);
}

/* Where the function sees the page, as a page; 0: nowhere. */
static uint64_t
lookup(struct zip_dev *dev, struct zip_dev_view *view, uint64_t page)
{
	void *va = zip_dev_view_at(view, page * PAGE + 8, 16, RW);

	(void)dev;
	return va != NULL ? ((uintptr_t)va - 8) / PAGE : 0;
}

static void
as_a_plain_model(void **state)
{
	enum { PAGES = 20000, ROUNDS = 60000 };
	static uint16_t start[PAGES]; /* 1 + first page of the map that the page is in, or 0 */
	struct zip_dev *dev = dev_open((struct zip_dev_limits){ 0 });
	struct zip_dev_view view = { .hint = 0 };
	uint32_t seed = 4711, cnt = 0;

	(void)state;
	zip_dev_view_add(&dev->map, &view);
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
			rc = zip_dev_dma_unmap(dev, p * PAGE, n * PAGE);
			assert_int_equal(rc, half ? -EINVAL : (int)want);
			if (!half)
				memset(&start[p], 0, n * sizeof(start[0]));
			cnt -= half ? 0 : want;
		}
		assert_int_equal(dev->map.cnt, cnt);
		zip_dev_view_enter(&dev->map, &view);
		for (uint32_t i = 0; i < 8; i++) {
			uint32_t look = i < 4 ? p + i : rnd(&seed) % PAGES;

			assert_int_equal(lookup(dev, &view, look), start[look] ? look + 7 : 0);
		}
		zip_dev_view_leave(&view);
	}
	assert_true(zip_dev_dma_unmap(dev, 0, UINT64_MAX) == (int)cnt);
	assert_int_equal(dev->map.cnt, 0);
	assert_int_equal(dev->map.bytes, 0);
	zip_dev_destroy(dev);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* As many as VFIO allows, in an order that is neither up nor down, while the first is in use. */
static void
sixty_four_thousand(void **state)
{
	enum { N = 65536 };
	struct zip_dev *dev = dev_open((struct zip_dev_limits){ 0 });
	struct zip_dev_view view = { .hint = 0 };
	double t0, t1, t2;
	uint64_t ticket;

	(void)state;
	zip_dev_view_add(&dev->map, &view);
	assert_int_equal(map_pages(dev, 3 * N, 1), 0);
	zip_dev_view_enter(&dev->map, &view);
	t0 = seconds();
	for (uint64_t i = 0; i < N; i++)
		assert_int_equal(map_pages(dev, 2 * (i * 40503 % N) + 1, 1), 0);
	t1 = seconds();
	assert_int_equal(lookup(dev, &view, 3 * N), 3 * N + 7);
	assert_int_equal(lookup(dev, &view, 1), 0); /* this view is older */
	assert_int_equal(zip_dev_dma_unmap_start(dev, PAGE, PAGE, &ticket), 1);
	assert_false(zip_dev_dma_unmap_done(dev, ticket));
	zip_dev_view_leave(&view);
	assert_true(zip_dev_dma_unmap_done(dev, ticket));
	zip_dev_view_enter(&dev->map, &view);
	for (uint64_t i = 1; i < N; i++)
		assert_int_equal(lookup(dev, &view, 2 * i + 1), 2 * i + 8);
	zip_dev_view_leave(&view);
	t2 = seconds();
	for (uint64_t i = 1; i < N; i++)
		assert_int_equal(zip_dev_dma_unmap(dev, (2 * (i * 40503 % N) + 1) * PAGE, PAGE), 1);
	print_message("%u maps made in %.2f s, taken back one by one in %.2f s\n", N, t1 - t0,
			seconds() - t2);
	if (t1 - t0 > 60)
		fail_msg("%u maps took %.1f s, expected seconds", N, t1 - t0);
	zip_dev_destroy(dev);
}

static void
limits(void **state)
{
	const struct zip_dev_limits few = { .maps = 3, .map_bytes = 10 * PAGE };
	struct zip_dev *dev = dev_open(few);

	(void)state;
	assert_int_equal(map_pages(dev, 1, 11), -EDQUOT);
	assert_int_equal(map_pages(dev, 1, 4), 0);
	assert_int_equal(map_pages(dev, 101, 7), -EDQUOT);
	assert_int_equal(map_pages(dev, 101, 5), 0);
	assert_int_equal(map_pages(dev, 201, 1), 0);
	assert_int_equal(zip_dev_dma_unmap(dev, 101 * PAGE, 5 * PAGE), 1);
	assert_int_equal(map_pages(dev, 301, 1), 0);
	assert_int_equal(map_pages(dev, 401, 1), -EDQUOT);
	assert_int_equal(map_pages(dev, 1, 1), -EEXIST);
	zip_dev_destroy(dev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_plain_model),
		cmocka_unit_test(sixty_four_thousand),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
