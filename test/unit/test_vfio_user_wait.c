/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * How long a client waits: for an answer, to the millisecond, and before it sleeps. The clock and
 * poll() are the test's; time goes by when the client yields or sleeps.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "test_vfio_user_util.h"
#include "vfio_user_call.h"

#define TIMEOUT_MS 300u
#define LINGER_NS  50000
#define YIELD_NS   10000

static int64_t now_ns, wall_ns;
static int64_t read_ns;       /* that it takes to look at the clock */
static unsigned int locks;    /* waited for, */
static struct timespec lock_until;
static unsigned int polls, yields;
static int asked[8];          /* poll() to wait so many ms, */
static int interrupt_after;   /* the first one waits so long and is interrupted; 0: not, */
static int early;             /* or so much less than it is asked to */
static short events;
static const void *reply;     /* that comes with the second poll() */
static size_t reply_len;
static int server;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ns = clock == CLOCK_MONOTONIC ? now_ns : wall_ns;

	assert_true(clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME);
	*ts = (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	now_ns += clock == CLOCK_MONOTONIC ? read_ns : 0;
	return 0;
}

int __wrap_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until);
int
__wrap_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	(void)m;
	locks++;
	lock_until = *until;
	return ETIMEDOUT;
}

int __wrap_sched_yield(void);
int
__wrap_sched_yield(void)
{
	yields++;
	now_ns += YIELD_NS;
	return 0;
}

int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int
__wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	int slept = polls != 0 ? ms : interrupt_after != 0 ? interrupt_after : ms - early;

	assert_int_equal(n, 1);
	assert_true(polls < 8);
	asked[polls++] = ms;
	events = fds[0].events;
	now_ns += (int64_t)(slept > 0 ? slept : 0) * 1000000;
	if (polls == 1 && interrupt_after != 0) {
		errno = EINTR;
		return -1;
	}
	if (polls == 2 && reply != NULL)
		assert_int_equal(send(server, reply, reply_len, 0), reply_len);
	return __real_poll(fds, n, 0);
}

/* ---- A client ---- */

static struct vfio_user_client *client;

static int
set_up(void **state)
{
	static const struct vfio_user_client_conf conf = { .timeout_ms = TIMEOUT_MS };
	/* The answer to the first message is there before it is asked for. */
	static const struct {
		struct vfio_user_hdr hdr;
		struct vfio_user_version version;
	} first = { { 1, VFIO_USER_VERSION, sizeof(first), VFIO_USER_F_REPLY, 0 }, { 0, 0 } };
	int pair[2];

	(void)state;
	/* In the middle of a second, which the time that is waited does not leave. */
	now_ns = 100600000000;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	server = pair[1];
	assert_int_equal(send(server, &first, sizeof(first), 0), sizeof(first));
	assert_int_equal(vfio_user_client_adopt(pair[0], &conf, &client), 0);
	polls = yields = 0;
	interrupt_after = early = 0;
	read_ns = 0;
	locks = 0;
	reply = NULL;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vfio_user_client_close(client);
	close(server);
	return 0;
}

/* It polls before it sleeps, then sleeps for what is left. */
static void
test_no_answer(void **state)
{
	int64_t start = now_ns;

	(void)state;
	assert_int_equal(vfio_user_client_reset(client), -ETIMEDOUT);
	assert_int_equal(yields, LINGER_NS / YIELD_NS);
	assert_int_equal(polls, 1);
	assert_int_equal(asked[0], TIMEOUT_MS);
	assert_int_equal(events, POLLIN);
	assert_int_equal(now_ns - start, TIMEOUT_MS * 1000000ll + LINGER_NS);
	assert_int_equal(vfio_user_client_alive(client), 0);
}

/* Whatever wakes it too early, it waits for what is left. */
static void
test_woken_early(void **state)
{
	(void)state;
	interrupt_after = 100;
	assert_int_equal(vfio_user_client_reset(client), -ETIMEDOUT);
	assert_int_equal(polls, 2);
	assert_int_equal(asked[1], TIMEOUT_MS - 100);
	polls = 0;
	early = 1;
	interrupt_after = 0;
	assert_int_equal(vfio_user_client_reset(client), -ETIMEDOUT);
	assert_int_equal(polls, 2);
	assert_int_equal(asked[1], 1);
	/* Longer than it may: nothing is left. */
	polls = 0;
	early = 0;
	interrupt_after = 2 * TIMEOUT_MS;
	assert_int_equal(vfio_user_client_reset(client), -ETIMEDOUT);
	assert_int_equal(polls, 2);
	assert_int_equal(asked[1], 0);
}

static void
test_answer_after_all(void **state)
{
	static const struct vfio_user_hdr ok = { 2, VFIO_USER_DEVICE_RESET, sizeof(ok),
		VFIO_USER_F_REPLY, 0 };

	(void)state;
	interrupt_after = 100;
	reply = &ok;
	reply_len = sizeof(ok);
	assert_int_equal(vfio_user_client_reset(client), 0);
	assert_int_equal(polls, 2);
}

/* One that is there already is not slept for. */
static void
test_answer_at_once(void **state)
{
	static const struct vfio_user_hdr ok = { 2, VFIO_USER_DEVICE_RESET, sizeof(ok),
		VFIO_USER_F_REPLY, 0 };

	(void)state;
	assert_int_equal(send(server, &ok, sizeof(ok), 0), sizeof(ok));
	assert_int_equal(vfio_user_client_reset(client), 0);
	assert_int_equal(polls + yields, 0);
}

