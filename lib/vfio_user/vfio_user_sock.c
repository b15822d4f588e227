/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vfio_user_fd.h"
#include "vfio_user_sock.h"

/* As many as the kernel passes at a time. What has no room it would drop, and that may wait. */
#define CONTROL_FDS 253u

/* Room for control messages, aligned for their header. */
union control {
	struct cmsghdr hdr;
	char room[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
};

static void
take_fds(const struct cmsghdr *cmsg, struct vfio_user_fds *fds)
{
	size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int got[CONTROL_FDS];

	memcpy(got, CMSG_DATA(cmsg), n * sizeof(int));
	for (size_t i = 0; i < n; i++) {
		if (fds->cnt < VFIO_USER_FDS_MAX) {
			fds->fd[fds->cnt++] = got[i];
		} else {
			vfio_user_fd_close(got[i], fds->uid);
			fds->lost = true;
		}
	}
}

/* How much comes next, up to len bytes; -EDQUOT: with fds beside it; 0 or -errno as in recv. */
static ssize_t
without_fds(int sock, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_PEEK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (msg.msg_flags & MSG_CTRUNC) != 0 ? -EDQUOT : n;
}

ssize_t
vfio_user_sock_recv(int sock, void *buf, size_t len, struct vfio_user_fds *fds)
{
	struct iovec iov = { buf, len };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	ssize_t n;

	if (vfio_user_fd_blocked(fds->uid)) {
		n = without_fds(sock, buf, len);
		if (n <= 0)
			return n;
		/* Not more, which may have come in the meantime. */
		iov.iov_len = (size_t)n;
	}
	do
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* What did not fit our table of fds, the kernel has closed. */
	if ((msg.msg_flags & MSG_CTRUNC) != 0)
		fds->lost = true;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL;
			cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
			take_fds(cmsg, fds);
	return n;
}

ssize_t
vfio_user_sock_send(int sock, const struct iovec *iov, int cnt, const int *fds, unsigned int nfds)
{
	union control control;
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)cnt };
	ssize_t n;

	if (nfds != 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		memset(&control, 0, sizeof(control));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

void
vfio_user_fds_close(struct vfio_user_fds *fds)
{
	for (unsigned int i = 0; i < fds->cnt; i++)
		if (fds->fd[i] >= 0)
			vfio_user_fd_close(fds->fd[i], fds->uid);
	fds->cnt = 0;
	fds->lost = false;
	fds->refused = false;
}

void
vfio_user_sock_close(int sock, uid_t uid)
{
	char byte;

	/* Nothing can be added to what there is now. */
	shutdown(sock, SHUT_RDWR);
	if (recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		vfio_user_fd_close(sock, uid);
	else
		close(sock);
}

/* ---- Listening ---- */

/* Remove the socket of somebody who is gone. @return 0, or why it must stay. */
static int
remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 &&
		errno == ECONNREFUSED ? 0 : -EADDRINUSE;
	close(fd);
	if (rc == 0 && unlink(addr->sun_path) != 0 && errno != ENOENT)
		rc = -errno;
	return rc;
}

/*
 * The file that bind() makes has the mode of the socket, but for the umask. Its name is never used
 * again, as something else may be there by then.
 */
static int
bind_with_mode(int fd, const struct sockaddr_un *addr, mode_t mode)
{
	mode_t mask = umask(0);
	int rc = fchmod(fd, mode) != 0 || bind(fd, (const struct sockaddr *)addr,
			sizeof(*addr)) != 0 ? -errno : 0;

	umask(mask);
	return rc;
}

int
vfio_user_sock_listen(const char *path, mode_t mode)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, rc;

	if (path[0] == '\0')
		return -EINVAL;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	rc = remove_stale(&addr);
	if (rc != 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = bind_with_mode(fd, &addr, mode);
	if (rc == 0 && listen(fd, SOMAXCONN) != 0) {
		rc = -errno;
		unlink(path);
	}
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return fd;
}
