/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <lz4.h>
#include <lz4hc.h>
#include <xxhash.h>

#include "zip_codec_internal.h"
#include "zip_codec_iov.h"

/*
 * LZ4 frames: header, blocks, end mark, perhaps a checksum. The blocks are
 * liblz4's; the frame around them is made and read here.
 *
 *   magic 4 | FLG 1 | BD 1 | [content size 8] | [dictionary id 4] | HC 1
 *   { size 4 (bit 31: stored) | bytes | [XXH32 of the bytes 4] }
 *   0 4 | [XXH32 of the content 4]
 *
 * Why not with liblz4's frame functions (1.9.4; contexts made beforehand; English text):
 * - A frame of linked blocks frees its 64 KiB of history and allocates as much, cleared. That is
 *   84 thousand instructions in place of 17 for 1 KiB at level 1 (297 in place of 416 MB/s), 125 in
 *   place of 59 for 4 KiB, 1065 in place of 964 for 64 KiB.
 * - Output needs room for the worst case, and a copy where there is less. Stored blocks (level 0)
 *   are no part of the stable interface.
 * - The decoder allocates up to 8 MiB, as the frame's header wishes. Where the room is less than a
 *   block may need, it copies: 10 % more instructions for 1 KiB, 4 % for 4 KiB, none for 64 KiB. It
 *   tells what is wrong with a frame by a text only, and takes a skippable one.
 *
 * Input that changes meanwhile: the compressors of liblz4 read their input
 * more than once, so they get a private copy. LZ4_decompress_safe*() reads a
 * length or an offset once, holds what it makes of it against both ends of both
 * buffers, and copies; so other bytes make other output and nothing else. What
 * a match copies is read back from dst, where it was checked to lie.
 */

#define LZ4_MAGIC       0x184d2204u
#define LZ4_STORED      0x80000000u /* block size: bytes as they are */
#define LZ4_HEADER_MIN  7u
#define LZ4_WORD        4u          /* block size, end mark, checksums */

#define LZ4_FLG_VERSION      0x40u
#define LZ4_FLG_VERSION_MASK 0xc0u
#define LZ4_FLG_RSVD         0x02u
#define LZ4_FLG_DICT_ID      0x01u
#define LZ4_BD_RSVD          0x8fu
#define LZ4_BD_SHIFT         4
#define LZ4_BD_MIN           4       /* 64 KiB; each further one is four times as much */
#define LZ4_BD_MAX           7

#define LZ4_WINDOW_LEN  ((size_t)64 << 10) /* farthest that a match can reach, and a byte */
#define LZ4_FAST_LEVEL_MAX 2        /* the levels above search chains, as in liblz4 */

/* How liblz4's decoder takes a sequence: see block_room(). */
#define LZ4_SHORT_IN           16u /* literals and offset of a short one, at most */
#define LZ4_SHORT_OUT          32u /* what one makes, at most */
#define LZ4_BEHIND_LITERALS_IN 8u  /* offset, token, 5 literals */
#define LZ4_BEHIND_LITERALS    12u
#define LZ4_BEHIND_LENGTH_IN   4u  /* of a match */
#define LZ4_BEHIND_MATCH       5u

static inline size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static inline uint32_t
lz4_get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void
lz4_put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static size_t
block_max(unsigned int bd)
{
	return (size_t)1 << (8 + 2 * bd);
}

/* ---- Compression ---- */

/* Where the output goes, and how much room is left there. */
struct lz4_out {
	uint8_t *at;
	size_t room;
};

static void
out_word(struct lz4_out *out, uint32_t v)
{
	lz4_put32(out->at, v);
	out->at += LZ4_WORD;
	out->room -= LZ4_WORD;
}

/*
 * One block's bytes. linked: it may refer to the bytes before it; so they are
 * made known again if liblz4 lost them, as it does when a block does not fit.
 * Returns the bytes written, 0 if cap is not enough.
 */
