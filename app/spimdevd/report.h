/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_REPORT_H
#define SPIMDEVD_REPORT_H

/**
 * @file
 * What the control socket tells of the service: lines in the form that admin.h describes,
 * made some at a time while the service goes on. So a report of many clients is no picture
 * of one moment: a client that ends meanwhile may be missing both in its own line and in the
 * counters of its access point.
 *
 * The loop thread's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct service;

/** Room that report_more() needs. */
#define REPORT_ROOM 16384

enum report_stage {
	REPORT_SERVICE,
	REPORT_POINTS,
	REPORT_CLIENTS,
	REPORT_QUEUES,
	REPORT_END,
	REPORT_DONE,
};

struct report {
	struct service *service;
	enum report_stage stage;
	bool clients;        /**< Tell of clients. */
	bool one;            /**< Of the one in next only, with its queues. */
	unsigned int point;  /**< The next access point. */
	unsigned int queue;  /**< The next queue. */
	struct client *next; /**< The next client, or NULL. */
	uint64_t last;       /**< The number of the newest one, when the report began. */
};

/** Access points, with clients or without. */
void report_begin(struct report *r, struct service *service, bool clients);

/** Access points, and one client. @return 0, or -ENOENT: no connection has this number. */
int report_begin_client(struct report *r, struct service *service, uint64_t id);

/**
 * The next lines, a bounded number.
 * @param buf
 *   REPORT_ROOM bytes.
 * @return Bytes, or 0 when all is told, or out of memory.
 */
size_t report_more(struct report *r, char *buf);

/** A client is about to leave the service's list. */
void report_forget(struct report *r, const struct client *client);

#endif /* SPIMDEVD_REPORT_H */
