/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIM_H
#define SPIM_H

/**
 * @file
 * How a process reaches a shared accelerator: an access point is opened by
 * name, and a hardware queue is taken from it when work is first submitted.
 *
 * This is the queue level: what a driver needs, and all that it needs, whatever
 * the transport and the accelerator class. Opening an access point takes no queue;
 * taking a queue is the allocation. Putting it, closing the access point or the
 * end of the process releases it. spim_ops.h is what a transport implements.
 *
 * Names: "local" is a software function inside the process; "unix:PATH" is an
 * access point of the service that listens on PATH.
 *
 * All functions are control path and may be called from any thread; calls on
 * one access point serialise inside. The data path is hisi_qm_ring.h on
 * spim_queue.ring, plus spim_queue_poll().
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base_log.h"
#include "hisi_qm_io.h"
#include "hisi_qm_ring.h"

/** An open access point. */
struct spim_dev;

/** What the function behind an access point is and can do. */
struct spim_info {
	uint8_t revision;      /**< PCI revision id: HISI_QM_REV_V2, HISI_QM_REV_V3 or later. */
	uint8_t va;            /**< 1: addresses in requests are pointers; 0: they are IOVAs. */
	uint8_t mem_register;  /**< 1: the function sees registered memory only (spim_mem_map()). */
	uint8_t polled;        /**< 1: the queues' owner must call spim_queue_poll(). */
	uint16_t queues;       /**< Queues that could be taken at most. */
	uint32_t ext_features; /**< Feature bits of the extension (EXT 1); 0: plain silicon. */
};

/** Options of a "local" function. */
struct spim_local_conf {
	uint8_t revision;  /**< HISI_QM_REV_V2 or HISI_QM_REV_V3; 0: V3. */
	uint8_t plain;     /**< 1: plain silicon, without the software extension. */
	uint8_t copy;      /**< 1: the function copies data instead of (de)compressing it. */
	uint16_t queues;   /**< Queues of the function; 0: HISI_QM_QUEUES_MAX. */
	uint16_t workers;  /**< Workers; 0: spim_queue_poll() executes requests. */
	/** Faults to inject, for tests (qm_dev_fault.h); NULL: none. Not kept. */
	const char *fault;
	/** Names of quirks, for tests (zip_dev_quirk.h); NULL or empty: none. Not kept. */
	const char *quirk;
	/** Creates the thread of a worker, see struct qm_dev_conf; NULL: pthread_create(). */
	int (*spawn)(pthread_t *thread, void *(*run)(void *), void *arg, void *priv);
	void *spawn_priv;
};

/** How an access point is opened. */
struct spim_conf {
	const char *owner;                 /**< Name of the opening device, for log lines. */
	uint16_t device;                   /**< PCI device id that a service must have; 0: any. */
	const struct hisi_qm_mem_ops *mem; /**< Memory for rings; NULL: spim_mem_alloc()'s. */
	struct base_log log;               /**< Takes log lines. */
	/**
	 * Registers all memory that requests will use, with spim_mem_map(). Called
	 * when the function is opened and whenever it is opened again, if
	 * spim_info.mem_register; by whichever thread does that. Returns 0 or a negative
	 * errno. NULL: only spim_mem_alloc()'s.
	 */
	int (*mem_register)(struct spim_dev *dev, void *priv);
	void *mem_register_priv;           /**< Passed to mem_register. */
	struct spim_local_conf local;      /**< Options of "local". */
};

/** A queue that was taken, as the data path sees it. Constant until it is put. */
struct spim_queue {
	struct hisi_qm_ring *ring;  /**< Its rings and doorbells. */
	struct hisi_qm_io *poll_io; /**< Whom spim_queue_poll() calls; NULL: not polled. */
};

/**
 * Open an access point.
 *
 * @param name
 *   See above.
 * @param conf
 *   Copied; what mem, log and owner point to must outlive the access point.
 * @return
 *   0; -EINVAL (name or an option, the log line says which), -ENOTSUP (a
 *   transport that this build does not have), or what the transport failed with.
 */
int spim_open(const char *name, const struct spim_conf *conf, struct spim_dev **dev);

/**
 * Open a function that the caller reaches at register level itself (a PCI
 * function that a driver has mapped).
 * @param io
 *   Must outlive the access point.
 * @param va
 *   1 if the function uses pointers of this process as addresses.
 */
int spim_open_io(struct hisi_qm_io *io, int va, const struct spim_conf *conf,
		struct spim_dev **dev);

/** Close an access point. All queues must have been put. */
void spim_close(struct spim_dev *dev);

/** Say what the function is. */
void spim_info_get(const struct spim_dev *dev, struct spim_info *info);

/**
 * Take a queue and start it.
 *
 * @param type
 *   Queue type, as the accelerator class defines it (QM 3.1).
 * @param depth
 *   Entries of both rings: a power of two, HISI_QM_RING_DEPTH_MIN to _MAX, of which at most
 *   depth - 1 may be in flight. A transport may give more; ring->mask has the number.
 * @param socket
 *   NUMA socket of the rings, or -1. A wish.
 * @return
 *   0; -EBUSY: no queue is free now; -EINVAL (depth, or a type that the function does not
 *   have), -ENOMEM, -ENODEV, or what the transport failed with.
 */