static size_t
block_compress(struct zip_codec *codec, unsigned int level, bool linked, size_t before,
		const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	const char *in = (const char *)src;
	int n;

	if (before > LZ4_WINDOW_LEN)
		before = LZ4_WINDOW_LEN;
	if (level <= LZ4_FAST_LEVEL_MAX) {
		if (!codec->lz4_ready)
			LZ4_initStream(codec->lz4, sizeof(*codec->lz4));
		else if (!linked || before == 0)
			LZ4_resetStream_fast(codec->lz4);
		if (!codec->lz4_ready && linked && before != 0)
			LZ4_loadDict(codec->lz4, in - before, (int)before);
		n = LZ4_compress_fast_continue(codec->lz4, in, (char *)dst, (int)len, (int)cap, 1);
		codec->lz4_ready = n > 0;
	} else {
		if (!codec->lz4hc_ready)
			LZ4_initStreamHC(codec->lz4hc, sizeof(*codec->lz4hc));
		if (!codec->lz4hc_ready || !linked || before == 0)
			LZ4_resetStreamHC_fast(codec->lz4hc, (int)level);
		if (!codec->lz4hc_ready && linked && before != 0)
			LZ4_loadDictHC(codec->lz4hc, in - before, (int)before);
		n = LZ4_compress_HC_continue(codec->lz4hc, in, (char *)dst, (int)len, (int)cap);
		codec->lz4hc_ready = n > 0;
	}
	return n > 0 ? (size_t)n : 0;
}

/* One block, whichever form is smaller. Returns false if it does not fit. */
static bool
out_block(struct zip_codec *codec, const struct zip_codec_params *params, unsigned int level,
		bool linked, size_t before, const uint8_t *src, size_t len, struct lz4_out *out)
{
	const size_t around = LZ4_WORD + (params->lz4_flags & ZIP_CODEC_LZ4_BLOCK_CHECKSUM ?
		LZ4_WORD : 0);
	uint8_t *bytes = out->at + LZ4_WORD;
	size_t room, n = 0;

	if (out->room <= around)
		return false;
	room = out->room - around;
	if (level > 0 && len > 1)
		n = block_compress(codec, level, linked, before, src, len, bytes,
			room < len - 1 ? room : len - 1);
	if (n == 0) {
		if (room < len)
			return false;
		memcpy(bytes, src, len);
		n = len;
		lz4_put32(out->at, (uint32_t)n | LZ4_STORED);
	} else {
		lz4_put32(out->at, (uint32_t)n);
	}
	out->at = bytes + n;
	out->room -= LZ4_WORD + n;
	if (params->lz4_flags & ZIP_CODEC_LZ4_BLOCK_CHECKSUM)
		out_word(out, XXH32(bytes, n, 0));
	return true;
}

static bool
out_header(const struct zip_codec_params *params, unsigned int bd, bool linked, size_t len,
		struct lz4_out *out)
{
	uint8_t *descriptor = out->at + LZ4_WORD;
	size_t n = 2;

	if (out->room < LZ4_HEADER_MIN + (params->lz4_flags & ZIP_CODEC_LZ4_CONTENT_SIZE ? 8u : 0))
		return false;
	out_word(out, LZ4_MAGIC);
	descriptor[0] = (uint8_t)(LZ4_FLG_VERSION | params->lz4_flags |
		(linked ? 0 : ZIP_CODEC_LZ4_BLOCK_INDEPENDENCE));
	descriptor[1] = (uint8_t)(bd << LZ4_BD_SHIFT);
	if (params->lz4_flags & ZIP_CODEC_LZ4_CONTENT_SIZE) {
		lz4_put32(descriptor + 2, (uint32_t)len);
		lz4_put32(descriptor + 6, (uint32_t)((uint64_t)len >> 32));
		n += 8;
	}
	descriptor[n] = (uint8_t)(XXH32(descriptor, n, 0) >> 8);
	out->at += n + 1;
	out->room -= n + 1;
	return true;
}

