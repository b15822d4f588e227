/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Streams on a function without the extension, by answers that are written here: those that the
 * software function does not give.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "hisi_qm_regs.h"
#include "hisi_zip_bits.h"
#include "hisi_zip_stream.h"

static uint64_t
next_random(void)
{
	static uint64_t x = 4711;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

/* ---- Bits that were taken, but not decoded ---- */

static int
bits_end(uint64_t bits, unsigned int n)
{
	unsigned int blocks = 99;
	int end = hisi_zip_bits_end(bits, n, &blocks);

	assert_true(blocks <= n && (end <= 0 || blocks == (unsigned int)end));
	return end;
}

static void
test_bits(void **state)
{
	unsigned long ends = 0, bad = 0;
	unsigned int blocks;
	z_stream z = { 0 };

	(void)state;
	assert_int_equal(bits_end(0x0003, 16), 10);
	assert_int_equal(bits_end(0x0003, 8), 0);
	assert_int_equal(bits_end(0xffff000001, 40), 40);
	assert_int_equal(bits_end(0xffff000000, 40), 0);
	assert_int_equal(bits_end(0xfffe000001, 40), -EBADMSG);
	/* Five bits of a byte that has others before them: they are not zero. */
	assert_int_equal(bits_end(0xffff0000ull << 5 | 0x19, 37), 37);
	assert_int_equal(bits_end(0x7, 8), -EBADMSG);
	assert_int_equal(bits_end(0x5, 63), 0);
	assert_int_equal(bits_end(0, 0), 0);

	/* Blocks before the end, and behind them what is not all of one. */
	assert_int_equal(hisi_zip_bits_end(0x0002 | 0x3 << 10, 20, &blocks), 20);
	assert_int_equal(blocks, 20);
	assert_int_equal(hisi_zip_bits_end(0x0002 | 0x3 << 10, 19, &blocks), 0);
	assert_int_equal(blocks, 10);

	/* Any bytes, against zlib. */
	assert_int_equal(inflateInit2(&z, -15), Z_OK);
	for (uint32_t i = 0; i < 400000; i++) {
		uint64_t bits = next_random();
		unsigned int n = next_random() % 7 + 1;
		uint8_t back[1024];
		int end, ret;

		/* Mostly blocks of fixed codes, and mostly the last one. */
		if (next_random() % 4 != 0)
			bits = (bits & ~7ull) | 2 | (next_random() % 4 != 0);
		bits &= (1ull << 8 * n) - 1;
		z.next_in = (uint8_t *)&bits;
		z.avail_in = n;
		z.next_out = back;
		z.avail_out = sizeof(back);
		assert_int_equal(inflateReset(&z), Z_OK);
		ret = inflate(&z, Z_SYNC_FLUSH);
		end = bits_end(bits, 8 * n);
		if (ret == Z_DATA_ERROR && strstr(z.msg, "too far back") != NULL)
			continue; /* that is for who has the history */
		if (ret == Z_STREAM_END) {
			assert_true(end > 0);
			assert_int_equal((end + 7) / 8, n - z.avail_in);
			ends++;
		} else if (ret == Z_DATA_ERROR && (bits >> 1 & 3) != 2 && end < 0) {
			bad++;
		} else {
			/* What is behind codes of their own is not looked at. */
			assert_int_equal(end, 0);
		}
	}
	assert_true(ends > 1000 && bad > 1000);
	inflateEnd(&z);
}

/* ---- Answers that the software function does not give ---- */

static uint8_t memory[HISI_ZIP_CTX_SIZE];
static struct hisi_zip_plain_stream scripted;

static void
script(uint8_t revision, enum hisi_zip_dir dir, uint8_t counted)
{
	const struct hisi_zip_function f = { .revision = revision };

	memset(memory, 0xa5, sizeof(memory));
	hisi_zip_stream_init(&scripted, &f, dir, 15, memory);
	hisi_zip_stream_set_counted(&scripted, counted);
}

/* An op of so many bytes, and the answer to its request. */
static enum hisi_zip_outcome
answer(uint32_t len, uint32_t room, enum hisi_zip_flush flush, struct hisi_zip_sqe sqe,
		struct hisi_zip_stream_done *done)
{
	const struct hisi_zip_stream_op op = { .src_len = len, .dst_len = room, .flush = flush };
	struct hisi_zip_stream_plan plan;

	hisi_zip_stream_plan(&scripted, &op, &plan);
	hisi_zip_stream_begin(&scripted, &plan);
	assert_true(plan.request);
	return hisi_zip_stream_end(&scripted, &sqe, hisi_zip_result_read(&sqe), done);
}

/* An op that needs no request. */
static enum hisi_zip_outcome
none_of(struct hisi_zip_stream_op op, struct hisi_zip_stream_done *done)
{
	struct hisi_zip_stream_plan plan;

	hisi_zip_stream_plan(&scripted, &op, &plan);
	hisi_zip_stream_begin(&scripted, &plan);
	assert_false(plan.request);
	return hisi_zip_stream_end(&scripted, NULL, (struct hisi_zip_result){ 0 }, done);
}

static enum hisi_zip_outcome
none(uint32_t len, uint32_t room, enum hisi_zip_flush flush, struct hisi_zip_stream_done *done)
{
	return none_of((struct hisi_zip_stream_op){ .src_len = len, .dst_len = room,
		.flush = flush }, done);
}

#define ANSWER(len, room, flush, ...) \
	answer(len, room, flush, (struct hisi_zip_sqe){ __VA_ARGS__ }, &done)

#define SYNC   HISI_ZIP_FLUSH_SYNC
#define FINISH HISI_ZIP_FLUSH_FINISH

/* A compression that fails leaves the stream to software, from its first request to its last. */
static void
test_compress_fails(void **state)
{
	static const struct hisi_zip_sqe answers[] = {
		{ .consumed = 999, .produced = 500 },
		{ .consumed = 1000, .produced = 0 },
		{ .consumed = 1000, .produced = 500, .dw3 = HISI_ZIP_BAD_SQE },
		{ .consumed = 1000, .produced = 500, .dw3 = HISI_ZIP_DSTLEN_OUT },
		{ .consumed = 1000, .produced = 500, .dw3 = HISI_ZIP_DECOMP_END },
	};
	static const enum hisi_zip_outcome outcomes[] = { HISI_ZIP_FAILED, HISI_ZIP_FAILED,
		HISI_ZIP_FAILED, HISI_ZIP_NO_SPACE, HISI_ZIP_FAILED };
	struct hisi_zip_stream_done done;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		for (int started = 0; started < 2; started++) {
			script(HISI_QM_REV_V3, HISI_ZIP_COMP, 0);
			if (started)
				assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 1000,
					.produced = 300), HISI_ZIP_DONE);
			assert_int_equal(answer(1000, 2000, FINISH, answers[i], &done),
				outcomes[i]);
			assert_int_equal(done.consumed, 0);
			assert_int_equal(done.produced, 0);
			assert_true(hisi_zip_stream_replaceable(&scripted));
		}
	}
}

