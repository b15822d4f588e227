/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Plain silicon under a driver with the rules of UADK's hisi_comp (ZIP 5.5
 * to 5.8): formats with headers by software, streams with a context buffer in
 * memory, and zlib as the judge.
 */

#include "fewer.h"
#include "test_qm_dev_util.h"

#include <string.h>
#include <zlib.h>

#define ARENA     (64u << 20)
#define MAX_LEN   (200u << 10)
#define ROOM_MIN  200u /* less output room gets the buffer inside the context */
#define STORE_LEN 236u
#define STORE_OFF 0x9800u

struct format {
	uint32_t req;
	int wbits;
	uint32_t header;
};

static const struct format formats[] = {
	{ HISI_ZIP_REQ_ZLIB, 15, 2 },
	{ HISI_ZIP_REQ_GZIP, 31, 10 },
	{ HISI_ZIP_REQ_DEFLATE, -15, 0 },
};

static const uint8_t headers[][10] = {
	{ 0x78, 0x9c }, { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 }, { 0 },
};

/* What software keeps of a stream between two requests. */
struct stream {
	uint8_t *ctx;
	uint32_t dw0, dw1, dw2, isize, checksum;
	bool fresh;
};

static struct td td;
static struct tq c, d;
static uint8_t *plain, *packed, *out, *ctx_mem;

static void
open_as(uint8_t revision)
{
	struct qm_dev_conf conf = td_conf(0);

	conf.ext = 0;
	conf.revision = revision;
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 16);
	plain = td_alloc(&td, MAX_LEN, 64);
	packed = td_alloc(&td, 2 * MAX_LEN, 64);
	out = td_alloc(&td, 2 * MAX_LEN, 64);
	ctx_mem = td_alloc(&td, HISI_ZIP_CTX_SIZE, 4096);
}

static struct hisi_zip_sqe *
slot(struct tq *q, uint32_t req, const void *src, uint32_t len, const void *dst, uint32_t room)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, req);

	sqe->dw7 |= HISI_ZIP_DW7_FINISH | HISI_ZIP_DW7_STREAM_NEW;
	hisi_zip_sqe_src(sqe, td_iova(&td, src), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, dst), room);
	return sqe;
}

/* One request of a stream, with the context's software parts and hardware part watched. */
static struct hisi_zip_sqe *
stream_do(struct tq *q, struct stream *s, uint32_t req, const void *src, uint32_t len,
		const void *dst, uint32_t room, bool last)
{
	static uint8_t before[HISI_ZIP_CTX_SIZE];
	struct hisi_zip_sqe *sqe = slot(q, req, src, len, dst, room), *done;

	sqe->dw7 &= ~(HISI_ZIP_DW7_FINISH | HISI_ZIP_DW7_STREAM_NEW);
	sqe->dw7 |= HISI_ZIP_DW7_STREAM | (s->fresh ? HISI_ZIP_DW7_STREAM_NEW : 0) |
		(last ? HISI_ZIP_DW7_FINISH : 0);
	hisi_zip_sqe_ctx(sqe, td_iova(&td, s->ctx) + HISI_ZIP_CTX_HW_OFF);
	sqe->ctx_dw0 = s->dw0;
	sqe->ctx_dw1 = s->dw1;
	sqe->ctx_dw2 = s->dw2;
	sqe->isize = s->isize;
	sqe->checksum = s->checksum;
	memcpy(before, s->ctx, sizeof(before));
	done = tq_do(q);
	assert_memory_equal(s->ctx, before, HISI_ZIP_CTX_HW_OFF);
	/* But for the internal output buffer, if that was the destination. */
	assert_memory_equal(s->ctx + STORE_OFF + STORE_LEN, before + STORE_OFF + STORE_LEN,
			HISI_ZIP_CTX_SIZE - STORE_OFF - STORE_LEN);
	/* Nothing in client memory can be what the device relies on. */
	fill_noise(s->ctx + HISI_ZIP_CTX_HW_OFF, STORE_OFF - HISI_ZIP_CTX_HW_OFF, done->dw3 + len);
	s->dw0 = done->ctx_dw0;
	s->dw1 = done->ctx_dw1;
	s->dw2 = done->ctx_dw2;
	s->isize = done->isize;
	s->checksum = done->checksum;
	s->fresh = false;
	assert_true(done->consumed <= len && done->produced <= room);
	return done;
}

