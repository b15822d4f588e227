/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_RECORD_H
#define SPIMCTL_RECORD_H

/**
 * @file
 * What the service tells, as structures, and the table of their fields: it says how a
 * field is read from the service's lines, and how it is written as JSON.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_BUCKETS  40
#define RECORD_PATH_MAX 108
#define RECORD_CAUSES   10 /**< Kinds of errors; the last is all that we do not know. */

/** Times in nanoseconds; bucket[n] counts those in [2^n, 2^(n+1)), bucket[0] also 0. */
struct record_hist {
	uint64_t bucket[RECORD_BUCKETS];
};

struct record_totals {
	uint64_t ops;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t errors;
	uint64_t cause[RECORD_CAUSES];
	struct record_hist wait;
	struct record_hist service;
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
	uint64_t mode;
	uint64_t weight, reserve;
	uint64_t draining;
	uint64_t connections, accepted, refused;
	uint64_t queues, queues_peak, queues_refused;
	struct record_totals totals; /**< Of ended clients, until snapshot_sum(). */
};

struct record_client {
	uint64_t id;
	char path[RECORD_PATH_MAX];
	uint64_t pid, uid, gid;
	char command[32];            /**< Ours: see process.h. */
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

/** One answer of the service. */
struct snapshot {
	struct record_service service;
	struct record_point *points;
	size_t points_cnt;
	struct record_client *clients;
	size_t clients_cnt;
	struct record_queue *queues;
	size_t queues_cnt;
	bool complete;               /**< The last line was there. */
	char error[160];             /**< Why the request was refused, or "". */
};

enum field_kind {
	FIELD_NUMBER,
	FIELD_FLAG,
	FIELD_MODE,   /**< Permissions. */
	FIELD_TEXT,
	FIELD_OURS,   /**< Text that the service does not tell. */
	FIELD_TIMES,  /**< struct record_hist. */
	FIELD_CAUSES, /**< RECORD_CAUSES numbers. */
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	size_t size;
};

/* Ended by a field without key. */
extern const struct field service_fields[];
extern const struct field point_fields[];
extern const struct field client_fields[];
extern const struct field queue_fields[];

/** Names of the causes. */
extern const char *const cause_names[RECORD_CAUSES];

/** Take in a line without its newline, which is changed. @return 0 or -ENOMEM. */
int snapshot_line(struct snapshot *snap, char *line);

/** Add what clients did to their access points. */
void snapshot_sum(struct snapshot *snap);

/** @return The access point with this path, or NULL. */
const struct record_point *snapshot_point(const struct snapshot *snap, const char *path);

void snapshot_free(struct snapshot *snap);

/** What happened from before to now; 0 where it went backwards. */
void totals_since(const struct record_totals *now, const struct record_totals *before,
		struct record_totals *diff);

/** @return How many are counted. */
uint64_t hist_count(const struct record_hist *h);

/**
 * @param percent
 *   0 to 100.
 * @return Nanoseconds, as if times were spread evenly in their bucket; 0 if there are none.
 */
double hist_percentile(const struct record_hist *h, double percent);

#endif /* SPIMCTL_RECORD_H */
