/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_QUIRK_H
#define ZIP_DEV_QUIRK_H

/**
 * @file
 * Quirks: what silicon may do instead of what the software function does where no source says what
 * is right (U1 and on). Each one is another plausible reading of the sources, for tests of drivers.
 * They change requests without the extension's word only: the extension is a contract of ours.
 */

#include <stddef.h>
#include <stdint.h>

/** Bits of zip_dev_conf.quirks; zip_dev_quirks[] says what each one does. */
enum zip_dev_quirk {
	ZIP_DEV_QUIRK_PRODUCED_DATA,
	ZIP_DEV_QUIRK_CONSUMED_DATA,
	ZIP_DEV_QUIRK_CONSUMED_ALL,
	ZIP_DEV_QUIRK_NO_TRAILER,
	ZIP_DEV_QUIRK_CRC_ZERO,
	ZIP_DEV_QUIRK_DW31_ZERO,
	ZIP_DEV_QUIRK_DW31_PLAIN,
	ZIP_DEV_QUIRK_DW31_RAW,
	ZIP_DEV_QUIRK_END_STATELESS,
	ZIP_DEV_QUIRK_END_13,
	ZIP_DEV_QUIRK_END_LSTBLK,
	ZIP_DEV_QUIRK_CTX4_NEVER,
	ZIP_DEV_QUIRK_HEAD_BITS,
	ZIP_DEV_QUIRK_FLUSH_BITS,
	ZIP_DEV_QUIRK_EMPTY_REFUSED,
	ZIP_DEV_QUIRK_ROOM_200,
	ZIP_DEV_QUIRK_ROOM_8M,
	ZIP_DEV_QUIRK_SGE_16,
	ZIP_DEV_QUIRK_SGE_ZERO,
	ZIP_DEV_QUIRK_SGL_SINGLE,
	ZIP_DEV_QUIRK_SGL_8M,
	ZIP_DEV_QUIRK_WINDOW_STRICT,
	ZIP_DEV_QUIRK_NC_NEVER,
	ZIP_DEV_QUIRK_NC_STORED,
	ZIP_DEV_QUIRK_NOSPACE_COUNTS,
	ZIP_DEV_QUIRK_STATUS_30,
	ZIP_DEV_QUIRKS, /**< Their number. */
};

/** The bit of a quirk in a mask. */
#define ZIP_DEV_QUIRK_BIT(quirk) (UINT64_C(1) << ZIP_DEV_QUIRK_##quirk)

/** Bytes of a text that names all quirks, with its end. */
#define ZIP_DEV_QUIRKS_TEXT_LEN 384

/** What is known of a quirk. */
struct zip_dev_quirk_info {
	const char *name;    /**< In device arguments. */
	const char *row;     /**< Of doc/hw/unknown.rst: which question it answers otherwise. */
	const char *meaning; /**< What the function does, in a few words. */
};

/** By enum zip_dev_quirk. */
extern const struct zip_dev_quirk_info zip_dev_quirks[ZIP_DEV_QUIRKS];

/**
 * @param text
 *   Names separated by ':', at least one.
 * @param mask
 *   Set on success.
 * @return NULL; else the first name that is none, a part of text.
 */
const char *zip_dev_quirks_parse(const char *text, uint64_t *mask);

/** All names, separated by ':' as zip_dev_quirks_parse() takes them. @return text. */
const char *zip_dev_quirks_text(char text[ZIP_DEV_QUIRKS_TEXT_LEN]);

#endif /* ZIP_DEV_QUIRK_H */
