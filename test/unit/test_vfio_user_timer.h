/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_VFIO_USER_TIMER_H
#define TEST_VFIO_USER_TIMER_H

/** @file Timers of tests whose link wraps timerfd_settime: they tick faster than they are told. */

#include <sys/timerfd.h>

/** So many times as fast. */
extern unsigned int vt_timer_speed;

/** What the last one was set to, and how often any was. */
extern struct itimerspec vt_timer;
extern unsigned int vt_timers;

#endif /* TEST_VFIO_USER_TIMER_H */
