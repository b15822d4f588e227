/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The software extension, the limits of plain silicon, and every status of a stateless request. */

#include "test_qm_dev_util.h"

#include <string.h>
#include <zlib.h>

#define ARENA (128u << 20)
#define LEN   (64u << 10)
#define CAP   (128u << 10)

static struct td td;
static struct tq c, d;
static uint8_t *plain, *packed, *out;

static void
open_with(struct qm_dev_conf conf)
{
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 16);
	plain = td_alloc(&td, LEN, 64);
	packed = td_alloc(&td, CAP, 64);
	out = td_alloc(&td, CAP, 64);
	fill_text(plain, LEN, 11);
}

static int
setup(void **state)
{
	*state = &td;
	open_with(td_conf(0));
	return 0;
}

static int
setup_plain(void **state)
{
	struct qm_dev_conf conf = td_conf(0);

	*state = &td;
	conf.ext = 0;
	open_with(conf);
	return 0;
}

static int
setup_copy(void **state)
{
	struct qm_dev_conf conf = td_conf(0);

	*state = &td;
	td_zip(&conf)->engine = ZIP_DEV_ENGINE_COPY;
	open_with(conf);
	return 0;
}

static struct hisi_zip_sqe *
deflate_req(uint32_t dw10, uint32_t len, uint32_t cap)
{
	struct hisi_zip_sqe *sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);

	sqe->dw10 = dw10;
	hisi_zip_sqe_src(sqe, td_iova(&td, plain), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, packed), cap);
	return tq_do(&c);
}

static struct hisi_zip_sqe *
inflate_req(uint32_t req, uint32_t dw10, const uint8_t *src, uint32_t len, uint32_t cap)
{
	struct hisi_zip_sqe *sqe = tq_slot(&d, req);

	sqe->dw10 = dw10;
	sqe->dw12 = 1;
	hisi_zip_sqe_src(sqe, td_iova(&td, src), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, out), cap);
	return tq_do(&d);
}

static void
levels_and_codes(void **state)
{
	uint32_t produced[10], fixed, dynamic;

	(void)state;
	for (uint32_t level = 0; level <= 9; level++)
		for (uint32_t huff = 0; huff <= 2; huff++)
			for (uint32_t window = 8; window <= 15; window++) {
				uint32_t dw10 = HISI_ZIP_EXT_VALID | level |
					huff << HISI_ZIP_EXT_HUFFMAN_SHIFT |
					window << HISI_ZIP_EXT_WINDOW_SHIFT;
				struct hisi_zip_sqe *sqe = deflate_req(dw10, 10000, CAP);

				assert_int_equal(sqe->dw3, HISI_ZIP_OK);
				assert_int_equal(z_inflate(-15, packed, sqe->produced, out, CAP),
						10000);
				assert_memory_equal(out, plain, 10000);
				produced[level] = sqe->produced;
				/* First block's type. */
				if (huff == HISI_ZIP_EXT_HUFFMAN_FIXED)
					assert_true((packed[0] >> 1 & 3) < 2);
				if (level == 0)
					assert_int_equal(packed[0] >> 1 & 3, 0);
			}
	assert_true(produced[0] > 10000);
	assert_true(produced[9] < produced[1]);
	fixed = deflate_req(ext_level(6) | 1 << HISI_ZIP_EXT_HUFFMAN_SHIFT, LEN, CAP)->produced;
	dynamic = deflate_req(ext_level(6) | 2 << HISI_ZIP_EXT_HUFFMAN_SHIFT, LEN, CAP)->produced;
	assert_true(dynamic < fixed);
}