/* Not smaller than the input is fine; what ends the stream goes where there is room. */
static void
test_compress_ends(void **state)
{
	struct hisi_zip_stream_done done;

	(void)state;
	script(HISI_QM_REV_V3, HISI_ZIP_COMP, 0);
	for (uint32_t room = 1023; room < 1026; room++) {
		enum hisi_zip_outcome end = ANSWER(900, room, FINISH, .consumed = 900,
			.produced = 1023, .dw3 = HISI_ZIP_NEGACOMPRESS);
		uint32_t left = 1025 - room;

		assert_int_equal(done.consumed, 900);
		assert_int_equal(done.produced, room);
		assert_int_equal(end, left > 0 ? HISI_ZIP_DONE_PART : HISI_ZIP_DONE_END);
		assert_memory_equal(hisi_zip_stream_delivered(&scripted, &done),
			"\x03\x00", done.delivered);
		if (left == 0)
			break;
		assert_false(hisi_zip_stream_replaceable(&scripted));
		assert_int_equal(none(0, 100, FINISH, &done), HISI_ZIP_DONE_END);
		assert_int_equal(done.produced, left);
		/* The next one is a new stream. */
		assert_false(scripted.state.started);
	}
	/* More input than its room is sure to hold waits, and the end with it. */
	assert_int_equal(ANSWER(10000, 900, FINISH, .consumed = 800, .produced = 10),
		HISI_ZIP_DONE_PART);
	assert_int_equal(done.produced, 10);
	assert_true(scripted.state.started);
	/* A stream without any input. */
	script(HISI_QM_REV_V2, HISI_ZIP_COMP, 0);
	assert_int_equal(none(0, 1, FINISH, &done), HISI_ZIP_DONE_PART);
	assert_int_equal(none(0, 1, FINISH, &done), HISI_ZIP_DONE_END);
	assert_int_equal(done.produced, 1);
	/* Nothing to flush. */
	assert_int_equal(none(0, 0, SYNC, &done), HISI_ZIP_DONE);
	assert_int_equal(none(0, 0, HISI_ZIP_FLUSH_FULL, &done), HISI_ZIP_DONE);
}

