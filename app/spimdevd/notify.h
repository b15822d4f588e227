/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEVD_NOTIFY_H
#define SPIMDEVD_NOTIFY_H

/**
 * Tell the service manager a state ("READY=1", "STOPPING=1") by a datagram to
 * the socket that it names in NOTIFY_SOCKET; nothing if it names none.
 * @return 0, or a negative errno: the manager named a socket that does not take it.
 */
int notify_state(const char *state);

#endif /* SPIMDEVD_NOTIFY_H */
