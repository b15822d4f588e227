/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_OUTPUT_H
#define SPIMGZ_OUTPUT_H

/**
 * @file
 * An output file. It is written under another name in the same folder, and gets its own when it
 * is complete: what ends early, however it ends, is never taken for a result, and a file that was
 * there before is only replaced by a complete one.
 */

#include <stdbool.h>

struct output {
	int fd;
	int dir;           /**< Descriptor of the folder. */
	const char *base;  /**< Name in that folder. */
	const char *name;  /**< In messages. */
	char temp[40];     /**< The name that it has meanwhile. */
};

/** Create one, for nobody else to read. @return SPIMGZ_OK or _FAILED, after a complaint. */
int output_create(struct output *out, int dir, const char *base, const char *name);

/**
 * It is complete.
 * @param force
 *   Replace what has its name.
 * @param sync
 *   Have it on the disk before this returns.
 * @return SPIMGZ_OK, or _FAILED after a complaint; then nothing is left of it.
 */
int output_commit(struct output *out, bool force, bool sync);

/** Remove it. */
void output_drop(struct output *out);

#endif /* SPIMGZ_OUTPUT_H */
