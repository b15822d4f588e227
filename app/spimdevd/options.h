/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_OPTIONS_H
#define SPIMDEVD_OPTIONS_H

/**
 * @file
 * The command line of the service, parsed and checked. The manual page
 * spimdevd(8) is its description for users.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OPTIONS_LISTEN_MAX 64  /**< Access points. */
#define OPTIONS_PATH_MAX   107 /**< Longest path that fits a socket address. */
#define OPTIONS_WEIGHT_MAX 1000

/** Behind the path of the first access point: the control socket, unless --control is given. */
#define OPTIONS_CONTROL_SUFFIX ".control"
#define OPTIONS_CONTROL_MODE   0600

/** One --listen: an access point; and --control, of which path and mode count. */
struct listen_options {
	char path[OPTIONS_PATH_MAX + 1];
	uint32_t reserve; /**< Queues kept for its clients. */
	uint32_t weight;  /**< Share of the workers, 1 is the default. */
	mode_t mode;      /**< Permissions of the socket. */
	uint64_t quirks;  /**< Of its functions (zip_dev_quirk.h). */
};

/** What a client may take; 0: no limit. Each holds for one connection or for one user id. */
struct limits {
	uint64_t connections; /**< Of a user: connections at a time. */
	uint64_t queues;      /**< Live queues. */
	uint64_t memory;      /**< Bytes of files mapped. */
	uint64_t files;       /**< Mappings of files. */
	uint64_t maps;        /**< DMA maps. */
	uint64_t streams;     /**< Streams kept. */
	uint64_t ops;         /**< Requests in flight: sum of the depths of live queues. */
};

struct options {
	struct listen_options listen[OPTIONS_LISTEN_MAX];
	unsigned int listen_cnt;
	struct listen_options control; /**< path is "": there is none. */
	bool control_set;              /**< --control was given. */
	uint8_t revision;    /**< HISI_QM_REV_V2 or HISI_QM_REV_V3. */
	bool ext;            /**< Offer the software extension. */
	bool isolation;      /**< Doorbell isolation (BAR4). */
	bool copy;           /**< Engine copies instead of compressing. */
	unsigned int workers;
	unsigned int queues; /**< Live queues of all clients together. */
	struct limits per_connection;
	struct limits per_user;
	const char *run_as;  /**< User name or NULL. */
	const char *fault;   /**< qm_dev_fault.h, or NULL. */
	bool sandbox;        /**< Filter system calls. */
	bool verbose;
};

/** What main() has to do. */
enum options_result {
	OPTIONS_RUN,   /**< Serve. */
	OPTIONS_DONE,  /**< Help or version was asked for and printed. */
	OPTIONS_WRONG, /**< A wrong option; said so on standard error, naming it. */
};

enum options_result options_parse(int argc, char **argv, struct options *opt);

#endif /* SPIMDEVD_OPTIONS_H */
