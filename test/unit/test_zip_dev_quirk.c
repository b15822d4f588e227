/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Each quirk does what its line says; and the data is right as ever. */

#include "test_zip_dev_quirk_util.h"

#define WINDOW_SHIFT HISI_ZIP_DW9_WINDOW_SHIFT

static uint32_t
reverse(uint32_t x)
{
	uint32_t y = 0;

	for (int i = 0; i < 32; i++)
		y |= (x >> i & 1) << (31 - i);
	return y;
}

/* ---- Names ---- */

static void
names(void **state)
{
	char text[ZIP_DEV_QUIRKS_TEXT_LEN];
	const char *wrong = "crc-zero:nonsense:sge-16";
	uint64_t mask = 77;

	(void)state;
	for (unsigned int i = 0; i < ZIP_DEV_QUIRKS; i++) {
		assert_non_null(zip_dev_quirks[i].name);
		assert_non_null(zip_dev_quirks[i].meaning);
		assert_int_equal(zip_dev_quirks[i].row[0], 'U');
		assert_int_equal(quirks_of(zip_dev_quirks[i].name), UINT64_C(1) << i);
	}
	assert_int_equal(quirks_of("crc-zero:sge-16:crc-zero"), ZIP_DEV_QUIRK_BIT(CRC_ZERO) |
			ZIP_DEV_QUIRK_BIT(SGE_16));
	assert_int_equal(quirks_of(zip_dev_quirks_text(text)), (UINT64_C(1) << ZIP_DEV_QUIRKS) - 1);
	assert_ptr_equal(zip_dev_quirks_parse(wrong, &mask), wrong + 9);
	assert_non_null(zip_dev_quirks_parse("", &mask));
	assert_non_null(zip_dev_quirks_parse("sge-16:", &mask));
	assert_non_null(zip_dev_quirks_parse("sge-1", &mask));
	assert_non_null(zip_dev_quirks_parse("sge-166", &mask));
	assert_non_null(zip_dev_quirks_parse("SGE-16", &mask));
	assert_int_equal(mask, 77);
}

/* ---- zlib and gzip ---- */

static const struct {
	uint32_t req, trailer;
	int wbits;
} formats[] = {
	{ HISI_ZIP_REQ_ZLIB, 4, 15 }, { HISI_ZIP_REQ_GZIP, 8, 31 },
};

#define FORMATS 2

static void
trailers(void **state)
{
	(void)state;
	open_with(HISI_QM_REV_V2, "produced-data:consumed-data");
	for (unsigned int i = 0; i < FORMATS; i++) {
		uint32_t trailer = formats[i].trailer, n;
		struct hisi_zip_sqe *sqe = do_block(&c, formats[i].req, plain, LEN, packed, ROOM);

		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		n = sqe->produced;
		is_plain(packed, n, LEN);
		/* The trailer is behind what counts, and is asked for. */
		sqe = do_block(&d, formats[i].req, packed, n + trailer, out, ROOM);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->consumed, n);
		assert_int_equal(do_block(&d, formats[i].req, packed, n, out, ROOM)->dw3,
				HISI_ZIP_BAD_DATA);
		packed[n] ^= 1;
		sqe = do_block(&d, formats[i].req, packed, n + trailer, out, ROOM);
		assert_int_equal(sqe->dw3, HISI_ZIP_CRC_ERR);
		assert_int_equal(sqe->consumed, n);
		assert_int_equal(sqe->produced, LEN);
		/* Room is needed for it all the same. */
		assert_int_equal(do_block(&c, formats[i].req, plain, LEN, packed, n)->dw3,
				HISI_ZIP_DSTLEN_OUT);
		assert_int_equal(do_block(&c, formats[i].req, plain, LEN, packed, n + trailer)->dw3,
				HISI_ZIP_OK);
	}
	td_close(&td);
}

