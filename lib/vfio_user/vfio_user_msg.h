/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_MSG_H
#define VFIO_USER_MSG_H

/**
 * @file
 * What a request is, and whether it may be one (vfio_user_msg.c).
 */

#include "vfio_user_state.h"

/** Most bytes of a request with this header. */
uint32_t vu_msg_max(const struct vfio_user_hdr *hdr);
/** Do what a complete request says, and answer. Fds that are kept are set to -1. */
void vu_msg_request(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint8_t *body,
		struct vfio_user_fds *fds);
/** Answer the deferred request. */
void vu_msg_done(struct vfio_user_conn *c, int rc);

#endif /* VFIO_USER_MSG_H */
