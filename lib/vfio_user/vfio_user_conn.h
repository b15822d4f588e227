/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_CONN_H
#define VFIO_USER_CONN_H

/**
 * @file
 * The life of a connection (vfio_user_conn.c).
 */

#include "vfio_user_state.h"

/** Make a connection of a socket, which it takes over in any case. */
void vu_conn_create(struct vfio_user_server *s, int fd, void *listener_priv);
/** End the exchange of messages; the rest follows at the end of the turn. */
void vu_conn_stop(struct vfio_user_conn *c);
/** End of the turn: tell the owner. */
void vu_conn_finish(struct vfio_user_conn *c);

#endif /* VFIO_USER_CONN_H */
