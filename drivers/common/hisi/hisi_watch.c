/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_cycles.h>

#include "hisi_ap.h"
#include "hisi_watch.h"

/* The function is asked whether it is there each time it was silent for so long, in ms. */
#define CHECK_MS 10u

/*
 * A check of the clock counts for an eighth of the time that is allowed at most:
 * the process may have been stopped meanwhile, or the application may have had
 * better things to do. So no queue fails before 8 checks.
 */
#define CHECK_SHARE 8u

static enum hisi_watch_found
queue_fail(struct hisi_hwq *hwq, int why, uint64_t silent_ms, const char *fate)
{
	static const char *const names[HISI_WATCH_FAILS] = {
		[HISI_WATCH_STALLED] = "is silent",
		[HISI_WATCH_RESET] = "was lost in a reset",
		[HISI_WATCH_GONE] = "has gone with its function",
	};
	const struct hisi_hwq_conf *conf = &hwq->conf;
	enum hisi_watch_found found;
	int ret;

	ret = spim_queue_abort(conf->dev->ap->spim, hwq->queue);
	if (why == -ENODEV || why == -ENOTCONN || ret == -ENODEV)
		found = HISI_WATCH_GONE;
	else
		found = why == -ESTALE ? HISI_WATCH_RESET : HISI_WATCH_STALLED;
	hwq->stuck = hisi_dev_may_write(conf->dev, ret);
	hisi_log_error(conf->dev->driver, "%s: %s %u: hardware queue %d %s: no answer for %u ms, "
		"stopped with %d, expected 0; its ops come back %s", conf->dev->name,
		conf->dev->driver->owner_name, conf->owner_id, hwq->qn, names[found],
		(unsigned int)silent_ms, ret,
		hwq->stuck ? "with an error, its memory is not used again" : fate);
	rte_atomic_store_explicit(&hwq->failed, 1, rte_memory_order_release);
	return found;
}

enum hisi_watch_found
hisi_hwq_watch(struct hisi_hwq *hwq, struct hisi_watch *w, uint32_t oldest,
		enum hisi_watch_gone gone, const char *fate)
{
	uint64_t per_ms = rte_get_tsc_hz() / 1000, now = rte_rdtsc(), check_max, timeout;
	struct hisi_dev *dev = hwq->conf.dev;
	int ret;

	if (w->head != oldest || w->last == 0) {
		/* Another one is the oldest now, or the first there is: its time begins. */
		w->head = oldest;
		w->last = now;
		w->silent = w->checked = 0;
		return HISI_WATCH_NOTHING;
	}
	timeout = dev->args.timeout_ms * per_ms;
	check_max = (timeout != 0 ? timeout : HISI_TIMEOUT_MS * per_ms) / CHECK_SHARE;
	w->silent += RTE_MIN(now - w->last, check_max);
	w->last = now;
	if (w->silent - w->checked < CHECK_MS * per_ms)
		return HISI_WATCH_NOTHING;
	w->checked = w->silent;
	ret = spim_queue_check(dev->ap->spim, hwq->queue);
	if (ret == -ENOTCONN) {
		/* Its last words came between dequeue's poll and ours: it takes them first. */
		if (hisi_qm_cq_ready(hwq->queue->ring, 1) != 0)
			return HISI_WATCH_NOTHING;
		if (gone != HISI_WATCH_FAIL &&
				spim_queue_restart(dev->ap->spim, hwq->queue) == 0) {
			w->silent = w->checked = 0;
			return HISI_WATCH_RESTARTED;
		}
		if (gone == HISI_WATCH_WAIT)
			return HISI_WATCH_NOTHING;
	}
	if (ret != 0 || (timeout != 0 && w->silent >= timeout))
		return queue_fail(hwq, ret, w->silent / per_ms, fate);
	return HISI_WATCH_NOTHING;
}

bool
hisi_hwq_renew(struct hisi_hwq *hwq, uint32_t head, uint32_t tail)
{
	if (!rte_atomic_load_explicit(&hwq->failed, rte_memory_order_acquire) &&
			!rte_atomic_load_explicit(&hwq->outdated, rte_memory_order_acquire))
		return false;
	/* It was outdated with others of its owner, and there is none. */
	if (hwq->queue == NULL) {
		rte_atomic_store_explicit(&hwq->outdated, 0, rte_memory_order_relaxed);
		return false;
	}
	if (hwq->ring != NULL) {
		hwq->ring = NULL;
		hwq->fail_end = tail;
	}
	if ((int32_t)(head - hwq->fail_end) < 0)
		return true;
	hisi_hwq_stop(hwq);
	hisi_hwq_put(hwq);
	return false;
}
