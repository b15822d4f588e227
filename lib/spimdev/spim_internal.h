/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIM_INTERNAL_H
#define SPIM_INTERNAL_H

/** @file What the transports and spim.c share. */

#include <stdatomic.h>

#include "hisi_qm_event.h"
#include "spim.h"

/** Send a line to conf->log, with the owner's name in front. */
void spim_log(const struct spim_conf *conf, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** What a transport does beyond register height. */
struct spim_transport {
	/** Let go of the function and free io. */
	void (*close)(struct hisi_qm_io *io);
	/** As spim_mem_map() and spim_mem_unmap(). NULL: the function sees all memory. */
	int (*mem_map)(struct hisi_qm_io *io, void *va, size_t len, int fd, uint64_t offset);
	int (*mem_unmap)(struct hisi_qm_io *io, void *va, size_t len);
	/**
	 * 0, or a negative errno if the function is gone, and touches no memory any
	 * more. NULL: it stays.
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

/**
 * Make a software function in the process.
 * @return 0 and the function at register height, or -EINVAL, -ENOMEM.
 */
int spim_local_open(const struct spim_conf *conf, struct hisi_qm_io **io);

extern const struct spim_transport spim_local_transport;

/**
 * Connect to the service that listens on path.
 * @return
 *   0, -ENAMETOOLONG, what connect() gives, -EPROTO (no service of ours), -ENODEV
 *   (not a ZIP function), -ENOTCONN, -ETIMEDOUT, -ENOMEM.
 */
int spim_unix_open(const char *path, const struct spim_conf *conf, struct hisi_qm_io **io);

extern const struct spim_transport spim_unix_transport;

/* ---- Memory (spim_mem.c) ---- */

/** A piece of memory from spim_mem_alloc(). */
struct spim_chunk {
	struct spim_chunk *next;
	void *va;
	size_t len;
	int fd; /**< Of the memory, or -1 if nobody else needs to see it. */
};

/** Pages that are kept for rings and the like. */
#define SPIM_SMALL_PAGES 32u

/**
 * Take the memory that spim_mem_qm_alloc() gives small pieces of: one announcement, of which
 * each is a message to a service, for all of them. @return 0 or a negative errno.
 */
int spim_mem_qm_init(struct spim_dev *dev);

/** struct hisi_qm_mem_ops over spim_mem_alloc(); priv is the struct spim_dev. */
int spim_mem_qm_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem);
void spim_mem_qm_free(void *priv, struct hisi_qm_mem *mem);

/** Announce all chunks to a function that was opened, or opened again. */
int spim_mem_announce(struct spim_dev *dev);

/* ---- Events (spim_event.c) ---- */

/** Have events of a function that was opened again, if they are wanted. dev->lock is held. */
int spim_event_reopen(struct spim_dev *dev);

/** Have them of a function that may have been reset. dev->lock is held. */
int spim_event_renew(struct spim_dev *dev);

/** End them. */
void spim_event_end(struct spim_dev *dev);

/* ---- Access point ---- */

struct spim_dev {
	struct spim_conf conf;
	struct spim_info info;
	struct hisi_qm_io *io;
	struct hisi_qm qm;
	struct hisi_qm_mem_ops mem_ops;         /**< If conf has none. */
	const struct spim_transport *transport; /**< NULL: the function is the caller's own. */
	/**
	 * Opening again, and starting queues: on which opening one was started is certain.
	 * Outside hisi_qm's lock and mem_lock.
	 */
	pthread_mutex_t lock;
	/** Counts openings; a queue started on an earlier one is lost. Written under lock. */
	_Atomic uint32_t opened;
	bool half_open;                         /**< Opened again, but not to the end. */
	bool reported;                          /**< That it cannot be opened was said. */
	pthread_mutex_t mem_lock;               /**< chunks. */
	struct spim_chunk *chunks;
	uint8_t *small;                         /**< SPIM_SMALL_PAGES; one of the chunks. */
	uint32_t small_used;                    /**< A bit per page; under mem_lock. */
	int epfd;                               /**< spim_event_fd(), or -1. */
	int eventfd;                            /**< What the function writes to. */
	struct hisi_qm_event event;
};

#endif /* SPIM_INTERNAL_H */
