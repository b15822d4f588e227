/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdio.h>

#include "base_log.h"

/* A name takes no more, so that there is room for the text. */
#define NAME_MAX_LEN 100

void
base_log_va(const struct base_log *log, enum base_log_level level, const char *name,
		const char *fmt, va_list ap)
{
	char line[512];
	int n;

	if (log->line == NULL)
		return;
	n = snprintf(line, sizeof(line), "%.*s%s", NAME_MAX_LEN, name, name[0] != '\0' ? ": " : "");
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	log->line(level, line, log->priv);
}

void
base_log(const struct base_log *log, enum base_log_level level, const char *name,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	base_log_va(log, level, name, fmt, ap);
	va_end(ap);
}
