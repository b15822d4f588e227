/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SAID_H
#define SAID_H

/** @file What a process writes to standard output or error for a while. Link with dep_said. */

#include <stddef.h>
#include <unistd.h>

#define SAID_OUT  (1u << STDOUT_FILENO)
#define SAID_ERR  (1u << STDERR_FILENO)
#define SAID_BOTH (SAID_OUT | SAID_ERR)

/** Where it goes, and where it went before. */
struct said {
	unsigned int streams;
	int file, before[STDERR_FILENO + 1];
};

/** From now on these streams are kept, in one text; two that nest end in the reverse order. */
void said_begin(struct said *s, unsigned int streams);

/** They are as before. The text, as far as it fits with its end, goes to to. @return to. */
const char *said_end(struct said *s, char *to, size_t size);

#endif /* SAID_H */
