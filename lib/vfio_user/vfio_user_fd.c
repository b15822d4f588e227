/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfio_user_fd.h"

#define CLOSERS_MAX 16          /* threads; more descriptors wait for one to be free */
#define STACK_SIZE  (128 << 10)

struct doomed_fd {
	struct doomed_fd *next;
	int fd;
};

/* Descriptors to be closed, and the threads that do. */
static struct {
	pthread_mutex_t lock;
	struct doomed_fd *head;
	unsigned int threads;
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

static void *
closer(void *arg)
{
	struct doomed_fd *v;

	(void)arg;
	pthread_mutex_lock(&closing.lock);
	while ((v = closing.head) != NULL) {
		closing.head = v->next;
		pthread_mutex_unlock(&closing.lock);
		close(v->fd);
		free(v);
		pthread_mutex_lock(&closing.lock);
	}
	closing.threads--;
	pthread_mutex_unlock(&closing.lock);
	return NULL;
}

static void
close_later(int fd)
{
	struct doomed_fd *v = malloc(sizeof(*v));
	pthread_attr_t attr;
	pthread_t thread;

	if (v == NULL)
		return; /* a descriptor less is better than to wait */
	v->fd = fd;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_mutex_lock(&closing.lock);
	v->next = closing.head;
	closing.head = v;
	/* If there is no thread to be had, the next descriptor's takes this one, too. */
	if (closing.threads < CLOSERS_MAX && pthread_create(&thread, &attr, closer, NULL) == 0)
		closing.threads++;
	pthread_mutex_unlock(&closing.lock);
	pthread_attr_destroy(&attr);
}

void
vfio_user_fd_close(int fd)
{
	if (vfio_user_fd_is_memory(fd) || vfio_user_fd_is_eventfd(fd) || is_called(fd, "pipe:["))
		close(fd);
	else
		close_later(fd);
}
