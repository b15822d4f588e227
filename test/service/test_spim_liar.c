/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * The C library against services that lie, stop to answer or refuse: exact errors, nothing
 * believed, nothing kept.
 *
 * usage: test_spim_liar LIAR
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "hurry.h"
#include "spim_liar.h"
#include "spimdev.h"

#define LEN  30000u
#define ROOM 40000u

/* ---- Opening ---- */

static const struct {
	const char *lie;
	int ret;
	const char *line; /* that is logged */
} openings[] = {
	{ "none", 0, NULL },
	{ "dribble", 0, NULL },
	{ "others-first", 0, NULL },
	{ "fds-unasked", 0, NULL },
	{ "reply-id", -ETIMEDOUT, "no function (-110)" },
	{ "silent", -ETIMEDOUT, "no function (-110)" },
	{ "silent@2", -ETIMEDOUT, "no function (-110)" },
	{ "silent@3", -ETIMEDOUT, "no function (-110)" },
	{ "late", -ETIMEDOUT, "no function (-110)" },
	{ "half-silent", -ENOTCONN, "it stopped within a message" },
	{ "half-silent@2", -ENOTCONN, "it stopped within a message" },
	{ "half", -ENOTCONN, "it closed the connection" },
	{ "close", -ENOTCONN, "it closed the connection" },
	{ "close@2", -ENOTCONN, "it closed the connection" },
	{ "close@3", -ENOTCONN, "it closed the connection" },
	{ "close@4", -ENODEV, "it closed the connection" },
	{ "reply-cmd@1", -ENOTCONN, "reply to another command" },
	{ "reply-cmd@2", -ENOTCONN, "reply to another command" },
	{ "reply-cmd@3", -ENOTCONN, "reply to another command" },
	{ "reply-short@1", -EPROTO, "the server's version cannot be used" },
	{ "reply-short@2", -ENOTCONN, "reply of a wrong size" },
	{ "reply-short@3", -ENOTCONN, "reply of a wrong size" },
	{ "reply-long@1", -EPROTO, "the server's version cannot be used" },
	{ "reply-long@2", -ENOTCONN, "reply of a wrong size" },
	{ "reply-tiny@1", -ENOTCONN, "not a vfio-user message" },
	{ "reply-tiny@2", -ENOTCONN, "not a vfio-user message" },
	{ "reply-huge@2", -ENOTCONN, "not a vfio-user message" },
	{ "reply-type@2", -ENOTCONN, "not a vfio-user message" },
	{ "error-enospc@1", -ENOSPC, "no function (-28)" },
	{ "error-enospc@2", -ENOSPC, "no function (-28)" },
	{ "error-enospc@3", -ENOSPC, "no function (-28)" },
	{ "error-enospc@4", -ENOSPC, NULL },
	{ "error-0@2", -EPROTO, "no function (-71)" },
	{ "error-4096@2", -EPROTO, "no function (-71)" },
	{ "error-negative@2", -EPROTO, "no function (-71)" },
	{ "version-major", -EPROTO, "cannot be used" },
	{ "version-json", -EPROTO, "cannot be used" },
	{ "version-no-nul", -EPROTO, "the server's version cannot be used" },
	{ "version-no-spim", -EPROTO, "a vfio-user server without shadow doorbells, "
		"expected spimdevd" },
	{ "version-no-xfer", -EPROTO, "the server's limits of 0 cannot be used" },
	{ "version-no-fds", -EPROTO, "the server's limits of 0 cannot be used" },
	{ "version-region", -EINVAL, "no function (-22)" },
	{ "region-small", -EPROTO, "doorbells: 127 bytes" },
	{ "region-none", -EPROTO, "doorbells: 0 bytes" },
	{ "region-large", -EPROTO, "doorbells: 8192 bytes" },
	{ "region-byte", -EPROTO, "doorbells: 4097 bytes" },
	{ "region-huge", -EPROTO, "doorbells: 18446744073709551615 bytes" },
	{ "region-beyond", -EPROTO, "doorbells: 4096 bytes" },
	{ "region-far", -EPROTO, "doorbells: 4096 bytes" },
	{ "region-wrap", -EPROTO, "doorbells: 8192 bytes" },
	{ "region-odd", -EINVAL, "no function (-22)" },
	{ "region-no-map", -EPROTO, "doorbells: 4096 bytes, file -1" },
	{ "fd-missing", -EPROTO, "doorbells: 4096 bytes, file -1" },
	{ "fd-null", -EPROTO, "in a file that cannot shrink" },
	{ "fd-event", -EPROTO, "in a file that cannot shrink" },
	{ "fd-unsealed", -EPROTO, "in a file that cannot shrink" },
	{ "fd-grow-sealed", -EPROTO, "in a file that cannot shrink" },
	{ "fd-write-sealed", -EPERM, "no function (-1)" },
	{ "pci-vendor", -ENODEV, "device 19e4:a251, expected 19e5:a251" },
	{ "pci-device", -ENODEV, "device 19e5:a250, expected 19e5:a251" },
	{ "revision-old", -ENOTSUP, "revision 0x20, expected 0x21 or later" },
	{ "mailbox-busy", -ETIMEDOUT, "no answer within" },
	{ "mailbox-status", -EIO, "status 0x3, expected 0" },
	{ "mailbox-gone", -ENODEV, "no answer within" },
};

