/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "pmd_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_log.h>

char pmd_log[512];
static FILE *stream;

void
pmd_log_begin(void)
{
	pmd_log[0] = '\0';
	stream = fmemopen(pmd_log, sizeof(pmd_log), "w");
	assert_non_null(stream);
	rte_openlog_stream(stream);
}

void
pmd_log_end(void)
{
	rte_openlog_stream(NULL);
	fclose(stream);
}

static char all[2048]; /* that was done */

void
did(const char *fmt, ...)
{
	size_t used = strlen(all);
	va_list ap;

	if (used != 0)
		used += (size_t)snprintf(all + used, sizeof(all) - used, ", ");
	assert_true(used < sizeof(all));
	va_start(ap, fmt);
	vsnprintf(all + used, sizeof(all) - used, fmt, ap);
	va_end(ap);
}

void
check_did(const char *expected)
{
	assert_string_equal(all, expected);
	forget_did();
}

void
forget_did(void)
{
	all[0] = '\0';
}
