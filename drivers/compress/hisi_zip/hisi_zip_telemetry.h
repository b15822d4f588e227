/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_TELEMETRY_H
#define HISI_ZIP_TELEMETRY_H

/** @file The driver's telemetry commands, and the queue pairs that they show. */

#include "hisi_telemetry.h"
#include "hisi_zip_qp.h"

/** Commands about one device (hisi_telemetry.h). */
extern const struct hisi_telemetry_cmd hisi_zip_telemetry_cmds[];

/** Show a queue pair, or stop showing it: it may be freed afterwards. */
void hisi_zip_telemetry_add_qp(struct hisi_zip_qp *qp);
void hisi_zip_telemetry_remove_qp(struct hisi_zip_qp *qp);

/** Log, for debugging, what share of its ops the function has done. */
void hisi_zip_telemetry_log_qp(const struct hisi_zip_qp *qp);

#endif /* HISI_ZIP_TELEMETRY_H */
