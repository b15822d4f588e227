/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include "hisi_zip_sqe.h"
#include "record.h"

#define N(type, member) RECORD_FIELD(type, member, #member, FIELD_NUMBER)
#define COUNTS(type) \
	RECORD_FIELD(type, totals.ops, "ops", FIELD_NUMBER), \
	RECORD_FIELD(type, totals.bytes_in, "bytes_in", FIELD_NUMBER), \
	RECORD_FIELD(type, totals.bytes_out, "bytes_out", FIELD_NUMBER), \
	RECORD_FIELD(type, totals.errors, "errors", FIELD_NUMBER)
#define CAUSES(type) RECORD_FIELD(type, totals.cause, "errors_by_cause", FIELD_CAUSES)
#define TIMES(type) \
	RECORD_FIELD(type, totals.wait, "wait", FIELD_TIMES), \
	RECORD_FIELD(type, totals.service, "service", FIELD_TIMES)

const struct field service_fields[] = {
#define S(member) N(record_service, member)
	RECORD_FIELD(record_service, version, "version", FIELD_TEXT),
	S(pid), S(uptime_ms), S(connections), S(accepted), S(refused), S(workers),
	S(workers_asleep), S(queues), S(queues_awake), S(queues_peak), S(queues_max), S(ops),
	S(bytes_in), S(bytes_out), S(wakes), S(sleeps),
#undef S
	{ 0 },
};

const struct field point_fields[] = {
#define P(member) N(record_point, member)
	RECORD_FIELD(record_point, path, "path", FIELD_TEXT),
	RECORD_FIELD(record_point, mode, "mode", FIELD_TEXT),
	P(weight), P(reserve),
	RECORD_FIELD(record_point, draining, "draining", FIELD_FLAG),
	P(connections), P(accepted), P(refused), P(queues), P(queues_peak), P(queues_refused),
	COUNTS(record_point), CAUSES(record_point), TIMES(record_point),
#undef P
	{ 0 },
};

const struct field client_fields[] = {
#define C(member) N(record_client, member)
	C(id),
	RECORD_FIELD(record_client, path, "path", FIELD_TEXT),
	C(pid), C(uid), C(gid),
	RECORD_FIELD(record_client, command, "command", FIELD_OURS),
	C(age_ms),
	RECORD_FIELD(record_client, negotiated, "negotiated", FIELD_FLAG),
	C(queues), C(streams), C(maps), C(files), C(mapped), C(messages), C(message_errors),
	C(irqs), C(resets), C(mailbox_errors), C(doorbells_dropped),
	COUNTS(record_client), CAUSES(record_client), TIMES(record_client),
#undef C
	{ 0 },
};

const struct field queue_fields[] = {
#define Q(member) N(record_queue, member)
	Q(number),
	RECORD_FIELD(record_queue, live, "live", FIELD_FLAG),
	RECORD_FIELD(record_queue, asleep, "asleep", FIELD_FLAG),
	Q(waiting), Q(inflight),
	COUNTS(record_queue), TIMES(record_queue),
#undef Q
	{ 0 },
};

const struct field totals_fields[] = {
	RECORD_FIELD(record_totals, wait, "wait", FIELD_TIMES),
	RECORD_FIELD(record_totals, service, "service", FIELD_TIMES),
	RECORD_FIELD(record_totals, cause, "errors_by_cause", FIELD_CAUSES),
	{ 0 },
};

/* ---- Causes ---- */

const char *const cause_names[RECORD_CAUSES] = {
	"output_full", "bad_checksum", "bad_data", "bad_descriptor", "bad_address", "bad_sgl",
	"bad_stream", "no_stream", "internal", "other",
};

int
record_cause(unsigned int status)
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
			2 + (int)(status - HISI_ZIP_BAD_DATA) : RECORD_CAUSES - 1;
	}
}

/* ---- To JSON ---- */

bool
record_add(struct json_object *to, const char *key, struct json_object *value)
{
	if (to != NULL && value != NULL && (key == NULL ?
			json_object_array_add(to, value) :
			json_object_object_add_ex(to, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW |
				JSON_C_OBJECT_ADD_CONSTANT_KEY)) == 0)
		return true;
	json_object_put(value);
	return false;
}