static void
wrong_choices(void **state)
{
	const uint32_t ok = ext_level(6), w15 = 15u << HISI_ZIP_EXT_WINDOW_SHIFT;
	const uint32_t bad[] = {
		ext_level(10), ext_level(15),
		ok | 3u << HISI_ZIP_EXT_HUFFMAN_SHIFT,
		ok & ~w15, (ok & ~w15) | 7u << HISI_ZIP_EXT_WINDOW_SHIFT,
		ok | HISI_ZIP_EXT_FLUSH_NONE << HISI_ZIP_EXT_FLUSH_SHIFT,
		ok | 3u << HISI_ZIP_EXT_FLUSH_SHIFT,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(deflate_req(bad[i], 100, CAP)->dw3, HISI_ZIP_BAD_SQE);
	for (unsigned int bit = 0; bit < 32; bit++)
		/* Reserved, or LZ4's. */
		if (((HISI_ZIP_EXT_RSVD_MASK | HISI_ZIP_EXT_XXH32 |
				HISI_ZIP_EXT_LZ4_MASK << HISI_ZIP_EXT_LZ4_SHIFT) >> bit & 1) != 0)
			assert_int_equal(deflate_req(ok | 1u << bit, 100, CAP)->dw3,
					HISI_ZIP_BAD_SQE);
	/* Not meant: silicon ignores the word. */
	assert_int_equal(deflate_req(0x7fffffff, 100, CAP)->dw3, HISI_ZIP_OK);
}

/* Can a request with these words be: how data ends, and whether a part is enough. */
static bool
flush_can_be(uint32_t type, bool stream, bool finish, uint32_t flush, bool partial)
{
	const bool raw = type == HISI_ZIP_REQ_DEFLATE;

	switch (flush) {
	case HISI_ZIP_EXT_FLUSH_DW7:
		break;
	case HISI_ZIP_EXT_FLUSH_NONE:
		if (!stream || finish)
			return false;
		break;
	case HISI_ZIP_EXT_FLUSH_FULL:
		if (stream ? finish : !raw)
			return false;
		break;
	default:
		return false;
	}
	return stream || raw || !partial;
}

/* Each way to end the data with each format, alone and of a stream. */
static void
flushes(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3 * 2 * 2 * 4 * 2; i++) {
		const uint32_t type = HISI_ZIP_REQ_DEFLATE + i % 3, flush = i / 12 % 4;
		const bool stream = i / 3 % 2 != 0, finish = i / 6 % 2 != 0, partial = i / 48 != 0;
		struct hisi_zip_sqe *sqe = tq_slot(&c, type);

		sqe->dw7 |= finish ? HISI_ZIP_DW7_FINISH : 0;
		if (stream)
			sqe->dw7 |= HISI_ZIP_DW7_STREAM | HISI_ZIP_DW7_STREAM_NEW;
		sqe->dw10 = ext_level(6) | flush << HISI_ZIP_EXT_FLUSH_SHIFT |
			(partial ? HISI_ZIP_EXT_PARTIAL : 0);
		hisi_zip_sqe_ctx(sqe, 64);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
		sqe = tq_do(&c);
		assert_int_equal(sqe->dw3, flush_can_be(type, stream, finish, flush, partial) ?
				HISI_ZIP_OK : HISI_ZIP_BAD_SQE);
		assert_int_equal(sqe->consumed, sqe->dw3 == HISI_ZIP_OK ? LEN : 0);
		/* Whether it is complete, or goes on behind a marker, or holds something back. */
		if (sqe->dw3 != HISI_ZIP_OK || type != HISI_ZIP_REQ_DEFLATE)
			continue;
		if (stream ? finish : flush != HISI_ZIP_EXT_FLUSH_FULL)
			assert_int_equal(z_inflate(-15, packed, sqe->produced, out, CAP), LEN);
		else
			assert_int_equal(memcmp(packed + sqe->produced - 4, "\0\0\377\377", 4) == 0,
					flush != HISI_ZIP_EXT_FLUSH_NONE);
	}
	qm_dev_write(td.dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 8, 64);
}

static void
fields_out_of_range(void **state)
{
	struct hisi_zip_sqe *sqe;

	(void)state;
	for (uint32_t req = 0; req <= HISI_ZIP_DW9_REQ_MASK; req++) {
		bool known = (req >= HISI_ZIP_REQ_DEFLATE && req <= HISI_ZIP_REQ_GZIP) ||
			req == HISI_ZIP_REQ_EXT_COPY;

		sqe = tq_slot(&c, req);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
		assert_int_equal(tq_do(&c)->dw3, known ? HISI_ZIP_OK : HISI_ZIP_BAD_SQE);
	}
	for (uint32_t buf = 2; buf < 16; buf++) {
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE | buf << HISI_ZIP_DW9_BUF_SHIFT);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
		assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_SQE);
	}
	for (uint32_t type = 0; type < 16; type++) {
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
		sqe->dw7 = type << HISI_ZIP_DW7_TYPE_SHIFT;
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
		assert_int_equal(tq_do(&c)->dw3, type == 3 ? HISI_ZIP_OK : HISI_ZIP_BAD_SQE);
	}
	for (uint32_t w = 0; w < 16; w++) {
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE | w << HISI_ZIP_DW9_WINDOW_SHIFT);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
		assert_int_equal(tq_do(&c)->dw3, w <= 4 ? HISI_ZIP_OK : HISI_ZIP_BAD_SQE);
	}
}

