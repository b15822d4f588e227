/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Files that clients share: which part is mapped, at limits that are no whole pages, what is told
 * and kept when something fails, and how long they stay.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_nth.h"
#include "test_vfio_user_util.h"
#include "qm_dev_func.h"
#include "qm_dev_guard.h"

#define PAGE 0x1000u
#define LEN  0x10000u

static struct qm_dev fn; /* no more of it than its map */
static struct qm_dev_quota quota;
static unsigned int fds, mappings;
static long blocks;

static int
set_up(void **state)
{
	(void)state;
	fds = vt_fds();
	mappings = vt_mappings("vfio-user-test");
	blocks = fail_nth_blocks();
	quota = (struct qm_dev_quota){ .max[QM_DEV_FILES] = 4, .max[QM_DEV_MEMORY] = 5 * LEN };
	memset(&fn, 0, sizeof(fn));
	fn.conf.quota = &quota;
	fn.conf.limits = (struct qm_dev_limits){ .files = 3, .memory = 2 * LEN };
	return qm_dev_map_init(&fn.map);
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(fn.map.files.cnt, 0);
	assert_int_equal(fn.map.files.mapped, 0);
	qm_dev_map_fini(&fn);
	assert_int_equal(quota.used[QM_DEV_FILES], 0);
	assert_int_equal(quota.used[QM_DEV_MEMORY], 0);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
	assert_int_equal(vt_fds(), fds);
	assert_int_equal(fail_nth_blocks(), blocks);
	return 0;
}

/* A reference whose map no table has. */
static void
put(struct qm_dev_file *f)
{
	qm_dev_file_put(&fn, f, 0);
	qm_dev_files_reclaim(&fn, UINT64_MAX);
}

static struct qm_dev_file *
get(int fd, uint64_t offset, uint64_t size)
{
	struct qm_dev_file *f = NULL;
	const char *why;

	assert_int_equal(qm_dev_file_get(&fn, fd, offset, size, true, &f, &why), 0);
	assert_true(f->offset <= offset && offset + size <= f->offset + f->len);
	return f;
}

/* It is refused, and all is as it was. */
static void
refused(int fd, uint64_t offset, uint64_t size, int rc, const char *want)
{
	const struct qm_dev_files before = fn.map.files;
	struct qm_dev_file *f = NULL;
	const char *why = "nothing";

	assert_int_equal(qm_dev_file_get(&fn, fd, offset, size, true, &f, &why), rc);
	assert_string_equal(why, want);
	assert_null(f);
	assert_int_equal(fn.map.files.cnt, before.cnt);
	assert_int_equal(fn.map.files.mapped, before.mapped);
}

/* ---- Tests ---- */

static void
test_why(void **state)
{
	int fd = vt_memfd(LEN), none = open("/dev/zero", O_RDWR | O_CLOEXEC), more[3];
	char path[64];
	int ro;

	(void)state;
	refused(none, 0, PAGE, -EINVAL, "its fd is not a memfd or a file on tmpfs or hugetlbfs");
	refused(fd, LEN, PAGE, -EINVAL, "the file ends before offset + size");
	refused(fd, 0, LEN + 1, -EINVAL, "the file ends before offset + size");
	refused(fd, 1, LEN, -EINVAL, "the file ends before offset + size");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	refused(ro, 0, PAGE, -EACCES, "mmap()");
	close(ro);
	quota.max[QM_DEV_MEMORY] = LEN - 1;
	refused(fd, 0, PAGE, -EDQUOT, "too many bytes of files of its user");
	quota.max[QM_DEV_MEMORY] = 5 * LEN;
	quota.used[QM_DEV_FILES] = 4; /* in other functions */
	refused(fd, 0, PAGE, -EDQUOT, "too many files of its user");
	quota.used[QM_DEV_FILES] = 0;
	fn.conf.limits.memory = PAGE - 1;
	refused(fd, 0, PAGE, -ENOSPC, "too many bytes of files");
	fn.conf.limits.memory = 3 * PAGE;
	for (int i = 0; i < 3; i++) {
		more[i] = vt_memfd(PAGE);
		(void)get(more[i], 0, PAGE);
	}
	refused(fd, 0, PAGE, -EMFILE, "too many files");
	for (int i = 0; i < 3; i++) {
		struct qm_dev_file *f = get(more[i], 0, PAGE);

		assert_int_equal(f->refs, 2);
		put(f);
		assert_int_equal(fn.map.files.cnt, 3 - i);
		put(f);
		assert_int_equal(fn.map.files.cnt, 2 - i);
		close(more[i]);
	}
	close(none);
	close(fd);
}

