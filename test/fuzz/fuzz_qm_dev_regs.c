/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Any sequence of what a driver can do to a function: registers, mailbox,
 * doorbells, config space, BARs, event queues, resets, its own memory, maps,
 * with or without injected faults. The function must neither leave the map nor
 * hang, and sends a message only for an entry. Queues are of either class. The
 * copy engine keeps what ZIP executes cheap; requests themselves are the subject
 * of fuzz_zip_dev_sqe and fuzz_udma_dev_sqe.
 *
 * Input: operations, each a byte that says which, followed by its arguments.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz_util.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "qm_dev.h"
#include "qm_dev_pci.h"
#include "udma_dev.h"
#include "zip_dev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUES     3u
#define ARENA      (32u << 10)
#define ARENA_IOVA 0x10000u
#define GUARD      (16u << 20)

static uint64_t messages;

static void
count_message(unsigned int vector, void *priv)
{
	(void)priv;
	require(vector < QM_DEV_IRQS);
	messages++;
}

/* A fault list that is valid, now and then one that is not. */
static const char *
fault_list(struct input *in)
{
	static const char *const lists[] = { NULL, NULL, NULL, "", "status=0x0e/3", "stall@2",
		"aeq=cq_overflow/4", "aeq=cqe_error@3", "aeq=eq_overflow@2", "mailbox_timeout@9",
		"vanish@6", "vanish@1,stall@1", "status=1@1,status=2@2,mailbox_timeout/5", "stall",
		"x@1", "status=@" };

	return lists[take(in, 1) % (sizeof(lists) / sizeof(lists[0]))];
}

/* Set EQ or AEQ up with a ring in the arena. */
static void
start_events(struct qm_dev *dev, uint8_t *arena, struct input *in)
{
	uint64_t which = take(in, 1);
	struct hisi_qm_eqc eqc = { .base_l = ARENA_IOVA + (uint32_t)take(in, 1) * 128,
		.dw6 = HISI_QM_EQC_PHASE | (uint32_t)take(in, 1) % 16 };
	struct hisi_qm_mailbox mb = { .base_l = ARENA_IOVA + ARENA - 32,
		.w0 = (uint16_t)(HISI_QM_MB_BUSY | (which % 2 != 0 ? HISI_QM_MB_EQC :
				HISI_QM_MB_AEQC)) };

	memcpy(arena + ARENA - 32, &eqc, sizeof(eqc));
	qm_dev_mailbox(dev, &mb);
	qm_dev_write(dev, HISI_QM_EQ_INT_MASK, 4, which >> 1 & 1);
	qm_dev_write(dev, HISI_QM_AEQ_INT_MASK, 4, which >> 2 & 1);
}

/* Config space and BARs, at places that mean something and at any others. */
static void
pci_op(struct qm_dev *dev, struct input *in)
{
	uint8_t buf[64];
	uint64_t kind = take(in, 1), off = take(in, 4);
	size_t len = take(in, 1) % (sizeof(buf) + 1);

	for (size_t i = 0; i < len && kind % 2 != 0; i++)
		buf[i] = (uint8_t)take(in, 1);
	switch (kind % 6) {
	case 0:
		qm_dev_pci_config_read(dev, (uint32_t)off % 4200, buf, len);
		break;
	case 1:
		if (qm_dev_pci_config_write(dev, (uint32_t)off % 4200, buf, len) ==
				QM_DEV_PCI_RESET)
			require(qm_dev_pci_reset(dev));
		break;
	case 2:
		qm_dev_pci_bar_read(dev, (unsigned int)off % 7, off >> 3, buf, len);
		break;
	case 3:
		qm_dev_pci_bar_write(dev, (unsigned int)off % 7, off >> 3, buf, len);
		break;
	case 4:
		require(qm_dev_pci_reset(dev));
		break;
	default: /* a doorbell page */
		off = off % (QUEUES + 1) * HISI_QM_DB_PAGE_SIZE + HISI_QM_DB_SQ_CQ;
		qm_dev_pci_bar_write(dev, QM_DEV_BAR_DOORBELLS, off, buf, 8);
		break;
	}
}

/* Set a queue up with rings in the arena, so that the rest has something to break. */
static void
start_queue(struct qm_dev *dev, uint8_t *arena, struct input *in)
{
	unsigned int which = (unsigned int)take(in, 1);
	uint16_t qn = (uint16_t)(which % QUEUES), type = (uint16_t)(which / QUEUES % 4);
	uint32_t depth = 2 + (uint32_t)take(in, 1) % 32;
	uint32_t sq = ARENA_IOVA + (uint32_t)take(in, 1) * 128, cq = ARENA_IOVA +
		(uint32_t)take(in, 1) * 128;
	struct hisi_qm_sqc sqc = { .base_l = sq, .cq_num = qn,
		.w13 = (uint16_t)(type << HISI_QM_SQC_TYPE_SHIFT),
		.dw3 = (depth - 1) | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT };
	struct hisi_qm_cqc cqc = { .base_l = cq, .dw6 = (uint32_t)take(in, 1) % 4,
		.dw3 = (depth - 1) | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT };
	struct hisi_qm_mailbox mb = { .w0 = HISI_QM_MB_SQC | HISI_QM_MB_BUSY, .queue_num = qn,
		.base_l = ARENA_IOVA + ARENA - 64 };

	memcpy(arena + ARENA - 64, &sqc, sizeof(sqc));
	memcpy(arena + ARENA - 32, &cqc, sizeof(cqc));
	qm_dev_mailbox(dev, &mb);
	mb.w0 = HISI_QM_MB_CQC | HISI_QM_MB_BUSY;
	mb.base_l = ARENA_IOVA + ARENA - 32;
	qm_dev_mailbox(dev, &mb);
}

