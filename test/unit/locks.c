/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Link with dep_locks: a thread that gives back a lock which it does not have, or asks again for
 * one that it has, aborts the test. A program that forgets to take one, or to give it back, would
 * else go on as if nothing was wrong, for as long as nobody comes at the same time.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HELD_MAX 8

static __thread pthread_mutex_t *held[HELD_MAX]; /* by this thread; NULL: nothing */

static pthread_mutex_t **
find(const pthread_mutex_t *lock)
{
	for (int i = 0; i < HELD_MAX; i++)
		if (held[i] == lock)
			return &held[i];
	return NULL;
}

static void
expect(bool right, const char *what)
{
	if (right)
		return;
	dprintf(STDERR_FILENO, "locks: %s\n", what);
	abort();
}

static int
taken(pthread_mutex_t *lock, int rc)
{
	pthread_mutex_t **slot = find(NULL);

	expect(slot != NULL, "a thread has too many");
	if (rc == 0)
		*slot = lock;
	return rc;
}

int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
int
__wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
	expect(find(lock) == NULL, "a thread asks for one that it has");
	return taken(lock, __real_pthread_mutex_lock(lock));
}

int __real_pthread_mutex_trylock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *lock);
int
__wrap_pthread_mutex_trylock(pthread_mutex_t *lock)
{
	return taken(lock, __real_pthread_mutex_trylock(lock));
}

int __real_pthread_mutex_timedlock(pthread_mutex_t *lock, const struct timespec *until);
int __wrap_pthread_mutex_timedlock(pthread_mutex_t *lock, const struct timespec *until);
int
__wrap_pthread_mutex_timedlock(pthread_mutex_t *lock, const struct timespec *until)
{
	expect(find(lock) == NULL, "a thread asks for one that it has");
	return taken(lock, __real_pthread_mutex_timedlock(lock, until));
}

int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
int
__wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	pthread_mutex_t **slot = find(lock);

	expect(slot != NULL, "a thread gives one back that it does not have");
	*slot = NULL;
	return __real_pthread_mutex_unlock(lock);
}
