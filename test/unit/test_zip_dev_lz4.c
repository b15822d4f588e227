/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What the extension offers beyond DEFLATE's choices: LZ4 requests and dictionaries. */

#include "test_qm_dev_util.h"

#include <string.h>

#include <lz4frame.h>
#include <xxhash.h>
#include <zlib.h>

#define ARENA (64u << 20)
#define LEN   (64u << 10)
#define CAP   (128u << 10)
#define LZ4(flags, level) (HISI_ZIP_EXT_VALID | (uint32_t)(flags) >> 2 << HISI_ZIP_EXT_LZ4_SHIFT | \
	(uint32_t)(level))

static struct td td;
static struct tq c, d;
static uint8_t *plain, *packed, *out, *dict;

static void
open_with(uint8_t ext)
{
	struct qm_dev_conf conf = td_conf(0);

	conf.ext = ext;
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 16);
	plain = td_alloc(&td, LEN, 64);
	packed = td_alloc(&td, CAP, 64);
	out = td_alloc(&td, CAP, 64);
	dict = td_alloc(&td, HISI_ZIP_EXT_DICT_MAX, 1);
	fill_text(plain, LEN, 11);
}

static int
setup(void **state)
{
	*state = &td;
	open_with(1);
	return 0;
}

static int
setup_plain(void **state)
{
	*state = &td;
	open_with(0);
	return 0;
}

static struct hisi_zip_sqe *
request(struct tq *q, uint32_t type, uint32_t dw10, const uint8_t *src, uint32_t len,
		const uint8_t *dst, uint32_t cap)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, type);

	sqe->dw10 = dw10;
	hisi_zip_sqe_src(sqe, td_iova(&td, src), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, dst), cap);
	return tq_do(q);
}

static uint32_t
lz4_packed(uint32_t dw10, uint32_t len)
{
	struct hisi_zip_sqe *sqe = request(&c, HISI_ZIP_REQ_EXT_LZ4, dw10, plain, len, packed, CAP);

	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->consumed, len);
	return sqe->produced;
}

static void
lz4_both_ways(void **state)
{
	(void)state;
	for (uint32_t flags = 0; flags <= 0x3c; flags += 4)
		for (uint32_t level = 0; level <= 9; level++) {
			uint32_t n = lz4_packed(LZ4(flags, level) | HISI_ZIP_EXT_XXH32, LEN);
			struct hisi_zip_sqe *sqe;

			assert_int_equal(packed[4] & 0x3d, flags);
			memset(out, 0, LEN);
			sqe = request(&d, HISI_ZIP_REQ_EXT_LZ4,
				HISI_ZIP_EXT_VALID | HISI_ZIP_EXT_XXH32, packed, n + 5, out, LEN);
			assert_int_equal(sqe->dw3, HISI_ZIP_OK);
			assert_int_equal(sqe->consumed, n);
			assert_int_equal(sqe->produced, LEN);
			assert_int_equal(sqe->checksum, XXH32(plain, LEN, 0));
			assert_memory_equal(out, plain, LEN);
		}
}

static void
lz4_chained(void **state)
{
	struct hisi_zip_sqe *sqe = tq_slot(&c, HISI_ZIP_REQ_EXT_LZ4 |
		HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT);
	uint32_t n;

	(void)state;
	sqe->dw10 = LZ4(0, 1);
	hisi_zip_sqe_src(sqe, td_sgl(&td, plain, LEN, 40, 7), LEN);
	hisi_zip_sqe_dst(sqe, td_sgl(&td, packed, LEN, 13, 4), LEN);
	sqe = tq_do(&c);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	n = sqe->produced;
	sqe = tq_slot(&d, HISI_ZIP_REQ_EXT_LZ4 | HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT);
	sqe->dw10 = HISI_ZIP_EXT_VALID;
	hisi_zip_sqe_src(sqe, td_sgl(&td, packed, n, 3, 2), n);
	hisi_zip_sqe_dst(sqe, td_sgl(&td, out, LEN, 40, 9), LEN);
	sqe = tq_do(&d);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->produced, LEN);
	assert_memory_equal(out, plain, LEN);
}

