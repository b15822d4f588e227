/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base_clock.h"
#include "hisi_qm_internal.h"

#define MAILBOX_TIMEOUT_MS 1000      /* what newer kernels allow (QM 2.3, U27) */
#define DRAIN_TIMEOUT_MS   5000      /* the same for STOP_QP */
#define POLL_PERIOD_NS     10000

/* Distance in the context block; each context has 32 bytes (QM 3). */
#define CTX_SIZE 32u

static void __attribute__((format(printf, 3, 4)))
qm_log(const struct hisi_qm *qm, enum base_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	base_log_va(&qm->log, level, qm->io->name, fmt, ap);
	va_end(ap);
}

/*
 * Wait until the mailbox is idle.
 * Returns word 0 of it, or a negative errno.
 */
static int
mailbox_wait(struct hisi_qm *qm, unsigned int timeout_ms)
{
	const struct timespec period = { .tv_nsec = POLL_PERIOD_NS };
	uint64_t deadline = 0;
	bool late = false;
	uint32_t w0;

	for (;;) {
		w0 = qm->io->ops->read32(qm->io, HISI_QM_MAILBOX);
		if (w0 == UINT32_MAX)
			return -ENODEV;
		if ((w0 & HISI_QM_MB_BUSY) == 0)
			return (int)(w0 & 0xffff);
		if (late)
			return -ETIMEDOUT;
		if (deadline == 0)
			deadline = base_now_ms() + timeout_ms;
		nanosleep(&period, NULL);
		/* Before it is read: this thread may not have run since it was read last. */
		late = base_now_ms() > deadline;
	}
}

int
hisi_qm_mailbox(struct hisi_qm *qm, enum hisi_qm_mb_cmd cmd, uint16_t queue, uint64_t base,
		uint64_t *data)
{
	unsigned int timeout = cmd == HISI_QM_MB_STOP_QP ? DRAIN_TIMEOUT_MS : MAILBOX_TIMEOUT_MS;
	struct hisi_qm_mailbox mb = {
		.w0 = (uint16_t)(cmd | HISI_QM_MB_BUSY | (data != NULL ? HISI_QM_MB_OP_READ : 0)),
		.queue_num = queue,
		.base_l = (uint32_t)base,
		.base_h = (uint32_t)(base >> 32),
	};
	uint32_t status;
	int ret;

	ret = mailbox_wait(qm, timeout);
	if (ret >= 0) {
		ret = qm->io->ops->mailbox(qm->io, &mb);
		if (ret != 0) {
			qm_log(qm, BASE_LOG_ERR, "mailbox command 0x%x for queue %u: not sent (%d)",
				cmd, queue, ret);
			return ret;
		}
		ret = mailbox_wait(qm, timeout);
	}
	if (ret < 0) {
		qm_log(qm, BASE_LOG_ERR,
			"mailbox command 0x%x for queue %u: no answer within %u ms (%d)", cmd,
			queue, timeout, ret);
		return ret;
	}
	status = (uint32_t)ret >> HISI_QM_MB_STATUS_SHIFT & HISI_QM_MB_STATUS_MASK;
	if (status == HISI_QM_MB_STATUS_NO_QUEUE)
		return -EBUSY; /* a matter of time, not of fault */
	if (status != 0) {
		qm_log(qm, BASE_LOG_ERR,
			"mailbox command 0x%x for queue %u: status 0x%x, expected 0", cmd, queue,
			status);
		return -EIO;
	}
	if (data != NULL)
		*data = qm->io->ops->read32(qm->io, HISI_QM_MAILBOX + 4) |
			(uint64_t)qm->io->ops->read32(qm->io, HISI_QM_MAILBOX + 8) << 32;
	return 0;
}

