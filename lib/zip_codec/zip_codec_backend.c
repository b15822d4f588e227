/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "zip_codec_internal.h"

/*
 * Input that changes while a backend reads it. Every backend bounds its reads
 * and writes by lengths that it keeps itself, never by what it finds in the
 * input, but three of them read the input twice:
 * - ISA-L levels 1 to 3 find matches, put literals and matches into tokens of
 *   their own, and from then on only read the tokens; a match is compared
 *   again to find its full length, within the bounds of the input. A match
 *   can then stand for other bytes than the input had: wrong output, but
 *   inside dst. Level 0 writes each symbol as it finds it.
 * - libdeflate re-reads the literals when it writes a block. Up to 1.18 each
 *   write is bounded; since 1.19 it relies on the size worked out beforehand,
 *   and literals changed into ones with longer codes would take it out of
 *   dst. So it only ever gets a private copy. The copy costs 1 % of level 1
 *   and less of the others.
 * - our own stored writer copies.
 * zlib copies input into its window and works from there.
 *
 * Input that ends where memory ends. ISA-L's arm64 code compares matches and
 * takes the last literals by loads of 8 and 4 bytes that may begin at the last
 * byte of the input. What it finds behind it has no influence, but must be
 * readable. So outside x86 ISA-L, too, only gets a private copy.
 */

static size_t
run_stored(int whole, const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	const size_t block_max = 65535;
	uint8_t *out = dst;

	if (cap < zip_codec_stored_size(len))
		return 0;
	do {
		size_t n = len < block_max ? len : block_max;

		*out++ = whole && n == len; /* BFINAL; BTYPE 00; padding */
		*out++ = (uint8_t)n;
		*out++ = (uint8_t)(n >> 8);
		*out++ = (uint8_t)~n;
		*out++ = (uint8_t)(~n >> 8);
		memcpy(out, src, n);
		out += n;
		src += n;
		len -= n;
	} while (len != 0);
	return (size_t)(out - dst);
}

static void
isal_start(struct zip_codec *codec, const struct zip_codec_plan *plan, int whole,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	/* The sizes that suit each level; more only makes blocks too long to fit their codes. */
	static const uint32_t level_buf_size[] = {
		ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT,
		ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT,
	};
	struct isal_zstream *isal = codec->isal;

	isal_deflate_init(isal);
	isal->level = plan->level;
	isal->level_buf = codec->isal_level_buf;
	isal->level_buf_size = level_buf_size[plan->level];
	isal->hist_bits = plan->window;
	isal->flush = whole ? NO_FLUSH : FULL_FLUSH;
	isal->end_of_stream = whole != 0;
	isal->next_in = (uint8_t *)(uintptr_t)src;
	isal->avail_in = (uint32_t)len;
	isal->next_out = dst;
	isal->avail_out = (uint32_t)cap;
}

static size_t
run_isal(struct zip_codec *codec, const struct zip_codec_plan *plan, int whole,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	isal_start(codec, plan, whole, src, len, dst, cap);
	if (isal_deflate_stateless(codec->isal) != COMP_OK)
		return 0;
	return codec->isal->total_out;
}

/*
 * The streaming call, because the stateless one answers an input that starts
 * with a run of 00 or ff with a ready-made block with dynamic codes. Given all
 * the input at once it does not copy it either, and it is as fast.
 */
static size_t
run_isal_fixed(struct zip_codec *codec, const struct zip_codec_plan *plan, int whole,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	struct isal_zstream *isal = codec->isal;

	isal_start(codec, plan, whole, src, len, dst, cap);
	isal_deflate_set_hufftables(isal, NULL, IGZIP_HUFFTABLE_STATIC);
	if (isal_deflate(isal) != COMP_OK)
		return 0;
	/* All is out when the next thing would be a new block, or nothing. */
	if (isal->internal_state.state != (whole ? ZSTATE_END : ZSTATE_NEW_HDR) ||
			isal->avail_in != 0)
		return 0;
	return isal->total_out;
}

static size_t
run_libdeflate(struct zip_codec *codec, const struct zip_codec_plan *plan,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	return libdeflate_deflate_compress(codec->libdeflate[plan->level], src, len, dst, cap);
}

void
zip_codec_zlib_effort(z_stream *zlib, uint8_t level, size_t len)
{
	/* zlib's own values of the levels that would try more matches than the bounds let them. */
	static const struct {
		int good, lazy, nice, chain;
	} levels[] = {
		[7] = { 8, 32, 128, 256 },
		[8] = { 32, 128, 258, 1024 },
		[9] = { 32, 258, 258, 4096 },
	};
	unsigned int most = zip_codec_plan_chain(len);

	if (level < 7)
		return;
	if (most > (unsigned int)levels[level].chain)
		most = (unsigned int)levels[level].chain;
	(void)deflateTune(zlib, levels[level].good, levels[level].lazy, levels[level].nice,
			(int)most);
}

int
zip_codec_zlib_start(struct zip_codec *codec, const struct zip_codec_plan *plan, size_t len)
{
	if (codec->zlib_ready && codec->zlib_plan.level == plan->level &&
			codec->zlib_plan.window == plan->window &&
			codec->zlib_plan.strategy == plan->strategy) {
		if (deflateReset(&codec->zlib) != Z_OK)
			return Z_STREAM_ERROR;
	} else {
		codec->zlib_ready = 0;
		zip_codec_zmem_attach(&codec->zlib_mem, &codec->zlib);
		if (deflateInit2(&codec->zlib, plan->level, Z_DEFLATED, -plan->window,
				ZIP_CODEC_ZLIB_MEM_LEVEL, plan->strategy) != Z_OK)
			return Z_MEM_ERROR;
		codec->zlib_plan = *plan;
		codec->zlib_ready = 1;
	}
	zip_codec_zlib_effort(&codec->zlib, plan->level, len);
	return Z_OK;
}

static size_t
run_zlib(struct zip_codec *codec, const struct zip_codec_plan *plan, int whole,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	z_stream *zlib = &codec->zlib;
	int ret;

	if (zip_codec_zlib_start(codec, plan, len) != Z_OK)
		return 0;
	zlib->next_in = (uint8_t *)(uintptr_t)src;
	zlib->avail_in = (uInt)len;
	zlib->next_out = dst;
	zlib->avail_out = (uInt)cap;
	ret = deflate(zlib, whole ? Z_FINISH : Z_FULL_FLUSH);
	/* A flush is known to be complete only if room is left over. */
	if (whole ? ret != Z_STREAM_END : ret != Z_OK || zlib->avail_out == 0)
		return 0;
	return cap - zlib->avail_out;
}

size_t
zip_codec_backend_run(struct zip_codec *codec, const struct zip_codec_plan *plan, int whole,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	switch (plan->backend) {
	case ZIP_CODEC_BACKEND_STORED:
		return run_stored(whole, src, len, dst, cap);
	case ZIP_CODEC_BACKEND_ISAL:
		return run_isal(codec, plan, whole, src, len, dst, cap);
	case ZIP_CODEC_BACKEND_ISAL_FIXED:
		return run_isal_fixed(codec, plan, whole, src, len, dst, cap);
	case ZIP_CODEC_BACKEND_LIBDEFLATE:
		return run_libdeflate(codec, plan, src, len, dst, cap);
	default:
		return run_zlib(codec, plan, whole, src, len, dst, cap);
	}
}
