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
 * udma_dev_status; silicon's are not known.
 */

#include "qm_dev_class.h"

enum udma_dev_status {
	UDMA_DEV_OK = 0,
	UDMA_DEV_BAD_SQE = 1,  /**< A field that no request has, or more than HISI_UDMA_LEN_MAX. */
	UDMA_DEV_BAD_ADDR = 2, /**< An address that the function may not use like this. */
	UDMA_DEV_OVERLAP = 3,  /**< Source and destination of a copy share a byte. */
};

/** Takes no configuration. */
extern const struct qm_dev_class udma_dev_class;

#endif /* UDMA_DEV_H */
