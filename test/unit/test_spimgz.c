/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What spimgz reads and writes: in pieces of any size, interrupted, failing. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "fail_nth.h"
#include "gzip.h"
#include "io.h"
#include "said.h"
#include "spimgz.h"
#include "stream.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static char said[256];

void
complain(const char *fmt, ...)
{
	va_list ap;

	assert_string_equal(said, ""); /* once */
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

void
complain_data(const char *name, const char *what)
{
	complain("\n%s: %s", name, what);
}

void
warn(const char *fmt, ...)
{
	fail_msg("%s", fmt);
}

void
warn_data(const char *name, const char *what)
{
	fail_msg("%s: %s", name, what);
}

/* It was said, and nothing else. */
static void
assert_said(const char *text)
{
	assert_string_equal(said, text);
	said[0] = '\0';
}

/* ---- Calls ---- */

/* How often a call is interrupted; then it moves a few bytes, or fails. */
static struct {
	unsigned int interrupted;
	unsigned int not_ready;
	unsigned int polls;
	short polled_for;
	int fd;
	size_t most;   /* 0: no limit */
	int err;       /* 0: it does not fail */
	unsigned int calls;
} io;

static bool
io_fails(void)
{
	io.calls++;
	if (io.interrupted != 0) {
		io.interrupted--;
		errno = EINTR;
		return true;
	}
	if (io.not_ready != 0) {
		io.not_ready--;
		errno = EAGAIN;
		return true;
	}
	errno = io.err;
	return io.err != 0;
}

static size_t
io_part(size_t n)
{
	return io.most != 0 && n > io.most ? io.most : n;
}

ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);
ssize_t
__wrap_read(int fd, void *buf, size_t n)
{
	return io_fails() ? -1 : __real_read(fd, buf, io_part(n));
}

ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
ssize_t
__wrap_write(int fd, const void *buf, size_t n)
{
	return io_fails() ? -1 : __real_write(fd, buf, io_part(n));
}

/* A descriptor that is not ready is waited for. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	assert_int_equal(n, 1);
	assert_int_equal(timeout, -1);
	assert_int_equal(fds->events, io.polled_for);
	assert_int_equal(fds->fd, io.fd);
	io.polls++;
	return 1;
}

/* ---- Reading and writing ---- */

#define LEN 300000u

static uint8_t data[LEN], to[LEN + 1];

