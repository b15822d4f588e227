/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Start and end of the service: with each call failing in turn, and by each signal. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fail_nth.h"
#include "holdings.h"
#include "log.h"
#include "said.h"
#include "service.h"
#include "test_vfio_user_util.h"

static struct service service;
static struct options opt;
static char folder[32];

static void
parse(const char *control)
{
	char first[64], second[64], *argv[] = { (char *)(uintptr_t)"spimdevd",
		(char *)(uintptr_t)"--listen", first, (char *)(uintptr_t)"--listen", second,
		(char *)(uintptr_t)"--workers=2", (char *)(uintptr_t)"--queues=8",
		(char *)(uintptr_t)"--control", (char *)(uintptr_t)control, NULL };

	snprintf(first, sizeof(first), "%s/a", folder);
	snprintf(second, sizeof(second), "%s/b,reserve=2,mode=0640", folder);
	optind = 0;
	assert_int_equal(options_parse(control != NULL ? 9 : 7, argv, &opt), OPTIONS_RUN);
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/spimdevd-start-XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

/* All sockets are removed, too. */
static int
tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* ---- Failures ---- */

/* The log has a budget of lines for each time. Here as much time passes as it takes to fill it. */
static _Atomic time_t later_s;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int rc = __real_clock_gettime(clock, ts);

	if (clock == CLOCK_MONOTONIC)
		ts->tv_sec += later_s;
	return rc;
}

static unsigned int fds_before, inherited_before, threads_before;
static long blocks_before;

static void
remember(void)
{
	fds_before = vt_fds();
	inherited_before = vt_inherited();
	threads_before = holdings_threads();
	blocks_before = fail_nth_blocks();
}

/* All that it took it gave back; what: that failed, or NULL. */
static void
as_before(unsigned int n, const char *what)
{
	for (int ms = 0; ms < 5000 && (holdings_threads() > threads_before ||
			vt_fds() != fds_before); ms++)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	if (vt_fds() != fds_before || holdings_threads() > threads_before ||
			fail_nth_blocks() != blocks_before)
		fail_msg("call %u, %s, failed: %u descriptors, %u; %u threads, %u; %ld blocks, "
				"%ld", n, what != NULL ? what : "none", vt_fds(), fds_before,
				holdings_threads(), threads_before, fail_nth_blocks(),
				blocks_before);
}

static void
test_each_call_fails(void **state)
{
	char text[8192];
	struct said said;
	unsigned int n;

	(void)state;
	parse(NULL);
	/* What is kept once made. */
	assert_int_equal(service_open(&service, &opt), 0);
	assert_int_equal(service_start(&service), 0);
	service_close(&service);
	remember();
	fail_nth_struck();
	for (n = 1;; n++) {
		const char *what;
		int rc;

		later_s += LOG_EVERY_NS / 1000000000;
		said_begin(&said, SAID_ERR);
		fail_nth(n);
		rc = service_open(&service, &opt);
		if (rc == 0)
			rc = service_start(&service);
		what = fail_nth_end();
		said_end(&said, text, sizeof(text));
		if (what == NULL)
			assert_int_equal(vt_inherited(), inherited_before);
		service_close(&service);
		as_before(n, what);
		if (what == NULL) {
			assert_int_equal(rc, 0);
			assert_string_equal(text, "");
			break;
		}
		if (rc == 0 || rc != -fail_nth_errno())
			fail_msg("call %u, %s: error %d, expected %d", n, what, rc,
					-fail_nth_errno());
		if (strstr(text, "error: ") == NULL)
			fail_msg("call %u, %s: error %d, and was said: %s", n, what, rc, text);
	}
	print_message("each of %u calls\n", n - 1);
	assert_string_equal(fail_nth_struck(), "aligned_alloc bind calloc epoll_create1 epoll_ctl "
		"eventfd fchmod fcntl ftruncate listen lstat malloc memfd_create mmap open "
		"pthread_create socket strdup timerfd_create");
}

static void
test_wrong_places(void **state)
{
	FILE *f;
	char path[64];

	(void)state;
	/* The second access point's is no socket, and stays; nothing of the first is left. */
	snprintf(path, sizeof(path), "%s/b", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	parse(NULL);
	assert_int_equal(service_open(&service, &opt), -EADDRINUSE);
	service_close(&service);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	parse("/nonexistent/control");
	assert_int_equal(service_open(&service, &opt), -ENOENT);
	service_close(&service);
	snprintf(path, sizeof(path), "%s/c", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	parse(path);
	assert_int_equal(service_open(&service, &opt), -EADDRINUSE);
	service_close(&service);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
}

/* A function that cannot be made is noticed at the start, and why. */
static void
test_wrong_fault(void **state)
{
	char text[8192];
	struct said said;
	int rc;

	(void)state;
	parse(NULL);
	opt.fault = "nonsense";
	said_begin(&said, SAID_ERR);
	assert_int_equal(service_open(&service, &opt), 0);
	rc = service_start(&service);
	said_end(&said, text, sizeof(text));
	assert_int_equal(rc, -EINVAL);
	if (strstr(text, "spimdevd: error: options: ") != text ||
			strstr(text, "nonsense") == NULL ||
			strstr(text, "\nspimdevd: error: cannot start: Invalid argument\n") == NULL)
		fail_msg("said: %s", text);
	service_close(&service);
}

/* Started without standard input, the number 0 is a descriptor as good as any other. */
static void
test_first_descriptor(void **state)
{
	int in = dup(0);

	(void)state;
	parse(NULL);
	remember();
	close(0);
	assert_int_equal(service_open(&service, &opt), 0);
	assert_int_equal(service.wake_fd, 0);
	assert_non_null(service.server);
	assert_non_null(service.admin);
	assert_int_equal(service_start(&service), 0);
	service_close(&service);
	assert_int_equal(dup2(in, 0), 0);
	as_before(0, NULL);
	close(in);
}

/* ---- Signals, as a signalfd tells of them ---- */

static void
signals_are_told(const char *control, int sig)
{
	struct signalfd_siginfo info = { .ssi_signo = SIGUSR1 };
	int pipes[2];

	parse(control);
	assert_int_equal(service_open(&service, &opt), 0);
	assert_int_equal(service_start(&service), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(write(pipes[1], &info, sizeof(info)), sizeof(info));
	info.ssi_signo = (uint32_t)sig;
	assert_int_equal(write(pipes[1], &info, sizeof(info)), sizeof(info));
	assert_int_equal(service_run(&service, pipes[0]), 0);
	service_close(&service);
	close(pipes[0]);
	close(pipes[1]);
}

static void
test_signals(void **state)
{
	(void)state;
	signals_are_told(NULL, SIGTERM);
	signals_are_told("none", SIGINT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_call_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_fault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_first_descriptor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_signals, set_up, tear_down),
	};

	log_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
