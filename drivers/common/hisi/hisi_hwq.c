/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "hisi_ap.h"
#include "hisi_hwq.h"

void
hisi_hwq_init(struct hisi_hwq *hwq, const struct hisi_hwq_conf *conf)
{
	*hwq = (struct hisi_hwq){ .qn = HISI_HWQ_NONE, .conf = *conf };
}

static int
queue_take(const struct hisi_hwq *hwq, struct spim_queue **queue)
{
	const struct hisi_hwq_conf *conf = &hwq->conf;

	return spim_queue_take(conf->dev->ap->spim, conf->type, conf->depth, conf->socket, queue);
}

/* The queue and its memory, or neither. */
static int
take(struct hisi_hwq *hwq, struct spim_queue **queue)
{
	const struct hisi_hwq_conf *conf = &hwq->conf;
	const struct hisi_qm_mem_ops *mem = &conf->dev->ap->mem;
	int ret = 0;

	if (conf->mem_len != 0)
		ret = mem->alloc(mem->priv, conf->mem_len, RTE_CACHE_LINE_SIZE, conf->socket,
			&hwq->mem);
	if (ret != 0)
		return ret;
	ret = queue_take(hwq, queue);
	if (ret == -EBUSY && conf->make_room != NULL && conf->make_room(hwq))
		ret = queue_take(hwq, queue);
	if (ret != 0 && conf->mem_len != 0)
		mem->free(mem->priv, &hwq->mem);
	return ret;
}

bool
hisi_hwq_pauses(const struct hisi_hwq *hwq, uint64_t now)
{
	/* A TSC that went back is far behind: then it is over. */
	return now - hwq->failed_at < hwq->pause_ms * (rte_get_tsc_hz() / MS_PER_S);
}

void
hisi_hwq_later(struct hisi_hwq *hwq, int error, uint64_t begin)
{
	uint64_t now = rte_rdtsc();
	/* Not what cannot be: another CPU's TSC may be a little behind. */
	uint64_t took = now > begin ? (now - begin) / (rte_get_tsc_hz() / MS_PER_S) : 0;
	uint32_t least = error == -EBUSY || error == -ENOMEM ? HISI_HWQ_BUSY_MS :
		HISI_HWQ_FAILURE_MS;

	/* The process may have been stopped meanwhile, for hours. */
	took = RTE_MIN(took, HISI_HWQ_PAUSE_MS / HISI_HWQ_PAUSE);
	hwq->pause_ms = RTE_MAX(least, (uint32_t)took * HISI_HWQ_PAUSE);
	hwq->failed_at = now;
	hwq->retry_error = error;
}

int
hisi_hwq_take(struct hisi_hwq *hwq)
{
	const struct hisi_hwq_conf *conf = &hwq->conf;
	struct spim_queue *queue;
	uint64_t begin;
	int ret;

	if (hwq->queue != NULL)
		return -EBUSY; /* it has failed, and some of its requests are not back yet */
	/* Only requests that have no queue come here and look at the clock. */
	begin = rte_rdtsc();
	if (hisi_hwq_pauses(hwq, begin))
		return hwq->retry_error;
	ret = take(hwq, &queue);
	if (ret == 0) {
		hwq->warned = false;
		hwq->pause_ms = 0;
		/* The consumer learns of it with the first request. */
		hwq->queue = queue;
		hwq->ring = queue->ring;
		rte_atomic_store_explicit(&hwq->qn, queue->ring->qn, rte_memory_order_relaxed);
		return 0;
	}
	hisi_hwq_later(hwq, ret, begin);
	if (!hwq->warned)
		hisi_log_error(conf->dev->driver, "%s: %s %u: no %s queue (%d), expected 0; said "
			"once", conf->dev->name, conf->dev->driver->owner_name, conf->owner_id,
			conf->what, ret);
	hwq->warned = true;
	return ret;
}

void
hisi_hwq_stop(struct hisi_hwq *hwq)
{
	const struct hisi_hwq_conf *conf = &hwq->conf;
	int ret;

	if (hwq->failed)
		return; /* it is, and stuck says how */
	ret = spim_queue_stop(conf->dev->ap->spim, hwq->queue);
	hwq->stuck = hisi_dev_may_write(conf->dev, ret);
	if (hwq->stuck)
		hisi_log_error(conf->dev->driver, "%s: %s %u: hardware queue %d did not stop (%d): "
			"its memory is not used again", conf->dev->name,
			conf->dev->driver->owner_name, conf->owner_id, hwq->qn, ret);
}

static void
hwq_free_mem(struct hisi_hwq *hwq)
{
	struct hisi_ap *ap = hwq->conf.dev->ap;

	if (hwq->conf.mem_len != 0)
		ap->mem.free(ap->mem.priv, &hwq->mem);
}

/* It is without a queue. */
static void
hwq_forget(struct hisi_hwq *hwq)
{
	hwq->ring = NULL;
	hwq->queue = NULL;
	hwq->stuck = 0;
	rte_atomic_store_explicit(&hwq->failed, 0, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&hwq->outdated, 0, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&hwq->qn, HISI_HWQ_NONE, rte_memory_order_relaxed);
}

void
hisi_hwq_put(struct hisi_hwq *hwq)
{
	if (!hwq->stuck) {
		spim_queue_put(hwq->conf.dev->ap->spim, hwq->queue);
		hwq_free_mem(hwq);
	}
	hwq_forget(hwq);
}

struct spim_queue *
hisi_hwq_leave(struct hisi_hwq *hwq)
{
	struct spim_queue *queue = hwq->queue;

	hwq_free_mem(hwq);
	hwq_forget(hwq);
	return queue;
}
