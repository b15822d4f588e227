/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_SERVICE_H
#define SPIMDEVD_SERVICE_H

/**
 * @file
 * The service as a whole: access points over one pool of workers.
 *
 *   main.c       start and end
 *   options.c    command line
 *   service.c    access points, event loop
 *   client.c     one connection: what its messages do to its function
 *   users.c      what each user id has
 *   ceilings.c   what all may have together
 *   owners.c     whom a user id counts as
 *   admin.c      control socket: what spimctl asks for
 *   report.c     what it is told
 *   placement.c  which CPUs a worker runs on
 *   sandbox.c    user, capabilities, system calls
 *   notify.c     the service manager
 *   log.c        log lines
 *
 * Threads: one event loop, which is the main thread, workers of the pool, and those that free
 * what clients leave (base_reap.h). The loop never waits for anything but events.
 */

#include <stdatomic.h>
#include <sys/queue.h>

#include "options.h"
#include "unread.h"
#include "users.h"
#include "vfio_user_server.h"
#include "qm_dev_pool.h"

struct admin;
struct client;
struct service;

/** What functions have done. */
struct client_totals {
	uint64_t ops;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t errors;
	uint64_t status[256]; /**< As qm_dev_stats_status(). */
	struct qm_dev_times times;
};

/** An access point. */
struct access_point {
	struct service *service;
	const struct listen_options *conf;
	struct qm_dev_group *group;

	/* Loop thread. */
	bool draining;              /**< Accepts nobody. */
	uint32_t connections;
	uint64_t accepted;          /**< Connections so far. */
	uint64_t refused;           /**< Turned away: draining, limits of the user. */
	struct client_totals ended; /**< Of connections that ended. */
};

struct service {
	const struct options *opt;
	struct vfio_user_server *server;
	struct qm_dev_pool *pool;
	struct users *users;
	struct qm_dev_budget budget; /**< Of all users together. */
	struct admin *admin;
	TAILQ_HEAD(clients, client) clients; /**< Loop thread. */
	TAILQ_HEAD(, client) waiting; /**< For client_poll_waiting(). Loop thread. */
	struct unreads unread; /**< Released, but for what their clients have not read. */
	atomic_uint ending;    /**< Clients of connections that are over, being freed. */
	uint64_t started_ms;
	struct access_point points[OPTIONS_LISTEN_MAX];

	/* What clients see; constant once made. */
	struct vfio_user_region regions[VFIO_USER_PCI_REGIONS + 1];
	struct vfio_user_irq irqs[VFIO_USER_PCI_IRQS];
	struct vfio_user_spim spim;
	struct vfio_user_device device;

	int wake_fd;               /**< Eventfd: failed is not empty, or something was freed. */
	pthread_mutex_t lock;      /**< Guards failed. */
	LIST_HEAD(, client) failed; /**< Clients whose function failed, to be closed. */
};

/** @return Milliseconds since the machine was booted: /proc tells the start of processes so. */
uint64_t service_now_ms(void);

/**
 * Take the sockets. To be done before anybody is told that the service runs, and
 * before service_start().
 * @return 0 or a negative errno; logged.
 */
int service_open(struct service *service, const struct options *opt);

/** Start the threads. @return 0 or a negative errno; logged. */
int service_start(struct service *service);

/**
 * Serve until signal_fd, a signalfd, tells of SIGTERM or SIGINT. Clients have a bounded share of
 * each turn, so that signals and the control socket never wait long.
 */
int service_run(struct service *service, int signal_fd);

/**
 * End connections and threads, remove the sockets. Also after a failed open or start.
 * @return
 *   false: after a second, requests are still being executed, or memory is being freed. Sockets
 *   and connections are gone, and all that is left to do is to end the process at once: other
 *   threads use what is left.
 */
bool service_close(struct service *service);

#endif /* SPIMDEVD_SERVICE_H */