static void
trailers_of_streams(void **state)
{
	(void)state;
	open_with(HISI_QM_REV_V2, "produced-data:consumed-data");
	for (unsigned int i = 0; i < FORMATS; i++) {
		uint32_t trailer = formats[i].trailer, n, k;
		struct hisi_zip_sqe *sqe = do_stream(&c, formats[i].req, NEW | FINISH, plain, LEN,
				packed, ROOM);

		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		n = sqe->produced;
		is_plain(packed, n, LEN);
		/* Once more with room for the data but not for the trailer, which is for later. */
		do_stream(&c, formats[i].req, NEW | FINISH, plain, LEN, packed + ROOM, n + 1);
		sqe = do_stream(&c, formats[i].req, FINISH, plain, 0, packed + ROOM + n, 16);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->produced, 0);
		assert_memory_equal(packed + ROOM, packed, n + trailer);

		for (k = 0; k < trailer; k += 3) {
			sqe = do_stream(&d, formats[i].req, NEW, packed, n + k, out, ROOM);
			assert_int_equal(sqe->dw3, HISI_ZIP_OK);
			assert_int_equal(sqe->consumed, n);
			assert_int_equal(sqe->ctx_dw0 & HISI_ZIP_CTX_ST_MASK, HISI_ZIP_CTX_NO_CRC);
			sqe = do_stream(&d, formats[i].req, 0, packed + n, trailer, out, ROOM);
			assert_int_equal(sqe->dw3, END);
			assert_int_equal(sqe->consumed, 0);
		}
	}
	td_close(&td);
}

static void
no_trailers(void **state)
{
	(void)state;
	open_with(HISI_QM_REV_V2, "no-trailer");
	for (unsigned int i = 0; i < FORMATS; i++) {
		struct hisi_zip_sqe *sqe = do_block(&c, formats[i].req, plain, LEN, packed, ROOM);
		uint32_t n = sqe->produced;

		assert_int_equal(sqe->checksum, i == 0 ? adler32(1, plain, LEN) :
				~reverse((uint32_t)crc32(0, plain, LEN)));
		is_plain(packed, n, LEN);
		/* All that is behind is not looked at. */
		sqe = do_block(&d, formats[i].req, packed, n + 3, out, ROOM);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->consumed, n);
		assert_int_equal(do_stream(&c, formats[i].req, NEW | FINISH, plain, LEN, packed,
				ROOM)->dw3, HISI_ZIP_OK);
		n = c.sq[(c.tail - 1) & 15].produced;
		is_plain(packed, n, LEN);
		sqe = do_stream(&d, formats[i].req, NEW, packed, n, out, ROOM);
		assert_int_equal(sqe->dw3, END);
		assert_int_equal(sqe->consumed, n);
	}
	td_close(&td);
}

static void
consumed_all(void **state)
{
	struct hisi_zip_sqe *sqe;
	uint32_t n;

	(void)state;
	open_with(HISI_QM_REV_V3, "consumed-all");
	n = pack(-15, LEN);
	sqe = do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, n + 77, out, ROOM);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->consumed, n + 77);
	assert_int_equal(sqe->produced, LEN);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, n - 1, out, ROOM)->consumed, 0);
	td_close(&td);
}

static void
crc_zero(void **state)
{
	(void)state;
	open_with(HISI_QM_REV_V2, "crc-zero");
	for (unsigned int i = 0; i < FORMATS; i++) {
		uint32_t n = pack(formats[i].wbits, LEN);

		assert_int_equal(do_block(&d, formats[i].req, packed, n, out, ROOM)->produced, LEN);
		packed[n - 1] ^= 0x80;
		for (int stream = 0; stream < 2; stream++) {
			struct hisi_zip_sqe *sqe = stream ? do_stream(&d, formats[i].req, NEW,
					packed, n, out, ROOM) : do_block(&d, formats[i].req,
					packed, n, out, ROOM);

			assert_int_equal(sqe->dw3, HISI_ZIP_CRC_ERR);
			assert_int_equal(sqe->consumed, 0);
			assert_int_equal(sqe->produced, 0);
		}
	}
	td_close(&td);
}

