/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "zip_codec_checksum.h"
#include "zip_codec_internal.h"
#include "zip_codec_iov.h"

/*
 * DEFLATE's best case is a match of 258 bytes in 2 bits, so a destination of
 * less than a 1032nd of the source needs no try.
 */
#define RATIO_MAX 1032

/* A partial result that fills this share of dst is good enough, in 1/16. */
#define PARTIAL_GOOD 14
/* Every try costs as much as a compression of what fits. */
#define PARTIAL_TRIES 5
/* Inputs longer than that are cut where room may be missing, and cut again. Each is on its own. */
#define PARTIAL_LONG  ((size_t)256 << 10)
#define PARTIAL_SHORT ((size_t)32 << 10)
/* Inputs longer than that are not tried again at a level that takes its time. */
#define PARTIAL_LEVEL_LEN ((size_t)16 << 10)
#define PARTIAL_LEVEL     6

static const struct zip_codec_plan stored_plan = { .backend = ZIP_CODEC_BACKEND_STORED };

/* All that the steps of one call need to know of it. */
struct deflate_call {
	struct zip_codec *codec;
	const struct zip_codec_params *params;
	const uint8_t *src; /* linear */
	size_t len;
	const struct iovec *dst;
	unsigned int dst_cnt;
	uint8_t *dst_linear; /* NULL if dst is chained */
	size_t cap;
	int whole;
};

static void
put_out(const struct deflate_call *call, size_t produced)
{
	zip_codec_iov_scatter(call->dst, call->dst_cnt, call->codec->dst_scratch, produced);
}

/* An empty input needs no backend: 10 bits of an empty fixed block, or a sync marker. */
static size_t
deflate_empty(const struct deflate_call *call)
{
	static const uint8_t final[] = { 0x03, 0x00 };
	static const uint8_t final_stored[] = { 0x01, 0x00, 0x00, 0xff, 0xff };
	static const uint8_t marker[] = { 0x00, 0x00, 0x00, 0xff, 0xff };
	const uint8_t *from = marker;
	size_t n = sizeof(marker);

	if (call->whole) {
		from = call->params->level == 0 ? final_stored : final;
		n = call->params->level == 0 ? sizeof(final_stored) : sizeof(final);
	}
	if (n > call->cap)
		return 0;
	zip_codec_iov_scatter(call->dst, call->dst_cnt, from, n);
	return n;
}

/*
 * Compress everything. Returns the bytes produced, 0 if they do not fit;
 * *needed then is a size that is known not to fit, to guess from.
 */
static size_t
deflate_all(const struct deflate_call *call, size_t *needed)
{
	struct zip_codec *codec = call->codec;
	struct zip_codec_plan plan =
		zip_codec_plan_oneshot(call->params, call->whole, call->len);
	size_t stored = zip_codec_stored_size(call->len);
	uint8_t *out = call->dst_linear;
	size_t cap = call->cap, n;

	/*
	 * The scratch holds the output of any input; to offer more is of no use either. In less
	 * than that a backend may fail that lacks nothing but its margin, having done all the work.
	 */
	if (out == NULL || cap < stored) {
		out = codec->dst_scratch;
		cap = codec->dst_scratch_len;
	} else if (cap > codec->dst_scratch_len) {
		cap = codec->dst_scratch_len;
	}

	n = zip_codec_backend_run(codec, &plan, call->whole, call->src, call->len, out, cap);
	if ((n == 0 || n > stored) && stored <= call->cap)
		n = zip_codec_backend_run(codec, &stored_plan, call->whole, call->src, call->len,
				out, stored);
	if (n == 0 || n > call->cap) {
		*needed = n != 0 ? n : stored;
		return 0;
	}
	if (out == codec->dst_scratch)
		put_out(call, n);
	return n;
}

