/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_JSON_H
#define VFIO_USER_JSON_H

/**
 * @file
 * The capabilities of VERSION: {"capabilities":{...}} as JSON text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfio_user_proto.h"

/** What one side says about itself; what it does not say has its default. */
struct vfio_user_caps {
	uint32_t max_msg_fds;   /**< Fds it takes beside a message; default 1. */
	uint32_t max_xfer;      /**< Data bytes it takes in a message; default 1 MiB. */
	uint32_t max_dma_maps;  /**< Default 65,535. */
	bool write_multiple;    /**< Knows REGION_WRITE_MULTI; default no. */
	uint32_t spim_version;  /**< 0: does not know "spim". */
	struct vfio_user_spim spim; /**< From a server. */
};

/**
 * Read them.
 * @param text
 *   JSON without a NUL; len 0: nothing was said.
 * @param what
 *   Set to what is wrong with it.
 * @return 0 or -EINVAL: not JSON, or a value out of its range.
 */
int vfio_user_caps_parse(const char *text, size_t len, struct vfio_user_caps *caps,
		const char **what);

/**
 * Write them, with a NUL; "spim" only if spim_version is not 0, and with what a
 * server adds only if server is true.
 * @return Bytes, the NUL included; at most VFIO_USER_CAPS_MAX.
 */
size_t vfio_user_caps_format(const struct vfio_user_caps *caps, bool server, char *text);

#define VFIO_USER_CAPS_MAX 512u

#endif /* VFIO_USER_JSON_H */
