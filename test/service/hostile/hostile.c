/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Hostile clients against a service, with a victim beside them that must notice nothing.
 *
 * usage: hostile [-a] [-b TIMES] [-s SECONDS] [-r SEED] [-o WORD]... SPIMDEVD [ARGUMENT...]
 *   -a  all attacks at once, again and again, by one user, beside a victim of another
 *   -b  bounds of time of -a are so many times what an idle machine keeps; default 1
 *   -s  how long an attack takes that could go on for ever; with -a: how long all of it takes;
 *       default 0.5
 *   -r  seed; default: of the time. It is printed
 *   -o  only attacks whose name has this word
 *
 * Prints "plan NAME" for each attack, then "ok NAME" or "not ok NAME". An attack is ok when
 * the attacker found the answers that it should, the service lives, the victim went on without
 * an op that failed or a byte that was wrong, and all that the attacker had is free again.
 */

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacker.h"
#include "service.h"
#include "together.h"
#include "victim.h"

#define ONLY_MAX   16
#define ATTACKS_MAX 64
#define ATTACK_S   180   /* on top of the seconds that were asked for */
#define SETTLE_S   60
#define PAUSE_S    30    /* a victim that waits longer than that has been stalled */

static const struct attack *const groups[] = {
	attacks_request, attacks_udma, attacks_memory, attacks_ring, attacks_message,
	attacks_descriptor, attacks_process, attacks_load,
};

static struct {
	bool together;
	double bounds;
	double seconds;
	uint32_t seed;
	const char *only[ONLY_MAX];
	unsigned int only_cnt;
	char *const *argv;      /* of the service */
} opt = { .bounds = 1, .seconds = 0.5 };

static struct service service;
static struct victim *victim;
static struct holdings base;
static unsigned int failed;
static FILE *said; /* why a test is not ok; also standard error of attackers */

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
note(const char *fmt, ...)
{
	va_list ap;

	fseek(said, 0, SEEK_END); /* an attacker may have moved it */
	va_start(ap, fmt);
	vfprintf(said, fmt, ap);
	va_end(ap);
	fputc('\n', said);
	fflush(said);
}

/* The line of a test, then what was noted during it. */
static void
say(bool ok, const char *name, const char *figure)
{
	char line[512];

	printf("%s %s%s\n", ok ? "ok" : "not ok", name, figure);
	rewind(said);
	while (fgets(line, sizeof(line), said) != NULL)
		if (!ok)
			printf("  | %s", line);
	if (ftruncate(fileno(said), 0) != 0)
		perror("ftruncate");
	rewind(said);
	fflush(stdout);
	failed += !ok;
}

/* ---- Start and end ---- */

static void
warm_up(const struct target *t)
{
	struct attacker a;

	attacker_open(&a, t, 4u << 20);
	attacker_must_work(&a, 0);
	attacker_close(&a);
}

static struct target
target(void)
{
	return (struct target){ .path = service.path, .pid = service.pid,
		.seconds = opt.seconds, .seed = opt.seed };
}

