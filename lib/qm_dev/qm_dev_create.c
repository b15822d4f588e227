/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base_memfd.h"
#include "qm_dev_context.h"
#include "qm_dev_exec.h"
#include "qm_dev_fault.h"
#include "qm_dev_group.h"
#include "qm_dev_pci.h"
#include "qm_dev_regs.h"
#include "qm_dev_sched.h"

static int
conf_check(const struct qm_dev *dev)
{
	const struct qm_dev_conf *c = &dev->conf;

	if (c->revision != HISI_QM_REV_V2 && c->revision != HISI_QM_REV_V3)
		qm_dev_log(dev, BASE_LOG_ERR, "revision 0x%x, expected 0x%x or 0x%x",
				c->revision, HISI_QM_REV_V2, HISI_QM_REV_V3);
	else if (c->ext > 1)
		qm_dev_log(dev, BASE_LOG_ERR, "ext %u, expected 0 or 1", c->ext);
	else if (c->queues == 0 || c->queues > HISI_QM_QUEUES_MAX)
		qm_dev_log(dev, BASE_LOG_ERR, "queues %u, expected 1 to %u", c->queues,
				HISI_QM_QUEUES_MAX);
	else if (c->workers > QM_DEV_WORKERS_MAX)
		qm_dev_log(dev, BASE_LOG_ERR, "workers %u, expected 0 to %u", c->workers,
				QM_DEV_WORKERS_MAX);
	else if (c->group != NULL && c->workers != 0)
		qm_dev_log(dev, BASE_LOG_ERR, "workers %u with those of a pool, expected 0",
				c->workers);
	else if (c->classes[0].class == NULL)
		qm_dev_log(dev, BASE_LOG_ERR, "no class, expected 1 to %u", QM_DEV_CLASSES_MAX);
	else if (c->isolation > 1 || (c->isolation != 0 && c->revision < HISI_QM_REV_V3))
		qm_dev_log(dev, BASE_LOG_ERR, "isolation %u with revision 0x%x, expected 0, "
				"or 1 with revision 0x%x", c->isolation, c->revision,
				HISI_QM_REV_V3);
	else
		return 0;
	return -EINVAL;
}

static int
queues_init(struct qm_dev *dev)
{
	size_t n = dev->conf.queues;

	dev->queues = calloc(n, sizeof(dev->queues[0]));
	return dev->queues != NULL ? 0 : -ENOMEM;
}

/* A mapping, and maybe a descriptor. */
static int
doorbells_pay(struct qm_dev *dev)
{
	struct qm_dev_quota *quota = dev->conf.quota;
	enum qm_dev_resource r = QM_DEV_VMAS;
	int rc = qm_dev_quota_take(quota, r, 1);

	if (rc == 0 && dev->conf.doorbell_memfd) {
		r = QM_DEV_FDS;
		rc = qm_dev_quota_take(quota, r, 1);
		if (rc != 0)
			qm_dev_quota_put(quota, QM_DEV_VMAS, 1);
	}
	if (rc != 0)
		qm_dev_log(dev, BASE_LOG_ERR, "no doorbells: %s", qm_dev_quota_why(r, rc));
	dev->doorbells_paid = rc == 0;
	return rc;
}