/* dw31 as the quirk has it, of all types, both directions, with and without a stream. */
static void
checksums_are(const char *quirk, uint32_t zlib, uint32_t gzip, uint32_t raw)
{
	const uint32_t reqs[] = { HISI_ZIP_REQ_DEFLATE, HISI_ZIP_REQ_ZLIB, HISI_ZIP_REQ_GZIP };
	const uint32_t sums[] = { raw, zlib, gzip };
	static const int wbits[] = { -15, 15, 31 };

	open_with(HISI_QM_REV_V3, quirk);
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t n = pack(wbits[i], LEN);

		assert_int_equal(do_block(&d, reqs[i], packed, n, out, ROOM)->checksum, sums[i]);
		assert_int_equal(do_stream(&d, reqs[i], NEW, packed, n, out, ROOM)->checksum,
				sums[i]);
		assert_int_equal(do_block(&c, reqs[i], plain, LEN, packed, ROOM)->checksum,
				sums[i]);
		assert_int_equal(do_stream(&c, reqs[i], NEW | FINISH, plain, LEN, packed,
				ROOM)->checksum, sums[i]);
	}
	td_close(&td);
}

static void
checksums(void **state)
{
	uint32_t adler, crc;

	(void)state;
	open_with(HISI_QM_REV_V3, "");
	adler = (uint32_t)adler32(1, plain, LEN);
	crc = (uint32_t)crc32(0, plain, LEN);
	td_close(&td);
	checksums_are("", adler, ~reverse(crc), FRESH_CHECKSUM);
	checksums_are("dw31-zero", 0, 0, FRESH_CHECKSUM);
	checksums_are("dw31-plain", adler, crc, FRESH_CHECKSUM);
	checksums_are("dw31-raw", adler, ~reverse(crc), ~reverse(crc));
	checksums_are("dw31-raw:dw31-plain", adler, crc, crc);
	checksums_are("dw31-raw:dw31-zero", 0, 0, ~reverse(crc));
}

/* ---- How an end is told ---- */

static void
ends_are(const char *quirk, uint32_t block_end, uint32_t stream_end)
{
	uint32_t n;

	open_with(HISI_QM_REV_V3, quirk);
	n = pack(15, LEN);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_ZLIB, packed, n, out, ROOM)->dw3, block_end);
	assert_int_equal(do_stream(&d, HISI_ZIP_REQ_ZLIB, NEW, packed, n, out, ROOM)->dw3,
			stream_end);
	/* No end: nothing of it. */
	assert_int_equal(do_stream(&d, HISI_ZIP_REQ_ZLIB, NEW, packed, n / 2, out, ROOM)->dw3,
			HISI_ZIP_OK);
	assert_int_equal(do_block(&c, HISI_ZIP_REQ_ZLIB, plain, LEN, packed, ROOM)->dw3,
			HISI_ZIP_OK);
	td_close(&td);
}

static void
ends(void **state)
{
	(void)state;
	ends_are("", HISI_ZIP_OK, END);
	ends_are("end-stateless", END, END);
	ends_are("end-13", HISI_ZIP_OK, HISI_ZIP_DECOMP_END);
	ends_are("end-lstblk", HISI_ZIP_OK, HISI_ZIP_LSTBLK);
	ends_are("end-stateless:end-13", HISI_ZIP_DECOMP_END, HISI_ZIP_DECOMP_END);
}

static void
ctx4_never(void **state)
{
	struct hisi_zip_sqe *sqe;
	uint32_t n;

	(void)state;
	open_with(HISI_QM_REV_V2, "ctx4-never");
	n = pack(31, LEN);
	sqe = do_stream(&d, HISI_ZIP_REQ_GZIP, NEW, packed, n - 5, out, ROOM);
	assert_int_equal(sqe->produced, LEN);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->ctx_dw0, HISI_ZIP_CTX_BFINAL);
	assert_int_equal(do_stream(&d, HISI_ZIP_REQ_GZIP, 0, packed + n - 5, 5, out, ROOM)->dw3,
			END);
	td_close(&td);
}

