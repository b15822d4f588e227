/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef STUCK_FILE_H
#define STUCK_FILE_H

/**
 * @file
 * A file whose file system never answers: every system call that asks it something waits
 * for ever, even close(). Any user who may mount FUSE can have one, and send it.
 */

/** @return A descriptor of it, open for reading; negative errno if it cannot be mounted. */
int stuck_file_open(void);

/** The file system is gone; whoever waits for it has an error. To be called before exit. */
void stuck_file_end(void);

#endif /* STUCK_FILE_H */
