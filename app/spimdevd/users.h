/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_USERS_H
#define SPIMDEVD_USERS_H

/**
 * @file
 * The user ids (owners.h) that have or had connections, and the quota of each: its functions count
 * in it what they have. It also knows what the user owes the others of the workers' time, so it
 * lasts as long as the service. Any thread.
 */

#include <stdint.h>
#include <sys/types.h>

#include "options.h"
#include "qm_dev.h"

struct users;

/** One user id that has had a connection. */
struct user;

/**
 * @param limits
 *   Of each user.
 * @param budget
 *   Of all users together; must stay valid. NULL: none.
 * @return NULL: out of memory.
 */
struct users *users_create(const struct limits *limits, struct qm_dev_budget *budget);

/** No connection must be left. NULL is allowed. */
void users_destroy(struct users *users);

/**
 * A connection of uid begins, and takes a descriptor of its quota.
 * @return
 *   0, -EDQUOT: it has as many as it may have; -ENFILE: it has its share of the descriptors; or
 *   -ENOMEM.
 */
int users_connect(struct users *users, uid_t uid, struct user **user);

/** It ends. */
void users_disconnect(struct users *users, struct user *user);

/** What the functions of a user share (qm_dev_conf.quota). */
struct qm_dev_quota *users_quota(struct user *user);

#endif /* SPIMDEVD_USERS_H */
