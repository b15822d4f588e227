/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_STREAM_H
#define HISI_ZIP_STREAM_H

/**
 * @file
 * Streams of raw DEFLATE on a function without the extension (ZIP 5.5 to 5.8): which request is
 * the next one, given what an op has, and what its result means.
 *
 *   hisi_zip_stream_plan(s, &op, &plan);         what is to be done; changes nothing
 *   hisi_zip_stream_begin(s, &plan);             it is done
 *     -> plan.delivered bytes of the store are copied to the destination
 *     -> if plan.request: hisi_zip_req_*(), with plan's lengths; else the op is done
 *   hisi_zip_stream_end(s, sqe, result, &done);  the result came, or there was no request
 *     -> done.delivered bytes of the store are copied behind those
 *
 * What such a function knows, and what is made of it:
 *
 *  - A request wants more than HISI_ZIP_STREAM_ROOM_MIN bytes of room. Where the op has less, the
 *    output goes to a store of the stream's own, and from there to this op and the next ones.
 *  - The output of a compression never overflows if there is room for 9/8 of the input. Where
 *    there is not, the request gets less input, and the application is asked for the rest.
 *  - All flushes are sync flushes, whose output ends byte aligned. So what follows may as well be
 *    of another maker: an empty final block of our own ends the stream, a request that begins a
 *    new stream of the function's makes a full flush, and software can go on where the function
 *    fails. Requests never end a stream of the function's, hence have no trailer.
 *  - V2 has no requests for raw DEFLATE, but zlib's are the same without the trailer. When a
 *    decompression has come to the end of the DEFLATE data, the function goes on with a trailer:
 *    of what the application has behind it, if there is something. A request with a trailer of
 *    our own shows how many bytes that were.
 *
 * One thread at a time. Data path but for hisi_zip_stream_init().
 */

#include <stdbool.h>
#include <stdint.h>

#include "hisi_zip_request.h"
#include "hisi_zip_result.h"

#define HISI_ZIP_STREAM_ROOM_MIN 200u /**< Bytes of room that are not enough (ZIP 5.5). */

/** The store, in the software's part of the context buffer. */
#define HISI_ZIP_STREAM_STORE_OFF HISI_ZIP_CTX_HW_END
#define HISI_ZIP_STREAM_STORE_LEN 256u /**< Bytes of it that a request gets. */
/** Behind it, and behind the final block: the trailer that is a request's input. */
#define HISI_ZIP_STREAM_TRAILER_OFF (HISI_ZIP_STREAM_STORE_OFF + HISI_ZIP_STREAM_STORE_LEN + 64u)
#define HISI_ZIP_STREAM_TRAILER_LEN 4u /**< zlib's. */

/** What an op has. */
struct hisi_zip_stream_op {
	uint64_t src_len;          /**< Bytes of input. */
	uint64_t dst_len;          /**< Bytes of room. */
	bool src_cut;              /**< The op has more input, which comes again. */
	enum hisi_zip_flush flush; /**< Of a compression. */
};

/** What is to be done for it. */
struct hisi_zip_stream_plan {
	struct hisi_zip_stream_op op;
	uint32_t delivered; /**< First, so many bytes of the store go to the destination. */
	bool request;       /**< There is a request: */
	bool trailer;       /**< Its input is the trailer in the context buffer, else the op's. */
	bool store;         /**< Its output goes to the store, else behind the bytes delivered. */
	bool cut;           /**< It does not have all of the op's input. */
	bool begins;        /**< The stream begins with the op. */
	uint32_t src_len;   /**< Bytes of its input; 0: the address must be valid all the same. */
	uint32_t dst_len;   /**< Bytes of its room. */
};

/** What was done for it. */
struct hisi_zip_stream_done {
	uint32_t consumed;  /**< Bytes of the op's input. */
	uint32_t produced;  /**< Bytes of its output, with all that was delivered. */
	uint32_t delivered; /**< The last of these are to be copied from the store. */
};

/** A stream. */
struct hisi_zip_plain_stream {
	/* Constant, but for counted, which is for each stream that begins. */
	struct hisi_zip_words words; /**< Of its requests. */
	uint8_t *ctx;         /**< Its context buffer, HISI_ZIP_CTX_SIZE bytes. */
	uint8_t dir;          /**< enum hisi_zip_dir. */
	uint8_t trailer_len;  /**< V2: bytes of the trailer of its requests. V3: 0. */
	uint8_t counted;      /**< Of these, how many `consumed` counts (U16). */

	struct hisi_zip_state state; /**< For the next request. */
	bool more;            /**< The function has output that takes no more input. */
	bool cached;          /**< That is, it has taken the end without decoding it. */
	bool ended;           /**< The end of the stream is in the store, or was delivered. */
	bool trailer;         /**< V2: what of the input was a trailer is to be asked for. */
	/** Bytes of the input that the function has had, and that the application gives again. */
	uint8_t held;
	uint16_t store_pos;   /**< Bytes of the store before it were delivered. */
	uint16_t store_end;   /**< Bytes in the store. */
	struct hisi_zip_stream_plan plan; /**< What is being done. */
	/** The user's: what the op has done while hisi_zip_stream_plan_trailer()'s is under way. */
	struct hisi_zip_stream_done so_far;
};

