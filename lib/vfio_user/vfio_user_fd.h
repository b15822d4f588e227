/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_FD_H
#define VFIO_USER_FD_H

/**
 * @file
 * What may be done with a descriptor that somebody hostile sent. Behind it may be a file
 * system that never answers (FUSE, a network), or a socket that lingers: then even fstat()
 * and close() wait for ever. So it is looked at by means that ask no file system, and
 * closed by a thread of its own unless it is one of the two kinds that are wanted.
 */

#include <stdbool.h>

/** @return Whether it is a memfd or a file on tmpfs or hugetlbfs. Never waits. */
bool vfio_user_fd_is_memory(int fd);

/** @return Whether it is an eventfd; false as well without /proc. Never waits. */
bool vfio_user_fd_is_eventfd(int fd);

/** Close it, now or, if that might wait, some time later. Any thread. */
void vfio_user_fd_close(int fd);

#endif /* VFIO_USER_FD_H */
