/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_QP_H
#define HISI_ZIP_QP_H

/** @file Queue pairs: the order ring, and the hardware queues that its ops go to. */

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <rte_common.h>
#include <rte_comp.h>

#include "hisi_compat.h"
#include "hisi_hwq.h"
#include "hisi_watch.h"
#include "hisi_zip_result.h"
#include "hisi_zip_slot.h"
#include "hisi_zip_stats.h"

struct hisi_zip_dev;
struct hisi_zip_sw;
struct rte_compressdev;

/** Units of the SGL ring: the size of an entry; a header takes two. */
#define HISI_ZIP_SGL_UNIT     sizeof(struct hisi_acc_sge)
#define HISI_ZIP_SGL_HDR      (sizeof(struct hisi_acc_sgl) / HISI_ZIP_SGL_UNIT)
/** Units per ring slot: two lists of one or two segments in every slot. */
#define HISI_ZIP_SGL_PER_SLOT 8u
/** Most units that the two lists of one op can take (255 entries each, even). */
#define HISI_ZIP_SGL_OP_MAX   (2 * RTE_ALIGN(HISI_ZIP_SGL_HDR + HISI_ACC_SGE_MAX, 2))
/** Least units of a ring: lists do not wrap, so up to one op's may be skipped at its end. */
#define HISI_ZIP_SGL_MIN      rte_align32pow2(2 * HISI_ZIP_SGL_OP_MAX)

/** Bytes behind the ring for trailers (hisi_zip_plain.h). All requests have the same ones. */
#define HISI_ZIP_TRAILER_ROOM RTE_CACHE_LINE_SIZE

/**
 * A hardware queue of a queue pair, whose memory has the SGLs of its requests. With cache lines
 * of 64 bytes its size is a power of two: the data path has it by its direction.
 */
struct __rte_cache_aligned hisi_zip_hwq {
	struct hisi_hwq q;
	uint32_t sgl_mask;          /**< Units of the SGL ring - 1. Constant. */

	/* The enqueuing thread's. Units before sgl_head + size are free. */
	/** Next unit to fill, not wrapped. */
	alignas(RTE_CACHE_LINE_SIZE) uint32_t sgl_tail;
	uint32_t sgl_head_seen;     /**< sgl_head as last loaded. */

	/* The dequeuing thread's; passed to the enqueuing one with release. */
	/** Units before it are free. */
	alignas(RTE_CACHE_LINE_SIZE) RTE_ATOMIC(uint32_t) sgl_head;
	uint16_t cq_due;            /**< CQEs stepped over since the CQ doorbell was rung. */
};

static_assert(RTE_CACHE_LINE_SIZE != 64 || sizeof(struct hisi_zip_hwq) == 256,
	"a power of two");

enum hisi_zip_qp_state {
	HISI_ZIP_QP_STOPPED = 0,
	HISI_ZIP_QP_RUNNING,
	HISI_ZIP_QP_FAILING, /**< A hardware queue of it has failed, or has another function. */
};

/** The first answer of a queue pair that cannot be true, until a line can be logged. */
struct hisi_zip_lie {
	struct hisi_zip_slot request; /**< What was asked. */
	struct hisi_zip_result result;
	uint16_t sq_head;   /**< Slot that its CQE names. */
	uint16_t cq_head;   /**< Slot that it lies in. */
	bool told;          /**< There was one. */
	bool logged;
};

/**
 * Queue pair.
 *
 * The order ring keeps all ops in flight, of both directions, in the order in
 * which they were enqueued, which is the order in which they are dequeued.
 *
 *             head                     tail
 *              |                        |
 *    ...free...v####ops in flight#######v.......free...
 *
 *  - [tail, head + limit) belongs to enqueue: it fills slots (and the SQEs they
 *    stand for) and passes them by storing tail with release.
 *  - [head, tail) belongs to dequeue, which passes slots back by storing head
 *    with release, after everything in them (SQE, SGLs, CQE) was used.
 *
 * Positions are not wrapped; a slot is position & mask. Requests of a direction
 * lie in its hardware ring in the order of their slots here, so that the next
 * CQE of a direction is always for the next slot of that kind. The hardware
 * rings have as many entries as this one, hence can never fill up.
 *
 * One thread may enqueue while another one dequeues.
 */
struct __rte_cache_aligned hisi_zip_qp {
	/* Constant while started. */
	struct hisi_zip_dev *dev;
	TAILQ_ENTRY(hisi_zip_qp) next; /**< In the device's list. */
	struct hisi_zip_slot *slots; /**< In memory that no service sees. */
	uint32_t mask;               /**< Slots - 1, a power of two less one. */
	uint32_t limit;              /**< Most ops in flight. */
	uint16_t addr_off;           /**< As in the device. */
	uint16_t id;
	/**
	 * CQEs that are acknowledged at once: a CQ doorbell for each burst would be as
	 * dear as the SQ doorbell. Those, and as many as may be in flight, are less
	 * than the ring has, so that the device never finds it full (QM 4.3).
	 */
	uint16_t cq_pace;
	uint8_t polled;              /**< Dequeue executes requests. */
	RTE_ATOMIC(uint8_t) state;   /**< enum hisi_zip_qp_state. */
	int socket;
	uint32_t verify;             /**< One of so many ops is verified; 0: none is. */
	struct hisi_zip_sw *sw;      /**< For ops in software; NULL with sw=off and verify=0. */
	/**
	 * By direction: what was known of the function of its queue when that was taken. Results
	 * are read with it, whatever a successor has answered meanwhile. As slots, no service sees
	 * it. The enqueuing thread's; the dequeuing one has it with the first slot.
	 */
	struct hisi_zip_paths *known;
	/** By the kind of slot; of the trailer queue, dequeue submits and takes results. */
	struct hisi_zip_hwq hwq[HISI_ZIP_HWQS];

	/* The enqueuing thread's. */
	/** Passed to the dequeuing thread with release. */
	alignas(RTE_CACHE_LINE_SIZE) RTE_ATOMIC(uint32_t) tail;
	uint32_t head_seen;          /**< head as last loaded. */
	uint32_t verify_left;        /**< Ops before the next one that is verified. */
	uint32_t verify_random;      /**< State of a generator. */
	struct hisi_zip_enq_stats enq;

	/* The dequeuing thread's. */
	/** Passed to the enqueuing thread with release. */
	alignas(RTE_CACHE_LINE_SIZE) RTE_ATOMIC(uint32_t) head;
	struct hisi_watch watch;
	struct hisi_zip_deq_stats deq;
	struct hisi_zip_lie lie;
};

/** Set a queue pair up, in place of one that is there. No hardware queue is taken yet. */
int hisi_zip_qp_setup(struct rte_compressdev *cdev, uint16_t qp_id, uint32_t max_inflight_ops,
		int socket_id);
/** Stop a queue pair and free it; 0 also if there is none. */
int hisi_zip_qp_release(struct rte_compressdev *cdev, uint16_t qp_id);

/**
 * Take the hardware queue of a direction, at the first op for it. Enqueuing thread.
 * @return As hisi_hwq_take(); -EBUSY also if queues were taken that then owed an answer.
 */
int hisi_zip_hwq_take(struct hisi_zip_qp *qp, enum hisi_zip_dir dir);

/**
 * Finish everything in flight and put the hardware queues. Ops that were
 * not dequeued stay in the order ring with their results.
 */
void hisi_zip_qp_stop(struct hisi_zip_qp *qp);

#endif /* HISI_ZIP_QP_H */
