/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "vfio_user_fd.h"

/* Threads; more descriptors wait for one to be free. One user's files may never let theirs go. */
#define CLOSERS_MAX      64
#define CLOSERS_PER_USER 4
#define STACK_SIZE       (128 << 10)

struct doomed_fd {
	LIST_ENTRY(doomed_fd) link;
	int fd;
	uid_t uid;
	bool taken; /* a thread closes it */
};

/* Descriptors until they are closed, and the threads that do. */
static struct {
	pthread_mutex_t lock;
	LIST_HEAD(, doomed_fd) fds;
	unsigned int threads;
	_Atomic unsigned int cnt;
} closing = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* What the kernel calls it; for what has no path, it asks nobody else. */
static bool
is_called(int fd, const char *name)
{
	char link[32], to[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, to, sizeof(to));
	/* A path begins with a slash, so that no file can have such a name. */
	return n >= (ssize_t)strlen(name) && memcmp(to, name, strlen(name)) == 0;
}

bool
vfio_user_fd_is_memory(int fd)
{
	/* Files of these two file systems have seals, and no others. */
	return fcntl(fd, F_GET_SEALS) >= 0;
}

bool
vfio_user_fd_is_eventfd(int fd)
{
	return is_called(fd, "anon_inode:[eventfd]");
}

/* How many there are of a user, all or those taken. The lock is held; lists are short. */
static unsigned int
count_of(uid_t uid, bool taken)
{
	const struct doomed_fd *v;
	unsigned int n = 0;

	LIST_FOREACH(v, &closing.fds, link)
		n += v->uid == uid && (v->taken || !taken);
	return n;
}

/* One to close; NULL: what is left are those of users who have their share of the threads. */
static struct doomed_fd *
take_one(void)
{
	struct doomed_fd *v;

	LIST_FOREACH(v, &closing.fds, link)
		if (!v->taken && count_of(v->uid, true) < CLOSERS_PER_USER)
			break;
	if (v != NULL)
		v->taken = true;
	return v;
}

static void
fd_forget(struct doomed_fd *v)
{
	LIST_REMOVE(v, link);
	atomic_fetch_sub_explicit(&closing.cnt, 1, memory_order_relaxed);
	free(v);
}

static void *
closer(void *arg)
{
	struct doomed_fd *v;

	(void)arg;
	pthread_mutex_lock(&closing.lock);
	while ((v = take_one()) != NULL) {
		pthread_mutex_unlock(&closing.lock);
		close(v->fd);
		pthread_mutex_lock(&closing.lock);
		fd_forget(v);
	}
	closing.threads--;
	pthread_mutex_unlock(&closing.lock);
	return NULL;
}

static void
close_later(int fd, uid_t uid)
{
	struct doomed_fd *v = malloc(sizeof(*v));
	pthread_attr_t attr;
	pthread_t thread;

	if (v == NULL)
		return; /* a descriptor less is better than to wait */
	*v = (struct doomed_fd){ .fd = fd, .uid = uid };
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_mutex_lock(&closing.lock);
	LIST_INSERT_HEAD(&closing.fds, v, link);
	atomic_fetch_add_explicit(&closing.cnt, 1, memory_order_relaxed);
	/*
	 * Who has their share of threads gets no other. If there is none to be had, the next
	 * descriptor's takes this one, too.
	 */
	if (closing.threads < CLOSERS_MAX && count_of(uid, true) < CLOSERS_PER_USER &&
			pthread_create(&thread, &attr, closer, NULL) == 0)
		closing.threads++;
	pthread_mutex_unlock(&closing.lock);
	pthread_attr_destroy(&attr);
}

void
vfio_user_fd_close(int fd, uid_t uid)
{
	if (vfio_user_fd_is_memory(fd) || vfio_user_fd_is_eventfd(fd) || is_called(fd, "pipe:["))
		close(fd);
	else
		close_later(fd, uid);
}

bool
vfio_user_fd_blocked(uid_t uid)
{
	bool blocked;

	if (atomic_load_explicit(&closing.cnt, memory_order_relaxed) < VFIO_USER_FDS_WAITING_MAX)
		return false;
	pthread_mutex_lock(&closing.lock);
	blocked = count_of(uid, false) >= VFIO_USER_FDS_WAITING_MAX;
	pthread_mutex_unlock(&closing.lock);
	return blocked;
}
