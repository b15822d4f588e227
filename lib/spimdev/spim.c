/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "spim.h"
#include "spim_mem.h"
#include "spim_ops.h"

/* The queue level from above: finds the transport of a name, and passes on to its ops. */

static const struct spim_transport *const transports[] = { &spim_local, &spim_unix };

void
spim_log(const struct spim_conf *conf, enum base_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	base_log_va(&conf->log, level, conf->owner, fmt, ap);
	va_end(ap);
}

/* What follows the name of the transport, or NULL if it is not of this one. */
static const char *
rest_of(const struct spim_transport *t, const char *name)
{
	size_t len = strlen(t->name);

	if (strncmp(name, t->name, len) != 0)
		return NULL;
	return t->name[len - 1] == ':' || name[len] == '\0' ? name + len : NULL;
}

int
spim_open(const char *name, const struct spim_conf *conf, struct spim_dev **dev)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		const char *rest = rest_of(transports[i], name);

		if (rest != NULL)
			return transports[i]->open(rest, conf, dev);
	}
	spim_log(conf, BASE_LOG_ERR, "dev=%s: expected local or unix:PATH", name);
	return strncmp(name, "uacce:", 6) == 0 ? -ENOTSUP : -EINVAL;
}

void
spim_dev_init(struct spim_dev *dev, const struct spim_queue_ops *ops,
		const struct spim_conf *conf)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	dev->conf = *conf;
	pthread_mutex_init(&dev->mem_lock, NULL);
}

void
spim_dev_fini(struct spim_dev *dev)
{
	spim_mem_fini(dev);
	pthread_mutex_destroy(&dev->mem_lock);
}

int
spim_dev_mem_register(struct spim_dev *dev)
{
	int ret = spim_mem_register(dev);

	if (ret == 0 && dev->info.mem_register && dev->conf.mem_register != NULL)
		ret = dev->conf.mem_register(dev, dev->conf.mem_register_priv);
	return ret;
}

void
spim_close(struct spim_dev *dev)
{
	dev->ops->close(dev);
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
	return dev->ops->take(dev, type, depth, socket, queue);
}

int
spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue)
{
	return dev->ops->check(dev, queue);
}

uint32_t
spim_opened(struct spim_dev *dev)
{
	return dev->ops->opened != NULL ? dev->ops->opened(dev) : 0;
}

int
spim_queue_stop(struct spim_dev *dev, struct spim_queue *queue)
{
	return dev->ops->stop(dev, queue);
}

int
spim_queue_abort(struct spim_dev *dev, struct spim_queue *queue)
{
	return dev->ops->abort(dev, queue);
}

int
spim_queue_restart(struct spim_dev *dev, struct spim_queue *queue)
{
	return dev->ops->restart != NULL ? dev->ops->restart(dev, queue) : -ENOTSUP;
}

void
spim_queue_put(struct spim_dev *dev, struct spim_queue *queue)
{
	dev->ops->put(dev, queue);
}

int
spim_event_fd(struct spim_dev *dev)
{
	return dev->ops->event_fd != NULL ? dev->ops->event_fd(dev) : -ENOTSUP;
}

void
spim_event_arm(struct spim_dev *dev, const struct spim_queue *queue)
{
	dev->ops->event_arm(dev, queue);
}

void
spim_event_take(struct spim_dev *dev)
{
	dev->ops->event_take(dev);
}

int
spim_mem_map(struct spim_dev *dev, void *va, size_t len, int fd, uint64_t offset)
{
	return dev->info.mem_register ? dev->ops->mem_map(dev, va, len, fd, offset) : 0;
}

int
spim_mem_unmap(struct spim_dev *dev, void *va, size_t len)
{
	return dev->info.mem_register ? dev->ops->mem_unmap(dev, va, len) : 0;
}

void
spim_reg_write64(struct spim_dev *dev, uint32_t off, uint64_t value)
{
	if (dev->ops->reg_write64 != NULL)
		dev->ops->reg_write64(dev, off, value);
}