static void
checksums(void **state)
{
	const uint32_t both = HISI_ZIP_EXT_CRC32 | HISI_ZIP_EXT_ADLER32;
	const uint32_t reqs[] = { HISI_ZIP_REQ_DEFLATE, HISI_ZIP_REQ_EXT_COPY };
	uint32_t n = (uint32_t)z_deflate(-15, plain, LEN, packed, CAP);
	struct hisi_zip_sqe *sqe;

	(void)state;
	sqe = inflate_req(HISI_ZIP_REQ_DEFLATE, HISI_ZIP_EXT_VALID | both, packed, n, LEN);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->checksum, crc32(0, plain, LEN));
	assert_int_equal(sqe->isize, adler32(1, plain, LEN));
	/* Continued from the first half. */
	for (int i = 0; i < 2; i++) {
		sqe = tq_slot(&c, reqs[i]);
		sqe->dw10 = ext_level(1) | both;
		sqe->dw11 = (uint32_t)crc32(0, plain, LEN / 2);
		sqe->dw12 = (uint32_t)adler32(1, plain, LEN / 2);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain) + LEN / 2, LEN / 2);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
		sqe = tq_do(&c);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->checksum, crc32(0, plain, LEN));
		assert_int_equal(sqe->isize, adler32(1, plain, LEN));
	}
	/* One of them alone: the other stays what it was given as. */
	for (int i = 0; i < 4; i++) {
		bool crc = i % 2 == 0;

		sqe = tq_slot(&c, reqs[i / 2]);
		sqe->dw10 = ext_level(1) | (crc ? HISI_ZIP_EXT_CRC32 : HISI_ZIP_EXT_ADLER32);
		sqe->dw11 = 0x1234567;
		sqe->dw12 = 0x7654321;
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
		sqe = tq_do(&c);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->checksum, crc ? crc32(0x1234567, plain, LEN) : 0x1234567);
		assert_int_equal(sqe->isize, crc ? 0x7654321 : adler32(0x7654321, plain, LEN));
	}
	/* None: both words stay as they were. */
	sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
	sqe->dw10 = ext_level(1);
	sqe->checksum = 0x11;
	sqe->isize = 0x22;
	hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
	hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
	sqe = tq_do(&c);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->checksum, 0x11);
	assert_int_equal(sqe->isize, 0x22);
	/* The formats with a trailer have their own. */
	sqe = tq_slot(&c, HISI_ZIP_REQ_GZIP);
	sqe->dw10 = ext_level(1) | HISI_ZIP_EXT_CRC32;
	hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
	hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
	assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_SQE);
}

static void
overflow_and_partial(void **state)
{
	const uint32_t full = HISI_ZIP_EXT_FLUSH_FULL << HISI_ZIP_EXT_FLUSH_SHIFT;
	uint32_t in = 0, n = 0, pieces = 0;
	struct qm_dev_stats before, after;
	struct hisi_zip_sqe *sqe;

	(void)state;
	for (uint32_t cap = 0; cap < 10; cap++) {
		sqe = deflate_req(ext_level(6), 1000, cap);
		assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
		assert_int_equal(sqe->consumed, 0);
		assert_int_equal(sqe->produced, 0);
	}
	before = td_stats(&td);
	/* A fifth of the room at a time; the pieces make one stream. */
	while (in < LEN) {
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
		sqe->dw10 = ext_level(6) | HISI_ZIP_EXT_PARTIAL;
		hisi_zip_sqe_src(sqe, td_iova(&td, plain + in), LEN - in);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed + n), 2000);
		sqe = tq_do(&c);
		assert_true(sqe->dw3 == HISI_ZIP_OK ||
				sqe->dw3 == (HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL));
		assert_true(sqe->consumed != 0 && sqe->produced != 0);
		assert_true(sqe->dw3 != HISI_ZIP_OK || sqe->consumed == LEN - in);
		in += sqe->consumed;
		n += sqe->produced;
		pieces++;
	}
	assert_true(pieces > 2);
	/* No errors, and what was done counts, not what was asked for. */
	after = td_stats(&td);
	assert_int_equal(after.errors, before.errors);
	assert_int_equal(after.requests - before.requests, pieces);
	assert_int_equal(after.bytes_in - before.bytes_in, LEN);
	assert_int_equal(after.bytes_out - before.bytes_out, n);
	assert_int_equal(z_inflate(-15, packed, n, out, CAP), LEN);
	assert_memory_equal(out, plain, LEN);
	/* No byte fits: no partial result. */
	assert_int_equal(deflate_req(ext_level(6) | HISI_ZIP_EXT_PARTIAL, 1000, 1)->dw3,
			HISI_ZIP_DSTLEN_OUT);
	/* A stateless full flush ends without BFINAL: another piece may follow. */
	n = deflate_req(ext_level(6) | full, 5000, CAP)->produced;
	assert_int_equal(z_inflate(-15, packed, n, out, CAP), SIZE_MAX);
	packed[n] = 3;
	packed[n + 1] = 0;
	assert_int_equal(z_inflate(-15, packed, n + 2, out, CAP), 5000);
	/* Decompression that does not fit. */
	n = (uint32_t)z_deflate(-15, plain, LEN, packed, CAP);
	for (uint32_t cap = LEN - 1; cap > 0; cap /= 2) {
		sqe = inflate_req(HISI_ZIP_REQ_DEFLATE, ext_level(0), packed, n, cap);
		assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
		assert_int_equal(sqe->produced, 0);
	}
	assert_int_equal(inflate_req(HISI_ZIP_REQ_DEFLATE, ext_level(0), packed, n, 0)->dw3,
			HISI_ZIP_DSTLEN_OUT);
}