/* Each call fails: its error is told, with where it was, and nothing is kept. */
static void
test_each_call_fails(void **state)
{
	static const struct { const char *call, *why; } cases[] = {
		{ "fcntl", "its fd is not a memfd or a file on tmpfs or hugetlbfs" },
		{ "fstat", "fstat() of its fd" }, { "fstatfs", "fstat() of its fd" },
		{ "calloc", "mmap()" }, { "mmap", "mmap()" },
	};
	struct qm_dev_file *f = NULL;
	int fd = vt_memfd(LEN);
	long own = fail_nth_blocks();

	(void)state;
	fail_nth_struck();
	for (unsigned int n = 1;; n++) {
		const char *why = "nothing", *what;
		size_t i = 0;
		int rc;

		fail_nth(n);
		rc = qm_dev_file_get(&fn, fd, 0, PAGE, true, &f, &why);
		what = fail_nth_end();
		if (what == NULL) {
			assert_int_equal(rc, 0);
			break;
		}
		while (i < sizeof(cases) / sizeof(cases[0]) && strcmp(what, cases[i].call) != 0)
			i++;
		assert_true(i < sizeof(cases) / sizeof(cases[0]));
		assert_int_equal(rc, strcmp(what, "fcntl") == 0 ? -EINVAL : -fail_nth_errno());
		assert_string_equal(why, cases[i].why);
		assert_int_equal(fn.map.files.cnt, 0);
		assert_int_equal(fn.map.files.mapped, 0);
		assert_int_equal(quota.used[QM_DEV_FILES], 0);
		assert_int_equal(quota.used[QM_DEV_MEMORY], 0);
		assert_int_equal(vt_mappings("vfio-user-test"), mappings);
		assert_int_equal(fail_nth_blocks(), own);
	}
	assert_string_equal(fail_nth_struck(), "calloc fcntl fstat fstatfs mmap");
	assert_int_equal(f->len, LEN);
	assert_int_equal(quota.used[QM_DEV_FILES], 1);
	assert_int_equal(quota.used[QM_DEV_MEMORY], LEN);
	put(f);
	close(fd);
}

/* One byte less than all of it: then only what is asked for; then not even that. */
static void
test_limit_of_bytes(void **state)
{
	struct qm_dev_file *f, *all;
	int fd = vt_memfd(LEN), other = vt_memfd(LEN);

	(void)state;
	fn.conf.limits.memory = LEN - 1;
	f = get(fd, LEN - 2 * PAGE, PAGE);
	assert_int_equal(f->offset, LEN - 2 * PAGE);
	assert_int_equal(f->len, PAGE);
	assert_int_equal(fn.map.files.mapped, PAGE);
	put(f);
	refused(fd, 0, LEN, -ENOSPC, "too many bytes of files");
	fn.conf.limits.memory = LEN;
	all = get(fd, LEN - 2 * PAGE, PAGE);
	assert_int_equal(all->offset, 0);
	assert_int_equal(all->len, LEN);
	/* What is left counts, and not what there may be in all. */
	fn.conf.limits.memory = LEN + 2 * PAGE - 1;
	refused(other, PAGE, 2 * PAGE, -ENOSPC, "too many bytes of files");
	fn.conf.limits.memory = LEN + 2 * PAGE;
	f = get(other, PAGE, 2 * PAGE);
	assert_int_equal(f->offset, PAGE);
	assert_int_equal(f->len, 2 * PAGE);
	assert_int_equal(fn.map.files.mapped, LEN + 2 * PAGE);
	put(f);
	put(all);
	close(fd);
	close(other);
}

/* Bytes that begin and end within pages, of a file that does, too. */
static void
test_parts_of_pages(void **state)
{
	int fd = vt_memfd(3 * PAGE + 1);
	struct qm_dev_file *f;

	(void)state;
	f = get(fd, PAGE, PAGE);
	assert_int_equal(f->len, 4 * PAGE);
	put(f);
	fn.conf.limits.memory = 2 * PAGE;
	f = get(fd, PAGE + 100, PAGE);
	assert_int_equal(f->offset, PAGE);
	assert_int_equal(f->len, 2 * PAGE);
	put(f);
	refused(fd, 100, 2 * PAGE, -ENOSPC, "too many bytes of files");
	close(fd);
}

