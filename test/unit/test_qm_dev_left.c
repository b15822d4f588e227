/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "test_qm_dev_left.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "holdings.h"

static _Atomic long allocs;
static _Atomic long mapped;
static _Atomic unsigned int countdown; /* 0: no allocation fails */
static _Atomic int failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t off);
int __real_munmap(void *addr, size_t len);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t off);
int __wrap_munmap(void *addr, size_t len);

/* Whether it is this allocation's turn to fail. */
static bool
fails(void)
{
	unsigned int n = atomic_load(&countdown);

	while (n != 0 && !atomic_compare_exchange_weak(&countdown, &n, n - 1))
		;
	if (n != 1)
		return false;
	atomic_store(&failed, 1);
	errno = ENOMEM;
	return true;
}

static void *
counted(void *p)
{
	if (p != NULL)
		atomic_fetch_add(&allocs, 1);
	return p;
}

void *
__wrap_malloc(size_t size)
{
	void *p = fails() ? NULL : counted(__real_malloc(size));

	/* Nobody may rely on it being zero. */
	return p != NULL ? memset(p, 0xa5, size) : NULL;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *
__wrap_aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : counted(__real_aligned_alloc(align, size));
}

void *
__wrap_realloc(void *p, size_t size)
{
	void *q = fails() ? NULL : __real_realloc(p, size);

	if (p == NULL)
		counted(q);
	return q;
}

void
__wrap_free(void *p)
{
	if (p == NULL)
		return;
	atomic_fetch_sub(&allocs, 1);
	memset(p, 0xdd, malloc_usable_size(p) < 65536 ? malloc_usable_size(p) : 65536);
	__real_free(p);
}

static void *
mapping(void *p, size_t len, int flags)
{
	if (p != MAP_FAILED && (flags & MAP_FIXED) == 0)
		atomic_fetch_add(&mapped, (long)len);
	return p;
}

void *
__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	return mapping(__real_mmap(addr, len, prot, flags, fd, off), len, flags);
}

/* Its name where offsets are asked to have 64 bits. */
void *
__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t off)
{
	return mapping(__real_mmap64(addr, len, prot, flags, fd, off), len, flags);
}

int
__wrap_munmap(void *addr, size_t len)
{
	int rc = __real_munmap(addr, len);

	if (rc == 0)
		atomic_fetch_sub(&mapped, (long)len);
	return rc;
}

void
left_fail_alloc(unsigned int nth)
{
	atomic_store(&failed, 0);
	atomic_store(&countdown, nth);
}

int
left_failed(void)
{
	return atomic_load(&failed);
}

struct left
left_now(void)
{
	return (struct left){ .allocs = atomic_load(&allocs), .mapped = atomic_load(&mapped),
		.fds = holdings_entries("/proc/self/fd"),
		.threads = holdings_threads() };
}

void
left_check(const struct left *then)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	struct left now = left_now();

	for (unsigned int i = 0; now.threads > then->threads && i < 10000; i++) {
		nanosleep(&moment, NULL);
		now = left_now();
	}
	if (now.allocs != then->allocs || now.mapped != then->mapped || now.fds != then->fds ||
			now.threads > then->threads)
		fail_msg("left behind: allocations %ld, bytes mapped %ld, descriptors %d, "
				"threads %d; expected 0 of each", now.allocs - then->allocs,
				now.mapped - then->mapped, (int)(now.fds - then->fds),
				(int)(now.threads - then->threads));
}
