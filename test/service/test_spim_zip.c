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
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>
#include <zlib.h>

#include <spimdev.h>

#include "holdings.h"

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
	spim_zip_queue_put(comp);
	assert_int_equal(crc, crc32(0, mem, OPS * LEN));

	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_DECOMPRESS, 4, &decomp), 0);
	back = (struct spim_zip_op){ .src = joined, .src_len = (uint32_t)at,
		.dst = mem + (size_t)OPS * LEN * 2, .dst_len = OPS * LEN };
	assert_int_equal(spim_zip_submit(decomp, &back), 0);
	op = finish(decomp);
	assert_int_equal(op->status, SPIM_ZIP_OK);
	assert_int_equal(op->produced, OPS * LEN);
	assert_memory_equal(op->dst, mem, (size_t)OPS * LEN);
	spim_zip_queue_put(decomp);
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
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 65535, &comp), -EINVAL);
	assert_int_equal(spim_zip_queue_take(z, (enum spim_zip_dir)2, 8, &comp), -EINVAL);
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

	spim_zip_queue_put(comp);
	spim_zip_queue_put(decomp);
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
		/*
		 * Armed before, and armed when it is done already. Each event is waited for: it
		 * comes behind what it tells of, and so maybe behind a poll that takes that.
		 */
		assert_int_equal(poll(&pfd, 1, 5000), 1);
		if (i % 2 != 0) {
			assert_int_equal(spim_zip_poll(q, &done, 0), 0);
			assert_int_equal(poll(&pfd, 1, 0), 0);
			spim_zip_arm(q);
			assert_int_equal(poll(&pfd, 1, 5000), 1);
		}
		assert_int_equal(spim_zip_wait(q, 0), 1);
		assert_int_equal(spim_zip_poll(q, &done, 1), 1);
		assert_ptr_equal(done, &op);
		assert_int_equal(op.status, SPIM_ZIP_OK);
		assert_int_equal(spim_zip_wait(q, 0), 0);
	}
	spim_zip_queue_put(q);
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
	spim_zip_queue_put(q);
	spim_zip_queue_put(other);
	spim_zip_close(z);
}

/* What is asked for at its edges; what is refused leaves the queue as it was. */
static void
test_limits(void **state)
{
	struct spim_zip_op op = { .level = 9, .last = 1 }, other, *done[3];
	struct spim_zip_queue *q;
	struct spim_zip *z;
	uint8_t *mem;

	(void)state;
	assert_int_equal(spim_zip_open(name, NULL, &z), 0);
	mem = spim_zip_alloc(z, 2 * (size_t)SPIM_ZIP_LEN_MAX);
	assert_non_null(mem);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 3, &q), 0);
	op.src = mem;
	op.dst = mem + SPIM_ZIP_LEN_MAX;
	op.dst_len = SPIM_ZIP_LEN_MAX;
	for (int i = 0; i < 10; i++) {
		op.src_len = SPIM_ZIP_LEN_MAX + 1;
		assert_int_equal(spim_zip_submit(q, &op), -EINVAL);
		op.src_len = 1000;
		op.level = SPIM_ZIP_LEVEL_MAX + 1;
		assert_int_equal(spim_zip_submit(q, &op), -EINVAL);
		op.level = SPIM_ZIP_LEVEL_MAX;
		op.last = 2;
		assert_int_equal(spim_zip_submit(q, &op), -EINVAL);
		op.last = 1;
	}
	op.level = 1;
	op.src_len = SPIM_ZIP_LEN_MAX;
	assert_int_equal(spim_zip_submit(q, &op), 0);
	assert_ptr_equal(finish(q), &op);
	assert_int_equal(op.status, SPIM_ZIP_OK);
	assert_int_equal(op.consumed, SPIM_ZIP_LEN_MAX);
	assert_int_equal(op.crc32, crc32(0, mem, SPIM_ZIP_LEN_MAX));
	/* Stored is larger, by a head of 5 bytes; smaller pieces fit exactly, or not. */
	op.level = 0;
	op.src_len = 1000;
	for (op.dst_len = 1004; op.dst_len <= 1005; op.dst_len++) {
		assert_int_equal(spim_zip_submit(q, &op), 0);
		assert_ptr_equal(finish(q), &op);
		assert_int_equal(op.status, op.dst_len < 1005 ? SPIM_ZIP_NO_SPACE : SPIM_ZIP_OK);
		assert_int_equal(op.produced, op.dst_len < 1005 ? 0 : 1005);
		assert_int_equal(op.consumed, op.dst_len < 1005 ? 0 : 1000);
		assert_int_equal(op.crc32, op.dst_len < 1005 ? 0 : crc32(0, mem, 1000));
	}
	/* As many as are asked for, in their order; none if there are none. */
	op.dst_len = 2000;
	other = op;
	other.dst = mem + SPIM_ZIP_LEN_MAX + 4000;
	assert_int_equal(spim_zip_submit(q, &op), 0);
	assert_int_equal(spim_zip_submit(q, &other), 0);
	assert_int_equal(spim_zip_submit(q, &op), 0);
	assert_int_equal(spim_zip_submit(q, &op), -EAGAIN);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(spim_zip_poll(q, done, 0), 0);
		assert_ptr_equal(finish(q), i == 1 ? &other : &op);
	}
	assert_int_equal(spim_zip_poll(q, done, 3), 0);
	spim_zip_queue_put(q);
	spim_zip_close(z);
	/* Nothing is given back like something. */
	spim_zip_queue_put(NULL);
	spim_zip_close(NULL);
}

