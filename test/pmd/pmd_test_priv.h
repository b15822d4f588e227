/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef PMD_TEST_PRIV_H
#define PMD_TEST_PRIV_H

/** @file What the files of the harness offer each other. */

/** Mbuf pools; fails the program if there is no memory. */
void pmd_pools_create(void);
/** Fails the program if an mbuf was not given back. */
void pmd_pools_free(void);

#endif /* PMD_TEST_PRIV_H */
