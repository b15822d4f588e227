/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_zip_ext.h"
#include "spim.h"
#include "spim_internal.h"

struct spim_dev {
	struct spim_conf conf;
	struct spim_info info;
	struct hisi_qm_io *io;
	struct hisi_qm qm;
	void (*io_close)(struct hisi_qm_io *io); /* NULL: the caller's own */
};

void
spim_log(const struct spim_conf *conf, int error, const char *fmt, ...)
{
	char line[256];
	int len;
	va_list ap;

	if (conf->log == NULL)
		return;
	len = snprintf(line, sizeof(line), "%s: ", conf->owner);
	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(line) - (size_t)len, fmt, ap);
	va_end(ap);
	conf->log(error, line);
}

/* Default memory: anonymous pages; the device uses pointers then. */
static int
anon_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	(void)priv;
	(void)socket;
	if (posix_memalign(&mem->va, align < sizeof(void *) ? sizeof(void *) : align, len) != 0)
		return -ENOMEM;
	memset(mem->va, 0, len);
	mem->iova = (uintptr_t)mem->va;
	mem->len = len;
	return 0;
}

static void
anon_free(void *priv, struct hisi_qm_mem *mem)
{
	(void)priv;
	free(mem->va);
}

static const struct hisi_qm_mem_ops anon_mem = { .alloc = anon_alloc, .free = anon_free };

static uint32_t
ext_features(struct hisi_qm_io *io)
{
	if (io->ops->read32(io, HISI_ZIP_EXT_REG_MAGIC) != HISI_ZIP_EXT_MAGIC)
		return 0;
	return io->ops->read32(io, HISI_ZIP_EXT_REG_FEATURES) & HISI_ZIP_EXT_F_ALL;
}

int
spim_open_io(struct hisi_qm_io *io, int va, const struct spim_conf *conf, struct spim_dev **dev)
{
	struct spim_dev *d;
	int ret;

	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->conf = *conf;
	d->io = io;
	if (d->conf.mem == NULL)
		d->conf.mem = &anon_mem;
	ret = hisi_qm_init(&d->qm, io, d->conf.mem, d->conf.log);
	if (ret != 0) {
		free(d);
		return ret;
	}
	d->info.revision = io->revision;
	d->info.va = va != 0;
	d->info.polled = io->ops->poll != NULL;
	d->info.queues = d->qm.queues;
	d->info.ext_features = ext_features(io);
	*dev = d;
	return 0;
}

int
spim_open(const char *name, const struct spim_conf *conf, struct spim_dev **dev)
{
	struct hisi_qm_io *io;
	int ret;

	if (strcmp(name, "local") != 0) {
		spim_log(conf, 1, "dev=%s: expected local", name);
		return strncmp(name, "unix:", 5) == 0 || strncmp(name, "uacce:", 6) == 0 ?
			-ENOTSUP : -EINVAL;
	}
	ret = spim_local_open(conf, &io);
	if (ret != 0)
		return ret;
	ret = spim_open_io(io, 1, conf, dev);
	if (ret != 0) {
		spim_local_close(io);
		return ret;
	}
	(*dev)->io_close = spim_local_close;
	return 0;
}

void
spim_close(struct spim_dev *dev)
{
	hisi_qm_fini(&dev->qm);
	if (dev->io_close != NULL)
		dev->io_close(dev->io);
	free(dev);
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
	ret = hisi_qm_qp_start(&dev->qm, &q->qp, type, depth, socket);
	if (ret != 0) {
		free(q);
		return ret;
	}
	*queue = q;
	return 0;
}

int
spim_queue_stop(struct spim_dev *dev, struct spim_queue *queue)
{
	return hisi_qm_qp_stop(&dev->qm, &queue->qp);
}

int
spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue)
{
	return hisi_qm_qp_check(&dev->qm, &queue->qp);
}

int
spim_queue_abort(struct spim_dev *dev, struct spim_queue *queue)
{
	return hisi_qm_qp_abort(&dev->qm, &queue->qp);
}

void
spim_queue_put(struct spim_dev *dev, struct spim_queue *queue)
{
	hisi_qm_qp_free(&dev->qm, &queue->qp);
	free(queue);
}

int
spim_mem_map(struct spim_dev *dev, void *va, uint64_t iova, size_t len)
{
	if (dev->io->ops->dma_map == NULL)
		return 0;
	return dev->io->ops->dma_map(dev->io, va, iova, len);
}

int
spim_mem_unmap(struct spim_dev *dev, uint64_t iova, size_t len)
{
	if (dev->io->ops->dma_unmap == NULL)
		return 0;
	return dev->io->ops->dma_unmap(dev->io, iova, len);
}

void
spim_stream_release(struct spim_dev *dev, uint64_t ctx_addr)
{
	if (dev->info.ext_features & HISI_ZIP_EXT_F_RELEASE)
		dev->io->ops->write64(dev->io, HISI_ZIP_EXT_REG_STREAM_RELEASE, ctx_addr);
}
