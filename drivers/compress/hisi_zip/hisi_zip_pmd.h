/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_PMD_H
#define HISI_ZIP_PMD_H

/**
 * @file
 * The compressdev driver of the HiSilicon ZIP function: its objects and what
 * its files offer each other.
 *
 *   hisi_zip_vdev.c       probe and remove on the vdev bus
 *   hisi_zip_pci.c        probe and remove on the PCI bus
 *   hisi_zip_bar.c        registers and doorbells of a function whose BARs are mapped
 *   hisi_zip_probe.c      what both buses do
 *   hisi_zip_devargs.c    device arguments
 *   hisi_zip_dev.c        making a device over an access point; capabilities; memory
 *   hisi_zip_mem.c        EAL's memory, announced to a function of the service
 *   hisi_zip_extmem.c     memory of the application's own, announced when it says so
 *   hisi_zip_ops.c        compressdev operations
 *   hisi_zip_xform.c      transforms and streams: from API terms to request words
 *   hisi_zip_qp.c         queue pairs: setup, taking hardware queues, stop
 *   hisi_zip_enqueue.c    data path: from op to SQE
 *   hisi_zip_dequeue.c    data path: from SQE to op
 *   hisi_zip_recover.c    queues that fail: noticed, ops brought back, queues taken anew
 *   hisi_zip_sw.c         ops that the function cannot do, done with zip_codec
 *   hisi_zip_telemetry.c  telemetry commands
 */

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <rte_comp.h>
#include <rte_compressdev.h>
#include <rte_compressdev_pmd.h>

#include "compat.h"
#include "hisi_zip_request.h"
#include "hisi_zip_result.h"
#include "spim.h"
#include "zip_codec.h"

#define HISI_ZIP_DRIVER_NAME     compress_hisi_zip
/** Begins as the other one: stock programs look for drivers by the beginning of their names. */
#define HISI_ZIP_PCI_DRIVER_NAME compress_hisi_zip_pci
#define HISI_ZIP_WORKERS_MAX 64 /**< Engine threads of a local function. */
/** Default of timeout_ms: more than the longest request takes, on a busy machine. */
#define HISI_ZIP_TIMEOUT_MS  30000

extern int hisi_zip_logtype;
#define RTE_LOGTYPE_HISI_ZIP hisi_zip_logtype

/** Log a line about a device; control path only. */
#define HISI_ZIP_LOG(level, ...) RTE_LOG_LINE(level, HISI_ZIP, __VA_ARGS__)

/* ---- Device -------------------------------------------------------------------------------- */

/** Device arguments, checked. */
struct hisi_zip_devargs {
	char dev[128];                /**< Access point (spim_open()), or "pci". */
	int socket_id;                /**< NUMA socket; SOCKET_ID_ANY: where it is probed. */
	bool sw;                      /**< Do in software what the function cannot. */
	uint32_t timeout_ms;          /**< A queue silent for so long has failed; 0: none has. */
	char fault[128];              /**< Faults to inject (qm_dev_fault.h); empty: none. */
	struct spim_local_conf local; /**< Options of dev=local. */
};

struct hisi_zip_extmem;
struct hisi_zip_qp;

/** Private data of a device. */
struct hisi_zip_dev {
	TAILQ_ENTRY(hisi_zip_dev) next; /**< In the list that telemetry walks. */
	TAILQ_HEAD(, hisi_zip_qp) qps;  /**< Queue pairs that are set up; under its lock. */
	uint8_t id;                     /**< Device id of compressdev. */
	char name[RTE_COMPRESSDEV_NAME_MAX_LEN];
	struct hisi_zip_devargs args;
	struct spim_dev *spim;         /**< Access point to the function. */
	struct hisi_qm_io *io;         /**< The function, if a bus has mapped it, or NULL. */
	struct spim_info info;         /**< What the function is. */
	struct hisi_qm_mem_ops mem;    /**< Hugepage memory; priv is this device. */
	bool mem_watched;              /**< Events of EAL's memory go to the function. */
	SLIST_HEAD(, hisi_zip_extmem) extmem; /**< Memory of the application's own... */
	pthread_mutex_t extmem_lock;   /**< ...under this lock. */
	uint16_t addr_off;             /**< Offset in rte_mbuf of the address that requests use. */
	uint64_t feature_flags;        /**< RTE_COMPDEV_FF_*. */
	/** Capabilities of each algorithm, ended by one with algorithm 0. */
	struct rte_compressdev_capabilities caps[4];
};

