/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * The C interface when the service goes, when whatever can fail does, and when the socket takes
 * the smallest pieces.
 *
 * usage: test_spim_failures LIAR
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_nth.h"
#include "holdings.h"
#include "hurry.h"
#include "spim_mem.h"
#include "spim_liar.h"
#include "spimdev.h"

#define LEN   4096
#define SPEED 20 /* the library's 30 s are 1.5 s: enough for a busy machine */

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
test_zip_goes_on(void **state)
{
	struct spim_zip_op op = { .src_len = LEN, .dst_len = LEN, .level = 1, .last = 1 }, *done;
	struct spim_zip_queue *q, *other;
	struct spim_zip *z;
	uint8_t *mem;
	int ret = 0;

	(void)state;
	spim_liar_start("never");
	assert_int_equal(spim_zip_open(spim_liar_name, NULL, &z), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &q), 0);
	mem = spim_zip_alloc(z, 2 * LEN);
	assert_non_null(mem);
	memset(mem, 'z', LEN);
	op.src = mem;
	op.dst = mem + LEN;
	/* Nothing in flight: nobody asks, and nothing is lost. */
	for (int i = 0; i < 3000; i++)
		assert_int_equal(spim_zip_poll(q, &done, 1), 0);
	assert_int_equal(spim_zip_submit(q, &op), 0);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(spim_zip_poll(q, &done, 1), 0);
	assert_true(spim_liar_leave() >= 0);
	/* What is never to be had is refused, wherever the service is. */
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 0, &other), -EINVAL);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 1024, &other), -EINVAL);
	assert_int_equal(spim_zip_queue_take(z, (enum spim_zip_dir)2, 4, &other), -EINVAL);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 1023, &other), -ENOENT);
	for (int i = 0; i < 1024 && ret == 0; i++)
		ret = spim_zip_poll(q, &done, 1);
	assert_int_equal(ret, -ENOTCONN);
	/* From now on it is asked at each call. */
	assert_int_equal(spim_zip_poll(q, &done, 1), -ENOTCONN);
	assert_int_equal(spim_zip_poll(q, &done, 1), -ENOTCONN);
	/* Whoever is woken looks at once. */
	assert_true(spim_zip_fd(z) == -ENOTCONN);
	spim_liar_again(NULL);
	assert_int_equal(spim_zip_poll(q, &done, 1), 0);
	for (int i = 0; i < 10000 && ret != 1; i++) {
		usleep(1000);
		ret = spim_zip_poll(q, &done, 1);
		assert_true(ret >= 0);
	}
	assert_ptr_equal(done, &op);
	assert_int_equal(op.status, SPIM_ZIP_OK);
	assert_int_equal(op.consumed, LEN);
	/* Armed, and gone: that wakes, and the first look sees it. */
	assert_true(spim_zip_fd(z) >= 0);
	assert_int_equal(spim_zip_submit(q, &op), 0);
	ret = 0;
	for (int i = 0; i < 3000 && ret == 0; i++) {
		ret = spim_zip_poll(q, &done, 1);
		if (ret == 0)
			assert_true(spim_zip_wait(q, 10) >= 0);
	}
	assert_int_equal(ret, 1);
	assert_int_equal(spim_zip_wait(q, 0), 0);
	assert_int_equal(spim_liar_leave(), 0);
	assert_int_equal(spim_zip_submit(q, &op), 0);
	assert_int_equal(spim_zip_wait(q, 10000), 1);
	assert_int_equal(spim_zip_poll(q, &done, 1), -ENOTCONN);
	spim_liar_again(NULL);
	ret = 0;
	for (int i = 0; i < 10000 && ret != 1; i++) {
		usleep(1000);
		ret = spim_zip_poll(q, &done, 1);
	}
	assert_int_equal(ret, 1);
	spim_zip_queue_put(q);
	spim_zip_free(z, mem);
	spim_zip_close(z);
	spim_liar_end(0);
}

/* What the C interface needs is asked for: a function that lacks it will not do. */
static void
test_zip_needs(void **state)
{
	struct spim_zip *z;

	(void)state;
	spim_liar_start_with(ARGS("--plain"));
	assert_int_equal(spim_zip_open(spim_liar_name, NULL, &z), -ENOTSUP);
	spim_liar_end(0);
	spim_liar_start_with(ARGS("--revision", "0x21"));
	assert_int_equal(spim_zip_open(spim_liar_name, NULL, &z), -ENOTSUP);
	spim_liar_end(0);
}

/* ---- Memory that the service sees ---- */

