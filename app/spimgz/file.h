/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_FILE_H
#define SPIMGZ_FILE_H

#include "engine.h"
#include "gzip_options.h"
#include "gzip_report.h"

/** What all files of a run have in common. */
struct run {
	struct engine engine;
	struct gzip_options options;
	struct gzip_report report;
};

/**
 * Compress, expand, test or list one file; of a folder, with -r, all that are in it.
 * @return SPIMGZ_OK, _WARNING or _FAILED, after a complaint.
 */
int file_path(struct run *r, const char *path);

/** The same for standard input. */
int file_stdin(struct run *r);

#endif /* SPIMGZ_FILE_H */
