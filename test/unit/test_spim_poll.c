/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* When spim_zip_poll() asks for the function, and what it does if that is gone. */

#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spim.h"
#include "spimdev.h"
#include "zip_codec.h"

#define LEN   4096u
#define ASKED 1024       /* polls in vain */

static sem_t go; /* the function may execute an op */

__typeof__(zip_codec_deflate) __real_zip_codec_deflate, __wrap_zip_codec_deflate;
int
__wrap_zip_codec_deflate(struct zip_codec *codec, const struct zip_codec_params *params,
		enum zip_codec_flush flush, int partial, const struct iovec *src,
		unsigned int src_cnt, const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result)
{
	while (sem_wait(&go) != 0)
		;
	return __real_zip_codec_deflate(codec, params, flush, partial, src, src_cnt, dst, dst_cnt,
		result);
}

/* What the library is told, and how often it asked. */
static struct {
	int check, restart;
	bool done_first; /* the op is done while it is asked for the function */
	unsigned int checks, restarts;
} told;

int __wrap_spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue);
int
__wrap_spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue)
{
	(void)dev;
	told.checks++;
	if (told.done_first)
		sem_post(&go);
	for (int i = 0; told.done_first && !hisi_qm_cq_ready(queue->ring, 1); i++) {
		assert_true(i < 60000);
		usleep(1000);
	}
	return told.check;
}

int __wrap_spim_queue_restart(struct spim_dev *dev, struct spim_queue *queue);
int
__wrap_spim_queue_restart(struct spim_dev *dev, struct spim_queue *queue)
{
	(void)dev;
	(void)queue;
	told.restarts++;
	return told.restart;
}

static struct spim_zip *z;
static struct spim_zip_queue *q;
static struct spim_zip_op op;

static int
begin(void **state)
{
	uint8_t *mem;

	(void)state;
	memset(&told, 0, sizeof(told));
	assert_int_equal(sem_init(&go, 0, 0), 0);
	assert_int_equal(spim_zip_open("local", NULL, &z), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &q), 0);
	mem = spim_zip_alloc(z, (size_t)3 * LEN);
	assert_non_null(mem);
	for (size_t i = 0, seed = 1; i < LEN; i++, seed = seed * 1103515245 + 12345)
		mem[i] = (uint8_t)((seed >> 28 & 15) | (i / 50 % 7) << 4);
	op = (struct spim_zip_op){ .src = mem, .src_len = LEN, .level = 9, .last = 1,
		.dst = mem + LEN, .dst_len = 2 * LEN };
	assert_int_equal(spim_zip_submit(q, &op), 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	sem_post(&go);
	spim_zip_queue_put(q);
	spim_zip_close(z);
	sem_destroy(&go);
	return 0;
}

/* It polls until it asks. @return What the last poll gave. */
static int
poll_until_asked(unsigned int polls)
{
	const unsigned int before = told.checks;
	struct spim_zip_op *done;
	int ret = 0;

	for (unsigned int i = 1; i <= polls; i++) {
		assert_int_equal(told.checks, before);
		ret = spim_zip_poll(q, &done, 1);
		if (i < polls)
			assert_int_equal(ret, 0);
	}
	assert_int_equal(told.checks, before + 1);
	return ret;
}

static void
test_asks_now_and_then(void **state)
{
	(void)state;
	assert_int_equal(poll_until_asked(ASKED), 0);
	assert_int_equal(poll_until_asked(ASKED), 0);
	assert_int_equal(told.restarts, 0);
	/* Gone, and there is no other: it is asked for each time. */
	told.check = -ENOTCONN;
	told.restart = -ENOENT;
	assert_int_equal(poll_until_asked(ASKED), -ENOTCONN);
	assert_int_equal(poll_until_asked(1), -ENOTCONN);
	assert_int_equal(poll_until_asked(1), -ENOTCONN);
	assert_int_equal(told.restarts, 3);
	/* There is one again. */
	told.restart = 0;
	assert_int_equal(poll_until_asked(1), 0);
	assert_int_equal(told.restarts, 4);
	told.check = 0;
	assert_int_equal(poll_until_asked(ASKED), 0);
	/* Whoever is woken asks at once. */
	spim_zip_arm(q);
	told.checks = 0;
	assert_int_equal(poll_until_asked(1), 0);
	assert_int_equal(told.restarts, 4);
}

/* What the function had done before it was gone is taken, and not done again. */
static void
test_done_before_it_died(void **state)
{
	struct spim_zip_op *done;

	(void)state;
	told.check = -ENOTCONN;
	told.done_first = true;
	assert_int_equal(poll_until_asked(ASKED), 0);
	assert_int_equal(told.restarts, 0);
	assert_int_equal(spim_zip_poll(q, &done, 1), 1);
	assert_ptr_equal(done, &op);
	assert_int_equal(op.status, SPIM_ZIP_OK);
	assert_int_equal(op.consumed, LEN);
	/* Nothing is in flight: nobody asks. */
	for (int i = 0; i < 2 * ASKED; i++)
		assert_int_equal(spim_zip_poll(q, &done, 1), 0);
	assert_int_equal(told.checks, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_asks_now_and_then, begin, end),
		cmocka_unit_test_setup_teardown(test_done_before_it_died, begin, end),
	};

	return cmocka_run_group_tests_name("spim_poll", tests, NULL, NULL);
}
