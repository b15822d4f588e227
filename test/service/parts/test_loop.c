/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The loop of the service: what it does with what poll() tells, how long it polls the server for
 * the next message, and what it says when it is asked to. The clock, poll() and the server's turns
 * are the test's where it says so.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "said.h"
#include "service.h"
#include "test_vfio_user_util.h"

#define LINGER_NS 50000   /* that it polls the server before it sleeps, */
#define SERVE_NS  2000000 /* and for so long at most */

static struct service service;
static struct options opt;
static struct vt vt;
static char folder[32];
static int pipes[2]; /* of signals */

/* ---- What the loop asks of others ---- */

static _Atomic bool scripted; /* read by the service's other threads, too */
static pthread_t tester; /* and loop; other threads have the real clock */
static int64_t clock_ns, step_ns; /* by which it goes on when somebody looks at it */
static int poll_errors[4];        /* the first times */
static unsigned int polls, rounds;
static unsigned int busy_rounds;  /* of the first rounds, those in which somebody was served */
static int round_error;           /* of the round behind those */

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (!scripted || clock != CLOCK_MONOTONIC || !pthread_equal(pthread_self(), tester))
		return __real_clock_gettime(clock, ts);
	*ts = (struct timespec){ .tv_sec = clock_ns / 1000000000,
		.tv_nsec = clock_ns % 1000000000 };
	clock_ns += step_ns;
	return 0;
}

int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int
__wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	if (!scripted)
		return __real_poll(fds, n, ms);
	assert_int_equal(n, 4);
	assert_int_equal(ms, -1);
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = 0;
	if (poll_errors[polls] != 0) {
		errno = poll_errors[polls++];
		return -1;
	}
	polls++;
	/* The server has something, and the signal that ends all. */
	fds[0].revents = fds[1].revents = POLLIN;
	return 2;
}

int __real_vfio_user_server_run(struct vfio_user_server *s, int ms);
int __wrap_vfio_user_server_run(struct vfio_user_server *s, int ms);
int
__wrap_vfio_user_server_run(struct vfio_user_server *s, int ms)
{
	assert_int_equal(ms, 0);
	if (!scripted)
		return __real_vfio_user_server_run(s, ms);
	rounds++;
	return rounds <= busy_rounds ? 1 : -round_error;
}

static unsigned int yields;

int __wrap_sched_yield(void);
int
__wrap_sched_yield(void)
{
	yields += pthread_equal(pthread_self(), tester) != 0;
	return 0;
}

/* ---- One that is run ---- */

