/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Memory of the application's own, whatever fails: the errno that the caller gets, and that
 * nothing stays behind. The function is not there: the linker has its calls come here.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fail_nth.h"
#include "hisi_ap.h"
#include "hisi_extmem.h"
#include "hisi_zip_dev.h"
#include "holdings.h"
#include "pmd_log.h"

#define PAGES 4u

/* ---- The function -------------------------------------------------------------------------- */

/* A call that the function got: of map if fd >= 0. */
struct call {
	struct spim_dev *spim;
	void *va;
	size_t len;
	int fd;
	uint64_t offset;
};

static struct call calls[16];
static unsigned int called;
static int answers[16]; /* 0, or what the call of that number returns */
static struct hisi_ap ap;

static int
answer(const struct call *call)
{
	assert_true(called < 16);
	/* Who maps or unmaps meanwhile would see a list that does not match. */
	assert_int_equal(pthread_mutex_trylock(&ap.extmem_lock), EBUSY);
	calls[called] = *call;
	return answers[called++];
}

int __wrap_spim_mem_map(struct spim_dev *spim, void *va, size_t len, int fd, uint64_t offset);
int __wrap_spim_mem_unmap(struct spim_dev *spim, void *va, size_t len);

int
__wrap_spim_mem_map(struct spim_dev *spim, void *va, size_t len, int fd, uint64_t offset)
{
	assert_true(fd >= 0);
	return answer(&(struct call){ spim, va, len, fd, offset });
}

int
__wrap_spim_mem_unmap(struct spim_dev *spim, void *va, size_t len)
{
	return answer(&(struct call){ spim, va, len, -1, 0 });
}

/* No call was made yet; the next ones are answered so. */
static void
answer_with(int first, int second)
{
	called = 0;
	answers[0] = first;
	answers[1] = second;
}

/* The number of calls; the last of them was this one. */
static void
check_called(unsigned int n, const void *va, size_t len, uint64_t offset, bool map)
{
	const struct call *c = &calls[n - 1];

	assert_int_equal(called, n);
	assert_ptr_equal(c->spim, ap.spim);
	assert_ptr_equal(c->va, va);
	assert_int_equal(c->len, len);
	assert_int_equal(c->offset, offset);
	assert_int_equal(c->fd >= 0, map);
}

/* ---- The C library ------------------------------------------------------------------------- */

/* Those of it that fail_nth.c does not know. */
FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);

static int open_errno = EMFILE; /* of either */

FILE *
__wrap_fopen64(const char *path, const char *mode)
{
	return fail_nth_now("fopen", open_errno) ? NULL : __real_fopen64(path, mode);
}

DIR *
__wrap_opendir(const char *path)
{
	return fail_nth_now("opendir", open_errno) ? NULL : __real_opendir(path);
}

/* ---- Memory -------------------------------------------------------------------------------- */

static size_t page;
static char *pages;
static int file;
static struct holdings_now holdings;
static long blocks;

static int
begin(void **state)
{
	(void)state;
	page = (size_t)sysconf(_SC_PAGESIZE);
	file = memfd_create("extmem", MFD_CLOEXEC);
	assert_true(file >= 0);
	assert_return_code(ftruncate(file, (off_t)((PAGES + 1) * page)), errno);
	/* Not from its beginning. */
	pages = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, (off_t)page);
	assert_true(pages != MAP_FAILED);
	memset(&ap, 0, sizeof(ap));
	ap.spim = (struct spim_dev *)&ap; /* nobody looks into it */
	ap.info.mem_register = true;
	ap.driver = &hisi_zip_driver;
	strcpy(ap.name, "extmem");
	pthread_mutex_init(&ap.extmem_lock, NULL);
	answer_with(0, 0);
	holdings = holdings_get();
	blocks = fail_nth_blocks();
	return 0;
}

/* Nothing is kept that the device has not mapped. */
static void
check_kept(unsigned int n)
{
	assert_int_equal(holdings_get().fds, holdings.fds + n);
	assert_int_equal(fail_nth_blocks(), blocks + n);
	assert_int_equal(pthread_mutex_trylock(&ap.extmem_lock), 0);
	pthread_mutex_unlock(&ap.extmem_lock);
}

static int
end(void **state)
{
	(void)state;
	hisi_extmem_fini(&ap);
	assert_true(SLIST_EMPTY(&ap.extmem));
	assert_int_equal(holdings_get().fds, holdings.fds);
	assert_int_equal(fail_nth_blocks(), blocks);
	munmap(pages, PAGES * page);
	close(file);
	return 0;
}

