/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_H
#define HISI_QM_H

/**
 * @file
 * Driver side of the queue manager: brings a function up for polled use and
 * makes and frees queue pairs. Knows nothing of what the queues are used for.
 *
 * All functions here are control path; any thread may call them at any time,
 * they serialise on a lock of the struct hisi_qm. The data path is
 * hisi_qm_ring.h.
 */

#include <pthread.h>
#include <stdint.h>

#include "base_log.h"
#include "hisi_qm_io.h"
#include "hisi_qm_ring.h"

/** A function that has been brought up. */
struct hisi_qm {
	struct hisi_qm_io *io;
	const struct hisi_qm_mem_ops *mem;
	struct base_log log;
	pthread_mutex_t lock;      /**< Mailbox and queue allocation. */
	uint16_t queues;           /**< Queues of the function. */
	uint16_t ctx_queues;       /**< Queues that ctx has room for: as many as there were. */
	struct hisi_qm_mem ctx;    /**< SQC array, then CQC array. */
	uint64_t used[HISI_QM_QUEUES_MAX / 64]; /**< Bit set: queue is taken. */
	/** How often all queues were lost in a reset; read without the lock. */
	uint32_t resets;
};

/** One queue pair. */
struct hisi_qm_qp {
	struct hisi_qm_ring ring;  /**< For the data path. */
	struct hisi_qm_mem mem;    /**< SQ, then CQ, then room for two context images. */
	uint8_t type;              /**< As given to hisi_qm_qp_start(). */
	uint32_t resets;           /**< hisi_qm.resets when it was started. */
};

/**
 * Bring a function up, polled: no event queues, no interrupts (QM 2.6).
 *
 * @param io
 *   The function; must outlive qm.
 * @param mem
 *   Where contexts and rings come from; must outlive qm.
 * @return
 *   0; -ENODEV (the function is gone, or has no queue), -ETIMEDOUT or -EIO
 *   (mailbox), -ENOTSUP (revision), or the errno of mem->alloc.
 */
int hisi_qm_init(struct hisi_qm *qm, struct hisi_qm_io *io, const struct hisi_qm_mem_ops *mem,
		const struct base_log *log);

/**
 * Bring up the function that took the place of the one behind io, which is gone
 * with its queues and contexts. Queue pairs stay taken and wait for
 * hisi_qm_qp_restart(). Returns as hisi_qm_init() does.
 */
int hisi_qm_reinit(struct hisi_qm *qm);

/** Take a function down. All queue pairs must have been freed. */
void hisi_qm_fini(struct hisi_qm *qm);

/**
 * Take a free queue of the function, give it rings and start it.
 *
 * @param type
 *   Queue type for SQC w13 [11:8], as the accelerator defines it.
 * @param depth
 *   Entries of both rings: a power of two, HISI_QM_RING_DEPTH_MIN to _MAX. At
 *   most depth - 1 requests may be in flight.
 * @param socket
 *   NUMA socket for the rings, or -1.
 * @return
 *   0; -EBUSY (all queues of the function are taken, or those of the pool that it
 *   shares), -EINVAL (depth), -ENODEV, -ETIMEDOUT or -EIO (mailbox), or the errno of
 *   mem->alloc. A mailbox that does not answer has the function reset, if that is
 *   possible, before it fails.
 */
int hisi_qm_qp_start(struct hisi_qm *qm, struct hisi_qm_qp *qp, uint8_t type, uint16_t depth,
		int socket);

/**
 * Start a queue pair on the function that took the place of a dead one, and submit
 * once more what was rung for and whose CQE has not been stepped over, in the slots
 * where it is. To be called by the consumer, with all CQEs that are ready stepped
 * over: what is submitted again is executed again. The producer may go on meanwhile,
 * if the doorbell words are memory (hisi_qm_shadow.h) that appears at the same place.
 *
 * The first slot of the new queue is not 0, so the function must take the indices
 * in SQC and CQC as its start, as the software function does.
 *
 * @return As hisi_qm_qp_start(); -EBUSY also if the function has fewer queues now.
 */
int hisi_qm_qp_restart(struct hisi_qm *qm, struct hisi_qm_qp *qp);

/**
 * Is the function of a running queue pair there, and the queue still its own?
 * One register read and no lock: for a caller that polls and has waited for long.
 *
 * @return
 *   0; -ENODEV (the function is gone: all registers read as ones) or -ESTALE
 *   (the function was reset by hisi_qm_qp_stop() or hisi_qm_qp_abort() of
 *   another queue pair: nothing will complete any more).
 */
int hisi_qm_qp_check(struct hisi_qm *qm, const struct hisi_qm_qp *qp);

/**
 * Stop a queue pair: on return everything submitted has completed, the function
 * touches neither rings nor data any more, and CQEs can still be consumed.
 *
 * A queue that does not stop has the function reset, if that is possible. Then
 * what has no CQE on return will not get one, here and in all other queue pairs,
 * whose owners find out by hisi_qm_qp_check().
 *
 * @return
 *   0; -ENODEV: the function is gone, and touches nothing any more either;
 *   -ETIMEDOUT or -EIO: it did not confirm, could not be reset, and may still
 *   write to rings and data.
 */
int hisi_qm_qp_stop(struct hisi_qm *qm, struct hisi_qm_qp *qp);

/**
 * The same for a queue pair that has not completed anything for too long: the
 * function may also have been reset behind our back, which would have wiped
 * what hisi_qm_init() set up. That is done again, so that queues can be started.
 */
int hisi_qm_qp_abort(struct hisi_qm *qm, struct hisi_qm_qp *qp);

/** Free the rings and put the queue of a stopped queue pair. */
void hisi_qm_qp_free(struct hisi_qm *qm, struct hisi_qm_qp *qp);

#endif /* HISI_QM_H */
