/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "hisi_zip_burst.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_log.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_sw.h"
#include "hisi_zip_telemetry.h"

#define SLOTS_MIN 64u
#define SLOTS_MAX HISI_QM_RING_DEPTH_MAX

/*
 * The order ring has what results are checked against, so it is not in EAL's memory, which
 * a service may write to (hisi_mem.c). Zeroed, and there: no page fault comes later.
 */
static struct hisi_zip_slot *
slots_alloc(uint32_t slots, int socket)
{
	size_t len = slots * sizeof(struct hisi_zip_slot);
	void *va = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (va == MAP_FAILED)
		return NULL;
	if (socket >= 0 && (size_t)socket < sizeof(unsigned long) * CHAR_BIT) {
		unsigned long nodes = 1ul << socket;

		/* A wish, as for EAL's own memory: it works elsewhere, too. */
		(void)syscall(SYS_mbind, va, len, MPOL_PREFERRED, &nodes,
			sizeof(nodes) * CHAR_BIT + 1, 0);
	}
	return memset(va, 0, len);
}

static void
slots_free(struct hisi_zip_slot *slots, uint32_t n)
{
	munmap(slots, n * sizeof(*slots));
}

int
hisi_zip_qp_setup(struct rte_compressdev *cdev, uint16_t qp_id, uint32_t max_inflight_ops,
		int socket_id)
{
	struct hisi_zip_dev *dev = cdev->data->dev_private;
	struct hisi_zip_qp *qp;
	uint32_t slots;
	int ret;

	/* Setting a queue pair up again replaces it. */
	ret = hisi_zip_qp_release(cdev, qp_id);
	if (ret != 0)
		return ret;

	/* One slot always stays free, as in the hardware rings (QM 4.3). */
	slots = rte_align32pow2(RTE_MIN(max_inflight_ops, SLOTS_MAX - 1) + 1);
	slots = RTE_MAX(slots, SLOTS_MIN);
	if (max_inflight_ops > SLOTS_MAX - 1)
		HISI_ZIP_LOG(INFO, "%s: queue pair %u: %u ops in flight, expected at most %u: "
			"enqueue will take no more", dev->hisi.name, qp_id, max_inflight_ops,
			SLOTS_MAX - 1);

	qp = rte_zmalloc_socket("hisi_zip_qp", sizeof(*qp), RTE_CACHE_LINE_SIZE, socket_id);
	if (qp != NULL)
		qp->slots = slots_alloc(slots, socket_id);
	if (qp == NULL || qp->slots == NULL) {
		HISI_ZIP_LOG(ERR, "%s: queue pair %u: no memory for %u ops in flight on socket %d",
			dev->hisi.name, qp_id, max_inflight_ops, socket_id);
		rte_free(qp);
		return -ENOMEM;
	}
	for (unsigned int dir = 0; dir < HISI_ZIP_DIRS; dir++)
		qp->hwq[dir].qn = HISI_ZIP_NO_QUEUE;
	qp->dev = dev;
	qp->id = qp_id;
	qp->mask = slots - 1;
	qp->limit = RTE_MIN(max_inflight_ops, slots - 1);
	qp->cq_pace = (uint16_t)RTE_MAX(RTE_MIN(slots / 4, slots - 1 - qp->limit), 1u);
	qp->addr_off = dev->addr_off;
	qp->polled = dev->hisi.info.polled;
	qp->socket = socket_id;
	cdev->data->queue_pairs[qp_id] = qp;
	hisi_zip_telemetry_add_qp(qp);
	return 0;
}

int
hisi_zip_qp_release(struct rte_compressdev *cdev, uint16_t qp_id)
{
	struct hisi_zip_qp *qp = cdev->data->queue_pairs[qp_id];

	if (qp == NULL)
		return 0;
	hisi_zip_telemetry_remove_qp(qp);
	hisi_zip_qp_stop(qp);
	zip_codec_destroy(qp->codec);
	slots_free(qp->slots, qp->mask + 1);
	rte_free(qp);
	cdev->data->queue_pairs[qp_id] = NULL;
	return 0;
}

/* Returns false if the device may still write to memory of the queue and its ops. */
static bool
hwq_stop(struct hisi_zip_qp *qp, struct hisi_zip_hwq *hwq)
{
	int ret;

	if (hwq->failed)
		return !hwq->stuck;
	ret = spim_queue_stop(qp->dev->hisi.spim, hwq->queue);
	if (ret == 0 || ret == -ENODEV || qp->polled)
		return true;
	HISI_ZIP_LOG(ERR, "%s: queue pair %u: hardware queue %d did not stop (%d): its memory "
		"is not used again", qp->dev->hisi.name, qp->id, hwq->qn, ret);
	return false;
}

static int
queue_take(struct hisi_zip_qp *qp, enum hisi_zip_dir dir, struct spim_queue **queue)
{
	return spim_queue_take(qp->dev->hisi.spim, dir, (uint16_t)(qp->mask + 1), qp->socket,
		queue);
}

/*
 * Where others have all queues, whoever holds one and waits for another would keep
 * all of them waiting for each other. So the queue of the other direction goes back
 * if it has nothing to do: no op is in flight, and none is in this burst. Then the
 * dequeuing thread looks at no queue. Returns whether it went.
 */
