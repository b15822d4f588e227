/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "test_zip_dev_quirk_util.h"

#define ARENA (48u << 20)

struct td td;
struct tq c, d;
uint8_t *plain, *packed, *out, *ctx;

uint64_t
quirks_of(const char *names)
{
	uint64_t mask = 0;

	assert_null(zip_dev_quirks_parse(names, &mask));
	return mask;
}

void
open_with(uint8_t revision, const char *names)
{
	struct qm_dev_conf conf = td_conf(0);

	conf.ext = 0;
	conf.revision = revision;
	td_zip(&conf)->quirks = names[0] != '\0' ? quirks_of(names) : 0;
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 16);
	plain = td_alloc(&td, 9u << 20, 64);
	packed = td_alloc(&td, 2 * ROOM, 64);
	out = td_alloc(&td, 9u << 20, 64);
	ctx = td_alloc(&td, HISI_ZIP_CTX_SIZE, 4096);
	fill_text(plain, LEN, 1);
}

struct hisi_zip_sqe *
block(struct tq *q, uint32_t req, const void *src, uint32_t len, const void *dst, uint32_t room)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, req);

	hisi_zip_sqe_src(sqe, td_iova(&td, src), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, dst), room);
	sqe->checksum = FRESH_CHECKSUM;
	return sqe;
}

struct hisi_zip_sqe *
do_block(struct tq *q, uint32_t req, const void *src, uint32_t len, const void *dst, uint32_t room)
{
	block(q, req, src, len, dst, room);
	return tq_do(q);
}

struct hisi_zip_sqe *
do_stream(struct tq *q, uint32_t req, uint32_t dw7, const void *src, uint32_t len, const void *dst,
		uint32_t room)
{
	struct hisi_zip_sqe *sqe = block(q, req, src, len, dst, room);

	sqe->dw7 |= dw7 | HISI_ZIP_DW7_STREAM;
	hisi_zip_sqe_ctx(sqe, td_iova(&td, ctx) + HISI_ZIP_CTX_HW_OFF);
	return tq_do(q);
}

uint32_t
pack(int wbits, uint32_t len)
{
	uint32_t header = wbits == 15 ? 2 : wbits == 31 ? 10 : 0;
	uint32_t n = (uint32_t)z_deflate(wbits, plain, len, packed, 2 * ROOM);

	memmove(packed, packed + header, n - header);
	return n - header;
}

void
is_plain(const uint8_t *data, uint32_t n, uint32_t len)
{
	static uint8_t got[1u << 20];

	assert_int_equal(z_inflate(-15, data, n, got, sizeof(got)), len);
	assert_memory_equal(got, plain, len);
}
