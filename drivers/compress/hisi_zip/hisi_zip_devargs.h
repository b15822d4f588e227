/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_DEVARGS_H
#define HISI_ZIP_DEVARGS_H

/** @file Device arguments of the driver. */

#include <stdint.h>

#include "hisi_devargs.h"

/** What is done in software. */
enum hisi_zip_sw_mode {
	HISI_ZIP_SW_OFF = 0, /**< Nothing. */
	HISI_ZIP_SW_AUTO,    /**< What the function can give no correct result for. */
	HISI_ZIP_SW_EXACT,   /**< Also what it cannot do as it was wished: levels. */
};

/** Device arguments, checked. */
struct hisi_zip_devargs {
	struct hisi_devargs hisi; /**< Those of every class. */
	uint8_t sw;               /**< enum hisi_zip_sw_mode. */
	uint32_t verify;          /**< Software verifies one of so many ops; 0: none. */
	uint8_t untold;           /**< Tests: no known answers, all is as the reference says. */
};

/** The value of the key "sw" for a mode. */
extern const char *const hisi_zip_sw_names[];

/** Keys of the driver's own, ended by one without a key. */
extern const struct hisi_devarg hisi_zip_devarg_keys[];

/**
 * Parse device arguments; text may be NULL or empty.
 * @return 0, or -EINVAL after a log line that names the wrong key or value.
 */
int hisi_zip_devargs_parse(const char *name, const char *text, enum hisi_bus bus,
		struct hisi_zip_devargs *args);

#endif /* HISI_ZIP_DEVARGS_H */
