/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_QM_DEV_CLOCK_H
#define TEST_QM_DEV_CLOCK_H

/** @file clock_gettime() for tests that take turns: it says what they say. */

#include <stdint.h>

extern int64_t clock_took; /**< By how much it is later than now: what a request takes. */
extern int64_t clock_cpu;  /**< The CPU time of the thread. */

#endif /* TEST_QM_DEV_CLOCK_H */
