/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_H
#define QM_DEV_H

/**
 * @file
 * The device side of the queue manager: a function, say a VF of the HiSilicon ZIP accelerator
 * (19e5:a251), that behaves like the silicon at register and ring level. What its requests do is
 * its classes' (qm_dev_class.h).
 *
 * It is driven only by what a driver can do to the real thing: register
 * accesses, mailbox commands, doorbells, and memory that it was given a map
 * for. Requests are executed by worker threads of the function, or, if it has
 * none, inside qm_dev_poll().
 *
 * Whoever drives it is hostile: nothing written to registers, doorbells, rings,
 * SGLs or stream contexts can make the function read or write outside the map,
 * crash or hang.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_hist.h"
#include "base_log.h"
#include "hisi_qm_regs.h"
#include "hisi_qm_shadow.h"
#include "qm_dev_drr.h"

/** One software function. */
struct qm_dev;

/** An access point of a pool of shared workers, see qm_dev_pool.h. */
struct qm_dev_group;

/** An accelerator class, see qm_dev_class.h. */
struct qm_dev_class;

/** Classes of one function, or of one pool. */
#define QM_DEV_CLASSES_MAX 4

/** A class, and how a function has it. */
struct qm_dev_class_use {
	const struct qm_dev_class *class; /**< NULL: the end of a list. */
	const void *conf; /**< The class's own; NULL: its defaults. Used by qm_dev_create() only. */
};

/** What a function may use; 0 is no limit but that of the device model. */
struct qm_dev_limits {
	uint32_t queues_live; /**< Live queues. */
	uint32_t slots;       /**< Sum of the depths of its live queues: requests in flight. */
	uint32_t maps;        /**< DMA maps. */
	uint32_t files;       /**< Mappings of files. */
	uint64_t memory;      /**< Bytes of files mapped. */
};

/** What is counted over several functions. */
enum qm_dev_resource {
	QM_DEV_QUEUES,  /**< Live queues. */
	QM_DEV_SLOTS,   /**< Sum of the depths of live queues: requests in flight. */
	QM_DEV_CONTEXTS, /**< What classes keep from request to request, say streams. */
	QM_DEV_MAPS,     /**< DMA maps. */
	QM_DEV_FILES,    /**< Mappings of files. */
	QM_DEV_MEMORY,   /**< Bytes of files mapped. */
	QM_DEV_VMAS,     /**< Mappings that the kernel counts: of files, and of doorbells. */
	QM_DEV_FDS,      /**< Descriptors that are kept, those of doorbells among them. */
	QM_DEV_RESOURCES,
};

/** Queues that take turns as one with others; the pool's (qm_dev_sched.c). */
struct qm_dev_flow {
	struct qm_dev_drr_entry turn; /**< Among all flows of the pool. */
	struct qm_dev_drr queues;     /**< Those of it that have work. */
	uint32_t live;                /**< Its queues that workers know; if not 0, it is in */
	TAILQ_ENTRY(qm_dev_flow) link; /**< the pool's list of such flows. */
	_Atomic int64_t slow_until;   /**< It had a long request lately: till then it is slow. */
};

/**
 * What all quotas together may use, say what the kernel gives the process. Nobody may have more
 * than QM_DEV_BUDGET_SHARE times what is left: one user gets a half, two that grow together a third
 * each, and of users who take all one after the other each gets half of what is left. All 0 but for
 * max; must outlive the quotas.
 */
struct qm_dev_budget {
	uint64_t max[QM_DEV_RESOURCES];          /**< 0: no bound. Constant. */
	_Atomic uint64_t used[QM_DEV_RESOURCES]; /**< Counted only where there is a bound. */
};

#define QM_DEV_BUDGET_SHARE 1u

/**
 * What several functions may use together, say those of one user; also, they have one share of
 * the workers, however many queues they have. The owner's memory, all 0 but for max; must outlive
 * the functions, which are of one pool.
 */
struct qm_dev_quota {
	uint64_t max[QM_DEV_RESOURCES];          /**< 0: no limit. Constant. */
	_Atomic uint64_t used[QM_DEV_RESOURCES]; /**< For the owner to read. */
	struct qm_dev_budget *budget;            /**< That it is part of; NULL: of none. */
	struct qm_dev_flow flow;
};

/**
 * Take n more, 1 at least, if they fit. Any thread.
 * @param quota
 *   NULL: all fits, and nothing is counted.
 * @return 0, -EDQUOT (beyond its own max) or -ENFILE (beyond its share of the budget).
 */
int qm_dev_quota_take(struct qm_dev_quota *quota, enum qm_dev_resource r, uint64_t n);

/** @return Why qm_dev_quota_take() returned rc, for a log line. */
const char *qm_dev_quota_why(enum qm_dev_resource r, int rc);

