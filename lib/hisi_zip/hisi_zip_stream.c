/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "hisi_qm_regs.h"
#include "hisi_zip_bits.h"
#include "hisi_zip_stream.h"

/* Where the bits are that were taken but not decoded, behind the history (ZIP 5.6). */
#define CACHE_OFF   (HISI_ZIP_CTX_HW_OFF + 0xc00u)
#define CACHE_ALIGN 16u
#define CACHE_BITS(dw0) ((dw0) >> 10 & 0x3fu)

/* A block with BFINAL, fixed codes, and no symbol but the end of the block; byte aligned. */
static const uint8_t final_block[] = { 0x03, 0x00 };

_Static_assert(HISI_ZIP_STREAM_STORE_OFF + HISI_ZIP_STREAM_STORE_LEN + sizeof(final_block) <=
	HISI_ZIP_STREAM_TRAILER_OFF && HISI_ZIP_STREAM_TRAILER_OFF + HISI_ZIP_STREAM_TRAILER_LEN <=
	HISI_ZIP_CTX_SIZE && HISI_ZIP_STREAM_STORE_LEN > HISI_ZIP_STREAM_ROOM_MIN, "layout");

void
hisi_zip_stream_init(struct hisi_zip_plain_stream *s, const struct hisi_zip_function *f,
		enum hisi_zip_dir dir, uint8_t window, uint8_t *ctx)
{
	const struct hisi_zip_job job = { .dir = dir, .window = window };
	const struct hisi_zip_function plain = { .revision = f->revision };
	bool raw = f->revision >= HISI_QM_REV_V3;

	*s = (struct hisi_zip_plain_stream){ .ctx = ctx, .dir = (uint8_t)dir,
		.trailer_len = raw ? 0 : HISI_ZIP_STREAM_TRAILER_LEN };
	hisi_zip_words_set(&s->words, &plain, &job);
	if (!raw)
		s->words.dw9 = HISI_ZIP_REQ_ZLIB;
	memset(ctx + HISI_ZIP_STREAM_TRAILER_OFF, 0, HISI_ZIP_STREAM_TRAILER_LEN);
}

static uint32_t
least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* ---- Before the request -------------------------------------------------------------------- */

/* Only bytes that the function has had already are missing to the end. */
static bool
passes_over(const struct hisi_zip_plain_stream *s)
{
	return s->held > 0 && !s->trailer;
}

/* Is there something to do for the function? */
static bool
wants_request(const struct hisi_zip_plain_stream *s, const struct hisi_zip_stream_op *op)
{
	return !s->ended && !passes_over(s) && (op->src_len > 0 || s->more || s->trailer);
}

void
hisi_zip_stream_plan(const struct hisi_zip_plain_stream *s, const struct hisi_zip_stream_op *op,
		struct hisi_zip_stream_plan *plan)
{
	uint32_t room;

	*plan = (struct hisi_zip_stream_plan){ .op = *op, .begins = !s->state.started,
		.delivered = least(hisi_zip_stream_waiting(s), op->dst_len) };
	/* What waits in the store comes first, and the store must be free for a request. */
	if (!wants_request(s, op) || plan->delivered < hisi_zip_stream_waiting(s))
		return;
	plan->request = true;
	plan->trailer = s->trailer;
	room = least(op->dst_len - plan->delivered, HISI_ZIP_REQ_LEN_MAX);
	plan->store = room <= HISI_ZIP_STREAM_ROOM_MIN || s->trailer;
	plan->dst_len = plan->store ? HISI_ZIP_STREAM_STORE_LEN : room;
	/* Of an end that it has not decoded it must hear that no more comes. */
	plan->src_len = s->trailer ? HISI_ZIP_STREAM_TRAILER_LEN : s->cached ? 0 :
		least(op->src_len, HISI_ZIP_REQ_LEN_MAX);
	if (s->dir == HISI_ZIP_COMP && plan->dst_len < plan->src_len + (plan->src_len + 7) / 8)
		plan->src_len = (uint32_t)((uint64_t)plan->dst_len * 8 / 9) & ~3u;
	plan->cut = op->src_cut || (!s->trailer && plan->src_len < op->src_len);
}