/* What is mapped to be read is not used by who wants to write; the other way round it is. */
static void
test_to_be_written(void **state)
{
	struct qm_dev_file *r = NULL, *w, *again = NULL;
	int fd = vt_memfd(LEN);
	const char *why;

	(void)state;
	assert_int_equal(qm_dev_file_get(&fn, fd, 0, PAGE, false, &r, &why), 0);
	assert_false(r->writable);
	w = get(fd, PAGE, PAGE);
	assert_ptr_not_equal(r, w);
	assert_true(w->writable);
	w->va[PAGE - w->offset] = 7;
	assert_int_equal(r->va[PAGE], 7);
	put(r);
	assert_int_equal(qm_dev_file_get(&fn, fd, LEN - PAGE, PAGE, false, &again, &why), 0);
	assert_ptr_equal(again, w);
	put(again);
	put(w);
	close(fd);
}

/*
 * Unmapped by somebody else, part by part: till the last of them it counts, and nobody finds it. A
 * map that comes meanwhile has a mapping of its own.
 */
static void
test_freed_later(void **state)
{
	const uint64_t big = 20u << 20;
	struct qm_dev_file *f, *again;
	unsigned int parts = 1;
	int fd = vt_memfd(big), small = vt_memfd(PAGE);

	(void)state;
	fn.conf.free_later = 1;
	fn.conf.limits.memory = 3 * big;
	quota.max[QM_DEV_MEMORY] = 3 * big;
	f = get(fd, 0, big);
	assert_false(qm_dev_dma_to_free(&fn));
	assert_false(qm_dev_dma_free(&fn));
	put(f);
	assert_true(qm_dev_dma_to_free(&fn));
	assert_int_equal(vt_mappings("vfio-user-test"), mappings + 1);
	assert_int_equal(quota.used[QM_DEV_FILES], 1);
	assert_int_equal(quota.used[QM_DEV_MEMORY], big);
	assert_int_equal(fn.map.files.cnt, 1);
	again = get(fd, 0, PAGE);
	assert_ptr_not_equal(f, again);
	assert_int_equal(again->refs, 1);
	assert_int_equal(quota.used[QM_DEV_MEMORY], 2 * big);
	fn.conf.limits.memory = 2 * big;
	refused(small, 0, PAGE, -ENOSPC, "too many bytes of files");
	while (qm_dev_dma_free(&fn)) {
		parts++;
		assert_int_equal(quota.used[QM_DEV_MEMORY], 2 * big);
		assert_int_equal(vt_mappings("vfio-user-test"), mappings + 2);
	}
	assert_true(parts > 1);
	assert_false(qm_dev_dma_to_free(&fn));
	assert_int_equal(quota.used[QM_DEV_FILES], 1);
	assert_int_equal(quota.used[QM_DEV_MEMORY], big);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings + 1);
	/* There is one more than one, too. */
	f = get(small, 0, PAGE);
	put(f);
	put(again);
	for (parts = 1; qm_dev_dma_free(&fn); parts++)
		;
	assert_true(parts > 2);
	/* What nobody has unmapped by the end goes with the function. */
	put(get(small, 0, PAGE));
	assert_true(qm_dev_dma_to_free(&fn));
	qm_dev_map_fini(&fn);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
	assert_int_equal(qm_dev_map_init(&fn.map), 0);
	close(small);
	close(fd);
}

/* What the kernel says of a mapping: permissions and flags. */
static void
look_at(const void *va, char *text, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[300], begin[32];
	bool here = false;
	size_t n = 0;

	assert_non_null(f);
	snprintf(begin, sizeof(begin), "%lx-", (unsigned long)(uintptr_t)va);
	text[0] = '\0';
	while (fgets(line, sizeof(line), f) != NULL) {
		/* ADDRESS-ADDRESS rw-s ... */
		if (strchr(line, '-') != NULL && strchr(line, ':') > strchr(line, '-')) {
			here = strncmp(line, begin, strlen(begin)) == 0;
			if (here)
				n += (size_t)snprintf(text, size, "%.5s", strchr(line, ' ') + 1);
		} else if (here && strncmp(line, "VmFlags:", 8) == 0) {
			snprintf(text + n, size - n, "%s", line);
		}
	}
	fclose(f);
	if (text[0] == '\0')
		fail_msg("no mapping at %s", begin);
}