static bool
out_frame(struct zip_codec *codec, const struct zip_codec_params *params, const uint8_t *src,
		size_t len, struct lz4_out *out)
{
	/* liblz4 knows one window: a smaller one is kept by blocks that small, on their own. */
	bool whole_window = params->window == ZIP_CODEC_LZ4_WINDOW_MAX;
	bool linked = whole_window && !(params->lz4_flags & ZIP_CODEC_LZ4_BLOCK_INDEPENDENCE);
	unsigned int bd = LZ4_BD_MIN, level = zip_codec_plan_lz4(params, len);
	size_t block;

	while (whole_window && bd < LZ4_BD_MAX && block_max(bd) < len)
		bd++;
	block = whole_window ? block_max(bd) : (size_t)1 << params->window;

	if (!out_header(params, bd, linked, len, out))
		return false;
	for (size_t done = 0; done < len;) {
		size_t n = len - done < block ? len - done : block;

		if (!out_block(codec, params, level, linked, done, src + done, n, out))
			return false;
		done += n;
	}
	if (out->room < LZ4_WORD)
		return false;
	out_word(out, 0);
	return true;
}

int
zip_codec_lz4_compress(struct zip_codec *codec, const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	size_t len = zip_codec_iov_len(src, src_cnt), cap = zip_codec_iov_len(dst, dst_cnt);
	struct lz4_out out;
	uint32_t sum = 0;
	uint8_t *start;
	int ret;

	*result = (struct zip_codec_result){ 0 };
	if (params->level > ZIP_CODEC_LEVEL_MAX || params->window < ZIP_CODEC_WINDOW_MIN ||
			params->window > ZIP_CODEC_LZ4_WINDOW_MAX ||
			(params->lz4_flags & ~ZIP_CODEC_LZ4_FLAGS) != 0 ||
			(params->checksum & ~ZIP_CODEC_XXH32) != 0)
		return -EINVAL;
	ret = zip_codec_scratch_room(codec, len);
	if (ret != 0)
		return ret;

	start = zip_codec_iov_linear(dst, dst_cnt, cap);
	if (start == NULL) {
		start = codec->dst_scratch;
		/* It holds a frame of any input: stored, in the smallest blocks, with checksums. */
		if (cap > codec->dst_scratch_len)
			cap = codec->dst_scratch_len;
	}
	out = (struct lz4_out){ .at = start, .room = cap };
	zip_codec_iov_gather(src, src_cnt, codec->src_scratch, NULL);
	if (!out_frame(codec, params, codec->src_scratch, len, &out))
		return -ENOSPC;
	if ((params->lz4_flags & ZIP_CODEC_LZ4_CONTENT_CHECKSUM) || params->checksum != 0)
		sum = XXH32(codec->src_scratch, len, 0);
	if (params->lz4_flags & ZIP_CODEC_LZ4_CONTENT_CHECKSUM) {
		if (out.room < LZ4_WORD)
			return -ENOSPC;
		out_word(&out, sum);
	}
	result->consumed = len;
	result->produced = (size_t)(out.at - start);
	result->xxh32 = params->checksum != 0 ? sum : 0;
	if (start == codec->dst_scratch)
		zip_codec_iov_scatter(dst, dst_cnt, start, result->produced);
	return 0;
}

/* ---- Decompression ---- */

/* What is left of the input. */
struct lz4_in {
	const uint8_t *at;
	size_t left;
};

static const uint8_t *
in_take(struct lz4_in *in, size_t n)
{
	const uint8_t *at = in->at;

	if (in->left < n)
		return NULL;
	in->at += n;
	in->left -= n;
	return at;
}

/* What a frame's header says. */
struct lz4_header {
	uint8_t flg;
	size_t block_max;
	uint64_t content_size;
};

