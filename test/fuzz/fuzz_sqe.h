/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef FUZZ_SQE_H
#define FUZZ_SQE_H

/**
 * @file
 * What the fuzzers of requests share: functions that are made once and keep nothing from one input
 * to the next, with one queue, whose rings lie beside the memory that requests may use.
 */

#include <string.h>
#include <sys/mman.h>

#include "fuzz_util.h"
#include "qm_dev.h"

#define ARENA_IOVA 0x10000u
#define ARENA      (64u << 10) /**< Bytes that requests may use. */
#define RING_IOVA  0x7fff12340000ull
#define GUARD      (16u << 20)
#define DEPTH      8u
#define SQE_SIZE   128u

struct rings {
	uint8_t sq[DEPTH][SQE_SIZE];
	struct hisi_qm_cqe cq[DEPTH];
	struct hisi_qm_sqc sqc;
	struct hisi_qm_cqc cqc;
};

/** Memory of len bytes, nothing on either side of it. */
static inline uint8_t *
guarded_map(size_t len)
{
	uint8_t *p = mmap(NULL, len + 2 * GUARD, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	require(p != MAP_FAILED);
	require(mprotect(p + GUARD, len, PROT_READ | PROT_WRITE) == 0);
	return p + GUARD;
}

static inline void
mailbox(struct qm_dev *dev, enum hisi_qm_mb_cmd cmd, uint64_t base)
{
	const struct hisi_qm_mailbox mb = { .w0 = (uint16_t)(cmd | HISI_QM_MB_BUSY),
		.base_l = (uint32_t)base, .base_h = (uint32_t)(base >> 32) };

	qm_dev_mailbox(dev, &mb);
	require(qm_dev_read(dev, HISI_QM_MAILBOX, 4) >> HISI_QM_MB_STATUS_SHIFT == 0);
}

/** Make a function that sees both. */
static inline struct qm_dev *
function_create(struct qm_dev_conf *conf, uint8_t *arena, struct rings *rings)
{
	struct qm_dev *dev;

	conf->name = "fuzz";
	conf->queues = 1;
	require(qm_dev_create(conf, &dev) == 0);
	require(qm_dev_dma_map(dev, ARENA_IOVA, ARENA, arena,
			QM_DEV_PROT_READ | QM_DEV_PROT_WRITE) == 0);
	require(qm_dev_dma_map(dev, RING_IOVA, 4096, rings,
			QM_DEV_PROT_READ | QM_DEV_PROT_WRITE) == 0);
	return dev;
}

/** Start its queue, empty, for requests of this type. */
static inline void
start(struct qm_dev *dev, struct rings *r, unsigned int type)
{
	const uint64_t sq = RING_IOVA + offsetof(struct rings, sq);
	const uint64_t cq = RING_IOVA + offsetof(struct rings, cq);

	memset(r, 0, sizeof(*r));
	r->sqc.base_l = (uint32_t)sq;
	r->sqc.base_h = (uint32_t)(sq >> 32);
	r->sqc.dw3 = (DEPTH - 1) | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT;
	r->sqc.w13 = (uint16_t)(type << HISI_QM_SQC_TYPE_SHIFT);
	r->cqc.base_l = (uint32_t)cq;
	r->cqc.base_h = (uint32_t)(cq >> 32);
	r->cqc.dw3 = (DEPTH - 1) | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT;
	r->cqc.dw6 = HISI_QM_CQC_PHASE;
	mailbox(dev, HISI_QM_MB_SQC, RING_IOVA + offsetof(struct rings, sqc));
	mailbox(dev, HISI_QM_MB_CQC, RING_IOVA + offsetof(struct rings, cqc));
}

/** Have the first n requests in the ring executed: each completes, in order. */
static inline void
run(struct qm_dev *dev, const struct rings *rings, unsigned int n)
{
	qm_dev_write(dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(0, HISI_QM_DB_SQ, 0, (uint16_t)n, 0));
	require(qm_dev_poll(dev, 0, 100) == n);
	for (unsigned int i = 0; i < n; i++)
		require(rings->cq[i].w7 == HISI_QM_CQE_PHASE && rings->cq[i].sq_head == i);
}

/**
 * Whoever writes into his own rings finds there what he wrote, which says nothing about the device.
 * libFuzzer sees the addresses that are compared, so it does find the rings in time.
 */
static inline int
names_rings(const uint8_t *data, size_t size)
{
	const uint64_t iova = RING_IOVA;

	/* Without the 16 bits that a page's address leaves to chance, and those that are 0. */
	return memmem(data, size, (const uint8_t *)&iova + 2, 4) != NULL;
}

struct sqe_input {
	unsigned int flags;
	unsigned int n; /**< Requests, less than DEPTH. */
};

/**
 * Take an input apart: a byte of flags, one for the number of requests, the requests, and what the
 * arena begins with.
 * @param sqe
 *   Room for DEPTH requests.
 * @return 0; -1: it is none, and nothing was changed.
 */
static inline int
take_input(const uint8_t *data, size_t size, struct sqe_input *in, void *sqe, uint8_t *arena)
{
	size_t sqes;

	if (size < 2 || names_rings(data, size))
		return -1;
	sqes = data[1] % DEPTH * SQE_SIZE;
	if (size - 2 < sqes || size - 2 - sqes > ARENA)
		return -1;
	*in = (struct sqe_input){ .flags = data[0], .n = data[1] % DEPTH };
	data += 2;
	size -= 2;
	memcpy(sqe, data, sqes);
	memset(arena, 0, ARENA);
	memcpy(arena, data + sqes, size - sqes);
	return 0;
}

/** Make an address one of the arena. */
static inline void
bend(uint32_t *low, uint32_t *high)
{
	*low = ARENA_IOVA + *low % ARENA;
	*high = 0;
}

/** No word of a request has changed but those of results, bit n for word n. */
static inline void
check_unchanged(const void *before, const void *after, uint32_t results)
{
	uint32_t b[SQE_SIZE / 4], a[SQE_SIZE / 4];

	memcpy(b, before, SQE_SIZE);
	memcpy(a, after, SQE_SIZE);
	for (unsigned int i = 0; i < SQE_SIZE / 4; i++)
		require((results >> i & 1) != 0 || a[i] == b[i]);
}

#endif /* FUZZ_SQE_H */
