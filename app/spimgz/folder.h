/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_FOLDER_H
#define SPIMGZ_FOLDER_H

#include <sys/types.h>

/**
 * Read the names in a folder, sorted, before anything in it is changed.
 * @param fd
 *   Of the folder; it stays open.
 * @param name
 *   In messages.
 * @param names
 *   Filled; to be freed by folder_free().
 * @return How many, or -1 after a complaint.
 */
ssize_t folder_read(int fd, const char *name, char ***names);

/** n: what folder_read() gave, also if that is -1. */
void folder_free(char **names, ssize_t n);

#endif /* SPIMGZ_FOLDER_H */