bool
hisi_zip_stream_plan_trailer(const struct hisi_zip_plain_stream *s,
		const struct hisi_zip_stream_done *done, struct hisi_zip_stream_plan *plan)
{
	const struct hisi_zip_stream_op rest = {
		.src_len = s->plan.op.src_len - done->consumed,
		.src_cut = s->plan.op.src_cut,
		.dst_len = s->plan.op.dst_len - done->produced,
	};

	/* Output for which there is no room comes first. */
	if (!s->trailer || hisi_zip_stream_waiting(s) != 0)
		return false;
	hisi_zip_stream_plan(s, &rest, plan);
	plan->begins = s->plan.begins;
	return true;
}

const uint8_t *
hisi_zip_stream_begin(struct hisi_zip_plain_stream *s, const struct hisi_zip_stream_plan *plan)
{
	const uint8_t *from = s->ctx + HISI_ZIP_STREAM_STORE_OFF + s->store_pos;

	s->plan = *plan;
	s->store_pos = (uint16_t)(s->store_pos + plan->delivered);
	if (s->store_pos == s->store_end)
		s->store_pos = s->store_end = 0;
	return from;
}

/* ---- After it ------------------------------------------------------------------------------ */

/* Deliver what there is room for behind `produced` bytes; then the op is at its end. */
static enum hisi_zip_outcome
deliver(struct hisi_zip_plain_stream *s, uint32_t consumed, uint32_t produced, bool part,
		struct hisi_zip_stream_done *done)
{
	done->delivered = least(hisi_zip_stream_waiting(s), s->plan.op.dst_len - produced);
	s->store_pos = (uint16_t)(s->store_pos + done->delivered);
	done->consumed = consumed;
	done->produced = produced + done->delivered;
	if (part || hisi_zip_stream_waiting(s) > 0)
		return HISI_ZIP_DONE_PART;
	if (!s->ended)
		return HISI_ZIP_DONE;
	/* Nothing else is left but what is constant. */
	s->ended = false;
	s->state.started = false;
	return HISI_ZIP_DONE_END;
}

static enum hisi_zip_outcome
failed(const struct hisi_zip_plain_stream *s, struct hisi_zip_result r,
		struct hisi_zip_stream_done *done)
{
	*done = (struct hisi_zip_stream_done){ .produced = s->plan.delivered };
	switch (hisi_zip_result_status(r)) {
	case HISI_ZIP_DSTLEN_OUT:
		return HISI_ZIP_NO_SPACE;
	case HISI_ZIP_BAD_DATA:
		return HISI_ZIP_CORRUPT;
	default:
		return HISI_ZIP_FAILED;
	}
}

static void
take_state(struct hisi_zip_plain_stream *s, const struct hisi_zip_sqe *sqe)
{
	s->state = (struct hisi_zip_state){
		.ctx_dw0 = hisi_zip_result_word(&sqe->ctx_dw0),
		.ctx_dw1 = hisi_zip_result_word(&sqe->ctx_dw1),
		.ctx_dw2 = hisi_zip_result_word(&sqe->ctx_dw2),
		.isize = hisi_zip_result_word(&sqe->isize),
		.checksum = hisi_zip_result_word(&sqe->checksum),
		.started = true,
	};
}

/* The bytes of the result are in the store, if they do not lie in the destination. */
static uint32_t
place(struct hisi_zip_plain_stream *s, uint32_t produced)
{
	if (!s->plan.store)
		return s->plan.delivered + produced;
	s->store_pos = 0;
	s->store_end = (uint16_t)produced;
	return s->plan.delivered;
}