static void
lz4_statuses(void **state)
{
	uint32_t n = lz4_packed(LZ4(4, 1), LEN), full = n;
	const uint32_t dx = HISI_ZIP_EXT_VALID;
	struct hisi_zip_sqe *sqe;

	(void)state;
	sqe = request(&d, HISI_ZIP_REQ_EXT_LZ4, dx, packed, n, out, LEN - 1);
	assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
	assert_int_equal(sqe->consumed | sqe->produced, 0);
	sqe = request(&d, HISI_ZIP_REQ_EXT_LZ4, dx, packed, n - 1, out, LEN);
	assert_int_equal(sqe->dw3, HISI_ZIP_BAD_DATA);
	packed[n - 1] ^= 1;
	sqe = request(&d, HISI_ZIP_REQ_EXT_LZ4, dx, packed, n, out, LEN);
	assert_int_equal(sqe->dw3, HISI_ZIP_CRC_ERR);
	assert_int_equal(sqe->produced, 0);
	sqe = request(&d, HISI_ZIP_REQ_EXT_LZ4, dx, plain, LEN, out, LEN);
	assert_int_equal(sqe->dw3, HISI_ZIP_BAD_DATA);
	sqe = request(&c, HISI_ZIP_REQ_EXT_LZ4, LZ4(4, 1), plain, LEN, packed, full - 1);
	assert_int_equal(sqe->dw3, HISI_ZIP_DSTLEN_OUT);
	sqe = request(&c, HISI_ZIP_REQ_EXT_LZ4, LZ4(4, 1), plain, LEN, packed, full);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
}

static void
lz4_wrong_choices(void **state)
{
	const uint32_t good = LZ4(0x3c, 9) | HISI_ZIP_EXT_XXH32;

	(void)state;
	for (uint32_t bit = 0; bit < 32; bit++) {
		uint32_t ours = 0x807c000f | HISI_ZIP_EXT_WINDOW_MASK << HISI_ZIP_EXT_WINDOW_SHIFT;

		if (!(ours >> bit & 1))
			assert_int_equal(request(&c, HISI_ZIP_REQ_EXT_LZ4, good | 1u << bit, plain,
				100, packed, CAP)->dw3, HISI_ZIP_BAD_SQE);
	}
	for (uint32_t w = 1; w < 16; w++)
		assert_int_equal(request(&c, HISI_ZIP_REQ_EXT_LZ4,
			good | w << HISI_ZIP_EXT_WINDOW_SHIFT, plain, 100, packed, CAP)->dw3,
			w < 8 ? HISI_ZIP_BAD_SQE : HISI_ZIP_OK);
	for (uint32_t level = 10; level < 16; level++)
		assert_int_equal(request(&c, HISI_ZIP_REQ_EXT_LZ4, LZ4(0, level), plain, 100,
			packed, CAP)->dw3, HISI_ZIP_BAD_SQE);
	assert_int_equal(request(&c, HISI_ZIP_REQ_EXT_LZ4, 0, plain, 100, packed, CAP)->dw3,
		HISI_ZIP_BAD_SQE);
}

static void
lz4_not_on_silicon(void **state)
{
	(void)state;
	assert_int_equal(request(&c, HISI_ZIP_REQ_EXT_LZ4, LZ4(0, 1), plain, 100, packed, CAP)->dw3,
		HISI_ZIP_BAD_SQE);
}

static struct hisi_zip_sqe *
dict_req(struct tq *q, uint32_t dw10, uint64_t addr, uint32_t dict_len, const uint8_t *src,
		uint32_t len, const uint8_t *dst, uint32_t cap)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, HISI_ZIP_REQ_DEFLATE);

	sqe->dw10 = dw10 | HISI_ZIP_EXT_DICT;
	sqe->dw13 = dict_len;
	sqe->dw24 = (uint32_t)addr;
	sqe->dw25 = (uint32_t)(addr >> 32);
	hisi_zip_sqe_src(sqe, td_iova(&td, src), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, dst), cap);
	return tq_do(q);
}

static void
dict_both_ways(void **state)
{
	uint64_t at = td_iova(&td, dict);

	(void)state;
	fill_noise(dict, HISI_ZIP_EXT_DICT_MAX, 1);
	memcpy(plain, dict + 1000, 4096);
	for (uint32_t level = 1; level <= 9; level++) {
		struct hisi_zip_sqe *sqe = dict_req(&c, ext_level(level) | HISI_ZIP_EXT_CRC32, at,
			HISI_ZIP_EXT_DICT_MAX, plain, 4096, packed, CAP);
		uint32_t n = sqe->produced;
		z_stream zs = { 0 };

		/* 1000 bytes of it are out of zlib's reach when it is full. */
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_true(n < 2000);
		assert_int_equal(sqe->checksum, crc32(0, plain, 4096));
		assert_int_equal(inflateInit2(&zs, -15), Z_OK);
		assert_int_equal(inflateSetDictionary(&zs, dict, HISI_ZIP_EXT_DICT_MAX), Z_OK);
		zs.next_in = packed;
		zs.avail_in = n;
		zs.next_out = out;
		zs.avail_out = CAP;
		assert_int_equal(inflate(&zs, Z_FINISH), Z_STREAM_END);
		assert_int_equal(zs.total_out, 4096);
		inflateEnd(&zs);
		assert_memory_equal(out, plain, 4096);

		memset(out, 0, 4096);
		sqe = dict_req(&d, HISI_ZIP_EXT_VALID, at, HISI_ZIP_EXT_DICT_MAX, packed, n, out,
			4096);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->produced, 4096);
		assert_memory_equal(out, plain, 4096);
		/* Without it the stream refers to nothing; the words alone do not give it. */
		sqe = request(&d, HISI_ZIP_REQ_DEFLATE, HISI_ZIP_EXT_VALID, packed, n, out, 4096);
		assert_int_equal(sqe->dw3, HISI_ZIP_BAD_DATA);
	}
}