/* Tell the function where contexts are kept, and that nobody wants interrupts. */
static int
bring_up(struct hisi_qm *qm)
{
	struct hisi_qm_io *io = qm->io;
	uint64_t cqcs = qm->ctx.iova + (uint64_t)qm->ctx_queues * CTX_SIZE;
	int ret;

	ret = hisi_qm_mailbox(qm, HISI_QM_MB_SQC_BT, 0, qm->ctx.iova, NULL);
	if (ret == 0)
		ret = hisi_qm_mailbox(qm, HISI_QM_MB_CQC_BT, 0, cqcs, NULL);
	if (ret != 0)
		return ret;
	/* No event queues: keep both interrupts and, on V3, PF messages masked (QM 2.6). */
	io->ops->write32(io, HISI_QM_AEQ_INT_MASK, 1);
	io->ops->write32(io, HISI_QM_EQ_INT_MASK, 1);
	if (io->revision >= HISI_QM_REV_V3) {
		io->ops->write32(io, HISI_QM_IFC_INT_MASK, 1);
		io->ops->write32(io, HISI_QM_VF_STATE, 0);
	}
	return 0;
}

/* All queues are lost; the lock is held. Those who have some check the number. */
static int
function_restart(struct hisi_qm *qm)
{
	__atomic_store_n(&qm->resets, qm->resets + 1, __ATOMIC_RELEASE);
	return bring_up(qm);
}

/*
 * The function does not do as it is told: reset it; the lock is held. Returns 0
 * if it was, and touches no memory any more, whether or not it works again.
 */
static int
function_reset(struct hisi_qm *qm)
{
	int ret = qm->io->ops->reset != NULL ? qm->io->ops->reset(qm->io) : -ENOTSUP;

	if (ret != 0) {
		qm_log(qm, BASE_LOG_ERR, "the function cannot be reset (%d)", ret);
		return ret;
	}
	ret = function_restart(qm);
	qm_log(qm, ret != 0 ? BASE_LOG_ERR : BASE_LOG_INFO,
		"the function was reset, all its queues are lost; started again: %d", ret);
	return 0;
}

/* Ask how many queues the function has. Returns the number or a negative errno. */
static int
queues_get(struct hisi_qm *qm)
{
	uint64_t vft;
	int ret = hisi_qm_mailbox(qm, HISI_QM_MB_SQC_VFT, 0, 0, &vft);

	if (ret != 0)
		return ret;
	/* A VF whose PF has not been set up (QM 2.4). */
	if (vft == 0) {
		qm_log(qm, BASE_LOG_ERR, "function has no queues: 0x0, expected bit 44 set");
		return -ENODEV;
	}
	return (int)(vft >> HISI_QM_VFT_NUM_SHIFT & HISI_QM_VFT_NUM_MASK) + 1;
}

int
hisi_qm_init(struct hisi_qm *qm, struct hisi_qm_io *io, const struct hisi_qm_mem_ops *mem,
		const struct base_log *log)
{
	int ret;

	memset(qm, 0, sizeof(*qm));
	qm->io = io;
	qm->mem = mem;
	qm->log = *log;
	if (io->revision < HISI_QM_REV_V2) {
		qm_log(qm, BASE_LOG_ERR, "revision 0x%x, expected 0x%x or later", io->revision,
			HISI_QM_REV_V2);
		return -ENOTSUP;
	}
	ret = queues_get(qm);
	if (ret < 0)
		return ret;
	qm->queues = (uint16_t)ret;

	ret = mem->alloc(mem->priv, (size_t)qm->queues * CTX_SIZE * 2, CTX_SIZE, -1, &qm->ctx);
	if (ret != 0) {
		qm_log(qm, BASE_LOG_ERR, "no memory for the contexts of %u queues (%d)", qm->queues,
			ret);
		return ret;
	}
	qm->ctx_queues = qm->queues;
	ret = bring_up(qm);
	if (ret != 0) {
		mem->free(mem->priv, &qm->ctx);
		return ret;
	}
	pthread_mutex_init(&qm->lock, NULL);
	return 0;
}

int
hisi_qm_reinit(struct hisi_qm *qm)
{
	int ret;

	pthread_mutex_lock(&qm->lock);
	ret = queues_get(qm);
	if (ret > 0) {
		qm->queues = (uint16_t)(ret < qm->ctx_queues ? ret : qm->ctx_queues);
		ret = bring_up(qm);
	}
	pthread_mutex_unlock(&qm->lock);
	return ret;
}

