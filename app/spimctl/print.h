/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_PRINT_H
#define SPIMCTL_PRINT_H

/**
 * @file
 * How things look: text for people, JSON for programs.
 *
 * Names of commands and paths are other people's: bytes that are no printable UTF-8 become
 * '?' in both.
 */

#include <stdio.h>

#include "snapshot.h"

/** A line on standard error. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- Text ---- */

#define PRINT_ROOM 24

const char *print_number(uint64_t value, char room[PRINT_ROOM]);

/** Bytes, with K, M, G, T: 1024 each. */
const char *print_size(double value, char room[PRINT_ROOM]);

/** A number, with K, M, G, T: 1000 each. */
const char *print_count(double value, char room[PRINT_ROOM]);

/** Nanoseconds as us, ms or s. */
const char *print_time(double ns, char room[PRINT_ROOM]);

/** p50/p90/p99, or "-". */
const char *print_times(const struct base_hist *h, char room[3 * PRINT_ROOM]);

/** Milliseconds as days, hours, minutes or seconds. */
const char *print_age(uint64_t ms, char room[PRINT_ROOM]);

/** Text of somebody else's, made fit to be shown; as long as it was. */
const char *print_clean(const char *text, char room[RECORD_PATH_MAX]);

/* ---- JSON ---- */

/* Each is NULL without memory for it, which record_add() knows. */

struct json_object *shown_text(const char *text);

/** A number with so many digits behind the point. */
struct json_object *shown_decimal(double value, int digits);

/**
 * What record_add_fields() takes: clean texts; {"samples": N, "p50_us": X, ...} of times,
 * with percentiles that are null without samples.
 */
struct json_object *shown_field(const struct field *field, const void *value);

struct json_object *shown_record(const struct field *fields, const void *record);

/** An array of records. */
struct json_object *shown_records(const struct field *fields, const void *records, size_t cnt,
		size_t size);

/**
 * Print an object in one line, if it is complete, and free it.
 * @return 0, or -1: said that memory is out.
 */
int print_json(struct json_object *object, bool complete);

#endif /* SPIMCTL_PRINT_H */
