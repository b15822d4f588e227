/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdarg.h>
#include <stdio.h>

#include "hisi_driver.h"

static void
log_va(const struct hisi_driver *driver, int error, const char *fmt, va_list ap)
{
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	driver->log_line(error, line);
}

void
hisi_log_error(const struct hisi_driver *driver, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(driver, 1, fmt, ap);
	va_end(ap);
}

void
hisi_log_info(const struct hisi_driver *driver, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(driver, 0, fmt, ap);
	va_end(ap);
}
