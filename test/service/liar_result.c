/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "liar.h"

static void
produced_more(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.produced = r->sqe.dest_avail_out + 1;
}

static void
produced_huge(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.produced = UINT32_MAX;
}

static void
consumed_more(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.consumed = r->sqe.input_data_length + 1;
}

static void
consumed_less(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.consumed = r->sqe.input_data_length - 1;
}

/* Whoever compares with the request's own words, which the function can write, is taken in. */
static void
lengths(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.produced = r->sqe.dest_avail_out + 4096;
	r->sqe.consumed = r->sqe.input_data_length + 4096;
	r->sqe.dest_avail_out = r->sqe.input_data_length = UINT32_MAX;
}

static void
zero(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.produced = r->sqe.consumed = 0;
}

static void
checksum(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.checksum ^= 1;
	r->sqe.isize ^= 1;
}

/* The data itself, with the checksum of what is right. */
static void
data(struct liar *l, struct result *r)
{
	uint8_t *byte = liar_client_mem(l, r->sqe.dest_addr_l |
		(uint64_t)r->sqe.dest_addr_h << 32, 1);

	if (byte != NULL)
		*byte ^= 1;
}

static void
status_unknown(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.dw3 = (r->sqe.dw3 & ~HISI_ZIP_STATUS_MASK) | 0x7f;
}

static void
status_no_space(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.dw3 = (r->sqe.dw3 & ~HISI_ZIP_STATUS_MASK) | HISI_ZIP_DSTLEN_OUT;
}

static void
status_bad_data(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.dw3 = (r->sqe.dw3 & ~HISI_ZIP_STATUS_MASK) | HISI_ZIP_BAD_DATA;
}

static void
status_nega(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.dw3 = (r->sqe.dw3 & ~HISI_ZIP_STATUS_MASK) | HISI_ZIP_NEGACOMPRESS;
}

/* The status is a byte: what is beside it is no error. */
static void
status_high(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.dw3 |= ~HISI_ZIP_STATUS_MASK;
}

static void
tag(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe.tag_l ^= UINT32_MAX;
	r->sqe.tag_h ^= UINT32_MAX;
	r->sqe.dw13 ^= UINT32_MAX;
}

static void
garbage(struct liar *l, struct result *r)
{
	(void)l;
	memset(&r->sqe, 0xff, sizeof(r->sqe));
	r->sqe.dw3 = HISI_ZIP_OK;
}

static void
sq_head(struct liar *l, struct result *r)
{
	(void)l;
	r->cqe.sq_head = 0xffff;
	r->cqe.sq_num = 0xffff;
	r->cqe.cmd_id = 0xffff;
}

static void
other_slot(struct liar *l, struct result *r)
{
	(void)l;
	r->cqe.sq_head = (r->slot + 1) & r->mask;
}

static void
untouched(struct liar *l, struct result *r)
{
	(void)l;
	r->sqe_first = false;
}

static void
never(struct liar *l, struct result *r)
{
	(void)l;
	r->cqe_too = false;
}

static void
phase(struct liar *l, struct result *r)
{
	(void)l;
	r->cqe.w7 ^= HISI_QM_CQE_PHASE;
}

static void
twice(struct liar *l, struct result *r)
{
	(void)l;
	r->twice = true;
}

const struct lie result_lies[] = {
	{ "produced-more", "one byte more than there is room for", 0, NULL, produced_more },
	{ "produced-huge", "2^32 - 1 bytes produced", 0, NULL, produced_huge },
	{ "consumed-more", "one byte more than there is", 0, NULL, consumed_more },
	{ "consumed-less", "one byte less than was used", 0, NULL, consumed_less },
	{ "lengths", "too much of both, with the request's lengths made to fit", 0, NULL, lengths },
	{ "zero", "nothing consumed, nothing produced, done", 0, NULL, zero },
	{ "checksum", "a wrong checksum", 0, NULL, checksum },
	{ "data", "one bit of the (flat) output", 0, NULL, data },
	{ "status-unknown", "a status that no reference names", 0, NULL, status_unknown },
	{ "status-no-space", "no room", 0, NULL, status_no_space },
	{ "status-bad-data", "corrupt data", 0, NULL, status_bad_data },
	{ "status-nega", "(no lie) output not smaller than input", 0, NULL, status_nega },
	{ "status-high", "(no lie) ones beside the status", 0, NULL, status_high },
	{ "tag", "the tags of another request", 0, NULL, tag },
	{ "garbage", "all ones but for the status", 0, NULL, garbage },
	{ "sq-head", "a CQE with slot, queue and command out of range", 0, NULL, sq_head },
	{ "other-slot", "a CQE with the next slot", 0, NULL, other_slot },
	{ "untouched", "a completion without the result", 0, NULL, untouched },
	{ "never", "no completion", 0, NULL, never },
	{ "phase", "a CQE of the pass before", 0, NULL, phase },
	{ "twice", "the same completion twice", 0, NULL, twice },
	{ NULL, NULL, 0, NULL, NULL },
};