static void
test_open(void **state)
{
	struct spim_dev *dev;
	unsigned int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		const char *lie = openings[i].lie;
		int ret;

		spim_liar_start(lie);
		/* Only where an answer is waited for in vain: on a busy machine they take time. */
		hurry(openings[i].ret == -ETIMEDOUT || strstr(lie, "silent") != NULL ?
			SPIM_LIAR_SPEED : 1);
		ret = spim_open(spim_liar_name, &spim_liar_conf, &dev);
		if (ret == 0)
			spim_close(dev);
		hurry(1);
		if (ret != openings[i].ret || (openings[i].line != NULL &&
				strstr(spim_liar_lines, openings[i].line) == NULL)) {
			print_message("%s: %d, expected %d and \"%s\"\n%s", lie, ret,
				openings[i].ret, openings[i].line, spim_liar_lines);
			bad++;
		}
		spim_liar_end(strcmp(lie, "none") == 0 ? 0 : -1);
	}
	assert_int_equal(bad, 0);
}

/* ---- Results ---- */

static void
fill(uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)("the quick brown fox "[i % 20] + i / 997 % 5);
}

#define COMES_MS  30000 /* on the busiest machine */
#define ABSENT_MS 500   /* what has not come by then does not come */

/* Wait for one op; NULL: there was none. */
static struct spim_zip_op *
finish(struct spim_zip_queue *q, int ms)
{
	struct spim_zip_op *op;

	for (int i = 0; i < ms / 5; i++) {
		int ret = spim_zip_poll(q, &op, 1);

		if (ret == 1)
			return op;
		assert_int_equal(ret, 0);
		assert_true(spim_zip_wait(q, 5) >= 0);
	}
	return NULL;
}

#define NONE 255 /* no completion at all */

/* consumed: what is told of an op that is OK, by what is right (0). */
static const struct {
	const char *lie;
	uint8_t comp, decomp;
	int consumed;
} results[] = {
	{ "none", SPIM_ZIP_OK, SPIM_ZIP_OK, 0 },
	{ "produced-more", SPIM_ZIP_ERROR, SPIM_ZIP_ERROR, 0 },
	{ "produced-huge", SPIM_ZIP_ERROR, SPIM_ZIP_ERROR, 0 },
	{ "consumed-more", SPIM_ZIP_ERROR, SPIM_ZIP_ERROR, 0 },
	{ "lengths", SPIM_ZIP_ERROR, SPIM_ZIP_ERROR, 0 },
	{ "garbage", SPIM_ZIP_ERROR, SPIM_ZIP_ERROR, 0 },
	{ "status-unknown", SPIM_ZIP_ERROR, SPIM_ZIP_ERROR, 0 },
	{ "status-no-space", SPIM_ZIP_NO_SPACE, SPIM_ZIP_NO_SPACE, 0 },
	{ "status-bad-data", SPIM_ZIP_BAD_DATA, SPIM_ZIP_BAD_DATA, 0 },
	{ "status-nega", SPIM_ZIP_OK, SPIM_ZIP_OK, 0 },
	{ "status-high", SPIM_ZIP_OK, SPIM_ZIP_OK, 0 },
	{ "consumed-less", SPIM_ZIP_ERROR, SPIM_ZIP_OK, -1 },
	{ "tag", SPIM_ZIP_OK, SPIM_ZIP_OK, 0 },
	{ "sq-head", SPIM_ZIP_OK, SPIM_ZIP_OK, 0 },
	{ "other-slot", SPIM_ZIP_OK, SPIM_ZIP_OK, 0 },
	{ "twice", SPIM_ZIP_OK, SPIM_ZIP_OK, 0 },
	{ "never", NONE, NONE, 0 },
	{ "phase", NONE, NONE, 0 },
};

