/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "zip_dev_queue.h"
#include "zip_dev_sched.h"

/* Keeps what hardly ever happens from taking registers where requests run. */
#define RARE __attribute__((cold, noinline))

/* ---- Doorbells ---- */

static inline uint16_t
db_index(uint64_t value)
{
	return (uint16_t)(value >> HISI_QM_DB_INDEX_SHIFT & HISI_QM_DB_INDEX_MASK);
}

static inline uint16_t
db_priority(uint64_t value)
{
	return (uint16_t)(value >> HISI_QM_DB_PRIORITY_SHIFT);
}

/* Queue, reserved bits, command, random data and index as the context says (QM 4.1). */
static inline bool
db_valid(uint64_t key, uint64_t value)
{
	return (uint32_t)key == (uint32_t)value && db_index(value) < key >> 32;
}

static void
count_dropped(struct zip_dev *dev)
{
	atomic_fetch_add_explicit(&dev->doorbells_dropped, 1, memory_order_relaxed);
}

/* The armed CQ has CQEs: tell, once. Lock is held. */
static RARE void
fire_event(struct zip_dev *dev, struct zip_dev_queue *q)
{
	atomic_store_explicit(&q->armed, false, memory_order_relaxed);
	zip_dev_event_completion(dev, q->num);
}

/* Does it complete requests? */
static inline bool
queue_runs(const struct zip_dev_queue *q)
{
	return queue_state(q) == ZIP_DEV_QUEUE_LIVE || queue_state(q) == ZIP_DEV_QUEUE_DRAINING;
}

/* A CQ doorbell: CQEs that the driver gives back, and whether it wants an event. Lock is held. */
static void
take_cq(struct zip_dev *dev, struct zip_dev_queue *q, uint64_t value)
{
	uint16_t head = db_index(value);
	uint16_t freed;
	bool arm = (db_priority(value) & 1) != 0;

	q->cq_seen = value;
	if (!db_valid(atomic_load_explicit(&q->cq_key, memory_order_relaxed), value)) {
		count_dropped(dev);
		return;
	}
	freed = ring_dist(q->cq_head, head, q->cq_depth);
	if (freed > q->cq_used) {
		count_dropped(dev); /* gives back what it never got */
		return;
	}
	if (head < q->cq_head)
		q->cq_head_wrap = !q->cq_head_wrap;
	q->cq_head = head;
	q->cq_used = (uint16_t)(q->cq_used - freed);
	if (arm != atomic_load_explicit(&q->armed, memory_order_relaxed))
		atomic_store_explicit(&q->armed, arm, memory_order_relaxed);
	/* Linux's self-test hangs if what came before the arming is not told (U7). */
	if (arm && q->cq_used != 0)
		fire_event(dev, q);
}

void
zip_dev_queue_ring(struct zip_dev *dev, uint64_t value)
{
	uint16_t qn = (uint16_t)(value & HISI_QM_DB_QN_MASK);
	unsigned int cmd = (unsigned int)(value >> HISI_QM_DB_CMD_SHIFT & HISI_QM_DB_CMD_MASK);
	struct zip_dev_queue *q = zip_dev_queue_find(dev, qn);

	if (q != NULL && cmd == HISI_QM_DB_SQ && db_valid(atomic_load_explicit(&q->sq_key,
			memory_order_acquire), value)) {
		/* Priority 1 is the kick after a migration: "look again", no new tail (U10). */
		if (db_priority(value) == 0)
			__atomic_store_n(&q->db->sq, value, __ATOMIC_RELEASE);
		if (q->shared)
			zip_dev_sched_wake(q);
	} else if (q != NULL && cmd == HISI_QM_DB_CQ && db_valid(atomic_load_explicit(&q->cq_key,
			memory_order_acquire), value)) {
		__atomic_store_n(&q->db->cq, value, __ATOMIC_RELEASE);
		/* Who wants events cannot wait until the queue looks by itself. */
		if (db_priority(value) != 0 ||
				atomic_load_explicit(&q->armed, memory_order_relaxed)) {
			queue_lock(q);
			if (queue_runs(q))
				take_cq(dev, q, value);
			queue_unlock(q);
		}
	} else {
		count_dropped(dev);
	}
}

