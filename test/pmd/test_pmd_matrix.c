/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Functions without the extension that differ from the one that the driver was written with: every
 * quirk, and every pair of them, on both revisions. Whatever the function does, each op comes back
 * once and is right in every byte; what the function cannot be trusted with is done in software.
 * A quirk turns off the paths that it makes wrong, and no others.
 *
 * An iteration is one device: in "quirks" none of them and each alone come first, then all pairs;
 * in "streams" those that concern streams. From the next power of ten on (1000 and 100) the same
 * devices come again, with as many ops as it takes to be sure:
 *   test_pmd_matrix -- --case quirks --first 1000 --count 704
 *   test_pmd_matrix -- --case streams --first 100 --count 26
 * These also say how much of it the function has done.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test_seq.h"
#include "pmd_test_work.h"
#include "zip_dev_quirk.h"

#define NAME    "compress_hisi_zip_matrix"
#define DEPTH   64
#define LEN_MAX 10000 /* mostly much less */

#define OPS_SHORT  100u /* of a device */
#define OPS_LONG   10000u
#define OPS_SWITCHED 1000u
#define SEQS_SHORT 10u
#define SEQS_LONG  8000u /* 100,000 on each revision */

#define SINGLES (1 + ZIP_DEV_QUIRKS) /* none, and each alone */
#define PAIRS   (ZIP_DEV_QUIRKS * (ZIP_DEV_QUIRKS - 1) / 2)
#define DEVICES (2 * (SINGLES + PAIRS))
#define LONG_QUIRKS_FROM 1000
_Static_assert(DEVICES <= LONG_QUIRKS_FROM, "iterations of two lengths overlap");
/* Neighbours in the list of pairs have a quirk in common; steps of this length do not. */
#define PAIR_STEP 127
_Static_assert(PAIRS % PAIR_STEP != 0, "not all pairs would be met");

/* Those that a stream can meet. */
static const uint8_t stream_quirks[] = {
	ZIP_DEV_QUIRK_PRODUCED_DATA, ZIP_DEV_QUIRK_CONSUMED_DATA, ZIP_DEV_QUIRK_NO_TRAILER,
	ZIP_DEV_QUIRK_CRC_ZERO, ZIP_DEV_QUIRK_END_13, ZIP_DEV_QUIRK_END_LSTBLK,
	ZIP_DEV_QUIRK_CTX4_NEVER, ZIP_DEV_QUIRK_HEAD_BITS, ZIP_DEV_QUIRK_FLUSH_BITS,
	ZIP_DEV_QUIRK_EMPTY_REFUSED, ZIP_DEV_QUIRK_ROOM_200, ZIP_DEV_QUIRK_WINDOW_STRICT,
};
#define STREAM_DEVICES (2 * (1 + RTE_DIM(stream_quirks)))
#define LONG_STREAMS_FROM 100

#define PATH(path) HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_##path)
#define CARRIED    (PATH(DECOMP_ZLIB) | PATH(DECOMP_GZIP))
#define COMPS      (PATH(STREAM_COMP) | PATH(STREAM_COMP_SGL))
#define DECOMPS    (PATH(STREAM_DECOMP) | PATH(STREAM_DECOMP_SGL))
#define STREAM_SGL (PATH(STREAM_COMP_SGL) | PATH(STREAM_DECOMP_SGL))

/* Paths that a quirk turns off, beside those that the revision does not have: V3, V2. */
static const uint32_t paths_off[ZIP_DEV_QUIRKS][2] = {
	/* Where the data ends, only consumed says. */
	[ZIP_DEV_QUIRK_CONSUMED_ALL] = { PATH(DECOMP_RAW) | CARRIED | PATH(DECOMP_SGL),
		CARRIED | PATH(DECOMP_SGL) },
	/* On V2 each decompression ends with a trailer that is none. */
	[ZIP_DEV_QUIRK_CRC_ZERO] = { CARRIED, CARRIED | PATH(DECOMP_SGL) | DECOMPS },
	[ZIP_DEV_QUIRK_END_LSTBLK] = { DECOMPS, DECOMPS },
	[ZIP_DEV_QUIRK_CTX4_NEVER] = { 0, DECOMPS },
	[ZIP_DEV_QUIRK_HEAD_BITS] = { 0, DECOMPS },
	[ZIP_DEV_QUIRK_FLUSH_BITS] = { COMPS, COMPS },
	/* There is no other way to output that is missing. */
	[ZIP_DEV_QUIRK_EMPTY_REFUSED] = { DECOMPS, DECOMPS },
	/* One more on V2, which has the trailer in it. */
	[ZIP_DEV_QUIRK_SGE_16] = { STREAM_SGL, STREAM_SGL | PATH(COMP_SGL) },
	[ZIP_DEV_QUIRK_WINDOW_STRICT] = { 0, CARRIED | PATH(DECOMP_SGL) | DECOMPS },
};
#define ANY_PATHS UINT32_MAX

