/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "record.h"
#include "report.h"

/* Lines at a time, of some 14 us each: the loop has others to serve. */
#define LINES_PER_TURN 8

struct writer {
	char *buf;
	size_t len;
	bool failed; /* out of memory */
};

/* A line is an object of one member: what kind of thing it tells of, and that. */
static void
put_line(struct writer *w, const char *kind, struct json_object *value)
{
	struct json_object *object = json_object_new_object();
	const char *line = NULL;
	size_t len;

	if (record_add(object, kind, value))
		line = record_line(object, &len);
	if (line != NULL && len < REPORT_ROOM - w->len) {
		memcpy(w->buf + w->len, line, len);
		w->len += len;
		w->buf[w->len++] = '\n';
	} else {
		w->failed = true;
	}
	json_object_put(object);
}

static void
put_record(struct writer *w, const char *kind, const struct field *fields, const void *record)
{
	struct json_object *object = json_object_new_object();

	put_line(w, kind, record_whole(object, record_add_fields(object, fields, record, NULL)));
}

static void
take_totals(struct record_totals *to, const struct client_totals *t)
{
	to->ops = t->ops;
	to->bytes_in = t->bytes_in;
	to->bytes_out = t->bytes_out;
	to->errors = t->errors;
	for (unsigned int i = 0; i < 256; i++)
		if (record_cause(i) >= 0)
			to->cause[record_cause(i)] += t->status[i];
	to->wait = t->times.wait;
	to->service = t->times.service;
}

/* ---- Lines ---- */

static void
put_service(struct writer *w, const struct service *s)
{
	struct vfio_user_server_stats server;
	struct qm_dev_pool_stats pool;
	struct record_service r;

	vfio_user_server_stats_get(s->server, &server);
	qm_dev_pool_stats_get(s->pool, &pool);
	r = (struct record_service){
		.version = SPIMDEV_VERSION,
		.pid = (uint64_t)getpid(),
		.uptime_ms = service_now_ms() - s->started_ms,
		.connections = server.conns,
		.accepted = server.accepted,
		.refused = server.refused,
		.workers = pool.workers,
		.workers_asleep = pool.workers_asleep,
		.queues = pool.queues_live,
		.queues_awake = pool.queues_awake,
		.queues_peak = pool.queues_peak,
		.queues_max = pool.queues_max,
		.ops = pool.requests,
		.bytes_in = pool.bytes_in,
		.bytes_out = pool.bytes_out,
		.wakes = pool.wakes,
		.sleeps = pool.sleeps,
	};
	put_record(w, "service", service_fields, &r);
}

/* Counters are those of clients that ended: the others have their own lines. */
static void
put_point(struct writer *w, const struct access_point *p)
{
	struct qm_dev_group_stats group;
	struct record_point r;

	qm_dev_group_stats_get(p->group, &group);
	r = (struct record_point){
		.weight = group.weight,
		.reserve = group.reserve,
		.draining = p->draining,
		.connections = p->connections,
		.accepted = p->accepted,
		.refused = p->refused,
		.queues = group.queues_live,
		.queues_peak = group.queues_peak,
		.queues_refused = group.refused,
	};
	snprintf(r.path, sizeof(r.path), "%s", p->conf->path);
	snprintf(r.mode, sizeof(r.mode), "%04o", (unsigned int)p->conf->mode);
	take_totals(&r.totals, &p->ended);
	put_record(w, "access_point", point_fields, &r);
}