static int
file(size_t len)
{
	int fd = memfd_create("data", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < LEN; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(__real_write(fd, data, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
test_write(void **state)
{
	static const size_t mosts[] = { 0, 1, 999, 1000, 1001 };
	int fd = memfd_create("out", MFD_CLOEXEC);

	(void)state;
	close(file(0));
	for (size_t i = 0; i < CNT(mosts); i++) {
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		memset(&io, 0, sizeof(io));
		io.most = mosts[i];
		io.interrupted = 3;
		assert_int_equal(output_write(fd, "out", data, 1000), 0);
		assert_int_equal(io.interrupted, 0);
		assert_int_equal(io.calls, 3 + (mosts[i] == 0 ? 1 : (999 + mosts[i]) / mosts[i]));
		assert_int_equal(pread(fd, to, LEN, 0), 1000);
		assert_memory_equal(to, data, 1000);
	}
	memset(&io, 0, sizeof(io));
	io.not_ready = 3;
	io.polled_for = POLLOUT;
	io.fd = fd;
	assert_int_equal(output_write(fd, "out", data, 1000), 0);
	assert_int_equal(io.polls, 3);
	/* An error is one after an interruption, too. */
	memset(&io, 0, sizeof(io));
	io.interrupted = 1;
	io.err = EDQUOT;
	assert_int_equal(output_write(fd, "out", data, 1000), -1);
	assert_said("out: Disk quota exceeded");
	assert_int_equal(io.calls, 2);
	/* Nothing, and nowhere: no call. */
	io.calls = 0;
	assert_int_equal(output_write(fd, "out", data, 0), 0);
	assert_int_equal(output_write(-1, "out", data, 1000), 0);
	assert_int_equal(io.calls, 0);
	memset(&io, 0, sizeof(io));
	close(fd);
	/* The first descriptor is one like others. */
	fd = dup(STDIN_FILENO);
	close(STDIN_FILENO);
	assert_int_equal(memfd_create("out", MFD_CLOEXEC), STDIN_FILENO);
	assert_int_equal(output_write(STDIN_FILENO, "out", data, 10), 0);
	assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_END), 10);
	dup2(fd, STDIN_FILENO);
	close(fd);
}

static void
open_input(struct input *in, size_t len)
{
	memset(&io, 0, sizeof(io));
	memset(to, 0xee, sizeof(to));
	assert_int_equal(input_open(in, file(len), "name", 12, false), 0);
	assert_int_equal(in->size, 12);
	assert_int_equal(in->done, 0);
}

static void
close_input(struct input *in)
{
	input_close(in);
	close(in->fd);
}

/* What was looked at ahead is read, too; at the end there is less. */
static void
test_read(void **state)
{
	static const size_t mosts[] = { 0, 1000, 4097 };
	const long blocks = fail_nth_blocks();
	struct input in;

	(void)state;
	for (size_t i = 0; i < CNT(mosts); i++) {
		open_input(&in, LEN);
		io.most = mosts[i];
		io.interrupted = 2;
		io.not_ready = 2;
		io.polled_for = POLLIN;
		io.fd = in.fd;
		assert_int_equal(input_ahead(&in, 5000), 0);
		assert_int_equal(io.interrupted, 0);
		assert_int_equal(io.polls, 2);
		assert_true(in.end - in.pos >= 5000);
		assert_memory_equal(in.buf + in.pos, data, 5000);
		assert_int_equal(in.done, in.end);
		/* It is there already. */
		io.calls = 0;
		assert_int_equal(input_ahead(&in, in.end), 0);
		assert_int_equal(io.calls, 0);
		in.pos = 10;
		assert_int_equal(input_read(&in, to, 100), 100);
		assert_memory_equal(to, data + 10, 100);
		assert_int_equal(to[100], 0xee);
		assert_int_equal(io.calls, 0);
		/* All that can be looked at. */
		assert_int_equal(input_ahead(&in, 128u << 10), 0);
		assert_int_equal(in.end - in.pos, 128u << 10);
		assert_memory_equal(in.buf + in.pos, data + 110, 128u << 10);
		io.interrupted = 1;
		assert_int_equal(input_read(&in, to, LEN - 111), LEN - 111);
		assert_memory_equal(to, data + 110, LEN - 111);
		assert_int_equal(to[LEN - 111], 0xee);
		assert_int_equal(in.pos, in.end);
		/* One byte is left. */
		assert_int_equal(input_ahead(&in, 2), 0);
		assert_int_equal(in.end - in.pos, 1);
		assert_int_equal(input_read(&in, to, 2), 1);
		assert_int_equal(to[0], data[LEN - 1]);
		assert_int_equal(input_read(&in, to, 2), 0);
		assert_int_equal(input_ahead(&in, 1), 0);
		assert_int_equal(in.end, in.pos);
		assert_int_equal(in.done, LEN);
		close_input(&in);
	}
	assert_int_equal(fail_nth_blocks(), blocks);
}

/* What is put back is read again, also where that is more than what had been read ahead. */
static void
test_back(void **state)
{
	const long blocks = fail_nth_blocks();
	struct input in;

	(void)state;
	open_input(&in, LEN);
	assert_int_equal(input_read(&in, to, 1000), 1000);
	assert_int_equal(input_ahead(&in, 10), 0);
	in.pos += 10;
	assert_int_equal(input_back(&in, data + 1000, 10), 0);
	assert_int_equal(in.pos, 0);
	for (size_t at = 1000; at != 0; at -= 100)
		assert_int_equal(input_back(&in, data + at - 100, 100), 0);
	assert_int_equal(input_back(&in, data, 0), 0);
	memset(to, 0xee, sizeof(to));
	assert_int_equal(input_read(&in, to, LEN + 1), LEN);
	assert_memory_equal(to, data, LEN);
	assert_int_equal(in.done, LEN);
	assert_int_equal(input_back(&in, data, LEN), 0);
	assert_int_equal(input_ahead(&in, 128u << 10), 0);
	assert_memory_equal(in.buf + in.pos, data, LEN);
	assert_int_equal(in.end - in.pos, LEN);
	fail_nth(1);
	assert_int_equal(input_back(&in, data, LEN), -1);
	assert_string_equal(fail_nth_end(), "malloc");
	assert_said("name: no memory");
	memset(to, 0xee, sizeof(to));
	assert_int_equal(input_read(&in, to, LEN + 1), LEN);
	assert_memory_equal(to, data, LEN);
	close_input(&in);
	assert_int_equal(fail_nth_blocks(), blocks);
}

static void
test_read_fails(void **state)
{
	const long blocks = fail_nth_blocks();
	struct input in;

	(void)state;
	open_input(&in, LEN);
	io.interrupted = 1;
	io.err = ESTALE;
	assert_int_equal(input_read(&in, to, 10), -1);
	assert_said("name: Stale file handle");
	assert_int_equal(input_ahead(&in, 1), -1);
	assert_said("name: Stale file handle");
	assert_int_equal(in.done, 0);
	/* What was read before is nothing without the rest. */
	io.err = 0;
	io.most = 5;
	assert_int_equal(input_ahead(&in, 5), 0);
	io.err = EISDIR;
	assert_int_equal(input_read(&in, to, 5), 5);
	assert_int_equal(input_read(&in, to, 1), -1);
	assert_said("name: Is a directory");
	close_input(&in);
	fail_nth(1);
	assert_int_equal(input_open(&in, 0, "name", 0, false), -1);
	assert_string_equal(fail_nth_end(), "malloc");
	assert_said("name: no memory");
	assert_int_equal(fail_nth_blocks(), blocks);
}

/* ---- Progress ---- */

static int64_t now_ns;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	assert_int_equal(clock, CLOCK_MONOTONIC);
	*ts = (struct timespec){ .tv_sec = now_ns / 1000000000, .tv_nsec = now_ns % 1000000000 };
	return 0;
}

/* What standard error gets of one read, after so much time. */
static const char *
shown(struct input *in, size_t n, int64_t after_ns)
{
	static char text[128];
	struct said shows;

	now_ns += after_ns;
	said_begin(&shows, SAID_ERR);
	if (n != 0)
		(void)input_read(in, to, n);
	else
		input_close(in);
	return said_end(&shows, text, sizeof(text));
}

#define STEP 200000000

static void
test_progress(void **state)
{
	struct input in;
	int fd = file(LEN);

	(void)state;
	memset(&io, 0, sizeof(io));
	now_ns = 10000000000;
	assert_int_equal(input_open(&in, fd, "name", 199, true), 0);
	assert_string_equal(shown(&in, 1, 0), "\rname: 0%\033[K");
	assert_string_equal(shown(&in, 1, 0), "");
	/* Five times a second, and no more often. */
	assert_string_equal(shown(&in, 2, STEP - 1), "");
	assert_string_equal(shown(&in, 1, 1), "\rname: 2%\033[K");
	assert_string_equal(shown(&in, 193, STEP), "\rname: 99%\033[K");
	/* The end is shown in any case, and closes nothing but what is its own. */
	assert_string_equal(shown(&in, 0, 1), "\r\033[K");
	/* Of what is a multiple of 100, all is 99 % and not more than there is. */
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(input_open(&in, fd, "name", 200, true), 0);
	assert_string_equal(shown(&in, 200, STEP), "\rname: 66%\033[K");
	assert_string_equal(shown(&in, 0, STEP), "\r\033[K");
	/* Where the size is not known. */
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(input_open(&in, fd, "pipe", 0, true), 0);
	in.done = (3u << 20) - 2;
	assert_string_equal(shown(&in, 1, STEP), "\rpipe: 2 MiB\033[K");
	assert_string_equal(shown(&in, 1, STEP), "\rpipe: 3 MiB\033[K");
	assert_string_equal(shown(&in, 0, STEP), "\r\033[K");
	/* Not asked for. */
	assert_int_equal(input_open(&in, fd, "name", 0, false), 0);
	assert_string_equal(shown(&in, 1, STEP), "");
	assert_string_equal(shown(&in, 0, STEP), "");
	close(fd);
}

/* ---- Members of other programs ---- */

static int begun, ended;
static bool no_inflate;

int __real_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int
__wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size)
{
	if (no_inflate)
		return Z_MEM_ERROR;
	begun++;
	return __real_inflateInit2_(z, bits, version, size);
}

