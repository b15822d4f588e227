/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "base_clock.h"
#include "vfio_user_wait.h"

#define TICK_S 1

/* The timer ticks only while somebody is waited for; it finds out itself when nobody is. */
void
vu_server_tick(struct vfio_user_server *s, bool on)
{
	struct itimerspec t = { 0 };

	if (on == s->ticking)
		return;
	if (on)
		t.it_interval.tv_sec = t.it_value.tv_sec = TICK_S;
	timerfd_settime(s->timer_fd, 0, &t, NULL);
	s->ticking = on;
}

void
vu_server_wait(struct vfio_user_conn *c, bool on)
{
	struct vfio_user_server *s = c->server;

	if (on == c->waiting)
		return;
	c->waiting = on;
	if (on) {
		c->moved_ms = base_now_ms();
		LIST_INSERT_HEAD(&s->waiting, c, wait_link);
		vu_server_tick(s, true);
	} else {
		LIST_REMOVE(c, wait_link);
	}
}

void
vu_server_wake(struct vfio_user_server *s)
{
	/* It cannot fail but by being full, and is readable then, which is all that matters. */
	eventfd_write(s->wake_fd, 1);
}
