/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Who does an op: the function, software, software after the function, or nobody, for each kind
 * of op on each kind of device; every counter is looked at.
 */

#include <inttypes.h>
#include <string.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "hisi_zip_xform.h"
#include "pmd_test.h"

#define NAME "compress_hisi_zip_who"
#define DEPTH 16

static struct rte_comp_op *
op_of(struct rng *rng, void *xform, enum pmd_shape shape, const struct bytes *src, size_t room)
{
	return pmd_op(xform, pmd_chain(rng, shape, src->data, 0, src->len, 0), 0,
		(uint32_t)src->len, pmd_chain(rng, PMD_LINEAR, NULL, 0, room, 0), 0);
}

/* Kinds of ops. */
enum kind {
	LEVEL_1, LEVEL_5, CHKSUM, NULL_COPY, UNPACK, SHORT_ROOM, LONG_CHAIN, FULL_FLUSH, BAD_DATA,
	KINDS
};

/* Who finishes an op: F the function, S software, R software after the function, X nobody. */
static const struct {
	const char *args;
	const char who[KINDS + 1];
} devices[] = {
	{ "", "FFFFFFSFF" },
	{ "sw=off", "FFFFFFXFF" },
	{ "workers=1", "FFFFFFSFF" },
	{ "ext=off", "FFFSFRSSR" },
	{ "ext=off,sw=exact", "FSFSFRSSR" },
	{ "rev=v2", "FFFFFRSSR" },
	{ "rev=v2,ext=off", "FFFSFRSSR" },
	/* As far as it makes transforms at all. */
	{ "ext=off,sw=off", "FFF FFXXF" },
	{ "rev=v2,ext=off,sw=off", "FFF FFXXF" },
};

static const struct rte_comp_xform *
kind_xform(enum kind kind, struct rte_comp_xform *x)
{
	*x = kind == UNPACK || kind == BAD_DATA ? pmd_inflate_xform : pmd_deflate_xform;
	if (kind == LEVEL_5)
		x->compress.level = 5;
	if (kind == CHKSUM)
		x->compress.chksum = RTE_COMP_CHECKSUM_CRC32;
	if (kind == NULL_COPY)
		x->compress.algo = RTE_COMP_ALGO_NULL;
	return x;
}

/* Why software does an op that the function does not. */
static enum hisi_zip_why
kind_why(enum kind kind, char who)
{
	static const enum hisi_zip_why whys[KINDS] = {
		[LEVEL_5] = HISI_ZIP_WHY_WISH,
		[NULL_COPY] = HISI_ZIP_WHY_ALGO,
		[LONG_CHAIN] = HISI_ZIP_WHY_TOO_LONG,
		[FULL_FLUSH] = HISI_ZIP_WHY_FLUSH,
	};

	if (who == 'S')
		return whys[kind];
	return who == 'R' ? HISI_ZIP_WHY_REPEATED : HISI_ZIP_WHY_NOT;
}

static uint8_t
kind_status(const char *args, enum kind kind, char who)
{
	if (who == 'X')
		return RTE_COMP_OP_STATUS_INVALID_ARGS;
	/* Plain silicon gives no start of it. */
	if (kind == SHORT_ROOM)
		return strstr(args, "ext=off,sw=off") != NULL ?
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED :
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
	return kind == BAD_DATA ? RTE_COMP_OP_STATUS_ERROR : RTE_COMP_OP_STATUS_SUCCESS;
}

