/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* By whom spimgz has its work done: what it opens, waits for, does without, and gives back. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "said.h"
#include "engine.h"
#include "spimgz.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

#define SERVICE "unix:/run/spimdev/zip"
#define PATIENCE 100 /* naps */

static char lines[256];

static void
say(const char *fmt, va_list ap)
{
	size_t at = strlen(lines);

	at += (size_t)vsnprintf(lines + at, sizeof(lines) - at, fmt, ap);
	assert_true(at + 1 < sizeof(lines));
	memcpy(lines + at, "\n", 2);
}

#define SAYS(name) \
	void \
	name(const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		say(fmt, ap); \
		va_end(ap); \
	}
SAYS(complain)
SAYS(warn)

/* These lines were said, and no others. */
static void
assert_lines(const char *text)
{
	assert_string_equal(lines, text);
	lines[0] = '\0';
}

/* ---- An accelerator that the test decides about ---- */

struct spim_zip {
	char name[32];
	bool open;
	unsigned int queues;
};

struct spim_zip_queue {
	struct spim_zip *z;
	bool taken;
	enum spim_zip_dir dir;
	uint16_t depth;
	unsigned int ops, results;
	struct spim_zip_op *op[SPIMGZ_SLOTS];
};

static struct {
	struct spim_zip zips[2];
	struct spim_zip_queue queues[2];
	unsigned int opened, taken; /* how many of them */
	int open_gives[2];
	bool no_memory[2];
	long cpus;
	uint8_t *mem;
	unsigned int busy;      /* so often there is no queue ... */
	unsigned int busy_of;   /* ... of the one with this number */
	unsigned int asked;     /* for a queue */
	int submit_gives;
	unsigned int gone;      /* so often the function is not there */
	unsigned int late;      /* so often there is no result */
	unsigned int naps, waits;
} fake;

int __wrap_spim_zip_open(const char *name, const struct spim_zip_conf *conf,
		struct spim_zip **z);
int
__wrap_spim_zip_open(const char *name, const struct spim_zip_conf *conf, struct spim_zip **z)
{
	unsigned int n = fake.opened;
	char line[64];

	assert_true(n < CNT(fake.zips));
	assert_string_equal(conf->name, "accelerator");
	assert_int_equal(conf->threads, fake.cpus < 1 ? 1 : fake.cpus > 64 ? 64 : fake.cpus);
	snprintf(fake.zips[n].name, sizeof(fake.zips[n].name), "%s", name);
	fake.opened++;
	if (conf->log != NULL) {
		snprintf(line, sizeof(line), "%s gives %d", name, fake.open_gives[n]);
		conf->log(fake.open_gives[n] != 0, line);
	}
	if (fake.open_gives[n] != 0)
		return fake.open_gives[n];
	fake.zips[n].open = true;
	*z = &fake.zips[n];
	return 0;
}

void __wrap_spim_zip_close(struct spim_zip *z);
void
__wrap_spim_zip_close(struct spim_zip *z)
{
	if (z == NULL)
		return;
	assert_true(z->open);
	assert_int_equal(z->queues, 0);
	z->open = false;
}

void *__wrap_spim_zip_alloc(struct spim_zip *z, size_t len);
void *
__wrap_spim_zip_alloc(struct spim_zip *z, size_t len)
{
	assert_true(z->open);
	assert_null(fake.mem);
	if (fake.no_memory[z - fake.zips]) {
		errno = ENOMEM;
		return NULL;
	}
	assert_int_equal(len, 2 * SPIMGZ_SLOTS * SPIMGZ_OUT_MAX);
	fake.mem = malloc(len);
	assert_non_null(fake.mem);
	return fake.mem;
}

int __wrap_spim_zip_queue_take(struct spim_zip *z, enum spim_zip_dir dir, uint16_t depth,
		struct spim_zip_queue **q);
int
__wrap_spim_zip_queue_take(struct spim_zip *z, enum spim_zip_dir dir, uint16_t depth,
		struct spim_zip_queue **q)
{
	struct spim_zip_queue *new = &fake.queues[fake.taken];

