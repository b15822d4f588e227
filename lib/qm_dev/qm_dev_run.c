/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Requests of a queue: claimed, executed, completed. */

#include "qm_dev_doorbell.h"
#include "qm_dev_event.h"
#include "qm_dev_exec.h"
#include "qm_dev_fault.h"
#include "qm_dev_run.h"
#include "qm_dev_sched.h"
#include "qm_dev_shared.h"
#include "qm_dev_state.h"

/* Keeps what hardly ever happens from taking registers where requests run. */
#define RARE __attribute__((cold, noinline))

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
	job->corrupt = false;
	switch (qm_dev_fault_request(dev, &job->status)) {
	case QM_DEV_FAULT_STALL:
		/* As dead as a failed one, but nobody is told. */
		qm_dev_queue_move(dev, q, QM_DEV_QUEUE_FAILED);
		q->ring.tail = q->ring.fetch;
		return false;
	case QM_DEV_FAULT_CORRUPT:
		job->corrupt = true;
		return true;
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

/*
 * What a request costs, in bytes of plain work:
 * - JOB_COST, by itself: many tiny ones are work, too;
 * - its bytes, of input or of output, whichever are more;
 * - ENTRY_COST for each entry of its lists;
 * - or its time, where that is known, if that is more. The rate is half of what the fastest level
 *   does, 300 bytes a microsecond: so quick requests are charged by their bytes, exactly, and
 *   slow ones, of whatever kind, by what they keep the worker from.
 */
#define JOB_COST     64
#define ENTRY_COST   8
#define BYTES_PER_US 150

/* How much a request counts for before it is done. */
static inline uint32_t
job_cost(const struct qm_dev_job *job)
{
	return JOB_COST + job->preview.len;
}

/* CPU time is asked for, by a system call, when so much time went by since it was known. */
#define CPU_NS 200000

/* Know the CPU time of this thread. now: of the monotonic clock. */
static void
sample_cpu(struct qm_dev_exec *ex, int64_t now)
{
	ex->cpu = base_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	ex->cpu_at = now;
}

void
qm_dev_exec_begin(struct qm_dev_exec *ex)
{
	ex->now = base_now_ns();
	if (ex->now - ex->cpu_at >= CPU_NS)
		sample_cpu(ex, ex->now);
}

/*
 * Time that the last request took: no more than the CPU was on it, as long as it took, or a
 * request would pay for the threads that ran instead. At most CPU_NS of those before count, too.
 */
static int64_t
time_taken(struct qm_dev_exec *ex, int64_t now)
{
	int64_t took = now - ex->now, cpu = ex->cpu;

	if (now - ex->cpu_at < CPU_NS)
		return took;
	sample_cpu(ex, now);
	return ex->cpu - cpu < took ? ex->cpu - cpu : took;
}

/* What a request cost in the end. took: ns; 0 if not known. */
static int64_t
final_cost(const struct qm_dev_job *job, int64_t took)
{
	int64_t bytes = job_cost(job), by_time = took / 1000 * BYTES_PER_US;

	if (job->result.out > bytes)
		bytes = job->result.out;
	bytes += (int64_t)job->result.entries * ENTRY_COST;
	return bytes > by_time ? bytes : by_time;
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
	int64_t stop = 0;

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
		times = atomic_load_explicit(&q->counts.times, memory_order_relaxed);
		if (times != NULL)
			sample_wait(q, times, ex->now);
	}
	if (max > waiting)
		max = waiting;
	q->ring.fenced = false;
	/* A turn is one quantum, whatever the weight: others may come between. */
	if (q->sched.turn.deficit > (int64_t)QM_DEV_QUANTUM)
		stop = q->sched.turn.deficit - (int64_t)QM_DEV_QUANTUM;
	while (n < max && (!fair || q->sched.turn.deficit > stop)) {
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
			q->sched.turn.deficit -= job_cost(job);
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
		qm_dev_queue_fire(dev, q);
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
	int64_t took = 0, owed;

	if (times != NULL) {
		int64_t now = base_now_ns();

		took = time_taken(ex, now);
		base_hist_count(&times->service, now - ex->now);
		qm_dev_sched_took(q, took, now);
		ex->now = now;
	}
	owed = final_cost(job, took) - job_cost(job);
	if (owed != 0 && q->shared)
		qm_dev_sched_charge(q, owed);

	queue_lock(q);
	qm_dev_count(&q->counts.requests, 1);
	qm_dev_count(&q->counts.bytes_in, r->in);
	qm_dev_count(&q->counts.bytes_out, r->out);
	if (r->status != 0) {
		atomic_fetch_add_explicit(&dev->status[r->status], 1, memory_order_relaxed);
		if (r->error)
			qm_dev_count(&q->counts.errors, 1);
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

/* Injected fault: change the byte in the middle of what a request has written. */
static RARE void
corrupt_output(const struct qm_dev_buf *dst, const struct qm_dev_result *result)
{
	uint8_t byte;

	if (result->out == 0)
		return;
	qm_dev_buf_read(dst, result->out / 2, &byte, 1);
	byte ^= 0x10;
	qm_dev_buf_write(dst, result->out / 2, &byte, 1);
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
		if (QM_DEV_FAULT_OF(dev) != NULL && job->corrupt)
			corrupt_output(&ex->bufs.dst, &job->result);
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
