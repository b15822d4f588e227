/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <string.h>

#include "qm_dev_doorbell.h"
#include "qm_dev_pci.h"

/*
 * Where the capabilities lie is not documented (U2), nor are class code and
 * subsystem (U1): no driver reads them.
 */
#define CFG_COMMAND      0x04
#define CFG_STATUS       0x06
#define CFG_REVISION     0x08
#define CFG_CLASS        0x0a
#define CFG_BAR          0x10
#define CFG_SUBSYSTEM    0x2c
#define CFG_CAP_PTR      0x34
#define CFG_EXP          0x40 /* PCIe capability, 60 bytes */
#define CFG_EXP_DEVCAP   (CFG_EXP + 4)
#define CFG_EXP_DEVCTL   (CFG_EXP + 8)
#define CFG_MSI          0x80 /* MSI capability, 64 bit, no masks: 14 bytes */
#define CFG_MSI_CTL      (CFG_MSI + 2)
#define CFG_MSI_ADDR     (CFG_MSI + 4)
#define CFG_MSI_DATA     (CFG_MSI + 12)
#define CFG_PM           0xb0 /* power management capability, 8 bytes */
#define CFG_PM_CTL       (CFG_PM + 4)

#define COMMAND_WMASK    0x0546u /* memory, bus master, parity, SERR, INTx off */
#define STATUS_CAP_LIST  0x0010u
#define CLASS_ACCEL      0x1200u /* processing accelerator */
#define CAP_ID_PM        0x01u
#define CAP_ID_MSI       0x05u
#define CAP_ID_EXP       0x10u
#define EXP_FLAGS        0x0002u /* version 2, endpoint */
#define EXP_DEVCAP       0x10008000u /* FLR, role-based errors */
#define EXP_DEVCTL_RESET 0x2810u
#define EXP_DEVCTL_WMASK 0x7fffu
#define EXP_DEVCTL_FLR   0x8000u
#define MSI_CTL_64BIT    0x0080u
#define MSI_CTL_WMASK    0x0071u /* vectors granted, enable */
#define PM_CAP           0x0003u /* version 3; soft reset from D3hot */
#define PM_CTL_STATE     0x0003u
#define PM_D3HOT         3u
#define BAR_MEM64_PREF   0x0cu

static void
config_set16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
}

static void
config_set32(uint8_t *at, uint32_t v)
{
	config_set16(at, v);
	config_set16(at + 2, v >> 16);
}

static uint16_t
config_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

unsigned int
qm_dev_pci_irqs(const struct qm_dev *dev)
{
	return dev->conf.revision >= HISI_QM_REV_V3 ? 4 : 2;
}

uint64_t
qm_dev_pci_bar_size(const struct qm_dev *dev, unsigned int bar)
{
	uint64_t size = HISI_QM_DB_PAGE_SIZE;

	if (bar == QM_DEV_BAR_REGS)
		return HISI_QM_BAR2_SIZE;
	if (bar != QM_DEV_BAR_DOORBELLS || !dev->conf.isolation)
		return 0;
	while (size < (uint64_t)dev->conf.queues * HISI_QM_DB_PAGE_SIZE)
		size *= 2;
	return size;
}

void
qm_dev_pci_init(struct qm_dev *dev)
{
	uint8_t *c = dev->pci.config, *w = dev->pci.wmask;
	unsigned int irqs_log2 = dev->conf.revision >= HISI_QM_REV_V3 ? 2 : 1;

	memset(c, 0, sizeof(dev->pci.config));
	memset(w, 0, sizeof(dev->pci.wmask));
	config_set16(c, HISI_PCI_VENDOR);
	config_set16(c + 2, dev->conf.classes[0].class->pci_device);
	config_set16(w + CFG_COMMAND, COMMAND_WMASK);
	config_set16(c + CFG_STATUS, STATUS_CAP_LIST);
	c[CFG_REVISION] = dev->conf.revision;
	config_set16(c + CFG_CLASS, CLASS_ACCEL);
	w[0x0c] = 0xff; /* cache line size and interrupt line: the system's notes */
	w[0x3c] = 0xff;
	for (unsigned int bar = 0; bar < QM_DEV_PCI_BARS; bar++) {
		uint64_t size = qm_dev_pci_bar_size(dev, bar);

		if (size == 0)
			continue;
		/* What a driver reads back after writing all ones tells the size. */
		c[CFG_BAR + 4 * bar] = BAR_MEM64_PREF;
		config_set32(w + CFG_BAR + 4 * bar, (uint32_t)~(size - 1));
		config_set32(w + CFG_BAR + 4 * bar + 4, (uint32_t)(~(size - 1) >> 32));
	}
	config_set16(c + CFG_SUBSYSTEM, HISI_PCI_VENDOR);
	config_set16(c + CFG_SUBSYSTEM + 2, dev->conf.classes[0].class->pci_device);
	c[CFG_CAP_PTR] = CFG_EXP;

	config_set16(c + CFG_EXP, CAP_ID_EXP | CFG_MSI << 8);
	config_set16(c + CFG_EXP + 2, EXP_FLAGS);
	config_set32(c + CFG_EXP_DEVCAP, EXP_DEVCAP);
	config_set16(c + CFG_EXP_DEVCTL, EXP_DEVCTL_RESET);
	config_set16(w + CFG_EXP_DEVCTL, EXP_DEVCTL_WMASK);

	config_set16(c + CFG_MSI, CAP_ID_MSI | CFG_PM << 8);
	config_set16(c + CFG_MSI_CTL, MSI_CTL_64BIT | irqs_log2 << 1);
	config_set16(w + CFG_MSI_CTL, MSI_CTL_WMASK);
	config_set32(w + CFG_MSI_ADDR, 0xfffffffc);
	config_set32(w + CFG_MSI_ADDR + 4, 0xffffffff);
	config_set16(w + CFG_MSI_DATA, 0xffff);

	config_set16(c + CFG_PM, CAP_ID_PM);
	config_set16(c + CFG_PM + 2, PM_CAP);
	config_set16(w + CFG_PM_CTL, PM_CTL_STATE);
}

