/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_H
#define ZIP_DEV_H

/**
 * @file
 * The class ZIP of a software function: DEFLATE with its framings, and what the extension adds
 * (hisi_zip_ext.h). Queue types 0 (compress) and 1 (decompress).
 *
 * Limits of a request: 8 MiB of input (more is HISI_ZIP_BAD_SQE) and of output (more room is not
 * used); source and destination must not share a byte (HISI_ZIP_BAD_SQE).
 */

#include <stdint.h>

#include "qm_dev_class.h"
#include "zip_dev_quirk.h"

/** What the function does with the data of DEFLATE requests. */
enum zip_dev_engine {
	ZIP_DEV_ENGINE_DEFLATE, /**< Compress and decompress. */
	/**
	 * Copy input to output in both directions, whatever the request asks:
	 * shows what driver and rings cost by themselves.
	 */
	ZIP_DEV_ENGINE_COPY,
};

#define ZIP_DEV_STREAMS_DEFAULT 1024
#define ZIP_DEV_STREAMS_LIMIT   (1u << 24)

/** How a function has the class; NULL in qm_dev_class_use.conf: all 0. */
struct zip_dev_conf {
	uint8_t engine;       /**< enum zip_dev_engine. */
	uint64_t quirks;      /**< ZIP_DEV_QUIRK_*, see zip_dev_quirk.h. */
	uint32_t streams_max; /**< Streams kept at a time; 0: ZIP_DEV_STREAMS_DEFAULT. */
};

extern const struct qm_dev_class zip_dev_class;

#endif /* ZIP_DEV_H */
