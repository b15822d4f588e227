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
 * Names: "local" is a software function inside the process.
 *
 * All functions are control path and may be called from any thread; calls on
 * one access point serialise inside. The data path is hisi_qm_ring.h on
 * spim_queue.qp.ring, plus spim_queue_poll().
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "hisi_qm.h"

/** An open access point. */
struct spim_dev;

/** What the function behind an access point is and can do. */
struct spim_info {
	uint8_t revision;      /**< HISI_QM_REV_V2 or HISI_QM_REV_V3. */
	/**
	 * 1: addresses in requests are pointers of this process.
	 * 0: they are IOVAs.
	 */
	uint8_t va;
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
	/** Faults to inject, for tests (zip_dev_fault.h); NULL: none. Not kept. */
	const char *fault;
	/** Creates an engine thread, see struct zip_dev_conf; NULL: pthread_create(). */
	int (*spawn)(pthread_t *thread, void *(*run)(void *), void *arg, void *priv);
	void *spawn_priv;
};

/** How an access point is opened. */
struct spim_conf {
	const char *owner;                 /**< Name of the opening device, for log lines. */
	const struct hisi_qm_mem_ops *mem; /**< Memory for rings; NULL: anonymous memory. */
	hisi_qm_log_t log;                 /**< Takes log lines; NULL: none. */
	struct spim_local_conf local;      /**< Options of "local". */
};

/** A queue pair of the function: one direction. */
struct spim_queue {
	struct hisi_qm_qp qp;  /**< Rings, for the data path. */
	struct hisi_qm_io *io; /**< For spim_queue_poll(). */
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
 * has polled for long without a completion. See hisi_qm_qp_check().
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

/** Let the function see memory at an IOVA. 0 at once where that is not needed. */
int spim_mem_map(struct spim_dev *dev, void *va, uint64_t iova, size_t len);

/** Take that back: on return the function does not touch it any more. */
int spim_mem_unmap(struct spim_dev *dev, uint64_t iova, size_t len);

/** Tell the function that a stream (context address as in the SQE) is over. */
void spim_stream_release(struct spim_dev *dev, uint64_t ctx_addr);

#endif /* SPIM_H */
