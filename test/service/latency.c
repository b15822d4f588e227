/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * How long it takes from nothing to the first completed request, beside many others who are
 * connected; and from the kill -9 of a busy client to its queue being another's. After many such
 * kills the service holds what it held before.
 *
 * usage: latency --service PROGRAM [--OPTION VALUE]...
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

#define DEPTH    64
#define OP       4096
#define BUSY_OP  65536
/* Kills before the count: what a service keeps for good, it has afterwards. */
#define WARM_UP  50u

static unsigned long others = 200, opens = 500, kills = 300, tries = 5, slack = 100;
static const char *service_program;

static const struct load_option options[] = {
	{ "service", NULL, &service_program, "program, and arguments of it" },
	{ "others", &others, NULL, "connections beside" },
	{ "opens", &opens, NULL, "times a client comes and goes" },
	{ "kills", &kills, NULL, "clients killed" },
	{ "tries", &tries, NULL, "measurements at most; what else a machine does adds to them" },
	{ "slack", &slack, NULL, "bounds of time, in percent" },
	{ 0 },
};

static bool
within(double value, double bound)
{
	return value <= bound * (double)slack / 100;
}

static void
p50_p99(double *us, size_t n, double *p50, double *p99)
{
	*p99 = load_percentile(us, n, 0.99);
	*p50 = load_percentile(us, n, 0.5);
}

/* ---- First completion ---- */

static double
first_completion(const struct load_service *s)
{
	double start = load_now_us(), us;
	const struct hisi_zip_sqe *sqe;
	struct hisi_zip_sqe req;
	struct load_client c;

	LOAD_CHECK(load_client_open(&c, s->name[0], OP) == 0, "cannot connect");
	LOAD_CHECK(load_client_take(&c, HISI_ZIP_QC_COMPRESS, DEPTH) == 0, "no queue");
	memcpy(c.src, load_data, OP);
	req = load_request(c.src, OP, c.comp, c.comp_max);
	load_submit(c.queue[HISI_ZIP_QC_COMPRESS], &req, 0);
	sqe = load_complete(c.queue[HISI_ZIP_QC_COMPRESS]);
	us = load_now_us() - start;
	LOAD_CHECK(sqe != NULL && (sqe->dw3 & HISI_ZIP_STATUS_MASK) == HISI_ZIP_OK, "no result");
	load_client_close(&c);
	return us;
}

static void
measure_opens(void)
{
	struct load_client *beside = calloc(others + 1, sizeof(*beside));
	double *us = calloc(opens + 1, sizeof(*us)), p50, p99, best50 = 1e12, best99 = 1e12;
	struct load_service s;

	LOAD_CHECK(us != NULL && beside != NULL, "no memory");
	load_service_start(&s, service_program, NULL, "--workers 1");
	for (unsigned long i = 0; i < others; i++)
		LOAD_CHECK(load_client_open(&beside[i], s.name[0], OP) == 0, "connection %lu", i);
	for (unsigned long t = 0; t < tries; t++) {
		for (unsigned long i = 0; i < opens; i++)
			us[i] = first_completion(&s);
		p50_p99(us, opens, &p50, &p99);
		printf("     %lu opens beside %lu others: p50 %.0f us, p99 %.0f us\n", opens,
			others, p50, p99);
		best50 = p50 < best50 ? p50 : best50;
		best99 = p99 < best99 ? p99 : best99;
		if (within(best50, 300) && within(best99, 2000))
			break;
	}
	load_at_most("connect to first completion, p50", best50, 3.0 * (double)slack, "us");
	load_at_most("connect to first completion, p99", best99, 20.0 * (double)slack, "us");
	for (unsigned long i = 0; i < others; i++)
		load_client_close(&beside[i]);
	load_service_end(&s);
	free(beside);
	free(us);
}

/* ---- Kill ---- */

struct shared {
	_Atomic unsigned long done; /* Requests of the client that is to be killed. */
};

