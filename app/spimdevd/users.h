/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_USERS_H
#define SPIMDEVD_USERS_H

/**
 * @file
 * The user ids that have connections now, and what each has in all of them
 * together. Any thread.
 */

#include <stdint.h>
#include <sys/types.h>

#include "options.h"
#include "qm_dev.h"

struct users;

/** One user id with at least one connection. */
struct user;

/** What is counted here; the functions count the rest in the user's quota. */
enum user_resource {
	USER_MEMORY, /**< Bytes of files mapped. */
	USER_FILES,  /**< Mappings of files. */
	USER_MAPS,   /**< DMA maps. */
	USER_RESOURCES,
};

/** @param limits Of each user; must stay valid. @return NULL: out of memory. */
struct users *users_create(const struct limits *limits);

/** No user must be left. NULL is allowed. */
void users_destroy(struct users *users);

/**
 * A connection of uid begins.
 * @return 0, -EDQUOT: it has as many as it may have, or -ENOMEM.
 */
int users_connect(struct users *users, uid_t uid, struct user **user);

/** It ends. */
void users_disconnect(struct users *users, struct user *user);

/** What the functions of a user share (qm_dev_conf.quota). */
struct qm_dev_quota *users_quota(struct user *user);

/** @return 0, or -EDQUOT: it has as much as it may have. */
int users_take(struct users *users, struct user *user, enum user_resource resource, uint64_t n);

void users_give(struct user *user, enum user_resource resource, uint64_t n);

#endif /* SPIMDEVD_USERS_H */
