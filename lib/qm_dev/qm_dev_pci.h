/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_DEV_PCI_H
#define QM_DEV_PCI_H

/**
 * @file
 * The function as a PCI device: config space and BARs, for transports that
 * carry raw accesses (vfio-user). Register height without PCI is qm_dev.h.
 *
 * Interrupts are conf.irq of qm_dev.h, by vector. The function raises them by
 * its own registers (source, mask) alone; whether a message reaches anyone is
 * for the transport, which knows the vectors that its client has set up. The
 * MSI capability here is storage for the driver.
 *
 * All calls: any thread. Accesses are hostile: each is checked.
 */

#include <stddef.h>
#include <stdint.h>

#include "qm_dev.h"

#define QM_DEV_PCI_CONFIG_SIZE 4096 /**< Bytes of config space. */
#define QM_DEV_PCI_BARS        6    /**< BARs 0 to 5; 2 and 4 exist, each is 64 bit wide. */
#define QM_DEV_BAR_REGS        2    /**< Function registers (QM 1.2), HISI_QM_BAR2_SIZE bytes. */
#define QM_DEV_BAR_DOORBELLS   4    /**< One page per queue, with doorbell isolation only. */

/**
 * Read len bytes of config space at off.
 *
 * @return
 *   0, or -EINVAL if [off, off + len) leaves the config space (nothing is read).
 */
int qm_dev_pci_config_read(struct qm_dev *dev, uint32_t off, void *data, size_t len);

#define QM_DEV_PCI_RESET 1 /**< A write of config space asks for a reset. */

/**
 * Write len bytes of config space at off. Read-only bits keep their value. A
 * write of the FLR bit to PCIe device control, or one that takes the function
 * from D3hot to D0, asks for a reset, which is the caller's to do.
 *
 * @return
 *   0, QM_DEV_PCI_RESET (qm_dev_pci_reset() is to follow at once, until it is done),
 *   or -EINVAL if [off, off + len) leaves the config space (nothing is written).
 */
int qm_dev_pci_config_write(struct qm_dev *dev, uint32_t off, const void *data, size_t len);

/**
 * Bytes of a BAR, a power of two; 0: the function does not have it. Constant
 * over the life of a function: HISI_QM_BAR2_SIZE for QM_DEV_BAR_REGS;
 * HISI_QM_DB_PAGE_SIZE times the queues, rounded up, for QM_DEV_BAR_DOORBELLS
 * with conf.isolation.
 */
uint64_t qm_dev_pci_bar_size(const struct qm_dev *dev, unsigned int bar);

/**
 * Read or write a BAR as the device sees the access: naturally aligned parts
 * of 8, 4, 2 and 1 bytes in ascending order. Neither memory enable nor the
 * power state in config space is checked: a transport that delivers the access
 * has decoded it.
 *
 * A BAR2 access is qm_dev_read() or qm_dev_write(). In BAR4 the page number is
 * the queue; 8 bytes written at HISI_QM_DB_SQ_CQ of a page ring that queue's
 * SQ or CQ doorbell, and are dropped if they name another one; all else reads 0
 * and ignores writes. With isolation the SQ/CQ doorbell in BAR2 drops what it gets.
 *
 * @return
 *   0, or -EINVAL if there is no such BAR or [off, off + len) leaves it
 *   (nothing is accessed).
 */
int qm_dev_pci_bar_read(struct qm_dev *dev, unsigned int bar, uint64_t off, void *data,
		size_t len);
int qm_dev_pci_bar_write(struct qm_dev *dev, unsigned int bar, uint64_t off, const void *data,
		size_t len);

/** MSI vectors that the function has: 4 on V3, 2 on V2 (QM 1.3). */
unsigned int qm_dev_pci_irqs(const struct qm_dev *dev);

/**
 * qm_dev_reset_try() plus the reset of the config space (command, BARs, MSI, PCIe and PM
 * control): what an FLR, a hot reset of the bus or a vfio-user DEVICE_RESET does.
 * @return Whether it is done; if not, to be called again.
 */
bool qm_dev_pci_reset(struct qm_dev *dev);

/** Config space as after power-on, for qm_dev_create(). */
void qm_dev_pci_init(struct qm_dev *dev);

#endif /* QM_DEV_PCI_H */