/**
 * Make it a stream that is new. Control path.
 * @param ctx
 *   Stays the caller's. Of its bytes those of the trailer are set.
 * @param window
 *   Of a compression: log2 of bytes.
 */
void hisi_zip_stream_init(struct hisi_zip_plain_stream *s, const struct hisi_zip_function *f,
		enum hisi_zip_dir dir, uint8_t window, uint8_t *ctx);

/** Of a decompression that begins: bytes of a trailer that `consumed` counts; V2 only. */
static inline void
hisi_zip_stream_set_counted(struct hisi_zip_plain_stream *s, uint8_t counted)
{
	s->counted = s->trailer_len != 0 ? counted : 0;
}

/** What is to be done for an op, while no other one is under way. */
void hisi_zip_stream_plan(const struct hisi_zip_plain_stream *s,
		const struct hisi_zip_stream_op *op, struct hisi_zip_stream_plan *plan);

/** It is done. @return The plan->delivered bytes, in the store, until the request is submitted. */
const uint8_t *hisi_zip_stream_begin(struct hisi_zip_plain_stream *s,
		const struct hisi_zip_stream_plan *plan);

/**
 * The request of the plan, in a slot that has its buffers and hisi_zip_req_words() already.
 * @param ctx
 *   Address of the context buffer for the function.
 */
static inline void
hisi_zip_req_plain_stream(struct hisi_zip_sqe *sqe, const struct hisi_zip_plain_stream *s,
		uint64_t ctx)
{
	hisi_zip_req_stream(sqe, &s->words, &s->state, ctx, HISI_ZIP_FLUSH_SYNC);
}

/**
 * The end of an op.
 * @param sqe
 *   The slot of its request; NULL: it had none.
 * @param r
 *   Its result, for which hisi_zip_result_possible() is true; not used without a request.
 * @return
 *   - HISI_ZIP_DONE, HISI_ZIP_DONE_END: all is done; the latter: and the next op begins a stream.
 *   - HISI_ZIP_DONE_PART: the rest of the input, or of the output, is to be asked for.
 *   - Anything else: done->consumed is 0, done->produced is what was delivered first. The stream
 *     is where it was before the op, if hisi_zip_stream_replaceable() then; else it is of no use.
 */
enum hisi_zip_outcome hisi_zip_stream_end(struct hisi_zip_plain_stream *s,
		const struct hisi_zip_sqe *sqe, struct hisi_zip_result r,
		struct hisi_zip_stream_done *done);

/**
 * An op has ended with HISI_ZIP_DONE_PART, and what it has done was delivered. Is all that is
 * missing a request with the trailer? Then the op need not end without the stream's end:
 *
 *   hisi_zip_stream_plan_trailer(s, &done, &plan), hisi_zip_stream_begin(s, &plan), a request,
 *   hisi_zip_stream_end(s, sqe, result, &end)    whose end.consumed is to be added to done's
 */
bool hisi_zip_stream_plan_trailer(const struct hisi_zip_plain_stream *s,
		const struct hisi_zip_stream_done *done, struct hisi_zip_stream_plan *plan);

/** The request under way failed, has no result, or one that cannot be true. */
static inline void
hisi_zip_stream_lost(struct hisi_zip_plain_stream *s)
{
	if (s->plan.begins)
		s->state.started = false;
}

/** The bytes that done->delivered counts, in the store, until the next op begins. */
static inline const uint8_t *
hisi_zip_stream_delivered(const struct hisi_zip_plain_stream *s,
		const struct hisi_zip_stream_done *done)
{
	return s->ctx + HISI_ZIP_STREAM_STORE_OFF + s->store_pos - done->delivered;
}

/** Bytes of output that the function made for ops before, in the store. */
static inline uint32_t
hisi_zip_stream_waiting(const struct hisi_zip_plain_stream *s)
{
	return s->store_end - s->store_pos;
}

/** Can software go on with the stream, as with one that is new? */
static inline bool
hisi_zip_stream_replaceable(const struct hisi_zip_plain_stream *s)
{
	return hisi_zip_stream_waiting(s) == 0 && !s->ended &&
		(s->dir == HISI_ZIP_COMP || !s->state.started);
}

/** Forget where the stream is: the next op begins one. */
static inline void
hisi_zip_stream_leave(struct hisi_zip_plain_stream *s)
{
	s->state.started = s->more = s->cached = s->ended = s->trailer = false;
	s->held = 0;
	s->store_pos = s->store_end = 0;
}

#endif /* HISI_ZIP_STREAM_H */
