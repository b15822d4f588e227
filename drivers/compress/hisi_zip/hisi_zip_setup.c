/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_burst.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_log.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_sw.h"
#include "hisi_zip_telemetry.h"
#include "hisi_zip_trailer.h"

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

/* Free a queue pair of so many slots, also one that is not complete. */
static void
qp_free(struct hisi_zip_qp *qp, uint32_t slots)
{
	if (qp == NULL)
		return;
	hisi_zip_sw_destroy(qp->sw);
	free(qp->known);
	if (qp->slots != NULL)
		munmap(qp->slots, slots * sizeof(*qp->slots));
	rte_free(qp);
}

/*
 * Another queue may go if it has nothing to do: no op is in flight, and none that needs it is in
 * this burst. Then the dequeuing thread polls no queue. The trailer queue goes first: ops do
 * without it.
 */
static bool
put_other(struct hisi_hwq *q)
{
	struct hisi_zip_qp *qp = container_of(q, struct hisi_zip_qp, hwq[q->conf.type].q);

	if (rte_atomic_load_explicit(&qp->head, rte_memory_order_acquire) != qp->tail)
		return false;
	for (int i = HISI_ZIP_HWQS - 1; i >= 0; i--) {
		struct hisi_hwq *other = &qp->hwq[i].q;
		const struct hisi_qm_ring *ring = qp->hwq[other->conf.type].q.ring;

		if (other == q || other->ring == NULL ||
				(ring != NULL && ring->sq_tail != ring->sq_rung) ||
				rte_atomic_load_explicit(&other->failed, rte_memory_order_acquire))
			continue;
		hisi_hwq_stop(other);
		hisi_hwq_put(other);
		return true;
	}
	return false;
}

static void
hwq_init(struct hisi_zip_qp *qp, enum hisi_zip_dir dir)
{
	static const char *const what[HISI_ZIP_DIRS] = {
		[HISI_ZIP_COMP] = "compression",
		[HISI_ZIP_DECOMP] = "decompression",
	};
	struct hisi_zip_hwq *hwq = &qp->hwq[dir];
	uint32_t units = RTE_MAX((qp->mask + 1) * HISI_ZIP_SGL_PER_SLOT, HISI_ZIP_SGL_MIN);

	hwq->sgl_mask = units - 1;
	hisi_hwq_init(&hwq->q, &(struct hisi_hwq_conf){
		.dev = &qp->dev->hisi,
		.type = dir,
		.depth = (uint16_t)(qp->mask + 1),
		.socket = qp->socket,
		.mem_len = (uint32_t)(units * HISI_ZIP_SGL_UNIT) + HISI_ZIP_TRAILER_ROOM,
		.owner_id = qp->id,
		.what = what[dir],
		.make_room = put_other,
	});
}

int
hisi_zip_qp_setup(struct rte_compressdev *cdev, uint16_t qp_id, uint32_t max_inflight_ops,
		int socket_id)
{
	struct hisi_zip_dev *dev = cdev->data->dev_private;
	struct hisi_zip_qp *qp;
	uint32_t slots;
	bool need_sw;
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
	if (qp != NULL) {
		qp->slots = slots_alloc(slots, socket_id);
		qp->known = calloc(HISI_ZIP_DIRS, sizeof(*qp->known));
	}
	need_sw = dev->sw || dev->verify != 0;
	if (qp != NULL && need_sw)
		qp->sw = hisi_zip_sw_create(dev->verify != 0);
	if (qp == NULL || qp->slots == NULL || qp->known == NULL ||
			(need_sw && qp->sw == NULL)) {
		HISI_ZIP_LOG(ERR, "%s: queue pair %u: no memory for %u ops in flight on socket %d",
			dev->hisi.name, qp_id, max_inflight_ops, socket_id);
		qp_free(qp, slots);
		return -ENOMEM;
	}
	qp->dev = dev;
	qp->id = qp_id;
	qp->mask = slots - 1;
	qp->limit = RTE_MIN(max_inflight_ops, slots - 1);
	qp->cq_pace = (uint16_t)RTE_MAX(RTE_MIN(slots / 4, slots - 1 - qp->limit), 1u);
	qp->addr_off = dev->addr_off;
	qp->polled = dev->hisi.info.polled;
	qp->socket = socket_id;
	qp->verify = dev->verify;
	qp->verify_left = qp->verify;
	qp->verify_random = (uint32_t)rte_rdtsc() | 1;
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++)
		hwq_init(qp, dir);
	hisi_zip_trailer_init(qp);
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
	hisi_zip_telemetry_log_qp(qp);
	qp_free(qp, qp->mask + 1);
	cdev->data->queue_pairs[qp_id] = NULL;
	return 0;
}

