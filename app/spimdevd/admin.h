/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_ADMIN_H
#define SPIMDEVD_ADMIN_H

/**
 * @file
 * The control socket: where spimctl(8) asks what there is, and drains access points.
 *
 * A connection is one request, which is a line with one JSON object, and its answer, which is
 * lines of that kind too; then the service closes it. Requests:
 *
 *   {"command":"access_points"}         the service and its access points
 *   {"command":"clients"}               and all clients
 *   {"command":"client","id":7}         and one client, with its queues
 *   {"command":"drain","path":"/x"}     hand out nothing more at an access point
 *   {"command":"drain-all"}             at all of them
 *   {"command":"undrain","path":"/x"}   hand out again
 *   {"command":"undrain-all"}
 *
 * Other keys, other types and whatever lies deeper are refused; of a key that is there twice the
 * last counts. What is behind the line is not read.
 *
 * The answer to the last four is that to "access_points". Each of its lines has one member, which
 * says what it tells of:
 *
 *   {"service":{...}}, {"access_point":{...}}, {"client":{...}}, {"queue":{...}}
 *                        record.h has what is in them; spimdevd.rst, how spimctl --json differs
 *   {"end":true}         the last line; without it the answer is not complete
 *   {"error":"REASON"}   the request is refused; the only line then
 *
 * Readers must ignore kinds and keys that they do not know. A path may have any bytes but 0, which
 * are not always UTF-8: they are told as they are.
 *
 * Who may connect says the mode of the socket. To drain and to undrain is left to root and to
 * the user of the service.
 *
 * All runs in the event loop, a bounded share per turn. What a peer can take: one of
 * ADMIN_SESSIONS_MAX sessions (strangers leave some to the others), for at most
 * ADMIN_SESSION_MS. It is closed before that if its request is not complete ADMIN_STALL_MS after it
 * has connected, however it sends it, or if it reads nothing of its answer for so long.
 */

#include <stddef.h>

struct admin;
struct client;
struct service;

#define ADMIN_SESSIONS_MAX   16
#define ADMIN_SESSIONS_OTHER 12    /**< At most of these are of other users. */
#define ADMIN_REQUEST_MAX    1024  /**< Bytes of a request, its newline included. */
#define ADMIN_STALL_MS       5000  /**< For a whole request, and between reads of the answer. */
#define ADMIN_SESSION_MS     60000 /**< For all of it. */

/**
 * Listen as the options say, if they do.
 * @param admin
 *   Set to NULL if there is to be no control socket.
 * @return 0 or a negative errno; logged.
 */
int admin_open(struct service *service, struct admin **admin);

/** End sessions, remove the socket. NULL is allowed. */
void admin_close(struct admin *admin);

/** @return A descriptor that is readable when admin_run() has something to do. */
int admin_fd(const struct admin *admin);

/** @return Milliseconds after which admin_run() has something to do anyway; -1: it has not. */
int admin_timeout(const struct admin *admin);

/**
 * One turn: serve every session a bounded share.
 * @return How many were served, or a negative number.
 */
int admin_run(struct admin *admin);

/** A client is about to leave the service's list. NULL is allowed. */
void admin_forget(struct admin *admin, const struct client *client);

#endif /* SPIMDEVD_ADMIN_H */
