/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_zip_sqe.h"
#include "record.h"

#define FIELD(type, member, name, k) \
	{ name, k, offsetof(struct type, member), sizeof(((struct type *)0)->member) }
#define N(type, member) FIELD(type, member, #member, FIELD_NUMBER)
#define COUNTS(type) \
	FIELD(type, totals.ops, "ops", FIELD_NUMBER), \
	FIELD(type, totals.bytes_in, "bytes_in", FIELD_NUMBER), \
	FIELD(type, totals.bytes_out, "bytes_out", FIELD_NUMBER), \
	FIELD(type, totals.errors, "errors", FIELD_NUMBER)
#define CAUSES(type) FIELD(type, totals.cause, "status", FIELD_CAUSES)
#define TIMES(type) \
	FIELD(type, totals.wait, "wait", FIELD_TIMES), \
	FIELD(type, totals.service, "service", FIELD_TIMES)

const struct field service_fields[] = {
#define S(member) N(record_service, member)
	FIELD(record_service, version, "version", FIELD_TEXT),
	S(pid), S(uptime_ms), S(connections), S(accepted), S(refused), S(workers),
	S(workers_asleep), S(queues), S(queues_awake), S(queues_peak), S(queues_max), S(ops),
	S(bytes_in), S(bytes_out), S(wakes), S(sleeps),
#undef S
	{ 0 },
};

const struct field point_fields[] = {
#define P(member) N(record_point, member)
	FIELD(record_point, path, "path", FIELD_TEXT),
	FIELD(record_point, mode, "mode", FIELD_MODE),
	P(weight), P(reserve),
	FIELD(record_point, draining, "draining", FIELD_FLAG),
	P(connections), P(accepted), P(refused), P(queues), P(queues_peak), P(queues_refused),
	COUNTS(record_point), CAUSES(record_point), TIMES(record_point),
#undef P
	{ 0 },
};

const struct field client_fields[] = {
#define C(member) N(record_client, member)
	C(id),
	FIELD(record_client, path, "path", FIELD_TEXT),
	C(pid), C(uid), C(gid),
	FIELD(record_client, command, "command", FIELD_OURS),
	C(age_ms),
	FIELD(record_client, negotiated, "negotiated", FIELD_FLAG),
	C(queues), C(streams), C(maps), C(files), C(mapped), C(messages), C(message_errors),
	C(irqs), C(resets), C(mailbox_errors), C(doorbells_dropped),
	COUNTS(record_client), CAUSES(record_client), TIMES(record_client),
#undef C
	{ 0 },
};

const struct field queue_fields[] = {
#define Q(member) N(record_queue, member)
	Q(number),
	FIELD(record_queue, live, "live", FIELD_FLAG),
	FIELD(record_queue, asleep, "asleep", FIELD_FLAG),
	Q(waiting), Q(inflight),
	COUNTS(record_queue), TIMES(record_queue),
#undef Q
	{ 0 },
};

/* ---- Causes ---- */

enum { CAUSE_OTHER = RECORD_CAUSES - 1 };

const char *const cause_names[RECORD_CAUSES] = {
	"output_full", "bad_checksum", "bad_data", "bad_descriptor", "bad_address", "bad_sgl",
	"bad_stream", "no_stream", "internal", "other",
};

/* @return The cause that a status is, or -1: it is no error. */
static int
cause(uint64_t status)
{
	switch (status) {
	case HISI_ZIP_NEGACOMPRESS:
	case HISI_ZIP_DECOMP_END:
		return -1;
	case HISI_ZIP_DSTLEN_OUT:
		return 0;
	case HISI_ZIP_CRC_ERR:
		return 1;
	default:
		return status >= HISI_ZIP_BAD_DATA && status <= HISI_ZIP_INTERNAL ?
			2 + (int)(status - HISI_ZIP_BAD_DATA) : CAUSE_OTHER;
	}
}