/* A call to a server that is lost waits for no other call. */
static void
test_lost(void **state)
{
	(void)state;
	assert_int_equal(pthread_mutex_lock(&client->call_lock), 0);
	atomic_store(&client->dead, true);
	assert_int_equal(vfio_user_client_reset(client), -ENOTCONN);
	assert_int_equal(vfio_user_client_region_post(client, 0, 0, "", 1), -ENOTCONN);
	assert_int_equal(pthread_mutex_unlock(&client->call_lock), 0);
	assert_int_equal(vfio_user_client_reset(client), -ENOTCONN);
	assert_int_equal(polls + yields, 0);
	/* Nothing was sent but the first message. */
	shutdown(vfio_user_client_fd(client), SHUT_WR);
	for (int i = 0; i < 2; i++) {
		char bytes[1000];
		ssize_t n = recv(server, bytes, sizeof(bytes), 0);

		assert_int_equal(n > 0, i == 0);
	}
}

/* A lock that another call has: until when it waits, by the clock of the wall. */
static void
test_lock(void **state)
{
	static const struct { int64_t wall; uint32_t ms; struct timespec until; } cases[] = {
		{ 5000000000, 300, { 5, 300000000 } }, { 5700000000, 300, { 6, 0 } },
		{ 5699999999, 300, { 5, 999999999 } }, { 5700000001, 300, { 6, 1 } },
		{ 5900000000, 2300, { 8, 200000000 } }, { 5000000000, 4000, { 9, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pthread_mutex_t *held[] = { &client->call_lock, &client->send_lock };

		client->conf.timeout_ms = cases[i].ms;
		wall_ns = cases[i].wall;
		for (int k = 0; k < 2; k++) {
			locks = 0;
			assert_int_equal(pthread_mutex_lock(held[k]), 0);
			assert_int_equal(k == 0 ? vfio_user_client_reset(client) :
					vfio_user_client_region_post(client, 0, 0, "", 1),
					-ETIMEDOUT);
			assert_int_equal(locks, 1);
			assert_int_equal(lock_until.tv_sec, cases[i].until.tv_sec);
			assert_int_equal(lock_until.tv_nsec, cases[i].until.tv_nsec);
			assert_int_equal(pthread_mutex_unlock(held[k]), 0);
		}
	}
	/* The time is over when it begins to wait; a millisecond before, it is not. */
	client->conf.timeout_ms = TIMEOUT_MS;
	assert_int_equal(pthread_mutex_lock(&client->call_lock), 0);
	for (unsigned int left = 0; left < 2; left++) {
		locks = 0;
		read_ns = (TIMEOUT_MS - left) * 1000000ll;
		assert_int_equal(vfio_user_client_reset(client), -ETIMEDOUT);
		assert_int_equal(locks, left);
	}
	assert_int_equal(pthread_mutex_unlock(&client->call_lock), 0);
	/* Neither is held now. */
	read_ns = 0;
	locks = 0;
	assert_int_equal(vfio_user_client_region_post(client, 0, 0, "", 1), 0);
	assert_int_equal(vfio_user_client_reset(client), -ETIMEDOUT);
	assert_int_equal(locks, 0);
}

/* ---- Connecting ---- */

static struct timeval connect_until;
static int connect_errno, set_errno;

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int
__wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd;
	assert_int_equal(level, SOL_SOCKET);
	assert_int_equal(name, SO_SNDTIMEO);
	assert_int_equal(len, sizeof(connect_until));
	memcpy(&connect_until, value, sizeof(connect_until));
	errno = set_errno;
	return set_errno != 0 ? -1 : 0;
}

int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len);
int
__wrap_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	errno = connect_errno;
	return -1;
}

/* For room among those that were not accepted yet. */
static void
test_connect(void **state)
{
	static const struct { uint32_t ms; struct timeval until; } cases[] = {
		{ 0, { 5, 0 } }, { 1, { 0, 1000 } }, { 999, { 0, 999000 } }, { 1000, { 1, 0 } },
		{ 2345, { 2, 345000 } }, { UINT32_MAX, { 4294967, 295000 } },
	};
	static const struct { int set, connect, ret; } fails[] = {
		{ 0, EAGAIN, -ETIMEDOUT }, { 0, ECONNREFUSED, -ECONNREFUSED },
		{ 0, EACCES, -EACCES }, { EDOM, 0, -EDOM },
	};
	struct vfio_user_client_conf conf = { 0 };
	struct vfio_user_client *c;
	int next = dup(0);

	(void)state;
	close(next);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf.timeout_ms = cases[i].ms;
		set_errno = 0;
		connect_errno = ENOENT;
		assert_int_equal(vfio_user_client_connect("/s", &conf, &c), -ENOENT);
		assert_int_equal(connect_until.tv_sec, cases[i].until.tv_sec);
		assert_int_equal(connect_until.tv_usec, cases[i].until.tv_usec);
	}
	for (size_t i = 0; i < sizeof(fails) / sizeof(fails[0]); i++) {
		set_errno = fails[i].set;
		connect_errno = fails[i].connect;
		assert_int_equal(vfio_user_client_connect("/s", &conf, &c), fails[i].ret);
	}
	/* No socket is left. */
	assert_int_equal(dup(0), next);
	close(next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_woken_early, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answer_after_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answer_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost, set_up, tear_down),
		cmocka_unit_test(test_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