/** Give back what was taken. Any thread. */
void qm_dev_quota_put(struct qm_dev_quota *quota, enum qm_dev_resource r, uint64_t n);

/** How a function is made. All pointers must stay valid while it lives. */
struct qm_dev_conf {
	const char *name;       /**< Name in log lines; copied. */
	uint8_t revision;       /**< HISI_QM_REV_V3 or HISI_QM_REV_V2. */
	uint8_t ext;            /**< 1: offer the software extension (hisi_zip_ext.h). */
	uint16_t queues;        /**< Queues of the function, 1 to HISI_QM_QUEUES_MAX. */
	uint16_t workers;       /**< Worker threads, 0 to QM_DEV_WORKERS_MAX. */
	/** Its classes, no two with a queue type in common; the first one gives the PCI id. */
	struct qm_dev_class_use classes[QM_DEV_CLASSES_MAX];
	uint8_t isolation;      /**< 1: SQ/CQ doorbells in BAR4 pages (QM 1.2); V3 only. */
	/**
	 * Faults to inject, for tests: a list of "fault@n" separated by commas, see
	 * qm_dev_fault.h. NULL or "": none, at no cost. Copied. With faults the
	 * function may leave the mailbox busy for good, which it never does otherwise.
	 */
	const char *fault;
	/**
	 * Creates a worker thread, so that the owner chooses its CPUs and name;
	 * NULL: pthread_create(). Returns 0 or a positive errno.
	 */
	int (*spawn)(pthread_t *thread, void *(*run)(void *), void *arg, void *priv);
	struct base_log log;    /**< Must not call the function. */
	/**
	 * Sends interrupt message vector (enum qm_dev_irq); NULL: none wanted.
	 * Called by workers and from within register accesses and qm_dev_poll(),
	 * with locks of the function held: must be quick, must not block and must
	 * not call the function (write an eventfd).
	 */
	void (*irq)(unsigned int vector, void *priv);
	void *priv;             /**< Passed to spawn, irq and failed. */
	/**
	 * Whose workers execute its requests; workers is then 0 and spawn is not used.
	 * NULL: its own workers, if any.
	 */
	struct qm_dev_group *group;
	/**
	 * 1: whoever stores to a doorbell word follows hisi_qm_shadow.h, and others ring
	 * through qm_dev_write(); workers need not poll quiet queues.
	 * 0: workers poll all live queues, in steps of up to 50 us.
	 */
	uint8_t wake;
	uint8_t doorbell_memfd; /**< 1: doorbell words in a memfd, see qm_dev_doorbell_fd(). */
	/**
	 * Who unmaps files that are used no longer, which takes as long as their owner likes.
	 * 1: whoever calls qm_dev_dma_free(). 0: who finds it out, in any of the calls below.
	 */
	uint8_t free_later;
	struct qm_dev_limits limits;
	/** What it shares with others; answers are those of its own limits. NULL: nothing. */
	struct qm_dev_quota *quota;
	/**
	 * Memory of the client vanished (qm_dev_guard.h), so the function stopped for
	 * good. Called at most once, by a worker, which must not be kept waiting; NULL is
	 * allowed. Must not call the function.
	 */
	void (*failed)(void *priv);
};

#define QM_DEV_WORKERS_MAX 64

/** Interrupt vectors (QM 1.3). */
enum qm_dev_irq {
	QM_DEV_IRQ_EQ = 0,       /**< Entries in the event queue. */
	QM_DEV_IRQ_AEQ = 1,      /**< Entries in the asynchronous event queue. */
	QM_DEV_IRQ_MESSAGE = 2,  /**< Message from a PF, V3: never sent. */
	QM_DEV_IRQ_ABNORMAL = 3, /**< Reserved on a VF, V3: never sent. */
	QM_DEV_IRQS = 4,
};

/**
 * Make a function, in its state after a reset, and start its workers.
 *
 * @return
 *   0, -EINVAL (a field of conf is out of range; the log line names it),
 *   -ENOMEM, -EDQUOT or -ENFILE (conf.quota has no place for its doorbells), or the negative errno
 *   of spawn.
 */
int qm_dev_create(const struct qm_dev_conf *conf, struct qm_dev **dev);

/**
 * Stop the workers and free the function. Requests being executed are finished,
 * others are dropped. After the return no memory of the map is touched.
 */
void qm_dev_destroy(struct qm_dev *dev);

/**
 * Reset the function: all state as after qm_dev_create(), except maps, counters
 * and config space. Requests being executed are finished or dropped; on return
 * no memory of the map is touched and none of them will complete. A function
 * that an injected fault made vanish stays away. Any thread but a worker's, not
 * while qm_dev_poll() runs, and not from within a callback.
 */
