/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_trailer.h"
#include "hisi_zip_wrong.h"
#include "hisi_zip_xform.h"

static int
hisi_zip_configure(struct rte_compressdev *cdev, struct rte_compressdev_config *config)
{
	RTE_SET_USED(cdev);
	RTE_SET_USED(config);
	return 0;
}

static void
set_started(struct rte_compressdev *cdev, uint8_t started)
{
	for (uint16_t i = 0; i < cdev->data->nb_queue_pairs; i++) {
		struct hisi_zip_qp *qp = cdev->data->queue_pairs[i];

		if (qp == NULL)
			continue;
		if (started)
			qp->state = HISI_ZIP_QP_RUNNING;
		else
			hisi_zip_qp_stop(qp);
	}
}

static int
hisi_zip_start(struct rte_compressdev *cdev)
{
	hisi_zip_paths_reap(cdev->data->dev_private);
	set_started(cdev, 1);
	return 0;
}

static void
hisi_zip_stop(struct rte_compressdev *cdev)
{
	set_started(cdev, 0);
	hisi_zip_paths_tell(cdev->data->dev_private);
	hisi_zip_paths_reap(cdev->data->dev_private);
}

static int
hisi_zip_close(struct rte_compressdev *cdev)
{
	/* compressdev has released the queue pairs; the function is kept for the next start. */
	RTE_SET_USED(cdev);
	return 0;
}

static void
hisi_zip_stats_get(struct rte_compressdev *cdev, struct rte_compressdev_stats *stats)
{
	for (uint16_t i = 0; i < cdev->data->nb_queue_pairs; i++) {
		const struct hisi_zip_qp *qp = cdev->data->queue_pairs[i];

		if (qp == NULL)
			continue;
		stats->enqueued_count += HISI_ZIP_COUNTER(qp->enq.ops);
		stats->dequeued_count += HISI_ZIP_COUNTER(qp->deq.ops);
		stats->dequeue_err_count += HISI_ZIP_COUNTER(qp->deq.errors);
	}
}

static void
hisi_zip_stats_reset(struct rte_compressdev *cdev)
{
	for (uint16_t i = 0; i < cdev->data->nb_queue_pairs; i++) {
		struct hisi_zip_qp *qp = cdev->data->queue_pairs[i];

		if (qp == NULL)
			continue;
		memset(&qp->enq, 0, sizeof(qp->enq));
		memset(&qp->deq, 0, sizeof(qp->deq));
	}
}

static void
hisi_zip_info_get(struct rte_compressdev *cdev, struct rte_compressdev_info *info)
{
	const struct hisi_zip_dev *dev = cdev->data->dev_private;

	info->driver_name = cdev->device->driver->name;
	info->feature_flags = cdev->feature_flags;
	info->capabilities = dev->caps;
	/* A queue pair may come to own a hardware queue of each kind. */
	info->max_nb_queue_pairs = RTE_MAX(dev->hisi.info.queues / (hisi_zip_trailer_used(dev) ?
		HISI_ZIP_HWQS : HISI_ZIP_DIRS), 1);
}

struct rte_compressdev_ops hisi_zip_ops = {
	.dev_configure = hisi_zip_configure,
	.dev_start = hisi_zip_start,
	.dev_stop = hisi_zip_stop,
	.dev_close = hisi_zip_close,

	.dev_infos_get = hisi_zip_info_get,

	.stats_get = hisi_zip_stats_get,
	.stats_reset = hisi_zip_stats_reset,

	.queue_pair_setup = hisi_zip_qp_setup,
	.queue_pair_release = hisi_zip_qp_release,

	.stream_create = hisi_zip_stream_create,
	.stream_free = hisi_zip_stream_free,

	.private_xform_create = hisi_zip_xform_create,
	.private_xform_free = hisi_zip_xform_free,
};
