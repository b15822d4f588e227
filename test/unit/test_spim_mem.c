/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Memory of an access point: its small pages, which queues come and go in, and larger pieces. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "hisi_zip_sqe.h"
#include "holdings.h"
#include "spim_mem.h"
#include "spim_qm.h"

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))

static struct holdings_now before;
static struct spim_dev *dev;
static struct spim_qm *qm; /* the same */

/* An access point whose function has so few queues that its contexts are one small page. */
static int
begin(void **state)
{
	const struct spim_conf conf = { .owner = "unit", .local = { .queues = 8 } };

	(void)state;
	before = holdings_get();
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	qm = spim_qm_of(dev);
	assert_non_null(qm->small);
	assert_int_equal(qm->small_used, 1);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	assert_int_equal(qm->small_used, 1);
	spim_close(dev);
	holdings_same(&before);
	return 0;
}

static struct hisi_qm_mem
take(size_t len)
{
	struct hisi_qm_mem mem;

	assert_int_equal(spim_qm_mem_alloc(qm, len, 64, -1, &mem), 0);
	assert_int_equal(mem.iova, (uintptr_t)mem.va);
	assert_int_equal(mem.len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(((uint8_t *)mem.va)[i], 0);
	return mem;
}

/* Which of the small pages it begins with; -1: it is somewhere else. */
static long
page_of(const struct hisi_qm_mem *mem)
{
	uint8_t *va = mem->va;

	return va < qm->small || va >= qm->small + SPIM_QM_SMALL_PAGES * PAGE ? -1 :
		(long)((size_t)(va - qm->small) / PAGE);
}

static unsigned int
chunks(void)
{
	const struct spim_chunk *c;
	unsigned int n = 0;

	LIST_FOREACH(c, &dev->chunks, link)
		n++;
	return n;
}

/* What ends or begins where the small pages begin or end is none of them. */
static void
others_stay(void)
{
	const size_t len = (SPIM_QM_SMALL_PAGES + 2) * PAGE;
	struct hisi_qm_mem before_them = { .len = 1 }, behind = { .len = 1 }, first = { .len = 1 };
	uint8_t *held, *small = qm->small;

	/* Others, with a page of ours on either side. */
	held = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(held != MAP_FAILED);
	memset(held, 1, len);
	qm->small = held + PAGE;
	before_them.va = qm->small - 1;
	behind.va = qm->small + SPIM_QM_SMALL_PAGES * PAGE;
	spim_qm_mem_free(qm, &before_them);
	spim_qm_mem_free(qm, &behind);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(held[i], 1);
	assert_int_equal(qm->small_used, 1);
	/* The first of them is one. */
	first.va = qm->small;
	spim_qm_mem_free(qm, &first);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(held[i], i == PAGE ? 0 : 1);
	assert_int_equal(qm->small_used, 0);
	qm->small_used = 1;
	qm->small = small;
	munmap(held, len);
}

static void
test_small_pages(void **state)
{
	struct hisi_qm_mem mem[SPIM_QM_SMALL_PAGES];
	unsigned int many = chunks();

	(void)state;
	others_stay();
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 1; i < SPIM_QM_SMALL_PAGES; i++) {
			mem[i] = take(i % 2 == 0 ? PAGE : 1);
			assert_int_equal(page_of(&mem[i]), i);
		}
		assert_int_equal(qm->small_used, UINT32_MAX);
		/* They are all in use: this is other memory, and is given back as such. */
		mem[0] = take(PAGE);
		assert_int_equal(page_of(&mem[0]), -1);
		assert_int_equal(chunks(), many + 1);
		spim_qm_mem_free(qm, &mem[0]);
		assert_int_equal(chunks(), many);
		for (unsigned int i = 1; i < SPIM_QM_SMALL_PAGES; i++) {
			memset(mem[i].va, 0xff, mem[i].len);
			spim_qm_mem_free(qm, &mem[i]);
		}
		assert_int_equal(qm->small_used, 1);
	}
}

/* What another thread finds, once, when the lock is free again. */
static uint32_t found;
static bool look;

int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
int
__wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	if (look && lock == &dev->mem_lock) {
		found = qm->small_used;
		look = false;
	}
	return __real_pthread_mutex_unlock(lock);
}

/* A page is taken, or free, before anybody else may look for one. */
static void
test_pages_change_under_the_lock(void **state)
{
	struct hisi_qm_mem mem;

	(void)state;
	look = true;
	mem = take(2 * PAGE);
	assert_int_equal(found, 7);
	look = true;
	spim_qm_mem_free(qm, &mem);
	assert_int_equal(found, 1);
}

