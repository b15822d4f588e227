/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VICTIM_H
#define VICTIM_H

/**
 * @file
 * The client beside the attackers: a process that compresses and decompresses by the
 * service all the time, checks every byte, and counts.
 */

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base_hist.h"

/** Written by the victim, read by all. Times in ns of CLOCK_MONOTONIC. */
struct victim {
	pid_t pid;
	atomic_bool stop;
	atomic_ullong ops;       /**< Round trips that were right. */
	atomic_ullong bytes;     /**< Of plain data in them. */
	atomic_ullong failed;    /**< Ops that failed; the first one is in why. */
	atomic_ullong wrong;     /**< Results that were not right. */
	atomic_ullong began;     /**< When the round trip that runs began. */
	atomic_ullong longest;   /**< Longest round trip; reset by whoever likes. */
	struct base_hist waits;  /**< Of round trips that were right. */
	char why[128];
};

/** Start one, as this user. @return It, in shared memory; NULL: no process. */
struct victim *victim_start(const char *path, uint32_t seed, uid_t user);

/** End it. @return 0, or -1 if it did not end by itself. */
int victim_end(struct victim *v);

#endif /* VICTIM_H */
