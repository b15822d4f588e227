/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SERVICE_H
#define SERVICE_H

/** @file The service under attack: start, end, and what it has, seen from outside. */

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct service {
	char folder[64];
	char path[96];        /**< Its socket. */
	char log[96];         /**< Its standard error. */
	pid_t pid;
	struct rlimit nofile; /**< As it began. */
};

/** What it has; what attackers must leave as it was. */
struct holdings {
	unsigned int conns;
	unsigned int queues;
	unsigned int fds;
	unsigned int maps;    /**< Files of clients and doorbells that it has mapped. */
	unsigned int threads;
	unsigned long rss_kib;
};

/** Start argv[0] with argv and a --listen. @return 0, or -1 with a line about why. */
int service_start(struct service *s, char *const *argv);

/** @return Whether it runs. */
bool service_runs(const struct service *s);

/** Get them. @return 0, or -1: it does not answer. */
int service_holdings(const struct service *s, struct holdings *h);

/** End it with SIGTERM, remove what it left. @return Its exit status; -1: a signal. */
int service_end(struct service *s);

/** Print the last lines of its log. */
void service_print_log(const struct service *s);

#endif /* SERVICE_H */
