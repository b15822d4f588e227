/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* DMA_MAP and DMA_UNMAP. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "test_vfio_user_util.h"
#include "vfio_user_map.h"

static void
bad_map(struct vt *t, int sock, struct vfio_user_dma_map m, int fd)
{
	vt_refused(t, sock, VFIO_USER_DMA_MAP, &m, sizeof(m), &fd, fd >= 0 ? 1 : 0, EINVAL);
}

static void
test_map_bad(void **state)
{
	const struct vfio_user_dma_map good = { 32, 3, 0, 0x10000, 0x1000 };
	const uint64_t page = VFIO_USER_PAGE;
	struct vfio_user_dma_map m = good;
	int sock, fd, other[4];
	uint8_t body[64] = { 0 };
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	memcpy(body, &good, sizeof(good));
	for (size_t len = 0; len <= sizeof(body); len++)
		if (len != sizeof(good))
			vt_refused(&t, sock, VFIO_USER_DMA_MAP, body, len, &fd, 1, EINVAL);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 31, 3, 0, 0, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 0, 0, 0, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 4, 0, 0, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, UINT32_MAX, 0, 0, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0, 0, 0 }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0, 0, 1 }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0, 1, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 1, 0, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0, -page, 2 * page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0, 2 * page, -page }, -1);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0, -page, 2 * page }, -1);
	/* Beyond the file, by a page, by its end, by 2^64. */
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0x10000, 0, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 0xf000, 0, 2 * page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, -page, 0, page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, page, 0, -page }, fd);
	bad_map(&t, sock, (struct vfio_user_dma_map){ 32, 3, 1ull << 62, 0, 1ull << 62 }, fd);

	/* Fds that are no memory. */
	other[0] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	other[1] = eventfd(0, EFD_CLOEXEC);
	other[2] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	other[3] = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 4; i++) {
		assert_true(other[i] >= 0);
		bad_map(&t, sock, good, other[i]);
		close(other[i]);
	}
	/* Memory that may not be written. */
	{
		char path[64];
		int ro;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ro = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(ro >= 0);
		vt_refused(&t, sock, VFIO_USER_DMA_MAP, &m, sizeof(m), &ro, 1, EACCES);
		m.flags = VFIO_USER_DMA_F_READ;
		vt_ok(sock, vt_send(sock, VFIO_USER_DMA_MAP, 0, &m, sizeof(m), &ro, 1), NULL, 0);
		vt_unmap(sock, m.iova, m.size, 0);
		close(ro);
	}
	assert_int_equal(vt_stats(&t).maps, 0);
	assert_int_equal(vt_stats(&t).mapped, 0);
	assert_int_equal(t.seen.dma_map, 1);

	/* The owner refuses. */
	t.fail = -ENXIO;
	vt_map(sock, 0, page, fd, 0, ENXIO);
	t.fail = 0;
	assert_int_equal(vt_stats(&t).maps, 0);
	assert_int_equal(vt_stats(&t).mapped, 0);
	close(fd);
	close(sock);
	vt_stop(&t);
}

static void
test_overlap(void **state)
{
	struct vt t;
	int sock, fd;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	vt_map(sock, 0x10000, 0x4000, fd, 0, 0);
	for (uint64_t iova = 0xd000; iova <= 0x14000; iova += 0x1000)
		for (uint64_t size = 0x1000; size <= 0x8000; size += 0x1000) {
			int over = iova < 0x14000 && iova + size > 0x10000;

			vt_map(sock, iova, size, size % 0x2000 != 0 ? fd : -1, 0,
					over ? EEXIST : 0);
			if (!over)
				assert_int_equal(vt_unmap(sock, iova, size, 0), size);
		}
	assert_int_equal(vt_stats(&t).maps, 1);
	/* The last page of all; and up to it. */
	vt_map(sock, -0x1000ull, 0x1000, fd, 0, 0);
	vt_map(sock, -0x1000ull, 0x1000, -1, 0, EEXIST);
	vt_map(sock, -0x8000ull, 0x7000, -1, 0, 0);
	assert_int_equal(vt_unmap(sock, -0x8000ull, 0x8000, 0), 0x8000);
	assert_int_equal(vt_stats(&t).maps, 1);
	close(fd);
	close(sock);
	vt_stop(&t);
}

