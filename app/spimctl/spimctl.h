/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_H
#define SPIMCTL_H

/**
 * @file
 * The commands of spimctl(8).
 *
 *   main.c      command line
 *   list.c      list, show
 *   top.c       top
 *   drain.c     drain, undrain
 *   ask.c       request and answer
 *   snapshot.c  what is in an answer; app/record has what a line of it is
 *   process.c   commands of clients
 *   print.c     text and JSON
 */

#include <stdbool.h>

struct options {
	const char *control; /**< Path of the service's control socket. */
	bool json;
	bool all;            /**< drain, undrain: every access point. */
	double wait;         /**< drain: seconds to wait at most; < 0: not at all. */
	double delay;        /**< top: seconds between two polls. */
	unsigned long count; /**< top: how many times; 0: until it is ended. */
};

/* Each returns an exit status. */

#define STATUS_OK     0
#define STATUS_FAILED 1
#define STATUS_USAGE  2

int list(const struct options *opt);

/** @param what Path of an access point, or number of a connection, or NULL: the service. */
int show(const struct options *opt, const char *what);

int top(const struct options *opt);

/** @param path Of the access point; not used with opt->all. */
int drain(const struct options *opt, const char *path, bool draining);

#endif /* SPIMCTL_H */
