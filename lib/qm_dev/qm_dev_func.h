/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_FUNC_H
#define QM_DEV_FUNC_H

/**
 * @file
 * A software function.
 *
 * The path of a request: qm_dev_run.c polls the doorbell and claims SQEs, its class
 * (qm_dev_class.h) executes one, qm_dev_run.c completes them in submission order. qm_dev_sched.c
 * decides which queue is next, qm_dev_worker.c has the threads.
 *
 * Locks, outermost first: qm_dev.mb_lock (mailbox), qm_dev_queue.lock, qm_dev_events.lock, locks
 * of classes, qm_dev_map.lock, qm_dev_pool.lock. None is held while data is processed.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_clock.h"
#include "hisi_qm_regs.h"
#include "hisi_zip_ext.h"
#include "qm_dev.h"
#include "qm_dev_class.h"
#include "qm_dev_lock.h"
#include "qm_dev_mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "descriptors are used in place");

struct qm_dev_fault;
struct qm_dev_queue;

/** Registers that hold what was written to them (qm_dev_regs.c). */
enum qm_dev_reg {
	QM_DEV_REG_IFC_INT_MASK,
	QM_DEV_REG_PAGE_SIZE,
	QM_DEV_REG_VF_STATE,
	QM_DEV_REG_WB_DONE,
	QM_DEV_REGS_PLAIN,
};

/* ---- Classes (qm_dev_exec.c) ---- */

/** A class of a function. Constant. */
struct qm_dev_class_state {
	const struct qm_dev_class *class;
	void *func;        /**< The class's state of the function. */
	unsigned int slot; /**< Of qm_dev_exec.state. */
};

/* ---- Event queues (qm_dev_event.c) ---- */

#define QM_DEV_EQS 2 /**< EQ and AEQ, by enum qm_dev_irq. */

/** An event queue: entries in [head, tail) are the driver's, modulo depth. */
struct qm_dev_eq {
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

struct qm_dev_events {
	struct qm_dev_lock lock;
	struct qm_dev_view view;
	struct qm_dev_eq eq[QM_DEV_EQS];
	_Atomic uint64_t irqs[QM_DEV_IRQS]; /**< Counters: messages sent. */
};

/* ---- PCI (qm_dev_pci.c) ---- */

struct qm_dev_pci {
	struct qm_dev_lock lock;
	uint8_t config[256]; /**< Behind them config space reads 0. */
	uint8_t wmask[256];  /**< Bits that a write changes. */
};

/* ---- Function ---- */

/** Mailbox status (U3: only 0 = done is known). */
enum qm_dev_mb_status {
	QM_DEV_MB_OK = 0,
	QM_DEV_MB_BAD_CMD = 1,
	QM_DEV_MB_BAD_QUEUE = 2,
	QM_DEV_MB_BAD_ADDR = 3,
	QM_DEV_MB_BAD_CTX = 4,
	QM_DEV_MB_NO_MEM = 5,
	QM_DEV_MB_AGAIN = 0x100, /**< Not done yet; see qm_dev_mailbox(). */
	QM_DEV_MB_NO_QUEUE = HISI_QM_MB_STATUS_NO_QUEUE,
};

/**
 * So many bytes of a mapping are unmapped or replaced at a time: 2,048 pages take about a
 * millisecond, for which nobody else can map or unmap anything, or have a page fault.
 */
#define QM_DEV_UNMAP_STEP (8u << 20)

struct qm_dev {
	struct qm_dev_conf conf;
	char name[64];
	struct qm_dev_map map;
	struct qm_dev_class_state cs[QM_DEV_CLASSES_MAX]; /**< Up to the first without a class. */
	/** What its executors are made for: its own classes, or those of the pool. */
	const struct qm_dev_class *exec_classes[QM_DEV_CLASSES_MAX];
	/** One per queue; NULL where none was made. See qm_dev_queue_make(), _find(). */
	_Atomic(struct qm_dev_queue *) *queues;
	struct hisi_qm_shadow *doorbells;
	size_t doorbells_size;
	int doorbells_fd;                /**< -1: none. */
	bool doorbells_paid;             /**< They count in conf.quota. */
	_Atomic bool broken;             /**< Client memory vanished (qm_dev_guard.h). */
	_Atomic bool broken_told;
	struct qm_dev_group *group;     /**< Whose workers it uses; NULL: has none. */
	struct qm_dev_pool *own_pool;   /**< Made for this function alone. */
	_Atomic uint32_t queues_live;
	uint32_t queues_taken;           /**< Queues that it took from the budget; mb_lock. */
	uint32_t slots_taken;            /**< Sum of their depths; mb_lock. */
	_Atomic uint64_t doorbells_dropped;
	_Atomic uint64_t mailbox_errors;
	_Atomic uint32_t status[256];    /**< Requests by dw3 bits 7:0, but for HISI_ZIP_OK. */

	/* Register file (qm_dev_regs.c). */
	_Atomic uint32_t reg[QM_DEV_REGS_PLAIN];
	_Atomic uint32_t mb_reg[4];

	/* Mailbox (qm_dev_mailbox.c): guarded by mb_lock. */
	pthread_mutex_t mb_lock;
	struct qm_dev_view mb_view;
	_Atomic bool mb_pending; /**< The command has to be run again; read without lock. */
	uint64_t sqc_bt;
	uint64_t cqc_bt;

	struct qm_dev_events events;
	struct qm_dev_pci pci;
	struct qm_dev_fault *fault; /**< NULL: no faults. Constant. */
	_Atomic bool gone;           /**< Vanished (qm_dev_fault.h). */
	_Atomic uint64_t resets;
};

/** Queue qn; NULL: not a queue of the function, or never used. Any thread. */
static inline struct qm_dev_queue *
qm_dev_queue_find(const struct qm_dev *dev, unsigned int qn)
{
	return qn < dev->conf.queues ?
		atomic_load_explicit(&dev->queues[qn], memory_order_acquire) : NULL;
}

static inline bool
qm_dev_is_broken(const struct qm_dev *dev)
{
	return atomic_load_explicit(&dev->broken, memory_order_relaxed);
}

/** Call conf.failed, once. */
void qm_dev_tell_broken(struct qm_dev *dev);

/** Let others run while waiting for a worker; *n counts the turns. */
void qm_dev_wait(unsigned int *n);

static inline void
qm_dev_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif /* QM_DEV_FUNC_H */