/* ---- Transforms ---------------------------------------------------------------------------- */

/** What a private_xform of compressdev points to; read-only once made. */
struct hisi_zip_xform {
	struct hisi_zip_dev *dev;      /**< Device that made it. */
	uint8_t dir;                   /**< enum hisi_zip_dir. */
	uint8_t sw;                    /**< All ops of it are done in software. */
	uint8_t chksum;                /**< enum rte_comp_checksum_type. */
	uint8_t algo;                  /**< enum rte_comp_algorithm. */
	struct hisi_zip_words words;   /**< Of its requests. */
	uint16_t slot_flags;           /**< HISI_ZIP_SLOT_F_* of its stateless ops. */
	uint8_t udc;                   /**< Checksum of the dictionary, if F_UDC. */
	struct zip_codec_params codec; /**< The same for software. */
	struct hisi_qm_mem dict;       /**< The dictionary that codec refers to; va NULL: none. */
};

/**
 * The checksums that a stateless op continues from, out of its input_chksum.
 * An Adler-32 of 0 is that of no data: it stands for a fresh start, which is 1.
 */
static inline void
hisi_zip_chksum_start(const struct hisi_zip_xform *x, uint64_t input, uint32_t *crc32,
		uint32_t *adler32)
{
	uint32_t adler = (uint32_t)(x->chksum == RTE_COMP_CHECKSUM_ADLER32 ? input : input >> 32);

	*crc32 = x->codec.checksum & ZIP_CODEC_CRC32 ? (uint32_t)input : 0;
	*adler32 = x->codec.checksum & ZIP_CODEC_ADLER32 && adler != 0 ? adler : 1;
}

/** A stateful stream. One op at a time may be in flight. */
struct hisi_zip_stream {
	struct hisi_zip_xform x;       /**< Its transform. */
	struct hisi_qm_mem ctx;        /**< Stream context buffer (ZIP 5.6). */
	struct zip_codec_stream *sw;   /**< Set if x.sw. */
	struct hisi_zip_state state;   /**< For the next op; if x.sw, only whether it goes on. */
	bool dead;                     /**< An error ended it. */
	/** 1 while an op is in flight: set by enqueue, cleared by dequeue with release. */
	RTE_ATOMIC(uint8_t) busy;
};

/* ---- Queue pair ---------------------------------------------------------------------------- */

/** How an op in the order ring is brought to its end. */
enum hisi_zip_slot_kind {
	HISI_ZIP_SLOT_COMP = HISI_ZIP_COMP,     /**< Request on the compression queue. */
	HISI_ZIP_SLOT_DECOMP = HISI_ZIP_DECOMP, /**< Request on the decompression queue. */
	HISI_ZIP_SLOT_SW,   /**< To be done in software when it is the oldest. */
	HISI_ZIP_SLOT_DONE, /**< Its fields are final. */
};

#define HISI_ZIP_SLOT_F_CHKSUM   0x1u /**< A checksum was asked for. */
#define HISI_ZIP_SLOT_F_STATEFUL 0x2u /**< The op is one of a stream. */
#define HISI_ZIP_SLOT_F_SGL      0x4u /**< sgl_end is valid. */
#define HISI_ZIP_SLOT_F_CUT      0x8u /**< Only a first part of the input was submitted. */
#define HISI_ZIP_SLOT_F_DICT     0x10u /**< The request has a dictionary. */
#define HISI_ZIP_SLOT_F_UDC      0x20u /**< The checksum is that of the dictionary. */

/** Is the dictionary that an op was compressed with the transform's, as far as it says so? */
static inline bool
hisi_zip_udc_matches(const struct hisi_zip_xform *x, const struct rte_comp_op *op)
{
	return !(x->slot_flags & HISI_ZIP_SLOT_F_UDC) || x->dir == HISI_ZIP_COMP ||
		op->input_chksum == x->udc;
}

