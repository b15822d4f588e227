/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "hurry.h"

#define S_NS 1000000000

/* Read by threads that wait, too. */
static _Atomic unsigned int speed = 1;
static _Atomic int64_t begun, gained; /* at begun, so much had passed more than really has */

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __real_nanosleep(const struct timespec *ts, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *ts, struct timespec *rest);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until);
int __wrap_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until);
int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
		const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
		const struct timespec *until);

static int64_t
ns_of(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * S_NS + ts->tv_nsec;
}

static struct timespec
to_ts(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / S_NS, .tv_nsec = ns % S_NS };
}

static int64_t
really(clockid_t clock)
{
	struct timespec ts;

	__real_clock_gettime(clock, &ts);
	return ns_of(&ts);
}

void
hurry(unsigned int factor)
{
	int64_t now = really(CLOCK_MONOTONIC);

	gained += (now - begun) * (speed - 1);
	begun = now;
	speed = factor;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t more = gained + (really(CLOCK_MONOTONIC) - begun) * (speed - 1);

	*ts = to_ts(really(clock) + more);
	return 0;
}

int
__wrap_nanosleep(const struct timespec *ts, struct timespec *rest)
{
	struct timespec less = to_ts(ns_of(ts) / speed);

	return __real_nanosleep(&less, rest);
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return __real_poll(fds, n, timeout > 0 ? (int)((unsigned int)timeout / speed) : timeout);
}

/* When a point of the time that passes faster really comes. */
static struct timespec
comes(const struct timespec *until)
{
	struct timespec now;

	__wrap_clock_gettime(CLOCK_REALTIME, &now);
	return to_ts(really(CLOCK_REALTIME) + (ns_of(until) - ns_of(&now)) / speed);
}

int
__wrap_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	struct timespec then = comes(until);

	return __real_pthread_mutex_timedlock(m, &then);
}

int
__wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	struct timespec then = comes(until);

	return __real_pthread_cond_timedwait(c, m, &then);
}
