/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Many processes on one access point, all connected at the same time, with fewer queues than
 * processes: each takes queues when it has work, and gives them back before it pauses. Some bursts
 * compress and decompress, some copy.
 *
 * usage: swarm --service PROGRAM [--OPTION VALUE]...
 */

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define DEPTH     16
#define ZLIB_EACH 8u
#define COPY_EACH 4u
/*
 * Longest wait, at random, before a queue is asked for again. Thousands who ask all the time
 * would leave the service no time for those who have a queue to give back.
 */
#define BACK_OFF_US 8000000

static unsigned long procs = 64, rounds = 100, queues = 32, pause_ms = 20, op_max = 16384,
	workers = 2, kib_max = 64, burst_max = 8;
static const char *service_program;

static const struct load_option options[] = {
	{ "service", NULL, &service_program, "program, and arguments of it" },
	{ "procs", &procs, NULL, "processes" },
	{ "rounds", &rounds, NULL, "round trips of each" },
	{ "queues", &queues, NULL, "queues of the service" },
	{ "workers", &workers, NULL, "workers of the service" },
	{ "burst", &burst_max, NULL, "most round trips between pauses" },
	{ "pause", &pause_ms, NULL, "longest pause between bursts, ms" },
	{ "op", &op_max, NULL, "longest op, bytes" },
	{ "kib", &kib_max, NULL, "bound: memory of the service per idle connection, KiB" },
	{ 0 },
};

enum phase { PHASE_CONNECT, PHASE_WORK, PHASE_END };

/* Seen by all processes. */
struct shared {
	_Atomic int phase;
	_Atomic unsigned long connected, finished, failed;
	_Atomic unsigned long trips, copies, bursts, refused, zlib;
	_Atomic long held, held_peak; /* queues, as the clients count them */
};

static struct shared *shared;

static void
hold(long n)
{
	long held = atomic_fetch_add(&shared->held, n) + n, peak = shared->held_peak;

	while (held > peak && !atomic_compare_exchange_weak(&shared->held_peak, &peak, held))
		;
}

static void
queues_put(struct load_client *c)
{
	/* First, so that no more are counted than there are. */
	for (unsigned int type = 0; type < 3; type++)
		hold(-(c->queue[type] != NULL));
	load_client_put(c, HISI_ZIP_QC_COMPRESS);
	load_client_put(c, HISI_ZIP_QC_DECOMPRESS);
	load_client_put(c, HISI_UDMA_QC);
}

static int
take_copier(struct load_client *c)
{
	int ret = load_client_take(c, HISI_UDMA_QC, DEPTH);

	if (ret == 0)
		hold(1);
	return ret;
}

/* Have both queues or none: who keeps one while it waits for the other makes others wait. */
static int
take_both(struct load_client *c)
{
	int ret = load_client_take(c, HISI_ZIP_QC_COMPRESS, DEPTH);

	if (ret == 0) {
		hold(1);
		ret = load_client_take(c, HISI_ZIP_QC_DECOMPRESS, DEPTH);
		if (ret == 0)
			hold(1);
		else
			queues_put(c);
	}
	return ret;
}

static bool
burst(struct load_client *c, unsigned long n, uint64_t *random)
{
	bool copies = load_random(random) % COPY_EACH == 0;
	unsigned long wait_us = 10000;
	int ret;

	while ((ret = copies ? take_copier(c) : take_both(c)) == -EBUSY) {
		shared->refused++;
		load_nap_us(load_random(random) % wait_us);
		wait_us = wait_us < BACK_OFF_US ? wait_us * 2 : wait_us;
	}
	if (ret != 0) {
		fprintf(stderr, "pid %d: no queue: %d\n", (int)getpid(), ret);
		return false;
	}
	for (unsigned long i = 0; i < n; i++) {
		bool zlib = !copies && load_random(random) % ZLIB_EACH == 0;
		size_t len = 1 + load_random(random) % op_max;

		if (copies ? !load_copy_trip(c, len, random) :
				!load_round_trip(c, len, random, zlib))
			return false;
		shared->trips++;
		shared->copies += copies;
		shared->zlib += zlib;
	}
	queues_put(c);
	shared->bursts++;
	return true;
}

