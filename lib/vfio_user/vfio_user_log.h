/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_LOG_H
#define VFIO_USER_LOG_H

/**
 * @file
 * Log lines of the server (vfio_user_log.c).
 */

#include "vfio_user_state.h"

/** A log line of the server itself. */
void vu_log(struct vfio_user_server *s, enum base_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** A line about what a peer did wrong. */
void vu_complain(struct vfio_user_conn *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* VFIO_USER_LOG_H */