/* Keeps its ring full until it is killed. */
static void
busy(const struct load_service *s, struct shared *shared)
{
	struct load_client c;
	struct spim_queue *q;
	struct hisi_zip_sqe req;
	uint16_t in_flight = 0;
	int ret;

	LOAD_CHECK(load_client_open(&c, s->name[0], BUSY_OP) == 0, "cannot connect");
	while ((ret = load_client_take(&c, HISI_ZIP_QC_COMPRESS, DEPTH)) == -EBUSY)
		load_nap_us(100);
	LOAD_CHECK(ret == 0, "no queue: %d", ret);
	q = c.queue[HISI_ZIP_QC_COMPRESS];
	memcpy(c.src, load_data, BUSY_OP);
	req = load_request(c.src, BUSY_OP, c.comp, c.comp_max);
	for (;;) {
		while (load_submit(q, &req, in_flight))
			in_flight++;
		LOAD_CHECK(load_complete(q) != NULL, "no completion");
		in_flight--;
		shared->done++;
	}
}

/* @return Time from the kill to having the only queue. */
static double
kill_one(const struct load_service *s, struct load_client *c, struct shared *shared,
		uint64_t *random)
{
	pid_t pid, parent = getpid();
	double start, us;
	int ret;

	shared->done = 0;
	pid = fork();
	LOAD_CHECK(pid >= 0, "%s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			busy(s, shared);
		_exit(1);
	}
	while (shared->done == 0) {
		LOAD_CHECK(waitpid(pid, NULL, WNOHANG) == 0, "the busy client ended");
		load_nap_us(100);
	}
	load_nap_us(load_random(random) % 2000);
	LOAD_CHECK(load_client_take(c, HISI_ZIP_QC_COMPRESS, DEPTH) == -EBUSY,
		"expected the only queue to be in use");
	start = load_now_us();
	kill(pid, SIGKILL);
	while ((ret = load_client_take(c, HISI_ZIP_QC_COMPRESS, DEPTH)) == -EBUSY)
		load_nap_us(100);
	us = load_now_us() - start;
	LOAD_CHECK(ret == 0, "no queue after the kill: %d", ret);
	LOAD_CHECK(waitpid(pid, NULL, 0) == pid, "%s", strerror(errno));
	/* It works for the one who has it now. */
	LOAD_CHECK(load_client_take(c, HISI_ZIP_QC_DECOMPRESS, DEPTH) == -EBUSY, "a second queue");
	load_client_put(c, HISI_ZIP_QC_COMPRESS);
	return us;
}

/* Threads that found no job for a while end by themselves. */
static struct load_usage
settled(pid_t pid, const struct load_usage *before)
{
	struct load_usage u = load_usage_get(pid);

	for (int i = 0; i < 300 && (u.fds > before->fds || u.threads > before->threads); i++) {
		load_nap_us(100000);
		u = load_usage_get(pid);
	}
	return u;
}

static void
measure_kills(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double *us = calloc(kills + 1, sizeof(*us)), p50, p99;
	struct load_usage start, before, after;
	struct load_report report;
	struct load_service s;
	struct load_client c;
	uint64_t random = 1;

	LOAD_CHECK(us != NULL && shared != MAP_FAILED, "no memory");
	load_service_start(&s, service_program, NULL, "--workers 1 --queues 1");
	LOAD_CHECK(load_client_open(&c, s.name[0], OP) == 0, "cannot connect");
	start = load_usage_get(s.pid);
	for (unsigned int i = 0; i < WARM_UP; i++)
		kill_one(&s, &c, shared, &random);
	before = settled(s.pid, &start);
	for (unsigned long i = 0; i < kills; i++)
		us[i] = kill_one(&s, &c, shared, &random);
	after = settled(s.pid, &before);
	p50_p99(us, kills, &p50, &p99);
	printf("     %lu busy clients killed: queue reusable after p50 %.0f us, p99 %.0f us, "
		"at most %.0f us\n", kills, p50, p99, us[kills - 1]);
	load_at_most("kill -9 to its queue being reusable, p99", p99, 100.0 * (double)slack, "us");
	load_at_most("descriptors of the service", after.fds, before.fds, "");
	load_at_most("threads of the service", after.threads, before.threads, "");
	/* The heap breathes; one leaked map or page per kill would be more. */
	load_at_most("maps of the service", after.maps, before.maps + 8, "");
	load_at_most("memory of the service", (double)after.anon_kb,
		(double)before.anon_kb + 1024 + (double)kills / 10, "KiB");
	load_client_close(&c);
	report = load_service_report(&s);
	load_at_most("queues of the service in use", report.queues, 0, "");
	load_service_end(&s);
	free(us);
}

int
main(int argc, char **argv)
{
	load_options(argc, argv, options);
	load_data_read();
	if (opens != 0)
		measure_opens();
	if (kills != 0)
		measure_kills();
	return load_result();
}
