/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_SERVER_H
#define VFIO_USER_SERVER_H

/**
 * @file
 * A vfio-user server: devices on unix sockets, any number of sockets and tens
 * of thousands of connections, in one thread that is the owner's.
 *
 * Each connection is a device of its own. The owner describes it (struct
 * vfio_user_device), and gets what clients do to it through one table of
 * operations. The server keeps what the protocol keeps: framing, capabilities,
 * the eventfds of interrupts, outstanding replies. Client memory is the owner's.
 *
 * Threads: everything here is called from the thread that calls
 * vfio_user_server_run(), the loop thread, except where it says "any thread".
 * Operations are called from the loop thread, and must not block it: one that
 * has to wait returns VFIO_USER_DEFERRED and is completed later.
 *
 * Clients are hostile. A request that is wrong gets an error reply, a stream
 * that cannot be followed any more is closed; either way with one log line
 * that names the peer, the value and what was expected.
 * A connection costs less than 1 KiB when idle; a message that is being
 * received costs its own size, and what was not read by the peer is bounded.
 * Nobody gets more than a small share of the loop's time per turn. A peer that does not read its
 * replies for 10 s, or does not end the message that it began 10 s ago, is closed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base_log.h"
#include "vfio_user_proto.h"

struct vfio_user_server;
struct vfio_user_conn;

/* ---- What a device is ---------------------------------------------------------------------- */

/** A region. */
struct vfio_user_region {
	uint64_t size;  /**< Bytes; 0: there is no such region. */
	uint32_t flags; /**< VFIO_USER_REGION_F_READ, _WRITE, _MMAP (asks ops->region_mmap). */
};

/** An interrupt index. */
struct vfio_user_irq {
	uint32_t count; /**< Vectors, 0 to VFIO_USER_VECTORS_MAX. */
	uint32_t flags; /**< VFIO_USER_IRQ_F_*; without _MASKABLE, masking is refused. */
};

#define VFIO_USER_VECTORS_MAX 2048u
#define VFIO_USER_REGIONS_MAX 64u

/** A kind of device; shared by connections, and constant while any of them lives. */
struct vfio_user_device {
	uint32_t flags; /**< VFIO_USER_DEVICE_F_*. */
	uint32_t num_regions; /**< Up to VFIO_USER_REGIONS_MAX. */
	uint32_t num_irqs;
	const struct vfio_user_region *regions;
	const struct vfio_user_irq *irqs;
	/**
	 * Offered to clients that know it; NULL: to nobody. doorbell_region must
	 * be the last region: other clients see num_regions - 1.
	 */
	const struct vfio_user_spim *spim;
};

#define VFIO_USER_AREAS_MAX 8u

/** What of a region may be mapped. */
struct vfio_user_mmap {
	int fd;           /**< A file; stays the owner's. */
	uint64_t offset;  /**< Where the region begins in it, whole pages. */
	uint32_t nr_areas; /**< 0: the whole region; else up to VFIO_USER_AREAS_MAX parts. */
	struct vfio_user_area areas[VFIO_USER_AREAS_MAX];
};

/** Client memory that the device may use. */
struct vfio_user_dma {
	uint64_t iova; /**< First address for the device, whole pages of VFIO_USER_PAGE bytes. */
	uint64_t size; /**< Bytes; iova + size may be 2^64. */
	uint32_t prot; /**< VFIO_USER_DMA_F_*. */
	/**
	 * Any descriptor that the client has; -1: none came, so that the device cannot reach the
	 * memory. It is closed when the operation returns. If that is 0, the owner has something
	 * that keeps the file, so that nothing ends with the descriptor.
	 */
	int fd;
	uint64_t offset; /**< Where in the file, whole pages; offset + size is at most 2^63. */
};

/* ---- What the owner does ------------------------------------------------------------------- */

/** What the owner answers when somebody connects. */
struct vfio_user_conn_conf {
	void *priv;                            /**< Passed to the operations. */
	const struct vfio_user_device *device; /**< What the client shall see. */
	uint32_t maps_max; /**< Maps, as the client is told; 0: VFIO_USER_DMA_MAPS_MAX. */
};

/**
 * An operation's return: the owner will call vfio_user_conn_complete(), once; or never, if
 * ops->closed comes first.
 */
#define VFIO_USER_DEFERRED 1

/**
 * The operations. Each that returns int returns 0 or a negative errno, which the
 * client gets as an error reply. "May be deferred": may return
 * VFIO_USER_DEFERRED; until completed, the connection's further requests wait,
 * others are served.
 */
