/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_EXT_H
#define HISI_EXT_H

/**
 * @file
 * How a software function shows that it can do more than silicon (EXT 1): a magic value and a
 * word of feature bits, in a part of BAR2 that the silicon leaves unused. What the bits are is
 * the classes' (hisi_zip_ext.h).
 */

#define HISI_EXT_REG_MAGIC    0x2800 /**< RO, 32 bit: HISI_EXT_MAGIC. */
#define HISI_EXT_REG_FEATURES 0x2804 /**< RO, 32 bit: feature bits of all classes. */

#define HISI_EXT_MAGIC 0x4d495053u /**< "SPIM" in memory order. */

#endif /* HISI_EXT_H */