/* Run it in a process. @return 0, or -1. */
static int
in_process(void (*run)(const struct target *t), double limit_s)
{
	const struct target t = target();
	double until = now_s() + limit_s;
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fileno(said), STDERR_FILENO);
		run(&t);
		_exit(0);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_s() > until) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			note("it did not end within %.0f s", limit_s);
			return -1;
		}
		nap_ms(5);
	}
	kill(-pid, SIGKILL); /* children of it */
	if (WIFSIGNALED(status))
		note("the attacker died of signal %d", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void
start(void)
{
	if (service_start(&service, opt.argv) != 0)
		exit(2);
	victim = victim_start(service.path, opt.seed, opt.together ? TOGETHER_VICTIM : getuid());
	for (double until = now_s() + 60; victim != NULL && atomic_load(&victim->ops) < 20;)
		if (now_s() > until) {
			say(false, "the victim starts", "");
			exit(2);
		} else {
			nap_ms(5);
		}
	/* The first client pays for what all share. */
	if (victim == NULL || in_process(warm_up, ATTACK_S) != 0) {
		say(false, "a first client", "");
		exit(2);
	}
	for (double until = now_s() + 10; now_s() < until;) {
		if (service_holdings(&service, &base) != 0)
			exit(2);
		if (base.conns == 1)
			break;
	}
	printf("# victim alone: %u connection, %u queues, %u descriptors, %u maps, %u threads, "
			"%lu KiB RSS\n", base.conns, base.queues, base.fds, base.maps, base.threads,
			base.rss_kib);
}

/* ---- What must be after an attack ---- */

static bool
same(const struct holdings *h, bool threads)
{
	return h->conns == base.conns && h->queues == base.queues && h->fds == base.fds &&
		h->maps == base.maps && (!threads || h->threads <= base.threads);
}

/*
 * Control threads live on for seconds: looked at in the end only. One of those at the beginning
 * may have ended.
 */
static int
settle(bool threads)
{
	double until = now_s() + SETTLE_S;
	struct holdings h;

	do {
		if (service_holdings(&service, &h) != 0) {
			note("the service does not answer");
			return -1;
		}
		if (same(&h, threads))
			return 0;
		nap_ms(20);
	} while (now_s() < until);
	note("left behind (now, before): connections %u, %u; queues %u, %u; descriptors %u, "
			"%u; maps %u, %u; threads %u, %u", h.conns, base.conns, h.queues,
			base.queues, h.fds, base.fds, h.maps, base.maps, h.threads, base.threads);
	return -1;
}

static double
longest_pause(void)
{
	return (double)atomic_load(&victim->longest) * 1e-9;
}

/* @return 0 if the victim is as it should be. */
static int
victim_check(unsigned long long before)
{
	unsigned long long ops = atomic_load(&victim->ops);
	double until = now_s() + PAUSE_S;

	while (atomic_load(&victim->ops) < ops + 2 && now_s() < until)
		nap_ms(5);
	if (atomic_load(&victim->failed) + atomic_load(&victim->wrong) != 0) {
		note("victim: %llu failed, %llu wrong; the first: %s",
				atomic_load(&victim->failed), atomic_load(&victim->wrong),
				victim->why);
		return -1;
	}
	if (atomic_load(&victim->ops) < ops + 2 || longest_pause() > PAUSE_S) {
		note("victim: stalled for %.1f s", longest_pause());
		return -1;
	}
	if (ops == before && longest_pause() > opt.seconds + 1) {
		note("victim: nothing done during the attack");
		return -1;
	}
	return 0;
}

static void
attack(const struct attack *at)
{
	unsigned long long before = atomic_load(&victim->ops);
	double began = now_s(), took;
	char figure[160];
	bool ok;

	atomic_store(&victim->longest, 0);
	ok = in_process(at->run, ATTACK_S + opt.seconds) == 0;
	took = now_s() - began;
	prlimit(service.pid, RLIMIT_NOFILE, &service.nofile, NULL);
	if (!service_runs(&service)) {
		note("the service is gone");
		say(false, at->name, "");
		(void)service_end(&service);
		(void)victim_end(victim);
		start();
		return;
	}
	ok = victim_check(before) == 0 && ok;
	snprintf(figure, sizeof(figure), " (%.1f s; victim: %llu round trips, longest %.0f ms)",
			took, atomic_load(&victim->ops) - before, longest_pause() * 1e3);
	ok = settle(false) == 0 && ok;
	say(ok, at->name, figure);
	if (!ok)
		service_print_log(&service);
}

static bool
wanted(const char *name)
{
	for (unsigned int i = 0; i < opt.only_cnt; i++)
		if (strstr(name, opt.only[i]) != NULL)
			return true;
	return opt.only_cnt == 0;
}

/* ---- All at once ---- */

#define ANSWERS   "all at once: the control socket answers"
#define HALF_LEFT "all at once: the victim keeps half of what it gets beside mere load"
#define ANSWER_S  1.0
#define HALF      2.0

static void
all_at_once(void)
{
	const struct attack *all[ATTACKS_MAX];
	struct together r;
	char figure[256];
	unsigned int n = 0;
	struct target t = target();

	for (unsigned int g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (const struct attack *at = groups[g]; at->name != NULL; at++)
			if (wanted(at->name) && n < ATTACKS_MAX)
				all[n++] = at;
	if (together_run(&service, victim, &t, all, n, &r) != 0 || !service_runs(&service)) {
		note("the service is gone, or there are no processes");
		say(false, ANSWERS, "");
		say(false, HALF_LEFT, "");
		service_print_log(&service);
		exit(1);
	}
	snprintf(figure, sizeof(figure), " (%u of %u times, within %.3f s; %u attackers, %lu "
			"attacks, %lu of them as alone)", r.answered, r.asked, r.worst_s, n,
			r.rounds, r.well);
	say(r.asked != 0 && r.answered == r.asked && r.worst_s <= ANSWER_S * opt.bounds &&
			r.well >= n, ANSWERS, figure);
	snprintf(figure, sizeof(figure), " (%.0f of %.0f round trips a second; 99 %% within %.2f "
			"and %.2f ms; longest %.0f ms)", r.under, r.beside, r.p99_under_ms,
			r.p99_beside_ms, longest_pause() * 1e3);
	say(r.under * HALF * opt.bounds >= r.beside && r.under > 0, HALF_LEFT, figure);
}

/* What is looked at when all attacks are over. */
#define NOTHING_LEFT "nothing is left of the attackers"
#define NOT_NOTICED  "the victim noticed nothing"
#define ENDS_WELL    "the service ends as it should"

static void
say_plan(void)
{
	if (opt.together)
		printf("plan " ANSWERS "\nplan " HALF_LEFT "\n");
	for (unsigned int g = 0; !opt.together && g < sizeof(groups) / sizeof(groups[0]); g++)
		for (const struct attack *at = groups[g]; at->name != NULL; at++)
			if (wanted(at->name))
				printf("plan %s\n", at->name);
	printf("plan " NOTHING_LEFT "\nplan " NOT_NOTICED "\nplan " ENDS_WELL "\n");
	fflush(stdout);
}

static int
usage(void)
{
	fprintf(stderr, "usage: hostile [-a] [-b TIMES] [-s SECONDS] [-r SEED] [-o WORD]... "
			"SPIMDEVD [ARGUMENT...]\n");
	return 2;
}

int
main(int argc, char **argv)
{
	struct holdings end;
	char figure[160];
	int c;

	opt.seed = (uint32_t)time(NULL);
	while ((c = getopt(argc, argv, "+ab:s:r:o:")) != -1) {
		switch (c) {
		case 'a': opt.together = true; break;
		case 'b': opt.bounds = atof(optarg); break;
		case 's': opt.seconds = atof(optarg); break;
		case 'r': opt.seed = (uint32_t)strtoul(optarg, NULL, 0); break;
		case 'o':
			if (opt.only_cnt == ONLY_MAX)
				return usage();
			opt.only[opt.only_cnt++] = optarg;
			break;
		default: return usage();
		}
	}
	if (optind == argc || opt.seconds <= 0 || opt.bounds < 1)
		return usage();
	opt.argv = argv + optind;
	signal(SIGPIPE, SIG_IGN);
	said = tmpfile();
	if (said == NULL) {
		perror("tmpfile");
		return 2;
	}
	setvbuf(said, NULL, _IONBF, 0);
	printf("# seed %u, %.1f s\n", opt.seed, opt.seconds);
	say_plan();
	start();
	if (opt.together)
		all_at_once();
	for (unsigned int g = 0; !opt.together && g < sizeof(groups) / sizeof(groups[0]); g++)
		for (const struct attack *at = groups[g]; at->name != NULL; at++)
			if (wanted(at->name))
				attack(at);

	c = settle(true);
	if (service_holdings(&service, &end) != 0)
		c = -1;
	snprintf(figure, sizeof(figure), " (%u descriptors, %u maps, %u queues, %u threads; RSS "
			"%lu KiB, at first %lu)", end.fds, end.maps, end.queues, end.threads,
			end.rss_kib, base.rss_kib);
	say(c == 0, NOTHING_LEFT, figure);
	snprintf(figure, sizeof(figure), " (%llu round trips, %.1f MiB, %llu failed, %llu wrong)",
			atomic_load(&victim->ops), (double)atomic_load(&victim->bytes) / 1048576,
			atomic_load(&victim->failed), atomic_load(&victim->wrong));
	c = atomic_load(&victim->failed) + atomic_load(&victim->wrong) == 0;
	say(victim_end(victim) == 0 && c, NOT_NOTICED, figure);
	say(service_end(&service) == 0, ENDS_WELL, "");
	return failed != 0;
}
