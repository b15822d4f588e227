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
 * This is queue height: what a driver needs, and all that it needs, whatever
 * the transport. Opening an access point takes no queue; taking a queue is the
 * allocation; putting it, closing the access point or the death of the process
 * gives it back.
 *
 * Names: "local" is a software function inside the process; "unix:PATH" is an
 * access point of the service that listens on PATH.
 *
 * All functions are control path and may be called from any thread; calls on
 * one access point serialise inside. The data path is hisi_qm_ring.h on
 * spim_queue.qp.ring, plus spim_queue_poll().
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hisi_qm.h"

/** An open access point. */
struct spim_dev;

/** What the function behind an access point is and can do. */
struct spim_info {
	uint8_t revision;      /**< HISI_QM_REV_V2 or HISI_QM_REV_V3. */
	uint8_t va;            /**< 1: addresses in requests are pointers; 0: they are IOVAs. */
	uint8_t announce;      /**< 1: the function sees announced memory only (spim_mem_map()). */
	uint8_t polled;        /**< 1: the queues' owner must call spim_queue_poll(). */
	uint16_t queues;       /**< Queues that could be taken at most. */
	uint32_t ext_features; /**< HISI_ZIP_EXT_F_* that are offered; 0: plain silicon. */
};

/** Options of a "local" function. */
struct spim_local_conf {
	uint8_t revision;  /**< HISI_QM_REV_V2 or HISI_QM_REV_V3; 0: V3. */
	uint8_t plain;     /**< 1: plain silicon, without the software extension. */
	uint8_t copy;      /**< 1: the engine copies data instead of (de)compressing it. */
	uint16_t queues;   /**< Queues of the function; 0: HISI_QM_QUEUES_MAX. */
	uint16_t workers;  /**< Engine threads; 0: the engine runs in spim_queue_poll(). */
	/** Faults to inject, for tests (qm_dev_fault.h); NULL: none. Not kept. */
	const char *fault;
	/** Creates an engine thread, see struct qm_dev_conf; NULL: pthread_create(). */
	int (*spawn)(pthread_t *thread, void *(*run)(void *), void *arg, void *priv);
	void *spawn_priv;
};

/** How an access point is opened. */
struct spim_conf {
	const char *owner;                 /**< Name of the opening device, for log lines. */
	const struct hisi_qm_mem_ops *mem; /**< Memory for rings; NULL: spim_mem_alloc()'s. */
	hisi_qm_log_t log;                 /**< Takes log lines; NULL: none. */
	/**
	 * Announces all memory that requests will use, with spim_mem_map(). Called
	 * when the function is opened and whenever it is opened again, if
	 * spim_info.announce; by whichever thread does that. Returns 0 or a negative
	 * errno. NULL: only spim_mem_alloc()'s.
	 */
	int (*announce)(struct spim_dev *dev, void *priv);
	void *announce_priv;               /**< Passed to announce. */
	struct spim_local_conf local;      /**< Options of "local". */
};

/** A queue pair of the function: one direction. */
struct spim_queue {
	struct hisi_qm_qp qp;  /**< Rings, for the data path. */
	struct hisi_qm_io *io; /**< For spim_queue_poll(). */
	uint32_t opened;       /**< Which opening of the function it was started on. */
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
 * Open a function that the caller reaches at register height itself (a PCI
 * function that a driver has mapped).
 * @param io
 *   Must outlive the access point.
 * @param va
 *   1 if the device uses pointers of this process as addresses.
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
 *   enum hisi_zip_qc_type.
 * @param depth
 *   Ring entries, see hisi_qm_qp_start().
 * @param socket
 *   NUMA socket of the rings, or -1.
 * @return
 *   0; -EBUSY if no queue is free now; see hisi_qm_qp_start().
 */
int spim_queue_take(struct spim_dev *dev, uint8_t type, uint16_t depth, int socket,
		struct spim_queue **queue);

/**
 * Let a queue finish what was submitted to it. CQEs can still be consumed
 * afterwards, and the device touches no memory for this queue any more, unless
 * it returns something other than 0 and -ENODEV, see hisi_qm_qp_stop().
 */
int spim_queue_stop(struct spim_dev *dev, struct spim_queue *queue);

/**
 * Is the function still there, and the queue its own? Cheap; for a caller that
 * has polled for long without a completion.
 * @return
 *   0; -ENOTCONN (spim_queue_lost()), or see hisi_qm_qp_check().
 */
int spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue);

/**
 * Stop a queue that has not completed anything for too long, if need be by a
 * reset of the function, see hisi_qm_qp_abort(). May take seconds.
 *
 * @return
 *   0 or -ENODEV: the device touches no memory for this queue any more;
 *   otherwise it may, and rings and data must be left to it.
 */
int spim_queue_abort(struct spim_dev *dev, struct spim_queue *queue);

/** Give a stopped queue back. */
void spim_queue_put(struct spim_dev *dev, struct spim_queue *queue);

/**
 * Let the engine of a polled function (spim_info.polled) execute up to budget
 * requests of this queue in the caller. Data path; one thread at a time per
 * queue. The only data path call through a function pointer.
 */
static inline unsigned int
spim_queue_poll(const struct spim_queue *queue, unsigned int budget)
{
	return queue->io->ops->poll(queue->io, queue->qp.ring.qn, budget);
}

/**
 * Is the function that the queue was started on gone? Costs a system call at most;
 * to be asked when completions fail to come. Never, for a function in this process.
 */
bool spim_queue_lost(struct spim_dev *dev, const struct spim_queue *queue);

/**
 * Start a queue that spim_queue_check() found lost, on a new function of the same access
 * point or on one that was reset, and submit again what was in flight
 * (hisi_qm_qp_restart() says what the caller must keep to). Opens the access point again
 * if need be and no other thread did. What a stream had on the old
 * function is lost: its next request ends with HISI_ZIP_BAD_STREAM.
 *
 * @return
 *   0; -EBUSY (no queue is free now); -ENOENT, -ECONNREFUSED, -ENOTCONN and others:
 *   not reachable now. May be tried again, at intervals.
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
 * was not consumed, or has one now, or is lost (spim_queue_check()). By its consumer; look
 * at the ring before waiting.
 */
void spim_event_arm(struct spim_dev *dev, const struct spim_queue *queue);

/**
 * The descriptor was readable: take the events, so that there can be others. Before looking
 * at the rings of the queues that were armed, as an event that is taken does not come again.
 */
void spim_event_take(struct spim_dev *dev);

/**
 * Let the function see memory of this process, if it must be announced (else: 0 at
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

/** Give it back. NULL is allowed. */
void spim_mem_free(struct spim_dev *dev, void *va);

/** Tell the function that a stream (context address as in the SQE) is over. */
void spim_stream_release(struct spim_dev *dev, uint64_t ctx_addr);

#endif /* SPIM_H */
