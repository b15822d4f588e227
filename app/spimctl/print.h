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

#include "record.h"

/** A line on standard error. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- Text ---- */

#define PRINT_ROOM 24

/** Bytes, with K, M, G, T: 1024 each. */
const char *print_size(double value, char room[PRINT_ROOM]);

/** A number, with K, M, G, T: 1000 each. */
const char *print_count(double value, char room[PRINT_ROOM]);

/** Nanoseconds as us, ms or s. */
const char *print_time(double ns, char room[PRINT_ROOM]);

/** p50/p90/p99, or "-". */
const char *print_times(const struct record_hist *h, char room[3 * PRINT_ROOM]);

/** Milliseconds as days, hours, minutes or seconds. */
const char *print_age(uint64_t ms, char room[PRINT_ROOM]);

/** Text of somebody else's, made fit to be shown; as long as it was. */
const char *print_clean(const char *text, char room[RECORD_PATH_MAX]);

/* ---- JSON ---- */

/** A key with what follows left to the caller; *first is whether it is the first. */
void json_key(FILE *out, const char *key, bool *first);

void json_text(FILE *out, const char *text);

/** {"samples": N, "p50_us": X, ...}; the percentiles are null without samples. */
void json_times(FILE *out, const struct record_hist *h);

/** All causes that are not 0. */
void json_causes(FILE *out, const uint64_t cause[RECORD_CAUSES]);

/** The members of a record, without braces. */
void json_record(FILE *out, const struct field *fields, const void *record, bool *first);

/** An array of records, each an object. */
void json_records(FILE *out, const struct field *fields, const void *records, size_t cnt,
		size_t size);

#endif /* SPIMCTL_PRINT_H */
