/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base_clock.h"
#include "base_text.h"
#include "log.h"

#define NS_PER_S 1000000000ull

static struct {
	bool verbose;
	bool timestamps;
	pthread_mutex_t lock; /* guards what follows */
	uint64_t budget;      /* in lines x NS_PER_S, so that a second refills LOG_RATE lines */
	uint64_t refilled;    /* when, in ns */
	uint64_t dropped;
} out = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.budget = LOG_BURST * NS_PER_S,
};

void
log_init(bool verbose)
{
	out.verbose = verbose;
	out.timestamps = isatty(STDERR_FILENO) == 1;
	out.refilled = (uint64_t)base_now_ns();
}

/* Whether a line may be written now; *dropped: lines that were not, before it. */
static bool
admit(uint64_t *dropped)
{
	bool ok;
	uint64_t now, more;

	pthread_mutex_lock(&out.lock);
	now = (uint64_t)base_now_ns();
	more = (now - out.refilled) * LOG_RATE;
	out.refilled = now;
	out.budget += more;
	if (out.budget > LOG_BURST * NS_PER_S)
		out.budget = LOG_BURST * NS_PER_S;
	ok = out.budget >= NS_PER_S;
	if (ok) {
		out.budget -= NS_PER_S;
		*dropped = out.dropped;
		out.dropped = 0;
	} else {
		out.dropped++;
	}
	pthread_mutex_unlock(&out.lock);
	return ok;
}

static void
stamp(char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	buf[0] = '\0';
	if (!out.timestamps)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	n = strftime(buf, size, "%F %T", &tm);
	snprintf(buf + n, size - n, ".%03ld ", ts.tv_nsec / 1000000);
}

/* One write per line, so that lines of several threads do not mix. */
static void
put(enum base_log_level level, const char *text)
{
	static const char *const names[] = {
		[BASE_LOG_ERR] = "error: ",
		[BASE_LOG_WARNING] = "warning: ",
		[BASE_LOG_INFO] = "",
		[BASE_LOG_DEBUG] = "debug: ",
	};
	char line[640], when[40];
	int n;

	stamp(when, sizeof(when));
	n = snprintf(line, sizeof(line) - 1, "%sspimdevd: %s%s", when, names[level], text);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line) - 1)
		n = sizeof(line) - 2;
	/* A path or a client's word must not make lines, nor hide or turn what is in one. */
	for (size_t i = 0, len; line[i] != '\0'; i += len) {
		len = base_text_character(line + i);
		if (len == 0) {
			line[i] = '?';
			len = 1;
		}
	}
	line[n++] = '\n';
	/* Nobody left to tell if standard error is gone. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

void
log_line(enum base_log_level level, const char *fmt, ...)
{
	char text[512];
	uint64_t dropped = 0;
	va_list ap;

	if (level == BASE_LOG_DEBUG && !out.verbose)
		return;
	if (!admit(&dropped))
		return;
	if (dropped != 0) {
		snprintf(text, sizeof(text), "%llu lines were not logged: too many at a time",
				(unsigned long long)dropped);
		put(BASE_LOG_WARNING, text);
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(level, text);
}
