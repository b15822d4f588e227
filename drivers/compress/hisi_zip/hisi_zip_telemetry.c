/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_telemetry.h>

#include "hisi_telemetry.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_log.h"
#include "hisi_zip_telemetry.h"
#include "hisi_zip_trailer.h"
#include "hisi_zip_wrong.h"

/* Why ops were done in software. */
static const char *const why_names[HISI_ZIP_WHYS] = {
	[HISI_ZIP_WHY_WISH] = "software_wish",
	[HISI_ZIP_WHY_CHECKSUM] = "software_checksum",
	[HISI_ZIP_WHY_FLUSH] = "software_flush",
	[HISI_ZIP_WHY_DICT] = "software_dictionary",
	[HISI_ZIP_WHY_ALGO] = "software_algorithm",
	[HISI_ZIP_WHY_TOO_LONG] = "software_too_long",
	[HISI_ZIP_WHY_STREAM] = "software_stream",
	[HISI_ZIP_WHY_PATH] = "software_path_off",
	[HISI_ZIP_WHY_NO_QUEUE] = "software_no_queue",
	[HISI_ZIP_WHY_REPEATED] = "software_no_result",
	[HISI_ZIP_WHY_LOST] = "software_lost",
	[HISI_ZIP_WHY_VERIFY] = "software_verify",
};

void
hisi_zip_telemetry_add_qp(struct hisi_zip_qp *qp)
{
	pthread_mutex_lock(&hisi_zip_driver.lock);
	TAILQ_INSERT_TAIL(&qp->dev->qps, qp, next);
	pthread_mutex_unlock(&hisi_zip_driver.lock);
}

void
hisi_zip_telemetry_remove_qp(struct hisi_zip_qp *qp)
{
	pthread_mutex_lock(&hisi_zip_driver.lock);
	TAILQ_REMOVE(&qp->dev->qps, qp, next);
	pthread_mutex_unlock(&hisi_zip_driver.lock);
}

/* How many ops of a queue pair were done in software for that reason. */
static uint64_t
why_count(const struct hisi_zip_qp *qp, enum hisi_zip_why why)
{
	return why < HISI_ZIP_WHY_REPEATED ? HISI_ZIP_COUNTER(qp->enq.why[why]) :
		HISI_ZIP_COUNTER(qp->deq.why[why]);
}

void
hisi_zip_telemetry_log_qp(const struct hisi_zip_qp *qp)
{
	uint64_t ops = HISI_ZIP_COUNTER(qp->deq.ops), software = 0;
	char text[256] = "";
	size_t len = 0;

	for (enum hisi_zip_why why = HISI_ZIP_WHY_NOT + 1; why < HISI_ZIP_WHYS; why++) {
		uint64_t n = why_count(qp, why);

		software += n;
		if (n != 0 && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, ", %s %" PRIu64,
				why_names[why], n);
	}
	HISI_ZIP_LOG(DEBUG, "%s: queue pair %u: the function has done %" PRIu64 " of %" PRIu64
		" ops%s", qp->dev->hisi.name, qp->id, ops - RTE_MIN(ops, software), ops, text);
}

static int
show_info(struct hisi_dev *dev, struct rte_tel_data *d)
{
	hisi_telemetry_info(dev, d);
	rte_tel_data_add_dict_string(d, "engine", dev->args.local.copy ? "copy" : "deflate");
	rte_tel_data_add_dict_string(d, "sw",
		hisi_zip_sw_names[hisi_zip_dev_of(dev)->sw]);
	return 0;
}

static int
show_queues(struct hisi_dev *dev, struct rte_tel_data *d)
{
	struct hisi_zip_qp *qp;

	rte_tel_data_start_dict(d);
	TAILQ_FOREACH(qp, &hisi_zip_dev_of(dev)->qps, next) {
		static const char *const names[HISI_ZIP_HWQS] = {
			[HISI_ZIP_SLOT_COMP] = "compress_queue",
			[HISI_ZIP_SLOT_DECOMP] = "decompress_queue",
			[HISI_ZIP_SLOT_TRAILER] = "trailer_queue",
		};
		unsigned int hwqs = hisi_zip_trailer_used(hisi_zip_dev_of(dev)) ? HISI_ZIP_HWQS :
			HISI_ZIP_DIRS;
		struct rte_tel_data *q = rte_tel_data_alloc();
		char name[16];

		if (q == NULL)
			return -ENOMEM;
		rte_tel_data_start_dict(q);
		rte_tel_data_add_dict_uint(q, "depth", qp->limit);
		rte_tel_data_add_dict_uint(q, "in_flight", (uint32_t)(HISI_ZIP_COUNTER(qp->tail) -
			HISI_ZIP_COUNTER(qp->head)));
		/* -1: not taken, because no op for it has come yet. */
		for (unsigned int i = 0; i < hwqs; i++)
			rte_tel_data_add_dict_int(q, names[i],
				HISI_ZIP_COUNTER(qp->hwq[i].q.qn));
		snprintf(name, sizeof(name), "qp_%u", qp->id);
		/* An answer has room for some 200 of them. */
		if (rte_tel_data_add_dict_container(d, name, q, 0) != 0) {
			rte_tel_data_free(q);
			break;
		}
	}
	return 0;
}

