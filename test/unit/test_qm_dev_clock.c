/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <time.h>

#include "test_qm_dev_clock.h"
#include "test_qm_dev_turns.h"

int64_t clock_took, clock_cpu;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ns = clock == CLOCK_THREAD_CPUTIME_ID ? clock_cpu : now + clock_took;

	*ts = (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	return 0;
}
