/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Stateful requests: both directions in random pieces, limits, release, misuse. */

#include "test_qm_dev_util.h"

#include <string.h>
#include <zlib.h>

#include "test_qm_dev_left.h"
#include "zip_dev_request.h"

#define ARENA   (64u << 20)
#define MAX_LEN (200u << 10)
#define STREAMS 8

static struct td td;
static struct tq c, d;
static uint8_t *plain, *packed, *out;

static int
setup(void **state)
{
	struct qm_dev_conf conf = td_conf(0);

	*state = &td;
	td_zip(&conf)->streams_max = STREAMS;
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 16);
	plain = td_alloc(&td, MAX_LEN, 64);
	packed = td_alloc(&td, 2 * MAX_LEN, 64);
	out = td_alloc(&td, 2 * MAX_LEN, 64);
	return 0;
}

static uint32_t
streams(void)
{
	struct qm_dev_stats s;

	qm_dev_stats_get(td.dev, &s);
	return s.contexts;
}

/* Fill a slot with a request of the stream named ctx. */
static struct hisi_zip_sqe *
stream_slot(struct tq *q, uint32_t req, uint64_t ctx, bool first, bool finish)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, req);

	sqe->dw7 |= HISI_ZIP_DW7_STREAM | (first ? HISI_ZIP_DW7_STREAM_NEW : 0) |
		(finish ? HISI_ZIP_DW7_FINISH : 0);
	hisi_zip_sqe_ctx(sqe, ctx);
	return sqe;
}

struct kind {
	uint32_t req;
	int wbits;
	uint32_t header;
};

static const struct kind kinds[] = {
	{ HISI_ZIP_REQ_DEFLATE, -15, 0 },
	{ HISI_ZIP_REQ_ZLIB, 15, 2 },
	{ HISI_ZIP_REQ_GZIP, 31, 10 },
};

static const uint8_t zlib_header[] = { 0x78, 0x9c };
static const uint8_t gzip_header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };

/* Compress plain[len] in random pieces with little output room at times. @return length. */
static uint32_t
compress_in_pieces(const struct kind *k, uint64_t ctx, uint32_t len, uint32_t *seed, bool ext)
{
	uint32_t in = 0, n = k->header;
	uint32_t crc = 0, adler = 0;
	bool first = true, done = false;

	memcpy(packed, k->header == 2 ? zlib_header : gzip_header, k->header);
	while (!done) {
		uint32_t piece = rnd(seed) % (1u << rnd(seed) % 17);
		uint32_t room = rnd(seed) % 3 == 0 ? 16 + rnd(seed) % 64 : MAX_LEN;
		uint32_t flush = rnd(seed) % 3, level = rnd(seed) % 10;
		bool finish;

		if (piece > len - in)
			piece = len - in;
		finish = in + piece == len && rnd(seed) % 2 == 0;
		/* The same request is sent until it is done. */
		for (bool again = true; again; first = false) {
			struct hisi_zip_sqe *sqe = stream_slot(&c, k->req, ctx, first, finish);

			if (ext) {
				sqe->dw10 = ext_level(level) |
					(finish ? 0 : flush << HISI_ZIP_EXT_FLUSH_SHIFT);
				if (k->req == HISI_ZIP_REQ_DEFLATE) {
					sqe->dw10 |= HISI_ZIP_EXT_CRC32 | HISI_ZIP_EXT_ADLER32;
					sqe->dw11 = 0;
					sqe->dw12 = 1;
				}
			}
			/* Stale words must not matter. */
			sqe->ctx_dw0 = sqe->ctx_dw1 = sqe->isize = sqe->checksum = 0xdeadbeef;
			hisi_zip_sqe_src(sqe, td_iova(&td, plain + in), piece);
			hisi_zip_sqe_dst(sqe, td_iova(&td, packed + n), room);
			sqe = tq_do(&c);
			assert_true(sqe->consumed <= piece && sqe->produced <= room);
			in += sqe->consumed;
			n += sqe->produced;
			piece -= sqe->consumed;
			crc = sqe->checksum;
			adler = sqe->isize;
			again = (sqe->dw3 & HISI_ZIP_STATUS_MASK) == HISI_ZIP_DSTLEN_OUT;
			if (again) {
				assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT |
						(ext ? HISI_ZIP_EXT_DW3_PARTIAL : 0));
				assert_true(sqe->ctx_dw1 != 0);
			} else {
				assert_int_equal(sqe->dw3, HISI_ZIP_OK);
				assert_int_equal(piece, 0);
				done = finish;
			}
		}
	}
	if (ext && k->req == HISI_ZIP_REQ_DEFLATE) {
		assert_int_equal(crc, crc32(0, plain, len));
		assert_int_equal(adler, adler32(1, plain, len));
	}
	return n;
}

