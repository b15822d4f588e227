/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_QM_DEV_LEFT_H
#define TEST_QM_DEV_LEFT_H

/**
 * @file
 * What a test leaves behind, and memory that runs out. The tests are linked so that every
 * allocation and mapping of theirs and of the libraries in them is counted here
 * (-Wl,--wrap). Freed memory is overwritten, so that whoever uses it after that notices.
 */

#include <stddef.h>

/** What a process has. */
struct left {
	long allocs;   /**< Allocations that were not freed. */
	long mapped;   /**< Bytes mapped and not unmapped. */
	unsigned int fds;
	unsigned int threads;
};

/** What there is now. */
struct left left_now(void);

/** Fail unless it is the same as then. A thread that was joined may take a moment to go. */
void left_check(const struct left *then);

/** The nth allocation from now on fails, 1 is the next one; 0: none does. */
void left_fail_alloc(unsigned int nth);

/** @return Whether the allocation that should fail did. */
int left_failed(void);

#endif /* TEST_QM_DEV_LEFT_H */
