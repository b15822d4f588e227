/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_GZIP_OPTIONS_H
#define SPIMGZ_GZIP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct gzip_options {
	bool expand;       /**< Also with test and list. */
	bool to_stdout, keep, force, test, list, recursive, synchronous, verbose, quiet, progress;
	bool save_name;    /**< Compression: the file's name and time go into the header. */
	bool restore_name; /**< Expansion: those in the header are the file's. */
	bool presume_tty;  /**< Behave as if standard input were a terminal; for tests. */
	uint8_t level;
	const char *suffix;
	const char *access_point; /**< NULL: the service, else software. */
};

/**
 * Read the variable GZIP, and the command line; by its name, the program also is gunzip or zcat.
 * @return 0; else the program ends: with -1 well, with SPIMGZ_FAILED after a complaint.
 */
int gzip_options_parse(int argc, char **argv, struct gzip_options *o);

#endif /* SPIMGZ_GZIP_OPTIONS_H */