struct vfio_user_ops {
	/**
	 * Somebody connected to a listener; the peer is known already
	 * (vfio_user_conn_peer()). Fill conf, or refuse (closes the socket), and log why.
	 */
	int (*connected)(struct vfio_user_conn *conn, void *listener_priv,
			struct vfio_user_conn_conf *conf);
	/**
	 * VERSION is agreed upon (vfio_user_conn_spim() is valid). Optional;
	 * an error refuses the client.
	 */
	int (*negotiated)(struct vfio_user_conn *conn, void *priv);
	/**
	 * Read count bytes (1 to the negotiated most) of a region, which has
	 * them and may be read. May be deferred: buf stays valid until then.
	 */
	int (*region_read)(struct vfio_user_conn *conn, void *priv, uint32_t region,
			uint64_t offset, void *buf, uint32_t count);
	/** Write. May be deferred; buf is valid only during the call. */
	int (*region_write)(struct vfio_user_conn *conn, void *priv, uint32_t region,
			uint64_t offset, const void *buf, uint32_t count);
	/**
	 * What may be mapped of a region with VFIO_USER_REGION_F_MMAP; NULL if there is none. A
	 * connection gets the descriptor of each region once.
	 */
	int (*region_mmap)(struct vfio_user_conn *conn, void *priv, uint32_t region,
			struct vfio_user_mmap *mmap);
	/**
	 * New client memory. The owner checks that it overlaps no other map, and knows how much a
	 * client may have. why may be set to what is wrong, for the log line. Optional.
	 */
	int (*dma_map)(struct vfio_user_conn *conn, void *priv, const struct vfio_user_dma *dma,
			const char **why);
	/**
	 * Memory is taken back: all maps in [iova, iova + size), none of which may lie half
	 * inside. When it is done (or completed), the device must not touch them any more.
	 * size 0 with iova 0: all of 2^64 bytes. bytes is set to the sum of the maps' sizes
	 * (modulo 2^64), also if it is deferred, which it may be. Optional.
	 */
	int (*dma_unmap)(struct vfio_user_conn *conn, void *priv, uint64_t iova, uint64_t size,
			uint64_t *bytes);
	/** The client set or took back eventfds: so many vectors of index have one. Optional. */
	void (*irqs)(struct vfio_user_conn *conn, void *priv, uint32_t index, uint32_t enabled);
	/**
	 * The server keeps n more descriptors for the connection, beside its socket: eventfds,
	 * those of messages that are not complete or not served yet, those of replies that were
	 * not read. Refuse with an error, and log why: then they are closed, and the request
	 * fails. Optional.
	 */
	int (*fds_take)(struct vfio_user_conn *conn, void *priv, uint32_t n);
	/** It closed n of them. Optional. */
	void (*fds_put)(struct vfio_user_conn *conn, void *priv, uint32_t n);
	/** DEVICE_RESET. May be deferred. NULL: refused. */
	int (*reset)(struct vfio_user_conn *conn, void *priv);
	/**
	 * The connection is over, and what was deferred is not to be completed any more: the
	 * last operation. The owner must call vfio_user_conn_release(), now or when its device
	 * has let go of the client's memory; it may hang up (vfio_user_conn_hang_up()) before.
	 */
	void (*closed)(struct vfio_user_conn *conn, void *priv);
};

/** How a server is made. */
struct vfio_user_server_conf {
	const char *name;                /**< In log lines; must stay valid. */
	const struct vfio_user_ops *ops; /**< Must stay valid. */
	/** Whom a user id counts as (struct vfio_user_peer); NULL: as itself. */
	uid_t (*owner)(uid_t uid);
	struct base_log log;
	/**
	 * Takes the lines about what clients did wrong, of whom owner is one; NULL: log does.
	 * Clients decide how many there are, so whoever takes them limits what is kept of each
	 * owner's.
	 */
	void (*complain)(uid_t owner, const char *line, void *priv);
};

/* ---- Server -------------------------------------------------------------------------------- */

/** @return 0, -EINVAL (the log line says what), -ENOMEM, or what epoll_create1() etc. give. */
int vfio_user_server_create(const struct vfio_user_server_conf *conf,
		struct vfio_user_server **server);

/**
 * Close all listeners and connections, call closed for each, and free the server.
 * Connections that were not released yet may be released after that, too. NULL: nothing.
 */
void vfio_user_server_destroy(struct vfio_user_server *server);