/* The longest input whose stored blocks fit in cap. */
static size_t
stored_prefix(size_t cap)
{
	const size_t block = 65535 + 5;
	size_t rest = cap % block;

	return cap / block * 65535 + (rest > 5 ? rest - 5 : 0);
}

/*
 * Compress [at, at + len) or, if that does not fit, nothing; the output goes behind what the
 * scratch has. *n is set to its size.
 */
static bool
deflate_piece(const struct deflate_call *call, const struct zip_codec_plan *plan, int whole,
		size_t at, size_t len, size_t have, size_t *n)
{
	uint8_t *out = call->codec->dst_scratch + have;
	size_t stored = zip_codec_stored_size(len), room = call->codec->dst_scratch_len - have;

	*n = zip_codec_backend_run(call->codec, plan, whole, call->src + at, len, out, room);
	if (*n == 0 || *n > stored)
		*n = zip_codec_backend_run(call->codec, &stored_plan, whole, call->src + at, len,
				out, room);
	return *n <= call->cap - have;
}

/* What is done of a call, in the scratch. */
struct deflate_done {
	size_t consumed;
	size_t produced;
};

/*
 * Go on in pieces of step bytes as long as they fit.
 * @return The size of the one that does not fit; 0: all is done.
 */
static size_t
deflate_pieces(const struct deflate_call *call, size_t step, struct deflate_done *done)
{
	while (done->consumed != call->len) {
		size_t left = call->len - done->consumed, len = left < step ? left : step, n;
		int whole = call->whole && len == left;
		struct zip_codec_plan plan = zip_codec_plan_oneshot(call->params, whole, len);

		if (!deflate_piece(call, &plan, whole, done->consumed, len, done->produced, &n))
			return n;
		done->consumed += len;
		done->produced += n;
	}
	return 0;
}

/*
 * Go on with a prefix of the next len bytes that fits. needed is what all of them take. The size
 * of a prefix is close to proportional to its length, so a few steps of
 * regula falsi get near; whatever happens, stored blocks remain.
 */
static void
deflate_prefix(const struct deflate_call *call, size_t len, size_t needed,
		struct deflate_done *done)
{
	const struct deflate_done from = *done;
	const size_t cap = call->cap - from.produced;
	size_t fits = 0, fits_not = len;
	size_t guess_len = len, guess_size = needed, stored;

	/* Less than all: stored blocks would have been taken if these fitted. */
	stored = stored_prefix(cap);

	for (int i = 0; i < PARTIAL_TRIES; i++) {
		struct zip_codec_plan plan;
		/* Aim at 31/32 of the room, less a marker. */
		size_t room = cap - cap / 32;
		size_t n, try;

		room = room > 16 ? room - 16 : 0;
		try = (size_t)((double)guess_len * (double)room / (double)guess_size);
		if (try <= fits)
			try = fits + (fits_not - fits) / 2;
		if (try >= fits_not)
			try = fits + (fits_not - fits) / 2;
		if (try <= fits || try <= stored)
			break;

		plan = zip_codec_plan_oneshot(call->params, 0, try);
		if (deflate_piece(call, &plan, 0, from.consumed, try, from.produced, &n)) {
			fits = try;
			done->produced = from.produced + n;
			/* The next try goes over it. */
			put_out(call, done->produced);
			if (n >= cap / 16 * PARTIAL_GOOD)
				break;
		} else {
			fits_not = try;
		}
		guess_len = try;
		guess_size = n;
	}

	if (stored > fits) {
		size_t n;

		fits = stored;
		(void)deflate_piece(call, &stored_plan, 0, from.consumed, fits, from.produced, &n);
		done->produced = from.produced + n;
	}
	if (fits == stored)
		put_out(call, done->produced);
	done->consumed = from.consumed + fits;
}

/*
 * As much as fits, in a time that is not much longer than that of all at once: in long
 * pieces, then in short ones of the first that is too long, and a prefix of the first of these.
 */
