/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Any sequence of what a driver can do to a function: registers, mailbox,
 * doorbells, its own memory, maps. The function must neither leave the map nor
 * hang. The copy engine keeps what it executes cheap; requests themselves are
 * fuzz_zip_dev_sqe's subject.
 *
 * Input: operations, each a byte that says which, followed by its arguments.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "zip_dev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUES     3u
#define ARENA      (32u << 10)
#define ARENA_IOVA 0x10000u
#define GUARD      (16u << 20)

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next n bytes, little endian; 0 behind the end. */
static uint64_t
take(struct input *in, unsigned int n)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < n && in->left != 0; i++, in->left--)
		v |= (uint64_t)*in->at++ << 8 * i;
	return v;
}

static void
require(int ok)
{
	if (!ok)
		abort();
}

static void
quiet(enum zip_dev_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)line;
	(void)priv;
}

/* Set a queue up with rings in the arena, so that the rest has something to break. */
static void
start_queue(struct zip_dev *dev, uint8_t *arena, struct input *in)
{
	uint16_t qn = (uint16_t)(take(in, 1) % QUEUES);
	uint32_t depth = 2 + (uint32_t)take(in, 1) % 32;
	uint32_t sq = ARENA_IOVA + (uint32_t)take(in, 1) * 128, cq = ARENA_IOVA +
		(uint32_t)take(in, 1) * 128;
	struct hisi_qm_sqc sqc = { .base_l = sq, .cq_num = qn,
		.dw3 = (depth - 1) | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT };
	struct hisi_qm_cqc cqc = { .base_l = cq, .dw6 = HISI_QM_CQC_PHASE,
		.dw3 = (depth - 1) | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT };
	struct hisi_qm_mailbox mb = { .w0 = HISI_QM_MB_SQC | HISI_QM_MB_BUSY, .queue_num = qn,
		.base_l = ARENA_IOVA + ARENA - 64 };

	memcpy(arena + ARENA - 64, &sqc, sizeof(sqc));
	memcpy(arena + ARENA - 32, &cqc, sizeof(cqc));
	zip_dev_mailbox(dev, &mb);
	mb.w0 = HISI_QM_MB_CQC | HISI_QM_MB_BUSY;
	mb.base_l = ARENA_IOVA + ARENA - 32;
	zip_dev_mailbox(dev, &mb);
}

static void
one_op(struct zip_dev *dev, uint8_t *arena, struct input *in)
{
	struct hisi_qm_shadow *db;
	struct hisi_qm_mailbox mb;
	uint32_t off, len;

	switch (take(in, 1) % 11) {
	case 0:
		off = (uint32_t)take(in, 2);
		zip_dev_read(dev, off, 1u << take(in, 1) % 5);
		break;
	case 1:
		off = (uint32_t)take(in, 2);
		len = 1u << take(in, 1) % 5;
		zip_dev_write(dev, off, len, take(in, 8));
		break;
	case 2:
		mb.w0 = (uint16_t)take(in, 2);
		mb.queue_num = (uint16_t)take(in, 2);
		mb.base_l = (uint32_t)take(in, 4);
		mb.base_h = (uint32_t)take(in, 1);
		mb.rsvd = 0;
		zip_dev_mailbox(dev, &mb);
		require((zip_dev_read(dev, HISI_QM_MAILBOX, 4) & HISI_QM_MB_BUSY) == 0);
		break;
	case 3:
		zip_dev_poll(dev, (uint16_t)(take(in, 1) % (QUEUES + 1)),
				(unsigned int)take(in, 1));
		break;
	case 4:
		db = zip_dev_doorbell(dev, (uint16_t)(take(in, 1) % QUEUES));
		db->sq = take(in, 8);
		break;
	case 5:
		db = zip_dev_doorbell(dev, (uint16_t)(take(in, 1) % QUEUES));
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
		zip_dev_write(dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db((uint16_t)off,
				(enum hisi_qm_db_cmd)(take(in, 1) % 2), 0,
				(uint16_t)take(in, 1), 0));
		break;
	case 9:
		off = (uint32_t)take(in, 3);
		zip_dev_dma_map(dev, off, take(in, 2), arena + off % ARENA / 2,
				(unsigned int)take(in, 1) % 4);
		break;
	default:
		off = (uint32_t)take(in, 3);
		zip_dev_dma_unmap(dev, off, take(in, 3));
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zip_dev_conf conf = { .name = "fuzz", .queues = QUEUES, .ext = 1, .streams_max = 2,
		.engine = ZIP_DEV_ENGINE_COPY, .revision = HISI_QM_REV_V3, .log = quiet };
	struct input in = { .at = data, .left = size };
	static uint8_t *arena;
	struct zip_dev_stats stats;
	struct zip_dev *dev;

	if (arena == NULL) {
		arena = mmap(NULL, ARENA + 2 * GUARD, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		require(arena != MAP_FAILED);
		arena += GUARD;
		require(mprotect(arena, ARENA, PROT_READ | PROT_WRITE) == 0);
	}
	memset(arena, 0, ARENA);
	if (take(&in, 1) % 8 == 0)
		conf.revision = HISI_QM_REV_V2;
	require(zip_dev_create(&conf, &dev) == 0);
	require(zip_dev_dma_map(dev, ARENA_IOVA, ARENA, arena,
			ZIP_DEV_PROT_READ | ZIP_DEV_PROT_WRITE) == 0);
	while (in.left != 0)
		one_op(dev, arena, &in);
	zip_dev_stats_get(dev, &stats);
	require(stats.queues_live <= QUEUES && stats.streams == 0);
	zip_dev_destroy(dev);
	return 0;
}