void
zip_dev_queue_wake(struct zip_dev *dev, uint32_t qn)
{
	struct zip_dev_queue *q = zip_dev_queue_find(dev, qn);

	if (q == NULL) {
		count_dropped(dev);
		return;
	}
	if (!q->shared)
		return;
	zip_dev_sched_wake(q);
	/* A CQ doorbell that arms an event, see hisi_qm_shadow.h. */
	if ((db_priority(__atomic_load_n(&q->db->cq, __ATOMIC_ACQUIRE)) & 1) != 0) {
		queue_lock(q);
		if (queue_runs(q))
			zip_dev_queue_look_cq(dev, q);
		queue_unlock(q);
	}
}

void
zip_dev_queue_ring_page(struct zip_dev *dev, uint64_t qn, uint64_t value)
{
	if (atomic_load_explicit(&dev->gone, memory_order_relaxed))
		return;
	if ((value & HISI_QM_DB_QN_MASK) == qn)
		zip_dev_queue_ring(dev, value);
	else
		count_dropped(dev);
}

void
zip_dev_queue_look_sq(struct zip_dev *dev, struct zip_dev_queue *q)
{
	uint64_t value = __atomic_load_n(&q->db->sq, __ATOMIC_ACQUIRE);
	uint16_t tail = db_index(value);

	if (value == atomic_load_explicit(&q->sq_seen, memory_order_relaxed))
		return;
	atomic_store_explicit(&q->sq_seen, value, memory_order_relaxed);
	if (!db_valid(atomic_load_explicit(&q->sq_key, memory_order_relaxed), value)) {
		count_dropped(dev);
		return;
	}
	if (db_priority(value) != 0)
		return;
	if (tail < q->tail)
		q->sq_wrap = !q->sq_wrap;
	q->tail = tail;
	counter_set(&q->waiting, ring_dist(q->fetch, tail, q->sq_depth));
}

void
zip_dev_queue_look_cq(struct zip_dev *dev, struct zip_dev_queue *q)
{
	uint64_t value = __atomic_load_n(&q->db->cq, __ATOMIC_ACQUIRE);

	if (value != q->cq_seen)
		take_cq(dev, q, value);
}

bool
zip_dev_queue_peek(const struct zip_dev_queue *q)
{
	return counter_get(&q->waiting) != 0 || __atomic_load_n(&q->db->sq, __ATOMIC_RELAXED) !=
		atomic_load_explicit(&q->sq_seen, memory_order_relaxed);
}

/* ---- Claim, execute, complete ---- */

/*
 * Out of order until the driver sets it up again (U34); the others do not notice. A
 * driver with an AEQ is told (U31). Lock is held.
 */
static RARE void
queue_fail(struct zip_dev *dev, struct zip_dev_queue *q, enum hisi_qm_aeqe_type type,
		const char *why)
{
	if (queue_state(q) == ZIP_DEV_QUEUE_FAILED || queue_state(q) == ZIP_DEV_QUEUE_OFF)
		return;
	queue_set_state(q, ZIP_DEV_QUEUE_FAILED);
	q->tail = q->fetch;
	counter_set(&q->waiting, 0);
	/* A worker need not look at it any more, nor at its doorbell. */
	zip_dev_queue_set_live(dev, q, false);
	zip_dev_log(dev, ZIP_DEV_LOG_ERR, "queue %u stopped: %s", q->num, why);
	zip_dev_event_async(dev, type, q->num);
}

/* Injected faults. Lock is held. @return Whether the queue goes on with the request. */
static RARE bool
withstands_fault(struct zip_dev *dev, struct zip_dev_queue *q, struct zip_dev_job *job)
{
	job->status = 0;
	switch (zip_dev_fault_request(dev, &job->status)) {
	case ZIP_DEV_FAULT_STALL:
		/* As dead as a failed one, but nobody is told. */
		zip_dev_queue_kill(dev, q);
		q->tail = q->fetch;
		return false;
	case ZIP_DEV_FAULT_CQ_OVERFLOW:
		queue_fail(dev, q, HISI_QM_AEQE_CQ_OVERFLOW, "CQ overflow (injected fault)");
		return false;
	case ZIP_DEV_FAULT_CQE_ERROR:
		queue_fail(dev, q, HISI_QM_AEQE_CQE_ERROR, "CQE error (injected fault)");
		return false;
	case ZIP_DEV_FAULT_EQ_OVERFLOW:
		zip_dev_event_overflow(dev);
		return true;
	case ZIP_DEV_FAULT_VANISH:
		zip_dev_vanish(dev);
		q->tail = q->fetch;
		return false;
	default:
		return true;
	}
}

