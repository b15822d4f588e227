/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_GUARD_H
#define QM_DEV_GUARD_H

/**
 * @file
 * Client memory that vanishes while a worker uses it. A client may truncate the file
 * behind a mapping at any time; the next access then is a SIGBUS. The guard's
 * handler puts anonymous memory in place of the whole mapping, so that whatever
 * runs on it reads zeros and comes to an end, and marks the function as failed:
 * its queues stop, and qm_dev_conf.failed is called. That needs no mapping more than there
 * are, and works where the kernel allows none (vm.max_map_count).
 *
 * The signal handler belongs to the process, so this is for a service that owns
 * its process, never for a library inside an application.
 */

#include <stddef.h>

struct qm_dev;

/** A guarded mapping. */
struct qm_dev_guard;

/**
 * Install the handler. A SIGBUS elsewhere goes to the handler that was installed
 * before. Call once, before other threads exist.
 * @return 0 or the negative errno of mmap(), mprotect() or sigaction().
 */
int qm_dev_guard_install(void);

/**
 * Guard a mapping of client memory. Call before qm_dev_dma_map() of any part of it.
 *
 * @param addr, len
 *   The whole mapping, as mmap() made it: page (or huge page) aligned.
 * @return
 *   0, -EINVAL, -ENOMEM. Any thread.
 */
int qm_dev_guard_add(struct qm_dev *dev, void *addr, size_t len, struct qm_dev_guard **guard);

/**
 * End the guard. Call when no map of the mapping is left (qm_dev_dma_unmap_done()
 * says so, or qm_dev_destroy() has returned), and before munmap(). NULL is allowed. Any thread.
 */
void qm_dev_guard_del(struct qm_dev_guard *guard);

#endif /* QM_DEV_GUARD_H */
