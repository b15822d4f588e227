/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/** @file The time. Any thread. */

#include <stdint.h>
#include <time.h>

/** @return Nanoseconds of a clock; CLOCK_BOOTTIME goes on while the machine sleeps. */
static inline int64_t
base_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/** @return Nanoseconds of the monotonic clock, for spans of time and deadlines. */
static inline int64_t
base_now_ns(void)
{
	return base_clock_ns(CLOCK_MONOTONIC);
}

/** @return The same in milliseconds. */
static inline uint64_t
base_now_ms(void)
{
	return (uint64_t)base_now_ns() / 1000000;
}

#endif /* BASE_CLOCK_H */
