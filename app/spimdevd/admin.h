/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_ADMIN_H
#define SPIMDEVD_ADMIN_H

/**
 * @file
 * The control socket: where spimctl(8) asks what there is, and drains access points.
 *
 * A connection is one request, which is a line of words, and its answer, which is lines
 * of words too; then the service closes it. Requests:
 *
 *   points          the service and its access points
 *   clients         and all clients
 *   client ID       and one client, with its queues
 *   drain PATH      hand out nothing more at an access point; drain-all: at all
 *   undrain PATH    hand out again; undrain-all
 *
 * The answer to the last four is that to "points". Each of its lines begins with its kind
 * and has KEY=VALUE in any order; report.c has the keys. Readers must ignore kinds and keys
 * that they do not know. Bytes that are not printable, the space and '%' are written as %
 * and two hexadecimal digits, in requests as well. A histogram is a list of BUCKET:COUNT,
 * as is "status", separated by commas; buckets are those of struct qm_dev_hist. The last line
 * is "end"; without it the answer is not complete. A request that is refused is answered by
 * one line "error" and its reason, in plain text.
 *
 * Who may connect says the mode of the socket. To drain and to undrain is left to root and to
 * the user of the service.
 *
 * All runs in the event loop, a bounded share per turn. What a peer can take: one of
 * ADMIN_SESSIONS_MAX sessions (strangers leave some to the others), for at most
 * ADMIN_SESSION_MS, and for ADMIN_STALL_MS if it neither asks nor reads.
 */

#include <stddef.h>

struct admin;
struct client;
struct service;

#define ADMIN_SESSIONS_MAX   16
#define ADMIN_SESSIONS_OTHER 12    /**< At most of these are of other users. */
#define ADMIN_REQUEST_MAX    512   /**< Bytes of a request. */
#define ADMIN_STALL_MS       5000
#define ADMIN_SESSION_MS     60000

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

/** One turn: serve every session a bounded share. */
void admin_run(struct admin *admin);

/** A client is about to leave the service's list. NULL is allowed. */
void admin_forget(struct admin *admin, const struct client *client);

#endif /* SPIMDEVD_ADMIN_H */
