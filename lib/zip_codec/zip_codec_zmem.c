/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "zip_codec_zmem.h"

#define ZMEM_ALIGN ((size_t)64) /* a cache line, and any vector type */

static voidpf
zmem_alloc(voidpf opaque, uInt items, uInt size)
{
	struct zip_codec_zmem *mem = opaque;
	/* zlib asks for a few items of a few KB: no overflow in 64 bits. */
	uint64_t need = ((uint64_t)items * size + ZMEM_ALIGN - 1) & ~(uint64_t)(ZMEM_ALIGN - 1);
	voidpf ret;

	if (need > mem->size - mem->used)
		return Z_NULL;
	ret = mem->base + mem->used;
	mem->used += (size_t)need;
	return ret;
}

static void
zmem_free(voidpf opaque, voidpf address)
{
	/* All at once, in zip_codec_zmem_attach(). */
	(void)opaque;
	(void)address;
}

void
zip_codec_zmem_attach(struct zip_codec_zmem *mem, z_stream *strm)
{
	mem->used = 0;
	memset(strm, 0, sizeof(*strm));
	strm->zalloc = zmem_alloc;
	strm->zfree = zmem_free;
	strm->opaque = mem;
}
