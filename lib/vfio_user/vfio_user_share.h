/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_SHARE_H
#define VFIO_USER_SHARE_H

/**
 * @file
 * Whose turn it is (vfio_user_share.c): connections that have something wait in the line of their
 * user, and users take turns. So who has a thousand connections waits longer for each of them, and
 * makes nobody else wait longer than who has one.
 */

#include "vfio_user_state.h"

/** The user of a new connection; counts it. @return NULL: out of memory. */
struct vu_user *vu_user_get(struct vfio_user_server *s, uid_t uid);
/** A connection of it ended. */
void vu_user_put(struct vu_user *u);

/** The connection is to be served; events: of epoll, beside those that wait already. */
void vu_ready_add(struct vfio_user_conn *c, uint32_t events);
/** It is not, whether it was or not. */
void vu_ready_remove(struct vfio_user_conn *c);
/**
 * Take the next one out of its line; its user's next turn is behind everybody else's.
 * @return NULL: nobody waits.
 */
struct vfio_user_conn *vu_ready_next(struct vfio_user_server *s);

/** Descriptors are kept for the connection. @return 0, or the owner refuses. */
int vu_fds_take(struct vfio_user_conn *c, uint32_t n);
/** They are not any more. */
void vu_fds_put(struct vfio_user_conn *c, uint32_t n);
/** Close those of a message that are not -1, which were taken. */
void vu_fds_close(struct vfio_user_conn *c, struct vfio_user_fds *fds);

#endif /* VFIO_USER_SHARE_H */
