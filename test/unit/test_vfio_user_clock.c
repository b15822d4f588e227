/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <time.h>

#include "test_vfio_user_clock.h"

_Atomic uint64_t vt_now_ms;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	uint64_t now = vt_now_ms;

	(void)clock;
	*ts = (struct timespec){ .tv_sec = (time_t)(now / 1000),
		.tv_nsec = (long)(now % 1000) * 1000000 };
	return 0;
}
