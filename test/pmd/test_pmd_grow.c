/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Hugepage memory that grows and shrinks under a function of a service: it sees what EAL
 * has at the time, page by page, and nothing else.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "hisi_ap.h"
#include "hisi_mem.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "pmd_test.h"

#define NAME  "compress_hisi_zip_grow"
#define LEN   5000u /* of an op's input; pmd_compress_at() wants four times as much */
#define PAGES 6u    /* of a block: more than any memory that is left over */
#define RESERVE_MB 192u

static uint8_t dev;

static void
start(void)
{
	dev = pmd_dev_add(NAME, "sw=off");
	pmd_dev_start(dev, 1, 64);
}

static void
stop(void)
{
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

static size_t
heap_size(void)
{
	struct rte_malloc_socket_stats stats;

	PMD_CHECK(rte_malloc_get_socket_stats((int)rte_socket_id(), &stats) == 0, "no heap");
	return stats.heap_totalsz_bytes;
}

/* Memory that EAL did not have before. */
static char *
grow(unsigned int pages)
{
	size_t before = heap_size(), len = pages * pmd_huge_page();
	char *va = rte_malloc("grow", len, pmd_huge_page());

	PMD_CHECK(va != NULL, "no memory for %u pages", pages);
	PMD_CHECK(heap_size() >= before + len - pmd_huge_page(), "the heap did not grow: %zu bytes,"
		" %zu before", heap_size(), before);
	return va;
}

static void
expect(const char *what, char *va, bool seen)
{
	uint8_t status = pmd_compress_at(dev, va, LEN, seen);

	PMD_CHECK(status == (seen ? RTE_COMP_OP_STATUS_SUCCESS : RTE_COMP_OP_STATUS_ERROR),
		"%s: %s", what, pmd_status(status));
}

/* All pages of a block, and across each border. */
static void
expect_all(const char *what, char *va, unsigned int pages, bool seen)
{
	for (unsigned int i = 0; i < pages; i++) {
		expect(what, va + i * pmd_huge_page(), seen);
		if (i > 0)
			expect(what, va + i * pmd_huge_page() - 2 * LEN, seen);
	}
}

/* What comes is seen at once, what goes is not seen any more, by nobody. */
static void
grow_and_shrink(void)
{
	unsigned long used;
	size_t size;

	start();
	for (int round = 0; round < 4; round++) {
		char *va;

		size = heap_size();
		used = pmd_huge_used();
		va = grow(PAGES);
		expect_all("grown", va, PAGES, true);
		/* By both sides. */
		PMD_CHECK(pmd_huge_used() >= used + 2 * PAGES, "%lu hugepages are in use, %lu "
			"before", pmd_huge_used(), used);
		rte_free(va);
		PMD_CHECK(heap_size() == size, "the heap has not shrunk: %zu bytes, %zu before",
			heap_size(), size);
		/*
		 * A service that still had them would keep them from others. The first time it
		 * has come to use its rings as well.
		 */
		PMD_CHECK(round == 0 || pmd_huge_used() == used, "%lu hugepages are in use, %lu "
			"before", pmd_huge_used(), used);
		expect_all("shrunk", va, PAGES, false);
	}
	stop();
}

/* Of two blocks that lie beside each other, one goes. */
static void
shrink_in_part(void)
{
	/* One growth, as the second one fits into what the first one left of its last page. */
	size_t half = pmd_huge_page() / 2;
	char *a, *b;

	start();
	a = rte_malloc("a", PAGES * pmd_huge_page() + half / 2, pmd_huge_page());
	b = rte_malloc("b", half, 0);
	PMD_CHECK(a != NULL && b != NULL, "no memory");
	expect_all("both", a, PAGES, true);
	expect("both", b, true);
	rte_free(a);
	expect("one has gone", b, true);
	rte_free(b);
	stop();
}

/* Memory that was there before the device. */
static void
shrink_what_was_there(void)
{
	char *a = grow(PAGES), *b = grow(PAGES), *c = grow(PAGES);
	unsigned long used;

	start();
	expect_all("before", a, PAGES, true);
	expect_all("before", b, PAGES, true);
	expect_all("before", c, PAGES, true);
	used = pmd_huge_used();
	rte_free(b);
	/* Of the first and the last one a neighbour may have a part. */
	PMD_CHECK(pmd_huge_used() + 2 * (PAGES - 1) <= used, "%lu hugepages are in use, %lu "
		"before", pmd_huge_used(), used);
	expect("the middle has gone", b + pmd_huge_page(), false);
	expect_all("the others", a, PAGES, true);
	expect_all("the others", c, PAGES, true);
	rte_free(a);
	rte_free(c);
	stop();
}

/* Memory that one hears of twice: when it came, and when all is told. */
static void
told_twice(void)
{
	struct hisi_dev *d;
	char *va;

	start();
	va = grow(PAGES);
	d = &pmd_qp(dev, 0)->dev->hisi;
	for (int i = 0; i < 2; i++) {
		int ret = hisi_mem_register(d->ap->spim, d->ap);

		PMD_CHECK(ret == 0, "told again: %d", ret);
	}
	expect_all("told twice", va, PAGES, true);
	rte_free(va);
	expect("told twice, and gone", va, false);
	stop();
}

/* Nobody hears of memory for a device that has gone; its successor does. */
static void
device_gone(void)
{
	char *va;

	for (int round = 0; round < 3; round++) {
		start();
		stop();
		va = grow(PAGES);
		start();
		expect_all("of before", va, PAGES, true);
		stop();
		rte_free(va);
	}
}

/* A service that dies meanwhile: its successor is told of what there is then. */
static void
service_gone(void)
{
	const char *log;
	char *a, *b;

	start();
	a = grow(PAGES);
	b = grow(PAGES);
	expect_all("before", a, PAGES, true);
	pmd_log_begin();
	pmd_service_end(SIGKILL);
	rte_free(a);
	a = grow(2 * PAGES);
	pmd_service_start(NULL);
	expect_all("successor", b, PAGES, true);
	log = pmd_log_end();
	/* It is told of all there is when it is there: nothing of that is an error. */
	PMD_CHECK(strstr(log, "could not be") == NULL, "the log says \"%s\"", log);
	expect_all("successor", a, 2 * PAGES, true);
	rte_free(b);
	expect("successor, and gone", b + pmd_huge_page(), false);
	rte_free(a);
	stop();
}

/* A device that could not be opened is told of nothing. */
static void
refused(void)
{
	int ret;

	pmd_service_end(SIGTERM);
	pmd_service_start((const char *const[]){ "--limit-memory", "4M", NULL });
	for (int round = 0; round < 2; round++) {
		pmd_log_begin();
		ret = rte_vdev_init(NAME, pmd_service_dev());
		PMD_CHECK(ret == -ENOSPC, "%d", ret);
		PMD_CHECK(strstr(pmd_log_end(), "could not be registered") != NULL, "not said");
		rte_free(grow(PAGES));
	}
	pmd_service_end(SIGTERM);
	pmd_service_start(NULL);
	device_gone();
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "grow_and_shrink", grow_and_shrink, PMD_BAD_OPS },
		{ "shrink_in_part", shrink_in_part },
		{ "shrink_what_was_there", shrink_what_was_there, PMD_BAD_OPS },
		{ "told_twice", told_twice, PMD_BAD_OPS },
		{ "device_gone", device_gone },
		{ "service_gone", service_gone, PMD_FAULTS },
		{ "refused", refused },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_grow", .count = 1, .cases = cases, .vdevs = none,
		.huge_mb = RESERVE_MB,
	});
}
