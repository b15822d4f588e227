/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>

#include "hisi_ext.h"
#include "spim_qm.h"

static uint32_t
ext_features(struct hisi_qm_io *io)
{
	if (io->ops->read32(io, HISI_EXT_REG_MAGIC) != HISI_EXT_MAGIC)
		return 0;
	return io->ops->read32(io, HISI_EXT_REG_FEATURES);
}

/* Is the function that was there at this opening gone? */
static bool
lost(struct spim_qm *d, uint32_t opened)
{
	if (d->transport == NULL || d->transport->alive == NULL)
		return false;
	return opened != atomic_load_explicit(&d->opened, memory_order_acquire) ||
		d->transport->alive(d->io) != 0;
}

/* Have a function that is there; lock is held. */
static int
reopen(struct spim_qm *d)
{
	uint32_t opened = atomic_load_explicit(&d->opened, memory_order_relaxed);
	struct spim_dev *dev = &d->dev;
	int ret;

	if (!d->half_open && !lost(d, opened))
		return spim_qm_event_renew(d);
	ret = d->transport->reopen(d->io);
	if (ret == 0) {
		/* Now the queues of before are lost, even if it goes no further this time. */
		atomic_store_explicit(&d->opened, opened + 1, memory_order_release);
		d->half_open = true;
		ret = spim_dev_mem_register(dev);
	}
	if (ret == 0)
		ret = hisi_qm_reinit(&d->qm);
	if (ret == 0)
		ret = spim_qm_event_reopen(d);
	if (ret == 0 && (~ext_features(d->io) & dev->info.ext_features) != 0) {
		spim_log(&dev->conf, BASE_LOG_ERR,
			"the new function offers features 0x%x, expected 0x%x as before",
			ext_features(d->io), dev->info.ext_features);
		ret = -ENODEV;
	}
	if (ret == 0)
		d->half_open = false;
	/* Tried over and over: say it once in each direction. */
	if ((ret != 0) != d->reported)
		spim_log(&dev->conf, ret != 0 ? BASE_LOG_ERR : BASE_LOG_INFO, ret != 0 ?
			"function is gone; opening it again gives %d" : "function is back (%d)",
			ret);
	d->reported = ret != 0;
	return ret;
}

static int
spim_qm_take(struct spim_dev *dev, uint8_t type, uint16_t depth, int socket,
		struct spim_queue **queue)
{
	struct spim_qm *d = spim_qm_of(dev);
	struct spim_qm_queue *q;
	int ret;

	/* Rings have cache line alignment inside. */
	if (posix_memalign((void **)&q, _Alignof(struct spim_qm_queue), sizeof(*q)) != 0)
		return -ENOMEM;
	q->queue.ring = &q->qp.ring;
	q->queue.poll_io = dev->info.polled ? d->io : NULL;
	pthread_mutex_lock(&d->lock);
	ret = reopen(d);
	q->opened = atomic_load_explicit(&d->opened, memory_order_relaxed);
	if (ret == 0)
		ret = hisi_qm_qp_start(&d->qm, &q->qp, type, depth, socket);
	pthread_mutex_unlock(&d->lock);
	if (ret != 0) {
		free(q);
		return ret;
	}
	*queue = &q->queue;
	return 0;
}

static int
spim_qm_check(struct spim_dev *dev, const struct spim_queue *queue)
{
	struct spim_qm_queue *q = spim_qm_queue_of(queue);
	struct spim_qm *d = spim_qm_of(dev);

	return lost(d, q->opened) ? -ENOTCONN : hisi_qm_qp_check(&d->qm, &q->qp);
}

static uint32_t
spim_qm_opened(struct spim_dev *dev)
{
	return atomic_load_explicit(&spim_qm_of(dev)->opened, memory_order_relaxed);
}

static int
spim_qm_stop(struct spim_dev *dev, struct spim_queue *queue)
{
	struct spim_qm_queue *q = spim_qm_queue_of(queue);
	struct spim_qm *d = spim_qm_of(dev);

	/* A function that is gone touches nothing any more. */
	return lost(d, q->opened) ? 0 : hisi_qm_qp_stop(&d->qm, &q->qp);
}

static int
spim_qm_abort(struct spim_dev *dev, struct spim_queue *queue)
{
	struct spim_qm_queue *q = spim_qm_queue_of(queue);
	struct spim_qm *d = spim_qm_of(dev);

	return lost(d, q->opened) ? 0 : hisi_qm_qp_abort(&d->qm, &q->qp);
}

