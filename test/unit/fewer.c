/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>

#include "fewer.h"

unsigned int
test_fewer(void)
{
	const char *value = getenv("ZIP_TEST_FEWER");
	int n = value != NULL ? atoi(value) : 1;

	return n > 0 ? (unsigned int)n : 1;
}