static int
in_header(struct lz4_in *in, struct lz4_header *h)
{
	uint8_t descriptor[2 + 8 + 4];
	const uint8_t *at = in_take(in, LZ4_HEADER_MIN);
	unsigned int bd;
	size_t more, n = 2;

	if (at == NULL || lz4_get32(at) != LZ4_MAGIC)
		return -EBADMSG;
	memcpy(descriptor, at + LZ4_WORD, 2);
	h->flg = descriptor[0];
	bd = descriptor[1] >> LZ4_BD_SHIFT;
	if ((h->flg & LZ4_FLG_VERSION_MASK) != LZ4_FLG_VERSION || (h->flg & LZ4_FLG_RSVD) != 0 ||
			(descriptor[1] & LZ4_BD_RSVD) != 0 || bd < LZ4_BD_MIN)
		return -EBADMSG;
	h->block_max = block_max(bd);

	/* The rest is behind where the header's checksum is in the shortest one. */
	more = (h->flg & ZIP_CODEC_LZ4_CONTENT_SIZE ? 8 : 0) + (h->flg & LZ4_FLG_DICT_ID ? 4 : 0);
	at += LZ4_WORD + n;
	if (in_take(in, more) == NULL)
		return -EBADMSG;
	memcpy(descriptor + n, at, more);
	n += more;
	if (at[more] != (uint8_t)(XXH32(descriptor, n, 0) >> 8))
		return -EILSEQ;
	h->content_size = h->flg & ZIP_CODEC_LZ4_CONTENT_SIZE ?
		lz4_get32(descriptor + 2) | (uint64_t)lz4_get32(descriptor + 6) << 32 : 0;
	return 0;
}

/* A length's further bytes: 255 goes on. Returns false if they do not end. */
static bool
read_length(const uint8_t *src, size_t len, size_t *at, size_t *length)
{
	uint8_t byte;

	do {
		if (*at == len)
			return false;
		byte = src[(*at)++];
		*length += byte;
	} while (byte == 255);
	return true;
}

/*
 * The least room with which liblz4 takes a block; SIZE_MAX: it never does. It does not say itself
 * whether a block is wrong or the room too small. before: bytes before it that a match may reach.
 *
 * These are the rules of its decoder (1.9.4, 1.10.0). Behind the literals and behind the match of a
 * sequence are some more bytes, in the block and in the room: so it may want more room than the
 * block fills. A short sequence that is far from both ends is copied without these checks: so
 * nothing but a token may follow it.
 */
static size_t
block_room(const uint8_t *src, size_t len, size_t before)
{
	size_t at = 0, done = 0, room = 0;

	for (;;) {
		uint8_t token = src[at++];
		size_t literals = token >> 4, match = token & 15, need = SIZE_MAX, start = done;
		bool is_short = literals < 15 && len - at > LZ4_SHORT_IN;
		bool is_long_match = match == 15;
		unsigned int offset;

		if (literals == 15 && !read_length(src, len, &at, &literals))
			return SIZE_MAX;
		if (literals > len - at)
			return SIZE_MAX;
		at += literals;
		done += literals;
		if (at == len) {
			/* Without any room it takes one block: a byte of 0. */
			if (len == 1 && token != 0)
				return 1;
			return larger(room, done);
		}
		if (len - at >= LZ4_BEHIND_LITERALS_IN)
			need = done + LZ4_BEHIND_LITERALS;
		else if (!is_short)
			return SIZE_MAX;
		offset = src[at] | (unsigned int)src[at + 1] << 8;
		at += 2;
		if (offset > done + before)
			return SIZE_MAX;
		if (is_long_match && (len - at < LZ4_BEHIND_LENGTH_IN ||
				!read_length(src, len - LZ4_BEHIND_LENGTH_IN, &at, &match)))
			return SIZE_MAX;
		done += match + 4;
		if (need != SIZE_MAX)
			need = larger(need, done + LZ4_BEHIND_MATCH);
		if (is_short) {
			size_t fast = start + LZ4_SHORT_OUT;

			if (is_long_match || offset < 8)
				fast = larger(fast, done + LZ4_BEHIND_MATCH);
			if (fast < need)
				need = fast;
		}
		room = larger(room, need);
	}
}