/* Decompress packed[n] in random pieces. @return length of the result. */
static uint32_t
decompress_in_pieces(const struct kind *k, uint64_t ctx, uint32_t n, uint32_t *seed)
{
	uint32_t in = k->header, len = 0;
	bool first = true;

	for (;;) {
		uint32_t piece = rnd(seed) % (1u << rnd(seed) % 17);
		uint32_t room = rnd(seed) % 2 == 0 ? 16 + rnd(seed) % 5000 : MAX_LEN;
		struct hisi_zip_sqe *sqe = stream_slot(&d, k->req, ctx, first, rnd(seed) % 2);

		if (piece > n + 9 - in) /* 9 bytes of rubbish behind the end */
			piece = n + 9 - in;
		hisi_zip_sqe_src(sqe, td_iova(&td, packed + in), piece);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out + len), room);
		sqe = tq_do(&d);
		first = false;
		assert_true(sqe->consumed <= piece && sqe->produced <= room);
		in += sqe->consumed;
		len += sqe->produced;
		if (sqe->dw3 == (HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK)) {
			assert_int_equal(in, n);
			return len;
		}
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		switch (sqe->ctx_dw0 & HISI_ZIP_CTX_ST_MASK) {
		case HISI_ZIP_CTX_NO_SPACE:
			assert_int_equal(sqe->consumed, piece);
			/* fall through */
		case HISI_ZIP_CTX_DECOMPING_NO_SPACE:
			assert_true((sqe->ctx_dw1 & HISI_ZIP_CTX_DW1_STORE_MASK) != 0);
			assert_int_equal(sqe->produced, room);
			break;
		default:
			assert_int_equal(sqe->consumed, piece);
			break;
		}
	}
}

static void
random_pieces(void **state)
{
	uint32_t seed = 12345;
	uint64_t errors;

	(void)state;
	for (uint32_t i = 0; i < 600; i++) {
		const struct kind *k = &kinds[i % 3];
		uint32_t len = rnd(&seed) % (1u << (rnd(&seed) % 17 + 1)), n;
		uint64_t ctx = TD_IOVA + 64 + (i % 5) * HISI_ZIP_CTX_SIZE;

		if (i % 4 == 0)
			fill_noise(plain, len, i + 1);
		else
			fill_text(plain, len, i + 1);
		n = compress_in_pieces(k, ctx, len, &seed, i % 2 == 0);
		assert_int_equal(streams(), 0);
		memset(packed + n, 0x5a, 9);
		memset(out, 0, len);
		assert_int_equal(z_inflate(k->wbits, packed, n, out, 2 * MAX_LEN), len);
		assert_memory_equal(out, plain, len);

		memset(out, 0, len);
		errors = td_stats(&td).errors;
		assert_int_equal(decompress_in_pieces(k, ctx, n, &seed), len);
		/* That it reached the end is none. */
		assert_int_equal(td_stats(&td).errors, errors);
		assert_memory_equal(out, plain, len);
		assert_int_equal(streams(), 0);
	}
}

static uint32_t
one(struct tq *q, uint32_t req, uint64_t ctx, bool first, bool finish)
{
	struct hisi_zip_sqe *sqe = stream_slot(q, req, ctx, first, finish);

	sqe->dw10 = ext_level(1);
	hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
	hisi_zip_sqe_dst(sqe, td_iova(&td, out), 1000);
	return tq_do(q)->dw3;
}

