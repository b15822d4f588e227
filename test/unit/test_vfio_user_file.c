/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Files that clients share: which part is mapped, at limits that are no whole pages, and what is
 * told and kept when something fails. Without a server.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_nth.h"
#include "test_vfio_user_util.h"
#include "vfio_user_map.h"

#define PAGE 0x1000u
#define LEN  0x10000u

/* ---- The owner ---- */

static int owner_rc;
static unsigned int mapped, unmapped;
static uint64_t mapped_len;
static void *mapped_va;
static const char cookies[64];

static int
file_map(void *arg, void *va, uint64_t len, void **cookie)
{
	assert_ptr_equal(arg, &owner_rc);
	if (owner_rc != 0)
		return owner_rc;
	mapped_va = va;
	mapped_len = len;
	*cookie = (void *)(uintptr_t)&cookies[mapped++];
	return 0;
}

static void
file_unmap(void *arg, void *cookie)
{
	assert_ptr_equal(arg, &owner_rc);
	assert_true((char *)cookie >= cookies && (char *)cookie < cookies + mapped);
	unmapped++;
}

/* ---- The map ---- */

static struct vfio_user_map map;
static unsigned int fds, mappings;
static long blocks;

static int
set_up(void **state)
{
	(void)state;
	fds = vt_fds();
	mappings = vt_mappings("vfio-user-test");
	blocks = fail_nth_blocks();
	owner_rc = 0;
	mapped = unmapped = 0;
	map = (struct vfio_user_map){ .cnt_max = 10, .nfiles_max = 3, .mapped_max = 2 * LEN,
		.file_map = file_map, .file_unmap = file_unmap, .arg = &owner_rc };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(map.nfiles, 0);
	assert_int_equal(map.mapped, 0);
	vfio_user_map_fini(&map);
	assert_int_equal(mapped, unmapped);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
	assert_int_equal(vt_fds(), fds);
	assert_int_equal(fail_nth_blocks(), blocks);
	return 0;
}

static struct vfio_user_file *
get(int fd, uint64_t offset, uint64_t size)
{
	struct vfio_user_file *f = NULL;
	const char *why;

	assert_int_equal(vfio_user_file_get(&map, fd, offset, size, true, &f, &why), 0);
	assert_true(f->offset <= offset && offset + size <= f->offset + f->len);
	return f;
}

/* It is refused, and all is as it was. */
static void
refused(int fd, uint64_t offset, uint64_t size, int rc, const char *want)
{
	const struct vfio_user_map before = map;
	struct vfio_user_file *f = NULL;
	const char *why = "nothing";

	assert_int_equal(vfio_user_file_get(&map, fd, offset, size, true, &f, &why), rc);
	assert_string_equal(why, want);
	assert_null(f);
	assert_int_equal(map.nfiles, before.nfiles);
	assert_int_equal(map.mapped, before.mapped);
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
	owner_rc = -ENXIO;
	refused(fd, 0, PAGE, -ENXIO, "the device");
	owner_rc = 0;
	map.mapped_max = PAGE - 1;
	refused(fd, 0, PAGE, -ENOSPC, "too many bytes of files");
	map.mapped_max = 3 * PAGE;
	for (int i = 0; i < 3; i++) {
		more[i] = vt_memfd(PAGE);
		(void)get(more[i], 0, PAGE);
	}
	refused(fd, 0, PAGE, -EMFILE, "too many files");
	for (int i = 0; i < 3; i++) {
		struct vfio_user_file *f = get(more[i], 0, PAGE);

		assert_int_equal(f->refs, 2);
		vfio_user_file_put(&map, f);
		assert_int_equal(map.nfiles, 3 - i);
		vfio_user_file_put(&map, f);
		assert_int_equal(map.nfiles, 2 - i);
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
		{ "calloc", "no memory" }, { "malloc", "mmap()" }, { "mmap", "mmap()" },
	};
	struct vfio_user_file *f = NULL;
	int fd = vt_memfd(LEN);

	(void)state;
	fail_nth_struck();
	for (unsigned int n = 1;; n++) {
		const char *why = "nothing", *what;
		size_t i = 0;
		int rc;

		fail_nth(n);
		rc = vfio_user_file_get(&map, fd, 0, PAGE, true, &f, &why);
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
		assert_int_equal(map.nfiles, 0);
		assert_int_equal(map.mapped, 0);
		assert_int_equal(mapped, 0);
		assert_int_equal(vt_mappings("vfio-user-test"), mappings);
		free(map.files);
		map.files = NULL;
		assert_int_equal(fail_nth_blocks(), blocks);
	}
	assert_string_equal(fail_nth_struck(), "calloc fcntl fstat fstatfs malloc mmap");
	assert_int_equal(mapped_len, LEN);
	assert_ptr_equal(mapped_va, f->va);
	vfio_user_file_put(&map, f);
	assert_int_equal(unmapped, 1);
	close(fd);
}