/* ---- Limits ---- */

static uint32_t
sgl_status(uint32_t src_cnt, uint32_t dst_cnt, uint32_t per_sgl, uint32_t dst_len)
{
	struct hisi_zip_sqe *sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);

	sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
	hisi_zip_sqe_src(sqe, td_sgl(&td, plain, LEN, src_cnt, per_sgl), LEN);
	hisi_zip_sqe_dst(sqe, td_sgl(&td, out, dst_len, dst_cnt, per_sgl), ROOM);
	return tq_do(&c)->dw3;
}

static void
sgl_limits(void **state)
{
	struct hisi_zip_sqe *sqe;
	struct hisi_acc_sgl *sgl;
	struct hisi_acc_sge *sge;
	uint64_t src;

	(void)state;
	open_with(HISI_QM_REV_V3, "sge-16");
	assert_int_equal(sgl_status(16, 16, 16, ROOM), HISI_ZIP_OK);
	assert_int_equal(sgl_status(32, 33, 16, ROOM), HISI_ZIP_OK);
	assert_int_equal(sgl_status(17, 1, 17, ROOM), HISI_ZIP_BAD_SGL);
	assert_int_equal(sgl_status(1, 17, 17, ROOM), HISI_ZIP_BAD_SGL);
	td_close(&td);

	open_with(HISI_QM_REV_V3, "sgl-single");
	assert_int_equal(sgl_status(200, 200, 200, ROOM), HISI_ZIP_OK);
	assert_int_equal(sgl_status(2, 1, 1, ROOM), HISI_ZIP_BAD_SGL);
	assert_int_equal(sgl_status(1, 2, 1, ROOM), HISI_ZIP_BAD_SGL);
	td_close(&td);

	open_with(HISI_QM_REV_V3, "sgl-8m");
	assert_int_equal(sgl_status(2, 2, 1, 8u << 20), HISI_ZIP_OK);
	assert_int_equal(sgl_status(2, 2, 2, (8u << 20) + 2), HISI_ZIP_BAD_SGL);
	td_close(&td);

	open_with(HISI_QM_REV_V3, "sge-zero");
	for (int zero = 0; zero < 2; zero++) {
		src = td_sgl(&td, plain, LEN, 2, 2);
		sgl = (struct hisi_acc_sgl *)(td.arena + (src - TD_IOVA));
		sge = (struct hisi_acc_sge *)(sgl + 1);
		if (zero) {
			/* Behind all that counts. */
			sge[0].len = LEN;
			sge[1].len = 0;
		}
		sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
		sqe->dw9 |= HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT;
		hisi_zip_sqe_src(sqe, src, LEN);
		hisi_zip_sqe_dst(sqe, td_sgl(&td, out, ROOM, 1, 1), ROOM);
		assert_int_equal(tq_do(&c)->dw3, zero ? HISI_ZIP_BAD_SGL : HISI_ZIP_OK);
	}
	td_close(&td);
}

static void
room_8m(void **state)
{
	(void)state;
	open_with(HISI_QM_REV_V3, "room-8m");
	assert_int_equal(do_block(&c, HISI_ZIP_REQ_DEFLATE, plain, LEN, out, 8u << 20)->dw3,
			HISI_ZIP_OK);
	assert_int_equal(do_block(&c, HISI_ZIP_REQ_DEFLATE, plain, LEN, out, (8u << 20) + 1)->dw3,
			HISI_ZIP_BAD_SQE);
	td_close(&td);
}

/* Noise that comes once more after distance bytes, so that a match goes there. */
static uint32_t
pack_distance(uint32_t distance)
{
	fill_noise(plain, distance, 3);
	memcpy(plain + distance, plain, 200);
	return pack(-15, distance + 200);
}

