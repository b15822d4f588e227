/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>

#include <sys/mman.h>

#include "zip_codec_internal.h"

#define PAGE_ROUND(n) (((n) + 4095) & ~(size_t)4095)

/* Behind input in the scratch, which must be readable: see zip_codec_backend.c. */
#define READ_BEHIND 64

/* Size and alignment of a huge page where there are any; elsewhere it does no harm. */
#define HUGE_PAGE ((size_t)2 << 20)

/* Let both scratches hold what a call of len bytes needs. They are whole pages. */
static int
scratch_open(struct zip_codec *codec, size_t len)
{
	const size_t dst_len = zip_codec_deflate_bound(len);

	if (mprotect(codec->src_scratch, PAGE_ROUND(len + READ_BEHIND),
				PROT_READ | PROT_WRITE) != 0 ||
			mprotect(codec->dst_scratch, PAGE_ROUND(dst_len),
				PROT_READ | PROT_WRITE) != 0)
		return -ENOMEM;
	codec->scratch_len = len;
	codec->dst_scratch_len = dst_len;
	return 0;
}

int
zip_codec_scratch_grow(struct zip_codec *codec, size_t len)
{
	if (len > codec->max_len)
		return -E2BIG;
	return scratch_open(codec, len);
}

/* As it was reserved: no access, no memory. */
static void
scratch_close(uint8_t *scratch, size_t keep, size_t len)
{
	keep = PAGE_ROUND(keep);
	len = PAGE_ROUND(len);
	if (len > keep)
		(void)mmap(scratch + keep, len - keep, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void
zip_codec_trim(struct zip_codec *codec)
{
	const size_t dst_keep = zip_codec_deflate_bound(ZIP_CODEC_LEN_KEPT);

	if (codec->scratch_len <= ZIP_CODEC_LEN_KEPT)
		return;
	scratch_close(codec->src_scratch, ZIP_CODEC_LEN_KEPT + READ_BEHIND,
		codec->scratch_len + READ_BEHIND);
	scratch_close(codec->dst_scratch, dst_keep, codec->dst_scratch_len);
	codec->scratch_len = ZIP_CODEC_LEN_KEPT;
	codec->dst_scratch_len = dst_keep;
}

void
zip_codec_discard(struct zip_codec *codec)
{
	zip_codec_trim(codec);
	/* What was set up there is gone with the pages. */
	codec->zlib_ready = 0;
	codec->zlib_inflate.state = Z_NULL;
	codec->lz4_ready = 0;
	codec->lz4hc_ready = 0;
	(void)madvise(codec->isal, HUGE_PAGE, MADV_DONTNEED);
}

/*
 * Address space only: a page costs memory once it has been touched, so a codec
 * that only ever sees small, linear requests stays small. Scratch for long
 * calls is not accessible before one comes: so that it counts for nothing where
 * the kernel accounts for memory strictly.
 */
static int
reserve_memory(struct zip_codec *codec)
{
	const size_t src_len = PAGE_ROUND(codec->max_len + READ_BEHIND);
	const size_t dst_len = PAGE_ROUND(zip_codec_deflate_bound(codec->max_len));
	const size_t isal_len = PAGE_ROUND(sizeof(*codec->isal));
	const size_t level_buf_len = PAGE_ROUND(ISAL_DEF_LVL3_DEFAULT);
	const size_t lz4_len = PAGE_ROUND(sizeof(*codec->lz4));
	const size_t len = src_len + dst_len + 2 * HUGE_PAGE;
	uint8_t *at;

	_Static_assert(sizeof(*codec->isal) + ISAL_DEF_LVL3_DEFAULT + ZIP_CODEC_ZMEM_DEFLATE +
		ZIP_CODEC_ZMEM_INFLATE + sizeof(*codec->lz4) + sizeof(*codec->lz4hc) +
		4 * 4096 <= HUGE_PAGE, "the backends' memory is one huge page");

	at = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;
	codec->memory = at;
	codec->memory_len = len;
	codec->src_scratch = at;
	at += src_len;
	codec->dst_scratch = at;
	/*
	 * Every request walks over hash tables and token buffers of some 400 KiB:
	 * one huge page spares it a hundred address translations. The advice may
	 * be declined.
	 */
	at = (uint8_t *)(((uintptr_t)at + dst_len + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	if (mprotect(at, HUGE_PAGE, PROT_READ | PROT_WRITE) != 0)
		return -ENOMEM;
	(void)madvise(at, HUGE_PAGE, MADV_HUGEPAGE);
	codec->isal = (struct isal_zstream *)at;
	at += isal_len;
	codec->isal_level_buf = at;
	at += level_buf_len;
	codec->zlib_mem.base = at;
	codec->zlib_mem.size = ZIP_CODEC_ZMEM_DEFLATE;
	at += ZIP_CODEC_ZMEM_DEFLATE;
	codec->zlib_inflate_mem.base = at;
	codec->zlib_inflate_mem.size = ZIP_CODEC_ZMEM_INFLATE;
	at += ZIP_CODEC_ZMEM_INFLATE;
	codec->lz4 = (LZ4_stream_t *)at;
	at += lz4_len;
	codec->lz4hc = (LZ4_streamHC_t *)at;
	return scratch_open(codec, codec->max_len < ZIP_CODEC_LEN_KEPT ? codec->max_len :
		ZIP_CODEC_LEN_KEPT);
}

static int
make_backends(struct zip_codec *codec)
{
	codec->inflate_fixed = libdeflate_alloc_decompressor();
	codec->inflate_any = libdeflate_alloc_decompressor();
	if (codec->inflate_fixed == NULL || codec->inflate_any == NULL)
		return -ENOMEM;

	for (int level = 1; level <= ZIP_CODEC_LIBDEFLATE_LEVEL_MAX; level++) {
		codec->libdeflate[level] = libdeflate_alloc_compressor(level);
		if (codec->libdeflate[level] == NULL)
			return -ENOMEM;
	}

	/* The largest that zlib can be asked for must fit in its memory. */
	zip_codec_zmem_attach(&codec->zlib_mem, &codec->zlib);
	if (deflateInit2(&codec->zlib, Z_BEST_COMPRESSION, Z_DEFLATED, -ZIP_CODEC_WINDOW_MAX,
			ZIP_CODEC_ZLIB_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	return 0;
}

struct zip_codec *
zip_codec_create(size_t max_len)
{
	struct zip_codec *codec;

	if (max_len > ZIP_CODEC_LEN_MAX) {
		errno = EINVAL;
		return NULL;
	}
	codec = calloc(1, sizeof(*codec));
	if (codec == NULL)
		return NULL;
	codec->max_len = max_len;
	if (reserve_memory(codec) != 0 || make_backends(codec) != 0) {
		zip_codec_destroy(codec);
		errno = ENOMEM;
		return NULL;
	}
	return codec;
}

void
zip_codec_destroy(struct zip_codec *codec)
{
	if (codec == NULL)
		return;
	for (int level = 1; level <= ZIP_CODEC_LIBDEFLATE_LEVEL_MAX; level++)
		libdeflate_free_compressor(codec->libdeflate[level]);
	libdeflate_free_decompressor(codec->inflate_fixed);
	libdeflate_free_decompressor(codec->inflate_any);
	if (codec->memory != NULL)
		munmap(codec->memory, codec->memory_len);
	free(codec);
}