/** One op in flight, in the order ring. */
struct hisi_zip_slot {
	struct rte_comp_op *op;
	uint16_t kind;    /**< enum hisi_zip_slot_kind. */
	uint16_t flags;   /**< HISI_ZIP_SLOT_F_*, of what is in a hardware queue. */
	uint32_t sgl_end; /**< SGL ring position that this op's lists end at. */
	struct hisi_zip_asked asked; /**< What its result is checked against. */
};

/** Units of the SGL ring: the size of an entry; a header takes two. */
#define HISI_ZIP_SGL_UNIT     sizeof(struct hisi_acc_sge)
#define HISI_ZIP_SGL_HDR      (sizeof(struct hisi_acc_sgl) / HISI_ZIP_SGL_UNIT)
/** Units per ring slot: two lists of one or two segments in every slot. */
#define HISI_ZIP_SGL_PER_SLOT 8u
/** Most units that the two lists of one op can take (255 entries each, even). */
#define HISI_ZIP_SGL_OP_MAX   (2 * RTE_ALIGN(HISI_ZIP_SGL_HDR + HISI_ACC_SGE_MAX, 2))
/** Least units of a ring: lists do not wrap, so up to one op's may be skipped at its end. */
#define HISI_ZIP_SGL_MIN      rte_align32pow2(2 * HISI_ZIP_SGL_OP_MAX)

#define HISI_ZIP_NO_QUEUE (-1) /**< hisi_zip_hwq.qn: not taken. */

/** A hardware queue of a queue pair, and memory for the SGLs of its requests. */
struct __rte_cache_aligned hisi_zip_hwq {
	/*
	 * Set at first use, by enqueue; constant until stop or until all ops of a
	 * queue that failed are back.
	 */
	struct spim_queue *queue;   /**< NULL: not taken. */
	RTE_ATOMIC(int32_t) qn;     /**< Its number for telemetry, which must not follow queue. */
	/**
	 * The queue has failed: set by dequeue, reset by enqueue once all its ops
	 * are back. Ops without a result will not get one.
	 */
	RTE_ATOMIC(uint8_t) failed;
	uint8_t stuck;              /**< Failed, and may still write to memory. */
	struct hisi_qm_mem sgl;     /**< SGL ring. */
	uint32_t sgl_mask;          /**< Units of the ring - 1. */

	uint16_t retry;             /**< Ops before the next try to take a queue. */
	int retry_error;            /**< What those get to hear. */
	bool warned;                /**< It was said that none could be had. */
	uint32_t fail_end;          /**< Ops of a failed queue lie before this position. */

	/* The enqueuing thread's. Units before sgl_head + size are free. */
	/** NULL: nothing can be submitted. */
	alignas(RTE_CACHE_LINE_SIZE) struct hisi_qm_ring *ring;
	uint32_t sgl_tail;          /**< Next unit to fill, not wrapped. */
	uint32_t sgl_head_seen;     /**< sgl_head as last loaded. */

	/* The dequeuing thread's; passed to the enqueuing one with release. */
	/** Units before it are free. */
	alignas(RTE_CACHE_LINE_SIZE) RTE_ATOMIC(uint32_t) sgl_head;
	uint16_t cq_due;            /**< CQEs stepped over since the CQ doorbell was rung. */
};

/**
 * Add to a counter. Each has one writer; telemetry and stats read them from
 * other threads, which is all that the atomic store is for.
 */
#define HISI_ZIP_COUNT(counter, n) \
	rte_atomic_store_explicit(&(counter), (counter) + (n), rte_memory_order_relaxed)
#define HISI_ZIP_COUNTER(counter) rte_atomic_load_explicit(&(counter), rte_memory_order_relaxed)