/* Takes whose queue may come to owe an answer, before there is none. */
#define TAKES_MAX 3u

/* Ask what is not known yet. @return 0, or it has the queue no more; -EBUSY: ask later. */
static int
ask_first(struct hisi_zip_qp *qp, enum hisi_zip_dir dir)
{
	struct hisi_hwq *q = &qp->hwq[dir].q;
	bool owes, later;

	pthread_mutex_lock(&qp->dev->known.lock);
	owes = hisi_zip_paths_try_on(qp->dev, dir, q->queue, &later);
	if (owes)
		hisi_hwq_leave(q);
	else
		qp->known[dir] = qp->dev->known.paths;
	pthread_mutex_unlock(&qp->dev->known.lock);
	if (later && !owes) {
		hisi_hwq_stop(q);
		hisi_hwq_put(q);
	}
	return later ? -EBUSY : owes ? -EAGAIN : 0;
}

int
hisi_zip_hwq_take(struct hisi_zip_qp *qp, enum hisi_zip_dir dir)
{
	struct hisi_zip_hwq *hwq = &qp->hwq[dir];
	uint64_t begin = rte_rdtsc();
	unsigned int takes = 0;
	int ret;

	/* One of these may be free now. Not for each op that does without a queue. */
	if (hwq->q.queue == NULL && !hisi_hwq_pauses(&hwq->q, begin))
		hisi_zip_paths_reap(qp->dev);
	do {
		ret = hisi_hwq_take(&hwq->q);
		if (ret != 0)
			return ret;
		ret = ask_first(qp, dir);
	} while (ret == -EAGAIN && ++takes < TAKES_MAX);
	if (ret != 0) {
		/* Each may take as long as answers are waited for: not again with the next op. */
		hisi_hwq_later(&hwq->q, -EBUSY, begin);
		return -EBUSY;
	}
	/* The dequeuing thread learns of it with the first slot that needs it. */
	hwq->sgl_tail = hwq->sgl_head_seen = hwq->sgl_head = 0;
	hwq->cq_due = 0;
	return 0;
}

void
hisi_zip_qp_stop(struct hisi_zip_qp *qp)
{
	qp->state = HISI_ZIP_QP_STOPPED;
	for (unsigned int i = 0; i < HISI_ZIP_HWQS; i++) {
		if (qp->hwq[i].q.queue != NULL)
			hisi_hwq_stop(&qp->hwq[i].q);
	}
	/* The rings go away: move every result into its op now. */
	for (uint32_t pos = qp->head; pos != qp->tail; pos++) {
		struct hisi_zip_slot *slot = &qp->slots[pos & qp->mask];

		if (slot->kind < HISI_ZIP_HWQS)
			hisi_zip_slot_complete(qp, slot);
		if (slot->kind == HISI_ZIP_SLOT_SW) {
			/* Here too: after a close nobody would, and a stream would stay busy. */
			hisi_zip_sw_run(qp, slot->op);
			slot->kind = HISI_ZIP_SLOT_DONE;
		}
	}
	hisi_zip_lie_log(qp);
	for (unsigned int i = 0; i < HISI_ZIP_HWQS; i++) {
		if (qp->hwq[i].q.queue != NULL)
			hisi_hwq_put(&qp->hwq[i].q);
	}
}
