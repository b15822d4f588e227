/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_AP_H
#define HISI_AP_H

/**
 * @file
 * An open access point, and the memory that goes with it. Devices of several classes may share
 * one: the last of them closes it, whichever that is.
 */

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <rte_dev.h>

#include "hisi_devargs.h"
#include "hisi_driver.h"
#include "spim.h"

struct hisi_extmem;

/** An open access point. */
struct hisi_ap {
	/* Constant while it is open. */
	const struct hisi_driver *driver; /**< Of the device that opened it: its lines' log. */
	char name[RTE_DEV_NAME_MAX_LEN];  /**< That device's, or the function's on a bus. */
	struct hisi_devargs args;      /**< What it was opened with. */
	struct spim_dev *spim;
	struct hisi_qm_io *io;         /**< The function, if a bus has mapped it, or NULL. */
	struct spim_info info;         /**< What the function is. */
	struct hisi_qm_mem_ops mem;    /**< Hugepage memory (hisi_alloc.h); any thread. */
	bool mem_watched;              /**< Events of EAL's memory go to the function. */

	SLIST_HEAD(, hisi_extmem) extmem; /**< Memory of the application's own... */
	pthread_mutex_t extmem_lock;   /**< ...under this lock. */

	unsigned int users;            /**< References; hisi_ap.c. */
};

/**
 * Open an access point, for one user.
 *
 * @param name
 *   Of the device that opens it; copied.
 * @param args
 *   What to open, if io is NULL: args->dev, but no "device:".
 * @param io
 *   The function if the caller has mapped it (PCI), or NULL; must outlive the access point.
 * @return 0, or what spim_open() failed with, after a log line.
 */
int hisi_ap_open(const struct hisi_driver *driver, const char *name,
		const struct hisi_devargs *args, struct hisi_qm_io *io, struct hisi_ap **ap);

/** One more user of an access point that has one. */
void hisi_ap_get(struct hisi_ap *ap);

/**
 * Find an access point, and be one more user of it: it does not go in between.
 * @param find
 *   Says which one has the name; NULL: none.
 * @return The same.
 */
struct hisi_ap *hisi_ap_get_of(const char *name, struct hisi_ap *(*find)(const char *name));

/** One user less. The last one closes the access point: all queues have been put. */
void hisi_ap_put(struct hisi_ap *ap);

#endif /* HISI_AP_H */
