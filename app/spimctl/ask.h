/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_ASK_H
#define SPIMCTL_ASK_H

/**
 * @file
 * One request to the service's control socket, and its answer.
 */

#include "snapshot.h"

/** Seconds that the service may take to say something. */
#define ASK_TIMEOUT 10

/** What to ask for; admin.h of the service describes it. */
struct request {
	const char *command;
	const char *path;   /**< NULL: none. */
	const uint64_t *id; /**< NULL: none. */
};

/**
 * Connect, ask, read the answer.
 * @param control
 *   Path of the socket.
 * @param snap
 *   The answer, to be freed by snapshot_free(), if the return is 0; commands of clients
 *   and sums are in it.
 * @return 0, or -1: said why on standard error.
 */
int ask(const char *control, const struct request *request, struct snapshot *snap);

#endif /* SPIMCTL_ASK_H */