static int
spim_qm_restart(struct spim_dev *dev, struct spim_queue *queue)
{
	struct spim_qm_queue *q = spim_qm_queue_of(queue);
	struct spim_qm *d = spim_qm_of(dev);
	int ret;

	pthread_mutex_lock(&d->lock);
	ret = reopen(d);
	if (ret == 0)
		ret = hisi_qm_qp_restart(&d->qm, &q->qp);
	if (ret == 0)
		q->opened = atomic_load_explicit(&d->opened, memory_order_relaxed);
	pthread_mutex_unlock(&d->lock);
	return ret;
}

static void
spim_qm_put(struct spim_dev *dev, struct spim_queue *queue)
{
	struct spim_qm_queue *q = spim_qm_queue_of(queue);

	hisi_qm_qp_free(&spim_qm_of(dev)->qm, &q->qp);
	free(q);
}

static int
spim_qm_map(struct spim_dev *dev, void *va, size_t len, int fd, uint64_t offset)
{
	struct spim_qm *d = spim_qm_of(dev);

	return d->transport->mem_map(d->io, va, len, fd, offset);
}

static int
spim_qm_unmap(struct spim_dev *dev, void *va, size_t len)
{
	struct spim_qm *d = spim_qm_of(dev);

	return d->transport->mem_unmap(d->io, va, len);
}

static void
spim_qm_reg_write64(struct spim_dev *dev, uint32_t off, uint64_t value)
{
	struct hisi_qm_io *io = spim_qm_of(dev)->io;

	io->ops->write64(io, off, value);
}

/* Free what there is but the function. */
static void
destroy(struct spim_qm *d)
{
	spim_dev_fini(&d->dev);
	if (d->transport != NULL)
		d->transport->close(d->io);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static void
spim_qm_close(struct spim_dev *dev)
{
	struct spim_qm *d = spim_qm_of(dev);

	spim_qm_event_end(d);
	hisi_qm_fini(&d->qm);
	destroy(d);
}

static const struct spim_queue_ops qm_ops = {
	.close = spim_qm_close,
	.take = spim_qm_take,
	.check = spim_qm_check,
	.opened = spim_qm_opened,
	.stop = spim_qm_stop,
	.abort = spim_qm_abort,
	.restart = spim_qm_restart,
	.put = spim_qm_put,
	.event_fd = spim_qm_event_fd,
	.event_arm = spim_qm_event_arm,
	.event_take = spim_qm_event_take,
	.mem_map = spim_qm_map,
	.mem_unmap = spim_qm_unmap,
	.reg_write64 = spim_qm_reg_write64,
};

int
spim_qm_open(struct hisi_qm_io *io, const struct spim_qm_transport *transport, int va,
		const struct spim_conf *conf, struct spim_dev **dev)
{
	struct spim_qm *d = calloc(1, sizeof(*d));
	struct spim_info *info;
	int ret;

	if (d == NULL) {
		if (transport != NULL)
			transport->close(io);
		return -ENOMEM;
	}
	spim_dev_init(&d->dev, &qm_ops, conf);
	pthread_mutex_init(&d->lock, NULL);
	d->io = io;
	d->transport = transport;
	d->epfd = d->eventfd = -1;
	info = &d->dev.info;
	info->revision = io->revision;
	info->va = va != 0;
	info->mem_register = transport != NULL && transport->mem_map != NULL;
	info->polled = io->ops->poll != NULL;
	d->mem_ops = (struct hisi_qm_mem_ops){
		.alloc = spim_qm_mem_alloc, .free = spim_qm_mem_free, .priv = d,
	};
	ret = spim_dev_mem_register(&d->dev);
	if (ret == 0 && d->dev.conf.mem == NULL) {
		d->dev.conf.mem = &d->mem_ops;
		ret = spim_qm_mem_init(d);
	}
	if (ret == 0)
		ret = hisi_qm_init(&d->qm, io, d->dev.conf.mem, &d->dev.conf.log);
	if (ret != 0) {
		destroy(d);
		return ret;
	}
	info->queues = d->qm.queues;
	info->ext_features = ext_features(io);
	*dev = &d->dev;
	return 0;
}

int
spim_open_io(struct hisi_qm_io *io, int va, const struct spim_conf *conf, struct spim_dev **dev)
{
	return spim_qm_open(io, NULL, va, conf, dev);
}
