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
#include "print.h"
#include "spimctl.h"

/* Who did how much between two looks. */
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
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
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

static void
rates_json(const struct row *r, double seconds, bool *first)
{
	const struct {
		const char *key;
		uint64_t value;
	} rates[] = {
		{ "ops_per_s", r->done.ops },
		{ "bytes_in_per_s", r->done.bytes_in },
		{ "bytes_out_per_s", r->done.bytes_out },
		{ "errors_per_s", r->done.errors },
	};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		json_key(stdout, rates[i].key, first);
		printf("%.1f", (double)rates[i].value / seconds);
	}
	json_key(stdout, "wait", first);
	json_times(stdout, &r->done.wait);
	json_key(stdout, "service", first);
	json_times(stdout, &r->done.service);
	json_key(stdout, "errors_by_cause", first);
	json_causes(stdout, r->done.cause);
}

static void
number_json(const char *key, uint64_t value, bool *first)
{
	json_key(stdout, key, first);
	printf("%" PRIu64, value);
}

static void
row_json(const struct row *r, double seconds)
{
	bool first = true;

	putchar('{');
	if (r->client != NULL) {
		number_json("id", r->client->id, &first);
		number_json("pid", r->client->pid, &first);
		number_json("uid", r->client->uid, &first);
		json_key(stdout, "command", &first);
		json_text(stdout, r->client->command);
		number_json("queues", r->client->queues, &first);
	} else {
		number_json("connections", r->point->connections, &first);
		number_json("queues", r->point->queues, &first);
	}
	json_key(stdout, "path", &first);
	json_text(stdout, r->client != NULL ? r->client->path : r->point->path);
	rates_json(r, seconds, &first);
	putchar('}');
}

static void
view_json(const struct view *v)
{
	bool first = true;

	printf("{\"seconds\": %.3f, \"service\": {", v->seconds);
	json_record(stdout, service_fields, &v->snap.service, &first);
	printf("}, \"access_points\": [");
	for (size_t i = 0; i < v->snap.points_cnt; i++) {
		fputs(i == 0 ? "" : ", ", stdout);
		row_json(&v->points[i], v->seconds);
	}
	printf("], \"clients\": [");
	for (size_t i = 0; i < v->rows_cnt; i++) {
		fputs(i == 0 ? "" : ", ", stdout);
		row_json(&v->rows[i], v->seconds);
	}
	printf("], \"idle\": %zu}\n", v->idle);
}

/* ---- Text ---- */

static void
row_text(FILE *out, const struct row *r, double seconds)
{
	char in_s[PRINT_ROOM], out_s[PRINT_ROOM], ops[PRINT_ROOM], errors[PRINT_ROOM];
	char wait[3 * PRINT_ROOM], service[3 * PRINT_ROOM], name[RECORD_PATH_MAX];

	fprintf(out, "%6s %6s %6s %-20s %-20s %6s %6" PRIu64,
			print_size((double)r->done.bytes_in / seconds, in_s),
			print_size((double)r->done.bytes_out / seconds, out_s),
			print_count((double)r->done.ops / seconds, ops),
			print_times(&r->done.wait, wait), print_times(&r->done.service, service),
			print_count((double)r->done.errors / seconds, errors),
			r->client != NULL ? r->client->queues : r->point->queues);
	if (r->client != NULL)
		fprintf(out, " %8" PRIu64 " %8" PRIu64 " %6" PRIu64 "  %s\n", r->client->id,
				r->client->pid, r->client->uid,
				print_clean(r->client->command, name));
	else
		fprintf(out, " %8" PRIu64 "  %s%s\n", r->point->connections,
				print_clean(r->point->path, name),
				r->point->draining ? " (draining)" : "");
}

static void
view_text(FILE *out, const struct view *v)
{
	static const char head[] = "%6s %6s %6s %-20s %-20s %6s %6s";
	const struct record_service *s = &v->snap.service;
	char age[PRINT_ROOM];

	fprintf(out, "spimdevd pid %" PRIu64 ", up %s: %" PRIu64 " clients, %zu of them idle; %"
			PRIu64 " of %" PRIu64 " queues; %" PRIu64 " of %" PRIu64
			" workers asleep; %.1f s\n\n", s->pid, print_age(s->uptime_ms, age),
			s->connections, v->idle, s->queues, s->queues_max, s->workers_asleep,
			s->workers, v->seconds);
	fprintf(out, head, "IN/s", "OUT/s", "OPS/s", "WAIT 50/90/99%", "SERVICE 50/90/99%",
			"ERR/s", "QUEUES");
	fprintf(out, " %8s  %s\n", "CLIENTS", "ACCESS POINT");
	for (size_t i = 0; i < v->snap.points_cnt; i++)
		row_text(out, &v->points[i], v->seconds);
	fputc('\n', out);
	fprintf(out, head, "IN/s", "OUT/s", "OPS/s", "WAIT 50/90/99%", "SERVICE 50/90/99%",
			"ERR/s", "QUEUES");
	fprintf(out, " %8s %8s %6s  %s\n", "ID", "PID", "UID", "COMMAND");
	for (size_t i = 0; i < v->rows_cnt; i++)
		row_text(out, &v->rows[i], v->seconds);
}

/* What fits the screen, over what was there. */
static void
screen(const struct view *v)
{
	struct winsize ws = { 0 };
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rows, columns;

	if (out == NULL)
		return;
	view_text(out, v);
	fclose(out);
	if (text == NULL)
		return;
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	rows = ws.ws_row > 1 ? ws.ws_row - 1 : 23;
	columns = ws.ws_col > 0 ? ws.ws_col : 80;
	fputs("\033[H", stdout);
	for (line = text; rows > 0 && *line != '\0'; line = rest, rows--) {
		int n = (int)strcspn(line, "\n");

		rest = line + n + 1;
		if (n > columns) {
			n = columns;
			/* Not in the middle of a character. */
			while (n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80)
				n--;
		}
		printf("%.*s\033[K\n", n, line);
	}
	fputs("\033[J", stdout);
	free(text);
}

/* @return 0, or -1: standard output is gone. */
static int
tell(const struct options *opt, const struct view *v, bool first)
{
	if (opt->json) {
		view_json(v);
	} else if (isatty(STDOUT_FILENO) == 1) {
		screen(v);
	} else {
		if (!first)
			putchar('\n');
		view_text(stdout, v);
	}
	return fflush(stdout);
}

int
top(const struct options *opt)
{
	struct snapshot before;
	double last = now();
	int rc = 0;

	if (ask(opt->control, "clients", &before) != 0)
		return STATUS_FAILED;
	for (unsigned long i = 0; rc == 0 && (opt->count == 0 || i < opt->count); i++) {
		struct view v = { 0 };
		double at;

		sleep_until(last + opt->delay);
		rc = ask(opt->control, "clients", &v.snap);
		if (rc != 0)
			break;
		at = now();
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
