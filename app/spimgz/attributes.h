/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_ATTRIBUTES_H
#define SPIMGZ_ATTRIBUTES_H

#include <sys/stat.h>

/**
 * Make an output file like its input: owner, permissions, access control list and times. Nobody
 * may do more with it than with the input: permissions that would mean others, as the owner or
 * the group cannot be kept, are left out. So are set-user-ID, set-group-ID and sticky bits.
 * @param in
 *   Descriptor of the input.
 * @param st
 *   What fstat() says of it, with the time of modification that the output shall have.
 * @param name
 *   Of the output, in messages.
 * @return SPIMGZ_OK or _WARNING, after a complaint.
 */
int attributes_copy(int out, int in, const struct stat *st, const char *name);

#endif /* SPIMGZ_ATTRIBUTES_H */
