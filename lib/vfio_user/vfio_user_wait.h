/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_WAIT_H
#define VFIO_USER_WAIT_H

/**
 * @file
 * Whom the server waits for, and what wakes it (vfio_user_wait.c).
 */

#include "vfio_user_state.h"

/** Have the loop take a turn. Any thread. */
void vu_server_wake(struct vfio_user_server *s);
/** Enter or leave the list of those whose peer owes something. */
void vu_server_wait(struct vfio_user_conn *c, bool on);
/** Tick, or tick no more: vfio_user_loop.c then sees who has not moved for too long. */
void vu_server_tick(struct vfio_user_server *s, bool on);

#endif /* VFIO_USER_WAIT_H */
