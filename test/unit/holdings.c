/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "holdings.h"

unsigned int
holdings_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

unsigned int
holdings_threads(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned int n = 0;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "Threads: %u", &n);
	fclose(f);
	return n;
}

struct holdings_now
holdings_get(void)
{
	struct holdings_now now = {
		.fds = holdings_entries("/proc/self/fd"), .threads = holdings_threads(),
	};
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		now.memfds += strstr(line, "/memfd:") != NULL;
	fclose(f);
	return now;
}

void
holdings_same(const struct holdings_now *then)
{
	struct holdings_now now = holdings_get();

	for (int i = 0; i < 10000 && now.threads > then->threads; i++) {
		usleep(1000);
		now = holdings_get();
	}
	if (now.fds != then->fds || now.memfds != then->memfds || now.threads > then->threads)
		fail_msg("held now: %u descriptors, %u maps of memfds, %u threads; before: %u, %u, "
			"%u", now.fds, now.memfds, now.threads, then->fds, then->memfds,
			then->threads);
}
