/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

/*
 * Levels of values in a line. Ours have four, {"client":{"wait":[0]}}; a later service's may have
 * more, in what is skipped here. It is json-c's own default, far below what its recursion bears.
 */
#define LINE_DEPTH 32

/* ---- Lines ---- */

/* One more element, all 0, of an array that grows by doubling. */
static void *
more(void **array, size_t *cnt, size_t size)
{
	/* A power of 2: full. */
	if ((*cnt & (*cnt - 1)) == 0) {
		void *bigger = reallocarray(*array, *cnt == 0 ? 1 : *cnt * 2, size);

		if (bigger == NULL)
			return NULL;
		*array = bigger;
	}
	return memset((char *)*array + (*cnt)++ * size, 0, size);
}

/* One member of a line. */
static int
take(struct snapshot *snap, const char *kind, struct json_object *value)
{
	const struct field *fields;
	void *record;

	if (strcmp(kind, "service") == 0) {
		fields = service_fields;
		record = &snap->service;
	} else if (strcmp(kind, "access_point") == 0) {
		fields = point_fields;
		record = more((void **)&snap->points, &snap->points_cnt, sizeof(*snap->points));
	} else if (strcmp(kind, "client") == 0) {
		fields = client_fields;
		record = more((void **)&snap->clients, &snap->clients_cnt,
				sizeof(*snap->clients));
	} else if (strcmp(kind, "queue") == 0) {
		fields = queue_fields;
		record = more((void **)&snap->queues, &snap->queues_cnt, sizeof(*snap->queues));
	} else {
		const char *text = record_text(value, sizeof(snap->error));

		if (strcmp(kind, "end") == 0)
			snap->complete = json_object_get_boolean(value);
		else if (strcmp(kind, "error") == 0 && text != NULL)
			strcpy(snap->error, text);
		return 0; /* a kind of a later version */
	}
	return record != NULL ? record_from_json(fields, record, value) : -ENOMEM;
}

int
snapshot_line(struct snapshot *snap, const char *line, size_t len)
{
	struct json_object *object = record_parse(line, len, LINE_DEPTH);
	int rc = 0;

	if (object == NULL)
		return -EINVAL;
	json_object_object_foreach(object, kind, value)
		if (rc == 0)
			rc = take(snap, kind, value);
	json_object_put(object);
	return rc;
}

void
snapshot_free(struct snapshot *snap)
{
	free(snap->points);
	free(snap->clients);
	free(snap->queues);
	*snap = (struct snapshot){ 0 };
}

const struct record_point *
snapshot_point(const struct snapshot *snap, const char *path)
{
	for (size_t i = 0; i < snap->points_cnt; i++)
		if (strcmp(snap->points[i].path, path) == 0)
			return &snap->points[i];
	return NULL;
}

/* ---- Sums ---- */

static void
totals_add(struct record_totals *sum, const struct record_totals *t)
{
	sum->ops += t->ops;
	sum->bytes_in += t->bytes_in;
	sum->bytes_out += t->bytes_out;
	sum->errors += t->errors;
	for (int i = 0; i < RECORD_CAUSES; i++)
		sum->cause[i] += t->cause[i];
	for (int i = 0; i < BASE_HIST_BUCKETS; i++) {
		sum->wait.bucket[i] += t->wait.bucket[i];
		sum->service.bucket[i] += t->service.bucket[i];
	}
}

void
snapshot_sum(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->clients_cnt; i++) {
		const struct record_client *c = &snap->clients[i];
		const struct record_point *p = snapshot_point(snap, c->path);

		if (p != NULL)
			totals_add(&snap->points[p - snap->points].totals, &c->totals);
	}
}

static uint64_t
since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

void
totals_since(const struct record_totals *now, const struct record_totals *before,
		struct record_totals *diff)
{
	diff->ops = since(now->ops, before->ops);
	diff->bytes_in = since(now->bytes_in, before->bytes_in);
	diff->bytes_out = since(now->bytes_out, before->bytes_out);
	diff->errors = since(now->errors, before->errors);
	for (int i = 0; i < RECORD_CAUSES; i++)
		diff->cause[i] = since(now->cause[i], before->cause[i]);
	for (int i = 0; i < BASE_HIST_BUCKETS; i++) {
		diff->wait.bucket[i] = since(now->wait.bucket[i], before->wait.bucket[i]);
		diff->service.bucket[i] = since(now->service.bucket[i], before->service.bucket[i]);
	}
}

uint64_t
hist_count(const struct base_hist *h)
{
	uint64_t n = 0;

	for (int i = 0; i < BASE_HIST_BUCKETS; i++)
		n += h->bucket[i];
	return n;
}

double
hist_percentile(const struct base_hist *h, double percent)
{
	double rank = percent / 100 * (double)hist_count(h), before = 0;

	for (int i = 0; i < BASE_HIST_BUCKETS; i++) {
		double n = (double)h->bucket[i], low = i == 0 ? 0 : (double)(1ull << i);

		if (n > 0 && before + n >= rank)
			return low + ((double)(2ull << i) - low) * (rank - before) / n;
		before += n;
	}
	return 0;
}
