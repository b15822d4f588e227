/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef UDMA_DEV_H
#define UDMA_DEV_H

/**
 * @file
 * The class UDMA of a software function: copies and fills (hisi_udma_sqe.h). Queue type 2.
 *
 * A request is executed whole or not at all: nothing is written unless all of its addresses may be
 * used. Its status, which the field ERR of wb and the counters have, is one of enum
 * udma_dev_status, numbered as ZIP's (hisi_zip_sqe.h); silicon's are not known (U32).
 */

#include "hisi_zip_sqe.h"
#include "qm_dev_class.h"

enum udma_dev_status {
	UDMA_DEV_OK = 0,
	/** A field that no request has, more than HISI_UDMA_LEN_MAX, or shared bytes (U33). */
	UDMA_DEV_BAD_SQE = HISI_ZIP_BAD_SQE,
	/** An address that the function may not use like this. */
	UDMA_DEV_BAD_ADDR = HISI_ZIP_BAD_ADDR,
};

/** Takes no configuration. */
extern const struct qm_dev_class udma_dev_class;

#endif /* UDMA_DEV_H */