static bool
give_back_other(struct hisi_zip_qp *qp, enum hisi_zip_dir dir)
{
	enum hisi_zip_dir other = dir == HISI_ZIP_COMP ? HISI_ZIP_DECOMP : HISI_ZIP_COMP;
	struct hisi_zip_hwq *hwq = &qp->hwq[other];

	if (hwq->ring == NULL || hwq->ring->sq_tail != hwq->ring->sq_rung ||
			rte_atomic_load_explicit(&qp->head, rte_memory_order_acquire) != qp->tail ||
			rte_atomic_load_explicit(&hwq->failed, rte_memory_order_acquire))
		return false;
	hwq->stuck = !hwq_stop(qp, hwq);
	hisi_zip_hwq_put(qp, other);
	return true;
}

/* Ops that do without a hardware queue after one could not be had, before the next try. */
#define RETRY_AFTER         256
#define RETRY_AFTER_FAILURE UINT16_MAX

int
hisi_zip_hwq_take(struct hisi_zip_qp *qp, enum hisi_zip_dir dir)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[dir];
	struct hisi_zip_dev *dev = qp->dev;
	uint32_t units = RTE_MAX((qp->mask + 1) * HISI_ZIP_SGL_PER_SLOT, HISI_ZIP_SGL_MIN);
	struct spim_queue *queue;
	int ret;

	if (hwq->queue != NULL)
		return -EBUSY; /* it has failed, and some of its ops are not back yet */
	if (hwq->retry > 0) {
		hwq->retry--;
		return hwq->retry_error;
	}
	ret = dev->hisi.mem.alloc(dev->hisi.mem.priv, units * HISI_ZIP_SGL_UNIT, HISI_ACC_SGL_ALIGN,
		qp->socket, &hwq->sgl);
	if (ret != 0)
		goto fail;
	ret = queue_take(qp, dir, &queue);
	if (ret == -EBUSY && give_back_other(qp, dir))
		ret = queue_take(qp, dir, &queue);
	if (ret != 0) {
		dev->hisi.mem.free(dev->hisi.mem.priv, &hwq->sgl);
		goto fail;
	}
	hwq->warned = false;
	hwq->sgl_mask = units - 1;
	hwq->sgl_tail = hwq->sgl_head_seen = hwq->sgl_head = 0;
	hwq->cq_due = 0;
	/* The dequeuing thread learns of it with the first slot that needs it. */
	hwq->queue = queue;
	hwq->ring = queue->ring;
	rte_atomic_store_explicit(&hwq->qn, queue->ring->qn, rte_memory_order_relaxed);
	return 0;

fail:
	/* A function that does not answer may make every try take a second. */
	hwq->retry = ret == -EBUSY || ret == -ENOMEM ? RETRY_AFTER : RETRY_AFTER_FAILURE;
	hwq->retry_error = ret;
	if (!hwq->warned)
		HISI_ZIP_LOG(ERR, "%s: queue pair %u: no %s queue (%d), expected 0; said once",
			dev->hisi.name, qp->id,
			dir == HISI_ZIP_COMP ? "compression" : "decompression", ret);
	hwq->warned = true;
	return ret;
}

void
hisi_zip_hwq_put(struct hisi_zip_qp *qp, enum hisi_zip_dir dir)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[dir];
	struct hisi_zip_dev *dev = qp->dev;

	if (!hwq->stuck) {
		spim_queue_put(dev->hisi.spim, hwq->queue);
		dev->hisi.mem.free(dev->hisi.mem.priv, &hwq->sgl);
	}
	hwq->ring = NULL;
	hwq->queue = NULL;
	hwq->stuck = 0;
	rte_atomic_store_explicit(&hwq->failed, 0, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&hwq->qn, HISI_ZIP_NO_QUEUE, rte_memory_order_relaxed);
}

void
hisi_zip_qp_stop(struct hisi_zip_qp *qp)
{
	enum hisi_zip_dir dir;

	qp->state = HISI_ZIP_QP_STOPPED;
	for (dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		if (qp->hwq[dir].queue != NULL)
			qp->hwq[dir].stuck = !hwq_stop(qp, &qp->hwq[dir]);
	}
	/* The rings go away: move every result into its op now. */
	for (uint32_t pos = qp->head; pos != qp->tail; pos++) {
		struct hisi_zip_slot *slot = &qp->slots[pos & qp->mask];

		if (slot->kind == HISI_ZIP_SLOT_COMP || slot->kind == HISI_ZIP_SLOT_DECOMP)
			hisi_zip_slot_complete(qp, slot);
		if (slot->kind == HISI_ZIP_SLOT_SW) {
			/* Here too: after a close nobody would, and a stream would stay busy. */
			hisi_zip_sw_run(qp, slot->op);
			slot->kind = HISI_ZIP_SLOT_DONE;
		}
	}
	hisi_zip_lie_log(qp);
	for (dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		if (qp->hwq[dir].queue != NULL)
			hisi_zip_hwq_put(qp, dir);
	}
}
