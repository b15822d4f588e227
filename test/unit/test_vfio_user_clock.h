/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_VFIO_USER_CLOCK_H
#define TEST_VFIO_USER_CLOCK_H

/** @file A clock for tests whose link wraps clock_gettime: it stands still until it is moved. */

#include <stdint.h>

/** Each clock. */
extern _Atomic uint64_t vt_now_ms;

#endif /* TEST_VFIO_USER_CLOCK_H */
