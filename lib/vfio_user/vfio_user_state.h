/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_STATE_H
#define VFIO_USER_STATE_H

/**
 * @file
 * What the server keeps of itself, its listeners and its connections.
 *
 * The path of a message: vfio_user_loop.c learns that a socket is readable, vfio_user_share.c
 * decides whose turn it is, vfio_user_recv.c puts the message together, vfio_user_msg.c checks it
 * and calls the owner, vfio_user_send.c sends the reply, or keeps what the peer does not take yet.
 *
 * Lock: vfio_user_conn.irq_lock (eventfds). All else belongs to the loop thread.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "vfio_user_json.h"
#include "vfio_user_notify.h"
#include "vfio_user_proto.h"
#include "vfio_user_server.h"
#include "vfio_user_sock.h"

#define VU_XFER_MAX        65536u /**< Most data bytes of a message. */
#define VU_SMALL_MAX       8192u  /**< Most bytes of a body that carries no bulk data. */
#define VU_USER_BUCKETS    64u

/** What an epoll event belongs to; first member of each. */
enum vu_kind { VU_KIND_LISTENER, VU_KIND_CONN, VU_KIND_WAKE, VU_KIND_TIMER };

/** A socket that is listened on. */
struct vfio_user_listener {
	enum vu_kind kind;
	int fd;
	char *path;        /**< To be removed. */
	void *priv;
	SLIST_ENTRY(vfio_user_listener) link;
};

/** Bytes that the peer has not taken yet. */
struct vu_out {
	STAILQ_ENTRY(vu_out) link;
	size_t len;
	size_t off;  /**< Sent. */
	int fd;      /**< Goes with the first byte; -1: none. */
	uint8_t bytes[];
};

/** A request that waits until a deferred operation is complete. */
struct vu_held {
	STAILQ_ENTRY(vu_held) link;
	struct vfio_user_hdr hdr;
	struct vfio_user_fds fds;
	uint8_t body[];
};

/** One user, while they have connections: what these share. */
struct vu_user {
	LIST_ENTRY(vu_user) link; /**< In its bucket. */
	uid_t uid;
	uint32_t conns;
	TAILQ_HEAD(, vfio_user_conn) ready; /**< To be served, in the order of their events. */
	TAILQ_ENTRY(vu_user) turn;          /**< In the server's, if some are. */
};

/** The vector of an interrupt. */
struct vu_vector {
	int fd; /**< -1: none. */
	bool masked;
	bool pending; /**< Raised while masked. */
};

/** The deferred operation. */
struct vu_defer {
	bool active;
	struct vfio_user_hdr hdr; /**< Of its request. */
	uint64_t iova, size;      /**< DMA_UNMAP, */
	uint64_t bytes;           /**< and what it comes to. */
	uint32_t multi_next;      /**< REGION_WRITE_MULTI: the write to do then. */
	uint32_t buf_len;
	uint8_t *buf;             /**< REGION_READ: the reply; REGION_WRITE_MULTI: the request. */
};

enum vu_state {
	VU_NEW,     /**< VERSION has not come. */
	VU_OPEN,
	VU_CLOSING, /**< Nothing is sent or received any more; on the dying list. */
	VU_CLOSED,  /**< The owner's until released; the server does not know it. */
};

struct vfio_user_conn {
	enum vu_kind kind;
	int fd;
	struct vfio_user_server *server;
	LIST_ENTRY(vfio_user_conn) link; /**< Of the server's list: open or dying. */
	uint64_t id;
	struct vfio_user_peer peer;
	struct vu_user *user;
	bool is_ready;              /**< In the user's line. */
	uint32_t ready_events;      /**< Of epoll, since it was served. */
	TAILQ_ENTRY(vfio_user_conn) ready_link;
	struct vfio_user_conn_conf conf;
	struct vfio_user_caps caps; /**< The client's. */
	uint8_t state;              /**< enum vu_state. */
	bool spim;
	uint32_t events;            /**< That epoll waits for. */
	uint32_t num_regions;       /**< That the client sees. */
	uint64_t fds_sent;          /**< Regions, a bit each, whose descriptor it was sent. */

	/* The message that is being received. */
	struct vfio_user_hdr hdr;
	uint32_t hdr_got;
	uint32_t body_got;
	uint8_t *body;
	struct vfio_user_fds fds;

	STAILQ_HEAD(, vu_out) out;
	uint32_t out_bytes;

	struct vu_defer defer;
	STAILQ_HEAD(, vu_held) held;
	uint32_t held_cnt, held_bytes;

	/* Connections whose peer owes something, and when it last moved. */
	bool waiting;
	bool choked; /**< Fds come next, and its user has no more to send; see the tick. */
	LIST_ENTRY(vfio_user_conn) wait_link;
	uint64_t moved_ms;
	uint64_t begun_ms; /**< When a message that is not complete was noticed; 0: none is. */

	pthread_mutex_t irq_lock;
	struct vu_vector *vec; /**< Of all indexes, one after the other; NULL: none was set. */
	uint32_t eventfds;
	bool irq_closed;
	uint64_t irqs;

	uint64_t messages, errors;
};

struct vfio_user_server {
	struct vfio_user_server_conf conf;
	int epfd, timer_fd, wake_fd;
	enum vu_kind timer_kind, wake_kind;
	bool ticking;
	SLIST_HEAD(, vfio_user_listener) listeners;
	LIST_HEAD(, vfio_user_conn) conns, dying, waiting;
	LIST_HEAD(, vu_user) users[VU_USER_BUCKETS];
	TAILQ_HEAD(, vu_user) turns; /**< Users who have connections to be served. */
	uint32_t nconns; /**< Open and dying. */
	uint64_t next_id;
	bool accept_paused; /**< Out of fds: tried again at the next tick. */
	struct vfio_user_notify notify;
	uint8_t *scratch; /**< A body that comes in one piece needs no memory of its own. */
	uint64_t accepted, refused;
};

#endif /* VFIO_USER_STATE_H */
