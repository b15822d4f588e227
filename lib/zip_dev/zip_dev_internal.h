/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_INTERNAL_H
#define ZIP_DEV_INTERNAL_H

/**
 * @file
 * What the files of the software function share.
 *
 * The way of a request: zip_dev_queue.c looks at the doorbell and claims SQEs,
 * zip_dev_engine.c executes one, zip_dev_queue.c writes SQE and CQE back in
 * submission order. zip_dev_sched.c decides which queue is next, zip_dev_pool.c has
 * the threads.
 *
 * Locks, outermost first: zip_dev.mb_lock (mailbox), zip_dev_queue.lock,
 * zip_dev_events.lock, zip_dev_streams.lock, zip_dev_map.lock, zip_dev_pool.lock.
 * None is held while data is processed.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <time.h>

#include "hisi_acc_sgl.h"
#include "hisi_qm_regs.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "zip_codec.h"
#include "zip_dev.h"
#include "zip_dev_fault.h"
#include "zip_dev_mem.h"
#include "zip_dev_lock.h"
#include "zip_dev_stream.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "descriptors are used in place");

#define ZIP_DEV_BATCH           16 /**< Most requests claimed at a time. */
#define ZIP_DEV_STREAMS_DEFAULT 1024
#define ZIP_DEV_STREAMS_LIMIT   (1u << 24)
#define ZIP_DEV_IOV_MAX         (HISI_ACC_SGE_MAX * HISI_ACC_SGL_MAX)

/* ---- Budgets shared by functions ---- */

/** @return Whether n more fit; then they are taken. quota may be NULL. */
static inline bool
zip_dev_quota_take(struct zip_dev_quota *quota, enum zip_dev_resource r, uint64_t n)
{
	uint64_t used;

	if (quota == NULL)
		return true;
	used = atomic_load_explicit(&quota->used[r], memory_order_relaxed);
	do {
		if (quota->max[r] != 0 && used + n > quota->max[r])
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&quota->used[r], &used, used + n,
			memory_order_relaxed, memory_order_relaxed));
	return true;
}

static inline void
zip_dev_quota_give(struct zip_dev_quota *quota, enum zip_dev_resource r, uint64_t n)
{
	if (quota != NULL)
		atomic_fetch_sub_explicit(&quota->used[r], n, memory_order_relaxed);
}

/* ---- Executors (zip_dev.c makes them, zip_dev_engine.c executes) ---- */

/** A request on its way, in private memory. */
struct zip_dev_job {
	_Alignas(64) struct hisi_zip_sqe sqe; /**< Copied once from the ring. */
	struct hisi_zip_sqe *ring;            /**< Its slot in client memory. */
	uint16_t slot;
	uint8_t status;                       /**< With faults: injected; 0: execute. */
};

/** All that one thread needs to execute requests; used by one thread at a time. */
struct zip_dev_exec {
	struct zip_dev_view view;
	struct zip_codec *codec;
	struct zip_dev_buf src;
	struct zip_dev_buf dst;
	struct zip_dev_piece *pieces;
	int64_t now; /**< Workers: time at which the turn, or the last request, began. */
	uint8_t *dict; /**< Room for a dictionary: HISI_ZIP_EXT_DICT_MAX bytes. */
	struct zip_dev_job job[ZIP_DEV_BATCH];
};

/** @return The executor; NULL: out of memory. Its view must be made known before use. */
struct zip_dev_exec *zip_dev_exec_create(void);

/** Free an executor; NULL is allowed. */
void zip_dev_exec_destroy(struct zip_dev_exec *ex);

/** Execute one request: reads and updates the copy in job, never the ring. */
void zip_dev_execute(struct zip_dev *dev, struct zip_dev_exec *ex, uint8_t qc_type,
		struct hisi_zip_sqe *sqe);

/** Check dw10 of an LZ4 request and turn it into params. @return enum hisi_zip_status. */
uint32_t zip_dev_lz4_check(uint32_t w, bool compress, struct zip_codec_params *params);

/** Run an LZ4 request whose buffers are in ex. @return As zip_codec_lz4_*(). */
int zip_dev_lz4_run(struct zip_dev_exec *ex, bool compress, const struct zip_codec_params *params,
		struct zip_codec_result *res);

