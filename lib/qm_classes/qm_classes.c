/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "qm_classes.h"
#include "udma_dev.h"

void
qm_classes_of_pool(const struct qm_dev_class *classes[QM_DEV_CLASSES_MAX])
{
	classes[0] = &zip_dev_class;
	classes[1] = &udma_dev_class;
	classes[2] = NULL;
}

void
qm_classes_of_function(struct qm_dev_class_use uses[QM_DEV_CLASSES_MAX],
		const struct zip_dev_conf *zip, bool ext)
{
	unsigned int n = 0;

	uses[n++] = (struct qm_dev_class_use){ &zip_dev_class, zip };
	/* Silicon has it from V5 on (UDMA 1). */
	if (ext)
		uses[n++] = (struct qm_dev_class_use){ &udma_dev_class, NULL };
	uses[n] = (struct qm_dev_class_use){ NULL, NULL };
}