/* Bytes that a request counts for by itself: many tiny ones are work, too. */
#define JOB_COST 64

/* How much a request counts for before its output is known. */
static inline uint32_t
job_cost(const struct hisi_zip_sqe *sqe)
{
	return JOB_COST + (sqe->input_data_length < HISI_ZIP_REQ_LEN_MAX ?
		sqe->input_data_length : HISI_ZIP_REQ_LEN_MAX);
}

/* The client's memory is not what the client said any more: nothing done there has a meaning. */
static void
queue_break(struct zip_dev *dev, struct zip_dev_queue *q)
{
	queue_fail(dev, q, HISI_QM_AEQE_CQE_ERROR, "memory of the client vanished");
	zip_dev_tell_broken(dev);
}

/*
 * One request at a time is watched: the first that waits, if its doorbell was seen before
 * this turn, else the last one, which is about as old as this look.
 */
static void
sample_wait(const struct zip_dev_queue *q, struct zip_dev_queue_times *times, int64_t now)
{
	if (times->sample_at != 0)
		return;
	times->sample_at = q->rung_at != 0 ? q->rung_at : now;
	times->sample_slot = q->rung_at != 0 ? q->fetch :
		(uint16_t)(q->tail == 0 ? q->sq_depth - 1 : q->tail - 1);
}

unsigned int
zip_dev_queue_claim(struct zip_dev *dev, struct zip_dev_queue *q, struct zip_dev_exec *ex,
		unsigned int max, bool fair)
{
	struct zip_dev_queue_times *times = NULL;
	unsigned int n = 0, waiting;

	queue_lock(q);
	if (queue_state(q) == ZIP_DEV_QUEUE_LIVE)
		zip_dev_queue_look_sq(dev, q);
	else if (queue_state(q) != ZIP_DEV_QUEUE_DRAINING)
		goto out;
	waiting = counter_get(&q->waiting);
	if (waiting == 0)
		goto out;
	if (zip_dev_is_broken(dev)) {
		queue_break(dev, q);
		goto out;
	}
	if (fair) {
		/* Leave workers that have nothing to do their part of a pile. */
		unsigned int idle = atomic_load_explicit(&q->pool->idle, memory_order_relaxed);

		if (idle != 0 && max > (waiting + idle) / (idle + 1))
			max = (waiting + idle) / (idle + 1);
		q->deficit -= q->debt;
		q->debt = 0;
		times = atomic_load_explicit(&q->times, memory_order_relaxed);
		if (times != NULL)
			sample_wait(q, times, ex->now);
	}
	if (max > waiting)
		max = waiting;
	while (n < max && (!fair || q->deficit > 0)) {
		struct zip_dev_job *job = &ex->job[n];

		job->slot = q->fetch;
		job->ring = zip_dev_view_at(&ex->view, q->sq_base +
				(uint64_t)q->fetch * sizeof(job->sqe), sizeof(job->sqe),
				ZIP_DEV_PROT_READ | ZIP_DEV_PROT_WRITE);
		if (job->ring == NULL) {
			queue_fail(dev, q, HISI_QM_AEQE_CQE_ERROR, "its SQ is outside the map");
			waiting = n; /* tail is fetch now */
			break;
		}
		if (dev->fault != NULL && !withstands_fault(dev, q, job)) {
			waiting = n;
			break;
		}
		zip_dev_copy_in(&job->sqe, job->ring, sizeof(job->sqe));
		if (fair)
			q->deficit -= job_cost(&job->sqe);
		if (times != NULL && times->sample_slot == q->fetch) {
			zip_dev_hist_count(&times->wait, ex->now - times->sample_at);
			times->sample_at = 0;
		}
		q->fetch = ring_next(q->fetch, q->sq_depth);
		n++;
	}
	counter_set(&q->waiting, (uint16_t)(waiting - n));
	counter_set(&q->inflight, (uint16_t)(counter_get(&q->inflight) + n));
out:
	queue_unlock(q);
	return n;
}