/**
 * Copy the dictionary of a request, params->dict_len bytes, and let params refer
 * to the copy. Before the buffers are looked for. @return enum hisi_zip_status.
 */
uint32_t zip_dev_dict_take(struct zip_dev_exec *ex, const struct hisi_zip_sqe *sqe,
		struct zip_codec_params *params);

/** Complete a request with a status, unexecuted. */
void zip_dev_refuse(struct hisi_zip_sqe *sqe, uint32_t status);

/* ---- Queues (zip_dev_queue.c) ---- */

enum zip_dev_queue_state {
	ZIP_DEV_QUEUE_OFF,      /**< Not both of SQC and CQC set. */
	ZIP_DEV_QUEUE_LIVE,
	ZIP_DEV_QUEUE_DRAINING, /**< Executes what it has; doorbells are not looked at. */
	ZIP_DEV_QUEUE_FAILED,   /**< CQ overflow or ring fault; waits to be set up again. */
};

/** struct zip_dev_times, with one writer at a time. */
struct zip_dev_hist_counters {
	_Atomic uint64_t bucket[ZIP_DEV_HIST_BUCKETS];
};

struct zip_dev_queue_times {
	struct zip_dev_hist_counters wait;
	struct zip_dev_hist_counters service;
	int64_t sample_at;    /**< When the request in sample_slot was seen; 0: no sample. */
	uint16_t sample_slot;
};

static inline void
zip_dev_hist_count(struct zip_dev_hist_counters *h, int64_t ns)
{
	unsigned int n = ns > 1 ? 63 - (unsigned int)__builtin_clzll((uint64_t)ns) : 0;
	_Atomic uint64_t *b = &h->bucket[n < ZIP_DEV_HIST_BUCKETS ? n : ZIP_DEV_HIST_BUCKETS - 1];

	atomic_store_explicit(b, atomic_load_explicit(b, memory_order_relaxed) + 1,
			memory_order_relaxed);
}

/** Where the workers have a live queue (zip_dev_sched.h). */
enum zip_dev_sched_state {
	ZIP_DEV_SCHED_OUT,    /**< Nowhere. */
	ZIP_DEV_SCHED_ASLEEP, /**< Nobody looks at its doorbell: it must be woken. */
	ZIP_DEV_SCHED_QUIET,  /**< Its doorbell is looked at. */
	ZIP_DEV_SCHED_FIRST,  /**< Has work, and its turn. */
	ZIP_DEV_SCHED_TURN,   /**< Has work, and waits for its turn. */
	ZIP_DEV_SCHED_TAKEN,  /**< A worker claims from it. */
};

/**
 * One queue pair. Slots [retire, fetch) are claimed, [fetch, tail) wait,
 * all modulo sq_depth. lock guards everything unless said otherwise; without
 * workers there is one user at a time and it is not taken.
 */
