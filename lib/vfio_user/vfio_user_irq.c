/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "vfio_user_fd.h"
#include "vfio_user_irq.h"
#include "vfio_user_log.h"
#include "vfio_user_share.h"

/* The first vector of an index; irq_lock is held, vec is there. */
static struct vu_vector *
vectors(struct vfio_user_conn *c, uint32_t index)
{
	const struct vfio_user_device *dev = c->conf.device;
	uint32_t before = 0;

	for (uint32_t i = 0; i < index; i++)
		before += dev->irqs[i].count;
	return c->vec + before;
}

/* Memory for all vectors, once somebody sets one. */
static int
make_vectors(struct vfio_user_conn *c)
{
	const struct vfio_user_device *dev = c->conf.device;
	uint32_t all = 0;

	if (c->vec != NULL)
		return 0;
	for (uint32_t i = 0; i < dev->num_irqs; i++)
		all += dev->irqs[i].count;
	c->vec = calloc(all + 1u, sizeof(c->vec[0]));
	if (c->vec == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < all; i++)
		c->vec[i].fd = -1;
	return 0;
}

static void
set_fd(struct vfio_user_conn *c, struct vu_vector *v, int fd)
{
	if (v->fd >= 0) {
		/* Its last descriptor takes it out of all sets of epoll that it is in. */
		vfio_user_fd_close(v->fd, c->peer.owner);
		c->eventfds--;
		vu_fds_put(c, 1);
	}
	if (fd >= 0)
		c->eventfds++;
	v->fd = fd;
	v->pending = false;
}

static void
raise_vector(struct vfio_user_conn *c, struct vu_vector *v)
{
	if (v->fd < 0)
		return;
	if (v->masked) {
		v->pending = true;
		return;
	}
	vfio_user_notify_raise(&c->server->notify, v->fd);
	c->irqs++;
}

static void
set_mask(struct vfio_user_conn *c, struct vu_vector *v, bool masked)
{
	v->masked = masked;
	if (!masked && v->pending) {
		v->pending = false;
		raise_vector(c, v);
	}
}

