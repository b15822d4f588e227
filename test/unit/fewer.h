/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef FEWER_H
#define FEWER_H

/**
 * @file
 * Long tests in a short form, for machines that are emulated.
 */

/**
 * By how much a test that goes through combinations, or through what comes by chance, shall do
 * fewer: 1, or the environment's ZIP_TEST_FEWER.
 */
unsigned int test_fewer(void);

#endif /* FEWER_H */
