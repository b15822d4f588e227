/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_ASK_H
#define HISI_ZIP_ASK_H

/**
 * @file
 * Asking a function known answers (hisi_zip_answer.h): who asks, on which queue, with which memory,
 * and how long it may take. Control path; an asker is one thread's.
 */

#include <stddef.h>
#include <stdint.h>

#include "hisi_dev.h"
#include "hisi_zip_request.h"

struct hisi_zip_dev;
struct zip_codec;

/** Bytes of the longest data, but for that of the largest requests, which is made of it. */
#define HISI_ZIP_ASK_LEN   (64u << 10)
/** Bytes for all that the requests of some rounds refer to. */
#define HISI_ZIP_ASK_ARENA (1536u << 10)

/** Who asks, on one queue. */
struct hisi_zip_asker {
	struct hisi_zip_dev *dev;
	uint64_t left_ns;           /**< Of the time for all directions. */
	int64_t seen_ns;            /**< When it was counted last, by base_now_ns(). */
	struct zip_codec *codec;    /**< For up to HISI_ZIP_REQ_LEN_MAX. */
	/* Memory that the function does not see. */
	/** For HISI_ZIP_REQ_LEN_MAX bytes: HISI_ZIP_ASK_LEN of memory, again and again. */
	uint8_t *check;
	uint8_t *plain;             /**< HISI_ZIP_ASK_LEN bytes. */
	uint8_t *zeros;             /**< The same, of zeros. */
	struct hisi_qm_mem mem;     /**< HISI_ZIP_ASK_ARENA bytes; va NULL: none. */
	size_t used;                /**< Of them. */

	/* Of a direction. */
	enum hisi_zip_dir dir;      /**< Of the queue. */
	struct spim_queue *queue;   /**< Nothing is in flight on it. */
	uint16_t missing;           /**< Answers that the function owes. */
	int error;                  /**< Not 0: no more questions now. */
};

/** Address for the function of something in the asker's memory. */
static inline uint64_t
hisi_zip_ask_iova(const struct hisi_zip_asker *a, const void *at)
{
	return a->mem.iova + (uint64_t)((const char *)at - (const char *)a->mem.va);
}

/**
 * Memory for a request. All of it is given back at once: hisi_zip_asker.used.
 * @return Aligned for a list, with what was there before. NULL: there is no more.
 */
void *hisi_zip_ask_alloc(struct hisi_zip_asker *a, size_t len);

/**
 * Ask some requests, all at once: a round. None may need what another one has written.
 * @param sqes
 *   The requests; filled with the slots as the function has left them.
 * @return 0, or a negative errno: not all were answered, and nothing else is asked now.
 */
int hisi_zip_ask(struct hisi_zip_asker *a, struct hisi_zip_sqe *const *sqes, unsigned int n);

/**
 * Begin: no time has gone, and there is no memory that the function sees.
 * @param ms
 *   Milliseconds for all that it asks.
 * @return Whether there is memory for it. hisi_zip_asker_end() in any case.
 */
bool hisi_zip_asker_begin(struct hisi_zip_asker *a, struct hisi_zip_dev *dev, unsigned int ms);

/** Free what it has. */
void hisi_zip_asker_end(struct hisi_zip_asker *a);

#endif /* HISI_ZIP_ASK_H */
