/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef LIAR_RUN_H
#define LIAR_RUN_H

/** @file Starts and ends the lying service (liar.h) for a test. */

#include <stdio.h>
#include <sys/types.h>

struct liar_run {
	pid_t pid;
	FILE *out; /**< What it prints. */
};

/**
 * Start it, and wait until it listens.
 * @param args
 *   Options behind --listen PATH, with a NULL at the end.
 * @return 0, or -1: it does not listen.
 */
int liar_run_start(struct liar_run *run, const char *program, const char *path,
		const char *const *args);

/** End it. @return How many lies it told, or -1: it did not end as it should. */
int liar_run_end(struct liar_run *run);

#endif /* LIAR_RUN_H */
