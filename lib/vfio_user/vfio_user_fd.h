/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_FD_H
#define VFIO_USER_FD_H

/**
 * @file
 * What may be done with a descriptor that somebody hostile sent. Behind it may be a file
 * system that never answers (FUSE, a network), or a socket that lingers: then even fstat()
 * and close() wait for ever; and who closes the last descriptor of memory frees it, which takes as
 * long as there is of it. So a descriptor is checked by means that ask no file system, and closed
 * by threads that may wait (base_reap.h).
 */

#include <stdbool.h>
#include <sys/types.h>

/**
 * As many of one user's descriptors may wait to be closed; then no more of theirs are taken. Of
 * those that are closed after a while at the latest (memory, eventfds, pipes) more may wait, as
 * honest users come to have some.
 */
#define VFIO_USER_FDS_WAITING_MAX 64u
#define VFIO_USER_FDS_FINITE_MAX  512u

/** @return Whether it is a memfd or a file on tmpfs or hugetlbfs. Never waits. */
bool vfio_user_fd_is_memory(int fd);

/** @return Whether it is an eventfd; false as well without /proc. Never waits. */
bool vfio_user_fd_is_eventfd(int fd);

/**
 * Close it some time later. Any thread; never waits.
 * @param uid
 *   Whose it was. Those of one user can only make each other wait.
 */
void vfio_user_fd_close(int fd, uid_t uid);

/** @return Whether as many of a user's wait to be closed as may. Any thread. */
bool vfio_user_fd_blocked(uid_t uid);

#endif /* VFIO_USER_FD_H */
