/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A service that is replaced by one whose function counts otherwise, with all of its queues in use:
 * nothing is done by a function that was not asked, and each length is right.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"
#include "pmd_test_work.h"

#define NAME      "compress_hisi_zip_successor"
#define DEPTH     64
#define LEN       3000u
#define WAIT_S    60
#define PAIRS_MAX 4u
#define KINDS     4u
#define BEHIND    40u   /* bytes behind the data of a decompression */
#define ROOM      (2 * LEN)
#define ROUNDS    3

/* Raw requests, and those of zlib and of gzip. */
static const struct rte_comp_xform kinds[KINDS] = {
	{ .type = RTE_COMP_DECOMPRESS, .decompress = { .algo = RTE_COMP_ALGO_DEFLATE,
		.window_size = 15 } },
	{ .type = RTE_COMP_DECOMPRESS, .decompress = { .algo = RTE_COMP_ALGO_DEFLATE,
		.chksum = RTE_COMP_CHECKSUM_CRC32, .window_size = 15 } },
	{ .type = RTE_COMP_COMPRESS, .compress = { .algo = RTE_COMP_ALGO_DEFLATE,
		.level = RTE_COMP_LEVEL_PMD_DEFAULT, .window_size = 15 } },
	{ .type = RTE_COMP_COMPRESS, .compress = { .algo = RTE_COMP_ALGO_DEFLATE,
		.chksum = RTE_COMP_CHECKSUM_ADLER32, .level = RTE_COMP_LEVEL_PMD_DEFAULT,
		.window_size = 15 } },
};

/* One op of each kind on each queue pair. */
static struct {
	uint8_t dev;
	uint16_t pairs;
	void *xforms[KINDS];
	struct bytes plain, packed;
	char *va;
	struct rte_mbuf_ext_shared_info info[PAIRS_MAX][KINDS][2];
	struct rte_comp_op *ops[PAIRS_MAX][KINDS];
} all;

static bool
packs(unsigned int kind)
{
	return kinds[kind].type == RTE_COMP_COMPRESS;
}

static void
enqueue_one(uint16_t pair, unsigned int k)
{
	char *src = all.va + (pair * KINDS + k) * 2 * ROOM;
	const struct bytes *data = packs(k) ? &all.plain : &all.packed;
	uint32_t len = (uint32_t)data->len + (packs(k) ? 0 : BEHIND);
	struct rte_comp_op *op;

	memcpy(src, data->data, data->len);
	memset(src + data->len, 0x5a, BEHIND);
	memset(src + ROOM, 0, ROOM);
	op = pmd_op(all.xforms[k], pmd_mbuf_at(src, (uint16_t)len, &all.info[pair][k][0]), 0, len,
		pmd_mbuf_at(src + ROOM, ROOM, &all.info[pair][k][1]), 0);
	/* Without software it waits until there is a queue. */
	for (uint64_t end = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();
			rte_compressdev_enqueue_burst(all.dev, pair, &op, 1) == 0;)
		PMD_CHECK(rte_rdtsc() < end, "pair %u: not taken", pair);
	all.ops[pair][k] = op;
}

static void
enqueue(uint16_t pair)
{
	for (unsigned int k = 0; k < KINDS; k++)
		enqueue_one(pair, k);
}

static void
check(const char *what, const struct rte_comp_op *op, unsigned int k)
{
	struct bytes out = pmd_output(op);

	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s, kind %u: %s", what, k,
		pmd_status(op->status));
	PMD_CHECK(op->consumed == (packs(k) ? all.plain.len : all.packed.len),
		"%s, kind %u: %u consumed", what, k, op->consumed);
	if (packs(k))
		pmd_check_inflates(&out, all.plain.data, all.plain.len);
	else
		PMD_CHECK(out.len == all.plain.len &&
			memcmp(out.data, all.plain.data, out.len) == 0,
			"%s, kind %u: %zu other bytes", what, k, out.len);
	bytes_free(&out);
}

/* What the ops of a pair must be when they are back. */
enum expected { RIGHT, RIGHT_OR_REFUSED, BACK };

static void
dequeue_one(uint16_t pair, unsigned int k, const char *what, enum expected expected)
{
	struct rte_comp_op *back;

	pmd_dequeue(all.dev, pair, &back, 1);
	PMD_CHECK(back == all.ops[pair][k], "%s: another op", what);
	if (expected == RIGHT || (expected == RIGHT_OR_REFUSED &&
			back->status != RTE_COMP_OP_STATUS_INVALID_ARGS))
		check(what, back, k);
	pmd_op_free(back);
}

