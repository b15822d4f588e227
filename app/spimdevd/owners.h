/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_OWNERS_H
#define SPIMDEVD_OWNERS_H

/**
 * @file
 * Who really owns a process. The user ids that /etc/subuid lends to somebody for user namespaces
 * are that user's, who can become each of them at will: what they have counts as that user's. Those
 * of a loan of root's, for containers, count as the first of them.
 */

#include <sys/types.h>

/** The file of such loans: lines "NAME:FIRST:COUNT", where NAME may be a number. */
#define OWNERS_FILE "/etc/subuid"

/**
 * Read it: once, before the threads and the sandbox, as names are looked up. Without such a file,
 * everybody owns themselves. Wrong lines, and those of nobody, are left out.
 * @return 0 or -ENOMEM.
 */
int owners_read(const char *path);

/** Forget what was read. */
void owners_forget(void);

/** @return Whom uid is lent to; nobody: uid itself. Any thread. */
uid_t owners_of(uid_t uid);

#endif /* SPIMDEVD_OWNERS_H */