struct zip_dev_queue {
	_Alignas(64) struct zip_dev_lock lock;
	bool shared;                 /**< The function has workers; constant. */
	uint8_t qc_type;             /**< enum hisi_zip_qc_type. */
	_Atomic uint8_t state;       /**< enum zip_dev_queue_state. */
	bool phase;                  /**< Of the next CQE. */
	bool sq_wrap;                /**< Flips when tail wraps; as SQC w11 bit 6. */
	bool cq_wrap;
	bool cq_head_wrap;
	uint16_t num;                /**< Constant. */
	uint16_t sq_depth;
	uint16_t cq_depth;
	uint16_t fetch;
	uint16_t tail;
	uint16_t retire;
	uint16_t cq_tail;
	uint16_t cq_head;
	uint16_t cq_used;            /**< CQEs that the driver has not given back. */
	_Atomic uint16_t waiting;    /**< Size of [fetch, tail); peeked at without lock. */
	_Atomic uint16_t inflight;   /**< Claimed, not completed; peeked at without lock. */
	_Atomic uint64_t sq_seen;    /**< Last doorbell value looked at; peeked at. */
	uint64_t cq_seen;
	uint64_t sq_base;
	uint64_t cq_base;
	struct hisi_qm_shadow *db; /**< Constant. */
	int64_t debt;                /**< Cost that only came out when a request was done. */
	/* Written with the lock held; atomic for zip_dev_stats_get(). */
	_Atomic uint64_t requests;
	_Atomic uint64_t bytes_in;
	_Atomic uint64_t bytes_out;
	_Atomic uint64_t errors;
	uint8_t *done;               /**< shared: executed, not retired; one per slot. */
	struct zip_dev_exec *exec;   /**< Not shared: who executes. */
	/**
	 * What a valid doorbell has in its low half, and the depth above: lets
	 * the register path drop others without a lock. 0: drop all.
	 */
	_Atomic uint64_t sq_key;
	_Atomic uint64_t cq_key;
	/** The next CQE raises an event (c_flag, QM 3.2); peeked at without lock. */
	_Atomic bool armed;
	/*
	 * Workers only (zip_dev_sched.c): guarded by the pool's lock, but deficit and
	 * rung_at belong to the worker that has TAKEN the queue.
	 */
	_Atomic bool running;        /**< In zip_dev.queues_live; workers know it. */
	struct zip_dev *dev;         /**< Constant, as are the next three. */
	struct zip_dev_pool *pool;
	uint32_t weight;             /**< Quanta per round. */
	bool can_sleep;
	bool leaving;                /**< TAKEN, and to be OUT after that. */
	_Atomic uint8_t sched;       /**< enum zip_dev_sched_state. */
	struct zip_dev_queue *sched_next;
	struct zip_dev_queue *sched_prev;
	uint64_t round;              /**< In which deficit was last filled up. */
	int64_t deficit;             /**< Bytes it may still claim in this round. */
	_Atomic(struct zip_dev_queue_times *) times; /**< NULL: none are kept. */
	int64_t quiet_since;         /**< 0: not yet seen quiet. */
	int64_t rung_at;             /**< When the doorbell was seen; 0: at the claim. */
	uint16_t counted;            /**< Slots taken from the function's budget; 0: none. */
	bool sqc_set;
	bool cqc_set;
	struct hisi_qm_sqc sqc;      /**< As the driver gave it. */
	struct hisi_qm_cqc cqc;
};

/**
 * Queue qn, made on first use and kept until the function ends: an idle function has none.
 * @return NULL: not a queue of the function, or out of memory.
 */
struct zip_dev_queue *zip_dev_queue_make(struct zip_dev *dev, uint16_t qn);

/** Take over a context; the queue goes live when it has both. @return Mailbox status. */
unsigned int zip_dev_queue_set_sqc(struct zip_dev *dev, struct zip_dev_queue *q,
		const struct hisi_qm_sqc *sqc);
unsigned int zip_dev_queue_set_cqc(struct zip_dev *dev, struct zip_dev_queue *q,
		const struct hisi_qm_cqc *cqc);

/** The contexts as they are now; zero if never set. */
void zip_dev_queue_get_sqc(struct zip_dev *dev, struct zip_dev_queue *q, struct hisi_qm_sqc *sqc);
void zip_dev_queue_get_cqc(struct zip_dev *dev, struct zip_dev_queue *q, struct hisi_qm_cqc *cqc);

/** Complete all that was rung for so far in queues that did not fail. @return Mailbox status. */
unsigned int zip_dev_queues_flush(struct zip_dev *dev);
/** The same for one queue, which then is no longer live. @return Mailbox status. */
unsigned int zip_dev_queue_stop(struct zip_dev *dev, struct zip_dev_queue *q);

/** The queue may have something to claim; no lock, no write. */
bool zip_dev_queue_peek(const struct zip_dev_queue *q);

/**
 * Claim up to max requests into ex->job. The caller's view is entered, and it
 * must run each of them through zip_dev_queue_run().
 * @param fair
 *   Claim only as long as the queue's deficit is above 0, and leave idle workers their part.
 * @return Requests claimed.
 */
unsigned int zip_dev_queue_claim(struct zip_dev *dev, struct zip_dev_queue *q,
		struct zip_dev_exec *ex, unsigned int max, bool fair);

