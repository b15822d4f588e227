/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_CLASS_H
#define QM_DEV_CLASS_H

/**
 * @file
 * What an accelerator class gives to a software function.
 *
 * A function (qm_dev.h) has queues, and each queue has a type, which its SQC names (QM 3.1). A
 * class executes the requests of some types; a function may have several classes. The queue
 * manager copies a request from the ring, lets the class check and execute that copy, and completes
 * it in the order of the queue. It knows no request. A request that waits for a fence is copied
 * again at its turn; nothing is kept of the copy before.
 *
 * A class keeps three kinds of state, each with one rule of who touches it:
 * - of a function: made with it, used by all threads that execute its requests;
 * - of an executor: used by one thread at a time, so it needs no lock;
 * - of a request: the copy in struct qm_dev_request.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "qm_dev.h"
#include "qm_dev_mem.h"

/** Size of a request of any class in bytes (HISI_QM_SQE_LOG2). */
#define QM_DEV_SQE_SIZE 128

/** What an executor has for the buffers of a request. One thread at a time. */
struct qm_dev_bufs {
	struct qm_dev_view view;       /**< Holds the map while a request is executed. */
	struct qm_dev_buf src;
	struct qm_dev_buf dst;
	struct qm_dev_segment *segments; /**< For qm_dev_buf_overlap(). */
};

/** A request that a class is to execute. */
struct qm_dev_request {
	struct qm_dev *dev;
	void *func;                    /**< The class's state of the function. */
	void *exec;                    /**< The class's state of the executor. */
	struct qm_dev_bufs *bufs;
	uint8_t type;                  /**< Of the queue. */
	/** Private copy of the SQE: read, checked and changed here. */
	void *sqe;
	/** The SQE in client memory: written only, at the end, and only words that are results. */
	void *ring;
};

/** What the queue manager counts of a request that is done. */
struct qm_dev_result {
	uint32_t in;                   /**< Bytes consumed. */
	uint32_t out;                  /**< Bytes produced. */
	uint32_t entries;              /**< Entries of lists that were walked over. */
	uint8_t status;                /**< As the class's requests have it; 0: done. */
	bool error;                    /**< The status is an error. */
};

/** What is known of a request before it is executed. */
struct qm_dev_preview {
	uint32_t len;                  /**< Bytes of work: what the scheduler charges at first. */
	bool fence;                    /**< It begins when all before it in its queue are done. */
	uint64_t source;               /**< Address of what is read first, to be prefetched. */
};

/**
 * A class. preview, execute and refuse are called by any thread that executes requests, several at
 * a time, each with an executor of its own. reg_write and contexts are called by any thread beside
 * them; reset while no request executes, create and destroy while nothing else is called. None may
 * block. Pointers to functions that a class has no use for are NULL where that is said.
 */
struct qm_dev_class {
	const char *name;              /**< In log lines: "zip". */
	uint16_t pci_device;           /**< PCI device id of a VF that has this class first. */
	uint16_t types;                /**< Queue types, bit n for type n (QM 3.1). */
	uint32_t ext_features;         /**< Its bits in HISI_EXT_REG_FEATURES. */

	/**
	 * Make the class's state of a function.
	 * @param conf  struct qm_dev_class_use.conf, may be NULL.
	 * @return 0 or a negative errno; -EINVAL is logged by the class (qm_dev_log()).
	 */
	int (*create)(struct qm_dev *dev, const void *conf, void **func);
	/** Free it. No request is executed. */
	void (*destroy)(void *func);
	/** Forget what requests left behind: the function is reset. No request is executed. */
	void (*reset)(void *func);
	/** Contexts that it keeps now, for qm_dev_stats.contexts. NULL: never any. */
	uint32_t (*contexts)(const void *func);

	/** Make the state of an executor. @return NULL: out of memory. */
	void *(*exec_create)(void);
	void (*exec_destroy)(void *exec);

	/** What a copied request asks for; nothing of it was checked yet. */
	struct qm_dev_preview (*preview)(const void *sqe);
	/** Check and execute a request, and write its results to the ring. */
	struct qm_dev_result (*execute)(const struct qm_dev_request *r);
	/** Give a request this status instead of executing it; exec and bufs are not used. */
	struct qm_dev_result (*refuse)(const struct qm_dev_request *r, uint8_t status);

	/**
	 * A write of 8 bytes to a register that the queue manager does not know. NULL: the class
	 * has none.
	 * @return Whether it is one of the class's.
	 */
	bool (*reg_write)(void *func, uint32_t off, uint64_t value);
	/**
	 * For injected faults: turn a quirk of the function on if it is off, and off if it is on.
	 * NULL: the class has no quirks. Any thread.
	 * @param func  NULL: only say whether there is one of that name.
	 * @return Whether there is.
	 */
	bool (*toggle)(void *func, const char *name);
};

/** @return The configuration that the function was made with; constant. */
const struct qm_dev_conf *qm_dev_conf_of(const struct qm_dev *dev);

/** Tell the owner of the function. */
void qm_dev_log(const struct qm_dev *dev, enum base_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Copy from client memory; the compiler must not read there a second time. */
static inline void
qm_dev_copy_in(void *dst, const void *src, size_t n)
{
	__builtin_memcpy(dst, src, n);
	atomic_signal_fence(memory_order_seq_cst);
}

#endif /* QM_DEV_CLASS_H */
