/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "print.h"
#include "spimctl.h"

#define POLL_NS 100000000

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The access points that are meant: all, or the one with this path. */
static bool
meant(const struct options *opt, const struct record_point *p, const char *path)
{
	return opt->all || strcmp(p->path, path) == 0;
}

static uint64_t
queues(const struct options *opt, const struct snapshot *snap, const char *path)
{
	uint64_t n = 0;

	for (size_t i = 0; i < snap->points_cnt; i++)
		if (meant(opt, &snap->points[i], path))
			n += snap->points[i].queues;
	return n;
}

static void
tell(const struct options *opt, const struct snapshot *snap, const char *path)
{
	const char *before = "";

	if (opt->json)
		printf("{\"access_points\": [");
	for (size_t i = 0; i < snap->points_cnt; i++) {
		const struct record_point *p = &snap->points[i];
		char clean[RECORD_PATH_MAX];

		if (!meant(opt, p, path))
			continue;
		if (opt->json) {
			printf("%s{\"path\": ", before);
			json_text(stdout, p->path);
			printf(", \"draining\": %s, \"connections\": %" PRIu64 ", \"queues\": %"
					PRIu64 "}", p->draining ? "true" : "false", p->connections,
					p->queues);
			before = ", ";
		} else {
			printf("%s: %s, %" PRIu64 " clients, %" PRIu64 " queues in use\n",
					print_clean(p->path, clean),
					p->draining ? "draining" : "open", p->connections,
					p->queues);
		}
	}
	if (opt->json)
		printf("]}\n");
}

/* Look until nothing is in use, or for as long as was said. */
static int
wait_unused(const struct options *opt, struct snapshot *snap, const char *path)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	double end = now() + opt->wait;

	while (queues(opt, snap, path) != 0 && now() < end) {
		nanosleep(&pause, NULL);
		snapshot_free(snap);
		if (ask(opt->control, "points", snap) != 0)
			return -1;
	}
	return 0;
}

int
drain(const struct options *opt, const char *path, bool draining)
{
	char request[ASK_REQUEST_MAX];
	struct snapshot snap;
	int status = STATUS_OK;

	if (opt->all) {
		snprintf(request, sizeof(request), "%s", draining ? "drain-all" : "undrain-all");
	} else if (ask_path(request, draining ? "drain" : "undrain", path) != 0) {
		complain("no access point has so long a path");
		return STATUS_FAILED;
	}
	if (ask(opt->control, request, &snap) != 0)
		return STATUS_FAILED;
	if (opt->wait >= 0 && wait_unused(opt, &snap, path) != 0)
		return STATUS_FAILED;
	tell(opt, &snap, path);
	if (opt->wait >= 0 && queues(opt, &snap, path) != 0) {
		complain("%" PRIu64 " queues are still in use after %g seconds",
				queues(opt, &snap, path), opt->wait);
		status = STATUS_FAILED;
	}
	snapshot_free(&snap);
	return status;
}