	assert_true(z->open);
	fake.asked++;
	if (fake.busy != 0 && z == &fake.zips[fake.busy_of]) {
		fake.busy--;
		return -EBUSY;
	}
	assert_true(fake.taken < CNT(fake.queues));
	fake.taken++;
	*new = (struct spim_zip_queue){ .z = z, .taken = true, .dir = dir, .depth = depth };
	z->queues++;
	*q = new;
	return 0;
}

void __wrap_spim_zip_queue_put(struct spim_zip_queue *q);
void
__wrap_spim_zip_queue_put(struct spim_zip_queue *q)
{
	if (q == NULL)
		return;
	assert_true(q->taken);
	assert_true(q->z->open);
	q->taken = false;
	q->z->queues--;
}

int __wrap_spim_zip_submit(struct spim_zip_queue *q, struct spim_zip_op *op);
int
__wrap_spim_zip_submit(struct spim_zip_queue *q, struct spim_zip_op *op)
{
	assert_true(q->taken);
	if (fake.submit_gives != 0)
		return fake.submit_gives;
	q->op[q->ops++ % SPIMGZ_SLOTS] = op;
	assert_true(q->ops - q->results <= SPIMGZ_SLOTS);
	return 0;
}

int __wrap_spim_zip_poll(struct spim_zip_queue *q, struct spim_zip_op **ops, unsigned int n);
int
__wrap_spim_zip_poll(struct spim_zip_queue *q, struct spim_zip_op **ops, unsigned int n)
{
	assert_true(q->taken);
	assert_int_equal(n, 1);
	if (fake.gone != 0) {
		fake.gone--;
		return -ENOTCONN;
	}
	if (fake.late != 0) {
		fake.late--;
		return 0;
	}
	assert_true(q->ops != q->results);
	*ops = q->op[q->results++ % SPIMGZ_SLOTS];
	return 1;
}

int __wrap_spim_zip_wait(struct spim_zip_queue *q, int timeout_ms);
int
__wrap_spim_zip_wait(struct spim_zip_queue *q, int timeout_ms)
{
	assert_true(q->taken);
	assert_int_equal(timeout_ms, 1000);
	fake.waits++;
	return 0;
}

long __real_sysconf(int name);
long __wrap_sysconf(int name);
long
__wrap_sysconf(int name)
{
	return name == _SC_NPROCESSORS_ONLN ? fake.cpus : __real_sysconf(name);
}

int __wrap_nanosleep(const struct timespec *ts, struct timespec *rest);
int
__wrap_nanosleep(const struct timespec *ts, struct timespec *rest)
{
	(void)rest;
	assert_int_equal(ts->tv_sec, 0);
	assert_int_equal(ts->tv_nsec, 10000000);
	fake.naps++;
	return 0;
}

/* All that was opened and taken is given back. */
static void
assert_all_back(void)
{
	for (size_t i = 0; i < CNT(fake.zips); i++) {
		assert_false(fake.zips[i].open);
		assert_false(fake.queues[i].taken);
	}
	free(fake.mem);
	fake.mem = NULL;
}

/* What is with the service's name and opens at once. */
static void
open_engine(struct engine *e, const char *name)
{
	memset(&fake, 0, sizeof(fake));
	assert_int_equal(engine_open(e, name, false), SPIMGZ_OK);
	assert_string_equal(e->name, name);
}

static void
close_engine(struct engine *e)
{
	engine_close(e);
	assert_all_back();
	assert_lines("");
}

static void
submit(struct engine *e, unsigned int n)
{
	while (n-- != 0) {
		assert_non_null(engine_next(e));
		assert_int_equal(engine_submit(e), SPIMGZ_OK);
	}
}

/* ---- Opening ---- */

