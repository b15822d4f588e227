/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_SANDBOX_H
#define SPIMDEVD_SANDBOX_H

/**
 * @file
 * What the service gives up before it listens to anybody. All before the first
 * further thread, which then has given it up, too.
 */

/** Raise the limit of open descriptors as far as allowed: a connection takes some. */
void sandbox_raise_nofile(void);

/**
 * Become a user, with its groups, if one is given, and drop all capabilities, also
 * those that could be gained later. For good.
 * @return 0 or a negative errno; logged.
 */
int sandbox_drop_privileges(const char *user);

/**
 * From now on allow only the system calls that the service needs; sandbox.c has the
 * list. Others fail with EPERM; to run a program or read another process
 * ends the service.
 * @return 0 or a negative errno; logged.
 */
int sandbox_filter(void);

#endif /* SPIMDEVD_SANDBOX_H */
