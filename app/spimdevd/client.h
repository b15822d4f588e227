/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_CLIENT_H
#define SPIMDEVD_CLIENT_H

/**
 * @file
 * One connection: a function of its own, and what the messages do to it.
 */

#include "service.h"
#include "qm_dev.h"
#include "zip_dev.h"

/** The region of shadow doorbells, seen only by clients that know "spim". */
#define CLIENT_REGION_DOORBELLS VFIO_USER_PCI_REGIONS

/** What the messages of a connection do. */
extern const struct vfio_user_ops client_ops;

/** How functions are made for clients of a point; name, log and the like are left out. */
struct qm_dev_conf client_dev_conf(const struct service *service,
		const struct listen_options *point, struct zip_dev_conf *zip);

/** Close the connections whose functions failed. Loop thread. */
void client_close_failed(struct service *service);

/**
 * Answer those who wait for requests that are being executed, if these are done. Loop thread.
 * @return Whether anybody still waits, so that it is to be called again.
 */
bool client_poll_waiting(struct service *service);

/* ---- For inspectors; all in the loop thread ---- */

/** The connections there are, in the order of their ids; NULL behind the last. */
struct client *client_first(const struct service *service);
struct client *client_next(const struct client *client);

/** @return The number of the newest connection; 0: there is none. */
uint64_t client_last_id(const struct service *service);

/** @return The number of the connection; no other one has had it. */
uint64_t client_id(const struct client *client);

/** What an inspector sees of a connection. */
struct client_snapshot {
	const char *path;             /**< Its access point. */
	uint64_t id;
	uint64_t since_ms;            /**< service_now_ms() when it began. */
	struct vfio_user_peer peer;
	bool negotiated;              /**< It has a function; else dev is all 0. */
	struct qm_dev_stats dev;
	struct vfio_user_conn_stats conn;
};

void client_snapshot(struct client *client, struct client_snapshot *snap);

/** Add what the client's function has done to sum. */
void client_totals_add(struct client *client, struct client_totals *sum);

/** @return 0, or -EINVAL if the client's function has no such queue. */
int client_queue_stats(const struct client *client, unsigned int queue,
		struct qm_dev_queue_stats *stats);

#endif /* SPIMDEVD_CLIENT_H */
