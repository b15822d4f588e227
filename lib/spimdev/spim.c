/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_zip_ext.h"
#include "spim.h"
#include "spim_internal.h"

void
spim_log(const struct spim_conf *conf, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hisi_qm_log_line(conf->log, conf->owner, error, fmt, ap);
	va_end(ap);
}

static uint32_t
ext_features(struct hisi_qm_io *io)
{
	if (io->ops->read32(io, HISI_ZIP_EXT_REG_MAGIC) != HISI_ZIP_EXT_MAGIC)
		return 0;
	return io->ops->read32(io, HISI_ZIP_EXT_REG_FEATURES) & HISI_ZIP_EXT_F_KNOWN;
}

/* Announce what the caller has, then what spim_mem_alloc() gave. */
static int
announce(struct spim_dev *dev)
{
	int ret = spim_mem_announce(dev);

	if (ret == 0 && dev->info.announce && dev->conf.announce != NULL)
		ret = dev->conf.announce(dev, dev->conf.announce_priv);
	return ret;
}

static void
free_chunks(struct spim_dev *dev)
{
	while (dev->chunks != NULL)
		spim_mem_free(dev, dev->chunks->va);
}

static int
open_io(struct hisi_qm_io *io, const struct spim_transport *transport, int va,
		const struct spim_conf *conf, struct spim_dev **dev)
{
	struct spim_dev *d;
	int ret;

	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->conf = *conf;
	d->io = io;
	d->transport = transport;
	d->epfd = d->eventfd = -1;
	d->info.revision = io->revision;
	d->info.va = va != 0;
	d->info.announce = transport != NULL && transport->mem_map != NULL;
	d->info.polled = io->ops->poll != NULL;
	d->mem_ops = (struct hisi_qm_mem_ops){
		.alloc = spim_mem_qm_alloc, .free = spim_mem_qm_free, .priv = d,
	};
	pthread_mutex_init(&d->lock, NULL);
	pthread_mutex_init(&d->mem_lock, NULL);
	ret = announce(d);
	if (ret == 0 && d->conf.mem == NULL) {
		d->conf.mem = &d->mem_ops;
		ret = spim_mem_qm_init(d);
	}
	if (ret == 0)
		ret = hisi_qm_init(&d->qm, io, d->conf.mem, d->conf.log);
	if (ret != 0) {
		free_chunks(d);
		pthread_mutex_destroy(&d->lock);
		pthread_mutex_destroy(&d->mem_lock);
		free(d);
		return ret;
	}
	d->info.queues = d->qm.queues;
	d->info.ext_features = ext_features(io);
	*dev = d;
	return 0;
}

int
spim_open_io(struct hisi_qm_io *io, int va, const struct spim_conf *conf, struct spim_dev **dev)
{
	return open_io(io, NULL, va, conf, dev);
}

int
spim_open(const char *name, const struct spim_conf *conf, struct spim_dev **dev)
{
	const struct spim_transport *transport;
	struct hisi_qm_io *io;
	int ret;

	if (strcmp(name, "local") == 0) {
		transport = &spim_local_transport;
		ret = spim_local_open(conf, &io);
	} else if (strncmp(name, "unix:", 5) == 0) {
		transport = &spim_unix_transport;
		ret = spim_unix_open(name + 5, conf, &io);
	} else {
		spim_log(conf, 1, "dev=%s: expected local or unix:PATH", name);
		return strncmp(name, "uacce:", 6) == 0 ? -ENOTSUP : -EINVAL;
	}
	if (ret != 0)
		return ret;
	ret = open_io(io, transport, 1, conf, dev);
	if (ret != 0)
		transport->close(io);
	return ret;
}

void
spim_close(struct spim_dev *dev)
{
	spim_event_end(dev);
	hisi_qm_fini(&dev->qm);
	free_chunks(dev);
	if (dev->transport != NULL)
		dev->transport->close(dev->io);
	pthread_mutex_destroy(&dev->lock);
	pthread_mutex_destroy(&dev->mem_lock);
	free(dev);
}

/* Is the function that was there at this opening gone? */
static bool
lost(struct spim_dev *dev, uint32_t opened)
{
	if (dev->transport == NULL || dev->transport->alive == NULL)
		return false;
	return opened != atomic_load_explicit(&dev->opened, memory_order_acquire) ||
		dev->transport->alive(dev->io) != 0;
}