static void
dequeue(uint16_t pair, const char *what, enum expected expected)
{
	for (unsigned int k = 0; k < KINDS; k++)
		dequeue_one(pair, k, what, expected);
}

static void
begin_with(const char *args)
{
	struct rte_compressdev_info info;

	all.dev = pmd_dev_add(NAME, args);
	rte_compressdev_info_get(all.dev, &info);
	all.pairs = RTE_MIN(info.max_nb_queue_pairs, PAIRS_MAX);
	pmd_dev_start(all.dev, all.pairs, DEPTH);
	for (unsigned int k = 0; k < KINDS; k++)
		all.xforms[k] = pmd_xform(all.dev, &kinds[k]);
	all.plain = bytes_alloc(LEN);
	for (size_t i = 0; i < LEN; i++)
		all.plain.data[i] = (uint8_t)(i % 97 + i / 300);
	all.packed = bytes_deflate(all.plain.data, LEN, 6, 15);
	all.va = rte_malloc("many", PAIRS_MAX * KINDS * 2 * ROOM, 0);
	PMD_CHECK(all.va != NULL, "no memory");
}

static void
end(void)
{
	for (unsigned int k = 0; k < KINDS; k++)
		pmd_xform_free(all.dev, all.xforms[k]);
	bytes_free(&all.plain);
	bytes_free(&all.packed);
	rte_free(all.va);
	pmd_dev_stop(all.dev);
	pmd_dev_remove(NAME);
	pmd_log_end();
	pmd_service_end(SIGTERM);
}

/* The function has done all that the pair was given, and nobody has looked. */
static void
done(uint16_t pair)
{
	uint64_t end = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();

	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++)
		while (hisi_qm_cq_ready(pmd_qp(all.dev, pair)->hwq[dir].q.ring, KINDS / 2) <
				KINDS / 2)
			PMD_CHECK(rte_rdtsc() < end, "pair %u: not done", pair);
}

/* Take the queues of the function that is there now, which may not be had at once. */
static void
come_back(uint16_t pair, const char *what, enum expected expected)
{
	const struct hisi_zip_hwq *hwq = pmd_qp(all.dev, pair)->hwq;
	uint64_t end = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();

	while (hwq[HISI_ZIP_COMP].q.ring == NULL || hwq[HISI_ZIP_DECOMP].q.ring == NULL) {
		PMD_CHECK(rte_rdtsc() < end, "%s: pair %u has no queues", what, pair);
		enqueue(pair);
		dequeue(pair, what, expected);
		rte_delay_us_sleep(1000);
	}
}

/* Ops of a pair that a function has done. */
static uint64_t
by_function(uint16_t pair)
{
	const struct hisi_zip_qp *qp = pmd_qp(all.dev, pair);

	return qp->deq.ops - qp->deq.sw - qp->enq.rejected;
}

/* The machine was too slow for a path of compressions: its answers were late twice. */
static bool
too_slow(void)
{
	const struct hisi_zip_path_info *path = pmd_qp(all.dev, 0)->dev->known.paths.path;
	const char *raw = path[HISI_ZIP_PATH_COMP_RAW].why;
	const char *zlib = path[HISI_ZIP_PATH_COMP_ZLIB].why;

	return (raw != NULL && strstr(raw, " time") != NULL) ||
		(zlib != NULL && strstr(zlib, " time") != NULL);
}

/*
 * All queues of the service are in use, and its successor counts otherwise. It does nothing before
 * it has been asked, and what the old one has done is read as that has counted it.
 */