/* The stored final block and the trailer that software puts where nothing is left to send. */
static uint32_t
append_store_block(const struct format *f, const struct stream *s, uint8_t *at)
{
	static const uint8_t block[] = { 1, 0, 0, 0xff, 0xff };
	uint32_t n = sizeof(block), crc = 0;

	memcpy(at, block, sizeof(block));
	if (f->req == HISI_ZIP_REQ_ZLIB) {
		for (int i = 3; i >= 0; i--)
			at[n++] = (uint8_t)(s->checksum >> 8 * i);
	} else if (f->req == HISI_ZIP_REQ_GZIP) {
		for (int i = 0; i < 32; i++)
			crc |= (~s->checksum >> i & 1) << (31 - i);
		memcpy(at + n, &crc, 4);
		memcpy(at + n + 4, &s->isize, 4);
		n += 8;
	}
	return n;
}

static uint32_t
compress_stream(const struct format *f, struct stream *s, uint32_t len, uint32_t *seed)
{
	uint32_t in = 0, n = f->header, expect_window;

	memcpy(packed, headers[f - formats], f->header);
	s->fresh = true;
	for (;;) {
		uint32_t piece = rnd(seed) % (1u << rnd(seed) % 17) + 1;
		uint32_t room = rnd(seed) % 3 == 0 ? rnd(seed) % 2000 : MAX_LEN;
		uint8_t *to = packed + n;
		struct hisi_zip_sqe *sqe;
		bool last;

		if (in == len)
			return n + append_store_block(f, s, packed + n);
		if (piece > len - in)
			piece = len - in;
		last = in + piece == len && rnd(seed) % 2 == 0;
		if (room <= ROOM_MIN) {
			to = s->ctx + STORE_OFF;
			room = STORE_LEN;
		}
		/* The rule that prevents an overflow. */
		if ((piece * 9 + 7) / 8 > room) {
			piece = room * 8 / 9 & ~3u;
			last = false;
		}
		sqe = stream_do(&c, s, f->req, plain + in, piece, to, room, last);
		assert_true(sqe->dw3 == HISI_ZIP_OK || sqe->dw3 == HISI_ZIP_NEGACOMPRESS);
		assert_int_equal(sqe->consumed, piece);
		if (to != packed + n)
			memcpy(packed + n, to, sqe->produced);
		in += piece;
		n += sqe->produced;
		assert_int_equal(s->isize, in);
		expect_window = in < 32768 ? in : 32768;
		assert_int_equal(s->dw2 & HISI_ZIP_CTX_DW2_WINDOW_MASK, expect_window);
		if (last)
			return n;
	}
}

