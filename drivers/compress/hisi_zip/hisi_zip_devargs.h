/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_DEVARGS_H
#define HISI_ZIP_DEVARGS_H

/** @file Device arguments of the driver. */

#include <stdbool.h>

#include "hisi_devargs.h"

/** Device arguments, checked. */
struct hisi_zip_devargs {
	struct hisi_devargs hisi; /**< Those of every class. */
	bool sw;                  /**< Do in software what the function cannot. */
};

/** Keys of the driver's own, ended by one without a key. */
extern const struct hisi_devarg hisi_zip_devarg_keys[];

/**
 * Parse device arguments; text may be NULL or empty.
 * @return 0, or -EINVAL after a log line that names the wrong key or value.
 */
int hisi_zip_devargs_parse(const char *name, const char *text, enum hisi_bus bus,
		struct hisi_zip_devargs *args);

#endif /* HISI_ZIP_DEVARGS_H */