/* One byte less than all of it: then only what is asked for; then not even that. */
static void
test_limit_of_bytes(void **state)
{
	struct vfio_user_file *f, *all;
	int fd = vt_memfd(LEN), other = vt_memfd(LEN);

	(void)state;
	map.mapped_max = LEN - 1;
	f = get(fd, LEN - 2 * PAGE, PAGE);
	assert_int_equal(f->offset, LEN - 2 * PAGE);
	assert_int_equal(f->len, PAGE);
	assert_int_equal(map.mapped, PAGE);
	vfio_user_file_put(&map, f);
	refused(fd, 0, LEN, -ENOSPC, "too many bytes of files");
	map.mapped_max = LEN;
	all = get(fd, LEN - 2 * PAGE, PAGE);
	assert_int_equal(all->offset, 0);
	assert_int_equal(all->len, LEN);
	/* What is left counts, and not what there may be in all. */
	map.mapped_max = LEN + 2 * PAGE - 1;
	refused(other, PAGE, 2 * PAGE, -ENOSPC, "too many bytes of files");
	map.mapped_max = LEN + 2 * PAGE;
	f = get(other, PAGE, 2 * PAGE);
	assert_int_equal(f->offset, PAGE);
	assert_int_equal(f->len, 2 * PAGE);
	assert_int_equal(map.mapped, LEN + 2 * PAGE);
	vfio_user_file_put(&map, f);
	vfio_user_file_put(&map, all);
	close(fd);
	close(other);
}

/* Bytes that begin and end within pages, of a file that does, too. */
static void
test_parts_of_pages(void **state)
{
	int fd = vt_memfd(3 * PAGE + 1);
	struct vfio_user_file *f;

	(void)state;
	f = get(fd, PAGE, PAGE);
	assert_int_equal(f->len, 4 * PAGE);
	vfio_user_file_put(&map, f);
	map.mapped_max = 2 * PAGE;
	f = get(fd, PAGE + 100, PAGE);
	assert_int_equal(f->offset, PAGE);
	assert_int_equal(f->len, 2 * PAGE);
	vfio_user_file_put(&map, f);
	refused(fd, 100, 2 * PAGE, -ENOSPC, "too many bytes of files");
	close(fd);
}

/* What is mapped to be read is not used by who wants to write; the other way round it is. */
static void
test_to_be_written(void **state)
{
	struct vfio_user_file *r = NULL, *w, *again = NULL;
	int fd = vt_memfd(LEN);
	const char *why;

	(void)state;
	assert_int_equal(vfio_user_file_get(&map, fd, 0, PAGE, false, &r, &why), 0);
	assert_false(r->writable);
	w = get(fd, PAGE, PAGE);
	assert_ptr_not_equal(r, w);
	assert_true(w->writable);
	w->va[PAGE - w->offset] = 7;
	assert_int_equal(r->va[PAGE], 7);
	vfio_user_file_put(&map, r);
	assert_int_equal(vfio_user_file_get(&map, fd, LEN - PAGE, PAGE, false, &again, &why), 0);
	assert_ptr_equal(again, w);
	vfio_user_file_put(&map, again);
	vfio_user_file_put(&map, w);
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
		struct vfio_user_file *f = NULL;
		char want[400], text[400];

		assert_true(own != MAP_FAILED);
		assert_int_equal(madvise(own, PAGE, MADV_DONTDUMP), 0);
		assert_int_equal(vfio_user_file_get(&map, fd, 0, PAGE, writes != 0, &f, &why), 0);
		look_at(own, want, sizeof(want));
		look_at(f->va, text, sizeof(text));
		assert_string_equal(text, want);
		vfio_user_file_put(&map, f);
		munmap(own, PAGE);
	}
	close(fd);
}

/* Many files are found by their numbers, which spread; those of one bucket in any order. */
static void
test_many(void **state)
{
	enum { N = 40 };
	struct vfio_user_file *f[N];
	unsigned int used = 0;
	int fd[N];

	(void)state;
	map.nfiles_max = N;
	map.mapped_max = N * PAGE;
	for (unsigned int i = 0; i < N; i++) {
		fd[i] = vt_memfd(PAGE);
		f[i] = get(fd[i], 0, PAGE);
		f[i]->va[0] = (uint8_t)i;
	}
	for (unsigned int i = 0; i < VFIO_USER_FILE_BUCKETS; i++)
		used += map.files[i] != NULL;
	assert_true(used >= N / 4);
	for (unsigned int i = 0; i < N; i++) {
		assert_ptr_equal(get(fd[i], 0, PAGE), f[i]);
		assert_int_equal(f[i]->va[0], i);
		vfio_user_file_put(&map, f[i]);
	}
	for (unsigned int i = 0; i < N; i++) {
		unsigned int k = (i * 7) % N;

		vfio_user_file_put(&map, f[k]);
		assert_int_equal(map.nfiles, N - 1 - i);
		assert_int_equal(map.mapped, (N - 1 - i) * PAGE);
		assert_int_equal(vt_mappings("vfio-user-test"), mappings + N - 1 - i);
		close(fd[k]);
	}
}

/* An owner that is not told. */
static void
test_no_owner(void **state)
{
	int fd = vt_memfd(LEN);

	(void)state;
	map.file_map = NULL;
	map.file_unmap = NULL;
	vfio_user_file_put(&map, get(fd, 0, PAGE));
	assert_int_equal(mapped + unmapped, 0);
	close(fd);
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
		cmocka_unit_test_setup_teardown(test_how_it_is_mapped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_owner, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
