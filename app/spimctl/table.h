/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_TABLE_H
#define SPIMCTL_TABLE_H

/**
 * @file
 * Lines of a table, as many columns of it as a terminal has room for: what matters most comes
 * first. What is no terminal gets all.
 */

#include <stdio.h>

#include "snapshot.h"

struct column {
	const char *title; /**< NULL: behind the last one. */
	int width;         /**< Of its texts, negative if they begin at the left. */
};

/** Columns of standard output; 0 if it is no terminal. */
unsigned int table_width(void);

/** A line of titles, of the columns that end within width; the first one always is. */
void table_head(FILE *out, const struct column *columns, unsigned int width);

/** A line of texts, one for each column. */
void table_line(FILE *out, const struct column *columns, unsigned int width,
		const char *const *texts);

/** How wide the column of access points is, for those of a snapshot. */
int table_path_width(const struct snapshot *snap, unsigned int width);

/** The path of an access point, of which a terminal shows the end if it is long. */
const char *table_path(const char *path, unsigned int width, char room[RECORD_PATH_MAX]);

#endif /* SPIMCTL_TABLE_H */