/* ---- Lines ---- */

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
take_text(const char *value, char *to, size_t size)
{
	size_t n = 0;

	for (; *value != '\0' && n < size - 1; value++) {
		int high = value[0] == '%' ? hex(value[1]) : -1;
		int low = high < 0 ? -1 : hex(value[2]);

		if (low < 0) {
			to[n++] = *value;
			continue;
		}
		to[n++] = (char)(high << 4 | low);
		value += 2;
	}
	to[n] = '\0';
}

/* A list of INDEX:COUNT. */
static void
take_counts(const char *value, enum field_kind kind, uint64_t *to)
{
	char *end;

	while (*value != '\0') {
		uint64_t index = strtoull(value, &end, 10), count;

		if (*end != ':')
			return;
		count = strtoull(end + 1, &end, 10);
		if (kind == FIELD_TIMES && index < RECORD_BUCKETS)
			to[index] += count;
		else if (kind == FIELD_CAUSES && cause(index) >= 0)
			to[cause(index)] += count;
		value = *end == ',' ? end + 1 : end;
		if (*end != ',' && *end != '\0')
			return;
	}
}

static void
take_field(const struct field *fields, void *record, const char *key, const char *value)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		void *to = (char *)record + f->offset;

		if (strcmp(f->key, key) != 0)
			continue;
		switch (f->kind) {
		case FIELD_NUMBER:
		case FIELD_FLAG:
		case FIELD_MODE:
			*(uint64_t *)to = strtoull(value, NULL, 10);
			break;
		case FIELD_TEXT:
			take_text(value, to, f->size);
			break;
		case FIELD_OURS:
			break;
		case FIELD_TIMES:
		case FIELD_CAUSES:
			take_counts(value, f->kind, to);
			break;
		}
		return;
	}
}

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

int
snapshot_line(struct snapshot *snap, char *line)
{
	char *rest = NULL, *word = strtok_r(line, " ", &rest);
	const struct field *fields;
	void *record;

	if (word == NULL)
		return 0;
	if (strcmp(word, "service") == 0) {
		fields = service_fields;
		record = &snap->service;
	} else if (strcmp(word, "point") == 0) {
		fields = point_fields;
		record = more((void **)&snap->points, &snap->points_cnt, sizeof(*snap->points));
	} else if (strcmp(word, "client") == 0) {
		fields = client_fields;
		record = more((void **)&snap->clients, &snap->clients_cnt,
				sizeof(*snap->clients));
	} else if (strcmp(word, "queue") == 0) {
		fields = queue_fields;
		record = more((void **)&snap->queues, &snap->queues_cnt, sizeof(*snap->queues));
	} else {
		if (strcmp(word, "end") == 0)
			snap->complete = true;
		else if (strcmp(word, "error") == 0)
			snprintf(snap->error, sizeof(snap->error), "%s", rest);
		return 0; /* a kind of a later version */
	}
	if (record == NULL)
		return -ENOMEM;
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		char *value = strchr(word, '=');

		if (value == NULL)
			continue;
		*value = '\0';
		take_field(fields, record, word, value + 1);
	}
	return 0;
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
	for (int i = 0; i < RECORD_BUCKETS; i++) {
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
	for (int i = 0; i < RECORD_BUCKETS; i++) {
		diff->wait.bucket[i] = since(now->wait.bucket[i], before->wait.bucket[i]);
		diff->service.bucket[i] = since(now->service.bucket[i], before->service.bucket[i]);
	}
}

uint64_t
hist_count(const struct record_hist *h)
{
	uint64_t n = 0;

	for (int i = 0; i < RECORD_BUCKETS; i++)
		n += h->bucket[i];
	return n;
}

double
hist_percentile(const struct record_hist *h, double percent)
{
	double rank = percent / 100 * (double)hist_count(h), before = 0;

	for (int i = 0; i < RECORD_BUCKETS; i++) {
		double n = (double)h->bucket[i], low = i == 0 ? 0 : (double)(1ull << i);

		if (n > 0 && before + n >= rank)
			return low + ((double)(2ull << i) - low) * (rank - before) / n;
		before += n;
	}
	return 0;
}