/** Counters of one queue pair; each half has one writer. */
struct hisi_zip_enq_stats {
	RTE_ATOMIC(uint64_t) ops;      /**< Ops accepted. */
	RTE_ATOMIC(uint64_t) bytes;    /**< Their source bytes. */
	RTE_ATOMIC(uint64_t) rejected; /**< Accepted ops that got an error status at once. */
	RTE_ATOMIC(uint64_t) full;     /**< Bursts cut short because the queue pair was full. */
	RTE_ATOMIC(uint64_t) software; /**< Accepted ops that were not submitted to the function. */
	RTE_ATOMIC(uint64_t) no_queue; /**< Ops for which no hardware queue could be taken. */
};

#define HISI_ZIP_OP_STATUSES 16 /**< Room for every rte_comp_op_status. */

/** Why a hardware queue failed. */
enum hisi_zip_fail {
	HISI_ZIP_FAIL_STALLED, /**< It was silent for too long. */
	HISI_ZIP_FAIL_RESET,   /**< The function was reset. */
	HISI_ZIP_FAIL_GONE,    /**< The function does not answer: all registers read as ones. */
	HISI_ZIP_FAILS,
};

struct hisi_zip_deq_stats {
	RTE_ATOMIC(uint64_t) ops;      /**< Ops given back. */
	RTE_ATOMIC(uint64_t) bytes;    /**< Bytes produced. */
	RTE_ATOMIC(uint64_t) errors;   /**< Ops given back with a status that is an error. */
	RTE_ATOMIC(uint64_t) sw;       /**< Ops done in software. */
	RTE_ATOMIC(uint64_t) repeated; /**< Those of them that the function tried first. */
	RTE_ATOMIC(uint64_t) lost;     /**< Requests that a failed queue did not complete. */
	RTE_ATOMIC(uint64_t) restarts; /**< Queues started again after their service was killed. */
	RTE_ATOMIC(uint64_t) fails[HISI_ZIP_FAILS]; /**< Queues that failed, by cause. */
	RTE_ATOMIC(uint64_t) status[HISI_ZIP_OP_STATUSES]; /**< By op status. */
	RTE_ATOMIC(uint64_t) hw_status[64]; /**< Requests by SQE status (ZIP 5.4), 63: others. */
};

/** Why a request failed, for counting; see hw_status. */
#define HISI_ZIP_HW_STATUS_OTHER 63

enum hisi_zip_qp_state {
	HISI_ZIP_QP_STOPPED = 0,
	HISI_ZIP_QP_RUNNING,
	HISI_ZIP_QP_FAILING, /**< A hardware queue of it has failed. */
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

/** How long the oldest op has been waited for. */
struct hisi_zip_watch {
	uint32_t polls;     /**< Dequeues that found nothing. */
	uint32_t head;      /**< Position of the oldest op at the last look. */
	uint64_t last;      /**< TSC then. */
	uint64_t silent;    /**< TSC cycles that it has been waited for. */
	uint64_t checked;   /**< Of them, how many when the function was asked last. */
};

/**
 * Queue pair.
 *
 * The order ring keeps all ops in flight, of both directions, in the order in
 * which they were enqueued, which is the order in which they are given back.
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
	 * CQEs that are given back at once: a CQ doorbell for each burst would be as
	 * dear as the SQ doorbell. Those, and as many as may be in flight, are less
	 * than the ring has, so that the device never finds it full (QM 4.3).
	 */
	uint16_t cq_pace;
	uint8_t polled;              /**< Dequeue runs the engine. */
	RTE_ATOMIC(uint8_t) state;   /**< enum hisi_zip_qp_state. */
	int socket;
	struct zip_codec *codec;     /**< For ops in software; NULL until one was needed. */
	struct hisi_zip_hwq hwq[HISI_ZIP_DIRS];

	/* The enqueuing thread's. */
	/** Passed to the dequeuing thread with release. */
	alignas(RTE_CACHE_LINE_SIZE) RTE_ATOMIC(uint32_t) tail;
	uint32_t head_seen;          /**< head as last loaded. */
	struct hisi_zip_enq_stats enq;

	/* The dequeuing thread's. */
	/** Passed to the enqueuing thread with release. */
	alignas(RTE_CACHE_LINE_SIZE) RTE_ATOMIC(uint32_t) head;
	struct hisi_zip_watch watch;
	struct hisi_zip_deq_stats deq;
	struct hisi_zip_lie lie;
};

