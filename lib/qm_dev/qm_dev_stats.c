/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include "qm_dev_fault.h"
#include "qm_dev_queue.h"

void
qm_dev_stats_get(struct qm_dev *dev, struct qm_dev_stats *stats)
{
	*stats = (struct qm_dev_stats){
		.doorbells_dropped = atomic_load_explicit(&dev->doorbells_dropped,
				memory_order_relaxed),
		.mailbox_errors = atomic_load_explicit(&dev->mailbox_errors, memory_order_relaxed),
		.queues_live = atomic_load_explicit(&dev->queues_live, memory_order_relaxed),
		.eqes = atomic_load_explicit(&dev->events.eq[QM_DEV_IRQ_EQ].entries,
				memory_order_relaxed),
		.aeqes = atomic_load_explicit(&dev->events.eq[QM_DEV_IRQ_AEQ].entries,
				memory_order_relaxed),
		.resets = atomic_load_explicit(&dev->resets, memory_order_relaxed),
		.faults = QM_DEV_FAULT_OF(dev) == NULL ? 0 :
			atomic_load_explicit(&QM_DEV_FAULT_OF(dev)->struck, memory_order_relaxed),
	};
	pthread_mutex_lock(&dev->map.lock);
	stats->maps = dev->map.cnt;
	stats->files = dev->map.files.cnt;
	stats->mapped = dev->map.files.mapped;
	pthread_mutex_unlock(&dev->map.lock);
	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX && dev->cs[i].class != NULL; i++)
		if (dev->cs[i].class->contexts != NULL)
			stats->contexts += dev->cs[i].class->contexts(dev->cs[i].func);
	for (unsigned int i = 0; i < QM_DEV_IRQS; i++)
		stats->irqs[i] = atomic_load_explicit(&dev->events.irqs[i], memory_order_relaxed);
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		const struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q == NULL)
			continue;
		stats->requests += atomic_load_explicit(&q->counts.requests, memory_order_relaxed);
		stats->bytes_in += atomic_load_explicit(&q->counts.bytes_in, memory_order_relaxed);
		stats->bytes_out += atomic_load_explicit(&q->counts.bytes_out,
				memory_order_relaxed);
		stats->errors += atomic_load_explicit(&q->counts.errors, memory_order_relaxed);
	}
}

void
qm_dev_stats_status(struct qm_dev *dev, uint32_t count[256])
{
	for (unsigned int i = 0; i < 256; i++)
		count[i] = atomic_load_explicit(&dev->status[i], memory_order_relaxed);
}

/* ---- Times ---- */

static void
times_add(struct qm_dev_times *sum, const struct qm_dev_queue *q)
{
	const struct qm_dev_queue_times *t = atomic_load_explicit(&q->counts.times,
			memory_order_acquire);

	if (t == NULL)
		return;
	base_hist_add(&sum->wait, &t->wait);
	base_hist_add(&sum->service, &t->service);
}

void
qm_dev_times_get(struct qm_dev *dev, struct qm_dev_times *times)
{
	memset(times, 0, sizeof(*times));
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		const struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q != NULL)
			times_add(times, q);
	}
}

int
qm_dev_queue_stats_get(struct qm_dev *dev, uint16_t qn, struct qm_dev_queue_stats *stats)
{
	const struct qm_dev_queue *q = qm_dev_queue_find(dev, qn);

	if (qn >= dev->conf.queues)
		return -EINVAL;
	memset(stats, 0, sizeof(*stats));
	if (q == NULL)
		return 0;
	stats->requests = atomic_load_explicit(&q->counts.requests, memory_order_relaxed);
	stats->bytes_in = atomic_load_explicit(&q->counts.bytes_in, memory_order_relaxed);
	stats->bytes_out = atomic_load_explicit(&q->counts.bytes_out, memory_order_relaxed);
	stats->errors = atomic_load_explicit(&q->counts.errors, memory_order_relaxed);
	stats->waiting = counter_get(&q->ring.waiting);
	stats->inflight = counter_get(&q->ring.inflight);
	stats->live = atomic_load_explicit(&q->sched.running, memory_order_relaxed);
	stats->asleep = atomic_load_explicit(&q->sched.state, memory_order_relaxed) ==
		QM_DEV_SCHED_ASLEEP;
	times_add(&stats->times, q);
	return 0;
}
