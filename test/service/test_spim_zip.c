/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * The C interface for programs without DPDK, as such a program uses it: by the shared library.
 *
 * usage: test_spim_zip NAME   (an access point)
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include <spimdev.h>

#define LEN 100000u
#define OPS 40u

static const char *name;

static void
fill(uint8_t *to, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		to[i] = (uint8_t)(seed >> 28 | (i / 50 % 7) << 4);
	}
}

/* Wait for one op. */
static struct spim_zip_op *
finish(struct spim_zip_queue *q)
{
	struct spim_zip_op *op;
	int ret;

	while ((ret = spim_zip_poll(q, &op, 1)) == 0)
		assert_int_equal(spim_zip_wait(q, 5000), 1);
	assert_int_equal(ret, 1);
	return op;
}

static void
test_pieces(void **state)
{
	static struct spim_zip_op ops[OPS];
	struct spim_zip_queue *comp, *decomp;
	struct spim_zip_op *op, back;
	struct spim_zip *z;
	uint8_t *mem, *joined;
	uint32_t crc = 0;
	size_t at = 0;

	(void)state;
	assert_int_equal(spim_zip_open(name, NULL, &z), 0);
	mem = spim_zip_alloc(z, (size_t)OPS * LEN * 3);
	assert_non_null(mem);
	joined = mem + (size_t)OPS * LEN;
	fill(mem, (size_t)OPS * LEN, 1);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, OPS / 2, &comp), 0);
	/* Pieces that follow each other are one stream. */
	for (unsigned int i = 0, done = 0; done < OPS;) {
		int ret = -EAGAIN;

		if (i < OPS) {
			ops[i] = (struct spim_zip_op){
				.src = mem + (size_t)i * LEN, .src_len = LEN,
				.dst = mem + (size_t)OPS * LEN * 2 + (size_t)i * LEN,
				.dst_len = LEN, .level = (uint8_t)(1 + i % 9), .last = i == OPS - 1,
				.user = &ops[i],
			};
			ret = spim_zip_submit(comp, &ops[i]);
		}
		if (ret == 0) {
			i++;
			continue;
		}
		assert_int_equal(ret, -EAGAIN);
		op = finish(comp);
		assert_ptr_equal(op, &ops[done]);
		assert_ptr_equal(op->user, op);
		assert_int_equal(op->status, SPIM_ZIP_OK);
		assert_int_equal(op->consumed, LEN);
		assert_int_equal(op->crc32, crc32(0, op->src, LEN));
		memcpy(joined + at, op->dst, op->produced);
		at += op->produced;
		crc = (uint32_t)crc32_combine(crc, op->crc32, LEN);
		done++;
	}
	spim_zip_queue_give(comp);
	assert_int_equal(crc, crc32(0, mem, OPS * LEN));

	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_DECOMPRESS, 4, &decomp), 0);
	back = (struct spim_zip_op){ .src = joined, .src_len = (uint32_t)at,
		.dst = mem + (size_t)OPS * LEN * 2, .dst_len = OPS * LEN };
	assert_int_equal(spim_zip_submit(decomp, &back), 0);
	op = finish(decomp);
	assert_int_equal(op->status, SPIM_ZIP_OK);
	assert_int_equal(op->produced, OPS * LEN);
	assert_memory_equal(op->dst, mem, (size_t)OPS * LEN);
	spim_zip_queue_give(decomp);
	spim_zip_free(z, mem);
	spim_zip_close(z);
}