/* Pages that no queue has used cost nothing. */
static int
doorbells_init(struct qm_dev *dev)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int rc = doorbells_pay(dev);
	void *va;

	if (rc != 0)
		return rc;

	dev->doorbells_size = (dev->conf.queues * sizeof(dev->doorbells[0]) + page - 1) /
		page * page;
	if (dev->conf.doorbell_memfd) {
		dev->doorbells_fd = base_memfd_create(dev->name, dev->doorbells_size);
		if (dev->doorbells_fd < 0) {
			qm_dev_log(dev, BASE_LOG_ERR, "memfd of %zu bytes for doorbells: "
					"error %d, expected 0", dev->doorbells_size,
					-dev->doorbells_fd);
			return dev->doorbells_fd;
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
doorbells_fini(struct qm_dev *dev)
{
	if (dev->doorbells != NULL)
		munmap((void *)dev->doorbells, dev->doorbells_size);
	if (dev->doorbells_fd >= 0)
		close(dev->doorbells_fd);
	if (!dev->doorbells_paid)
		return;
	qm_dev_quota_put(dev->conf.quota, QM_DEV_VMAS, 1);
	if (dev->conf.doorbell_memfd)
		qm_dev_quota_put(dev->conf.quota, QM_DEV_FDS, 1);
}

int
qm_dev_doorbell_fd(struct qm_dev *dev, size_t *size)
{
	if (!dev->conf.doorbell_memfd)
		return -ENOTSUP;
	*size = dev->doorbells_size;
	return dev->doorbells_fd;
}

/* A function's own workers are a pool that nobody else uses. */

static int
own_spawn(unsigned int worker, pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	const struct qm_dev *dev = priv;

	(void)worker;
	return dev->conf.spawn != NULL ? dev->conf.spawn(thread, run, arg, dev->conf.priv) :
		pthread_create(thread, NULL, run, arg);
}

static int
workers_init(struct qm_dev *dev)
{
	struct qm_dev_pool_conf pool_conf = {
		.name = dev->name, .workers = dev->conf.workers, .spawn = own_spawn,
		.log = dev->conf.log, .priv = dev,
	};
	int rc = 0;

	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX; i++)
		pool_conf.classes[i] = dev->conf.classes[i].class;
	memcpy(dev->exec_classes, pool_conf.classes, sizeof(dev->exec_classes));
	dev->group = dev->conf.group;
	if (dev->conf.workers != 0) {
		rc = qm_dev_pool_create(&pool_conf, &dev->own_pool);
		if (rc == 0)
			rc = qm_dev_group_create(dev->own_pool, 0, 1, &dev->group);
	}
	if (rc == 0 && dev->group != NULL) {
		memcpy(dev->exec_classes, dev->group->pool->conf.classes,
				sizeof(dev->exec_classes));
		dev->map.pool = dev->group->pool;
		dev->map.pool_holds = qm_dev_pool_holds;
		qm_dev_group_attach(dev->group, 1);
	}
	return rc;
}

static void
workers_fini(struct qm_dev *dev)
{
	if (dev->group != NULL)
		qm_dev_group_attach(dev->group, -1);
	if (dev->own_pool == NULL)
		return;
	qm_dev_group_destroy(dev->group);
	qm_dev_pool_destroy(dev->own_pool);
}

int
qm_dev_create(const struct qm_dev_conf *conf, struct qm_dev **out)
{
	struct qm_dev *dev = calloc(1, sizeof(*dev));
	int rc;

	if (dev == NULL)
		return -ENOMEM;
	dev->conf = *conf;
	dev->doorbells_fd = -1;
	snprintf(dev->name, sizeof(dev->name), "%s", conf->name != NULL ? conf->name : "qm_dev");
	dev->conf.name = dev->name;
	rc = conf_check(dev);
	if (rc == 0)
		rc = qm_dev_fault_create(dev, conf->fault);
	if (rc == -ENOTSUP)
		qm_dev_log(dev, BASE_LOG_ERR, "fault \"%s\": no faults in this build, expected "
			"one with -Dtests=true", conf->fault);
	if (rc == 0)
		rc = workers_init(dev);
	if (rc == 0)
		rc = qm_dev_map_init(&dev->map);
	if (rc != 0) {
		workers_fini(dev);
		qm_dev_fault_destroy(dev);
		free(dev);
		return rc;
	}
	dev->conf.fault = NULL; /* the caller's */
	pthread_mutex_init(&dev->mb_lock, NULL);
	qm_dev_view_add(&dev->map, &dev->mb_view);
	qm_dev_view_add(&dev->map, &dev->events.view);
	qm_dev_regs_reset(dev);
	qm_dev_pci_init(dev);

	rc = qm_dev_classes_create(dev);
	if (rc == 0)
		rc = doorbells_init(dev);
	if (rc == 0)
		rc = queues_init(dev);
	if (rc != 0) {
		qm_dev_destroy(dev);
		return rc;
	}
	*out = dev;
	return 0;
}

void
qm_dev_destroy(struct qm_dev *dev)
{
	unsigned int turns = 0;

	if (dev == NULL)
		return;
	for (unsigned int i = 0; dev->queues != NULL && i < dev->conf.queues; i++) {
		struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q == NULL)
			continue;
		while (!qm_dev_queue_aborted(dev, q))
			qm_dev_wait(&turns);
		qm_dev_exec_destroy(q->exec);
		free(q->counts.times);
		free(q);
	}
	workers_fini(dev);
	free(dev->queues);
	doorbells_fini(dev);
	qm_dev_classes_destroy(dev);
	qm_dev_map_fini(dev);
	pthread_mutex_destroy(&dev->mb_lock);
	qm_dev_fault_destroy(dev);
	free(dev);
}

struct hisi_qm_shadow *
qm_dev_doorbell(struct qm_dev *dev, uint16_t qn)
{
	return qn < dev->conf.queues ? &dev->doorbells[qn] : NULL;
}
