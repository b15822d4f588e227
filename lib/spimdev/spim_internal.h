/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIM_INTERNAL_H
#define SPIM_INTERNAL_H

/** @file What the transports and spim.c share. */

#include "spim.h"

/** Send a line to conf->log, with the owner's name in front. */
void spim_log(const struct spim_conf *conf, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Make a software function in the process.
 * @return 0 and the function at register height, or -EINVAL, -ENOMEM.
 */
int spim_local_open(const struct spim_conf *conf, struct hisi_qm_io **io);

/** Free it. */
void spim_local_close(struct hisi_qm_io *io);

#endif /* SPIM_INTERNAL_H */