/* Those that are off on the n-th device, or ANY_PATHS. */
static uint32_t
expected_off(unsigned int n)
{
	uint32_t off = PATH(EXT_COMP) | PATH(EXT_DECOMP);

	if (n % 2 != 0)
		off |= PATH(COMP_RAW) | PATH(DECOMP_RAW);
	if (n / 2 >= SINGLES)
		return ANY_PATHS;
	return n < 2 ? off : off | paths_off[n / 2 - 1][n % 2];
}

static void
check_paths(uint8_t dev, const char *args, uint32_t off)
{
	const struct hisi_zip_paths *paths = &pmd_qp(dev, 0)->dev->known.paths;

	for (unsigned int i = 0; off != ANY_PATHS && i < HISI_ZIP_PATHS; i++)
		PMD_CHECK((paths->path[i].state != HISI_ZIP_PATH_ON) == (off >> i & 1),
			"%s: path %s: state %u, %s", args,
			hisi_zip_path_name((enum hisi_zip_path)i), paths->path[i].state,
			paths->path[i].why != NULL ? paths->path[i].why : "");
}

/* A function, as device arguments; quirk is "", or a list. */
static void
device_args(unsigned long n, const char *quirk, char *text, size_t len)
{
	snprintf(text, len, "ext=off,rev=%s%s%s", n % 2 == 0 ? "v3" : "v2",
		quirk[0] != '\0' ? ",quirk=" : "", quirk);
}

/* The n-th list of quirks. */
static void
quirks_of(unsigned int n, char *text, size_t len)
{
	unsigned int a = 0;

	text[0] = '\0';
	if (n == 0)
		return;
	if (n < SINGLES) {
		snprintf(text, len, "%s", zip_dev_quirks[n - 1].name);
		return;
	}
	n = (n - SINGLES) * PAIR_STEP % PAIRS;
	while (n >= ZIP_DEV_QUIRKS - 1 - a) {
		n -= ZIP_DEV_QUIRKS - 1 - a;
		a++;
	}
	snprintf(text, len, "%s:%s", zip_dev_quirks[a].name, zip_dev_quirks[a + 1 + n].name);
}

/* Long ones are rare, as they take most of the time. */
static size_t
random_len_max(struct rng *rng)
{
	return rng_one_in(rng, 50) ? 10 * LEN_MAX : rng_one_in(rng, 4) ? LEN_MAX : LEN_MAX / 10;
}

/* A mix of everything. */
static void
run_ops(uint8_t dev, struct rng *rng, unsigned int ops)
{
	for (unsigned int done = 0; done < ops;) {
		uint16_t n = (uint16_t)rng_range(rng, 1, PMD_WORK_BURST_MAX);

		if (rng_one_in(rng, 6)) {
			done += pmd_sequences(dev, rng, random_len_max(rng), 1);
		} else {
			pmd_work_burst(dev, rng, random_len_max(rng), n);
			done += n;
		}
	}
}

static void
run_sequences(uint8_t dev, struct rng *rng, unsigned int sequences)
{
	for (unsigned int n; sequences > 0; sequences -= n) {
		n = RTE_MIN(sequences, (unsigned int)rng_range(rng, 1, PMD_SEQS_MAX));
		pmd_sequences(dev, rng, random_len_max(rng), n);
	}
}

/* How many ops there were, and how many of them the function has done. */
static void
report(uint8_t dev, const char *args)
{
	uint64_t ops = 0, sw = 0;

	for (uint16_t qp = 0; qp < PMD_SEQ_QPS; qp++) {
		ops += pmd_qp(dev, qp)->deq.ops;
		sw += pmd_qp(dev, qp)->deq.sw;
	}
	printf("pmd_test: %s: %" PRIu64 " ops, %" PRIu64 " in software\n", args, ops, sw);
}

/* Make a device, run on it, and remove it. What its driver says is not for everybody. */
static void
on_device(const char *args, uint32_t off, struct rng *rng, unsigned int n, bool is_long,
		void (*run)(uint8_t dev, struct rng *rng, unsigned int n))
{
	uint8_t dev;

	pmd_log_begin();
	dev = pmd_dev_add(NAME, args);
	pmd_dev_start(dev, PMD_SEQ_QPS, DEPTH);
	run(dev, rng, n);
	check_paths(dev, args, off);
	if (is_long)
		report(dev, args);
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
	pmd_log_end();
}

static void
quirks(void)
{
	struct rng rng;

	while (pmd_next(&rng)) {
		unsigned long n = pmd_iteration() % LONG_QUIRKS_FROM;
		bool is_long = pmd_iteration() >= LONG_QUIRKS_FROM;
		char names[64], args[128];

		if (n >= DEVICES)
			continue;
		quirks_of((unsigned int)n / 2, names, sizeof(names));
		device_args(n, names, args, sizeof(args));
		on_device(args, expected_off((unsigned int)n), &rng,
			is_long ? OPS_LONG : OPS_SHORT, is_long, run_ops);
	}
}

