/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef QM_CLASSES_H
#define QM_CLASSES_H

/**
 * @file
 * The list of accelerator classes. A new class is added here, and to no other file that makes
 * functions.
 */

#include <stdbool.h>

#include "qm_dev.h"
#include "zip_dev.h"

/** Fill in the classes that a pool executes: all of them. */
void qm_classes_of_pool(const struct qm_dev_class *classes[QM_DEV_CLASSES_MAX]);

/**
 * Fill in the classes of a function.
 * @param zip
 *   How it has ZIP; kept by reference until the function is made.
 * @param ext
 *   It has the extension. Without it, it is a V3 function as silicon is, which has ZIP only.
 */
void qm_classes_of_function(struct qm_dev_class_use uses[QM_DEV_CLASSES_MAX],
		const struct zip_dev_conf *zip, bool ext);

#endif /* QM_CLASSES_H */
