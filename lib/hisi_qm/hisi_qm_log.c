/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdio.h>

#include "hisi_qm_io.h"

void
hisi_qm_log_line(hisi_qm_log_t log, const char *name, int error, const char *fmt, va_list ap)
{
	char text[256], line[384];

	if (log == NULL)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	snprintf(line, sizeof(line), "%.100s: %s", name, text);
	log(error, line);
}