/** Execute and complete n claimed requests. */
void zip_dev_queue_run(struct zip_dev *dev, struct zip_dev_queue *q, struct zip_dev_exec *ex,
		unsigned int n);

/** A doorbell of the register path: validate, then store it where the queue looks. */
void zip_dev_queue_ring(struct zip_dev *dev, uint64_t value);

/** The same for page qn of BAR4: it must name that queue. */
void zip_dev_queue_ring_page(struct zip_dev *dev, uint64_t qn, uint64_t value);

/** HISI_QM_SHADOW_REG_WAKE. */
void zip_dev_queue_wake(struct zip_dev *dev, uint32_t qn);

/** From now on it claims and completes nothing, until it is set up again. No lock. */
void zip_dev_queue_kill(struct zip_dev *dev, struct zip_dev_queue *q);

/** Forget what waits, wait for what is being executed; no longer live, contexts unset. */
void zip_dev_queue_halt(struct zip_dev *dev, struct zip_dev_queue *q);

/** Halt, and forget the contexts. */
void zip_dev_queue_reset(struct zip_dev *dev, struct zip_dev_queue *q);

/* ---- Events (zip_dev_event.c): any thread, a queue's lock may be held ---- */

#define ZIP_DEV_EQS 2 /**< EQ and AEQ, by enum zip_dev_irq. */

/** An event queue: entries in [head, tail) are the driver's, modulo depth. */
struct zip_dev_eq {
	struct hisi_qm_eqc ctx;   /**< As the driver gave it. */
	uint64_t base;
	uint32_t depth;           /**< 0: never set. */
	uint16_t head;
	uint16_t tail;
	bool phase;               /**< Of the next entry. */
	bool on;                  /**< Takes entries. */
	_Atomic uint32_t source;  /**< Register: an event is pending. Read without lock. */
	_Atomic uint32_t mask;    /**< Register. */
	_Atomic uint64_t entries; /**< Counter. */
};

struct zip_dev_events {
	struct zip_dev_lock lock;
	struct zip_dev_view view;
	struct zip_dev_eq eq[ZIP_DEV_EQS];
	_Atomic uint64_t irqs[ZIP_DEV_IRQS]; /**< Counters: messages sent. */
};

/** Set up EQ or AEQ, empty. @return Mailbox status. */
unsigned int zip_dev_event_set(struct zip_dev *dev, enum zip_dev_irq which,
		const struct hisi_qm_eqc *eqc);
/** The context as it is now; zero if never set. */
void zip_dev_event_get(struct zip_dev *dev, enum zip_dev_irq which, struct hisi_qm_eqc *eqc);
/** Mask (1) or unmask (0) the message of EQ or AEQ. */
void zip_dev_event_mask(struct zip_dev *dev, enum zip_dev_irq which, uint32_t mask);
/** A doorbell of the event queues: the driver's new head. */
void zip_dev_event_ring(struct zip_dev *dev, uint64_t value);
/** Queue qn's CQ was armed and has a CQE. */
void zip_dev_event_completion(struct zip_dev *dev, uint16_t qn);
/** Something went wrong with queue qn. */
void zip_dev_event_async(struct zip_dev *dev, enum hisi_qm_aeqe_type type, uint16_t qn);
/** The EQ takes no more, as if it were full; the AEQ says so. */
void zip_dev_event_overflow(struct zip_dev *dev);
/** Both queues off, masked. */
void zip_dev_event_reset(struct zip_dev *dev);

/* ---- PCI (zip_dev_pci.c) ---- */

struct zip_dev_pci {
	struct zip_dev_lock lock;
	uint8_t config[256]; /**< Behind them config space reads 0. */
	uint8_t wmask[256];  /**< Bits that a write changes. */
};

/** Config space as after power-on. */
void zip_dev_pci_init(struct zip_dev *dev);

/* ---- Function ---- */