static void
streams(void)
{
	struct rng rng;

	while (pmd_next(&rng)) {
		unsigned long n = pmd_iteration() % LONG_STREAMS_FROM;
		bool is_long = pmd_iteration() >= LONG_STREAMS_FROM;
		char args[128];

		if (n >= STREAM_DEVICES)
			continue;
		device_args(n, n < 2 ? "" : zip_dev_quirks[stream_quirks[n / 2 - 1]].name, args,
			sizeof(args));
		on_device(args, ANY_PATHS, &rng, is_long ? SEQS_LONG : SEQS_SHORT, is_long,
			run_sequences);
	}
}

/* Stateless ops only. */
static void
run_blocks(uint8_t dev, struct rng *rng, unsigned int ops)
{
	for (unsigned int done = 0; done < ops;) {
		uint16_t n = (uint16_t)rng_range(rng, 1, PMD_WORK_BURST_MAX);

		pmd_work_burst(dev, rng, random_len_max(rng), n);
		done += n;
	}
}

/*
 * A function that has quirks today and others tomorrow, and wrong bytes at times. What was right at
 * probe is no more; only who checks every op can know. Streams are not checked.
 */
static void
changing(void)
{
	struct rng rng;

	while (pmd_next(&rng)) {
		char args[190], fault[128] = "";
		unsigned int n = (unsigned int)rng_range(&rng, 1, 3);

		for (unsigned int i = 0; i < n; i++)
			snprintf(fault + strlen(fault), sizeof(fault) - strlen(fault),
				"%squirk:%s%c%zu", i == 0 ? "" : "+",
				zip_dev_quirks[rng_below(&rng, ZIP_DEV_QUIRKS)].name,
				rng_one_in(&rng, 2) ? '@' : '/', rng_range(&rng, 1, 300));
		if (rng_one_in(&rng, 2))
			snprintf(fault + strlen(fault), sizeof(fault) - strlen(fault),
				"+corrupt/%zu", rng_range(&rng, 1, 300));
		snprintf(args, sizeof(args), "ext=off,verify=1,rev=%s,fault=%s",
			rng_one_in(&rng, 2) ? "v3" : "v2", fault);
		on_device(args, ANY_PATHS, &rng, OPS_SHORT, false, run_blocks);
	}
}

/*
 * The same without verify, and one quirk: results show by themselves that they are not what they
 * were.
 */
static void
switched(void)
{
	static const struct {
		uint8_t quirk;
		void (*run)(uint8_t dev, struct rng *rng, unsigned int n);
		const char *always; /* another one, which stays */
	} rows[] = {
		{ ZIP_DEV_QUIRK_PRODUCED_DATA, run_ops, "" },
		{ ZIP_DEV_QUIRK_NO_TRAILER, run_blocks, "" },
		{ ZIP_DEV_QUIRK_DW31_ZERO, run_ops, "" },
		{ ZIP_DEV_QUIRK_FLUSH_BITS, run_ops, "" },
		{ ZIP_DEV_QUIRK_DW31_PLAIN, run_ops, "" },
		{ ZIP_DEV_QUIRK_DW31_PLAIN, run_blocks, "no-trailer" },
		{ ZIP_DEV_QUIRK_CONSUMED_DATA, run_blocks, "" },
	};
	struct rng rng;

	while (pmd_next(&rng)) {
		unsigned long n = pmd_iteration();
		const char *name, *always;
		char args[190];
		bool comes = n / 2 % 2 == 0;

		/* What counted no trailer and does now, nothing shows. */
		if (n >= 4 * RTE_DIM(rows) || (!comes &&
				rows[n / 4].quirk == ZIP_DEV_QUIRK_CONSUMED_DATA))
			continue;
		name = zip_dev_quirks[rows[n / 4].quirk].name;
		always = rows[n / 4].always;
		/* Known answers are some hundred requests; it comes, or it goes. */
		snprintf(args, sizeof(args), "ext=off,rev=%s%s%s%s%s,fault=quirk:%s@%zu",
			n % 2 == 0 ? "v3" : "v2", comes && *always == '\0' ? "" : ",quirk=",
			always, comes || *always == '\0' ? "" : ":", comes ? "" : name, name,
			rng_range(&rng, 500, 900));
		on_device(args, ANY_PATHS, &rng, OPS_SWITCHED, false, rows[n / 4].run);
	}
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "quirks", quirks, PMD_BAD_OPS | PMD_LONG },
		{ "streams", streams, PMD_BAD_OPS | PMD_LONG },
		{ "changing", changing, PMD_BAD_OPS },
		{ "switched", switched, PMD_BAD_OPS },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_matrix", .count = 70, .cases = cases,
	});
}
