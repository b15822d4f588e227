/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef PMD_TEST_SEQ_H
#define PMD_TEST_SEQ_H

/**
 * @file
 * Random stateful sequences in both directions, several at a time over several
 * queue pairs, each op of a sequence on any of them.
 *
 * Compression is judged by zlib inflating what came out, op by op: after a flush
 * all input so far must be there, after a full flush what follows must stand
 * alone. Decompression is held against zlib's inflate() run op by op with the
 * same input and room: the same bytes, the same consumed, the same end. On a function without the
 * extension, where output may wait in the driver, zlib has as much room as it wants: what was
 * consumed is what it needs for what was produced, or more, but not beyond the end; and SUCCESS
 * means that there is nothing to come.
 */

#include "pmd_test.h"

/** Queue pairs that a device for them has, of a depth of at least 6. */
#define PMD_SEQ_QPS 3

#define PMD_SEQS_MAX 6

/**
 * Run n sequences at the same time; each op must be right.
 * @param len_max
 *   Bytes of an op.
 * @return Ops run.
 */
unsigned int pmd_sequences(uint8_t dev, struct rng *rng, size_t len_max, size_t n);

#endif /* PMD_TEST_SEQ_H */