static int
set_up(void **state)
{
	char path[64], *argv[] = { (char *)(uintptr_t)"spimdevd", (char *)(uintptr_t)"--listen",
		path, (char *)(uintptr_t)"--workers=2", (char *)(uintptr_t)"--queues=8", NULL };

	(void)state;
	tester = pthread_self();
	strcpy(folder, "/tmp/spimdevd-loop-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(vt.path, sizeof(vt.path), "%s/a", folder);
	snprintf(path, sizeof(path), "%s", vt.path);
	optind = 0;
	assert_int_equal(options_parse(5, argv, &opt), OPTIONS_RUN);
	assert_int_equal(service_open(&service, &opt), 0);
	assert_int_equal(service_start(&service), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	memset(poll_errors, 0, sizeof(poll_errors));
	polls = rounds = yields = busy_rounds = 0;
	round_error = 0;
	clock_ns = 5000000000;
	step_ns = LINGER_NS / 5;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scripted = false;
	service_close(&service);
	close(pipes[0]);
	close(pipes[1]);
	return rmdir(folder);
}

static void
tell_signal(int sig)
{
	struct signalfd_siginfo info = { .ssi_signo = (uint32_t)sig };

	assert_int_equal(write(pipes[1], &info, sizeof(info)), sizeof(info));
}

static char said[2000];

/* Run until SIGTERM or an error. @return What service_run() does; what it said is in said. */
static int
run(void)
{
	struct said s;
	int rc;

	tell_signal(SIGTERM);
	said_begin(&s, SAID_ERR);
	rc = service_run(&service, pipes[0]);
	said_end(&s, said, sizeof(said));
	return rc;
}

static int
run_scripted(void)
{
	int rc;

	scripted = true;
	rc = run();
	scripted = false;
	return rc;
}

/* ---- Tests ---- */

static void
test_polls_before_it_sleeps(void **state)
{
	(void)state;
	assert_int_equal(run_scripted(), 0);
	assert_int_equal(rounds, 5);
	assert_int_equal(yields, 5);
	assert_int_equal(polls, 1);
	assert_string_equal(said, "spimdevd: ends on Terminated\n");
	/* To the last moment. */
	rounds = 0;
	step_ns = LINGER_NS - 1;
	assert_int_equal(run_scripted(), 0);
	assert_int_equal(rounds, 2);
	rounds = 0;
	step_ns = LINGER_NS;
	assert_int_equal(run_scripted(), 0);
	assert_int_equal(rounds, 1);
}

/* From the last message on. */
static void
test_polls_from_the_last_message(void **state)
{
	(void)state;
	busy_rounds = 7;
	assert_int_equal(run_scripted(), 0);
	assert_int_equal(rounds, 7 + 5);
	assert_int_equal(yields, 5);
	assert_int_equal(polls, 1);
}

/* Others have their turn, whoever goes on. */
static void
test_polls_for_so_long(void **state)
{
	(void)state;
	busy_rounds = 10 * SERVE_NS;
	assert_int_equal(run_scripted(), 0);
	assert_int_equal(rounds, SERVE_NS / step_ns);
	/* Nor if each takes longer. */
	rounds = 0;
	step_ns = LINGER_NS * 3 / 4;
	assert_int_equal(run_scripted(), 0);
	assert_int_equal(rounds, (SERVE_NS + step_ns - 1) / step_ns);
}

static void
test_server_fails(void **state)
{
	(void)state;
	busy_rounds = 2;
	round_error = EPERM; /* -1 */
	assert_int_equal(run_scripted(), -EPERM);
	assert_int_equal(rounds, 3);
	assert_string_equal(said, "spimdevd: error: event loop: Operation not permitted\n");
}

static void
test_poll_fails(void **state)
{
	(void)state;
	poll_errors[0] = poll_errors[1] = EINTR;
	assert_int_equal(run_scripted(), 0);
	assert_int_equal(polls, 3);
	assert_int_equal(rounds, 5);
	polls = rounds = 0;
	poll_errors[1] = ENOMEM;
	assert_int_equal(run_scripted(), -ENOMEM);
	assert_int_equal(polls, 2);
	assert_int_equal(rounds, 0);
	assert_string_equal(said, "spimdevd: error: poll: Cannot allocate memory\n");
}

/* Woken, it takes what woke it: it would be woken for ever. */
static void
test_woken(void **state)
{
	eventfd_t n;

	(void)state;
	assert_int_equal(eventfd_write(service.wake_fd, 1), 0);
	assert_int_equal(run(), 0);
	assert_int_equal(eventfd_read(service.wake_fd, &n), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Clients have a turn at a time, in which a slow machine does less: until nobody has anything. */
static void
serve_all(void)
{
	int rc;

	while ((rc = __real_vfio_user_server_run(service.server, 200)) > 0)
		;
	assert_int_equal(rc, 0);
}

static void
test_report(void **state)
{
	struct vfio_user_dma_map m = { sizeof(m), 3, 0, 0x100000, 0x1000 };
	int sock[2] = { vt_connect(&vt), vt_connect(&vt) }, memory = vt_memfd(0x1000);
	char want[1000];

	(void)state;
	vt_send(sock[0], VFIO_USER_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	vt_send(sock[0], VFIO_USER_DMA_MAP, 0, &m, sizeof(m), &memory, 1);
	serve_all();
	tell_signal(SIGUSR1);
	assert_int_equal(run(), 0);
	snprintf(want, sizeof(want), "spimdevd: 2 connections, 2 so far, 0 refused; 0 of 8 queues, "
			"0 at most; 2 workers; 0 requests, 0 bytes in, 0 out\n"
			"spimdevd: %s: connection 2: pid %d, user %u, 0 queues, 0 streams, 0 maps, "
			"0 requests, 0 errors, 0 bytes in, 0 out\n"
			"spimdevd: %s: connection 1: pid %d, user %u, 0 queues, 0 streams, 1 maps, "
			"0 requests, 0 errors, 0 bytes in, 0 out\n"
			"spimdevd: ends on Terminated\n", vt.path, (int)getpid(),
			(unsigned int)getuid(), vt.path, (int)getpid(), (unsigned int)getuid());
	assert_string_equal(said, want);
	/* Who has gone is there no more, but counted. */
	close(sock[0]);
	serve_all();
	tell_signal(SIGUSR1);
	assert_int_equal(run(), 0);
	assert_non_null(strstr(said, "spimdevd: 1 connections, 2 so far, 0 refused;"));
	assert_null(strstr(said, ": connection 1: "));
	close(sock[1]);
	close(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_polls_before_it_sleeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_polls_from_the_last_message, set_up,
				tear_down),
		cmocka_unit_test_setup_teardown(test_polls_for_so_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_server_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_poll_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_woken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_report, set_up, tear_down),
	};

	log_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