static bool
process(const struct load_service *s, unsigned long id)
{
	uint64_t random = (id + 1) * 0x9e3779b97f4a7c15u;
	struct load_client c;
	unsigned long left = rounds;
	int ret = load_client_open(&c, s->name[0], op_max);

	if (ret != 0) {
		fprintf(stderr, "pid %d: cannot connect: %d\n", (int)getpid(), ret);
		return false;
	}
	shared->connected++;
	while (shared->phase == PHASE_CONNECT)
		load_nap_us(100000);
	while (left != 0) {
		unsigned long n = 1 + load_random(&random) % burst_max;

		n = n < left ? n : left;
		load_nap_us(load_random(&random) % (pause_ms * 1000 + 1));
		if (!burst(&c, n, &random))
			return false;
		left -= n;
	}
	shared->finished++;
	while (shared->phase != PHASE_END)
		load_nap_us(100000);
	load_client_close(&c);
	return true;
}

static void
spawn(const struct load_service *s)
{
	for (unsigned long i = 0; i < procs; i++) {
		pid_t parent = getpid(), pid = fork();

		LOAD_CHECK(pid >= 0, "process %lu: %s", i, strerror(errno));
		if (pid != 0) {
			/* A backlog of connections is no point here. */
			while (shared->connected + 64 < i && shared->failed == 0)
				load_nap_us(1000);
			continue;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		if (!process(s, i)) {
			shared->failed++;
			_exit(1);
		}
		_exit(0);
	}
}

/* Wait until all processes have counted themselves there. */
static void
await(_Atomic unsigned long *count, const char *what)
{
	double next = load_now_us() + 30e6;

	while (*count < procs) {
		LOAD_CHECK(shared->failed == 0, "%lu processes failed when %lu of %lu had %s",
			shared->failed, *count, procs, what);
		load_nap_us(20000);
		if (load_now_us() < next)
			continue;
		next += 30e6;
		fprintf(stderr, "  %lu of %lu processes have %s, %lu round trips\n", *count, procs,
			what, shared->trips);
	}
}

int
main(int argc, char **argv)
{
	struct load_usage before, idle, after;
	struct load_report report;
	struct load_service s;
	double start, seconds;
	int status;

	load_options(argc, argv, options);
	LOAD_CHECK(procs > 0 && burst_max > 0 && op_max > 0 && op_max <= HISI_ZIP_REQ_LEN_MAX / 2,
		"--procs %lu --burst %lu --op %lu", procs, burst_max, op_max);
	load_data_read();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	LOAD_CHECK(shared != MAP_FAILED, "%s", strerror(errno));
	load_service_start(&s, service_program, NULL, "--workers %lu --queues %lu", workers,
		queues);
	before = load_usage_get(s.pid);
	spawn(&s);
	await(&shared->connected, "connected");
	idle = load_usage_get(s.pid);
	report = load_service_report(&s);
	start = load_now_us();
	shared->phase = PHASE_WORK;
	await(&shared->finished, "finished");
	seconds = (load_now_us() - start) / 1e6;
	after = load_usage_get(s.pid);
	shared->phase = PHASE_END;
	for (unsigned long i = 0; i < procs; i++) {
		LOAD_CHECK(wait(&status) > 0, "%s", strerror(errno));
		shared->failed += status != 0;
	}
	/* A report has a line for each connection: it is whole when they are gone. */
	load_at_least("connections at the same time", report.connections, (double)procs, "");
	load_at_most("processes that failed", (double)shared->failed, 0, "");
	load_at_least("verified round trips", (double)shared->trips, (double)(procs * rounds), "");
	load_at_least("copies among them", (double)shared->copies,
		(double)(procs * rounds) / COPY_EACH / 8, "");
	printf("     in %.1f s: %lu bursts, %lu also by zlib, %lu times no queue was free\n",
		seconds, shared->bursts, shared->zlib, shared->refused);
	report = load_service_report(&s);
	load_at_most("queues ever in use", report.queues_peak, (double)queues, "");
	load_at_most("queues in use at the end", report.queues, 0, "");
	load_at_most("the same, as clients count", (double)shared->held_peak, (double)queues, "");
	load_at_most("memory of the service per idle connection",
		(double)(idle.rss_kb - before.rss_kb) / (double)procs, (double)kib_max, "KiB");
	load_at_most("the same after work, but for what clients share with it",
		((double)after.anon_kb - (double)before.anon_kb) / (double)procs, (double)kib_max,
		"KiB");
	printf("     descriptors of the service per connection: %.2f, threads: %u\n",
		(double)(idle.fds - before.fds) / (double)procs, after.threads);
	load_service_end(&s);
	return load_result();
}