static void
copies(void **state)
{
	struct tq *qs[] = { &c, &d };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct hisi_zip_sqe *sqe = tq_slot(qs[i], HISI_ZIP_REQ_EXT_COPY);

		memset(out, 0, CAP);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), LEN);
		sqe = tq_do(qs[i]);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->produced, LEN);
		assert_memory_equal(out, plain, LEN);
		/* Too small; with and without a partial result. */
		sqe = tq_slot(qs[i], HISI_ZIP_REQ_EXT_COPY);
		sqe->dw10 = HISI_ZIP_EXT_VALID;
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), LEN - 1);
		assert_int_equal(tq_do(qs[i])->dw3, HISI_ZIP_DSTLEN_OUT);
		sqe = tq_slot(qs[i], HISI_ZIP_REQ_EXT_COPY);
		sqe->dw10 = HISI_ZIP_EXT_VALID | HISI_ZIP_EXT_PARTIAL;
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), LEN - 1);
		sqe = tq_do(qs[i]);
		assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL);
		assert_int_equal(sqe->consumed, LEN - 1);
	}
}

/* Statuses of bad data: corrupt, truncated, wrong trailer. */
static void
bad_data(void **state)
{
	static const int wbits[] = { -15, 15, 31 };
	static const uint32_t reqs[] = { HISI_ZIP_REQ_DEFLATE, HISI_ZIP_REQ_ZLIB,
		HISI_ZIP_REQ_GZIP };
	static const uint32_t header[] = { 0, 2, 10 }, trailer[] = { 0, 4, 8 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		uint32_t n = (uint32_t)z_deflate(wbits[i], plain, 5000, packed, CAP) - header[i];
		const uint8_t *src = packed + header[i];

		for (uint32_t cut = 0; cut < n; cut += cut < 20 ? 1 : 17)
			assert_int_equal(inflate_req(reqs[i], ext_level(0), src, cut, CAP)->dw3,
					HISI_ZIP_BAD_DATA);
		for (uint32_t k = 1; k <= trailer[i]; k++) {
			packed[header[i] + n - k] ^= 1;
			assert_int_equal(inflate_req(reqs[i], 0, src, n, CAP)->dw3,
					HISI_ZIP_CRC_ERR);
			assert_int_equal(inflate_req(reqs[i], 0, src, n - k, CAP)->dw3,
					HISI_ZIP_BAD_DATA);
			packed[header[i] + n - k] ^= 1;
		}
		assert_int_equal(inflate_req(reqs[i], 0, src, n, CAP)->dw3, HISI_ZIP_OK);
		packed[header[i]] = 0x07; /* BFINAL, block type 3 */
		assert_int_equal(inflate_req(reqs[i], 0, src, n, CAP)->dw3, HISI_ZIP_BAD_DATA);
	}
}

