/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Streams on a function without the extension: random ones of V2 and V3, in ops of any lengths and
 * any room, with zlib as the judge of bytes, of what was consumed, and of the end.
 */

#include "fewer.h"
#include "hisi_zip_stream.h"
#include "test_qm_dev_util.h"

#include <string.h>
#include <zlib.h>

#define ARENA   (16u << 20)
#define MAX_LEN (200u << 10)

static struct td td;
static struct tq q[HISI_ZIP_DIRS];
static struct hisi_zip_function function;
static uint8_t *plain, *packed, *out, *ctx;
static uint32_t seed = 4711;

static void
open_as(uint8_t revision, uint64_t quirks)
{
	struct qm_dev_conf conf = td_conf(0);

	td_zip(&conf)->quirks = quirks;
	conf.ext = 0;
	conf.revision = revision;
	td_open(&td, &conf, ARENA);
	function = (struct hisi_zip_function){ .revision = revision };
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++)
		tq_start(&q[dir], &td, (uint16_t)dir, (enum hisi_zip_qc_type)dir, 16);
	plain = td_alloc(&td, 2 * MAX_LEN, 64);
	packed = td_alloc(&td, 4 * MAX_LEN, 64);
	out = td_alloc(&td, 4 * MAX_LEN, 64);
	ctx = td_alloc(&td, HISI_ZIP_CTX_SIZE, 4096);
}

/* How many ops, and requests, there were. */
static unsigned long ops, requests;

/* What a driver does for an op. */
static enum hisi_zip_outcome
do_op(struct hisi_zip_plain_stream *s, const uint8_t *src, uint32_t len, uint8_t *dst,
		uint32_t room, enum hisi_zip_flush flush, struct hisi_zip_stream_done *done)
{
	const struct hisi_zip_stream_op op = { .src_len = len, .dst_len = room, .flush = flush };
	struct hisi_zip_stream_plan plan;
	struct hisi_zip_sqe *sqe = NULL;
	struct hisi_zip_result r = { 0 };
	enum hisi_zip_outcome ret;
	const uint8_t *store;

	hisi_zip_stream_plan(s, &op, &plan);
	assert_true(plan.delivered <= room && (plan.trailer || plan.src_len <= len));
	assert_true(plan.store || plan.dst_len <= room - plan.delivered);
	store = hisi_zip_stream_begin(s, &plan);
	memcpy(dst, store, plan.delivered);
	ops++;
	if (plan.request) {
		const void *from = plan.trailer ? ctx + HISI_ZIP_STREAM_TRAILER_OFF :
			plan.src_len > 0 ? src : ctx;
		const void *to = plan.store ? ctx + HISI_ZIP_STREAM_STORE_OFF :
			dst + plan.delivered;
		struct hisi_zip_asked asked;

		sqe = tq_slot(&q[s->dir], 0);
		hisi_zip_req_buffers(sqe, &asked, td_iova(&td, from), plan.src_len,
			td_iova(&td, to), plan.dst_len);
		hisi_zip_req_words(sqe, &s->words);
		hisi_zip_req_plain_stream(sqe, s, td_iova(&td, ctx));
		sqe = tq_do(&q[s->dir]);
		r = hisi_zip_result_read(sqe);
		assert_true(hisi_zip_result_possible(&asked, false, r));
		requests++;
	}
	ret = hisi_zip_stream_end(s, sqe, r, done);
	assert_true(done->produced <= room && done->delivered <= done->produced);
	memcpy(dst + done->produced - done->delivered, hisi_zip_stream_delivered(s, done),
		done->delivered);
	assert_true(done->consumed <= len);
	if (ret == HISI_ZIP_DONE)
		assert_int_equal(done->consumed, len);
	return ret;
}

static uint32_t
some_len(uint32_t most)
{
	uint32_t len = rnd(&seed) % (1u << rnd(&seed) % 18);

	return rnd(&seed) % 8 == 0 ? 0 : len < most ? len : most;
}

static uint32_t
some_room(void)
{
	switch (rnd(&seed) % 4) {
	case 0:
		return rnd(&seed) % 3;
	case 1:
		return rnd(&seed) % 300;
	default:
		return rnd(&seed) % MAX_LEN;
	}
}

static void
some_data(uint32_t len)
{
	if (rnd(&seed) % 4 == 0)
		fill_noise(plain, len, rnd(&seed));
	else
		fill_text(plain, len, rnd(&seed));
}

static void
inflate_start(z_stream *z, bool *live)
{
	if (!*live) {
		*z = (z_stream){ 0 };
		assert_int_equal(inflateInit2(z, -15), Z_OK);
		*live = true;
	}
	assert_int_equal(inflateReset2(z, -15), Z_OK);
}

