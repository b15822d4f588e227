/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_DO_H
#define VFIO_USER_DO_H

/**
 * @file
 * Handlers: what a request does. The body is a copy, checked for its size. A handler returns 0 if
 * it has answered, VFIO_USER_DEFERRED, or the negative errno of the error reply.
 */

#include "vfio_user_state.h"

/** A request being served. */
struct vu_request {
	const struct vfio_user_hdr *hdr;
	uint8_t *body;
	uint32_t len; /**< Of body. */
	struct vfio_user_fds *fds;
};

/* ---- vfio_user_mem.c ---- */

int vu_do_dma_map(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_dma_unmap(struct vfio_user_conn *c, const struct vu_request *r);
/** The device has let go of a range (size 0: of all), in which so many bytes were mapped. */
void vu_unmap_done(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint64_t iova,
		uint64_t size, uint64_t bytes);

/* ---- vfio_user_info.c ---- */

int vu_do_device_info(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_region_info(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_irq_info(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_set_irqs(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_reset(struct vfio_user_conn *c, const struct vu_request *r);

/* ---- vfio_user_region.c ---- */

int vu_do_region_read(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_region_write(struct vfio_user_conn *c, const struct vu_request *r);
int vu_do_region_write_multi(struct vfio_user_conn *c, const struct vu_request *r);
/** The writes of a REGION_WRITE_MULTI from number next on. */
int vu_multi_from(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, const uint8_t *body,
		uint32_t next);

#endif /* VFIO_USER_DO_H */
