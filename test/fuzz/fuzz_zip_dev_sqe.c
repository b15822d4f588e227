/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Requests of a hostile driver: every SQE must complete, nothing outside the
 * map may be touched, and only the result words of an SQE may change.
 *
 * Input: 1 byte flags, 1 byte number of SQEs (0 to 7), the SQEs, and the image
 * of the memory at ARENA_IOVA, in which SGLs and data lie.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz_util.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "zip_dev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAG_PLAIN      0x1u /* no extension */
#define FLAG_DECOMPRESS 0x2u
#define FLAG_V2         0x4u
#define FLAG_FIT        0x8u /* bend addresses so that they point into the arena */

#define ARENA_IOVA 0x10000u
#define ARENA      (64u << 10)
#define RING_IOVA  0x7fff12340000ull
#define GUARD      (16u << 20)
#define DEPTH      8u
#define LEN_MAX    (128u << 10)

static uint8_t *
guarded_map(size_t len)
{
	uint8_t *p = mmap(NULL, len + 2 * GUARD, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	require(p != MAP_FAILED);
	require(mprotect(p + GUARD, len, PROT_READ | PROT_WRITE) == 0);
	return p + GUARD;
}

struct rings {
	struct hisi_zip_sqe sq[DEPTH];
	struct hisi_qm_cqe cq[DEPTH];
	struct hisi_qm_sqc sqc;
	struct hisi_qm_cqc cqc;
};

static void
quiet(enum qm_dev_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)line;
	(void)priv;
}

static void
mailbox(struct qm_dev *dev, enum hisi_qm_mb_cmd cmd, uint64_t base)
{
	const struct hisi_qm_mailbox mb = { .w0 = (uint16_t)(cmd | HISI_QM_MB_BUSY),
		.base_l = (uint32_t)base, .base_h = (uint32_t)(base >> 32) };

	qm_dev_mailbox(dev, &mb);
	require(qm_dev_read(dev, HISI_QM_MAILBOX, 4) >> HISI_QM_MB_STATUS_SHIFT == 0);
}

/* One function per revision and extension, made once. */
static struct qm_dev *
function(unsigned int flags, uint8_t *arena, struct rings *rings)
{
	static struct qm_dev *devs[8];
	struct qm_dev **dev = &devs[flags & (FLAG_PLAIN | FLAG_V2)];

	if (*dev == NULL) {
		const struct zip_dev_conf zip = { .streams_max = 4 };
		struct qm_dev_conf conf = { .name = "fuzz", .queues = 1,
			.classes = { { &zip_dev_class, &zip } },
			.revision = (flags & FLAG_V2) != 0 ? HISI_QM_REV_V2 : HISI_QM_REV_V3,
			.ext = (flags & FLAG_PLAIN) == 0, .log = quiet };

		require(qm_dev_create(&conf, dev) == 0);
		require(qm_dev_dma_map(*dev, ARENA_IOVA, ARENA, arena,
				QM_DEV_PROT_READ | QM_DEV_PROT_WRITE) == 0);
		require(qm_dev_dma_map(*dev, RING_IOVA, 4096, rings,
				QM_DEV_PROT_READ | QM_DEV_PROT_WRITE) == 0);
	}
	return *dev;
}

static void
start(struct qm_dev *dev, struct rings *r, unsigned int flags)
{
	const uint64_t sq = RING_IOVA + offsetof(struct rings, sq);
	const uint64_t cq = RING_IOVA + offsetof(struct rings, cq);

	memset(r, 0, sizeof(*r));
	r->sqc.base_l = (uint32_t)sq;
	r->sqc.base_h = (uint32_t)(sq >> 32);
	r->sqc.dw3 = (DEPTH - 1) | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT;
	r->sqc.w13 = (flags & FLAG_DECOMPRESS) != 0 ?
		HISI_ZIP_QC_DECOMPRESS << HISI_QM_SQC_TYPE_SHIFT : 0;
	r->cqc.base_l = (uint32_t)cq;
	r->cqc.base_h = (uint32_t)(cq >> 32);
	r->cqc.dw3 = (DEPTH - 1) | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT;
	r->cqc.dw6 = HISI_QM_CQC_PHASE;
	mailbox(dev, HISI_QM_MB_SQC, RING_IOVA + offsetof(struct rings, sqc));
	mailbox(dev, HISI_QM_MB_CQC, RING_IOVA + offsetof(struct rings, cqc));
}

