/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base_clock.h"
#include "base_text.h"
#include "log.h"

/* What a user's lines may still be. */
struct allowance {
	uid_t uid;
	bool taken;        /* it is somebody's */
	uint64_t budget;   /* in ns of silence; a line costs LOG_EVERY_NS */
	uint64_t refilled; /* when, in ns */
	uint64_t dropped;
};

static struct {
	bool verbose;
	bool timestamps;
	bool journal; /* a level in front of each line instead of our name */
	pthread_mutex_t lock; /* guards what follows */
	struct allowance user[LOG_USERS];
} out = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Whether standard error goes to the journal: then its device and inode are in a variable. */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino);
	return strcmp(ours, stream) == 0;
}

void
log_init(bool verbose)
{
	out.verbose = verbose;
	out.timestamps = isatty(STDERR_FILENO) == 1;
	out.journal = is_journal();
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
	/* The levels of syslog, and the words that stand for them elsewhere. */
	static const struct {
		int number;
		const char *word;
	} levels[] = {
		[BASE_LOG_ERR] = { 3, "error: " },
		[BASE_LOG_WARNING] = { 4, "warning: " },
		[BASE_LOG_INFO] = { 6, "" },
		[BASE_LOG_DEBUG] = { 7, "debug: " },
	};
	char line[640], front[64];
	int n;

	if (out.journal) {
		snprintf(front, sizeof(front), "<%d>", levels[level].number);
	} else {
		stamp(front, sizeof(front));
		strcat(strcat(front, "spimdevd: "), levels[level].word);
	}
	n = snprintf(line, sizeof(line) - 1, "%s%s", front, text);
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

static bool
is_wanted(enum base_log_level level)
{
	return level != BASE_LOG_DEBUG || out.verbose;
}

static void __attribute__((format(printf, 2, 0)))
put_va(enum base_log_level level, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	put(level, text);
}

void
log_line(enum base_log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!is_wanted(level))
		return;
	va_start(ap, fmt);
	put_va(level, fmt, ap);
	va_end(ap);
}

/* ---- Lines that clients cause; the lock is held ---- */

static void
tell_dropped(struct allowance *a)
{
	if (a->dropped != 0)
		log_line(BASE_LOG_WARNING,
				"user %u: %llu lines were not logged: too many at a time",
				(unsigned int)a->uid, (unsigned long long)a->dropped);
	a->dropped = 0;
}

/* A user's allowance; one who has none gets that of who has been silent for the longest time. */
static struct allowance *
allowance_of(uid_t uid, uint64_t now)
{
	struct allowance *oldest = &out.user[0];

	for (unsigned int i = 0; i < LOG_USERS; i++) {
		struct allowance *a = &out.user[i];

		if (a->taken && a->uid == uid)
			return a;
		if (a->refilled < oldest->refilled)
			oldest = a;
	}
	tell_dropped(oldest);
	*oldest = (struct allowance){ .uid = uid, .taken = true, .refilled = now,
		.budget = LOG_BURST * LOG_EVERY_NS };
	return oldest;
}

static bool
admit(uid_t uid)
{
	uint64_t now = (uint64_t)base_now_ns();
	struct allowance *a = allowance_of(uid, now);

	a->budget += now - a->refilled;
	a->refilled = now;
	if (a->budget > LOG_BURST * LOG_EVERY_NS)
		a->budget = LOG_BURST * LOG_EVERY_NS;
	if (a->budget < LOG_EVERY_NS) {
		a->dropped++;
		return false;
	}
	a->budget -= LOG_EVERY_NS;
	tell_dropped(a);
	return true;
}

void
log_user(uid_t uid, enum base_log_level level, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	if (!is_wanted(level))
		return;
	pthread_mutex_lock(&out.lock);
	ok = admit(uid);
	pthread_mutex_unlock(&out.lock);
	if (!ok)
		return;
	va_start(ap, fmt);
	put_va(level, fmt, ap);
	va_end(ap);
}