static void
other_lengths(void)
{
	static const struct {
		const char *rev, *quirk;
	} rows[] = {
		{ "v3", ",quirk=consumed-all" }, { "v3", ",quirk=produced-data" },
		{ "v3", ",quirk=consumed-data" }, { "v2", ",quirk=consumed-all" },
		{ "v2", ",quirk=produced-data:consumed-data" },
	};

	unsigned int seen = 0;

	for (size_t i = 0; i < 2 * RTE_DIM(rows); i++) {
		bool sw = i % 2 == 0;
		/* Those of four pairs. */
		const char *queues = strcmp(rows[i / 2].rev, "v2") == 0 ? "12" : "8";
		const char *const first[] = { "--ext", "off", "--rev", rows[i / 2].rev, "--queues",
			queues, NULL };
		const char *const then[] = { "--ext", "off", "--rev", rows[i / 2].rev, "--queues",
			queues, rows[i / 2].quirk, NULL };
		uint64_t before[PAIRS_MAX];
		char what[64], args[200];

		snprintf(what, sizeof(what), "%s%s, sw=%s", rows[i / 2].rev, rows[i / 2].quirk,
			sw ? "auto" : "off");
		pmd_service_start(first);
		pmd_log_begin();
		snprintf(args, sizeof(args), "%s,sw=%s", pmd_service_dev(), sw ? "auto" : "off");
		begin_with(args);
		for (uint16_t pair = 0; pair < all.pairs; pair++) {
			enqueue(pair);
			dequeue(pair, what, RIGHT);
		}
		enqueue(0);
		done(0);
		pmd_service_end(SIGKILL);
		for (uint16_t pair = 1; pair < all.pairs; pair++)
			enqueue(pair);
		pmd_service_start(then);
		/* What was in flight, a successor does only if nothing else can. */
		for (uint16_t pair = 1; pair < all.pairs; pair++)
			dequeue(pair, what, sw ? RIGHT : BACK);
		for (uint16_t pair = 1; pair < all.pairs; pair++) {
			come_back(pair, what, sw ? RIGHT : RIGHT_OR_REFUSED);
			before[pair] = by_function(pair);
		}
		for (int round = 0; round < ROUNDS; round++) {
			for (uint16_t pair = 1; pair < all.pairs; pair++)
				enqueue(pair);
			for (uint16_t pair = 1; pair < all.pairs; pair++)
				dequeue(pair, what, sw ? RIGHT : RIGHT_OR_REFUSED);
		}
		/* How it counts is no matter to a compression. */
		seen += !too_slow();
		for (uint16_t pair = 1; pair < all.pairs && !too_slow(); pair++)
			PMD_CHECK(by_function(pair) - before[pair] >= 2 * ROUNDS, "%s: the "
				"function has done %" PRIu64 " ops of pair %u, expected %d", what,
				by_function(pair) - before[pair], pair, 2 * ROUNDS);
		dequeue(0, what, RIGHT);
		for (uint16_t pair = 0; pair < all.pairs; pair++) {
			const struct hisi_zip_qp *qp = pmd_qp(all.dev, pair);

			PMD_CHECK((qp->deq.restarts == 0) == (sw || pair == 0), "%s: %" PRIu64
				" restarts of pair %u", what, qp->deq.restarts, pair);
		}
		end();
	}
	PMD_CHECK(seen > 0, "the machine was too slow for each row");
}

/*
 * A pair without software learns of a restart by what it has in flight in one direction. Its queue
 * of the other one, which has had nothing to do, is not used any more either.
 */
static void
idle_queue(void)
{
	static const char *const first[] = { "--ext", "off", NULL };
	static const char *const then[] = { "--ext", "off", ",quirk=consumed-all", NULL };
	char args[200];

	pmd_service_start(first);
	pmd_log_begin();
	snprintf(args, sizeof(args), "%s,sw=off", pmd_service_dev());
	begin_with(args);
	enqueue(0);
	dequeue(0, "before", RIGHT);
	pmd_service_end(SIGKILL);
	for (unsigned int k = 0; k < KINDS; k++)
		if (packs(k))
			enqueue_one(0, k);
	pmd_service_start(then);
	for (unsigned int k = 0; k < KINDS; k++)
		if (packs(k))
			dequeue_one(0, k, "over the restart", BACK);
	PMD_CHECK(pmd_qp(all.dev, 0)->deq.restarts == 1, "%" PRIu64 " restarts",
		pmd_qp(all.dev, 0)->deq.restarts);
	enqueue(0);
	dequeue(0, "after it", RIGHT_OR_REFUSED);
	PMD_CHECK(pmd_qp(all.dev, 0)->deq.restarts == 1, "%" PRIu64 " restarts",
		pmd_qp(all.dev, 0)->deq.restarts);
	end();
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "other_lengths", other_lengths, PMD_FAULTS },
		{ "idle_queue", idle_queue, PMD_FAULTS },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_successor", .count = 1, .cases = cases, .vdevs = none,
		.own_service = true,
	});
}
