/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "print.h"
#include "spimctl.h"
#include "table.h"

/* ---- Text ---- */

static void
service_text(const struct record_service *s)
{
	char age[PRINT_ROOM];

	printf("spimdevd %s, pid %" PRIu64 ", up %s; %" PRIu64 " clients; %" PRIu64 " of %" PRIu64
			" queues, %" PRIu64 " at most; %" PRIu64 " workers\n", s->version, s->pid,
			print_age(s->uptime_ms, age), s->connections, s->queues, s->queues_max,
			s->queues_peak, s->workers);
}

static void
points_text(const struct snapshot *snap)
{
	unsigned int width = table_width();
	const struct column columns[] = {
		{ "ACCESS POINT", table_path_width(snap, width) }, { "STATE", -8 },
		{ "CLIENTS", 7 }, { "QUEUES", 6 }, { "OPS", 10 }, { "IN", 6 }, { "OUT", 6 },
		{ "ERRORS", 8 }, { "RESERVE", 7 }, { "WEIGHT", 6 }, { 0 },
	};
	char path[RECORD_PATH_MAX], room[8][PRINT_ROOM];

	putchar('\n');
	table_head(stdout, columns, width);
	for (size_t i = 0; i < snap->points_cnt; i++) {
		const struct record_point *p = &snap->points[i];

		table_line(stdout, columns, width, (const char *const[]){
			table_path(p->path, width, path), p->draining ? "draining" : "open",
			print_number(p->connections, room[0]), print_number(p->queues, room[1]),
			print_number(p->totals.ops, room[2]),
			print_size((double)p->totals.bytes_in, room[3]),
			print_size((double)p->totals.bytes_out, room[4]),
			print_number(p->totals.errors, room[5]),
			print_number(p->reserve, room[6]), print_number(p->weight, room[7]) });
	}
}

static void
clients_text(const struct snapshot *snap)
{
	unsigned int width = table_width();
	const struct column columns[] = {
		{ "COMMAND", -15 }, { "PID", 8 }, { "UID", 6 },
		{ "ACCESS POINT", table_path_width(snap, width) }, { "ID", 8 }, { "QUEUES", 6 },
		{ "OPS", 10 }, { "IN", 6 }, { "OUT", 6 }, { "ERRORS", 8 }, { "AGE", 8 },
		{ "WAIT 50/90/99%", -20 }, { "SERVICE 50/90/99%", -20 }, { 0 },
	};
	char path[RECORD_PATH_MAX], command[RECORD_PATH_MAX], room[9][PRINT_ROOM];
	char wait[3 * PRINT_ROOM], service[3 * PRINT_ROOM];

	putchar('\n');
	table_head(stdout, columns, width);
	for (size_t i = 0; i < snap->clients_cnt; i++) {
		const struct record_client *c = &snap->clients[i];

		table_line(stdout, columns, width, (const char *const[]){
			print_clean(c->command, command), print_number(c->pid, room[0]),
			print_number(c->uid, room[1]), table_path(c->path, width, path),
			print_number(c->id, room[2]), print_number(c->queues, room[3]),
			print_number(c->totals.ops, room[4]),
			print_size((double)c->totals.bytes_in, room[5]),
			print_size((double)c->totals.bytes_out, room[6]),
			print_number(c->totals.errors, room[7]), print_age(c->age_ms, room[8]),
			print_times(&c->totals.wait, wait),
			print_times(&c->totals.service, service) });
	}
}

static void
queues_text(const struct snapshot *snap)
{
	static const struct column columns[] = {
		{ "QUEUE", 5 }, { "STATE", -6 }, { "WAITING", 7 }, { "INFLIGHT", 8 }, { "OPS", 10 },
		{ "IN", 6 }, { "OUT", 6 }, { "ERRORS", 8 }, { "WAIT 50/90/99%", -20 },
		{ "SERVICE 50/90/99%", -20 }, { 0 },
	};
	unsigned int width = table_width();
	char wait[3 * PRINT_ROOM], service[3 * PRINT_ROOM], room[7][PRINT_ROOM];

	putchar('\n');
	table_head(stdout, columns, width);
	for (size_t i = 0; i < snap->queues_cnt; i++) {
		const struct record_queue *q = &snap->queues[i];

		table_line(stdout, columns, width, (const char *const[]){
			print_number(q->number, room[0]),
			!q->live ? "off" : q->asleep ? "asleep" : "live",
			print_number(q->waiting, room[1]), print_number(q->inflight, room[2]),
			print_number(q->totals.ops, room[3]),
			print_size((double)q->totals.bytes_in, room[4]),
			print_size((double)q->totals.bytes_out, room[5]),
			print_number(q->totals.errors, room[6]),
			print_times(&q->totals.wait, wait),
			print_times(&q->totals.service, service) });
	}
}

