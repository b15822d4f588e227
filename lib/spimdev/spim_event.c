/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "spim_internal.h"

/* Events that can wait: more than the queues that one access point has in use. */
#define EVENTS (HISI_QM_QUEUES_MAX * 2)

int
spim_event_reopen(struct spim_dev *dev)
{
	int ret;

	if (dev->epfd < 0)
		return 0;
	ret = dev->transport->events(dev->io, dev->eventfd, dev->epfd);
	return ret != 0 ? ret : hisi_qm_event_restart(&dev->qm, &dev->event);
}

int
spim_event_renew(struct spim_dev *dev)
{
	if (dev->epfd < 0 || !hisi_qm_event_lost(&dev->qm, &dev->event))
		return 0;
	return hisi_qm_event_restart(&dev->qm, &dev->event);
}

void
spim_event_end(struct spim_dev *dev)
{
	if (dev->epfd < 0)
		return;
	hisi_qm_event_stop(&dev->qm, &dev->event);
	close(dev->epfd);
	close(dev->eventfd);
	dev->epfd = -1;
}

int
spim_event_fd(struct spim_dev *dev)
{
	struct epoll_event readable = { .events = EPOLLIN };
	int epfd, efd, ret;

	if (dev->epfd >= 0)
		return dev->epfd;
	if (dev->transport == NULL || dev->transport->events == NULL)
		return -ENOTSUP;
	epfd = epoll_create1(EPOLL_CLOEXEC);
	efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epfd < 0 || efd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, efd, &readable) != 0)
		ret = -errno;
	else
		ret = dev->transport->events(dev->io, efd, epfd);
	if (ret == 0)
		ret = hisi_qm_event_start(&dev->qm, &dev->event, EVENTS);
	if (ret != 0) {
		if (efd >= 0)
			close(efd);
		if (epfd >= 0)
			close(epfd);
		return ret;
	}
	dev->eventfd = efd;
	dev->epfd = epfd;
	return epfd;
}

void
spim_event_arm(struct spim_dev *dev, const struct spim_queue *queue)
{
	/* One that is lost will have no event: its owner shall look now. */
	if (spim_queue_check(dev, queue) != 0)
		(void)eventfd_write(dev->eventfd, 1);
	else
		hisi_qm_event_arm(&dev->qm, &queue->qp);
}

void
spim_event_take(struct spim_dev *dev)
{
	eventfd_t n;

	/* In this order: what comes after the doorbell writes to it again. */
	(void)eventfd_read(dev->eventfd, &n);
	hisi_qm_event_take(&dev->qm, &dev->event);
}
