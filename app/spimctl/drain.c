/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "base_clock.h"
#include "print.h"
#include "spimctl.h"

#define POLL_NS 100000000

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
tell_text(const struct options *opt, const struct snapshot *snap, const char *path)
{
	for (size_t i = 0; i < snap->points_cnt; i++) {
		const struct record_point *p = &snap->points[i];
		char clean[RECORD_PATH_MAX];

		if (meant(opt, p, path))
			printf("%s: %s, %" PRIu64 " clients, %" PRIu64 " queues in use\n",
					print_clean(p->path, clean),
					p->draining ? "draining" : "open", p->connections,
					p->queues);
	}
}

static int
tell_json(const struct options *opt, const struct snapshot *snap, const char *path)
{
	static const struct field fields[] = {
		RECORD_FIELD(record_point, path, "path", FIELD_TEXT),
		RECORD_FIELD(record_point, draining, "draining", FIELD_FLAG),
		RECORD_FIELD(record_point, connections, "connections", FIELD_NUMBER),
		RECORD_FIELD(record_point, queues, "queues", FIELD_NUMBER),
		{ 0 },
	};
	struct json_object *object = json_object_new_object();
	struct json_object *points = json_object_new_array();
	bool complete = record_add(object, "access_points", points);

	for (size_t i = 0; i < snap->points_cnt && complete; i++)
		if (meant(opt, &snap->points[i], path))
			complete = record_add(points, NULL,
					shown_record(fields, &snap->points[i]));
	return print_json(object, complete);
}

/* Poll until nothing is in use, or for as long as was said. */
static int
wait_unused(const struct options *opt, struct snapshot *snap, const char *path)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	double end = (double)base_now_ns() + opt->wait * 1e9;

	while (queues(opt, snap, path) != 0 && (double)base_now_ns() < end) {
		nanosleep(&pause, NULL);
		snapshot_free(snap);
		if (ask(opt->control, &(struct request){ .command = "access_points" }, snap) != 0)
			return -1;
	}
	return 0;
}

int
drain(const struct options *opt, const char *path, bool draining)
{
	const struct request one = { draining ? "drain" : "undrain", path, NULL };
	const struct request all = { draining ? "drain-all" : "undrain-all", NULL, NULL };
	struct snapshot snap;
	int status = STATUS_OK;

	if (ask(opt->control, opt->all ? &all : &one, &snap) != 0)
		return STATUS_FAILED;
	if (opt->wait >= 0 && wait_unused(opt, &snap, path) != 0)
		return STATUS_FAILED;
	if (!opt->json)
		tell_text(opt, &snap, path);
	else if (tell_json(opt, &snap, path) != 0)
		status = STATUS_FAILED;
	if (opt->wait >= 0 && queues(opt, &snap, path) != 0) {
		complain("%" PRIu64 " queues are still in use after %g seconds",
				queues(opt, &snap, path), opt->wait);
		status = STATUS_FAILED;
	}
	snapshot_free(&snap);
	return status;
}
