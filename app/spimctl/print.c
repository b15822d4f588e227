/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base_text.h"
#include "print.h"

void
complain(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("spimctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- Text ---- */

const char *
print_number(uint64_t value, char room[PRINT_ROOM])
{
	snprintf(room, PRINT_ROOM, "%" PRIu64, value);
	return room;
}

static const char *
scaled(double value, double base, char room[PRINT_ROOM])
{
	static const char suffixes[] = "KMGTPE";
	int i = -1;

	/* No more than three digits in front. */
	while (value >= 999.5 && i + 1 < (int)sizeof(suffixes) - 1) {
		value /= base;
		i++;
	}
	if (i < 0)
		snprintf(room, PRINT_ROOM, "%.0f", value);
	else
		snprintf(room, PRINT_ROOM, "%.*f%c", value < 9.95 ? 1 : 0, value, suffixes[i]);
	return room;
}

const char *
print_size(double value, char room[PRINT_ROOM])
{
	return scaled(value, 1024, room);
}

const char *
print_count(double value, char room[PRINT_ROOM])
{
	return scaled(value, 1000, room);
}

const char *
print_time(double ns, char room[PRINT_ROOM])
{
	static const char *const units[] = { "us", "ms", "s" };
	double value = ns / 1000;
	int i = 0;

	while (value >= 999.5 && i < 2) {
		value /= 1000;
		i++;
	}
	snprintf(room, PRINT_ROOM, "%.*f%s", value < 9.95 ? 1 : 0, value, units[i]);
	return room;
}

const char *
print_times(const struct base_hist *h, char room[3 * PRINT_ROOM])
{
	char p50[PRINT_ROOM], p90[PRINT_ROOM], p99[PRINT_ROOM];

	if (hist_count(h) == 0)
		return strcpy(room, "-");
	snprintf(room, 3 * PRINT_ROOM, "%s/%s/%s", print_time(hist_percentile(h, 50), p50),
			print_time(hist_percentile(h, 90), p90),
			print_time(hist_percentile(h, 99), p99));
	return room;
}

const char *
print_age(uint64_t ms, char room[PRINT_ROOM])
{
	uint64_t s = ms / 1000;

	if (s < 60)
		snprintf(room, PRINT_ROOM, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(room, PRINT_ROOM, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(room, PRINT_ROOM, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(room, PRINT_ROOM, "%" PRIu64 "d%02" PRIu64 "h", s / 86400,
				s / 3600 % 24);
	return room;
}

const char *
print_clean(const char *text, char room[RECORD_PATH_MAX])
{
	size_t at = 0, n;

	for (; *text != '\0' && at < RECORD_PATH_MAX - 1; text += n, at += n) {
		n = base_text_character(text);
		if (n == 0 || at + n >= RECORD_PATH_MAX) {
			room[at] = '?';
			n = 1;
		} else {
			memcpy(room + at, text, n);
		}
	}
	room[at] = '\0';
	return room;
}

/* ---- JSON ---- */

struct json_object *
shown_text(const char *text)
{
	char clean[RECORD_PATH_MAX];

	return json_object_new_string(print_clean(text, clean));
}

struct json_object *
shown_decimal(double value, int digits)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*f", digits, value);
	return json_object_new_double_s(value, text);
}

static struct json_object *
shown_times(const struct base_hist *h)
{
	static const struct {
		const char *key;
		double percent;
	} percentiles[] = { { "p50_us", 50 }, { "p90_us", 90 }, { "p99_us", 99 } };
	struct json_object *object = json_object_new_object();
	uint64_t n = hist_count(h);
	bool complete = record_add(object, "samples", json_object_new_uint64(n));

	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]) && complete; i++)
		complete = n == 0 ?
			json_object_object_add(object, percentiles[i].key, NULL) == 0 :
			record_add(object, percentiles[i].key, shown_decimal(
				hist_percentile(h, percentiles[i].percent) / 1000, 3));
	return record_whole(object, complete);
}

struct json_object *
shown_field(const struct field *field, const void *value)
{
	return field->kind == FIELD_TIMES ? shown_times(value) : shown_text(value);
}

struct json_object *
shown_record(const struct field *fields, const void *record)
{
	struct json_object *object = json_object_new_object();

	return record_whole(object, record_add_fields(object, fields, record, shown_field));
}

struct json_object *
shown_records(const struct field *fields, const void *records, size_t cnt, size_t size)
{
	struct json_object *array = json_object_new_array();
	bool complete = array != NULL;

	for (size_t i = 0; i < cnt && complete; i++)
		complete = record_add(array, NULL,
				shown_record(fields, (const char *)records + i * size));
	return record_whole(array, complete);
}

int
print_json(struct json_object *object, bool complete)
{
	const char *text = !complete ? NULL : json_object_to_json_string_ext(object,
			JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text != NULL)
		puts(text);
	else
		complain("out of memory");
	json_object_put(object);
	return text != NULL ? 0 : -1;
}
