/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Each quirk of streams does what its line says; and the data is right as ever. */

#include "test_zip_dev_quirk_util.h"

/* A request that is refused leaves the stream as it is. */
static void
refused_streams(void **state)
{
	struct hisi_zip_sqe *sqe;
	uint32_t n;

	(void)state;
	open_with(HISI_QM_REV_V3, "empty-refused:room-200");
	n = pack(-15, LEN);
	sqe = do_stream(&d, HISI_ZIP_REQ_DEFLATE, NEW, packed, n / 2, out, 300);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->produced, 300);
	n = sqe->consumed;
	sqe = do_stream(&d, HISI_ZIP_REQ_DEFLATE, 0, packed, 0, out + 300, ROOM);
	assert_int_equal(sqe->dw3, HISI_ZIP_BAD_SQE);
	sqe = do_stream(&d, HISI_ZIP_REQ_DEFLATE, 0, packed + n, 10, out + 300, 199);
	assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
	assert_int_equal(sqe->consumed, 0);
	assert_int_equal(sqe->produced, 0);
	sqe = do_stream(&d, HISI_ZIP_REQ_DEFLATE, 0, packed + n, ROOM - n, out + 300, 200);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	n += sqe->consumed;
	sqe = do_stream(&d, HISI_ZIP_REQ_DEFLATE, 0, packed + n, ROOM - n, out + 500, ROOM);
	assert_int_equal(sqe->dw3, END);
	assert_int_equal(sqe->produced, LEN - 500);
	assert_memory_equal(out, plain, LEN);
	/* Without a stream neither counts. */
	n = pack(-15, 100);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, n, out, 199)->dw3, HISI_ZIP_OK);
	td_close(&td);
}

/* Output of requests of all lengths is one stream together; bits wait between them. */
static void
flush_bits(void **state)
{
	uint32_t seed = 5, unaligned = 0;

	(void)state;
	open_with(HISI_QM_REV_V3, "flush-bits");
	for (unsigned int round = 0; round < 50; round++) {
		uint32_t in = 0, n = 0;

		while (in < LEN) {
			uint32_t piece = rnd(&seed) % 3000 + 1;
			struct hisi_zip_sqe *sqe;

			if (piece > LEN - in)
				piece = LEN - in;
			sqe = do_stream(&c, HISI_ZIP_REQ_DEFLATE, (in == 0 ? NEW : 0) |
					(in + piece == LEN ? FINISH : 0), plain + in, piece,
					packed + n, 2 * ROOM - n);
			assert_int_equal(sqe->dw3, HISI_ZIP_OK);
			assert_int_equal(sqe->consumed, piece);
			in += piece;
			n += sqe->produced;
			/* No marker, and mostly not aligned. */
			if (n >= 4 && in < LEN)
				unaligned += memcmp(packed + n - 4, "\0\0\xff\xff", 4) != 0;
		}
		is_plain(packed, n, LEN);
	}
	assert_true(unaligned > 50);
	td_close(&td);
}

/* zlib's stream of many blocks, in raw and with trailer. @return length. */
static uint32_t
pack_blocks(int wbits, uint32_t *seed)
{
	static const int flushes[] = { Z_BLOCK, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH };
	z_stream z = { 0 };
	uint32_t header = wbits == 15 ? 2 : wbits == 31 ? 10 : 0, n;

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = plain;
	z.next_out = packed;
	z.avail_out = 2 * ROOM;
	for (uint32_t left = LEN, piece; left != 0; left -= piece) {
		piece = rnd(seed) % 2000 + 1;
		if (piece > left)
			piece = left;
		z.avail_in = piece;
		assert_int_equal(deflate(&z, flushes[rnd(seed) % 3]), Z_OK);
	}
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = (uint32_t)z.total_out - header;
	deflateEnd(&z);
	memmove(packed, packed + header, n);
	return n;
}

