/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef PMD_TEST_WORK_H
#define PMD_TEST_WORK_H

/**
 * @file
 * Stateless ops of all kinds, judged by zlib.
 */

#include "pmd_test.h"

#define PMD_WORK_BURST_MAX 8

/** Room that is enough for whatever becomes of so many bytes. */
#define PMD_AMPLE(len) ((len) + (len) / 4 + 200)

/* How much room an op has for its result. */
enum pmd_room {
	PMD_ROOM_AMPLE,
	PMD_ROOM_EXACT,
	PMD_ROOM_SHORT,
	PMD_ROOM_ONE,
	PMD_ROOM_NONE,
	PMD_ROOMS,
};

/* What was done to a stream. */
enum pmd_mutation {
	PMD_MUTATION_NONE,
	PMD_MUTATION_BITS,
	PMD_MUTATION_CUT,
	PMD_MUTATION_TAIL,
};

/* One op and what it should do. */
struct pmd_work {
	struct rte_comp_xform xform;
	void *priv;
	struct rte_comp_op *op;
	struct bytes plain;   /* uncompressed data */
	struct bytes packed;  /* decompression: the stream */
	enum pmd_shape src_shape;
	size_t dst_skip, src_skip, room;
	enum pmd_room kind;
	enum pmd_mutation mutation;
};

/** What an op has written. */
struct bytes pmd_output(const struct rte_comp_op *op);

/** Fails unless out is a stream for exactly data. */
void pmd_check_inflates(const struct bytes *out, const uint8_t *data, size_t len);

/** A chain of w->room bytes, and something before them: w->dst_skip is set. */
struct rte_mbuf *pmd_work_room(struct rng *rng, struct pmd_work *w);

/** Fails unless the op's checksum is that of data, behind what came before. */
void pmd_work_check_chksum(const struct pmd_work *w, const uint8_t *data, size_t len);
/** Fails unless a compression that came back is right in everything. */
void pmd_work_check_compress(const struct pmd_work *w);

/** Run n random ops of up to len_max bytes on queue pair 0 at once; each result must be right. */
void pmd_work_burst(uint8_t dev, struct rng *rng, size_t len_max, uint16_t n);

#endif /* PMD_TEST_WORK_H */
