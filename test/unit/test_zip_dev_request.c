/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Stateless requests of every type, both directions, against zlib. */

#include "test_qm_dev_util.h"

#include <string.h>
#include <zlib.h>

#define ARENA (64u << 20)
#define CAP   (256u << 10)

static const size_t lengths[] = { 1, 2, 15, 16, 100, 4096, 32768, 65535, 200000 };
#define N_LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

struct kind {
	uint32_t req;
	int wbits;       /* zlib's name for it */
	uint32_t header; /* bytes in front that are software's (ZIP 5.7) */
};

static const struct kind kinds[] = {
	{ HISI_ZIP_REQ_DEFLATE, -15, 0 },
	{ HISI_ZIP_REQ_ZLIB, 15, 2 },
	{ HISI_ZIP_REQ_GZIP, 31, 10 },
};

static const uint8_t zlib_header[] = { 0x78, 0x9c };
static const uint8_t gzip_header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };

static uint32_t
bit_reverse(uint32_t x)
{
	uint32_t r = 0;

	for (int i = 0; i < 32; i++)
		r |= (x >> i & 1) << (31 - i);
	return r;
}

/* dw30 and dw31 as 5.7 says. */
static void
check_words(const struct kind *k, const struct hisi_zip_sqe *sqe, const uint8_t *plain, size_t len)
{
	if (k->req == HISI_ZIP_REQ_ZLIB) {
		assert_int_equal(sqe->checksum, adler32(1, plain, (uInt)len));
		assert_int_equal(sqe->isize, len);
	} else if (k->req == HISI_ZIP_REQ_GZIP) {
		assert_int_equal(bit_reverse(~sqe->checksum), crc32(0, plain, (uInt)len));
		assert_int_equal(sqe->isize, len);
	}
}

static void
both_directions(uint8_t revision, uint8_t ext, const struct kind *k)
{
	struct qm_dev_conf conf = td_conf(0);
	uint8_t *plain, *packed, *out;
	struct td td;
	struct tq c, d;

	conf.revision = revision;
	conf.ext = ext;
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 16);
	plain = td_alloc(&td, CAP, 1);
	packed = td_alloc(&td, CAP, 1);
	out = td_alloc(&td, CAP, 1);

	for (size_t i = 0; i < 2 * N_LENGTHS; i++) {
		size_t len = lengths[i / 2], n;
		struct hisi_zip_sqe *sqe;

		if (i % 2 == 0)
			fill_text(plain, len, (uint32_t)i + 1);
		else
			fill_noise(plain, len, (uint32_t)i + 1);

		sqe = tq_slot(&c, k->req);
		sqe->dw13 = 0x11223344;
		sqe->tag_l = 0x55667788;
		sqe->tag_h = 0x99aabbcc;
		sqe->ctx_dw0 = 0xffffffff; /* stale state, to be ignored and cleared */
		if (ext)
			sqe->dw10 = ext_level(6);
		hisi_zip_sqe_src(sqe, td_iova(&td, plain), (uint32_t)len);
		hisi_zip_sqe_dst(sqe, td_iova(&td, packed) + k->header, CAP - k->header);
		sqe = tq_do(&c);
		if (!ext && sqe->produced >= len)
			assert_int_equal(sqe->dw3, HISI_ZIP_NEGACOMPRESS);
		else
			assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->consumed, len);
		assert_int_equal(sqe->ctx_dw0, 0);
		assert_int_equal(sqe->dw13, 0x11223344);
		assert_int_equal(sqe->tag_l, 0x55667788);
		assert_int_equal(sqe->tag_h, 0x99aabbcc);
		check_words(k, sqe, plain, len);

		memcpy(packed, k->header == 2 ? zlib_header : gzip_header, k->header);
		n = k->header + sqe->produced;
		memset(out, 0, len);
		assert_int_equal(z_inflate(k->wbits, packed, n, out, CAP), len);
		assert_memory_equal(out, plain, len);

		n = z_deflate(k->wbits, plain, len, packed, CAP);
		memset(out, 0, len);
		sqe = tq_slot(&d, k->req);
		/* Bytes behind the end are not the request's. */
		hisi_zip_sqe_src(sqe, td_iova(&td, packed) + k->header,
				(uint32_t)(n - k->header + 7));
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), (uint32_t)(len < 16 ? 16 : len));
		sqe = tq_do(&d);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		assert_int_equal(sqe->consumed, n - k->header);
		assert_int_equal(sqe->produced, len);
		assert_memory_equal(out, plain, len);
		check_words(k, sqe, plain, len);
	}
	td_close(&td);
}

static void
v3_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		both_directions(HISI_QM_REV_V3, 1, &kinds[i]);
		both_directions(HISI_QM_REV_V3, 0, &kinds[i]);
	}
}

static void
v2_types(void **state)
{
	(void)state;
	both_directions(HISI_QM_REV_V2, 0, &kinds[1]);
	both_directions(HISI_QM_REV_V2, 0, &kinds[2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v3_types),
		cmocka_unit_test(v2_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
