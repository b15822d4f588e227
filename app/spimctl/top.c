/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "base_clock.h"
#include "print.h"
#include "spimctl.h"
#include "table.h"

/* Who did how much between two polls. */
struct row {
	const struct record_client *client; /* or */
	const struct record_point *point;
	struct record_totals done;
};

struct view {
	struct snapshot snap;
	struct row *points;
	struct row *rows;  /* clients that did something or have a queue; the busiest first */
	size_t rows_cnt;
	size_t idle;       /* the other clients */
	double seconds;    /* between the two */
};

static double
now_seconds(void)
{
	return (double)base_now_ns() / 1e9;
}

static void
sleep_until(double when)
{
	struct timespec ts = { .tv_sec = (time_t)when };

	ts.tv_nsec = (long)((when - (double)ts.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static uint64_t
bytes(const struct row *r)
{
	return r->done.bytes_in + r->done.bytes_out;
}

static int
busier(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (bytes(x) != bytes(y))
		return bytes(x) < bytes(y) ? 1 : -1;
	if (x->done.ops != y->done.ops)
		return x->done.ops < y->done.ops ? 1 : -1;
	return x->client->id > y->client->id ? 1 : -1;
}

/* The service tells of clients in the order of their numbers. */
static const struct record_client *
find_client(const struct snapshot *snap, uint64_t id)
{
	size_t low = 0, high = snap->clients_cnt;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (snap->clients[mid].id == id)
			return &snap->clients[mid];
		if (snap->clients[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* @return 0, or -1: out of memory. */
static int
compare(struct view *v, const struct snapshot *before)
{
	static const struct record_totals nothing;
	const struct snapshot *snap = &v->snap;

	v->points = calloc(snap->points_cnt + 1, sizeof(*v->points));
	v->rows = calloc(snap->clients_cnt + 1, sizeof(*v->rows));
	if (v->points == NULL || v->rows == NULL) {
		complain("out of memory");
		return -1;
	}
	for (size_t i = 0; i < snap->points_cnt; i++) {
		const struct record_point *p = &snap->points[i];
		const struct record_point *old = snapshot_point(before, p->path);

		v->points[i].point = p;
		totals_since(&p->totals, old != NULL ? &old->totals : &nothing,
				&v->points[i].done);
	}
	for (size_t i = 0; i < snap->clients_cnt; i++) {
		const struct record_client *c = &snap->clients[i];
		const struct record_client *old = find_client(before, c->id);
		struct row *r = &v->rows[v->rows_cnt];

		r->client = c;
		totals_since(&c->totals, old != NULL ? &old->totals : &nothing, &r->done);
		if (c->queues != 0 || r->done.ops != 0)
			v->rows_cnt++;
		else
			v->idle++;
	}
	qsort(v->rows, v->rows_cnt, sizeof(*v->rows), busier);
	return 0;
}

/* ---- JSON ---- */

static const struct field row_client_fields[] = {
	RECORD_FIELD(record_client, id, "id", FIELD_NUMBER),
	RECORD_FIELD(record_client, pid, "pid", FIELD_NUMBER),
	RECORD_FIELD(record_client, uid, "uid", FIELD_NUMBER),
	RECORD_FIELD(record_client, command, "command", FIELD_OURS),
	RECORD_FIELD(record_client, queues, "queues", FIELD_NUMBER),
	RECORD_FIELD(record_client, path, "path", FIELD_TEXT),
	{ 0 },
};

static const struct field row_point_fields[] = {
	RECORD_FIELD(record_point, connections, "connections", FIELD_NUMBER),
	RECORD_FIELD(record_point, queues, "queues", FIELD_NUMBER),
	RECORD_FIELD(record_point, path, "path", FIELD_TEXT),
	{ 0 },
};

static bool
add_rate(struct json_object *to, const char *key, uint64_t n, double seconds)
{
	return record_add(to, key, shown_decimal((double)n / seconds, 1));
}

static struct json_object *
row_json(const struct row *r, double seconds)
{
	const struct record_totals *t = &r->done;
	struct json_object *o = r->client != NULL ? shown_record(row_client_fields, r->client) :
		shown_record(row_point_fields, r->point);

	return record_whole(o, add_rate(o, "ops_per_s", t->ops, seconds) &&
			add_rate(o, "bytes_in_per_s", t->bytes_in, seconds) &&
			add_rate(o, "bytes_out_per_s", t->bytes_out, seconds) &&
			add_rate(o, "errors_per_s", t->errors, seconds) &&
			record_add_fields(o, totals_fields, t, shown_field));
}

static struct json_object *
rows_json(const struct row *rows, size_t cnt, double seconds)
{
	struct json_object *array = json_object_new_array();
	bool complete = array != NULL;

	for (size_t i = 0; i < cnt && complete; i++)
		complete = record_add(array, NULL, row_json(&rows[i], seconds));
	return record_whole(array, complete);
}

static int
view_json(const struct view *v)
{
	struct json_object *o = json_object_new_object();

	return print_json(o, record_add(o, "seconds", shown_decimal(v->seconds, 3)) &&
			record_add(o, "service",
				shown_record(service_fields, &v->snap.service)) &&
			record_add(o, "access_points",
				rows_json(v->points, v->snap.points_cnt, v->seconds)) &&
			record_add(o, "clients", rows_json(v->rows, v->rows_cnt, v->seconds)) &&
			record_add(o, "idle", json_object_new_uint64(v->idle)));
}

/* ---- Text ---- */

/* Of an access point or a client. */
static void
row_text(FILE *out, const struct column *columns, unsigned int width, const struct row *r,
		double seconds)
{
	const struct record_client *c = r->client;
	char wait[3 * PRINT_ROOM], service[3 * PRINT_ROOM], room[8][PRINT_ROOM];
	char path[RECORD_PATH_MAX], name[RECORD_PATH_MAX];
	const char *in_s = print_size((double)r->done.bytes_in / seconds, room[0]);
	const char *out_s = print_size((double)r->done.bytes_out / seconds, room[1]);
	const char *ops = print_count((double)r->done.ops / seconds, room[2]);
	const char *errors = print_count((double)r->done.errors / seconds, room[3]);
	const char *queues = print_number(c != NULL ? c->queues : r->point->queues, room[4]);
	const char *place = table_path(c != NULL ? c->path : r->point->path, width, path);

	print_times(&r->done.wait, wait);
	print_times(&r->done.service, service);
	if (c != NULL)
		table_line(out, columns, width, (const char *const[]){
			print_clean(c->command, name), print_number(c->pid, room[5]),
			print_number(c->uid, room[6]), place, in_s, out_s, ops, queues,
			print_number(c->id, room[7]), errors, wait, service });
	else
		table_line(out, columns, width, (const char *const[]){
			place, r->point->draining ? "draining" : "open",
			print_number(r->point->connections, room[5]), queues, in_s, out_s, ops,
			errors, wait, service });
}

static void
view_text(FILE *out, const struct view *v, unsigned int width)
{
	const int path_width = table_path_width(&v->snap, width);
	const struct column points[] = {
		{ "ACCESS POINT", path_width }, { "STATE", -8 }, { "CLIENTS", 7 }, { "QUEUES", 6 },
		{ "IN/s", 6 }, { "OUT/s", 6 }, { "OPS/s", 6 }, { "ERR/s", 6 },
		{ "WAIT 50/90/99%", -20 }, { "SERVICE 50/90/99%", -20 }, { 0 },
	};
	const struct column clients[] = {
		{ "COMMAND", -15 }, { "PID", 8 }, { "UID", 6 }, { "ACCESS POINT", path_width },
		{ "IN/s", 6 }, { "OUT/s", 6 }, { "OPS/s", 6 }, { "QUEUES", 6 }, { "ID", 8 },
		{ "ERR/s", 6 }, { "WAIT 50/90/99%", -20 }, { "SERVICE 50/90/99%", -20 }, { 0 },
	};
	const struct record_service *s = &v->snap.service;
	char age[PRINT_ROOM];

	fprintf(out, "spimdevd pid %" PRIu64 ", up %s: %" PRIu64 " clients, %zu of them idle; %"
			PRIu64 " of %" PRIu64 " queues; %" PRIu64 " of %" PRIu64
			" workers asleep; %.1f s\n\n", s->pid, print_age(s->uptime_ms, age),
			s->connections, v->idle, s->queues, s->queues_max, s->workers_asleep,
			s->workers, v->seconds);
	table_head(out, points, width);
	for (size_t i = 0; i < v->snap.points_cnt; i++)
		row_text(out, points, width, &v->points[i], v->seconds);
	fputc('\n', out);
	table_head(out, clients, width);
	for (size_t i = 0; i < v->rows_cnt; i++)
		row_text(out, clients, width, &v->rows[i], v->seconds);
}

/* What fits the screen, over what was there. */
static void
screen(const struct view *v)
{
	struct winsize ws = { 0 };
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int columns = table_width();
	int rows;

	if (out == NULL)
		return;
	view_text(out, v, columns);
	fclose(out);
	if (text == NULL)
		return;
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	rows = ws.ws_row > 1 ? ws.ws_row - 1 : 23;
	fputs("\033[H", stdout);
	for (line = text; rows > 0 && *line != '\0'; line = rest, rows--) {
		size_t n = strcspn(line, "\n");

		rest = line + n + 1;
		if (n > columns) {
			n = columns;
			/* Not in the middle of a character. */
			while (n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80)
				n--;
		}
		printf("%.*s\033[K\n", (int)n, line);
	}
	fputs("\033[J", stdout);
	free(text);
}

/* @return 0, or -1: standard output is gone, or out of memory. */
static int
tell(const struct options *opt, const struct view *v, bool first)
{
	if (opt->json) {
		if (view_json(v) != 0)
			return -1;
	} else if (isatty(STDOUT_FILENO) == 1) {
		screen(v);
	} else {
		if (!first)
			putchar('\n');
		view_text(stdout, v, 0);
	}
	return fflush(stdout);
}

int
top(const struct options *opt)
{
	const struct request request = { .command = "clients" };
	struct snapshot before;
	double last = now_seconds();
	int rc = 0;

	if (ask(opt->control, &request, &before) != 0)
		return STATUS_FAILED;
	for (unsigned long i = 0; rc == 0 && (opt->count == 0 || i < opt->count); i++) {
		struct view v = { 0 };
		double at;

		sleep_until(last + opt->delay);
		rc = ask(opt->control, &request, &v.snap);
		if (rc != 0)
			break;
		at = now_seconds();
		v.seconds = at - last;
		last = at;
		/* Another service, that has done nothing before it began. */
		if (v.snap.service.pid != before.service.pid) {
			snapshot_free(&before);
			v.seconds = (double)v.snap.service.uptime_ms / 1000 + 0.001;
		}
		rc = compare(&v, &before);
		if (rc == 0)
			rc = tell(opt, &v, i == 0);
		free(v.points);
		free(v.rows);
		snapshot_free(&before);
		before = v.snap;
	}
	snapshot_free(&before);
	return rc == 0 ? STATUS_OK : STATUS_FAILED;
}