/* Its size is fixed for good, and a child does not have it. */
static void
test_shared_memory(void **state)
{
	const char *flags = NULL;
	char line[512], begin[32];
	struct spim_dev *dev;
	bool inside = false;
	uint8_t *mem;
	FILE *f;
	int fd;

	(void)state;
	spim_liar_start("none");
	assert_int_equal(spim_open(spim_liar_name, &spim_liar_conf, &dev), 0);
	mem = spim_mem_alloc(dev, LEN + 1);
	assert_non_null(mem);
	assert_ptr_equal(LIST_FIRST(&dev->chunks)->va, mem);
	assert_int_equal(LIST_FIRST(&dev->chunks)->len, 2 * LEN);
	assert_int_equal(fcntl(LIST_FIRST(&dev->chunks)->fd, F_GET_SEALS),
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	assert_int_equal(fcntl(LIST_FIRST(&dev->chunks)->fd, F_GETFD), FD_CLOEXEC);
	snprintf(begin, sizeof(begin), "%lx-", (unsigned long)mem);
	f = fopen("/proc/self/smaps", "re");
	while (flags == NULL && fgets(line, sizeof(line), f) != NULL) {
		inside = inside || strncmp(line, begin, strlen(begin)) == 0;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			flags = line;
	}
	fclose(f);
	assert_non_null(flags);
	assert_non_null(strstr(flags, " dc")); /* not copied by fork() */
	/* What the service has been told of already is no error; what was given back it forgets. */
	assert_int_equal(spim_mem_register(dev), 0);
	spim_mem_free(dev, mem);
	fd = memfd_create("other", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 2 * LEN), 0);
	assert_int_equal(spim_mem_map(dev, mem, 2 * LEN, fd, 0), 0);
	assert_int_equal(spim_mem_map(dev, mem, LEN, fd, 0), -EEXIST);
	assert_int_equal(spim_mem_unmap(dev, mem, 2 * LEN), 0);
	close(fd);
	spim_close(dev);
	spim_liar_end(0);
}

static unsigned int registered;
static int register_ret;

static int
register_all(struct spim_dev *dev, void *priv)
{
	assert_ptr_equal(priv, &registered);
	assert_non_null(dev);
	registered++;
	return register_ret;
}

/* The caller's own memory is registered at each opening, and what that gives is told. */
static void
test_mem_register(void **state)
{
	struct spim_conf conf = spim_liar_conf;
	struct spim_queue *q;
	struct spim_dev *dev;

	(void)state;
	conf.mem_register = register_all;
	conf.mem_register_priv = &registered;
	spim_liar_start("none");
	registered = 0;
	register_ret = -EPERM;
	assert_int_equal(spim_open(spim_liar_name, &conf, &dev), -EPERM);
	assert_int_equal(registered, 1);
	register_ret = 0;
	assert_int_equal(spim_open(spim_liar_name, &conf, &dev), 0);
	assert_int_equal(registered, 2);
	assert_int_equal(spim_queue_take(dev, 0, 16, -1, &q), 0);
	assert_int_equal(registered, 2);
	assert_int_equal(spim_liar_leave(), 0);
	spim_liar_again(NULL);
	register_ret = -EPERM;
	assert_int_equal(spim_queue_restart(dev, q), -EPERM);
	assert_int_equal(spim_queue_restart(dev, q), -EPERM);
	register_ret = 0;
	assert_int_equal(spim_queue_restart(dev, q), 0);
	assert_int_equal(registered, 5);
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	spim_close(dev);
	spim_liar_end(0);
	/* One that sees all memory is told of none. */
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	assert_int_equal(registered, 5);
	spim_close(dev);
}

/* ---- Whatever can fail ---- */

/* When standard input is closed, so that the next descriptor is 0: one like others. */
enum closed { NEVER, BEFORE_OPENING, BEFORE_MEMORY, BEFORE_EVENTS };

static void
close_input_at(enum closed when, enum closed now)
{
	if (when == now)
		close(STDIN_FILENO);
}

/* One life of an access point. @return 0, or a negative errno. */
static int
life_without_input(const char *point, enum closed when)
{
	struct spim_zip_op op = { .src_len = LEN, .dst_len = LEN, .level = 1, .last = 1 }, *done;
	struct spim_zip_queue *q = NULL;
	struct spim_zip *z = NULL;
	uint8_t *m = NULL;
	int ret;

	close_input_at(when, BEFORE_OPENING);
	ret = spim_zip_open(point, NULL, &z);
	if (ret != 0)
		return ret;
	close_input_at(when, BEFORE_MEMORY);
	m = spim_zip_alloc(z, 2 * LEN);
	ret = m == NULL ? -errno : spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &q);
	if (ret == 0) {
		close_input_at(when, BEFORE_EVENTS);
		ret = spim_zip_fd(z);
		if (when == BEFORE_EVENTS) {
			assert_int_equal(ret, STDIN_FILENO);
			assert_int_equal(spim_zip_fd(z), STDIN_FILENO);
		}
		ret = ret < 0 ? ret : 0;
	}
	if (ret == 0) {
		memset(m, 'w', LEN);
		op.src = m;
		op.dst = m + LEN;
		ret = spim_zip_submit(q, &op);
	}
	for (int i = 0; i < 1000 && ret == 0; i++) {
		ret = spim_zip_poll(q, &done, 1);
		if (ret == 0)
			spim_zip_wait(q, SPEED);
	}
	if (ret == 0)
		ret = -ETIME; /* it does not come, as a wake-up failed */
	else if (ret == 1)
		ret = done == &op && op.status == SPIM_ZIP_OK && op.consumed == LEN ? 0 : -EBADMSG;
	spim_zip_queue_put(q);
	spim_zip_free(z, m);
	spim_zip_close(z);
	return ret;
}