static void
test_unmap_bad(void **state)
{
	struct vfio_user_dma_unmap m = { 24, 0, 0x10000, 0x1000 };
	uint8_t body[64] = { 0 };
	struct vt t;
	int sock, fd;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	vt_map(sock, 0x10000, 0x4000, fd, 0, 0);
	vt_map(sock, 0x14000, 0x4000, fd, 0, 0);
	memcpy(body, &m, sizeof(m));
	for (size_t len = 0; len <= sizeof(body); len++)
		if (len != sizeof(m))
			vt_refused(&t, sock, VFIO_USER_DMA_UNMAP, body, len, NULL, 0, EINVAL);
	m.argsz = 23;
	vt_refused(&t, sock, VFIO_USER_DMA_UNMAP, &m, sizeof(m), NULL, 0, EINVAL);
	m = (struct vfio_user_dma_unmap){ 24, VFIO_USER_UNMAP_F_BITMAP, 0x10000, 0x4000 };
	vt_refused(&t, sock, VFIO_USER_DMA_UNMAP, &m, sizeof(m), NULL, 0, ENOTSUP);
	m.flags = VFIO_USER_UNMAP_F_ALL;
	vt_refused(&t, sock, VFIO_USER_DMA_UNMAP, &m, sizeof(m), NULL, 0, EINVAL);
	m.flags = 4;
	vt_refused(&t, sock, VFIO_USER_DMA_UNMAP, &m, sizeof(m), NULL, 0, EINVAL);
	vt_unmap(sock, 0x10000, 0, EINVAL);
	vt_unmap(sock, 0x10000, 0x4001, EINVAL);
	vt_unmap(sock, 0x10001, 0x4000, EINVAL);
	vt_unmap(sock, -0x1000ull, 0x2000, EINVAL);
	/* Half of one, at either end, and a hole in it. */
	vt_unmap(sock, 0x10000, 0x1000, EINVAL);
	vt_unmap(sock, 0x13000, 0x1000, EINVAL);
	vt_unmap(sock, 0x11000, 0x1000, EINVAL);
	vt_unmap(sock, 0x11000, 0x7000, EINVAL);
	vt_unmap(sock, 0x10000, 0x7000, EINVAL);
	assert_int_equal(vt_stats(&t).maps, 2);
	assert_int_equal(t.seen.dma_unmap, 0);
	/* The owner refuses: the maps stay. */
	t.fail = -EIO;
	vt_unmap(sock, 0x10000, 0x4000, EIO);
	t.fail = 0;
	assert_int_equal(vt_stats(&t).maps, 2);

	/* All of them. */
	m = (struct vfio_user_dma_unmap){ 24, VFIO_USER_UNMAP_F_ALL, 0, 0 };
	vt_ok(sock, vt_send(sock, VFIO_USER_DMA_UNMAP, 0, &m, sizeof(m), NULL, 0), &m, sizeof(m));
	assert_int_equal(m.size, 0x8000);
	assert_int_equal(vt_stats(&t).maps, 0);
	assert_int_equal(vt_stats(&t).mapped, 0);
	close(fd);
	close(sock);
	vt_stop(&t);
}

