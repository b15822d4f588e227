/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_telemetry.h>

#include "hisi_telemetry.h"
#include "hisi_udma_dev.h"

static int
udma_show_info(struct hisi_dev *dev, struct rte_tel_data *d)
{
	hisi_telemetry_info(dev, d);
	return 0;
}

/* Ops in flight, while others submit and complete some. */
static uint32_t
in_flight(const struct hisi_udma_vchan *v)
{
	/* Acquire: rung is not older than head, and so not behind it. */
	uint32_t head = rte_atomic_load_explicit(&v->head, rte_memory_order_acquire);

	/* But it may be many newer ops ahead of it. */
	return RTE_MIN(HISI_UDMA_COUNTER(v->rung) - head, v->limit);
}

static int
udma_show_queues(struct hisi_dev *hisi, struct rte_tel_data *d)
{
	const struct hisi_udma_dev *dev = hisi_udma_dev_of(hisi);

	rte_tel_data_start_dict(d);
	for (uint16_t i = 0; i < dev->nb_vchans; i++) {
		const struct hisi_udma_vchan *v = &dev->vchans[i];
		struct rte_tel_data *q = rte_tel_data_alloc();
		char name[16];

		if (q == NULL)
			return -ENOMEM;
		rte_tel_data_start_dict(q);
		rte_tel_data_add_dict_uint(q, "depth", v->limit);
		rte_tel_data_add_dict_uint(q, "in_flight", in_flight(v));
		/* -1: not taken, because no op has come yet. */
		rte_tel_data_add_dict_int(q, "queue", HISI_UDMA_COUNTER(v->hwq.qn));
		snprintf(name, sizeof(name), "vchan_%u", i);
		/* An answer has room for some 200 of them. */
		if (rte_tel_data_add_dict_container(d, name, q, 0) != 0) {
			rte_tel_data_free(q);
			break;
		}
	}
	return 0;
}

static int
udma_show_stats(struct hisi_dev *hisi, struct rte_tel_data *d)
{
	const struct hisi_udma_dev *dev = hisi_udma_dev_of(hisi);
	uint64_t submitted = 0, completed = 0, errors = 0, full = 0, rejected = 0;

	for (uint16_t i = 0; i < dev->nb_vchans; i++) {
		const struct hisi_udma_vchan *v = &dev->vchans[i];

		submitted += HISI_UDMA_COUNTER(v->enq.submitted);
		full += HISI_UDMA_COUNTER(v->enq.full);
		rejected += HISI_UDMA_COUNTER(v->enq.rejected);
		completed += HISI_UDMA_COUNTER(v->deq.completed);
		for (unsigned int e = 0; e < HISI_UDMA_ERRORS; e++)
			errors += HISI_UDMA_COUNTER(v->deq.errors[e]);
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_uint(d, "submitted", submitted);
	rte_tel_data_add_dict_uint(d, "completed", completed);
	rte_tel_data_add_dict_uint(d, "errors", errors);
	rte_tel_data_add_dict_uint(d, "enqueue_full", full);
	rte_tel_data_add_dict_uint(d, "enqueue_rejected", rejected);
	return 0;
}

static int
udma_show_errors(struct hisi_dev *hisi, struct rte_tel_data *d)
{
	static const char *const errors[HISI_UDMA_ERRORS] = {
		[HISI_UDMA_ERROR_ADDR] = "bad_address",
		[HISI_UDMA_ERROR_LOST] = "requests_lost",
		[HISI_UDMA_ERROR_OTHER] = "other",
	};
	static const char *const fails[HISI_WATCH_FAILS] = {
		[HISI_WATCH_STALLED] = "queue_stalled",
		[HISI_WATCH_RESET] = "queue_reset",
		[HISI_WATCH_GONE] = "queue_gone",
	};
	const struct hisi_udma_dev *dev = hisi_udma_dev_of(hisi);
	uint64_t by_error[HISI_UDMA_ERRORS] = { 0 }, by_fail[HISI_WATCH_FAILS] = { 0 };
	uint64_t no_queue = 0, lies = 0, restarts = 0;

	for (uint16_t i = 0; i < dev->nb_vchans; i++) {
		const struct hisi_udma_vchan *v = &dev->vchans[i];

		for (unsigned int e = 0; e < HISI_UDMA_ERRORS; e++)
			by_error[e] += HISI_UDMA_COUNTER(v->deq.errors[e]);
		for (unsigned int e = 0; e < HISI_WATCH_FAILS; e++)
			by_fail[e] += HISI_UDMA_COUNTER(v->deq.fails[e]);
		no_queue += HISI_UDMA_COUNTER(v->enq.no_queue);
		lies += HISI_UDMA_COUNTER(v->deq.lies);
		restarts += HISI_UDMA_COUNTER(v->deq.restarts);
	}
	rte_tel_data_start_dict(d);
	for (unsigned int e = 0; e < HISI_UDMA_ERRORS; e++)
		rte_tel_data_add_dict_uint(d, errors[e], by_error[e]);
	rte_tel_data_add_dict_uint(d, "impossible_answers", lies);
	rte_tel_data_add_dict_uint(d, "no_hardware_queue", no_queue);
	for (unsigned int e = 0; e < HISI_WATCH_FAILS; e++)
		rte_tel_data_add_dict_uint(d, fails[e], by_fail[e]);
	rte_tel_data_add_dict_uint(d, "queue_restarted", restarts);
	return 0;
}

const struct hisi_telemetry_cmd hisi_udma_telemetry_cmds[] = {
	{ "info", "Returns what a device is. Parameters: int dev_id", udma_show_info },
	{ "queues", "Returns channels and the hardware queues they hold. Parameters: int dev_id",
		udma_show_queues },
	{ "stats", "Returns operations. Parameters: int dev_id", udma_show_stats },
	{ "errors", "Returns errors by cause. Parameters: int dev_id", udma_show_errors },
	{ .name = NULL },
};
