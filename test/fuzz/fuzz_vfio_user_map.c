/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Any sequence of maps and unmaps, with files that grow, beside a table of pages
 * that is too simple to be wrong. What is mapped must be the file's bytes.
 *
 * Input: operations of five bytes: what, page, pages, file, file page.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_util.h"
#include "vfio_user_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES 64u
#define PAGE  4096ull
#define FILES 3u
#define FILE_PAGES 16u /* at most */
/* The last page of all addresses is among them. */
#define BASE  (0ull - PAGES * PAGE)

/* What a page of addresses should mean. */
struct model {
	int map;       /* number of the map that it is in, 0: none */
	int file;      /* -1: none */
	uint64_t page; /* of the file */
};

static int fds[FILES];

/* Each page of each file begins with its own number. */
static void
fill(int file, uint64_t from, uint64_t to)
{
	for (uint64_t p = from; p < to; p++) {
		uint32_t mark = (uint32_t)file << 16 | (uint32_t)p;

		require(pwrite(fds[file], &mark, sizeof(mark), (off_t)(p * PAGE)) == sizeof(mark));
	}
}

static void
add(struct vfio_user_map *map, struct model *m, unsigned int page, unsigned int n, int file,
		uint64_t file_page, int *number)
{
	uint64_t iova = BASE + page * PAGE, last = iova + (n * PAGE - 1);
	struct vfio_user_file *f = NULL;
	const char *why;
	uint8_t *va = NULL;
	int rc, clash = 0;

	if (file >= 0) {
		rc = vfio_user_file_get(map, fds[file], file_page * PAGE, n * PAGE, true, &f, &why);
		if (rc != 0) {
			require(why != NULL && (rc == -EINVAL || rc == -EMFILE || rc == -ENOSPC));
			return;
		}
		va = f->va + (file_page * PAGE - f->offset);
	}
	for (unsigned int i = page; i < page + n; i++)
		clash |= m[i].map;
	rc = vfio_user_map_add(map, iova, last, 3, f, va);
	require(clash ? rc == -EEXIST : rc == 0 || rc == -ENOSPC);
	if (rc != 0) {
		if (f != NULL)
			vfio_user_file_put(map, f);
		return;
	}
	++*number;
	for (unsigned int i = 0; i < n; i++)
		m[page + i] = (struct model){ *number, file, file_page + i };
}

static void
take_back(struct vfio_user_map *map, struct model *m, unsigned int page, unsigned int n)
{
	uint64_t iova = BASE + page * PAGE, last = iova + (n * PAGE - 1), sum = 0;
	int half, any = 0;

	half = (page != 0 && m[page].map != 0 && m[page - 1].map == m[page].map) ||
		(page + n != PAGES && m[page + n].map != 0 &&
		m[page + n].map == m[page + n - 1].map);
	for (unsigned int i = page; i < page + n; i++) {
		any |= m[i].map != 0;
		sum += m[i].map != 0 ? PAGE : 0;
	}
	require(vfio_user_map_within(map, iova, last) == (half ? -EINVAL : any));
	if (half)
		return;
	require(vfio_user_map_remove(map, iova, last) == sum);
	for (unsigned int i = page; i < page + n; i++)
		m[i] = (struct model){ 0, -1, 0 };
}

static void
compare(const struct vfio_user_map *map, const struct model *m)
{
	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t iova = BASE + i * PAGE;
		const struct vfio_user_map_node *n = vfio_user_map_find(map, iova + 7);
		uint32_t mark;

		require((n != NULL) == (m[i].map != 0));
		if (n == NULL || m[i].file < 0)
			continue;
		require(n->file != NULL && n->va >= n->file->va);
		memcpy(&mark, n->va + (iova - n->iova), sizeof(mark));
		require(mark == ((uint32_t)m[i].file << 16 | (uint32_t)m[i].page));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vfio_user_map map = { .cnt_max = 24, .nfiles_max = 6, .mapped_max = 48 * PAGE };
	uint64_t pages[FILES] = { 4, 4, 4 };
	struct model m[PAGES] = { { 0, -1, 0 } };
	int number = 0;

	for (unsigned int i = 0; i < FILES; i++) {
		if (fds[i] == 0)
			fds[i] = memfd_create("fuzz", MFD_CLOEXEC);
		require(ftruncate(fds[i], 0) == 0);
		require(ftruncate(fds[i], (off_t)(pages[i] * PAGE)) == 0);
		fill((int)i, 0, pages[i]);
	}
	for (; size >= 5; data += 5, size -= 5) {
		unsigned int page = data[1] % PAGES, n = 1 + data[2] % 12;
		unsigned int file = data[3] % (FILES + 1);

		n = page + n > PAGES ? PAGES - page : n;
		switch (data[0] % 4) {
		case 0:
		case 1:
			add(&map, m, page, n, file == FILES ? -1 : (int)file, data[4] % 20,
					&number);
			break;
		case 2:
			take_back(&map, m, page, n);
			break;
		default:
			if (file == FILES || pages[file] == FILE_PAGES)
				break;
			require(ftruncate(fds[file], (off_t)((pages[file] + 1) * PAGE)) == 0);
			fill((int)file, pages[file], pages[file] + 1);
			pages[file]++;
			break;
		}
		compare(&map, m);
	}
	require(map.cnt <= 24 && map.nfiles <= 6 && map.mapped <= 48 * PAGE);
	vfio_user_map_fini(&map);
	require(map.cnt == 0 && map.nfiles == 0 && map.mapped == 0);
	return 0;
}
