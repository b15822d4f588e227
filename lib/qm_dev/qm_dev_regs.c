/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "qm_dev_doorbell.h"
#include "qm_dev_event.h"
#include "qm_dev_exec.h"
#include "qm_dev_fault.h"
#include "qm_dev_mailbox.h"
#include "qm_dev_regs.h"

#define MB_OFF  HISI_QM_MAILBOX
#define MB_LAST (MB_OFF + sizeof(struct hisi_qm_mailbox) - sizeof(uint32_t))

static inline uint32_t
reg_load(const _Atomic uint32_t *reg)
{
	return atomic_load_explicit(reg, memory_order_acquire);
}

static inline void
reg_store(_Atomic uint32_t *reg, uint32_t value)
{
	atomic_store_explicit(reg, value, memory_order_release);
}

/* Those of enum qm_dev_reg. A function of an older revision does not have it: it reads 0 (U30). */
static const struct reg_desc {
	uint32_t off;
	uint32_t reset;  /* After power-on and reset. */
	uint32_t wmask;  /* Bits that the driver changes. */
	uint8_t rev;     /* The first that has it. */
} reg_table[QM_DEV_REGS_PLAIN] = {
	[QM_DEV_REG_IFC_INT_MASK] = { HISI_QM_IFC_INT_MASK, 1, 1, HISI_QM_REV_V3 },
	[QM_DEV_REG_PAGE_SIZE] = { HISI_QM_PAGE_SIZE, 0, UINT32_MAX, HISI_QM_REV_V3 },
	[QM_DEV_REG_VF_STATE] = { HISI_QM_VF_STATE, 0, UINT32_MAX, HISI_QM_REV_V3 },
	[QM_DEV_REG_WB_DONE] = { HISI_QM_CACHE_WB_DONE, 0, 0, HISI_QM_REV_V2 },
};

/* @return Its index; QM_DEV_REGS_PLAIN: none of this function. */
static unsigned int
find_reg(const struct qm_dev *dev, uint32_t off)
{
	unsigned int i = 0;

	while (i < QM_DEV_REGS_PLAIN && (reg_table[i].off != off ||
			dev->conf.revision < reg_table[i].rev))
		i++;
	return i;
}

/* One aligned dword. */
static uint32_t
read32(struct qm_dev *dev, uint32_t off)
{
	unsigned int i;

	if (off >= MB_OFF && off <= MB_LAST &&
			atomic_load_explicit(&dev->mb_pending, memory_order_relaxed))
		qm_dev_mailbox_again(dev);
	if (off >= MB_OFF && off <= MB_LAST)
		return reg_load(&dev->mb_reg[(off - MB_OFF) / sizeof(uint32_t)]);

	switch (off) {
	case HISI_QM_AEQ_INT_SOURCE:
		return reg_load(&dev->events.eq[QM_DEV_IRQ_AEQ].source);
	case HISI_QM_AEQ_INT_MASK:
		return reg_load(&dev->events.eq[QM_DEV_IRQ_AEQ].mask);
	case HISI_QM_EQ_INT_SOURCE:
		return reg_load(&dev->events.eq[QM_DEV_IRQ_EQ].source);
	case HISI_QM_EQ_INT_MASK:
		return reg_load(&dev->events.eq[QM_DEV_IRQ_EQ].mask);
	case HISI_QM_QUE_ISO_CFG:
		return dev->conf.isolation;
	case HISI_EXT_REG_MAGIC:
		return dev->conf.ext ? HISI_EXT_MAGIC : 0;
	case HISI_EXT_REG_FEATURES:
		return dev->conf.ext ? qm_dev_classes_features(dev) : 0;
	default:
		i = find_reg(dev, off);
		if (i < QM_DEV_REGS_PLAIN)
			return reg_load(&dev->reg[i]);
		/*
		 * Also: no message from a PF, messages to it (0x2c) are
		 * acknowledged at once, capability version 0 (the driver's
		 * defaults hold, U24).
		 */
		return 0;
	}
}

static void
write32(struct qm_dev *dev, uint32_t off, uint32_t value)
{
	unsigned int i;

	switch (off) {
	case HISI_QM_AEQ_INT_MASK:
		qm_dev_event_mask(dev, QM_DEV_IRQ_AEQ, value & 1);
		break;
	case HISI_QM_EQ_INT_MASK:
		qm_dev_event_mask(dev, QM_DEV_IRQ_EQ, value & 1);
		break;
	case HISI_QM_SHADOW_REG_WAKE:
		qm_dev_queue_wake(dev, value);
		break;
	case HISI_QM_CACHE_WB_START:
		if ((value & 1) == 0)
			break;
		pthread_mutex_lock(&dev->mb_lock);
		qm_dev_mailbox_write_back(dev);
		reg_store(&dev->reg[QM_DEV_REG_WB_DONE], 1);
		pthread_mutex_unlock(&dev->mb_lock);
		break;
	default:
		i = find_reg(dev, off);
		if (i < QM_DEV_REGS_PLAIN && reg_table[i].wmask != 0)
			reg_store(&dev->reg[i], value & reg_table[i].wmask);
		break;
	}
}

