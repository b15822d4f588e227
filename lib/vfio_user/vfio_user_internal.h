/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_INTERNAL_H
#define VFIO_USER_INTERNAL_H

/**
 * @file
 * What the files of the server share.
 *
 * The path of a message: vfio_user_server.c learns that a socket is readable,
 * vfio_user_conn.c puts the message together, vfio_user_msg.c checks it and
 * calls the owner, vfio_user_conn.c sends the reply, or keeps what the peer does
 * not take yet.
 *
 * Lock: vfio_user_conn.irq_lock (eventfds). All else belongs to the loop thread.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base_clock.h"
#include "vfio_user_json.h"
#include "vfio_user_notify.h"
#include "vfio_user_proto.h"
#include "vfio_user_server.h"
#include "vfio_user_sock.h"

#define VU_XFER_MAX        65536u /**< Most data bytes of a message. */
#define VU_STALL_DEFAULT   10000u

#define VU_EVENTS          64   /**< Served per turn. */
#define VU_TURN_MESSAGES   64   /**< Most messages of one connection per turn. */
#define VU_SMALL_MAX       8192u  /**< Most bytes of a body that carries no bulk data. */
#define VU_OUT_HIGH        65536u /**< With so much unread, the peer's requests wait. */
#define VU_HELD_MESSAGES   256u /**< Most requests kept while an operation is deferred. */
#define VU_HELD_BYTES      65536u

/** What an epoll event belongs to; first member of each. */
enum vu_kind { VU_KIND_LISTENER, VU_KIND_CONN, VU_KIND_WAKE, VU_KIND_TIMER };

struct vfio_user_listener {
	enum vu_kind kind;
	int fd;            /**< -1: closed, freed at the end of the turn. */
	char *path;        /**< To be removed. */
	void *priv;
	struct vfio_user_listener *next;
};

/** Bytes that the peer has not taken yet. */
struct vu_out {
	struct vu_out *next;
	size_t len;
	size_t off;  /**< Sent. */
	int fd;      /**< Goes with the first byte; -1: none. */
	uint8_t bytes[];
};

/** A request that waits until a deferred operation is complete. */
struct vu_held {
	struct vu_held *next;
	struct vfio_user_hdr hdr;
	struct vfio_user_fds fds;
	uint8_t body[];
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

/** Allows a burst, then a few a second. */
struct vu_rate {
	uint32_t tokens;
	uint64_t ms; /**< When tokens was right. */
};

struct vfio_user_conn {
	enum vu_kind kind;
	int fd;
	struct vfio_user_server *server;
	struct vfio_user_conn *prev, *next; /**< Of the server's list: open or dying. */
	uint64_t id;
	struct vfio_user_peer peer;
	struct vfio_user_conn_conf conf;
	struct vfio_user_caps caps; /**< The client's. */
	uint8_t state;              /**< enum vu_state. */
	bool spim;
	uint32_t events;            /**< That epoll waits for. */
	uint32_t num_regions;       /**< That the client sees. */

	/* The message that is being received. */
	struct vfio_user_hdr hdr;
	uint32_t hdr_got;
	uint32_t body_got;
	uint8_t *body;
	struct vfio_user_fds fds;

	struct vu_out *out, **out_tail;
	uint32_t out_bytes;

	struct vu_defer defer;
	struct vu_held *held, **held_tail;
	uint32_t held_cnt, held_bytes;

	/* Connections whose peer owes something, and when it last moved. */
	bool waiting;
	bool choked; /**< Fds come next, and its user has no more to send; see the tick. */
	struct vfio_user_conn *wait_prev, *wait_next;
	uint64_t moved_ms;
	uint64_t begun_ms; /**< When a message that is not complete was noticed; 0: none is. */

	pthread_mutex_t irq_lock;
	struct vu_vector *vec; /**< Of all indexes, one after the other; NULL: none was set. */
	uint32_t eventfds;
	bool irq_closed;
	uint64_t irqs;