static void
window_strict(void **state)
{
	static const uint32_t windows[] = { 4096, 8192, 16384, 16384, 32768 };
	uint32_t n;

	(void)state;
	open_with(HISI_QM_REV_V3, "window-strict");
	for (uint32_t w = 0; w < 5; w++) {
		for (uint32_t far = 0; far < 2; far++) {
			uint32_t distance = far ? windows[w] + 1000 : windows[w] - 400;
			struct hisi_zip_sqe *sqe;
			uint32_t want;

			if (distance > 32768 - 300)
				continue;
			want = far ? HISI_ZIP_BAD_DATA : HISI_ZIP_OK;
			n = pack_distance(distance);
			block(&d, HISI_ZIP_REQ_DEFLATE, packed, n, out, ROOM)->dw9 |=
				w << WINDOW_SHIFT;
			sqe = tq_do(&d);
			assert_int_equal(sqe->dw3, want);
			if (!far) {
				assert_int_equal(sqe->consumed, n);
				assert_int_equal(sqe->produced, distance + 200);
				assert_memory_equal(out, plain, distance + 200);
			}
			sqe = block(&d, HISI_ZIP_REQ_DEFLATE, packed, n, out, ROOM);
			sqe->dw9 |= w << WINDOW_SHIFT;
			sqe->dw7 |= NEW | HISI_ZIP_DW7_STREAM;
			hisi_zip_sqe_ctx(sqe, td_iova(&td, ctx) + HISI_ZIP_CTX_HW_OFF);
			sqe = tq_do(&d);
			assert_int_equal(sqe->dw3, far ? HISI_ZIP_BAD_DATA : END);
			if (!far)
				assert_memory_equal(out, plain, distance + 200);
		}
	}
	/* What is no stream, and one that ends too early. */
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, "\7aaa", 4, out, ROOM)->dw3,
			HISI_ZIP_BAD_ADDR);
	packed[0] = 7;
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, 4, out, ROOM)->dw3,
			HISI_ZIP_BAD_DATA);
	fill_text(plain, 3000, 1);
	n = pack(-15, 3000);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, n - 1, out, ROOM)->dw3,
			HISI_ZIP_BAD_DATA);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, n, out, 2999)->dw3,
			HISI_ZIP_DSTLEN_OUT);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, n, out, 3000)->dw3,
			HISI_ZIP_OK);
	td_close(&td);

	open_with(HISI_QM_REV_V2, "window-strict");
	for (uint32_t far = 0; far < 2; far++) {
		pack_distance(far ? 17384 : 16000);
		n = pack(15, (far ? 17384 : 16000) + 200);
		assert_int_equal(do_block(&d, HISI_ZIP_REQ_ZLIB, packed, n, out, ROOM)->dw3,
				far ? HISI_ZIP_BAD_DATA : HISI_ZIP_OK);
	}
	/* It compresses what it can decompress. */
	assert_int_equal(do_block(&c, HISI_ZIP_REQ_ZLIB, plain, 17584, packed, ROOM)->dw3,
			HISI_ZIP_NEGACOMPRESS);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_ZLIB, packed, ROOM, out, ROOM)->dw3,
			HISI_ZIP_OK);
	td_close(&td);
}

/* ---- Status ---- */

static void
negative(void **state)
{
	struct hisi_zip_sqe *sqe;

	(void)state;
	open_with(HISI_QM_REV_V3, "nc-never");
	fill_noise(plain, LEN, 8);
	sqe = do_block(&c, HISI_ZIP_REQ_DEFLATE, plain, LEN, packed, ROOM);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_true(sqe->produced > LEN);
	is_plain(packed, sqe->produced, LEN);
	td_close(&td);

	open_with(HISI_QM_REV_V3, "nc-stored");
	memcpy(plain, "abcabcabc", 9);
	for (uint32_t i = 0; i < 2; i++) {
		/* 9 bytes fit into 10 with fixed codes; stored they take 14. */
		uint32_t len = i == 0 ? 9 : LEN;

		if (i == 1)
			fill_noise(plain, LEN, 8);
		sqe = do_block(&c, HISI_ZIP_REQ_ZLIB, plain, len, packed, ROOM);
		assert_int_equal(sqe->dw3, HISI_ZIP_NEGACOMPRESS);
		assert_int_equal(sqe->produced, len + 5 + 4);
		assert_int_equal(packed[0] & 7, 1);
		is_plain(packed, sqe->produced - 4, len);
	}
	td_close(&td);
}

