/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_UDMA_LOG_H
#define HISI_UDMA_LOG_H

/** @file Log lines of the driver. */

#include <rte_log.h>

#include "hisi_compat.h"

extern int hisi_udma_logtype;
#define RTE_LOGTYPE_HISI_UDMA hisi_udma_logtype

/** Log a line about a device; control path only. */
#define HISI_UDMA_LOG(level, ...) RTE_LOG_LINE(level, HISI_UDMA, __VA_ARGS__)

#endif /* HISI_UDMA_LOG_H */