void
hisi_qm_fini(struct hisi_qm *qm)
{
	struct hisi_qm_io *io = qm->io;

	/* The function may keep contexts in its cache until told to write them back (QM 2.5). */
	io->ops->write32(io, HISI_QM_CACHE_WB_START, 1);
	for (int i = 0; i < 100; i++) {
		const struct timespec period = { .tv_nsec = POLL_PERIOD_NS };

		if (io->ops->read32(io, HISI_QM_CACHE_WB_DONE) & 1)
			break;
		nanosleep(&period, NULL);
	}
	if (io->revision >= HISI_QM_REV_V3)
		io->ops->write32(io, HISI_QM_VF_STATE, 1);
	qm->mem->free(qm->mem->priv, &qm->ctx);
	pthread_mutex_destroy(&qm->lock);
}

/* Take the first free queue; the lock is held. Returns its number or -EBUSY. */
static int
qp_take(struct hisi_qm *qm)
{
	for (int qn = 0; qn < qm->queues; qn++) {
		uint64_t bit = 1ull << (qn % 64);

		if ((qm->used[qn / 64] & bit) == 0) {
			qm->used[qn / 64] |= bit;
			return qn;
		}
	}
	return -EBUSY;
}

static void
queue_put(struct hisi_qm *qm, uint16_t qn)
{
	qm->used[qn / 64] &= ~(1ull << (qn % 64));
}

/* Where a queue pair's memory has room for the images of its two contexts, behind the rings. */
static size_t
images_off(uint32_t depth)
{
	return ((size_t)depth << HISI_QM_SQE_LOG2) + ((size_t)depth << HISI_QM_CQE_LOG2);
}

/* Send the SQC, then the CQC (QM 2.5, 3.1, 3.2); the lock is held. */
static int
contexts_set(struct hisi_qm *qm, const struct hisi_qm_qp *qp)
{
	const struct hisi_qm_ring *ring = &qp->ring;
	uint32_t depth = ring->mask + 1u;
	uint64_t cq_iova = qp->mem.iova + ((uint64_t)depth << HISI_QM_SQE_LOG2);
	/* The function copies the image when the mailbox fires, so one place serves both. */
	size_t image = images_off(depth);
	/* CQE n is for slot n: all indices begin at the first that was not stepped over. */
	struct hisi_qm_sqc sqc = {
		.head = ring->cq_head,
		.tail = ring->cq_head,
		.base_l = (uint32_t)qp->mem.iova,
		.base_h = (uint32_t)(qp->mem.iova >> 32),
		.dw3 = HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT | ring->mask,
		.cq_num = ring->qn,
		.w13 = (uint16_t)(HISI_QM_SQC_ORDER | qp->type << HISI_QM_SQC_TYPE_SHIFT),
	};
	struct hisi_qm_cqc cqc = {
		.head = ring->cq_head,
		.tail = ring->cq_head,
		.base_l = (uint32_t)cq_iova,
		.base_h = (uint32_t)(cq_iova >> 32),
		.dw3 = HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT | ring->mask,
		.dw6 = ring->cq_phase != 0 ? HISI_QM_CQC_PHASE : 0,
	};
	int ret;

	memcpy((char *)qp->mem.va + image, &sqc, sizeof(sqc));
	ret = hisi_qm_mailbox(qm, HISI_QM_MB_SQC, ring->qn, qp->mem.iova + image, NULL);
	if (ret != 0)
		return ret;
	memcpy((char *)qp->mem.va + image, &cqc, sizeof(cqc));
	return hisi_qm_mailbox(qm, HISI_QM_MB_CQC, ring->qn, qp->mem.iova + image, NULL);
}

