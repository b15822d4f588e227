/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <rte_common.h>

#include "hisi_udma_burst.h"
#include "hisi_udma_dev.h"
#include "hisi_udma_log.h"

static int
hisi_udma_info_get(const struct rte_dma_dev *ddev, struct rte_dma_info *info, uint32_t info_sz)
{
	const struct hisi_udma_dev *dev = ddev->data->dev_private;

	RTE_SET_USED(info_sz);
	/* With SVA applications use memory of malloc(), which must not have to be registered. */
	info->dev_capa = RTE_DMA_CAPA_MEM_TO_MEM | RTE_DMA_CAPA_HANDLES_ERRORS |
		RTE_DMA_CAPA_OPS_COPY | RTE_DMA_CAPA_OPS_FILL |
		(dev->hisi.info.va && !dev->hisi.info.mem_register ? RTE_DMA_CAPA_SVA : 0);
	info->max_vchans = dev->hisi.info.queues;
	info->min_desc = HISI_UDMA_DESC_MIN;
	info->max_desc = HISI_UDMA_DESC_MAX;
	return 0;
}

static int
hisi_udma_configure(struct rte_dma_dev *ddev, const struct rte_dma_conf *conf, uint32_t conf_sz)
{
	RTE_SET_USED(conf_sz);
	return hisi_udma_set_vchans(ddev->data->dev_private, conf->nb_vchans);
}

static int
hisi_udma_vchan_set(struct rte_dma_dev *ddev, uint16_t vchan,
		const struct rte_dma_vchan_conf *conf, uint32_t conf_sz)
{
	struct hisi_udma_dev *dev = ddev->data->dev_private;

	RTE_SET_USED(conf_sz);
	return hisi_udma_vchan_setup(&dev->vchans[vchan], conf->nb_desc);
}

static int
hisi_udma_start(struct rte_dma_dev *ddev)
{
	struct hisi_udma_dev *dev = ddev->data->dev_private;

	for (uint16_t i = 0; i < dev->nb_vchans; i++) {
		if (dev->vchans[i].depth == 0) {
			HISI_UDMA_LOG(ERR, "%s: channel %u is not set up, expected all %u to be",
				dev->hisi.name, i, dev->nb_vchans);
			return -EINVAL;
		}
	}
	for (uint16_t i = 0; i < dev->nb_vchans; i++)
		hisi_udma_vchan_start(&dev->vchans[i]);
	return 0;
}

static int
hisi_udma_stop(struct rte_dma_dev *ddev)
{
	struct hisi_udma_dev *dev = ddev->data->dev_private;

	for (uint16_t i = 0; i < dev->nb_vchans; i++)
		hisi_udma_vchan_stop(&dev->vchans[i]);
	return 0;
}

static int
hisi_udma_close(struct rte_dma_dev *ddev)
{
	hisi_udma_fini(ddev->data->dev_private);
	return 0;
}

/* What was counted since a channel was made. */
static struct hisi_udma_base
counted(const struct hisi_udma_vchan *v)
{
	struct hisi_udma_base c = {
		.submitted = HISI_UDMA_COUNTER(v->enq.submitted),
		.completed = HISI_UDMA_COUNTER(v->deq.completed),
	};

	for (unsigned int i = 0; i < HISI_UDMA_ERRORS; i++)
		c.errors += HISI_UDMA_COUNTER(v->deq.errors[i]);
	return c;
}

static int
hisi_udma_stats_get(const struct rte_dma_dev *ddev, uint16_t vchan, struct rte_dma_stats *stats,
		uint32_t stats_sz)
{
	const struct hisi_udma_dev *dev = ddev->data->dev_private;

	RTE_SET_USED(stats_sz);
	for (uint16_t i = 0; i < dev->nb_vchans; i++) {
		const struct hisi_udma_vchan *v = &dev->vchans[i];
		struct hisi_udma_base c = counted(v);

		if (vchan != RTE_DMA_ALL_VCHAN && vchan != i)
			continue;
		stats->submitted += c.submitted - v->base.submitted;
		stats->completed += c.completed - v->base.completed;
		stats->errors += c.errors - v->base.errors;
	}
	return 0;
}

/* The counters have one writer each, who does not stop for this: what they were is remembered. */
static int
hisi_udma_stats_reset(struct rte_dma_dev *ddev, uint16_t vchan)
{
	struct hisi_udma_dev *dev = ddev->data->dev_private;

	for (uint16_t i = 0; i < dev->nb_vchans; i++) {
		if (vchan == RTE_DMA_ALL_VCHAN || vchan == i)
			dev->vchans[i].base = counted(&dev->vchans[i]);
	}
	return 0;
}

static int
hisi_udma_vchan_status(const struct rte_dma_dev *ddev, uint16_t vchan,
		enum rte_dma_vchan_status *status)
{
	const struct hisi_udma_dev *dev = ddev->data->dev_private;

	*status = hisi_udma_status(&dev->vchans[vchan]);
	return 0;
}

static int
hisi_udma_dump(const struct rte_dma_dev *ddev, FILE *f)
{
	const struct hisi_udma_dev *dev = ddev->data->dev_private;
	const struct spim_info *info = &dev->hisi.info;

	fprintf(f, "  dev: %s, revision 0x%x, %u queues, features 0x%x, %s\n", dev->hisi.args.dev,
		info->revision, info->queues, info->ext_features,
		info->polled ? "polled" : "with threads or hardware of its own");
	for (uint16_t i = 0; i < dev->nb_vchans; i++) {
		const struct hisi_udma_vchan *v = &dev->vchans[i];

		/* A queue of -1: no op has come yet. */
		fprintf(f, "  channel %u: depth %u, limit %u, hardware queue %d%s\n"
			"    next op %u, submitted before %u, oldest %u\n"
			"    submitted %" PRIu64 ", completed %" PRIu64 ", full %" PRIu64
			", rejected %" PRIu64 ", without a queue %" PRIu64 "\n", i, v->depth,
			v->limit, HISI_UDMA_COUNTER(v->hwq.qn),
			HISI_UDMA_COUNTER(v->hwq.failed) ? ", which has failed" : "", v->tail,
			HISI_UDMA_COUNTER(v->rung), HISI_UDMA_COUNTER(v->head),
			HISI_UDMA_COUNTER(v->enq.submitted), HISI_UDMA_COUNTER(v->deq.completed),
			HISI_UDMA_COUNTER(v->enq.full), HISI_UDMA_COUNTER(v->enq.rejected),
			HISI_UDMA_COUNTER(v->enq.no_queue));
	}
	return 0;
}

const struct rte_dma_dev_ops hisi_udma_ops = {
	.dev_info_get = hisi_udma_info_get,
	.dev_configure = hisi_udma_configure,
	.dev_start = hisi_udma_start,
	.dev_stop = hisi_udma_stop,
	.dev_close = hisi_udma_close,
	.vchan_setup = hisi_udma_vchan_set,
	.stats_get = hisi_udma_stats_get,
	.stats_reset = hisi_udma_stats_reset,
	.vchan_status = hisi_udma_vchan_status,
	.dev_dump = hisi_udma_dump,
};
