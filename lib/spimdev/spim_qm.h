/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIM_QM_H
#define SPIM_QM_H

/**
 * @file
 * Queues over the register level: spim_ops.h for transports that own the function's mailbox, hence
 * provide a struct hisi_qm_io.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "hisi_qm.h"
#include "hisi_qm_event.h"
#include "spim_ops.h"

/** What a transport does beyond struct hisi_qm_io. */
struct spim_qm_transport {
	/** Let go of the function and free io. */
	void (*close)(struct hisi_qm_io *io);
	/** As spim_mem_map() and spim_mem_unmap(). NULL: the function sees all memory. */
	int (*mem_map)(struct hisi_qm_io *io, void *va, size_t len, int fd, uint64_t offset);
	int (*mem_unmap)(struct hisi_qm_io *io, void *va, size_t len);
	/**
	 * 0, or a negative errno if the function is gone, and touches no memory any
	 * more. NULL: it stays. Costs a system call at most.
	 */
	int (*alive)(struct hisi_qm_io *io);
	/**
	 * Take a new function of the same access point in place of the one that is
	 * gone. Doorbells appear where the old ones were. 0 or a negative errno.
	 */
	int (*reopen)(struct hisi_qm_io *io);
	/**
	 * Have the function's vector 0 written to eventfd, and add to epfd what becomes
	 * ready when the function is gone. NULL: cannot be done.
	 */
	int (*events)(struct hisi_qm_io *io, int eventfd, int epfd);
};

/** Pages that are kept for rings and the like. */
#define SPIM_QM_SMALL_PAGES 32u

/** An access point whose function is reached by registers. */
struct spim_qm {
	struct spim_dev dev;                       /**< First. */
	struct hisi_qm_io *io;
	struct hisi_qm qm;
	struct hisi_qm_mem_ops mem_ops;            /**< If conf has none. */
	const struct spim_qm_transport *transport; /**< NULL: the function is the caller's own. */
	/**
	 * Opening again, and starting queues: on which opening one was started is certain.
	 * Outside hisi_qm's lock and mem_lock.
	 */
	pthread_mutex_t lock;
	/** Counts openings; a queue started on an earlier one is lost. Written under lock. */
	_Atomic uint32_t opened;
	bool half_open;                            /**< Opened again, but not to the end. */
	bool reported;                             /**< That it cannot be opened was said. */
	uint8_t *small;                            /**< SPIM_QM_SMALL_PAGES; one of the chunks. */
	uint32_t small_used;                       /**< A bit per page; under mem_lock. */
	int epfd;                                  /**< spim_event_fd(), or -1. */
	int eventfd;                               /**< What the function writes to. */
	struct hisi_qm_event event;
};

/** A queue of it. */
struct spim_qm_queue {
	struct spim_queue queue; /**< First. Its ring is that of qp. */
	struct hisi_qm_qp qp;
	uint32_t opened;         /**< Which opening of the function it was started on. */
};

static inline struct spim_qm *
spim_qm_of(struct spim_dev *dev)
{
	return (struct spim_qm *)dev;
}

static inline struct spim_qm_queue *
spim_qm_queue_of(const struct spim_queue *queue)
{
	return (struct spim_qm_queue *)(uintptr_t)queue;
}

/**
 * Make an access point of a function.
 * @param io, transport
 *   Its own from now on, also if this fails; unless transport is NULL: then the caller's.
 */
int spim_qm_open(struct hisi_qm_io *io, const struct spim_qm_transport *transport, int va,
		const struct spim_conf *conf, struct spim_dev **dev);

/* ---- Transports ---- */

/**
 * Make a software function in the process (spim_local.c).
 * @return 0 and the function at register level, or -EINVAL, -ENOMEM.
 */
int spim_local_open(const struct spim_conf *conf, struct hisi_qm_io **io);

extern const struct spim_qm_transport spim_local_transport;

/**
 * Connect to the service that listens on path (spim_unix.c).
 * @return
 *   0, -ENAMETOOLONG, what connect() gives, -EPROTO (no service of ours), -ENODEV
 *   (a function of another class), -ENOTCONN, -ETIMEDOUT, -ENOMEM.
 */
int spim_unix_open(const char *path, const struct spim_conf *conf, struct hisi_qm_io **io);

extern const struct spim_qm_transport spim_unix_transport;

/* ---- Memory for rings and the like (spim_qm_mem.c) ---- */

/**
 * Allocate the memory that small allocations come from. One message to a service registers all of
 * it. @return 0 or a negative errno.
 */
int spim_qm_mem_init(struct spim_qm *d);

/** struct hisi_qm_mem_ops over spim_mem_alloc(); priv is the struct spim_qm. */
int spim_qm_mem_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem);
void spim_qm_mem_free(void *priv, struct hisi_qm_mem *mem);

/* ---- Events (spim_qm_event.c) ---- */

/** As the ops of spim_ops.h. */
int spim_qm_event_fd(struct spim_dev *dev);
void spim_qm_event_arm(struct spim_dev *dev, const struct spim_queue *queue);
void spim_qm_event_take(struct spim_dev *dev);

/** Have events of a function that was opened again, if they are wanted. The lock is held. */
int spim_qm_event_reopen(struct spim_qm *d);

/** Have them of a function that may have been reset. The lock is held. */
int spim_qm_event_renew(struct spim_qm *d);

/** End them. */
void spim_qm_event_end(struct spim_qm *d);

#endif /* SPIM_QM_H */
