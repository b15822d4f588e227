/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "zip_dev_queue.h"
#include "zip_dev_sched.h"

void
zip_dev_log(const struct zip_dev *dev, enum zip_dev_log_level level, const char *fmt, ...)
{
	char line[384];
	int n = snprintf(line, sizeof(line), "%s: ", dev->name);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	if (dev->conf.log != NULL)
		dev->conf.log(level, line, dev->conf.priv);
	else
		fprintf(stderr, "%s\n", line);
}

void
zip_dev_tell_broken(struct zip_dev *dev)
{
	if (!atomic_exchange_explicit(&dev->broken_told, true, memory_order_relaxed) &&
			dev->conf.failed != NULL)
		dev->conf.failed(dev->conf.priv);
}

/* Time between looks of those who wait for a worker. */
#define WAIT_NS 50000

void
zip_dev_wait(unsigned int *n)
{
	static const struct timespec nap = { .tv_nsec = WAIT_NS };

	/* No sched_yield(): with many threads that want to run it takes a slice of each. */
	if (++*n < 100)
		zip_dev_relax();
	else
		nanosleep(&nap, NULL);
}

static int
conf_check(const struct zip_dev *dev)
{
	const struct zip_dev_conf *c = &dev->conf;

	if (c->revision != HISI_QM_REV_V2 && c->revision != HISI_QM_REV_V3)
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "revision 0x%x, expected 0x%x or 0x%x",
				c->revision, HISI_QM_REV_V2, HISI_QM_REV_V3);
	else if (c->ext > 1)
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "ext %u, expected 0 or 1", c->ext);
	else if (c->engine > ZIP_DEV_ENGINE_COPY)
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "engine %u, expected %u or %u", c->engine,
				ZIP_DEV_ENGINE_DEFLATE, ZIP_DEV_ENGINE_COPY);
	else if (c->queues == 0 || c->queues > HISI_QM_QUEUES_MAX)
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "queues %u, expected 1 to %u", c->queues,
				HISI_QM_QUEUES_MAX);
	else if (c->workers > ZIP_DEV_WORKERS_MAX)
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "workers %u, expected 0 to %u", c->workers,
				ZIP_DEV_WORKERS_MAX);
	else if (c->group != NULL && c->workers != 0)
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "workers %u with those of a pool, expected 0",
				c->workers);
	else if (c->streams_max > ZIP_DEV_STREAMS_LIMIT)
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "streams_max %u, expected 0 to %u",
				c->streams_max, ZIP_DEV_STREAMS_LIMIT);
	else if (c->isolation > 1 || (c->isolation != 0 && c->revision < HISI_QM_REV_V3))
		zip_dev_log(dev, ZIP_DEV_LOG_ERR, "isolation %u with revision 0x%x, expected 0, "
				"or 1 with revision 0x%x", c->isolation, c->revision,
				HISI_QM_REV_V3);
	else
		return 0;
	return -EINVAL;
}

struct zip_dev_exec *
zip_dev_exec_create(void)
{
	struct zip_dev_exec *ex = aligned_alloc(64, sizeof(*ex));

	if (ex == NULL)
		return NULL;
	memset(ex, 0, sizeof(*ex));
	ex->codec = zip_codec_create(HISI_ZIP_REQ_LEN_MAX);
	ex->src.iov = malloc(ZIP_DEV_IOV_MAX * sizeof(struct iovec));
	ex->dst.iov = malloc(ZIP_DEV_IOV_MAX * sizeof(struct iovec));
	ex->pieces = zip_dev_pieces_alloc();
	ex->dict = malloc(HISI_ZIP_EXT_DICT_MAX);
	if (ex->codec == NULL || ex->src.iov == NULL || ex->dst.iov == NULL ||
			ex->pieces == NULL || ex->dict == NULL) {
		zip_dev_exec_destroy(ex);
		return NULL;
	}
	return ex;
}

void
zip_dev_exec_destroy(struct zip_dev_exec *ex)
{
	if (ex == NULL)
		return;
	zip_codec_destroy(ex->codec);
	free(ex->src.iov);
	free(ex->dst.iov);
	free(ex->pieces);
	free(ex->dict);
	free(ex);
}

