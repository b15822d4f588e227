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

/** @return Threads of this process, those that were joined and have not ended yet, too. */
unsigned int holdings_threads(void);

/** Look. */
struct holdings_now holdings_get(void);

/**
 * Fail the test, with a line, unless the same is held as then.
 *
 * A thread that was joined is listed until it has ended, under an emulator for long. So it may
 * take a while until there are no more threads than then, and there may be fewer: then may have
 * counted one that ended.
 */
void holdings_same(const struct holdings_now *then);

#endif /* HOLDINGS_H */
