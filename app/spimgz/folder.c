/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "spimgz.h"

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Have one more name. 0 or -1 with errno. */
static int
add(char ***names, size_t n, const char *name)
{
	char **more = *names;

	/* Room is doubled when the number is a power of two. */
	if ((n & (n - 1)) == 0)
		more = reallocarray(*names, n != 0 ? 2 * n : 1, sizeof(*more));
	if (more == NULL)
		return -1;
	*names = more;
	more[n] = strdup(name);
	return more[n] != NULL ? 0 : -1;
}

ssize_t
folder_read(int fd, const char *name, char ***names)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *entry;
	ssize_t n = 0;

	*names = NULL;
	if (dir == NULL) {
		complain("%s: %s", name, strerror(errno));
		if (own >= 0)
			close(own);
		return -1;
	}
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (add(names, (size_t)n, entry->d_name) != 0)
			break;
		n++;
	}
	if (errno != 0) {
		complain("%s: %s", name, strerror(errno));
		folder_free(*names, n);
		*names = NULL;
		n = -1;
	}
	closedir(dir);
	if (n > 0)
		qsort(*names, (size_t)n, sizeof(**names), by_bytes);
	return n;
}

void
folder_free(char **names, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
