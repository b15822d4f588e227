/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_DEV_H
#define HISI_ZIP_DEV_H

/**
 * @file
 * The compressdev driver of the HiSilicon ZIP function: its device. What is no class's, it has
 * from drivers/common/hisi.
 *
 *   hisi_zip_vdev.c       probe and remove on the vdev bus
 *   hisi_zip_pci.c        what is registered for the PCI bus, and probe there
 *   hisi_zip_probe.c      what both buses do
 *   hisi_zip_devargs.c    device arguments
 *   hisi_zip_driver.c     the driver; making a device over an access point; capabilities
 *   hisi_zip_ops.c        compressdev operations
 *   hisi_zip_xform.c      transforms and streams: from API terms to request words
 *   hisi_zip_setup.c      queue pairs: setup, taking hardware queues, stop
 *   hisi_zip_enqueue.c    data path: from op to SQE
 *   hisi_zip_chain.c      the same of chained mbufs
 *   hisi_zip_plain_stream.c  ops of streams on a function without the extension
 *   hisi_zip_trailer.c    what of V2's streams is a trailer, asked in dequeue
 *   hisi_zip_dequeue.c    data path: from SQE to op
 *   hisi_zip_plain.c      data path: DEFLATE without the extension
 *   hisi_zip_answer.c     known answers: which paths of a function are right; its header has the
 *                         files of the questions
 *   hisi_zip_verify.c     verify=N
 *   hisi_zip_wrong.c      paths that a result has shown to be wrong
 *   hisi_zip_recover.c    queues that fail: noticed, ops brought back, queues taken anew
 *   hisi_zip_sw.c         ops that the function cannot do, done with zip_codec
 *   hisi_zip_telemetry.c  telemetry commands
 *   hisi_zip_compat.h     what differs between releases of compressdev
 */

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <rte_compressdev.h>
#include <rte_compressdev_pmd.h>

#include "hisi_compat.h"
#include "hisi_dev.h"
#include "hisi_zip_request.h"

struct hisi_zip_qp;

/** What a function still has that owes known answers (hisi_zip_answer.h). */
struct hisi_zip_owed {
	TAILQ_ENTRY(hisi_zip_owed) next;
	struct spim_queue *queue;
	struct hisi_qm_mem mem;   /**< What its requests refer to. */
	uint16_t missing;         /**< Answers; UINT16_MAX: it cannot be told. */
};

/** What is known of the function's paths. */
struct hisi_zip_known {
	/** For all of it. The data path has a copy (hisi_zip_qp.known). */
	pthread_mutex_t lock;
	struct hisi_zip_paths paths;
	RTE_ATOMIC(uint32_t) opened;   /**< spim_opened() of the function that was asked. */
	uint32_t us;                   /**< Microseconds that known answers have taken. */
	uint32_t requests, rounds;     /**< How many, and how often they were waited for. */
	TAILQ_HEAD(, hisi_zip_owed) owed;
	RTE_ATOMIC(uint8_t) owes;      /**< There are some. */
	/** Bits of directions whose answers were late since it was opened, and the TSC of it. */
	uint8_t late;
	uint64_t late_at[HISI_ZIP_DIRS];
};

/** How dequeue has found a path wrong (hisi_zip_wrong.h). */
enum hisi_zip_wrong {
	HISI_ZIP_WRONG_VERIFY, /**< Software had another result. */
	HISI_ZIP_WRONG_RESULT, /**< A result that known answers have excluded. */
	HISI_ZIP_WRONG_LIE,    /**< One that cannot be true. */
	HISI_ZIP_WRONGS,
};

/** Private data of a device. */
struct hisi_zip_dev {
	struct hisi_dev hisi;          /**< First: hisi_zip_dev_of() relies on it. */
	uint8_t sw;                    /**< enum hisi_zip_sw_mode. */
	uint8_t untold;                /**< As in the device arguments. */
	bool asks;                     /**< Its function is asked known answers. Constant. */
	uint32_t verify;               /**< As there. */
	struct hisi_zip_known known;
	RTE_ATOMIC(uint32_t) paths_on; /**< Bits of those that are used: the data path's. */
	/** Bits of those that dequeue has found wrong, and of those that were logged. */
	RTE_ATOMIC(uint32_t) paths_wrong[HISI_ZIP_WRONGS];
	RTE_ATOMIC(uint32_t) paths_told;
	TAILQ_HEAD(, hisi_zip_qp) qps; /**< Queue pairs that are set up; under the driver's lock. */
	uint16_t addr_off;             /**< Offset in rte_mbuf of the address that requests use. */
	uint64_t feature_flags;        /**< RTE_COMPDEV_FF_*. */
	/** Capabilities of each algorithm, ended by one with algorithm 0. */
	struct rte_compressdev_capabilities caps[4];
};

extern struct hisi_driver hisi_zip_driver;

/** compressdev operations. */
extern struct rte_compressdev_ops hisi_zip_ops;

/** The device that begins with it. */
static inline struct hisi_zip_dev *
hisi_zip_dev_of(struct hisi_dev *dev)
{
	return (struct hisi_zip_dev *)dev;
}

/** What the function can do, as far as it is known now. */
struct hisi_zip_function hisi_zip_function_of(const struct hisi_zip_dev *dev);

/**
 * Open the access point, or share one, and fill in capabilities.
 *
 * @param dev
 *   See hisi_dev_open(); sw is set, too.
 * @param ap
 *   As for hisi_dev_open().
 */
int hisi_zip_dev_init(struct hisi_zip_dev *dev, struct hisi_ap *ap);

/** Close the access point. */
void hisi_zip_dev_fini(struct hisi_zip_dev *dev);

#endif /* HISI_ZIP_DEV_H */