/* The end is in the store, and an op comes with what is behind it: that ends it, too. */
static void
test_behind_end(void **state)
{
	const struct hisi_zip_stream_op more = { .src_len = 8 << 20, .src_cut = true,
		.dst_len = 100, .flush = SYNC };
	struct hisi_zip_stream_done done;

	(void)state;
	for (int v3 = 0; v3 < 2; v3++) {
		script(v3 ? HISI_QM_REV_V3 : HISI_QM_REV_V2, HISI_ZIP_DECOMP, 0);
		assert_int_equal(ANSWER(1000, 10, SYNC, .consumed = 990, .produced = 70,
			.dw3 = HISI_ZIP_DECOMP_END), HISI_ZIP_DONE_PART);
		assert_int_equal(done.produced, 10);
		assert_int_equal(none_of(more, &done), HISI_ZIP_DONE_END);
		assert_int_equal(done.consumed, 0);
		assert_int_equal(done.produced, 60);
		assert_false(scripted.ended);

		/* Nothing may be behind the end of a compression that waits for room. */
		for (int cut = 0; cut < 2; cut++) {
			script(v3 ? HISI_QM_REV_V3 : HISI_QM_REV_V2, HISI_ZIP_COMP, 0);
			assert_int_equal(ANSWER(100, 10, FINISH, .consumed = 100, .produced = 70),
				HISI_ZIP_DONE_PART);
			assert_int_equal(done.consumed, 100);
			assert_int_equal(none_of((struct hisi_zip_stream_op){ .src_len = 1,
				.src_cut = cut, .dst_len = 100, .flush = FINISH }, &done),
				HISI_ZIP_FAILED);
			assert_int_equal(done.consumed, 0);
			assert_false(hisi_zip_stream_replaceable(&scripted));
		}
	}
}

/* Data that is bad, or a function that is, ends a decompression; software can only begin one. */
static void
test_decompress_fails(void **state)
{
	static const struct {
		struct hisi_zip_sqe sqe;
		enum hisi_zip_outcome outcome;
	} rows[] = {
		{ { .dw3 = HISI_ZIP_BAD_DATA }, HISI_ZIP_CORRUPT },
		{ { .dw3 = 0x31 }, HISI_ZIP_FAILED },
		{ { .dw3 = HISI_ZIP_CRC_ERR, .consumed = 10 }, HISI_ZIP_FAILED },
		{ { .ctx_dw0 = HISI_ZIP_CTX_NO_CRC, .consumed = 10 }, HISI_ZIP_FAILED },
		/* Neither input nor output: it would be so for ever. */
		{ { .consumed = 0, .produced = 0 }, HISI_ZIP_FAILED },
		{ { .ctx_dw0 = HISI_ZIP_CTX_NO_SPACE }, HISI_ZIP_FAILED },
	};
	struct hisi_zip_stream_done done;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int started = 0; started < 2; started++) {
			script(HISI_QM_REV_V3, HISI_ZIP_DECOMP, 0);
			if (started)
				assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 1000),
					HISI_ZIP_DONE);
			assert_int_equal(answer(1000, 2000, SYNC, rows[i].sqe, &done),
				rows[i].outcome);
			assert_int_equal(done.consumed + done.produced, 0);
			assert_int_equal(hisi_zip_stream_replaceable(&scripted), !started);
		}
	}
}