static void
test_neighbours(void **state)
{
	struct hisi_qm_mem a, b, c, d;

	(void)state;
	a = take(16 * PAGE); /* the most that are taken from there */
	assert_int_equal(page_of(&a), 1);
	assert_int_equal(qm->small_used, 0x1ffff);
	b = take(15 * PAGE - 1);
	assert_int_equal(page_of(&b), 17);
	assert_int_equal(qm->small_used, UINT32_MAX);
	memset(a.va, 0xff, a.len);
	spim_qm_mem_free(qm, &a);
	assert_int_equal(qm->small_used, 0xfffe0001);
	c = take(PAGE + 1);
	assert_int_equal(page_of(&c), 1);
	d = take(15 * PAGE);
	assert_int_equal(page_of(&d), -1);
	spim_qm_mem_free(qm, &d);
	d = take(14 * PAGE);
	assert_int_equal(page_of(&d), 3);
	spim_qm_mem_free(qm, &c);
	assert_int_equal(qm->small_used, 0xfffffff9);
	spim_qm_mem_free(qm, &d);
	spim_qm_mem_free(qm, &b);
	a = take(16 * PAGE + 1);
	assert_int_equal(page_of(&a), -1);
	spim_qm_mem_free(qm, &a);
}

/* What no memory can be is refused, and takes none of the small pages. */
static void
test_no_size(void **state)
{
	static const struct {
		size_t len;
		int ret;
	} cases[] = {
		{ 0, -EINVAL }, { SIZE_MAX, -EINVAL }, { SIZE_MAX / 2, -ENOMEM },
	};
	unsigned int many = chunks();
	struct hisi_qm_mem mem;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(spim_qm_mem_alloc(qm, cases[i].len, 64, -1, &mem), cases[i].ret);
		assert_int_equal(qm->small_used, 1);
		assert_int_equal(chunks(), many);
	}
}

/* Larger pieces: each is its own, whichever goes first. */
static void
test_chunks(void **state)
{
	unsigned int many = chunks();
	uint8_t *mem[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		mem[i] = spim_mem_alloc(dev, (size_t)i * PAGE + 1);
		assert_non_null(mem[i]);
		assert_int_equal(LIST_FIRST(&dev->chunks)->len, (size_t)(i + 1) * PAGE);
		assert_int_equal(LIST_FIRST(&dev->chunks)->fd, -1);
		memset(mem[i], i, (size_t)(i + 1) * PAGE);
	}
	assert_int_equal(chunks(), many + 3);
	spim_mem_free(dev, mem[1]);
	assert_int_equal(chunks(), many + 2);
	spim_mem_free(dev, NULL);
	spim_mem_free(dev, mem[0] + 1); /* nobody's */
	assert_int_equal(chunks(), many + 2);
	assert_int_equal(mem[0][PAGE - 1], 0);
	assert_int_equal(mem[2][3 * PAGE - 1], 2);
	spim_mem_free(dev, mem[2]);
	spim_mem_free(dev, mem[0]);
	assert_int_equal(chunks(), many);
	errno = 0;
	assert_null(spim_mem_alloc(dev, 0));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(spim_mem_alloc(dev, SIZE_MAX));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(spim_mem_alloc(dev, SIZE_MAX / 2));
	assert_int_equal(errno, ENOMEM);
	/* What sees all memory is told of none. */
	assert_int_equal(spim_mem_map(dev, mem, 4096, -1, 0), 0);
	assert_int_equal(spim_mem_unmap(dev, mem, 4096), 0);
	/* One that is left is given back with the access point. */
	assert_non_null(spim_mem_alloc(dev, PAGE));
}

/* A queue that is taken again does not see what the one before it completed. */
static void
test_queue_again(void **state)
{
	struct spim_queue *q;

	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &q), 0);
		assert_int_not_equal(qm->small_used, 1);
		assert_int_equal(hisi_qm_cq_ready(q->ring, 15), 0);
		for (int i = 0; i < 16; i++)
			assert_int_equal(q->ring->cq[i].w7, 0);
		memset(q->ring->sq, 0, 16u << HISI_QM_SQE_LOG2);
		q->ring->sq_tail = 15;
		hisi_qm_sq_ring(q->ring);
		assert_int_equal(spim_queue_poll(q, 100), 15);
		assert_int_equal(hisi_qm_cq_ready(q->ring, 16), 15);
		assert_int_equal(spim_queue_stop(dev, q), 0);
		spim_queue_put(dev, q);
		assert_int_equal(qm->small_used, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_small_pages, begin, end),
		cmocka_unit_test_setup_teardown(test_pages_change_under_the_lock, begin, end),
		cmocka_unit_test_setup_teardown(test_neighbours, begin, end),
		cmocka_unit_test_setup_teardown(test_no_size, begin, end),
		cmocka_unit_test_setup_teardown(test_chunks, begin, end),
		cmocka_unit_test_setup_teardown(test_queue_again, begin, end),
	};

	return cmocka_run_group_tests_name("spim_mem", tests, NULL, NULL);
}
