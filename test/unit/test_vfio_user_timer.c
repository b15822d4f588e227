/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdint.h>

#include "test_vfio_user_timer.h"

unsigned int vt_timer_speed = 1, vt_timers;
struct itimerspec vt_timer;

int __real_timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *old);

static struct timespec
faster(struct timespec ts)
{
	uint64_t ns = ((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec) / vt_timer_speed;

	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };
}

int
__wrap_timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *old)
{
	const struct itimerspec sooner = { .it_interval = faster(to->it_interval),
		.it_value = faster(to->it_value) };

	vt_timer = *to;
	vt_timers++;
	return __real_timerfd_settime(fd, flags, &sooner, old);
}
