/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pmd_test.h"
#include "pmd_test_priv.h"

#define TOTAL "/proc/sys/vm/nr_hugepages"

static unsigned long taken; /* that others may take or give meanwhile does not matter */

static unsigned long
meminfo(const char *key)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long value = 0;
	char line[128];

	PMD_CHECK(f != NULL, "no /proc/meminfo");
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			sscanf(line + strlen(key), ": %lu", &value);
	fclose(f);
	return value;
}

static unsigned long
huge_free(void)
{
	return meminfo("HugePages_Free");
}

size_t
pmd_huge_page(void)
{
	return meminfo("Hugepagesize") << 10;
}

/* That it has touched, and that have not been taken from the file since. */
static unsigned long
used_by(int pid)
{
	unsigned long kb = 0, some;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	PMD_CHECK(f != NULL, "cannot open %s", path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Shared_Hugetlb: %lu kB", &some) == 1 ||
				sscanf(line, "Private_Hugetlb: %lu kB", &some) == 1)
			kb += some;
	fclose(f);
	return (kb << 10) / pmd_huge_page();
}

unsigned long
pmd_huge_used(void)
{
	return used_by(getpid()) + (pmd_service_pid() > 0 ? used_by(pmd_service_pid()) : 0);
}

static bool
set_total(unsigned long pages)
{
	FILE *f = fopen(TOTAL, "we");

	if (f == NULL)
		return false;
	fprintf(f, "%lu\n", pages);
	return fclose(f) == 0;
}

void
pmd_huge_reserve(unsigned int mb)
{
	unsigned long want, have = huge_free();

	PMD_CHECK(pmd_huge_page() != 0, "this kernel has no hugepages");
	want = ((unsigned long)mb << 20) / pmd_huge_page();
	if (have >= want)
		return;
	taken = want - have;
	PMD_CHECK(set_total(meminfo("HugePages_Total") + taken), "cannot write " TOTAL
		": %lu hugepages of %zu bytes are free, %lu are needed", have, pmd_huge_page(),
		want);
	PMD_CHECK(huge_free() >= want, "of %lu hugepages of %zu bytes the kernel found %lu",
		want, pmd_huge_page(), huge_free());
}

void
pmd_huge_restore(void)
{
	if (taken != 0)
		set_total(meminfo("HugePages_Total") - taken);
	taken = 0;
}
