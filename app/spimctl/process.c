/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base_clock.h"
#include "process.h"

/* Clock ticks are 10 ms, and the answer took a while to get here. */
#define SLACK_MS 500

/* Name and start are in one file, so that both are of the same process. */
static int
read_stat(uint64_t pid, char *buf, size_t size)
{
	char path[40];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	return 0;
}

void
process_command(struct record_client *client)
{
	char buf[1024], *name, *end, *field;
	uint64_t start_ms, now_ms;

	strcpy(client->command, "-");
	if (client->pid == 0 || read_stat(client->pid, buf, sizeof(buf)) != 0)
		return;
	/*
	 * PID (NAME) and then 50 fields, of which the 20th, 20 spaces on, is the start. NAME
	 * may have any byte.
	 */
	name = strchr(buf, '(');
	end = name != NULL ? strrchr(name, ')') : NULL;
	if (end == NULL)
		return;
	*end = '\0';
	field = end;
	for (int i = 0; i < 20 && field != NULL; i++)
		field = strchr(field + 1, ' ');
	if (field == NULL)
		return;
	start_ms = strtoull(field, NULL, 10) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	now_ms = (uint64_t)base_clock_ns(CLOCK_BOOTTIME) / 1000000;
	if (start_ms + client->age_ms > now_ms + SLACK_MS)
		return;
	snprintf(client->command, sizeof(client->command), "%s", name + 1);
}
