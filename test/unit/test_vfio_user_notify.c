/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Signals of eventfds, one by one: with the kernel's asynchronous I/O, with one that is full or
 * fails, and without. What the kernel answers is the test's.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fail_nth.h"
#include "test_vfio_user_util.h"
#include "vfio_user_notify.h"

#define CONTEXT 0x1234u
#define EVENTS  64

/* ---- The kernel ---- */

static struct {
	bool none;         /* has no context to give */
	int error;         /* of io_submit, */
	unsigned int bad;  /* for so many of them */
	unsigned int setups, destroys, submits, results, writes;
} kernel;

/* An operation that does nothing, at whose end an eventfd is counted up. */
static long
submit(aio_context_t context, long cnt, struct iocb *const *list)
{
	const struct iocb *cb = list[0];

	assert_int_equal(context, CONTEXT);
	assert_int_equal(cnt, 1);
	assert_int_equal(cb->aio_lio_opcode, IOCB_CMD_PWRITE);
	assert_int_equal(cb->aio_flags, IOCB_FLAG_RESFD);
	kernel.submits++;
	if (kernel.submits <= kernel.bad) {
		errno = kernel.error;
		return -1;
	}
	/* What is written goes nowhere; one byte, so that it ends well. */
	assert_int_equal(cb->aio_nbytes, 1);
	assert_int_equal(write((int)cb->aio_fildes, (void *)(uintptr_t)cb->aio_buf,
			cb->aio_nbytes), 1);
	assert_int_equal(write((int)cb->aio_resfd, &(uint64_t){ 1 }, 8), 8);
	return 1;
}

static long
get_results(aio_context_t context, long min, long max, const struct io_event *events,
		const struct timespec *wait)
{
	assert_int_equal(context, CONTEXT);
	assert_int_equal(min, 0);
	assert_int_equal(max, EVENTS);
	assert_non_null(events);
	/* It never waits. */
	assert_int_equal(wait->tv_sec, 0);
	assert_int_equal(wait->tv_nsec, 0);
	kernel.results++;
	return 0;
}

static long
setup(long events, aio_context_t *context)
{
	assert_int_equal(events, EVENTS);
	kernel.setups++;
	if (*context != 0 || kernel.none) {
		errno = *context != 0 ? EINVAL : EAGAIN;
		return -1;
	}
	*context = CONTEXT;
	return 0;
}

long __wrap_syscall(long nr, ...);
long
__wrap_syscall(long nr, ...)
{
	long arg[3], rc = 0;
	const void *p[2];
	va_list ap;

	va_start(ap, nr);
	if (nr == SYS_io_setup) {
		arg[0] = va_arg(ap, int);
		rc = setup(arg[0], va_arg(ap, aio_context_t *));
	} else if (nr == SYS_io_destroy) {
		assert_int_equal(va_arg(ap, aio_context_t), CONTEXT);
		kernel.destroys++;
	} else if (nr == SYS_io_submit) {
		arg[0] = va_arg(ap, long);
		arg[1] = va_arg(ap, int);
		rc = submit((aio_context_t)arg[0], arg[1], va_arg(ap, struct iocb *const *));
	} else if (nr == SYS_io_getevents) {
		arg[0] = va_arg(ap, long);
		arg[1] = va_arg(ap, int);
		arg[2] = va_arg(ap, int);
		p[0] = va_arg(ap, const void *);
		p[1] = va_arg(ap, const void *);
		rc = get_results((aio_context_t)arg[0], arg[1], arg[2], p[0], p[1]);
	} else {
		fail_msg("system call %ld", nr);
	}
	va_end(ap);
	return rc;
}

int __real_eventfd_write(int fd, eventfd_t value);
int __wrap_eventfd_write(int fd, eventfd_t value);
int
__wrap_eventfd_write(int fd, eventfd_t value)
{
	kernel.writes++;
	return __real_eventfd_write(fd, value);
}

static unsigned int sets; /* of flags, by F_SETFL */

int __real_fcntl64(int fd, int cmd, ...);
int __wrap_fcntl64(int fd, int cmd, ...);
int
__wrap_fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	int flags;

	va_start(ap, cmd);
	flags = cmd == F_SETFL ? va_arg(ap, int) : 0;
	va_end(ap);
	sets += cmd == F_SETFL;
	return fail_nth_now("fcntl", EINVAL) ? -1 : __real_fcntl64(fd, cmd, flags);
}

/* ---- One that is tested ---- */

static struct vfio_user_notify n;
static unsigned int fds, inherited;
static int fd;

static int
set_up(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	/* Whatever was there before. */
	memset(&n, 0xa5, sizeof(n));
	fds = vt_fds();
	inherited = vt_inherited();
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fd < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(fd);
	assert_int_equal(vt_fds(), fds);
	return 0;
}