static uint32_t
decompress_stream(const struct format *f, struct stream *s, uint32_t n, uint32_t *seed)
{
	uint32_t in = f->header, len = 0;
	bool again = false;

	s->fresh = true;
	for (;;) {
		uint32_t piece = again ? 0 : rnd(seed) % (1u << rnd(seed) % 17);
		uint32_t room = rnd(seed) % 2 == 0 ? 1 + rnd(seed) % 5000 : MAX_LEN, st;
		uint8_t *to = out + len;
		struct hisi_zip_sqe *sqe;

		if (piece > n - in)
			piece = n - in;
		if (room <= ROOM_MIN) {
			to = s->ctx + STORE_OFF;
			room = STORE_LEN;
		}
		/* Without input the source must be valid all the same: the driver gives dst. */
		sqe = stream_do(&d, s, f->req, piece != 0 ? packed + in : packed, piece, to, room,
				in + piece == n);
		if (to != out + len)
			memcpy(out + len, to, sqe->produced);
		in += sqe->consumed;
		len += sqe->produced;
		assert_int_equal(s->isize, len);
		st = s->dw0 & HISI_ZIP_CTX_ST_MASK;
		if (sqe->dw3 == (HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK)) {
			assert_int_equal(in, n);
			return len;
		}
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(s->dw0 >> 10 & 0x3f, 0); /* no cached bits to look for */
		again = (st == HISI_ZIP_CTX_NO_SPACE || (st == HISI_ZIP_CTX_DECOMPING_NO_SPACE &&
				(s->dw1 & HISI_ZIP_CTX_DW1_STORE_MASK) != 0)) &&
			sqe->consumed == piece;
		if (st == HISI_ZIP_CTX_NO_SPACE)
			assert_true((s->dw0 & HISI_ZIP_CTX_BFINAL) != 0 && sqe->consumed == piece);
		if (st == HISI_ZIP_CTX_NO_CRC)
			assert_true((s->dw0 & HISI_ZIP_CTX_BFINAL) != 0 && f->header != 0);
		/* Either it took all, or it asks for room that there was none of. */
		if (sqe->consumed != piece)
			assert_true(st == HISI_ZIP_CTX_DECOMPING_NO_SPACE);
		if (st == HISI_ZIP_CTX_NO_SPACE || st == HISI_ZIP_CTX_DECOMPING_NO_SPACE)
			assert_int_equal(sqe->produced, room);
		assert_true(in < n || again); /* a complete stream must come to its end */
	}
}

static void
streams_in_pieces(uint8_t revision, unsigned int n_formats)
{
	struct stream s = { .checksum = 0xdeadbeef, .isize = 0xdeadbeef };
	uint32_t seed = 4711;

	open_as(revision);
	s.ctx = ctx_mem;
	for (uint32_t i = 0; i < 400 / test_fewer(); i++) {
		const struct format *f = &formats[i % n_formats];
		uint32_t len = rnd(&seed) % (1u << (rnd(&seed) % 17 + 1)) + 1, n;

		if (i % 5 == 0)
			fill_noise(plain, len, i + 1);
		else
			fill_text(plain, len, i + 1);
		n = compress_stream(f, &s, len, &seed);
		memset(out, 0, len);
		assert_int_equal(z_inflate(f->wbits, packed, n, out, 2 * MAX_LEN), len);
		assert_memory_equal(out, plain, len);

		/* Ours, then zlib's, which has blocks of its own making. */
		for (int k = 0; k < 2; k++) {
			memset(out, 0, len);
			assert_int_equal(decompress_stream(f, &s, n, &seed), len);
			assert_memory_equal(out, plain, len);
			n = (uint32_t)z_deflate(f->wbits, plain, len, packed, 2 * MAX_LEN);
			assert_memory_equal(packed, headers[f - formats], f->header == 2 ? 1 : 0);
		}
	}
	td_close(&td);
}

static void
streams_v3(void **state)
{
	(void)state;
	streams_in_pieces(HISI_QM_REV_V3, 3);
}

static void
streams_v2(void **state)
{
	(void)state;
	streams_in_pieces(HISI_QM_REV_V2, 2);
}