int
hisi_qm_qp_start(struct hisi_qm *qm, struct hisi_qm_qp *qp, uint8_t type, uint16_t depth,
		int socket)
{
	struct hisi_qm_ring *ring = &qp->ring;
	size_t len = images_off(depth) + 2 * CTX_SIZE;
	volatile uint64_t *db[2];
	int qn, ret;

	if (depth < HISI_QM_RING_DEPTH_MIN || depth > HISI_QM_RING_DEPTH_MAX ||
			(depth & (depth - 1)) != 0) {
		qm_log(qm, BASE_LOG_ERR, "ring depth %u, expected a power of two from %u to %u",
			depth, HISI_QM_RING_DEPTH_MIN, HISI_QM_RING_DEPTH_MAX);
		return -EINVAL;
	}
	memset(qp, 0, sizeof(*qp));
	qp->type = type;
	/* Rings want the alignment of an SQE; a page keeps them off others' cache lines. */
	ret = qm->mem->alloc(qm->mem->priv, len, 4096, socket, &qp->mem);
	if (ret != 0)
		return ret; /* may be tried for every request: the caller says it, once */

	pthread_mutex_lock(&qm->lock);
	qn = ret = qp_take(qm);
	if (qn < 0)
		goto fail;
	ret = qm->io->ops->doorbells(qm->io, (uint16_t)qn, &db[0], &db[1]);
	if (ret != 0)
		goto fail_put;
	hisi_qm_ring_init(ring, (uint16_t)qn, depth, qp->mem.va,
		(char *)qp->mem.va + ((size_t)depth << HISI_QM_SQE_LOG2), db);
	ring->wake_io = qm->io->ops->wake != NULL ? qm->io : NULL;
	ret = contexts_set(qm, qp);
	/* A mailbox that hangs stays so: nobody would get a queue any more. */
	if (ret == -ETIMEDOUT && function_reset(qm) == 0)
		ret = contexts_set(qm, qp);
	if (ret != 0)
		goto fail_put;
	qp->resets = qm->resets;
	pthread_mutex_unlock(&qm->lock);
	return 0;

fail_put:
	queue_put(qm, (uint16_t)qn);
fail:
	pthread_mutex_unlock(&qm->lock);
	qm->mem->free(qm->mem->priv, &qp->mem);
	return ret;
}

/*
 * Make every CQE one that is still to come. A function that lied before it died may have left some
 * that look new behind one that it left out: their requests are executed again, and must not be
 * taken for done while they are.
 */
static void
cq_clear(struct hisi_qm_ring *ring)
{
	for (uint32_t i = 0; i <= ring->mask; i++) {
		/* Those before the head are of the next pass. */
		uint16_t new = i < ring->cq_head ? !ring->cq_phase : ring->cq_phase;

		__atomic_store_n(&ring->cq[i].w7, new ^ HISI_QM_CQE_PHASE, __ATOMIC_RELAXED);
	}
}

