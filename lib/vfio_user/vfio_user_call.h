/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_CALL_H
#define VFIO_USER_CALL_H

/**
 * @file
 * The client's side of the stream: requests out, replies matched by id.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vfio_user_client.h"
#include "vfio_user_json.h"
#include "vfio_user_sock.h"

/**
 * Locks: call_lock is held from a request to its reply, send_lock (innermost)
 * while a message is written; so a posted write passes a call that waits.
 */
struct vfio_user_client {
	int sock;
	struct vfio_user_client_conf conf;
	struct vfio_user_caps caps; /**< The server's. */
	pthread_mutex_t call_lock;
	pthread_mutex_t send_lock;
	uint16_t id;                /**< Of the last request; send_lock. */
	atomic_bool dead;
};

/** A request and where its reply goes. */
struct vfio_user_call {
	uint16_t cmd;
	const struct iovec *body;
	int body_cnt;         /**< At most 2. */
	const int *fds;       /**< To go with it. */
	unsigned int nfds;
	void *reply;          /**< NULL: not read. */
	uint32_t reply_min;   /**< Bytes of the reply's body. */
	uint32_t reply_max;
	uint32_t reply_len;   /**< Set. */
	struct vfio_user_fds got; /**< Set; the caller's to close, if it succeeds. */
};

/** Ask, and wait for the answer. */
int vfio_user_call(struct vfio_user_client *c, struct vfio_user_call *call);
/** Ask for something that has no answer. */
int vfio_user_post(struct vfio_user_client *c, const struct vfio_user_call *call);
/** The server is of no use any more; whoever waits for it wakes up. @return -ENOTCONN. */
int vfio_user_client_lost(struct vfio_user_client *c, const char *why);
#endif /* VFIO_USER_CALL_H */