/* Every field on its own line. */
static void
fields_text(const struct field *fields, const void *record)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		const void *value = (const char *)record + f->offset;
		const uint64_t *number = value;
		char room[RECORD_PATH_MAX], size[PRINT_ROOM];

		switch (f->kind) {
		case FIELD_NUMBER:
			printf("%-18s %" PRIu64, f->key, *number);
			if (*number >= 1000 && (strncmp(f->key, "bytes_", 6) == 0 ||
					strcmp(f->key, "mapped") == 0))
				printf(" (%s)", print_size((double)*number, size));
			putchar('\n');
			break;
		case FIELD_FLAG:
			printf("%-18s %s\n", f->key, *number != 0 ? "yes" : "no");
			break;
		case FIELD_TEXT:
		case FIELD_OURS:
			printf("%-18s %s\n", f->key, print_clean(value, room));
			break;
		case FIELD_TIMES:
			printf("%-18s %s (50/90/99%% of %" PRIu64 ")\n", f->key,
					print_times(value, room), hist_count(value));
			break;
		case FIELD_CAUSES:
			for (int i = 0; i < RECORD_CAUSES; i++)
				if (number[i] != 0)
					printf("  %-16s %" PRIu64 "\n", cause_names[i], number[i]);
			break;
		}
	}
}

/* ---- Commands ---- */

static int
list_json(const struct snapshot *snap)
{
	struct json_object *object = json_object_new_object();

	return print_json(object, record_add(object, "service",
				shown_record(service_fields, &snap->service)) &&
			record_add(object, "access_points", shown_records(point_fields,
				snap->points, snap->points_cnt, sizeof(*snap->points))) &&
			record_add(object, "clients", shown_records(client_fields,
				snap->clients, snap->clients_cnt, sizeof(*snap->clients))));
}

int
list(const struct options *opt)
{
	struct snapshot snap;
	int rc = 0;

	if (ask(opt->control, &(struct request){ .command = "clients" }, &snap) != 0)
		return STATUS_FAILED;
	if (opt->json) {
		rc = list_json(&snap);
	} else {
		service_text(&snap.service);
		points_text(&snap);
		clients_text(&snap);
	}
	snapshot_free(&snap);
	return rc == 0 ? STATUS_OK : STATUS_FAILED;
}

static int
show_service(const struct options *opt, struct snapshot *snap)
{
	struct json_object *object;

	if (ask(opt->control, &(struct request){ .command = "access_points" }, snap) != 0)
		return -1;
	if (!opt->json) {
		fields_text(service_fields, &snap->service);
		return 0;
	}
	object = json_object_new_object();
	return print_json(object, record_add(object, "service",
				shown_record(service_fields, &snap->service)));
}

static int
show_client(const struct options *opt, uint64_t id, struct snapshot *snap)
{
	struct json_object *object;

	if (ask(opt->control, &(struct request){ .command = "client", .id = &id }, snap) != 0)
		return -1;
	if (snap->clients_cnt != 1) {
		complain("connection %" PRIu64 " ended", id);
		return -1;
	}
	if (!opt->json) {
		fields_text(client_fields, snap->clients);
		queues_text(snap);
		return 0;
	}
	object = json_object_new_object();
	return print_json(object, record_add(object, "client",
				shown_record(client_fields, snap->clients)) &&
			record_add(object, "queues", shown_records(queue_fields,
				snap->queues, snap->queues_cnt, sizeof(*snap->queues))));
}

static int
show_point(const struct options *opt, const char *path, struct snapshot *snap)
{
	const struct record_point *p;
	struct json_object *object;
	size_t kept = 0;

	if (ask(opt->control, &(struct request){ .command = "clients" }, snap) != 0)
		return -1;
	p = snapshot_point(snap, path);
	if (p == NULL) {
		complain("no access point has the path '%s'", path);
		return -1;
	}
	for (size_t i = 0; i < snap->clients_cnt; i++)
		if (strcmp(snap->clients[i].path, path) == 0)
			snap->clients[kept++] = snap->clients[i];
	snap->clients_cnt = kept;
	if (!opt->json) {
		fields_text(point_fields, p);
		clients_text(snap);
		return 0;
	}
	object = json_object_new_object();
	return print_json(object, record_add(object, "access_point",
				shown_record(point_fields, p)) &&
			record_add(object, "clients", shown_records(client_fields,
				snap->clients, snap->clients_cnt, sizeof(*snap->clients))));
}

int
show(const struct options *opt, const char *what)
{
	struct snapshot snap = { 0 };
	int rc;

	if (what == NULL)
		rc = show_service(opt, &snap);
	else if (what[0] != '\0' && what[strspn(what, "0123456789")] == '\0' && strlen(what) <= 20)
		rc = show_client(opt, strtoull(what, NULL, 10), &snap);
	else
		rc = show_point(opt, what, &snap);
	snapshot_free(&snap);
	return rc == 0 ? STATUS_OK : STATUS_FAILED;
}