uint64_t
qm_dev_read(struct qm_dev *dev, uint32_t off, unsigned int size)
{
	uint32_t low = off & ~3u;

	if ((size != 1 && size != 2 && size != 4 && size != 8) || off % size != 0)
		return 0;
	if (atomic_load_explicit(&dev->gone, memory_order_acquire))
		return UINT64_MAX >> (64 - 8 * size);
	if (size == 8)
		return read32(dev, off) | (uint64_t)read32(dev, off + 4) << 32;
	return read32(dev, low) >> 8 * (off - low) & (UINT32_MAX >> (32 - 8 * size));
}

void
qm_dev_regs_reset(struct qm_dev *dev)
{
	qm_dev_event_reset(dev);
	for (unsigned int i = 0; i < QM_DEV_REGS_PLAIN; i++)
		reg_store(&dev->reg[i], reg_table[i].reset);
	for (unsigned int i = 0; i < 4; i++)
		reg_store(&dev->mb_reg[i], 0);
	atomic_store_explicit(&dev->mb_pending, false, memory_order_relaxed);
	dev->sqc_bt = 0;
	dev->cqc_bt = 0;
	if (QM_DEV_FAULT_OF(dev) != NULL)
		QM_DEV_FAULT_OF(dev)->stuck = false;
}

/* Whether the mailbox takes a write (U3); mb_lock is held. */
static bool
mailbox_takes(const struct qm_dev *dev)
{
	return !atomic_load_explicit(&dev->gone, memory_order_relaxed) &&
		!atomic_load_explicit(&dev->mb_pending, memory_order_relaxed) &&
		(QM_DEV_FAULT_OF(dev) == NULL || !QM_DEV_FAULT_OF(dev)->stuck);
}

/* The registers of the mailbox take 4 or 8 bytes; the last dword fires (QM 2.3). */
static void
mailbox_write(struct qm_dev *dev, uint32_t off, unsigned int size, uint64_t value)
{
	pthread_mutex_lock(&dev->mb_lock);
	if (!mailbox_takes(dev))
		goto out;
	for (unsigned int i = 0; i < size; i += (unsigned int)sizeof(uint32_t))
		reg_store(&dev->mb_reg[(off + i - MB_OFF) / sizeof(uint32_t)],
				(uint32_t)(value >> 8 * i));
	if (off + size > MB_LAST)
		qm_dev_mailbox_run(dev);
out:
	pthread_mutex_unlock(&dev->mb_lock);
}

void
qm_dev_mailbox(struct qm_dev *dev, const struct hisi_qm_mailbox *mb)
{
	pthread_mutex_lock(&dev->mb_lock);
	if (mailbox_takes(dev)) {
		reg_store(&dev->mb_reg[3], mb->rsvd);
		reg_store(&dev->mb_reg[2], mb->base_h);
		reg_store(&dev->mb_reg[1], mb->base_l);
		reg_store(&dev->mb_reg[0], mb->w0 | (uint32_t)mb->queue_num << 16);
		qm_dev_mailbox_run(dev);
	}
	pthread_mutex_unlock(&dev->mb_lock);
}

void
qm_dev_write(struct qm_dev *dev, uint32_t off, unsigned int size, uint64_t value)
{
	/* Registers are dwords: narrower writes have no meaning, nor has half a doorbell (U26). */
	if ((size != 4 && size != 8) || off % size != 0 ||
			atomic_load_explicit(&dev->gone, memory_order_acquire))
		return;
	if (off >= MB_OFF && off <= MB_LAST) {
		mailbox_write(dev, off, size, value);
		return;
	}
	if (size == 4) {
		write32(dev, off, (uint32_t)value);
		return;
	}
	switch (off) {
	case HISI_QM_DB_SQ_CQ:
		if (dev->conf.isolation) /* they are in BAR4 */
			atomic_fetch_add_explicit(&dev->doorbells_dropped, 1,
					memory_order_relaxed);
		else
			qm_dev_queue_ring(dev, value);
		break;
	case HISI_QM_DB_EQ_AEQ:
		qm_dev_event_ring(dev, value);
		break;
	default:
		if (qm_dev_classes_write(dev, off, value))
			break;
		write32(dev, off, (uint32_t)value);
		write32(dev, off + 4, (uint32_t)(value >> 32));
		break;
	}
}