/* No huge page is reserved that nobody asks for, and no client's data is dumped. */
static void
test_how_it_is_mapped(void **state)
{
	int fd = vt_memfd(LEN);
	const char *why;

	(void)state;
	for (int writes = 0; writes < 2; writes++) {
		void *own = mmap(NULL, PAGE, writes != 0 ? PROT_READ | PROT_WRITE : PROT_READ,
				MAP_SHARED | MAP_NORESERVE, fd, 0);
		struct qm_dev_file *f = NULL;
		char want[400], text[400];

		assert_true(own != MAP_FAILED);
		assert_int_equal(madvise(own, PAGE, MADV_DONTDUMP), 0);
		assert_int_equal(qm_dev_file_get(&fn, fd, 0, PAGE, writes != 0, &f, &why), 0);
		look_at(own, want, sizeof(want));
		look_at(f->va, text, sizeof(text));
		assert_string_equal(text, want);
		put(f);
		munmap(own, PAGE);
	}
	close(fd);
}

/* Many files are found by their numbers, which spread; those of one bucket in any order. */
static void
test_many(void **state)
{
	enum { N = 40 };
	struct qm_dev_file *f[N];
	unsigned int used = 0;
	int fd[N];

	(void)state;
	fn.conf.limits.files = N;
	quota.max[QM_DEV_FILES] = 0;
	fn.conf.limits.memory = N * PAGE;
	for (unsigned int i = 0; i < N; i++) {
		fd[i] = vt_memfd(PAGE);
		f[i] = get(fd[i], 0, PAGE);
		f[i]->va[0] = (uint8_t)i;
	}
	for (unsigned int i = 0; i < QM_DEV_FILE_BUCKETS; i++)
		used += !LIST_EMPTY(&fn.map.files.few[i]);
	assert_true(used >= N / 4);
	for (unsigned int i = 0; i < N; i++) {
		assert_ptr_equal(get(fd[i], 0, PAGE), f[i]);
		assert_int_equal(f[i]->va[0], i);
		put(f[i]);
	}
	for (unsigned int i = 0; i < N; i++) {
		unsigned int k = (i * 7) % N;

		put(f[k]);
		assert_int_equal(fn.map.files.cnt, N - 1 - i);
		assert_int_equal(fn.map.files.mapped, (N - 1 - i) * PAGE);
		assert_int_equal(vt_mappings("vfio-user-test"), mappings + N - 1 - i);
		close(fd[k]);
	}
}

/* Without limits, and without a quota. */
static void
test_no_limits(void **state)
{
	int fd = vt_memfd(4 * LEN);

	(void)state;
	fn.conf.limits = (struct qm_dev_limits){ 0 };
	fn.conf.quota = NULL;
	put(get(fd, 0, PAGE));
	assert_int_equal(quota.used[QM_DEV_FILES], 0);
	close(fd);
}

/* A file without a map stays as long as a table that knows of one does; or it has one again. */
static void
test_tables_that_know_it(void **state)
{
	struct qm_dev_file *f, *other;
	int fd = vt_memfd(PAGE), more = vt_memfd(PAGE);

	(void)state;
	f = get(fd, 0, PAGE);
	other = get(more, 0, PAGE);
	assert_ptr_equal(get(fd, 0, PAGE), f);
	qm_dev_file_put(&fn, f, 7);
	qm_dev_files_reclaim(&fn, UINT64_MAX);
	assert_int_equal(fn.map.files.cnt, 2);
	qm_dev_file_put(&fn, f, 5);
	qm_dev_file_put(&fn, other, 9);
	qm_dev_files_reclaim(&fn, 7);
	assert_int_equal(fn.map.files.cnt, 2);
	assert_int_equal(quota.used[QM_DEV_FILES], 2);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings + 2);
	f->va[0] = 1; /* it is there */
	/* Taken again, and given back a second time, before anybody looks. */
	assert_ptr_equal(get(more, 0, PAGE), other);
	qm_dev_file_put(&fn, other, 10);
	qm_dev_files_reclaim(&fn, 8);
	assert_int_equal(fn.map.files.cnt, 1);
	assert_ptr_equal(get(more, 0, PAGE), other);
	qm_dev_files_reclaim(&fn, UINT64_MAX);
	assert_int_equal(fn.map.files.cnt, 1);
	qm_dev_file_put(&fn, other, 10);
	qm_dev_files_reclaim(&fn, 10);
	assert_int_equal(fn.map.files.cnt, 1);
	qm_dev_files_reclaim(&fn, 11);
	close(fd);
	close(more);
}

/* ---- Maps ---- */

static int
map(uint64_t iova, uint64_t size, int fd, uint64_t offset, unsigned int prot)
{
	const char *why = NULL;
	int rc = qm_dev_dma_map_file(&fn, iova, size, fd, offset, prot, &why);

	assert_true(rc == 0 || why != NULL);
	return rc;
}