void qm_dev_reset(struct qm_dev *dev);

/**
 * The same without waiting. @return Whether it is done; if not, requests are being executed:
 * it is to be called again, with no other access in between.
 */
bool qm_dev_reset_try(struct qm_dev *dev);

/**
 * Stop a function without waiting: its queues go back to the pool, what waits is
 * dropped, and nothing but qm_dev_destroy() may follow. May be called again.
 * @return
 *   Whether no request is being executed any more, so that qm_dev_destroy() will not wait.
 */
bool qm_dev_abort(struct qm_dev *dev);

/* ---- Registers (BAR2) -------------------------------------------------------------------- */

/**
 * Read a register. Any thread.
 * @param off
 *   Offset in BAR2. Unknown offsets read 0.
 * @param size
 *   1, 2, 4 or 8 bytes.
 */
uint64_t qm_dev_read(struct qm_dev *dev, uint32_t off, unsigned int size);

/**
 * Write a register: the mailbox fires on the write that covers its last dword
 * (QM 2.3), doorbells at 0x1000 and 0x2000 take 8 bytes. Any thread; unknown
 * offsets and read-only registers ignore the write.
 */
void qm_dev_write(struct qm_dev *dev, uint32_t off, unsigned int size, uint64_t value);

/**
 * The 128-bit store to the mailbox. Any thread. HISI_QM_MAILBOX reads back not busy, with
 * status and result, when the command is done: mostly on return. One that has to wait for
 * requests being executed (HISI_QM_MB_STOP_QP, _FLUSH_QM, the contexts of a queue that runs)
 * keeps nobody: a later read finds it done, and until then nothing that is written counts. Without
 * workers the caller of STOP_QP and
 * FLUSH_QM executes what is left.
 */
void qm_dev_mailbox(struct qm_dev *dev, const struct hisi_qm_mailbox *mb);

/* ---- Doorbells ----------------------------------------------------------------------------- */

/*
 * The doorbell words of a queue (struct hisi_qm_shadow) lie in plain memory, so that
 * ringing one is a store and no call. On silicon the SQ and the CQ doorbell are one
 * address; here they are two words, because memory keeps only the last value and the
 * two may be rung by different threads. Values are those of QM 4.1; a value with a
 * wrong queue, command, random field or index is dropped. Silicon is known to drop one
 * with a wrong random field (U26).
 *
 * Store 64 bits with release. The function overwrites both words when a queue goes
 * live (SQC and CQC set), so that a value left from before does not count. The CQ
 * word is polled no later than when half of the CQ is full: ring it at least once
 * per half ring.
 */

/**
 * @return
 *   The doorbells of queue qn, valid until qm_dev_destroy(); NULL if qn is
 *   not a queue of the function.
 */
struct hisi_qm_shadow *qm_dev_doorbell(struct qm_dev *dev, uint16_t qn);

/**
 * The doorbell words as a file that a client can map, shared and writable: an array of
 * struct hisi_qm_shadow, one per queue (qm_dev_conf.doorbell_memfd). Its size is sealed.
 * @param size
 *   Set to its size, a multiple of the page size.
 * @return
 *   The descriptor, owned by the function, or -ENOTSUP.
 */
int qm_dev_doorbell_fd(struct qm_dev *dev, size_t *size);

/* ---- Memory -------------------------------------------------------------------------------- */

#define QM_DEV_PROT_READ  0x1u /**< The function may read. */
#define QM_DEV_PROT_WRITE 0x2u /**< The function may write. */

/**
 * Let the function see memory. Maps must not overlap; iova and va must be the
 * same modulo 64, so that alignment means the same on both sides.
 * The map (iova 0, va NULL, size UINT64_MAX) gives it the whole address space
 * of the process: addresses in requests are then plain pointers.
 *
 * @return
 *   0, -EINVAL (size 0, wraps, alignment, prot), -EEXIST (overlaps), -ENOSPC (beyond
 *   qm_dev_conf.limits), -ENOMEM. Any thread.
 */
int qm_dev_dma_map(struct qm_dev *dev, uint64_t iova, uint64_t size, void *va,
		unsigned int prot);

/**
 * The same with bytes [offset, offset + size) of a file in memory (memfd, tmpfs, hugetlbfs), which
 * whoever owns it may change, shrink (qm_dev_guard.h) or take away. It is mapped once, however many
 * maps lie in it, and unmapped when no request can touch the last of them any more
 * (qm_dev_conf.free_later).
 *
 * @param fd
 *   Not taken over.
 * @param why
 *   Set if it fails: what is wrong, for a log line.
 * @return
 *   What qm_dev_dma_map() returns; -EINVAL (not such a file, or it ends earlier); beyond
 *   qm_dev_conf.limits -EMFILE (files) or -ENOSPC; -EDQUOT (beyond conf.quota), -ENFILE (beyond
 *   its budget), or mmap()'s.
 */
