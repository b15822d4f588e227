/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_LOG_H
#define SPIMDEVD_LOG_H

/**
 * @file
 * Log lines of the service, on standard error: one line an event, "spimdevd:
 * level: text". With a time in front only on a terminal, as whoever collects
 * lines adds one. Any thread.
 *
 * Clients can cause lines, so there is a budget: what exceeds LOG_BURST lines
 * and then LOG_RATE lines a second is counted instead, and the count is told by
 * the next line that gets through.
 */

#include <stdbool.h>

#include "base_log.h"

#define LOG_BURST 200u
#define LOG_RATE  20u

/** Find out what standard error is. Before the first line. */
void log_init(bool verbose);

/**
 * Write a line; fmt without a newline. Control bytes in it are shown as '?', BASE_LOG_DEBUG with
 * --verbose only.
 */
void log_line(enum base_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* SPIMDEVD_LOG_H */