/* Write the results to the slot (ZIP 5.2): every other word stays the driver's. */
static void
job_write_back(const struct zip_dev_job *job, const uint32_t *before)
{
	const struct hisi_zip_sqe *sqe = &job->sqe;

	memcpy(&job->ring->consumed, &sqe->consumed, 4 * sizeof(uint32_t));
	job->ring->ctx_dw0 = sqe->ctx_dw0;
	/* dw16 on are another cache line, which would have to come back from the driver's core. */
	if (memcmp(before, &sqe->ctx_dw1, 4 * sizeof(uint32_t)) != 0)
		memcpy(&job->ring->ctx_dw1, &sqe->ctx_dw1, 4 * sizeof(uint32_t));
}

/* Write the CQE of the slot at retire. Lock is held. */
static bool
retire_one(struct zip_dev *dev, struct zip_dev_queue *q, struct zip_dev_view *view)
{
	struct hisi_qm_cqe *cqe;

	/*
	 * The driver's word tells the head modulo the depth: looked at from
	 * half full on, it cannot have come round since the last look.
	 */
	if (q->cq_used >= q->cq_depth / 2)
		zip_dev_queue_look_cq(dev, q);
	if (q->cq_used == q->cq_depth) {
		queue_fail(dev, q, HISI_QM_AEQE_CQ_OVERFLOW,
				"CQ overflow: no CQ doorbell for a whole ring");
		return false;
	}
	cqe = zip_dev_view_at(view, q->cq_base + (uint64_t)q->cq_tail * sizeof(*cqe), sizeof(*cqe),
			ZIP_DEV_PROT_WRITE);
	if (cqe == NULL) {
		queue_fail(dev, q, HISI_QM_AEQE_CQE_ERROR, "its CQ is outside the map");
		return false;
	}
	cqe->rsvd0 = 0; /* U5 */
	cqe->cmd_id = 0;
	cqe->rsvd1 = 0;
	cqe->sq_head = q->retire;
	cqe->sq_num = q->num;
	cqe->rsvd2 = 0;
	/* SQE and CQE become the driver's with this store (QM 4.2). */
	__atomic_store_n(&cqe->w7, (uint16_t)(q->phase ? HISI_QM_CQE_PHASE : 0), __ATOMIC_RELEASE);

	q->cq_used++;
	q->cq_tail = ring_next(q->cq_tail, q->cq_depth);
	if (q->cq_tail == 0) {
		q->phase = !q->phase;
		q->cq_wrap = !q->cq_wrap;
	}
	q->retire = ring_next(q->retire, q->sq_depth);
	if (atomic_load_explicit(&q->armed, memory_order_relaxed))
		fire_event(dev, q);
	return true;
}

static inline void
stat_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			memory_order_relaxed);
}

/* Does not count as an error: the request did what it could, and can go on. */
static bool
status_good(uint32_t dw3)
{
	switch (dw3 & HISI_ZIP_STATUS_MASK) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGACOMPRESS:
	case HISI_ZIP_DECOMP_END:
		return true;
	case HISI_ZIP_DSTLEN_OUT:
		return (dw3 & HISI_ZIP_EXT_DW3_PARTIAL) != 0;
	default:
		return false;
	}
}

/*
 * A request is done: retire it, or leave that to whoever finishes the ones before it.
 * Completion is in order whether or not the SQC has the order bit (U9).
 */
