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

#include "base_reap.h"
#include "vfio_user_fd.h"

struct doomed_fd {
	struct base_reap_job job; /* first member */
	LIST_ENTRY(doomed_fd) link;
	int fd;
	uid_t uid;
	enum base_reap_kind kind;
};

static const unsigned int waiting_max[BASE_REAP_KINDS] = {
	[BASE_REAP_FINITE] = VFIO_USER_FDS_FINITE_MAX,
	[BASE_REAP_DOUBTFUL] = VFIO_USER_FDS_WAITING_MAX,
};

/* Descriptors until they are closed. */
static struct {
	pthread_mutex_t lock;
	LIST_HEAD(, doomed_fd) fds;
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

/* Of what is only the kernel's, nobody can make who closes it wait for ever. */
static enum base_reap_kind
kind_of(int fd)
{
	return vfio_user_fd_is_memory(fd) || vfio_user_fd_is_eventfd(fd) ||
		is_called(fd, "pipe:[") ? BASE_REAP_FINITE : BASE_REAP_DOUBTFUL;
}

static bool
close_step(struct base_reap_job *job)
{
	struct doomed_fd *v = (struct doomed_fd *)job;

	close(v->fd);
	pthread_mutex_lock(&closing.lock);
	LIST_REMOVE(v, link);
	atomic_fetch_sub_explicit(&closing.cnt, 1, memory_order_relaxed);
	pthread_mutex_unlock(&closing.lock);
	free(v);
	return false;
}

void
vfio_user_fd_close(int fd, uid_t uid)
{
	struct doomed_fd *v = malloc(sizeof(*v));

	if (v == NULL)
		return; /* a descriptor less is better than to wait */
	*v = (struct doomed_fd){ .job.step = close_step, .fd = fd, .uid = uid,
		.kind = kind_of(fd) };
	pthread_mutex_lock(&closing.lock);
	LIST_INSERT_HEAD(&closing.fds, v, link);
	atomic_fetch_add_explicit(&closing.cnt, 1, memory_order_relaxed);
	pthread_mutex_unlock(&closing.lock);
	base_reap(&v->job, v->kind, uid);
}

bool
vfio_user_fd_blocked(uid_t uid)
{
	unsigned int n[BASE_REAP_KINDS] = { 0 };
	const struct doomed_fd *v;

	if (atomic_load_explicit(&closing.cnt, memory_order_relaxed) < VFIO_USER_FDS_WAITING_MAX)
		return false;
	pthread_mutex_lock(&closing.lock);
	LIST_FOREACH(v, &closing.fds, link)
		if (v->uid == uid)
			n[v->kind]++;
	pthread_mutex_unlock(&closing.lock);
	for (int k = 0; k < BASE_REAP_KINDS; k++)
		if (n[k] >= waiting_max[k])
			return true;
	return false;
}
