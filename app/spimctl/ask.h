/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_ASK_H
#define SPIMCTL_ASK_H

/**
 * @file
 * One request to the service's control socket, and its answer.
 */

#include "record.h"

/** Most bytes of a request. */
#define ASK_REQUEST_MAX 500

/** Seconds that the service may take to say something. */
#define ASK_TIMEOUT 10

/**
 * Connect, ask, read the answer.
 * @param control
 *   Path of the socket.
 * @param snap
 *   The answer, to be freed by snapshot_free(), if the return is 0; commands of clients
 *   and sums are in it.
 * @return 0, or -1: said why on standard error.
 */
int ask(const char *control, const char *request, struct snapshot *snap);

/** Write PREFIX and path as the protocol wants it into request. @return 0, or -1: too long. */
int ask_path(char request[ASK_REQUEST_MAX], const char *prefix, const char *path);

#endif /* SPIMCTL_ASK_H */
