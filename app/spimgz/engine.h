/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_ENGINE_H
#define SPIMGZ_ENGINE_H

/**
 * @file
 * The accelerator that does the work: a service, or software in this process.
 */

#include <string.h>

#include "spimdev.h"
#include "gzip.h"
#include "spimgz.h"

/** One operation and its buffers. */
struct slot {
	struct spim_zip_op op;
	uint8_t *in;      /**< SPIMGZ_OUT_MAX bytes: either side may be the compressed one. */
	uint8_t *out;     /**< As many. */
	uint32_t isize;   /**< Expansion: what the trailer says. */
	uint32_t crc32;   /**< Of the plain data; expansion: what the trailer says. */
	uint8_t head[GZIP_OUR_MAX]; /**< Expansion: the member's header ... */
	size_t head_len;            /**< ... and its bytes. */
};

struct engine {
	const char *name;              /**< Of the access point in use. */
	bool chosen;                   /**< It was named by the user, who is told if it refuses. */
	bool verbose;
	struct spim_zip *z;
	struct spim_zip *old;          /**< Whose memory the slots lie in, if z took its place. */
	struct spim_zip_queue *queue;  /**< Of the direction that is being worked in. */
	enum spim_zip_dir dir;
	struct slot slots[SPIMGZ_SLOTS];
	unsigned int head, tail;       /**< Slots [head, tail), not wrapped, are submitted. */
};

/**
 * Open an access point.
 * @param name
 *   As for spim_zip_open(), or NULL: the service of this machine, or software if that refuses,
 *   whatever its reason.
 * @param verbose
 *   Say who does the work, and why it is not the service.
 * @return SPIMGZ_OK, or SPIMGZ_FAILED after a complaint.
 */
int engine_open(struct engine *e, const char *name, bool verbose);
void engine_close(struct engine *e);

/** Begin a file: take a queue if there is none yet. @return SPIMGZ_OK or SPIMGZ_FAILED. */
int engine_begin(struct engine *e, enum spim_zip_dir dir);

/**
 * End a file. The queue stays for the next one, which would spend more time on taking another
 * than on a few KiB of data; after an error what is in flight is dropped, and the queue with it.
 */
void engine_end(struct engine *e);

/** The next slot to fill, or NULL: get the result of the oldest first. */
struct slot *engine_next(struct engine *e);

/** Submit what engine_next() gave. */
int engine_submit(struct engine *e);

/** Wait for the oldest; NULL after a complaint. Its buffers are good until engine_next(). */
struct slot *engine_result(struct engine *e);

static inline bool
engine_idle(const struct engine *e)
{
	return e->head == e->tail;
}

/** Whether software in this process does the work; of a service nothing is believed. */
static inline bool
engine_is_local(const struct engine *e)
{
	return strcmp(e->name, "local") == 0;
}

#endif /* SPIMGZ_ENGINE_H */
