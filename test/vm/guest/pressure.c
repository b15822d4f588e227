/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * More memory than the process may have: writes pages, lets the kernel swap them out, reads them
 * back and compares every byte.
 *
 * usage: vm_pressure MEGABYTES PASSES
 * Each pass checks all that the one before wrote, and writes something else, so that a page that
 * was swapped in has to be swapped out again; the last one only checks.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_WORDS 512
#define PAGE_BYTES (PAGE_WORDS * sizeof(uint64_t))

/*
 * The content of a page of a pass: each word is told by its place, and about as compressible as
 * programs' memory. Every 64th page is noise, which compression makes no smaller.
 */
static void
page_make(uint64_t *page, uint64_t number, uint64_t pass)
{
	uint64_t x = (number * 1000003 + pass) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	const int noise = number % 64 == 63;

	for (unsigned int i = 0; i < PAGE_WORDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		page[i] = noise ? x : i % 4 == 0 ? (x & 0xffffff) : number << 32 | pass;
	}
}

int
main(int argc, char **argv)
{
	uint64_t want[PAGE_WORDS];
	uint64_t checked = 0, bad = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: vm_pressure MEGABYTES PASSES\n");
		return 2;
	}
	const uint64_t pages = strtoull(argv[1], NULL, 0) * ((1 << 20) / PAGE_BYTES);
	const uint64_t passes = strtoull(argv[2], NULL, 0);
	uint8_t *mem = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED) {
		perror("vm_pressure: mmap");
		return 2;
	}
	/* A huge page would be split before it is swapped; that is not what this is about. */
	madvise(mem, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
	for (uint64_t pass = 0; pass <= passes; pass++) {
		for (uint64_t n = 0; n < pages; n++) {
			uint8_t *page = mem + n * PAGE_BYTES;

			if (pass > 0) {
				page_make(want, n, pass - 1);
				bad += memcmp(page, want, PAGE_BYTES) != 0;
				checked++;
			}
			if (pass < passes) {
				page_make(want, n, pass);
				memcpy(page, want, PAGE_BYTES);
			}
		}
	}
	printf("pressure: %llu pages checked, %llu bad\n", (unsigned long long)checked,
		(unsigned long long)bad);
	return bad == 0 ? 0 : 1;
}