/* Have a function that is there; lock is held. */
static int
reopen(struct spim_dev *dev)
{
	uint32_t opened = atomic_load_explicit(&dev->opened, memory_order_relaxed);
	int ret;

	if (!dev->half_open && !lost(dev, opened))
		return spim_event_renew(dev);
	ret = dev->transport->reopen(dev->io);
	if (ret == 0) {
		/* Now the queues of before are lost, even if it goes no further this time. */
		atomic_store_explicit(&dev->opened, opened + 1, memory_order_release);
		dev->half_open = true;
		ret = announce(dev);
	}
	if (ret == 0)
		ret = hisi_qm_reinit(&dev->qm);
	if (ret == 0)
		ret = spim_event_reopen(dev);
	if (ret == 0 && (~ext_features(dev->io) & dev->info.ext_features) != 0) {
		spim_log(&dev->conf, 1, "the new function offers features 0x%x, expected 0x%x as "
			"before", ext_features(dev->io), dev->info.ext_features);
		ret = -ENODEV;
	}
	if (ret == 0)
		dev->half_open = false;
	/* Tried over and over: say it once in each direction. */
	if ((ret != 0) != dev->reported)
		spim_log(&dev->conf, ret != 0, ret != 0 ? "function is gone; opening it again "
			"gives %d" : "function is back (%d)", ret);
	dev->reported = ret != 0;
	return ret;
}

void
spim_info_get(const struct spim_dev *dev, struct spim_info *info)
{
	*info = dev->info;
}

int
spim_queue_take(struct spim_dev *dev, uint8_t type, uint16_t depth, int socket,
		struct spim_queue **queue)
{
	struct spim_queue *q;
	int ret;

	/* Rings have cache line alignment inside. */
	if (posix_memalign((void **)&q, _Alignof(struct spim_queue), sizeof(*q)) != 0)
		return -ENOMEM;
	q->io = dev->io;
	pthread_mutex_lock(&dev->lock);
	ret = reopen(dev);
	q->opened = atomic_load_explicit(&dev->opened, memory_order_relaxed);
	if (ret == 0)
		ret = hisi_qm_qp_start(&dev->qm, &q->qp, type, depth, socket);
	pthread_mutex_unlock(&dev->lock);
	if (ret != 0) {
		free(q);
		return ret;
	}
	*queue = q;
	return 0;
}

bool
spim_queue_lost(struct spim_dev *dev, const struct spim_queue *queue)
{
	return lost(dev, queue->opened);
}

int
spim_queue_restart(struct spim_dev *dev, struct spim_queue *queue)
{
	int ret;

	pthread_mutex_lock(&dev->lock);
	ret = reopen(dev);
	if (ret == 0)
		ret = hisi_qm_qp_restart(&dev->qm, &queue->qp);
	if (ret == 0)
		queue->opened = atomic_load_explicit(&dev->opened, memory_order_relaxed);
	pthread_mutex_unlock(&dev->lock);
	return ret;
}

int
spim_queue_stop(struct spim_dev *dev, struct spim_queue *queue)
{
	/* A function that is gone touches nothing any more. */
	return lost(dev, queue->opened) ? 0 : hisi_qm_qp_stop(&dev->qm, &queue->qp);
}

int
spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue)
{
	return lost(dev, queue->opened) ? -ENOTCONN : hisi_qm_qp_check(&dev->qm, &queue->qp);
}

int
spim_queue_abort(struct spim_dev *dev, struct spim_queue *queue)
{
	return lost(dev, queue->opened) ? 0 : hisi_qm_qp_abort(&dev->qm, &queue->qp);
}

void
spim_queue_put(struct spim_dev *dev, struct spim_queue *queue)
{
	hisi_qm_qp_free(&dev->qm, &queue->qp);
	free(queue);
}

int
spim_mem_map(struct spim_dev *dev, void *va, size_t len, int fd, uint64_t offset)
{
	return dev->info.announce ? dev->transport->mem_map(dev->io, va, len, fd, offset) : 0;
}

int
spim_mem_unmap(struct spim_dev *dev, void *va, size_t len)
{
	return dev->info.announce ? dev->transport->mem_unmap(dev->io, va, len) : 0;
}

void
spim_stream_release(struct spim_dev *dev, uint64_t ctx_addr)
{
	if (dev->info.ext_features & HISI_ZIP_EXT_F_RELEASE)
		dev->io->ops->write64(dev->io, HISI_ZIP_EXT_REG_STREAM_RELEASE, ctx_addr);
}