static void
deflate_partial(const struct deflate_call *all, size_t needed, struct deflate_done *done)
{
	struct zip_codec_params params = *all->params;
	struct deflate_call again = *all;
	const struct deflate_call *call = &again;

	again.params = &params;
	if (call->len > PARTIAL_LEVEL_LEN && params.level > PARTIAL_LEVEL)
		params.level = PARTIAL_LEVEL;
	if (call->len > PARTIAL_LONG)
		needed = deflate_pieces(call, PARTIAL_LONG, done);
	if (call->len > PARTIAL_SHORT && needed != 0)
		needed = deflate_pieces(call, PARTIAL_SHORT, done);
	if (needed != 0) {
		size_t left = call->len - done->consumed;

		deflate_prefix(call, left < PARTIAL_SHORT ? left : PARTIAL_SHORT, needed, done);
	} else {
		put_out(call, done->produced);
	}
}

int
zip_codec_deflate(struct zip_codec *codec, const struct zip_codec_params *params,
		enum zip_codec_flush flush, int partial,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	struct zip_codec_sum sum = zip_codec_sum_start(params);
	struct deflate_call call = {
		.codec = codec,
		.params = params,
		.dst = dst,
		.dst_cnt = dst_cnt,
		.whole = flush == ZIP_CODEC_FLUSH_FINISH,
	};
	struct deflate_done done = { 0 };
	struct zip_codec_plan plan;
	size_t needed = 0;
	int summed = 0;
	bool may_cut;
	int ret;

	*result = (struct zip_codec_result){
		.crc32 = params->crc32,
		.adler32 = params->adler32,
	};
	if (params->dict_len != 0)
		return zip_codec_dict_deflate(codec, params, flush, src, src_cnt, dst, dst_cnt,
			result);
	if (zip_codec_plan_check(params) != 0 || flush < ZIP_CODEC_FLUSH_SYNC ||
			flush > ZIP_CODEC_FLUSH_FINISH)
		return -EINVAL;
	call.len = zip_codec_iov_len(src, src_cnt);
	call.cap = zip_codec_iov_len(dst, dst_cnt);
	ret = zip_codec_scratch_room(codec, call.len);
	if (ret != 0)
		return ret;

	if (call.len == 0) {
		result->produced = deflate_empty(&call);
		return result->produced == 0 ? -ENOSPC : 0;
	}
	if (call.cap < 2 || (call.cap < call.len / RATIO_MAX && !partial))
		return -ENOSPC;

	call.src = zip_codec_iov_linear(src, src_cnt, call.len);
	call.dst_linear = zip_codec_iov_linear(dst, dst_cnt, call.cap);
	plan = zip_codec_plan_oneshot(params, call.whole, call.len);
	may_cut = partial && call.len > PARTIAL_SHORT &&
		zip_codec_stored_size(call.len) > call.cap;
	/* The last piece may be another backend's. */
	if (call.src == NULL || may_cut || zip_codec_plan_wants_copy(&plan)) {
		zip_codec_iov_gather(src, src_cnt, codec->src_scratch, &sum);
		summed = 1;
		call.src = codec->src_scratch;
	}

	/* A long one that may not fit is not tried as a whole first, as that may be for nothing. */
	if (!may_cut || call.len <= PARTIAL_LONG) {
		done.produced = deflate_all(&call, &needed);
		if (done.produced != 0)
			done.consumed = call.len;
	}
	if (done.produced == 0 && partial) {
		deflate_partial(&call, needed, &done);
		if (summed)
			sum = zip_codec_sum_start(params);
		summed = 0;
	}
	if (done.consumed != 0 && !summed)
		zip_codec_sum_update(&sum, call.src, done.consumed);
	if (done.consumed != 0)
		zip_codec_sum_report(&sum, result);
	result->consumed = done.consumed;
	result->produced = done.produced;
	return done.consumed == call.len ? 0 : -ENOSPC;
}
