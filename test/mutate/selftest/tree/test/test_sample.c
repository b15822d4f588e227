/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * usage: test_sample bounds|give-back|ends
 */

#include <string.h>

#include "sample.h"

static int freed;

void
sample_free(void *p)
{
	freed += p == &freed;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "bounds") == 0)
		return !(sample_tight(SAMPLE_MAX - 1) && !sample_tight(SAMPLE_MAX) &&
				sample_loose(SAMPLE_MAX / 2) && sample_same(2) == 2);
	if (argc == 2 && strcmp(argv[1], "give-back") == 0) {
		sample_give_back(&freed);
		return freed != 1;
	}
	if (argc == 2 && strcmp(argv[1], "ends") == 0)
		return sample_hang() != 2 || sample_memory() != 2 || sample_disk() != 2;
	return 2;
}
