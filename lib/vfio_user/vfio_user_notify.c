/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vfio_user_fd.h"
#include "vfio_user_notify.h"

#define EVENTS 64 /* signals after which what they left behind is taken away */

int
vfio_user_notify_init(struct vfio_user_notify *n)
{
	n->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (n->null_fd < 0)
		return -errno;
	/* It must be 0 before, and stays so if the kernel has none to give. */
	n->aio = 0;
	syscall(SYS_io_setup, EVENTS, &n->aio);
	return 0;
}

void
vfio_user_notify_fini(struct vfio_user_notify *n)
{
	if (n->aio != 0)
		syscall(SYS_io_destroy, n->aio);
	close(n->null_fd);
}

int
vfio_user_notify_check(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || !vfio_user_fd_is_eventfd(fd))
		return -EINVAL;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : -EINVAL;
}

/* @return Whether there is nothing more to do. */
static bool
raise_aio(struct vfio_user_notify *n, int fd)
{
	static const char byte;
	struct io_event events[EVENTS];
	struct timespec now = { 0, 0 };
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (uint32_t)n->null_fd,
		.aio_buf = (uint64_t)(uintptr_t)&byte, .aio_nbytes = 1,
		.aio_flags = IOCB_FLAG_RESFD, .aio_resfd = (uint32_t)fd };
	struct iocb *list = &cb;

	for (int i = 0; i < 3; i++) {
		if (syscall(SYS_io_submit, n->aio, 1, &list) == 1)
			return true;
		if (errno != EAGAIN)
			return errno == EINVAL; /* no eventfd */
		syscall(SYS_io_getevents, n->aio, 0, EVENTS, events, &now);
	}
	return false;
}

void
vfio_user_notify_raise(struct vfio_user_notify *n, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (n->aio != 0 && raise_aio(n, fd))
		return;
	/* Not writable: full, which is as signalled as it can be. */
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0)
		eventfd_write(fd, 1);
}