/* All of an op's input was compressed, and what it wants behind that is not there yet. */
static void
flush(struct hisi_zip_plain_stream *s)
{
	switch (s->plan.op.flush) {
	case HISI_ZIP_FLUSH_FINISH:
		memcpy(s->ctx + HISI_ZIP_STREAM_STORE_OFF + s->store_end, final_block,
			sizeof(final_block));
		s->store_end = (uint16_t)(s->store_end + sizeof(final_block));
		s->ended = true;
		break;
	case HISI_ZIP_FLUSH_FULL:
		s->state.started = false;
		break;
	default:
		break;
	}
}

static enum hisi_zip_outcome
end_compress(struct hisi_zip_plain_stream *s, const struct hisi_zip_sqe *sqe,
		struct hisi_zip_result r, struct hisi_zip_stream_done *done)
{
	uint8_t status = hisi_zip_result_status(r);
	uint32_t produced;

	/* All that it was given must be in the output: nothing asks for the rest. */
	if ((status != HISI_ZIP_OK && status != HISI_ZIP_NEGACOMPRESS) ||
			r.consumed != s->plan.src_len || r.produced == 0)
		return failed(s, r, done);
	take_state(s, sqe);
	produced = place(s, r.produced);
	if (!s->plan.cut)
		flush(s);
	return deliver(s, r.consumed, produced, s->plan.cut, done);
}

/*
 * The function is between two blocks, and has bits of the input that it did not decode, as they
 * are too few for it. Of whole blocks it gives the output when no more input comes; if they end
 * the stream, it must say so then.
 * @return Bytes of the input behind the end, or -1: no block begins like this.
 */
static int
check_cache(struct hisi_zip_plain_stream *s)
{
	unsigned int n = CACHE_BITS(s->state.ctx_dw0);
	uint32_t history = s->state.ctx_dw2 & HISI_ZIP_CTX_DW2_WINDOW_MASK;
	uint32_t at = CACHE_OFF + ((history + CACHE_ALIGN - 1) & ~(CACHE_ALIGN - 1));
	unsigned int blocks;
	uint64_t bits;
	int end;

	if (n == 0 || at > HISI_ZIP_CTX_HW_END - sizeof(bits))
		return 0;
	memcpy(&bits, s->ctx + at, sizeof(bits));
	end = hisi_zip_bits_end(bits, n, &blocks);
	if (end < 0)
		return end;
	/* Blocks that are not the end may have output, too; it need not give it. */
	s->more = end > 0 || (blocks > 0 && s->plan.src_len > 0);
	s->cached = end > 0;
	return end > 0 ? ((int)n - end) / 8 : 0;
}

/* Of the input that was held back, what belongs to the stream is consumed when it comes again. */
static enum hisi_zip_outcome
pass_over(struct hisi_zip_plain_stream *s, struct hisi_zip_stream_done *done)
{
	uint32_t consumed = least(s->held, s->plan.op.src_len);

	s->held = (uint8_t)(s->held - consumed);
	s->ended = s->held == 0;
	return deliver(s, consumed, s->plan.delivered, s->plan.op.src_cut && !s->ended, done);
}

/* The trailer that we sent: what it did not need of it, it has had of the op's input. */
static enum hisi_zip_outcome
end_trailer(struct hisi_zip_plain_stream *s, struct hisi_zip_result r,
		struct hisi_zip_stream_done *done)
{
	uint8_t status = hisi_zip_result_status(r);
	uint32_t taken = s->trailer_len - r.consumed;

	if ((status != HISI_ZIP_DECOMP_END && status != HISI_ZIP_CRC_ERR) || r.produced != 0 ||
			taken > s->held)
		return failed(s, r, done);
	s->trailer = false;
	s->held = (uint8_t)(s->held - taken);
	return pass_over(s, done);
}

/* The end of the DEFLATE data and of a trailer was seen. @return Bytes before the trailer. */
static uint32_t
without_trailer(const struct hisi_zip_plain_stream *s, uint32_t consumed)
{
	return consumed < s->counted ? 0 : consumed - s->counted;
}

