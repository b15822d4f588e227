/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef BASE_REAP_H
#define BASE_REAP_H

/**
 * @file
 * Ends that take their time, done by threads of their own. To unmap memory or to close its last
 * descriptor takes as long as there is memory, which others decide; and behind a descriptor may be
 * somebody who never answers. An event loop hands such an end over, and goes on.
 *
 * There are few threads, and one owner's jobs have only some of them. Owners take turns, and so do
 * the jobs of an owner, step by step. Threads are made when there is something to do.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/** What may become of a thread that does a job. Each kind has threads of its own. */
enum base_reap_kind {
	BASE_REAP_FINITE,   /**< It goes on after a while. */
	BASE_REAP_DOUBTFUL, /**< It may wait for ever. */
	BASE_REAP_KINDS,
};

/** Most threads of a kind, and of those most that do one owner's jobs. */
#define BASE_REAP_FINITE_THREADS   8
#define BASE_REAP_FINITE_SHARE     2
#define BASE_REAP_DOUBTFUL_THREADS 64
#define BASE_REAP_DOUBTFUL_SHARE   4

/** A job; part of what it ends. */
struct base_reap_job {
	STAILQ_ENTRY(base_reap_job) link; /**< Of base_reap.c. */
	/**
	 * Do a part, best no more than some milliseconds' work. One thread at a time.
	 * @return Whether there is more to do. If not, the job may be freed by then.
	 */
	bool (*step)(struct base_reap_job *job);
};

/**
 * Hand over a job. Any thread, also from a step; never waits. Should there be no thread and none
 * to be made, a finite job is done by the caller, and a doubtful one waits for the next.
 * @param owner
 *   Whose it is.
 */
void base_reap(struct base_reap_job *job, enum base_reap_kind kind, uint32_t owner);

/** @return Whether no job of the kind is left. Any thread. */
bool base_reap_is_done(enum base_reap_kind kind);

#endif /* BASE_REAP_H */
