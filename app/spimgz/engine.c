/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "signals.h"

#define SERVICE "unix:/run/spimdev/zip"

/* How long to wait for a service that was killed, or a queue, before doing without. */
#define PATIENCE_MS 1000
#define STEP_MS     10

/* More threads than this no function in software has. */
#define THREADS_MAX 64

static void
nap(void)
{
	static const struct timespec ts = { .tv_nsec = STEP_MS * 1000000 };

	nanosleep(&ts, NULL);
}

static void
engine_log(int error, const char *line)
{
	if (error)
		complain("%s", line);
}

/* A thread for each CPU. */
static uint16_t
threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (uint16_t)n;
}

static int
open_point(const char *name, bool quiet, struct spim_zip **z)
{
	const struct spim_zip_conf conf = {
		.name = "accelerator",
		.log = quiet ? NULL : engine_log,
		.threads = threads(),
	};
	sigset_t old;
	int ret;

	/* Signals are the first thread's. */
	signals_hold(&old);
	ret = spim_zip_open(name, &conf, z);
	signals_allow(&old);
	return ret;
}

static int
alloc_slots(struct engine *e)
{
	uint8_t *mem = spim_zip_alloc(e->z, (size_t)2 * SPIMGZ_SLOTS * SPIMGZ_OUT_MAX);

	if (mem == NULL)
		return -errno;
	for (unsigned int i = 0; i < SPIMGZ_SLOTS; i++) {
		e->slots[i].in = mem + (size_t)2 * i * SPIMGZ_OUT_MAX;
		e->slots[i].out = e->slots[i].in + SPIMGZ_OUT_MAX;
	}
	return 0;
}

/* What the service refuses is of interest to who named it, or asks. */
static bool
is_quiet(const struct engine *e)
{
	return !e->chosen && !e->verbose;
}

/* Open the one with this name. @return 0 or -errno, and what it was that failed. */
static int
open_named(struct engine *e, const char *name, bool quiet, const char **what)
{
	int ret;

	e->name = *what = name;
	ret = open_point(name, quiet, &e->z);
	if (ret != 0)
		return ret;
	ret = alloc_slots(e);
	if (ret != 0) {
		*what = "no memory";
		spim_zip_close(e->z);
	}
	return ret;
}

int
engine_open(struct engine *e, const char *name, bool verbose)
{
	const char *what;
	int ret;

	memset(e, 0, sizeof(*e));
	e->chosen = name != NULL;
	e->verbose = verbose;
	ret = open_named(e, e->chosen ? name : SERVICE, is_quiet(e), &what);
	if (ret != 0 && !e->chosen) {
		if (verbose)
			warn("%s: %s; going on in software", e->name, strerror(-ret));
		ret = open_named(e, "local", false, &what);
	}
	if (ret != 0) {
		complain("%s: %s", what, strerror(-ret));
		return SPIMGZ_FAILED;
	}
	if (verbose)
		fprintf(stderr, "%s: by %s\n", program_invocation_short_name, e->name);
	return SPIMGZ_OK;
}

void
engine_close(struct engine *e)
{
	spim_zip_queue_put(e->queue);
	spim_zip_close(e->z);
	spim_zip_close(e->old);
}

/* Go on in software: no queue was to be had, or the service was killed and stays away. */
static int
do_without(struct engine *e, int why)
{
	struct spim_zip *z;
	int ret;

	if (engine_is_local(e)) {
		complain("%s: %s", e->name, strerror(-why));
		return SPIMGZ_FAILED;
	}
	if (!is_quiet(e))
		warn("%s: %s; going on in software", e->name, strerror(-why));
	ret = open_point("local", false, &z);
	if (ret != 0)
		return SPIMGZ_FAILED;
	spim_zip_queue_put(e->queue);
	e->queue = NULL;
	e->old = e->z;
	e->z = z;
	e->name = "local";
	ret = spim_zip_queue_take(z, e->dir, SPIMGZ_SLOTS, &e->queue);
	for (unsigned int i = e->head; i != e->tail && ret == 0; i++)
		ret = spim_zip_submit(e->queue, &e->slots[i % SPIMGZ_SLOTS].op);
	return ret == 0 ? SPIMGZ_OK : SPIMGZ_FAILED;
}

int
engine_begin(struct engine *e, enum spim_zip_dir dir)
{
	int ret;

	if (e->queue != NULL)
		return SPIMGZ_OK;
	e->dir = dir;
	e->head = e->tail = 0;
	for (int waited = 0;; waited += STEP_MS) {
		ret = spim_zip_queue_take(e->z, dir, SPIMGZ_SLOTS, &e->queue);
		if (ret == 0)
			return SPIMGZ_OK;
		if (waited >= PATIENCE_MS)
			return do_without(e, ret);
		nap();
	}
}

void
engine_end(struct engine *e)
{
	if (engine_idle(e))
		return;
	spim_zip_queue_put(e->queue);
	e->queue = NULL;
	e->head = e->tail = 0;
}

struct slot *
engine_next(struct engine *e)
{
	return e->tail - e->head == SPIMGZ_SLOTS ? NULL : &e->slots[e->tail % SPIMGZ_SLOTS];
}

int
engine_submit(struct engine *e)
{
	int ret = spim_zip_submit(e->queue, &e->slots[e->tail % SPIMGZ_SLOTS].op);

	if (ret != 0) {
		complain("%s: %s", e->name, strerror(-ret));
		return SPIMGZ_FAILED;
	}
	e->tail++;
	return SPIMGZ_OK;
}

struct slot *
engine_result(struct engine *e)
{
	struct spim_zip_op *op;
	int waited = 0;

	for (;;) {
		int ret = spim_zip_poll(e->queue, &op, 1);

		if (ret == 1)
			break;
		if (ret == 0) {
			spim_zip_wait(e->queue, PATIENCE_MS);
		} else if (waited < PATIENCE_MS) {
			nap();
			waited += STEP_MS;
		} else if (do_without(e, ret) != SPIMGZ_OK) {
			return NULL;
		}
	}
	/* Ops come back in order. */
	return &e->slots[e->head++ % SPIMGZ_SLOTS];
}
