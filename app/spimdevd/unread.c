/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>

#include "unread.h"

/* So many are looked at each time, and how often. */
#define AT_ONCE 256u
#define WAIT_MS 100u

static void
release(struct unread *u)
{
	vfio_user_conn_release(u->conn);
	users_disconnect(u->users, u->user);
	free(u);
}

void
unread_init(struct unreads *all)
{
	pthread_mutex_init(&all->lock, NULL);
	TAILQ_INIT(&all->list);
	all->look_ms = 0;
}

bool
unread_end(struct unreads *all, struct unread *u)
{
	if (!vfio_user_conn_is_unread(u->conn)) {
		release(u);
		return false;
	}
	pthread_mutex_lock(&all->lock);
	TAILQ_INSERT_TAIL(&all->list, u, link);
	pthread_mutex_unlock(&all->lock);
	return true;
}

int
unread_poll(struct unreads *all, uint64_t now_ms)
{
	struct unread *u, *last;
	bool some;

	pthread_mutex_lock(&all->lock);
	last = now_ms < all->look_ms ? NULL : TAILQ_LAST(&all->list, unread_list);
	for (unsigned int n = 0; n < AT_ONCE && last != NULL; n++) {
		u = TAILQ_FIRST(&all->list);
		TAILQ_REMOVE(&all->list, u, link);
		if (u == last)
			last = NULL;
		if (vfio_user_conn_is_unread(u->conn))
			TAILQ_INSERT_TAIL(&all->list, u, link);
		else
			release(u);
		all->look_ms = now_ms + WAIT_MS;
	}
	some = !TAILQ_EMPTY(&all->list);
	pthread_mutex_unlock(&all->lock);
	return !some ? -1 : now_ms < all->look_ms ? (int)(all->look_ms - now_ms) : 0;
}

void
unread_fini(struct unreads *all)
{
	struct unread *u;

	while ((u = TAILQ_FIRST(&all->list)) != NULL) {
		TAILQ_REMOVE(&all->list, u, link);
		release(u);
	}
	pthread_mutex_destroy(&all->lock);
}