static void
dict_wrong(void **state)
{
	const uint64_t at = td_iova(&td, dict);
	const uint32_t full = HISI_ZIP_EXT_FLUSH_FULL << HISI_ZIP_EXT_FLUSH_SHIFT;
	const uint32_t ok = ext_level(1);
	struct hisi_zip_sqe *sqe;

	(void)state;
	assert_int_equal(dict_req(&c, ok, at, 100, plain, 100, packed, CAP)->dw3, HISI_ZIP_OK);
	assert_int_equal(dict_req(&c, ok, at, 0, plain, 100, packed, CAP)->dw3, HISI_ZIP_BAD_SQE);
	assert_int_equal(dict_req(&c, ok, at, HISI_ZIP_EXT_DICT_MAX + 1, plain, 100, packed,
		CAP)->dw3, HISI_ZIP_BAD_SQE);
	assert_int_equal(dict_req(&c, ok, at, UINT32_MAX, plain, 100, packed, CAP)->dw3,
		HISI_ZIP_BAD_SQE);
	assert_int_equal(dict_req(&c, ok | HISI_ZIP_EXT_PARTIAL, at, 100, plain, 100, packed,
		CAP)->dw3, HISI_ZIP_BAD_SQE);
	assert_int_equal(dict_req(&c, ok | full, at, 100, plain, 100, packed, CAP)->dw3,
		HISI_ZIP_BAD_SQE);
	/* Outside, at the edge, over it, wrapping. */
	assert_int_equal(dict_req(&c, ok, 0, 100, plain, 100, packed, CAP)->dw3, HISI_ZIP_BAD_ADDR);
	assert_int_equal(dict_req(&c, ok, TD_IOVA + ARENA - 100, 100, plain, 100, packed,
		CAP)->dw3, HISI_ZIP_OK);
	assert_int_equal(dict_req(&c, ok, TD_IOVA + ARENA - 100, 101, plain, 100, packed,
		CAP)->dw3, HISI_ZIP_BAD_ADDR);
	assert_int_equal(dict_req(&c, ok, UINT64_MAX - 10, 100, plain, 100, packed, CAP)->dw3,
		HISI_ZIP_BAD_ADDR);
	assert_int_equal(dict_req(&d, HISI_ZIP_EXT_VALID, TD_IOVA - 1, 100, packed, 100, out,
		CAP)->dw3, HISI_ZIP_BAD_ADDR);

	/* Only raw DEFLATE, and no streams. */
	for (uint32_t type = 2; type <= 0xf0; type = type == 3 ? 0xf0 : type + 1)
		assert_int_equal(request(&c, type, ok | HISI_ZIP_EXT_DICT, plain, 100, packed,
			CAP)->dw3, HISI_ZIP_BAD_SQE);
	sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
	sqe->dw7 |= HISI_ZIP_DW7_STREAM | HISI_ZIP_DW7_STREAM_NEW | HISI_ZIP_DW7_FINISH;
	sqe->dw10 = ok | HISI_ZIP_EXT_DICT;
	sqe->dw13 = 100;
	sqe->dw24 = (uint32_t)at;
	sqe->dw25 = (uint32_t)(at >> 32);
	hisi_zip_sqe_src(sqe, td_iova(&td, plain), 100);
	hisi_zip_sqe_dst(sqe, td_iova(&td, packed), CAP);
	assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_SQE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lz4_both_ways, setup, td_teardown),
		cmocka_unit_test_setup_teardown(lz4_chained, setup, td_teardown),
		cmocka_unit_test_setup_teardown(lz4_statuses, setup, td_teardown),
		cmocka_unit_test_setup_teardown(lz4_wrong_choices, setup, td_teardown),
		cmocka_unit_test_setup_teardown(lz4_not_on_silicon, setup_plain, td_teardown),
		cmocka_unit_test_setup_teardown(dict_both_ways, setup, td_teardown),
		cmocka_unit_test_setup_teardown(dict_wrong, setup, td_teardown),
	};

	return cmocka_run_group_tests_name("zip_dev_lz4", tests, NULL, NULL);
}
