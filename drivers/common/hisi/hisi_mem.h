/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_MEM_H
#define HISI_MEM_H

/** @file EAL's memory, for functions that see registered memory only. */

#include "hisi_ap.h"

/**
 * spim_conf.mem_register: tell the function of all of EAL's memory, and from now on of memory
 * that comes and goes; then of the application's own. By whichever thread opens the function.
 * @param priv
 *   The access point, struct hisi_ap.
 * @return 0 or a negative errno.
 */
int hisi_mem_register(struct spim_dev *spim, void *priv);

/** End that. */
void hisi_mem_unwatch(struct hisi_ap *ap);

#endif /* HISI_MEM_H */
