/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qm_dev_exec.h"

/* ---- Executors ---- */

struct qm_dev_exec *
qm_dev_exec_create(void)
{
	struct qm_dev_exec *ex = aligned_alloc(64, sizeof(*ex));

	if (ex == NULL)
		return NULL;
	memset(ex, 0, sizeof(*ex));
	ex->bufs.src.iov = malloc(QM_DEV_IOV_MAX * sizeof(struct iovec));
	ex->bufs.dst.iov = malloc(QM_DEV_IOV_MAX * sizeof(struct iovec));
	ex->bufs.segments = qm_dev_segments_alloc();
	if (ex->bufs.src.iov == NULL || ex->bufs.dst.iov == NULL || ex->bufs.segments == NULL)
		goto fail;
	return ex;
fail:
	qm_dev_exec_destroy(ex);
	return NULL;
}

int
qm_dev_exec_add(struct qm_dev_exec *ex, unsigned int slot, const struct qm_dev_class *class)
{
	if (ex->class[slot] != NULL)
		return 0;
	ex->state[slot] = class->exec_create();
	if (ex->state[slot] == NULL)
		return -ENOMEM;
	ex->class[slot] = class;
	return 0;
}

void
qm_dev_exec_destroy(struct qm_dev_exec *ex)
{
	if (ex == NULL)
		return;
	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX; i++)
		if (ex->class[i] != NULL)
			ex->class[i]->exec_destroy(ex->state[i]);
	free(ex->bufs.src.iov);
	free(ex->bufs.dst.iov);
	free(ex->bufs.segments);
	free(ex);
}

/* ---- Classes of a function ---- */

/* Where its executors keep the class's state. */
static int
find_slot(const struct qm_dev *dev, const struct qm_dev_class *class, unsigned int *slot)
{
	for (*slot = 0; *slot < QM_DEV_CLASSES_MAX; (*slot)++) {
		if (dev->exec_classes[*slot] == class)
			return 0;
	}
	qm_dev_log(dev, BASE_LOG_ERR, "class %s: its pool does not have it, expected a class of "
			"the pool", class->name);
	return -EINVAL;
}

int
qm_dev_classes_create(struct qm_dev *dev)
{
	uint16_t types = 0;
	int rc;

	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX; i++) {
		const struct qm_dev_class_use *use = &dev->conf.classes[i];
		struct qm_dev_class_state *cs = &dev->cs[i];

		if (use->class == NULL)
			break;
		if ((types & use->class->types) != 0) {
			qm_dev_log(dev, BASE_LOG_ERR, "class %s: queue types 0x%x, of which "
					"another class has 0x%x, expected none", use->class->name,
					use->class->types, types & use->class->types);
			return -EINVAL;
		}
		types |= use->class->types;
		rc = find_slot(dev, use->class, &cs->slot);
		if (rc == 0)
			rc = use->class->create(dev, use->conf, &cs->func);
		if (rc != 0)
			return rc;
		cs->class = use->class;
		dev->conf.classes[i].conf = NULL; /* the caller's */
	}
	return 0;
}

void
qm_dev_classes_destroy(struct qm_dev *dev)
{
	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX && dev->cs[i].class != NULL; i++)
		dev->cs[i].class->destroy(dev->cs[i].func);
}

void
qm_dev_classes_reset(struct qm_dev *dev)
{
	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX && dev->cs[i].class != NULL; i++)
		dev->cs[i].class->reset(dev->cs[i].func);
}

uint32_t
qm_dev_classes_features(const struct qm_dev *dev)
{
	uint32_t features = 0;

	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX && dev->cs[i].class != NULL; i++)
		features |= dev->cs[i].class->ext_features;
	return features;
}

bool
qm_dev_classes_write(struct qm_dev *dev, uint32_t off, uint64_t value)
{
	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX && dev->cs[i].class != NULL; i++)
		if (dev->cs[i].class->reg_write != NULL &&
				dev->cs[i].class->reg_write(dev->cs[i].func, off, value))
			return true;
	return false;
}

const struct qm_dev_class_state *
qm_dev_class_of(const struct qm_dev *dev, unsigned int type)
{
	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX && dev->cs[i].class != NULL; i++)
		if ((dev->cs[i].class->types >> type & 1) != 0)
			return &dev->cs[i];
	return NULL;
}