/* Why the service is not there is of interest to who asks; why nothing is there, to all. */
static void
test_open(void **state)
{
	static const struct {
		const char *name;
		bool verbose;
		int gives[2];
		const char *by, *said;
	} cases[] = {
		{ NULL, false, { 0, 0 }, SERVICE, "" },
		{ NULL, true, { 0, 0 }, SERVICE, "" },
		{ NULL, false, { -ENOENT, 0 }, "local", "" },
		{ NULL, true, { -ENOENT, 0 }, "local", SERVICE " gives -2\n" SERVICE
			": No such file or directory; going on in software\n" },
		{ NULL, false, { -ENOENT, -EAGAIN }, NULL,
			"local gives -11\nlocal: Resource temporarily unavailable\n" },
		{ NULL, true, { -ENOENT, -EAGAIN }, NULL, SERVICE " gives -2\n" SERVICE
			": No such file or directory; going on in software\n"
			"local gives -11\nlocal: Resource temporarily unavailable\n" },
		{ "local", false, { 0, 0 }, "local", "" },
		{ "unix:s", true, { 0, 0 }, "unix:s", "" },
		{ "unix:s", false, { -ENOENT, 0 }, NULL,
			"unix:s gives -2\nunix:s: No such file or directory\n" },
	};

	/* A thread for each CPU, as many as there can be. */
	static const long cpus[CNT(cases)] = { -1, 0, 1, 63, 64, 65, 128, 65536, 65537 };

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		char by[64], text[64] = "";
		struct said shows;
		struct engine e;
		int ret;

		memset(&fake, 0, sizeof(fake));
		memset(&e, 0xee, sizeof(e));
		memcpy(fake.open_gives, cases[i].gives, sizeof(fake.open_gives));
		fake.cpus = cpus[i];
		said_begin(&shows, SAID_ERR);
		ret = engine_open(&e, cases[i].name, cases[i].verbose);
		said_end(&shows, text, sizeof(text));
		assert_lines(cases[i].said);
		assert_int_equal(ret, cases[i].by != NULL ? SPIMGZ_OK : SPIMGZ_FAILED);
		assert_int_equal(fake.opened, cases[i].name == NULL && cases[i].gives[0] ? 2 : 1);
		snprintf(by, sizeof(by), "%s: by %s\n", program_invocation_short_name,
			cases[i].by);
		assert_string_equal(text, cases[i].verbose && ret == SPIMGZ_OK ? by : "");
		if (ret != SPIMGZ_OK) {
			assert_all_back();
			continue;
		}
		assert_string_equal(e.name, cases[i].by);
		assert_true(engine_idle(&e));
		for (size_t s = 0; s < SPIMGZ_SLOTS; s++) {
			assert_ptr_equal(e.slots[s].in, fake.mem + 2 * s * SPIMGZ_OUT_MAX);
			assert_ptr_equal(e.slots[s].out, e.slots[s].in + SPIMGZ_OUT_MAX);
		}
		close_engine(&e);
	}
}

static void
test_open_without_memory(void **state)
{
	struct engine e;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.no_memory[0] = true;
	assert_int_equal(engine_open(&e, "local", false), SPIMGZ_FAILED);
	assert_lines("no memory: Cannot allocate memory\n");
	assert_all_back();
	/* A service that nobody named is done without; who asks is told why. */
	for (int verbose = 0; verbose <= 1; verbose++) {
		struct said shows;
		char text[64];

		memset(&fake, 0, sizeof(fake));
		fake.no_memory[0] = true;
		said_begin(&shows, SAID_ERR);
		assert_int_equal(engine_open(&e, NULL, verbose), SPIMGZ_OK);
		said_end(&shows, text, sizeof(text));
		assert_lines(verbose ? SERVICE
			": Cannot allocate memory; going on in software\n" : "");
		assert_string_equal(e.name, "local");
		assert_false(fake.zips[0].open);
		close_engine(&e);
	}
}

/* ---- Queues ---- */

