/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_BITS_H
#define HISI_ZIP_BITS_H

/** @file Bits of DEFLATE data that a function took but did not decode (ZIP 5.6). */

#include <stdint.h>

/** Most bits that can be looked at. */
#define HISI_ZIP_BITS_MAX 63u

/**
 * Does DEFLATE data that begins with a block end within these bits?
 *
 * @param bits
 *   The first one in bit 0.
 * @param n
 *   How many, at most HISI_ZIP_BITS_MAX; the last one is the last of a byte.
 * @param blocks
 *   Filled with the bits of the blocks that end within them.
 * @return
 *   Bits up to the end of the block with BFINAL; 0: it does not end there; -EBADMSG: no block
 *   begins like this.
 */
int hisi_zip_bits_end(uint64_t bits, unsigned int n, unsigned int *blocks);

#endif /* HISI_ZIP_BITS_H */
