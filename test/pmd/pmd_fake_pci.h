/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef PMD_FAKE_PCI_H
#define PMD_FAKE_PCI_H

/**
 * @file
 * The PCI bus with one function that is not there: the bus, the kernel and the BARs are wrapped by
 * the linker, and behind the registers is a software function.
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_devargs.h>

#include "qm_dev.h"

#define NAME "0000:75:00.1"

/** What the driver finds, and what it did. */
extern struct fake_pci {
	struct rte_pci_driver *drv; /* as the driver has registered itself */
	int config_ret;             /* what a read of config space returns */
	uint8_t revision;
	unsigned int config_reads;
	int ioctl_errno;
	unsigned int resets;
	bool no_memory, secondary;
	int socket;                 /* of the last allocation */
	bool udma;                  /* the function has it */
	struct qm_dev *fn;         /* behind the registers; NULL: memory is */
	uint8_t bar_revision;       /* what hisi_bar_init() was given */
	void *bar2, *bar4;
	uint64_t bar2_len, bar4_len;
} w;

extern uint8_t pci_bar2[HISI_QM_BAR2_SIZE], pci_bar4[HISI_QM_DB_PAGE_SIZE];
extern struct rte_pci_device pdev;

/** Device arguments of the next probe; "": none. */
void pci_args(const char *text);
/** There is a device, with these arguments. */
void device_set(const char *text, uint8_t revision, bool ext);
void device_unset(void);

int probe(void);

/**
 * A probe that fails so: the errno, one line of the log (NULL: any), nothing kept, and it goes
 * well as soon as what was wrong is mended, which the caller does.
 */
void fails(int err, const char *line);
/** Probe and removal, after which nothing is kept. */
void works(void);

/** Ops of both directions on the compressdev of the function, by IOVA. */
void run_ops(uint8_t dev);

#endif /* PMD_FAKE_PCI_H */
