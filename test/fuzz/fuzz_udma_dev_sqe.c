/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Copies and fills of a hostile driver, against a model that has the same memory: every SQE
 * completes with the result that the model has for it, the memory is the same afterwards, and of
 * an SQE only the result changes.
 *
 * Input: 1 byte flags, 1 byte number of SQEs (0 to 7), the SQEs, and the image of the memory at
 * ARENA_IOVA.
 */

#include <string.h>

#include "fuzz_sqe.h"
#include "hisi_udma_sqe.h"
#include "udma_dev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAG_FIT   0x1u /* bend addresses and lengths so that they are in the arena */
#define FLAG_RIGHT 0x2u /* bend the kind of the request, so that it is one */

#define RESULTS (1u << 28) /* wb */

/* Of [addr, addr + len), where in the arena. @return Whether all of it is there. */
static int
in_arena(uint32_t low, uint32_t high, uint32_t len, uint32_t *at)
{
	uint64_t addr = low | (uint64_t)high << 32;

	*at = (uint32_t)(addr - ARENA_IOVA);
	return len == 0 || (addr >= ARENA_IOVA && addr < ARENA_IOVA + ARENA &&
		len <= ARENA_IOVA + ARENA - addr);
}

/* What a request does to the arena. @return Its status. */
static enum udma_dev_status
model(const struct hisi_udma_sqe *s, uint8_t *arena)
{
	uint32_t zero = s->rsvd1[0] | s->rsvd1[1] | s->rsvd24[0] | s->rsvd24[1], from, to;
	int copy = s->dw0 == 0x301;

	for (unsigned int i = 0; i < 12; i++)
		zero |= s->rsvd10[i];
	if ((!copy && s->dw0 != 0x70301) || (s->dw7 & ~(1u << 15)) != 0 || s->ext > 1 ||
			s->len >= 1u << 24 || zero != 0)
		return UDMA_DEV_BAD_SQE;
	if (!in_arena(s->dst_l, s->dst_h, s->len, &to) ||
			(copy && !in_arena(s->src_l, s->src_h, s->len, &from)))
		return UDMA_DEV_BAD_ADDR;
	if (s->len == 0)
		return UDMA_DEV_OK;
	if (copy && from < to + s->len && to < from + s->len)
		return UDMA_DEV_BAD_SQE;
	for (uint32_t i = 0; i < s->len; i++)
		arena[to + i] = copy ? arena[from + i] :
			(uint8_t)((i % 8 < 4 ? s->pattern_l : s->pattern_h) >> i % 4 * 8);
	return UDMA_DEV_OK;
}

static void
bend_sqe(struct hisi_udma_sqe *s, unsigned int flags)
{
	if ((flags & FLAG_FIT) != 0) {
		bend(&s->src_l, &s->src_h);
		bend(&s->dst_l, &s->dst_h);
		s->len %= ARENA / 2;
	}
	if ((flags & FLAG_RIGHT) != 0) {
		s->dw0 = (s->dw0 & 1u << 16) != 0 ? 0x70301 : 0x301;
		s->dw7 &= HISI_UDMA_DW7_PREFETCH;
		s->ext &= HISI_UDMA_EXT_FENCE;
		memset(s->rsvd1, 0, sizeof(s->rsvd1));
		memset(s->rsvd10, 0, sizeof(s->rsvd10));
		memset(s->rsvd24, 0, sizeof(s->rsvd24));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *arena, want[ARENA];
	static struct rings *rings;
	static struct qm_dev *dev;
	struct hisi_udma_sqe sqe[DEPTH];
	struct sqe_input in;

	if (dev == NULL) {
		struct qm_dev_conf conf = { .classes = { { &udma_dev_class, NULL } },
			.revision = HISI_QM_REV_V3, .ext = 1 };

		arena = guarded_map(ARENA);
		rings = (struct rings *)guarded_map(4096);
		dev = function_create(&conf, arena, rings);
	}
	if (take_input(data, size, &in, sqe, arena) != 0)
		return -1;

	start(dev, rings, HISI_UDMA_QC);
	memcpy(want, arena, ARENA);
	for (unsigned int i = 0; i < in.n; i++) {
		bend_sqe(&sqe[i], in.flags);
		memcpy(rings->sq[i], &sqe[i], SQE_SIZE);
	}
	run(dev, rings, in.n);
	for (unsigned int i = 0; i < in.n; i++) {
		enum udma_dev_status st = model(&sqe[i], want);
		struct hisi_udma_sqe after;

		memcpy(&after, rings->sq[i], SQE_SIZE);
		check_unchanged(&sqe[i], &after, RESULTS);
		require(after.wb == (st == UDMA_DEV_OK ? 1 : 2 | (uint32_t)st << 16));
	}
	require(memcmp(arena, want, ARENA) == 0);
	return 0;
}