/* One block to out[done...cap). Returns its length or negative errno. */
static ssize_t
in_block(const struct lz4_header *h, const uint8_t *src, size_t n, bool stored, uint8_t *out,
		size_t done, size_t cap)
{
	size_t room = cap - done, before = 0;
	size_t most = room < h->block_max ? room : h->block_max;
	int ret;

	if (stored) {
		if (n > room)
			return -ENOSPC;
		memcpy(out + done, src, n);
		return (ssize_t)n;
	}
	if (!(h->flg & ZIP_CODEC_LZ4_BLOCK_INDEPENDENCE))
		before = done < LZ4_WINDOW_LEN ? done : LZ4_WINDOW_LEN;
	ret = LZ4_decompress_safe_usingDict((const char *)src, (char *)out + done, (int)n,
		(int)most, (const char *)out + done - before, (int)before);
	if (ret < 0) {
		size_t need = block_room(src, n, before);

		return need > room && need <= h->block_max ? -ENOSPC : -EBADMSG;
	}
	return ret;
}

static int
in_frame(struct lz4_in *in, uint8_t *out, size_t cap, size_t *produced, bool *summed, uint32_t *sum)
{
	struct lz4_header h;
	const uint8_t *at;
	size_t done = 0;
	int ret = in_header(in, &h);

	if (ret != 0)
		return ret;
	for (;;) {
		const uint8_t *bytes;
		uint32_t word;
		ssize_t len;
		size_t n;

		at = in_take(in, LZ4_WORD);
		if (at == NULL)
			return -EBADMSG;
		word = lz4_get32(at);
		if (word == 0)
			break;
		n = word & ~LZ4_STORED;
		bytes = n <= h.block_max ? in_take(in, n) : NULL;
		if (bytes == NULL)
			return -EBADMSG;
		if (h.flg & ZIP_CODEC_LZ4_BLOCK_CHECKSUM) {
			at = in_take(in, LZ4_WORD);
			if (at == NULL)
				return -EBADMSG;
			if (lz4_get32(at) != XXH32(bytes, n, 0))
				return -EILSEQ;
		}
		len = in_block(&h, bytes, n, word & LZ4_STORED, out, done, cap);
		if (len < 0)
			return (int)len;
		done += (size_t)len;
	}
	if ((h.flg & ZIP_CODEC_LZ4_CONTENT_SIZE) && h.content_size != done)
		return -EBADMSG;
	*produced = done;
	*summed = h.flg & ZIP_CODEC_LZ4_CONTENT_CHECKSUM;
	if (*summed) {
		at = in_take(in, LZ4_WORD);
		if (at == NULL)
			return -EBADMSG;
		*sum = XXH32(out, done, 0);
		if (lz4_get32(at) != *sum)
			return -EILSEQ;
	}
	return 0;
}

int
zip_codec_lz4_decompress(struct zip_codec *codec, const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	size_t len = zip_codec_iov_len(src, src_cnt), cap = zip_codec_iov_len(dst, dst_cnt);
	struct lz4_in in = { .left = len };
	size_t produced;
	bool summed;
	uint32_t sum;
	uint8_t *out;
	int ret;

	*result = (struct zip_codec_result){ 0 };
	if ((params->checksum & ~ZIP_CODEC_XXH32) != 0)
		return -EINVAL;
	ret = zip_codec_scratch_room(codec, len > cap ? len : cap);
	if (ret != 0)
		return ret;
	in.at = zip_codec_iov_linear(src, src_cnt, len);
	if (in.at == NULL) {
		zip_codec_iov_gather(src, src_cnt, codec->src_scratch, NULL);
		in.at = codec->src_scratch;
	}
	out = zip_codec_iov_linear(dst, dst_cnt, cap);
	if (out == NULL)
		out = codec->dst_scratch;

	ret = in_frame(&in, out, cap, &produced, &summed, &sum);
	if (ret != 0)
		return ret;
	if (params->checksum != 0)
		result->xxh32 = summed ? sum : XXH32(out, produced, 0);
	if (out == codec->dst_scratch)
		zip_codec_iov_scatter(dst, dst_cnt, out, produced);
	result->consumed = len - in.left;
	result->produced = produced;
	result->end = 1;
	return 0;
}
