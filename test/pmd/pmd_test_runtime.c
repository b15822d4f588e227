/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <rte_eal.h>

#include "pmd_test.h"
#include "pmd_test_priv.h"

void
pmd_runtime_remove(void)
{
	const char *path = rte_eal_get_runtime_dir();
	DIR *dir = opendir(path);

	for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;)
		(void)unlinkat(dirfd(dir), d->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	(void)rmdir(path);
}