/* Feed zlib; it can have no more output than there is room for. */
static int
inflate_more(z_stream *z, const uint8_t *src, uint32_t len, uint8_t *dst, uint32_t room)
{
	z->next_in = (uint8_t *)(uintptr_t)src;
	z->avail_in = len;
	z->next_out = dst;
	z->avail_out = room;
	return inflate(z, Z_SYNC_FLUSH);
}

/*
 * One stream. After each op zlib inflates what came; after a flush all input must be there, and
 * after a full one the rest must stand alone.
 */
static void
compress_stream(struct hisi_zip_plain_stream *s, z_stream *z)
{
	uint32_t len = some_len(MAX_LEN), in = 0, back = 0, idle = 0;
	static uint8_t judged[2 * MAX_LEN];
	bool live = true;

	some_data(len);
	inflate_start(z, &live);
	for (;;) {
		uint32_t part = some_len(len - in);
		enum hisi_zip_flush flush = in + part < len ? rnd(&seed) % 3 :
			HISI_ZIP_FLUSH_FINISH;
		enum hisi_zip_outcome outcome;

		do {
			struct hisi_zip_stream_done done;
			uint32_t room = idle > 3 ? MAX_LEN : some_room();
			int ret;

			outcome = do_op(s, plain + in, part, packed, room, flush, &done);
			assert_true(outcome <= HISI_ZIP_DONE_PART);
			in += done.consumed;
			part -= done.consumed;
			idle = done.consumed + done.produced == 0 ? idle + 1 : 0;
			assert_true(idle < 20);
			ret = inflate_more(z, packed, done.produced, judged + back,
				sizeof(judged) - back);
			assert_true(ret == Z_OK || ret == Z_STREAM_END ||
				(ret == Z_BUF_ERROR && done.produced == 0));
			assert_int_equal(z->avail_in, 0);
			back = (uint32_t)(sizeof(judged) - z->avail_out);
			assert_true(back <= in);
			if (outcome == HISI_ZIP_DONE_END)
				assert_int_equal(ret, Z_STREAM_END);
			else if (outcome == HISI_ZIP_DONE)
				assert_int_not_equal(ret, Z_STREAM_END);
		} while (outcome == HISI_ZIP_DONE_PART);
		assert_int_equal(outcome, flush == HISI_ZIP_FLUSH_FINISH ? HISI_ZIP_DONE_END :
			HISI_ZIP_DONE);
		assert_int_equal(back, in);
		assert_memory_equal(judged, plain, in);
		if (flush == HISI_ZIP_FLUSH_FINISH)
			break;
		if (flush == HISI_ZIP_FLUSH_FULL)
			inflate_start(z, &live);
	}
	assert_int_equal(in, len);
}

/*
 * One stream, with other bytes behind it. What was consumed is what zlib needs for what was
 * produced, or more, but not beyond the end; and done means that there is nothing to come.
 */
static void
decompress_stream(struct hisi_zip_plain_stream *s, z_stream *z)
{
	uint32_t len = some_len(MAX_LEN), n, tail = rnd(&seed) % 3 == 0 ? rnd(&seed) % 12 : 0;
	uint32_t in = 0, got = 0, all = 0, left = 0, idle = 0;
	static uint8_t judged[2 * MAX_LEN];
	enum hisi_zip_outcome outcome = HISI_ZIP_DONE;
	bool live = true;

	some_data(len);
	n = (uint32_t)z_deflate(-15, plain, len, packed, 4 * MAX_LEN);
	fill_noise(packed + n, tail, rnd(&seed));
	/* What a zlib body has there. */
	if (tail >= 4 && rnd(&seed) % 2 == 0) {
		uint32_t sum = __builtin_bswap32((uint32_t)adler32(1, plain, len));

		memcpy(packed + n, &sum, sizeof(sum));
	}
	inflate_start(z, &live);
	memset(judged, 0, sizeof(judged));
	while (outcome != HISI_ZIP_DONE_END) {
		uint32_t room = idle > 3 ? 2 * MAX_LEN : some_room();
		struct hisi_zip_stream_done done;
		int ret;

		/* After a part it may come with more, or less, of the input. */
		if (outcome == HISI_ZIP_DONE || rnd(&seed) % 4 == 0)
			left = idle > 3 ? n + tail - in : some_len(n + tail - in);
		outcome = do_op(s, packed + in, left, out, room, HISI_ZIP_FLUSH_SYNC, &done);
		assert_true(outcome <= HISI_ZIP_DONE_PART);
		idle = done.consumed + done.produced == 0 ? idle + 1 : 0;
		assert_true(idle < 20);
		assert_true(got + done.produced <= len);
		assert_memory_equal(out, plain + got, done.produced);
		got += done.produced;
		ret = inflate_more(z, packed + in, done.consumed, judged + all,
			sizeof(judged) - all);
		assert_true(ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR);
		all = (uint32_t)(sizeof(judged) - z->avail_out);
		in += done.consumed;
		left -= done.consumed;
		assert_true(in <= n);
		if (outcome == HISI_ZIP_DONE_PART)
			continue;
		/* What is held back of the input, it has had. */
		assert_true(got == all || (got > all && s->held > 0));
		assert_int_equal(outcome == HISI_ZIP_DONE_END, in == n && got == len);
	}
	assert_int_equal(in, n);
	assert_int_equal(got, len);
}