/* ---- Calls, with what they say in the log -------------------------------------------------- */

#define NO_MAP "expected whole pages of one file, mapped shared to read and write, with a " \
	"descriptor that is still open"
#define NO_UNMAP "expected what was mapped before"

static const char *failed; /* what failed in the last call() */

/* The one or the other, in which call n of the C library fails. */
static int
call(bool map, char *va, size_t len, unsigned int n)
{
	int ret;

	pmd_log_begin();
	fail_nth(n);
	ret = map ? hisi_extmem_map(&ap, va, len) : hisi_extmem_unmap(&ap, va, len);
	failed = fail_nth_end();
	pmd_log_end();
	return ret;
}

static void
check_line(bool map, const char *va, size_t len, int ret)
{
	char line[512] = "";

	if (ret != 0)
		snprintf(line, sizeof(line), "HISI_ZIP: extmem: %zu bytes at %p cannot be "
			"%smapped (%d), %s\n", len, va, map ? "" : "un", ret,
			map ? NO_MAP : NO_UNMAP);
	assert_string_equal(pmd_log, line);
}

static void
map_or_unmap(bool map, char *va, size_t len, int expected)
{
	assert_int_equal(call(map, va, len, 0), expected);
	check_line(map, va, len, expected);
}

static void
map(char *va, size_t len, int expected)
{
	map_or_unmap(true, va, len, expected);
}

static void
unmap(char *va, size_t len, int expected)
{
	map_or_unmap(false, va, len, expected);
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void
test_map(void **state)
{
	(void)state;
	map(pages, PAGES * page, 0);
	check_called(1, pages, PAGES * page, page, true);
	/* One of our own, which a program that is executed does not inherit. */
	assert_int_not_equal(calls[0].fd, file);
	assert_int_equal(fcntl(calls[0].fd, F_GETFD), FD_CLOEXEC);
	check_kept(1);
	answer_with(0, 0);
	map(pages + page, 2 * page, 0);
	check_called(1, pages + page, 2 * page, 2 * page, true);
	check_kept(2);
	answer_with(0, 0);
	unmap(pages, PAGES * page, 0);
	check_called(1, pages, PAGES * page, 0, false);
	check_kept(1);
	answer_with(0, 0);
	unmap(pages + page, 2 * page, 0);
	check_called(1, pages + page, 2 * page, 0, false);
	check_kept(0);
}

/* What is not told of is neither looked at nor kept. */
static void
test_no_mem_register(void **state)
{
	(void)state;
	ap.info.mem_register = false;
	map(NULL, 0, 0);
	map(pages, PAGES * page, 0);
	unmap(pages, PAGES * page, 0);
	assert_int_equal(called, 0);
	check_kept(0);
}

static void
test_limits(void **state)
{
	(void)state;
	map(pages, 0, -EINVAL);
	/* The last byte of the address space, then one more. */
	map(pages, SIZE_MAX - (uintptr_t)pages, -EFAULT);
	map(pages, SIZE_MAX - (uintptr_t)pages + 1, -EINVAL);
	assert_int_equal(called, 0);
	check_kept(0);
	map(pages, 1, 0);
	check_called(1, pages, 1, page, true);
	/* Neither the length nor the address alone says which one is meant. */
	answer_with(0, 0);
	unmap(pages, 2, -ENOENT);
	unmap(pages + 1, 1, -ENOENT);
	assert_int_equal(called, 0);
	check_kept(1);
	unmap(pages, 1, 0);
	check_kept(0);
}

/*
 * What map returns when the call of that name fails, as the n-th of them. Without a look at the
 * application's descriptor it is not found.
 */
static int
expected(const char *what, unsigned int nth, int err)
{
	if (strcmp(what, "fstat") == 0 || (strcmp(what, "fcntl") == 0 && nth == 1))
		return -EBADF;
	return -err;
}

/* Every call of the C library fails once. */
static void
test_calls_fail(void **state)
{
	static const int errnos[] = { EMFILE, EPERM };

	(void)state;
	for (size_t e = 0; e < RTE_DIM(errnos); e++) {
		unsigned int fcntls = 0;

		open_errno = errnos[e];
		for (unsigned int n = 1;; n++) {
			const char *what;
			int ret;

			answer_with(0, 0);
			ret = call(true, pages, PAGES * page, n);
			what = failed;
			check_line(true, pages, PAGES * page, ret);
			if (ret == 0) {
				/* None has failed, or a look at a descriptor of another file. */
				assert_true(what == NULL || strcmp(what, "fstat") == 0);
				check_called(1, pages, PAGES * page, page, true);
				unmap(pages, PAGES * page, 0);
			} else {
				assert_non_null(what);
				fcntls += strcmp(what, "fcntl") == 0;
				assert_int_equal(ret, expected(what, fcntls, fail_nth_errno()));
				assert_int_equal(called, 0);
			}
			check_kept(0);
			if (what == NULL)
				break;
		}
		assert_int_equal(fcntls, 2);
		assert_string_equal(fail_nth_struck(), "fcntl fopen fstat malloc opendir");
	}
}

/* The function refuses; or it is gone, and is told when it is there again. */
static void
test_function_refuses(void **state)
{
	static const int errnos[] = { -EPERM, -ENOMEM, -ENOSPC, -EEXIST, -EINVAL, -ENOTSUP };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(errnos); i++) {
		answer_with(errnos[i], 0);
		map(pages, PAGES * page, errnos[i]);
		check_called(1, pages, PAGES * page, page, true);
		check_kept(0);
		unmap(pages, PAGES * page, -ENOENT);
		assert_int_equal(called, 1);
	}
	/* Nor does it say then what is mapped already. */
	answer_with(-ENOTCONN, -ENOTCONN);
	map(pages + page, 2 * page, 0);
	map(pages + page, 2 * page, -EEXIST);
	answer_with(-ENOTCONN, -ENOTCONN);
	map(pages, PAGES * page, -EEXIST);
	map(pages + 2 * page, page, -EEXIST);
	answer_with(-ENOTCONN, -ENOTCONN);
	map(pages, page, 0);
	map(pages + 3 * page, page, 0);
	check_kept(3);
	answer_with(0, 0);
	unmap(pages, page, 0);
	unmap(pages + 3 * page, page, 0);
	answer_with(0, 0);
	unmap(pages + page, 2 * page, 0);
	check_kept(0);
	answer_with(-ENOTCONN, -ENOTCONN);
	map(pages, PAGES * page, 0);
	check_kept(1);
	unmap(pages, PAGES * page, 0);
	check_called(2, pages, PAGES * page, 0, false);
	check_kept(0);
	/* What it does not let go is not the application's to map any more, nor ours to keep. */
	for (size_t i = 0; i < RTE_DIM(errnos); i++) {
		answer_with(0, errnos[i]);
		map(pages, PAGES * page, 0);
		unmap(pages, PAGES * page, errnos[i]);
		check_kept(0);
		unmap(pages, PAGES * page, -ENOENT);
		assert_int_equal(called, 2);
	}
}