struct json_object *
record_whole(struct json_object *object, bool complete)
{
	if (complete)
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_object *
times_to_json(const struct base_hist *h)
{
	struct json_object *array = json_object_new_array();
	bool complete = array != NULL;
	int n = BASE_HIST_BUCKETS;

	while (n > 0 && h->bucket[n - 1] == 0)
		n--;
	for (int i = 0; i < n && complete; i++)
		complete = record_add(array, NULL, json_object_new_uint64(h->bucket[i]));
	return record_whole(array, complete);
}

static struct json_object *
causes_to_json(const uint64_t *cause)
{
	struct json_object *object = json_object_new_object();
	bool complete = object != NULL;

	for (int i = 0; i < RECORD_CAUSES && complete; i++)
		if (cause[i] != 0)
			complete = record_add(object, cause_names[i],
					json_object_new_uint64(cause[i]));
	return record_whole(object, complete);
}

static struct json_object *
value_to_json(const struct field *f, const void *value)
{
	switch (f->kind) {
	case FIELD_NUMBER:
		return json_object_new_uint64(*(const uint64_t *)value);
	case FIELD_FLAG:
		return json_object_new_boolean(*(const uint64_t *)value != 0);
	case FIELD_TEXT:
	case FIELD_OURS:
		return json_object_new_string(value);
	case FIELD_TIMES:
		return times_to_json(value);
	case FIELD_CAUSES:
		return causes_to_json(value);
	}
	return NULL;
}

bool
record_add_fields(struct json_object *to, const struct field *fields, const void *record,
		struct json_object *(*shown)(const struct field *field, const void *value))
{
	bool complete = true;

	for (const struct field *f = fields; f->key != NULL && complete; f++) {
		const void *value = (const char *)record + f->offset;
		bool is_text = f->kind == FIELD_TEXT || f->kind == FIELD_OURS ||
			f->kind == FIELD_TIMES;

		if (shown != NULL || f->kind != FIELD_OURS)
			complete = record_add(to, f->key, shown != NULL && is_text ?
					shown(f, value) : value_to_json(f, value));
	}
	return complete;
}

const char *
record_line(struct json_object *object, size_t *len)
{
	return json_object_to_json_string_length(object,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
}

/* ---- From JSON ---- */

/* Whether so many digits, without leading zeros, are a number that uint64_t holds. */
static bool
fits(const char *digits, size_t n)
{
	static const char most[] = "18446744073709551615";

	return n < sizeof(most) - 1 ||
		(n == sizeof(most) - 1 && memcmp(digits, most, n) <= 0);
}

/*
 * Whether a line is of bytes that JSON has, and its numbers are of digits that fit. json-c, also
 * when strict, takes 'texts', NaN, Infinity and control characters in texts, ignores what
 * is behind a byte 0, and makes UINT64_MAX of each number above.
 */
static bool
has_json_bytes(const char *line, size_t len)
{
	/* Outside of texts: signs, numbers, and the letters of true, false and null. */
	static const char known[] = " \t\r\n{}[]:,\"+-.0123456789Eaeflnrstu";
	bool in_text = false;

	for (size_t i = 0; i < len; i++) {
		size_t n = 0;

		if (line[i] == '"') {
			in_text = !in_text;
		} else if (in_text) {
			if ((unsigned char)line[i] < ' ')
				return false;
			i += line[i] == '\\';
		} else {
			if (memchr(known, line[i], sizeof(known) - 1) == NULL)
				return false;
			while (i + n < len && line[i + n] >= '0' && line[i + n] <= '9')
				n++;
			if (!fits(line + i, n))
				return false;
			i += n > 0 ? n - 1 : 0;
		}
	}
	return true;
}

struct json_object *
record_parse(const char *line, size_t len, int depth)
{
	struct json_tokener *tok;
	struct json_object *object;

	if (!has_json_bytes(line, len))
		return NULL;
	tok = json_tokener_new_ex(depth);
	if (tok == NULL)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tok, line, (int)len);
	if (!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tok);
	return object;
}

bool
record_number(struct json_object *from, uint64_t *number)
{
	if (!json_object_is_type(from, json_type_int) || json_object_get_int64(from) < 0)
		return false;
	*number = json_object_get_uint64(from);
	return true;
}

const char *
record_text(struct json_object *from, size_t size)
{
	size_t len = (size_t)json_object_get_string_len(from);
	const char *text;

	if (!json_object_is_type(from, json_type_string) || len >= size)
		return NULL;
	text = json_object_get_string(from);
	return memchr(text, '\0', len) == NULL ? text : NULL;
}

static bool
times_from_json(struct base_hist *h, struct json_object *from)
{
	size_t n;

	if (!json_object_is_type(from, json_type_array))
		return false;
	n = json_object_array_length(from);
	if (n > BASE_HIST_BUCKETS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!record_number(json_object_array_get_idx(from, i), &h->bucket[i]))
			return false;
	return true;
}

static bool
causes_from_json(uint64_t *cause, struct json_object *from)
{
	if (!json_object_is_type(from, json_type_object))
		return false;
	for (int i = 0; i < RECORD_CAUSES; i++) {
		struct json_object *value;

		if (json_object_object_get_ex(from, cause_names[i], &value) &&
				!record_number(value, &cause[i]))
			return false;
	}
	return true;
}

static bool
value_from_json(const struct field *f, void *to, struct json_object *from)
{
	const char *text;

	switch (f->kind) {
	case FIELD_NUMBER:
		return record_number(from, to);
	case FIELD_FLAG:
		*(uint64_t *)to = (uint64_t)json_object_get_boolean(from);
		return json_object_is_type(from, json_type_boolean);
	case FIELD_TEXT:
		text = record_text(from, f->size);
		if (text != NULL)
			strcpy(to, text);
		return text != NULL;
	case FIELD_OURS:
		return true;
	case FIELD_TIMES:
		return times_from_json(to, from);
	case FIELD_CAUSES:
		return causes_from_json(to, from);
	}
	return false;
}

int
record_from_json(const struct field *fields, void *record, struct json_object *from)
{
	if (!json_object_is_type(from, json_type_object))
		return -EINVAL;
	for (const struct field *f = fields; f->key != NULL; f++) {
		struct json_object *value;

		if (json_object_object_get_ex(from, f->key, &value) &&
				!value_from_json(f, (char *)record + f->offset, value))
			return -EINVAL;
	}
	return 0;
}