/* One that comes free within a second is waited for; then software does it. */
static void
test_begin(void **state)
{
	struct engine e;

	(void)state;
	for (unsigned int busy = 0; busy <= PATIENCE + 4; busy += busy == 2 ? PATIENCE - 2 : 1) {
		const bool without = busy > PATIENCE;

		open_engine(&e, "unix:s");
		/* Of a service that nobody named, it is said to who asks. */
		e.chosen = busy % 2 != 0;
		e.verbose = busy % 3 != 0;
		fake.busy = busy;
		assert_int_equal(engine_begin(&e, SPIM_ZIP_DECOMPRESS), SPIMGZ_OK);
		assert_int_equal(fake.naps, without ? PATIENCE : busy < PATIENCE ? busy : PATIENCE);
		assert_lines(without && (e.chosen || e.verbose) ?
			"unix:s: Device or resource busy; going on in software\n" : "");
		assert_string_equal(e.name, without ? "local" : "unix:s");
		assert_ptr_equal(e.queue, &fake.queues[0]);
		assert_ptr_equal(e.queue->z, &fake.zips[without]);
		assert_int_equal(e.queue->dir, SPIM_ZIP_DECOMPRESS);
		assert_int_equal(e.queue->depth, SPIMGZ_SLOTS);
		/* The memory of the slots is still needed. */
		assert_true(fake.zips[0].open);
		/* The next file finds it there. */
		fake.asked = 0;
		assert_int_equal(engine_begin(&e, SPIM_ZIP_DECOMPRESS), SPIMGZ_OK);
		assert_int_equal(fake.asked, 0);
		close_engine(&e);
	}
}

static void
test_begin_fails(void **state)
{
	struct engine e;

	(void)state;
	/* Software has nothing to go on in. */
	open_engine(&e, "local");
	fake.busy = PATIENCE + 1;
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_FAILED);
	assert_lines("local: Device or resource busy\n");
	assert_int_equal(fake.opened, 1);
	close_engine(&e);
	/* There is no software. */
	open_engine(&e, "unix:s");
	fake.busy = PATIENCE + 1;
	fake.open_gives[1] = -EAGAIN;
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_FAILED);
	assert_lines("unix:s: Device or resource busy; going on in software\n"
		"local gives -11\n");
	close_engine(&e);
	/* It has no queue either. */
	open_engine(&e, "unix:s");
	fake.busy_of = 0;
	fake.busy = PATIENCE + 1;
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_OK);
	assert_lines("unix:s: Device or resource busy; going on in software\n");
	submit(&e, 1);
	engine_end(&e);
	assert_null(e.queue);
	fake.busy_of = 1;
	fake.busy = PATIENCE + 1;
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_FAILED);
	assert_lines("local: Device or resource busy\n");
	close_engine(&e);
}

/* With what is in flight the queue goes; without it stays. */
static void
test_end(void **state)
{
	struct engine e;

	(void)state;
	open_engine(&e, "unix:s");
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_OK);
	submit(&e, 1);
	assert_ptr_equal(engine_result(&e), &e.slots[0]);
	engine_end(&e);
	assert_true(fake.queues[0].taken);
	submit(&e, 1);
	engine_end(&e);
	assert_false(fake.queues[0].taken);
	assert_int_equal(engine_begin(&e, SPIM_ZIP_DECOMPRESS), SPIMGZ_OK);
	assert_ptr_equal(e.queue, &fake.queues[1]);
	assert_int_equal(e.queue->dir, SPIM_ZIP_DECOMPRESS);
	assert_true(engine_idle(&e));
	close_engine(&e);
}

/* ---- Ops ---- */

/* All slots, the oldest first, over and over. */
static void
test_slots(void **state)
{
	struct engine e;

	(void)state;
	open_engine(&e, "unix:s");
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_OK);
	submit(&e, SPIMGZ_SLOTS);
	assert_null(engine_next(&e));
	for (unsigned int i = 0; i < 2 * SPIMGZ_SLOTS; i++) {
		struct slot *s = &e.slots[i % SPIMGZ_SLOTS];

		fake.late = i;
		assert_ptr_equal(engine_result(&e), s);
		assert_int_equal(fake.waits, i * (i + 1) / 2);
		assert_ptr_equal(engine_next(&e), s);
		submit(&e, 1);
		assert_ptr_equal(fake.queues[0].op[i % SPIMGZ_SLOTS], &s->op);
		assert_null(engine_next(&e));
	}
	assert_int_equal(fake.naps, 0);
	/* What is refused is not in flight. */
	(void)engine_result(&e);
	fake.submit_gives = -EINVAL;
	assert_int_equal(engine_submit(&e), SPIMGZ_FAILED);
	assert_lines("unix:s: Invalid argument\n");
	assert_int_equal(e.tail - e.head, SPIMGZ_SLOTS - 1);
	close_engine(&e);
}