int qm_dev_dma_map_file(struct qm_dev *dev, uint64_t iova, uint64_t size, int fd,
		uint64_t offset, unsigned int prot, const char **why);

/**
 * Take back all maps that lie wholly inside [iova, iova + size); iova 0 with size 0: all that
 * there are. From now on no request finds the maps, but requests that are being executed may
 * still use them. Any thread; not from within the log callback.
 * @param ticket
 *   Set if the return is not negative; for qm_dev_dma_unmap_done().
 * @param bytes
 *   The same: sum of the maps' sizes, modulo 2^64. NULL is allowed.
 * @return Number of maps removed, -EINVAL if a map lies half inside, or -ENOMEM.
 */
int qm_dev_dma_unmap_start(struct qm_dev *dev, uint64_t iova, uint64_t size, uint64_t *ticket,
		uint64_t *bytes);

/** @return Whether no request touches the maps taken back under ticket any more. Any thread. */
bool qm_dev_dma_unmap_done(struct qm_dev *dev, uint64_t ticket);

/** @return Whether there are files to be unmapped (qm_dev_conf.free_later). Any thread. */
bool qm_dev_dma_to_free(struct qm_dev *dev);

/**
 * Unmap a part of them, about a millisecond's work. What a file took from limits and quota is given
 * back with its last part. Any thread, one at a time; not beside qm_dev_destroy().
 * @return Whether there is more.
 */
bool qm_dev_dma_free(struct qm_dev *dev);

/* ---- Execution ----------------------------------------------------------------------------- */

/**
 * Execute requests of queue qn in the caller (functions without workers).
 *
 * One thread at a time per queue; different queues may be polled by different
 * threads at the same time. HISI_QM_MB_STOP_QP and setting a context of a queue
 * count as polling it, HISI_QM_MB_FLUSH_QM as polling all.
 *
 * @param budget
 *   Most requests to execute.
 * @return
 *   Requests executed.
 */
unsigned int qm_dev_poll(struct qm_dev *dev, uint16_t qn, unsigned int budget);

/** What a function has done since it was made; for tests and inspectors. */
struct qm_dev_stats {
	uint64_t requests;       /**< Requests completed. */
	uint64_t bytes_in;       /**< Bytes consumed. */
	uint64_t bytes_out;      /**< Bytes produced. */
	uint64_t errors;         /**< Requests completed with a status that is an error. */
	uint64_t doorbells_dropped; /**< Doorbells with an invalid value. */
	uint64_t mailbox_errors; /**< Mailbox commands that failed. */
	uint64_t eqes;           /**< Entries written to the event queue. */
	uint64_t aeqes;          /**< Entries written to the asynchronous event queue. */
	uint64_t irqs[QM_DEV_IRQS]; /**< Messages sent, by vector. */
	uint64_t resets;         /**< Function resets. */
	uint64_t faults;         /**< Faults injected. */
	uint32_t contexts;       /**< What its classes keep now, say streams. */
	uint32_t maps;           /**< DMA maps now. */
	uint32_t files;          /**< Mappings of files now. */
	uint64_t mapped;         /**< Bytes of files mapped now. */
	uint32_t queues_live;    /**< Queues started now. */
};

/** Read the counters; any thread. */
void qm_dev_stats_get(struct qm_dev *dev, struct qm_dev_stats *stats);

/** Requests completed with each status but 0; any thread. */
void qm_dev_stats_status(struct qm_dev *dev, uint32_t count[256]);

/**
 * Where the time of requests went (qm_dev_pool_conf.stats): wait is from the doorbell
 * being seen to the request being claimed, of one request at a time per queue; service
 * is its execution, of all.
 */
struct qm_dev_times {
	struct base_hist wait;
	struct base_hist service;
};

/** Of all queues of the function; all 0 if the pool keeps none. Any thread. */
void qm_dev_times_get(struct qm_dev *dev, struct qm_dev_times *times);

/** What one queue has done since its function was made. */
struct qm_dev_queue_stats {
	uint64_t requests;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t errors;
	uint16_t waiting;  /**< Requests that were seen and wait. */
	uint16_t inflight; /**< Requests being executed. */
	bool live;
	bool asleep;       /**< Not polled until it is woken (hisi_qm_shadow.h). */
	struct qm_dev_times times;
};

/** @return 0, or -EINVAL if qn is not a queue of the function. Any thread. */
int qm_dev_queue_stats_get(struct qm_dev *dev, uint16_t qn, struct qm_dev_queue_stats *stats);

#endif /* QM_DEV_H */
