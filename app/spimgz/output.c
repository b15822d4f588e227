/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "signals.h"
#include "spimgz.h"

#define TRIES 1000u

int
output_create(struct output *out, int dir, const char *base, const char *name)
{
	sigset_t old;

	*out = (struct output){ .fd = -1, .dir = dir, .base = base, .name = name };
	signals_hold(&old);
	for (unsigned int i = 0; i < TRIES; i++) {
		snprintf(out->temp, sizeof(out->temp), ".spimgz-%ld-%u", (long)getpid(), i);
		out->fd = openat(dir, out->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (out->fd >= 0 || errno != EEXIST)
			break;
	}
	if (out->fd >= 0)
		signals_guard(dir, out->temp);
	signals_allow(&old);
	if (out->fd < 0) {
		complain("%s: %s", name, strerror(errno));
		return SPIMGZ_FAILED;
	}
	return SPIMGZ_OK;
}

/* Give it its name, if nothing has it. 0 or -1 with errno. */
static int
rename_new(const struct output *out)
{
	if (renameat2(out->dir, out->temp, out->dir, out->base, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system that knows no such renaming: most of those know links. */
	if (linkat(out->dir, out->temp, out->dir, out->base, 0) == 0)
		return unlinkat(out->dir, out->temp, 0);
	if (errno == EEXIST)
		return -1;
	if (faccessat(out->dir, out->base, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(out->dir, out->temp, out->dir, out->base);
}

static int
sync_dir(const struct output *out)
{
	int fd = openat(out->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd >= 0 ? fsync(fd) : -1;

	if (fd >= 0)
		close(fd);
	return ret;
}

int
output_commit(struct output *out, bool force, bool sync)
{
	sigset_t old;
	int ret = 0;

	if (sync)
		ret = fsync(out->fd);
	if (close(out->fd) != 0)
		ret = -1;
	out->fd = -1;
	if (ret == 0) {
		signals_hold(&old);
		ret = force ? renameat(out->dir, out->temp, out->dir, out->base) : rename_new(out);
		if (ret == 0)
			signals_guard(-1, NULL);
		signals_allow(&old);
	}
	if (ret != 0) {
		complain("%s: %s", out->name, strerror(errno));
		output_drop(out);
		return SPIMGZ_FAILED;
	}
	if (sync && sync_dir(out) != 0) {
		complain("%s: %s", out->name, strerror(errno));
		return SPIMGZ_FAILED;
	}
	return SPIMGZ_OK;
}

void
output_drop(struct output *out)
{
	sigset_t old;

	if (out->fd >= 0)
		close(out->fd);
	signals_hold(&old);
	(void)unlinkat(out->dir, out->temp, 0);
	signals_guard(-1, NULL);
	signals_allow(&old);
}
