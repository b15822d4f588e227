/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HOLDINGS_H
#define HOLDINGS_H

/** @file What this process holds, to see that a test gave everything back. */

struct holdings_now {
	unsigned int fds;
	unsigned int memfds; /**< Mappings of them. */
	unsigned int threads;
};

/** How many entries a folder has, "." and ".." too. */
unsigned int holdings_entries(const char *path);

/** @return Threads of this process. */
unsigned int holdings_threads(void);

/** Look. */
struct holdings_now holdings_get(void);

/** Fail the test, with a line, unless the same is held as then. Threads may take a while to end. */
void holdings_same(const struct holdings_now *then);

#endif /* HOLDINGS_H */
