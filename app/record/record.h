/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef RECORD_H
#define RECORD_H

/**
 * @file
 * What the service tells spimctl over the control socket: structures, the tables of their
 * fields, and both ways between a structure and JSON. admin.h of the service describes the
 * protocol; the keys are those of the tables.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json.h>

#include "base_hist.h"

#define RECORD_PATH_MAX 108 /**< Bytes of a path, its NUL included. */
#define RECORD_CAUSES   10  /**< Kinds of errors; the last is all that are not told apart. */

/** Most bytes of the JSON text of a record, whatever is in it. */
#define RECORD_TEXT_MAX 4096

struct record_totals {
	uint64_t ops;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t errors;
	uint64_t cause[RECORD_CAUSES]; /**< Of errors. */
	struct base_hist wait;
	struct base_hist service;
};

struct record_service {
	char version[32];
	uint64_t pid;
	uint64_t uptime_ms;
	uint64_t connections, accepted, refused;
	uint64_t workers, workers_asleep;
	uint64_t queues, queues_awake, queues_peak, queues_max;
	uint64_t ops, bytes_in, bytes_out; /**< Of ended clients, too. */
	uint64_t wakes, sleeps;
};

/** An access point. */
struct record_point {
	char path[RECORD_PATH_MAX];
	char mode[8];                /**< Permissions, octal. */
	uint64_t weight, reserve;
	uint64_t draining;
	uint64_t connections, accepted, refused;
	uint64_t queues, queues_peak, queues_refused;
	struct record_totals totals; /**< The service tells those of clients that ended. */
};

struct record_client {
	uint64_t id;
	char path[RECORD_PATH_MAX];
	uint64_t pid, uid, gid;
	char command[32];            /**< spimctl's: see process.h there. */
	uint64_t age_ms;
	uint64_t negotiated;
	uint64_t queues, streams;
	uint64_t maps, files, mapped;
	uint64_t messages, message_errors;
	uint64_t irqs, resets, mailbox_errors, doorbells_dropped;
	struct record_totals totals;
};

struct record_queue {
	uint64_t number;
	uint64_t live, asleep;
	uint64_t waiting, inflight;
	struct record_totals totals; /**< No cause is told. */
};

enum field_kind {
	FIELD_NUMBER, /**< uint64_t. */
	FIELD_FLAG,   /**< uint64_t, true or false. */
	FIELD_TEXT,   /**< char[]. */
	FIELD_OURS,   /**< char[]; the service does not tell it. */
	FIELD_TIMES,  /**< struct base_hist: an array of counts, as far as there are some. */
	FIELD_CAUSES, /**< RECORD_CAUSES numbers: an object of those that are not 0. */
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	size_t size;
};

#define RECORD_FIELD(type, member, name, k) \
	{ name, k, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

/* Ended by a field without key. */
extern const struct field service_fields[];
extern const struct field point_fields[];
extern const struct field client_fields[];
extern const struct field queue_fields[];
extern const struct field totals_fields[]; /**< Times and causes of struct record_totals. */

/** Names of the causes. */
extern const char *const cause_names[RECORD_CAUSES];

/** @return The cause that the status of a request is, or -1: it is no error. */
int record_cause(unsigned int status);

/**
 * Add a value to an object, or without a key to an array, and have it freed with that.
 * @param key
 *   A constant that the object does not have yet.
 * @return false: out of memory, also if to or value is NULL; the value is freed.
 */
bool record_add(struct json_object *to, const char *key, struct json_object *value);

/**
 * Add a record's fields to an object, each as record_add() does.
 * @param shown
 *   How a text or times are shown; NULL: as the control socket has them.
 */
bool record_add_fields(struct json_object *to, const struct field *fields, const void *record,
		struct json_object *(*shown)(const struct field *field, const void *value));

/** @return The object if it is complete; else NULL, and it is freed. */
struct json_object *record_whole(struct json_object *object, bool complete);

/**
 * The record that an object tells of. Keys that no field has are of a later version; fields
 * without a key stay as they are.
 * @return 0, or -EINVAL: a value of another type, or out of its range.
 */
int record_from_json(const struct field *fields, void *record, struct json_object *from);

/**
 * Parse a line, which is to be an object. Whoever wrote it: memory is bounded by its length, and
 * only JSON passes, no deeper than told, but for
 * - texts that are no UTF-8: paths are such;
 * - numbers with a zero too many in front (00, -01, 01.5; but not 01), or without a digit before or
 *   behind the point (-.5, 1.).
 * Of JSON, it refuses digits in a row that are more than UINT64_MAX, in whatever part of a number.
 * What has no exact value (1e400, -9223372036854775809) is no number for record_number().
 * @param len
 *   INT_MAX at most.
 * @param depth
 *   Levels of values: 2 for an object of numbers and texts.
 * @return The object, to be freed by json_object_put(), or NULL: it is none.
 */
struct json_object *record_parse(const char *line, size_t len, int depth);

/** @return Its number, if it is of digits only, and UINT64_MAX at most: true. */
bool record_number(struct json_object *from, uint64_t *number);

/** @return Its text, if it is one of less than size bytes and has no byte 0; else NULL. */
const char *record_text(struct json_object *from, size_t size);

/** The text of an object, in one line, without a newline. Valid as long as the object is. */
const char *record_line(struct json_object *object, size_t *len);

#endif /* RECORD_H */
