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

/** What --spimdevd and --sandbox say; NULL: nothing. */
void pmd_service_use(const char *program, const char *sandbox);
/** Leave no service and no socket. */
void pmd_service_cleanup(void);

/** Remove what EAL has left in its folder of this process, after it ended. */
void pmd_runtime_remove(void);

/** Have that much memory in free hugepages, or fail the program. */
void pmd_huge_reserve(unsigned int mb);
/** Give back what was reserved. */
void pmd_huge_restore(void);

struct pmd_case;

/** From now on look at all queue pairs that go, and at all log lines. */
void pmd_look_begin(void);
/** No more. */
void pmd_look_end(void);
/** All devices are gone: fails the program if what they had has not gone with them. */
void pmd_look_gone(void);
/** Run a case; fails the program if something is not as it was, or was said. */
void pmd_look_case(const struct pmd_case *c);
/** Ops that are enqueued: some may be too long for the function. */
void pmd_look_ops(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n);
/** Print the lines that are being collected, if any. */
void pmd_log_show(void);

#endif /* PMD_TEST_PRIV_H */