static void
test_errors(void **state)
{
	struct spim_zip_queue *comp, *decomp;
	struct spim_zip_op op = { .level = 1, .last = 1 };
	struct spim_zip *z;
	uint8_t *mem;

	(void)state;
	assert_int_equal(spim_zip_open("nowhere", NULL, &z), -EINVAL);
	assert_int_equal(spim_zip_open("unix:/nonexistent", NULL, &z), -ENOENT);
	assert_int_equal(spim_zip_open(name, NULL, &z), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 0, &comp), -EINVAL);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 1024, &comp), -EINVAL);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 1, &comp), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_DECOMPRESS, 1023, &decomp), 0);
	mem = spim_zip_alloc(z, 2 * LEN);
	assert_non_null(mem);
	fill(mem, LEN, 2);

	op.src = mem;
	op.dst = mem + LEN;
	op.src_len = LEN;
	op.dst_len = 100;
	assert_int_equal(spim_zip_submit(comp, &op), 0);
	assert_int_equal(spim_zip_submit(comp, &op), -EAGAIN);
	assert_int_equal(finish(comp)->status, SPIM_ZIP_NO_SPACE);
	assert_int_equal(op.produced, 0);
	op.dst_len = LEN;
	assert_int_equal(spim_zip_submit(decomp, &op), 0);
	assert_int_equal(finish(decomp)->status, SPIM_ZIP_BAD_DATA);
	op.src_len = SPIM_ZIP_LEN_MAX + 1;
	assert_int_equal(spim_zip_submit(comp, &op), -EINVAL);
	op.src_len = LEN;
	op.level = 10;
	assert_int_equal(spim_zip_submit(comp, &op), -EINVAL);
	op.level = 9;
	/* Source and destination overlap. */
	op.dst = mem + 1;
	assert_int_equal(spim_zip_submit(comp, &op), 0);
	assert_int_equal(finish(comp)->status, SPIM_ZIP_ERROR);
	op.dst = mem + LEN;
	assert_int_equal(spim_zip_submit(comp, &op), 0);
	assert_int_equal(finish(comp)->status, SPIM_ZIP_OK);

	spim_zip_queue_give(comp);
	spim_zip_queue_give(decomp);
	spim_zip_free(z, mem);
	spim_zip_close(z);
}

/* The descriptor is quiet until there is something, in an event loop of one's own. */
static void
test_descriptor(void **state)
{
	struct spim_zip_queue *q;
	struct spim_zip_op op = { .level = 6, .last = 1, .src_len = LEN, .dst_len = LEN }, *done;
	struct pollfd pfd = { .events = POLLIN };
	struct spim_zip *z;
	uint8_t *mem;

	(void)state;
	assert_int_equal(spim_zip_open(name, NULL, &z), 0);
	pfd.fd = spim_zip_fd(z);
	assert_true(pfd.fd >= 0);
	assert_int_equal(spim_zip_fd(z), pfd.fd);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 8, &q), 0);
	mem = spim_zip_alloc(z, 2 * LEN);
	assert_non_null(mem);
	fill(mem, LEN, 3);
	op.src = mem;
	op.dst = mem + LEN;
	for (int i = 0; i < 200; i++) {
		spim_zip_arm(q);
		assert_int_equal(poll(&pfd, 1, 0), 0);
		assert_int_equal(spim_zip_submit(q, &op), 0);
		/* Armed before, and armed when it is done already. */
		if (i % 2 != 0)
			assert_int_equal(spim_zip_wait(q, 5000), 1);
		else
			assert_int_equal(poll(&pfd, 1, 5000), 1);
		while (spim_zip_poll(q, &done, 1) == 0)
			;
		assert_ptr_equal(done, &op);
		assert_int_equal(op.status, SPIM_ZIP_OK);
		assert_int_equal(spim_zip_wait(q, 0), 0);
	}
	spim_zip_queue_give(q);
	spim_zip_free(z, mem);
	spim_zip_close(z);
}

/* Two queues on one descriptor: to arm one must not take away what the other has to tell. */
static void
test_two_queues(void **state)
{
	struct spim_zip_op op = { .level = 1, .last = 1, .src_len = 100, .dst_len = 1000 }, *done;
	struct spim_zip_queue *q, *other;
	struct pollfd pfd = { .events = POLLIN };
	struct spim_zip *z;

	(void)state;
	assert_int_equal(spim_zip_open(name, NULL, &z), 0);
	pfd.fd = spim_zip_fd(z);
	assert_true(pfd.fd >= 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 8, &q), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_DECOMPRESS, 8, &other), 0);
	op.src = spim_zip_alloc(z, 2 * LEN);
	assert_non_null(op.src);
	op.dst = (uint8_t *)(uintptr_t)op.src + LEN;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(spim_zip_submit(q, &op), 0);
		assert_int_equal(spim_zip_poll(other, &done, 1), 0);
		spim_zip_arm(q);
		assert_int_equal(poll(&pfd, 1, 20000), 1);
		spim_zip_arm(other);
		assert_int_equal(poll(&pfd, 1, 20000), 1);
		assert_int_equal(spim_zip_poll(other, &done, 1), 0);
		assert_int_equal(spim_zip_poll(q, &done, 1), 1);
		assert_int_equal(op.status, SPIM_ZIP_OK);
	}
	spim_zip_queue_give(q);
	spim_zip_queue_give(other);
	spim_zip_close(z);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_two_queues),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_spim_zip NAME\n");
		return 2;
	}
	name = argv[1];
	return cmocka_run_group_tests_name("spim_zip", tests, NULL, NULL);
}
