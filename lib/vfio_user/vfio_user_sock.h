/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_SOCK_H
#define VFIO_USER_SOCK_H

/**
 * @file
 * Bytes and file descriptors over a unix stream socket; both ends use it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "vfio_user_proto.h"

/** The fds that come with a message. */
struct vfio_user_fds {
	int fd[VFIO_USER_FDS_MAX];
	unsigned int cnt;
	uid_t uid; /**< Whose they are, for vfio_user_fd_close(). */
	bool lost; /**< More came than fit; they were closed. */
	bool refused; /**< Its user may have no more; they were closed. */
};

/**
 * Receive up to len bytes, without waiting; fds are added to what is there.
 * @return
 *   Bytes, 0: the peer is gone, -EAGAIN, -EDQUOT (fds come next, and too many of that user's wait
 *   to be closed: try again later) or -errno.
 */
ssize_t vfio_user_sock_recv(int sock, void *buf, size_t len, struct vfio_user_fds *fds);

/** Send, without waiting, with fds beside the first byte. @return Bytes, -EAGAIN or -errno. */
ssize_t vfio_user_sock_send(int sock, const struct iovec *iov, int cnt, const int *fds,
		unsigned int nfds);

/**
 * End a connection. What was not read goes with it, and descriptors beside that may make whoever
 * drops them wait: then it is closed as those are.
 */
void vfio_user_sock_close(int sock, uid_t uid);

/** Close those that are not -1. */
void vfio_user_fds_close(struct vfio_user_fds *fds);

/**
 * Listen on a path, which must not be listened on by anybody: a socket that somebody left
 * behind is replaced. Whoever closes it has to remove the path. For a moment the umask of the
 * process is another one.
 * @return
 *   A socket that does not block, -EADDRINUSE (somebody listens there, or it is no socket),
 *   -EINVAL (no path), -ENAMETOOLONG, or what socket() etc. give.
 */
int vfio_user_sock_listen(const char *path, mode_t mode);

#endif /* VFIO_USER_SOCK_H */
