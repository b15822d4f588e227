/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* A function that lies to the C interface about what it consumed and produced. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "spimdev.h"
#include "zip_codec.h"

#define LEN  4096u
#define ROOM 8000u

/* What the function says, if it lies. */
static struct {
	bool lies;
	uint64_t consumed, produced;
} told;

static int
tell(int ret, struct zip_codec_result *result)
{
	if (told.lies) {
		result->consumed = told.consumed;
		result->produced = told.produced;
	}
	return ret;
}

__typeof__(zip_codec_deflate) __real_zip_codec_deflate, __wrap_zip_codec_deflate;
int
__wrap_zip_codec_deflate(struct zip_codec *codec, const struct zip_codec_params *params,
		enum zip_codec_flush flush, int partial, const struct iovec *src,
		unsigned int src_cnt, const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	return tell(__real_zip_codec_deflate(codec, params, flush, partial, src, src_cnt, dst,
		dst_cnt, result), result);
}

__typeof__(zip_codec_inflate) __real_zip_codec_inflate, __wrap_zip_codec_inflate;
int
__wrap_zip_codec_inflate(struct zip_codec *codec, const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt, const struct iovec *dst,
		unsigned int dst_cnt, struct zip_codec_result *result)
{
	return tell(__real_zip_codec_inflate(codec, params, src, src_cnt, dst, dst_cnt, result),
		result);
}

static struct spim_zip *z;
static struct spim_zip_queue *q;
static uint8_t *mem;

static void
begin(enum spim_zip_dir dir)
{
	assert_int_equal(spim_zip_open("local", NULL, &z), 0);
	assert_int_equal(spim_zip_queue_take(z, dir, 4, &q), 0);
	mem = spim_zip_alloc(z, LEN + ROOM);
	assert_non_null(mem);
}

static void
end(void)
{
	spim_zip_queue_put(q);
	spim_zip_close(z);
}

static void
run(struct spim_zip_op *op)
{
	struct spim_zip_op *done;
	int ret;

	assert_int_equal(spim_zip_submit(q, op), 0);
	while ((ret = spim_zip_poll(q, &done, 1)) == 0)
		assert_int_equal(spim_zip_wait(q, 20000), 1);
	assert_int_equal(ret, 1);
	assert_ptr_equal(done, op);
}

/* It says so; the op then has this status, and no length unless that is SPIM_ZIP_OK. */
static void
check(struct spim_zip_op *op, uint64_t consumed, uint64_t produced, uint8_t status)
{
	told.lies = true;
	told.consumed = consumed;
	told.produced = produced;
	run(op);
	told.lies = false;
	assert_int_equal(op->status, status);
	assert_int_equal(op->consumed, status == SPIM_ZIP_OK ? consumed : 0);
	assert_int_equal(op->produced, status == SPIM_ZIP_OK ? produced : 0);
	if (status != SPIM_ZIP_OK)
		assert_int_equal(op->crc32, 0);
	/* The next one is told the truth. */
	run(op);
	assert_int_equal(op->status, SPIM_ZIP_OK);
	assert_int_not_equal(op->crc32, 0);
}

static void
test_compress(void **state)
{
	struct spim_zip_op op = { .src_len = LEN, .dst_len = ROOM, .level = 1 };

	(void)state;
	begin(SPIM_ZIP_COMPRESS);
	op.src = mem;
	op.dst = mem + LEN;
	for (int last = 0; last < 2; last++) {
		op.last = (uint8_t)last;
		check(&op, LEN, ROOM, SPIM_ZIP_OK);
		check(&op, LEN, ROOM + 1, SPIM_ZIP_ERROR);
		check(&op, LEN, UINT32_MAX, SPIM_ZIP_ERROR);
		check(&op, LEN, 0, SPIM_ZIP_ERROR);
		check(&op, LEN - 1, 100, SPIM_ZIP_ERROR);
		check(&op, LEN + 1, 100, SPIM_ZIP_ERROR);
		check(&op, 0, 0, SPIM_ZIP_ERROR);
	}
	end();
}

static void
test_decompress(void **state)
{
	static const uint8_t packed[] = { 0x4b, 0x4c, 0x04, 0x00, 1, 2 }; /* "aa" and more */
	struct spim_zip_op op = { .src_len = sizeof(packed), .dst_len = ROOM };

	(void)state;
	begin(SPIM_ZIP_DECOMPRESS);
	memcpy(mem, packed, sizeof(packed));
	op.src = mem;
	op.dst = mem + LEN;
	check(&op, 4, 2, SPIM_ZIP_OK);
	check(&op, sizeof(packed), ROOM, SPIM_ZIP_OK);
	check(&op, 2, 0, SPIM_ZIP_OK);
	check(&op, 4, ROOM + 1, SPIM_ZIP_ERROR);
	check(&op, sizeof(packed) + 1, 2, SPIM_ZIP_ERROR);
	check(&op, UINT32_MAX, UINT32_MAX, SPIM_ZIP_ERROR);
	end();
}

/* What there is nothing of makes a stream, or a part of one, all the same. */
static void
test_nothing(void **state)
{
	struct spim_zip_op op = { .dst_len = ROOM, .level = 1 };

	(void)state;
	begin(SPIM_ZIP_COMPRESS);
	op.src = mem;
	op.dst = mem + LEN;
	for (int last = 0; last < 2; last++) {
		op.last = (uint8_t)last;
		run(&op);
		assert_int_equal(op.status, SPIM_ZIP_OK);
		assert_int_equal(op.consumed, 0);
		assert_true(op.produced > 0 && op.produced < 20);
	}
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compress),
		cmocka_unit_test(test_decompress),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name("spim_lies", tests, NULL, NULL);
}
