/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "report.h"

/*
 * The longest line: a path of which every byte takes three, 256 statuses of 15 bytes, two
 * histograms of 40 buckets of 24 bytes, and some 25 numbers.
 */
#define LINE_ROOM 7168

/* Lines at a time: the loop has others to serve. */
#define LINES_PER_TURN 32

struct writer {
	char *buf;
	size_t len;
};

static void put(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct writer *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->buf + w->len, REPORT_ROOM - w->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n;
}

static void
put_number(struct writer *w, const char *key, uint64_t value)
{
	put(w, " %s=%" PRIu64, key, value);
}

static void
put_text(struct writer *w, const char *key, const char *text)
{
	put(w, " %s=", key);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		put(w, c > ' ' && c < 0x7f && c != '%' ? "%c" : "%%%02x", c);
	}
}

/* Most buckets are empty: only the others are written. */
static void
put_counts(struct writer *w, const char *key, const uint64_t *count, unsigned int n)
{
	const char *before = "";

	put(w, " %s=", key);
	for (unsigned int i = 0; i < n; i++) {
		if (count[i] == 0)
			continue;
		put(w, "%s%u:%" PRIu64, before, i, count[i]);
		before = ",";
	}
}

static void
put_times(struct writer *w, const struct qm_dev_times *times)
{
	put_counts(w, "wait", times->wait.bucket, QM_DEV_HIST_BUCKETS);
	put_counts(w, "service", times->service.bucket, QM_DEV_HIST_BUCKETS);
}

static void
put_totals(struct writer *w, const struct client_totals *t)
{
	put_number(w, "ops", t->ops);
	put_number(w, "bytes_in", t->bytes_in);
	put_number(w, "bytes_out", t->bytes_out);
	put_number(w, "errors", t->errors);
	put_counts(w, "status", t->status, 256);
	put_times(w, &t->times);
}

/* ---- Lines ---- */

static void
put_service(struct writer *w, const struct service *s)
{
	struct vfio_user_server_stats server;
	struct qm_dev_pool_stats pool;

	vfio_user_server_stats_get(s->server, &server);
	qm_dev_pool_stats_get(s->pool, &pool);
	put(w, "service");
	put_text(w, "version", SPIMDEV_VERSION);
	put_number(w, "pid", (uint64_t)getpid());
	put_number(w, "uptime_ms", service_now_ms() - s->started_ms);
	put_number(w, "connections", server.conns);
	put_number(w, "accepted", server.accepted);
	put_number(w, "refused", server.refused);
	put_number(w, "workers", pool.workers);
	put_number(w, "workers_asleep", pool.workers_asleep);
	put_number(w, "queues", pool.queues_live);
	put_number(w, "queues_awake", pool.queues_awake);
	put_number(w, "queues_peak", pool.queues_peak);
	put_number(w, "queues_max", pool.queues_max);
	put_number(w, "ops", pool.requests);
	put_number(w, "bytes_in", pool.bytes_in);
	put_number(w, "bytes_out", pool.bytes_out);
	put_number(w, "wakes", pool.wakes);
	put_number(w, "sleeps", pool.sleeps);
	put(w, "\n");
}

/* Counters are those of clients that ended: the others have their own lines. */
static void
put_point(struct writer *w, const struct access_point *p)
{
	struct qm_dev_group_stats group;

	qm_dev_group_stats_get(p->group, &group);
	put(w, "point");
	put_text(w, "path", p->conf->path);
	put_number(w, "mode", p->conf->mode);
	put_number(w, "weight", group.weight);
	put_number(w, "reserve", group.reserve);
	put_number(w, "draining", p->draining);
	put_number(w, "connections", p->connections);
	put_number(w, "accepted", p->accepted);
	put_number(w, "refused", p->refused);
	put_number(w, "queues", group.queues_live);
	put_number(w, "queues_peak", group.queues_peak);
	put_number(w, "queues_refused", group.refused);
	put_totals(w, &p->ended);
	put(w, "\n");
}

static void
put_client(struct writer *w, struct client *c)
{
	static struct client_totals totals; /* too big for a stack; one thread */
	struct client_snapshot snap;

	client_snapshot(c, &snap);
	memset(&totals, 0, sizeof(totals));
	client_totals_add(c, &totals);
	put(w, "client");
	put_number(w, "id", snap.id);
	put_text(w, "path", snap.path);
	put_number(w, "pid", (uint64_t)snap.peer.pid);
	put_number(w, "uid", snap.peer.uid);
	put_number(w, "gid", snap.peer.gid);
	put_number(w, "age_ms", service_now_ms() - snap.since_ms);
	put_number(w, "negotiated", snap.negotiated);
	put_number(w, "queues", snap.dev.queues_live);
	put_number(w, "streams", snap.dev.contexts);
	put_number(w, "maps", snap.conn.maps);
	put_number(w, "files", snap.conn.files);
	put_number(w, "mapped", snap.conn.mapped);
	put_number(w, "messages", snap.conn.messages);
	put_number(w, "message_errors", snap.conn.errors);
	put_number(w, "irqs", snap.conn.irqs);
	put_number(w, "resets", snap.dev.resets);
	put_number(w, "mailbox_errors", snap.dev.mailbox_errors);
	put_number(w, "doorbells_dropped", snap.dev.doorbells_dropped);
	put_totals(w, &totals);
	put(w, "\n");
}

/* One line for each queue that is or was in use. @return Whether there may be more queues. */
static bool
put_queue(struct writer *w, const struct client *c, unsigned int number)
{
	struct qm_dev_queue_stats q;

	if (client_queue_stats(c, number, &q) != 0)
		return false;
	if (!q.live && q.requests == 0)
		return true;
	put(w, "queue");
	put_number(w, "number", number);
	put_number(w, "live", q.live);
	put_number(w, "asleep", q.asleep);
	put_number(w, "waiting", q.waiting);
	put_number(w, "inflight", q.inflight);
	put_number(w, "ops", q.requests);
	put_number(w, "bytes_in", q.bytes_in);
	put_number(w, "bytes_out", q.bytes_out);
	put_number(w, "errors", q.errors);
	put_times(w, &q.times);
	put(w, "\n");
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
		if (r->next == NULL) {
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
		put(w, "end\n");
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
	for (unsigned int i = 0; r->stage != REPORT_DONE && w.len + LINE_ROOM <= REPORT_ROOM; i++) {
		if (i >= LINES_PER_TURN && w.len != 0)
			break;
		report_line(r, &w);
	}
	return w.len;
}

void
report_forget(struct report *r, const struct client *client)
{
	if (r->next == client)
		r->next = r->one ? NULL : client_next(client);
}