static void
no_space(void **state)
{
	struct hisi_zip_sqe *sqe;
	uint32_t n;

	(void)state;
	open_with(HISI_QM_REV_V3, "nospace-counts");
	n = pack(-15, LEN);
	sqe = do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, n, out, LEN - 1);
	assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
	assert_int_equal(sqe->consumed, n);
	assert_int_equal(sqe->produced, LEN - 1);
	sqe = do_block(&c, HISI_ZIP_REQ_DEFLATE, plain, LEN, out, 100);
	assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
	assert_int_equal(sqe->produced, 100);
	td_close(&td);
}

static void
status_30(void **state)
{
	struct hisi_zip_sqe *sqe;

	(void)state;
	open_with(HISI_QM_REV_V3, "status-30");
	packed[0] = 7;
	sqe = do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, 40, out, ROOM);
	assert_int_equal(sqe->dw3, HISI_ZIP_BAD_DATA + 0x10);
	assert_int_equal(do_block(&d, 0x77, packed, 40, out, ROOM)->dw3, HISI_ZIP_BAD_SQE);
	assert_int_equal(do_block(&d, HISI_ZIP_REQ_DEFLATE, packed, 0, out, ROOM)->dw3,
			HISI_ZIP_BAD_SQE + 0x10);
	block(&c, HISI_ZIP_REQ_DEFLATE, packed, 10, out, ROOM)->source_addr_h = 0xffff;
	assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_ADDR + 0x10);
	assert_int_equal(do_stream(&d, HISI_ZIP_REQ_DEFLATE, 0, packed, 10, out, ROOM)->dw3,
			HISI_ZIP_BAD_STREAM + 0x10);
	assert_int_equal(do_block(&c, HISI_ZIP_REQ_DEFLATE, plain, LEN, packed, 99)->dw3,
			HISI_ZIP_DSTLEN_OUT);
	td_close(&td);
}

/* What has the extension's word is as ever; so is a plain request of a function without quirks. */
static void
extension(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct hisi_zip_sqe *sqe;

	(void)state;
	td_zip(&conf)->quirks = quirks_of("nospace-counts:nc-never:status-30");
	td_open(&td, &conf, 4 * ROOM);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	plain = td_alloc(&td, ROOM, 64);
	out = td_alloc(&td, ROOM, 64);
	fill_noise(plain, LEN, 8);
	block(&c, HISI_ZIP_REQ_DEFLATE, plain, LEN, out, 100)->dw10 = ext_level(1);
	sqe = tq_do(&c);
	assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
	assert_int_equal(sqe->produced, 0);
	assert_int_equal(do_block(&c, HISI_ZIP_REQ_DEFLATE, plain, LEN, out, 100)->produced, 100);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(trailers),
		cmocka_unit_test(trailers_of_streams),
		cmocka_unit_test(no_trailers),
		cmocka_unit_test(consumed_all),
		cmocka_unit_test(crc_zero),
		cmocka_unit_test(checksums),
		cmocka_unit_test(ends),
		cmocka_unit_test(ctx4_never),
		cmocka_unit_test(sgl_limits),
		cmocka_unit_test(room_8m),
		cmocka_unit_test(window_strict),
		cmocka_unit_test(negative),
		cmocka_unit_test(no_space),
		cmocka_unit_test(status_30),
		cmocka_unit_test(extension),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
