/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_NOTIFY_H
#define VFIO_USER_NOTIFY_H

/**
 * @file
 * Signals an eventfd that somebody hostile owns, without ever waiting: a plain
 * write() blocks when its counter is full, and the owner can clear O_NONBLOCK
 * and fill it at any moment. The kernel's asynchronous I/O counts an eventfd up
 * when an operation ends, and never waits for it; so each signal is the end of
 * an operation that does nothing.
 */

#include <linux/aio_abi.h>

/** One for any number of eventfds. */
struct vfio_user_notify {
	aio_context_t aio; /**< 0: the kernel has none to give; poll() and write() must do. */
	int null_fd;
};

/** @return 0 or -errno. Without asynchronous I/O it still works, as well as it can. */
int vfio_user_notify_init(struct vfio_user_notify *n);
void vfio_user_notify_fini(struct vfio_user_notify *n);
/** @return 0, -EINVAL if it cannot be an eventfd. Makes it non-blocking. */
int vfio_user_notify_check(int fd);
/** Count an eventfd up by one. Any thread. */
void vfio_user_notify_raise(struct vfio_user_notify *n, int fd);

#endif /* VFIO_USER_NOTIFY_H */
