/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_CLIENT_H
#define VFIO_USER_CLIENT_H

/**
 * @file
 * A vfio-user client: a device behind a unix socket.
 *
 * Threads: every function may be called by any thread at any time, except
 * vfio_user_client_close(), which must be the last. Calls that wait for an
 * answer are served one after the other; a posted write does not wait for them.
 *
 * A call waits at most the timeout, then returns -ETIMEDOUT; the connection
 * stays usable. A server that is gone, or that says what makes no sense, makes
 * this and every further call return -ENOTCONN, at once.
 */

#include <stddef.h>
#include <stdint.h>

#include "base_log.h"
#include "vfio_user_proto.h"

struct vfio_user_client;

/** How to connect. */
struct vfio_user_client_conf {
	uint32_t timeout_ms; /**< Of every call; 0: 5000. */
	int spim;            /**< 1: ask for shadow doorbells. */
	struct base_log log;
};

/**
 * Connect and negotiate.
 * @return
 *   0, what connect() gives (-ENOENT, -ECONNREFUSED, -EACCES), -ENAMETOOLONG,
 *   -ENOTCONN (closed by the server), -EPROTO (no vfio-user 0.0 server),
 *   -ETIMEDOUT, -ENOMEM, or what the server says.
 */
int vfio_user_client_connect(const char *path, const struct vfio_user_client_conf *conf,
		struct vfio_user_client **client);

/** The same over a connected stream socket, taken over in any case. */
int vfio_user_client_adopt(int fd, const struct vfio_user_client_conf *conf,
		struct vfio_user_client **client);

/** Disconnect and free. NULL: nothing. */
void vfio_user_client_close(struct vfio_user_client *client);

/**
 * Is the server's end of the connection open? It may be when calls fail with -ENOTCONN
 * already (the server answered nonsense, or not in time), and then the device may still
 * touch the memory that it was given; with its end closed, it does so no more.
 * @return 0, or -ENOTCONN if the server is gone. Polls without waiting.
 */
int vfio_user_client_alive(struct vfio_user_client *client);

/** @return The socket, to be polled for POLLRDHUP only: set when the server is gone. */
int vfio_user_client_fd(const struct vfio_user_client *client);

/** What the server said about shadow doorbells; NULL: it does not know them. */
const struct vfio_user_spim *vfio_user_client_spim(const struct vfio_user_client *client);

/** A region as a client sees it. */
struct vfio_user_client_region {
	uint64_t size;
	uint32_t flags;    /**< VFIO_USER_REGION_F_*. */
	int fd;            /**< To be mapped, the caller's to close; -1: none. */
	uint64_t offset;   /**< Where the region begins in it. */
	uint32_t nr_areas; /**< Parts that may be mapped; 0: all of it (if fd is not -1). */
	struct vfio_user_area areas[8];
};

/** DEVICE_GET_REGION_INFO. */
int vfio_user_client_region_info(struct vfio_user_client *client, uint32_t index,
		struct vfio_user_client_region *region);

/** Read count bytes of a region, at least 1. @return 0, -EINVAL (more than the server takes). */
int vfio_user_client_region_read(struct vfio_user_client *client, uint32_t region,
		uint64_t offset, void *buf, uint32_t count);

/**
 * Write without waiting for the device (in order with later calls of this
 * thread). Waits only if the server has so much to read that the socket is full.
 */
int vfio_user_client_region_post(struct vfio_user_client *client, uint32_t region,
		uint64_t offset, const void *buf, uint32_t count);

/**
 * Let the device see memory.
 * @param fd
 *   The file that it is (memfd, tmpfs or hugetlbfs); not taken over.
 * @param offset
 *   Where in the file.
 * @param prot
 *   VFIO_USER_DMA_F_*.
 * iova, size and offset are multiples of VFIO_USER_PAGE.
 * @return 0, -EEXIST (overlaps), -ENOSPC, -EMFILE (the server's limits), -EINVAL and others.
 */
int vfio_user_client_dma_map(struct vfio_user_client *client, uint64_t iova, uint64_t size,
		int fd, uint64_t offset, uint32_t prot);

/**
 * Take back all maps in [iova, iova + size); on return the device touches them no more.
 * @return 0 (also if there was none), -EINVAL (one lies half inside) and others.
 */
int vfio_user_client_dma_unmap(struct vfio_user_client *client, uint64_t iova, uint64_t size);

/** DEVICE_RESET. */
int vfio_user_client_reset(struct vfio_user_client *client);

/**
 * Set the eventfds (not taken over) of vectors [start, start + count), up to
 * VFIO_USER_FDS_MAX at a time; fds NULL: take them back. count 0: all of index.
 */
int vfio_user_client_set_irqs(struct vfio_user_client *client, uint32_t index, uint32_t start,
		uint32_t count, const int *fds);

#endif /* VFIO_USER_CLIENT_H */
