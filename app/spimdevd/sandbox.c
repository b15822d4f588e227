/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"

void
sandbox_raise_nofile(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0 || lim.rlim_cur == lim.rlim_max)
		return;
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) != 0)
		log_line(BASE_LOG_WARNING, "limit of open files: cannot raise it to %llu: %s",
				(unsigned long long)lim.rlim_max, strerror(errno));
}

/* Become a user, with its groups. */
static int
run_as(const char *name)
{
	const struct passwd *pw;
	const char *step = "initgroups";
	int rc;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL) {
		log_line(BASE_LOG_ERR, "--run-as '%s': %s", name,
				errno != 0 ? strerror(errno) : "no such user");
		return -EINVAL;
	}
	/* An ordinary user may say its own name; it could not set its groups. */
	if (pw->pw_uid != 0 && pw->pw_uid == getuid() && pw->pw_uid == geteuid())
		return 0;
	if (initgroups(name, pw->pw_gid) == 0) {
		step = "setresgid";
		if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == 0) {
			step = "setresuid";
			if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == 0)
				return 0;
		}
	}
	rc = -errno;
	log_line(BASE_LOG_ERR, "--run-as '%s': %s: %s", name, step, strerror(-rc));
	return rc;
}

int
sandbox_drop_privileges(const char *user)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int rc;

	/* What could ever be gained: only while privileged, else there is nothing to gain. */
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno == EPERM)
			break;
	if (user != NULL) {
		rc = run_as(user);
		if (rc != 0)
			return rc;
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &hdr, none) != 0 ||
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		rc = -errno;
		log_line(BASE_LOG_ERR, "cannot drop capabilities: %s", strerror(-rc));
		return rc;
	}
	return 0;
}

/* ---- System calls ---- */

enum rule_kind {
	RULE_ALLOW,
	RULE_KILL,
	RULE_NO_EXEC,   /* allowed unless argument 2 (prot) has PROT_EXEC */
	RULE_THREAD,    /* clone: allowed if argument 0 (flags) has CLONE_THREAD */
	RULE_READ_ONLY, /* openat: allowed if argument 2 (flags) opens for reading */
	RULE_UNIX,      /* socket: allowed if argument 0 is AF_UNIX */
	RULE_ENOSYS,    /* as an old kernel, so that the C library does without */
};

struct rule {
	int nr;
	enum rule_kind kind;
};