static void
queue_complete(struct zip_dev *dev, struct zip_dev_queue *q, struct zip_dev_exec *ex,
		const struct zip_dev_job *job)
{
	struct zip_dev_queue_times *times = atomic_load_explicit(&q->times, memory_order_relaxed);
	uint32_t in = job_cost(&job->sqe);

	queue_lock(q);
	/* Decompression is work by what comes out. */
	if (job->sqe.produced > in)
		q->debt += job->sqe.produced - in;
	stat_add(&q->requests, 1);
	stat_add(&q->bytes_in, job->sqe.consumed);
	stat_add(&q->bytes_out, job->sqe.produced);
	if ((job->sqe.dw3 & HISI_ZIP_STATUS_MASK) != HISI_ZIP_OK) {
		atomic_fetch_add_explicit(&dev->status[job->sqe.dw3 & HISI_ZIP_STATUS_MASK], 1,
				memory_order_relaxed);
		if (!status_good(job->sqe.dw3))
			stat_add(&q->errors, 1);
	}
	if (times != NULL) {
		int64_t now = zip_dev_now();

		zip_dev_hist_count(&times->service, now - ex->now);
		ex->now = now;
	}
	if (zip_dev_is_broken(dev))
		queue_break(dev, q);
	if (queue_runs(q)) {
		if (job->slot != q->retire) {
			q->done[job->slot] = 1;
		} else if (retire_one(dev, q, &ex->view) && q->shared) {
			while (q->done[q->retire] != 0) {
				q->done[q->retire] = 0;
				if (!retire_one(dev, q, &ex->view))
					break;
			}
		}
	}
	counter_set(&q->inflight, (uint16_t)(counter_get(&q->inflight) - 1));
	queue_unlock(q);
}

/* Drop a request if its queue was stopped since it was claimed. @return Whether it is. */
static bool
queue_drops(struct zip_dev_queue *q)
{
	if (queue_runs(q))
		return false;
	queue_lock(q);
	counter_set(&q->inflight, (uint16_t)(counter_get(&q->inflight) - 1));
	queue_unlock(q);
	return true;
}

/* Start to bring in the first lines of what the next request reads. */
static void
prefetch_source(struct zip_dev_exec *ex, const struct hisi_zip_sqe *sqe)
{
	void *va;
	uint64_t n = zip_dev_view_run(&ex->view, sqe->source_addr_l |
			(uint64_t)sqe->source_addr_h << 32, 256, ZIP_DEV_PROT_READ, &va);

	/* A request may name address 0, where C allows no sums of pointers. */
	for (uint64_t i = 0; i < n; i += 64)
		__builtin_prefetch((const void *)((uintptr_t)va + i));
}

void
zip_dev_queue_run(struct zip_dev *dev, struct zip_dev_queue *q, struct zip_dev_exec *ex,
		unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct zip_dev_job *job = &ex->job[i];
		uint32_t before[4];

		if (queue_drops(q))
			continue;
		if (i + 1 < n)
			prefetch_source(ex, &ex->job[i + 1].sqe);
		memcpy(before, &job->sqe.ctx_dw1, sizeof(before));
		if (dev->fault == NULL || job->status == 0)
			zip_dev_execute(dev, ex, q->qc_type, &job->sqe);
		else
			zip_dev_refuse(&job->sqe, job->status);
		job_write_back(job, before);
		queue_complete(dev, q, ex, job);
	}
}

unsigned int
zip_dev_queue_execute(struct zip_dev *dev, struct zip_dev_queue *q, unsigned int budget)
{
	struct zip_dev_exec *ex = q->exec;
	unsigned int done = 0;

	while (done < budget && zip_dev_queue_peek(q)) {
		unsigned int max = budget - done < ZIP_DEV_BATCH ? budget - done : ZIP_DEV_BATCH;
		unsigned int n;

		zip_dev_view_enter(&dev->map, &ex->view);
		n = zip_dev_queue_claim(dev, q, ex, max, false);
		zip_dev_queue_run(dev, q, ex, n);
		zip_dev_view_leave(&ex->view);
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

unsigned int
zip_dev_poll(struct zip_dev *dev, uint16_t qn, unsigned int budget)
{
	struct zip_dev_queue *q = zip_dev_queue_find(dev, qn);

	if (q == NULL || q->shared || atomic_load_explicit(&q->state, memory_order_acquire) !=
			ZIP_DEV_QUEUE_LIVE)
		return 0;
	return zip_dev_queue_execute(dev, q, budget);
}