static void
limit_release_and_misuse(void **state)
{
	const uint64_t base = 0x123440; /* need not be memory: only a name */
	const uint32_t deflate = HISI_ZIP_REQ_DEFLATE;

	(void)state;
	fill_text(plain, MAX_LEN, 1);
	/* Unknown. */
	assert_int_equal(one(&c, deflate, base, false, false), HISI_ZIP_BAD_STREAM);
	for (uint32_t i = 0; i < STREAMS; i++)
		assert_int_equal(one(&c, deflate, base + i, true, false), HISI_ZIP_OK);
	assert_int_equal(streams(), STREAMS);
	assert_int_equal(one(&c, deflate, base + STREAMS, true, false), HISI_ZIP_NO_STREAM);
	assert_int_equal(one(&c, deflate, base + STREAMS, false, false), HISI_ZIP_BAD_STREAM);
	/* A known one may begin anew, and go on. */
	assert_int_equal(one(&c, deflate, base, true, false), HISI_ZIP_OK);
	assert_int_equal(one(&c, deflate, base, false, false), HISI_ZIP_OK);
	assert_int_equal(streams(), STREAMS);
	/* Other direction, other format. */
	assert_int_equal(one(&d, deflate, base, false, false), HISI_ZIP_BAD_STREAM);
	assert_int_equal(one(&c, HISI_ZIP_REQ_ZLIB, base, false, false), HISI_ZIP_BAD_STREAM);
	assert_int_equal(one(&c, HISI_ZIP_REQ_EXT_COPY, base, false, false), HISI_ZIP_BAD_SQE);
	/* Release makes room; unknown addresses are ignored, and so is half a write. */
	qm_dev_write(td.dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 4, base + 3);
	qm_dev_write(td.dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 8, base + 100);
	assert_int_equal(streams(), STREAMS);
	qm_dev_write(td.dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 8, base + 3);
	assert_int_equal(streams(), STREAMS - 1);
	assert_int_equal(one(&c, deflate, base + 3, false, false), HISI_ZIP_BAD_STREAM);
	/* The freed state serves the other direction as well. */
	assert_int_equal(one(&d, deflate, base + 50, true, false), HISI_ZIP_BAD_DATA);
	assert_int_equal(streams(), STREAMS - 1);
	assert_int_equal(one(&d, deflate, base + 50, false, false), HISI_ZIP_BAD_STREAM);
	assert_int_equal(one(&c, deflate, base + 3, true, false), HISI_ZIP_OK);
	/* The end keeps nothing. */
	for (uint32_t i = 0; i < STREAMS; i++)
		assert_int_equal(one(&c, deflate, base + i, false, true), HISI_ZIP_OK);
	assert_int_equal(streams(), 0);
	assert_int_equal(one(&c, deflate, base, false, true), HISI_ZIP_BAD_STREAM);
	/* Known, then begun in the other direction. */
	assert_int_equal(one(&c, deflate, base, true, false), HISI_ZIP_OK);
	memset(plain, 0, 5);
	assert_int_equal(one(&d, deflate, base, true, false), HISI_ZIP_BAD_DATA);
	assert_int_equal(streams(), 0);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(one(&c, deflate, i * 0x10000, true, true), HISI_ZIP_OK);
	assert_int_equal(streams(), 0);
}