/* What is not here fails. A call that this architecture does not have has a number of no call. */
static const struct rule rules[] = {
	/* Events. */
	{ SCMP_SYS(futex), RULE_ALLOW },
	{ SCMP_SYS(recvmsg), RULE_ALLOW },
	{ SCMP_SYS(sendmsg), RULE_ALLOW },
	{ SCMP_SYS(epoll_pwait), RULE_ALLOW },
	{ SCMP_SYS(epoll_wait), RULE_ALLOW },
	{ SCMP_SYS(poll), RULE_ALLOW },
	{ SCMP_SYS(ppoll), RULE_ALLOW },
	{ SCMP_SYS(read), RULE_ALLOW },
	{ SCMP_SYS(write), RULE_ALLOW },
	{ SCMP_SYS(writev), RULE_ALLOW },
	{ SCMP_SYS(clock_gettime), RULE_ALLOW },
	{ SCMP_SYS(clock_nanosleep), RULE_ALLOW },
	{ SCMP_SYS(nanosleep), RULE_ALLOW },
	{ SCMP_SYS(sched_yield), RULE_ALLOW },
	{ SCMP_SYS(epoll_ctl), RULE_ALLOW },
	{ SCMP_SYS(epoll_create1), RULE_ALLOW },
	{ SCMP_SYS(eventfd2), RULE_ALLOW },
	/* How clients' eventfds are signalled, whose counters may be full (vfio_user_notify.h). */
	{ SCMP_SYS(io_submit), RULE_ALLOW },
	{ SCMP_SYS(io_getevents), RULE_ALLOW },
	{ SCMP_SYS(io_destroy), RULE_ALLOW },
	{ SCMP_SYS(timerfd_create), RULE_ALLOW },
	{ SCMP_SYS(timerfd_settime), RULE_ALLOW },
	{ SCMP_SYS(signalfd4), RULE_ALLOW },
	{ SCMP_SYS(membarrier), RULE_ALLOW },
	/* Connections and their files. */
	{ SCMP_SYS(accept), RULE_ALLOW },
	{ SCMP_SYS(accept4), RULE_ALLOW },
	{ SCMP_SYS(recvfrom), RULE_ALLOW },
	{ SCMP_SYS(sendto), RULE_ALLOW },
	{ SCMP_SYS(getsockopt), RULE_ALLOW },
	{ SCMP_SYS(setsockopt), RULE_ALLOW },
	{ SCMP_SYS(getsockname), RULE_ALLOW },
	{ SCMP_SYS(shutdown), RULE_ALLOW },
	{ SCMP_SYS(close), RULE_ALLOW },
	{ SCMP_SYS(dup), RULE_ALLOW },
	{ SCMP_SYS(dup3), RULE_ALLOW },
	{ SCMP_SYS(fcntl), RULE_ALLOW },
	{ SCMP_SYS(fstat), RULE_ALLOW },
	{ SCMP_SYS(fstatfs), RULE_ALLOW },
	{ SCMP_SYS(newfstatat), RULE_ALLOW },
	{ SCMP_SYS(statx), RULE_ALLOW },
	{ SCMP_SYS(lseek), RULE_ALLOW },
	{ SCMP_SYS(socket), RULE_UNIX }, /* the service manager */
	/* Memory. */
	{ SCMP_SYS(mmap), RULE_NO_EXEC },
	{ SCMP_SYS(mprotect), RULE_NO_EXEC },
	{ SCMP_SYS(munmap), RULE_ALLOW },
	{ SCMP_SYS(mremap), RULE_ALLOW },
	{ SCMP_SYS(madvise), RULE_ALLOW },
	{ SCMP_SYS(brk), RULE_ALLOW },
	{ SCMP_SYS(memfd_create), RULE_ALLOW },
	{ SCMP_SYS(ftruncate), RULE_ALLOW },
	{ SCMP_SYS(fallocate), RULE_ALLOW },
	{ SCMP_SYS(mbind), RULE_ALLOW },
	{ SCMP_SYS(get_mempolicy), RULE_ALLOW },
	{ SCMP_SYS(set_mempolicy), RULE_ALLOW },
	{ SCMP_SYS(move_pages), RULE_ALLOW },
	/* Threads and the end. */
	{ SCMP_SYS(clone), RULE_THREAD },
	{ SCMP_SYS(clone3), RULE_ENOSYS }, /* its flags are in memory: a filter cannot see them */
	{ SCMP_SYS(set_robust_list), RULE_ALLOW },
	{ SCMP_SYS(rseq), RULE_ALLOW },
	{ SCMP_SYS(sched_getaffinity), RULE_ALLOW },
	{ SCMP_SYS(sched_setaffinity), RULE_ALLOW },
	{ SCMP_SYS(getcpu), RULE_ALLOW },
	{ SCMP_SYS(getpid), RULE_ALLOW },
	{ SCMP_SYS(gettid), RULE_ALLOW },
	{ SCMP_SYS(tgkill), RULE_ALLOW },
	{ SCMP_SYS(getrandom), RULE_ALLOW },
	/* Names of threads; nothing can be gained without privileges. */
	{ SCMP_SYS(prctl), RULE_ALLOW },
	{ SCMP_SYS(rt_sigaction), RULE_ALLOW },
	{ SCMP_SYS(rt_sigprocmask), RULE_ALLOW },
	{ SCMP_SYS(rt_sigreturn), RULE_ALLOW },
	{ SCMP_SYS(sigaltstack), RULE_ALLOW },
	{ SCMP_SYS(restart_syscall), RULE_ALLOW },
	{ SCMP_SYS(exit), RULE_ALLOW },
	{ SCMP_SYS(exit_group), RULE_ALLOW },
	/* Files: /sys for the CPUs, /proc for clients' commands; sockets are removed. */
	{ SCMP_SYS(openat), RULE_READ_ONLY },
	{ SCMP_SYS(getdents64), RULE_ALLOW },
	{ SCMP_SYS(readlink), RULE_ALLOW },
	{ SCMP_SYS(readlinkat), RULE_ALLOW },
	{ SCMP_SYS(unlink), RULE_ALLOW },
	{ SCMP_SYS(unlinkat), RULE_ALLOW },
	{ SCMP_SYS(flock), RULE_ALLOW },
	{ SCMP_SYS(prlimit64), RULE_ALLOW },
	{ SCMP_SYS(uname), RULE_ALLOW },
	{ SCMP_SYS(sysinfo), RULE_ALLOW },
	/* Nothing that runs here has any business with these. */
	{ SCMP_SYS(execve), RULE_KILL },
	{ SCMP_SYS(execveat), RULE_KILL },
	{ SCMP_SYS(ptrace), RULE_KILL },
	{ SCMP_SYS(process_vm_readv), RULE_KILL },
	{ SCMP_SYS(process_vm_writev), RULE_KILL },
};

/* What a call's argument is held against: only these bits of it count. */
#define BITS(arg, bits, value) SCMP_CMP64((arg), SCMP_CMP_MASKED_EQ, (bits), (value))

static int
add_rule(scmp_filter_ctx filter, const struct rule *r)
{
	switch (r->kind) {
	case RULE_ALLOW:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, r->nr, 0);
	case RULE_KILL:
		return seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, r->nr, 0);
	case RULE_NO_EXEC:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, r->nr, 1, BITS(2, PROT_EXEC, 0));
	case RULE_THREAD:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, r->nr, 1,
				BITS(0, CLONE_THREAD, CLONE_THREAD));
	case RULE_READ_ONLY:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, r->nr, 1,
				BITS(2, O_ACCMODE | O_CREAT | O_TRUNC, 0));
	case RULE_UNIX:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, r->nr, 1,
				BITS(0, UINT32_MAX, AF_UNIX));
	case RULE_ENOSYS:
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), r->nr, 0);
	}
	return -EINVAL;
}

static int
load_filter(scmp_filter_ctx filter)
{
	/* Numbers mean something only with their architecture. */
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	/* Errors are the kernel's own; a tree instead of a list, as there are many calls. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; rc == 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
		rc = add_rule(filter, &rules[i]);
	return rc == 0 ? seccomp_load(filter) : rc;
}

int
sandbox_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter == NULL ? -ENOMEM : load_filter(filter);

	seccomp_release(filter);
	if (rc != 0)
		log_line(BASE_LOG_ERR, "cannot filter system calls: %s; --sandbox off does "
				"without", strerror(-rc));
	return rc;
}