static void
lengths(void **state)
{
	const uint32_t max = HISI_ZIP_REQ_LEN_MAX;
	uint8_t *big = td_alloc(&td, max + 4096, 64), *big_out = td_alloc(&td, 2 * max, 64);
	struct hisi_zip_sqe *sqe;

	(void)state;
	fill_text(big, max, 2);
	sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
	sqe->dw10 = ext_level(1);
	hisi_zip_sqe_src(sqe, td_iova(&td, big), max);
	hisi_zip_sqe_dst(sqe, td_iova(&td, big_out), 2 * max); /* taken as 8 MiB */
	sqe = tq_do(&c);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(z_inflate(-15, big_out, sqe->produced, big_out + max, max), max);
	assert_memory_equal(big_out + max, big, max);

	for (uint64_t len = max + 1ull; len <= UINT32_MAX; len += len) {
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
		sqe->dw10 = ext_level(1);
		hisi_zip_sqe_src(sqe, td_iova(&td, big), (uint32_t)len);
		hisi_zip_sqe_dst(sqe, td_iova(&td, big_out), max);
		assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_SQE);
	}
	/* 9 MiB of zeros do not fit in what one request may write. */
	{
		uint8_t *zeros = calloc(1, 9u << 20);
		uint32_t n = (uint32_t)z_deflate(-15, zeros, 9u << 20, packed, CAP);

		free(zeros);
		sqe = tq_slot(&d, HISI_ZIP_REQ_DEFLATE);
		hisi_zip_sqe_src(sqe, td_iova(&td, packed), n);
		hisi_zip_sqe_dst(sqe, td_iova(&td, big_out), 2 * max);
		assert_int_equal(tq_do(&d)->dw3, HISI_ZIP_DSTLEN_OUT);
	}
	/* An empty input is an empty stream. */
	sqe = deflate_req(ext_level(6), 0, 10);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(z_inflate(-15, packed, sqe->produced, out, CAP), 0);
}

static void
plain_limits(void **state)
{
	struct hisi_zip_sqe *sqe;
	uint32_t status[256];

	(void)state;
	/* dw10 to dw12 are not looked at. */
	assert_int_equal(deflate_req(0xffffffff, 1000, CAP)->dw3, HISI_ZIP_OK);
	assert_int_equal(deflate_req(0, 0, CAP)->dw3, HISI_ZIP_BAD_SQE);
	assert_int_equal(deflate_req(0, 100, 15)->dw3, HISI_ZIP_DSTLEN_OUT);
	assert_int_equal(td_stats(&td).errors, 2);
	/* The data is valid: no error. */
	assert_int_equal(deflate_req(0, 3, 16)->dw3, HISI_ZIP_NEGACOMPRESS);
	assert_int_equal(td_stats(&td).errors, 2);
	qm_dev_stats_status(td.dev, status);
	assert_int_equal(status[HISI_ZIP_NEGACOMPRESS], 1);
	assert_int_equal(status[HISI_ZIP_BAD_SQE], 1);
	assert_int_equal(status[HISI_ZIP_DSTLEN_OUT], 1);
	assert_int_equal(status[HISI_ZIP_OK], 0);
	assert_int_equal(deflate_req(0, 1000, 20)->dw3, HISI_ZIP_DSTLEN_OUT);
	sqe = tq_slot(&c, HISI_ZIP_REQ_EXT_COPY);
	hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
	hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
	assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_SQE);
}

static void
copy_engine(void **state)
{
	struct tq *qs[] = { &c, &d };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct hisi_zip_sqe *sqe = tq_slot(qs[i], HISI_ZIP_REQ_DEFLATE);

		memset(out, 0, CAP);
		sqe->dw10 = ext_level(6);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), LEN);
		sqe = tq_do(qs[i]);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->produced, LEN);
		assert_memory_equal(out, plain, LEN);

		sqe = tq_slot(qs[i], HISI_ZIP_REQ_DEFLATE);
		sqe->dw7 |= HISI_ZIP_DW7_STREAM | HISI_ZIP_DW7_STREAM_NEW;
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), LEN);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), LEN);
		assert_int_equal(tq_do(qs[i])->dw3, i == 0 ? HISI_ZIP_OK :
				HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(levels_and_codes), T(wrong_choices), T(flushes), T(fields_out_of_range),
		T(checksums),
		T(overflow_and_partial), T(copies), T(bad_data), T(lengths),
		cmocka_unit_test_setup_teardown(plain_limits, setup_plain, td_teardown),
		cmocka_unit_test_setup_teardown(copy_engine, setup_copy, td_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
