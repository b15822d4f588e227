/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Any sequence of maps and unmaps, with files that grow, beside a table of pages
 * that is too simple to be wrong. What is mapped must be the file's bytes, also to a view that was
 * entered before it was taken back.
 *
 * Input: operations of five bytes: what, page, pages, file, file page.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_util.h"
#include "qm_dev_func.h"

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
static struct qm_dev fn; /* no more of it than its map */
static struct qm_dev_view view;
static struct qm_dev_quota quota;

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
add(struct model *m, unsigned int page, unsigned int n, int file, uint64_t file_page, int *number)
{
	uint64_t iova = BASE + page * PAGE;
	const char *why = NULL;
	int rc, clash = 0;

	for (unsigned int i = page; i < page + n; i++)
		clash |= m[i].map;
	rc = file < 0 ? qm_dev_dma_map(&fn, iova, n * PAGE, NULL, 0) :
		qm_dev_dma_map_file(&fn, iova, n * PAGE, fds[file], file_page * PAGE,
		QM_DEV_PROT_READ | QM_DEV_PROT_WRITE, &why);
	require(rc == 0 ? !clash : (rc == -EEXIST && clash) || rc == -ENOSPC ||
			(file >= 0 && (rc == -EINVAL || rc == -EMFILE)));
	require(rc == 0 || file < 0 || why != NULL);
	if (rc != 0)
		return;
	++*number;
	for (unsigned int i = 0; i < n; i++)
		m[page + i] = (struct model){ *number, file, file_page + i };
}

static void
take_back(struct model *m, unsigned int page, unsigned int n, int held)
{
	uint64_t iova = BASE + page * PAGE, sum = 0, bytes, ticket;
	int half, rc, cnt = 0;

	half = (page != 0 && m[page].map != 0 && m[page - 1].map == m[page].map) ||
		(page + n != PAGES && m[page + n].map != 0 &&
		m[page + n].map == m[page + n - 1].map);
	for (unsigned int i = page; i < page + n; i++) {
		cnt += m[i].map != 0 && (i == page || m[i - 1].map != m[i].map);
		sum += m[i].map != 0 ? PAGE : 0;
	}
	rc = qm_dev_dma_unmap_start(&fn, iova, n * PAGE, &ticket, &bytes);
	require(rc == (half ? -EINVAL : cnt));
	if (half)
		return;
	require(bytes == sum);
	/* What a view holds it can still read. */
	require(qm_dev_dma_unmap_done(&fn, ticket) == !(held && cnt != 0));
	for (unsigned int i = page; i < page + n; i++)
		m[i] = (struct model){ 0, -1, 0 };
}

/* The view is entered. */
static void
compare(const struct model *m)
{
	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t iova = BASE + i * PAGE;
		void *va = qm_dev_view_at(&view, iova + 7, 1, QM_DEV_PROT_WRITE);
		uint32_t mark;

		require((va != NULL) == (m[i].map != 0 && m[i].file >= 0));
		if (va == NULL)
			continue;
		memcpy(&mark, (uint8_t *)va - 7, sizeof(mark));
		require(mark == ((uint32_t)m[i].file << 16 | (uint32_t)m[i].page));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t pages[FILES] = { 4, 4, 4 };
	struct model m[PAGES] = { { 0, -1, 0 } }, before[PAGES];
	int number = 0;

	memset(&fn, 0, sizeof(fn));
	memset(&view, 0, sizeof(view));
	fn.conf.limits = (struct qm_dev_limits){ .maps = 24, .files = 6, .memory = 48 * PAGE };
	fn.conf.quota = &quota;
	require(qm_dev_map_init(&fn.map) == 0);
	qm_dev_view_add(&fn.map, &view);
	for (unsigned int i = 0; i < FILES; i++) {
		if (fds[i] == 0)
			fds[i] = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		require(ftruncate(fds[i], 0) == 0);
		require(ftruncate(fds[i], (off_t)(pages[i] * PAGE)) == 0);
		fill((int)i, 0, pages[i]);
	}
	for (; size >= 5; data += 5, size -= 5) {
		unsigned int page = data[1] % PAGES, n = 1 + data[2] % 12;
		unsigned int file = data[3] % (FILES + 1);
		int held = data[0] >> 2 & 1;

		n = page + n > PAGES ? PAGES - page : n;
		memcpy(before, m, sizeof(m));
		if (held)
			qm_dev_view_get(&fn.map, &view);
		switch (data[0] % 4) {
		case 0:
		case 1:
			add(m, page, n, file == FILES ? -1 : (int)file, data[4] % 20, &number);
			break;
		case 2:
			take_back(m, page, n, held);
			break;
		default:
			if (file == FILES || pages[file] == FILE_PAGES)
				break;
			require(ftruncate(fds[file], (off_t)((pages[file] + 1) * PAGE)) == 0);
			fill((int)file, pages[file], pages[file] + 1);
			pages[file]++;
			break;
		}
		if (held) {
			compare(before);
			qm_dev_view_put(&view);
		}
		qm_dev_view_get(&fn.map, &view);
		compare(m);
		qm_dev_view_put(&view);
	}
	require(qm_dev_dma_unmap_done(&fn, UINT64_MAX - 1));
	require(fn.map.cnt <= 24 && fn.map.files.cnt <= 6 && fn.map.files.mapped <= 48 * PAGE);
	require(quota.used[QM_DEV_FILES] == fn.map.files.cnt);
	require(quota.used[QM_DEV_MEMORY] == fn.map.files.mapped);
	qm_dev_map_fini(&fn);
	require(fn.map.files.cnt == 0 && fn.map.files.mapped == 0);
	for (unsigned int i = 0; i < QM_DEV_RESOURCES; i++)
		require(quota.used[i] == 0);
	return 0;
}