/* ---- hisi_zip_devargs.c -------------------------------------------------------------------- */

/** Buses; each key of the device arguments has a meaning on some of them. */
enum hisi_zip_bus {
	HISI_ZIP_BUS_VDEV = 1,
	HISI_ZIP_BUS_PCI = 2,
};

/**
 * Parse device arguments; args may be NULL or empty.
 * @return 0, or -EINVAL after a log line that names the wrong key or value.
 */
int hisi_zip_devargs_parse(const char *name, const char *args, enum hisi_zip_bus bus,
		struct hisi_zip_devargs *out);

/* ---- hisi_zip_probe.c ---------------------------------------------------------------------- */

/** @return 0, or -ENOTSUP in a secondary process, with a log line. */
int hisi_zip_probe_allowed(const char *name);

/**
 * Make a compressdev.
 * @param io
 *   As for hisi_zip_dev_init(); must outlive the device.
 */
int hisi_zip_probe(const char *name, struct rte_device *device,
		const struct hisi_zip_devargs *args, struct hisi_qm_io *io);

/**
 * Remove a compressdev, in whatever state it is.
 * @param io
 *   Filled with what hisi_zip_probe() was given; may be NULL.
 * @return
 *   0; -ENODEV (there is none of that name) or what compressdev failed with.
 */
int hisi_zip_remove(const char *name, struct hisi_qm_io **io);

/** The device of that name, or NULL. */
struct hisi_zip_dev *hisi_zip_find(const char *name);

/* ---- hisi_zip_dev.c ------------------------------------------------------------------------ */

/**
 * Open the access point and fill in capabilities.
 * @param io
 *   The function if the caller has mapped it (PCI), or NULL to open args.dev.
 */
int hisi_zip_dev_init(struct hisi_zip_dev *dev, struct hisi_qm_io *io);

/** Close the access point. */
void hisi_zip_dev_fini(struct hisi_zip_dev *dev);

/* ---- hisi_zip_mem.c ------------------------------------------------------------------------ */

/**
 * spim_conf.announce: tell the function of all of EAL's memory, and from now on of
 * memory that comes and goes; priv is the device.
 */
int hisi_zip_mem_announce(struct spim_dev *spim, void *priv);

/** End that. */
void hisi_zip_mem_unwatch(struct hisi_zip_dev *dev);

/* ---- hisi_zip_extmem.c --------------------------------------------------------------------- */

/**
 * rte_dev_dma_map(): let a function that sees announced memory only see that of the
 * application's own, too; for other functions that is nothing. Control path, any thread.
 *
 * @param va, len
 *   Whole pages of the memory, which one file is behind (memfd, tmpfs, hugetlbfs), mapped
 *   shared, readable and writable; the descriptor may be closed afterwards. Addresses in
 *   requests are pointers into it: an IOVA has no meaning here.
 * @return 0; -EINVAL, -EFAULT (not so mapped), -EBADF (no descriptor of the file is open),
 *   -EEXIST (overlaps memory that is announced), limits of the service as spim_mem_map().
 */
int hisi_zip_extmem_map(struct hisi_zip_dev *dev, void *va, size_t len);

/**
 * Take it back, as it was mapped: on return the function touches it no more.
 * @return 0 or -ENOENT.
 */
int hisi_zip_extmem_unmap(struct hisi_zip_dev *dev, void *va, size_t len);

/** Announce all of it to a function that was opened again. @return 0 or a negative errno. */
int hisi_zip_extmem_announce(struct hisi_zip_dev *dev);

/** Forget all of it; the function is closed. */
void hisi_zip_extmem_fini(struct hisi_zip_dev *dev);

/* ---- hisi_zip_ops.c ------------------------------------------------------------------------ */

extern struct rte_compressdev_ops hisi_zip_ops;

/* ---- hisi_zip_xform.c ---------------------------------------------------------------------- */

int hisi_zip_xform_create(struct rte_compressdev *cdev, const struct rte_comp_xform *xform,
		void **private_xform);
int hisi_zip_xform_free(struct rte_compressdev *cdev, void *private_xform);
int hisi_zip_stream_create(struct rte_compressdev *cdev, const struct rte_comp_xform *xform,
		void **stream);