/* The last bits, which a function keeps until it is told that no more come. */
static void
test_cached_bits(void **state)
{
	const struct hisi_zip_sqe rest = { .dw3 = HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK };
	/* Bits [15:10] are their number: a final block of 10 bits, and two other bytes. */
	const struct hisi_zip_sqe taken = { .consumed = 1000, .produced = 1500,
		.ctx_dw0 = HISI_ZIP_CTX_BLK_NOSTART | 32 << 10, .ctx_dw2 = 1500 };
	const uint32_t at = 0x40 + 0xc00 + 1504;
	struct hisi_zip_stream_done done;

	(void)state;
	script(HISI_QM_REV_V3, HISI_ZIP_DECOMP, 0);
	memcpy(memory + at, "\x03\x00\xff\xff\xff\xff\xff\xff", 8);
	assert_int_equal(answer(1000, 2000, SYNC, taken, &done), HISI_ZIP_DONE_PART);
	assert_int_equal(done.consumed, 998);
	assert_int_equal(done.produced, 1500);
	assert_int_equal(answer(0, 2000, SYNC, rest, &done), HISI_ZIP_DONE_END);
	assert_int_equal(done.consumed, 0);
	/* The other bytes came again with that op: they are not the stream's. */
	assert_int_equal(answer(1000, 2000, SYNC, taken, &done), HISI_ZIP_DONE_PART);
	assert_int_equal(answer(2, 2000, SYNC, rest, &done), HISI_ZIP_DONE_END);
	assert_int_equal(done.consumed, 0);
	/* Nothing comes of it: an error, once. */
	assert_int_equal(answer(1000, 2000, SYNC, taken, &done), HISI_ZIP_DONE_PART);
	assert_int_equal(answer(0, 2000, SYNC, (struct hisi_zip_sqe){ .ctx_dw0 = taken.ctx_dw0 },
		&done), HISI_ZIP_FAILED);

	/* They are not the end. */
	script(HISI_QM_REV_V3, HISI_ZIP_DECOMP, 0);
	memcpy(memory + at, "\x06\x00\xff\xff\xff\xff\xff\xff", 8);
	assert_int_equal(answer(1000, 2000, SYNC, taken, &done), HISI_ZIP_FAILED);
	memcpy(memory + at, "\x04\x00\xff\xff\xff\xff\xff\xff", 8);
	assert_int_equal(answer(1000, 2000, SYNC, taken, &done), HISI_ZIP_DONE);
	assert_int_equal(done.consumed, 1000);
	/* They are a block, but not the end: what it gives is asked for, once. */
	script(HISI_QM_REV_V3, HISI_ZIP_DECOMP, 0);
	memcpy(memory + at, "\x02\x00\xff\xff\xff\xff\xff\xff", 8);
	assert_int_equal(answer(1000, 2000, SYNC, taken, &done), HISI_ZIP_DONE_PART);
	assert_int_equal(done.consumed, 1000);
	assert_int_equal(answer(0, 2000, SYNC, (struct hisi_zip_sqe){ .ctx_dw0 = taken.ctx_dw0,
		.ctx_dw2 = 1500 }, &done), HISI_ZIP_DONE);
	/* A length of the history that leads out of the context, and none. */
	script(HISI_QM_REV_V3, HISI_ZIP_DECOMP, 0);
	assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 1000, .ctx_dw0 = taken.ctx_dw0,
		.ctx_dw2 = 0xffff), HISI_ZIP_DONE);
	assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 1000,
		.ctx_dw0 = HISI_ZIP_CTX_BLK_NOSTART, .ctx_dw2 = 1500), HISI_ZIP_DONE);
}