/* Wait for an op, and see that it is told what it should. produced: 0: not known. */
static void
check_result(struct spim_zip_queue *q, const struct spim_zip_op *op, size_t i, uint8_t status,
		uint32_t consumed, uint32_t produced, uint32_t crc)
{
	struct spim_zip_op *done = finish(q, status == NONE ? ABSENT_MS : COMES_MS);

	if (status == NONE) {
		assert_null(done);
		return;
	}
	assert_ptr_equal(done, op);
	assert_int_equal(op->status, status);
	assert_int_equal(op->consumed, status == SPIM_ZIP_OK ?
		consumed + (unsigned int)results[i].consumed : 0);
	if (status != SPIM_ZIP_OK) {
		assert_int_equal(op->produced, 0);
		assert_int_equal(op->crc32, 0);
	} else {
		if (produced != 0)
			assert_int_equal(op->produced, produced);
		else
			assert_in_range(op->produced, 1, op->dst_len);
		assert_int_equal(op->crc32, crc);
	}
	/* Nothing is in flight: no completion counts. */
	assert_int_equal(spim_zip_poll(q, &done, 1), 0);
}

static void
test_results(void **state)
{
	uint8_t packed[LEN];
	z_stream zs = { .next_out = packed, .avail_out = sizeof(packed), .avail_in = LEN };
	struct spim_zip_queue *comp, *decomp;
	struct spim_zip *z;
	uint32_t crc;

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		struct spim_zip_op ops[2];
		uint8_t *mem;

		print_message("%s\n", results[i].lie);
		spim_liar_start(results[i].lie);
		assert_int_equal(spim_zip_open(spim_liar_name, NULL, &z), 0);
		mem = spim_zip_alloc(z, 2 * ROOM);
		assert_non_null(mem);
		assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &comp), 0);
		assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_DECOMPRESS, 4, &decomp), 0);
		fill(mem, LEN);
		crc = (uint32_t)crc32(0, mem, LEN);
		ops[0] = (struct spim_zip_op){ .src = mem, .src_len = LEN, .dst = mem + ROOM,
			.dst_len = ROOM, .level = 6, .last = 1 };
		assert_int_equal(spim_zip_submit(comp, &ops[0]), 0);
		check_result(comp, &ops[0], i, results[i].comp, LEN, 0, crc);

		zs = (z_stream){ .next_in = mem, .avail_in = LEN, .next_out = packed,
			.avail_out = sizeof(packed) };
		assert_int_equal(deflateInit2(&zs, 6, Z_DEFLATED, -15, 8, 0), Z_OK);
		assert_int_equal(deflate(&zs, Z_FINISH), Z_STREAM_END);
		memcpy(mem + ROOM, packed, zs.total_out);
		memset(mem, 0, LEN);
		ops[1] = (struct spim_zip_op){ .src = mem + ROOM, .src_len = (uint32_t)zs.total_out,
			.dst = mem, .dst_len = LEN };
		deflateEnd(&zs);
		assert_int_equal(spim_zip_submit(decomp, &ops[1]), 0);
		check_result(decomp, &ops[1], i, results[i].decomp, ops[1].src_len, LEN, crc);

		spim_zip_queue_put(comp);
		spim_zip_queue_put(decomp);
		spim_zip_free(z, mem);
		spim_zip_close(z);
		spim_liar_end(i == 0 ? 0 : 2);
	}
}

/* An op may lie in memory that the service can write: that does not change what it may do. */
static void
test_shared_op(void **state)
{
	static const struct {
		const char *lie;
		uint32_t src_len, dst_len; /* what the service makes of the op's own */
	} cases[] = {
		{ "produced-more", LEN, UINT32_MAX },
		{ "consumed-more", UINT32_MAX, ROOM },
		{ "lengths", UINT32_MAX, UINT32_MAX },
	};
	struct spim_zip_queue *q;
	struct spim_zip_op *op;
	struct spim_zip *z;
	uint8_t *mem;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spim_liar_start(cases[i].lie);
		assert_int_equal(spim_zip_open(spim_liar_name, NULL, &z), 0);
		mem = spim_zip_alloc(z, 2 * ROOM + sizeof(*op));
		assert_non_null(mem);
		assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &q), 0);
		op = (struct spim_zip_op *)(mem + 2 * ROOM);
		*op = (struct spim_zip_op){ .src = mem, .src_len = LEN, .dst = mem + ROOM,
			.dst_len = ROOM, .level = 1, .last = 1 };
		assert_int_equal(spim_zip_submit(q, op), 0);
		op->src_len = cases[i].src_len;
		op->dst_len = cases[i].dst_len;
		assert_ptr_equal(finish(q, COMES_MS), op);
		assert_int_equal(op->status, SPIM_ZIP_ERROR);
		assert_int_equal(op->produced, 0);
		assert_int_equal(op->consumed, 0);
		spim_zip_queue_put(q);
		spim_zip_free(z, mem);
		spim_zip_close(z);
		spim_liar_end(1);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_shared_op),
	};

	return spim_liar_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