int hisi_zip_stream_free(struct rte_compressdev *cdev, void *stream);

/* ---- hisi_zip_qp.c ------------------------------------------------------------------------- */

int hisi_zip_qp_setup(struct rte_compressdev *cdev, uint16_t qp_id, uint32_t max_inflight_ops,
		int socket_id);
int hisi_zip_qp_release(struct rte_compressdev *cdev, uint16_t qp_id);

/**
 * Take the hardware queue of a direction, at the first op for it. Called by
 * the enqueuing thread only.
 * @return 0, or why there is none.
 */
int hisi_zip_hwq_take(struct hisi_zip_qp *qp, enum hisi_zip_dir dir);

/** Give the hardware queue of a direction back, unless it is stuck. */
void hisi_zip_hwq_put(struct hisi_zip_qp *qp, enum hisi_zip_dir dir);

/**
 * Finish everything in flight and give the hardware queues back. Ops that were
 * not dequeued stay in the order ring with their results.
 */
void hisi_zip_qp_stop(struct hisi_zip_qp *qp);

/* ---- hisi_zip_enqueue.c, hisi_zip_dequeue.c ------------------------------------------------ */

uint16_t hisi_zip_enqueue_burst(void *queue_pair, struct rte_comp_op **ops, uint16_t nb_ops);
uint16_t hisi_zip_dequeue_burst(void *queue_pair, struct rte_comp_op **ops, uint16_t nb_ops);

/**
 * Move the result of the next request of a stopped queue into its op, which
 * makes the slot HISI_ZIP_SLOT_DONE; without one, hisi_zip_slot_lost().
 */
void hisi_zip_slot_complete(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot);

/* ---- hisi_zip_recover.c -------------------------------------------------------------------- */

/** Dequeues without a result between two looks at the clock. */
#define HISI_ZIP_WATCH_POLLS 64u

/**
 * Called by the dequeuing thread every HISI_ZIP_WATCH_POLLS times that the oldest
 * op, which is a request to the function, was not ready. Finds out whether its
 * queue has failed; if so, stops it, which may take seconds, and sets failed.
 */
void hisi_zip_watch(struct hisi_zip_qp *qp);

/**
 * Log the first answer that cannot be true, once per queue pair. Off the data path: called
 * by hisi_zip_watch() and when the queue pair stops.
 */
void hisi_zip_lie_log(struct hisi_zip_qp *qp);

/**
 * Bring back an op whose queue has failed: its slot becomes HISI_ZIP_SLOT_SW or,
 * with an error status, HISI_ZIP_SLOT_DONE. Dequeuing thread.
 */
void hisi_zip_slot_lost(struct hisi_zip_qp *qp, struct hisi_zip_slot *slot);

/**
 * Give back hardware queues that failed, once all their ops are back; until then
 * nothing is submitted to them. Called by the enqueuing thread in state
 * HISI_ZIP_QP_FAILING, which it ends.
 */
void hisi_zip_renew(struct hisi_zip_qp *qp);

/* ---- hisi_zip_sw.c ------------------------------------------------------------------------- */

/** Do an op with zip_codec, and set all its result fields. */
void hisi_zip_sw_run(struct hisi_zip_qp *qp, struct rte_comp_op *op);

/** The same for a stateless op that the function has had, without the result that was wanted. */
void hisi_zip_sw_repeat(struct hisi_zip_qp *qp, struct rte_comp_op *op);

/* ---- hisi_zip_telemetry.c ------------------------------------------------------------------ */

/** Show a device, or stop showing it. Telemetry runs in a thread of its own. */
void hisi_zip_telemetry_add(struct hisi_zip_dev *dev);
void hisi_zip_telemetry_remove(struct hisi_zip_dev *dev);

/** Show a queue pair, or stop showing it: it may be freed afterwards. */
void hisi_zip_telemetry_add_qp(struct hisi_zip_qp *qp);
void hisi_zip_telemetry_remove_qp(struct hisi_zip_qp *qp);

#endif /* HISI_ZIP_PMD_H */
