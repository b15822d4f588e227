/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "qm_dev_queue.h"
#include "qm_dev_sched.h"
#include "qm_dev_shared.h"

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
count_dropped(struct qm_dev *dev)
{
	atomic_fetch_add_explicit(&dev->doorbells_dropped, 1, memory_order_relaxed);
}

/* The armed CQ has CQEs: tell, once. Lock is held. */
static RARE void
fire_event(struct qm_dev *dev, struct qm_dev_queue *q)
{
	atomic_store_explicit(&q->ring.armed, false, memory_order_relaxed);
	qm_dev_event_completion(dev, q->num);
}

/* A CQ doorbell: CQEs that the driver acknowledges, and whether it wants an event. Lock is held. */
static void
take_cq(struct qm_dev *dev, struct qm_dev_queue *q, uint64_t value)
{
	uint16_t head = db_index(value);
	uint16_t freed;
	bool arm = (db_priority(value) & 1) != 0;

	q->ring.cq_seen = value;
	if (!db_valid(atomic_load_explicit(&q->ring.cq_key, memory_order_relaxed), value)) {
		count_dropped(dev);
		return;
	}
	freed = ring_dist(q->ring.cq_head, head, q->ring.cq_depth);
	if (freed > q->ring.cq_used) {
		count_dropped(dev); /* acknowledges what it never got */
		return;
	}
	if (head < q->ring.cq_head)
		q->ring.cq_head_wrap = !q->ring.cq_head_wrap;
	q->ring.cq_head = head;
	q->ring.cq_used = (uint16_t)(q->ring.cq_used - freed);
	if (arm != atomic_load_explicit(&q->ring.armed, memory_order_relaxed))
		atomic_store_explicit(&q->ring.armed, arm, memory_order_relaxed);
	/* Linux's self-test hangs if what came before the arming is not told (U7). */
	if (arm && q->ring.cq_used != 0)
		fire_event(dev, q);
}

