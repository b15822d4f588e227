/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_IRQ_H
#define VFIO_USER_IRQ_H

/**
 * @file
 * Eventfds of a connection (vfio_user_irq.c).
 */

#include "vfio_user_state.h"

/** SET_IRQS that was checked for size. @return 0 or -errno; fds kept are set to -1. */
int vu_irq_set(struct vfio_user_conn *c, const struct vfio_user_irq_set *set, const uint8_t *data,
		uint32_t data_len, struct vfio_user_fds *fds);
/** Take all eventfds back, forever. */
void vu_irq_close(struct vfio_user_conn *c);

#endif /* VFIO_USER_IRQ_H */