int
hisi_qm_qp_restart(struct hisi_qm *qm, struct hisi_qm_qp *qp)
{
	struct hisi_qm_ring *ring = &qp->ring;
	uint64_t none = UINT64_MAX;
	int ret;

	pthread_mutex_lock(&qm->lock);
	cq_clear(ring);
	ret = ring->qn < qm->queues ? contexts_set(qm, qp) : -EBUSY;
	qp->resets = qm->resets;
	pthread_mutex_unlock(&qm->lock);
	if (ret != 0)
		return ret;
	/*
	 * What the producer rang for before the words changed was lost; it had set
	 * sq_rung before. If it has rung since, then for that and more: a tail of ours
	 * must not come after its own. All ones is what the function starts the word with.
	 */
	__atomic_compare_exchange_n(ring->sq_db, &none, hisi_qm_sq_db_value(ring,
			__atomic_load_n(&ring->sq_rung, __ATOMIC_ACQUIRE)), 0,
			__ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	if (ring->wake_io != NULL)
		ring->wake_io->ops->wake(ring->wake_io, ring->qn);
	return 0;
}

/*
 * V2 has no STOP_QP: read both contexts back until they agree that every
 * request has its completion (QM 2.5). The lock is held.
 */
static int
drain_v2(struct hisi_qm *qm, const struct hisi_qm_qp *qp)
{
	uint16_t qn = qp->ring.qn;
	size_t image = images_off(qp->ring.mask + 1u);
	const struct timespec period = { .tv_nsec = 100000 };
	uint64_t deadline = base_now_ms() + DRAIN_TIMEOUT_MS;
	const char *va = (const char *)qp->mem.va + image;
	const volatile struct hisi_qm_sqc *sqc = (const volatile struct hisi_qm_sqc *)va;
	const volatile struct hisi_qm_cqc *cqc =
		(const volatile struct hisi_qm_cqc *)(va + CTX_SIZE);
	uint64_t unused;
	int ret;

	for (;;) {
		/* Before they are read, as in mailbox_wait(). */
		bool late = base_now_ms() > deadline;

		/* Without threads of its own, the function works while it is polled only. */
		if (qm->io->ops->poll != NULL)
			qm->io->ops->poll(qm->io, qn, UINT32_MAX);
		ret = hisi_qm_mailbox(qm, HISI_QM_MB_SQC, qn, qp->mem.iova + image, &unused);
		if (ret == 0)
			ret = hisi_qm_mailbox(qm, HISI_QM_MB_CQC, qn,
				qp->mem.iova + image + CTX_SIZE, &unused);
		if (ret != 0)
			break;
		hisi_qm_io_rmb();
		if (sqc->tail == cqc->tail &&
				((sqc->w11 ^ cqc->w11) & HISI_QM_CTX_TAIL_SIG) == 0)
			break;
		if (late) {
			qm_log(qm, BASE_LOG_ERR,
				"queue %u: SQ tail %u, CQ tail %u after %u ms, expected "
				"equal ones", qn, sqc->tail, cqc->tail, DRAIN_TIMEOUT_MS);
			ret = -ETIMEDOUT;
			break;
		}
		nanosleep(&period, NULL);
	}
	return ret;
}

/* The lock is held. */
static int
queue_stop(struct hisi_qm *qm, const struct hisi_qm_qp *qp)
{
	int ret;

	if (qp->resets != qm->resets)
		return 0; /* a reset has stopped it */
	if (qm->io->revision >= HISI_QM_REV_V3)
		ret = hisi_qm_mailbox(qm, HISI_QM_MB_STOP_QP, qp->ring.qn, 0, NULL);
	else
		ret = drain_v2(qm, qp);
	/* One that seems gone, too: it may come back, and if not, has nothing under way. */
	if (ret != 0 && ret != -EBUSY && function_reset(qm) == 0)
		ret = 0;
	return ret;
}

int
hisi_qm_qp_stop(struct hisi_qm *qm, struct hisi_qm_qp *qp)
{
	int ret;

	pthread_mutex_lock(&qm->lock);
	ret = queue_stop(qm, qp);
	pthread_mutex_unlock(&qm->lock);
	return ret;
}

/*
 * Was the function reset behind our back? Then it has forgotten where its
 * contexts are. The lock is held. Returns 0, -ESTALE, or what the mailbox did.
 */
static int
function_check(struct hisi_qm *qm)
{
	uint64_t bt = 0;
	int ret = 0;

	/* Twice: other functions' commands may show between two reads (QM 2.3). */
	for (int i = 0; i < 2 && ret == 0; i++) {
		ret = hisi_qm_mailbox(qm, HISI_QM_MB_SQC_BT, 0, 0, &bt);
		if (ret == 0 && bt == qm->ctx.iova)
			return 0;
	}
	if (ret != 0)
		return ret;
	qm_log(qm, BASE_LOG_ERR,
		"the function was reset by somebody: contexts at 0x%llx, expected 0x%llx",
		(unsigned long long)bt, (unsigned long long)qm->ctx.iova);
	return -ESTALE;
}

int
hisi_qm_qp_abort(struct hisi_qm *qm, struct hisi_qm_qp *qp)
{
	int ret;

	pthread_mutex_lock(&qm->lock);
	ret = qp->resets != qm->resets ? 0 : function_check(qm);
	if (ret == 0)
		ret = queue_stop(qm, qp);
	else if (ret != -ESTALE && function_reset(qm) == 0)
		ret = 0;
	if (ret == -ESTALE) {
		function_restart(qm); /* if that fails, the next start of a queue says so */
		ret = 0;
	}
	pthread_mutex_unlock(&qm->lock);
	return ret;
}

int
hisi_qm_qp_check(struct hisi_qm *qm, const struct hisi_qm_qp *qp)
{
	if (qm->io->ops->read32(qm->io, HISI_QM_MAILBOX) == UINT32_MAX)
		return -ENODEV;
	return qp->resets != __atomic_load_n(&qm->resets, __ATOMIC_ACQUIRE) ? -ESTALE : 0;
}

void
hisi_qm_qp_free(struct hisi_qm *qm, struct hisi_qm_qp *qp)
{
	pthread_mutex_lock(&qm->lock);
	queue_put(qm, qp->ring.qn);
	pthread_mutex_unlock(&qm->lock);
	qm->mem->free(qm->mem->priv, &qp->mem);
}
