/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef STUCK_SOCKET_H
#define STUCK_SOCKET_H

/**
 * @file
 * A socket that lingers: whoever drops the last reference to it waits for half a minute, since
 * the other end does not read what was sent. Unlike a file's, that is the end of the file
 * itself, also of one that never was in a table of descriptors.
 */

/** @return A descriptor of it, negative errno if there can be none. */
int stuck_socket_open(void);

/** Close the other ends of all; nobody waits for them any more. */
void stuck_socket_end(void);

#endif /* STUCK_SOCKET_H */
