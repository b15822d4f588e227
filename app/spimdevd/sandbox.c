/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
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
		log_line(LOG_LEVEL_WARNING, "limit of open files: cannot raise it to %llu: %s",
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
		log_line(LOG_LEVEL_ERR, "--run-as '%s': %s", name,
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
	log_line(LOG_LEVEL_ERR, "--run-as '%s': %s: %s", name, step, strerror(-rc));
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
		log_line(LOG_LEVEL_ERR, "cannot drop capabilities: %s", strerror(-rc));
		return rc;
	}
	return 0;
}

/* ---- System calls ---- */

/*
 * A filter in classic BPF, which the kernel runs at every system call. It is
 * built from this table. SYS_* that one of the architectures lacks are under #ifdef.
 */
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

static const struct rule rules[] = {
	/* Events, most frequent first: the list is walked in order. */
	{ SYS_futex, RULE_ALLOW },
	{ SYS_recvmsg, RULE_ALLOW },
	{ SYS_sendmsg, RULE_ALLOW },
	{ SYS_epoll_pwait, RULE_ALLOW },
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, RULE_ALLOW },
#endif
#ifdef SYS_poll
	{ SYS_poll, RULE_ALLOW },
#endif
	{ SYS_ppoll, RULE_ALLOW },
	{ SYS_read, RULE_ALLOW },
	{ SYS_write, RULE_ALLOW },
	{ SYS_writev, RULE_ALLOW },
	{ SYS_clock_gettime, RULE_ALLOW },
	{ SYS_clock_nanosleep, RULE_ALLOW },
	{ SYS_nanosleep, RULE_ALLOW },
	{ SYS_sched_yield, RULE_ALLOW },
	{ SYS_epoll_ctl, RULE_ALLOW },
	{ SYS_epoll_create1, RULE_ALLOW },
	{ SYS_eventfd2, RULE_ALLOW },
	/* How clients' eventfds are signalled, whose counters may be full (vfio_user_notify.h). */
	{ SYS_io_submit, RULE_ALLOW },
	{ SYS_io_getevents, RULE_ALLOW },
	{ SYS_io_destroy, RULE_ALLOW },
	{ SYS_timerfd_create, RULE_ALLOW },
	{ SYS_timerfd_settime, RULE_ALLOW },
	{ SYS_signalfd4, RULE_ALLOW },
	{ SYS_membarrier, RULE_ALLOW },
	/* Connections and their files. */
	{ SYS_accept, RULE_ALLOW },
	{ SYS_accept4, RULE_ALLOW },
	{ SYS_recvfrom, RULE_ALLOW },
	{ SYS_sendto, RULE_ALLOW },
	{ SYS_getsockopt, RULE_ALLOW },
	{ SYS_setsockopt, RULE_ALLOW },
	{ SYS_getsockname, RULE_ALLOW },
	{ SYS_shutdown, RULE_ALLOW },
	{ SYS_close, RULE_ALLOW },
	{ SYS_dup, RULE_ALLOW },
	{ SYS_dup3, RULE_ALLOW },
	{ SYS_fcntl, RULE_ALLOW },
	{ SYS_fstat, RULE_ALLOW },
	{ SYS_fstatfs, RULE_ALLOW },
#ifdef SYS_newfstatat
	{ SYS_newfstatat, RULE_ALLOW },
#endif
	{ SYS_statx, RULE_ALLOW },
	{ SYS_lseek, RULE_ALLOW },
	{ SYS_socket, RULE_UNIX }, /* the service manager */
	/* Memory. */
	{ SYS_mmap, RULE_NO_EXEC },
	{ SYS_mprotect, RULE_NO_EXEC },
	{ SYS_munmap, RULE_ALLOW },
	{ SYS_mremap, RULE_ALLOW },
	{ SYS_madvise, RULE_ALLOW },
	{ SYS_brk, RULE_ALLOW },
	{ SYS_memfd_create, RULE_ALLOW },
	{ SYS_ftruncate, RULE_ALLOW },
	{ SYS_fallocate, RULE_ALLOW },
	{ SYS_mbind, RULE_ALLOW },
	{ SYS_get_mempolicy, RULE_ALLOW },
	{ SYS_set_mempolicy, RULE_ALLOW },
	{ SYS_move_pages, RULE_ALLOW },
	/* Threads and the end. */
	{ SYS_clone, RULE_THREAD },
	{ SYS_clone3, RULE_ENOSYS }, /* its flags are in memory: a filter cannot see them */
	{ SYS_set_robust_list, RULE_ALLOW },
	{ SYS_rseq, RULE_ALLOW },
	{ SYS_sched_getaffinity, RULE_ALLOW },
	{ SYS_sched_setaffinity, RULE_ALLOW },
	{ SYS_getcpu, RULE_ALLOW },
	{ SYS_getpid, RULE_ALLOW },
	{ SYS_gettid, RULE_ALLOW },
	{ SYS_tgkill, RULE_ALLOW },
	{ SYS_getrandom, RULE_ALLOW },
	{ SYS_prctl, RULE_ALLOW }, /* names of threads; nothing can be gained without privileges */
	{ SYS_rt_sigaction, RULE_ALLOW },
	{ SYS_rt_sigprocmask, RULE_ALLOW },
	{ SYS_rt_sigreturn, RULE_ALLOW },
	{ SYS_sigaltstack, RULE_ALLOW },
	{ SYS_restart_syscall, RULE_ALLOW },
	{ SYS_exit, RULE_ALLOW },
	{ SYS_exit_group, RULE_ALLOW },
	/* Files: /sys for the CPUs, /proc for clients' commands; sockets are removed. */
	{ SYS_openat, RULE_READ_ONLY },
	{ SYS_getdents64, RULE_ALLOW },