static void
streams(uint8_t revision)
{
	struct hisi_zip_plain_stream s[HISI_ZIP_DIRS];
	bool live = false;
	z_stream z;

	open_as(revision, 0);
	ops = requests = 0;
	inflate_start(&z, &live);
	for (uint32_t i = 0; i < 1500 / test_fewer(); i++) {
		enum hisi_zip_dir dir = (enum hisi_zip_dir)(i % HISI_ZIP_DIRS);

		/* Some go on in a context buffer that was used. */
		if (i < HISI_ZIP_DIRS || rnd(&seed) % 2 == 0) {
			fill_noise(ctx, HISI_ZIP_CTX_SIZE, i);
			hisi_zip_stream_init(&s[dir], &function, dir, 15, ctx);
			hisi_zip_stream_set_counted(&s[dir], HISI_ZIP_STREAM_TRAILER_LEN);
		}
		if (dir == HISI_ZIP_COMP)
			compress_stream(&s[dir], &z);
		else
			decompress_stream(&s[dir], &z);
	}
	inflateEnd(&z);
	/* Most ops are one request. */
	assert_true(requests < ops && requests > ops / 3);
	td_close(&td);
}

static void
test_v3(void **state)
{
	(void)state;
	streams(HISI_QM_REV_V3);
}

static void
test_v2(void **state)
{
	(void)state;
	streams(HISI_QM_REV_V2);
}

/* All of the stream was consumed, output was not: what comes then is behind the end, all of it. */
static void
test_only_output_missing(void **state)
{
	const uint32_t len = 3639;
	unsigned int behind = 0;

	(void)state;
	open_as(HISI_QM_REV_V2, 0);
	memset(plain, 0, len);
	for (uint32_t missing = 1; missing < 400; missing++) {
		struct hisi_zip_plain_stream s;
		struct hisi_zip_stream_done done;
		enum hisi_zip_outcome outcome;
		uint32_t n, in, got;

		n = (uint32_t)z_deflate(-15, plain, len, packed, 4 * MAX_LEN);
		fill_noise(packed + n, 1, missing);
		hisi_zip_stream_init(&s, &function, HISI_ZIP_DECOMP, 15, ctx);
		hisi_zip_stream_set_counted(&s, HISI_ZIP_STREAM_TRAILER_LEN);
		assert_int_equal(do_op(&s, packed, n, out, len - missing, HISI_ZIP_FLUSH_SYNC,
			&done), HISI_ZIP_DONE_PART);
		in = done.consumed;
		got = done.produced;
		behind += in == n;
		do {
			outcome = do_op(&s, packed + in, n + 1 - in, out, MAX_LEN,
				HISI_ZIP_FLUSH_SYNC, &done);
			in += done.consumed;
			got += done.produced;
		} while (outcome == HISI_ZIP_DONE_PART);
		assert_int_equal(outcome, HISI_ZIP_DONE_END);
		assert_int_equal(in, n);
		assert_int_equal(got, len);
	}
	assert_true(behind > 0);
	td_close(&td);
}

/* An end that the function has consumed, but not decoded, with other bytes behind it. */
static void
test_cached_end(void **state)
{
	static const uint8_t empty[] = { 3, 0, 0x55, 0x55 }; /* less than 40 bits */

	(void)state;
	open_as(HISI_QM_REV_V3, ZIP_DEV_QUIRK_BIT(HEAD_BITS));
	memcpy(packed, empty, sizeof(empty));
	for (uint32_t first = 1; first <= 4; first++) {
		struct hisi_zip_plain_stream s;
		struct hisi_zip_stream_done done;
		enum hisi_zip_outcome outcome;
		uint32_t in = 0, len = first;

		hisi_zip_stream_init(&s, &function, HISI_ZIP_DECOMP, 15, ctx);
		do {
			outcome = do_op(&s, packed + in, len, out, 500, HISI_ZIP_FLUSH_SYNC,
				&done);
			assert_true(outcome == HISI_ZIP_DONE || outcome == HISI_ZIP_DONE_PART ||
				outcome == HISI_ZIP_DONE_END);
			assert_int_equal(done.produced, 0);
			in += done.consumed;
			len = (uint32_t)sizeof(empty) - in;
		} while (outcome != HISI_ZIP_DONE_END);
		assert_int_equal(in, 2);
	}
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v3),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_only_output_missing),
		cmocka_unit_test(test_cached_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
