/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base_clock.h"
#include "load.h"

static bool broken;

void
load_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "FAILED: %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

static bool
figure(const char *what, double value, bool kept, const char *side, double bound, const char *unit)
{
	printf("%s %s: %.6g %s (%s %.6g)\n", kept ? "    " : "BAD:", what, value, unit, side,
		bound);
	fflush(stdout);
	broken = broken || !kept;
	return kept;
}

bool
load_at_most(const char *what, double value, double bound, const char *unit)
{
	return figure(what, value, value <= bound, "at most", bound, unit);
}

bool
load_at_least(const char *what, double value, double bound, const char *unit)
{
	return figure(what, value, value >= bound, "at least", bound, unit);
}

int
load_result(void)
{
	puts(broken ? "FAILED: a bound is broken" : "all bounds kept");
	return broken ? 1 : 0;
}

/* ---- Options ---- */

void
load_options(int argc, char **argv, const struct load_option *options)
{
	const struct load_option *o;
	struct rlimit lim;
	char *end;

	for (int i = 1; i < argc; i += 2) {
		for (o = options; o->name != NULL; o++)
			if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, o->name) == 0)
				break;
		if (o->name == NULL || i + 1 == argc) {
			fprintf(stderr, "usage: %s [--OPTION VALUE]...\n", argv[0]);
			for (o = options; o->name != NULL; o++)
				if (o->number != NULL)
					fprintf(stderr, "  --%-12s %s (%lu)\n", o->name, o->help,
						*o->number);
				else
					fprintf(stderr, "  --%-12s %s\n", o->name, o->help);
			exit(2);
		}
		if (o->text != NULL) {
			*o->text = argv[i + 1];
			continue;
		}
		errno = 0;
		*o->number = strtoul(argv[i + 1], &end, 10);
		LOAD_CHECK(errno == 0 && end != argv[i + 1] && *end == '\0',
			"%s '%s', expected a number", argv[i], argv[i + 1]);
	}
	/* A connection takes descriptors on both sides, and the service has our limit. */
	LOAD_CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0, "%s", strerror(errno));
	lim.rlim_cur = lim.rlim_max;
	LOAD_CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0, "%s", strerror(errno));
	/* Sleeps of some microseconds are meant to be short. */
	prctl(PR_SET_TIMERSLACK, 1000ul);
}

/* ---- Time ---- */

double
load_now_us(void)
{
	return (double)base_now_ns() / 1e3;
}

void
load_nap_us(unsigned long us)
{
	struct timespec ts = { .tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000 * 1000) };

	while (nanosleep(&ts, &ts) != 0)
		;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double
load_percentile(double *values, size_t n, double p)
{
	size_t i = (size_t)((double)n * p);

	qsort(values, n, sizeof(values[0]), by_value);
	return values[i < n ? i : n - 1];
}

/* ---- Service ---- */

#define ARGS_MAX 64

static void
log_path(const struct load_service *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s/log", s->folder);
}

/* Text of the log; the caller's to free. */
static char *
log_text(const struct load_service *s)
{
	char name[80], *text;
	size_t len;
	FILE *f;

	log_path(s, name, sizeof(name));
	f = fopen(name, "r");
	LOAD_CHECK(f != NULL, "%s: %s", name, strerror(errno));
	fseek(f, 0, SEEK_END);
	len = (size_t)ftell(f);
	rewind(f);
	text = malloc(len + 1);
	LOAD_CHECK(text != NULL, "%zu bytes", len);
	text[fread(text, 1, len, f)] = '\0';
	fclose(f);
	return text;
}

