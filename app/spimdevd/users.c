/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "users.h"

/* Few users on a machine have connections at a time, and it is asked once per connection. */
#define BUCKETS 256

struct user {
	LIST_ENTRY(user) link; /* in its bucket */
	uid_t uid;
	uint64_t connections;
	struct qm_dev_quota quota;
};

struct users {
	uint64_t max_connections;
	struct qm_dev_quota fresh;   /* the quota of a user who has nothing */
	pthread_mutex_t lock; /* guards all buckets and users */
	LIST_HEAD(, user) bucket[BUCKETS];
};

struct users *
users_create(const struct limits *limits, struct qm_dev_budget *budget)
{
	struct users *users = calloc(1, sizeof(*users));

	if (users == NULL)
		return NULL;
	users->max_connections = limits->connections;
	users->fresh.max[QM_DEV_QUEUES] = limits->queues;
	users->fresh.max[QM_DEV_SLOTS] = limits->ops;
	users->fresh.max[QM_DEV_CONTEXTS] = limits->streams;
	users->fresh.max[QM_DEV_MAPS] = limits->maps;
	users->fresh.max[QM_DEV_FILES] = limits->files;
	users->fresh.max[QM_DEV_MEMORY] = limits->memory;
	users->fresh.budget = budget;
	pthread_mutex_init(&users->lock, NULL);
	return users;
}

void
users_destroy(struct users *users)
{
	struct user *u;

	if (users == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while ((u = LIST_FIRST(&users->bucket[i])) != NULL) {
			LIST_REMOVE(u, link);
			free(u);
		}
	}
	pthread_mutex_destroy(&users->lock);
	free(users);
}

int
users_connect(struct users *users, uid_t uid, struct user **user)
{
	struct user *u;
	int rc = 0;

	pthread_mutex_lock(&users->lock);
	LIST_FOREACH(u, &users->bucket[uid % BUCKETS], link)
		if (u->uid == uid)
			break;
	if (u == NULL) {
		u = calloc(1, sizeof(*u));
		if (u == NULL) {
			rc = -ENOMEM;
			goto out;
		}
		u->uid = uid;
		u->quota = users->fresh;
		LIST_INSERT_HEAD(&users->bucket[uid % BUCKETS], u, link);
	}
	if (users->max_connections != 0 && u->connections >= users->max_connections) {
		rc = -EDQUOT;
		goto out;
	}
	rc = qm_dev_quota_take(&u->quota, QM_DEV_FDS, 1);
	if (rc != 0)
		goto out;
	u->connections++;
	*user = u;
out:
	pthread_mutex_unlock(&users->lock);
	return rc;
}

void
users_disconnect(struct users *users, struct user *user)
{
	/* The user stays: what it owes others must not be forgotten with its connections. */
	pthread_mutex_lock(&users->lock);
	user->connections--;
	qm_dev_quota_put(&user->quota, QM_DEV_FDS, 1);
	pthread_mutex_unlock(&users->lock);
}

struct qm_dev_quota *
users_quota(struct user *user)
{
	return &user->quota;
}
