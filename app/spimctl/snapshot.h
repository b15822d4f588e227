/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_SNAPSHOT_H
#define SPIMCTL_SNAPSHOT_H

/**
 * @file
 * One answer of the service, taken in line by line, and what follows from its counters.
 */

#include "record.h"

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

/**
 * Take in a line without its newline.
 * @return 0, -ENOMEM, or -EINVAL: no line of an answer.
 */
int snapshot_line(struct snapshot *snap, const char *line, size_t len);

/** Add what clients did to their access points. */
void snapshot_sum(struct snapshot *snap);

/** @return The access point with this path, or NULL. */
const struct record_point *snapshot_point(const struct snapshot *snap, const char *path);

void snapshot_free(struct snapshot *snap);

/** What happened from before to now; 0 where it went backwards. */
void totals_since(const struct record_totals *now, const struct record_totals *before,
		struct record_totals *diff);

/** @return How many are counted. */
uint64_t hist_count(const struct base_hist *h);

/**
 * @param percent
 *   0 to 100.
 * @return Nanoseconds, as if times were spread evenly in their bucket; 0 if there are none.
 */
double hist_percentile(const struct base_hist *h, double percent);

#endif /* SPIMCTL_SNAPSHOT_H */
