/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "spimgz.h"

static bool quiet;

void
say_quiet(void)
{
	quiet = true;
}

static void
say(const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
}

void
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
complain_data(const char *name, const char *what)
{
	fprintf(stderr, "\n");
	complain("%s: %s", name, what);
}

void
warn(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
warn_data(const char *name, const char *what)
{
	if (!quiet)
		complain_data(name, what);
}
