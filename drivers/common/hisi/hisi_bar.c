/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>

#include <rte_common.h>
#include <rte_io.h>

#include "hisi_bar.h"
#include "hisi_qm_mmio.h"

/* io is the first member. */
static struct hisi_bar *
to_bar(struct hisi_qm_io *io)
{
	return (struct hisi_bar *)io;
}

static uint32_t
bar_read32(struct hisi_qm_io *io, uint32_t off)
{
	return rte_read32(to_bar(io)->bar2 + off);
}

static void
bar_write32(struct hisi_qm_io *io, uint32_t off, uint32_t value)
{
	rte_write32(value, to_bar(io)->bar2 + off);
}

static void
bar_write64(struct hisi_qm_io *io, uint32_t off, uint64_t value)
{
	rte_write64(value, to_bar(io)->bar2 + off);
}

static int
bar_mailbox(struct hisi_qm_io *io, const struct hisi_qm_mailbox *mb)
{
	hisi_qm_mailbox_store(to_bar(io)->bar2 + HISI_QM_MAILBOX, mb);
	return 0;
}

static int
bar_doorbells(struct hisi_qm_io *io, uint16_t qn, volatile uint64_t **sq,
		volatile uint64_t **cq)
{
	struct hisi_bar *bar = to_bar(io);

	if (qn >= bar->db_queues) {
		hisi_log_error(bar->driver, "%s: queue %u has no doorbell: BAR4 has pages for %u "
			"queues, expected one for each", io->name, qn, bar->db_queues);
		return -EINVAL;
	}
	*sq = *cq = (volatile uint64_t *)(bar->db + (uint64_t)qn * bar->db_stride);
	return 0;
}

static int
bar_reset(struct hisi_qm_io *io)
{
	struct hisi_bar *bar = to_bar(io);

	return bar->reset != NULL ? bar->reset(bar) : -ENOTSUP;
}

/* Memory is mapped for the device by whoever mapped the BARs. */
static const struct hisi_qm_io_ops bar_ops = {
	.read32 = bar_read32,
	.write32 = bar_write32,
	.write64 = bar_write64,
	.mailbox = bar_mailbox,
	.doorbells = bar_doorbells,
	.reset = bar_reset,
};

int
hisi_bar_init(struct hisi_bar *bar, uint8_t revision, void *bar2, uint64_t bar2_len,
		void *bar4, uint64_t bar4_len)
{
	uint32_t isolation;

	bar->io.ops = &bar_ops;
	bar->io.revision = revision;
	bar->bar2 = bar2;
	if (bar2 == NULL || bar2_len < HISI_BAR2_MIN) {
		hisi_log_error(bar->driver, "%s: BAR2 has 0x%" PRIx64 " bytes, expected 0x%x or "
			"more", bar->io.name, bar2_len, HISI_BAR2_MIN);
		return -EINVAL;
	}
	if (bar_read32(&bar->io, HISI_QM_MAILBOX) == UINT32_MAX) {
		hisi_log_error(bar->driver, "%s: registers read as all ones, expected a function "
			"that answers", bar->io.name);
		return -ENODEV;
	}
	bar->db = bar->bar2 + HISI_QM_DB_SQ_CQ;
	bar->db_stride = 0;
	bar->db_queues = HISI_QM_QUEUES_MAX;
	/* V2 has no such register (QM 1.2). */
	isolation = revision >= HISI_QM_REV_V3 ? bar_read32(&bar->io, HISI_QM_QUE_ISO_CFG) & 1 : 0;
	if (!isolation)
		return 0;
	if (bar4 == NULL || bar4_len < HISI_QM_DB_PAGE_SIZE) {
		hisi_log_error(bar->driver, "%s: doorbells are in BAR4, which has 0x%" PRIx64
			" bytes, expected 0x%x for each queue", bar->io.name, bar4_len,
			HISI_QM_DB_PAGE_SIZE);
		return -ENODEV;
	}
	bar->db = (uint8_t *)bar4 + HISI_QM_DB_SQ_CQ;
	bar->db_stride = HISI_QM_DB_PAGE_SIZE;
	bar->db_queues = (uint32_t)RTE_MIN(bar4_len / HISI_QM_DB_PAGE_SIZE, HISI_QM_QUEUES_MAX);
	return 0;
}