static bool
in_range(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

int
qm_dev_pci_config_read(struct qm_dev *dev, uint32_t off, void *data, size_t len)
{
	struct qm_dev_pci *pci = &dev->pci;
	size_t n;

	if (!in_range(off, len, QM_DEV_PCI_CONFIG_SIZE))
		return -EINVAL;
	if (atomic_load_explicit(&dev->gone, memory_order_relaxed)) {
		memset(data, 0xff, len);
		return 0;
	}
	memset(data, 0, len);
	if (off >= sizeof(pci->config))
		return 0;
	n = len < sizeof(pci->config) - off ? len : sizeof(pci->config) - off;
	qm_dev_lock(&pci->lock);
	memcpy(data, pci->config + off, n);
	qm_dev_unlock(&pci->lock);
	return 0;
}

int
qm_dev_pci_config_write(struct qm_dev *dev, uint32_t off, const void *data, size_t len)
{
	struct qm_dev_pci *pci = &dev->pci;
	const uint8_t *in = data;
	unsigned int state;
	bool reset;

	if (!in_range(off, len, QM_DEV_PCI_CONFIG_SIZE))
		return -EINVAL;
	if (atomic_load_explicit(&dev->gone, memory_order_relaxed))
		return 0;
	qm_dev_lock(&pci->lock);
	state = config_get16(pci->config + CFG_PM_CTL) & PM_CTL_STATE;
	for (size_t i = 0; i < len && off + i < sizeof(pci->config); i++) {
		uint8_t w = pci->wmask[off + i];

		pci->config[off + i] = (uint8_t)((pci->config[off + i] & ~w) | (in[i] & w));
	}
	/* The FLR bit reads 0: it is not stored, only seen. */
	reset = off <= CFG_EXP_DEVCTL + 1 && off + len > CFG_EXP_DEVCTL + 1 &&
		(in[CFG_EXP_DEVCTL + 1 - off] & EXP_DEVCTL_FLR >> 8) != 0;
	if (state == PM_D3HOT && (config_get16(pci->config + CFG_PM_CTL) & PM_CTL_STATE) == 0)
		reset = true;
	qm_dev_unlock(&pci->lock);
	return reset ? QM_DEV_PCI_RESET : 0;
}

bool
qm_dev_pci_reset(struct qm_dev *dev)
{
	if (!qm_dev_reset_try(dev))
		return false;
	qm_dev_lock(&dev->pci.lock);
	qm_dev_pci_init(dev);
	qm_dev_unlock(&dev->pci.lock);
	return true;
}

/* Bytes of the next part of an access: naturally aligned, at most 8. */
static unsigned int
part(uint64_t off, size_t len)
{
	unsigned int n = 8;

	while (off % n != 0 || n > len)
		n /= 2;
	return n;
}

int
qm_dev_pci_bar_read(struct qm_dev *dev, unsigned int bar, uint64_t off, void *data, size_t len)
{
	uint8_t *out = data;

	if (!in_range(off, len, qm_dev_pci_bar_size(dev, bar)))
		return -EINVAL;
	while (len != 0) {
		unsigned int n = part(off, len);
		uint64_t v = bar == QM_DEV_BAR_REGS ? qm_dev_read(dev, (uint32_t)off, n) :
			atomic_load_explicit(&dev->gone, memory_order_relaxed) ? UINT64_MAX : 0;

		memcpy(out, &v, n);
		out += n;
		off += n;
		len -= n;
	}
	return 0;
}

int
qm_dev_pci_bar_write(struct qm_dev *dev, unsigned int bar, uint64_t off, const void *data,
		size_t len)
{
	const uint8_t *in = data;

	if (!in_range(off, len, qm_dev_pci_bar_size(dev, bar)))
		return -EINVAL;
	while (len != 0) {
		unsigned int n = part(off, len);
		uint64_t v = 0;

		memcpy(&v, in, n);
		if (bar == QM_DEV_BAR_REGS)
			qm_dev_write(dev, (uint32_t)off, n, v);
		else if (n == sizeof(v) && off % HISI_QM_DB_PAGE_SIZE == HISI_QM_DB_SQ_CQ)
			qm_dev_queue_ring_page(dev, off / HISI_QM_DB_PAGE_SIZE, v);
		in += n;
		off += n;
		len -= n;
	}
	return 0;
}