static uint64_t
count(void)
{
	eventfd_t v = 0;

	return eventfd_read(fd, &v) == 0 ? v : 0;
}

static void
test_life(void **state)
{
	(void)state;
	assert_int_equal(vfio_user_notify_init(&n), 0);
	assert_int_equal(kernel.setups, 1);
	assert_int_equal(n.aio, CONTEXT);
	assert_int_equal(vt_fds(), fds + 2);
	assert_int_equal(vt_inherited(), inherited);
	vfio_user_notify_raise(&n, fd);
	assert_int_equal(count(), 1);
	assert_int_equal(kernel.submits, 1);
	assert_int_equal(kernel.writes, 0);
	vfio_user_notify_fini(&n);
	assert_int_equal(kernel.destroys, 1);
	assert_int_equal(vt_fds(), fds + 1);

	/* Nothing is begun that would have to be ended. */
	fail_nth_of("open", 1);
	assert_int_equal(vfio_user_notify_init(&n), -EMFILE);
	assert_string_equal(fail_nth_end(), "open");
	assert_int_equal(kernel.setups, 1);
}

/* A service is started without standard input: the number 0 is as good as another. */
static void
test_first_descriptor(void **state)
{
	int in = dup(0);

	(void)state;
	close(0);
	assert_int_equal(vfio_user_notify_init(&n), 0);
	assert_int_equal(n.null_fd, 0);
	vfio_user_notify_fini(&n);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	assert_int_equal(dup2(in, 0), 0);
	close(in);
}

/* Without a context each signal is a write; none that would wait. */
static void
test_no_context(void **state)
{
	(void)state;
	kernel.none = true;
	assert_int_equal(vfio_user_notify_init(&n), 0);
	assert_int_equal(n.aio, 0);
	vfio_user_notify_raise(&n, fd);
	vfio_user_notify_raise(&n, fd);
	assert_int_equal(kernel.writes, 2);
	assert_int_equal(count(), 2);
	assert_int_equal(__real_eventfd_write(fd, UINT64_MAX - 1), 0);
	vfio_user_notify_raise(&n, fd);
	assert_int_equal(kernel.writes, 2);
	assert_true(count() == UINT64_MAX - 1);
	/* A descriptor of something else that cannot be written. */
	vfio_user_notify_raise(&n, n.null_fd + 100);
	assert_int_equal(kernel.writes, 2);
	vfio_user_notify_fini(&n);
	assert_int_equal(kernel.submits + kernel.destroys, 0);
}

static void
fails(int error, unsigned int bad, unsigned int submits, unsigned int results, unsigned int writes,
		unsigned int counted)
{
	kernel.error = error;
	kernel.bad = bad;
	kernel.submits = kernel.results = kernel.writes = 0;
	vfio_user_notify_raise(&n, fd);
	assert_int_equal(kernel.submits, submits);
	assert_int_equal(kernel.results, results);
	assert_int_equal(kernel.writes, writes);
	assert_int_equal(count(), counted);
}

static void
test_submit_fails(void **state)
{
	(void)state;
	assert_int_equal(vfio_user_notify_init(&n), 0);
	fails(0, 0, 1, 0, 0, 1);
	/* No room: what earlier ones left behind is taken away. Others may be quicker: a write. */
	fails(EAGAIN, 1, 2, 1, 0, 1);
	fails(EAGAIN, 2, 3, 2, 0, 1);
	fails(EAGAIN, 3, 3, 3, 1, 1);
	/* Not an eventfd: a write would be as wrong. */
	fails(EINVAL, 9, 1, 0, 0, 0);
	/* Whatever else it is, a signal is not lost. */
	fails(ENOMEM, 9, 1, 0, 1, 1);
	vfio_user_notify_fini(&n);
}

static void
test_check(void **state)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), blocks = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_int_equal(vfio_user_notify_check(blocks), 0);
	assert_int_equal(fcntl(blocks, F_GETFL), O_RDWR | O_NONBLOCK);
	assert_int_equal(vfio_user_notify_check(file), -EINVAL);
	assert_int_equal(fcntl(file, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(vfio_user_notify_check(-1), -EINVAL);
	/* Flags that are not known are not set. */
	for (unsigned int i = 1; i <= 2; i++) {
		sets = 0;
		fail_nth_of("fcntl", i);
		assert_int_equal(vfio_user_notify_check(blocks), -EINVAL);
		assert_string_equal(fail_nth_end(), "fcntl");
		assert_int_equal(sets, i - 1);
	}
	close(file);
	close(blocks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_first_descriptor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_context, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_submit_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
