/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
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

	/* The scratch holds the output of any input; to offer more is of no use either. */
	if (out == NULL || cap > codec->dst_scratch_len)
		cap = codec->dst_scratch_len;
	if (out == NULL)
		out = codec->dst_scratch;

	n = zip_codec_backend_run(codec, &plan, call->whole, call->src, call->len, out, cap);
	if (n == 0 && call->cap < stored && plan.backend != ZIP_CODEC_BACKEND_STORED) {
		/* Perhaps only the backend's margin was missing. */
		out = codec->dst_scratch;
		n = zip_codec_backend_run(codec, &plan, call->whole, call->src, call->len,
				out, codec->dst_scratch_len);
	}
	if ((n == 0 || n > stored) && stored <= call->cap) {
		out = call->dst_linear != NULL ? call->dst_linear : codec->dst_scratch;
		n = zip_codec_backend_run(codec, &stored_plan, call->whole, call->src, call->len,
				out, stored);
	}
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
 * Compress a prefix that fits. needed is what all of the input takes. The size
 * of a prefix is close to proportional to its length, so a few steps of
 * regula falsi get near; whatever happens, stored blocks remain.
 */
static size_t
deflate_prefix(const struct deflate_call *call, size_t needed, size_t *consumed)
{
	struct zip_codec *codec = call->codec;
	size_t fits = 0, fits_not = call->len;
	size_t guess_len = call->len, guess_size = needed, stored, produced = 0;

	/* Less than all: deflate_all() would have taken stored blocks if these fitted. */
	stored = stored_prefix(call->cap);

	for (int i = 0; i < PARTIAL_TRIES; i++) {
		struct zip_codec_plan plan;
		/* Aim at 31/32 of the room, less a marker. */
		size_t room = call->cap - call->cap / 32;
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
		n = zip_codec_backend_run(codec, &plan, 0, call->src, try,
				codec->dst_scratch, codec->dst_scratch_len);
		if (n == 0)
			break;
		if (n <= call->cap) {
			fits = try;
			produced = n;
			put_out(call, n);
			if (n >= call->cap / 16 * PARTIAL_GOOD)
				break;
		} else {
			fits_not = try;
		}
		guess_len = try;
		guess_size = n;
	}

	if (stored > fits) {
		fits = stored;
		produced = zip_codec_backend_run(codec, &stored_plan, 0, call->src, fits,
				codec->dst_scratch, codec->dst_scratch_len);
		put_out(call, produced);
	}
	*consumed = fits;
	return produced;
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
	struct zip_codec_plan plan;
	size_t needed = 0;
	int summed = 0;
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
	if (call.src == NULL || zip_codec_plan_wants_copy(&plan)) {
		zip_codec_iov_gather(src, src_cnt, codec->src_scratch, &sum);
		summed = 1;
		call.src = codec->src_scratch;
	}

	result->produced = deflate_all(&call, &needed);
	if (result->produced != 0) {
		if (!summed)
			zip_codec_sum_update(&sum, call.src, call.len);
		zip_codec_sum_report(&sum, result);
		result->consumed = call.len;
		return 0;
	}
	if (partial) {
		result->produced = deflate_prefix(&call, needed, &result->consumed);
		sum = zip_codec_sum_start(params);
		zip_codec_sum_update(&sum, call.src, result->consumed);
		zip_codec_sum_report(&sum, result);
	}
	return -ENOSPC;
}