/** Mailbox status (U3: only 0 = done is known). */
enum zip_dev_mb_status {
	ZIP_DEV_MB_OK = 0,
	ZIP_DEV_MB_BAD_CMD = 1,
	ZIP_DEV_MB_BAD_QUEUE = 2,
	ZIP_DEV_MB_BAD_ADDR = 3,
	ZIP_DEV_MB_BAD_CTX = 4,
	ZIP_DEV_MB_NO_MEM = 5,
	ZIP_DEV_MB_AGAIN = 0x100, /**< Not done yet; zip_dev_conf.deferred. */
	ZIP_DEV_MB_NO_QUEUE = HISI_QM_MB_STATUS_NO_QUEUE,
};

struct zip_dev {
	struct zip_dev_conf conf;
	char name[64];
	struct zip_dev_map map;
	struct zip_dev_streams streams;
	/** One per queue; NULL where none was made. See zip_dev_queue_make(), _find(). */
	_Atomic(struct zip_dev_queue *) *queues;
	struct hisi_qm_shadow *doorbells;
	size_t doorbells_size;
	int doorbells_fd;                /**< -1: none. */
	_Atomic bool broken;             /**< Client memory vanished (zip_dev_guard.h). */
	_Atomic bool broken_told;
	struct zip_dev_group *group;     /**< Whose workers it uses; NULL: has none. */
	struct zip_dev_pool *own_pool;   /**< Made for this function alone. */
	_Atomic uint32_t queues_live;
	uint32_t queues_taken;           /**< Queues that it took from the budget; mb_lock. */
	uint32_t slots_taken;            /**< Sum of their depths; mb_lock. */
	_Atomic uint64_t doorbells_dropped;
	_Atomic uint64_t mailbox_errors;
	_Atomic uint32_t status[256];    /**< Requests by dw3 bits 7:0, but for HISI_ZIP_OK. */

	/* Register file (zip_dev_regs.c). */
	_Atomic uint32_t ifc_int_mask;
	_Atomic uint32_t page_size;
	_Atomic uint32_t vf_state;
	_Atomic uint32_t wb_done;
	_Atomic uint32_t mb_reg[4];

	/* Mailbox (zip_dev_mailbox.c): guarded by mb_lock. */
	pthread_mutex_t mb_lock;
	struct zip_dev_view mb_view;
	_Atomic bool mb_pending; /**< The command has to be run again; read without lock. */
	uint64_t sqc_bt;
	uint64_t cqc_bt;

	struct zip_dev_events events;
	struct zip_dev_pci pci;
	struct zip_dev_fault *fault; /**< NULL: no faults. Constant. */
	_Atomic bool gone;           /**< Vanished (zip_dev_fault.h). */
	_Atomic uint64_t resets;
};

/** Queue qn; NULL: not a queue of the function, or never used. Any thread. */
static inline struct zip_dev_queue *
zip_dev_queue_find(const struct zip_dev *dev, unsigned int qn)
{
	return qn < dev->conf.queues ?
		atomic_load_explicit(&dev->queues[qn], memory_order_acquire) : NULL;
}

static inline bool
zip_dev_is_broken(const struct zip_dev *dev)
{
	return atomic_load_explicit(&dev->broken, memory_order_relaxed);
}

/** Call conf.failed, once. */
void zip_dev_tell_broken(struct zip_dev *dev);

void zip_dev_log(const struct zip_dev *dev, enum zip_dev_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Execute the command in mb_reg; mb_lock is held. */
void zip_dev_mailbox_run(struct zip_dev *dev);

/** A read of the mailbox: a command that could not be finished yet may be done now. */
void zip_dev_mailbox_again(struct zip_dev *dev);

/** All registers as after power-on; mb_lock is held. */
void zip_dev_regs_reset(struct zip_dev *dev);

/** HISI_QM_CACHE_WB_START: write all contexts to the arrays in client memory. */
void zip_dev_mailbox_write_back(struct zip_dev *dev);

/** Let others run while waiting for a worker; *n counts the turns. */
void zip_dev_wait(unsigned int *n);

static inline int64_t
zip_dev_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline void
zip_dev_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/** Copy from client memory; the compiler must not look there a second time. */
static inline void
zip_dev_copy_in(void *dst, const void *src, size_t n)
{
	__builtin_memcpy(dst, src, n);
	atomic_signal_fence(memory_order_seq_cst);
}

#endif /* ZIP_DEV_INTERNAL_H */