static int
show_stats(struct hisi_dev *dev, struct rte_tel_data *d)
{
	struct hisi_zip_enq_stats enq = { 0 };
	struct hisi_zip_deq_stats deq = { 0 };
	struct hisi_zip_qp *qp;

	TAILQ_FOREACH(qp, &hisi_zip_dev_of(dev)->qps, next) {
		enq.ops += HISI_ZIP_COUNTER(qp->enq.ops);
		enq.bytes += HISI_ZIP_COUNTER(qp->enq.bytes);
		enq.full += HISI_ZIP_COUNTER(qp->enq.full);
		enq.rejected += HISI_ZIP_COUNTER(qp->enq.rejected);
		enq.software += HISI_ZIP_COUNTER(qp->enq.software);
		deq.ops += HISI_ZIP_COUNTER(qp->deq.ops);
		deq.bytes += HISI_ZIP_COUNTER(qp->deq.bytes);
		deq.sw += HISI_ZIP_COUNTER(qp->deq.sw);
		deq.repeated += HISI_ZIP_COUNTER(qp->deq.repeated);
		deq.errors += HISI_ZIP_COUNTER(qp->deq.errors);
		deq.verified += HISI_ZIP_COUNTER(qp->deq.verified);
		for (unsigned int why = HISI_ZIP_WHY_NOT + 1; why < HISI_ZIP_WHYS; why++)
			deq.why[why] += why_count(qp, why);
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_uint(d, "enqueued", enq.ops);
	rte_tel_data_add_dict_uint(d, "enqueued_bytes", enq.bytes);
	rte_tel_data_add_dict_uint(d, "enqueue_full", enq.full);
	rte_tel_data_add_dict_uint(d, "enqueue_rejected", enq.rejected);
	rte_tel_data_add_dict_uint(d, "dequeued", deq.ops);
	rte_tel_data_add_dict_uint(d, "dequeued_bytes", deq.bytes);
	/* The counters are not read at one moment. */
	rte_tel_data_add_dict_uint(d, "function_ops", enq.ops - RTE_MIN(enq.ops,
		enq.software + enq.rejected));
	rte_tel_data_add_dict_uint(d, "software_ops", deq.sw);
	rte_tel_data_add_dict_uint(d, "software_repeated", deq.repeated);
	for (unsigned int why = HISI_ZIP_WHY_NOT + 1; why < HISI_ZIP_WHYS; why++)
		rte_tel_data_add_dict_uint(d, why_names[why], deq.why[why]);
	rte_tel_data_add_dict_uint(d, "verified", deq.verified);
	rte_tel_data_add_dict_uint(d, "errors", deq.errors);
	return 0;
}

static int
show_errors(struct hisi_dev *dev, struct rte_tel_data *d)
{
	static const struct {
		const char *name;
		uint8_t status;
	} by_op[] = {
		{ "invalid_args", RTE_COMP_OP_STATUS_INVALID_ARGS },
		{ "invalid_state", RTE_COMP_OP_STATUS_INVALID_STATE },
		{ "error", RTE_COMP_OP_STATUS_ERROR },
		{ "out_of_space_terminated", RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED },
		{ "out_of_space_recoverable", RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE },
	}, by_hw[] = {
		{ "hw_destination_too_small", HISI_ZIP_DSTLEN_OUT },
		{ "hw_checksum_mismatch", HISI_ZIP_CRC_ERR },
		{ "hw_bad_data", HISI_ZIP_BAD_DATA },
		{ "hw_bad_request", HISI_ZIP_BAD_SQE },
		{ "hw_bad_address", HISI_ZIP_BAD_ADDR },
		{ "hw_bad_sgl", HISI_ZIP_BAD_SGL },
		{ "hw_bad_stream", HISI_ZIP_BAD_STREAM },
		{ "hw_no_stream", HISI_ZIP_NO_STREAM },
		{ "hw_internal", HISI_ZIP_INTERNAL },
		{ "hw_other", HISI_ZIP_HW_STATUS_OTHER },
	};
	static const char *const by_fail[HISI_WATCH_FAILS] = {
		[HISI_WATCH_STALLED] = "queue_stalled",
		[HISI_WATCH_RESET] = "queue_reset",
		[HISI_WATCH_GONE] = "queue_gone",
	};
	struct hisi_zip_qp *qp;
	uint64_t no_queue = 0, lost = 0, restarts = 0;

	rte_tel_data_start_dict(d);
	for (unsigned int i = 0; i < RTE_DIM(by_op); i++) {
		uint64_t n = 0;

		TAILQ_FOREACH(qp, &hisi_zip_dev_of(dev)->qps, next)
			n += HISI_ZIP_COUNTER(qp->deq.status[by_op[i].status]);
		rte_tel_data_add_dict_uint(d, by_op[i].name, n);
	}
	for (unsigned int i = 0; i < RTE_DIM(by_hw); i++) {
		uint64_t n = 0;

		TAILQ_FOREACH(qp, &hisi_zip_dev_of(dev)->qps, next)
			n += HISI_ZIP_COUNTER(qp->deq.hw_status[by_hw[i].status]);
		rte_tel_data_add_dict_uint(d, by_hw[i].name, n);
	}
	TAILQ_FOREACH(qp, &hisi_zip_dev_of(dev)->qps, next)
		no_queue += HISI_ZIP_COUNTER(qp->enq.no_queue);
	rte_tel_data_add_dict_uint(d, "no_hardware_queue", no_queue);
	for (unsigned int i = 0; i < HISI_WATCH_FAILS; i++) {
		uint64_t n = 0;

		TAILQ_FOREACH(qp, &hisi_zip_dev_of(dev)->qps, next)
			n += HISI_ZIP_COUNTER(qp->deq.fails[i]);
		rte_tel_data_add_dict_uint(d, by_fail[i], n);
	}
	TAILQ_FOREACH(qp, &hisi_zip_dev_of(dev)->qps, next) {
		lost += HISI_ZIP_COUNTER(qp->deq.lost);
		restarts += HISI_ZIP_COUNTER(qp->deq.restarts);
	}
	rte_tel_data_add_dict_uint(d, "requests_lost", lost);
	rte_tel_data_add_dict_uint(d, "queue_restarted", restarts);
	return 0;
}

static int
show_paths(struct hisi_dev *hisi, struct rte_tel_data *d)
{
	struct hisi_zip_dev *dev = hisi_zip_dev_of(hisi);
	struct hisi_zip_paths paths;
	uint32_t us;

	/* What dequeue has found is no secret until it is idle. */
	hisi_zip_paths_tell(dev);
	pthread_mutex_lock(&dev->known.lock);
	paths = dev->known.paths;
	us = dev->known.us;
	pthread_mutex_unlock(&dev->known.lock);
	rte_tel_data_start_dict(d);
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		const struct hisi_zip_path_info *info = &paths.path[path];
		char text[64];

		snprintf(text, sizeof(text), "%s%s%s", info->state == HISI_ZIP_PATH_ON ? "on" :
			info->state == HISI_ZIP_PATH_OFF ? "off" : "untried",
			info->why != NULL ? ": " : "", info->why != NULL ? info->why : "");
		rte_tel_data_add_dict_string(d, hisi_zip_path_name(path), text);
	}
	rte_tel_data_add_dict_uint(d, "known_answers_us", us);
	return 0;
}

const struct hisi_telemetry_cmd hisi_zip_telemetry_cmds[] = {
	{ "info", "Returns what a device is. Parameters: int dev_id", show_info },
	{ "queues", "Returns queue pairs and the hardware queues they hold. Parameters: int dev_id",
		show_queues },
	{ "stats", "Returns operations and bytes. Parameters: int dev_id", show_stats },
	{ "errors", "Returns errors by cause. Parameters: int dev_id", show_errors },
	{ "paths", "Returns the kinds of requests that the function is used with. Parameters: "
		"int dev_id", show_paths },
	{ .name = NULL },
};
