/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_WATCH_H
#define HISI_WATCH_H

/**
 * @file
 * Hardware queues that fail. A request that was accepted comes back whatever happens:
 *
 *   consumer  finds the oldest request without a result for too long: hisi_hwq_watch() has the
 *             queue stopped, so that nothing writes to its requests any more, and sets "failed".
 *             From then on requests of this queue that have no result come back without one,
 *             after hisi_qm_cq_close().
 *             A queue of a service that was killed is started again on its successor instead,
 *             with what is in it, if the owner wants that. The owner may set "outdated" then, of
 *             its other queues, too.
 *   producer  may have been filling the ring meanwhile: those requests are lost as well. It finds
 *             "failed" or "outdated", submits nothing more (hisi_hwq_renew()), and once all are
 *             back puts the queue. The next request takes another one.
 */

#include "hisi_hwq.h"

/** Dequeues without a result between two checks of the clock. */
#define HISI_WATCH_POLLS 64u

/** How long the oldest request has been waited for. The consumer's; all 0 before the first. */
struct hisi_watch {
	uint32_t polls;     /**< Dequeues that found nothing: the owner counts them. */
	uint32_t head;      /**< Position of the oldest request at the last check. */
	uint64_t last;      /**< TSC then; 0: there was none. */
	uint64_t silent;    /**< TSC cycles that it has been waited for. */
	uint64_t checked;   /**< Of them, how many when the function was asked last. */
};

/** What becomes of a queue whose function is gone. */
enum hisi_watch_gone {
	HISI_WATCH_FAIL,    /**< It fails. */
	HISI_WATCH_RESTART, /**< It is started again on the successor. Without one it fails. */
	HISI_WATCH_WAIT,    /**< The same, but it waits for one: nothing else does its requests. */
};

/** What a check has found. */
enum hisi_watch_found {
	HISI_WATCH_STALLED,   /**< The queue failed: it was silent for too long. */
	HISI_WATCH_RESET,     /**< It failed: the function was reset. */
	HISI_WATCH_GONE,      /**< It failed: the function does not answer. */
	HISI_WATCH_FAILS,     /**< Kinds of failure. */
	HISI_WATCH_RESTARTED = HISI_WATCH_FAILS, /**< It was started again on a new function. */
	HISI_WATCH_NOTHING,
};

/**
 * Called by the consumer every HISI_WATCH_POLLS times that the oldest request was not ready. Finds
 * out whether its queue has failed; if so, stops it, which may take seconds, sets failed and
 * stuck, and logs a line.
 *
 * @param oldest
 *   Position of the oldest request. Another one than at the last check begins anew.
 * @param fate
 *   How those of a queue that is not stuck come back, for the log line: "with an error".
 */
enum hisi_watch_found hisi_hwq_watch(struct hisi_hwq *hwq, struct hisi_watch *watch,
		uint32_t oldest, enum hisi_watch_gone gone, const char *fate);

/**
 * Put a queue that has failed or is outdated, once all its requests are back; until then nothing
 * is submitted to it. Producer.
 *
 * @param head, tail
 *   Positions: the oldest request that is not back, loaded with acquire, and the next one.
 * @return Whether requests of such a queue are not back yet.
 */
bool hisi_hwq_renew(struct hisi_hwq *hwq, uint32_t head, uint32_t tail);

#endif /* HISI_WATCH_H */