/*
 * Whoever writes into his own rings finds there what he wrote, which says nothing about the device.
 * libFuzzer sees the addresses that are compared, so it does find the rings in time.
 */
static int
names_rings(const uint8_t *data, size_t size)
{
	const uint64_t iova = RING_IOVA;

	/* Without the 16 bits that a page's address leaves to chance, and those that are 0. */
	return memmem(data, size, (const uint8_t *)&iova + 2, 4) != NULL;
}

static void
bend(uint32_t *low, uint32_t *high)
{
	*low = ARENA_IOVA + *low % ARENA;
	*high = 0;
}

static void
check_unchanged(const struct hisi_zip_sqe *before, const struct hisi_zip_sqe *after)
{
	const uint32_t results = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 15 |
		1u << 28 | 1u << 29 | 1u << 30 | 1u << 31;
	const uint32_t *b = (const uint32_t *)before, *a = (const uint32_t *)after;

	for (unsigned int i = 0; i < 32; i++)
		require((results >> i & 1) != 0 || a[i] == b[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *arena;
	static struct rings *rings;
	struct hisi_zip_sqe sqe[DEPTH];
	unsigned int flags, n;
	struct qm_dev *dev;

	if (arena == NULL) {
		arena = guarded_map(ARENA);
		rings = (struct rings *)guarded_map(4096);
	}
	if (size < 2 || names_rings(data, size))
		return -1;
	flags = data[0];
	n = data[1] % DEPTH;
	data += 2;
	size -= 2;
	if (size < n * sizeof(sqe[0]) || size - n * sizeof(sqe[0]) > ARENA)
		return -1;

	dev = function(flags, arena, rings);
	start(dev, rings, flags);
	memcpy(sqe, data, n * sizeof(sqe[0]));
	data += n * sizeof(sqe[0]);
	size -= n * sizeof(sqe[0]);
	memset(arena, 0, ARENA);
	memcpy(arena, data, size);

	for (unsigned int i = 0; i < n; i++) {
		if ((flags & FLAG_FIT) != 0) {
			bend(&sqe[i].source_addr_l, &sqe[i].source_addr_h);
			bend(&sqe[i].dest_addr_l, &sqe[i].dest_addr_h);
			sqe[i].stream_ctx_addr_h = 0;
			sqe[i].stream_ctx_addr_l &= 7;
		}
		/* Lists may name the same memory often; megabytes at level 9 would take all day. */
		if (sqe[i].input_data_length <= HISI_ZIP_REQ_LEN_MAX)
			sqe[i].input_data_length %= LEN_MAX;
		rings->sq[i] = sqe[i];
	}
	qm_dev_write(dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(0, HISI_QM_DB_SQ, 0, (uint16_t)n, 0));
	require(qm_dev_poll(dev, 0, 100) == n);
	for (unsigned int i = 0; i < n; i++) {
		require(rings->cq[i].w7 == HISI_QM_CQE_PHASE && rings->cq[i].sq_head == i);
		check_unchanged(&sqe[i], &rings->sq[i]);
		require(rings->sq[i].consumed <= sqe[i].input_data_length);
		require(rings->sq[i].produced <= sqe[i].dest_avail_out);
	}

	/* Leave no stream behind for the next input, so that one input shows a fault again. */
	for (unsigned int i = 0; i < n; i++) {
		struct qm_dev_stats stats;
		const struct hisi_zip_sqe *s = &sqe[i];

		qm_dev_write(dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 8, s->stream_ctx_addr_l |
				(uint64_t)s->stream_ctx_addr_h << 32);
		qm_dev_stats_get(dev, &stats);
		require(i + 1 < n || stats.contexts == 0 || (flags & FLAG_PLAIN) != 0);
	}
	return 0;
}
