/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMCTL_PROCESS_H
#define SPIMCTL_PROCESS_H

#include "record.h"

/**
 * Find the command of a client's process: of the one that connected, which may have
 * handed the connection on. "-" if that one is gone (the pid may be another's by now: a
 * process that began after the connection is not it), or not ours to see.
 */
void process_command(struct record_client *client);

#endif /* SPIMCTL_PROCESS_H */
