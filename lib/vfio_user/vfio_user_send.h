/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_SEND_H
#define VFIO_USER_SEND_H

/**
 * @file
 * What goes to the peer (vfio_user_send.c).
 */

#include <sys/uio.h>

#include "vfio_user_state.h"

/** Answer a request, unless it wants none; fd (-1: none) stays the caller's. */
void vu_reply(struct vfio_user_conn *c, const struct vfio_user_hdr *req, const void *body,
		uint32_t len, int fd);
/** The reply to a request that failed. */
void vu_reply_error(struct vfio_user_conn *c, const struct vfio_user_hdr *req, int rc);
/** The peer reads again: send what was kept. */
void vu_flush(struct vfio_user_conn *c);

#endif /* VFIO_USER_SEND_H */