static void
one_op(struct qm_dev *dev, uint8_t *arena, struct input *in, int faults)
{
	struct hisi_qm_shadow *db;
	struct hisi_qm_mailbox mb;
	uint32_t off, len;
	uint64_t ticket;

	switch (take(in, 1) % 14) {
	case 0:
		off = (uint32_t)take(in, 2);
		qm_dev_read(dev, off, 1u << take(in, 1) % 5);
		break;
	case 1:
		off = (uint32_t)take(in, 2);
		len = 1u << take(in, 1) % 5;
		qm_dev_write(dev, off, len, take(in, 8));
		break;
	case 2:
		mb.w0 = (uint16_t)take(in, 2);
		mb.queue_num = (uint16_t)take(in, 2);
		mb.base_l = (uint32_t)take(in, 4);
		mb.base_h = (uint32_t)take(in, 1);
		mb.rsvd = 0;
		qm_dev_mailbox(dev, &mb);
		require(faults || (qm_dev_read(dev, HISI_QM_MAILBOX, 4) & HISI_QM_MB_BUSY) == 0);
		break;
	case 3:
		qm_dev_poll(dev, (uint16_t)(take(in, 1) % (QUEUES + 1)),
				(unsigned int)take(in, 1));
		break;
	case 4:
		db = qm_dev_doorbell(dev, (uint16_t)(take(in, 1) % QUEUES));
		db->sq = take(in, 8);
		break;
	case 5:
		db = qm_dev_doorbell(dev, (uint16_t)(take(in, 1) % QUEUES));
		db->cq = take(in, 8);
		break;
	case 6:
		off = (uint32_t)take(in, 2) % ARENA;
		len = (uint32_t)take(in, 1);
		for (uint32_t i = 0; i < len && off + i < ARENA; i++)
			arena[off + i] = (uint8_t)take(in, 1);
		break;
	case 7:
		start_queue(dev, arena, in);
		break;
	case 8: /* doorbells that are valid but for the index */
		off = (uint32_t)take(in, 1) % QUEUES;
		qm_dev_write(dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db((uint16_t)off,
				(enum hisi_qm_db_cmd)(take(in, 1) % 2), 0,
				(uint16_t)take(in, 1), (uint16_t)take(in, 1)));
		break;
	case 11:
		start_events(dev, arena, in);
		break;
	case 12:
		off = (uint32_t)take(in, 1);
		qm_dev_write(dev, HISI_QM_DB_EQ_AEQ, 8, hisi_qm_db(0, (enum hisi_qm_db_cmd)
				(HISI_QM_DB_EQ + off % 2), 0, (uint16_t)(off / 2 % 20), 0));
		break;
	case 13:
		pci_op(dev, in);
		break;
	case 9:
		off = (uint32_t)take(in, 3);
		qm_dev_dma_map(dev, off, take(in, 2), arena + off % ARENA / 2,
				(unsigned int)take(in, 1) % 4);
		break;
	default:
		off = (uint32_t)take(in, 3);
		/* Nothing is executed meanwhile: there are no workers. */
		require(qm_dev_dma_unmap_start(dev, off, take(in, 3), &ticket, NULL) < 0 ||
				qm_dev_dma_unmap_done(dev, ticket));
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct zip_dev_conf zip = { .streams_max = 2, .engine = ZIP_DEV_ENGINE_COPY };
	struct qm_dev_conf conf = { .name = "fuzz", .queues = QUEUES, .ext = 1,
		.classes = { { &zip_dev_class, &zip }, { &udma_dev_class, NULL } },
		.revision = HISI_QM_REV_V3, .irq = count_message };
	struct input in = { .at = data, .left = size };
	static uint8_t *arena;
	struct qm_dev_stats stats;
	struct qm_dev *dev;
	uint64_t kind;

	if (arena == NULL) {
		arena = mmap(NULL, ARENA + 2 * GUARD, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		require(arena != MAP_FAILED);
		arena += GUARD;
		require(mprotect(arena, ARENA, PROT_READ | PROT_WRITE) == 0);
	}
	memset(arena, 0, ARENA);
	kind = take(&in, 1);
	if (kind % 8 == 0)
		conf.revision = HISI_QM_REV_V2;
	else
		conf.isolation = kind >> 3 & 1;
	conf.fault = fault_list(&in);
	messages = 0;
	if (qm_dev_create(&conf, &dev) != 0) {
		require(conf.fault != NULL);
		return 0;
	}
	require(qm_dev_dma_map(dev, ARENA_IOVA, ARENA, arena,
			QM_DEV_PROT_READ | QM_DEV_PROT_WRITE) == 0);
	while (in.left != 0)
		one_op(dev, arena, &in, conf.fault != NULL);
	qm_dev_stats_get(dev, &stats);
	require(stats.queues_live <= QUEUES && stats.contexts == 0);
	require(stats.irqs[0] + stats.irqs[1] == messages && stats.irqs[2] + stats.irqs[3] == 0);
	qm_dev_destroy(dev);
	return 0;
}