/* Two requests of one stream at a time, and a release meanwhile, as two workers would meet. */
static void
busy_streams(void **state)
{
	const struct zip_codec_params params = { .level = 1, .window = 15, .adler32 = 1,
		.checksum = ZIP_CODEC_ADLER32 };
	struct zip_dev_streams s;
	struct zip_dev_stream *a, *b;

	(void)state;
	zip_dev_streams_init(&s, 2, NULL);
#define GET(key, first, dir, st) zip_dev_stream_get(&s, key, first, dir, HISI_ZIP_REQ_ZLIB, \
		&params, st)
	assert_int_equal(GET(1, true, ZIP_CODEC_COMPRESS, &a), HISI_ZIP_OK);
	/* Neither goes on nor begins anew while it is busy. */
	assert_int_equal(GET(1, false, ZIP_CODEC_COMPRESS, &b), HISI_ZIP_BAD_STREAM);
	assert_int_equal(GET(1, true, ZIP_CODEC_COMPRESS, &b), HISI_ZIP_BAD_STREAM);
	assert_int_equal(GET(2, true, ZIP_CODEC_COMPRESS, &b), HISI_ZIP_OK);
	assert_true(a != b);
	/* Released while busy: gone when its request is done, whatever that wants. */
	zip_dev_stream_release(&s, 1);
	assert_int_equal(s.used, 2);
	zip_dev_stream_put(&s, b, true);
	zip_dev_stream_put(&s, a, true);
	assert_int_equal(s.used, 1);
	assert_int_equal(GET(1, false, ZIP_CODEC_COMPRESS, &a), HISI_ZIP_BAD_STREAM);
	/* The release is not the next one's. */
	a->ended = a->finishing = true;
	a->trailer_done = 3;
	a->isize = 77;
	assert_int_equal(GET(3, true, ZIP_CODEC_COMPRESS, &b), HISI_ZIP_OK);
	assert_ptr_equal(a, b);
	/* Nor is anything else of the one before. */
	assert_true(!b->ended && !b->finishing && b->trailer_done == 0 && b->isize == 0 &&
			b->crc32 == 0 && b->adler32 == 1 && b->checksum == ZIP_CODEC_ADLER32);
	zip_dev_stream_put(&s, b, true);
	assert_int_equal(s.used, 2);
	assert_int_equal(GET(4, true, ZIP_CODEC_COMPRESS, &a), HISI_ZIP_NO_STREAM);
	assert_int_equal(s.made, 2);
	/* The other direction takes what is free of this one. */
	zip_dev_stream_release(&s, 3);
	assert_int_equal(GET(3, true, ZIP_CODEC_DECOMPRESS, &a), HISI_ZIP_OK);
	assert_int_equal(a->dir, ZIP_CODEC_DECOMPRESS);
	zip_dev_stream_put(&s, a, true);
	assert_int_equal(GET(3, false, ZIP_CODEC_COMPRESS, &a), HISI_ZIP_BAD_STREAM);
	assert_int_equal(GET(3, false, ZIP_CODEC_DECOMPRESS, &a), HISI_ZIP_OK);
	zip_dev_stream_put(&s, a, false);
	assert_int_equal(s.used, 1);
	zip_dev_streams_reset(&s);
	assert_int_equal(s.used, 0);
	assert_int_equal(GET(2, false, ZIP_CODEC_COMPRESS, &a), HISI_ZIP_BAD_STREAM);
#undef GET
	zip_dev_streams_fini(&s);
}

/* A stream that serves again in its direction takes no memory; in the other one it takes anew. */
static void
streams_serve_again(void **state)
{
	const struct zip_codec_params params = { .level = 1, .window = 15, .adler32 = 1 };
	static const enum zip_codec_dir dirs[] = { ZIP_CODEC_COMPRESS, ZIP_CODEC_DECOMPRESS,
		ZIP_CODEC_COMPRESS };
	struct left before = left_now();
	struct zip_dev_streams s;
	struct zip_dev_stream *a;

	(void)state;
	zip_dev_streams_init(&s, 1, NULL);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		for (uint64_t key = 1; key < 4; key++) {
			if (key > 1)
				left_fail_alloc(1);
			assert_int_equal(zip_dev_stream_get(&s, key, true, dirs[i],
					HISI_ZIP_REQ_ZLIB, &params, &a), HISI_ZIP_OK);
			left_fail_alloc(0);
			zip_dev_stream_put(&s, a, false);
		}
		/* For the other one it is made anew; without memory it is free, as before. */
		left_fail_alloc(1);
		assert_int_equal(zip_dev_stream_get(&s, 9, true, ZIP_CODEC_COMPRESS +
				ZIP_CODEC_DECOMPRESS - dirs[i], HISI_ZIP_REQ_ZLIB, &params, &a),
				HISI_ZIP_INTERNAL);
		left_fail_alloc(0);
		assert_int_equal(s.used, 0);
	}
	zip_dev_streams_fini(&s);
	left_check(&before);
}

