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
#include <unistd.h>

#include "test_vfio_user_util.h"

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
	assert_int_equal(vt_memory(&t).maps, 0);
	assert_int_equal(vt_memory(&t).mapped, 0);
	assert_int_equal(t.seen.dma_map, 1);

	/* The owner refuses. */
	t.fail = -ENXIO;
	vt_map(sock, 0, page, fd, 0, ENXIO);
	t.fail = 0;
	assert_int_equal(vt_memory(&t).maps, 0);
	assert_int_equal(vt_memory(&t).mapped, 0);
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
	assert_int_equal(vt_memory(&t).maps, 1);
	/* The last page of all; and up to it. */
	vt_map(sock, -0x1000ull, 0x1000, fd, 0, 0);
	vt_map(sock, -0x1000ull, 0x1000, -1, 0, EEXIST);
	vt_map(sock, -0x8000ull, 0x7000, -1, 0, 0);
	assert_int_equal(vt_unmap(sock, -0x8000ull, 0x8000, 0), 0x8000);
	assert_int_equal(vt_memory(&t).maps, 1);
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
	assert_int_equal(vt_memory(&t).maps, 2);
	assert_int_equal(t.seen.dma_unmap, 0);
	/* The owner refuses: the maps stay. */
	t.fail = -EIO;
	vt_unmap(sock, 0x10000, 0x4000, EIO);
	t.fail = 0;
	assert_int_equal(vt_memory(&t).maps, 2);

	/* All of them. */
	m = (struct vfio_user_dma_unmap){ 24, VFIO_USER_UNMAP_F_ALL, 0, 0 };
	vt_ok(sock, vt_send(sock, VFIO_USER_DMA_UNMAP, 0, &m, sizeof(m), NULL, 0), &m, sizeof(m));
	assert_int_equal(m.size, 0x8000);
	assert_int_equal(vt_memory(&t).maps, 0);
	assert_int_equal(vt_memory(&t).mapped, 0);
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
	t.limits = (struct qm_dev_limits){ .maps = 6, .files = 3, .memory = 0x40000 };
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	vt_map(sock, 0, 0x1000, fd, 0x8000, 0);
	assert_int_equal(vt_memory(&t).mapped, 0x10000);
	/* It grows: the new part is mapped, the old one stays where it is. */
	assert_int_equal(ftruncate(fd, 0x20000), 0);
	vt_map(sock, 0x10000, 0x1000, fd, 0x18000, 0);
	assert_int_equal(vt_memory(&t).mapped, 0x18000);
	vt_map(sock, 0x20000, 0x2000, fd, 0xf000, 0); /* across the end of the first */
	assert_int_equal(vt_memory(&t).files, 3);
	assert_int_equal(vt_memory(&t).mapped, 0x18000 + 0x11000);
	/* One more file is one too many. */
	for (int i = 0; i < 8; i++)
		more[i] = vt_memfd(0x10000);
	vt_map(sock, 0x30000, 0x1000, more[0], 0, EMFILE);
	assert_int_equal(vt_unmap(sock, 0x20000, 0x2000, 0), 0x2000);
	assert_int_equal(vt_unmap(sock, 0x10000, 0x1000, 0), 0x1000);
	assert_int_equal(vt_memory(&t).files, 1);
	/* A file that is larger than the limit is mapped where it is needed, a map is not. */
	assert_int_equal(ftruncate(more[0], 1ll << 40), 0);
	vt_map(sock, 0x1000000, 0x10000, more[0], 1ll << 39, 0);
	assert_int_equal(vt_memory(&t).mapped, 0x20000);
	vt_map(sock, 0x2000000, 0x30000, more[0], 0, ENOSPC);
	/* The sixth map is the last one. */
	vt_map(sock, 0x1010000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1011000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1012000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1013000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x1014000, 0x1000, -1, 0, ENOSPC);
	vt_map(sock, 0x1014000, 0x1000, fd, 0, ENOSPC);
	assert_int_equal(vt_memory(&t).maps, 6);
	assert_int_equal(vt_memory(&t).files, 2);
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
	t.limits = (struct qm_dev_limits){ .files = 2, .memory = 0x10000 };
	sock = vt_open(&t);
	fd = vt_memfd(0x10000);
	/* All of the file is as much as there may be. */
	vt_map(sock, 0, 0x1000, fd, 0, 0);
	assert_int_equal(vt_memory(&t).mapped, 0x10000);
	vt_map(sock, 0x1000, 0x1000, fd, 0xf000, 0); /* its last page, in the same part */
	assert_int_equal(vt_memory(&t).files, 1);
	vt_map(sock, 0x2000, 0x2000, fd, 0xf000, EINVAL);
	assert_int_equal(vt_unmap(sock, 0, 0x2000, 0), 0x2000);
	assert_int_equal(vt_memory(&t).mapped, 0);
	/* A part that is as much as there may be, of one byte more. */
	assert_int_equal(ftruncate(fd, 0x10001), 0);
	vt_map(sock, 0, 0x10000, fd, 0, 0);
	assert_int_equal(vt_memory(&t).mapped, 0x10000);
	vt_map(sock, 0x100000, 0x1000, fd, 0xf000, 0);
	assert_int_equal(vt_memory(&t).files, 1);
	assert_int_equal(vt_unmap(sock, 0, 0x10000, 0), 0x10000);
	/* It is still used by the other map. */
	assert_int_equal(vt_memory(&t).files, 1);
	assert_int_equal(vt_unmap(sock, 0x100000, 0x1000, 0), 0x1000);
	assert_int_equal(vt_memory(&t).files, 0);
	vt_map(sock, 0, 0x11000, fd, 0, EINVAL);
	close(fd);
	close(sock);
	vt_stop(&t);
}

static void
test_owner_polls(void **state)
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
	assert_int_equal(t.seen.fd, 0);
	close(fd);
	close(sock);
	vt_stop(&t);
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
		cmocka_unit_test(test_owner_polls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