/**
 * Listen on a path. A socket that nobody listens on any more is replaced; the
 * path is removed at the end.
 *
 * @param mode
 *   Permissions of the socket, such as 0666: who may connect.
 * @param priv
 *   Passed to ops->connected.
 * @return 0, -EADDRINUSE, -ENAMETOOLONG (108 bytes), or what socket() etc. give.
 */
int vfio_user_server_listen(struct vfio_user_server *server, const char *path, mode_t mode,
		void *priv);

/** @return An fd that is readable when vfio_user_server_run() has something to do. */
int vfio_user_server_fd(const struct vfio_user_server *server);

/**
 * One turn: serve whoever has something, each a bounded share.
 * @param timeout_ms
 *   How long to wait for something to do; 0: not; -1: as long as it takes.
 * @return Connections and events served, 0 after the timeout, or -errno of epoll_wait (not EINTR).
 */
int vfio_user_server_run(struct vfio_user_server *server, int timeout_ms);

/** Counters of a server, all connections together. */
struct vfio_user_server_stats {
	uint32_t conns;           /**< Open now. */
	uint64_t accepted;        /**< Connections so far. */
	uint64_t refused;         /**< Turned away by ops->connected, or out of memory. */
};

/** Loop thread. */
void vfio_user_server_stats_get(const struct vfio_user_server *server,
		struct vfio_user_server_stats *stats);

/** Call f for each open connection; it must not close any. */
void vfio_user_server_each(struct vfio_user_server *server,
		void (*f)(struct vfio_user_conn *conn, void *arg), void *arg);

/* ---- Connection ---------------------------------------------------------------------------- */

/** Who is at the other end (SO_PEERCRED: who called connect()). */
struct vfio_user_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	uid_t owner; /**< Whom it counts as wherever users have shares or limits. */
};

/** Any thread, until released. */
const struct vfio_user_peer *vfio_user_conn_peer(const struct vfio_user_conn *conn);

/** The owner's own, as given in ops->connected. Any thread, until released. */
void *vfio_user_conn_priv(const struct vfio_user_conn *conn);

/** A number that no other connection of this server has had. Any thread, until released. */
uint64_t vfio_user_conn_id(const struct vfio_user_conn *conn);

/** Whether the client knows "spim" and was offered it. */
bool vfio_user_conn_spim(const struct vfio_user_conn *conn);

/**
 * Complete a deferred operation: rc is what it would have returned. Not from within an
 * operation; serves the connection's requests that waited.
 */
void vfio_user_conn_complete(struct vfio_user_conn *conn, int rc);

/**
 * End it at the end of the turn; reason goes to the log, NULL: no line. The peer gets no
 * more answers, and sees the end of the socket with vfio_user_conn_release().
 */
void vfio_user_conn_close(struct vfio_user_conn *conn, const char *reason);

/**
 * After closed: the peer sees the end of the socket, before vfio_user_conn_release() that it sees
 * with that at the latest. It may use its memory for something else from now on. Any thread.
 */
void vfio_user_conn_hang_up(struct vfio_user_conn *conn);

/**
 * After closed: whether the peer may not have read a descriptor that it was sent. Until it has, or
 * has closed its socket, the kernel counts that as one of ours in flight (unix(7), ETOOMANYREFS),
 * also after our end is closed. Any thread.
 */
bool vfio_user_conn_is_unread(const struct vfio_user_conn *conn);

/** After closed: close the socket, free the connection. Any thread. */
void vfio_user_conn_release(struct vfio_user_conn *conn);

/**
 * Raise an interrupt. Any thread, until released; never blocks, whatever the
 * client does with its eventfd. A masked vector is raised when it is unmasked.
 * @return 0, -ENOENT (no eventfd), -EINVAL (no such vector), -ENOTCONN.
 */
int vfio_user_conn_irq(struct vfio_user_conn *conn, uint32_t index, uint32_t vector);

/** Counters of a connection. */
struct vfio_user_conn_stats {
	uint64_t messages;   /**< Received. */
	uint64_t errors;     /**< Requests refused. */
	uint64_t irqs;       /**< Interrupts raised. */
	uint32_t eventfds;   /**< Held now. */
	uint32_t out_bytes;  /**< Waiting for the peer to read. */
};

/** Loop thread. */
void vfio_user_conn_stats_get(struct vfio_user_conn *conn, struct vfio_user_conn_stats *stats);

#endif /* VFIO_USER_SERVER_H */
