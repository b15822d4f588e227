/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef BASE_MEMFD_H
#define BASE_MEMFD_H

/** @file Memory that another process can be given. */

#include <stddef.h>

/**
 * Create a file without a path, of len zeroed bytes. Its size is sealed: whoever has its
 * descriptor could otherwise shrink it, and a process that has mapped it would be killed by an
 * access to it.
 * @param name
 *   Shown in /proc; at most 249 bytes.
 * @return The descriptor, which exec() closes and the caller owns, or a negative errno.
 */
int base_memfd_create(const char *name, size_t len);

#endif /* BASE_MEMFD_H */