static enum hisi_zip_outcome
end_decompress(struct hisi_zip_plain_stream *s, const struct hisi_zip_sqe *sqe,
		struct hisi_zip_result r, struct hisi_zip_stream_done *done)
{
	uint32_t consumed = r.consumed;
	int behind = 0;

	switch (hisi_zip_result_status(r)) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGACOMPRESS:
		break;
	case HISI_ZIP_CRC_ERR:
		/* What it took for a trailer was none. */
		if (s->trailer_len == 0)
			return failed(s, r, done);
		/* fallthrough */
	case HISI_ZIP_DECOMP_END:
		s->more = s->cached = false;
		s->ended = true;
		consumed = without_trailer(s, consumed);
		return deliver(s, consumed, place(s, r.produced), false, done);
	default:
		return failed(s, r, done);
	}
	take_state(s, sqe);
	switch (s->state.ctx_dw0 & HISI_ZIP_CTX_ST_MASK) {
	case HISI_ZIP_CTX_NO_SPACE:
		s->more = true;
		break;
	case HISI_ZIP_CTX_DECOMPING_NO_SPACE:
		s->more = (s->state.ctx_dw1 & HISI_ZIP_CTX_DW1_STORE_MASK) != 0;
		break;
	case HISI_ZIP_CTX_BLK_NOSTART:
		/* It was told that no more comes, and still waits. */
		if (s->cached)
			return failed(s, r, done);
		s->more = false;
		if (s->trailer_len == 0 && consumed == s->plan.src_len)
			behind = check_cache(s);
		if (behind < 0)
			return failed(s, r, done);
		consumed -= least(consumed, (uint32_t)behind);
		break;
	case HISI_ZIP_CTX_NO_CRC:
		s->more = false;
		if (s->trailer_len == 0)
			return failed(s, r, done);
		/* Of a byte before these, bits were left that are the last ones. */
		s->held = s->counted == 0 ? 0 : (uint8_t)least(consumed, s->counted - 1u);
		s->trailer = s->held > 0;
		s->ended = !s->trailer;
		consumed -= s->held;
		return deliver(s, consumed, place(s, r.produced), s->trailer, done);
	default:
		s->more = false;
		break;
	}
	/* It had room, and input. */
	if (r.consumed == 0 && r.produced == 0 && (s->more || s->plan.src_len > 0))
		return failed(s, r, done);
	return deliver(s, consumed, place(s, r.produced), s->more || s->plan.cut ||
		r.consumed < s->plan.src_len, done);
}

/* An op without a request: what waits was delivered, or there is nothing to do. */
static enum hisi_zip_outcome
end_without(struct hisi_zip_plain_stream *s, struct hisi_zip_stream_done *done)
{
	const struct hisi_zip_stream_op *op = &s->plan.op;
	bool comp = s->dir == HISI_ZIP_COMP;

	if (passes_over(s))
		return pass_over(s, done);
	/* It was asked for the rest of its output, and has other input. */
	if (comp && s->ended && op->src_len > 0) {
		*done = (struct hisi_zip_stream_done){ .produced = s->plan.delivered };
		return HISI_ZIP_FAILED;
	}
	if (comp && !s->ended && op->src_len == 0 && !op->src_cut)
		flush(s);
	/* What a decompression has behind the end is not this stream's. */
	return deliver(s, 0, s->plan.delivered, !s->ended && (op->src_cut || wants_request(s, op)),
		done);
}

enum hisi_zip_outcome
hisi_zip_stream_end(struct hisi_zip_plain_stream *s, const struct hisi_zip_sqe *sqe,
		struct hisi_zip_result r, struct hisi_zip_stream_done *done)
{
	enum hisi_zip_outcome ret;

	if (!s->plan.request)
		return end_without(s, done);
	if (s->plan.trailer)
		ret = end_trailer(s, r, done);
	else
		ret = s->dir == HISI_ZIP_COMP ? end_compress(s, sqe, r, done) :
			end_decompress(s, sqe, r, done);
	if (ret > HISI_ZIP_DONE_PART)
		hisi_zip_stream_lost(s);
	return ret;
}
