/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_SIGNALS_H
#define SPIMGZ_SIGNALS_H

/**
 * @file
 * What ends the program from outside must not leave the file behind that it is writing.
 */

#include <signal.h>

/** Have signals that end the program remove the guarded file first; not those that are ignored. */
void signals_install(void);

/**
 * Keep these signals away from this thread, and from those that it creates.
 * @param old
 *   Filled for signals_allow().
 */
void signals_hold(sigset_t *old);
void signals_allow(const sigset_t *old);

/**
 * Guard a file; call it between signals_hold() and signals_allow().
 * @param dir
 *   Descriptor of the folder, which must stay open.
 * @param name
 *   In that folder; NULL: guard none any more. It must stay where it is.
 */
void signals_guard(int dir, const char *name);

#endif /* SPIMGZ_SIGNALS_H */
