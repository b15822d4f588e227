/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>

#include "vfio_user_share.h"

struct vu_user *
vu_user_get(struct vfio_user_server *s, uid_t uid)
{
	struct vu_user *u;

	LIST_FOREACH(u, &s->users[uid % VU_USER_BUCKETS], link)
		if (u->uid == uid)
			break;
	if (u == NULL) {
		u = calloc(1, sizeof(*u));
		if (u == NULL)
			return NULL;
		u->uid = uid;
		TAILQ_INIT(&u->ready);
		LIST_INSERT_HEAD(&s->users[uid % VU_USER_BUCKETS], u, link);
	}
	u->conns++;
	return u;
}

void
vu_user_put(struct vu_user *u)
{
	if (--u->conns != 0)
		return;
	LIST_REMOVE(u, link);
	free(u);
}

void
vu_ready_add(struct vfio_user_conn *c, uint32_t events)
{
	struct vu_user *u = c->user;

	if (c->state >= VU_CLOSING)
		return;
	if (c->is_ready) {
		c->ready_events |= events;
		return;
	}
	if (TAILQ_EMPTY(&u->ready))
		TAILQ_INSERT_TAIL(&c->server->turns, u, turn);
	TAILQ_INSERT_TAIL(&u->ready, c, ready_link);
	c->is_ready = true;
	c->ready_events = events;
}

void
vu_ready_remove(struct vfio_user_conn *c)
{
	struct vu_user *u = c->user;

	if (!c->is_ready)
		return;
	TAILQ_REMOVE(&u->ready, c, ready_link);
	c->is_ready = false;
	if (TAILQ_EMPTY(&u->ready))
		TAILQ_REMOVE(&c->server->turns, u, turn);
}

struct vfio_user_conn *
vu_ready_next(struct vfio_user_server *s)
{
	struct vu_user *u = TAILQ_FIRST(&s->turns);
	struct vfio_user_conn *c;

	if (u == NULL)
		return NULL;
	c = TAILQ_FIRST(&u->ready);
	vu_ready_remove(c);
	if (!TAILQ_EMPTY(&u->ready)) {
		TAILQ_REMOVE(&s->turns, u, turn);
		TAILQ_INSERT_TAIL(&s->turns, u, turn);
	}
	return c;
}

int
vu_fds_take(struct vfio_user_conn *c, uint32_t n)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;

	return ops->fds_take != NULL ? ops->fds_take(c, c->conf.priv, n) : 0;
}

void
vu_fds_put(struct vfio_user_conn *c, uint32_t n)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;

	if (ops->fds_put != NULL && n != 0)
		ops->fds_put(c, c->conf.priv, n);
}

void
vu_fds_close(struct vfio_user_conn *c, struct vfio_user_fds *fds)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < fds->cnt; i++)
		n += fds->fd[i] >= 0;
	vfio_user_fds_close(fds);
	vu_fds_put(c, n);
}