void
qm_dev_queue_ring(struct qm_dev *dev, uint64_t value)
{
	uint16_t qn = (uint16_t)(value & HISI_QM_DB_QN_MASK);
	unsigned int cmd = (unsigned int)(value >> HISI_QM_DB_CMD_SHIFT & HISI_QM_DB_CMD_MASK);
	struct qm_dev_queue *q = qm_dev_queue_find(dev, qn);

	if (q != NULL && cmd == HISI_QM_DB_SQ && db_valid(atomic_load_explicit(&q->ring.sq_key,
			memory_order_acquire), value)) {
		/* Priority 1 is the kick after a migration: "look again", no new tail (U10). */
		if (db_priority(value) == 0)
			qm_dev_db_set(&q->db->sq, value);
		if (q->shared)
			qm_dev_sched_wake(q);
	} else if (q != NULL && cmd == HISI_QM_DB_CQ && db_valid(atomic_load_explicit(
			&q->ring.cq_key, memory_order_acquire), value)) {
		qm_dev_db_set(&q->db->cq, value);
		/* Who wants events cannot wait until the queue polls by itself. */
		if (db_priority(value) != 0 ||
				atomic_load_explicit(&q->ring.armed, memory_order_relaxed)) {
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
qm_dev_queue_wake(struct qm_dev *dev, uint32_t qn)
{
	struct qm_dev_queue *q = qm_dev_queue_find(dev, qn);

	if (q == NULL) {
		count_dropped(dev);
		return;
	}
	if (!q->shared)
		return;
	qm_dev_sched_wake(q);
	/* A CQ doorbell that arms an event, see hisi_qm_shadow.h. */
	if ((db_priority(qm_dev_db_get(&q->db->cq)) & 1) != 0) {
		queue_lock(q);
		if (queue_runs(q))
			qm_dev_queue_poll_cq(dev, q);
		queue_unlock(q);
	}
}

void
qm_dev_queue_ring_page(struct qm_dev *dev, uint64_t qn, uint64_t value)
{
	if (atomic_load_explicit(&dev->gone, memory_order_relaxed))
		return;
	if ((value & HISI_QM_DB_QN_MASK) == qn)
		qm_dev_queue_ring(dev, value);
	else
		count_dropped(dev);
}

void
qm_dev_queue_poll_sq(struct qm_dev *dev, struct qm_dev_queue *q)
{
	uint64_t value = qm_dev_db_get(&q->db->sq);
	uint16_t tail = db_index(value);

	if (value == atomic_load_explicit(&q->ring.sq_seen, memory_order_relaxed))
		return;
	atomic_store_explicit(&q->ring.sq_seen, value, memory_order_relaxed);
	if (!db_valid(atomic_load_explicit(&q->ring.sq_key, memory_order_relaxed), value)) {
		count_dropped(dev);
		return;
	}
	if (db_priority(value) != 0)
		return;
	if (tail < q->ring.tail)
		q->ring.sq_wrap = !q->ring.sq_wrap;
	q->ring.tail = tail;
	counter_set(&q->ring.waiting, ring_dist(q->ring.fetch, tail, q->ring.sq_depth));
}

void
qm_dev_queue_poll_cq(struct qm_dev *dev, struct qm_dev_queue *q)
{
	uint64_t value = qm_dev_db_get(&q->db->cq);

	if (value != q->ring.cq_seen)
		take_cq(dev, q, value);
}

bool
qm_dev_queue_peek(const struct qm_dev_queue *q)
{
	return counter_get(&q->ring.waiting) != 0 ||
		qm_dev_db_peek(&q->db->sq) !=
		atomic_load_explicit(&q->ring.sq_seen, memory_order_relaxed);
}

/* ---- Claim, execute, complete ---- */

/*
 * Out of order until the driver sets it up again (U34); the others do not notice. A
 * driver with an AEQ is told (U31). Lock is held.
 */
static RARE void
queue_to_failed(struct qm_dev *dev, struct qm_dev_queue *q, enum hisi_qm_aeqe_type type,
		const char *why)
{
	if (!queue_runs(q))
		return;
	qm_dev_queue_move(dev, q, QM_DEV_QUEUE_FAILED);
	q->ring.tail = q->ring.fetch;
	counter_set(&q->ring.waiting, 0);
	qm_dev_log(dev, BASE_LOG_ERR, "queue %u stopped: %s", q->num, why);
	qm_dev_event_async(dev, type, q->num);
}

/* Injected faults. Lock is held. @return Whether the queue goes on with the request. */
static RARE bool
withstands_fault(struct qm_dev *dev, struct qm_dev_queue *q, struct qm_dev_job *job)
{
	job->status = 0;
	switch (qm_dev_fault_request(dev, &job->status)) {
	case QM_DEV_FAULT_STALL:
		/* As dead as a failed one, but nobody is told. */
		qm_dev_queue_move(dev, q, QM_DEV_QUEUE_FAILED);
		q->ring.tail = q->ring.fetch;
		return false;
	case QM_DEV_FAULT_CQ_OVERFLOW:
		queue_to_failed(dev, q, HISI_QM_AEQE_CQ_OVERFLOW, "CQ overflow (injected fault)");
		return false;
	case QM_DEV_FAULT_CQE_ERROR:
		queue_to_failed(dev, q, HISI_QM_AEQE_CQE_ERROR, "CQE error (injected fault)");
		return false;
	case QM_DEV_FAULT_EQ_OVERFLOW:
		qm_dev_event_overflow(dev);
		return true;
	case QM_DEV_FAULT_VANISH:
		qm_dev_vanish(dev);
		q->ring.tail = q->ring.fetch;
		return false;
	default:
		return true;
	}
}

/* Bytes that a request counts for by itself: many tiny ones are work, too. */
#define JOB_COST 64

/* How much a request counts for before its output is known. */
static inline uint32_t
job_cost(const struct qm_dev_job *job)
{
	return JOB_COST + job->preview.len;
}

/* The client's memory is not what the client said any more: nothing done there has a meaning. */
static void
queue_set_failed(struct qm_dev *dev, struct qm_dev_queue *q)
{
	queue_to_failed(dev, q, HISI_QM_AEQE_CQE_ERROR, "memory of the client vanished");
	qm_dev_tell_broken(dev);
}

/*
 * One request at a time is watched: the first that waits, if its doorbell was seen before
 * this turn, else the last one, which is about as old as this poll.
 */
static void
sample_wait(const struct qm_dev_queue *q, struct qm_dev_queue_times *times, int64_t now)
{
	if (times->sample_at != 0)
		return;
	times->sample_at = q->sched.rung_at != 0 ? q->sched.rung_at : now;
	times->sample_slot = q->sched.rung_at != 0 ? q->ring.fetch :
		(uint16_t)(q->ring.tail == 0 ? q->ring.sq_depth - 1 : q->ring.tail - 1);
}

unsigned int
qm_dev_queue_claim(struct qm_dev *dev, struct qm_dev_queue *q, struct qm_dev_exec *ex,
		unsigned int max, bool fair)
{
	struct qm_dev_queue_times *times = NULL;
	unsigned int n = 0, waiting;

	queue_lock(q);
	if (queue_state(q) == QM_DEV_QUEUE_LIVE)
		qm_dev_queue_poll_sq(dev, q);
	else if (queue_state(q) != QM_DEV_QUEUE_DRAINING)
		goto out;
	waiting = counter_get(&q->ring.waiting);
	if (waiting == 0)
		goto out;
	if (qm_dev_is_broken(dev)) {
		queue_set_failed(dev, q);
		goto out;
	}
	if (fair) {
		/* Leave workers that have nothing to do their part of a pile. */
		unsigned int idle = atomic_load_explicit(&q->pool->idle, memory_order_relaxed);

		if (idle != 0 && max > (waiting + idle) / (idle + 1))
			max = (waiting + idle) / (idle + 1);
		q->sched.deficit -= q->ring.debt;
		q->ring.debt = 0;
		times = atomic_load_explicit(&q->counts.times, memory_order_relaxed);
		if (times != NULL)
			sample_wait(q, times, ex->now);
	}
	if (max > waiting)
		max = waiting;
	q->ring.fenced = false;
	while (n < max && (!fair || q->sched.deficit > 0)) {
		struct qm_dev_job *job = &ex->job[n];

		job->slot = q->ring.fetch;
		job->ring = qm_dev_view_at(&ex->bufs.view, q->ring.sq_base +
				(uint64_t)q->ring.fetch * sizeof(job->sqe), sizeof(job->sqe),
				QM_DEV_PROT_READ | QM_DEV_PROT_WRITE);
		if (job->ring == NULL) {
			queue_to_failed(dev, q, HISI_QM_AEQE_CQE_ERROR,
					"its SQ is outside the map");
			waiting = n; /* tail is fetch now */
			break;
		}
		qm_dev_copy_in(job->sqe, job->ring, sizeof(job->sqe));
		job->preview = q->cs->class->preview(job->sqe);
		/* It waits in the ring, and is copied again at its turn (U40, EXT 6). */
		q->ring.fenced = job->preview.fence &&
			(n != 0 || counter_get(&q->ring.inflight) != 0);
		if (q->ring.fenced)
			break;
		if (QM_DEV_FAULT_OF(dev) != NULL && !withstands_fault(dev, q, job)) {
			waiting = n;
			break;
		}
		if (fair)
			q->sched.deficit -= job_cost(job);
		if (times != NULL && times->sample_slot == q->ring.fetch) {
			base_hist_count(&times->wait, ex->now - times->sample_at);
			times->sample_at = 0;
		}
		q->ring.fetch = ring_next(q->ring.fetch, q->ring.sq_depth);
		n++;
	}
	counter_set(&q->ring.waiting, (uint16_t)(waiting - n));
	counter_set(&q->ring.inflight, (uint16_t)(counter_get(&q->ring.inflight) + n));
out:
	queue_unlock(q);
	return n;
}

/* Write the CQE of the slot at retire. Lock is held. */
static bool
retire_one(struct qm_dev *dev, struct qm_dev_queue *q, struct qm_dev_view *view)
{
	struct hisi_qm_cqe *cqe;

	/*
	 * The driver's word tells the head modulo the depth: polled from
	 * half full on, it cannot have come round since the last poll.
	 */
	if (q->ring.cq_used >= q->ring.cq_depth / 2)
		qm_dev_queue_poll_cq(dev, q);
	if (q->ring.cq_used == q->ring.cq_depth) {
		queue_to_failed(dev, q, HISI_QM_AEQE_CQ_OVERFLOW,
				"CQ overflow: no CQ doorbell for a whole ring");
		return false;
	}
	cqe = qm_dev_view_at(view, q->ring.cq_base + (uint64_t)q->ring.cq_tail * sizeof(*cqe),
			sizeof(*cqe), QM_DEV_PROT_WRITE);
	if (cqe == NULL) {
		queue_to_failed(dev, q, HISI_QM_AEQE_CQE_ERROR, "its CQ is outside the map");
		return false;
	}
	cqe->rsvd0 = 0; /* U5 */
	cqe->cmd_id = 0;
	cqe->rsvd1 = 0;
	cqe->sq_head = q->ring.retire;
	cqe->sq_num = q->num;
	cqe->rsvd2 = 0;
	/* SQE and CQE become the driver's with this store (QM 4.2). */
	qm_dev_cqe_publish(&cqe->w7, q->ring.phase ? HISI_QM_CQE_PHASE : 0);

	q->ring.cq_used++;
	q->ring.cq_tail = ring_next(q->ring.cq_tail, q->ring.cq_depth);
	if (q->ring.cq_tail == 0) {
		q->ring.phase = !q->ring.phase;
		q->ring.cq_wrap = !q->ring.cq_wrap;
	}
	q->ring.retire = ring_next(q->ring.retire, q->ring.sq_depth);
	if (atomic_load_explicit(&q->ring.armed, memory_order_relaxed))
		fire_event(dev, q);
	return true;
}

/*
 * A request is done: retire it, or leave that to whoever finishes the ones before it.
 * Completion is in order whether or not the SQC has the order bit (U9).
 */
static void
queue_complete(struct qm_dev *dev, struct qm_dev_queue *q, struct qm_dev_exec *ex,
		const struct qm_dev_job *job)
{
	struct qm_dev_queue_times *times = atomic_load_explicit(&q->counts.times,
			memory_order_relaxed);
	const struct qm_dev_result *r = &job->result;
	uint32_t charged = job_cost(job);

	queue_lock(q);
	/* Some requests are work by what comes out. */
	if (r->out > charged)
		q->ring.debt += r->out - charged;
	qm_dev_count(&q->counts.requests, 1);
	qm_dev_count(&q->counts.bytes_in, r->in);
	qm_dev_count(&q->counts.bytes_out, r->out);
	if (r->status != 0) {
		atomic_fetch_add_explicit(&dev->status[r->status], 1, memory_order_relaxed);
		if (r->error)
			qm_dev_count(&q->counts.errors, 1);
	}
	if (times != NULL) {
		int64_t now = base_now_ns();

		base_hist_count(&times->service, now - ex->now);
		ex->now = now;
	}
	if (qm_dev_is_broken(dev))
		queue_set_failed(dev, q);
	if (queue_runs(q)) {
		if (job->slot != q->ring.retire) {
			q->ring.done[job->slot] = 1;
		} else if (retire_one(dev, q, &ex->bufs.view) && q->shared) {
			while (q->ring.done[q->ring.retire] != 0) {
				q->ring.done[q->ring.retire] = 0;
				if (!retire_one(dev, q, &ex->bufs.view))
					break;
			}
		}
	}
	counter_set(&q->ring.inflight, (uint16_t)(counter_get(&q->ring.inflight) - 1));
	if (q->ring.fenced && q->shared && counter_get(&q->ring.inflight) == 0)
		qm_dev_sched_unfence(q);
	queue_unlock(q);
}

/* Drop a request if its queue was stopped since it was claimed. @return Whether it is. */
static bool
queue_drops(struct qm_dev_queue *q)
{
	if (queue_runs(q))
		return false;
	queue_lock(q);
	counter_set(&q->ring.inflight, (uint16_t)(counter_get(&q->ring.inflight) - 1));
	queue_unlock(q);
	return true;
}

/* Start to bring in the first lines of what the next request reads. */
static void
prefetch_source(struct qm_dev_exec *ex, uint64_t source)
{
	void *va;
	uint64_t n = qm_dev_view_run(&ex->bufs.view, source, 256, QM_DEV_PROT_READ, &va);

	/* A request may name address 0, where C allows no sums of pointers. */
	for (uint64_t i = 0; i < n; i += 64)
		__builtin_prefetch((const void *)((uintptr_t)va + i));
}

void
qm_dev_queue_run(struct qm_dev *dev, struct qm_dev_queue *q, struct qm_dev_exec *ex,
		unsigned int n)
{
	const struct qm_dev_class_state *cs = q->cs;
	struct qm_dev_request r = { .dev = dev, .func = cs->func, .exec = ex->state[cs->slot],
		.bufs = &ex->bufs, .type = q->type };

	for (unsigned int i = 0; i < n; i++) {
		struct qm_dev_job *job = &ex->job[i];

		if (queue_drops(q)) {
			job->result = (struct qm_dev_result){ 0 };
			continue;
		}
		if (i + 1 < n)
			prefetch_source(ex, ex->job[i + 1].preview.source);
		r.sqe = job->sqe;
		r.ring = job->ring;
		job->result = QM_DEV_FAULT_OF(dev) != NULL && job->status != 0 ?
			cs->class->refuse(&r, job->status) : cs->class->execute(&r);
		queue_complete(dev, q, ex, job);
	}
}

unsigned int
qm_dev_queue_execute(struct qm_dev *dev, struct qm_dev_queue *q, unsigned int budget)
{
	struct qm_dev_exec *ex = q->exec;
	unsigned int done = 0;

	while (done < budget && qm_dev_queue_peek(q)) {
		unsigned int max = budget - done < QM_DEV_BATCH ? budget - done : QM_DEV_BATCH;
		unsigned int n;

		qm_dev_view_get(&dev->map, &ex->bufs.view);
		n = qm_dev_queue_claim(dev, q, ex, max, false);
		qm_dev_queue_run(dev, q, ex, n);
		qm_dev_view_put(&ex->bufs.view);
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

unsigned int
qm_dev_poll(struct qm_dev *dev, uint16_t qn, unsigned int budget)
{
	struct qm_dev_queue *q = qm_dev_queue_find(dev, qn);

	if (q == NULL || q->shared || atomic_load_explicit(&q->state, memory_order_acquire) !=
			QM_DEV_QUEUE_LIVE)
		return 0;
	return qm_dev_queue_execute(dev, q, budget);
}
