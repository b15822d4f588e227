/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef PMD_LOG_H
#define PMD_LOG_H

/** @file What the driver says in DPDK's log, and what it was seen to do, as texts. */

/** What was said between the two that follow; it ends with a newline if it is not empty. */
extern char pmd_log[512];
void pmd_log_begin(void);
void pmd_log_end(void);

/** Something is done. */
void did(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Fail unless just this was done since the last look, each behind a comma. */
void check_did(const char *expected);

/** Whatever was done until now. */
void forget_did(void);

#endif /* PMD_LOG_H */