static void
one_op(uint8_t dev, struct hisi_zip_qp *qp, struct rng *rng, const char *args, enum kind kind,
		char who, const struct bytes *plain, const struct bytes *packed)
{
	struct bytes bad = bytes_alloc(100);
	const struct bytes *src = kind == UNPACK ? packed : kind == BAD_DATA ? &bad : plain;
	struct rte_comp_xform x;
	struct hisi_zip_xform *priv = pmd_xform(dev, kind_xform(kind, &x));
	bool sw = who == 'S' || who == 'R';
	struct rte_comp_op *op;
	uint8_t status = kind_status(args, kind, who);
	bool error;

	memset(bad.data, 0xff, bad.len);
	op = op_of(rng, priv, kind == LONG_CHAIN ? PMD_TOO_MANY : PMD_LINEAR, src,
		kind == SHORT_ROOM ? 600 : plain->len + plain->len / 8 + 300);
	if (kind == FULL_FLUSH)
		op->flush_flag = RTE_COMP_FLUSH_FULL;
	memset(&qp->enq, 0, sizeof(qp->enq));
	memset(&qp->deq, 0, sizeof(qp->deq));
	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == status, "%s: kind %d: %s", args, kind, pmd_status(op->status));
	error = status != RTE_COMP_OP_STATUS_SUCCESS &&
		status != RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
	PMD_CHECK(qp->enq.ops == 1 && qp->enq.bytes == src->len && qp->enq.full == 0 &&
		qp->enq.no_queue == 0 && qp->enq.rejected == (who == 'X') &&
		qp->enq.software == (who == 'S'), "%s: kind %d: %" PRIu64 " %" PRIu64 " %" PRIu64
		" %" PRIu64, args, kind, qp->enq.ops, qp->enq.bytes, qp->enq.rejected,
		qp->enq.software);
	PMD_CHECK(qp->deq.ops == 1 && qp->deq.bytes == op->produced && qp->deq.errors == error &&
		qp->deq.sw == sw && qp->deq.repeated == (who == 'R') && qp->deq.lost == 0 &&
		qp->deq.restarts == 0, "%s: kind %d: %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		" %" PRIu64, args, kind, qp->deq.ops, qp->deq.bytes, qp->deq.errors, qp->deq.sw,
		qp->deq.repeated);
	for (enum hisi_zip_why why = HISI_ZIP_WHY_NOT + 1; why < HISI_ZIP_WHYS; why++) {
		uint64_t n = qp->deq.why[why];

		if (why < HISI_ZIP_WHY_REPEATED)
			n += qp->enq.why[why];
		PMD_CHECK(n == (why == kind_why(kind, who)), "%s: kind %d: why %d: %" PRIu64,
			args, kind, why, n);
	}
	for (unsigned int i = 0; i < HISI_ZIP_OP_STATUSES; i++)
		PMD_CHECK(qp->deq.status[i] == (i == status && i != 0), "%s: kind %d: %u", args,
			kind, i);
	for (unsigned int i = 0; i < 64; i++) {
		bool told = (who == 'F' || who == 'R') && ((kind == SHORT_ROOM && i == 0xe) ||
			(kind == BAD_DATA && i == 0x20));

		PMD_CHECK(qp->deq.hw_status[i] == told, "%s: kind %d: 0x%x", args, kind, i);
	}
	pmd_op_free(op);
	pmd_xform_free(dev, priv);
	bytes_free(&bad);
}

static void
who_does_it(void)
{
	struct bytes plain, packed;
	struct rng rng;

	pmd_rng(&rng);
	plain = bytes_alloc(3000);
	for (size_t i = 0; i < plain.len; i++)
		plain.data[i] = (uint8_t)(rng_next(&rng) >> 13 & 0x3f);
	packed = bytes_deflate(plain.data, plain.len, 6, 15);
	for (size_t i = 0; i < RTE_DIM(devices); i++) {
		uint8_t dev = pmd_dev_add(NAME, devices[i].args);
		struct hisi_zip_qp *qp;

		pmd_dev_start(dev, 1, DEPTH);
		qp = TAILQ_FIRST(&hisi_zip_find(NAME)->qps);

		for (enum kind k = 0; k < KINDS; k++) {
			if (devices[i].who[k] == ' ')
				continue;
			one_op(dev, qp, &rng, devices[i].args, k, devices[i].who[k], &plain,
				&packed);
		}
		pmd_dev_stop(dev);
		pmd_dev_remove(NAME);
	}
	bytes_free(&plain);
	bytes_free(&packed);
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "who_does_it", who_does_it, PMD_BAD_OPS },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_who", .count = 1, .cases = cases, .vdevs = none,
	});
}