	uint64_t messages, errors;
	struct vu_rate rate;
};

struct vfio_user_server {
	struct vfio_user_server_conf conf;
	int epfd, timer_fd, wake_fd;
	enum vu_kind timer_kind, wake_kind;
	bool ticking;
	struct vfio_user_listener *listeners, *closed_listeners;
	struct vfio_user_conn *conns, *dying, *waiting;
	uint32_t nconns; /**< Open and dying. */
	uint64_t next_id;
	bool accept_paused; /**< Out of fds: tried again at the next tick. */
	struct vfio_user_notify notify;
	uint8_t *scratch; /**< A body that comes in one piece needs no memory of its own. */
	struct vu_rate rate;
	uint64_t accepted, refused, suppressed, suppressed_told;
};

/* ---- vfio_user_log.c ---- */

/** A log line of the server itself. */
void vu_log(struct vfio_user_server *s, enum base_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** A line about a peer, whose rate is limited. */
void vu_complain(struct vfio_user_conn *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- vfio_user_conn.c ---- */

/** Make a connection of a socket, which it takes over in any case. */
void vu_conn_create(struct vfio_user_server *s, int fd, void *listener_priv);
/** Serve a socket that has events. */
void vu_conn_serve(struct vfio_user_conn *c, uint32_t events);
/** End the exchange of messages; the rest follows at the end of the turn. */
void vu_conn_stop(struct vfio_user_conn *c);
/** End of the turn: tell the owner. */
void vu_conn_finish(struct vfio_user_conn *c);
/** A deferred operation is complete: answer, then what was held. */
void vu_conn_done(struct vfio_user_conn *c, int rc);
/** Send bytes, or keep them; fd (-1: none) stays the caller's. Closes it when out of memory. */
void vu_conn_send(struct vfio_user_conn *c, const struct iovec *iov, int cnt, int fd);
/** Tell epoll what to wait for now, and whether the peer owes something. */
void vu_conn_update(struct vfio_user_conn *c);

/* ---- vfio_user_msg.c ---- */

/** Most bytes of a request with this header. */
uint32_t vu_msg_max(const struct vfio_user_hdr *hdr);
/** Do what a complete request says, and answer. Fds that are kept are set to -1. */
void vu_msg_request(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint8_t *body,
		struct vfio_user_fds *fds);
/** Answer the deferred request. */
void vu_msg_done(struct vfio_user_conn *c, int rc);

/** A request being served. */
struct vu_request {
	const struct vfio_user_hdr *hdr;
	uint8_t *body;
	uint32_t len; /**< Of body. */
	struct vfio_user_fds *fds;
};

/** Answer a request, unless it wants none; fd (-1: none) stays the caller's. */
void vu_reply(struct vfio_user_conn *c, const struct vfio_user_hdr *req, const void *body,
		uint32_t len, int fd);

/*
 * Handlers. The body is a copy, checked for its size. They return 0 if they have
 * answered, VFIO_USER_DEFERRED, or the negative errno of the error reply.
 */

/* ---- vfio_user_mem.c ---- */

int vu_do_dma_map(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_dma_unmap(struct vfio_user_conn *c, const struct vu_request *r);
/** The device has let go of a range (size 0: of all), in which so many bytes were mapped. */
void vu_unmap_done(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint64_t iova,
		uint64_t size, uint64_t bytes);

/* ---- vfio_user_info.c ---- */

int vu_do_device_info(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_region_info(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_irq_info(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_set_irqs(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_reset(struct vfio_user_conn *c, const struct vu_request *r);

/* ---- vfio_user_region.c ---- */

int vu_do_region_read(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_region_write(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_region_write_multi(struct vfio_user_conn *c, const struct vu_request *r);
/** The writes of a REGION_WRITE_MULTI from number next on. */
int vu_multi_from(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, const uint8_t *body,
		uint32_t next);

/* ---- vfio_user_irq.c ---- */

/** SET_IRQS that was checked for size. @return 0 or -errno; fds kept are set to -1. */
int vu_irq_set(struct vfio_user_conn *c, const struct vfio_user_irq_set *set, const uint8_t *data,
		uint32_t data_len, struct vfio_user_fds *fds);
/** Take all eventfds back, forever. */
void vu_irq_close(struct vfio_user_conn *c);

/* ---- vfio_user_server.c ---- */

/** Have the loop take a turn. Any thread. */
void vu_server_wake(struct vfio_user_server *s);
/** Enter or leave the list of those whose peer owes something. */
void vu_server_wait(struct vfio_user_conn *c, bool on);

#endif /* VFIO_USER_INTERNAL_H */
