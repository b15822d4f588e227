/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "spimgz.h"

static size_t
base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? (size_t)(slash - name) + 1 : 0;
}

int
place_open(struct place *p, const char *path)
{
	size_t size = strlen(path) + 2;
	char first;

	*p = (struct place){ .dir = -1, .base = base_of(path), .name = malloc(size) };
	if (p->name == NULL) {
		complain("%s: no memory", path);
		return -1;
	}
	/* "folder/" is what lies at "folder/.". */
	snprintf(p->name, size, "%s%s", path, path[p->base] == '\0' && p->base != 0 ? "." : "");
	first = p->name[p->base];
	p->name[p->base] = '\0';
	p->dir = open(p->base != 0 ? p->name : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	p->name[p->base] = first;
	if (p->dir < 0) {
		complain("%s: %s", path, strerror(errno));
		place_close(p);
		return -1;
	}
	return 0;
}

int
place_within(struct place *p, int dir, const char *folder, const char *base)
{
	size_t size = strlen(folder) + strlen(base) + 2;

	*p = (struct place){ .dir = dir, .walked = true, .name = malloc(size) };
	if (p->name == NULL) {
		complain("%s/%s: no memory", folder, base);
		return -1;
	}
	snprintf(p->name, size, "%s/%s", folder, base);
	p->base = strlen(folder) + 1;
	return 0;
}

int
place_rename(struct place *p, char *name)
{
	if (name == NULL)
		return -1;
	free(p->name);
	p->name = name;
	return 0;
}

void
place_close(struct place *p)
{
	free(p->name);
	p->name = NULL;
	if (p->dir >= 0 && !p->walked)
		close(p->dir);
}
