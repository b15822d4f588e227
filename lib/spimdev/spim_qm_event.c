/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "spim_qm.h"

/* Events that can wait: more than the queues that one access point has in use. */
#define EVENTS (HISI_QM_QUEUES_MAX * 2)

int
spim_qm_event_reopen(struct spim_qm *d)
{
	int ret;

	if (d->epfd < 0)
		return 0;
	ret = d->transport->events(d->io, d->eventfd, d->epfd);
	return ret != 0 ? ret : hisi_qm_event_restart(&d->qm, &d->event);
}

int
spim_qm_event_renew(struct spim_qm *d)
{
	if (d->epfd < 0 || !hisi_qm_event_lost(&d->qm, &d->event))
		return 0;
	return hisi_qm_event_restart(&d->qm, &d->event);
}

void
spim_qm_event_end(struct spim_qm *d)
{
	if (d->epfd < 0)
		return;
	hisi_qm_event_stop(&d->qm, &d->event);
	close(d->epfd);
	close(d->eventfd);
	d->epfd = -1;
}

int
spim_qm_event_fd(struct spim_dev *dev)
{
	struct spim_qm *d = spim_qm_of(dev);
	struct epoll_event readable = { .events = EPOLLIN };
	int epfd, efd, ret;

	if (d->epfd >= 0)
		return d->epfd;
	if (d->transport == NULL || d->transport->events == NULL)
		return -ENOTSUP;
	epfd = epoll_create1(EPOLL_CLOEXEC);
	efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epfd < 0 || efd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, efd, &readable) != 0)
		ret = -errno;
	else
		ret = d->transport->events(d->io, efd, epfd);
	if (ret == 0)
		ret = hisi_qm_event_start(&d->qm, &d->event, EVENTS);
	if (ret != 0) {
		if (efd >= 0)
			close(efd);
		if (epfd >= 0)
			close(epfd);
		return ret;
	}
	d->eventfd = efd;
	d->epfd = epfd;
	return epfd;
}

void
spim_qm_event_arm(struct spim_dev *dev, const struct spim_queue *queue)
{
	struct spim_qm *d = spim_qm_of(dev);

	/* One that is lost will have no event: its owner shall poll now. */
	if (spim_queue_check(dev, queue) != 0)
		(void)eventfd_write(d->eventfd, 1);
	else
		hisi_qm_event_arm(&d->qm, &spim_qm_queue_of(queue)->qp);
}

void
spim_qm_event_take(struct spim_dev *dev)
{
	struct spim_qm *d = spim_qm_of(dev);
	eventfd_t n;

	/* In this order: what comes after the doorbell writes to it again. */
	(void)eventfd_read(d->eventfd, &n);
	hisi_qm_event_take(&d->qm, &d->event);
}
