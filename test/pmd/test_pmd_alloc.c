/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Enqueue and dequeue allocate nothing, whatever the op and whoever does it: each call of the C
 * library's allocator, of EAL's and of mmap() between the first and the last of them counts. The
 * exception is the first op of a direction, which takes a queue.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_malloc.h>

#include "pmd_test.h"

#define NAME "compress_hisi_zip_alloc"
#define LEN  20000u
/* More than the function takes: software does it, for which it needs room of the kernel's. */
#define LONG_LEN (9u << 20)

/* ---- Allocators, counted in the thread that asks for it ------------------------------------ */

static __thread bool counting;
static __thread unsigned int allocs;
/* Of these, what a long op is allowed. */
static __thread unsigned int maps;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

/* In place of the C library's own, for all libraries of the process. */
void *
malloc(size_t size)
{
	allocs += counting;
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	allocs += counting;
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	allocs += counting;
	return __libc_realloc(p, size);
}

void *
aligned_alloc(size_t align, size_t size)
{
	allocs += counting;
	return __libc_memalign(align, size);
}

int
posix_memalign(void **p, size_t align, size_t size)
{
	allocs += counting;
	*p = __libc_memalign(align, size);
	return *p == NULL ? ENOMEM : 0;
}

/* What the driver and its libraries call. */
__typeof__(mmap) __real_mmap64, __wrap_mmap64;
__typeof__(rte_malloc_socket) __real_rte_malloc_socket, __wrap_rte_malloc_socket;
__typeof__(rte_zmalloc_socket) __real_rte_zmalloc_socket, __wrap_rte_zmalloc_socket;

void *
__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	maps += counting;
	return __real_mmap64(addr, len, prot, flags, fd, offset);
}

void *
__wrap_rte_malloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	allocs += counting;
	return __real_rte_malloc_socket(type, size, align, socket);
}

void *
__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	allocs += counting;
	return __real_rte_zmalloc_socket(type, size, align, socket);
}

/* ---- Ops ----------------------------------------------------------------------------------- */

/* One op, there and back. The counters say what it took. */
static uint8_t
run(uint8_t dev, struct rte_comp_op *op)
{
	struct rte_comp_op *done = NULL;

	allocs = maps = 0;
	counting = true;
	pmd_enqueue(dev, 0, &op, 1);
	while (rte_compressdev_dequeue_burst(dev, 0, &done, 1) == 0)
		;
	counting = false;
	PMD_CHECK(done == op, "not taken");
	return done->status;
}

static void
none(const char *args, const char *what)
{
	PMD_CHECK(allocs == 0 && maps == 0, "%s, %s: %u allocations, %u maps; expected none", args,
		what, allocs, maps);
}

/* Compress and decompress so many bytes in chains, by these transforms; first: takes queues. */
static void
there_and_back(uint8_t dev, const char *args, const char *what, void *comp, void *decomp,
		uint32_t len, bool first)
{
	struct bytes src = { .data = malloc(len), .len = len };
	struct rte_comp_op *op, *back;
	struct rng rng;

	pmd_rng(&rng);
	for (uint32_t i = 0; i < len; i++)
		src.data[i] = (uint8_t)(i * i >> 7 & 0x3f);
	op = pmd_op(comp, pmd_chain(&rng, PMD_FULL, src.data, 0, len, 0), 0, len,
		pmd_chain(&rng, PMD_FULL, NULL, 0, len + len / 4 + 100, 0), 0);
	PMD_CHECK(run(dev, op) == RTE_COMP_OP_STATUS_SUCCESS, "%s, %s: %s", args, what,
		pmd_status(op->status));
	if (!first && len < LONG_LEN)
		none(args, what);
	/* No more than a handful, for what must be given back at once. */
	PMD_CHECK(first || (allocs == 0 && maps <= 2), "%s, %s: %u, %u", args, what, allocs, maps);
	back = pmd_op(decomp, op->m_dst, 0, op->produced,
		pmd_chain(&rng, PMD_FULL, NULL, 0, len, 0), 0);
	PMD_CHECK(run(dev, back) == RTE_COMP_OP_STATUS_SUCCESS && back->produced == len,
		"%s, %s: %s, %u bytes", args, what, pmd_status(back->status), back->produced);
	if (!first && len < LONG_LEN)
		none(args, what);
	PMD_CHECK(first || (allocs == 0 && maps <= 2), "%s, %s: %u, %u", args, what, allocs, maps);
	op->m_dst = NULL;
	pmd_op_free(op);
	pmd_op_free(back);
	free(src.data);
}

static void
nothing(const char *args)
{
	struct rte_comp_xform comp = pmd_deflate_xform, decomp = pmd_inflate_xform;
	uint8_t dev = pmd_dev_add(NAME, args);
	void *c, *d;

	pmd_dev_start(dev, 1, 16);
	for (int level = 0; level <= 9; level++) {
		char what[32];

		snprintf(what, sizeof(what), "level %d", level);
		comp.compress.level = level;
		comp.compress.deflate.huffman = level % 2 == 0 ? RTE_COMP_HUFFMAN_DYNAMIC :
			RTE_COMP_HUFFMAN_FIXED;
		comp.compress.chksum = decomp.decompress.chksum = level % 3 == 0 ?
			RTE_COMP_CHECKSUM_CRC32_ADLER32 : RTE_COMP_CHECKSUM_NONE;
		c = pmd_xform(dev, &comp);
		d = pmd_xform(dev, &decomp);
		/* Fixed codes and stored data may be software's: level 2 may be the first. */
		there_and_back(dev, args, what, c, d, LEN, level <= 2);
		there_and_back(dev, args, what, c, d, LEN, false);
		if (level == 1)
			there_and_back(dev, args, "beyond the function", c, d, LONG_LEN, false);
		pmd_xform_free(dev, c);
		pmd_xform_free(dev, d);
	}
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

static void
local(void)
{
	nothing("");
	nothing("workers=1");
}

static void
plain_silicon(void)
{
	nothing("ext=off");
	nothing("rev=v2,ext=off");
}

/* The counters work: a queue pair's setup allocates. */
static void
counted(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");

	allocs = maps = 0;
	counting = true;
	pmd_dev_start(dev, 1, 16);
	counting = false;
	PMD_CHECK(allocs > 0 && maps > 0, "%u allocations, %u maps seen", allocs, maps);
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

int
main(int argc, char **argv)
{
	static const char *const none_given[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "counted", counted },
		{ "local", local },
		{ "plain_silicon", plain_silicon },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_alloc", .count = 1, .cases = cases, .vdevs = none_given,
	});
}