/* Files: one mapping each, that grows in parts; limits; and nothing is left. */
static void
test_files(void **state)
{
	struct vt t;
	int sock, fd, more[8];

	(void)state;
	vt_start(&t, NULL);
	t.limits = (struct vfio_user_limits){ .maps_max = 6, .files_max = 3,
		.mapped_max = 0x40000 };
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	vt_map(sock, 0, 0x1000, fd, 0x8000, 0);
	assert_int_equal(vt_stats(&t).mapped, 0x10000);
	/* It grows: the new part is mapped, the old one stays where it is. */
	assert_int_equal(ftruncate(fd, 0x20000), 0);
	vt_map(sock, 0x10000, 0x1000, fd, 0x18000, 0);
	assert_int_equal(vt_stats(&t).mapped, 0x18000);
	vt_map(sock, 0x20000, 0x2000, fd, 0xf000, 0); /* across the end of the first */
	assert_int_equal(vt_stats(&t).files, 3);
	assert_int_equal(vt_stats(&t).mapped, 0x18000 + 0x11000);
	/* One more file is one too many. */
	for (int i = 0; i < 8; i++)
		more[i] = vt_memfd(0x10000);
	vt_map(sock, 0x30000, 0x1000, more[0], 0, EMFILE);
	assert_int_equal(vt_unmap(sock, 0x20000, 0x2000, 0), 0x2000);
	assert_int_equal(vt_unmap(sock, 0x10000, 0x1000, 0), 0x1000);
	assert_int_equal(vt_stats(&t).files, 1);
	/* A file that is larger than the limit is mapped where it is needed, a map is not. */
	assert_int_equal(ftruncate(more[0], 1ll << 40), 0);
	vt_map(sock, 0x1000000, 0x10000, more[0], 1ll << 39, 0);
	assert_int_equal(vt_stats(&t).mapped, 0x20000);
	vt_map(sock, 0x2000000, 0x30000, more[0], 0, ENOSPC);
	/* The sixth map is the last one. */
	vt_map(sock, 0x1010000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1011000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1012000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1013000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1014000, 0x1000, -1, 0, ENOSPC);
	vt_map(sock, 0x1014000, 0x1000, fd, 0, ENOSPC);
	assert_int_equal(vt_stats(&t).maps, 6);
	assert_int_equal(vt_stats(&t).files, 2);
	vt_victim_works(&t);

	/* The client goes without a word. */
	close(sock);
	vt_only_victim(&t);
	assert_int_equal(vt_mappings("vfio-user-test"), 0);
	for (int i = 0; i < 8; i++)
		close(more[i]);
	close(fd);
	vt_stop(&t);
}

/* Limits that are met and not exceeded; parts of a file that are shared, and that are not. */
static void
test_files_at_their_limits(void **state)
{
	struct vt t;
	int sock, fd;

	(void)state;
	vt_start(&t, NULL);
	t.limits = (struct vfio_user_limits){ .files_max = 2, .mapped_max = 0x10000 };
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	/* All of the file is as much as there may be. */
	vt_map(sock, 0, 0x1000, fd, 0, 0);
	assert_int_equal(vt_stats(&t).mapped, 0x10000);
	vt_map(sock, 0x1000, 0x1000, fd, 0xf000, 0); /* its last page, in the same part */
	assert_int_equal(vt_stats(&t).files, 1);
	vt_map(sock, 0x2000, 0x2000, fd, 0xf000, EINVAL);
	assert_int_equal(vt_unmap(sock, 0, 0x2000, 0), 0x2000);
	assert_int_equal(vt_stats(&t).mapped, 0);
	/* A part that is as much as there may be, of one byte more. */
	assert_int_equal(ftruncate(fd, 0x10001), 0);
	vt_map(sock, 0, 0x10000, fd, 0, 0);
	assert_int_equal(vt_stats(&t).mapped, 0x10000);
	vt_map(sock, 0x100000, 0x1000, fd, 0xf000, 0);
	assert_int_equal(vt_stats(&t).files, 1);
	assert_int_equal(vt_unmap(sock, 0, 0x10000, 0), 0x10000);
	/* It is still used by the other map. */
	assert_int_equal(vt_stats(&t).files, 1);
	assert_int_equal(vt_unmap(sock, 0x100000, 0x1000, 0), 0x1000);
	assert_int_equal(vt_stats(&t).files, 0);
	vt_map(sock, 0, 0x11000, fd, 0, EINVAL);
	close(fd);
	close(sock);
	vt_stop(&t);
}

static void
test_owner_looks(void **state)
{
	struct vt t;
	int sock, fd;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	vt_map(sock, 0x4000, 0x2000, fd, 0x1000, 0);
	assert_int_equal(t.seen.iova, 0x4000);
	assert_int_equal(t.seen.size, 0x2000);
	vt_map(sock, 0x8000, 0x3000, -1, 0, 0);
	assert_int_equal(t.seen.iova, 0x8000);
	assert_int_equal(t.seen.size, 0x3000);
	assert_int_equal(t.seen.va, 0);
	close(fd);
	close(sock);
	vt_stop(&t);
}

/* ---- The table alone ---- */

static unsigned int randoms; /* asked of the kernel */
static ssize_t random_len;   /* that it gives; 0: as many as are asked for */

ssize_t __real_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t
__wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	assert_int_equal(flags, GRND_NONBLOCK);
	assert_int_equal(len, 8);
	randoms++;
	if (random_len == 0)
		return __real_getrandom(buf, len, flags);
	/* What is not given is not random. */
	memset(buf, 0, len);
	if (random_len > 0)
		memset(buf, 0xff, (size_t)random_len);
	else
		errno = EAGAIN;
	return random_len;
}

