/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_CONTROL_H
#define SPIMDEVD_CONTROL_H

/**
 * @file
 * Threads for what the event loop must not wait for: taking back memory,
 * resetting or ending a function while its requests are being executed.
 *
 * How long such a wait takes is up to the client whose requests they are. So that
 * no client waits for another one's requests, there are as many threads as jobs:
 * one is started when a job finds all busy, and ends when it finds no job for a
 * while. A connection has one job at a time, so connections bound their number.
 */

struct control;

/** A job; the submitter's memory, and out of use when run is called. */
struct control_job {
	void (*run)(struct control_job *job);
	struct control_job *next;
};

/** @return 0, -ENOMEM, or why the first thread could not be started. */
int control_create(struct control **control);

/** Wait for all jobs and end the threads. NULL is allowed. */
void control_destroy(struct control *control);

/** Run a job soon in another thread. Never fails, any thread. */
void control_submit(struct control *control, struct control_job *job);

#endif /* SPIMDEVD_CONTROL_H */