static char said[256];
static int said_error;

static void
take_line(int error, const char *line)
{
	said_error = error;
	snprintf(said, sizeof(said), "%s", line);
}

static void
test_options(void **state)
{
	static const struct {
		struct spim_zip_conf conf;
		const char *line;
		unsigned int threads;
	} cases[] = {
		{ { .log = take_line }, "spimdev: dev=nowhere: expected local or unix:PATH", 1 },
		{ { .name = "me", .log = take_line, .threads = 3 },
			"me: dev=nowhere: expected local or unix:PATH", 3 },
		{ { .name = "me" }, "", 1 },
	};
	const struct holdings_now before = holdings_get();
	struct spim_zip *z;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		said[0] = '\0';
		said_error = 0;
		assert_int_equal(spim_zip_open("nowhere", &cases[i].conf, &z), -EINVAL);
		assert_string_equal(said, cases[i].line);
		assert_int_equal(said_error, said[0] != '\0');
		assert_int_equal(spim_zip_open("local", &cases[i].conf, &z), 0);
		assert_int_equal(holdings_threads(), before.threads + cases[i].threads);
		spim_zip_close(z);
		holdings_same(&before);
	}
	assert_int_equal(spim_zip_open("local", NULL, &z), 0);
	assert_int_equal(holdings_threads(), before.threads + 1);
	spim_zip_close(z);
	holdings_same(&before);
}

static void
test_status_texts(void **state)
{
	static const char *const texts[] = { "done", "the output does not fit", "corrupt data",
		"not executed", "unknown" };

	(void)state;
	for (uint8_t i = 0; i < 5; i++)
		assert_string_equal(spim_zip_status_text(i), texts[i]);
	assert_string_equal(spim_zip_status_text(255), "unknown");
}

static void
nothing(int sig)
{
	(void)sig;
}

/* Sleep ends by a signal, and says so; and at once when there is something. */
static void
test_wait(void **state)
{
	struct spim_zip_op op = { .level = 1, .last = 1, .src_len = 100, .dst_len = 1000 }, *done;
	struct pollfd pfd = { .events = POLLIN };
	const struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, never = { { 0, 0 }, { 0, 0 } };
	const struct sigaction act = { .sa_handler = nothing };
	struct spim_zip_queue *q;
	struct spim_zip *z;
	int ret;

	(void)state;
	assert_int_equal(spim_zip_open(name, NULL, &z), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 8, &q), 0);
	op.src = spim_zip_alloc(z, LEN);
	assert_non_null(op.src);
	op.dst = (uint8_t *)(uintptr_t)op.src + 1000;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	ret = spim_zip_wait(q, 20000);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_int_equal(ret, -EINTR);
	assert_int_equal(spim_zip_submit(q, &op), 0);
	/* Armed by the sleep. Waited for, as it comes behind what it tells of. */
	pfd.fd = spim_zip_fd(z);
	assert_int_equal(poll(&pfd, 1, 20000), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(spim_zip_wait(q, 0), 1);
	assert_int_equal(spim_zip_poll(q, &done, 1), 1);
	assert_int_equal(spim_zip_wait(q, 0), 0);
	spim_zip_queue_put(q);
	spim_zip_close(z);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		/* The first: it counts threads, and none of another test must still be ending. */
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_two_queues),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_status_texts),
		cmocka_unit_test(test_wait),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_spim_zip NAME\n");
		return 2;
	}
	name = argv[1];
	return cmocka_run_group_tests_name("spim_zip", tests, NULL, NULL);
}
