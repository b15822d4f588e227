/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Input that another process writes while the codec reads it, as a client of a
 * shared device can. The result may be anything, but nothing may be read
 * outside src or written outside dst: guard pages lie at both.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "test_zip_codec_util.h"

#define LEN ((size_t)96 << 10)
#define ROUNDS 25

/* Pages that both processes see, with a guard behind them. */
static uint8_t *
shared_alloc(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *mem = mmap(NULL, len + page, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || mprotect(mem + len, page, PROT_NONE) != 0)
		abort();
	return mem;
}

static void
scribble(volatile uint8_t *data, size_t len)
{
	struct rng rng = { .state = 42 };

	for (;;) {
		size_t at = rng_below(&rng, len), n = 1 + rng_below(&rng, 300);
		uint8_t value = (uint8_t)rng_next(&rng);

		for (size_t i = at; i < at + n && i < len; i++)
			data[i] = (uint8_t)(value * i);
		/* Let something that compresses, and inflates, come back. */
		for (size_t i = at; i < at + n / 2 && i < len; i++)
			data[i] = data[i < 100 ? i : i - 100];
	}
}

static void
test_race(void **state)
{
	uint8_t *src = shared_alloc(LEN);
	struct guarded dst = guarded_alloc(LEN * 2, GUARD_AFTER);
	struct zip_codec *codec = zip_codec_create(LEN * 2);
	struct zip_codec_result result;
	pid_t child;

	(void)state;
	assert_non_null(codec);
	data_fill(src, LEN, DATA_FAR, 1);
	child = fork();
	if (child == 0) {
		/* Nobody else would end it if the test fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		scribble(src, LEN);
		_exit(0);
	}
	assert_true(child > 0);

	for (unsigned int i = 0; i < ROUNDS * 10 * 3 / test_fewer(); i++) {
		struct zip_codec_params params = {
			.level = (uint8_t)(i % 10),
			.huffman = (uint8_t)(i / 10 % 3),
			.window = i & 1 ? 15 : 10,
			.checksum = 3,
			.adler32 = 1,
		};
		size_t cap = i % 7 == 0 ? LEN / 3 : LEN + LEN / 4;
		struct iovec in = { .iov_base = src + i % 5, .iov_len = LEN - i % 5 };
		struct iovec out = { .iov_base = dst.data + dst.len - cap, .iov_len = cap };
		int ret = zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, i & 1, &in, 1,
				&out, 1, &result);

		assert_true(ret == 0 || ret == -ENOSPC);
		assert_true(result.consumed <= in.iov_len);
		assert_true(result.produced <= cap);

		/* It is hardly ever a stream; the head makes it start as one. */
		src[0] = (uint8_t)(i % 3 << 1);
		in = (struct iovec){ .iov_base = src, .iov_len = LEN };
		ret = zip_codec_inflate(codec, &params, &in, 1, &out, 1, &result);
		assert_true(ret == 0 || ret == -ENOSPC || ret == -EBADMSG);
		assert_true(result.produced <= cap);
	}

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	zip_codec_destroy(codec);
	guarded_free(&dst);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests_name("zip_codec_race", tests, NULL, NULL);
}
