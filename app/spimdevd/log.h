/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_LOG_H
#define SPIMDEVD_LOG_H

/**
 * @file
 * Log lines of the service, on standard error: one line an event, "spimdevd: level: text". With a
 * time in front only on a terminal, as whoever collects lines adds one. In front of a line that
 * goes to the journal is its level, "<4>text". Any thread.
 *
 * What the service and its administrator do is always logged. Clients decide how many lines they
 * cause, so each user has an allowance of LOG_BURST lines, and one more each LOG_EVERY_NS: about a
 * megabyte a day. What exceeds it is counted, and told before the user's next line.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base_log.h"

#define LOG_BURST    50u
#define LOG_EVERY_NS 10000000000ull
#define LOG_NOBODY   ((uid_t)-1) /**< The user of lines that any client may have caused. */
#define LOG_USERS    64u /**< Whose allowances are kept, the last ones who caused a line. */

/** Find out what standard error is. Before the first line. */
void log_init(bool verbose);

/**
 * Write a line; fmt without a newline. What base_text.h would not show is '?' in it, BASE_LOG_DEBUG
 * with --verbose only.
 */
void log_line(enum base_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** The same, of a line that a client caused; uid: whom it counts as (owners.h). */
void log_user(uid_t uid, enum base_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* SPIMDEVD_LOG_H */
