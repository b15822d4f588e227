/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_RECV_H
#define VFIO_USER_RECV_H

/**
 * @file
 * What comes from the peer: messages, one after the other (vfio_user_recv.c).
 */

#include "vfio_user_state.h"

/** Serve a socket that has events. */
void vu_conn_serve(struct vfio_user_conn *c, uint32_t events);
/** A deferred operation is complete: answer, then what was held. */
void vu_conn_done(struct vfio_user_conn *c, int rc);
/** Tell epoll what to wait for now, and whether the peer owes something. */
void vu_conn_update(struct vfio_user_conn *c);

#endif /* VFIO_USER_RECV_H */