static void
put_client(struct writer *w, struct client *c)
{
	static struct client_totals totals; /* too big for a stack; one thread */
	struct client_snapshot snap;
	struct record_client r;

	client_snapshot(c, &snap);
	memset(&totals, 0, sizeof(totals));
	client_totals_add(c, &totals);
	r = (struct record_client){
		.id = snap.id,
		.pid = (uint64_t)snap.peer.pid,
		.uid = snap.peer.uid,
		.gid = snap.peer.gid,
		.age_ms = service_now_ms() - snap.since_ms,
		.negotiated = snap.negotiated,
		.queues = snap.dev.queues_live,
		.streams = snap.dev.contexts,
		.maps = snap.dev.maps,
		.files = snap.dev.files,
		.mapped = snap.dev.mapped,
		.messages = snap.conn.messages,
		.message_errors = snap.conn.errors,
		.irqs = snap.conn.irqs,
		.resets = snap.dev.resets,
		.mailbox_errors = snap.dev.mailbox_errors,
		.doorbells_dropped = snap.dev.doorbells_dropped,
	};
	snprintf(r.path, sizeof(r.path), "%s", snap.path);
	take_totals(&r.totals, &totals);
	put_record(w, "client", client_fields, &r);
}

/* One line for each queue that is or was in use. @return Whether there may be more queues. */
static bool
put_queue(struct writer *w, const struct client *c, unsigned int number)
{
	struct qm_dev_queue_stats q;
	struct record_queue r;

	if (client_queue_stats(c, number, &q) != 0)
		return false;
	if (!q.live && q.requests == 0)
		return true;
	r = (struct record_queue){
		.number = number,
		.live = q.live,
		.asleep = q.asleep,
		.waiting = q.waiting,
		.inflight = q.inflight,
		.totals.ops = q.requests,
		.totals.bytes_in = q.bytes_in,
		.totals.bytes_out = q.bytes_out,
		.totals.errors = q.errors,
	};
	r.totals.wait = q.times.wait;
	r.totals.service = q.times.service;
	put_record(w, "queue", queue_fields, &r);
	return true;
}

/* ---- Reports ---- */

void
report_begin(struct report *r, struct service *service, bool clients)
{
	*r = (struct report){
		.service = service,
		.clients = clients,
		.next = client_first(service),
		.last = client_last_id(service),
	};
}

int
report_begin_client(struct report *r, struct service *service, uint64_t id)
{
	struct client *c = client_first(service);

	while (c != NULL && client_id(c) != id)
		c = client_next(c);
	if (c == NULL)
		return -ENOENT;
	report_begin(r, service, true);
	r->one = true;
	r->next = c;
	return 0;
}

static void
report_line(struct report *r, struct writer *w)
{
	switch (r->stage) {
	case REPORT_SERVICE:
		put_service(w, r->service);
		r->stage = REPORT_POINTS;
		break;
	case REPORT_POINTS:
		put_point(w, &r->service->points[r->point++]);
		if (r->point == r->service->opt->listen_cnt)
			r->stage = r->clients ? REPORT_CLIENTS : REPORT_END;
		break;
	case REPORT_CLIENTS:
		/* Who came later is left out: they may come faster than they are told of. */
		if (r->next == NULL || client_id(r->next) > r->last) {
			r->stage = REPORT_END;
			break;
		}
		put_client(w, r->next);
		if (r->one)
			r->stage = REPORT_QUEUES;
		else
			r->next = client_next(r->next);
		break;
	case REPORT_QUEUES:
		if (r->next == NULL || !put_queue(w, r->next, r->queue++))
			r->stage = REPORT_END;
		break;
	case REPORT_END:
		put_line(w, "end", json_object_new_boolean(true));
		r->stage = REPORT_DONE;
		break;
	case REPORT_DONE:
		break;
	}
}

size_t
report_more(struct report *r, char *buf)
{
	struct writer w = { .buf = buf };

	/* A queue without a line costs next to nothing, so that queues may take more turns. */
	for (unsigned int i = 0; r->stage != REPORT_DONE && !w.failed &&
			w.len + RECORD_TEXT_MAX <= REPORT_ROOM; i++) {
		if (i >= LINES_PER_TURN && w.len != 0)
			break;
		report_line(r, &w);
	}
	return w.failed ? 0 : w.len;
}

void
report_forget(struct report *r, const struct client *client)
{
	if (r->next == client)
		r->next = r->one ? NULL : client_next(client);
}
