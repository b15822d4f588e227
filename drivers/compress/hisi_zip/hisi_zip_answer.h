/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_ANSWER_H
#define HISI_ZIP_ANSWER_H

/**
 * @file
 * Known answers: what no source says of silicon, the driver asks it. Before a path is used on a
 * function without the extension, requests with known results are run on it. A path that answers
 * otherwise, or not at all, is off, and its ops are done in software.
 *
 *   hisi_zip_answer.c          asking: queues, one request, what becomes of a path
 *   hisi_zip_answer_deflate.c  the questions about stateless DEFLATE
 *   hisi_zip_answer_stream.c   those about streams
 *
 * An error is a safe answer: software repeats such an op. What may not be is a success that is
 * none. So a path is on if it does what is usual, and never says that it has done what it has not.
 *
 * Control path: the caller holds the device's paths_lock.
 */

#include <stdalign.h>
#include <stdint.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_request.h"
#include "zip_codec.h"

/** Bytes of input and of output in hisi_zip_asker.mem. */
#define HISI_ZIP_ASK_LEN  (64u << 10)
#define HISI_ZIP_ASK_ROOM (HISI_ZIP_ASK_LEN + HISI_ZIP_ASK_LEN / 8 + 256)

/** Its memory, that requests refer to. */
struct hisi_zip_ask_mem {
	/** Two lists: source and destination. */
	struct {
		alignas(HISI_ACC_SGL_ALIGN) struct hisi_acc_sgl head;
		struct hisi_acc_sge entries[HISI_ACC_SGE_MAX];
	} lists[2];
	uint8_t trailer[64];            /**< Behind a source, or behind a destination. */
	uint8_t ctx[HISI_ZIP_CTX_SIZE]; /**< Of a stream. */
	uint8_t src[HISI_ZIP_ASK_ROOM];
	uint8_t dst[HISI_ZIP_ASK_ROOM];
};

/** Who asks, on one queue. */
struct hisi_zip_asker {
	struct hisi_zip_dev *dev;
	enum hisi_zip_dir dir;      /**< Of the queue. */
	struct spim_queue *queue;   /**< Nothing is in flight on it. */
	struct hisi_qm_mem mem;     /**< A struct hisi_zip_ask_mem. */
	struct zip_codec *codec;    /**< For up to HISI_ZIP_REQ_LEN_MAX. */
	uint8_t *check;             /**< HISI_ZIP_ASK_ROOM bytes that the function does not see. */
	uint8_t *plain;             /**< The same again. */
	uint64_t deadline;          /**< For hisi_zip_ask_late(), in ms by base_now_ms(). */
	int error;                  /**< Not 0: the function gives no answers any more. */
};

/** Address for the function of something in the asker's memory. */
static inline uint64_t
hisi_zip_ask_iova(const struct hisi_zip_asker *a, const void *at)
{
	return a->mem.iova + (uint64_t)((const char *)at - (const char *)a->mem.va);
}

/** The asker's memory. */
static inline struct hisi_zip_ask_mem *
hisi_zip_ask_mem(const struct hisi_zip_asker *a)
{
	return a->mem.va;
}

/**
 * Ask one request.
 * @param sqe
 *   The request; filled with the slot as the function has left it.
 * @return 0, or a negative errno: there was no answer, and there will be none any more.
 */
int hisi_zip_ask(struct hisi_zip_asker *a, struct hisi_zip_sqe *sqe);

/** It has taken long enough: what is right up to now may be on, what was not asked stays so. */
bool hisi_zip_ask_late(const struct hisi_zip_asker *a);

/**
 * A path is off: log it, once.
 * @param why
 *   A constant, in some words.
 */
void hisi_zip_path_fails(struct hisi_zip_dev *dev, enum hisi_zip_path path, const char *why);

/**
 * Paths by which a result came that cannot be right are off from now on. Dequeuing thread; when
 * nothing waits for it, hisi_zip_paths_tell() says so.
 */
static inline void
hisi_zip_paths_wrong(struct hisi_zip_dev *dev, uint32_t paths)
{
	/* In this order: publish_paths() looks for them after it has turned paths on. */
	rte_atomic_fetch_or_explicit(&dev->paths_wrong, paths, rte_memory_order_seq_cst);
	rte_atomic_fetch_and_explicit(&dev->paths_on, ~paths, rte_memory_order_seq_cst);
}

/** Log the paths that were found wrong, once. The caller does not hold paths_lock. */
void hisi_zip_paths_tell(struct hisi_zip_dev *dev);

/** The questions of the stateless paths of a direction; sets their state. */
void hisi_zip_answers_deflate(struct hisi_zip_asker *a);

/** The same of streams. */
void hisi_zip_answers_stream(struct hisi_zip_asker *a);

/** Begin: which paths the function may have at all. */
void hisi_zip_paths_begin(struct hisi_zip_dev *dev);

/**
 * Try what has not been tried, if queues are free. Takes less than a second, whatever the function
 * does, beside what taking a queue takes.
 */
void hisi_zip_paths_try(struct hisi_zip_dev *dev);

/**
 * The same of a direction, on a queue that was just taken: hisi_zip_hwq_take().
 * @return Whether the queue owes an answer. Then nothing else may be submitted to it, as an answer
 *   that comes late would be taken for that of another request: the caller passes it to
 *   hisi_zip_paths_leave(), before paths_lock is given back.
 */
bool hisi_zip_paths_try_on(struct hisi_zip_dev *dev, enum hisi_zip_dir dir,
		struct spim_queue *queue);

/** A queue that owes an answer is the device's until it goes. */
void hisi_zip_paths_leave(struct hisi_zip_dev *dev, enum hisi_zip_dir dir,
		struct spim_queue *queue);

/** Put what a function that did not answer still has. The device's other queues are put. */
void hisi_zip_paths_end(struct hisi_zip_dev *dev);

#endif /* HISI_ZIP_ANSWER_H */
