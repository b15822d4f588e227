/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_LOG_H
#define HISI_ZIP_LOG_H

/** @file Log lines of the driver. */

#include <rte_log.h>

#include "hisi_compat.h"

extern int hisi_zip_logtype;
#define RTE_LOGTYPE_HISI_ZIP hisi_zip_logtype

/** Log a line about a device; control path only. */
#define HISI_ZIP_LOG(level, ...) RTE_LOG_LINE(level, HISI_ZIP, __VA_ARGS__)

#endif /* HISI_ZIP_LOG_H */
