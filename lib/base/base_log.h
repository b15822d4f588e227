/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef BASE_LOG_H
#define BASE_LOG_H

/** @file Log lines, which every library hands to its user. Control paths only. */

#include <stdarg.h>

enum base_log_level {
	BASE_LOG_ERR,
	BASE_LOG_WARNING,
	BASE_LOG_INFO,
	BASE_LOG_DEBUG, /**< Of programs only. */
};

/** Who takes the lines of a library. */
struct base_log {
	/** Takes a line without newline, in any thread; NULL: nobody. */
	void (*line)(enum base_log_level level, const char *line, void *priv);
	void *priv;
};

/** Make a line "name: text", of 511 bytes at most; "text" if the name is "". */
void base_log_va(const struct base_log *log, enum base_log_level level, const char *name,
		const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));
void base_log(const struct base_log *log, enum base_log_level level, const char *name,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif /* BASE_LOG_H */
