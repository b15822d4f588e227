/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stuck_file.h"

#define LIFE_S 60

static pid_t server;

static int
answer(int dev, uint64_t unique, const void *body, size_t len)
{
	char buf[256];
	const struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + len),
		.unique = unique };

	memcpy(buf, &out, sizeof(out));
	memcpy(buf + sizeof(out), body, len);
	return write(dev, buf, sizeof(out) + len) < 0 ? -errno : 0;
}

/* The file system: it says hello, lets the file be opened, and then nothing any more. */
static void
serve(int dev)
{
	static char buf[FUSE_MIN_READ_BUFFER + 65536];

	for (;;) {
		const struct fuse_in_header *in = (const struct fuse_in_header *)buf;

		if (read(dev, buf, sizeof(buf)) < (ssize_t)sizeof(*in))
			return;
		if (in->opcode == FUSE_INIT) {
			const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				.minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096 };

			answer(dev, in->unique, &init, sizeof(init));
		} else if (in->opcode == FUSE_OPEN) {
			const struct fuse_open_out open_out = { .fh = 1 };

			answer(dev, in->unique, &open_out, sizeof(open_out));
		}
	}
}

int
stuck_file_open(void)
{
	char file[] = "/tmp/spimdevd-stuck.XXXXXX", options[96];
	int dev, at = mkstemp(file), rc;

	if (at < 0)
		return -errno;
	close(at);
	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=100644,user_id=%u,group_id=%u,"
			"allow_other", dev, getuid(), getgid());
	/* In a name space of its own, so that it is gone with this process. */
	if (dev < 0 || unshare(CLONE_NEWNS) != 0 ||
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
			mount("stuck", file, "fuse", 0, options) != 0) {
		rc = -errno;
	} else {
		server = fork();
		if (server == 0) {
			/* Its end ends all waiting: it must come, whatever happens to us. */
			alarm(LIFE_S);
			serve(dev);
			_exit(0);
		}
		rc = open(file, O_RDONLY | O_CLOEXEC);
		if (rc < 0)
			rc = -errno;
		umount2(file, MNT_DETACH);
	}
	if (dev >= 0)
		close(dev);
	unlink(file);
	return rc;
}

void
stuck_file_end(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}
