/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HURRY_H
#define HURRY_H

/**
 * @file
 * Lets time pass faster for the code under test, so that its time-outs of many seconds are
 * over soon. Link with dep_hurry; what shared libraries do is not changed.
 */

/** From now on time passes so many times as fast; 1: as it does. All threads. */
void hurry(unsigned int factor);

#endif /* HURRY_H */