int __real_inflateEnd(z_stream *z);
int __wrap_inflateEnd(z_stream *z);
int
__wrap_inflateEnd(z_stream *z)
{
	ended++;
	return __real_inflateEnd(z);
}

/* One member of another program, and a file for it. */
static int
member(uint8_t *packed, size_t *len)
{
	z_stream z = { .next_in = data, .avail_in = LEN, .next_out = packed,
		.avail_out = 2 * LEN };

	close(file(0));
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*len = z.total_out;
	deflateEnd(&z);
	return memfd_create("member", MFD_CLOEXEC);
}

/* All of it, or an error that is said once; and what was taken is given back. */
static void
test_their_members(void **state)
{
	static uint8_t packed[2 * LEN];
	static struct engine e;
	static const struct {
		const char *what, *said;
		int ret;
	} cases[] = {
		{ "all", "", SPIMGZ_OK },
		{ "cut", "\nname: unexpected end of file", SPIMGZ_FAILED },
		{ "wrong", "\nname: invalid compressed data--crc error", SPIMGZ_FAILED },
		{ "no inflate", "no memory", SPIMGZ_FAILED },
		{ "no buffer", "no memory", SPIMGZ_FAILED },
		{ "full", "out: No space left on device", SPIMGZ_FAILED },
	};
	size_t len;
	int fd = member(packed, &len);

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		const long blocks = fail_nth_blocks();
		const char *what = cases[i].what;
		int out = strcmp(what, "full") == 0 ? open("/dev/full", O_WRONLY | O_CLOEXEC) :
			memfd_create("out", MFD_CLOEXEC);
		struct stream st = { .out = out, .out_name = "out" };
		int ret;

		assert_true(out >= 0);
		memset(&io, 0, sizeof(io));
		packed[len - 8] ^= strcmp(what, "wrong") == 0;
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, packed, len - (strcmp(what, "cut") == 0), 0),
			len - (strcmp(what, "cut") == 0));
		packed[len - 8] ^= strcmp(what, "wrong") == 0;
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(input_open(&st.in, fd, "name", 0, false), 0);
		assert_int_equal(expand_first(&st), SPIMGZ_OK);
		begun = ended = 0;
		no_inflate = strcmp(what, "no inflate") == 0;
		fail_nth(strcmp(what, "no buffer") == 0);
		ret = expand_stream(&e, &st);
		fail_nth_end();
		input_close(&st.in);
		assert_int_equal(ret, cases[i].ret);
		assert_said(cases[i].said);
		assert_int_equal(ended, begun);
		assert_int_equal(fail_nth_blocks(), blocks);
		if (ret == SPIMGZ_OK) {
			assert_int_equal(st.plain, LEN);
			assert_int_equal(st.packed, len);
			assert_int_equal(st.framing, 18);
			assert_int_equal(pread(out, to, sizeof(to), 0), LEN);
			assert_memory_equal(to, data, LEN);
		}
		close(out);
	}
	no_inflate = false;
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_read_fails),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_their_members),
	};

	return cmocka_run_group_tests_name("spimgz", tests, NULL, NULL);
}