static void
release_is_the_extensions(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev_stats s;
	struct td plain_td;
	struct hisi_zip_sqe *sqe;
	struct tq q;

	(void)state;
	conf.ext = 0;
	td_open(&plain_td, &conf, ARENA);
	tq_start(&q, &plain_td, 0, HISI_ZIP_QC_COMPRESS, 16);
	sqe = stream_slot(&q, HISI_ZIP_REQ_ZLIB, TD_IOVA + 64, true, false);
	hisi_zip_sqe_src(sqe, TD_IOVA, 100);
	hisi_zip_sqe_dst(sqe, TD_IOVA + 4096 * 16, 1000);
	assert_int_equal(tq_do(&q)->dw3, HISI_ZIP_OK);
	qm_dev_write(plain_td.dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 8, TD_IOVA + 64);
	qm_dev_stats_get(plain_td.dev, &s);
	assert_int_equal(s.contexts, 1);
	td_close(&plain_td);
}

/* A wrong trailer is seen wherever the pieces are cut. */
static void
wrong_trailer(void **state)
{
	uint32_t n;

	(void)state;
	fill_text(plain, 1000, 5);
	n = (uint32_t)z_deflate(31, plain, 1000, packed, MAX_LEN);
	for (uint32_t cut = 0; cut < 8; cut++) {
		struct hisi_zip_sqe *sqe;

		packed[n - 1 - cut] ^= 0x10;
		sqe = stream_slot(&d, HISI_ZIP_REQ_GZIP, 64, true, false);
		hisi_zip_sqe_src(sqe, td_iova(&td, packed + 10), n - 10 - 8 + cut);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), MAX_LEN);
		sqe = tq_do(&d);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->consumed, n - 10 - 8 + cut);
		sqe = stream_slot(&d, HISI_ZIP_REQ_GZIP, 64, false, false);
		hisi_zip_sqe_src(sqe, td_iova(&td, packed + n - 8 + cut), 8 - cut);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), MAX_LEN);
		sqe = tq_do(&d);
		assert_int_equal(sqe->dw3, HISI_ZIP_CRC_ERR);
		assert_int_equal(streams(), 0);
		packed[n - 1 - cut] ^= 0x10;
	}
}

/*
 * When a finish did not fit, the rest of its input may come in any pieces; when
 * all of it was consumed, nothing may come but more room.
 */
static void
nothing_behind_the_last_input(void **state)
{
	const uint32_t len = 5000;
	uint32_t in = 0, n = 0, late = 0;

	(void)state;
	fill_noise(plain, MAX_LEN, 8);
	memcpy(packed, zlib_header, 2);
	n = 2;
	for (uint32_t i = 0;; i++) {
		/* Every other time a piece without a flush. */
		bool finish = i % 2 == 0 || in == len;
		uint32_t piece = finish ? len - in : (len - in) / 2;
		struct hisi_zip_sqe *sqe = stream_slot(&c, HISI_ZIP_REQ_ZLIB, 64, i == 0, finish);

		sqe->dw10 = ext_level(1) | (finish ? 0 :
				HISI_ZIP_EXT_FLUSH_NONE << HISI_ZIP_EXT_FLUSH_SHIFT);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain + in), piece);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed + n), 16);
		sqe = tq_do(&c);
		in += sqe->consumed;
		n += sqe->produced;
		if (sqe->dw3 == HISI_ZIP_OK && finish)
			break;
		if (!finish || in != len)
			continue;
		late++;
		for (uint32_t wrong = 1; wrong < MAX_LEN; wrong *= 8) {
			sqe = stream_slot(&c, HISI_ZIP_REQ_ZLIB, 64, false, true);
			hisi_zip_sqe_src(sqe, td_iova(&td, plain), wrong);
			hisi_zip_sqe_dst(sqe, td_iova(&td, out), MAX_LEN);
			assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_STREAM);
		}
		sqe = stream_slot(&c, HISI_ZIP_REQ_ZLIB, 64, false, false);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), MAX_LEN);
		assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_STREAM);
		assert_int_equal(streams(), 1);
	}
	assert_true(late > 10);
	assert_int_equal(z_inflate(15, packed, n, out, MAX_LEN), len);
	assert_memory_equal(out, plain, len);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(random_pieces), T(limit_release_and_misuse), T(wrong_trailer),
		T(nothing_behind_the_last_input),
		cmocka_unit_test(release_is_the_extensions), cmocka_unit_test(busy_streams),
		cmocka_unit_test(streams_serve_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
