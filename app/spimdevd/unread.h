/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_UNREAD_H
#define SPIMDEVD_UNREAD_H

/**
 * @file
 * Connections that are over, but for a descriptor that its client was sent and has not read.
 *
 * The kernel counts it as one of the service's in flight until the client has read it or closed
 * its socket, and lets a user have as many in flight as RLIMIT_NOFILE. So such a connection
 * counts as its user's until then, or one user could take what all have together.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "users.h"
#include "vfio_user_server.h"

/** What is left of a connection. */
struct unread {
	TAILQ_ENTRY(unread) link;
	struct vfio_user_conn *conn; /**< It has ended. */
	struct users *users;
	struct user *user;
};

/** Those that wait. */
struct unreads {
	pthread_mutex_t lock; /**< Guards the list. */
	TAILQ_HEAD(unread_list, unread) list;
	uint64_t look_ms;     /**< When they are looked at next. */
};

void unread_init(struct unreads *all);

/**
 * Release the connection, and free() rest: now, or when nothing is unread. Any thread.
 * @param rest
 *   First member of a block that is free()d with it.
 * @return Whether it waits, so that unread_poll() is to be called.
 */
bool unread_end(struct unreads *all, struct unread *rest);

/**
 * Release those that are not unread any more, if it is time to look. One thread.
 * @return When it is to be called again, in ms; -1: none is left.
 */
int unread_poll(struct unreads *all, uint64_t now_ms);

/** Release all; nothing else may use it. */
void unread_fini(struct unreads *all);

#endif /* SPIMDEVD_UNREAD_H */
