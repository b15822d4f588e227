/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attributes.h"
#include "spimgz.h"

#define ACL "system.posix_acl_access"

/* The largest that a file may have, as of any extended attribute, is 64 KiB. */
#define ACL_MAX 65536

/* Whether there is an access control list; with one, the group's bits are those of its mask. */
static bool
has_acl(int fd)
{
	return fgetxattr(fd, ACL, NULL, 0) > 0;
}

static int
copy_acl(int out, int in)
{
	static char acl[ACL_MAX];
	ssize_t n = fgetxattr(in, ACL, acl, sizeof(acl));

	return n > 0 ? fsetxattr(out, ACL, acl, (size_t)n, 0) : -1;
}

int
attributes_copy(int out, int in, const struct stat *st, const char *name)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	const bool root = geteuid() == 0, acl = has_acl(in);
	mode_t mode = st->st_mode & 0777, group = mode >> 3 & 7;
	int ret = SPIMGZ_OK;
	bool lost;

	/* What the folder gives to all new files is not what the input has. */
	(void)fremovexattr(out, ACL);
	/* The owner last: whoever is not that one any more may not change the mode. */
	lost = fchown(out, (uid_t)-1, st->st_gid) != 0;
	if (lost && root) {
		warn("%s: group: %s", name, strerror(errno));
		ret = SPIMGZ_WARNING;
	}
	/* Whoever was of the group is one of the others now. */
	if (lost)
		mode = acl ? mode & 0700 : (mode & 0700) | (mode & 7 & group);
	if (fchmod(out, acl ? mode & 0700 : mode) != 0 ||
			(acl && !lost && copy_acl(out, in) != 0) || futimens(out, times) != 0) {
		warn("%s: mode and times: %s", name, strerror(errno));
		ret = SPIMGZ_WARNING;
	}
	if (fchown(out, st->st_uid, (gid_t)-1) != 0 && root) {
		warn("%s: owner: %s", name, strerror(errno));
		ret = SPIMGZ_WARNING;
	}
	return ret;
}