/* The bits that the function says it has cached are those of the input before what it took. */
static void
check_cached(const struct hisi_zip_sqe *sqe, uint32_t in)
{
	uint32_t cnt = sqe->ctx_dw0 >> 10 & 0x3f, window = sqe->ctx_dw2 & 0xffff;
	const uint8_t *at = ctx + HISI_ZIP_CTX_HW_OFF + 0xc00 + ((window + 15) & ~15u);
	uint64_t bits, want = 0;

	assert_true(cnt < 40);
	memcpy(&bits, at, sizeof(bits));
	for (uint32_t i = 0; i < cnt; i++) {
		uint32_t bit = in * 8 - cnt + i;

		want |= (uint64_t)(packed[bit / 8] >> bit % 8 & 1) << i;
	}
	assert_true(bits == want);
}

static void
head_bits(void **state)
{
	static const uint32_t reqs[] = { HISI_ZIP_REQ_DEFLATE, HISI_ZIP_REQ_ZLIB,
		HISI_ZIP_REQ_GZIP };
	static const int wbits[] = { -15, 15, 31 };
	uint32_t seed = 9, cached = 0, full = 0;

	(void)state;
	open_with(HISI_QM_REV_V3, "head-bits");
	for (unsigned int round = 0; round < 300; round++) {
		uint32_t n = pack_blocks(wbits[round % 3], &seed), in = 0, len = 0;

		memset(out, 0, LEN);
		for (bool first = true;; first = false) {
			uint32_t piece = rnd(&seed) % (rnd(&seed) % 2 == 0 ? 6 : 800) + 1;
			uint32_t room = rnd(&seed) % 4 == 0 ? rnd(&seed) % 100 + 16 : ROOM;
			struct hisi_zip_sqe *sqe;
			uint32_t st;

			if (piece > n - in)
				piece = n - in; /* 0: what is cached is all there is */
			sqe = do_stream(&d, reqs[round % 3], first ? NEW : 0, packed + in, piece,
					out + len, room);
			st = sqe->ctx_dw0 & HISI_ZIP_CTX_ST_MASK;
			assert_true(sqe->consumed <= piece);
			in += sqe->consumed;
			len += sqe->produced;
			if (sqe->dw3 == END)
				break;
			assert_int_equal(sqe->dw3, HISI_ZIP_OK);
			if (st == HISI_ZIP_CTX_BLK_NOSTART) {
				check_cached(sqe, in);
				assert_int_equal(sqe->consumed, piece);
				cached += (sqe->ctx_dw0 >> 10 & 0x3f) != 0;
			} else {
				assert_int_equal(sqe->ctx_dw0 >> 10, 0);
				full += st == HISI_ZIP_CTX_DECOMPING_NO_SPACE;
			}
			assert_true(in < n || piece != 0 || sqe->produced != 0);
		}
		assert_int_equal(in, n);
		assert_int_equal(len, LEN);
		assert_memory_equal(out, plain, LEN);
	}
	assert_true(cached > 300);
	assert_true(full > 300);
	td_close(&td);
}

/* An empty final block that is cached: its end is told when nothing more is sent. */
static void
head_bits_end(void **state)
{
	static const uint8_t stored[] = { 0, 3, 0, 0xfc, 0xff, 'a', 'b', 'c' };
	static const uint8_t last[] = { 3, 0, 0x55, 0x55 };
	struct hisi_zip_sqe *sqe;

	(void)state;
	open_with(HISI_QM_REV_V3, "head-bits");
	memcpy(packed, stored, sizeof(stored));
	memcpy(packed + sizeof(stored), last, sizeof(last));
	sqe = do_stream(&d, HISI_ZIP_REQ_DEFLATE, NEW, packed, 12, out, ROOM);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->consumed, 12);
	assert_int_equal(sqe->ctx_dw0, HISI_ZIP_CTX_BLK_NOSTART | 32u << 10);
	check_cached(sqe, 12);
	sqe = do_stream(&d, HISI_ZIP_REQ_DEFLATE, 0, packed, 0, out + 3, ROOM);
	assert_int_equal(sqe->dw3, END);
	assert_int_equal(sqe->produced, 0);
	assert_memory_equal(out, "abc", 3);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_streams),
		cmocka_unit_test(flush_bits),
		cmocka_unit_test(head_bits),
		cmocka_unit_test(head_bits_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