/* Eventfds come or go; nfds is count or 0. irq_lock is held. */
static int
set_eventfds(struct vfio_user_conn *c, struct vu_vector *v, uint32_t count, int *fds,
		unsigned int nfds)
{
	for (uint32_t i = 0; i < nfds; i++) {
		if (vfio_user_notify_check(fds[i]) != 0) {
			vu_complain(c, "SET_IRQS: fd %" PRIu32 " of %u is no eventfd", i, nfds);
			return -EINVAL;
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		set_fd(c, &v[i], nfds != 0 ? fds[i] : -1);
		if (nfds != 0)
			fds[i] = -1;
	}
	return 0;
}

static int
check_irq_set(struct vfio_user_conn *c, const struct vfio_user_irq_set *set, uint32_t data_len,
		unsigned int nfds)
{
	const struct vfio_user_device *dev = c->conf.device;
	uint32_t data = set->flags & VFIO_USER_SET_F_DATA;
	uint32_t action = set->flags & VFIO_USER_SET_F_ACTION;
	const struct vfio_user_irq *irq;

	if (set->index >= dev->num_irqs) {
		vu_complain(c, "SET_IRQS: index %" PRIu32 "; expected less than %" PRIu32,
				set->index, dev->num_irqs);
		return -EINVAL;
	}
	irq = &dev->irqs[set->index];
	if (data == 0 || (data & (data - 1)) != 0 || action == 0 || (action & (action - 1)) != 0 ||
			(set->flags & ~(VFIO_USER_SET_F_DATA | VFIO_USER_SET_F_ACTION)) != 0) {
		vu_complain(c, "SET_IRQS: flags 0x%" PRIx32 "; expected one kind of data and one "
				"action", set->flags);
		return -EINVAL;
	}
	if (set->start > irq->count || set->count > irq->count - set->start) {
		vu_complain(c, "SET_IRQS: vectors %" PRIu32 " + %" PRIu32 " of index %" PRIu32
				"; expected at most %" PRIu32, set->start, set->count, set->index,
				irq->count);
		return -EINVAL;
	}
	if (action != VFIO_USER_SET_F_TRIGGER && ((irq->flags & VFIO_USER_IRQ_F_MASKABLE) == 0 ||
			data == VFIO_USER_SET_F_EVENTFD)) {
		vu_complain(c, "SET_IRQS: flags 0x%" PRIx32 "; index %" PRIu32
				" cannot be masked so", set->flags, set->index);
		return -EINVAL;
	}
	if (set->count == 0 && (data != VFIO_USER_SET_F_NONE || set->start != 0 ||
			action != VFIO_USER_SET_F_TRIGGER)) {
		vu_complain(c, "SET_IRQS: count 0 with flags 0x%" PRIx32 ", start %" PRIu32
				"; expected 0x21, 0", set->flags, set->start);
		return -EINVAL;
	}
	if (data == VFIO_USER_SET_F_BOOL ? data_len != set->count : data_len != 0) {
		vu_complain(c, "SET_IRQS: %" PRIu32 " bytes of data for %" PRIu32
				" vectors, flags 0x%" PRIx32, data_len, set->count, set->flags);
		return -EINVAL;
	}
	if (nfds != 0 && (data != VFIO_USER_SET_F_EVENTFD || nfds != set->count)) {
		vu_complain(c, "SET_IRQS: %u fds for %" PRIu32 " vectors, flags 0x%" PRIx32,
				nfds, set->count, set->flags);
		return -EINVAL;
	}
	return 0;
}

int
vu_irq_set(struct vfio_user_conn *c, const struct vfio_user_irq_set *set, const uint8_t *data,
		uint32_t data_len, struct vfio_user_fds *fds)
{
	uint32_t enabled = 0, start = set->start, count = set->count;
	uint32_t had, total;
	struct vu_vector *all, *v;
	int rc = check_irq_set(c, set, data_len, fds->cnt);

	if (rc != 0)
		return rc;
	total = c->conf.device->irqs[set->index].count;
	if (count == 0)
		count = total; /* disable all */

	pthread_mutex_lock(&c->irq_lock);
	rc = make_vectors(c);
	if (rc != 0)
		goto out;
	all = vectors(c, set->index);
	v = all + start;
	had = c->eventfds;
	if ((set->flags & VFIO_USER_SET_F_EVENTFD) != 0 || set->count == 0) {
		rc = set_eventfds(c, v, count, fds->fd, fds->cnt);
	} else {
		for (uint32_t i = 0; i < count; i++) {
			if ((set->flags & VFIO_USER_SET_F_BOOL) != 0 && data[i] == 0)
				continue;
			if ((set->flags & VFIO_USER_SET_F_TRIGGER) != 0)
				raise_vector(c, &v[i]);
			else
				set_mask(c, &v[i], (set->flags & VFIO_USER_SET_F_MASK) != 0);
		}
	}
	for (uint32_t i = 0; i < total; i++)
		enabled += all[i].fd >= 0;
	if (c->eventfds == had && fds->cnt == 0)
		enabled = UINT32_MAX; /* nothing to tell */
out:
	pthread_mutex_unlock(&c->irq_lock);
	if (rc == 0 && enabled != UINT32_MAX && c->server->conf.ops->irqs != NULL)
		c->server->conf.ops->irqs(c, c->conf.priv, set->index, enabled);
	return rc;
}

int
vfio_user_conn_irq(struct vfio_user_conn *c, uint32_t index, uint32_t vector)
{
	const struct vfio_user_device *dev = c->conf.device;
	struct vu_vector *v;
	int rc = 0;

	if (index >= dev->num_irqs || vector >= dev->irqs[index].count)
		return -EINVAL;
	pthread_mutex_lock(&c->irq_lock);
	if (c->irq_closed) {
		rc = -ENOTCONN;
	} else if (c->vec == NULL) {
		rc = -ENOENT;
	} else {
		v = vectors(c, index) + vector;
		if (v->fd < 0)
			rc = -ENOENT;
		else
			raise_vector(c, v);
	}
	pthread_mutex_unlock(&c->irq_lock);
	return rc;
}

void
vu_irq_close(struct vfio_user_conn *c)
{
	const struct vfio_user_device *dev = c->conf.device;
	uint32_t all = 0;

	pthread_mutex_lock(&c->irq_lock);
	c->irq_closed = true;
	for (uint32_t i = 0; c->vec != NULL && i < dev->num_irqs; i++)
		all += dev->irqs[i].count;
	for (uint32_t i = 0; i < all; i++)
		set_fd(c, &c->vec[i], -1);
	free(c->vec);
	c->vec = NULL;
	pthread_mutex_unlock(&c->irq_lock);
}