/* What is refused is not paid for, and leaves its file as it was. */
static void
test_maps(void **state)
{
	const unsigned int rw = QM_DEV_PROT_READ | QM_DEV_PROT_WRITE;
	struct qm_dev_view view = { .gen = 0 };
	int fd = vt_memfd(LEN);
	uint64_t ticket;
	uint8_t *va;

	(void)state;
	qm_dev_view_add(&fn.map, &view);
	fn.conf.limits.maps = 4;
	quota.max[QM_DEV_MAPS] = 3;
	assert_int_equal(map(PAGE, 0, fd, 0, rw), -EINVAL);
	assert_int_equal(map(UINT64_MAX - PAGE + 1, 2 * PAGE, fd, 0, rw), -EINVAL);
	assert_int_equal(map(PAGE + 1, PAGE, fd, 0, rw), -EINVAL);
	assert_int_equal(map(PAGE, PAGE, fd, 0, 4), -EINVAL);
	assert_int_equal(map(PAGE, PAGE, fd, 0, rw), 0);
	assert_int_equal(map(PAGE, PAGE, fd, 0, rw), -EEXIST);
	assert_int_equal(map(2 * PAGE, PAGE, fd, LEN - PAGE, QM_DEV_PROT_READ), 0);
	/* One without a file is a map, too: of the user's, and of the function's. */
	assert_int_equal(qm_dev_dma_map(&fn, 3 * PAGE, PAGE, NULL, 0), 0);
	assert_int_equal(quota.used[QM_DEV_MAPS], 3);
	assert_int_equal(map(4 * PAGE, PAGE, fd, 0, rw), -EDQUOT);
	assert_int_equal(qm_dev_dma_map(&fn, 4 * PAGE, PAGE, NULL, 0), -EDQUOT);
	fn.conf.limits.maps = 3;
	assert_int_equal(map(4 * PAGE, PAGE, fd, 0, rw), -ENOSPC);
	assert_int_equal(quota.used[QM_DEV_MAPS], 3);
	assert_int_equal(fn.map.cnt, 3);
	assert_int_equal(fn.map.files.cnt, 1);
	qm_dev_view_get(&fn.map, &view);
	va = qm_dev_view_at(&view, PAGE, PAGE, rw);
	assert_non_null(va);
	assert_null(qm_dev_view_at(&view, 2 * PAGE, PAGE, QM_DEV_PROT_WRITE));
	assert_ptr_equal(qm_dev_view_at(&view, 2 * PAGE, PAGE, QM_DEV_PROT_READ), va + LEN - PAGE);
	assert_null(qm_dev_view_at(&view, 3 * PAGE, 1, QM_DEV_PROT_READ));
	/* Nobody finds them any more but who has found them; the file stays for that one. */
	assert_int_equal(qm_dev_dma_unmap_start(&fn, 0, 0, &ticket, NULL), 3);
	assert_int_equal(quota.used[QM_DEV_MAPS], 0);
	assert_false(qm_dev_dma_unmap_done(&fn, ticket));
	assert_int_equal(fn.map.files.cnt, 1);
	va[0] = 1;
	qm_dev_view_put(&view);
	assert_true(qm_dev_dma_unmap_done(&fn, ticket));
	assert_int_equal(fn.map.files.cnt, 0);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
	/* The first of two that ask for it is refused: the file goes at once. */
	assert_int_equal(qm_dev_dma_map(&fn, PAGE, PAGE, NULL, 0), 0);
	assert_int_equal(map(PAGE, PAGE, fd, 0, rw), -EEXIST);
	assert_int_equal(fn.map.files.cnt, 0);
	/* What is mapped at the end goes with the map. */
	assert_int_equal(map(2 * PAGE, PAGE, fd, 0, rw), 0);
	assert_int_equal(quota.used[QM_DEV_FILES], 1);
	qm_dev_map_fini(&fn);
	for (unsigned int i = 0; i < QM_DEV_RESOURCES; i++)
		assert_int_equal(quota.used[i], 0);
	memset(&fn.map, 0, sizeof(fn.map));
	assert_int_equal(qm_dev_map_init(&fn.map), 0);
	close(fd);
}

/* What is kept once made. */
static int
first_guard(void **state)
{
	struct qm_dev_guard *guard;

	(void)state;
	assert_int_equal(qm_dev_guard_add(&fn, (void *)0x1000, 1, &guard), 0);
	qm_dev_guard_del(guard);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_why, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_call_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limit_of_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parts_of_pages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_to_be_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freed_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_how_it_is_mapped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tables_that_know_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_maps, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, first_guard, NULL);
}