static int
life(const char *point)
{
	return life_without_input(point, NEVER);
}

static void
test_without_standard_input(void **state)
{
	int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);

	(void)state;
	for (int local = 0; local < 2; local++) {
		for (enum closed when = BEFORE_OPENING; when <= BEFORE_EVENTS; when++) {
			bool left;
			int ret;

			spim_liar_start("none");
			ret = life_without_input(local ? "local" : spim_liar_name, when);
			left = fcntl(STDIN_FILENO, F_GETFD) >= 0;
			dup2(saved, STDIN_FILENO);
			assert_int_equal(ret, 0);
			assert_false(left);
			spim_liar_end(0);
		}
	}
	close(saved);
}

/* Whether what failed with err is told as it should. */
static bool
told(const char *what, int err, int ret)
{
	bool sent = strcmp(what, "sendmsg") == 0, message = sent || strcmp(what, "recvmsg") == 0;

	/* What is sent or awaited may be tried again; all else is missed. */
	if (ret == 0)
		return message;
	/* A message that did not get out is one wake-up less. */
	if (sent && ret == -ETIME)
		return true;
	/* What an answer that cannot be read leaves is no stream, and registers have no errno. */
	if (message && ret == -ENOTSUP)
		return true;
	if (message && !sent) /* the last: the service has not seen the end yet */
		return ret == -ENOTCONN || ret == -ENODEV || ret == -ETIMEDOUT;
	/* It is tried again until there is no more time. */
	if (strcmp(what, "connect") == 0)
		return ret == -ETIMEDOUT;
	/* A file that cannot be looked at is none that one could ring in. */
	if (ret == -EPROTO)
		return strcmp(what, "fcntl") == 0 || strcmp(what, "fstat") == 0;
	return ret == -err;
}

static void
test_failures(void **state)
{
	const char *what = "";
	unsigned int n;

	(void)state;
	fail_nth_struck();
	for (n = 1; what != NULL; n++) {
		int ret;

		spim_liar_start("none");
		hurry(SPEED);
		fail_nth(n);
		ret = life(spim_liar_name);
		what = fail_nth_end();
		hurry(1);
		if (what == NULL)
			assert_int_equal(ret, 0);
		else if (!told(what, fail_nth_errno(), ret))
			fail_msg("call %u, %s, %d: %d", n, what, fail_nth_errno(), ret);
		spim_liar_end(0);
	}
	print_message("%u calls\n", n - 2);
	assert_string_equal(fail_nth_struck(), "calloc connect epoll_create1 epoll_ctl eventfd "
		"fcntl fstat ftruncate malloc memfd_create mmap posix_memalign recvmsg sendmsg "
		"setsockopt socket strdup");
}

/* The same in this process, where nothing may be missed. */
static void
test_failures_local(void **state)
{
	const struct holdings_now before = holdings_get();
	const long blocks = fail_nth_blocks();
	const char *what = "";
	unsigned int n;

	(void)state;
	fail_nth_struck();
	for (n = 1; what != NULL; n++) {
		int ret;

		fail_nth(n);
		ret = life("local");
		what = fail_nth_end();
		if (what == NULL)
			assert_int_equal(ret, 0);
		/* The function has no memory for a queue, which it tells by a status. */
		else if (ret != -fail_nth_errno() && (ret != -EIO ||
				(strcmp(what, "aligned_alloc") != 0 &&
				strcmp(what, "malloc") != 0)))
			fail_msg("call %u, %s, %d: %d", n, what, fail_nth_errno(), ret);
		holdings_same(&before);
		assert_int_equal(fail_nth_blocks(), blocks);
	}
	print_message("%u calls\n", n - 2);
	assert_string_equal(fail_nth_struck(), "aligned_alloc calloc epoll_create1 epoll_ctl "
		"eventfd malloc mmap posix_memalign pthread_create");
}

/* All that is said, in the smallest pieces. */
static void
test_short(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes < 40; bytes = bytes * 2 + 1) {
		spim_liar_start("none");
		fail_nth_short(bytes);
		assert_int_equal(life(spim_liar_name), 0);
		fail_nth_short(0);
		spim_liar_end(0);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zip_goes_on),
		cmocka_unit_test(test_zip_needs),
		cmocka_unit_test(test_shared_memory),
		cmocka_unit_test(test_mem_register),
		cmocka_unit_test(test_without_standard_input),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_failures_local),
		cmocka_unit_test(test_short),
	};

	return spim_liar_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