/* V2: how much of the input was a trailer, with each way to count it. */
static void
test_trailers(void **state)
{
	struct hisi_zip_stream_done done;

	(void)state;
	/* Not counted: consumed is the end. */
	script(HISI_QM_REV_V2, HISI_ZIP_DECOMP, 0);
	assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 990, .produced = 7,
		.dw3 = HISI_ZIP_CRC_ERR), HISI_ZIP_DONE_END);
	assert_int_equal(done.consumed, 990);
	assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 998, .produced = 7,
		.ctx_dw0 = HISI_ZIP_CTX_NO_CRC), HISI_ZIP_DONE_END);
	assert_int_equal(done.consumed, 998);
	for (uint32_t behind = 0; behind < 5; behind++) {
		enum hisi_zip_outcome end;

		script(HISI_QM_REV_V2, HISI_ZIP_DECOMP, 4);
		if (behind == 4) {
			assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 1000, .produced = 7,
				.dw3 = HISI_ZIP_CRC_ERR), HISI_ZIP_DONE_END);
			assert_int_equal(done.consumed, 996);
			break;
		}
		assert_int_equal(ANSWER(1000, 2000, SYNC, .consumed = 1000, .produced = 7,
			.ctx_dw0 = HISI_ZIP_CTX_NO_CRC), HISI_ZIP_DONE_PART);
		assert_int_equal(done.consumed, 997);
		assert_int_equal(done.produced, 7);
		/* With each number of bytes of the rest that comes again. */
		end = ANSWER(1, 2000, SYNC, .consumed = 4 - behind, .dw3 = HISI_ZIP_CRC_ERR);
		assert_int_equal(done.consumed, behind < 3);
		if (behind < 2) {
			assert_int_equal(end, HISI_ZIP_DONE);
			end = none(10, 2000, SYNC, &done);
			assert_int_equal(done.consumed, 2 - behind);
		}
		assert_int_equal(end, HISI_ZIP_DONE_END);
	}
	/* All that it had may have been the trailer's. */
	script(HISI_QM_REV_V2, HISI_ZIP_DECOMP, 4);
	assert_int_equal(ANSWER(1, 2000, SYNC, .consumed = 1, .produced = 7,
		.ctx_dw0 = HISI_ZIP_CTX_NO_CRC), HISI_ZIP_DONE_PART);
	assert_int_equal(done.consumed, 0);
	assert_int_equal(ANSWER(1, 2000, SYNC, .consumed = 3, .dw3 = HISI_ZIP_CRC_ERR),
		HISI_ZIP_DONE_END);
	assert_int_equal(done.consumed, 0);
	/* It needs more than a trailer, or all of it, or makes output of it. */
	for (int i = 0; i < 4; i++) {
		const struct hisi_zip_sqe wrong[] = {
			{ .consumed = 4 }, { .consumed = 0, .dw3 = HISI_ZIP_CRC_ERR },
			{ .consumed = 4, .produced = 1, .dw3 = HISI_ZIP_CRC_ERR },
			{ .consumed = 4, .dw3 = HISI_ZIP_BAD_DATA },
		};

		script(HISI_QM_REV_V2, HISI_ZIP_DECOMP, 4);
		ANSWER(1000, 2000, SYNC, .consumed = 1000, .ctx_dw0 = HISI_ZIP_CTX_NO_CRC);
		assert_true(answer(3, 2000, SYNC, wrong[i], &done) > HISI_ZIP_DONE_PART);
		assert_false(hisi_zip_stream_replaceable(&scripted));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_compress_fails),
		cmocka_unit_test(test_compress_ends),
		cmocka_unit_test(test_behind_end),
		cmocka_unit_test(test_decompress_fails),
		cmocka_unit_test(test_cached_bits),
		cmocka_unit_test(test_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
