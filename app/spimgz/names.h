/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_NAMES_H
#define SPIMGZ_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define NAMES_SUFFIX     ".gz"
#define NAMES_SUFFIX_MAX 30u /**< Bytes; gzip has the same limit, and others no higher one. */

/** Whether a suffix can be used. */
bool names_suffix_valid(const char *suffix);

/**
 * The suffix of a compressed file, in capital letters or small ones.
 * @param own
 *   The one that the user wants, known beside the usual ones.
 * @return Its place in the name, or NULL.
 */
const char *names_suffix(const char *name, const char *own);

/** The name of the compressed file. @return It, to be freed; or NULL after a complaint. */
char *names_packed(const char *name, const char *own);

/** The name of the expanded file, of one that has a suffix. @return As names_packed(). */
char *names_plain(const char *name, const char *own);

/** The i-th suffix to try for a compressed file, or NULL. */
const char *names_try(unsigned int i, const char *own);

#endif /* SPIMGZ_NAMES_H */