int spim_queue_take(struct spim_dev *dev, uint8_t type, uint16_t depth, int socket,
		struct spim_queue **queue);

/**
 * Let a queue finish what was submitted to it. CQEs can still be consumed
 * afterwards. May take seconds.
 *
 * @return
 *   0 or -ENODEV (the function is gone): the function touches no memory for this queue any
 *   more; otherwise it may, and rings and data must be left to it.
 */
int spim_queue_stop(struct spim_dev *dev, struct spim_queue *queue);

/**
 * Is the function still there, and the queue its own? Cheap; for a caller that
 * has polled for long without a completion.
 * @return
 *   0; -ENOTCONN: the function that it was taken from is gone, spim_queue_restart() may find
 *   another; -ENODEV: it is gone for good; -ESTALE: the queue was lost in a reset. In these
 *   cases nothing will complete any more.
 */
int spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue);

/**
 * How often the function was opened again after it was gone, by spim_queue_take() or
 * spim_queue_restart(): with another number it is another function, which may be of another
 * version.
 */
uint32_t spim_opened(struct spim_dev *dev);

/**
 * Stop a queue that has not completed anything for too long, if need be by a
 * reset of the function, in which its other queues are lost, too. May take seconds.
 *
 * @return As spim_queue_stop().
 */
int spim_queue_abort(struct spim_dev *dev, struct spim_queue *queue);

/** Put a stopped queue. */
void spim_queue_put(struct spim_dev *dev, struct spim_queue *queue);

/**
 * Let a polled function (spim_info.polled) execute up to budget
 * requests of this queue in the caller. Data path; one thread at a time per
 * queue. The only data path call through a function pointer.
 */
static inline unsigned int
spim_queue_poll(const struct spim_queue *queue, unsigned int budget)
{
	return queue->poll_io->ops->poll(queue->poll_io, queue->ring->qn, budget);
}

/**
 * Start a queue that spim_queue_check() found lost, on a new function of the same access
 * point or on one that was reset, and submit again what was in flight: all that was rung
 * for and whose CQE was not stepped over, in the slots where it is. By the consumer, with
 * all CQEs that are ready stepped over; the producer may go on meanwhile, if the function
 * was gone (-ENOTCONN). Opens the access point again if need be and no other thread did.
 * What requests had left behind in the old function is lost.
 *
 * @return
 *   0; -ENOTSUP: never on this transport, whose spim_queue_check() does not tell -ENOTCONN;
 *   -EBUSY (no queue is free now); -ENOENT, -ECONNREFUSED, -ENOTCONN and others: not reachable
 *   now. May be tried again, at intervals.
 */
int spim_queue_restart(struct spim_dev *dev, struct spim_queue *queue);

/*
 * Events. One thread uses these three functions, and takes and restarts the queues.
 */

/**
 * Get a descriptor to wait on: readable when an armed queue has completions, and when
 * the function is gone. For poll(), select() and epoll only; closed by spim_close().
 * @return
 *   The descriptor, -ENOTSUP (a transport without), or what could not be had.
 */
int spim_event_fd(struct spim_dev *dev);

/**
 * Arm a queue: the descriptor becomes readable, once, when the queue has a completion that
 * was not consumed, or has one now, or is lost (spim_queue_check()). By its consumer; poll
 * the ring before waiting.
 */
void spim_event_arm(struct spim_dev *dev, const struct spim_queue *queue);

/**
 * The descriptor was readable: take the events, so that there can be others. Before the rings
 * of the queues that were armed are polled, as an event that is taken does not come again.
 */
void spim_event_take(struct spim_dev *dev);

/**
 * Let the function see memory of this process, if it must be registered (else: 0 at
 * once). Addresses in requests are then pointers into it.
 *
 * @param va, len, offset
 *   Multiples of the page size of the memory.
 * @param fd
 *   The file that is mapped there, from offset on (memfd, tmpfs, hugetlbfs), shared;
 *   may be closed afterwards.
 * @return 0; -EEXIST (overlaps another one), -ENOSPC, -EMFILE (limits of the service), -ENOTCONN.
 */
int spim_mem_map(struct spim_dev *dev, void *va, size_t len, int fd, uint64_t offset);

/** Take back all of it in [va, va + len): on return the function touches it no more. */
int spim_mem_unmap(struct spim_dev *dev, void *va, size_t len);

/**
 * Zeroed memory that the function can see, wherever it is, for those who have no
 * other. Whole pages: not for small things.
 * @return NULL and errno if there is none.
 */
void *spim_mem_alloc(struct spim_dev *dev, size_t len);

/** Free it. NULL is allowed. */
void spim_mem_free(struct spim_dev *dev, void *va);

/**
 * Write a register of the accelerator class that a feature bit of spim_info.ext_features
 * offers, with one store. Nothing else is for the users of queues.
 */
void spim_reg_write64(struct spim_dev *dev, uint32_t off, uint64_t value);

#endif /* SPIM_H */