static uint32_t
rnd(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

/* Random maps and unmaps, beside a table that is too simple to be wrong. */
static void
test_table_random(void **state)
{
	struct vfio_user_map map = { .cnt_max = 65535 };
	static uint64_t first[256]; /* page -> iova + 1 of the map it is in, 0: none */
	uint32_t seed = 7;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t page = rnd(&seed) % 256, n = 1 + rnd(&seed) % 8, end, sum = 0;
		bool clash = false, half = false;

		end = page + n < 256 ? page + n : 256;
		if (rnd(&seed) % 3 != 0) {
			for (uint64_t p = page; p < end; p++)
				clash |= first[p] != 0;
			assert_int_equal(vfio_user_map_add(&map, page * 4096, end * 4096 - 1, 3,
					NULL, NULL), clash ? -EEXIST : 0);
			for (uint64_t p = page; !clash && p < end; p++)
				first[p] = page * 4096 + 1;
			continue;
		}
		for (uint64_t p = page; p < end; p++) {
			clash |= first[p] != 0;
			sum += first[p] != 0 ? 4096 : 0;
		}
		if (first[page] != 0 && page != 0 && first[page - 1] == first[page])
			half = true;
		if (first[end - 1] != 0 && end != 256 && first[end] == first[end - 1])
			half = true;
		assert_int_equal(vfio_user_map_within(&map, page * 4096, end * 4096 - 1),
				half ? -EINVAL : clash);
		if (half)
			continue;
		assert_int_equal(vfio_user_map_remove(&map, page * 4096, end * 4096 - 1), sum);
		for (uint64_t p = page; p < end; p++)
			first[p] = 0;
	}
	for (uint64_t p = 0; p < 256; p++) {
		const struct vfio_user_map_node *n = vfio_user_map_find(&map, p * 4096 + 5);

		assert_int_equal(n != NULL ? n->iova + 1 : 0, first[p]);
	}
	vfio_user_map_fini(&map);
	assert_int_equal(map.cnt, 0);
}

static unsigned int
depth(const struct vfio_user_map_node *n)
{
	unsigned int l, r;

	if (n == NULL)
		return 0;
	l = depth(n->left);
	r = depth(n->right);
	return 1 + (l > r ? l : r);
}

/* As many as a guest was seen to make, in order, which is the worst for a plain tree. */
static void
test_table_large(void **state)
{
	struct vfio_user_map map = { .cnt_max = 81920 };

	(void)state;
	for (uint64_t i = 0; i < 81920; i++)
		assert_int_equal(vfio_user_map_add(&map, i << 12, (i << 12) + 4095, 3, NULL,
				NULL), 0);
	assert_int_equal(vfio_user_map_add(&map, 81920 << 12, (81920 << 12) + 4095, 3, NULL, NULL),
			-ENOSPC);
	assert_true(depth(map.root) < 80);
	/* Every other one, then the rest at once. */
	for (uint64_t i = 0; i < 81920; i += 2)
		assert_int_equal(vfio_user_map_remove(&map, i << 12, (i << 12) + 4095), 4096);
	assert_int_equal(map.cnt, 40960);
	assert_true(depth(map.root) < 80);
	assert_int_equal(vfio_user_map_remove(&map, 0, UINT64_MAX), 40960 * 4096);
	assert_null(map.root);
	vfio_user_map_fini(&map);
}

/* One seed is asked for, and a table without one is balanced, too. */
static void
test_table_without_a_seed(void **state)
{
	static const ssize_t given[] = { 0, -1, 4, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		struct vfio_user_map map = { .cnt_max = 1000 };

		random_len = given[i];
		randoms = 0;
		for (uint64_t k = 0; k < 1000; k++)
			assert_int_equal(vfio_user_map_add(&map, k << 12, (k << 12) + 4095, 3, NULL,
					NULL), 0);
		assert_int_equal(randoms, 1);
		assert_true(depth(map.root) < 60);
		vfio_user_map_fini(&map);
	}
	random_len = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_bad),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_unmap_bad),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_files_at_their_limits),
		cmocka_unit_test(test_owner_looks),
		cmocka_unit_test(test_table_random),
		cmocka_unit_test(test_table_large),
		cmocka_unit_test(test_table_without_a_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