#ifdef SYS_readlink
	{ SYS_readlink, RULE_ALLOW },
#endif
	{ SYS_readlinkat, RULE_ALLOW },
#ifdef SYS_unlink
	{ SYS_unlink, RULE_ALLOW },
#endif
	{ SYS_unlinkat, RULE_ALLOW },
	{ SYS_flock, RULE_ALLOW },
	{ SYS_prlimit64, RULE_ALLOW },
	{ SYS_uname, RULE_ALLOW },
	{ SYS_sysinfo, RULE_ALLOW },
	/* Nothing that runs here has any business with these. */
	{ SYS_execve, RULE_KILL },
	{ SYS_execveat, RULE_KILL },
	{ SYS_ptrace, RULE_KILL },
	{ SYS_process_vm_readv, RULE_KILL },
	{ SYS_process_vm_writev, RULE_KILL },
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef FILTER_ARCH
/* Most instructions of a rule, and of what stands before and after all rules. */
#define RULE_INSNS  6
#define FRAME_INSNS 8

#define LOAD(off) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(off)))
#define JUMP(op, k, t, f) \
	((struct sock_filter)BPF_JUMP(BPF_JMP | (op) | BPF_K, (uint32_t)(k), (t), (f)))
#define RETURN(k) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (uint32_t)(k)))
/* Low half of an argument; little endian. */
#define ARG(n) (offsetof(struct seccomp_data, args) + (n) * sizeof(uint64_t))
#define DENIED (SECCOMP_RET_ERRNO | EPERM)

/*
 * One rule, n instructions: if the number matches, decide; else go on behind it.
 * A rule that looks at an argument decides in any case, so it need not restore
 * the number.
 */
static size_t
rule_code(const struct rule *r, struct sock_filter *code)
{
	uint32_t result = r->kind == RULE_KILL ? SECCOMP_RET_KILL_PROCESS :
		r->kind == RULE_ENOSYS ? (SECCOMP_RET_ERRNO | ENOSYS) : SECCOMP_RET_ALLOW;
	size_t n = 1;

	switch (r->kind) {
	case RULE_NO_EXEC:
		code[n++] = LOAD(ARG(2));
		code[n++] = JUMP(BPF_JSET, PROT_EXEC, 1, 0);
		break;
	case RULE_THREAD:
		code[n++] = LOAD(ARG(0));
		code[n++] = JUMP(BPF_JSET, CLONE_THREAD, 0, 1);
		break;
	case RULE_READ_ONLY:
		code[n++] = LOAD(ARG(2));
		code[n++] = JUMP(BPF_JSET, O_ACCMODE | O_CREAT | O_TRUNC, 1, 0);
		break;
	case RULE_UNIX:
		code[n++] = LOAD(ARG(0));
		code[n++] = JUMP(BPF_JEQ, AF_UNIX, 0, 1);
		break;
	case RULE_ALLOW:
	case RULE_KILL:
	case RULE_ENOSYS:
		break;
	}
	code[n++] = RETURN(result);
	if (n > 2)
		code[n++] = RETURN(DENIED);
	code[0] = JUMP(BPF_JEQ, r->nr, 0, (uint8_t)(n - 1));
	return n;
}

int
sandbox_filter(void)
{
	struct sock_filter code[FRAME_INSNS + RULES * RULE_INSNS];
	struct sock_fprog prog = { .filter = code };
	size_t n = 0;

	/* Numbers mean something only with their architecture. */
	code[n++] = LOAD(offsetof(struct seccomp_data, arch));
	code[n++] = JUMP(BPF_JEQ, FILTER_ARCH, 1, 0);
	code[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
	code[n++] = LOAD(offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < RULES; i++)
		n += rule_code(&rules[i], &code[n]);
	code[n++] = RETURN(DENIED);
	prog.len = (unsigned short)n;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) != 0) {
		int rc = -errno;

		log_line(LOG_LEVEL_ERR, "cannot filter system calls: %s; --sandbox off does "
				"without", strerror(-rc));
		return rc;
	}
	return 0;
}
#else
int
sandbox_filter(void)
{
	log_line(LOG_LEVEL_ERR, "system calls of this architecture are not known; --sandbox off "
			"does without the filter");
	return -ENOTSUP;
}
#endif
