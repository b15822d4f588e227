/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

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
print_times(const struct record_hist *h, char room[3 * PRINT_ROOM])
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

/* @return Bytes of the printable character that text begins with, or 0. */
static size_t
character(const unsigned char *text)
{
	/* Least values, so that no character has two forms. */
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	uint32_t c = text[0];
	size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

	if (n <= 1)
		return n == 1 && c >= ' ' && c != 0x7f;
	c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	/* Surrogates, beyond the last, and marks that turn the direction of a line. */
	if (c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ||
			(c >= 0x2028 && c < 0x202f) || (c >= 0x2066 && c < 0x206a))
		return 0;
	return n;
}

const char *
print_clean(const char *text, char room[RECORD_PATH_MAX])
{
	size_t at = 0, n;

	for (; *text != '\0' && at < RECORD_PATH_MAX - 1; text += n, at += n) {
		n = character((const unsigned char *)text);
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

void
json_key(FILE *out, const char *key, bool *first)
{
	fprintf(out, "%s\"%s\": ", *first ? "" : ", ", key);
	*first = false;
}

void
json_text(FILE *out, const char *text)
{
	char clean[RECORD_PATH_MAX];

	fputc('"', out);
	for (const char *c = print_clean(text, clean); *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		fputc(*c, out);
	}
	fputc('"', out);
}

void
json_times(FILE *out, const struct record_hist *h)
{
	static const int percent[] = { 50, 90, 99 };
	uint64_t n = hist_count(h);

	fprintf(out, "{\"samples\": %" PRIu64, n);
	for (size_t i = 0; i < sizeof(percent) / sizeof(percent[0]); i++) {
		if (n == 0)
			fprintf(out, ", \"p%d_us\": null", percent[i]);
		else
			fprintf(out, ", \"p%d_us\": %.3f", percent[i],
					hist_percentile(h, percent[i]) / 1000);
	}
	fputc('}', out);
}

void
json_causes(FILE *out, const uint64_t cause[RECORD_CAUSES])
{
	bool first = true;

	fputc('{', out);
	for (int i = 0; i < RECORD_CAUSES; i++) {
		if (cause[i] == 0)
			continue;
		json_key(out, cause_names[i], &first);
		fprintf(out, "%" PRIu64, cause[i]);
	}
	fputc('}', out);
}

static void
json_field(FILE *out, const struct field *f, const void *value)
{
	const uint64_t *number = value;

	switch (f->kind) {
	case FIELD_NUMBER:
		fprintf(out, "%" PRIu64, *number);
		break;
	case FIELD_FLAG:
		fputs(*number != 0 ? "true" : "false", out);
		break;
	case FIELD_MODE:
		fprintf(out, "\"%04" PRIo64 "\"", *number);
		break;
	case FIELD_TEXT:
	case FIELD_OURS:
		json_text(out, value);
		break;
	case FIELD_TIMES:
		json_times(out, value);
		break;
	case FIELD_CAUSES:
		json_causes(out, value);
		break;
	}
}

void
json_record(FILE *out, const struct field *fields, const void *record, bool *first)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		json_key(out, f->kind == FIELD_CAUSES ? "errors_by_cause" : f->key, first);
		json_field(out, f, (const char *)record + f->offset);
	}
}

void
json_records(FILE *out, const struct field *fields, const void *records, size_t cnt, size_t size)
{
	fputc('[', out);
	for (size_t i = 0; i < cnt; i++) {
		bool first = true;

		fputs(i == 0 ? "{" : ", {", out);
		json_record(out, fields, (const char *)records + i * size, &first);
		fputc('}', out);
	}
	fputc(']', out);
}
