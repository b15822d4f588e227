/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "users.h"

/* Few users on a machine have connections at a time, and it is asked once per connection. */
#define BUCKETS 256

struct user {
	struct user *next;
	uid_t uid;
	uint64_t connections;
};

struct users {
	uint64_t max_connections;
	pthread_mutex_t lock; /* guards all buckets and users */
	struct user *bucket[BUCKETS];
};

struct users *
users_create(uint64_t max_connections)
{
	struct users *users = calloc(1, sizeof(*users));

	if (users == NULL)
		return NULL;
	users->max_connections = max_connections;
	pthread_mutex_init(&users->lock, NULL);
	return users;
}

void
users_destroy(struct users *users)
{
	if (users == NULL)
		return;
	pthread_mutex_destroy(&users->lock);
	free(users);
}

int
users_connect(struct users *users, uid_t uid, struct user **user)
{
	struct user **link = &users->bucket[uid % BUCKETS];
	struct user *u;
	int rc = 0;

	pthread_mutex_lock(&users->lock);
	while ((u = *link) != NULL && u->uid != uid)
		link = &u->next;
	if (u == NULL) {
		u = calloc(1, sizeof(*u));
		if (u == NULL) {
			rc = -ENOMEM;
			goto out;
		}
		u->uid = uid;
		*link = u;
	}
	if (users->max_connections != 0 && u->connections >= users->max_connections) {
		rc = -EDQUOT;
		goto out;
	}
	u->connections++;
	*user = u;
out:
	pthread_mutex_unlock(&users->lock);
	return rc;
}

void
users_disconnect(struct users *users, struct user *user)
{
	struct user **link = &users->bucket[user->uid % BUCKETS];

	pthread_mutex_lock(&users->lock);
	if (--user->connections == 0) {
		while (*link != user)
			link = &(*link)->next;
		*link = user->next;
		free(user);
	}
	pthread_mutex_unlock(&users->lock);
}