/* Who is gone for less than a second may come back; then software does what is in flight. */
static void
test_result_of_who_is_gone(void **state)
{
	struct engine e;

	(void)state;
	for (unsigned int gone = PATIENCE; gone <= PATIENCE + 1; gone++) {
		const bool without = gone > PATIENCE;
		const struct spim_zip_queue *q = &fake.queues[without];

		open_engine(&e, "unix:s");
		assert_int_equal(engine_begin(&e, SPIM_ZIP_DECOMPRESS), SPIMGZ_OK);
		submit(&e, 3);
		assert_ptr_equal(engine_result(&e), &e.slots[0]);
		fake.gone = gone;
		assert_ptr_equal(engine_result(&e), &e.slots[1]);
		assert_int_equal(fake.naps, PATIENCE);
		assert_lines(without ? "unix:s: Transport endpoint is not connected; "
			"going on in software\n" : "");
		assert_ptr_equal(e.queue, q);
		assert_int_equal(q->dir, SPIM_ZIP_DECOMPRESS);
		assert_int_equal(q->depth, SPIMGZ_SLOTS);
		assert_int_equal(fake.queues[0].taken, !without);
		assert_int_equal(q->ops, without ? 2 : 3);
		assert_ptr_equal(q->op[q->ops - 2], &e.slots[1].op);
		assert_ptr_equal(q->op[q->ops - 1], &e.slots[2].op);
		assert_ptr_equal(engine_result(&e), &e.slots[2]);
		assert_true(engine_idle(&e));
		close_engine(&e);
	}
}

static void
test_result_of_nobody(void **state)
{
	struct engine e;

	(void)state;
	/* Once in software, there is nothing else. */
	open_engine(&e, "unix:s");
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_OK);
	submit(&e, 2);
	fake.gone = 2 * (PATIENCE + 1);
	assert_null(engine_result(&e));
	assert_lines("unix:s: Transport endpoint is not connected; going on in software\n"
		"local: Transport endpoint is not connected\n");
	assert_int_equal(fake.opened, 2);
	engine_end(&e);
	close_engine(&e);
	/* There is no software; what is in flight stays where it is. */
	open_engine(&e, "unix:s");
	assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_OK);
	submit(&e, 2);
	fake.gone = PATIENCE + 1;
	fake.open_gives[1] = -EAGAIN;
	assert_null(engine_result(&e));
	assert_lines("unix:s: Transport endpoint is not connected; going on in software\n"
		"local gives -11\n");
	assert_true(fake.queues[0].taken);
	engine_end(&e);
	close_engine(&e);
	/* Software has no queue, or does not take what is in flight. */
	for (int taken = 0; taken <= 1; taken++) {
		open_engine(&e, "unix:s");
		assert_int_equal(engine_begin(&e, SPIM_ZIP_COMPRESS), SPIMGZ_OK);
		submit(&e, 2);
		fake.gone = PATIENCE + 1;
		fake.busy_of = 1;
		fake.busy = taken ? 0 : 1;
		fake.submit_gives = -EINVAL;
		assert_null(engine_result(&e));
		assert_lines("unix:s: Transport endpoint is not connected; "
			"going on in software\n");
		assert_int_equal(fake.taken, 1 + taken);
		engine_end(&e);
		close_engine(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_without_memory),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_begin_fails),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_result_of_who_is_gone),
		cmocka_unit_test(test_result_of_nobody),
	};

	return cmocka_run_group_tests_name("spimgz_engine", tests, NULL, NULL);
}
