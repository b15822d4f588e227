/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_GZIP_REPORT_H
#define SPIMGZ_GZIP_REPORT_H

#include <stdint.h>
#include <time.h>

#include "gzip_options.h"
#include "stream.h"

/** What -l has listed so far. */
struct gzip_report {
	unsigned int files;
	uint64_t plain, packed, framing;
};

/**
 * Say what was done (-v).
 * @param name
 *   Of the input, or NULL: standard input.
 * @param to
 *   Name of the output file, or NULL: standard output.
 */
void gzip_report_done(const struct gzip_options *o, const struct stream *s, const char *name,
		const char *to);

/**
 * List a file (-l).
 * @param name
 *   Of the expanded file.
 * @param mtime
 *   Its time.
 */
void gzip_report_list(struct gzip_report *r, const struct gzip_options *o, const struct stream *s,
		const char *name, time_t mtime);

/** List all together. */
void gzip_report_total(const struct gzip_report *r, const struct gzip_options *o);

#endif /* SPIMGZ_GZIP_REPORT_H */
