/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_FD_H
#define VFIO_USER_FD_H

/**
 * @file
 * What may be done with a descriptor that somebody hostile sent. Behind it may be a file
 * system that never answers (FUSE, a network), or a socket that lingers: then even fstat()
 * and close() wait for ever. So it is checked by means that ask no file system, and
 * closed by a thread of its own unless it is one of the two kinds that are wanted.
 */

#include <stdbool.h>
#include <sys/types.h>

/** As many of one user's descriptors may wait to be closed; then no more of theirs are taken. */
#define VFIO_USER_FDS_WAITING_MAX 64u

/** @return Whether it is a memfd or a file on tmpfs or hugetlbfs. Never waits. */
bool vfio_user_fd_is_memory(int fd);

/** @return Whether it is an eventfd; false as well without /proc. Never waits. */
bool vfio_user_fd_is_eventfd(int fd);

/**
 * Close it, now or, if that might wait, some time later. Any thread.
 * @param uid
 *   Whose it was. Those of one user can only make each other wait.
 */
void vfio_user_fd_close(int fd, uid_t uid);

/** @return Whether VFIO_USER_FDS_WAITING_MAX of a user's wait to be closed. Any thread. */
bool vfio_user_fd_blocked(uid_t uid);

#endif /* VFIO_USER_FD_H */