/* Stateless, both ways, every format, against zlib; lengths without the header. */
static void
blocks(uint8_t revision, unsigned int n_formats)
{
	uint32_t seed = 99;

	open_as(revision);
	for (uint32_t i = 0; i < 400 / test_fewer(); i++) {
		const struct format *f = &formats[i % n_formats];
		uint32_t len = rnd(&seed) % (1u << (rnd(&seed) % 17 + 1)) + 1, n, tail;
		struct hisi_zip_sqe *sqe;

		if (i % 5 == 0)
			fill_noise(plain, len, i + 1);
		else
			fill_text(plain, len, i + 1);
		memcpy(packed, headers[f - formats], f->header);
		sqe = tq_do((slot(&c, f->req, plain, len, packed + f->header, MAX_LEN), &c));
		assert_int_equal(sqe->consumed, len);
		/* Not smaller is said so, and valid. */
		assert_int_equal(sqe->dw3, sqe->produced < len ? HISI_ZIP_OK :
				HISI_ZIP_NEGACOMPRESS);
		assert_int_equal(sqe->ctx_dw0, 0);
		n = sqe->produced + f->header;
		assert_int_equal(z_inflate(f->wbits, packed, n, out, 2 * MAX_LEN), len);
		assert_memory_equal(out, plain, len);
		/* The trailer counts as output: without room for it nothing fits. */
		if (n - f->header > 16) {
			sqe = tq_do((slot(&c, f->req, plain, len, out, n - f->header - 1), &c));
			if (sqe->dw3 != HISI_ZIP_DSTLEN_OUT) /* a smaller form may exist */
				assert_true(sqe->produced < n - f->header);
		}

		n = (uint32_t)z_deflate(f->wbits, plain, len, packed, 2 * MAX_LEN);
		tail = rnd(&seed) % 20;
		fill_noise(packed + n, tail, i);
		memset(out, 0, len);
		sqe = tq_do((slot(&d, f->req, packed + f->header, n - f->header + tail, out,
				len < 16 ? 16 : len), &d));
		assert_int_equal(sqe->dw3, HISI_ZIP_OK); /* the kernel takes nothing else */
		assert_int_equal(sqe->consumed, n - f->header);
		assert_int_equal(sqe->produced, len);
		assert_memory_equal(out, plain, len);
		if (f->req == HISI_ZIP_REQ_ZLIB)
			assert_int_equal(sqe->checksum, adler32(1, plain, len));
		if (f->header != 0)
			assert_int_equal(sqe->isize, len);

		/* Truncated, at any place but by the rubbish. */
		sqe = tq_do((slot(&d, f->req, packed + f->header,
				1 + rnd(&seed) % (n - f->header - 1), out, MAX_LEN), &d));
		assert_int_equal(sqe->dw3, HISI_ZIP_BAD_DATA);
		/* A wrong trailer. */
		if (f->header != 0) {
			packed[n - 1 - rnd(&seed) % (f->header == 2 ? 4 : 8)] ^= 1;
			sqe = tq_do((slot(&d, f->req, packed + f->header, n - f->header, out,
					MAX_LEN), &d));
			assert_int_equal(sqe->dw3, HISI_ZIP_CRC_ERR);
		}
	}
	td_close(&td);
}

static void
blocks_v3(void **state)
{
	(void)state;
	blocks(HISI_QM_REV_V3, 3);
}

static void
blocks_v2(void **state)
{
	(void)state;
	blocks(HISI_QM_REV_V2, 2);
}

static void
context_must_be_there(void **state)
{
	const uint64_t end = TD_IOVA + ARENA, need = HISI_ZIP_CTX_HW_END - HISI_ZIP_CTX_HW_OFF;
	const uint64_t bad[] = { 0, 64, end - need + 64, end, UINT64_MAX - 63 };
	struct hisi_zip_sqe *sqe;

	(void)state;
	open_as(HISI_QM_REV_V3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sqe = slot(&c, HISI_ZIP_REQ_ZLIB, plain, 100, packed, 1000);
		sqe->dw7 |= HISI_ZIP_DW7_STREAM;
		hisi_zip_sqe_ctx(sqe, bad[i]);
		assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_ADDR);
	}
	sqe = slot(&c, HISI_ZIP_REQ_ZLIB, plain, 100, packed, 1000);
	sqe->dw7 |= HISI_ZIP_DW7_STREAM;
	hisi_zip_sqe_ctx(sqe, end - need);
	assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_OK);
	/* Stateless requests carry NULL + 64, or anything. */
	sqe = slot(&c, HISI_ZIP_REQ_ZLIB, plain, 100, packed, 1000);
	hisi_zip_sqe_ctx(sqe, 64);
	assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_OK);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_v3), cmocka_unit_test(streams_v2),
		cmocka_unit_test(blocks_v3), cmocka_unit_test(blocks_v2),
		cmocka_unit_test(context_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