static void
test_mem_register(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(hisi_extmem_register(&ap), 0);
	assert_int_equal(called, 0);
	map(pages, page, 0);
	map(pages + 2 * page, page, 0);
	for (int i = 0; i < 2; i++)
		fds[i] = calls[i].fd;
	answer_with(0, 0);
	assert_int_equal(hisi_extmem_register(&ap), 0);
	check_called(2, pages, page, page, true);
	assert_int_equal(calls[1].fd, fds[0]);
	assert_ptr_equal(calls[0].va, pages + 2 * page);
	assert_int_equal(calls[0].len, page);
	assert_int_equal(calls[0].offset, 3 * page);
	assert_int_equal(calls[0].fd, fds[1]);
	check_kept(2);
	/* Known already is as good as new. */
	answer_with(-EEXIST, -EEXIST);
	assert_int_equal(hisi_extmem_register(&ap), 0);
	assert_int_equal(called, 2);
	/* The first that is refused ends it. */
	answer_with(-EEXIST, -ENOSPC);
	assert_int_equal(hisi_extmem_register(&ap), -ENOSPC);
	assert_int_equal(called, 2);
	answer_with(-ENOTCONN, 0);
	assert_int_equal(hisi_extmem_register(&ap), -ENOTCONN);
	assert_int_equal(called, 1);
	/* Whatever it said, all is kept for the next time. end() gives it back. */
	check_kept(2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_map, begin, end),
		cmocka_unit_test_setup_teardown(test_no_mem_register, begin, end),
		cmocka_unit_test_setup_teardown(test_limits, begin, end),
		cmocka_unit_test_setup_teardown(test_calls_fail, begin, end),
		cmocka_unit_test_setup_teardown(test_function_refuses, begin, end),
		cmocka_unit_test_setup_teardown(test_mem_register, begin, end),
	};

	return cmocka_run_group_tests_name("pmd_extmem_fail", tests, NULL, NULL);
}