static int
queues_init(struct zip_dev *dev)
{
	size_t n = dev->conf.queues;

	dev->queues = calloc(n, sizeof(dev->queues[0]));
	return dev->queues != NULL ? 0 : -ENOMEM;
}

/* Pages that no queue has used cost nothing. */
static int
doorbells_init(struct zip_dev *dev)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *va;
	int rc;

	dev->doorbells_fd = -1;
	dev->doorbells_size = (dev->conf.queues * sizeof(dev->doorbells[0]) + page - 1) /
		page * page;
	if (dev->conf.doorbell_memfd) {
		dev->doorbells_fd = memfd_create(dev->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
		/* A client that could shrink it would kill whoever looks at it. */
		if (dev->doorbells_fd < 0 ||
				ftruncate(dev->doorbells_fd, (off_t)dev->doorbells_size) != 0 ||
				fcntl(dev->doorbells_fd, F_ADD_SEALS,
				F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
			rc = -errno;
			zip_dev_log(dev, ZIP_DEV_LOG_ERR, "memfd of %zu bytes for doorbells: "
					"error %d, expected 0", dev->doorbells_size, -rc);
			return rc;
		}
	}
	va = mmap(NULL, dev->doorbells_size, PROT_READ | PROT_WRITE, dev->doorbells_fd < 0 ?
			MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, dev->doorbells_fd, 0);
	if (va == MAP_FAILED)
		return -ENOMEM;
	dev->doorbells = va;
	return 0;
}

static void
doorbells_fini(struct zip_dev *dev)
{
	if (dev->doorbells != NULL)
		munmap((void *)dev->doorbells, dev->doorbells_size);
	if (dev->conf.doorbell_memfd && dev->doorbells_fd >= 0)
		close(dev->doorbells_fd);
}

int
zip_dev_doorbell_fd(struct zip_dev *dev, size_t *size)
{
	if (!dev->conf.doorbell_memfd)
		return -ENOTSUP;
	*size = dev->doorbells_size;
	return dev->doorbells_fd;
}

struct zip_dev_queue *
zip_dev_queue_make(struct zip_dev *dev, uint16_t qn)
{
	struct zip_dev_queue *q = zip_dev_queue_find(dev, qn), *old = NULL;

	if (q != NULL || qn >= dev->conf.queues)
		return q;
	q = aligned_alloc(64, sizeof(*q));
	if (q == NULL)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->num = qn;
	q->dev = dev;
	q->db = &dev->doorbells[qn];
	q->shared = dev->group != NULL;
	if (q->shared) {
		q->pool = dev->group->pool;
		q->weight = dev->group->weight;
		q->can_sleep = dev->conf.wake != 0;
	}
	if (atomic_compare_exchange_strong_explicit(&dev->queues[qn], &old, q,
			memory_order_acq_rel, memory_order_acquire))
		return q;
	free(q);
	return old;
}

/* A function's own workers are a pool that nobody else uses. */

static int
own_spawn(unsigned int worker, pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	const struct zip_dev *dev = priv;

	(void)worker;
	return dev->conf.spawn != NULL ? dev->conf.spawn(thread, run, arg, dev->conf.priv) :
		pthread_create(thread, NULL, run, arg);
}

static void
own_log(enum zip_dev_log_level level, const char *line, void *priv)
{
	const struct zip_dev *dev = priv;

	if (dev->conf.log != NULL)
		dev->conf.log(level, line, dev->conf.priv);
	else
		fprintf(stderr, "%s\n", line);
}

static int
workers_init(struct zip_dev *dev)
{
	const struct zip_dev_pool_conf pool_conf = {
		.name = dev->name, .workers = dev->conf.workers, .spawn = own_spawn,
		.log = own_log, .priv = dev,
	};
	int rc = 0;

	dev->group = dev->conf.group;
	if (dev->conf.workers != 0) {
		rc = zip_dev_pool_create(&pool_conf, &dev->own_pool);
		if (rc == 0)
			rc = zip_dev_group_create(dev->own_pool, 0, 1, &dev->group);
	}
	if (rc == 0 && dev->group != NULL)
		zip_dev_group_attach(dev->group, 1);
	return rc;
}

static void
workers_fini(struct zip_dev *dev)
{
	if (dev->group != NULL)
		zip_dev_group_attach(dev->group, -1);
	if (dev->own_pool == NULL)
		return;
	zip_dev_group_destroy(dev->group);
	zip_dev_pool_destroy(dev->own_pool);
}

int
zip_dev_create(const struct zip_dev_conf *conf, struct zip_dev **out)
{
	struct zip_dev *dev = calloc(1, sizeof(*dev));
	int rc;

	if (dev == NULL)
		return -ENOMEM;
	dev->conf = *conf;
	snprintf(dev->name, sizeof(dev->name), "%s", conf->name != NULL ? conf->name : "zip_dev");
	dev->conf.name = dev->name;
	rc = conf_check(dev);
	if (rc == 0)
		rc = zip_dev_fault_create(dev, conf->fault);
	if (rc == 0)
		rc = workers_init(dev);
	if (rc == 0)
		rc = zip_dev_map_init(&dev->map, dev->group != NULL ? dev->group->pool : NULL);
	if (rc != 0) {
		workers_fini(dev);
		zip_dev_fault_destroy(dev);
		free(dev);
		return rc;
	}
	dev->conf.fault = NULL; /* the caller's */
	pthread_mutex_init(&dev->mb_lock, NULL);
	zip_dev_view_add(&dev->map, &dev->mb_view);
	zip_dev_view_add(&dev->map, &dev->events.view);
	zip_dev_regs_reset(dev);
	zip_dev_pci_init(dev);

	zip_dev_streams_init(&dev->streams, conf->streams_max != 0 ? conf->streams_max :
			ZIP_DEV_STREAMS_DEFAULT, conf->quota);
	rc = doorbells_init(dev);
	if (rc == 0)
		rc = queues_init(dev);
	if (rc != 0) {
		zip_dev_destroy(dev);
		return rc;
	}
	*out = dev;
	return 0;
}

void
zip_dev_destroy(struct zip_dev *dev)
{
	if (dev == NULL)
		return;
	for (unsigned int i = 0; dev->queues != NULL && i < dev->conf.queues; i++) {
		struct zip_dev_queue *q = zip_dev_queue_find(dev, i);

		if (q == NULL)
			continue;
		zip_dev_queue_halt(dev, q);
		zip_dev_exec_destroy(q->exec);
		free(q->times);
		free(q);
	}
	workers_fini(dev);
	free(dev->queues);
	doorbells_fini(dev);
	zip_dev_streams_fini(&dev->streams);
	zip_dev_map_fini(&dev->map);
	pthread_mutex_destroy(&dev->mb_lock);
	zip_dev_fault_destroy(dev);
	free(dev);
}

bool
zip_dev_shut(struct zip_dev *dev)
{
	bool busy = false;

	pthread_mutex_lock(&dev->mb_lock);
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct zip_dev_queue *q = zip_dev_queue_find(dev, i);

		if (q == NULL)
			continue;
		zip_dev_queue_shut(dev, q);
		queue_lock(q);
		busy = busy || zip_dev_queue_busy(q);
		queue_unlock(q);
	}
	pthread_mutex_unlock(&dev->mb_lock);
	return !busy;
}

void
zip_dev_reset(struct zip_dev *dev)
{
	/* No command runs, so no queue comes up behind our back. Requests end as U39 says. */
	pthread_mutex_lock(&dev->mb_lock);
	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		struct zip_dev_queue *q = zip_dev_queue_find(dev, i);

		if (q != NULL)
			zip_dev_queue_reset(dev, q);
	}
	zip_dev_streams_reset(&dev->streams);
	zip_dev_regs_reset(dev);
	pthread_mutex_unlock(&dev->mb_lock);
	atomic_fetch_add_explicit(&dev->resets, 1, memory_order_relaxed);
}

struct hisi_qm_shadow *
zip_dev_doorbell(struct zip_dev *dev, uint16_t qn)
{
	return qn < dev->conf.queues ? &dev->doorbells[qn] : NULL;
}
