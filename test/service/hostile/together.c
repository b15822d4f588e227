/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "together.h"

#define LEAST_PRIORITY 19
#define EACH_S         0.5  /* an attack that could go on for ever */
#define ASK_LIMIT_MS   10000
#define ROUNDS         4

/* Written by the attackers: attacks that were begun, and that found what they find alone. */
static struct {
	atomic_ulong begun, well;
} *rounds;

static void
take_cpu(const struct attack *at, const struct target *t)
{
	(void)at;
	(void)t;
	for (volatile unsigned int i = 0;; i++)
		;
}

/* Its failures are what limits are for: others use up what it needs. */
static void
attack_again(const struct attack *at, const struct target *t)
{
	struct target once = *t;
	int status = -1;

	once.seconds = EACH_S;
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			at->run(&once);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, &status, 0);
		atomic_fetch_add(&rounds->begun, 1);
		atomic_fetch_add(&rounds->well, WIFEXITED(status) && WEXITSTATUS(status) == 0);
		once.seed++;
		nap_ms(20);
	}
}

static bool
become_attacker(pid_t group)
{
	int null = open("/dev/null", O_WRONLY);

	return null >= 0 && dup2(null, STDERR_FILENO) >= 0 && setpgid(0, group) == 0 &&
		setpriority(PRIO_PROCESS, 0, LEAST_PRIORITY) == 0 && setgroups(0, NULL) == 0 &&
		setresgid(TOGETHER_ATTACKER, TOGETHER_ATTACKER, TOGETHER_ATTACKER) == 0 &&
		setresuid(TOGETHER_ATTACKER, TOGETHER_ATTACKER, TOGETHER_ATTACKER) == 0 &&
		prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

static void
crowd_end(pid_t group)
{
	if (group == 0)
		return;
	/* Who was about to fork when it was killed leaves a child. */
	while (kill(-group, SIGKILL) == 0 || errno != ESRCH) {
		while (waitpid(-group, NULL, WNOHANG) > 0)
			;
		nap_ms(5);
	}
}

/* A process for each attack, all in one group. @return The group; 0: it could not be made. */
static pid_t
crowd_start(void (*run)(const struct attack *at, const struct target *t),
		const struct attack *const *attacks, unsigned int n, const struct target *t)
{
	pid_t group = 0;

	fflush(NULL);
	for (unsigned int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (!become_attacker(group))
				_exit(1);
			run(attacks[i], t);
		}
		if (pid < 0) {
			fprintf(stderr, "no process: %s\n", strerror(errno));
			crowd_end(group);
			return 0;
		}
		if (group == 0)
			group = pid;
		setpgid(pid, group);
	}
	return group;
}

/* How long the control socket takes to answer. @return Seconds; negative: it did not. */
static double
ask(const struct service *s)
{
	static const char question[] = "{\"command\":\"access_points\"}\n";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = ASK_LIMIT_MS / 1000 };
	struct pollfd p = { .fd = sock, .events = POLLIN };
	double began = now_s(), took = -1;
	char answer[256];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s.control", s->path);
	/* connect() waits for room in the queue of the socket, as long as send() may. */
	if (sock >= 0 && setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
			connect(sock, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
			send(sock, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0 &&
			poll(&p, 1, ASK_LIMIT_MS) == 1 &&
			recv(sock, answer, sizeof(answer), 0) > 0)
		took = now_s() - began;
	if (sock >= 0)
		close(sock);
	return took;
}

/* The end of the bucket that the 99th percentile is in, in ms. */
static double
p99_ms(const struct base_hist *h)
{
	uint64_t all = 0, seen = 0;
	unsigned int i;

	for (i = 0; i < BASE_HIST_BUCKETS; i++)
		all += h->bucket[i];
	for (i = 0; i < BASE_HIST_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen * 100 >= all * 99)
			break;
	}
	return (double)(2ull << i) * 1e-6;
}

/* What the victim did while one of the two crowds was there. */
struct span {
	double seconds;
	unsigned long long ops;
	struct base_hist waits;
};

/* Count what it does from now on, by taking away what it has done. */
static void
span_begin(struct span *s, const struct victim *v)
{
	s->seconds -= now_s();
	s->ops -= atomic_load(&v->ops);
	for (unsigned int i = 0; i < BASE_HIST_BUCKETS; i++)
		s->waits.bucket[i] -= v->waits.bucket[i];
}

static void
span_end(struct span *s, const struct victim *v)
{
	s->seconds += now_s();
	s->ops += atomic_load(&v->ops);
	base_hist_add(&s->waits, &v->waits);
}

static bool
mere_load(const struct target *t, const struct victim *v, const struct attack *const *attacks,
		unsigned int n, struct span *span)
{
	pid_t group = crowd_start(take_cpu, attacks, n, t);

	if (group == 0)
		return false;
	span_begin(span, v);
	nap_ms((unsigned int)(t->seconds * 1000 / ROUNDS / 4));
	span_end(span, v);
	crowd_end(group);
	return true;
}

static bool
under_attack(const struct service *s, const struct target *t, const struct victim *v,
		const struct attack *const *attacks, unsigned int n, struct span *span,
		struct together *out)
{
	pid_t group = crowd_start(attack_again, attacks, n, t);
	double until;

	if (group == 0)
		return false;
	span_begin(span, v);
	for (until = now_s() + t->seconds / ROUNDS; now_s() < until && service_runs(s);
			nap_ms(200)) {
		double took = ask(s);

		out->asked++;
		out->answered += took >= 0;
		if (took > out->worst_s)
			out->worst_s = took;
	}
	span_end(span, v);
	crowd_end(group);
	return true;
}

int
together_run(const struct service *s, const struct victim *v, const struct target *t,
		const struct attack *const *attacks, unsigned int n, struct together *out)
{
	struct span beside = { 0 }, under = { 0 };
	bool ok = true;

	*out = (struct together){ 0 };
	rounds = mmap(NULL, sizeof(*rounds), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (rounds == MAP_FAILED) {
		fprintf(stderr, "no memory: %s\n", strerror(errno));
		return -1;
	}
	/* By turns, as the machine may have more to do at one time than at another. */
	for (unsigned int i = 0; i < ROUNDS && ok && service_runs(s); i++)
		ok = mere_load(t, v, attacks, n, &beside) &&
			under_attack(s, t, v, attacks, n, &under, out);
	out->beside = (double)beside.ops / beside.seconds;
	out->p99_beside_ms = p99_ms(&beside.waits);
	out->under = (double)under.ops / under.seconds;
	out->p99_under_ms = p99_ms(&under.waits);
	out->rounds = atomic_load(&rounds->begun);
	out->well = atomic_load(&rounds->well);
	munmap(rounds, sizeof(*rounds));
	return ok ? 0 : -1;
}
