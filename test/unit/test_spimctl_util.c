/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fail_nth.h"
#include "said.h"
#include "test_spimctl_util.h"

static char folder[64], control[96];

const char *const util_control = control;

/* ---- Service ---- */

static int listener;
static pthread_t thread;
static const struct told *answers;
static size_t answers_cnt;
static unsigned int asked;

const char *
util_json(const char *text)
{
	static __thread char json[65536];
	size_t len = strlen(text);

	assert_true(len < sizeof(json));
	for (size_t i = 0; i <= len; i++)
		json[i] = text[i] == '\'' ? '"' : text[i];
	return json;
}

static void *
serve(void *arg)
{
	for (size_t i = 0; i < answers_cnt; i++) {
		const struct told *t = &answers[i];
		char request[1024] = "";
		int conn = accept(listener, NULL, NULL);
		ssize_t n;

		if (conn < 0)
			break;
		n = read(conn, request, sizeof(request) - 1);
		asked++;
		if (n < 1 || request[n - 1] != '\n' || (t->request != NULL &&
				((size_t)n != strlen(t->request) + 1 ||
				memcmp(request, util_json(t->request), (size_t)n - 1) != 0)))
			asked += 1000;
		(void)!send(conn, util_json(t->answer), strlen(t->answer), MSG_NOSIGNAL);
		close(conn);
	}
	return arg;
}

void
util_service(const struct told *told, size_t cnt)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	answers = told;
	answers_cnt = cnt;
	asked = 0;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", control);
	assert_int_equal(bind(listener, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 10), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

unsigned int
util_service_end(void)
{
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	unlink(control);
	return asked;
}

/* ---- What is printed ---- */

char util_out[16384], util_err[1024];

static struct said said_out, said_err;

void
util_print_begin(void)
{
	said_begin(&said_out, SAID_OUT);
	said_begin(&said_err, SAID_ERR);
}

void
util_print_end(void)
{
	said_end(&said_err, util_err, sizeof(util_err));
	said_end(&said_out, util_out, sizeof(util_out));
}

/* ---- Calls ---- */

static unsigned int failing;
static int failing_errno;

void
util_recv_fails(unsigned int times, int err)
{
	failing = times;
	failing_errno = err;
}

ssize_t __real_recv(int fd, void *buf, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags);
ssize_t
__wrap_recv(int fd, void *buf, size_t n, int flags)
{
	if (failing != 0) {
		failing--;
		errno = failing_errno;
		return -1;
	}
	return __real_recv(fd, buf, n, flags);
}

time_t util_receive_s, util_send_s;

int __real_setsockopt(int fd, int level, int name, const void *to, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *to, socklen_t len);
int
__wrap_setsockopt(int fd, int level, int name, const void *to, socklen_t len)
{
	const struct timeval *tv = to;

	if (fail_nth_now("setsockopt", ENOMEM))
		return -1;
	if (level == SOL_SOCKET && len == sizeof(*tv) && name == SO_RCVTIMEO)
		util_receive_s = tv->tv_sec;
	else if (level == SOL_SOCKET && len == sizeof(*tv) && name == SO_SNDTIMEO)
		util_send_s = tv->tv_sec;
	return __real_setsockopt(fd, level, name, to, len);
}

static bool ours;
static double seconds, step;
double util_slept_until, util_slept;
unsigned int util_sleeps, util_interrupted;

void
util_clock(double now_s, double step_s)
{
	ours = true;
	seconds = now_s;
	step = step_s;
	util_slept_until = util_slept = 0;
	util_sleeps = 0;
}

void
util_clock_real(void)
{
	ours = false;
}

static double
seconds_of(const struct timespec *ts)
{
	return (double)ts->tv_sec + (double)ts->tv_nsec / 1e9;
}

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (!ours)
		return __real_clock_gettime(clock, ts);
	ts->tv_sec = (time_t)seconds;
	ts->tv_nsec = (long)((seconds - (double)ts->tv_sec) * 1e9);
	seconds += step;
	return 0;
}

int __real_clock_nanosleep(clockid_t clock, int flags, const struct timespec *ts,
		struct timespec *rest);
int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *ts,
		struct timespec *rest);
int
__wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *ts,
		struct timespec *rest)
{
	if (!ours)
		return __real_clock_nanosleep(clock, flags, ts, rest);
	util_sleeps++;
	if (util_interrupted != 0) {
		util_interrupted--;
		return EINTR;
	}
	util_slept_until = clock == CLOCK_MONOTONIC && flags == TIMER_ABSTIME ? seconds_of(ts) : -1;
	return 0;
}

int __real_nanosleep(const struct timespec *ts, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *ts, struct timespec *rest);
int
__wrap_nanosleep(const struct timespec *ts, struct timespec *rest)
{
	if (!ours)
		return __real_nanosleep(ts, rest);
	util_sleeps++;
	util_slept += seconds_of(ts);
	return 0;
}

enum util_memstream util_memstream;

FILE *__real_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size);
FILE *
__wrap_open_memstream(char **text, size_t *size)
{
	if (util_memstream == UTIL_STREAM)
		return __real_open_memstream(text, size);
	errno = ENOMEM;
	return util_memstream == UTIL_NO_STREAM ? NULL : fopen("/dev/null", "we");
}

int
util_setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_spimctl.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(control, sizeof(control), "%s/control", folder);
	return 0;
}

int
util_teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}