static void
service_exec(const struct load_service *s, const char *program, const unsigned int *weights,
		const char *more)
{
	char words[1024], listen[LOAD_POINTS_MAX][160], log[80], *argv[ARGS_MAX], *rest = NULL;
	int n = 0, fd;

	/* Its end must not hang on ours. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 0ul);
	log_path(s, log, sizeof(log));
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(126);
	close(fd);
	snprintf(words, sizeof(words), "%s %s", program, more);
	for (char *w = strtok_r(words, " ", &rest); w != NULL && n < ARGS_MAX - 2 * LOAD_POINTS_MAX;
			w = strtok_r(NULL, " ", &rest))
		argv[n++] = w;
	for (unsigned int i = 0; i < s->points; i++) {
		snprintf(listen[i], sizeof(listen[i]), "%s,weight=%u", s->path[i],
			weights != NULL ? weights[i] : 1);
		argv[n++] = (char *)(uintptr_t)"--listen";
		argv[n++] = listen[i];
	}
	argv[n] = NULL;
	execv(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

void
load_service_start(struct load_service *s, const char *program, const unsigned int *weights,
		const char *fmt, ...)
{
	char more[512], *text;
	va_list ap;

	*s = (struct load_service){ .points = 1 };
	LOAD_CHECK(program != NULL, "--service is missing: the program spimdevd");
	if (weights != NULL)
		for (s->points = 0; s->points < LOAD_POINTS_MAX && weights[s->points] != 0;)
			s->points++;
	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	snprintf(s->folder, sizeof(s->folder), "/tmp/spimdevd-load.XXXXXX");
	LOAD_CHECK(mkdtemp(s->folder) != NULL, "%s: %s", s->folder, strerror(errno));
	for (unsigned int i = 0; i < s->points; i++) {
		snprintf(s->name[i], sizeof(s->name[i]), "unix:%s/zip%u", s->folder, i);
		memcpy(s->path[i], s->name[i] + 5, sizeof(s->path[i]));
	}
	s->pid = fork();
	LOAD_CHECK(s->pid >= 0, "%s", strerror(errno));
	if (s->pid == 0)
		service_exec(s, program, weights, more);
	for (int i = 0;; i++) {
		load_nap_us(5000);
		if (waitpid(s->pid, NULL, WNOHANG) != 0 || i == 6000)
			load_fail(__FILE__, __LINE__, "%s does not start:\n%s", program,
				log_text(s));
		if (access(s->path[0], F_OK) != 0)
			continue;
		text = log_text(s);
		if (strstr(text, "listening on") != NULL)
			break;
		free(text);
	}
	free(text);
}

void
load_service_end(struct load_service *s)
{
	char log[80], *text;
	int status;

	LOAD_CHECK(kill(s->pid, SIGTERM) == 0, "%s", strerror(errno));
	LOAD_CHECK(waitpid(s->pid, &status, 0) == s->pid, "%s", strerror(errno));
	text = log_text(s);
	LOAD_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		"the service ended with 0x%x, its log:\n%s", status, text);
	free(text);
	log_path(s, log, sizeof(log));
	unlink(log);
	LOAD_CHECK(rmdir(s->folder) == 0, "%s: %s", s->folder, strerror(errno));
}

struct load_report
load_service_report(struct load_service *s)
{
	struct load_report r;

	s->reports++;
	for (int i = 0; i < 600; i++) {
		unsigned int found = 0;
		char *text, *at;

		/* A line may be dropped when there are many: ask again now and then. */
		if (i % 50 == 0)
			kill(s->pid, SIGUSR1);
		load_nap_us(20000);
		text = log_text(s);
		for (at = text; (at = strstr(at, " connections, ")) != NULL; at++) {
			const char *from = at;

			while (from > text && from[-1] != ' ')
				from--;
			found++;
			if (found >= s->reports && strchr(at, '\n') != NULL && sscanf(from,
					"%u connections, %*u so far, %*u refused; %u of %u queues, "
					"%u at most; %*u workers; %llu", &r.connections, &r.queues,
					&r.queues_max, &r.queues_peak, &r.requests) == 5) {
				s->reports = found;
				while ((at = strstr(at + 1, " connections, ")) != NULL)
					s->reports++;
				free(text);
				return r;
			}
		}
		free(text);
	}
	load_fail(__FILE__, __LINE__, "no answer to SIGUSR1:\n%s", log_text(s));
}

/* Entries of a folder, or lines of a file, of /proc/PID. */
static unsigned int
count_fds(pid_t pid)
{
	unsigned int n = 0;
	char name[64];
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
	dir = opendir(name);
	LOAD_CHECK(dir != NULL, "%s: %s", name, strerror(errno));
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static FILE *
proc_open(pid_t pid, const char *what)
{
	char name[64];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/%s", (int)pid, what);
	f = fopen(name, "r");
	LOAD_CHECK(f != NULL, "%s: %s", name, strerror(errno));
	return f;
}

struct load_usage
load_usage_get(pid_t pid)
{
	struct load_usage u = { .fds = count_fds(pid) };
	char line[512];
	struct timespec ts;
	clockid_t clock;
	FILE *f;

	f = proc_open(pid, "maps");
	while (fgets(line, sizeof(line), f) != NULL)
		u.maps++;
	fclose(f);
	f = proc_open(pid, "status");
	while (fgets(line, sizeof(line), f) != NULL) {
		(void)sscanf(line, "VmRSS: %lu", &u.rss_kb);
		(void)sscanf(line, "RssAnon: %lu", &u.anon_kb);
		(void)sscanf(line, "Threads: %u", &u.threads);
	}
	fclose(f);
	LOAD_CHECK(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &ts) == 0,
		"no CPU clock of %d", (int)pid);
	u.cpu_s = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	return u;
}
